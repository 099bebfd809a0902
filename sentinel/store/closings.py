"""The two closings of findings, and the persons who answer for findings (sealed)."""

from __future__ import annotations

import json
from datetime import datetime

from sentinel.model.finding import Closing, ClosingKind, Finding
from sentinel.model.moment import from_microseconds, from_optional, to_microseconds
from sentinel.model.register import Person
from sentinel.store.database import Database, Transaction
from sentinel.store.register import open_person, pack_person
from sentinel.store.seal import Seal


def write_closing(transaction: Transaction, finding: int, closing: Closing) -> None:
    """Add a closing of a finding; the caller writes the audit row."""
    transaction.execute(
        "INSERT INTO finding_closing (finding, kind, passed, at_us, by, evidence, document, note, actor, exercise) "
        "VALUES (?,?,?,?,?,?,?,?,?,?)",
        (
            finding,
            closing.kind.value,
            closing.passed,
            to_microseconds(closing.at),
            closing.by,
            closing.evidence,
            closing.document,
            closing.note,
            closing.actor or transaction.actor,
            closing.exercise or None,
        ),
    )


def read_closings(database: Database, finding: int) -> tuple[Closing, ...]:
    """Give the closings of a finding, oldest first, failed re-tests too."""
    rows = database.query(
        "SELECT kind, passed, at_us, by, evidence, document, note, actor, exercise FROM finding_closing "
        "WHERE finding=? ORDER BY id",
        (finding,),
    )
    return tuple(
        Closing(
            kind=ClosingKind(row[0]),
            passed=bool(row[1]),
            at=from_microseconds(row[2]),
            by=row[3],
            evidence=row[4],
            document=row[5],
            note=row[6],
            actor=row[7],
            exercise=row[8] or "",
        )
        for row in rows
    )


def write_finding_evidence(transaction: Transaction, finding: int, sha256: str) -> None:
    """Keep what was handed in to show a finding, also after newer evidence came; the caller writes the audit row."""
    transaction.execute(
        "INSERT INTO finding_evidence (finding, sha256, at_us) VALUES (?,?,?) ON CONFLICT (finding, sha256) DO NOTHING",
        (finding, sha256, to_microseconds(transaction.now)),
    )


def read_finding_evidence(database: Database, finding: int) -> tuple[str, ...]:
    """Give the SHA-256 of what was handed in to show a finding, oldest first."""
    rows = database.query("SELECT sha256 FROM finding_evidence WHERE finding=? ORDER BY at_us, sha256", (finding,))
    return tuple(str(row[0]) for row in rows)


def write_finding_person(transaction: Transaction, finding: Finding, person: Person, seal: Seal | None) -> None:
    """Say who answers for a finding, in place of an earlier one, who is forgotten; the caller writes the audit row.

    Raises:
        ValueError: there is somebody and no seal to close the person with.
    """
    packed = pack_person(person, seal, _place(finding.number)) or None
    transaction.execute("UPDATE finding SET person=? WHERE id=?", (packed, finding.id))


def read_finding_person(database: Database, finding: Finding, seal: Seal | None = None) -> Person | None:
    """Give who answers for a finding, nobody where nobody was named; None where the right seal is not here."""
    row = database.one("SELECT person FROM finding WHERE id=?", (finding.id,))
    return open_person(bytes(row[0]) if row and row[0] else b"", seal, _place(finding.number))


def has_unopened_finding(database: Database, seal: Seal | None) -> bool:
    """Tell whether the person of a finding cannot be opened with this seal."""
    rows = database.query("SELECT number, person FROM finding WHERE person IS NOT NULL")
    return any(open_person(bytes(sealed), seal, _place(number)) is None for number, sealed in rows)


def forget_finding_persons(transaction: Transaction, before: datetime) -> int:
    """Forget who answered for findings that were closed before a moment; gives how many. The caller audits."""
    cursor = transaction.execute(
        "UPDATE finding SET person=NULL WHERE person IS NOT NULL AND closed_us<? AND state IN ('verified', 'closed')",
        (to_microseconds(before),),
    )
    return int(cursor.rowcount)


def read_oldest_person(database: Database) -> datetime | None:
    """Give when the first of the closed findings that still name a person was closed."""
    row = database.one(
        "SELECT min(closed_us) FROM finding WHERE person IS NOT NULL AND state IN ('verified', 'closed')"
    )
    return from_optional(row[0]) if row else None


def read_newest_look(database: Database, unit: str) -> str:
    """Give the SHA-256 of the newest run of a unit that looked at ports; empty: there is none."""
    row = database.one(
        "SELECT evidence FROM run WHERE unit=? AND EXISTS (SELECT 1 FROM coverage WHERE coverage.run=run.id AND "
        "coverage.proto!='') ORDER BY time_us DESC, id DESC LIMIT 1",
        (unit,),
    )
    return str(row[0]) if row else ""


def _place(number: str) -> str:
    return json.dumps(["finding", number], ensure_ascii=False)
