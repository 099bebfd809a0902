"""Freeze the home of a schema for the upgrade tests: `python scripts/freeze_home.py 0002` writes its SQL dump.

The rows come from the newest frozen home before it, brought up to that schema by the migrations of this checkout.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.config import Config

from sentinel.store import schema

HOMES = Path(__file__).parents[1] / "tests" / "store" / "homes"


def main(revision: str) -> None:
    newest = max(file for file in HOMES.glob("*.sql") if file.stem < revision)
    with TemporaryDirectory() as folder:
        database = Path(folder) / "sentinel.db"
        with closing(sqlite3.connect(database)) as connection:
            connection.executescript(newest.read_text(encoding="utf-8"))
        config = Config()
        config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
        config.attributes["database"] = database
        command.upgrade(config, revision)
        with closing(sqlite3.connect(database)) as connection:
            text = "\n".join(connection.iterdump()) + "\n"
    (HOMES / f"{revision}.sql").write_text(text, encoding="utf-8")
    print(f"{HOMES / revision}.sql, from {newest.name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
