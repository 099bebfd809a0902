"""`backup` while an import and a scan go on in another process; `restore` elsewhere; both asked wrongly."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import Sentinel, kill, run
from tests.cli.services import PLACE
from tests.cli.test_kill import JOBS, listening
from tests.cli.written import START, school
from tests.homes import opened
from tests.store.test_evidence_budget import keep

HOSTS = 300
SHARES = (0.3, 0.8)
"""Moments of the import at which the backup begins."""


def picture(sentinel: Sentinel) -> tuple[str, str]:
    return sentinel.run("map", "--json").out, sentinel.run("finding", "list", "--json").out


def is_sound(sentinel: Sentinel) -> bool:
    rows = {row["name"]: row["state"] for row in sentinel.rows("doctor")}
    return all(rows[name] == "ok" for name in ("数据库", "审计链", "证据"))


@pytest.mark.parametrize("share", SHARES)
def test_backup_during_an_import_when_restored_is_a_moment_of_the_original(
    make_home: Callable[[], Sentinel], tmp_path: Path, share: float
) -> None:
    first, second = tmp_path / "first.xml", tmp_path / "second.xml"
    first.write_text(school(0, HOSTS))
    second.write_text(school(150, HOSTS + 150, start=START + 86_400, release=1))
    sentinel = make_home()
    sentinel.run("import", first)
    before = picture(sentinel)
    spare = Sentinel(tmp_path / "spare")
    shutil.copytree(sentinel.home, spare.home)
    begun = time.monotonic()
    spare.run("import", second, "--no-check")
    seconds = time.monotonic() - begun
    process = sentinel.start("import", second, "--no-check")
    time.sleep(seconds * share)
    row = sentinel.run("backup", "--out", tmp_path / "b.tar", "--json").row
    process.communicate(timeout=90)
    assert process.returncode == 0
    moved = Sentinel(tmp_path / "elsewhere" / "home")
    assert moved.run("restore", tmp_path / "b.tar", "--json").row["contacts"] == "nothing"
    assert picture(moved) in {before, picture(sentinel)}
    assert is_sound(moved)
    assert row["evidence"] in {1, 2}


@pytest.mark.nmap
def test_backup_during_a_scan_when_restored_holds_the_jobs_done_by_then_and_can_go_on(
    make_home: Callable[[], Sentinel], tmp_path: Path
) -> None:
    sentinel = make_home()
    sentinel.authorise(f"{PLACE}.64/27", level="discover")
    words = (f"{PLACE}.64/27", "--ports", "9070-9074")
    with listening():
        process = sentinel.start("scan", *words, "--json", env=JOBS)
        while sentinel.run("map", "--json").out.count("\n") < 2:
            time.sleep(0.1)
        assert process.poll() is None, "the scan still runs"
        sentinel.run("backup", "--out", tmp_path / "b.tar")
        assert process.poll() is None, "and it was not kept waiting"
        out, _ = process.communicate(timeout=90)
        assert process.returncode == 0, out
        moved = Sentinel(tmp_path / "elsewhere")
        moved.run("restore", tmp_path / "b.tar")
        whole = sentinel.run("map", "--json").out.splitlines()
        part = moved.run("map", "--json").out.splitlines()
        assert part
        assert part == whole[: len(part)]
        assert is_sound(moved)
        moved.scan(*words, env=JOBS)
    assert moved.places() == sentinel.places()


def test_backup_when_killed_half_way_leaves_nothing_that_looks_like_one_and_the_next_works(
    make_home: Callable[[], Sentinel], tmp_path: Path
) -> None:
    sentinel = make_home()
    with opened(sentinel.home) as context:
        keep(context, "large", 1, 48 << 20)
    process = sentinel.start("backup", "--out", tmp_path)
    while not any(file.stat().st_size > 1 << 20 for file in tmp_path.glob(".*.tar.part")):
        assert process.poll() is None, "it was faster than this test"
    kill(process)
    assert list(tmp_path.glob("*.tar")) == []
    sentinel.run("backup", "--out", tmp_path / "next.tar")
    for file in tmp_path.glob(".*.part"):
        os.utime(file, (time.time() - 90_000,) * 2)
    sentinel.run("backup", "--out", tmp_path / "last.tar")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["last.tar", "next.tar"], "leftovers go after a day"


def test_backup_into_a_folder_keeps_so_many(make_home: Callable[[], Sentinel], tmp_path: Path) -> None:
    sentinel = make_home()
    files = []
    for _ in range(3):
        files.append(Path(sentinel.run("backup", "--out", tmp_path, "--keep", "2", "--json").row["file"]).name)
        time.sleep(1.1)  # the name tells the second
    assert sorted(file.name for file in tmp_path.iterdir()) == files[1:]


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["--out", "{home}/var/b.tar"], 2, "lies inside the home"),
        (["--out", "{home}/sentinel.toml"], 2, "lies inside the home"),
        (["--out", "{tmp}/there.tar"], 6, "is there already"),
        (["--out", "{tmp}/none/b.tar"], 6, "no such folder"),
        (["--out", "{tmp}/there.tar", "--keep", "2"], 2, "needs a folder"),
        (["--check", "{tmp}/none.tar"], 6, "No such file"),
        (["--check", "{tmp}/there.tar"], 3, "cut off|no backup"),
        (["--check", "{tmp}"], 6, "directory"),
        (["--check", "{tmp}/there.tar", "--reports"], 2, "no other option"),
    ],
)
def test_backup_when_asked_wrongly_says_so_in_one_line_and_breaks_nothing(
    untouched: Sentinel, tmp_path: Path, words: list[str], status: int, told: str
) -> None:
    (tmp_path / "there.tar").write_text("mine")
    filled = [word.format(home=untouched.home, tmp=tmp_path) for word in words]
    complaint = untouched.run("backup", *filled, expect=status).complaint
    assert re.search(told, complaint), complaint
    assert (tmp_path / "there.tar").read_text() == "mine"
    assert [file.name for file in tmp_path.iterdir()] == ["there.tar"]


def test_backup_takes_own_rules_and_reports_along_and_names_what_lies_elsewhere(
    make_home: Callable[[], Sentinel], tmp_path: Path
) -> None:
    sentinel = make_home()
    for folder in (sentinel.home / "rules", tmp_path / "rules"):
        folder.mkdir()
        (folder / "说明.txt").write_text("x")
    settings = sentinel.home / "sentinel.toml"
    settings.write_text(settings.read_text() + f'\nrules = ["{sentinel.home}/rules", "{tmp_path}/rules"]\n')
    sentinel.run("report", "school", "--out", tmp_path / "r.html")
    (sentinel.home / "var" / "reports" / "u").mkdir()
    (sentinel.home / "var" / "reports" / "u" / "school.html").write_text("<p>")
    done = sentinel.run("backup", "--out", tmp_path / "b.tar", "--reports")
    assert f"{tmp_path}/rules: own rules outside the home are not in the backup" in done.err
    moved = Sentinel(tmp_path / "elsewhere")
    moved.run("restore", tmp_path / "b.tar")
    assert (moved.home / "rules" / "说明.txt").read_text() == "x"
    assert (moved.home / "var" / "reports" / "u" / "school.html").exists()


def test_backup_says_how_many_ports_it_holds(make_home: Callable[[], Sentinel], tmp_path: Path) -> None:
    sentinel = make_home()
    (tmp_path / "scan.xml").write_text(school(0, 3))
    sentinel.run("import", tmp_path / "scan.xml", "--no-check")
    ports = len(sentinel.rows("map"))
    assert ports
    assert f"端口记录 {ports}，" in sentinel.run("backup", "--out", tmp_path / "b.tar").out


def test_restore_over_a_home_is_refused(make_home: Callable[[], Sentinel], tmp_path: Path) -> None:
    sentinel = make_home()
    sentinel.run("backup", "--out", tmp_path / "b.tar")
    before = sentinel.rows("unit", "list")
    assert "something is there already" in sentinel.run("restore", tmp_path / "b.tar", expect=6).complaint
    assert sentinel.rows("unit", "list") == before


def test_run_when_a_folder_is_set_backs_up_once_a_day(make_home: Callable[[], Sentinel], tmp_path: Path) -> None:
    sentinel = make_home()
    env = {"SENTINEL_BACKUP_DIR": str(tmp_path)}
    for _ in range(2):
        sentinel.run("run", "--once", env=env)
    (file,) = tmp_path.iterdir()
    assert run("backup", "--check", file).status == 0
    assert "backup done" in (sentinel.home / "var" / "log" / "run.log").read_text()


def test_run_when_the_folder_of_backups_is_not_there_says_so_and_makes_none(
    make_home: Callable[[], Sentinel], tmp_path: Path
) -> None:
    sentinel = make_home()
    env = {"SENTINEL_BACKUP_DIR": str(tmp_path / "stick")}
    done = sentinel.run("run", "--once", env=env)
    assert "is its disk mounted?" in done.err
    assert "is its disk mounted?" in sentinel.run("backup", env=env, expect=2).complaint
    assert "没有挂载" in {row["name"]: row["detail"] for row in sentinel.rows("doctor", env=env)}["备份"]
    assert list(tmp_path.iterdir()) == []
