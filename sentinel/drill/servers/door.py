"""Listening sockets of the practice school: a service and a bound socket in, guarded conversations out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from asyncio import StreamReader, StreamWriter
from ipaddress import IPv4Address, IPv6Address

from sentinel.drill.servers.conversation import (
    CHUNK_BYTES,
    PART_S,
    SESSION_S,
    Conversation,
    HangupError,
    Service,
    Stream,
)

# 40 ports with 20 each stay under the usual limit of 1,024 open files.
CONNECTIONS_PER_DOOR = 20
_TLS_HANDSHAKE = 0x16
_IPV6_FREEBIND = 78


class PlainStream:
    """A connection in clear."""

    __slots__ = ("_reader", "_writer")

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        """Return what has come, at most a chunk; empty at the end."""
        return await self._reader.read(CHUNK_BYTES)

    async def write(self, data: bytes) -> None:
        """Send everything."""
        self._writer.write(data)
        await self._writer.drain()


class TlsStream:
    """A connection inside TLS that answers what is no TLS as web servers do.

    asyncio's own TLS drops the connection without the alert that scanners recognise (Python 3.11), so the records are
    pumped here.
    """

    __slots__ = ("_begun", "_incoming", "_outgoing", "_plain", "_plain_answer", "_tls")

    def __init__(self, plain: PlainStream, context: ssl.SSLContext, plain_answer: bytes) -> None:
        self._plain = plain
        self._plain_answer = plain_answer
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._begun = False

    async def read(self) -> bytes:
        """Return what has come, at most a chunk; empty at the end.

        Raises:
            HangupError: the peer does not speak TLS, or not one this server speaks.
        """
        while True:
            try:
                return self._tls.read(CHUNK_BYTES)
            except ssl.SSLWantReadError:
                await self._pump()
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLError as error:
                await self._flush()
                raise HangupError("no common TLS") from error

    async def write(self, data: bytes) -> None:
        """Send everything."""
        self._tls.write(data)
        await self._flush()

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            await self._plain.write(data)

    async def _pump(self) -> None:
        await self._flush()
        shaking = self._begun and self._tls.version() is None
        try:
            data = await asyncio.wait_for(self._plain.read(), PART_S if shaking else None)
        except TimeoutError:
            raise HangupError("handshake too slow") from None
        if not data:
            raise HangupError("peer left")
        if not self._begun and self._plain_answer and data[0] != _TLS_HANDSHAKE:
            await self._plain.write(self._plain_answer)
            raise HangupError("clear text on a TLS port")
        self._begun = True
        self._incoming.write(data)


class Door:
    """One listening port; the service behind it can be exchanged while it stays open."""

    def __init__(self, listener: socket.socket, service: Service, tls: ssl.SSLContext | None) -> None:
        self._listener = listener
        self._service = service
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen; before this the port is reserved but answers with a reset."""
        self._server = await asyncio.start_server(self._meet, sock=self._listener)

    def exchange(self, service: Service, tls: ssl.SSLContext | None) -> None:
        """Let another service answer from the next connection on."""
        self._service = service
        self._tls = tls

    async def close(self) -> None:
        """Stop listening and end the conversations."""
        if self._server is not None:
            self._server.close()
        self._listener.close()
        for task in tuple(self._talks):
            task.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    def _meet(self, reader: StreamReader, writer: StreamWriter) -> None:
        if len(self._talks) >= CONNECTIONS_PER_DOOR:
            writer.transport.abort()
            return
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        service = self._service
        stream = PlainStream(reader, writer)
        try:
            async with asyncio.timeout(SESSION_S):
                await converse(
                    service, TlsStream(stream, self._tls, service.plain_answer) if self._tls is not None else stream
                )
        except (OSError, TimeoutError):
            # The peer's affair: it left or stalled. What it did not read is dropped. Or the service cuts it off.
            _cut(writer)
        finally:
            writer.close()


def _cut(writer: StreamWriter) -> None:
    """End a connection with a reset: no lingering, nothing more is sent."""
    with contextlib.suppress(OSError):  # closed already
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def converse(service: Service, stream: Stream) -> None:
    """Hold one conversation to its end and send its last words.

    Raises:
        OSError: the connection broke.
    """
    conversation = Conversation(stream)
    try:
        await service.talk(conversation)
    except HangupError:
        pass
    finally:
        await conversation.flush()


def bind_anyway(own: socket.socket) -> None:
    """Let a socket have an IPv6 address that only a route of type local makes ours, as IPv4 sockets may anyhow."""
    if own.family == socket.AF_INET6:
        own.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)


def reserve(address: IPv4Address | IPv6Address, port: int) -> socket.socket:
    """Bind a port without listening, so that nobody else takes it before its time.

    Raises:
        OSError: it is taken, or needs a privilege.
    """
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bind_anyway(listener)
        listener.bind((str(address), port))
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener
