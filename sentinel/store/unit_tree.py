"""The tree of units: moved, renamed and filled in bulk, each change dated; any unit as it was on a day."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sentinel.errors import UsageError
from sentinel.model.moment import iso_utc, to_microseconds, to_optional
from sentinel.model.unit import DEFAULT_NETWORK, Unit, Zone
from sentinel.model.unit_history import DATED, state_at
from sentinel.store.database import Database, Transaction
from sentinel.store.unit_history import read_parents_at, read_timeline, record_change
from sentinel.store.units import check_place, find_unit, reread_unit


def move_unit(transaction: Transaction, unit: Unit, parent: Unit | None, at: datetime, why: str) -> Unit:
    """Put a unit, with all below it, under another one from a moment on; None: at the root.

    Raises:
        UsageError: the new parent stands below the unit, now or then, or is of a lower level, or the moment is to come.
    """
    database = transaction.database
    unit, parent = reread_unit(transaction, unit), reread_unit(transaction, parent) if parent else None
    code = parent.code if parent else ""
    check_place(database, unit, parent)
    if parent and unit.code in _way_up(database, parent.code, at):
        raise UsageError(f"{parent.code} stood below {unit.code} then: a unit cannot stand below itself")
    moved = record_change(transaction, unit, at, {"parent": code}, why)
    if moved.parent != unit.parent:
        if parent and moved.parent == code and f"{parent.path}/".startswith(f"{unit.path}/"):
            raise UsageError(f"{parent.code} stands below {unit.code}: a unit cannot stand below itself")
        above = find_unit(database, moved.parent) if moved.parent else None
        moved = replace(moved, path=f"{above.path}/{unit.code}" if above else unit.code)
        _write_path(transaction, unit.path, moved.path)
    _write_present(transaction, moved)
    _audit(transaction, "unit.move", unit, moved, {"parent": code, "at": iso_utc(at), "why": why})
    return moved


def rename_unit(transaction: Transaction, unit: Unit, name: str, at: datetime, why: str) -> Unit:
    """Give a unit another name from a moment on; the one it has now becomes an alias.

    A name that arrives late, after a later one is known, becomes an alias itself.

    Raises:
        UsageError: the moment is to come.
    """
    unit = reread_unit(transaction, unit)
    renamed = record_change(transaction, unit, at, {"name": name}, why)
    renamed = replace(renamed, aliases=_with_names(unit.aliases, (unit.name, name), renamed.name))
    _write_present(transaction, renamed)
    _audit(transaction, "unit.rename", unit, renamed, {"name": name, "at": iso_utc(at), "why": why})
    return renamed


def _with_names(aliases: tuple[str, ...], names: Iterable[str], present: str) -> tuple[str, ...]:
    """Add names a unit was called by to its aliases; the present one is none, unless it was written as one."""
    return tuple(dict.fromkeys((*aliases, *(name for name in names if name != present))))


def _audit(transaction: Transaction, action: str, before: Unit, after: Unit, words: dict[str, object]) -> None:
    was = {"name": before.name, "parent": before.parent}
    now = {"now": {"name": after.name, "parent": after.parent, "path": after.path}}
    transaction.audit(action, f"unit {before.code}", before=was, after=words | now)


def _write_path(transaction: Transaction, before: str, after: str) -> None:
    """Give a unit and all below it their new paths, in one statement."""
    transaction.execute(
        "UPDATE unit SET path=? || substr(path, ?) WHERE path=? OR (path>=? AND path<?)",
        (after, len(before) + 1, before, f"{before}/", f"{before}0"),  # '0' follows '/' in the order of bytes
    )


def _write_present(transaction: Transaction, *units: Unit) -> None:
    transaction.execute_many(
        "UPDATE unit SET name=?, level=?, parent=?, region=?, kind=?, affiliation=?, since_us=?, credit=?, aliases=?, "
        "valid_from_us=?, valid_to_us=? WHERE code=?",
        (
            (
                *(str(getattr(one, name)) for name in DATED),
                to_optional(one.since),
                one.credit,
                json.dumps(one.aliases, ensure_ascii=False),
                to_optional(one.valid_from),
                to_optional(one.valid_to),
                one.code,
            )
            for one in units
        ),
    )


def read_unit_at(database: Database, unit: Unit, at: datetime | None) -> Unit:
    """Give a unit with the name, level, parent, path, region and kind it had at a moment (None: now)."""
    if at is None:
        return unit
    then = state_at(read_timeline(database, unit), at)
    fields = {name: getattr(then, name) for name in DATED}
    way = [unit.code, *_way_up(database, then.parent, at)] if then.parent else [unit.code]
    return replace(unit, since=then.since, path="/".join(reversed(way)), **fields)


def _way_up(database: Database, code: str, at: datetime) -> list[str]:
    """Give a code and those above it at a moment, from below; where a way leads back to itself it ends."""
    told = read_parents_at(database, at)
    way: list[str] = []
    while code and code not in way:
        way.append(code)
        unit = find_unit(database, code) if code not in told else None
        code = told.get(code, unit.parent if unit else "")
    return way


def insert_units(transaction: Transaction, units: Iterable[Unit]) -> None:
    """Add many units that were checked, with their paths, each with its default network. The caller audits."""
    units = tuple(units)
    transaction.execute_many(
        "INSERT INTO unit (code, name, level, parent, path, region, created_us, credit, kind, affiliation, aliases, "
        "valid_from_us, valid_to_us) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            (
                one.code,
                one.name,
                str(one.level),
                one.parent,
                one.path,
                one.region,
                to_microseconds(transaction.now),
                one.credit,
                str(one.kind),
                one.affiliation,
                json.dumps(one.aliases, ensure_ascii=False),
                to_optional(one.valid_from),
                to_optional(one.valid_to),
            )
            for one in units
        ),
    )
    transaction.execute_many(
        "INSERT INTO network (unit, name, zone, prefixes, scannable) VALUES (?,?,?,'[]',?)",
        ((one.code, DEFAULT_NETWORK, str(Zone.UNKNOWN), True) for one in units),
    )


def update_units(
    transaction: Transaction,
    changed: Iterable[tuple[Unit, Unit]],
    paths: Mapping[str, str],
    at: datetime,
    why: str,
) -> None:
    """Change many units that were checked from a moment on, and write the paths by code. The caller audits.

    Raises:
        UsageError: the moment lies in the future.
    """
    written = []
    for before, after in changed:
        fields = {name: getattr(after, name) for name in DATED if getattr(after, name) != getattr(before, name)}
        dated = record_change(transaction, before, at, fields, why) if fields else before
        aliases = _with_names(after.aliases, (before.name, after.name), dated.name)
        kept = {name: getattr(dated, name) for name in DATED}
        written.append(replace(after, since=dated.since, aliases=aliases, **kept))
    _write_present(transaction, *written)
    transaction.execute_many("UPDATE unit SET path=? WHERE code=?", ((path, code) for code, path in paths.items()))
