"""Tables between a server and an SQLite file, whole and in one moment: a backup is the same file whatever it is of."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from sentinel.errors import StoreError
from sentinel.model.place import ServerPlace
from sentinel.store.audit import find_broken_link
from sentinel.store.engine import Progress, insert_statement, quote_all
from sentinel.store.postgres_schema import OpenConnection, drop_tables, lock_of, read_revision, upgrade_server
from sentinel.store.schema import HEAD, check_integrity, upgrade_schema

_ROWS = 5_000
_VERSION = "alembic_version"


def write_file(raw: psycopg.Connection[Any], path: Path, tell: Progress) -> None:
    """Copy the tables a connection sees, as they are at this moment, to a new SQLite file, and check it.

    Raises:
        StoreError: the server's tables are not those of this sentinel.
    """
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    upgrade_schema(path)
    raw.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    revision = raw.execute("SELECT version_num FROM alembic_version").fetchone()
    if revision != (HEAD,):
        raise StoreError("the schema is not the one of this sentinel; open the home with this version first")
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA synchronous=OFF")
        file.execute("BEGIN")
        tables = read_tables(file)
        for done, (table, columns, key) in enumerate(tables):
            file.executemany(insert_statement(table, columns), _read_server(raw, table, columns, key))
            tell(len(tables) - done - 1, len(tables))
        file.execute("COMMIT")
        file.execute("PRAGMA journal_mode=DELETE")  # one file, readable from a medium that cannot be written
        check_integrity(file)
    raw.execute("ROLLBACK")
    (path.parent / "upgrade.lock").unlink(missing_ok=True)


def fill_server(raw: psycopg.Connection[Any], place: ServerPlace, path: Path, tell: Progress) -> None:
    """Make the tables of a schema that has none, and copy those of an SQLite file into them: all or nothing of them.

    Raises:
        StoreError: there are tables already, or what came out is not what went in.
    """
    taken = StoreError(f"{place}: schema {place.schema} holds a home already; name another one with ?schema=NAME")
    if read_revision(raw, place) is not None:
        raise taken
    upgrade_server(raw, place, may_create=True)
    raw.execute(sql.SQL("BEGIN; SELECT pg_advisory_xact_lock({})").format(sql.Literal(lock_of(place.schema))))
    if raw.execute("SELECT 1 FROM audit LIMIT 1").fetchone():  # another restore was here first: not ours to remove
        raw.rollback()
        raise taken
    try:
        with closing(sqlite3.connect(path)) as file:
            _fill(raw, place, file, tell)
        raw.execute("COMMIT")
    except BaseException:
        if not raw.closed:
            raw.rollback()
            drop_tables(raw, place)
        raise
    raw.execute("ANALYZE")


def _fill(raw: psycopg.Connection[Any], place: ServerPlace, file: sqlite3.Connection, tell: Progress) -> None:
    tables = read_tables(file)
    for done, (table, columns, key) in enumerate(tables):
        _write_server(raw, table, columns, _read_file(file, table, columns, key, _read_flags(raw, table)))
        tell(len(tables) - done - 1, len(tables))
    for table, _, _ in tables:
        _compare(raw, file, table)
    _go_on_numbering(raw, place)


def _go_on_numbering(raw: psycopg.Connection[Any], place: ServerPlace) -> None:
    """Let every column that numbers its rows go on after the largest number there is."""
    numbered = raw.execute(
        "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema=%s "
        "AND column_default LIKE 'nextval%%'",
        (place.schema,),
    ).fetchall()
    for table, column in numbered:
        raw.execute(
            sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), max({})) FROM {} HAVING max({}) > 0").format(
                sql.Literal(f'"{place.schema}"."{table}"'),
                sql.Literal(column),
                *(sql.Identifier(column), sql.Identifier(table), sql.Identifier(column)),
            )
        )


def read_tables(file: sqlite3.Connection) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Give (table, its columns, its primary key) of a file, sorted."""
    names = [
        str(name)
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type='table' ORDER BY name")
        if name != _VERSION and not name.startswith("sqlite_")
    ]
    tables = []
    for name in names:
        told = file.execute(f'PRAGMA table_info("{name}")').fetchall()
        key = tuple(row[1] for row in sorted(told, key=lambda row: row[5]) if row[5])
        tables.append((name, tuple(str(row[1]) for row in told), key))
    return tables


def _read_server(
    raw: psycopg.Connection[Any], table: str, columns: Sequence[str], key: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    order = sql.SQL(", ").join(map(sql.Identifier, key or columns))
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with raw.cursor(name="copying") as cursor:  # on the server, for no table need fit into memory here
        cursor.itersize = _ROWS
        cursor.execute(sql.SQL("SELECT {} FROM {} ORDER BY {}").format(names, sql.Identifier(table), order))
        yield from cursor


def _read_flags(raw: psycopg.Connection[Any], table: str) -> frozenset[str]:
    told = raw.execute(
        "SELECT column_name::text FROM information_schema.columns WHERE table_schema=current_schema() "
        "AND table_name=%s AND data_type='boolean'",
        (table,),
    ).fetchall()
    return frozenset(str(name) for (name,) in told)


def _read_file(
    file: sqlite3.Connection, table: str, columns: Sequence[str], key: Sequence[str], flagged: frozenset[str]
) -> Iterator[tuple[Any, ...]]:
    """Give the rows of a table of the file, what is true or false as such, which is a number there."""
    flags = [place for place, name in enumerate(columns) if name in flagged]
    rows = file.execute(f'SELECT {quote_all(columns)} FROM "{table}" ORDER BY {quote_all(key or columns)}')  # noqa: S608
    for row in rows:
        if not flags:
            yield row
            continue
        values = list(row)
        for place in flags:
            values[place] = None if values[place] is None else bool(values[place])
        yield tuple(values)


def _write_server(
    raw: psycopg.Connection[Any], table: str, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]
) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    with raw.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _compare(raw: psycopg.Connection[Any], file: sqlite3.Connection, table: str) -> None:
    (wanted,) = file.execute(f'SELECT count(*) FROM "{table}"').fetchone()  # noqa: S608  a table of ours
    found = raw.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    if found != (wanted,):
        raise StoreError(f"table {table} came out with other rows than went in; nothing was kept")
    if table == "audit" and find_broken_link(file) != find_broken_link(OpenConnection(raw)):
        raise StoreError("the audit chain came out other than it went in; nothing was kept")
