"""The audit: an append-only chain in which each row carries the hash of the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sentinel.model.moment import from_microseconds, to_microseconds
from sentinel.store.engine import Connection, Row

GENESIS = "0" * 64
_STEP = 10_000
_COLUMNS = "id, at_us, actor, action, object, before, after, previous, hash"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change.

    Attributes:
        id: order in the chain, from 1.
        at: when.
        actor: who.
        action: what was done, e.g. `scope.authorise`.
        subject: to what, e.g. `authorisation 3`.
        before: JSON of what was; empty when there was nothing.
        after: JSON of what is; empty when nothing is left.
    """

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    before: str
    after: str


def append_audit(
    connection: Connection,
    now: datetime,
    actor: str,
    action: str,
    subject: str,
    before: object = None,
    after: object = None,
) -> None:
    """Add one row to the chain; the caller's transaction must be open."""
    row = connection.execute("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    number, previous = (row[0] + 1, str(row[1])) if row else (1, GENESIS)
    values = (to_microseconds(now), actor, action, subject, _text(before), _text(after), previous)
    connection.execute(
        "INSERT INTO audit (id, at_us, actor, action, object, before, after, previous, hash) "
        "VALUES (?,?,?,?,?,?,?,?,?)",  # numbered here: a sequence would leave gaps, and a gap is a row removed
        (number, *values, compute_hash(*values)),
    )


def compute_hash(at_us: int, actor: str, action: str, subject: str, before: str, after: str, previous: str) -> str:
    """Give the SHA-256 over the row's values as a JSON list."""
    joined = json.dumps([at_us, actor, action, subject, before, after, previous], ensure_ascii=False)
    return hashlib.sha256(joined.encode()).hexdigest()


def read_audit(connection: Connection, last: int) -> Iterator[AuditEntry]:
    """Give the newest `last` rows, newest first."""
    statement = f"SELECT {_COLUMNS} FROM audit ORDER BY id DESC LIMIT ?"  # noqa: S608  constant columns
    for id_, at_us, actor, action, subject, before, after, _, _ in connection.execute(statement, (last,)):
        yield AuditEntry(id_, from_microseconds(at_us), actor, action, subject, before, after)


def newest_audit(connection: Connection) -> int:
    """Give the id of the newest row, 0 when there is none: as long as it stays the same nothing has changed."""
    row = connection.execute("SELECT max(id) FROM audit").fetchone()
    return int(row[0] or 0)


def find_broken_link(connection: Connection) -> int | None:
    """Walk the whole chain; give the id of the first row that was changed, removed before, or put in, else None."""
    previous = GENESIS
    expected = 1
    for row in _walk(connection):
        id_, *values, stored = row
        if id_ != expected or values[-1] != previous or compute_hash(*values) != stored:
            return int(id_)
        previous = stored
        expected += 1
    return None


def _walk(connection: Connection) -> Iterator[Row]:
    """Give all rows in their order, some at a time: a server hands over whole answers."""
    statement = f"SELECT {_COLUMNS} FROM audit WHERE id>? ORDER BY id LIMIT {_STEP}"  # noqa: S608  constant columns
    last = -(1 << 63)
    while rows := connection.execute(statement, (last,)).fetchall():
        yield from rows
        last = rows[-1][0]


def _text(value: object) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
