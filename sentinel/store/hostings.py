"""Third parties that host something of a unit, and their consent: added, withdrawn, ended, never deleted."""

from __future__ import annotations

import json
from dataclasses import replace

from sentinel.errors import UsageError
from sentinel.model.hosting import Hosting
from sentinel.model.moment import from_microseconds, from_optional, to_microseconds, to_optional
from sentinel.model.plain import read_plain_prefix
from sentinel.model.scope import Target
from sentinel.store.database import Database, Transaction
from sentinel.store.declared import read_campus

_COLUMNS = "id, unit, party, targets, document, valid_from_us, valid_to_us, created_us, withdrawn_us"


def write_hosting(transaction: Transaction, one: Hosting) -> Hosting:
    """Add what a third party hosts, with its consent where there is one."""
    row = transaction.execute(
        "INSERT INTO hosting (unit, party, targets, document, valid_from_us, valid_to_us, created_us) "
        "VALUES (?,?,?,?,?,?,?) RETURNING id",
        (
            one.unit,
            one.party,
            json.dumps([target.text for target in one.targets], ensure_ascii=False),
            one.document,
            to_optional(one.valid_from),
            to_optional(one.valid_to),
            to_microseconds(transaction.now),
        ),
    ).fetchone()
    stored = replace(one, id=int(row[0]), created=transaction.now)
    transaction.audit("consent.add", f"hosting {stored.id} of unit {one.unit}", after=build_hosting_words(stored))
    return stored


def withdraw_hosting(transaction: Transaction, unit: str, number: int, why: str, *, moved: bool) -> None:
    """Withdraw a consent, after which nothing of it is touched; or, when it has `moved`, end the hosting itself.

    Raises:
        UsageError: the unit has none with this number, or its consent is withdrawn already.
    """
    column = "ended_us" if moved else "withdrawn_us"
    cursor = transaction.execute(
        f"UPDATE hosting SET {column}=? WHERE id=? AND unit=? AND ended_us IS NULL AND {column} IS NULL",  # noqa: S608
        (to_microseconds(transaction.now), number, unit),
    )
    if cursor.rowcount != 1:
        raise UsageError(f"unit {unit} has no such consent {number} in force; `sentinel scope consent list` shows them")
    action = "consent.end" if moved else "consent.withdraw"
    transaction.audit(action, f"hosting {number} of unit {unit}", before="in force", after={"reason": why})


def read_hostings(database: Database, unit: str) -> tuple[Hosting, ...]:
    """Give what is hosted of a unit, oldest first; those whose consent is over or withdrawn too."""
    rows = database.query(
        f"SELECT {_COLUMNS} FROM hosting WHERE unit=? AND ended_us IS NULL ORDER BY id",  # noqa: S608  constant columns
        (unit,),
    )
    return tuple(
        Hosting(
            row[0],
            row[1],
            row[2],
            tuple(_target(text) for text in json.loads(row[3])),
            row[4],
            from_optional(row[5]),
            from_optional(row[6]),
            from_microseconds(row[7]),
            from_optional(row[8]),
        )
        for row in rows
    )


def read_campus_hostings(database: Database, unit: str) -> tuple[Hosting, ...]:
    """Give what is hosted of a unit and of all that share its campus: a school with its departments."""
    campus = read_campus(database, unit)
    codes = [one.code for one in campus] or [unit]
    return tuple(one for code in codes for one in read_hostings(database, code))


def build_hosting_words(one: Hosting) -> dict[str, object]:
    """Write a hosting as plain values, for JSON and the audit."""
    return {
        "id": one.id,
        "unit": one.unit,
        "party": one.party,
        "targets": [target.text for target in one.targets],
        "document": one.document,
        "valid_from": one.valid_from,
        "valid_to": one.valid_to,
        "created": one.created,
        "withdrawn_at": one.withdrawn_at,
    }


def _target(text: str) -> Target:
    try:
        return Target(text, network=read_plain_prefix(text))
    except ValueError:
        return Target(text, name=text)
