"""`traffic analyze`: mining in captures written by hand."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tests.cli.command import UNIT, Sentinel, run
from tests.traffic.build import (
    AUTHORIZE,
    BTC_WALLET,
    MINER,
    NOTIFY,
    POOL,
    SUBSCRIBE,
    connection,
    ethernet,
    line,
    pcap,
)

FIELDS = [
    "file", "host", "host_port", "peer", "peer_port", "family", "class", "certainty", "coin", "first_seen", "last_seen",
    "packets", "bytes", "evidence",
]  # fmt: skip
TALK = [
    ("c", SUBSCRIBE),
    ("s", line({"id": 1, "result": [[["mining.notify", "ae"]], "08000002", 4], "error": None})),
    ("c", AUTHORIZE),
    ("s", line({"id": 2, "result": True, "error": None})),
    ("s", NOTIFY),
]
PAGE = [("c", b"GET / HTTP/1.1\r\nHost: www.school.example\r\n\r\n"), ("s", b"HTTP/1.1 200 OK\r\n\r\nhello")]


def write(path: Path, packets: list[bytes]) -> Path:
    path.write_bytes(pcap(map(ethernet, packets)))
    return path


@pytest.fixture
def mining(tmp_path: Path) -> Path:
    """A capture with one stratum conversation among ordinary traffic."""
    page = connection(PAGE, client="10.1.2.9", sport=80)
    return write(tmp_path / "mining.pcap", page + connection(TALK))


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """A capture without mining."""
    return write(tmp_path / "clean.pcap", connection(PAGE, sport=80))


@pytest.fixture
def junk(tmp_path: Path) -> Path:
    """A file that is no capture."""
    path = tmp_path / "junk.pcap"
    path.write_bytes(b"this is not a capture\n" * 20)
    return path


def test_analyze_when_there_is_mining_gives_every_field_and_ends_with_4(mining: Path) -> None:
    done = run("traffic", "analyze", mining, "--json")
    assert (done.status, done.err) == (4, "")
    row = done.row
    assert list(row)[: len(FIELDS)] == FIELDS
    assert (row["file"], row["host"], row["host_port"]) == (str(mining), MINER, 40000)
    assert (row["peer"], row["peer_port"], row["family"], row["class"]) == (POOL, 3333, "stratum", "mining")
    assert 0.9 <= row["certainty"] <= 1
    assert (row["packets"], row["bytes"]) == (10, sum(len(payload) for _, payload in TALK))
    assert row["first_seen"] < row["last_seen"]
    assert BTC_WALLET not in done.out
    assert "hunter2" not in done.out


def test_analyze_when_there_is_none_ends_with_0(clean: Path) -> None:
    done = run("traffic", "analyze", clean, "--json")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert "未发现挖矿" in run("traffic", "analyze", clean).out


def test_analyze_when_nothing_can_be_read_names_it_and_ends_with_3(junk: Path, tmp_path: Path) -> None:
    done = run("traffic", "analyze", junk, tmp_path / "missing.pcap", tmp_path, "--json")
    assert (done.status, done.out) == (3, "")
    told = done.err.splitlines()
    assert [text.split(": ")[1] for text in told] == [str(junk), str(tmp_path / "missing.pcap"), str(tmp_path)]


def test_analyze_when_some_are_bad_reads_the_rest(junk: Path, mining: Path, clean: Path) -> None:
    done = run("traffic", "analyze", junk, mining, clean, "--json")
    assert done.status == 4
    assert done.row["file"] == str(mining)
    assert str(junk) in done.complaint
    assert run("traffic", "analyze", junk, clean).status == 3


def test_analyze_when_a_capture_breaks_off_keeps_what_was_whole(mining: Path) -> None:
    mining.write_bytes(mining.read_bytes()[:-10])
    done = run("traffic", "analyze", mining, "--json")
    assert done.status == 4
    assert "cut off" in done.complaint


def test_analyze_when_no_home_is_named_writes_nothing(mining: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert run("traffic", "analyze", mining, env={"HOME": str(tmp_path)}).status == 4
    assert sorted(tmp_path.rglob("*")) == before


def test_analyze_when_a_home_is_named_stores_findings_with_their_evidence(
    sentinel: Sentinel, mining: Path, clean: Path
) -> None:
    sentinel.run("traffic", "analyze", mining, clean, expect=4)
    (finding,) = [row for row in sentinel.rows("finding", "list") if row["source"] == "traffic"]
    digest = hashlib.sha256(mining.read_bytes()).hexdigest()
    assert (finding["rule"], finding["severity"], finding["unit"]) == ("mining.payload", "critical", UNIT)
    assert finding["subject"].startswith(MINER)
    assert (finding["state"], finding["evidence"]) == ("open", digest)
    assert (sentinel.home / "var" / "evidence" / digest[:2] / f"{digest[2:]}.zst").is_file()
    other = hashlib.sha256(clean.read_bytes()).hexdigest()
    assert not list((sentinel.home / "var" / "evidence").glob(f"{other[:2]}/*")), "ordinary traffic is not kept"
    sentinel.run("traffic", "analyze", mining, expect=4)
    again = [row for row in sentinel.rows("finding", "list") if row["source"] == "traffic"]
    assert [(row["number"], row["state"]) for row in again] == [(finding["number"], "open")]
    sentinel.run("traffic", "analyze", clean)
    (still,) = [row for row in sentinel.rows("finding", "list") if row["source"] == "traffic"]
    assert still["state"] == "open", "a quiet capture proves nothing"


def test_analyze_when_told_not_to_check_makes_no_findings(sentinel: Sentinel, mining: Path) -> None:
    sentinel.run("traffic", "analyze", mining, "--no-check", expect=4)
    assert sentinel.findings() == {}
    sentinel.run("check")
    assert any(rule.startswith("mining.") for rule, _ in sentinel.findings())


def test_analyze_when_the_home_is_missing_or_the_unit_unknown_says_so_first(
    tmp_path: Path, mining: Path, sentinel: Sentinel
) -> None:
    done = run("--home", tmp_path / "none", "traffic", "analyze", mining, "--json")
    assert (done.status, done.out) == (6, "")
    done = sentinel.run("traffic", "analyze", mining, "--unit", "nosuch", expect=2)
    assert (done.out, "no such unit" in done.complaint) == ("", True)


def test_analyze_when_the_name_is_not_utf8_still_stores(sentinel: Sentinel, mining: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(mining.parent) + b"/" + "抓包.pcap".encode("gbk")))
    mining.rename(path)
    assert sentinel.rows("traffic", "analyze", path, expect=4)[0]["file"] == str(path)
    assert any(rule.startswith("mining.") for rule, _ in sentinel.findings())


def test_analyze_when_people_read_it_fits_the_screen_and_says_what_next(sentinel: Sentinel, mining: Path) -> None:
    done = run("traffic", "analyze", mining)
    assert f"{POOL}:3333" in done.out
    assert "--home" in done.out
    assert "sentinel report mining" in sentinel.run("traffic", "analyze", mining, expect=4).out


def test_analyze_when_a_detection_concerns_what_must_stay_out_shows_and_stores_nothing_of_that_file(
    sentinel: Sentinel, mining: Path, clean: Path
) -> None:
    sentinel.run("unit", "keep-out", "add", f"{MINER}/32")
    done = sentinel.run("traffic", "analyze", mining, clean, expect=3)
    told = "holds 1 address that is declared to stay out: nothing of it was stored"
    assert done.complaint == f"sentinel: {mining}: {told}"
    assert MINER not in done.out
    assert not any(MINER in row["subject"] for row in sentinel.rows("finding", "list"))
    assert list((sentinel.home / "var" / "evidence").rglob("*.zst")) == []
