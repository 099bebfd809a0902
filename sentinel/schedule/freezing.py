"""A period in; the counters of a unit and of everything below it frozen out, once, and anew only with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sentinel.errors import UsageError
from sentinel.inventory.counters import count_unit, sum_tree
from sentinel.model.facts import Period
from sentinel.model.moment import SHANGHAI, local_date
from sentinel.model.snapshot import Snapshot
from sentinel.model.unit import Unit
from sentinel.schedule.context import Context
from sentinel.schedule.facts import SUMMARY_CATALOGUE, read_unit_facts
from sentinel.schedule.judging import read_pack
from sentinel.schedule.persons import hide_persons
from sentinel.schedule.scoring import count_score, read_tables, score_counts
from sentinel.store.judged import read_newest_check
from sentinel.store.snapshots import (
    count_turns,
    find_snapshot,
    read_known_units,
    read_states_at,
    write_snapshot,
)
from sentinel.store.units import read_units

LAST_DAY = 28
"""The latest closing day that every month has; without one a period ends with its month."""

_MONTH = re.compile(r"(\d{4})-(\d{1,2})\Z")


def read_closing_period(month: str | None, day: int | None, now: datetime) -> Period:
    """Give the period of a month that closes on a day: `2026-11` and 25 is 26 October to 25 November.

    Without a month it is the newest that has ended; without a day it is the calendar month.

    Raises:
        UsageError: the month or the day is none, or the period has not ended.
    """
    if day is not None and not 1 <= day <= LAST_DAY:
        raise UsageError(f"--until: {day} is no closing day (1 to {LAST_DAY}; without it, the end of the month)")
    here = now.astimezone(SHANGHAI)
    if month is None:
        year, number = here.year, here.month
        if _end(year, number, day) > now:
            year, number = (year, number - 1) if number > 1 else (year - 1, 12)
    else:
        match = _MONTH.match(month)
        year, number = (int(match[1]), int(match[2])) if match else (0, 0)
        if not (1 <= number <= 12 and 1995 <= year <= 9000):
            raise UsageError(f"--period: {month!r} is no month (2026-11)")
    before = (year, number - 1) if number > 1 else (year - 1, 12)
    start, end = _end(*before, day), _end(year, number, day) - timedelta(microseconds=1)
    if end >= now:
        raise UsageError(f"--period: {year}-{number:02d} ends on {local_date(end)}; freeze it afterwards")
    return Period(start, end, f"{year}-{number:02d}")


def _end(year: int, month: int, day: int | None) -> datetime:
    """Give the first moment after a month's period."""
    if day is None:
        return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=SHANGHAI).astimezone(UTC)
    return (datetime(year, month, day, tzinfo=SHANGHAI) + timedelta(days=1)).astimezone(UTC)


def freeze(context: Context, top: Unit, period: Period, why: str = "") -> tuple[Snapshot, bool]:
    """Freeze the counters of a unit and of all below it; gives the snapshot and whether it was made now.

    A period that is frozen already stays as it is, unless a reason is given: then there is a new version of it.

    Raises:
        UsageError: the period was frozen with other days, or there is no reason to correct what was not frozen yet.
        RuleError: the rules have mistakes.
    """
    why = hide_persons(" ".join(why.split()))[:200]
    known = _find_known(context, top, period, why)
    if known is not None and not why:
        return known, False
    units = read_units(context.database, top)
    own = dict(count_units(context, units, period))
    draft = Snapshot(
        0,
        top.code,
        period.label,
        period.start,
        period.end,
        0,
        read_pack(context).hash,
        context.clock(),
        context.actor,
        reason=why,
    )
    with context.database.transaction(context.actor, context.clock()) as transaction:
        faster = _find_known(context, top, period, why)
        if faster is not None and not why:
            return faster, False
        if faster != known:
            raise UsageError(
                f"{period.label} was corrected by somebody else meanwhile; look at it, then correct it anew"
            )
        return write_snapshot(transaction, draft, sum_tree(units, own)), True


def _find_known(context: Context, top: Unit, period: Period, why: str) -> Snapshot | None:
    """Give what is frozen of a period.

    Raises:
        UsageError: it is of other days, or nothing is there that a reason could correct.
    """
    known = find_snapshot(context.database, top.code, period.label)
    if known is None and why:
        raise UsageError(f"{period.label} is not frozen yet; freeze it without --why")
    if known is not None and not why and (known.start, known.end) != (period.start, period.end):
        days = f"{local_date(known.start)} to {local_date(known.end)}"
        raise UsageError(f"{period.label} is frozen as {days}; give the same --until, or --why to correct it")
    return known


def count_units(context: Context, units: tuple[Unit, ...], period: Period) -> Iterator[tuple[str, dict[str, int]]]:
    """Count the units of which anything is known, and score them by the tables in force at the period's end."""
    known = read_known_units(context.database)
    tables = read_tables(context)
    for unit in units:
        if unit.code not in known:
            continue
        facts = read_unit_facts(context, unit, period)
        states = list(read_states_at(context.database, unit.code, period.end))
        turns = count_turns(context.database, unit.code, period.start, period.end)
        judged = not facts.unjudged and read_newest_check(context.database, unit.code) is not None
        counts = count_unit(facts, states, turns, SUMMARY_CATALOGUE, judged=judged)
        yield unit.code, counts | count_score(score_counts(tables, unit, counts, period.end))
