"""Bytes that pass between a client and a server in, the packets they might have travelled in out."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter
from functools import partial

from sentinel.drill.recording.datagram import Asking, open_answering, open_asking
from sentinel.drill.recording.packets import PacketMaker
from sentinel.drill.recording.pcap import PcapWriter
from sentinel.drill.recording.script import Answer, Planned, Script, Serve
from sentinel.drill.recording.trust import Trust
from sentinel.drill.recording.venue import LONGEST_LINE

_HERE = "127.0.0.1"
_READ_BYTES = 65_536


class RelayVenue:
    """Holds conversations on loopback, over TCP through a relay each, and records them under planned addresses."""

    def __init__(self, writer: PcapWriter) -> None:
        self._writer = writer
        self._trust = Trust()
        self._places: dict[tuple[str, tuple[str, int]], tuple[str, int]] = {}
        self._open: list[asyncio.Server | asyncio.DatagramTransport] = []
        self._passing: set[asyncio.Task[None]] = set()

    async def open_stream(self, planned: Planned, script: Script, serve: Serve) -> None:
        """Open the server of a conversation over TCP on a free port."""
        tls = self._trust.server(script.domain)
        server = await asyncio.start_server(serve, _HERE, 0, limit=LONGEST_LINE, ssl=tls)
        self._open.append(server)
        self._places[script.proto, planned.endpoint] = server.sockets[0].getsockname()

    async def open_datagrams(self, planned: Planned, answer: Answer) -> None:
        """Open the server of a conversation over UDP on a free port."""
        transport = await open_answering(answer, (_HERE, 0))
        self._open.append(transport)
        self._places[planned.script.proto, planned.endpoint] = transport.get_extra_info("sockname")

    async def connect(self, planned: Planned, script: Script) -> tuple[StreamReader, StreamWriter]:
        """Connect a client to its server through a relay of its own."""
        place = self._places[script.proto, planned.endpoint]
        relay = await asyncio.start_server(partial(self._relay, place, PacketMaker(self._writer, planned)), _HERE, 0)
        self._open.append(relay)
        return await asyncio.open_connection(
            *relay.sockets[0].getsockname(),
            limit=LONGEST_LINE,
            ssl=self._trust.client(script.domain),
            server_hostname=script.domain or None,
        )

    async def ask(self, planned: Planned) -> tuple[asyncio.DatagramTransport, Asking]:
        """Open a client that asks its server; what passes is recorded at the client's end."""
        place = self._places[planned.script.proto, planned.endpoint]
        return await open_asking(place, (_HERE, 0), PacketMaker(self._writer, planned).tell)

    async def close(self) -> None:
        """Wait for what is still passed on, and close all servers and relays."""
        if self._passing:
            await asyncio.wait(self._passing, timeout=2.0)
        for one in self._open:
            one.close()

    async def _relay(
        self, place: tuple[str, int], maker: PacketMaker, reader: StreamReader, writer: StreamWriter
    ) -> None:
        maker.open()
        far_reader, far_writer = await asyncio.open_connection(*place)
        ways = [
            asyncio.create_task(_pass_on(0, reader, far_writer, maker)),
            asyncio.create_task(_pass_on(1, far_reader, writer, maker)),
        ]
        self._passing.update(ways)
        await asyncio.wait(ways)
        for end in (writer, far_writer):
            end.close()


async def _pass_on(side: int, reader: StreamReader, writer: StreamWriter, maker: PacketMaker) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_READ_BYTES):
            maker.send(side, data)
            writer.write(data)
            await writer.drain()
        maker.close(side)
        if writer.can_write_eof():
            writer.write_eof()
