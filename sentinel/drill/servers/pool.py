"""A mining pool of the practice school: it speaks stratum v1, pays nobody and hands out work nobody can do."""

from __future__ import annotations

import json

from sentinel.drill.servers.conversation import Conversation, Seen, Service

_REQUESTS_PER_SESSION = 1000
_DIFFICULTY = 1024
_UNKNOWN = [20, "Other/Unknown", None]

_Json = dict[str, object]


def pool(port: int) -> Service:
    """Build a stratum pool that pushes its running job at once, as some do: by that nmap knows it.

    Source: stratum v1 manual of Slush Pool; nmap 7.93, service `stratum`.
    """
    return Service(port, _talk, Seen("stratum", "Stratum bitcoin mining protocol"), flaws=("mining.pool",))


async def _talk(conversation: Conversation) -> None:
    conversation.say(_line(_job(0)))
    for number in range(1, _REQUESTS_PER_SESSION + 1):
        request = _parse_request(await conversation.line())
        if request is None:
            return
        for answer in _answers(request, number):
            conversation.say(_line(answer))


def _line(value: _Json) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _parse_request(line: bytes) -> _Json | None:
    """Read a request with a method and a plain id; None for what no miner says."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("method"), str):
        return None
    return value if isinstance(value.get("id"), int | str | None) else None


def _answers(request: _Json, number: int) -> tuple[_Json, ...]:
    done: _Json = {"id": request.get("id"), "result": True, "error": None}
    method = request["method"]
    if method == "mining.subscribe":
        granted = [[["mining.set_difficulty", "d1"], ["mining.notify", "n1"]], "08000002", 4]
        return ({**done, "result": granted},)
    if method == "mining.authorize":
        difficulty: _Json = {"id": None, "method": "mining.set_difficulty", "params": [_DIFFICULTY]}
        return done, difficulty, _job(number)
    if method == "mining.submit":
        return done, _job(number)
    if method == "mining.extranonce.subscribe":
        return (done,)
    return ({**done, "result": None, "error": _UNKNOWN},)


def _job(number: int) -> _Json:
    """Write a job: previous block, halves of the coinbase, one branch, version, bits, time, whether to start anew."""
    branch = [f"{number & 0xFF:02x}" * 32]
    params = [
        *(f"job{number}", "5e" * 32, "01" * 58, "02" * 50, branch),
        *("20000000", "1703a30c", f"{0x65000000 + number:08x}", number == 0),
    ]
    return {"id": None, "method": "mining.notify", "params": params}
