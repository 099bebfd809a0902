"""Sets of row ids: a bitmap in memory, and on disk the gaps and lengths of their stretches, zstd-compressed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import zstandard

_PLAIN = b"\0"
"""Stands before gaps and lengths that compressing would only have made longer; no zstd frame begins so."""


class IdSet:
    """A set of positive ids that costs one bit for each id up to the greatest."""

    __slots__ = ("_bits",)

    def __init__(self, ids: Iterable[int] = ()) -> None:
        self._bits = bytearray()
        self.update(ids)

    def add(self, one: int) -> None:
        """Put an id in."""
        place = one >> 3
        if place >= len(self._bits):
            self._bits.extend(bytes(place + 1 - len(self._bits) + (len(self._bits) >> 3)))
        self._bits[place] |= 1 << (one & 7)

    def update(self, ids: Iterable[int]) -> None:
        """Put ids in."""
        for one in ids:
            self.add(one)

    def join(self, other: IdSet) -> IdSet:
        """Put all ids of another set in; gives those that were new."""
        mine, theirs = int.from_bytes(self._bits, "little"), int.from_bytes(other._bits, "little")
        fresh = IdSet()
        if new := theirs & ~mine:
            joined = mine | new
            self._bits = bytearray(joined.to_bytes((joined.bit_length() + 7) // 8, "little"))
            fresh._bits = bytearray(new.to_bytes((new.bit_length() + 7) // 8, "little"))
        return fresh

    def __bool__(self) -> bool:
        return any(self._bits)

    def __contains__(self, one: object) -> bool:
        if not isinstance(one, int) or one < 0:
            return False
        place = one >> 3
        return place < len(self._bits) and bool(self._bits[place] >> (one & 7) & 1)

    def __iter__(self) -> Iterator[int]:
        low = len(self._bits) - len(self._bits.lstrip(b"\0"))
        for place, byte in enumerate(self._bits[low:], low):
            if byte:
                for bit in range(8):
                    if byte >> bit & 1:
                        yield place << 3 | bit


def pack_ids(ids: Iterable[int]) -> bytes:
    """Write ids given in rising order; an unchanged week costs a few bytes."""
    out = bytearray()
    written = 0
    start = end = 0
    for one in ids:
        if end and one == end + 1:
            end = one
            continue
        if end:
            _put(out, start - written)
            _put(out, end - start)
            written = end
        start = end = one
    if end:
        _put(out, start - written)
        _put(out, end - start)
    if not out:
        return b""
    packed = zstandard.compress(bytes(out), 3)
    return packed if len(packed) <= len(out) else _PLAIN + bytes(out)


def unpack_ids(packed: bytes) -> IdSet:
    """Read what `pack_ids` wrote."""
    return IdSet(iterate_ids(packed))


def iterate_ids(packed: bytes) -> Iterator[int]:
    """Give the ids `pack_ids` wrote, in rising order; a few of them cost no bitmap up to the greatest."""
    if not packed:
        return
    numbers = _numbers(packed[1:] if packed[:1] == _PLAIN else zstandard.decompress(packed))
    end = 0
    for gap, length in zip(numbers, numbers, strict=True):
        start = end + gap
        end = start + length
        yield from range(start, end + 1)


def _put(out: bytearray, number: int) -> None:
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _numbers(data: bytes) -> Iterator[int]:
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
        else:
            yield value
            value = shift = 0
