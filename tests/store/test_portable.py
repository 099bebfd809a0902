"""Tables from a server into an SQLite file and back: nothing is lost, and nothing half done stays."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from sentinel.config import Settings
from sentinel.errors import StoreError
from sentinel.model.place import ServerPlace
from sentinel.schedule.backing import back_up, check_file, restore_file
from sentinel.store import portable, postgres, restore
from sentinel.store.audit import find_broken_link
from sentinel.store.database import Database
from tests.console.large import make_large_home
from tests.homes import NOW, opened
from tests.postgres import server
from tests.store.conftest import made_home


def quiet(*_: object) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, ServerPlace]]:
    """A home on a server with rows of nearly every kind; nobody may change it."""
    with made_home(tmp_path_factory.mktemp("large") / "home", "postgresql") as home:
        assert home.server
        make_large_home(home.path, 1500, server=home.server)
        with opened(home.path, server=home.server) as context, context.database.transaction("t", NOW) as transaction:
            transaction.execute(
                "UPDATE host SET vendor=?, os=? WHERE address='10.20.0.9'", ("\\N\t\n'%?\"", "\\x00 \\")
            )
            transaction.audit("test", "odd texts")
        yield home.path, home.server


@pytest.fixture
def empty() -> Iterator[ServerPlace]:
    with server().database(empty=True) as place:
        yield place


def plain(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def content(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, true and false as numbers."""
    names = [name for name, _, _ in known_tables()]
    return {
        name: sorted((tuple(map(plain, row)) for row in database.query(f'SELECT * FROM "{name}"')), key=repr)
        for name in names
    }


@cache
def known_tables() -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    with TemporaryDirectory() as folder, closing(Database(Path(folder) / "known.db")) as database:
        assert isinstance(database.connection, sqlite3.Connection)
        return portable.read_tables(database.connection)


def test_backup_of_a_server_when_restored_anywhere_is_the_same_rows(
    large: tuple[Path, ServerPlace], empty: ServerPlace, tmp_path: Path
) -> None:
    path, place = large
    with opened(path, server=place) as context:
        first, second = (back_up(context, tmp_path / name, quiet).file for name in ("a.tar", "b.tar"))
        wanted = content(context.database)
    assert first.read_bytes() == second.read_bytes(), "the clock of this home stands still"
    assert check_file(first, quiet).audit_rows == len(wanted["audit"])
    assert sum(map(len, wanted.values())) > 3_000
    for name, settings in (("file", Settings()), ("server", Settings(database=str(empty)))):
        restored = restore_file(first, tmp_path / name, settings, quiet)
        with closing(Database(restored.home.place)) as database:
            found = content(database)
            assert find_broken_link(database.connection) is None
        assert found.pop("audit")[:-1] == wanted["audit"], "with one more line: where it comes from"
        assert found == {table: rows for table, rows in wanted.items() if table != "audit"}


def test_server_that_was_filled_numbers_new_rows_after_the_old(
    large: tuple[Path, ServerPlace], empty: ServerPlace, tmp_path: Path
) -> None:
    path, place = large
    with opened(path, server=place) as context:
        file = back_up(context, tmp_path / "a.tar", quiet).file
    restored = restore_file(file, tmp_path / "home", Settings(database=str(empty)), quiet)
    with closing(Database(restored.home.place)) as database, database.transaction("t", NOW) as transaction:
        for table, columns, key in known_tables():
            if key == ("id",) and table != "audit":
                (before,) = transaction.execute(f'SELECT coalesce(max(id), 0) FROM "{table}"').fetchone()
                row = transaction.execute("SELECT nextval(pg_get_serial_sequence(?, 'id'))", (table,)).fetchone()
                assert row[0] == before + 1, (table, columns)
        transaction.audit("test", "numbers")


def test_tables_that_do_not_arrive_whole_leave_no_table_and_no_home(
    large: tuple[Path, ServerPlace], empty: ServerPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, place = large
    with opened(path, server=place) as context:
        file = back_up(context, tmp_path / "a.tar", quiet).file
    whole = portable._read_file

    def lossy(*words: Any) -> Iterator[tuple[Any, ...]]:
        rows = whole(*words)
        if words[1] == "host":
            next(rows)
        return rows

    monkeypatch.setattr(portable, "_read_file", lossy)
    with pytest.raises(StoreError, match="host came out with other rows"):
        restore_file(file, tmp_path / "home", Settings(database=str(empty)), quiet)
    monkeypatch.undo()
    assert left(empty) == set()
    monkeypatch.setattr(restore.os, "sync", lambda: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    with pytest.raises(StoreError, match="Input/output error"):
        restore_file(file, tmp_path / "home", Settings(database=str(empty)), quiet)
    monkeypatch.undo()
    assert left(empty) == set()
    assert not (tmp_path / "home").exists()
    restore_file(file, tmp_path / "home", Settings(database=str(empty)), quiet)
    assert "host" in left(empty)


def test_restores_at_once_to_one_schema_leave_one_whole_home(
    large: tuple[Path, ServerPlace], empty: ServerPlace, tmp_path: Path
) -> None:
    path, place = large
    with opened(path, server=place) as context:
        file = back_up(context, tmp_path / "a.tar", quiet).file
    held = threading.Barrier(2)
    outcomes: list[str] = []

    def wait(step: str, done: int, total: int) -> None:
        if step == "evidence" and done == total:
            held.wait(60)

    def go(name: str) -> None:
        try:
            restore_file(file, tmp_path / name, Settings(database=str(empty)), wait)
        except StoreError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=go, args=(name,)) for name in ("one", "two")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(outcomes) == 1
    assert "holds a home already" in outcomes[0]
    assert len(list(tmp_path.glob("*/sentinel.toml"))) == 1
    with closing(Database(empty)) as database:
        assert find_broken_link(database.connection) is None
        row = database.one("SELECT count(*) FROM host")
        assert row
        assert row[0] > 100


def left(place: ServerPlace) -> set[str]:
    with postgres.connected(place) as raw:
        rows = raw.execute("SELECT tablename::text FROM pg_tables WHERE schemaname=%s", (place.schema,)).fetchall()
    return {name for (name,) in rows}


def test_backup_is_of_one_moment_while_others_write(
    large: tuple[Path, ServerPlace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, place = large
    written = []

    def write(step: str, done: int, total: int) -> None:
        if step == "database" and done == 1 and not written:
            with closing(Database(place)) as other, other.transaction("t", NOW) as transaction:
                transaction.execute("UPDATE unit SET region='later'")
                transaction.audit("test", "later")
            written.append(total)

    with opened(path, server=place) as context:
        before = context.database.one("SELECT max(id) FROM audit")
        made = back_up(context, tmp_path / "a.tar", write)
        assert written
        assert before == (made.manifest.audit_rows,)
    restored = restore_file(made.file, tmp_path / "home", Settings(), quiet)
    with closing(Database(restored.home.place)) as database:
        assert database.one("SELECT region FROM unit") == ("",)


def test_schema_of_another_sentinel_is_not_copied(tmp_path: Path) -> None:
    with made_home(tmp_path / "home", "postgresql") as home:
        assert home.server
        with postgres.connected(home.server) as raw:
            raw.execute("UPDATE alembic_version SET version_num='0001'")
        with postgres.connected(replace(home.server), read_only=True) as raw, pytest.raises(StoreError, match="schema"):
            portable.write_file(raw, tmp_path / "copy.db", quiet)
