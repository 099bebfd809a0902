"""The audit: an append-only chain in which each row carries the hash of the one before."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sentinel.model.moment import from_microseconds, to_microseconds

GENESIS = "0" * 64
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
    connection: sqlite3.Connection,
    now: datetime,
    actor: str,
    action: str,
    subject: str,
    before: object = None,
    after: object = None,
) -> None:
    """Add one row to the chain; the caller's transaction must be open."""
    row = connection.execute("SELECT hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    previous = str(row[0]) if row else GENESIS
    values = (to_microseconds(now), actor, action, subject, _text(before), _text(after), previous)
    connection.execute(
        "INSERT INTO audit (at_us, actor, action, object, before, after, previous, hash) VALUES (?,?,?,?,?,?,?,?)",
        (*values, compute_hash(*values)),
    )


def compute_hash(at_us: int, actor: str, action: str, subject: str, before: str, after: str, previous: str) -> str:
    """Give the SHA-256 over the row's values as a JSON list."""
    joined = json.dumps([at_us, actor, action, subject, before, after, previous], ensure_ascii=False)
    return hashlib.sha256(joined.encode()).hexdigest()


def read_audit(connection: sqlite3.Connection, last: int) -> Iterator[AuditEntry]:
    """Give the newest `last` rows, newest first."""
    statement = f"SELECT {_COLUMNS} FROM audit ORDER BY id DESC LIMIT ?"  # noqa: S608  constant columns
    for id_, at_us, actor, action, subject, before, after, _, _ in connection.execute(statement, (last,)):
        yield AuditEntry(id_, from_microseconds(at_us), actor, action, subject, before, after)


def newest_audit(connection: sqlite3.Connection) -> int:
    """Give the id of the newest row, 0 when there is none: as long as it stays the same nothing has changed."""
    row = connection.execute("SELECT max(id) FROM audit").fetchone()
    return int(row[0] or 0)


def find_broken_link(connection: sqlite3.Connection) -> int | None:
    """Walk the whole chain; give the id of the first row that was changed, removed before, or put in, else None."""
    previous = GENESIS
    expected = 1
    for row in connection.execute(f"SELECT {_COLUMNS} FROM audit ORDER BY id"):  # noqa: S608  constant columns
        id_, *values, stored = row
        if id_ != expected or values[-1] != previous or compute_hash(*values) != stored:
            return int(id_)
        previous = stored
        expected += 1
    return None


def _text(value: object) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
