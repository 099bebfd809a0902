from __future__ import annotations

import itertools
import struct
import zlib
from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.report.hilbert import PALETTE, Box, box_of, draw_png, place_of

BLOCK = IPv4Network("10.20.0.0/16")


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_place_of_when_walking_the_curve_then_every_cell_is_visited_once_by_single_steps(order: int) -> None:
    places = [place_of(order, distance) for distance in range(4**order)]
    assert len(set(places)) == 4**order
    steps = {abs(a - c) + abs(b - d) for (a, b), (c, d) in itertools.pairwise(places)}
    assert steps == {1}


@given(st.integers(16, 32), st.integers(0, 2**16 - 1))
def test_box_of_when_prefix_is_inside_then_the_box_holds_exactly_its_cells(length: int, offset: int) -> None:
    prefix = IPv4Network((int(BLOCK.network_address) + offset, length), strict=False)
    box = box_of(8, BLOCK, prefix)
    first = int(prefix.network_address) - int(BLOCK.network_address)
    last = first + prefix.num_addresses - 1
    assert box.width * box.height == prefix.num_addresses
    assert all(box.holds(*place_of(8, distance)) for distance in (first, (first + last) // 2, last))


def test_box_of_when_prefix_is_outside_then_it_is_refused() -> None:
    with pytest.raises(ValueError, match=r"192.0.2.0/24 is not inside 10.20.0.0/16"):
        box_of(8, BLOCK, IPv4Network("192.0.2.0/24"))


def test_box_holds_when_cell_is_beside_it_then_false() -> None:
    assert not Box(0, 0, 2, 2).holds(2, 0)


def test_draw_png_when_one_cell_is_painted_then_the_pixel_has_the_tone() -> None:
    png = draw_png(4, [(1, "critical")])
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks = dict(_chunks(png))
    assert struct.unpack(">IIBB", chunks[b"IHDR"][:10]) == (16, 16, 8, 3)
    rows = zlib.decompress(chunks[b"IDAT"])
    x, y = place_of(4, 1)
    index = rows[y * 17 + 1 + x]
    assert tuple(chunks[b"PLTE"][index * 3 : index * 3 + 3]) == PALETTE["critical"][:3]
    assert sum(rows) == index
    assert chunks[b"tRNS"][0] == 0


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    found, place = [], 8
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        body = png[place + 8 : place + 8 + length]
        (check,) = struct.unpack(">I", png[place + 8 + length : place + 12 + length])
        assert check == zlib.crc32(kind + body)
        found.append((kind, body))
        place += 12 + length
    return found
