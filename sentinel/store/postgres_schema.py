"""A schema on a server: its version, and bringing it up to date in one transaction that keeps all or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from sentinel.errors import StoreError
from sentinel.model.place import ServerPlace
from sentinel.store.audit import append_audit, find_broken_link
from sentinel.store.engine import Cursor, Upgrade, translate
from sentinel.store.postgres_errors import explain_error
from sentinel.store.schema import HEAD, check_known, run_alembic

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy import Engine as AlchemyEngine

_FUNCTIONS = r"""
CREATE OR REPLACE FUNCTION address_key(address text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE family(address::inet) WHEN 6 THEN '\x06'::bytea ELSE '\x04'::bytea END
        || substr(inet_send(address::inet), 5)
$$;
CREATE OR REPLACE FUNCTION host_of(subject text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE
        WHEN left(place, 1) = '[' THEN split_part(substr(place, 2), ']', 1)
        WHEN length(place) - length(replace(place, ':', '')) = 1 THEN split_part(place, ':', 1)
        ELSE place END
    FROM (SELECT split_part(subject, ' ', 1) AS place) AS said
$$;
"""
"""What SQLite gets from `sentinel.store.keys`."""


def read_revision(raw: psycopg.Connection[Any], place: ServerPlace) -> str | None:
    """Tell a schema's revision; None for one without tables, or where there is none yet."""
    rows = raw.execute("SELECT tablename::text FROM pg_tables WHERE schemaname=%s", (place.schema,)).fetchall()
    tables = {name for (name,) in rows}
    if "alembic_version" not in tables:
        if tables:
            raise StoreError(f"{place}: schema {place.schema} holds tables that are not sentinel's; choose another one")
        return None
    row = raw.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def upgrade_server(raw: psycopg.Connection[Any], place: ServerPlace, *, may_create: bool) -> Upgrade | None:
    """Bring a schema to `HEAD`; only one process does it, others wait. Gives None where there was nothing to upgrade.

    All migrations run in one transaction, so a failure, a kill too, leaves what was there.

    Raises:
        StoreError: there are no tables and none may be made, they are of a newer sentinel, or a migration failed.
    """
    with make_alchemy(raw).connect() as alchemy:  # its first contact rolls back, so it comes before BEGIN
        raw.execute(sql.SQL("BEGIN; SELECT pg_advisory_xact_lock({})").format(sql.Literal(lock_of(place.schema))))
        try:
            before = read_revision(raw, place)
            if before is None and not may_create:
                raise StoreError(
                    f"{place}: schema {place.schema} holds no home; check the setting `database`; to move one there: "
                    "`sentinel backup`, then `sentinel --home NEW restore FILE --database URL`"
                )
            if before != HEAD:
                _upgrade(raw, place, before, alchemy)
        finally:
            if not raw.closed:
                raw.rollback()  # what succeeded was committed by then
    return None if before in (None, HEAD) else Upgrade(before, None)


def lock_of(schema: str) -> int:
    """Give the number of the lock all writers of a schema take."""
    return int.from_bytes(hashlib.sha256(f"sentinel {schema}".encode()).digest()[:8], "big", signed=True)


class OpenConnection:
    """A connection as the audit wants it, inside whatever transaction is open."""

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self._raw = raw

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Cursor:
        """Run one statement."""
        return self._raw.execute(translate(statement), values)


def _upgrade(raw: psycopg.Connection[Any], place: ServerPlace, before: str | None, alchemy: Connection) -> None:
    broken = None
    if before is None:
        if raw.execute("SELECT 1 FROM pg_namespace WHERE nspname=%s", (place.schema,)).fetchone() is None:
            raw.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(place.schema)))
    else:
        check_known(place, before)
        broken = find_broken_link(OpenConnection(raw))

    def check(_: Connection) -> None:
        """Refuse what is not sound, and note the upgrade."""
        try:
            _sort_by_bytes(raw, place.schema)
            raw.execute(_FUNCTIONS)
            if before is not None and find_broken_link(OpenConnection(raw)) != broken:
                raise StoreError("the audit chain would not be the same afterwards")
            if before is not None and broken is None:
                append_audit(OpenConnection(raw), datetime.now(UTC), "sentinel", "home.upgrade", "schema", before, HEAD)
        except psycopg.Error as error:
            raise StoreError(explain_error(error)) from error

    _sort_new_text_by_bytes(alchemy)
    run_alembic(place, {"connection": alchemy, "check": check})


def _sort_by_bytes(raw: psycopg.Connection[Any], schema: str) -> None:
    """Let every text sort and compare as SQLite does, whatever the language of the database."""
    rows = raw.execute(
        "SELECT table_name::text, column_name::text FROM information_schema.columns "
        "JOIN information_schema.tables USING (table_schema, table_name) "
        "WHERE table_schema=%s AND table_type='BASE TABLE' "
        "AND data_type IN ('character varying', 'text') AND collation_name IS DISTINCT FROM 'C' ORDER BY 1, 2",
        (schema,),
    ).fetchall()
    by_table: dict[str, list[sql.Composable]] = {}
    for table, column in rows:
        step = sql.SQL('ALTER COLUMN {} TYPE character varying COLLATE "C"').format(sql.Identifier(column))
        by_table.setdefault(table, []).append(step)
    for table, steps in by_table.items():
        raw.execute(sql.SQL("ALTER TABLE {} ").format(sql.Identifier(table)) + sql.SQL(", ").join(steps))


def _sort_new_text_by_bytes(alchemy: Connection) -> None:
    """Let the types of new columns say so: once a view shows a column, its type can be changed no more."""
    from sqlalchemy.dialects.postgresql.base import PGTypeCompiler

    class ByteText(PGTypeCompiler):
        """Writes types; text has the order of its bytes."""

        def visit_VARCHAR(self, type_: Any, **words: Any) -> str:  # noqa: ANN401, N802  as SQLAlchemy calls it
            """Write a text."""
            return f'{super().visit_VARCHAR(type_, **words)} COLLATE "C"'

    alchemy.dialect.type_compiler_instance = ByteText(alchemy.dialect)


def make_alchemy(raw: psycopg.Connection[Any]) -> AlchemyEngine:
    """Give an SQLAlchemy engine on a connection, which stays open and in whatever transaction it is."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import StaticPool

    return create_engine(
        "postgresql+psycopg://",
        creator=lambda: raw,
        poolclass=StaticPool,
        pool_reset_on_return=None,
        use_native_hstore=False,
    )


def drop_tables(raw: psycopg.Connection[Any], place: ServerPlace) -> None:
    """Remove everything of sentinel from a schema; for a home whose making failed half way."""
    names = raw.execute("SELECT tablename::text FROM pg_tables WHERE schemaname=%s", (place.schema,)).fetchall()
    for (name,) in names:
        raw.execute(sql.SQL("DROP TABLE {} CASCADE").format(sql.Identifier(place.schema, name)))
    for name in ("address_key", "host_of", "refuse_change"):
        raw.execute(sql.SQL("DROP FUNCTION IF EXISTS {} CASCADE").format(sql.Identifier(place.schema, name)))
