"""A miner that talks to a pool for as long as it is let: addresses in, a conversation that is always there out."""

from __future__ import annotations

import asyncio
import contextlib
import json
from asyncio import StreamReader, StreamWriter
from ipaddress import IPv4Address, IPv6Address

from sentinel.drill.servers.conversation import SESSION_S
from sentinel.drill.servers.door import Door, PlainStream, converse, reserve
from sentinel.drill.servers.pool import pool

WORKER = "exercise.worker1"
PASSWORD = "exercise-only"  # noqa: S105  # made up, and meant to be masked by whoever reports it
AGENT = "exercise-miner/1.0"

SHARE_S = 2.0
RETRY_S = 2.0
ANSWER_S = 5.0
SHARES_PER_SESSION = 500
_LINES_PER_ANSWER = 32
_LONGEST_LINE = 65_536

_Json = dict[str, object]


async def pool_server(reader: StreamReader, writer: StreamWriter) -> None:
    """Serve one miner as the practice pool does, until it leaves, stalls or has had its time; never raises OSError."""
    with contextlib.suppress(OSError):  # the peer's affair
        async with asyncio.timeout(SESSION_S):
            await converse(pool(0), PlainStream(reader, writer))


async def hold_live(place: tuple[IPv4Address, int], miner: IPv4Address) -> None:
    """Open a pool at `place` and mine there from the address `miner`, until cancelled.

    Raises:
        OSError: the pool's address or port cannot be used.
    """
    address, port = place
    door = Door(reserve(address, port), pool(port), None)
    try:
        await door.open()
        await keep_mining(address, port, miner)
    finally:
        await door.close()


async def keep_mining(address: IPv4Address | IPv6Address, port: int, source: IPv4Address | IPv6Address) -> None:
    """Mine at a pool from the address `source`, a share every SHARE_S, until cancelled.

    A pool that is away, hangs up, stays silent or talks nonsense is asked again after RETRY_S, without a word.
    """
    while True:
        with contextlib.suppress(OSError, ValueError, RecursionError):
            await _mine_there(str(address), port, str(source))
        await asyncio.sleep(RETRY_S)


async def _mine_there(address: str, port: int, source: str) -> None:
    async with asyncio.timeout(ANSWER_S):
        reader, writer = await asyncio.open_connection(address, port, local_addr=(source, 0), limit=_LONGEST_LINE)
    try:
        await mine(reader, writer, shares=SHARES_PER_SESSION, pause_s=SHARE_S)
    finally:
        writer.close()


async def mine(
    reader: StreamReader, writer: StreamWriter, *, shares: int, pause_s: float, split_s: float = 0.0
) -> None:
    """Subscribe, authorise and submit shares, one every `pause_s`.

    With `split_s` the subscription is sent in two parts with so long a pause between, each a TCP segment of its own.

    Raises:
        OSError: the pool hung up, refused or stayed silent for ANSWER_S.
        ValueError: it said something else than lines of JSON.
        RecursionError: its JSON is nested without end.
    """
    subscribe = _line(1, "mining.subscribe", [AGENT])
    if split_s:
        half = subscribe.index(b"subscribe")
        writer.write(subscribe[:half])
        await writer.drain()
        await asyncio.sleep(split_s)
        subscribe = subscribe[half:]
    await _ask(reader, writer, 1, subscribe)
    await _ask(reader, writer, 2, _line(2, "mining.authorize", [WORKER, PASSWORD]))
    for number in range(shares):
        await asyncio.sleep(pause_s)
        share = [WORKER, f"job{number}", f"{number:08x}", "65000001", f"{0xB2957C02 + number & 0xFFFFFFFF:08x}"]
        await _ask(reader, writer, 3 + number, _line(3 + number, "mining.submit", share))


def _line(number: int, method: str, params: list[str]) -> bytes:
    request: _Json = {"id": number, "method": method, "params": params}
    return json.dumps(request).encode() + b"\n"


async def _ask(reader: StreamReader, writer: StreamWriter, number: int, request: bytes) -> None:
    """Send a request and read lines up to its answer; the pool's own calls in between are passed over."""
    async with asyncio.timeout(ANSWER_S):
        writer.write(request)
        await writer.drain()
        for _ in range(_LINES_PER_ANSWER):
            line = await reader.readline()
            if not line:
                raise ConnectionResetError("the pool hung up")
            answer = json.loads(line)
            if isinstance(answer, dict) and answer.get("id") == number:
                return
    raise ConnectionAbortedError("the pool does not answer what it is asked")
