"""`scan` against real services on loopback: found, dated, and told apart from one scan to the next."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Sentinel, examine
from tests.cli.services import PLACE, answer_plain, running_nmap, web
from tests.collect.practice import answer_https, answer_nothing, answer_ssh, serve, tls_context

pytestmark = pytest.mark.nmap

ONE, TWO = f"{PLACE}.1", f"{PLACE}.2"
PORTS = "2222,8081,8443,9070,9071,9072"


@dataclass
class Story:
    """Two scans of a little school with a change between, and what was read after each."""

    sentinel: Sentinel
    events: list[dict[str, Any]] = field(default_factory=list)
    first: list[dict[str, Any]] = field(default_factory=list)
    again: dict[str, Any] = field(default_factory=dict)
    between: str = ""
    second: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def story(make_home: Callable[[], Sentinel], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Start services, scan, scan again, stop one and start another, scan."""
    told = Story(make_home())
    told.sentinel.authorise(f"{PLACE}.0/29")
    tls = answer_https(tls_context(tmp_path_factory.mktemp("tls")))
    with ExitStack() as stays, ExitStack() as stops:
        stays.enter_context(web(ONE, 8081))
        stays.enter_context(serve(ONE, 8443, tls))
        stays.enter_context(serve(TWO, 9070, answer_plain))
        stops.enter_context(serve(TWO, 2222, answer_ssh))
        told.events = told.sentinel.rows("scan", ONE, TWO, "--ports", PORTS)
        told.first = told.sentinel.rows("map")
        told.again = told.sentinel.scan(ONE, TWO, "--ports", PORTS, "--level", "discover")
        told.between = pause()
        stops.close()
        stays.enter_context(web(TWO, 9071, "新系统"))
        told.second = told.sentinel.scan(TWO, "--ports", PORTS)
        yield told


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def pause() -> str:
    """Let the clock reach a new second twice and give the one between: nmap tells times in whole seconds."""
    whole = int(time.time()) + 1
    time.sleep(whole + 1 - time.time())
    return datetime.fromtimestamp(whole, UTC).isoformat().replace("+00:00", "Z")


def test_scan_when_services_run_finds_each_with_its_name_and_invents_none(story: Story) -> None:
    seen = {(row["address"], row["port"]): row for row in story.first}
    assert set(seen) == {(ONE, 8081), (ONE, 8443), (TWO, 2222), (TWO, 9070)}
    named = {place: (row["service"], row["product"], row["tunnel"]) for place, row in seen.items()}
    assert named[ONE, 8081] == ("http", "nginx", "")
    assert named[ONE, 8443] == ("http", "nginx", "ssl")
    assert named[TWO, 2222] == ("ssh", "OpenSSH", "")
    assert seen[ONE, 8081]["title"] == "示例中学门户"
    assert len(seen[ONE, 8443]["certificate"]) == 64
    assert [row["guessed"] for place, row in seen.items() if place != (TWO, 9070)] == [False] * 3
    assert (named[TWO, 9070][1:], seen[TWO, 9070]["guessed"] or named[TWO, 9070][0] == "") == (("", ""), True)


def test_scan_when_it_ends_tells_jobs_and_a_summary(story: Story) -> None:
    *events, last = story.events
    turns = [row["event"] for row in events if row["event"] != "progress"]
    assert turns == ["job_started", "job_finished", "job"]
    assert any(row["event"] == "progress" for row in events)
    job, summary = events[-1], last["summary"]
    assert (job["ok"], job["addresses"], job["hosts_up"], job["endpoints_open"]) == (True, 2, 2, 4)
    assert (summary["hosts_up"], summary["endpoints_open"], summary["events"]) == (2, 4, 4)
    assert (summary["coverage"], summary["refused"], summary["failed"]) == (1.0, [], [])
    assert summary["probes"] >= 12
    assert summary["seconds"] > 0


