"""One SQLite connection: transactions that cannot change anything without an audit row, errors as one line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentinel.errors import StoreError
from sentinel.store.audit import append_audit
from sentinel.store.schema import HEAD, Upgrade, read_revision, upgrade_schema

if TYPE_CHECKING:
    from sqlmodel import Session

Row = tuple[Any, ...]


class Transaction:
    """An open write transaction; commits when its block ends, unless nothing tells the audit what changed."""

    def __init__(self, database: Database, actor: str, now: datetime) -> None:
        self.database = database
        self.actor = actor
        self.now = now
        self._audited = 0

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self.database.connection.execute(statement, values)

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row."""
        self.database.connection.executemany(statement, rows)

    @property
    def session(self) -> Session:
        """SQLModel objects inside this same transaction, which must have been opened with `objects=True`."""
        return self.database.session

    def flush(self) -> None:
        """Send pending objects to the database, so that they get their ids.

        Raises:
            StoreError: the database refused them.
        """
        from sqlalchemy.exc import DBAPIError

        try:
            self.session.flush()
        except DBAPIError as error:
            raise StoreError(f"{self.database.path}: {explain_error(str(error.orig))}") from error

    def audit(self, action: str, subject: str, before: object = None, after: object = None) -> None:
        """Write what changed, from what, to what; every transaction that changes something needs one."""
        append_audit(self.database.connection, self.now, self.actor, action, subject, before, after)
        self._audited += 1

    @property
    def is_audited(self) -> bool:
        """An audit row was written in this transaction."""
        return self._audited > 0


class Database:
    """The connection to a home's database; not shared between threads.

    Attributes:
        path: the file.
        upgraded: the upgrade that opening it took; None when its schema was the newest already.
    """

    def __init__(self, path: Path, busy_timeout_s: int = 30, *, read_only: bool = False) -> None:
        self.path = path
        self.upgraded: Upgrade | None = None
        with wrap_errors(path):
            if read_only:
                self.connection = _connect_reading(path, busy_timeout_s)
                return
            if not _is_at_head(path, busy_timeout_s):
                self.upgraded = upgrade_schema(path)
            self.connection = _connect(path, busy_timeout_s)

    def query(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """Give the rows of a SELECT as they are read."""
        with wrap_errors(self.path):
            yield from self.connection.execute(statement, values)

    def one(self, statement: str, values: Sequence[Any] = ()) -> Row | None:
        """Give the first row of a SELECT, or None."""
        with wrap_errors(self.path):
            row: Row | None = self.connection.execute(statement, values).fetchone()
            return row

    @contextmanager
    def transaction(self, actor: str, now: datetime, *, objects: bool = False) -> Iterator[Transaction]:
        """Open a write transaction; an exception rolls all of it back.

        With `objects` SQLModel objects can take part; without, SQLAlchemy is not even loaded.

        Raises:
            StoreError: the disk is full, the database is locked or damaged, or a change was not audited.
        """
        with wrap_errors(self.path):
            if objects:
                _ = self.session  # SQLAlchemy's first contact rolls back, so it must come before BEGIN
            self.connection.execute("BEGIN IMMEDIATE")
            transaction = Transaction(self, actor, now)
            changes = self.connection.total_changes
            try:
                yield transaction
                if objects:
                    transaction.flush()
                if self.connection.total_changes > changes and not transaction.is_audited:
                    raise StoreError("a change without an audit row was refused")
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise
            finally:
                self._end_session()

    @cached_property
    def session(self) -> Session:
        """A SQLModel session on this very connection."""
        from sqlalchemy import create_engine
        from sqlalchemy.pool import StaticPool
        from sqlmodel import Session

        engine = create_engine(
            "sqlite://", creator=lambda: self.connection, poolclass=StaticPool, pool_reset_on_return=None
        )
        with engine.connect():
            return Session(engine, expire_on_commit=False)

    def _end_session(self) -> None:
        session = self.__dict__.get("session")
        if session is not None:
            session.expunge_all()
            session.rollback()

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def _connect(path: Path, busy_timeout_s: int) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=busy_timeout_s, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _connect_reading(path: Path, busy_timeout_s: int) -> sqlite3.Connection:
    """Open a database that nothing done through this connection can change, also while another process writes."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        isolation_level=None,
        timeout=busy_timeout_s,
        check_same_thread=False,
        uri=True,
    )
    try:
        connection.execute("PRAGMA query_only=ON")
        if read_revision(connection) != HEAD:
            raise StoreError(f"{path}: its schema is not the one of this sentinel; end it and start it again")
    except BaseException:
        connection.close()
        raise
    return connection


def _is_at_head(path: Path, busy_timeout_s: int) -> bool:
    with closing(_connect(path, busy_timeout_s)) as connection:
        return read_revision(connection) == HEAD


@contextmanager
def wrap_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite, SQLAlchemy and the disk complain about into a StoreError of one line."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {explain_error(str(error))}") from error
    except OSError as error:
        raise StoreError(f"{error.filename or path}: {error.strerror or error}") from error


def explain_error(text: str) -> str:
    """Add to SQLite's words what a person can do about it."""
    hints = {
        "disk I/O error": "the disk failed or is full; free some space, look at the system log, and run it again",
        "disk is full": "the disk is full; nothing of this step was stored, free some space and run it again",
        "readonly": "the home cannot be written; check its owner and the mount",
        "unable to open": "the database cannot be opened; check that the home exists and may be written",
        "locked": "another sentinel is writing; try again when it is done",
        "malformed": "the database is damaged; restore the home from a backup",
        "interrupted": "the question took too long; narrow it and ask again",
        "not a database": "this is no sentinel database; check --home",
    }
    return next((hint for word, hint in hints.items() if word in text), text)
