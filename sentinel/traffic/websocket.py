"""Bytes of one direction of a WebSocket in, whole messages out, unmasked and inflated."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import cycle

_MOST_FRAMES = 128
_MOST_INFLATED = 65_536
_TEXT_OR_BINARY = frozenset({1, 2})
_CONTINUED = 0


def read_websocket(data: bytes) -> Iterator[bytes]:
    """Yield the content of text and binary messages in order; the last may be cut.

    Source: RFC 6455 section 5, RFC 7692 (permessage-deflate with context takeover).
    """
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    message = bytearray()
    compressed = False
    for first, content in _frames(data):
        opcode = first & 0x0F
        if opcode in _TEXT_OR_BINARY:
            message = bytearray(content)
            compressed = bool(first & 0x40)
        elif opcode == _CONTINUED:
            message += content
        else:
            continue
        if not first & 0x80:
            continue
        if compressed:
            try:
                yield inflate.decompress(bytes(message) + b"\0\0\xff\xff", _MOST_INFLATED)
            except zlib.error:
                return
        else:
            yield bytes(message)


def _frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield first byte and unmasked content of each frame; reserved bits or opcodes end it: that is no WebSocket."""
    at = 0
    for _ in range(_MOST_FRAMES):
        if at + 2 > len(data):
            return
        first, second = data[at], data[at + 1]
        if first & 0x30 or (first & 0x0F) not in (0, 1, 2, 8, 9, 10):
            return
        length, at = second & 0x7F, at + 2
        if length >= 126:
            size = 2 if length == 126 else 8
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        mask = b""
        if second & 0x80:
            mask, at = data[at : at + 4], at + 4
            if len(mask) < 4:
                return
        content = data[at : at + length]
        at += length
        yield first, bytes(a ^ b for a, b in zip(content, cycle(mask), strict=False)) if mask else content
