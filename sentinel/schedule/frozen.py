"""A unit and a period in; the snapshot its upper levels are read from, and its counters as a centre reads them, out.

A tree of 30,000 units is read in one question, whatever was scanned since; the page says of which day its data are.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sentinel.model.facts import Period, UnitSummary
from sentinel.model.rule import Severity
from sentinel.model.snapshot import Snapshot
from sentinel.model.unit import Unit, UnitLevel
from sentinel.schedule.context import Context
from sentinel.store.snapshots import find_covering, find_snapshot, read_own_counts

STALE_AFTER = timedelta(days=62)
"""A snapshot that ended longer ago says nothing of now: two periods were not frozen."""

JUST_NOW = timedelta(hours=1)
"""A period that ended within it runs until now: the clock went on while the report was made."""

REPORTING = frozenset({UnitLevel.SCHOOL, UnitLevel.DEPARTMENT})
"""What has hosts of its own; a bureau counts only where something was seen of it."""

_LIVE = {severity.value: f"live_{severity.value}" for severity in Severity}
_NAMES = (
    "hosts",
    "endpoints_open",
    *_LIVE.values(),
    "overdue",
    "closed",
    "mining_hosts",
    "suspect_hosts",
    "addresses_planned",
    "addresses_covered",
    "clauses",
    "clauses_nonconform",
    "clauses_unknown",
)


def find_frozen(context: Context, top: Unit, period: Period, now: datetime) -> Snapshot | None:
    """Find what was frozen for a unit, by itself or by one above it.

    Of a period that is over its own snapshot is wanted: one that ended on the same day, or is called the same. Of one
    that still runs, the newest that is no older than two months.
    """
    way = tuple(reversed(top.path.split("/")))
    if period.end < now - JUST_NOW:
        named = (find_snapshot(context.database, code, period.label) for code in way)
        same = find_covering(context.database, way, period.end - timedelta(days=1), period.end)
        return same or next((one for one in named if one is not None), None)
    return find_covering(context.database, way, now - STALE_AFTER, now)


def read_frozen_summaries(
    context: Context, top: Unit, units: Iterable[Unit], snapshot: Snapshot
) -> tuple[UnitSummary, ...]:
    """Give the frozen counters of the units of a subtree that had any; one of which nothing arrived has no last run."""
    counts = read_own_counts(context.database, snapshot.id, top, _NAMES)
    return tuple(
        _summary(unit, counts[unit.code], snapshot)
        for unit in units
        if unit.code in counts and (unit.level in REPORTING or counts[unit.code]["hosts"] is not None)
    )


def _summary(unit: Unit, counts: dict[str, int | None], snapshot: Snapshot) -> UnitSummary:
    def get(name: str) -> int:
        return counts[name] or 0

    reported = counts["hosts"] is not None
    return UnitSummary(
        unit=unit,
        hosts=get("hosts"),
        endpoints=get("endpoints_open"),
        live={severity: get(name) for severity, name in _LIVE.items() if get(name)},
        overdue=get("overdue"),
        closed=get("closed"),
        mining_hosts=counts["mining_hosts"],
        suspect_hosts=get("suspect_hosts"),
        planned=get("addresses_planned"),
        covered=get("addresses_covered"),
        last_run=snapshot.end if reported else None,
        nonconform=get("clauses_nonconform"),
        answered=get("clauses") - get("clauses_unknown"),
        clauses=get("clauses"),
        unlisted=None,
        unjudged=int(reported and counts["clauses"] is None),
    )
