"""What a unit says about itself: answers, contacts (sealed), exits, and what stays out; ended, never deleted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import chain

from sentinel.errors import StoreError, UsageError
from sentinel.model.moment import from_microseconds, to_microseconds
from sentinel.model.plain import read_plain_prefix
from sentinel.model.register import Contact, Exit, KeepOut, Person
from sentinel.model.unit import IPNetwork, Unit, UnitLevel
from sentinel.store.closings import has_unopened_finding
from sentinel.store.database import Database, Row, Transaction
from sentinel.store.engine import Cursor
from sentinel.store.register import open_person, pack_person, read_register
from sentinel.store.seal import Seal
from sentinel.store.sightings import has_unopened_account
from sentinel.store.systems import has_unopened_systems, read_systems
from sentinel.store.units import find_unit, read_units


def write_answer(transaction: Transaction, unit: str, name: str, value: str) -> None:
    """Keep an answer of a unit, in place of an earlier one."""
    before = read_answers(transaction.database, unit).get(name)
    transaction.execute(
        "INSERT INTO answer (unit, name, value, at_us) VALUES (?,?,?,?) "
        "ON CONFLICT (unit, name) DO UPDATE SET value=excluded.value, at_us=excluded.at_us",
        (unit, name, value, to_microseconds(transaction.now)),
    )
    transaction.audit("answer.set", f"answer {name} of unit {unit}", before=before, after=value)


def read_answers(database: Database, unit: str) -> dict[str, str]:
    """Give the answers of a unit by name."""
    return {
        str(name): str(value) for name, value in database.query("SELECT name, value FROM answer WHERE unit=?", (unit,))
    }


def write_contact(transaction: Transaction, unit: str, role: str, person: Person, seal: Seal | None) -> Contact:
    """Name a person for a task, in place of whoever had it, who is forgotten; the audit tells the task, never whose.

    Raises:
        ValueError: there is no seal to close the person with.
    """
    moment = to_microseconds(transaction.now)
    before = transaction.execute(
        "UPDATE contact SET ended_us=?, sealed=? WHERE unit=? AND role=? AND ended_us IS NULL",
        (moment, b"", unit, role),
    ).rowcount
    row = transaction.execute(
        "INSERT INTO contact (unit, role, sealed, since_us, verified_us) VALUES (?,?,?,?,?) RETURNING id",
        (unit, role, pack_person(person, seal, contact_place(unit, role, moment)), moment, moment),
    ).fetchone()
    stored = Contact(row[0], unit, role, person, transaction.now, transaction.now)
    after = {"role": role, "in_place_of": before}
    transaction.audit("contact.set", f"contact {stored.id} of unit {unit}", after=after)
    return stored


def write_contacts(transaction: Transaction, role: str, persons: Mapping[str, Person], seal: Seal | None) -> int:
    """Name a person for a task at many units, in place of whoever had it; tells at how many somebody else had it.

    Who is named already stays as it is. The caller audits.

    Raises:
        ValueError: there is no seal to close the persons with.
    """
    moment = to_microseconds(transaction.now)
    rows = transaction.database.query(
        "SELECT id, unit, sealed, since_us FROM contact WHERE role=? AND ended_us IS NULL", (role,)
    )
    known = {
        str(unit): (int(number), open_person(sealed, seal, contact_place(unit, role, since)))
        for number, unit, sealed, since in rows
        if unit in persons
    }
    new = {unit: person for unit, person in persons.items() if unit not in known or known[unit][1] != person}
    transaction.execute_many(
        "UPDATE contact SET ended_us=?, sealed=? WHERE id=?",
        ((moment, b"", known[unit][0]) for unit in new if unit in known),
    )
    transaction.execute_many(
        "INSERT INTO contact (unit, role, sealed, since_us, verified_us) VALUES (?,?,?,?,?)",
        (
            (unit, role, pack_person(person, seal, contact_place(unit, role, moment)), moment, moment)
            for unit, person in new.items()
        ),
    )
    return len(new)


def read_contacts(database: Database, unit: str, seal: Seal | None = None) -> tuple[Contact, ...]:
    """Give the contacts of a unit in force; without the right seal their person is None."""
    rows = database.query(
        "SELECT id, role, sealed, since_us, verified_us FROM contact WHERE unit=? AND ended_us IS NULL ORDER BY id",
        (unit,),
    )
    return tuple(
        Contact(
            id=row[0],
            unit=unit,
            role=row[1],
            person=open_person(row[2], seal, contact_place(unit, row[1], row[3])),
            since=from_microseconds(row[3]),
            verified=from_microseconds(row[4]),
        )
        for row in rows
    )


def read_stale_contacts(
    database: Database, before: datetime, below: Unit | None = None, seal: Seal | None = None
) -> tuple[Contact, ...]:
    """Give the contacts in force nobody has found right since a moment, of all units or of one and those below it.

    The longest unverified first; without the right seal their person is None.
    """
    path = below.path if below else ""
    rows = database.query(
        "SELECT c.id, c.unit, c.role, c.sealed, c.since_us, c.verified_us FROM contact c JOIN unit u ON u.code=c.unit "
        "WHERE c.ended_us IS NULL AND c.verified_us<? AND (u.path=? OR (u.path>=? AND u.path<?)) "
        "ORDER BY c.verified_us, c.id",
        (to_microseconds(before), path, f"{path}/" if path else "", f"{path}0" if path else "\U0010ffff"),
    )
    return tuple(
        Contact(
            id=row[0],
            unit=row[1],
            role=row[2],
            person=open_person(row[3], seal, contact_place(row[1], row[2], row[4])),
            since=from_microseconds(row[4]),
            verified=from_microseconds(row[5]),
        )
        for row in rows
    )


def count_contacts(database: Database, unit: str) -> int:
    """Count the persons a unit named to be called, without opening who they are."""
    row = database.one("SELECT count(*) FROM contact WHERE unit=? AND ended_us IS NULL", (unit,))
    return int(row[0]) if row else 0


def has_unopened(database: Database, seal: Seal | None) -> bool:
    """Tell whether a person in force, anywhere in the home, cannot be opened with this seal."""
    named = (
        "SELECT unit FROM contact WHERE ended_us IS NULL UNION SELECT unit FROM register WHERE withdrawn_us IS NULL "
        "UNION SELECT unit FROM system"
    )
    units = [str(code) for (code,) in list(database.query(named))]
    contacts = (one.person for unit in units for one in read_contacts(database, unit, seal))
    lines = (one.person for unit in units for one in read_register(database, unit, seal))
    systems = (has_unopened_systems(read_systems(database, unit, seal)) for unit in units)
    persons = any(person is None for person in chain(contacts, lines))
    logs_or_findings = has_unopened_account(database, seal) or has_unopened_finding(database, seal)
    return persons or any(systems) or logs_or_findings


def verify_contact(transaction: Transaction, contact: Contact) -> None:
    """Note that a contact was found right now.

    Raises:
        UsageError: it was ended meanwhile.
    """
    cursor = transaction.execute(
        "UPDATE contact SET verified_us=? WHERE id=? AND ended_us IS NULL",
        (to_microseconds(transaction.now), contact.id),
    )
    _check_touched(cursor, contact)
    transaction.audit("contact.verify", f"contact {contact.id} of unit {contact.unit}", after={"role": contact.role})


def end_contact(transaction: Transaction, contact: Contact) -> None:
    """End a contact now and forget who it was: nobody needs the person any more.

    Raises:
        UsageError: it was ended meanwhile.
    """
    cursor = transaction.execute(
        "UPDATE contact SET ended_us=?, sealed=? WHERE id=? AND ended_us IS NULL",
        (to_microseconds(transaction.now), b"", contact.id),
    )
    _check_touched(cursor, contact)
    transaction.audit("contact.end", f"contact {contact.id} of unit {contact.unit}", before={"role": contact.role})


def _check_touched(cursor: Cursor, contact: Contact) -> None:
    if cursor.rowcount != 1:
        raise UsageError(
            f"contact {contact.id} of unit {contact.unit} was ended or replaced meanwhile; "
            "`sentinel unit contact list` shows who is named now"
        )


def reseal_contacts(transaction: Transaction, before: str, after: str, seal: Seal | None) -> None:
    """Seal the contacts of a unit for its new code, which they carry already.

    Raises:
        StoreError: there are some and the key that opens them is not here.
    """
    rows = transaction.execute(
        "SELECT id, role, since_us, sealed FROM contact WHERE unit=? AND sealed!=?", (after, b"")
    ).fetchall()
    for number, role, since_us, sealed in rows:
        person = open_person(sealed, seal, contact_place(before, role, since_us))
        if person is None:
            raise StoreError("there is a contact and the contact key that opens it is not on this machine")
        packed = pack_person(person, seal, contact_place(after, role, since_us))
        transaction.execute("UPDATE contact SET sealed=? WHERE id=?", (packed, number))


def contact_place(unit: str, role: str, since_us: int) -> str:
    """Name the place a contact's person is sealed for."""
    return json.dumps(["contact", unit, role, since_us], ensure_ascii=False)


