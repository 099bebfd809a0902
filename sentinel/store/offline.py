"""Times in which something registered is off by plan (计划停用), in and out."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import ip_network

from sentinel.model.moment import from_microseconds, to_microseconds
from sentinel.model.system import PlannedOffline
from sentinel.store.database import Database, Transaction


def write_offline(transaction: Transaction, one: PlannedOffline) -> PlannedOffline:
    """Add a time; gives it back with its id. The caller writes the audit row."""
    (number,) = transaction.execute(
        "INSERT INTO planned_offline (unit, system, prefixes, begin_us, end_us, reason) VALUES (?,?,?,?,?,?) "
        "RETURNING id",
        (
            one.unit,
            one.system,
            json.dumps([str(prefix) for prefix in one.prefixes]),
            to_microseconds(one.begin),
            to_microseconds(one.end),
            one.reason,
        ),
    ).fetchone()
    return replace(one, id=number)


def read_offline(database: Database, unit: str) -> tuple[PlannedOffline, ...]:
    """Give the times of a unit that were not withdrawn, those that are over too, by their begin."""
    rows = database.query(
        "SELECT id, unit, begin_us, end_us, reason, system, prefixes FROM planned_offline "
        "WHERE unit=? AND withdrawn_us IS NULL ORDER BY begin_us, id",
        (unit,),
    )
    return tuple(
        PlannedOffline(
            row[0],
            row[1],
            from_microseconds(row[2]),
            from_microseconds(row[3]),
            row[4],
            row[5],
            tuple(ip_network(prefix) for prefix in json.loads(row[6])),
        )
        for row in rows
    )


def withdraw_offline(transaction: Transaction, number: int) -> None:
    """Withdraw a time; it stays in the store. The caller writes the audit row."""
    transaction.execute(
        "UPDATE planned_offline SET withdrawn_us=? WHERE id=? AND withdrawn_us IS NULL",
        (to_microseconds(transaction.now), number),
    )
