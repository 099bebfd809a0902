from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from sentinel.errors import StoreError
from sentinel.store import schema, tables
from sentinel.store.database import Database
from sentinel.store.home import Home
from sentinel.store.schema import HEAD, read_revision, upgrade_schema


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    return ScriptDirectory.from_config(config)


def test_head_always_is_the_newest_migration() -> None:
    assert scripts().get_heads() == [HEAD]


def test_fresh_database_always_is_at_head(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "a.db").connection) as connection:
        assert read_revision(connection) == HEAD


def test_tables_always_equal_what_the_migrations_make(file_home: Home) -> None:
    assert tables.AuditRow.metadata is SQLModel.metadata
    engine = create_engine(f"sqlite:///{file_home.database}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_migrations_when_taken_back_leave_no_table(file_home: Home) -> None:
    from alembic import command

    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.attributes["database"] = file_home.database
    command.downgrade(config, "base")
    with closing(sqlite3.connect(file_home.database)) as connection:
        left = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table','trigger')")
        }
    assert left == {"alembic_version"}
    upgrade_schema(file_home.database)
    with closing(sqlite3.connect(file_home.database)) as connection:
        assert read_revision(connection) == HEAD


def test_opening_a_database_of_a_newer_sentinel_is_refused_in_one_line(file_home: Home) -> None:
    with closing(sqlite3.connect(file_home.database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num='9999'")
        connection.commit()
    with pytest.raises(StoreError, match="written by a newer sentinel") as caught:
        Database(file_home.database)
    assert str(file_home.database) in str(caught.value)
    assert "\n" not in str(caught.value)
    with closing(sqlite3.connect(file_home.database)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


def test_opening_a_database_with_tables_of_others_is_refused_and_leaves_them(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    with pytest.raises(StoreError, match="not sentinel's"):
        Database(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]


def test_database_when_opened_for_the_first_time_by_two_at_once_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with ThreadPoolExecutor(2) as pool:
        for made in pool.map(lambda _: Database(path), range(2)):
            assert read_revision(made.connection) == HEAD
            made.close()


def test_migration_that_fails_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "migrations"
    source = Path(schema.__file__).parent / "migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text((source / "env.py").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "versions" / "0001_broken.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\nrevision = '0001'\ndown_revision = None\n"
        "def upgrade():\n    op.create_table('first', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "    op.execute('CREATE TABLE nonsense (')\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(schema, "_SCRIPTS", folder)
    path = tmp_path / "a.db"
    with pytest.raises(StoreError, match="upgrade failed") as caught:
        Database(path)
    assert "\n" not in str(caught.value)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
