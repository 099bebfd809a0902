"""The timelines of units: what each was called and where it stood, read as spans, changed from a day on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sentinel.errors import UsageError
from sentinel.model.moment import from_optional, local_text, to_microseconds, to_optional
from sentinel.model.unit import Unit, UnitLevel
from sentinel.model.unit_history import DATED, Timeline, UnitState, change_timeline
from sentinel.model.unit_kind import UnitKind
from sentinel.store.database import Database, Transaction

_COLUMNS = "name, level, parent, region, kind, affiliation, since_us, until_us, why, actor"


def read_timeline(database: Database, unit: Unit) -> Timeline:
    """Give the spans of a unit, oldest first; one that never changed has a single span."""
    rows = database.query(
        f"SELECT {_COLUMNS} FROM unit_history WHERE unit=? "  # noqa: S608  constant columns
        "ORDER BY CASE WHEN since_us IS NULL THEN 0 ELSE 1 END, since_us",
        (unit.code,),
    )
    spans = tuple(
        UnitState(
            row[0],
            UnitLevel(row[1]),
            row[2],
            row[3],
            UnitKind(row[4]),
            row[5],
            from_optional(row[6]),
            from_optional(row[7]),
            row[8],
            row[9],
        )
        for row in rows
    )
    return spans or (replace(UnitState.of(unit), since=None),)


def record_change(transaction: Transaction, unit: Unit, at: datetime, fields: Mapping[str, object], why: str) -> Unit:
    """Let fields of a unit have other values from a moment on; gives the unit as it is now, with its old path.

    The caller writes the unit's row and the audit row. A change that arrives late leaves the present as it is where a
    later one of the same field is known.

    Raises:
        UsageError: the moment lies in the future.
    """
    if at > transaction.now:
        raise UsageError(f"{local_text(at)} lies in the future: enter the change on that day")
    before = read_timeline(transaction.database, unit)
    after = change_timeline(before, at, fields, why, transaction.actor)
    if after == before:
        return unit
    transaction.execute("DELETE FROM unit_history WHERE unit=?", (unit.code,))
    transaction.execute_many(
        f"INSERT INTO unit_history (unit, {_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608  constant columns
        (
            (
                unit.code,
                *(str(getattr(one, name)) for name in DATED),
                to_optional(one.since),
                to_optional(one.until),
                one.why,
                one.by,
            )
            for one in after
        ),
    )
    now = after[-1]
    return replace(unit, since=now.since, **{name: getattr(now, name) for name in DATED})


def correct_present(transaction: Transaction, unit: Unit) -> None:
    """Write the present span of a unit anew without a new one: what stood there was a mistake."""
    transaction.execute(
        "UPDATE unit_history SET name=?, level=?, parent=?, region=?, kind=?, affiliation=? "
        "WHERE unit=? AND until_us IS NULL",
        (*(str(getattr(unit, name)) for name in DATED), unit.code),
    )


def rename_in_history(transaction: Transaction, before: str, after: str) -> None:
    """Let the timelines of units below name a unit's new code."""
    transaction.execute("UPDATE unit_history SET parent=? WHERE parent=?", (after, before))


def read_parents_at(database: Database, at: datetime) -> dict[str, str]:
    """Give the parent of each unit whose timeline has more than one span, as it was at a moment."""
    moment = to_microseconds(at)
    rows = database.query(
        "SELECT unit, parent FROM unit_history WHERE (since_us IS NULL OR since_us<=?) "
        "AND (until_us IS NULL OR until_us>?)",
        (moment, moment),
    )
    return {str(unit): str(parent) for unit, parent in rows}
