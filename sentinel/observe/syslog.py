"""A line as a log server keeps it in; when and by whom it was written, and the message, out.

Read are the heads of RFC 3164, with or without a year, those of RFC 5424, and those of Chinese makers, which put the
year before or after the time or write ISO dates; where a relay put its own head before another, the inner one counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from sentinel.model.moment import EARLIEST, SHANGHAI
from sentinel.observe.log_time import MONTHS, REMEMBERED, build_moment, make_reader, read_zone
from sentinel.observe.text import LATEST, cut_text

_TIME = (
    r"(?:(?P<mon>[A-Z][a-z]{2}) {1,2}(?P<day>\d{1,2}) (?:(?P<before>\d{4}) )?(?P<clock>\d\d:\d\d:\d\d)"
    r"(?:[.:]\d{1,6})?(?P<zone>Z|[+-]\d\d:?\d\d)?(?: (?P<after>\d{4})(?=\s))?(?: DST)?"
    r"|(?P<iso>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?))"
)
_HEAD = re.compile(rf"(?:<\d{{1,3}}>)?(?:1 )?\s*%?{_TIME}(?:\s+(?P<host>[^\s:%<>=\[\]]+))?")
_NOBODY = frozenset({"localhost", "-", "0.0.0.0"})  # noqa: S104  a name that says nothing

MAX_HEAD = 300
"""Characters in which the heads of a line stand."""


@dataclass(frozen=True, slots=True)
class Head:
    """Who wrote a line and when.

    Attributes:
        time: None where the line does not tell, or tells no year and the moment of arrival is not known.
        host: name or address of the device; empty where the line does not tell.
        end: where the message begins in the line.
    """

    time: datetime | None
    host: str
    end: int


_NO_HEAD = Head(None, "", 0)


@dataclass(slots=True)
class HeadReader:
    """Reads the heads of lines of one file.

    Attributes:
        arrived: when the file came; times without a year lie nearest before it.
    """

    arrived: datetime | None
    _known: dict[str, datetime | None] = field(default_factory=dict)
    _hosts: dict[str, str] = field(default_factory=dict)
    _text: str = ""
    _last: Head = _NO_HEAD

    def read(self, line: str) -> Head:
        """Read the head of a line, the inner one where there are two; lines of one second share it."""
        if self._text and line.startswith(self._text) and line[self._last.end : self._last.end + 1] in " :":
            return self._last
        found = _HEAD.match(line)
        if found is None:
            return _NO_HEAD
        while (inner := _HEAD.match(line, _after(line, found.end()))) and inner.end() < MAX_HEAD:
            found = inner
        self._text = line[: found.end()]
        self._last = Head(self._time(found), self._host(found["host"] or ""), found.end())
        return self._last

    def _time(self, found: re.Match[str]) -> datetime | None:
        text = found["iso"] or line_time(found)
        if text in self._known:
            return self._known[text]
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        moment = self._known[text] = _ISO(text) if found["iso"] else self._build(found)
        return moment

    def _build(self, found: re.Match[str]) -> datetime | None:
        year = found["before"] or found["after"]
        clock = tuple(int(part) for part in found["clock"].split(":"))
        zone = read_zone(found["zone"]) if found["zone"] else SHANGHAI
        try:
            month = MONTHS.get(found["mon"], 0)
            moment = build_moment(int(year) if year else None, month, int(found["day"]), clock, zone, self.arrived)
        except (ValueError, OverflowError):
            return None
        return moment if moment is not None and EARLIEST <= moment < LATEST else None

    def _host(self, text: str) -> str:
        if text not in self._hosts:
            if len(self._hosts) >= REMEMBERED:
                self._hosts.clear()
            name = cut_text(text.partition("(")[0])
            self._hosts[text] = "" if name.lower() in _NOBODY else name
        return self._hosts[text]


_ISO = make_reader("iso")


def line_time(found: re.Match[str]) -> str:
    """Give the time of a head as it stands in the line."""
    return found[0][: found.start("host") - found.start()] if found["host"] else found[0]


def _after(line: str, place: int) -> int:
    while place < len(line) and line[place] in " :":
        place += 1
    return place
