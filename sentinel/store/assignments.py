"""Assignments with their items, events and files: issued, moved on by events only ever added, read as values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sentinel.errors import UsageError
from sentinel.model.assignment import (
    Act,
    Assignment,
    AssignmentEvent,
    AssignmentFile,
    AssignmentItem,
    AssignmentKind,
    AssignmentState,
)
from sentinel.model.moment import SHANGHAI, from_microseconds, from_optional, to_microseconds, to_optional
from sentinel.store.database import Database, Row, Transaction

_FIELDS = (
    "number, kind, unit, issuer, assignee, title, due_us, state, issued_us, received_us, replied_us, reviewed_us, "
    "ended_us, replies, escalations, escalated_to, exercise"
)
_SELECT = f"SELECT id, {_FIELDS} FROM assignment"  # noqa: S608  constant columns


def write_assignment(transaction: Transaction, draft: Assignment, *, rectification: int | None = None) -> Assignment:
    """Issue an assignment now, with its first event; gives it back with id and number. The caller writes the audit row.

    `rectification` is the row id of the order it carries, whose number it shares.
    """
    issued = replace(
        draft, number=draft.number or _next_number(transaction), state=AssignmentState.ISSUED, issued_at=transaction.now
    )
    row = transaction.execute(
        f"INSERT INTO assignment ({_FIELDS}, rectification) "  # noqa: S608
        f"VALUES ({','.join('?' * 18)}) RETURNING id",
        (*_values(issued), rectification),
    ).fetchone()
    stored = replace(issued, id=int(row[0]))
    transaction.execute_many(
        "INSERT INTO assignment_item (assignment, position, kind, reference) VALUES (?,?,?,?)",
        ((stored.id, position, one.kind, one.reference) for position, one in enumerate(stored.items, start=1)),
    )
    _write_event(
        transaction,
        stored.id,
        AssignmentEvent(Act.ISSUE, transaction.now, transaction.actor, exercise=stored.exercise),
    )
    return stored


def write_step(transaction: Transaction, moved: Assignment, event: AssignmentEvent) -> None:
    """Add an event and keep where the assignment stands after it."""
    _write_event(transaction, moved.id, event)
    transaction.execute(
        "UPDATE assignment SET state=?, received_us=?, replied_us=?, reviewed_us=?, ended_us=?, replies=?, "
        "escalations=?, escalated_to=? WHERE id=?",
        (
            moved.state.value,
            to_optional(moved.received_at),
            to_optional(moved.replied_at),
            to_optional(moved.reviewed_at),
            to_optional(moved.ended_at),
            moved.replies,
            moved.escalations,
            moved.escalated_to,
            moved.id,
        ),
    )
    after = {"state": moved.state, "files": [one.sha256 for one in event.files]} | (
        {"to": event.to} if event.to else {}
    )
    transaction.audit(f"assignment.{event.act}", f"assignment {moved.number}", after=after)


def _write_event(transaction: Transaction, assignment: int, event: AssignmentEvent) -> None:
    row = transaction.execute(
        "INSERT INTO assignment_event (assignment, act, at_us, actor, reason, recipient, exercise) "
        "VALUES (?,?,?,?,?,?,?) RETURNING id",
        (
            assignment,
            event.act.value,
            to_microseconds(event.at),
            event.actor,
            event.reason,
            event.to,
            event.exercise or None,
        ),
    ).fetchone()
    files = {one.sha256: one for one in event.files}
    transaction.execute_many(
        "INSERT INTO assignment_file (event, sha256, name) VALUES (?,?,?)",
        ((int(row[0]), one.sha256, one.name) for one in files.values()),
    )


def read_assignments(
    database: Database, units: Sequence[str], kind: AssignmentKind | None = None
) -> Iterator[Assignment]:
    """Give the assignments of units, of one kind or of all, newest first."""
    for unit in units:
        clause, values = ("", (unit,)) if kind is None else (" AND kind=?", (unit, kind.value))
        for row in list(database.query(f"{_SELECT} WHERE unit=?{clause} ORDER BY id DESC", values)):
            yield _assignment(database, row)


def find_assignment(database: Database, reference: str) -> Assignment | None:
    """Give an assignment by its number or its row id."""
    if reference.isascii() and reference.isdigit():
        row = database.one(f"{_SELECT} WHERE id=?", (int(reference),)) if len(reference) <= 18 else None
    else:
        row = database.one(f"{_SELECT} WHERE number=?", (reference,))
    return _assignment(database, row) if row else None


def reread_assignment(transaction: Transaction, known: Assignment) -> Assignment:
    """Give an assignment that was read before as it stands now that nobody else can change it.

    Raises:
        UsageError: it was removed meanwhile.
    """
    found = find_assignment(transaction.database, str(known.id))
    if found is None:
        raise UsageError(f"{known.number} was removed meanwhile; `sentinel assignment list` shows what is there")
    return found


def read_assignment_events(database: Database, assignment: int) -> tuple[AssignmentEvent, ...]:
    """Give the events of an assignment, oldest first, with their files."""
    files: dict[int, list[AssignmentFile]] = {}
    for event, sha256, name in database.query(
        "SELECT event, sha256, name FROM assignment_file "
        "WHERE event IN (SELECT id FROM assignment_event WHERE assignment=?) ORDER BY event, name",
        (assignment,),
    ):
        files.setdefault(int(event), []).append(AssignmentFile(sha256, name))
    rows = database.query(
        "SELECT id, act, at_us, actor, reason, recipient, exercise FROM assignment_event "
        "WHERE assignment=? ORDER BY id",
        (assignment,),
    )
    return tuple(
        AssignmentEvent(
            act=Act(row[1]),
            at=from_microseconds(row[2]),
            actor=row[3],
            reason=row[4],
            files=tuple(files.get(int(row[0]), ())),
            to=row[5],
            exercise=row[6] or "",
        )
        for row in rows
    )


def _next_number(transaction: Transaction) -> str:
    prefix = f"任务-{transaction.now.astimezone(SHANGHAI).year}-"
    row = transaction.execute(
        "SELECT max(CAST(substr(number, ?) AS INTEGER)) FROM assignment WHERE number LIKE ?",
        (len(prefix) + 1, f"{prefix}%"),
    ).fetchone()
    return f"{prefix}{int(row[0] or 0) + 1:04d}"


def _values(one: Assignment) -> tuple[object, ...]:
    return (
        one.number,
        one.kind.value,
        one.unit,
        one.issuer,
        one.assignee,
        one.title,
        to_optional(one.due),
        one.state.value,
        to_optional(one.issued_at),
        to_optional(one.received_at),
        to_optional(one.replied_at),
        to_optional(one.reviewed_at),
        to_optional(one.ended_at),
        one.replies,
        one.escalations,
        one.escalated_to,
        one.exercise or None,
    )


def _assignment(database: Database, row: Row) -> Assignment:
    items = database.query(
        "SELECT kind, reference FROM assignment_item WHERE assignment=? ORDER BY position", (row[0],)
    )
    return Assignment(
        id=row[0],
        number=row[1],
        kind=AssignmentKind(row[2]),
        unit=row[3],
        issuer=row[4],
        assignee=row[5],
        title=row[6],
        due=from_optional(row[7]),
        items=tuple(AssignmentItem(kind, reference) for kind, reference in items),
        state=AssignmentState(row[8]),
        issued_at=from_microseconds(row[9]),
        received_at=from_optional(row[10]),
        replied_at=from_optional(row[11]),
        reviewed_at=from_optional(row[12]),
        ended_at=from_optional(row[13]),
        replies=row[14],
        escalations=row[15],
        escalated_to=row[16],
        exercise=row[17] or "",
    )
