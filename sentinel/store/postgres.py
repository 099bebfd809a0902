"""PostgreSQL: a place on a server in, an engine with one writer at a time, like SQLite's, out.

Its own schema holds the tables, all text in them sorts by bytes, and every driver's error becomes one line.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from sentinel.errors import StoreError
from sentinel.model.place import ServerPlace
from sentinel.store import postgres_schema
from sentinel.store.engine import Cursor, Progress, Upgrade, Upsert, cut, insert_statement, translate
from sentinel.store.postgres_errors import explain_error
from sentinel.store.postgres_values import add_adapters
from sentinel.store.schema import HEAD

if TYPE_CHECKING:
    from sqlalchemy import Engine as AlchemyEngine

OLDEST = 150_000
"""PostgreSQL 15, as the server numbers it."""

PASSWORD = "sentinel-database-password"  # noqa: S105  a name
"""Name of the systemd credential that may hold the password."""

STREAMED = 2_000
"""Rows of a large answer the client holds at a time."""

_CONNECT_S = 10
_CHUNK = 5_000
_BULK = 20_000
_FEW = 64
"""Fewer rows than this go as statements: a copy through a temporary table costs a millisecond."""


class PostgresConnection:
    """An open connection that takes statements with `?`."""

    def __init__(self, place: ServerPlace, raw: psycopg.Connection[Any]) -> None:
        self.place = place
        self.raw = raw
        self.end: float | None = None
        self._numbers = count()

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Cursor:
        """Run one statement; its rows are here before this returns.

        Raises:
            StoreError: the server refused it, or the time for questions is over.
        """
        self._check_time()
        with wrap_errors(self.place):
            if values:
                return self.raw.execute(translate(statement), values)
            return self.raw.execute(statement)

    def stream(self, statement: str, values: Sequence[Any]) -> Iterator[Any]:
        """Give the rows of a SELECT without a limit some at a time; the others stay with the server.

        A small answer takes one round trip. Of a large one the server keeps what was not read yet, outside of a
        transaction too, so that others may begin and end meanwhile.

        Raises:
            StoreError: the server refused it, or the time for questions is over.
        """
        first = self.execute(f"{statement} LIMIT {STREAMED}", values).fetchall()
        if len(first) < STREAMED:
            yield from first
            return
        del first
        idle = self.raw.info.transaction_status == TransactionStatus.IDLE
        name = f"stream_{next(self._numbers)}"
        with wrap_errors(self.place), self.raw.cursor(name, withhold=idle) as cursor:
            self._check_time()
            cursor.execute(translate(statement) if values else statement, values or None)
            while rows := cursor.fetchmany(STREAMED):
                yield from rows
                self._check_time()

    def _check_time(self) -> None:
        if self.end is not None and time.monotonic() > self.end:
            raise StoreError(f"{self.place}: the question took too long; narrow it and ask again")

    def close(self) -> None:
        """Close the connection."""
        self.raw.close()


class PostgresEngine:
    """A connection to a schema of a server's database."""

    like = "ILIKE"

    def __init__(self, place: ServerPlace, busy_timeout_s: int, *, read_only: bool, may_create: bool) -> None:
        self.place = place
        self.upgraded: Upgrade | None = None
        self._tables: set[str] = set()
        raw = connect(place, busy_timeout_s, read_only=read_only)
        try:
            with wrap_errors(place):
                revision = postgres_schema.read_revision(raw, place)
                if revision != HEAD:
                    if read_only:
                        raise StoreError(
                            f"{place}: its schema is not the one of this sentinel; end it and start it again"
                        )
                    self.upgraded = postgres_schema.upgrade_server(raw, place, may_create=may_create)
        except BaseException:
            raw.close()
            raise
        self._raw = raw
        self.connection = PostgresConnection(place, raw)

    def errors(self) -> AbstractContextManager[None]:
        """Turn what the server complains about into a StoreError of one line."""
        return wrap_errors(self.place)

    def explain(self, error: BaseException) -> str:
        """Say in one line what a driver's error means and what to do."""
        return explain_error(error)

    def begin(self) -> None:
        """Open a transaction that is the only one of this schema to write until it ends.

        Whatever the server's default: what it reads after its turn came is what the one before it left.
        """
        self._tables.clear()
        lock = sql.Literal(postgres_schema.lock_of(self.place.schema))
        begin = sql.SQL("BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({})").format(lock)
        try:
            self._raw.execute(begin)
        except BaseException:
            self.roll_back()
            raise

    def commit(self) -> None:
        """Keep what the transaction did.

        Raises:
            StoreError: a statement of it had failed, and the server took all of it back.
        """
        if self._raw.execute("COMMIT").statusmessage != "COMMIT":
            raise StoreError(f"{self.place}: a statement of the transaction had failed; nothing of it was stored")

    def roll_back(self) -> None:
        """Take back what the transaction did, where one is open."""
        if not self._raw.closed and self._raw.info.transaction_status != TransactionStatus.IDLE:
            self._raw.execute("ROLLBACK")

    def has_changed(self) -> bool:
        """Tell whether the open transaction changed anything: the server numbers only those that do."""
        row = self._raw.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL").fetchone()
        return bool(row and row[0])

    def stream(self, statement: str, values: Sequence[Any]) -> Iterator[Any]:
        """Give the rows of a large SELECT some at a time; the client never holds more."""
        return self.connection.stream(statement, values)

    def hold_moment(self, limit_s: float | None) -> None:
        """Let everything read from now on be of one moment; end questions when `limit_s` is over."""
        if limit_s is not None:
            self.connection.end = time.monotonic() + limit_s
            self._raw.execute(sql.SQL("SET statement_timeout = {}").format(sql.Literal(max(1, round(limit_s * 1000)))))
        self._raw.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row; they travel in flocks, and may come from questions to this connection."""
        translated = translate(statement)
        for chunk in cut(rows, _CHUNK):
            with wrap_errors(self.place), self._raw.cursor() as cursor:
                cursor.executemany(translated, chunk)

    def insert_many(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add rows to a table, copied where they are many."""
        for chunk in cut(rows, _BULK):
            if len(chunk) < _FEW:
                self.execute_many(insert_statement(table, columns), chunk)
            else:
                self._copy(sql.Identifier(table), columns, chunk)

    def upsert(self, change: Upsert, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows to a table, or change those that are there, as if one after another."""
        for chunk in _without_twins(rows, [change.columns.index(name) for name in change.key]):
            if len(chunk) < _FEW:
                self.execute_many(change.statement, chunk)
            else:
                self._merge(change, chunk)

    def _merge(self, change: Upsert, rows: list[Sequence[Any]]) -> None:
        names = sql.SQL(", ").join(map(sql.Identifier, change.columns))
        passing = sql.Identifier("pg_temp", f"passing_{change.table}_{'_'.join(change.columns)}"[:63])
        with wrap_errors(self.place):
            if change.table not in self._tables:
                self._raw.execute(
                    sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                        passing, names, sql.Identifier(change.table)
                    )
                )
                self._tables.add(change.table)
            self._copy(passing, change.columns, rows)
            self._raw.execute(
                sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} ").format(
                    sql.Identifier(change.table), names, names, passing
                )
                + sql.SQL(change.conflict)
            )
            self._raw.execute(sql.SQL("TRUNCATE {}").format(passing))

    def _copy(self, table: sql.Identifier, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(table, names)
        with wrap_errors(self.place), self._raw.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def match(
        self, expression: str, source: str, values: Sequence[Any], test: Callable[[str], bool]
    ) -> tuple[str, list[object]]:
        """Give a condition that lists the values `test` holds for: it is asked of each that is there, here."""
        rows = self.connection.execute(f"SELECT DISTINCT {expression} {source}", values).fetchall()
        return f"{expression} = ANY(?)", [[text for (text,) in rows if test(text)]]

    def tables_with(self, column: str) -> tuple[str, ...]:
        """Give the tables that have a column, sorted."""
        rows = self.connection.execute(
            "SELECT table_name::text FROM information_schema.columns "
            "WHERE table_schema=current_schema() AND column_name=? ORDER BY 1",
            (column,),
        )
        return tuple(str(row[0]) for row in rows.fetchall())

    def make_alchemy(self) -> AlchemyEngine:
        """Give an SQLAlchemy engine on this very connection."""
        return postgres_schema.make_alchemy(self._raw)

    def copy_to(self, path: Path, tell: Progress) -> None:
        """Copy all tables, as they are at this moment, to a new SQLite file, and check it."""
        from sentinel.store.portable import write_file

        with connected(self.place, read_only=True) as raw:
            write_file(raw, path, tell)

    def describe(self) -> str:
        """Name the server and its version."""
        number = self._raw.info.server_version
        return f"PostgreSQL {number // 10_000}.{number % 10_000}"

    def close(self) -> None:
        """Close the connection."""
        self._raw.close()


def connect(place: ServerPlace, busy_timeout_s: int = 30, *, read_only: bool = False) -> psycopg.Connection[Any]:
    """Open a connection in autocommit whose statements see the home's schema only.

    Raises:
        StoreError: the server cannot be reached, refuses the login, is too old or does not keep UTF-8.
    """
    given: dict[str, Any] = dict(place.options)
    given.setdefault("connect_timeout", _CONNECT_S)
    own = {"host": place.host, "port": place.port, "user": place.user, "password": _read_password()}
    given |= {name: value for name, value in own.items() if value}
    with wrap_errors(place):
        raw = psycopg.connect(
            dbname=place.name, autocommit=True, client_encoding="utf8", application_name="sentinel", **given
        )
    try:
        with wrap_errors(place):
            _check_server(raw, place)
            add_adapters(raw)
            raw.execute(
                sql.SQL(
                    "SET search_path = {schema}, pg_temp; SET lock_timeout = {busy}; SET jit = off; "
                    "SET timezone = 'UTC'; SET cursor_tuple_fraction = 1; "
                    "SET client_min_messages = warning; SET default_transaction_read_only = {ro}; "
                    "SET idle_in_transaction_session_timeout = 0"
                ).format(
                    schema=sql.Identifier(place.schema),
                    busy=sql.Literal(max(1, busy_timeout_s * 1000)),
                    ro=sql.Literal(read_only),
                )
            )
    except BaseException:
        raw.close()
        raise
    return raw


@contextmanager
def connected(place: ServerPlace, *, read_only: bool = False) -> Iterator[psycopg.Connection[Any]]:
    """Open a connection for a block."""
    raw = connect(place, read_only=read_only)
    try:
        with wrap_errors(place):
            yield raw
    finally:
        raw.close()


def _check_server(raw: psycopg.Connection[Any], place: ServerPlace) -> None:
    if raw.info.server_version < OLDEST:
        number = raw.info.server_version // 10_000
        raise StoreError(f"{place}: the server is PostgreSQL {number}; sentinel needs {OLDEST // 10_000} or newer")
    encoding = raw.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreError(
            f"{place}: the database keeps {encoding}, not UTF-8; make one with "
            f"`createdb --encoding UTF8 --template template0 NAME`"
        )


def _read_password() -> str | None:
    """Read the systemd credential, where there is one; libpq itself knows PGPASSFILE, ~/.pgpass and PGPASSWORD."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    file = Path(folder) / PASSWORD if folder else None
    if file is None or not file.exists():
        return None
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{file}: the database password cannot be read") from error


def _without_twins(rows: Iterable[Sequence[Any]], places: Sequence[int]) -> Iterator[list[Sequence[Any]]]:
    """Cut rows so that no key stands twice in a piece: one statement may change a row once only."""
    chunk: list[Sequence[Any]] = []
    keys: set[tuple[Any, ...]] = set()
    for row in rows:
        key = tuple(row[place] for place in places)
        if key in keys or len(chunk) == _BULK:
            yield chunk
            chunk, keys = [], set()
        keys.add(key)
        chunk.append(row)
    if chunk:
        yield chunk


@contextmanager
def wrap_errors(place: ServerPlace) -> Iterator[None]:
    """Turn what the server, the driver and the disk complain about into a StoreError of one line."""
    try:
        yield
    except psycopg.Error as error:
        raise StoreError(f"{place}: {explain_error(error)}") from error
    except OSError as error:
        raise StoreError(f"{error.filename or place}: {error.strerror or error}") from error
