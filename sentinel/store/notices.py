"""Notices and their links to findings: written once, read as values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sentinel.errors import UsageError
from sentinel.model.finding import Disclosure, Finding
from sentinel.model.moment import from_optional, to_microseconds, to_optional
from sentinel.model.notice import Direction, Notice, NoticeKind
from sentinel.store.database import Database, Row, Transaction
from sentinel.store.findings import FINDING_SELECT, SEVERITY_RANK, build_finding

_FIELDS = "unit, number, issuer, title, kind, direction, issued_us, received_us, due_us, evidence, disclosure, exercise"
_SELECT = f"SELECT id, {_FIELDS} FROM notice"  # noqa: S608  constant columns


def write_notice(transaction: Transaction, notice: Notice) -> Notice:
    """Add a notice; gives it back with its id.

    Raises:
        UsageError: the unit has one of this issuer and number already.
    """
    place = (notice.unit, notice.direction.value, notice.issuer, notice.number)
    known = "SELECT 1 FROM notice WHERE unit=? AND direction=? AND issuer=? AND number=?"
    if transaction.execute(known, place).fetchone():
        raise UsageError(f"notice {notice.number} of {notice.issuer} is here already; `sentinel notice show` shows it")
    row = transaction.execute(
        f"INSERT INTO notice ({_FIELDS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) RETURNING id",  # noqa: S608
        (
            notice.unit,
            notice.number,
            notice.issuer,
            notice.title,
            notice.kind.value,
            notice.direction.value,
            to_optional(notice.issued_at),
            to_optional(notice.received_at),
            to_optional(notice.due),
            notice.evidence,
            notice.disclosure.value,
            notice.exercise or None,
        ),
    ).fetchone()
    stored = replace(notice, id=int(row[0]))
    after = {"issuer": stored.issuer, "kind": stored.kind, "direction": stored.direction, "evidence": stored.evidence}
    transaction.audit("notice.add", f"notice {stored.number} of unit {stored.unit}", after=after)
    return stored


def read_notices(database: Database, unit: str) -> Iterator[Notice]:
    """Give the notices of a unit, newest first."""
    yield from map(_notice, database.query(f"{_SELECT} WHERE unit=? ORDER BY id DESC", (unit,)))


def hide_titles(transaction: Transaction, notices: Iterable[Notice], title: str) -> None:
    """Put a word in place of the titles of notices."""
    for one in notices:
        transaction.execute("UPDATE notice SET title=? WHERE id=?", (title, one.id))
        transaction.audit("notice.hide", f"notice {one.id} of unit {one.unit}")


def find_notice(database: Database, unit: str, reference: str, issuer: str = "") -> Notice | None:
    """Give a notice of a unit by its number, and issuer where several share it, or by its row id.

    Raises:
        UsageError: several issuers used the number and none is named.
    """
    rows = list(database.query(f"{_SELECT} WHERE unit=? AND number=? ORDER BY id", (unit, reference)))
    found = [one for one in map(_notice, rows) if issuer in ("", one.issuer)]
    if len(found) > 1 and not issuer:
        raise UsageError(f"notice {reference} came from {len(found)} issuers; name it by its row id instead")
    if not found and reference.isascii() and reference.isdigit() and len(reference) <= 18 and not issuer:
        row = database.one(f"{_SELECT} WHERE unit=? AND id=?", (unit, int(reference)))
        return _notice(row) if row else None
    return found[0] if found else None


def link_finding(transaction: Transaction, notice: Notice, finding: Finding) -> bool:
    """Link a finding to a notice; false where it was already. The caller writes the audit row."""
    known = transaction.execute(
        "SELECT 1 FROM finding_notice WHERE notice=? AND finding=?", (notice.id, finding.id)
    ).fetchone()
    if known:
        return False
    transaction.execute(
        "INSERT INTO finding_notice (notice, finding, linked_us) VALUES (?,?,?)",
        (notice.id, finding.id, to_microseconds(transaction.now)),
    )
    return True


def unlink_finding(transaction: Transaction, notice: Notice, finding: Finding) -> bool:
    """Take a link away; false where there was none. The caller writes the audit row."""
    cursor = transaction.execute("DELETE FROM finding_notice WHERE notice=? AND finding=?", (notice.id, finding.id))
    return cursor.rowcount > 0


def read_notices_of(database: Database, finding: int) -> tuple[Notice, ...]:
    """Give the notices that speak of a finding, the one linked first first."""
    names = ", ".join(f"notice.{name.strip()}" for name in _FIELDS.split(","))
    rows = database.query(
        f"SELECT notice.id, {names} FROM notice JOIN finding_notice ON finding_notice.notice = notice.id "  # noqa: S608
        "WHERE finding_notice.finding=? ORDER BY finding_notice.linked_us, notice.id",
        (finding,),
    )
    return tuple(map(_notice, rows))


def read_notice_findings(database: Database, notice: int) -> tuple[Finding, ...]:
    """Give the findings a notice speaks of, worst first."""
    rows = database.query(
        f"{FINDING_SELECT} WHERE id IN (SELECT finding FROM finding_notice WHERE notice=?) "  # noqa: S608
        f"ORDER BY {SEVERITY_RANK}, first_seen_us, id",
        (notice,),
    )
    return tuple(map(build_finding, rows))


def count_notice_findings(database: Database, unit: str) -> dict[int, int]:
    """Count the findings each notice of a unit speaks of, by the notice's row id."""
    rows = database.query(
        "SELECT notice, count(*) FROM finding_notice WHERE notice IN (SELECT id FROM notice WHERE unit=?) "
        "GROUP BY notice",
        (unit,),
    )
    return {int(row[0]): int(row[1]) for row in rows}


def _notice(row: Row) -> Notice:
    return Notice(
        id=row[0],
        unit=row[1],
        number=row[2],
        issuer=row[3],
        title=row[4],
        kind=NoticeKind(row[5]),
        direction=Direction(row[6]),
        issued_at=from_optional(row[7]),
        received_at=from_optional(row[8]),
        due=from_optional(row[9]),
        evidence=row[10],
        disclosure=Disclosure(row[11]),
        exercise=row[12] or "",
    )
