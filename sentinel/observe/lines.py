"""A stream of bytes in, numbered lines of bounded length out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sentinel.errors import ParseError
from sentinel.model.observation import Loss

MAX_LINE = 1024 * 1024
"""Bytes of one line; a longer one is dropped and counted."""

BOM = b"\xef\xbb\xbf"


def read_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
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
