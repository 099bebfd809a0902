"""A service and a path in; status, headers and the beginning of the body of what it answers out.

Source: RFC 9112 sections 2 to 7.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sentinel.collect.dialer import Dialer, Line, NoAnswerError
from sentinel.collect.look import ProbeTarget
from sentinel.model.scope import Level

MAX_BODY = 128 * 1024
_MAX_HEAD = 32 * 1024
_WHOLE_S = 30.0
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: |\r?$)", re.MULTILINE)
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})[^\r\n]*\r?\n")


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a web service answered.

    Attributes:
        status: e.g. 200.
        headers: by lower-case name; of a repeated one the first.
        body: its beginning, out of its chunks.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """Read the body as JSON; None when it is none, or was cut off."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@asynccontextmanager
async def open_line(target: ProbeTarget, dialer: Dialer, level: Level, port: int | None = None) -> AsyncIterator[Line]:
    """Open a connection to a service, inside TLS where the map says so; `port` is another one of the same host.

    Certificates are not checked: who answers is what a look tells, not whom it trusts.

    Raises:
        ScopeError: the permit does not hold it.
        NoAnswerError: it cannot be opened.
    """
    async with dialer.open(target.address, port or target.port, level) as line:
        if target.is_tls and port is None:
            await line.secure(target.name)
        yield line


async def http_get(target: ProbeTarget, dialer: Dialer, path: str, level: Level) -> HttpAnswer:
    """Get one path; nothing is followed, at most `MAX_BODY` bytes of a body are read.

    Raises:
        ScopeError: the permit does not hold the target.
        NoAnswerError: it cannot be opened or does not speak HTTP.
    """
    return await http_ask(target, dialer, f"GET {path} HTTP/1.1", level)


async def http_ask(target: ProbeTarget, dialer: Dialer, first: str, level: Level, body: bytes = b"") -> HttpAnswer:
    """Send one request whose first line is given; with a body it is said to be JSON.

    Raises:
        ScopeError: the permit does not hold the target.
        NoAnswerError: it cannot be opened or does not speak HTTP.
    """
    lines = [first, f"Host: {_host(target)}", "User-Agent: sentinel", "Accept: */*", "Connection: close"]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    async with open_line(target, dialer, level) as line:
        line.end_in(_WHOLE_S)
        await line.send("\r\n".join([*lines, "", ""]).encode("ascii", "replace") + body)
        data = await line.read_until(b"\r\n\r\n", _MAX_HEAD)
        found = _STATUS.match(data)
        if not found:
            raise NoAnswerError("it does not answer as a web service does")
        head, _, rest = data.partition(b"\r\n\r\n")
        headers = _read_headers(head)
        return HttpAnswer(int(found[1]), headers, await _read_body(line, headers, rest))


def _host(target: ProbeTarget) -> str:
    host = target.name or (f"[{target.address}]" if target.address.version == 6 else str(target.address))
    return f"{host}:{target.port}"


def _read_headers(head: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in head.split(b"\r\n")[1:101]:
        name, colon, value = row.decode("latin-1").partition(":")
        if colon:
            found.setdefault(name.strip().lower()[:100], value.strip()[:1000])
    return found


async def _read_body(line: Line, headers: Mapping[str, str], data: bytes) -> bytes:
    """Read to the length that was told, the last chunk or the end; what stops in between is kept as far as it came."""
    told = headers.get("content-length", "")
    is_chunked = "chunked" in headers.get("transfer-encoding", "").lower()
    wanted = min(int(told), MAX_BODY) if told.isdecimal() and len(told) < 12 and not is_chunked else MAX_BODY
    while len(data) < wanted and not (is_chunked and data.endswith(b"0\r\n\r\n")):
        try:
            more = await line.read(wanted - len(data))
        except NoAnswerError:
            break
        if not more:
            break
        data += more
    return _join_chunks(data) if is_chunked else data[:wanted]


def _join_chunks(data: bytes) -> bytes:
    joined, place = b"", 0
    while found := _CHUNK.match(data, place):
        size = int(found[1], 16)
        if not size:
            break
        joined += data[found.end() : found.end() + size]
        place = found.end() + size + 2
    return joined[:MAX_BODY]
