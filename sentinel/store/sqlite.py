"""SQLite: one file of a home in, an engine that writes ahead, syncs and lets one writer in at a time out."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentinel.errors import StoreError
from sentinel.store.engine import Progress, Upgrade, Upsert, insert_statement
from sentinel.store.keys import address_key, host_of
from sentinel.store.schema import HEAD, copy_database, read_revision, upgrade_schema

if TYPE_CHECKING:
    from sqlalchemy import Engine as AlchemyEngine

_STEPS = 100_000
"""SQLite asks whether time is up after so many of its steps."""


class SqliteEngine:
    """A connection to a database file."""

    like = "LIKE"

    def __init__(self, path: Path, busy_timeout_s: int, *, read_only: bool) -> None:
        self.path = path
        self.upgraded: Upgrade | None = None
        self._changes = 0
        self._numbers = count()
        with wrap_errors(path):
            if read_only:
                self.connection = _connect_reading(path, busy_timeout_s)
            else:
                if not _is_at_head(path, busy_timeout_s):
                    self.upgraded = upgrade_schema(path)
                self.connection = _connect(path, busy_timeout_s)
        self.connection.create_function("address_key", 1, address_key, deterministic=True)
        self.connection.create_function("host_of", 1, host_of, deterministic=True)

    def errors(self) -> AbstractContextManager[None]:
        """Turn what SQLite and the disk complain about into a StoreError of one line."""
        return wrap_errors(self.path)

    def explain(self, error: BaseException) -> str:
        """Say in one line what a driver's error means and what to do."""
        return explain_error(str(error))

    def begin(self) -> None:
        """Open a transaction that is the only one to write until it ends."""
        self.connection.execute("BEGIN IMMEDIATE")
        self._changes = self.connection.total_changes

    def commit(self) -> None:
        """Keep what the transaction did."""
        self.connection.execute("COMMIT")

    def roll_back(self) -> None:
        """Take back what the transaction did, where one is open."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def has_changed(self) -> bool:
        """Tell whether the open transaction changed anything."""
        return self.connection.total_changes > self._changes

    def stream(self, statement: str, values: Sequence[Any]) -> Iterator[Any]:
        """Give the rows of a large SELECT as they are read; SQLite never gathers them."""
        return self.connection.execute(statement, values)

    def hold_moment(self, limit_s: float | None) -> None:
        """Let everything read from now on be of one moment; end questions when `limit_s` is over."""
        if limit_s is not None:
            end = time.monotonic() + limit_s
            self.connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        self.connection.execute("BEGIN")

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row."""
        self.connection.executemany(statement, rows)

    def insert_many(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add rows to a table."""
        self.connection.executemany(insert_statement(table, columns), rows)

    def upsert(self, change: Upsert, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows to a table, or change those that are there, one after another."""
        self.connection.executemany(change.statement, rows)

    def match(
        self,
        expression: str,
        source: str,  # noqa: ARG002  SQLite asks row by row
        values: Sequence[Any],  # noqa: ARG002
        test: Callable[[str], bool],
    ) -> tuple[str, list[object]]:
        """Give a condition that calls `test` for each row that gets so far."""
        name = f"matches_{next(self._numbers)}"
        self.connection.create_function(name, 1, test, deterministic=True)
        return f"{name}({expression})", []

    def tables_with(self, column: str) -> tuple[str, ...]:
        """Give the tables that have a column, sorted."""
        rows = self.connection.execute(
            "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type='table' AND c.name=? "
            "ORDER BY m.name",
            (column,),
        )
        return tuple(str(row[0]) for row in rows.fetchall())

    def make_alchemy(self) -> AlchemyEngine:
        """Give an SQLAlchemy engine on this very connection."""
        from sqlalchemy import create_engine
        from sqlalchemy.pool import StaticPool

        return create_engine(
            "sqlite://", creator=lambda: self.connection, poolclass=StaticPool, pool_reset_on_return=None
        )

    def copy_to(self, path: Path, tell: Progress) -> None:
        """Copy the database to a new file as it is at this moment, also while others write, and check the copy."""
        copy_database(self.connection, path, tell)

    def describe(self) -> str:
        """Name the database and its version."""
        return f"SQLite {sqlite3.sqlite_version}"

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
    """Turn what SQLite and the disk complain about into a StoreError of one line."""
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
