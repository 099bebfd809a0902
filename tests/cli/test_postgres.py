"""The whole way on a home whose tables lie on a PostgreSQL server, through the command line; and there and back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sentinel.model.place import ServerPlace
from tests.cli.command import UNIT, Sentinel, run
from tests.cli.written import START, school
from tests.postgres import server

HOSTS = 40


@pytest.fixture
def empty() -> Iterator[ServerPlace]:
    with server().database(empty=True) as place:
        yield place


@pytest.fixture
def central(empty: ServerPlace, tmp_path: Path) -> Sentinel:
    """A fresh home of one unit whose tables lie on the server."""
    home = tmp_path / "central" / "home"
    assert run("--home", home, "init", "--unit", UNIT, "--database", str(empty)).status == 0
    return Sentinel(home)


@pytest.fixture
def weeks(tmp_path: Path) -> tuple[Path, Path]:
    """Two scans a week apart: hosts came and went between them."""
    first, second = tmp_path / "first.xml", tmp_path / "second.xml"
    first.write_text(school(0, HOSTS))
    second.write_text(school(10, HOSTS + 10, start=START + 7 * 86_400, release=1))
    return first, second


def answers(sentinel: Sentinel) -> dict[str, object]:
    """Everything a home tells that does not hang on the moment it is asked."""
    period = ("--from", "2020-01-01", "--to", "2030-01-01")
    told: dict[str, object] = {
        "map": sentinel.run("map", "--json").out,
        "diff": sentinel.run("diff", *period, "--json").out,
        "units": sentinel.run("unit", "list", "--json").out,
        "networks": sentinel.run("unit", "networks", "--json").out,
    }
    rows = sentinel.rows("finding", "list")
    told["findings"] = [{k: v for k, v in row.items() if not k.endswith("_at") and k not in SEEN} for row in rows]
    return told


SEEN = {"first_seen", "last_seen", "due", "occurred", "discovered", "learned", "reported"}


def test_home_on_a_server_answers_every_question_as_one_in_a_file(
    central: Sentinel, make_home: Callable[[], Sentinel], weeks: tuple[Path, Path], tmp_path: Path
) -> None:
    own = make_home()
    for sentinel in (central, own):
        for file in weeks:
            sentinel.run("import", file)
        sentinel.run("check")
        number = sentinel.rows("finding", "list")[0]["number"]
        sentinel.run("finding", "mark", number, "--accept", "--why", "隔离网段", "--until", "2099-01-01")
        sentinel.run("report", "school", "--out", tmp_path / f"{sentinel.home.parent.name}.html")
        assert not sentinel.run("map", "--json").err
    assert answers(central) == answers(own)
    assert answers(central)["map"]
    assert not (central.home / "var" / "sentinel.db").exists()
    assert (tmp_path / "central.html").stat().st_size > 10_000


def test_doctor_names_the_server_and_its_version(central: Sentinel, empty: ServerPlace) -> None:
    rows = {row["name"]: row for row in central.rows("doctor")}
    assert rows["数据库"]["state"] == rows["审计链"]["state"] == "ok"
    assert "PostgreSQL 1" in rows["数据库"]["detail"]
    assert str(empty) in rows["数据库"]["detail"]


def test_backup_moves_a_home_from_a_file_to_a_server_and_back(
    make_home: Callable[[], Sentinel], empty: ServerPlace, weeks: tuple[Path, Path], tmp_path: Path
) -> None:
    own = make_home()
    own.run("import", weeks[0])
    own.run("backup", "--out", tmp_path / "there.tar")
    central = Sentinel(tmp_path / "central" / "home")
    central.run("restore", tmp_path / "there.tar", "--database", str(empty))
    assert not list((central.home / "var").glob("sentinel.db*"))
    assert answers(central) == answers(own)
    central.run("import", weeks[1])
    central.run("backup", "--out", tmp_path / "back.tar")
    central.run("backup", "--check", tmp_path / "back.tar")
    back = Sentinel(tmp_path / "back" / "home")
    back.run("restore", tmp_path / "back.tar")
    assert (back.home / "var" / "sentinel.db").is_file()
    assert answers(back) == answers(central) != answers(own)
    rows = {row["name"]: row["value"] for row in back.rows("setting", "list")}
    assert rows["database"] == "", "a home made elsewhere does not open the tables it was copied from"
    back.run("import", weeks[0])
    states = {row["name"]: row["state"] for row in back.rows("doctor")}
    assert states["数据库"] == states["审计链"] == states["证据"] == "ok"


def test_restore_over_tables_that_are_there_is_refused_and_leaves_both(
    central: Sentinel, empty: ServerPlace, tmp_path: Path
) -> None:
    central.run("backup", "--out", tmp_path / "b.tar")
    before = answers(central)
    second = Sentinel(tmp_path / "second" / "home")
    complaint = second.run("restore", tmp_path / "b.tar", "--database", str(empty), expect=6).complaint
    assert "holds a home already" in complaint
    assert not second.home.exists()
    assert answers(central) == before


def test_init_that_fails_half_way_leaves_neither_folder_nor_tables(empty: ServerPlace, tmp_path: Path) -> None:
    home = tmp_path / "home"
    asked = ("init", "--unit", "a/b", "--database", str(empty))
    assert run("--home", home, *asked).status == 2
    assert not home.exists()
    assert run("--home", home, "init", "--unit", UNIT, "--database", str(empty)).status == 0


@pytest.mark.parametrize("way", ["option", "environment", "setting"])
def test_password_in_the_url_is_refused_in_one_line_that_does_not_repeat_it(
    make_home: Callable[[], Sentinel], tmp_path: Path, way: str
) -> None:
    url = "postgresql://clerk:s3cret@db.example.cn/centre"
    if way == "option":
        done = run("--home", tmp_path / "home", "init", "--unit", UNIT, "--database", url)
    elif way == "environment":
        done = run("--home", tmp_path / "home", "init", "--unit", UNIT, env={"SENTINEL_DATABASE": url})
    else:
        done = run("--home", make_home().home, "setting", "set", "database", url)
    assert done.status == (2 if way == "option" else 7)
    assert "holds a password" in done.complaint
    assert "s3cret" not in done.out + done.err


def test_setting_another_database_is_refused_where_no_home_is(
    make_home: Callable[[], Sentinel], empty: ServerPlace
) -> None:
    own = make_home()
    before = (own.home / "sentinel.toml").read_bytes()
    assert "holds no home" in own.run("setting", "set", "database", str(empty), expect=6).complaint
    gone = replace(empty, host="/nonexistent")
    assert "no server answers" in own.run("setting", "set", "database", str(gone), expect=6).complaint
    assert (own.home / "sentinel.toml").read_bytes() == before


def test_server_that_is_gone_is_one_line_and_status_6(central: Sentinel, tmp_path: Path) -> None:
    env = {"SENTINEL_DATABASE": "postgresql://127.0.0.1:1/centre", "PATH": os.defpath}
    for words in (("map",), ("unit", "list"), ("backup", "--out", tmp_path / "b.tar")):
        assert "no server answers there" in central.run(*words, env=env, expect=6).complaint
    assert central.run("doctor", env=env, expect=6).err
