"""Conversations of miners and pools, one script for each family and each way to hide it.

Every wallet, worker and hash is made up for exercises; no work is computed and nothing leaves this machine.
"""

from __future__ import annotations

import base64
import json
from asyncio import StreamReader, StreamWriter
from functools import partial

from sentinel.drill.recording.live import AGENT, PASSWORD, WORKER, mine, pool_server
from sentinel.drill.recording.script import Script
from sentinel.drill.recording.wire import (
    PAUSE_S,
    Json,
    accept_websocket,
    ask_json,
    open_websocket,
    read_frame,
    read_http,
    send_frame,
    send_http,
    serve_json,
)
from sentinel.model.flow import FlowClass

XMR_WALLET = "4" + ("Exercise" * 12)[:94]
ETH_WALLET = "0x" + "e5e5" * 10
SITE_KEY = "Exercise0Site0Key0000000000000001"

POOL_WITH_LOOKUP, POOL_WITHOUT_LOOKUP = "pool.supportxmr.com", "rvn.2miners.com"
"""Names of rules/feeds/pools.csv, that is of real pools; here they lead to addresses of the exercise alone."""

_LONG_SHARES, _LONG_PAUSE_S = 12, 0.4
_SPLIT_S = 0.1
_DONE: Json = {"jsonrpc": "2.0", "error": None, "result": True}


async def _ethproxy_pool(reader: StreamReader, writer: StreamWriter) -> None:
    work: Json = {"jsonrpc": "2.0", "result": ["0x" + "01" * 32, "0x" + "5e" * 32, "0x00000000" + "ff" * 28]}
    answers: dict[str, tuple[Json, ...]] = {
        "eth_submitLogin": (_DONE,),
        "eth_getWork": (work,),
        "eth_submitHashrate": (_DONE,),
        "eth_submitWork": (_DONE,),
    }
    await serve_json(reader, writer, answers)


async def _ethproxy_miner(reader: StreamReader, writer: StreamWriter) -> None:
    login = [ETH_WALLET, PASSWORD]
    share = ["0x07a05fa4133e5126", "0x" + "01" * 32, "0x" + "44" * 32]
    await ask_json(
        reader,
        writer,
        ({"id": 1, "jsonrpc": "2.0", "method": "eth_submitLogin", "params": login, "worker": "exercise"}, 1),
        ({"id": 2, "jsonrpc": "2.0", "method": "eth_getWork", "params": []}, 1),
        ({"id": 3, "jsonrpc": "2.0", "method": "eth_submitHashrate", "params": ["0x1d08a61", "0x" + "77" * 32]}, 1),
        ({"id": 4, "jsonrpc": "2.0", "method": "eth_submitWork", "params": share}, 1),
    )


def _job(number: int) -> Json:
    return {
        "blob": "1010" + f"{number:02x}" * 74,
        "job_id": f"exercise-{number}",
        "target": "b88d0600",
        "algo": "rx/0",
        "height": 3_000_000 + number,
        "seed_hash": "5e" * 32,
    }


async def _cryptonote_pool(reader: StreamReader, writer: StreamWriter) -> None:
    answer = {"jsonrpc": "2.0", "error": None}
    answers: dict[str, tuple[Json, ...]] = {
        "login": ({**answer, "result": {"id": "exercise", "job": _job(1), "status": "OK"}},),
        "submit": (
            {**answer, "result": {"status": "OK"}},
            {"jsonrpc": "2.0", "method": "job", "params": _job(2)},
        ),
        "keepalived": ({**answer, "result": {"status": "KEEPALIVED"}},),
    }
    await serve_json(reader, writer, answers)


async def _cryptonote_miner(reader: StreamReader, writer: StreamWriter) -> None:
    login = {"login": XMR_WALLET, "pass": PASSWORD, "agent": AGENT, "algo": ["rx/0", "cn/r"]}
    share = {"id": "exercise", "job_id": "exercise-1", "nonce": "d0030040", "result": "e1" * 32}
    await ask_json(
        reader,
        writer,
        ({"id": 1, "jsonrpc": "2.0", "method": "login", "params": login}, 1),
        ({"id": 2, "jsonrpc": "2.0", "method": "submit", "params": share}, 2),
        ({"id": 3, "jsonrpc": "2.0", "method": "keepalived", "params": {"id": "exercise"}}, 1),
    )


async def _ask_http(
    reader: StreamReader, writer: StreamWriter, headers: dict[str, str], *calls: tuple[str, list[object]]
) -> None:
    """Call a node or pool over HTTP, one request for each method and its parameters."""
    token = base64.b64encode(f"{WORKER}:{PASSWORD}".encode()).decode()
    head = {"Host": "pool.exercise.invalid", "Authorization": f"Basic {token}", "User-Agent": AGENT, **headers}
    for number, (method, params) in enumerate(calls, start=1):
        body = json.dumps({"id": number, "method": method, "params": params}).encode()
        await send_http(writer, "POST / HTTP/1.1", head, body)
        await read_http(reader)


