"""The Hilbert curve: IPv4 blocks in, squares of a picture out; and the picture itself as PNG bytes.

Neighbouring addresses stay neighbours in the picture, and every prefix is one rectangle.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

SMALLEST_ORDER: Final = 4
"""16 by 16 addresses, a /24."""

LARGEST_ORDER: Final = 8
"""256 by 256 addresses, a /16."""

PALETTE: Final[Mapping[str, tuple[int, int, int, int]]] = {
    "empty": (255, 255, 255, 0),
    "unknown": (150, 160, 170, 255),
    "plain": (63, 119, 176, 255),
    "informational": (63, 119, 176, 255),
    "low": (120, 170, 215, 255),
    "medium": (245, 190, 60, 255),
    "high": (235, 120, 50, 255),
    "critical": (200, 30, 45, 255),
}
"""Colour and opacity by tone, in the order of the palette's indices."""

_INDEX: Final = {tone: index for index, tone in enumerate(PALETTE)}


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of whole cells, the origin at the upper left."""

    x: int
    y: int
    width: int
    height: int

    def holds(self, x: int, y: int) -> bool:
        """Tell whether the cell lies inside."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


def place_of(order: int, distance: int) -> tuple[int, int]:
    """Give column and row of the cell at `distance` along the curve of `order` (2**order cells a side)."""
    x = y = 0
    for level in range(order):
        side = 1 << level
        right = 1 & (distance >> 1)
        down = 1 & (distance ^ right)
        if not down:
            if right:
                x, y = side - 1 - x, side - 1 - y
            x, y = y, x
        x += side * right
        y += side * down
        distance >>= 2
    return x, y


def box_of(order: int, block: IPv4Network, prefix: IPv4Network) -> Box:
    """Give the rectangle of a prefix inside the block that the whole picture shows.

    Raises:
        ValueError: the prefix is not inside the block.
    """
    if not prefix.subnet_of(block):
        raise ValueError(f"{prefix} is not inside {block}")
    first = int(prefix.network_address) - int(block.network_address)
    size = prefix.num_addresses
    side = 1 << ((size.bit_length() - 1) // 2)
    starts = range(first, first + size, side * side)
    corners = [place_of(order, start) for start in starts]
    columns = [x // side * side for x, _ in corners]
    rows = [y // side * side for _, y in corners]
    return Box(min(columns), min(rows), max(columns) - min(columns) + side, max(rows) - min(rows) + side)


def draw_png(order: int, cells: Iterable[tuple[int, str]]) -> bytes:
    """Paint cells, given as (distance along the curve, tone), on a transparent ground; one pixel a cell."""
    side = 1 << order
    rows = [bytearray(side) for _ in range(side)]
    for distance, tone in cells:
        x, y = place_of(order, distance)
        rows[y][x] = _INDEX[tone]
    raw = b"".join(b"\0" + bytes(row) for row in rows)
    colours = b"".join(bytes(colour[:3]) for colour in PALETTE.values())
    opacity = bytes(colour[3] for colour in PALETTE.values())
    header = struct.pack(">IIBBBBB", side, side, 8, 3, 0, 0, 0)
    pieces = (
        (b"IHDR", header),
        (b"PLTE", colours),
        (b"tRNS", opacity),
        (b"IDAT", zlib.compress(raw, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in pieces)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
