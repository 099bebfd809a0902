"""A stream of bytes in, numbered lines of bounded length out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from sentinel.errors import ParseError
from sentinel.model.observation import Loss
from sentinel.observe.text import decode_bytes

MAX_LINE = 1024 * 1024
"""Bytes of one line; a longer one is dropped and counted."""

BOM = b"\xef\xbb\xbf"

UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
"""What PowerShell writes before a text it redirects, and the encoding it tells."""

_TERMINAL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|-+ ?More ?-+|[\x00-\x08]")

MAX_UTF16 = 64 * 1024 * 1024
"""Bytes of a file in UTF-16, which is read at once; a list of 300,000 neighbours takes 40 MB."""


def read_lines(stream: Lined) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line's number from 1 and its bytes without the line end; None for a line longer than `MAX_LINE`.

    A UTF-8 byte order mark before the first line is dropped.
    """
    number = 0
    while line := stream.readline(MAX_LINE + 2):
        number += 1
        body = line.rstrip(b"\r\n")
        if len(body) > MAX_LINE or (len(line) == MAX_LINE + 2 and not line.endswith(b"\n")):
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE)
            yield number, None
        else:
            yield number, body.removeprefix(BOM) if number == 1 else body


def read_text_lines(stream: BinaryIO) -> Iterator[tuple[int, str | None]]:
    """Yield each line's number and its text, whether the file is in UTF-8, GB 18030 or UTF-16; None for a longer one.

    Raises:
        ParseError: the file is in UTF-16 and larger than `MAX_UTF16`.
    """
    first = stream.readline(MAX_LINE + 2)
    encoding = UTF16.get(first[:2])
    if encoding is None:
        for number, line in read_lines(_Again(first, stream)):
            yield number, None if line is None else decode_bytes(line)
        return
    data = first + stream.read(MAX_UTF16)
    if stream.read(1):
        raise ParseError(f"a text in UTF-16 of more than {MAX_UTF16 // 1024 // 1024} MB")
    for number, text in enumerate(data[2:].decode(encoding, "replace").splitlines(), 1):
        yield number, text if len(text) <= MAX_LINE else None


def strip_terminal(text: str) -> str:
    """Give a line without what a terminal's page breaks left in it."""
    return _TERMINAL.sub("", text)


def decode_start(head: bytes) -> str:
    """Read a file's first bytes as text, for telling what it is; a character cut at the end does no harm."""
    encoding = UTF16.get(head[:2])
    return head[2:].decode(encoding, "replace") if encoding else decode_bytes(head.removeprefix(BOM))


class _Again:
    """A stream whose first line was read already."""

    def __init__(self, first: bytes, rest: BinaryIO) -> None:
        self._first, self._rest = first, rest

    def readline(self, size: int) -> bytes:
        first, self._first = self._first, b""
        return first or self._rest.readline(size)


class Lined(Protocol):
    """What gives its bytes line by line."""

    def readline(self, size: int, /) -> bytes:
        """Give the next line, or `size` bytes of it."""


@dataclass(slots=True)
class Tally:
    """How many rows were read and how many were not.

    Attributes:
        good: rows read.
        lost: rows dropped.
        first: where the first dropped row stands, e.g. `line 17`.
        reason: why that one was dropped.
    """

    good: int = 0
    lost: int = 0
    first: str = ""
    reason: str = ""

    def drop(self, where: str, reason: str) -> None:
        """Count a row that cannot be read."""
        if not self.lost:
            self.first, self.reason = where, reason
        self.lost += 1

    def losses(self) -> tuple[Loss, ...]:
        """Give one `Loss` for all dropped rows, or none.

        Raises:
            ParseError: rows were dropped and none was read.
        """
        if not self.lost:
            return ()
        if not self.good:
            raise ParseError(f"{self.reason}, and no row before or after it could be read", self.first)
        rows = "1 row" if self.lost == 1 else f"{self.lost} rows"
        return (Loss(f"{rows} dropped, the first because of this: {self.reason}", self.first, self.lost),)
