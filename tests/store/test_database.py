from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sentinel.errors import StoreError
from sentinel.store.database import Database, explain_error, wrap_errors
from sentinel.store.home import Home
from sentinel.store.tables import PlanRow, UnitRow
from tests.homes import NOW

INSERT = (
    "INSERT INTO plan (unit, at, days, enabled, ports, created_us, last_result) VALUES (?,'02:30','daily',TRUE,'',0,'')"
)


def plans(database: Database) -> list[str]:
    return [unit for (unit,) in database.query("SELECT unit FROM plan ORDER BY unit")]


def audits(database: Database) -> int:
    row = database.one("SELECT count(*) FROM audit")
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize(("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)])
def test_connection_always_writes_ahead_and_syncs(file_database: Database, pragma: str, value: object) -> None:
    assert file_database.one(f"PRAGMA {pragma}") == (value,)


def test_transaction_when_it_ends_well_keeps_change_and_audit(home: Home, database: Database) -> None:
    before = audits(database)
    with database.transaction("tester", NOW) as transaction:
        transaction.execute(INSERT, ("a",))
        assert not transaction.is_audited
        transaction.audit("plan.set", "unit a")
        assert transaction.is_audited
    other = Database(home.place)
    assert plans(other) == ["a"]
    assert audits(other) == before + 1
    other.close()


def test_transaction_when_its_block_fails_keeps_nothing(database: Database) -> None:
    before = audits(database)
    with pytest.raises(ZeroDivisionError), database.transaction("tester", NOW, objects=True) as transaction:
        transaction.execute(INSERT, ("a",))
        transaction.session.add(PlanRow(unit="b", at="02:30"))
        transaction.flush()
        transaction.audit("plan.set", "unit a")
        raise ZeroDivisionError
    assert plans(database) == []
    assert audits(database) == before
    with database.transaction("tester", NOW) as transaction:
        transaction.audit("nothing", "the connection is of use again")


def test_transaction_when_interrupted_keeps_nothing(database: Database) -> None:
    with pytest.raises(KeyboardInterrupt), database.transaction("tester", NOW) as transaction:
        transaction.execute(INSERT, ("a",))
        raise KeyboardInterrupt
    assert plans(database) == []


@pytest.mark.parametrize("objects", [False, True])
def test_change_without_an_audit_row_is_refused_and_rolled_back(database: Database, objects: bool) -> None:
    with (
        pytest.raises(StoreError, match="without an audit row"),
        database.transaction("tester", NOW, objects=objects) as transaction,
    ):
        if objects:
            transaction.session.add(PlanRow(unit="a", at="02:30"))
        else:
            transaction.execute_many(INSERT, [("a",), ("b",)])
    assert plans(database) == []


def test_deleting_without_an_audit_row_is_refused_as_well(database: Database) -> None:
    with pytest.raises(StoreError, match="without an audit row"), database.transaction("tester", NOW) as transaction:
        transaction.execute("DELETE FROM unit")
    assert database.one("SELECT count(*) FROM unit") == (1,)


def test_transaction_that_changes_nothing_needs_no_audit_row(database: Database) -> None:
    before = audits(database)
    with database.transaction("tester", NOW) as transaction:
        assert transaction.execute("SELECT count(*) FROM unit").fetchone() == (1,)
    assert audits(database) == before


def test_objects_and_statements_share_one_transaction(database: Database) -> None:
    with database.transaction("tester", NOW, objects=True) as transaction:
        transaction.session.add(PlanRow(unit="a", at="02:30"))
        transaction.flush()
        assert transaction.execute("SELECT unit FROM plan").fetchall() == [("a",)]
        transaction.execute("UPDATE plan SET at='03:00'")
        transaction.audit("plan.set", "unit a")
    with database.transaction("tester", NOW, objects=True) as transaction:
        row = transaction.session.get(PlanRow, "a")
        assert row is not None
        assert row.at == "03:00"


def test_objects_the_database_refuses_are_told_in_one_line(database: Database) -> None:
    with (
        pytest.raises(StoreError, match=r"UNIQUE constraint failed|duplicate key value") as caught,
        database.transaction("tester", NOW, objects=True) as transaction,
    ):
        transaction.session.add(UnitRow(code="school", name="twice", level="school", path="school"))
        transaction.audit("unit.add", "unit school")
    assert "\n" not in str(caught.value)
    assert str(database.path) in str(caught.value)


def test_second_writer_waits_and_is_then_told_who_is_in_the_way(home: Home, database: Database) -> None:
    other = Database(home.place, busy_timeout_s=0)
    with database.transaction("tester", NOW):
        with pytest.raises(StoreError, match="another sentinel is writing"), other.transaction("tester", NOW):
            pytest.fail("two transactions at once")
        assert other.one("SELECT count(*) FROM unit") == (1,), "readers are not in the way"
    other.close()


def test_file_that_is_no_database_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "sentinel.db"
    path.write_bytes(b"no database at all, but long enough to be looked at\n" * 100)
    with pytest.raises(StoreError, match="no sentinel database") as caught:
        Database(path)
    assert str(path) in str(caught.value)


def test_folder_in_the_way_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        Database(tmp_path)


def test_missing_folder_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        Database(tmp_path / "nowhere" / "sentinel.db")


def test_damaged_database_is_told_in_one_line(file_home: Home) -> None:
    Database(file_home.database).close()
    raw = bytearray(file_home.database.read_bytes())
    raw[4096:] = b"\xff" * (len(raw) - 4096)
    file_home.database.write_bytes(raw)
    with pytest.raises(StoreError, match=r"damaged|malformed"), closing(Database(file_home.database)) as database:
        list(database.query("SELECT * FROM endpoint"))


@pytest.mark.namespace
def test_read_only_home_is_told_in_one_line(file_home: Home, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys\nfrom pathlib import Path\nfrom sentinel.errors import StoreError\n"
        "from sentinel.store.home import open_home\n"
        "try:\n    open_home(Path(sys.argv[1]))\nexcept StoreError as error:\n    print(error)\n",
        encoding="utf-8",
    )
    command = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$1" "$2" "$0"'
    done = subprocess.run(
        [
            "unshare",
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            command,
            file_home.path,
            sys.executable,
            program,
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert "cannot be written" in done.stdout or "Read-only file system" in done.stdout


def test_errors_of_the_disk_name_the_file_and_the_reason(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(StoreError, match=f"{missing}: No such file or directory"), wrap_errors(tmp_path):
        missing.read_bytes()
    with pytest.raises(StoreError, match=f"{tmp_path}: without a number"), wrap_errors(tmp_path):
        raise OSError("without a number")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("database or disk is full", "free some space"),
        ("attempt to write a readonly database", "check its owner and the mount"),
        ("unable to open database file", "check that the home exists"),
        ("database is locked", "another sentinel is writing"),
        ("database disk image is malformed", "restore the home from a backup"),
        ("file is not a database", "check --home"),
        ("something else", "something else"),
    ],
)
def test_explanation_says_what_a_person_can_do(words: str, hint: str) -> None:
    assert hint in explain_error(words)


def test_full_disk_is_told_in_one_line_and_nothing_is_kept(file_database: Database) -> None:
    pages = file_database.one("PRAGMA page_count")
    assert pages is not None
    file_database.connection.execute(f"PRAGMA max_page_count={pages[0]}")
    with pytest.raises(StoreError, match="the disk is full"), file_database.transaction("tester", NOW) as transaction:
        transaction.audit("plan.set", "a long one")
        for number in range(2_000):
            transaction.execute(INSERT, (f"{number:0100}",))
    assert plans(file_database) == []


def test_errors_inside_a_query_are_told_in_one_line(database: Database) -> None:
    for ask in (lambda: list(database.query("SELECT * FROM absent")), lambda: database.one("SELECT * FROM absent")):
        with pytest.raises(StoreError, match=r"no such table|does not exist") as caught:
            ask()
        assert "\n" not in str(caught.value)
        assert str(database.path) in str(caught.value)


def test_closed_database_is_closed(home: Home) -> None:
    database = Database(home.place)
    database.close()
    with pytest.raises(StoreError, match=r"closed|lost"):
        database.one("SELECT 1")
