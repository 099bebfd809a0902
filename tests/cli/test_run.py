"""`run`: missed cycles caught up once, one scheduler a home, and an end without a trace."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.command import UNIT, Sentinel, examine
from tests.cli.services import PLACE, answer_plain
from tests.cli.test_scan import wait_until
from tests.collect.practice import serve

pytestmark = pytest.mark.nmap

SHANGHAI = timedelta(hours=8)


def plan(sentinel: Sentinel, *, days_ago: float, ports: str = "9070") -> None:
    """Set a plan that has been in force for some days, due every day a minute ago: time cannot be waited for."""
    due = datetime.now(UTC) + SHANGHAI - timedelta(minutes=1)
    sentinel.run("unit", "plan", "--at", f"{due:%H:%M}", "--ports", ports)
    with closing(sqlite3.connect(sentinel.home / "var" / "sentinel.db")) as connection, connection:
        connection.execute("UPDATE plan SET created_us = created_us - ?", (int(days_ago * 86_400_000_000),))


def reports(sentinel: Sentinel) -> list[Path]:
    return sorted((sentinel.home / "var" / "reports").rglob("*.html"))


def test_run_once_when_cycles_were_missed_runs_each_unit_s_once(sentinel: Sentinel) -> None:
    sentinel.authorise(f"{PLACE}.100", level="discover")
    plan(sentinel, days_ago=5)
    with serve(f"{PLACE}.100", 9070, answer_plain):
        first = sentinel.run("run", "--once")
    assert "补做 1 个单位的巡检" in first.out
    assert "巡检结束，ok" in first.err
    assert sentinel.places() == {(f"{PLACE}.100", 9070)}
    assert {path.name.partition("-")[0] for path in reports(sentinel)} == {"school", "compliance", "mining"}
    assert sentinel.rows("finding", "list") != []
    second = sentinel.run("run", "--once")
    assert "补做 0 个单位的巡检" in second.out
    assert len(reports(sentinel)) == 3
    (unit,) = sentinel.rows("unit", "list")
    assert (unit["plan"]["last_result"], unit["plan"]["last_due"] is not None) == ("ok", True)


def test_run_once_when_nothing_is_due_does_nothing(sentinel: Sentinel) -> None:
    assert "补做 0 个单位的巡检" in sentinel.run("run", "--once").out
    plan(sentinel, days_ago=0)
    assert "补做 0 个单位的巡检" in sentinel.run("run", "--once").out, "a fresh plan has missed nothing"
    plan(sentinel, days_ago=5)
    sentinel.run("unit", "plan", "--at", "02:30", "--off")
    assert "补做 0 个单位的巡检" in sentinel.run("run", "--once").out


def test_run_once_when_nothing_is_authorised_judges_and_says_so(sentinel: Sentinel) -> None:
    plan(sentinel, days_ago=5)
    done = sentinel.run("run", "--once")
    assert "no authorisation to scan holds now; nothing was sent" in done.err
    assert len(reports(sentinel)) == 3


def test_run_when_another_works_on_the_home_is_refused(sentinel: Sentinel) -> None:
    process = sentinel.start("run")
    try:
        assert process.stderr is not None
        assert "0 个单位有巡检计划" in process.stderr.readline().decode()
        for words in (["run"], ["run", "--once"]):
            complaint = sentinel.run(*words, expect=6).complaint
            assert complaint == "sentinel: another `sentinel run` works on this home; stop it first"
        assert sentinel.run("map").status == 0, "other commands go on"
    finally:
        process.send_signal(signal.SIGTERM)
    assert ended(process).status == 0
    assert "补做 0 个" in sentinel.run("run", "--once").out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_when_started_late_catches_up_and_ends_at_a_signal(sentinel: Sentinel, number: signal.Signals) -> None:
    sentinel.authorise(f"{PLACE}.101", level="discover")
    plan(sentinel, days_ago=5)
    process = sentinel.start("run")
    wait_until(lambda: sentinel.rows("unit", "list")[0]["plan"]["last_result"] == "ok", timeout_s=60)
    process.send_signal(number)
    done = ended(process)
    assert done.status == 0
    assert f"{UNIT}：巡检结束，ok" in done.err
    assert len(reports(sentinel)) == 3


def ended(process: subprocess.Popen[bytes]) -> object:
    """Wait for the end of a scheduler and examine what it said."""
    out, err = process.communicate(timeout=30)
    return examine((), process.returncode, out, err)
