"""The schema's version: a home in, a home at the newest schema out."""

from __future__ import annotations

import fcntl
import sqlite3
from pathlib import Path

from sentinel.errors import StoreError

HEAD = "0002"
"""Revision of the newest migration; kept here so that a home at the newest schema opens without loading Alembic."""

_SCRIPTS = Path(__file__).parent / "migrations"


def read_revision(connection: sqlite3.Connection) -> str | None:
    """Tell the home's revision; None for a database without tables."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "alembic_version" not in tables:
        if tables:
            raise StoreError("the database holds tables that are not sentinel's; choose another home")
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def upgrade_schema(database: Path) -> None:
    """Bring a database file to `HEAD`; only one process does it, others wait.

    Raises:
        StoreError: the home was written by a newer sentinel, or a migration failed.
    """
    with (database.parent / "upgrade.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        connection = sqlite3.connect(database)
        try:
            if read_revision(connection) == HEAD:
                return
            connection.execute("PRAGMA journal_mode=WAL")
        finally:
            connection.close()
        _run_alembic(database)


def _run_alembic(database: Path) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["database"] = database
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(f"{database}: written by a newer sentinel, or not by sentinel at all; {error}") from error
    except SQLAlchemyError as error:
        raise StoreError(f"{database}: upgrade failed; {error.__class__.__name__}: {error}".splitlines()[0]) from error