async def _serve_http(reader: StreamReader, writer: StreamWriter, headers: dict[str, str], *results: object) -> None:
    """Answer as many calls as there are results, in their order."""
    for result in results:
        request = json.loads(await read_http(reader))
        body = json.dumps({"result": result, "error": None, "id": request["id"]}).encode()
        await send_http(writer, "HTTP/1.1 200 OK", {"Content-Type": "application/json", **headers}, body)


async def _getwork_pool(reader: StreamReader, writer: StreamWriter) -> None:
    work = {"data": "00000001" + "5e" * 124, "target": "ff" * 28 + "00" * 4, "hash1": "00" * 64, "midstate": "ab" * 32}
    await _serve_http(reader, writer, {"X-Long-Polling": "/longpoll", "X-Roll-NTime": "expire=120"}, work, True)


async def _getwork_miner(reader: StreamReader, writer: StreamWriter) -> None:
    extensions = {"X-Mining-Extensions": "longpoll midstate rollntime submitold"}
    await _ask_http(reader, writer, extensions, ("getwork", []), ("getwork", ["00000001" + "5e" * 124]))


async def _template_pool(reader: StreamReader, writer: StreamWriter) -> None:
    template = {
        "version": 536870912,
        "previousblockhash": "00" * 8 + "5e" * 24,
        "transactions": [],
        "coinbasevalue": 312500000,
        "target": "00" * 8 + "ff" * 24,
        "curtime": 1_700_000_000,
        "bits": "1703a30c",
        "height": 800_001,
    }
    await _serve_http(reader, writer, {}, template, None)


async def _template_miner(reader: StreamReader, writer: StreamWriter) -> None:
    wanted: list[object] = [{"capabilities": ["coinbasetxn", "workid"], "rules": ["segwit"]}]
    await _ask_http(reader, writer, {}, ("getblocktemplate", wanted), ("submitblock", ["20000000" + "5e" * 100]))


async def _browser_pool(reader: StreamReader, writer: StreamWriter) -> None:
    await accept_websocket(reader, writer)
    await read_frame(reader)
    await send_frame(writer, {"type": "authed", "params": {"token": "", "hashes": 0}}, masked=False)
    await send_frame(writer, {"type": "job", "params": _job(1)}, masked=False)
    await read_frame(reader)
    await send_frame(writer, {"type": "hash_accepted", "params": {"hashes": 256}}, masked=False)


async def _browser_miner(reader: StreamReader, writer: StreamWriter) -> None:
    await open_websocket(reader, writer, "ws.exercise.invalid", "/proxy")
    login = {"site_key": SITE_KEY, "type": "anonymous", "user": None, "goal": 0}
    await send_frame(writer, {"type": "auth", "params": login}, masked=True)
    for _ in range(2):
        await read_frame(reader)
    share = {"job_id": "exercise-1", "nonce": "d0030040", "result": "e1" * 32}
    await send_frame(writer, {"type": "submit", "params": share}, masked=True)
    await read_frame(reader)


_MINER = partial(mine, shares=3, pause_s=PAUSE_S)
_LONG_MINER = partial(mine, shares=_LONG_SHARES, pause_s=_LONG_PAUSE_S)
_SPLIT_MINER = partial(mine, shares=1, pause_s=PAUSE_S, split_s=_SPLIT_S)

MINING: tuple[Script, ...] = (
    Script("stratum-long", "stratum", 3333, pool_server, _LONG_MINER, expected=FlowClass.MINING),
    Script("stratum-split", "stratum", 443, pool_server, _SPLIT_MINER, expected=FlowClass.MINING),
    Script("ethproxy", "ethproxy", 9999, _ethproxy_pool, _ethproxy_miner, expected=FlowClass.MINING),
    Script("xmrig", "cryptonote", 14444, _cryptonote_pool, _cryptonote_miner, expected=FlowClass.MINING),
    Script("getwork", "getwork", 8332, _getwork_pool, _getwork_miner, expected=FlowClass.MINING),
    Script("getblocktemplate", "getblocktemplate", 9332, _template_pool, _template_miner, expected=FlowClass.MINING),
    Script("browser", "websocket", 8080, _browser_pool, _browser_miner, expected=FlowClass.MINING),
    Script("stratum-tls", "stratum", 9000, pool_server, _MINER, POOL_WITH_LOOKUP, FlowClass.NAME),
    Script("stratum-tls-no-lookup", "stratum", 16060, pool_server, _MINER, POOL_WITHOUT_LOOKUP, FlowClass.NAME),
)
"""All mining. Inside TLS only the pool's name shows, so of those no more than the class `name` can be expected."""