def write_exit(transaction: Transaction, one: Exit) -> Exit:
    """Add a way to the internet, in place of an earlier one of the same name."""
    moment = to_microseconds(transaction.now)
    before = next((old for old in read_exits(transaction.database, one.unit) if old.name == one.name), None)
    if before:
        transaction.execute("UPDATE exit SET withdrawn_us=? WHERE id=?", (moment, before.id))
    row = transaction.execute(
        "INSERT INTO exit (unit, name, prefixes, provider, line) VALUES (?,?,?,?,?) RETURNING id",
        (one.unit, one.name, _text(one.prefixes), one.provider, one.line),
    ).fetchone()
    stored = replace(one, id=row[0])
    transaction.audit(
        "exit.change" if before else "exit.add",
        f"exit {one.name} of unit {one.unit}",
        before=[str(prefix) for prefix in before.prefixes] if before else None,
        after=[*(str(prefix) for prefix in one.prefixes), *filter(None, (one.provider, one.line))],
    )
    return stored


def withdraw_exit(transaction: Transaction, one: Exit) -> None:
    """End a way to the internet now."""
    transaction.execute("UPDATE exit SET withdrawn_us=? WHERE id=?", (to_microseconds(transaction.now), one.id))
    before = [str(prefix) for prefix in one.prefixes]
    transaction.audit("exit.withdraw", f"exit {one.name} of unit {one.unit}", before=before)


