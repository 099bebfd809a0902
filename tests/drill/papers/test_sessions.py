from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from ipaddress import IPv4Address

from sentinel.drill.papers.sessions import NatSession, nat_sessions
from sentinel.model.moment import SHANGHAI
from sentinel.model.sighting import TranslationObservation
from sentinel.observe import nat_log

START = datetime(2026, 11, 2, 8, 30, tzinfo=SHANGHAI)
LINE = re.compile(
    r"<190>(?P<stamp>[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \d{4}) SCHOOL-FW %%10NAT/6/NAT_FLOW: "
    r"Protocol\(1001\)=(?P<proto>\w+);.*?SrcIPAddr\(1003\)=(?P<inside>[\d.]+);SrcPort\(1004\)=(?P<inside_port>\d+);"
    r"NatSrcIPAddr\(1005\)=(?P<public>[\d.]+);NatSrcPort\(1006\)=(?P<public_port>\d+);"
    r"DstIPAddr\(1007\)=(?P<peer>[\d.]+);DstPort\(1008\)=(?P<peer_port>\d+);.*?"
    r"BeginTime_e\(1013\)=(?P<begin>\d{14});EndTime_e\(1014\)=(?P<end>\d{14})?;Event\(1048\)=\((?P<event>\d)\)[\w ]+;"
)


def session(number: int, start: datetime, end: datetime | None, proto: str = "tcp") -> NatSession:
    inside, public, peer = (IPv4Address(text) for text in (f"10.77.2.{number}", "203.0.113.7", "198.51.100.9"))
    return NatSession(start, end, proto, inside, 50_000 + number, public, 1_024 + number, peer, 3_333)


def read(text: str) -> datetime:
    return datetime.strptime(text, "%m%d%Y%H%M%S").replace(tzinfo=UTC)


def read_back(line: str) -> NatSession:
    found = LINE.fullmatch(line)
    assert found, line
    addresses = {name: IPv4Address(found[name]) for name in ("inside", "public", "peer")}
    ports = {f"{name}_port": int(found[f"{name}_port"]) for name in ("inside", "public", "peer")}
    end = read(found["end"]) if found["end"] else None
    assert (found["event"] == "1") is (end is not None)
    stamped = datetime.strptime(found["stamp"], "%b %d %H:%M:%S %Y").replace(tzinfo=SHANGHAI)
    begin = read(found["begin"])
    assert stamped == (end or begin)
    return NatSession(begin, end, found["proto"].lower(), **addresses, **ports)  # type: ignore[arg-type]


def test_sessions_when_read_back_are_those_given_created_and_ended_in_the_order_of_time() -> None:
    long = session(1, START, START + timedelta(hours=16))
    short = session(2, START + timedelta(minutes=1), START + timedelta(minutes=2), "udp")
    lasting = session(3, START + timedelta(minutes=3), None)
    text = nat_sessions((lasting, long, short)).decode()
    assert text.endswith("\n")
    told = [read_back(line) for line in text.splitlines()]
    begun = [session(1, long.start, None), session(2, short.start, None, "udp")]
    assert told == [*begun, short, lasting, long]


def test_sessions_when_imported_began_when_they_did() -> None:
    lines = nat_sessions((session(1, START, START + timedelta(hours=1)),))
    found = [one for one in nat_log.parse(BytesIO(lines)) if isinstance(one, TranslationObservation)]
    assert {one.since for one in found} == {START}


def test_sessions_when_there_are_none_are_no_lines() -> None:
    assert nat_sessions(()) == b""
