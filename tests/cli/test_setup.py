"""`init`, `doctor` and `unit`: a home is made, looked at and given its units, networks and times."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.command import UNIT, Sentinel, run
from tests.cli.written import host, nmap, service


def test_init_when_the_folder_is_new_makes_a_home_without_asking_and_authorises_nothing(tmp_path: Path) -> None:
    home = tmp_path / "a" / "home"
    done = run("--home", home, "init", "--unit", UNIT, "--json")
    assert done.row == {"home": str(home), "unit": UNIT, "name": UNIT}
    made = Sentinel(home)
    assert made.rows("scope", "list") == []
    assert made.rows("map") == []
    assert (home / "sentinel.toml").is_file()


def test_init_when_a_code_is_given_keeps_it_beside_the_name(tmp_path: Path) -> None:
    made = Sentinel(tmp_path / "home")
    made.run("init", "--unit", UNIT, "--code", "4101000001", "--level", "county")
    (unit,) = made.rows("unit", "list")
    assert (unit["code"], unit["name"], unit["level"]) == ("4101000001", UNIT, "county")


def test_init_when_a_home_is_there_refuses_and_changes_nothing(sentinel: Sentinel) -> None:
    before = (sentinel.home / "sentinel.toml").read_bytes()
    assert "is a home already" in sentinel.run("init", "--unit", "另一所", expect=6).complaint
    assert (sentinel.home / "sentinel.toml").read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        ["--unit", "a/b"],
        ["--unit", " "],
        ["--unit", "x" * 101],
        ["--unit", "tab\there"],
        ["--unit", UNIT, "--level", "planet"],
        ["--unit", UNIT, "--code", "a/b"],
    ],
)
def test_init_when_a_word_is_bad_leaves_nothing_half_made(tmp_path: Path, words: list[str]) -> None:
    home = Sentinel(tmp_path / "home")
    assert len(home.run("init", *words, expect=2).complaint) < 200
    home.run("init", "--unit", UNIT)
    assert [row["code"] for row in home.rows("unit", "list")] == [UNIT]


def test_init_when_a_file_is_in_the_way_ends_with_6(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "sentinel: " in run("--home", tmp_path / "file", "init", "--unit", UNIT).complaint
    assert run("--home", tmp_path / "file" / "home", "init", "--unit", UNIT).status == 6


@pytest.mark.parametrize(
    "words", [["map"], ["scan", "192.0.2.1"], ["import", "x"], ["check"], ["finding", "list"], ["run", "--once"]]
)
def test_command_when_there_is_no_home_says_how_to_make_one(tmp_path: Path, words: list[str]) -> None:
    done = run("--home", tmp_path / "none", *words)
    assert (done.status, done.out) == (6, "")
    assert f"make one with `sentinel --home {tmp_path / 'none'} init --unit NAME`" in done.complaint


def test_doctor_when_all_is_well_lists_what_it_looked_at(sentinel: Sentinel) -> None:
    rows = {row["name"]: row for row in sentinel.rows("doctor")}
    assert {"Python", "nmap", "原始套接字", "规则", "磁盘", "审计链", "证据"} <= rows.keys()
    assert set().union(*(row.keys() for row in rows.values())) == {"name", "state", "detail", "remedy"}
    assert all(row["state"] in {"ok", "limited"} for row in rows.values())
    assert all(row["remedy"] for row in rows.values() if row["state"] != "ok")


def test_doctor_when_there_is_no_home_says_how_to_make_one_and_ends_with_0(tmp_path: Path) -> None:
    rows = {row["name"]: row for row in Sentinel(tmp_path / "none").rows("doctor")}
    assert rows["数据目录"]["state"] == "limited"
    assert "init --unit" in rows["数据目录"]["remedy"]


def test_doctor_when_nmap_is_missing_says_what_to_install(sentinel: Sentinel, tmp_path: Path) -> None:
    rows = {row["name"]: row for row in sentinel.rows("doctor", env={"PATH": str(tmp_path)})}
    assert rows["nmap"]["state"] == "missing"
    assert "install nmap" in rows["nmap"]["remedy"]


def test_doctor_when_the_audit_was_touched_says_where_and_ends_with_6(sentinel: Sentinel) -> None:
    with closing(sqlite3.connect(sentinel.home / "var" / "sentinel.db")) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE audit SET actor='nobody' WHERE id=2")
    done = sentinel.run("doctor", expect=6)
    assert "the audit chain is broken from row 2 on" in done.complaint
    assert "第 2 条" in done.out


def test_doctor_when_evidence_is_damaged_names_it_and_ends_with_6(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(nmap(host("192.0.2.1", service(22, "ssh"))))
    (row,) = sentinel.rows("import", tmp_path / "a.xml")
    (blob,) = (sentinel.home / "var" / "evidence").glob("*/*.zst")
    blob.write_bytes(blob.read_bytes()[:-9])
    assert row["evidence"] in sentinel.run("doctor", expect=6).complaint


def test_home_when_its_database_is_damaged_ends_with_one_line_and_6(sentinel: Sentinel) -> None:
    database = sentinel.home / "var" / "sentinel.db"
    for file in database.parent.glob("sentinel.db*"):
        file.unlink()
    database.write_bytes(b"not a database at all, and long enough to be read as one\n" * 40)
    for words in (["doctor"], ["map"], ["check"]):
        assert str(database) in sentinel.run(*words, expect=6).complaint


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("unit = [", "Invalid"),
        ("colour = 'red'", "colour: unknown setting; known are"),
        ("rate_pps = 0", "rate_pps: must be a whole number from 1"),
        ("ports = 'http'", "ports:"),
        ("language = 'fr'", "language: must be one of zh, en"),
        ("rules = 'x'\nunit = 7", "unit: must be text"),
    ],
)
def test_command_when_the_settings_file_is_bad_ends_with_one_line_and_7(
    sentinel: Sentinel, text: str, told: str
) -> None:
    (sentinel.home / "sentinel.toml").write_text(text)
    for words in (["map"], ["doctor"], ["rules", "list"], ["run", "--once"]):
        complaint = sentinel.run(*words, expect=7).complaint
        assert str(sentinel.home / "sentinel.toml") in complaint
        assert told in complaint


def test_command_when_a_variable_is_bad_names_it_and_ends_with_7(sentinel: Sentinel) -> None:
    assert "SENTINEL_JOB_SIZE" in sentinel.run("map", env={"SENTINEL_JOB_SIZE": "65"}, expect=7).complaint
    assert "SENTINEL_COLOUR" in sentinel.run("map", env={"SENTINEL_COLOUR": "1"}, expect=7).complaint


def test_unit_when_added_below_another_is_listed_after_it(sentinel: Sentinel) -> None:
    sentinel.run("unit", "add", "4101", "示例县教育局", "--level", "county")
    (row,) = sentinel.rows("unit", "add", "4101001", "示例小学", "--parent", "4101", "--region", "410100")
    told = {"code": "4101001", "name": "示例小学", "level": "school", "parent": "4101", "path": "4101/4101001"}
    assert {key: row[key] for key in told} == told
    listed = sentinel.rows("unit", "list")
    assert [(row["code"], row["region"]) for row in listed if row["code"] != UNIT] == [
        ("4101", ""),
        ("4101001", "410100"),
    ]
    assert "  示例小学" in sentinel.run("unit", "list").out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["add", UNIT], "there is a unit"),
        (["add", "9", "--parent", "nosuch"], "no such unit: 'nosuch'"),
        (["add", "9", "--level", "planet"], "no such level: 'planet'"),
        (["network", "lan", "10.1.0.5/24"], "no network: '10.1.0.5/24'"),
        (["network", "lan", "10.1.0.0/24", "--zone", "moon"], "no such zone: 'moon'"),
        (["network", "default", "10.1.0.0/24"], "the default network takes what no other holds"),
        (["network", "lan", "10.1.0.0/24", "--unit", "nosuch"], "no such unit: 'nosuch'; `sentinel unit list`"),
        (["networks", "--unit", ""], "no such unit: ''"),
        (["plan", "--at", "25:00"], "--at: no time of day: '25:00'"),
        (["plan", "--at", "02:30", "--days", "someday"], "--days: no such days"),
        (["plan", "--at", "02:30", "--ports", "http"], "--ports:"),
    ],
)
def test_unit_when_a_word_is_wrong_ends_with_one_line_and_2(untouched: Sentinel, words: list[str], told: str) -> None:
    assert told in untouched.run("unit", *words, expect=2).complaint


def test_network_when_declared_holds_its_addresses_and_keeps_logs_only(sentinel: Sentinel) -> None:
    (row,) = sentinel.rows("unit", "network", "dorm", "10.9.0.0/16", "--zone", "dormitory", "--logs-only")
    assert row == {
        "unit": UNIT, "name": "dorm", "zone": "dormitory", "prefixes": ["10.9.0.0/16"], "scannable": False,
    }  # fmt: skip
    assert [one["name"] for one in sentinel.rows("unit", "networks")] == ["default", "dorm"]


def test_plan_when_set_and_switched_off_is_shown_with_the_units(sentinel: Sentinel) -> None:
    (row,) = sentinel.rows("unit", "plan", "--at", "02:30", "--days", "thu,mon", "--ports", "22,U:53")
    assert (row["unit"], row["at"], row["days"], row["enabled"], row["ports"]) == (
        UNIT, "02:30", "mon,thu", True, "22,U:53",
    )  # fmt: skip
    assert "周一四 02:30" in sentinel.run("unit", "list").out
    sentinel.run("unit", "plan", "--at", "02:30", "--off")
    (unit,) = sentinel.rows("unit", "list")
    assert unit["plan"]["enabled"] is False


def test_unit_when_there_are_several_and_no_setting_must_be_named(sentinel: Sentinel) -> None:
    sentinel.run("unit", "add", "4101", "示例小学")
    (sentinel.home / "sentinel.toml").write_text("")
    assert "which of 2 units is meant? name it with --unit" in sentinel.run("check", expect=2).complaint
    sentinel.run("check", "--unit", "示例小学")
