"""Bytes of one direction of an HTTP connection in, heads and bodies out, with what follows an upgrade."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_START = re.compile(rb"(?:[A-Z]{3,7} [^\r\n]{0,4096}|HTTP/1\.[01] \d{3}[^\r\n]{0,256})(?:\r?\n|\Z)")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_CHUNK = re.compile(rb"\s*([0-9a-fA-F]{1,8})[^\r\n]{0,128}\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_MOST_HEADERS = 100
_MOST_MESSAGES = 64


@dataclass(frozen=True, slots=True)
class HttpMessage:
    """A request or response.

    Attributes:
        start: request line or status line.
        headers: by lower-case name; of repeated ones the last.
        body: as far as it was captured, chunks joined.
        tunnel: bytes that are no HTTP any more: after CONNECT, after an upgrade.
    """

    start: str
    headers: dict[str, str]
    body: bytes = b""
    tunnel: bytes = b""

    @property
    def is_request(self) -> bool:
        """True for a request, False for a response."""
        return not self.start.startswith("HTTP/")

    @property
    def is_websocket(self) -> bool:
        """True where WebSocket frames follow."""
        return self.headers.get("upgrade", "").lower() == "websocket"

    @property
    def target(self) -> str:
        """Host that is asked for: by CONNECT, an absolute request line or the Host header; empty for none."""
        if not self.is_request:
            return ""
        method, _, rest = self.start.partition(" ")
        place = rest.split(" ", 1)[0]
        if method != "CONNECT":
            place = place.split("/", 3)[2] if place.lower().startswith("http://") else self.headers.get("host", "")
        return place.rsplit("@", 1)[-1].split(":", 1)[0].strip().lower()


def is_http(data: bytes) -> bool:
    """Tell whether `data` begins with a request line or a status line."""
    match = _START.match(data)
    return match is not None and (data.startswith(b"HTTP/") or b" HTTP/1." in match[0])


def read_http(data: bytes) -> Iterator[HttpMessage]:
    """Yield the messages of one direction in order; the last may be cut anywhere."""
    at = 0
    for _ in range(_MOST_MESSAGES):
        if not is_http(data[at : at + 4400]):
            return
        end = _HEAD_END.search(data, at)
        head = data[at : end.start() if end else len(data)].decode("latin-1")
        message = HttpMessage(*_split_head(head))
        if end is None:
            yield message
            return
        at = end.end()
        if message.start.startswith("CONNECT ") or message.is_websocket:
            yield HttpMessage(message.start, message.headers, tunnel=data[at:])
            return
        body, at = _read_body(data, at, message)
        yield HttpMessage(message.start, message.headers, body)


def _split_head(head: str) -> tuple[str, dict[str, str]]:
    lines = head.split("\n", _MOST_HEADERS)
    headers = {}
    for line in lines[1:_MOST_HEADERS]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return lines[0].strip(), headers


def _read_body(data: bytes, at: int, message: HttpMessage) -> tuple[bytes, int]:
    """Give the body and where the next message may begin."""
    if "chunked" in message.headers.get("transfer-encoding", "").lower():
        return _join_chunks(data, at)
    length = message.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and len(length) < 12:
        end = at + int(length)
        return data[at:end], end
    if message.is_request:
        return (b"", at) if is_http(data[at : at + 4400]) else (data[at:], len(data))
    return data[at:], len(data)


def _join_chunks(data: bytes, at: int) -> tuple[bytes, int]:
    body = bytearray()
    while size := _CHUNK.match(data, at):
        length = int(size[1], 16)
        at = size.end()
        if not length:
            end = _LINE_END.match(data, at)
            return bytes(body), end.end() if end else at
        body += data[at : at + length]
        at += length
    return bytes(body), at
