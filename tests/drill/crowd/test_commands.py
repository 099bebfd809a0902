"""The programs a crowd starts: what is missing, what fails, and what a process of sentinel's own says."""

import os
import time
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from sentinel.drill.crowd import commands
from sentinel.drill.crowd.commands import Child, load_rules, need_programs, run_ip
from sentinel.drill.crowd.plan import plan_crowd
from sentinel.drill.crowd.running import start_crowd
from sentinel.errors import CollectError, UsageError

CROWD = plan_crowd(IPv4Network("10.32.0.0/24"), 20, 1)


def only(programs: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave these shell scripts as the only programs there are."""
    for name, script in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(commands, "_SYSTEM_PATHS", ())


@pytest.mark.parametrize(
    ("present", "words"),
    [
        ((), "practice crowd: `ip` and `nft` not found; install with `apt install iproute2 nftables`"),
        (("ip",), "practice crowd: `nft` not found; install with `apt install nftables`"),
        (("nft",), "practice crowd: `ip` not found; install with `apt install iproute2`"),
    ],
)
def test_crowd_without_a_program_then_names_it_and_its_package(
    present: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(dict.fromkeys(present, "exit 0"), tmp_path, monkeypatch)
    with pytest.raises(CollectError) as caught:
        start_crowd(CROWD)
    assert str(caught.value) == words


def test_programs_in_the_folders_of_the_system_then_are_found_without_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    need_programs()


def test_command_that_fails_then_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only({"ip": "echo no such device >&2; echo Command failed -:3 >&2; exit 1", "nft": "exit 0"}, tmp_path, monkeypatch)
    with pytest.raises(CollectError) as caught:
        run_ip(("link set x up",))
    assert str(caught.value) == "practice crowd: `ip` failed: no such device; Command failed -:3"


def test_command_that_does_not_end_then_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only({"nft": "exec /bin/sleep 30", "ip": "exit 0"}, tmp_path, monkeypatch)
    monkeypatch.setattr(commands, "_COMMAND_S", 0.2)
    with pytest.raises(CollectError, match="`nft` did not end"):
        load_rules("table ip x {}")


@pytest.mark.parametrize(
    ("loss", "delay", "words"),
    [
        (1.0, 0.0, "1.0: the loss is a share of the packets, from 0 up to 1"),
        (-0.1, 0.0, "-0.1: the loss is a share of the packets, from 0 up to 1"),
        (0.0, -1.0, "-1.0: the delay lies between 0 and 10000 ms"),
        (0.0, float("nan"), "nan: the delay lies between 0 and 10000 ms"),
    ],
)
def test_crowd_with_an_impossible_distance_then_is_refused(loss: float, delay: float, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        start_crowd(CROWD, loss=loss, delay_ms=delay)
    assert str(caught.value) == words


def talker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> Child:
    (tmp_path / "talker.py").write_text(body, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return Child("talker")


def test_child_when_told_then_answers_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = talker(tmp_path, monkeypatch, "import sys\nprint(sys.stdin.readline(), flush=True)\nsys.stdin.read()\n")
    child.tell({"word": "你好"})
    assert child.hear(time.monotonic() + 60) == {"word": "你好"}
    assert child.is_running
    child.end()
    child.end()
    assert not child.is_running
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise ValueError('why it ended')", "practice crowd: it ended: ValueError: why it ended"),
        ("", "practice crowd: it ended: no reason given"),
        ("""print('{"error": "practice crowd: told"}')""", "practice crowd: told"),
        ("print('x' * 200000)", "practice crowd: it ended: no reason given"),
    ],
)
def test_child_that_fails_then_gives_its_reason(
    body: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = talker(tmp_path, monkeypatch, body)
    with pytest.raises(CollectError) as caught:
        child.hear(time.monotonic() + 60)
    child.end()
    assert str(caught.value) == words


def test_child_that_keeps_silent_then_is_not_waited_for_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = talker(tmp_path, monkeypatch, "import sys\nsys.stdin.read()")
    with pytest.raises(CollectError, match="does not answer"):
        child.hear(time.monotonic() + 0.2)
    child.end()


def test_child_that_has_ended_when_told_then_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = talker(tmp_path, monkeypatch, "")
    with pytest.raises(CollectError):
        child.hear(time.monotonic() + 60)
    with pytest.raises(CollectError, match="it ended"):
        for _ in range(2):
            child.tell({"much": "x" * 100_000})
    child.end()
