"""Homes of every earlier schema, upgraded; migrations that fail, are killed or find no room, and what is left then."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sentinel.errors import StoreError
from sentinel.store import schema
from sentinel.store.audit import find_broken_link
from sentinel.store.database import Database
from sentinel.store.home import Home, create_home
from sentinel.store.schema import HEAD, KEPT_COPIES, read_revision
from tests.cli.command import Sentinel

HOMES = Path(__file__).parent / "homes"
FROZEN = sorted(file.stem for file in HOMES.glob("*.sql"))
MIGRATIONS = Path(schema.__file__).parent / "migrations"
EARLIER = sorted(file.name[:4] for file in (MIGRATIONS / "versions").glob("0*.py") if file.name[:4] != HEAD)

SLOW = "import time\n    op.execute('CREATE TABLE half (a)')\n    print('half', flush=True)\n    time.sleep(60)"
BROKEN = "op.execute('CREATE TABLE half (a)')\n    op.execute('CREATE TABLE nonsense (')"
TAMPERING = (
    "op.execute('DROP TRIGGER audit_no_update')\n    op.execute(\"UPDATE audit SET actor='somebody else' WHERE id=2\")"
)
DANGLING = (
    "op.execute('CREATE TABLE half (a REFERENCES unit (code))')\n    op.execute(\"INSERT INTO half VALUES ('x')\")"
)


def thaw(place: Path, revision: str) -> Home:
    """Make a home as a sentinel of that schema left it."""
    home = create_home(place, 'unit = "4101000001"\n')
    for file in home.var.glob("sentinel.db*"):
        file.unlink()
    with closing(sqlite3.connect(home.database)) as connection:
        connection.executescript((HOMES / f"{revision}.sql").read_text(encoding="utf-8"))
    return home


def content(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HOMES / name).read_text(encoding="utf-8").splitlines()]


def test_every_earlier_schema_always_has_a_frozen_home() -> None:
    assert set(EARLIER) <= set(FROZEN), "run `python scripts/freeze_home.py REVISION`"


@pytest.mark.parametrize("revision", FROZEN)
def test_home_of_an_earlier_schema_when_opened_shows_the_same_and_can_be_lived_in(
    tmp_path: Path, revision: str
) -> None:
    home = thaw(tmp_path / "home", revision)
    old = content(home.database)
    sentinel = Sentinel(home.path)
    first = sentinel.run("map", "--json")
    told = "home upgraded" in first.err
    assert told == (revision != HEAD)
    for name, found in (("map.jsonl", first.rows), ("findings.jsonl", sentinel.rows("finding", "list"))):
        expected = rows(name)
        assert [{key: row[key] for key in was} for row, was in zip(found, expected, strict=True)] == expected
    database = Database(home.database)
    with closing(database.connection) as connection:
        assert read_revision(connection) == HEAD
        assert find_broken_link(connection) is None
        assert database.upgraded is None, "it is done once"
    if told:
        (copy,) = home.backups.iterdir()
        assert str(copy) in first.err
        assert content(copy) == old
        assert copy.stat().st_mode & 0o077 == 0
    (tmp_path / "later.xml").write_text(masscan())
    sentinel.run("import", tmp_path / "later.xml")
    assert ("10.1.0.9", 8443) in sentinel.places()
    sentinel.run("backup", "--out", tmp_path / "b.tar", expect=3)  # the frozen home has no evidence files


def masscan() -> str:
    return (
        '<?xml version="1.0"?>\n<nmaprun scanner="masscan" start="1792000000" version="1.0-BETA" '
        'xmloutputversion="1.03">\n<scaninfo type="syn" protocol="tcp" />\n<host endtime="1792000000"><address '
        'addr="10.1.0.9" addrtype="ipv4"/><ports><port protocol="tcp" portid="8443"><state state="open" '
        'reason="syn-ack" reason_ttl="64"/></port></ports></host>\n<runstats><finished time="1792000001"/>'
        '<hosts up="1" down="0" total="1" /></runstats></nmaprun>\n'
    )


@pytest.fixture
def next_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give what adds a next migration with such a body, in a copy of the migrations."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder)

    def add(body: str) -> None:
        text = f"from alembic import op\nrevision = '9999'\ndown_revision = '{HEAD}'\n\n\ndef upgrade():\n    {body}\n"
        (folder / "versions" / "9999_next.py").write_text(text, encoding="utf-8")
        monkeypatch.setattr(schema, "_SCRIPTS", folder)
        monkeypatch.setattr(schema, "HEAD", "9999")

    return add


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (BROKEN, "OperationalError"),
        (TAMPERING, "audit chain"),
        (DANGLING, "a row of half refers to nothing"),
    ],
)
def test_migration_that_fails_leaves_the_home_to_the_earlier_version(
    tmp_path: Path, next_schema: Callable[[str], None], body: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = thaw(tmp_path / "home", HEAD)
    old = content(home.database)
    next_schema(body)
    with pytest.raises(StoreError, match="the home stays as it was") as caught:
        schema.upgrade_schema(home.database)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert content(home.database) == old
    monkeypatch.undo()
    assert len(Sentinel(home.path).rows("map")) == len(rows("map.jsonl"))


def test_migration_with_a_mistake_of_ours_leaves_the_home_as_it_was(
    tmp_path: Path, next_schema: Callable[[str], None]
) -> None:
    home = thaw(tmp_path / "home", HEAD)
    old = content(home.database)
    next_schema("op.execute('CREATE TABLE half (a)')\n    raise RuntimeError('a mistake of ours')")
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        schema.upgrade_schema(home.database)
    assert content(home.database) == old


def test_migration_that_is_killed_half_way_leaves_the_home_to_the_earlier_version(
    tmp_path: Path, next_schema: Callable[[str], None]
) -> None:
    home = thaw(tmp_path / "home", HEAD)
    old = content(home.database)
    next_schema(SLOW)
    program = (
        "import sys\nfrom pathlib import Path\nfrom sentinel.store import schema\n"
        "schema._SCRIPTS, schema.HEAD = Path(sys.argv[2]), '9999'\nschema.upgrade_schema(Path(sys.argv[1]))\n"
    )
    words = [sys.executable, "-c", program, str(home.database), str(schema._SCRIPTS)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        process.send_signal(signal.SIGKILL)
    assert content(home.database) == old
    assert [file.suffix for file in home.backups.iterdir()] == [".db"]


def test_upgrade_when_there_is_no_room_for_the_copy_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = thaw(tmp_path / "home", "0001")
    old = home.database.read_bytes()
    monkeypatch.setattr(schema.shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    with pytest.raises(StoreError, match="no room to upgrade it") as caught:
        Database(home.database)
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert read_revision(sqlite3.connect(home.database)) == "0001"
    assert content(home.database)
    assert len(home.database.read_bytes()) == len(old)
    assert list(home.backups.iterdir()) == []


def test_home_whose_audit_was_broken_before_is_upgraded_and_stays_broken(tmp_path: Path) -> None:
    home = thaw(tmp_path / "home", "0001")
    with closing(sqlite3.connect(home.database)) as connection, connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET actor='somebody else' WHERE id=3")
    database = Database(home.database)
    with closing(database.connection) as connection:
        assert find_broken_link(connection) == 3


def test_copies_of_earlier_schemas_when_there_are_many_stay_few(tmp_path: Path) -> None:
    home = thaw(tmp_path / "home", "0001")
    home.backups.mkdir()
    for number in range(5):
        (home.backups / f"before-000{number}-20200101T00000{number}.db").touch()
        time.sleep(0.01)
    upgraded = Database(home.database).upgraded
    assert upgraded is not None
    assert len(list(home.backups.glob("*.db"))) == KEPT_COPIES
    assert upgraded.copy.exists()
