"""Frozen counters: written once for a period, read by unit or by rank, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from sentinel.model.finding import FindingSource, FindingState
from sentinel.model.moment import from_microseconds, to_microseconds
from sentinel.model.rule import Severity
from sentinel.model.snapshot import Count, FindingAt, Snapshot, UnitCounts
from sentinel.model.unit import Unit
from sentinel.store.database import Database, Row, Transaction

_FIELDS = "unit, label, from_us, to_us, version, pack, frozen_us, actor, reason"
_SELECT = f"SELECT id, {_FIELDS} FROM snapshot"  # noqa: S608  constant columns
_MOST = 500


def write_snapshot(transaction: Transaction, draft: Snapshot, counts: Iterable[UnitCounts]) -> Snapshot:
    """Freeze counters as the next version of a period; gives it back with id and version."""
    newest = find_snapshot(transaction.database, draft.unit, draft.label)
    frozen = replace(
        draft, version=newest.version + 1 if newest else 1, frozen_at=transaction.now, actor=transaction.actor
    )
    row = transaction.execute(
        f"INSERT INTO snapshot ({_FIELDS}) VALUES (?,?,?,?,?,?,?,?,?) RETURNING id",  # noqa: S608
        (
            frozen.unit,
            frozen.label,
            to_microseconds(frozen.start),
            to_microseconds(frozen.end),
            frozen.version,
            frozen.pack_hash,
            to_microseconds(frozen.frozen_at),
            frozen.actor,
            frozen.reason,
        ),
    ).fetchone()
    stored = replace(frozen, id=int(row[0]))
    transaction.execute_many(
        "INSERT INTO snapshot_counter (snapshot, unit, name, own, total, known) VALUES (?,?,?,?,?,?)",
        (
            (stored.id, one.unit, name, count.own, count.total, count.known)
            for one in counts
            for name, count in one.counts.items()
        ),
    )
    after = {"version": stored.version, "pack": stored.pack_hash, "reason": stored.reason}
    transaction.audit("snapshot.freeze", f"snapshot {stored.label} of unit {stored.unit}", after=after)
    return stored


def read_snapshots(database: Database, unit: str) -> Iterator[Snapshot]:
    """Give the snapshots of a unit, the newest period and version first."""
    yield from map(_snapshot, database.query(f"{_SELECT} WHERE unit=? ORDER BY to_us DESC, version DESC", (unit,)))


def find_snapshot(database: Database, unit: str, label: str, version: int | None = None) -> Snapshot | None:
    """Give a version of a unit's snapshot of a period, the newest when none is named."""
    clause, values = ("", (unit, label)) if version is None else (" AND version=?", (unit, label, version))
    row = database.one(f"{_SELECT} WHERE unit=? AND label=?{clause} ORDER BY version DESC LIMIT 1", values)
    return _snapshot(row) if row else None


def read_counts(database: Database, snapshot: int, units: Sequence[str]) -> tuple[UnitCounts, ...]:
    """Give the frozen counters of units, in their order; one without any is left out."""
    found: dict[str, dict[str, Count]] = {}
    for start in range(0, len(units), _MOST):
        part = units[start : start + _MOST]
        for unit, name, own, total, known in database.query(
            "SELECT unit, name, own, total, known FROM snapshot_counter "  # noqa: S608  marks only
            f"WHERE snapshot=? AND unit IN ({','.join('?' * len(part))}) ORDER BY unit, name",
            (snapshot, *part),
        ):
            found.setdefault(unit, {})[name] = Count(own, total, known)
    return tuple(UnitCounts(unit, found[unit]) for unit in units if unit in found)


def find_covering(database: Database, way: Sequence[str], start: datetime, end: datetime) -> Snapshot | None:
    """Give the newest snapshot whose period ended in a span, of one of these units; of one period, the first unit's."""
    rows = database.query(
        f"{_SELECT} WHERE unit IN ({','.join('?' * len(way))}) AND to_us >= ? AND to_us <= ? "
        "ORDER BY to_us DESC, version DESC",
        (*way, to_microseconds(start), to_microseconds(end)),
    )
    found = [_snapshot(row) for row in rows]
    newest = [one for one in found if one.end == found[0].end]
    return min(newest, key=lambda one: (way.index(one.unit), -one.version), default=None)


