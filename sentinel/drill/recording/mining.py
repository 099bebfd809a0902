"""A venue in, real conversations of miners and pools over TCP out, and ordinary ones that only look alike.

Every wallet, worker and hash is made up for exercises; no work is computed and nothing leaves this machine.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

SESSION_TIMEOUT_S = 6.0
_PAUSE_S = 0.03
_LONGEST_LINE = 65_536

XMR_WALLET = "4" + ("Exercise" * 12)[:94]
ETH_WALLET = "0x" + "e5e5" * 10
WORKER = "exercise.worker1"
PASSWORD = "exercise-only"  # noqa: S105  # made up, and meant to be masked by whoever reports it
AGENT = "exercise-miner/1.0"

_Json = dict[str, object]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Script:
    """One conversation.

    Attributes:
        name: e.g. `xmrig` or `electrum`.
        family: mining family it speaks; empty for an ordinary conversation.
        port: port the server would listen on.
        serve: the server's part.
        call: the client's part.
    """

    name: str
    family: str
    port: int
    serve: Serve
    call: Serve


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation that was held.

    Attributes:
        name: name of its script.
        family: mining family; empty for an ordinary conversation.
        client: address of the client (the miner's side).
        client_port: its port.
        server: address of the server.
        server_port: its port.
    """

    name: str
    family: str
    client: str
    client_port: int
    server: str
    server_port: int


class Venue(Protocol):
    """Where conversations are held: addresses, and how a client reaches a server."""

    async def listen(self, number: int, script: Script, serve: Serve, /) -> asyncio.Server:
        """Start the server of conversation `number`."""
        ...

    async def connect(
        self, number: int, script: Script
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, Conversation]:
        """Connect the client of conversation `number` to its server."""
        ...


class LoopbackVenue:
    """Each conversation between two own addresses of this machine, as `prefix`.1.N and `prefix`.2.N.

    With `fixed_ports` the servers take the ports of their scripts, else any free one.
    """

    def __init__(self, prefix: str = "127.77", *, fixed_ports: bool = False) -> None:
        self._prefix = prefix
        self._fixed_ports = fixed_ports
        self._ports: dict[int, int] = {}

    async def listen(self, number: int, script: Script, serve: Serve) -> asyncio.Server:
        """Start the server of conversation `number`."""
        port = script.port if self._fixed_ports else 0
        server = await asyncio.start_server(serve, self._server(number), port, limit=_LONGEST_LINE)
        self._ports[number] = server.sockets[0].getsockname()[1]
        return server

    async def connect(
        self, number: int, script: Script
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, Conversation]:
        """Connect the client of conversation `number` to its server."""
        client, server, port = f"{self._prefix}.1.{number}", self._server(number), self._ports[number]
        reader, writer = await asyncio.open_connection(server, port, local_addr=(client, 0), limit=_LONGEST_LINE)
        client_port = writer.get_extra_info("sockname")[1]
        return reader, writer, Conversation(script.name, script.family, client, client_port, server, port)

    def _server(self, number: int) -> str:
        return f"{self._prefix}.2.{number}"


async def hold_session(venue: Venue, scripts: Sequence[Script] | None = None) -> tuple[Conversation, ...]:
    """Hold all conversations at once and give them in the order of the scripts.

    Raises:
        TimeoutError: they did not end within SESSION_TIMEOUT_S.
        OSError: an address or port cannot be used, or a peer hung up.
    """
    chosen = SCRIPTS if scripts is None else scripts
    tasks = [asyncio.create_task(_hold(venue, number, script)) for number, script in enumerate(chosen, start=1)]
    try:
        async with asyncio.timeout(SESSION_TIMEOUT_S):
            return tuple(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _hold(venue: Venue, number: int, script: Script) -> Conversation:
    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script.serve(reader, writer)
        finally:
            writer.close()
            served.set()

    server = await venue.listen(number, script, serve)
    async with server:
        reader, writer, conversation = await venue.connect(number, script)
        try:
            await script.call(reader, writer)
        finally:
            writer.close()
            await writer.wait_closed()
        await served.wait()
    return conversation


async def _send(writer: asyncio.StreamWriter, value: _Json) -> None:
    """Send one line of JSON, and pause so that lines travel in packets of their own."""
    writer.write(json.dumps(value).encode() + b"\n")
    await writer.drain()
    await asyncio.sleep(_PAUSE_S)


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    line = await reader.readline()
    if not line:
        raise ConnectionResetError("the other side hung up within the conversation")
    return line


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *requests: tuple[_Json, int]) -> None:
    """Send each request and wait for the number of lines that stands beside it."""
    for request, lines in requests:
        await _send(writer, request)
        for _ in range(lines):
            await _read_line(reader)


