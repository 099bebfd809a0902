"""Capture files in: what they show, what is kept of them, and what is not."""

from __future__ import annotations

import os
from itertools import chain
from pathlib import Path

import pytest

from sentinel.errors import ParseError
from sentinel.schedule.context import Context, readable_name
from sentinel.schedule.hunting import hunt_files, store_hunt
from sentinel.store.audit import read_audit
from sentinel.store.evidence import read_evidence
from sentinel.store.findings import read_findings
from sentinel.store.flows import count_captures, read_flows
from tests.homes import NOW, SCHOOL
from tests.traffic.build import AUTHORIZE, MINER, NOTIFY, SUBSCRIBE, connection, ethernet, pcap

TALK = [("c", SUBSCRIBE), ("c", AUTHORIZE), ("s", NOTIFY)]
PAGE = [("c", b"GET / HTTP/1.1\r\nHost: www.school.example\r\n\r\n"), ("s", b"HTTP/1.1 200 OK\r\n\r\nhello")]


def capture(path: Path, *conversations: list[bytes]) -> Path:
    path.write_bytes(pcap(map(ethernet, chain(*conversations))))
    return path


@pytest.fixture
def mining(tmp_path: Path) -> Path:
    return capture(tmp_path / "mining.pcap", connection(TALK))


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    return capture(tmp_path / "clean.pcap", connection(PAGE, sport=80))


def test_hunt_when_one_file_is_bad_reads_the_others(tmp_path: Path, mining: Path, clean: Path) -> None:
    junk = tmp_path / "junk.pcap"
    junk.write_bytes(b"x" * 100)
    hunts = list(hunt_files([junk, tmp_path / "missing", mining, clean]))
    assert [(hunt.file.name, len(hunt.flows), hunt.is_read) for hunt in hunts] == [
        ("junk.pcap", 0, False),
        ("missing", 0, False),
        ("mining.pcap", 1, True),
        ("clean.pcap", 0, True),
    ]


def test_hunt_when_a_file_breaks_off_still_counts_as_read(mining: Path) -> None:
    mining.write_bytes(mining.read_bytes()[:-7])
    (hunt,) = hunt_files([mining])
    assert (len(hunt.flows), hunt.is_read, len(hunt.problems)) == (1, True, 1)


def test_stored_hunt_when_it_showed_something_keeps_file_and_flows(context: Context, mining: Path) -> None:
    store_hunt(context, SCHOOL, hunt_files([mining]), check=False)
    ((evidence, flow),) = read_flows(context.database, SCHOOL.code)
    assert (flow.host, flow.file) == (MINER, "mining.pcap")
    kept = read_evidence(context.database, evidence)
    assert kept is not None
    assert (kept.name, kept.format, kept.size_bytes) == ("mining.pcap", "capture", mining.stat().st_size)
    assert context.evidence.verify(evidence)
    assert list(read_findings(context.database, [SCHOOL.code])) == []


def test_stored_hunt_when_it_showed_nothing_keeps_only_that_it_was_searched(context: Context, clean: Path) -> None:
    store_hunt(context, SCHOOL, hunt_files([clean]), check=True)
    assert count_captures(context.database, SCHOOL.code, NOW, NOW) == 1
    assert read_flows(context.database, SCHOOL.code) == ()
    assert not list(context.home.evidence.glob("*/*"))
    entry = next(one for one in read_audit(context.database.connection, 9) if one.action == "traffic.analyze")
    assert "clean.pcap" in entry.subject


def test_stored_hunt_when_stored_twice_is_there_once(context: Context, mining: Path) -> None:
    for _ in range(2):
        store_hunt(context, SCHOOL, hunt_files([mining]), check=True)
    assert len(read_flows(context.database, SCHOOL.code)) == 1
    assert count_captures(context.database, SCHOOL.code, NOW, NOW) == 1
    mined = [one for one in read_findings(context.database, [SCHOOL.code]) if one.key.rule.startswith("mining.")]
    assert len(mined) == 1


def test_stored_hunt_when_the_file_was_unreadable_stores_nothing(context: Context, tmp_path: Path) -> None:
    store_hunt(context, SCHOOL, hunt_files([tmp_path / "missing.pcap"]), check=False)
    assert count_captures(context.database, SCHOOL.code, NOW, NOW) == 0


def test_stored_hunt_when_the_file_went_away_says_so(context: Context, mining: Path) -> None:
    hunts = list(hunt_files([mining]))
    mining.unlink()
    with pytest.raises(ParseError, match=r"mining\.pcap: cannot be read again: No such file"):
        store_hunt(context, SCHOOL, hunts, check=False)


@pytest.mark.parametrize(
    ("raw", "shown"), [("抓包.pcap".encode(), "抓包.pcap"), (b"\xce\xff.pcap", "\ufffd\ufffd.pcap")]
)
def test_name_when_it_is_any_bytes_becomes_text_that_can_be_stored(raw: bytes, shown: str) -> None:
    name = readable_name(Path(os.fsdecode(b"/tmp/" + raw)))
    assert name == shown
    assert name.encode()