def test_scan_when_it_ends_keeps_its_evidence(story: Story) -> None:
    (evidence,) = {row["evidence"] for row in story.first}
    blob = story.sentinel.home / "var" / "evidence" / evidence[:2] / f"{evidence[2:]}.zst"
    assert blob.is_file()
    states = {row["name"]: row["state"] for row in story.sentinel.rows("doctor")}
    assert (states["证据"], states["审计链"]) == ("ok", "ok")
    assert list((story.sentinel.home / "var" / "work").iterdir()) == []


def test_scan_when_nothing_changed_has_no_events(story: Story) -> None:
    assert (story.again["hosts_up"], story.again["endpoints_open"], story.again["events"]) == (2, 4, 0)


def test_scan_when_one_service_went_and_one_came_the_diff_tells_both(story: Story) -> None:
    assert story.second["events"] == 2
    changes = story.sentinel.rows("diff", "--from", story.between, "--to", now_text())
    assert [(one["change"], one["address"], one["port"], one["service"]) for one in changes] == [
        ("gone", TWO, 2222, "ssh"),
        ("new", TWO, 9071, "http"),
    ]
    assert all(one["at"] > story.between for one in changes)


def test_map_when_asked_for_then_and_now_shows_both(story: Story) -> None:
    stayed = {(ONE, 8081), (ONE, 8443), (TWO, 9070)}
    assert story.sentinel.places("--at", story.between) == stayed | {(TWO, 2222)}
    assert story.sentinel.places() == stayed | {(TWO, 9071)}


def test_certificate_when_self_signed_is_a_finding(story: Story) -> None:
    finding = story.sentinel.findings()["certificate.self-signed", f"{ONE}:8443/tcp"]
    assert finding["state"] == "open"
    assert finding["evidence"]


def test_scan_when_ports_are_widened_calls_what_is_found_newly_covered(sentinel: Sentinel) -> None:
    sentinel.authorise(f"{PLACE}.21", level="discover")
    with serve(f"{PLACE}.21", 9070, answer_plain), serve(f"{PLACE}.21", 9071, answer_plain):
        sentinel.scan(f"{PLACE}.21", "--ports", "9070")
        between = pause()
        sentinel.scan(f"{PLACE}.21", "--ports", "9070-9072")
    (change,) = sentinel.rows("diff", "--from", between, "--to", now_text())
    assert (change["change"], change["port"]) == ("newly_covered", 9071)


def test_finding_when_its_service_stops_is_proven_gone_and_reopened_when_it_returns(sentinel: Sentinel) -> None:
    address = f"{PLACE}.22"
    key = ("whitelist.unlisted-port", f"{address}:9071/tcp")
    sentinel.authorise(address, level="discover")
    sentinel.run("whitelist", "add", "port", f"{address}:9070", "--reason", "演练", "--approved-by", "信息中心")
    with serve(address, 9070, answer_plain):
        with serve(address, 9071, answer_plain):
            sentinel.scan(address, "--ports", "9070-9071")
        first = sentinel.findings()[key]
        assert first["state"] == "open"
        sentinel.scan(address, "--ports", "9070")
        assert sentinel.findings()[key]["state"] == "open", "a scan that did not look proves nothing"
        sentinel.scan(address, "--ports", "9070-9071")
        gone = sentinel.findings()[key]
        assert (gone["state"], gone["number"]) == ("verified", first["number"])
        assert gone["closed_at"] is not None
        with serve(address, 9071, answer_plain):
            sentinel.scan(address, "--ports", "9070-9071")
    back = sentinel.findings()[key]
    assert (back["state"], back["number"], back["reopened"]) == ("open", first["number"], 1)
    assert back["first_seen"] == first["first_seen"]


def test_scan_when_told_not_to_check_makes_no_findings(sentinel: Sentinel) -> None:
    sentinel.authorise(f"{PLACE}.23", level="discover")
    sentinel.scan(f"{PLACE}.23", "--ports", "9070", "--no-check")
    assert sentinel.findings() == {}


