from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address

import pytest

from sentinel.drill.recording import live
from sentinel.drill.recording.live import hold_live, keep_mining, mine, pool_server

POOL = IPv4Address(f"127.79.{100 + os.getpid() % 100}.3")  # tests may run in several processes at once
MINER = POOL + 1
PORT = 47_033

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SHARE_S", 0.02)
    monkeypatch.setattr(live, "RETRY_S", 0.05)
    monkeypatch.setattr(live, "ANSWER_S", 0.5)


class Tap:
    """A pool that notes who comes and what is said; after `serve` it hangs up."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self.callers: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.callers.append(writer.get_extra_info("peername")[0])
        try:
            await self._serve(reader, writer)
        finally:
            writer.close()


async def cancel(task: asyncio.Task[None]) -> float:
    """End a task; gives the seconds it took."""
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return time.monotonic() - began


async def visit(tap: Tap, until: Callable[[], bool]) -> float:
    """Let the miner mine at a pool until something is so; gives the seconds its end took."""
    async with await asyncio.start_server(tap, str(POOL), PORT):
        task = asyncio.create_task(keep_mining(POOL, PORT, MINER))
        async with asyncio.timeout(10):
            while not until():
                await asyncio.sleep(0.01)
        assert not task.done()
        took = await cancel(task)
        await asyncio.sleep(0.05)
        return took


def test_miner_when_the_pool_serves_submits_shares_from_its_own_address():
    said: list[dict[str, object]] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner = asyncio.StreamReader()

        async def copy() -> None:
            while line := await reader.readline():
                said.append(json.loads(line))
                inner.feed_data(line)
            inner.feed_eof()

        async with asyncio.TaskGroup() as group:
            group.create_task(copy())
            await pool_server(inner, writer)

    tap = Tap(listen)
    assert asyncio.run(visit(tap, lambda: len(said) > 6)) < 1
    assert [one["method"] for one in said[:5]] == ["mining.subscribe", "mining.authorize", *["mining.submit"] * 3]
    assert [one["id"] for one in said] == list(range(1, len(said) + 1))
    assert set(tap.callers) == {str(MINER)}


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


def saying(words: bytes) -> Serve:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        await writer.drain()
        await reader.read()

    return say


@pytest.mark.parametrize(
    "serve",
    [
        hang_up,
        reset,
        saying(b""),
        saying(b"\xff\xfe not json\n"),
        saying(b"[" * 60_000 + b"\n"),
        saying(b"x" * 200_000),
        saying(b'{"id": 7}\n' * 100),
        saying(b"[1]\nnull\n" * 100),
    ],
)
def test_miner_when_the_pool_misbehaves_comes_back_quietly(serve, capfd):
    tap = Tap(serve)
    assert asyncio.run(visit(tap, lambda: len(tap.callers) > 2)) < 1
    assert capfd.readouterr() == ("", "")


def test_miner_when_the_pool_comes_late_and_goes_keeps_trying():
    async def watch() -> int:
        tap = Tap(pool_server)
        task = asyncio.create_task(keep_mining(POOL, PORT, MINER))
        await asyncio.sleep(0.1)
        for visits in (1, 2):
            async with await asyncio.start_server(tap, str(POOL), PORT) as server:
                async with asyncio.timeout(5):
                    while len(tap.callers) < visits:
                        await asyncio.sleep(0.01)
                server.close()
                for one in asyncio.all_tasks() - {task, asyncio.current_task()}:
                    one.cancel()
            await asyncio.sleep(0.1)
        await cancel(task)
        return len(tap.callers)

    assert asyncio.run(watch()) == 2


def test_hold_live_mines_until_cancelled_and_leaves_nothing():
    async def watch() -> float:
        task = asyncio.create_task(hold_live((POOL, PORT), MINER))
        await asyncio.sleep(0.3)
        reader, writer = await asyncio.open_connection(str(POOL), PORT, local_addr=(str(MINER), 0))
        await mine(reader, writer, shares=2, pause_s=0.0, split_s=0.02)  # the pool serves others too
        writer.close()
        assert not task.done()
        return await cancel(task)

    assert asyncio.run(watch()) < 1
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind((str(POOL), PORT))


def test_hold_live_when_the_port_is_taken_raises():
    with socket.create_server((str(POOL), PORT)), pytest.raises(OSError):
        asyncio.run(hold_live((POOL, PORT), MINER))


def test_pool_server_when_the_miner_resets_or_stalls_ends_without_a_word(monkeypatch, capfd):
    monkeypatch.setattr(live, "SESSION_S", 0.2)

    async def come_and_go() -> None:
        ended: list[bool] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await pool_server(reader, writer)
            writer.close()
            ended.append(True)

        async with await asyncio.start_server(serve, str(POOL), PORT):
            for is_cut in (True, False):
                _, writer = await asyncio.open_connection(str(POOL), PORT)
                writer.write(b'{"id": 1, "method": "mining.')
                await writer.drain()
                if is_cut:
                    writer.transport.abort()
            async with asyncio.timeout(5):
                while len(ended) < 2:
                    await asyncio.sleep(0.01)
            writer.close()

    asyncio.run(come_and_go())
    assert capfd.readouterr() == ("", "")
