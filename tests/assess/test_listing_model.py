"""The whitelist's verdicts against a slow, obvious model that asks every entry."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network, summarize_address_range

from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.assess.explain import Part, Question, explain
from sentinel.assess.listing import Listed, Listing
from sentinel.model.ports import PortSet
from sentinel.model.whitelist import (
    Direction,
    Peer,
    PeerKind,
    WhitelistAction,
    WhitelistEntry,
    WhitelistKind,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
BASE = int(ip_address("10.0.0.0"))
UNIT, ABOVE = "school", "province"
SERVICES = ("", "http", "ssh", "https")
NAMES = ("a.example", "b.a.example", "c.b.a.example", "ab.example", "example")
GLOBS = (*NAMES, "*.a.example", "*.example", "?b.example", "*a.example", "b.*.example")

moments = st.sampled_from([None, NOW - timedelta(days=1), NOW, NOW + timedelta(days=1)])


@st.composite
def addresses(draw: st.DrawFn) -> tuple[object, ...]:
    """A prefix, or a range as the prefixes that make it up; sometimes of the other version, sometimes everything."""
    kind = draw(st.sampled_from(["prefix", "range", "six", "all"]))
    if kind == "all":
        return ip_network("0.0.0.0/0"), ip_network("::/0")
    if kind == "six":
        return (ip_network("2001:db8::/126"),)
    low = draw(st.integers(0, 15))
    if kind == "prefix":
        return (ip_network((BASE + low, draw(st.integers(28, 32))), strict=False),)
    high = draw(st.integers(low, 15))
    return tuple(summarize_address_range(ip_address(BASE + low), ip_address(BASE + high)))


@st.composite
def entries(draw: st.DrawFn, number: int = 1) -> WhitelistEntry:
    kind = draw(st.sampled_from(list(WhitelistKind)))
    low = draw(st.sampled_from([0, 1, 2, 3, 22, 80, 65534]))
    peer = draw(st.sampled_from(list(PeerKind)))
    return WhitelistEntry(
        id=number,
        unit=draw(st.sampled_from([UNIT, UNIT, ABOVE])),
        kind=kind,
        domain=draw(st.sampled_from(GLOBS)) if kind is WhitelistKind.DOMAIN else "",
        addresses=() if kind is WhitelistKind.DOMAIN else draw(addresses()),
        proto=draw(st.sampled_from(["tcp", "udp"])) if kind is WhitelistKind.PORT else "",
        ports=PortSet.of([(low, min(65535, low + draw(st.sampled_from([0, 1, 5, 60000]))))]),
        service=draw(st.sampled_from(SERVICES)) if kind is WhitelistKind.PORT else "",
        valid_from=draw(moments),
        valid_to=draw(moments),
        action=draw(st.sampled_from(list(WhitelistAction))),
        direction=draw(st.sampled_from([Direction.IN, Direction.IN, Direction.OUT])),
        peer=peer,
        peers=(ip_network("192.168.0.0/30"),) if peer is PeerKind.PREFIX else (),
    )


lists = st.lists(entries(), max_size=6).map(
    lambda rows: [replace(one, id=number) for number, one in enumerate(rows, start=1)]
)
peers = st.one_of(
    st.sampled_from([Peer(PeerKind.CAMPUS), Peer(PeerKind.INTERNET)]),
    st.integers(0, 7).map(lambda low: Peer(PeerKind.CAMPUS, ip_address(int(ip_address("192.168.0.0")) + low))),
)
hosts = st.one_of(st.integers(0, 17).map(lambda low: ip_address(BASE + low)), st.just(ip_address("2001:db8::1")))


def in_force(one: WhitelistEntry, direction: Direction = Direction.IN) -> bool:
    begun = one.valid_from is None or one.valid_from <= NOW
    return begun and (one.valid_to is None or one.valid_to >= NOW) and one.direction is direction


def reaches(one: WhitelistEntry, peer: Peer) -> bool:
    if one.peer is PeerKind.ANY:
        return True
    if one.peer is PeerKind.PREFIX:
        if peer.address is not None:
            return any(peer.address in prefix for prefix in one.peers)
        return peer.kind is PeerKind.CAMPUS and one.action is WhitelistAction.ALLOW
    return one.peer is peer.kind


def holds(one: WhitelistEntry, address: object) -> bool:
    return any(address in prefix for prefix in one.addresses)


def speaks(one: WhitelistEntry, service: str) -> bool:
    return one.service in ("", service)


def has_list(rows: list[WhitelistEntry], kind: WhitelistKind) -> bool:
    own = [one for one in rows if one.unit == UNIT and one.action is WhitelistAction.ALLOW and one.kind is kind]
    return any(in_force(one) for one in own)


def slow_endpoint(
    rows: list[WhitelistEntry], address: object, proto: str, port: int, service: str, peer: Peer
) -> Listed:
    near = [one for one in rows if in_force(one) and holds(one, address) and reaches(one, peer)]
    there = [one for one in near if one.kind is WhitelistKind.PORT and one.proto == proto and port in list(one.ports)]
    for one in near:
        if one.action is WhitelistAction.DENY and one.kind is WhitelistKind.HOST:
            return Listed.DENIED
    for one in there:
        if one.action is WhitelistAction.DENY and (not one.service or one.service == service):
            return Listed.DENIED
    allowing = [one for one in there if one.action is WhitelistAction.ALLOW]
    if not allowing:
        return Listed.UNLISTED if has_list(rows, WhitelistKind.PORT) else Listed.NONE
    return Listed.LISTED if not service or any(speaks(one, service) for one in allowing) else Listed.MISMATCH


def slow_host(rows: list[WhitelistEntry], address: object) -> Listed:
    near = [one for one in rows if in_force(one) and one.kind is not WhitelistKind.DOMAIN and holds(one, address)]
    for one in near:
        if one.action is WhitelistAction.DENY and one.kind is WhitelistKind.HOST and one.peer is PeerKind.ANY:
            return Listed.DENIED
    allowing = [one for one in near if one.action is WhitelistAction.ALLOW]
    if any(one.kind is WhitelistKind.HOST for one in allowing):
        return Listed.LISTED
    if not has_list(rows, WhitelistKind.HOST):
        return Listed.NONE
    return Listed.LISTED if allowing else Listed.UNLISTED


def slow_domain(rows: list[WhitelistEntry], name: str) -> Listed:
    near = [one for one in rows if in_force(one) and one.domain and fnmatchcase(name, one.domain)]
    if any(one.action is WhitelistAction.DENY for one in near):
        return Listed.DENIED
    if near:
        return Listed.LISTED
    return Listed.UNLISTED if has_list(rows, WhitelistKind.DOMAIN) else Listed.NONE


@settings(max_examples=400)
@given(lists, hosts, st.sampled_from(["tcp", "udp"]), st.sampled_from([0, 1, 3, 22, 25, 80, 81, 60022, 65535]),
       st.sampled_from(["", "http", "ssh"]), peers)  # fmt: skip
def test_endpoint_when_asked_then_the_verdict_is_that_of_asking_every_entry(rows, address, proto, port, service, peer):
    decision = Listing(rows, NOW, UNIT).decide_endpoint(address, proto, port, service, "", peer)
    assert decision.verdict is slow_endpoint(rows, address, proto, port, service, peer)
    deny = decision.verdict is Listed.DENIED
    assert all(one.is_deny is deny and in_force(one) and holds(one, address) for one in decision.entries)
    assert bool(decision.entries) is (decision.verdict in {Listed.DENIED, Listed.LISTED, Listed.MISMATCH})


@settings(max_examples=200)
@given(lists, hosts)
def test_host_when_asked_then_the_verdict_is_that_of_asking_every_entry(rows, address):
    listing = Listing(rows, NOW, UNIT)
    assert listing.host(address) is listing.decide_host(address).verdict is slow_host(rows, address)


@settings(max_examples=200)
@given(lists, st.sampled_from(NAMES))
def test_domain_when_asked_then_the_verdict_is_that_of_asking_every_entry(rows, name):
    assert Listing(rows, NOW, UNIT).domain(name.upper()) is slow_domain(rows, name)


@settings(max_examples=200)
@given(lists, hosts, st.sampled_from([22, 80]), peers)
def test_explanation_when_given_then_it_agrees_with_the_verdict_and_weighs_each_entry_once(rows, address, port, peer):
    answer = explain(rows, Question(address=address, port=port, peer=peer), NOW, UNIT)
    assert answer.verdict is slow_endpoint(rows, address, "tcp", port, "", peer)
    told = [one.id for one, _ in answer.weighed]
    assert len(told) == len(set(told))
    for one, part in answer.weighed:
        assert holds(one, address)
        if part is Part.DECIDES:
            assert in_force(one)
            assert reaches(one, peer)
        if part is Part.OVERRULED:
            assert answer.verdict is Listed.DENIED
            assert not one.is_deny
    deciding = [one for one, part in answer.weighed if part is Part.DECIDES]
    assert bool(deciding) is (answer.verdict not in {Listed.NONE, Listed.UNLISTED})


@given(lists, hosts, st.sampled_from([22, 80]))
def test_permission_when_added_then_nothing_forbidden_becomes_allowed(rows, address, port):
    more = [*rows, WhitelistEntry(99, UNIT, WhitelistKind.PORT, addresses=(ip_network("0.0.0.0/0"),), proto="tcp",
                                  ports=PortSet.of([(0, 65535)]))]  # fmt: skip
    peer = Peer(PeerKind.CAMPUS)
    if Listing(rows, NOW, UNIT).decide_endpoint(address, "tcp", port, "", "", peer).verdict is Listed.DENIED:
        assert Listing(more, NOW, UNIT).decide_endpoint(address, "tcp", port, "", "", peer).verdict is Listed.DENIED


@given(lists, hosts, st.sampled_from([22, 80]))
def test_prohibitions_and_permissions_from_above_when_alone_then_make_nothing_unlisted(rows, address, port):
    others = [one for one in rows if one.is_deny or one.unit == ABOVE]
    listing = Listing(others, NOW, UNIT)
    assert listing.entries == 0
    assert listing.endpoint(address, "tcp", port) is not Listed.UNLISTED
    assert listing.host(address) is not Listed.UNLISTED
    assert listing.domain("other.example") is not Listed.UNLISTED
