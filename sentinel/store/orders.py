"""Rectification orders: written once with their findings, read as values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sentinel.model.assignment import Assignment, AssignmentItem, AssignmentKind
from sentinel.model.moment import SHANGHAI, from_microseconds, to_microseconds
from sentinel.model.order import RectificationOrder
from sentinel.store.assignments import write_assignment
from sentinel.store.database import Database, Row, Transaction
from sentinel.store.keys import read_row_id

_FIELDS = "number, unit, issuer, assignee, issued_us, due_us, note"
_SELECT = f"SELECT id, {_FIELDS} FROM rectification_order"  # noqa: S608  constant columns

RECTIFY_TITLE = "限期整改安全隐患"
"""Title of the assignment that carries an order."""


def write_order(transaction: Transaction, order: RectificationOrder) -> RectificationOrder:
    """Add an order with its findings, issued at the transaction's time; gives it back with id and number.

    With it comes the assignment that carries it on, of the same number.
    """
    issued = replace(order, number=_next_number(transaction), issued_at=transaction.now)
    cursor = transaction.execute(
        f"INSERT INTO rectification_order ({_FIELDS}) VALUES (?,?,?,?,?,?,?) RETURNING id",  # noqa: S608
        (
            issued.number,
            issued.unit,
            issued.issuer,
            issued.assignee,
            to_microseconds(issued.issued_at),
            to_microseconds(issued.due),
            issued.note,
        ),
    )
    stored = replace(issued, id=int(cursor.fetchone()[0]))
    transaction.execute_many(
        'INSERT INTO order_item ("order", finding, position) VALUES (?,?,?)',
        ((stored.id, finding, position) for position, finding in enumerate(stored.findings, start=1)),
    )
    write_assignment(transaction, _assignment(stored), rectification=stored.id)
    after = {"assignee": stored.assignee, "findings": list(stored.findings), "due": stored.due.isoformat()}
    transaction.audit("order.issue", f"order {stored.number}", after=after)
    return stored


def read_orders(database: Database, unit: str) -> Iterator[RectificationOrder]:
    """Give the orders of a unit, newest first."""
    for row in database.query(f"{_SELECT} WHERE unit=? ORDER BY id DESC", (unit,)):
        yield _order(database, row)


def find_order(database: Database, reference: str) -> RectificationOrder | None:
    """Give an order by its number (整改-2026-0001) or its row id."""
    number = read_row_id(reference)
    column, value = ("number", reference) if number is None else ("id", number)
    row = database.one(f"{_SELECT} WHERE {column}=?", (value,))
    return _order(database, row) if row else None


def _assignment(order: RectificationOrder) -> Assignment:
    return Assignment(
        id=0,
        number=order.number,
        kind=AssignmentKind.RECTIFICATION,
        unit=order.unit,
        issuer=order.issuer,
        assignee=order.assignee,
        title=RECTIFY_TITLE,
        due=order.due,
        items=tuple(AssignmentItem("finding", str(finding)) for finding in order.findings),
    )


def read_orders_of(database: Database, finding: int) -> tuple[str, ...]:
    """Give the numbers of the orders that name a finding, oldest first."""
    rows = database.query(
        'SELECT number FROM rectification_order WHERE id IN (SELECT "order" FROM order_item WHERE finding=?) '
        "ORDER BY id",
        (finding,),
    )
    return tuple(str(row[0]) for row in rows)


def _next_number(transaction: Transaction) -> str:
    prefix = f"整改-{transaction.now.astimezone(SHANGHAI).year}-"
    row = transaction.execute(
        "SELECT max(CAST(substr(number, ?) AS BIGINT)) FROM rectification_order WHERE number LIKE ?",
        (len(prefix) + 1, f"{prefix}%"),
    ).fetchone()
    return f"{prefix}{int(row[0] or 0) + 1:04d}"


def _order(database: Database, row: Row) -> RectificationOrder:
    items = database.query('SELECT finding FROM order_item WHERE "order"=? ORDER BY position', (row[0],))
    return RectificationOrder(
        id=row[0],
        number=row[1],
        unit=row[2],
        issuer=row[3],
        assignee=row[4],
        issued_at=from_microseconds(row[5]),
        due=from_microseconds(row[6]),
        findings=tuple(int(item[0]) for item in items),
        note=row[7],
    )
