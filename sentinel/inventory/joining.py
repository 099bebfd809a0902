"""Sightings in; stretches of time out that are the same in whatever order the sightings came, and however often."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from sentinel.model.moment import EARLIEST, to_microseconds
from sentinel.model.sighting import HoldingObservation, HoldingSource
from sentinel.model.trace import LogKind, Told

_SECOND = 1_000_000
_HOUR = 3_600 * _SECOND
GAP_US = {Told.SEEN: _HOUR, Told.HELD: 60 * _SECOND, Told.BEGUN: 12 * _HOUR, Told.ENDED: 60 * _SECOND}
"""How far apart two sightings of the same holding may lie to be one: tables are fetched every five minutes to every
hour; one lease or session follows the other at once; a lease lasts a day at most where schools set it, and is renewed
at half of it."""

_QUIET = frozenset({LogKind.RADIUS, LogKind.PORTAL, LogKind.DHCP})
"""Logs in which nothing may happen for a night; a NAT is never quiet for long, and tables are fetched by the clock."""

MARK_GAP_US = 8 * 24 * _HOUR
"""The same for identifiers seen by scans, which come weekly."""

LATEST_US = to_microseconds(EARLIEST + timedelta(days=365 * 205))
"""A lease for ever ends here, about the year 2200; a later end says no more."""


class Stretch(NamedTuple):
    """A stretch of time and the run that told its end.

    Attributes:
        since: first moment, in microseconds.
        until: last moment.
        run: row id of a run that told it.
    """

    since: int
    until: int
    run: int = 0


def read_stretch(seen: HoldingObservation, table_time: datetime, arrived: datetime) -> tuple[Told, int, int] | None:
    """Tell how a holding was told, and its first and last moment in microseconds; None for one of the future.

    A row that tells no time was true when its table was made; so was a lease of which it tells only an end to come.
    """
    since, until = seen.since, seen.until
    if since is None and until is None:
        since = until = table_time
    elif since is None and until is not None and until > table_time and seen.source is HoldingSource.DHCP:
        since = table_time
    start, end = since or until, until or since
    if start is None or end is None or not EARLIEST <= start <= arrived + timedelta(days=1):
        return None
    if since is None:
        told = Told.ENDED
    elif until is None:
        told = Told.BEGUN
    else:
        told = Told.HELD if until > since else Told.SEEN
    first = to_microseconds(start)
    return told, first, min(max(first, to_microseconds(end)), LATEST_US)


def join(stretches: Iterable[Stretch], gap_us: int) -> list[Stretch]:
    """Join stretches that overlap or follow each other within a gap; in the order of time, disjoint by more than it.

    The result depends on the set of stretches alone, except that of several runs that told the same end one is named.
    """
    joined: list[Stretch] = []
    for one in sorted(stretches):
        if joined and one.since <= joined[-1].until + gap_us:
            last = joined[-1]
            newest = one if one.until > last.until else last
            joined[-1] = Stretch(last.since, newest.until, newest.run)
        else:
            joined.append(one)
    return joined


class Busy:
    """The hours in which a log has lines, from which the stretches it speaks of are made; memory grows with hours."""

    __slots__ = ("_hours",)

    def __init__(self) -> None:
        self._hours: dict[int, tuple[int, int]] = {}

    def add(self, moment: int) -> None:
        """Note a line's time, in microseconds."""
        hour = moment // _HOUR
        known = self._hours.get(hour)
        if known is None:
            self._hours[hour] = (moment, moment)
        elif moment < known[0] or moment > known[1]:
            self._hours[hour] = (min(known[0], moment), max(known[1], moment))

    def stretches(self, kind: LogKind, run: int) -> list[Stretch]:
        """Give the stretches without a hole of more than an hour, or of half a day for logs that are quiet at night."""
        hole = 12 * _HOUR if kind in _QUIET else _HOUR
        return join((Stretch(low, high, run) for low, high in self._hours.values()), hole)
