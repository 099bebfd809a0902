"""Bytes that pass between a client and a server in, the packets they might have travelled in out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

from sentinel.drill.recording.mining import Conversation, Script, Serve
from sentinel.drill.recording.pcap import PcapWriter

_LISTEN = "127.0.0.1"
_SEGMENT_BYTES = 1448
_FIRST_CLIENT_PORT = 40_000
_FIN, _SYN, _PUSH, _ACK = 1, 2, 8, 16


class PacketMaker:
    """Makes the IPv4 and TCP headers of one connection, with checksums; side 0 is the client."""

    def __init__(self, writer: PcapWriter, conversation: Conversation) -> None:
        self._writer = writer
        held = conversation
        self._addresses = socket.inet_aton(held.client), socket.inet_aton(held.server)
        self._ports = held.client_port, held.server_port
        self._next = [1_000_000, 2_000_000]

    def open(self) -> None:
        """Write the three packets that open a connection."""
        self._write(0, _SYN, b"")
        self._write(1, _SYN | _ACK, b"")
        self._write(0, _ACK, b"")

    def send(self, side: int, data: bytes) -> None:
        """Write data in segments, each with its acknowledgement."""
        for at in range(0, len(data), _SEGMENT_BYTES):
            self._write(side, _PUSH | _ACK, data[at : at + _SEGMENT_BYTES])
            self._write(1 - side, _ACK, b"")

    def close(self, side: int) -> None:
        """Write the end of one direction."""
        self._write(side, _FIN | _ACK, b"")
        self._write(1 - side, _ACK, b"")

    def _write(self, side: int, flags: int, data: bytes) -> None:
        acknowledged = self._next[1 - side] if flags & _ACK else 0
        ports = self._ports[side], self._ports[1 - side]
        addresses = self._addresses[side] + self._addresses[1 - side]
        head = struct.pack("!HHIIBBHHH", *ports, self._next[side], acknowledged, 0x50, flags, 64_240, 0, 0)
        pseudo = addresses + struct.pack("!HH", 6, len(head) + len(data))
        tcp = head[:16] + struct.pack("!H", _checksum(pseudo + head + data)) + head[18:] + data
        ip = (
            struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), self._writer.packets & 0xFFFF, 0x4000, 64, 6, 0)
            + addresses
        )
        self._writer.write(ip[:10] + struct.pack("!H", _checksum(ip)) + ip[12:] + tcp)
        self._next[side] += len(data) + (1 if flags & (_SYN | _FIN) else 0)


def _checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class RelayVenue:
    """Holds conversations on loopback through a relay each, and records them under addresses of the exercise."""

    def __init__(self, writer: PcapWriter, prefix: str) -> None:
        self._writer = writer
        self._prefix = prefix
        self._ports: dict[int, int] = {}
        self._relays: list[asyncio.Server] = []
        self._passing: set[asyncio.Task[None]] = set()

    @property
    def packets(self) -> int:
        """Packets written."""
        return self._writer.packets

    async def listen(self, number: int, _: Script, serve: Serve) -> asyncio.Server:
        """Start the server of conversation `number` on a free port."""
        server = await asyncio.start_server(serve, _LISTEN, 0)
        self._ports[number] = server.sockets[0].getsockname()[1]
        return server

    async def connect(
        self, number: int, script: Script
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, Conversation]:
        """Connect the client through a relay of its own."""
        conversation = Conversation(
            script.name,
            script.family,
            f"{self._prefix}.1.{number}",
            _FIRST_CLIENT_PORT + number,
            f"{self._prefix}.2.{number}",
            script.port,
        )
        maker = PacketMaker(self._writer, conversation)

        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._relay(reader, writer, self._ports[number], maker)

        server = await asyncio.start_server(relay, _LISTEN, 0)
        self._relays.append(server)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection(_LISTEN, port)
        return reader, writer, conversation

    async def close(self) -> None:
        """Wait for what is still passed on, and close the relays."""
        if self._passing:
            await asyncio.wait(self._passing, timeout=2.0)
        for server in self._relays:
            server.close()

    async def _relay(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, maker: PacketMaker
    ) -> None:
        maker.open()
        far_reader, far_writer = await asyncio.open_connection(_LISTEN, port)
        ways = [
            asyncio.create_task(_pass_on(0, reader, far_writer, maker)),
            asyncio.create_task(_pass_on(1, far_reader, writer, maker)),
        ]
        self._passing.update(ways)
        await asyncio.wait(ways)
        for end in (writer, far_writer):
            end.close()


async def _pass_on(side: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, maker: PacketMaker) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            maker.send(side, data)
            writer.write(data)
            await writer.drain()
        maker.close(side)
        if writer.can_write_eof():
            writer.write_eof()
