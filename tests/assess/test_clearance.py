from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest

from sentinel.assess.clearance import Place, build_check
from sentinel.assess.entries import Look
from sentinel.model.endpoint import (
    AddressRanges,
    Coverage,
    Endpoint,
    EndpointKey,
    EndpointState,
    Fingerprint,
    MapRow,
)
from sentinel.model.finding import Finding, FindingKey, FindingSource, FindingState
from sentinel.model.ports import PortSet
from sentinel.model.rule import Severity
from sentinel.model.unit import Zone
from sentinel.model.whitelist import Direction, PeerKind, WhitelistAction, WhitelistEntry, WhitelistKind
from sentinel.model.whitelist_request import RequestKind, RequestState, WhitelistRequest

NOW = datetime(2026, 11, 22, tzinfo=UTC)
REQUEST = WhitelistRequest(
    1, "申请-2026-0001", "u", RequestKind.PORT, RequestState.SUBMITTED, "教务处", "选课", "选课", NOW,
    NOW + timedelta(days=90), NOW, (ip_network("10.0.0.5/32"), ip_network("10.0.0.6/32")), ("xk.school.example",),
    (("tcp", PortSet.of_ports([443])), ("udp", PortSet.of_ports([53]))), peer=PeerKind.CAMPUS,
)  # fmt: skip


def look(number: int, addresses: str, **ports: str) -> Look:
    low, _, high = addresses.partition("-")
    asked = tuple((proto, PortSet.of_ports(map(int, text.split(",")))) for proto, text in ports.items())
    ranges = AddressRanges(((ip_address(low), ip_address(high or low)),))
    return Look(NOW + timedelta(hours=number), "inside", f"run{number}", Coverage(asked, ranges))


def row(address: str, port: int, proto: str = "tcp") -> MapRow:
    key = EndpointKey(1, "inside", ip_address(address), proto, port)
    return MapRow("u", "lan", Zone.SERVER, Endpoint(key, EndpointState.OPEN, Fingerprint("http"), NOW))


def finding(subject: str, severity=Severity.HIGH, state=FindingState.OPEN) -> Finding:
    key = FindingKey("u", "exposure.x", 1, subject)
    return Finding(1, f"隐患-{subject}", key, FindingSource.OWN_SCAN, severity, state, NOW, NOW, title_zh="暴露")


def check(request=REQUEST, *, looks=(), rows=(), places=(), entries=(), unjudged=0):
    return build_check(request, looks, rows, places, entries, unjudged)


BOTH = {"tcp": "80,443", "udp": "53"}


@pytest.mark.parametrize(
    ("looks", "unseen", "newest"),
    [
        ([], 2, ""),
        ([look(1, "10.0.0.1-10.0.0.9", **BOTH)], 0, "run1"),
        ([look(1, "10.0.0.5", **BOTH)], 1, "run1"),
        ([look(1, "10.0.0.5", **BOTH), look(2, "10.0.0.6", **BOTH)], 0, "run2"),
        ([look(1, "10.0.0.5-10.0.0.6", tcp="443"), look(2, "10.0.0.6", udp="53")], 1, "run2"),
        ([look(1, "10.0.0.5-10.0.0.6", tcp="80", udp="53")], 2, "run1"),
        ([look(1, "10.0.1.5", **BOTH)], 2, ""),
        ([look(1, "10.0.0.5-10.0.0.6")], 2, ""),
    ],
)
def test_check_when_scans_looked_then_only_all_ports_of_an_address_count(looks, unseen, newest):
    done = check(looks=looks)
    assert (done.addresses, done.unseen, done.evidence) == (2, unseen, newest)
    assert ("unseen" in done.obstacles) is bool(unseen)


def test_check_when_no_ports_are_named_then_any_look_at_ports_counts():
    host = replace(REQUEST, ports=())
    assert check(host, looks=[look(1, "10.0.0.5-10.0.0.6", tcp="80")]).unseen == 0
    assert check(replace(host, addresses=())).obstacles == ()


