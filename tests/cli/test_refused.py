"""A refused scan sends nothing: every packet of a network namespace is watched meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.cli.command import ROOT, Sentinel
from tests.cli.inside import REASONS, SCANS

pytestmark = [pytest.mark.namespace, pytest.mark.nmap]


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    """What the scenario saw."""
    command = ["unshare", "--map-root-user", "--net", sys.executable, "-m", "tests.cli.inside"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_scan_when_refused_sends_no_packet(seen: dict[str, Any]) -> None:
    assert seen["packets while refused"] == 0
    assert {seen[name]["summary"]["probes"] for name in SCANS} == {0}


def test_scan_when_refused_tells_every_target_its_reason_and_one_line_why(seen: dict[str, Any]) -> None:
    shown = {target.replace("\n", "\N{REPLACEMENT CHARACTER}"): reason for target, reason in REASONS.items()}
    assert dict(seen["all kinds"]["events"]) == shown
    refused = seen["all kinds"]["summary"]["refused"]
    assert {one["target"]: one["reason"] for one in refused} == shown
    assert all(one["detail"] for one in refused)
    assert seen["too fast"]["events"] == [["127.78.3.1", "rate"]]
    assert seen["only a plan"]["events"] == [["127.78.4.1", "unauthorised"]]
    assert all(seen[name]["complaint"].startswith("sentinel: refused, nothing was sent: ") for name in SCANS)


def test_scan_when_partly_refused_touches_only_what_is_allowed(seen: dict[str, Any]) -> None:
    allowed = ["127.78.3.0", "127.78.3.1", "127.78.3.2", "127.78.3.3"]
    assert seen["asked"] == sorted([*allowed, "127.78.3.64", "127.78.3.66", "127.78.3.67"])
    assert seen["touched elsewhere"] == []
    assert [one["target"] for one in seen["partly"]["refused"]] == ["127.78.4.1"]
    assert (seen["partly"]["coverage"], seen["partly"]["hosts_up"]) == (1.0, 4)
    assert seen["partly"]["probes"] >= 4


def test_scan_around_what_must_stay_out_touches_all_but_that(seen: dict[str, Any]) -> None:
    assert "127.78.3.65" not in seen["asked"]
    (refused,) = seen["around"]["refused"]
    assert (refused["target"], refused["reason"]) == ("127.78.3.64/30", "kept_out")
    assert seen["around"]["hosts_up"] == 3


def test_scan_when_refused_says_so_to_people_in_one_line_without_a_summary(sentinel: Sentinel) -> None:
    done = sentinel.run("scan", "192.0.2.1", expect=5)
    assert done.out == ""
    assert done.complaint.startswith("sentinel: refused, nothing was sent: 192.0.2.1: no authorisation of unit")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--ports", "http"], "--ports: no port or range of ports: 'http'"),
        (["--ports", ""], "--ports:"),
        (["--ports", "1-70000"], "--ports: ports run from 0 to 65535"),
        (["--level", "check"], "--level: 'check' is neither discover nor service"),
        (["--engine", "masscan"], "--engine: no such engine: 'masscan'"),
        (["--unit", "nosuch"], "no such unit: 'nosuch'"),
        (["-oX", "/tmp/x"], "no such option: -o"),
    ],
)
def test_scan_when_an_option_is_wrong_ends_with_one_line_and_2(
    untouched: Sentinel, words: list[str], told: str
) -> None:
    assert told in untouched.run("scan", "127.78.11.1", *words, expect=2).complaint


def test_plan_when_asked_shows_the_commands_and_needs_no_nmap(sentinel: Sentinel) -> None:
    sentinel.authorise("127.78.11.0/24", level="discover", options=["--rate", "77"])
    nowhere = {"PATH": "/nonexistent"}
    *planned, last = sentinel.rows("scan", "127.78.11.0/25", "--ports", "22,80", "--plan", env=nowhere)
    assert [row["event"] for row in planned] == ["planned", "planned"]
    assert [len(row["addresses"]) for row in planned] == [64, 64]
    first = planned[0]
    assert (first["level"], first["rate_pps"], first["ports"], first["pairs"]) == ("discover", 77, "T:22,80", 128)
    assert first["command"].startswith("nmap -oX - ")
    assert "-sV" not in first["command"]
    assert last["summary"] == {
        "hosts_up": 0, "endpoints_open": 0, "probes": 0, "seconds": 0.0, "coverage": 0.0, "refused": [], "events": 0,
        "failed": [], "plan": True, "pairs": 256,
    }  # fmt: skip
    assert "未发送任何报文" in sentinel.run("scan", "127.78.11.0/25", "--ports", "22,80", "--plan", env=nowhere).out
