"""A place and a path in, one bounded HTTP/1.1 answer out, read strictly and kept as far as it could be read.

Source: RFC 9110, RFC 9112.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from sentinel.collect.dialer import Dialer, Line, NoAnswerError
from sentinel.model.scope import Level
from sentinel.model.unit import IPAddress

MAX_HEAD = 32 * 1024
MAX_BODY = 384 * 1024
"""Bytes of a body that are read, and of what it unpacks to."""

PAGE_S = 25.0
"""The longest one answer may take from the first byte of the request on."""

_AGENT = "Mozilla/5.0 (compatible; sentinel self-check of the site's own school)"
_MAX_HEADERS = 100
_MAX_INTERIM = 3
_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r?(?:\n|$)")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,80}")
_CHUNK = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\n]*)?\r?\n")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page is asked for.

    Attributes:
        address: whom.
        port: where.
        is_tls: inside TLS.
        host: name it is asked by, or the address as text.
    """

    address: IPAddress
    port: int
    is_tls: bool
    host: str

    @property
    def authority(self) -> str:
        """Give what stands in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        status: its number.
        headers: names in lower case, in order.
        body: unpacked, cut at the limit.
        whole: all of the body came and could be unpacked.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool

    def header(self, name: str) -> str:
        """Give the first header of a name; empty when there is none."""
        return next((value for one, value in self.headers if one == name), "")

    def all(self, name: str) -> list[str]:
        """Give every header of a name."""
        return [value for one, value in self.headers if one == name]


async def fetch(dialer: Dialer, place: Place, path: str, level: Level, most: int = MAX_BODY) -> Answer:
    """Ask for one page over a connection of its own; at most `most` bytes of its body are read.

    Raises:
        ScopeError: the permit does not hold the address, the level or the moment.
        NoAnswerError: no web server answers, or not in time; a body that breaks off is none of this.
    """
    async with dialer.open(place.address, place.port, level) as line:
        line.end_in(PAGE_S)
        if place.is_tls:
            await line.secure("" if place.host == str(place.address) else place.host)
        await line.send(_request(place, path))
        source = _Source(line)
        for _ in range(_MAX_INTERIM):
            status, headers = _read_head(await source.head())
            if status >= 200:
                break
        else:
            raise NoAnswerError("it answers with nothing but interim answers")
        raw, whole = await _read_body(source, status, headers, most)
    coding = ",".join(value for name, value in headers if name == "content-encoding").strip().lower()
    body, unpacked = _unpack(raw, coding, most)
    return Answer(status, headers, body, whole and unpacked)


def _request(place: Place, path: str) -> bytes:
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {place.authority}",
        f"User-Agent: {_AGENT}",
        "Accept: text/html,application/xhtml+xml,*/*;q=0.8",
        "Accept-Language: zh-CN,zh;q=0.9,en;q=0.5",
        "Accept-Encoding: gzip, deflate",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii", "ignore")


class _Source:
    """The bytes of a line, some of which were read too far."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._rest = b""

    async def head(self) -> bytes:
        """Read up to the empty line."""
        data = self._rest
        while not (found := _END.search(data)):
            if len(data) > MAX_HEAD:
                raise NoAnswerError("its headers have no end")
            if not b"HTTP/1.".startswith(data[:7]):
                raise NoAnswerError("it does not answer as a web server does")
            more = await self._line.read(8192)
            if not more:
                raise NoAnswerError("the connection ended before an answer did")
            data += more
        self._rest = data[found.end() :]
        return data[: found.start()]

    async def some(self) -> bytes:
        """Give what comes next; empty at the end."""
        if self._rest:
            data, self._rest = self._rest, b""
            return data
        return await self._line.read()

    async def until_line_end(self) -> bytes:
        """Read one short line with its end.

        Raises:
            NoAnswerError: it is none.
        """
        data = b""
        while b"\n" not in data:
            more = await self.some()
            data += more
            if not more or (len(data) > 4096 and b"\n" not in data[:4096]):
                raise NoAnswerError("a chunk without its size")
        end = data.index(b"\n") + 1
        self._rest = data[end:]
        return data[:end]

    async def give(self, size: int, kept: bytearray, most: int) -> bool:
        """Add so many bytes to what is kept, and nothing beyond `most`; tells whether all of them came and fit."""
        while size:
            data = await self.some()
            if not data:
                return False
            if len(data) > size:
                self._rest = data[size:]
                data = data[:size]
            size -= len(data)
            room = most - len(kept)
            kept += data[:room]
            if len(data) > room or (size and len(kept) >= most):
                return False
        return True


def _read_head(data: bytes) -> tuple[int, tuple[tuple[str, str], ...]]:
    found = _STATUS.match(data)
    if not found:
        raise NoAnswerError("it does not answer as a web server does")
    headers: list[tuple[str, str]] = []
    for line in data[found.end() :].split(b"\n")[:_MAX_HEADERS]:
        name, colon, value = _text(line).partition(":")
        if colon and _TOKEN.fullmatch(name):
            headers.append((name.lower(), value.strip()[:2000]))
    return int(found[1]), tuple(headers)


def _text(line: bytes) -> str:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = line.decode("latin-1")
    return "".join(char if char.isprintable() else " " for char in text).rstrip()


async def _read_body(
    source: _Source, status: int, headers: tuple[tuple[str, str], ...], most: int
) -> tuple[bytes, bool]:
    """Read a body as the headers frame it; what breaks off is kept as far as it came."""
    if status in {204, 304}:
        return b"", True
    kept = bytearray()
    try:
        whole = await _fill(source, dict(reversed(headers)), kept, most)
    except NoAnswerError:
        whole = False
    return bytes(kept), whole


async def _fill(source: _Source, headers: dict[str, str], kept: bytearray, most: int) -> bool:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return await _fill_chunked(source, kept, most)
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and len(length) < 16:
        return await source.give(int(length), kept, most)
    while data := await source.some():
        room = most - len(kept)
        kept += data[:room]
        if len(data) > room:
            return False
    return True


async def _fill_chunked(source: _Source, kept: bytearray, most: int) -> bool:
    while True:
        found = _CHUNK.fullmatch(await source.until_line_end())
        if not found:
            return False
        size = int(found[1], 16)
        if not size:
            return True
        if not await source.give(size, kept, most):
            return False
        if (await source.until_line_end()).strip():
            return False


def _unpack(raw: bytes, coding: str, most: int) -> tuple[bytes, bool]:
    """Unpack a body; never to more than `most` bytes."""
    if coding in {"", "identity"}:
        return raw, True
    if coding not in {"gzip", "x-gzip", "deflate"}:
        return b"", False
    for bits in (47, -15):  # gzip or zlib by their heads; deflate without one, as some send it
        reader = zlib.decompressobj(bits)
        body = b""
        try:
            while not reader.eof and raw and len(body) <= most:
                piece, raw_left = raw[:4096], raw[4096:]
                body += reader.decompress(piece, most + 1 - len(body))
                raw = reader.unconsumed_tail + raw_left if reader.unconsumed_tail else raw_left
        except zlib.error:
            if body or bits < 0:
                return body[:most], False
            continue
        return body[:most], reader.eof and len(body) <= most
    return b"", False
