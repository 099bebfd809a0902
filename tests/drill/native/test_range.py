"""The practice range with a host of real programs, as the command line gives it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sentinel.drill.native.program import Kind
from tests.cli.command import ROOT, Done, environment

pytestmark = pytest.mark.namespace


@dataclass(frozen=True)
class Range:
    """The command line for a range of a test's own."""

    folder: Path

    @property
    def temporary(self) -> Path:
        """Where its programs write."""
        return self.folder.with_name("temporary")

    def __call__(self, command: str, *words: object) -> Done:
        said = [sys.executable, "-m", "sentinel", "range", command, "--dir", str(self.folder), *map(str, words)]
        self.temporary.mkdir(exist_ok=True)
        env = environment({"TMPDIR": str(self.temporary)})
        done = subprocess.run(said, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
        return Done(tuple(said), done.returncode, done.stdout, done.stderr)


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Range]:
    command = Range(tmp_path / "range")
    yield command
    command("down")
    assert not command.folder.exists()
    assert list(command.temporary.iterdir()) == []


ASK = """
import socket
with socket.create_connection(("10.77.1.60", 6379), 2) as redis:
    redis.sendall(b"PING\\r\\n")
    print(redis.recv(9))
"""
BROKEN = """#!/bin/sh
[ "$1" != --version ] || { echo Redis server v=7.0.15; exit 0; }
echo no way
exit 1
"""


def truth_of(told: dict[str, Any]) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads(Path(told["truth"]).read_text("utf-8"))
    return truth


def test_up_when_packages_are_unpacked_then_one_more_host_serves_them_and_stands_in_the_truth(
    practice: Range, unpacked: Path
) -> None:
    told = practice("up", "--size", 5, "--mode", "user-namespace", "--native-from", unpacked, "--json").row
    truth = truth_of(told)
    own = [row for row in truth["ports"] if row["address"] == "10.77.1.60"]

    assert {one.partition(" ")[0] for one in told["native"]} == set(Kind)
    assert told["left_out"] == []
    assert sorted(row["port"] for row in own) == [22, 80, 443, 1883, 5432, 6379]
    assert all(row.keys() == own[0].keys() for row in truth["ports"])
    host = truth["hosts"][-1]
    assert (host["role"], host["label"], host["name"]) == ("native", "真实的 Debian 服务", "native.school1.example")
    assert host.keys() == truth["hosts"][0].keys()
    assert told["hosts"] == len(truth["hosts"])
    assert told["tcp"] + told["udp"] == len(truth["ports"])


def test_up_when_it_stands_then_its_programs_answer_inside_and_a_cue_keeps_them(
    practice: Range, unpacked: Path
) -> None:
    told = practice("up", "--size", 5, "--mode", "user-namespace", "--native-from", unpacked, "--json").row
    played = practice("cue", "change", "--json").row
    (port,) = (row for row in truth_of(played)["ports"] if row["address"] == "10.77.1.60" and row["port"] == 6379)
    enter = ["nsenter", "--user", "--preserve-credentials", "--net", "--target", str(told["pid"])]
    done = subprocess.run([*enter, sys.executable, "-c", ASK], capture_output=True, text=True, timeout=20, check=False)

    assert port["weaknesses"] == ["exposure.redis-no-auth"]
    assert (done.stdout, done.stderr) == ("b'+PONG\\r\\n'\n", "")
    assert played["hosts"] == told["hosts"] + 1


def test_up_when_only_the_machine_is_looked_through_then_each_program_runs_or_is_said_to_be_left_out(
    practice: Range,
) -> None:
    told = practice("up", "--size", 3, "--mode", "user-namespace", "--native", "--json").row
    runs, lacks = {one.partition(" ")[0] for one in told["native"]}, {name for name, _ in told["left_out"]}

    assert runs | lacks == set(Kind)
    assert not runs & lacks


def test_up_when_a_program_cannot_be_started_then_the_screen_says_which_and_why(
    practice: Range, tmp_path: Path, unpacked: Path
) -> None:
    tree = tmp_path / "tree"
    broken = tree / "usr/bin/redis-server"
    broken.parent.mkdir(parents=True)
    broken.write_text(BROKEN, "utf-8")
    broken.chmod(0o755)
    done = practice("up", "--size", 3, "--mode", "user-namespace", "--native-from", tree)

    assert done.status == 0, done.err
    assert "未启动的真实服务：redis-server（no way）。" in done.err


def test_up_when_no_real_services_are_wanted_then_there_are_none(practice: Range) -> None:
    told = practice("up", "--size", 3, "--mode", "user-namespace", "--json").row

    assert (told["native"], told["left_out"]) == ([], [])
    assert {host["role"] for host in truth_of(told)["hosts"]}.isdisjoint({"native"})


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ["--native-from", "/none"],
            "--native-from: no such folder: /none; make it with scripts/unpack.sh",
        ),
        (["--native", "--crowd", "10.32.0.0/24"], "--native belongs to a school; a crowd has no such host"),
    ],
)
def test_up_when_the_wish_makes_no_sense_then_one_line_says_so(
    words: list[str], complaint: str, tmp_path: Path
) -> None:
    done = Range(tmp_path / "range")("up", *words)

    assert done.complaint == f"sentinel: {complaint}"
    assert done.status == 2
    assert not (tmp_path / "range").exists()
