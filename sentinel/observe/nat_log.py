"""A log of NAT sessions or port blocks of a known maker in; what each inside address became, and what was lost out.

Lines of other kinds, which every such log has, are passed over and counted. The maker of a line is told by its text,
so that logs of several devices may stand in one file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from sentinel.errors import ParseError
from sentinel.model.observation import Observation, RunEnd, RunObservation
from sentinel.observe.lines import Tally, decode_start, read_text_lines
from sentinel.observe.nat_china import CHINA
from sentinel.observe.nat_event import Preset, Reading, Sessions
from sentinel.observe.nat_world import WORLD
from sentinel.observe.syslog import HeadReader
from sentinel.observe.text import parse_address

NAME = "nat-log"

PRESETS = (*CHINA, *WORLD)
"""All makers, in the order a line is shown to them."""

MAX_TEXT = 8_192
"""Characters of a line; the longest traffic logs have some 2,000."""

_SNIFFED = 200
_NOBODY = frozenset({"", "-", "--", "-@-", "-@unknown", "n/a", "unknown", "none", "null"})


def sniff(head: bytes) -> bool:
    """Tell whether a file's first lines hold one of a known maker."""
    reader = _Reader(HeadReader(None))
    lines = decode_start(head).splitlines()[:_SNIFFED]
    return any(len(line) <= MAX_TEXT and reader.find(line) not in (None, False) for line in lines)


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield as `parse_dated`; a line whose time lacks the year has none."""
    yield from _parse(stream, None)


def parse_dated(stream: BinaryIO, arrived: datetime) -> Iterator[Observation]:
    """Yield the run, each session when it has ended or when the log has, what was lost, and the run's end.

    Of a session of which only the beginning or only the end is in the log the other moment is not told.

    Raises:
        ParseError: no line is a NAT session that can be read.
    """
    yield from _parse(stream, arrived)


def _parse(stream: BinaryIO, arrived: datetime | None) -> Iterator[Observation]:
    reader = _Reader(HeadReader(arrived))
    yield RunObservation("nat-log")
    for number, line in read_text_lines(stream):
        if line is None or len(line) > MAX_TEXT:
            reader.tally.drop(f"line {number}", "the line is too long")
            continue
        reading = reader.find(line)
        if reading is None:
            reader.other += bool(line.strip())
        elif reading is False:
            reader.tally.drop(f"line {number}", "an address of a session cannot be read")
        else:
            reader.tally.good += 1
            if reading is not True:
                yield from reader.sessions.take(reading)
    yield from reader.sessions.rest()
    yield from reader.tally.losses()
    if not reader.tally.good:
        raise ParseError("no line of it is a NAT session of a maker sentinel knows; write a mapping (--mapping)")
    passed = (("other lines", reader.other),) if reader.other else ()
    yield RunEnd(accounts=reader.accounts, passed_over=passed)


@dataclass(slots=True)
class _Reader:
    heads: HeadReader
    tally: Tally = field(default_factory=Tally)
    sessions: Sessions = field(default_factory=Sessions)
    accounts: bool = False
    other: int = 0
    _last: Preset = PRESETS[0]

    def find(self, line: str) -> Reading | None:
        """Show a line to the maker of the last one, then to the others; None where it is nobody's."""
        last = self._last
        if last.mark in line and (reading := last.read(line, self.heads)) is not None:
            self.accounts = self.accounts or _names_account(line, last)
            return reading
        for preset in PRESETS:
            if preset is not last and preset.mark in line:
                reading = preset.read(line, self.heads)
                if reading is not None:
                    self._last = preset
                    self.accounts = self.accounts or _names_account(line, preset)
                    return reading
        return None


def _names_account(line: str, preset: Preset) -> bool:
    """Tell whether a line names an account; an address in its place is none."""
    if not preset.account_mark or preset.account_mark not in line or preset.account is None:
        return False
    found = preset.account.search(line)
    name = found[1].strip('" ') if found else ""
    return name.lower() not in _NOBODY and parse_address(name) is None