def read_exits(database: Database, unit: str) -> tuple[Exit, ...]:
    """Give the ways of a unit to the internet, oldest first."""
    rows = database.query(
        "SELECT id, unit, name, prefixes, provider, line FROM exit WHERE unit=? AND withdrawn_us IS NULL ORDER BY id",
        (unit,),
    )
    return tuple(Exit(row[0], row[1], row[2], _prefixes(row[3]), row[4], row[5]) for row in rows)


def write_keep_out(transaction: Transaction, one: KeepOut) -> KeepOut:
    """Add addresses that are neither touched nor stored; the audit row counts them and does not name them."""
    row = transaction.execute(
        "INSERT INTO keep_out (unit, prefixes, reason) VALUES (?,?,?) RETURNING id",
        (one.unit, _text(one.prefixes), one.reason),
    ).fetchone()
    stored = replace(one, id=row[0])
    after = {"ranges": len(one.prefixes), "reason": one.reason}
    transaction.audit("keep_out.add", f"keep-out {stored.id} of unit {one.unit}", after=after)
    return stored


def withdraw_keep_out(transaction: Transaction, unit: str, number: int, why: str) -> None:
    """Let addresses in again.

    Raises:
        UsageError: the unit has none with this id in force.
    """
    cursor = transaction.execute(
        "UPDATE keep_out SET withdrawn_us=? WHERE id=? AND unit=? AND withdrawn_us IS NULL",
        (to_microseconds(transaction.now), number, unit),
    )
    if cursor.rowcount != 1:
        raise UsageError(f"unit {unit} has no keep-out {number} in force; `sentinel unit keep-out list` shows them")
    transaction.audit(
        "keep_out.withdraw", f"keep-out {number} of unit {unit}", before="in force", after={"reason": why}
    )


def read_keep_outs(database: Database, unit: str) -> tuple[KeepOut, ...]:
    """Give what stays out of a unit, oldest first."""
    rows = database.query(
        "SELECT id, unit, prefixes, reason FROM keep_out WHERE unit=? AND withdrawn_us IS NULL ORDER BY id", (unit,)
    )
    return tuple(_keep_out(row) for row in rows)


def read_campus_keep_outs(database: Database, unit: str) -> tuple[KeepOut, ...]:
    """Give what stays out of a unit and of all that share its campus: a school with its departments.

    Other schools count for nothing: private addresses repeat in each of them.
    """
    campus = _find_campus(database, unit)
    if campus is None:
        return read_keep_outs(database, unit)
    rows = database.query(
        "SELECT keep_out.id, keep_out.unit, prefixes, reason FROM keep_out JOIN unit ON unit.code = keep_out.unit "
        "WHERE withdrawn_us IS NULL AND (unit.code = ? OR (unit.level = 'department' AND unit.path >= ? "
        "AND unit.path < ?)) ORDER BY keep_out.id",
        (campus.code, f"{campus.path}/", f"{campus.path}0"),  # '0' follows '/' in the order of bytes
    )
    return tuple(one for one in map(_keep_out, list(rows)) if _find_campus(database, one.unit) == campus)


def read_campus(database: Database, unit: str) -> tuple[Unit, ...]:
    """Give all units that share a unit's campus, the unit itself among them."""
    campus = _find_campus(database, unit)
    if campus is None:
        return ()
    found = {campus.code: campus}
    for one in read_units(database, campus):  # parents before children
        if one.level is UnitLevel.DEPARTMENT and one.parent in found:
            found[one.code] = one
    return tuple(found.values())


def _find_campus(database: Database, code: str) -> Unit | None:
    """Give the unit itself, for a department the first unit above that is none."""
    unit = find_unit(database, code)
    while unit and unit.level is UnitLevel.DEPARTMENT and unit.parent:
        unit = find_unit(database, unit.parent)
    return unit


def _keep_out(row: Row) -> KeepOut:
    return KeepOut(row[0], row[1], _prefixes(row[2]), row[3])


def _text(prefixes: Iterable[IPNetwork]) -> str:
    return json.dumps([str(prefix) for prefix in prefixes])


def _prefixes(text: str) -> tuple[IPNetwork, ...]:
    return tuple(read_plain_prefix(piece) for piece in json.loads(text))