async def _serve_lines(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: dict[str, tuple[_Json, ...]]
) -> None:
    """Answer each request by its method until the client hangs up; results take over its id, calls go as they are."""
    while line := await reader.readline():
        request = json.loads(line)
        for answer in answers[request["method"]]:
            await _send(writer, {"id": request["id"], **answer} if "result" in answer else answer)


_NOTIFY: _Json = {
    "id": None,
    "method": "mining.notify",
    "params": ["job1", "5e" * 32, "01" * 58, "02" * 50, ["ab" * 32], "20000000", "1703a30c", "65000000", True],
}
_DONE: _Json = {"jsonrpc": "2.0", "error": None, "result": True}


async def _stratum_pool(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    granted: _Json = {
        "result": [[["mining.set_difficulty", "d1"], ["mining.notify", "n1"]], "08000002", 4],
        "error": None,
    }
    difficulty: _Json = {"id": None, "method": "mining.set_difficulty", "params": [1024]}
    answers: dict[str, tuple[_Json, ...]] = {
        "mining.subscribe": (granted,),
        "mining.authorize": (_DONE, difficulty, _NOTIFY),
        "mining.submit": (_DONE,),
    }
    await _serve_lines(reader, writer, answers)


async def _stratum_miner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    share = [WORKER, "job1", "00000001", "65000001", "b2957c02"]
    await _ask(
        reader,
        writer,
        ({"id": 1, "method": "mining.subscribe", "params": [AGENT]}, 1),
        ({"id": 2, "method": "mining.authorize", "params": [WORKER, PASSWORD]}, 3),
        ({"id": 4, "method": "mining.submit", "params": share}, 1),
    )


async def _ethproxy_pool(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    work: _Json = {"jsonrpc": "2.0", "result": ["0x" + "01" * 32, "0x" + "5e" * 32, "0x00000000" + "ff" * 28]}
    answers: dict[str, tuple[_Json, ...]] = {
        "eth_submitLogin": (_DONE,),
        "eth_getWork": (work,),
        "eth_submitHashrate": (_DONE,),
        "eth_submitWork": (_DONE,),
    }
    await _serve_lines(reader, writer, answers)


async def _ethproxy_miner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    login = [ETH_WALLET, PASSWORD]
    share = ["0x07a05fa4133e5126", "0x" + "01" * 32, "0x" + "44" * 32]
    await _ask(
        reader,
        writer,
        ({"id": 1, "jsonrpc": "2.0", "method": "eth_submitLogin", "params": login, "worker": "exercise"}, 1),
        ({"id": 2, "jsonrpc": "2.0", "method": "eth_getWork", "params": []}, 1),
        ({"id": 3, "jsonrpc": "2.0", "method": "eth_submitHashrate", "params": ["0x1d08a61", "0x" + "77" * 32]}, 1),
        ({"id": 4, "jsonrpc": "2.0", "method": "eth_submitWork", "params": share}, 1),
    )


def _job(number: int) -> _Json:
    return {
        "blob": "1010" + f"{number:02x}" * 74,
        "job_id": f"exercise-{number}",
        "target": "b88d0600",
        "algo": "rx/0",
        "height": 3_000_000 + number,
        "seed_hash": "5e" * 32,
    }


async def _cryptonote_pool(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    answer = {"jsonrpc": "2.0", "error": None}
    answers: dict[str, tuple[_Json, ...]] = {
        "login": ({**answer, "result": {"id": "exercise", "job": _job(1), "status": "OK"}},),
        "submit": (
            {**answer, "result": {"status": "OK"}},
            {"jsonrpc": "2.0", "method": "job", "params": _job(2)},
        ),
        "keepalived": ({**answer, "result": {"status": "KEEPALIVED"}},),
    }
    await _serve_lines(reader, writer, answers)


async def _cryptonote_miner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    login = {"login": XMR_WALLET, "pass": PASSWORD, "agent": AGENT, "algo": ["rx/0", "cn/r"]}
    share = {"id": "exercise", "job_id": "exercise-1", "nonce": "d0030040", "result": "e1" * 32}
    await _ask(
        reader,
        writer,
        ({"id": 1, "jsonrpc": "2.0", "method": "login", "params": login}, 1),
        ({"id": 2, "jsonrpc": "2.0", "method": "submit", "params": share}, 2),
        ({"id": 3, "jsonrpc": "2.0", "method": "keepalived", "params": {"id": "exercise"}}, 1),
    )


async def _read_http(reader: asyncio.StreamReader) -> bytes:
    """Read one HTTP message; gives its body, empty without a Content-Length."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").lower().split("\r\n")
        length = next((int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")), 0)
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError("the other side hung up within the conversation") from error


async def _send_http(writer: asyncio.StreamWriter, start: str, headers: dict[str, str], body: bytes = b"") -> None:
    lines = [start, *(f"{name}: {value}" for name, value in headers.items()), f"Content-Length: {len(body)}", "", ""]
    writer.write("\r\n".join(lines).encode("latin-1") + body)
    await writer.drain()
    await asyncio.sleep(_PAUSE_S)


async def _getwork_pool(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    work = {"data": "00000001" + "5e" * 124, "target": "ff" * 28 + "00" * 4, "hash1": "00" * 64, "midstate": "ab" * 32}
    headers = {"Content-Type": "application/json", "X-Long-Polling": "/longpoll", "X-Roll-NTime": "expire=120"}
    for result in (work, True):
        request = json.loads(await _read_http(reader))
        body = json.dumps({"result": result, "error": None, "id": request["id"]}).encode()
        await _send_http(writer, "HTTP/1.1 200 OK", headers, body)


async def _getwork_miner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    token = base64.b64encode(f"{WORKER}:{PASSWORD}".encode()).decode()
    headers = {
        "Host": "pool.exercise.invalid",
        "Authorization": f"Basic {token}",
        "User-Agent": AGENT,
        "X-Mining-Extensions": "longpoll midstate rollntime submitold",
    }
    for number, params in enumerate(([], ["00000001" + "5e" * 124]), start=1):
        body = json.dumps({"id": number, "method": "getwork", "params": params}).encode()
        await _send_http(writer, "POST / HTTP/1.1", headers, body)
        await _read_http(reader)


async def _page_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _read_http(reader)
    page = b"<!doctype html><title>Exercise</title><p>mining.subscribe is a word on this page.</p>"
    await _send_http(writer, "HTTP/1.1 200 OK", {"Content-Type": "text/html"}, page)


async def _page_reader(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _send_http(writer, "GET /mining.html HTTP/1.1", {"Host": "www.exercise.invalid", "User-Agent": "exercise/1"})
    await _read_http(reader)


async def _electrum_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    answers: dict[str, tuple[_Json, ...]] = {
        "server.version": ({"jsonrpc": "2.0", "result": ["Exercise 1.0", "1.4"]},),
        "blockchain.headers.subscribe": ({"jsonrpc": "2.0", "result": {"height": 1, "hex": "00" * 80}},),
        "blockchain.scripthash.get_balance": ({"jsonrpc": "2.0", "result": {"confirmed": 0, "unconfirmed": 0}},),
    }
    await _serve_lines(reader, writer, answers)


async def _electrum_wallet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _ask(
        reader,
        writer,
        ({"id": 0, "method": "server.version", "params": ["exercise", "1.4"]}, 1),
        ({"id": 1, "method": "blockchain.headers.subscribe", "params": []}, 1),
        ({"id": 2, "method": "blockchain.scripthash.get_balance", "params": ["ab" * 32]}, 1),
    )


async def _ethereum_node(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    request = json.loads(await _read_http(reader))
    body = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": "0x0"}).encode()
    await _send_http(writer, "HTTP/1.1 200 OK", {"Content-Type": "application/json"}, body)


async def _ethereum_wallet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    call = {"jsonrpc": "2.0", "id": 7, "method": "eth_getBalance", "params": [ETH_WALLET, "latest"]}
    await _send_http(writer, "POST / HTTP/1.1", {"Host": "node.exercise.invalid"}, json.dumps(call).encode())
    await _read_http(reader)


async def _mail_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.exercise.invalid ESMTP\r\n")
    while line := await reader.readline():
        writer.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 ok\r\n")
        await writer.drain()


async def _mail_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _read_line(reader)
    for line in (b"EHLO pc.exercise.invalid\r\n", b"NOOP\r\n", b"QUIT\r\n"):
        writer.write(line)
        await writer.drain()
        await _read_line(reader)


SCRIPTS: tuple[Script, ...] = (
    Script("stratum", "stratum", 3333, _stratum_pool, _stratum_miner),
    Script("ethproxy", "ethproxy", 9999, _ethproxy_pool, _ethproxy_miner),
    Script("xmrig", "cryptonote", 14444, _cryptonote_pool, _cryptonote_miner),
    Script("getwork", "getwork", 8332, _getwork_pool, _getwork_miner),
    Script("page", "", 8080, _page_server, _page_reader),
    Script("electrum", "", 50001, _electrum_server, _electrum_wallet),
    Script("ethereum-wallet", "", 8545, _ethereum_node, _ethereum_wallet),
    Script("mail", "", 2525, _mail_server, _mail_client),
)
"""All conversations: those with a family are mining, the others only look alike or are ordinary."""
