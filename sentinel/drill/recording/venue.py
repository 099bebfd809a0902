"""A plan of conversations in, the same conversations held over real sockets out."""

from __future__ import annotations

import asyncio
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from sentinel.drill.recording.datagram import Asking, open_answering, open_asking
from sentinel.drill.recording.script import Answer, Conversation, Datagrams, Planned, Script, Serve
from sentinel.drill.recording.trust import Trust

SESSION_TIMEOUT_S = 11.0
LONGEST_LINE = 65_536


class Venue(Protocol):
    """Where conversations are held: how a server is opened, and how a client reaches it."""

    async def open_stream(self, planned: Planned, script: Script, serve: Serve, /) -> None:
        """Open the server of a conversation over TCP."""
        ...

    async def open_datagrams(self, planned: Planned, answer: Answer, /) -> None:
        """Open the server of a conversation over UDP."""
        ...

    async def connect(self, planned: Planned, script: Script, /) -> tuple[StreamReader, StreamWriter]:
        """Connect a client to its server."""
        ...

    async def ask(self, planned: Planned, /) -> tuple[asyncio.DatagramTransport, Asking]:
        """Open a client that asks its server."""
        ...

    async def close(self) -> None:
        """Wait for what is under way and close all servers."""
        ...


class DirectVenue:
    """Every party at its own address and port, which must belong to this machine."""

    def __init__(self) -> None:
        self._trust = Trust()
        self._open: list[asyncio.Server | asyncio.DatagramTransport] = []

    async def open_stream(self, planned: Planned, script: Script, serve: Serve) -> None:
        """Open the server of a conversation over TCP."""
        host, port = planned.endpoint
        tls = self._trust.server(script.domain)
        self._open.append(await asyncio.start_server(serve, host, port, limit=LONGEST_LINE, ssl=tls))

    async def open_datagrams(self, planned: Planned, answer: Answer) -> None:
        """Open the server of a conversation over UDP."""
        self._open.append(await open_answering(answer, planned.endpoint))

    async def connect(self, planned: Planned, script: Script) -> tuple[StreamReader, StreamWriter]:
        """Connect a client to its server."""
        host, port = planned.endpoint
        return await asyncio.open_connection(
            host,
            port,
            local_addr=_own(planned),
            limit=LONGEST_LINE,
            ssl=self._trust.client(script.domain),
            server_hostname=script.domain or None,
        )

    async def ask(self, planned: Planned) -> tuple[asyncio.DatagramTransport, Asking]:
        """Open a client that asks its server."""
        return await open_asking(planned.endpoint, _own(planned), lambda _side, _data: None)

    async def close(self) -> None:
        """Close all servers."""
        for one in self._open:
            one.close()


def _own(planned: Planned) -> tuple[str, int]:
    return str(planned.client), planned.client_port


async def hold_session(venue: Venue, plan: Sequence[Planned]) -> tuple[Conversation, ...]:
    """Hold all conversations, each from its time on, and give them in the order of the plan.

    Raises:
        TimeoutError: they did not end within SESSION_TIMEOUT_S.
        OSError: an address or port cannot be used, or a peer hung up.
    """
    serving: set[asyncio.Task[None]] = set()
    tasks: list[asyncio.Task[Conversation]] = []
    try:
        async with asyncio.timeout(SESSION_TIMEOUT_S):
            await _open_servers(venue, plan, serving)
            tasks = [asyncio.create_task(_hold(venue, planned)) for planned in plan]
            held = await asyncio.gather(*tasks)
            while serving:
                await asyncio.wait(serving)
    finally:
        for task in (*tasks, *serving):
            task.cancel()
        await asyncio.gather(*tasks, *serving, return_exceptions=True)
        await venue.close()
    return tuple(held)


async def _open_servers(venue: Venue, plan: Sequence[Planned], serving: set[asyncio.Task[None]]) -> None:
    """Open each server once, however many of its clients the plan has."""
    opened = set()
    for planned in plan:
        script = planned.script
        if (script.proto, planned.endpoint) in opened:
            continue
        opened.add((script.proto, planned.endpoint))
        if isinstance(script, Datagrams):
            await venue.open_datagrams(planned, script.answer)
        else:
            await venue.open_stream(planned, script, _counted(script.serve, serving))


def _counted(serve: Serve, serving: set[asyncio.Task[None]]) -> Serve:
    """Let a server's part be waited for, and close its end when it is done."""

    async def serve_counted(reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            serving.add(task)
            task.add_done_callback(serving.discard)
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    return serve_counted


async def _hold(venue: Venue, planned: Planned) -> Conversation:
    """Hold one conversation in its time, and give it with the time it took."""
    await asyncio.sleep(planned.start_s)
    started = time.time()
    await _talk(venue, planned)
    return replace(planned.conversation, started=started, ended=time.time())


async def _talk(venue: Venue, planned: Planned) -> None:
    script = planned.script
    if isinstance(script, Datagrams):
        transport, asking = await venue.ask(planned)
        try:
            await script.call(asking.ask)
        finally:
            transport.close()
        return
    reader, writer = await venue.connect(planned, script)
    try:
        await script.call(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()
