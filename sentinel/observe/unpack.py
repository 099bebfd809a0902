"""Bytes as they came in; the same unpacked where they are gzip, Zstandard or xz, within limits, out.

One layer is taken off. Members that follow each other (a rotated log that was appended to) are read as one. What is
cut off keeps what could be unpacked; what is damaged is refused, since nothing tells how much of it is wrong.
"""

from __future__ import annotations

import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

import zstandard

from sentinel.errors import ParseError

MAX_UNPACKED = 16 << 30
"""Bytes a packed file may become; a day of a large network's NAT log takes 4 GB."""

MAX_RATIO, FREE = 300, 64 << 20
"""Times its size a file may become once it has become larger than `FREE`; logs reach some 40, a bomb 1,000."""

_CHUNK = 1 << 16
_OUT = 1 << 18
_ZST_CHUNK = 1 << 10
"""Bytes of Zstandard unpacked at once: they become 32 MB at most, four for each block of 128 KB."""

_MEMORY = 1 << 27
"""Bytes a decompressor's window may take."""

GZIP, ZSTANDARD, XZ = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00"
_LONGEST = 6

_Read = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Opened:
    """A stream ready to be read.

    Attributes:
        stream: the bytes, unpacked where they were packed.
        raw: what unpacks them; None where they are plain.
    """

    stream: BinaryIO
    raw: _Unpacker | None = None

    @property
    def fault(self) -> str:
        """What is wrong with the packing, as far as it was read: empty when nothing."""
        return self.raw.fault if self.raw else ""


def open_unpacked(stream: BinaryIO) -> Opened:
    """Look at a stream's first bytes and unpack it where they say it is packed; a ParseError may come of reading."""
    found = _find(_peek(stream))
    if found is None:
        return Opened(stream)
    raw = _Unpacker(stream, *found)
    return Opened(io.BufferedReader(raw, _OUT), raw)


def unpack(stream: BinaryIO) -> BinaryIO:
    """Give the stream of `open_unpacked`."""
    return open_unpacked(stream).stream


def unpack_head(head: bytes, limit: int) -> bytes:
    """Give the first bytes of what a file's first bytes unpack to; those of a plain file as they are."""
    if _find(head) is None:
        return head
    with suppress(ParseError):
        return unpack(io.BytesIO(head)).read(limit)
    return b""


def _peek(stream: BinaryIO) -> bytes:
    if isinstance(stream, io.BufferedReader):
        return stream.peek(_LONGEST)[:_LONGEST]
    place = stream.tell()
    head = stream.read(_LONGEST)
    stream.seek(place)
    return head


def _find(head: bytes) -> tuple[str, Callable[[_Read], Iterator[bytes]]] | None:
    for magic, name, iterate in (
        (GZIP, "gzip", _read_gzip),
        (ZSTANDARD, "zstd", _read_zstandard),
        (XZ, "xz", _read_xz),
    ):
        if head.startswith(magic):
            return name, iterate
    return None


class _Unpacker(io.RawIOBase):
    """What unpacks; `fault` says in one line what is wrong with its end."""

    def __init__(self, stream: BinaryIO, name: str, iterate: Callable[[_Read], Iterator[bytes]]) -> None:
        self._stream, self._name = stream, name
        self._pieces = iterate(self._take)
        self._piece, self._at = b"", 0
        self._in = self._out = 0
        self.fault = ""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader hands over
        while self._at >= len(self._piece):
            piece = self._next()
            if piece is None:
                return 0
            self._piece, self._at = piece, 0
        count = min(len(buffer), len(self._piece) - self._at)
        buffer[:count] = self._piece[self._at : self._at + count]
        self._at += count
        return count

    def _take(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._in += len(data)
        return data

    def _next(self) -> bytes | None:
        try:
            piece = next(self._pieces, None)
        except EOFError:
            self.fault = f"the {self._name} data ends early: the file was cut off"
            return None
        except _Garbage:
            self.fault = f"what follows the {self._name} data was passed over"
            return None
        except (zlib.error, zstandard.ZstdError, lzma.LZMAError) as error:
            raise ParseError(f"the {self._name} data is damaged; copy the file again") from error
        self._out += len(piece or b"")
        if self._out > FREE and self._out > self._in * MAX_RATIO:
            raise ParseError(
                f"the {self._name} data becomes more than {MAX_RATIO} times its size, which no log does; "
                "nothing of it was read"
            )
        if self._out > MAX_UNPACKED:
            raise ParseError(f"the {self._name} data becomes more than {MAX_UNPACKED >> 30} GB; split the file")
        return piece


class _Garbage(Exception):  # noqa: N818  never leaves this module
    """Bytes after the last member that are none."""


def _read_gzip(take: _Read) -> Iterator[bytes]:
    def begin() -> tuple[_Step, _Rest, _Done]:
        one = zlib.decompressobj(31)
        return (lambda data: one.decompress(data, _OUT)), (lambda: one.unconsumed_tail), (lambda: _end(one))

    yield from _read_members(take, GZIP, begin)


def _read_xz(take: _Read) -> Iterator[bytes]:
    def begin() -> tuple[_Step, _Rest, _Done]:
        one = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)
        return (lambda data: one.decompress(data, _OUT)), (lambda: b""), (lambda: _end(one))

    yield from _read_members(take, XZ, begin)


def _read_zstandard(take: _Read) -> Iterator[bytes]:
    def begin() -> tuple[_Step, _Rest, _Done]:
        one = zstandard.ZstdDecompressor(max_window_size=_MEMORY).decompressobj()
        return (lambda data: one.decompress(data) if data else b""), (lambda: b""), (lambda: _end(one))

    yield from _read_members(lambda size: take(min(size, _ZST_CHUNK)), ZSTANDARD, begin)


_Step = Callable[[bytes], bytes]
_Rest = Callable[[], bytes]
_Done = Callable[[], bytes | None]


def _end(one: object) -> bytes | None:
    """Give what follows a member that is whole; None while it is not."""
    return bytes(getattr(one, "unused_data", b"")) if getattr(one, "eof", False) else None


def _read_members(take: _Read, magic: bytes, begin: Callable[[], tuple[_Step, _Rest, _Done]]) -> Iterator[bytes]:
    """Unpack member after member; zeros after the last are padding.

    Raises:
        EOFError: the last member is cut off.
        _Garbage: what follows a member is none.
    """
    data = take(_CHUNK)
    while data:
        if len(data) < _LONGEST:
            data += take(_CHUNK)
        if not data.startswith(magic):
            if data.strip(b"\0"):
                raise _Garbage
            data = take(_CHUNK)
            continue
        step, rest, done = begin()
        while (after := done()) is None:
            fresh = data or take(_CHUNK)
            piece = step(fresh)  # with nothing left it still gives what it holds back
            data = rest()
            if piece:
                yield piece
            elif not fresh and done() is None:
                raise EOFError
        data = after or take(_CHUNK)
