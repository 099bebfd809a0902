"""One connection to a home's tables: transactions that cannot change anything without an audit row, one-line errors.

The tables lie in an SQLite file of the home or on a PostgreSQL server; everything above speaks SQL with `?` to both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentinel.errors import StoreError
from sentinel.model.place import ServerPlace
from sentinel.store.audit import append_audit
from sentinel.store.engine import Cursor, Engine, Row, Upsert
from sentinel.store.sqlite import SqliteEngine, explain_error, wrap_errors

if TYPE_CHECKING:
    from sqlmodel import Session

__all__ = ["Database", "Row", "Said", "Transaction", "explain_error", "wrap_errors"]


@dataclass(frozen=True, slots=True)
class Said:
    """What a unit's register says of a host, for questions that ask it.

    Attributes:
        words: of an address, in lower case; None: it does not stand there.
        owner: who answers for an address; empty: nobody is named.
    """

    words: Callable[[str], str | None]
    owner: Callable[[str], str]


class Transaction:
    """An open write transaction; commits when its block ends, unless nothing tells the audit what changed."""

    def __init__(self, database: Database, actor: str, now: datetime) -> None:
        self.database = database
        self.actor = actor
        self.now = now
        self._audited = 0

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Cursor:
        """Run one statement."""
        return self.database.connection.execute(statement, values)

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row."""
        self.database.engine.execute_many(statement, rows)

    def insert_many(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add many rows to a table, each holding its columns in their order."""
        self.database.engine.insert_many(table, columns, rows)

    def upsert(
        self,
        table: str,
        columns: Sequence[str],
        key: Sequence[str],
        rows: Iterable[Sequence[Any]],
        change: Mapping[str, str] | None = None,
    ) -> None:
        """Add many rows to a table, or change those that are there, one after another; see `Upsert`."""
        self.database.engine.upsert(Upsert(table, tuple(columns), tuple(key), change), rows)

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
            reason = self.database.engine.explain(error.orig or error)
            raise StoreError(f"{self.database.path}: {reason}") from error

    def audit(self, action: str, subject: str, before: object = None, after: object = None) -> None:
        """Write what changed, from what, to what; every transaction that changes something needs one."""
        append_audit(self.database.connection, self.now, self.actor, action, subject, before, after)
        self._audited += 1

    @property
    def is_audited(self) -> bool:
        """An audit row was written in this transaction."""
        return self._audited > 0


class Database:
    """The connection to a home's tables; not shared between threads.

    Attributes:
        path: the file, or the place on a server; as text it names the database in errors.
        engine: what the two kinds of database do differently.
        upgraded: the upgrade that opening it took; None when its schema was the newest already.
        register: what is said of hosts; of none, until somebody puts a register here.
    """

    def __init__(
        self, path: Path | ServerPlace, busy_timeout_s: int = 30, *, read_only: bool = False, may_create: bool = True
    ) -> None:
        self.path = path
        self.engine = _open_engine(path, busy_timeout_s, read_only=read_only, may_create=may_create)
        self.connection = self.engine.connection
        self.upgraded = self.engine.upgraded
        self.register = Said(lambda _: None, lambda _: "")

    def query(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """Give the rows of a SELECT as they are read."""
        with self.engine.errors():
            yield from self.connection.execute(statement, values)

    def stream(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """Give the rows of a SELECT that may be very many as they are read; see `Engine.stream`."""
        with self.engine.errors():
            yield from self.engine.stream(statement, values)

    def one(self, statement: str, values: Sequence[Any] = ()) -> Row | None:
        """Give the first row of a SELECT, or None."""
        with self.engine.errors():
            row: Row | None = self.connection.execute(statement, values).fetchone()
            return row

    def match(
        self, expression: str, source: str, values: Sequence[Any], test: Callable[[str], bool]
    ) -> tuple[str, list[object]]:
        """Give a condition that holds where `test` says so of a text expression, and its values; see `Engine.match`."""
        with self.engine.errors():
            return self.engine.match(expression, source, values, test)

    def hold_moment(self, limit_s: float | None = None) -> None:
        """Let everything read from now on be of one moment, and end questions that take longer than `limit_s`."""
        with self.engine.errors():
            self.engine.hold_moment(limit_s)

    @contextmanager
    def transaction(self, actor: str, now: datetime, *, objects: bool = False) -> Iterator[Transaction]:
        """Open a write transaction, the only one of the home; an exception rolls all of it back.

        With `objects` SQLModel objects can take part; without, SQLAlchemy is not even loaded.

        Raises:
            StoreError: the disk is full, the database is locked or damaged, or a change was not audited.
        """
        with self.engine.errors():
            if objects:
                _ = self.session  # SQLAlchemy's first contact rolls back, so it must come before BEGIN
            self.engine.begin()
            transaction = Transaction(self, actor, now)
            try:
                yield transaction
                if objects:
                    transaction.flush()
                if not transaction.is_audited and self.engine.has_changed():
                    raise StoreError("a change without an audit row was refused")
                self.engine.commit()
            except BaseException:
                self.engine.roll_back()
                raise
            finally:
                self._end_session()

    @cached_property
    def session(self) -> Session:
        """A SQLModel session on this very connection."""
        from sqlmodel import Session

        engine = self.engine.make_alchemy()
        with engine.connect():
            return Session(engine, expire_on_commit=False)

    def _end_session(self) -> None:
        session = self.__dict__.get("session")
        if session is not None:
            session.expunge_all()
            session.rollback()

    def close(self) -> None:
        """Close the connection."""
        self.engine.close()


def _open_engine(path: Path | ServerPlace, busy_timeout_s: int, *, read_only: bool, may_create: bool) -> Engine:
    if isinstance(path, ServerPlace):
        try:
            from sentinel.store.postgres import PostgresEngine
        except ImportError as error:
            raise StoreError(
                f"{path}: psycopg, which speaks to PostgreSQL, is not installed ({error}); "
                "`pip install 'sentinel-campus[centre]'`"
            ) from error

        return PostgresEngine(path, busy_timeout_s, read_only=read_only, may_create=may_create)
    return SqliteEngine(path, busy_timeout_s, read_only=read_only)