def test_check_when_a_segment_is_asked_for_then_its_own_and_broadcast_address_need_no_look():
    segment = replace(REQUEST, addresses=(ip_network("10.0.0.0/29"),))
    done = check(segment, looks=[look(1, "10.0.0.1-10.0.0.6", **BOTH)])
    assert (done.addresses, done.unseen) == (6, 0)


def test_check_when_ports_are_open_then_those_not_asked_for_stand_apart():
    done = check(rows=[row("10.0.0.5", 443), row("10.0.0.5", 22), row("10.0.0.7", 22), row("10.0.0.6", 53, "udp")])
    assert done.seen == ("10.0.0.5:443/tcp http", "10.0.0.6:53/udp http")
    assert done.beyond == ("10.0.0.5:22/tcp http",)


@pytest.mark.parametrize(
    ("one", "address", "blocks"),
    [
        (finding("10.0.0.5:22/tcp"), "10.0.0.5", True),
        (finding("10.0.0.5:22/tcp", Severity.CRITICAL, FindingState.RECTIFYING), "10.0.0.5", True),
        (finding("10.0.0.5:22/tcp", Severity.MEDIUM), "10.0.0.5", False),
        (finding("10.0.0.5:22/tcp", state=FindingState.VERIFIED), "10.0.0.5", False),
        (finding("10.0.0.7:22/tcp"), "10.0.0.7", False),
        (finding("xk.school.example"), None, True),
        (finding("www.school.example"), None, False),
    ],
)
def test_check_when_findings_are_open_then_grave_ones_of_its_places_block(one, address, blocks):
    place = Place(one, ip_address(address) if address else None, one.key.subject)
    done = check(places=[place])
    assert done.blocking == (((one.number, "暴露"),) if blocks else ())
    assert ("blocking" in done.obstacles) is blocks


def test_check_when_names_of_a_pattern_are_asked_for_then_each_of_them_counts():
    wide = replace(REQUEST, domains=("*.school.example",))
    grave = Place(finding("xk.school.example"), None, "xk.school.example")
    assert "blocking" in check(wide, places=[grave]).obstacles
    other = Place(finding("xk.other.example"), None, "xk.other.example")
    assert "blocking" not in check(wide, places=[other]).obstacles
    denied = deny(kind=WhitelistKind.DOMAIN, domain="xk.school.example", addresses=())
    assert check(wide, entries=[denied]).forbidden == (9,)


def deny(**more) -> WhitelistEntry:
    words = {"addresses": (ip_network("10.0.0.0/24"),), "proto": "tcp", "ports": PortSet.of([(400, 500)])} | more
    kind = words.pop("kind", WhitelistKind.PORT)
    return WhitelistEntry(9, "u", kind, **({"action": WhitelistAction.DENY} | words))


@pytest.mark.parametrize(
    ("entry", "forbids"),
    [
        (deny(), True),
        (deny(action=WhitelistAction.ALLOW), False),
        (deny(direction=Direction.OUT), False),
        (deny(proto="udp"), False),
        (deny(ports=PortSet.of_ports([444])), False),
        (deny(addresses=(ip_network("10.0.1.0/24"),)), False),
        (deny(peer=PeerKind.INTERNET), False),
        (deny(peer=PeerKind.CAMPUS), True),
        (deny(kind=WhitelistKind.HOST), True),
        (deny(kind=WhitelistKind.DOMAIN, domain="*.school.example"), True),
        (deny(kind=WhitelistKind.DOMAIN, domain="*.other.example"), False),
    ],
)
def test_check_when_an_entry_forbids_part_of_it_then_a_permission_would_not_help(entry, forbids):
    done = check(entries=[entry])
    assert done.forbidden == ((9,) if forbids else ())
    assert ("forbidden" in done.obstacles) is forbids


def test_check_when_runs_are_not_judged_then_it_says_so():
    assert "unjudged" in check(unjudged=1).obstacles