def read_own_counts(
    database: Database, snapshot: int, top: Unit, names: Sequence[str]
) -> dict[str, dict[str, int | None]]:
    """Give what units at and below one have of their own of some counters, by unit, in one question.

    A unit without any counter is left out; a counter nobody knew is None.
    """
    columns = ", ".join("max(CASE WHEN name=? THEN own END)" for _ in names)
    rows = database.query(
        f"SELECT unit, {columns} FROM snapshot_counter WHERE snapshot=? AND unit IN "  # noqa: S608  marks only
        "(SELECT code FROM unit WHERE path=? OR (path>=? AND path<?)) GROUP BY unit",
        (*names, snapshot, top.path, f"{top.path}/", f"{top.path}0"),
    )
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def read_ranking(database: Database, snapshot: int, name: str, limit: int) -> tuple[tuple[str, Count], ...]:
    """Give the units with the most of their own of a counter, the most first; zeros and unknown ones are left out.

    Totals are at least what a unit has of its own, so the rank of totals is walked until no better one can follow.
    """
    best: list[tuple[str, Count]] = []
    rows = database.stream(
        "SELECT unit, own, total, known FROM snapshot_counter WHERE snapshot=? AND name=? AND total>0 "
        "ORDER BY total DESC, unit",
        (snapshot, name),
    )
    for unit, own, total, known in rows:
        if len(best) >= limit and total < (best[limit - 1][1].own or 0):
            break
        if own:
            best.append((unit, Count(own, total, known)))
            best.sort(key=lambda pair: (-(pair[1].own or 0), pair[0]))
            del best[limit:]
    return tuple(best)


def read_states_at(database: Database, unit: str, at: datetime) -> Iterator[FindingAt]:
    """Give a unit's findings as they stood then, by their events; drills left out."""
    rows = database.query(
        "SELECT severity, due_us, source, rule, (SELECT after FROM finding_event "
        "WHERE finding_event.finding = finding.id AND finding_event.at_us <= ? ORDER BY finding_event.id DESC LIMIT 1) "
        "FROM finding WHERE unit=? AND exercise IS NULL",
        (to_microseconds(at), unit),
    )
    for severity, due_us, source, rule, state in rows:
        if state is not None:
            due = None if due_us is None else from_microseconds(due_us)
            yield FindingAt(Severity(severity), FindingState(state), due, FindingSource(source), rule)


def count_turns(database: Database, unit: str, start: datetime, end: datetime) -> dict[tuple[str, str], int]:
    """Count the findings of a unit that went from one state to another in a period, by (before, after); no drills."""
    rows = database.query(
        "SELECT finding_event.before, finding_event.after, count(DISTINCT finding_event.finding) FROM finding_event "
        "JOIN finding ON finding.id = finding_event.finding WHERE finding.unit=? AND finding.exercise IS NULL "
        "AND finding_event.exercise IS NULL AND finding_event.at_us >= ? AND finding_event.at_us <= ? "
        "AND finding_event.before != finding_event.after GROUP BY finding_event.before, finding_event.after",
        (unit, to_microseconds(start), to_microseconds(end)),
    )
    return {(before, after): int(count) for before, after, count in rows}


def read_known_units(database: Database) -> frozenset[str]:
    """Give the codes of the units of which anything arrived here: a run, a capture, a line of a register, a finding."""
    tables = ("run", "capture", "register", "finding")
    rows = database.query(" UNION ".join(f"SELECT unit FROM {table}" for table in tables))  # noqa: S608
    return frozenset(str(row[0]) for row in rows)


def _snapshot(row: Row) -> Snapshot:
    return Snapshot(
        id=row[0],
        unit=row[1],
        label=row[2],
        start=from_microseconds(row[3]),
        end=from_microseconds(row[4]),
        version=row[5],
        pack_hash=row[6],
        frozen_at=from_microseconds(row[7]),
        actor=row[8],
        reason=row[9],
    )