def test_scan_when_a_name_is_authorised_scans_the_address_it_leads_to(sentinel: Sentinel) -> None:
    sentinel.authorise("localhost", "127.0.0.1", level="discover")
    sentinel.authorise("::1", level="discover")
    summary = sentinel.scan("127.0.0.1", "--ports", "9")
    assert summary["hosts_up"] == 1
    other = sentinel.scan("nosuch.invalid", "--ports", "9", expect=5)
    assert [one["reason"] for one in other["refused"]] == ["unauthorised"]


def test_scan_when_interrupted_ends_with_130_and_leaves_a_usable_home_and_no_nmap(sentinel: Sentinel) -> None:
    address = f"{PLACE}.24"
    sentinel.authorise(address)
    with serve(address, 9070, answer_nothing):
        process = sentinel.start("scan", address, "--ports", "9070", "--json")
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["event"] == "job_started"
        wait_until(lambda: bool(running_nmap(address)))
        process.send_signal(signal.SIGINT)
        done = finish(process)
    assert done.status == 130
    assert done.complaint == "sentinel: stopped; what was finished before is kept"
    assert running_nmap(address) == []
    assert sentinel.rows("map") == []
    assert list((sentinel.home / "var" / "work").iterdir()) == []
    assert sentinel.scan(address, "--ports", "9070", "--level", "discover")["coverage"] == 1.0


def test_scan_when_the_terminal_goes_away_ends_nmap_with_it(sentinel: Sentinel) -> None:
    address = f"{PLACE}.25"
    sentinel.authorise(address)
    with serve(address, 9070, answer_nothing):
        process = sentinel.start("scan", address, "--ports", "9070")
        wait_until(lambda: bool(running_nmap(address)))
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=30)
        wait_until(lambda: not running_nmap(address))
    assert sentinel.rows("map") == []


def wait_until(is_so: Callable[[], bool], timeout_s: float = 30) -> None:
    """Wait for something that is about to be so."""
    end = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def finish(process: subprocess.Popen[bytes]) -> Any:
    """Wait for the end of a started command and examine it."""
    out, err = process.communicate(timeout=30)
    return examine((), process.returncode, out, err)


def test_scan_when_nmap_fails_tells_it_and_ends_with_9(sentinel: Sentinel, tmp_path: Path) -> None:
    path = fake_nmap(tmp_path, "echo 'the moon is full' >&2; exit 1")
    sentinel.authorise(f"{PLACE}.30", level="discover")
    done = sentinel.run("scan", f"{PLACE}.30", "--ports", "9070", "--json", env={"PATH": path}, expect=9)
    summary = done.rows[-1]["summary"]
    assert summary["failed"] == ["nmap failed with exit status 1: the moon is full"]
    assert (summary["coverage"], summary["hosts_up"]) == (0.0, 0)
    assert "nothing was finished: nmap failed with exit status 1: the moon is full" in done.err


def test_scan_when_one_job_of_two_fails_keeps_the_other_and_ends_with_3(sentinel: Sentinel, tmp_path: Path) -> None:
    path = fake_nmap(tmp_path, 'case "$*" in *.26*) exit 1;; esac; exec /usr/bin/env -i nmap "$@"')
    sentinel.authorise(f"{PLACE}.26/31", level="discover")
    env = {"PATH": f"{path}:/usr/bin:/bin", "SENTINEL_JOB_SIZE": "1"}
    summary = sentinel.scan(f"{PLACE}.26/31", "--ports", "9070", env=env, expect=3)
    assert (summary["coverage"], summary["hosts_up"]) == (0.5, 1)
    assert len(summary["failed"]) == 1


def fake_nmap(folder: Path, body: str) -> str:
    """Put a script called nmap into a folder and give the folder for PATH."""
    program = folder / "bin" / "nmap"
    program.parent.mkdir()
    version = "Nmap version 7.93 ( https://nmap.org )"
    program.write_text(f"#!/bin/sh\ncase \"$1\" in --version) echo '{version}'; exit 0;; esac\n{body}\n")
    program.chmod(0o755)
    return str(program.parent)
