"""A server of the practice school: talk within bounds no stranger can break, and what a scanner calls it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from sentinel.drill.servers.certificate import CertificatePlan

# A version scanner keeps quiet for 6 s before its first probe (nmap 7.93, NULL probe): wait longer than that.
IDLE_S = 15.0
# A request once begun must be whole this soon; it also ends requests the protocol answers with silence.
PART_S = 1.0
SESSION_S = 120.0
CHUNK_BYTES = 4096
REQUEST_BYTES = 16 * 1024
SESSION_BYTES = 1024 * 1024


class HangupError(ConnectionError):
    """The conversation is over: the peer left, was too slow, or said too much or nonsense."""


class Stream(Protocol):
    """Bytes in both directions, clear or inside TLS."""

    async def read(self) -> bytes:
        """Return what has come, at most a chunk; empty at the end."""

    async def write(self, data: bytes) -> None:
        """Send everything."""


class Conversation:
    """One connection seen from the server: bounded reads, and answers gathered into one write."""

    __slots__ = ("_answer", "_buffer", "_owed", "_stream", "_taken_bytes")

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._buffer = bytearray()
        self._answer = bytearray()
        self._owed = False
        self._taken_bytes = 0

    def say(self, data: bytes) -> None:
        """Queue an answer; it goes out before the next wait for the peer, or at the end."""
        self._answer += data
        self._owed = False

    async def flush(self) -> None:
        """Send what is queued."""
        if self._answer:
            data = bytes(self._answer)
            self._answer.clear()
            await self._stream.write(data)

    async def chunk(self) -> bytes:
        """Read whatever has come, at least one byte.

        Raises:
            HangupError: nothing came in time.
        """
        if not self._buffer:
            await self._fill()
        return self._take(len(self._buffer))

    async def exactly(self, size_bytes: int) -> bytes:
        """Read exactly so many bytes.

        Raises:
            HangupError: they did not come in time, or are more than a request may have.
        """
        if size_bytes > REQUEST_BYTES:
            raise HangupError("request too long")
        while len(self._buffer) < size_bytes:
            await self._fill()
        return self._take(size_bytes)

    async def until(self, mark: bytes) -> bytes:
        """Read up to and with the mark.

        Raises:
            HangupError: it did not come in time, or not within the length of a request.
        """
        start = 0
        while (place := self._buffer.find(mark, start)) < 0:
            if len(self._buffer) > REQUEST_BYTES:
                raise HangupError("request too long")
            start = max(0, len(self._buffer) - len(mark) + 1)
            await self._fill()
        return self._take(place + len(mark))

    async def line(self) -> bytes:
        """Read a line, without its end.

        Raises:
            HangupError: as `until`.
        """
        return (await self.until(b"\n")).rstrip(b"\r\n")

    def _take(self, size_bytes: int) -> bytes:
        taken = bytes(self._buffer[:size_bytes])
        del self._buffer[:size_bytes]
        return taken

    async def _fill(self) -> None:
        await self.flush()
        try:
            data = await asyncio.wait_for(self._stream.read(), PART_S if self._owed else IDLE_S)
        except TimeoutError:
            raise HangupError("peer too slow") from None
        if not data:
            raise HangupError("peer left")
        self._taken_bytes += len(data)
        if self._taken_bytes > SESSION_BYTES:
            raise HangupError("peer said too much")
        self._owed = True
        self._buffer += data


Talk = Callable[[Conversation], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a version scan makes of a port, in nmap's words; empty where it cannot tell.

    Attributes:
        service: protocol name, e.g. `http`.
        product: e.g. `nginx`.
        version: e.g. `1.22.1`.
    """

    service: str = ""
    product: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """A server with its truth.

    Attributes:
        port: the port it has in the real world.
        talk: the conversation it holds; may raise HangupError.
        seen: what `nmap -sV` makes of it on its own port.
        elsewhere: what it makes of it on any other port; None: the same.
        certificate: the certificate it shows; None: it speaks in clear.
        plain_answer: what it says to clear text where TLS is due; empty: a TLS alert.
        weaknesses: names of the rules that must find something here, on its own port.
        weaknesses_elsewhere: the same on any other port; None: the same rules.
        flaws: weaknesses planted here that no rule names yet, e.g. `smtp.open-relay`.
        proto: transport.
    """

    proto: ClassVar[str] = "tcp"

    port: int
    talk: Talk
    seen: Seen
    elsewhere: Seen | None = None
    certificate: CertificatePlan | None = None
    plain_answer: bytes = b""
    weaknesses: tuple[str, ...] = ()
    weaknesses_elsewhere: tuple[str, ...] | None = None
    flaws: tuple[str, ...] = ()
