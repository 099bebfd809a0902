"""The schema's version: a home in, a home at the newest schema out, and the old one kept beside it."""

from __future__ import annotations

import fcntl
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from sentinel.errors import StoreError
from sentinel.model.place import ServerPlace
from sentinel.store.audit import append_audit, find_broken_link
from sentinel.store.engine import Upgrade

if TYPE_CHECKING:
    from sqlalchemy import Connection

HEAD = "0010"
"""Revision of the newest migration; kept here so that a home at the newest schema opens without loading Alembic."""

KEPT_COPIES = 3
"""Copies of databases of earlier schemas that stay in a home."""

_SCRIPTS = Path(__file__).parent / "migrations"
_SPARE_BYTES = 64 << 20
_ONE_AT_A_TIME = Lock()
"""Alembic keeps what it works on in its module: two threads would run each other's migrations."""


def read_revision(connection: sqlite3.Connection) -> str | None:
    """Tell the home's revision; None for a database without tables."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "alembic_version" not in tables:
        if tables:
            raise StoreError("the database holds tables that are not sentinel's; choose another home")
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def upgrade_schema(database: Path) -> Upgrade | None:
    """Bring a database file to `HEAD`; only one process does it, others wait.

    A database that holds something is copied to `backups/before-<revision>-<time>.db` first. All migrations run in one
    transaction that commits only when the result is sound; whatever ends it earlier, a kill too, leaves the old schema.
    Gives None where there was nothing to upgrade.

    Raises:
        StoreError: the home was written by a newer sentinel, there is no room for the copy, or a migration failed.
    """
    with (database.parent / "upgrade.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with closing(sqlite3.connect(database)) as connection:
            before = read_revision(connection)
            if before == HEAD:
                return None
            if before is not None:
                check_known(database, before)
            connection.execute("PRAGMA journal_mode=WAL")
            broken = find_broken_link(connection) if before is not None else None
            copy = _copy_aside(connection, database, before) if before is not None else None
        run_alembic(database, {"database": database, "check": _Check(before, broken)})
        if before is None or copy is None:
            return None
        _remove_old_copies(copy.parent)
        return Upgrade(before, copy)


def check_known(database: Path | ServerPlace, revision: str) -> None:
    """Refuse a schema no migration here makes.

    Raises:
        StoreError: a newer sentinel wrote it, or none did.
    """
    known = {file.name.partition("_")[0] for file in (_SCRIPTS / "versions").glob("*.py")}
    if revision not in known:
        raise StoreError(
            f"{database}: written by a newer sentinel, or not by sentinel at all (schema {revision}, known up to "
            f"{HEAD}); install the newer one, or restore a backup of this version"
        )


def _copy_aside(connection: sqlite3.Connection, database: Path, revision: str) -> Path:
    """Copy the database as it is, on disk before this returns; the name tells its revision and the time."""
    folder = database.parent / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    size = database.stat().st_size
    if shutil.disk_usage(folder).free < 2 * size + _SPARE_BYTES:  # the copy, and what the migrations write
        raise StoreError(
            f"{database}: no room to upgrade it: the copy and the upgrade need {(2 * size + _SPARE_BYTES) >> 20} MiB; "
            "free some space, nothing was changed"
        )
    path = folder / f"before-{revision}-{datetime.now(UTC):%Y%m%dT%H%M%S}.db"
    draft = path.with_suffix(".part")
    try:
        copy_database(connection, draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def copy_database(connection: sqlite3.Connection, path: Path, tell: Callable[[int, int], None] | None = None) -> None:
    """Copy an open database to a new file as it is at this moment, also while others write, and check the copy.

    `tell` gets the pages left and the pages in all.

    Raises:
        StoreError: the copy is not sound: the original is damaged.
    """
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    connection.execute("BEGIN")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on the copied moment is fixed
        with closing(sqlite3.connect(path)) as target:
            connection.backup(target, pages=2048, progress=(lambda _, left, total: tell(left, total)) if tell else None)
            target.execute("PRAGMA journal_mode=DELETE")  # one file, readable from a medium that cannot be written
            target.execute("PRAGMA synchronous=FULL")
            check_integrity(target)
    finally:
        connection.execute("ROLLBACK")


def check_integrity(connection: sqlite3.Connection) -> None:
    """Let SQLite look at every page and every reference.

    Raises:
        StoreError: something does not fit.
    """
    rows = connection.execute("PRAGMA integrity_check(1)").fetchall()
    if rows != [("ok",)]:
        raise StoreError(
            f"the database is damaged: {' '.join(str(rows[0][0]).split())}; restore the home from a backup"
        )
    row = connection.execute("PRAGMA foreign_key_check").fetchone()
    if row is not None:
        raise StoreError(
            f"the database is damaged: a row of {row[0]} refers to nothing; restore the home from a backup"
        )


def _remove_old_copies(folder: Path) -> None:
    copies = sorted(folder.glob("before-*.db"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in copies[KEPT_COPIES:]:
        file.unlink(missing_ok=True)


class _Check:
    """Looks at what the migrations made, before they are committed, and notes them in the audit."""

    def __init__(self, before: str | None, broken: int | None) -> None:
        self._before = before
        self._broken = broken

    def __call__(self, connection: Connection) -> None:
        """Refuse what is not sound.

        Raises:
            StoreError: the database or its audit chain is not as it was.
        """
        inner: Any = connection.connection.dbapi_connection
        if self._before is None:
            return
        check_integrity(inner)
        if find_broken_link(inner) != self._broken:
            raise StoreError("the audit chain would not be the same afterwards")
        if self._broken is None:
            append_audit(inner, datetime.now(UTC), "sentinel", "home.upgrade", "schema", self._before, HEAD)


def run_alembic(database: Path | ServerPlace, attributes: Mapping[str, object]) -> None:
    """Run the migrations that are missing; what `attributes` are for stands in `migrations/env.py`.

    Raises:
        StoreError: they failed, and the database is as it was.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes.update(attributes)
    try:
        with _ONE_AT_A_TIME:
            command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(f"{database}: written by a newer sentinel, or not by sentinel at all; {error}") from error
    except SQLAlchemyError as error:
        raise _failure(database, f"{error.__class__.__name__}: {error}") from error
    except (StoreError, sqlite3.Error) as error:
        raise _failure(database, str(error)) from error


def _failure(database: Path | ServerPlace, reason: str) -> StoreError:
    return StoreError(f"{database}: upgrade failed, the home stays as it was; {reason}".splitlines()[0])
