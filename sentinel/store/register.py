"""The unit's own register: lines in and out, the persons in them sealed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from ipaddress import ip_network

from sentinel.errors import StoreError
from sentinel.model.moment import from_microseconds, from_optional, to_microseconds, to_optional
from sentinel.model.ports import parse_ranges
from sentinel.model.register import Person, RegisterEntry
from sentinel.store.database import Database, Row, Transaction
from sentinel.store.seal import Seal

_FIELDS = (
    "unit, source, source_sha256, sheet, row, system, addresses, domains, ports, department, person, mlps_level, "
    "filing, kind, place, note, valid_from_us, valid_to_us, imported_us"
)


def write_register(
    transaction: Transaction, entries: Iterable[RegisterEntry], seal: Seal | None
) -> tuple[RegisterEntry, ...]:
    """Add lines, imported at the transaction's time; gives them back with their ids. The caller writes the audit row.

    Raises:
        ValueError: a line names a person and there is no seal to close it with.
    """
    written = []
    for entry in entries:
        stored = replace(entry, imported_at=transaction.now)
        row = transaction.execute(
            f"INSERT INTO register ({_FIELDS}) VALUES ({','.join('?' * 19)}) RETURNING id",  # noqa: S608  constant columns
            _values(stored, seal),
        ).fetchone()
        written.append(replace(stored, id=row[0]))
    return tuple(written)


def withdraw_register(transaction: Transaction, ids: Iterable[int]) -> None:
    """End lines now; they stay in the store. The caller writes the audit row."""
    moment = to_microseconds(transaction.now)
    transaction.execute_many(
        "UPDATE register SET withdrawn_us=? WHERE id=? AND withdrawn_us IS NULL", ((moment, one) for one in ids)
    )


def read_register(database: Database, unit: str, seal: Seal | None = None) -> tuple[RegisterEntry, ...]:
    """Give the lines of a unit that were not withdrawn, in the order of their files and rows.

    Without the seal they were closed with, the person of a line that names one is None.
    """
    rows = database.query(
        f"SELECT id, {_FIELDS} FROM register WHERE unit=? AND withdrawn_us IS NULL ORDER BY id",  # noqa: S608
        (unit,),
    )
    return tuple(_entry(row, seal) for row in rows)


def pack_person(person: Person, seal: Seal | None, place: str) -> bytes:
    """Seal a person for a place; nobody takes no bytes.

    Raises:
        ValueError: there is somebody and no seal.
    """
    if person.is_nobody:
        return b""
    if seal is None:
        raise ValueError("a person cannot be stored without the contact key")
    return seal.close(json.dumps(asdict(person), ensure_ascii=False), place)


def open_person(sealed: bytes, seal: Seal | None, place: str) -> Person | None:
    """Open a person; None when the seal is not there or not the right one."""
    if not sealed:
        return Person()
    text = seal.open(sealed, place) if seal else None
    return Person(**json.loads(text)) if text is not None else None


def _place(unit: str, source_sha256: str, sheet: str, row: int) -> str:
    return json.dumps(["register", unit, source_sha256, sheet, row], ensure_ascii=False)


def _values(one: RegisterEntry, seal: Seal | None) -> tuple[object, ...]:
    place = _place(one.unit, one.source_sha256, one.sheet, one.row)
    return (
        one.unit,
        one.source,
        one.source_sha256,
        one.sheet,
        one.row,
        one.system,
        json.dumps([str(prefix) for prefix in one.addresses]),
        json.dumps(one.domains, ensure_ascii=False),
        json.dumps([[proto, str(ports)] for proto, ports in one.ports]),
        one.department,
        pack_person(one.person or Person(), seal, place),
        one.mlps_level,
        one.filing,
        one.kind,
        one.place,
        one.note,
        to_optional(one.valid_from),
        to_optional(one.valid_to),
        to_optional(one.imported_at),
    )


def _entry(row: Row, seal: Seal | None) -> RegisterEntry:
    unit, source, source_sha256, sheet, number = row[1:6]
    return RegisterEntry(
        id=row[0],
        unit=unit,
        source=source,
        source_sha256=source_sha256,
        sheet=sheet,
        row=number,
        system=row[6],
        addresses=tuple(ip_network(piece) for piece in json.loads(row[7])),
        domains=tuple(json.loads(row[8])),
        ports=tuple((proto, parse_ranges(text)) for proto, text in json.loads(row[9])),
        department=row[10],
        person=open_person(row[11], seal, _place(unit, source_sha256, sheet, number)),
        mlps_level=row[12],
        filing=row[13],
        kind=row[14],
        place=row[15],
        note=row[16],
        valid_from=from_optional(row[17]),
        valid_to=from_optional(row[18]),
        imported_at=from_microseconds(row[19]),
    )


def reseal_register(transaction: Transaction, before: str, after: str, seal: Seal | None) -> None:
    """Seal the persons of a unit's lines for its new code, which the lines carry already.

    Raises:
        StoreError: a line names a person and the key that opens it is not here.
    """
    rows = transaction.execute(
        "SELECT id, source_sha256, sheet, row, person FROM register WHERE unit=? AND person!=?", (after, b"")
    ).fetchall()
    for number, sha256, sheet, row, sealed in rows:
        person = open_person(sealed, seal, _place(before, sha256, sheet, row))
        if person is None:
            raise StoreError("the register names persons and the contact key that opens them is not on this machine")
        packed = pack_person(person, seal, _place(after, sha256, sheet, row))
        transaction.execute("UPDATE register SET person=? WHERE id=?", (packed, number))
