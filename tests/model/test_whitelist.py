from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network, summarize_address_range

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.model.ports import PortSet
from sentinel.model.whitelist import (
    EVERYWHERE,
    Peer,
    PeerKind,
    WhitelistAction,
    WhitelistEntry,
    WhitelistKind,
    format_addresses,
    peer_of_vantage,
)

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
LATER, BEFORE = NOW + timedelta(hours=1), NOW - timedelta(hours=1)


@pytest.mark.parametrize(
    ("start", "end", "valid"),
    [
        (None, None, True),
        (NOW, NOW, True),
        (BEFORE, LATER, True),
        (LATER, None, False),
        (None, BEFORE, False),
        (BEFORE, None, True),
        (None, LATER, True),
    ],
)
def test_whitelist_entry_is_valid_between_its_first_and_last_moment(
    start: datetime | None, end: datetime | None, valid: bool
) -> None:
    entry = WhitelistEntry(1, "u", WhitelistKind.HOST, valid_from=start, valid_to=end)
    assert entry.is_valid(NOW) is valid


@pytest.mark.parametrize(
    ("pattern", "name", "allowed"),
    [
        ("*.school.example", "www.school.example", True),
        ("*.school.example", "a.b.school.example", True),
        ("*.school.example", "school.example", False),
        ("*.school.example", "school.example.evil.example", False),
        ("WWW.School.Example", "www.school.EXAMPLE", True),
        ("www?.school.example", "www2.school.example", True),
    ],
)
def test_whitelist_domain_allows_names_its_glob_matches(pattern: str, name: str, allowed: bool) -> None:
    assert WhitelistEntry(1, "u", WhitelistKind.DOMAIN, domain=pattern).allows_domain(name) is allowed


def test_whitelist_host_entry_never_allows_a_domain() -> None:
    assert not WhitelistEntry(1, "u", WhitelistKind.HOST, domain="*").allows_domain("www.school.example")


def test_whitelist_port_allows_its_ports_of_its_addresses_and_protocol_only() -> None:
    entry = WhitelistEntry(
        1,
        "u",
        WhitelistKind.PORT,
        addresses=(ip_network("10.0.0.0/30"), ip_network("2001:db8::/64")),
        proto="tcp",
        ports=PortSet.of([(443, 443), (8000, 8010)]),
    )
    inside = ip_address("10.0.0.1")
    assert entry.allows_port(inside, "tcp", 443)
    assert entry.allows_port(ip_address("2001:db8::1"), "tcp", 8005)
    assert not entry.allows_port(inside, "udp", 443)
    assert not entry.allows_port(inside, "tcp", 80)
    assert not entry.allows_port(ip_address("10.0.0.4"), "tcp", 443)
    assert not entry.allows_port(ip_address("::a00:1"), "tcp", 443)


def test_whitelist_host_entry_allows_addresses_but_no_single_port() -> None:
    entry = WhitelistEntry(1, "u", WhitelistKind.HOST, addresses=(ip_network("10.0.0.1/32"),))
    assert entry.allows_address(ip_address("10.0.0.1"))
    assert not entry.allows_address(ip_address("10.0.0.2"))
    assert not entry.allows_port(ip_address("10.0.0.1"), "tcp", 22)


@pytest.mark.parametrize(
    ("prefixes", "text"),
    [
        (["10.0.0.5"], "10.0.0.5"),
        (["10.0.0.0/24"], "10.0.0.0/24"),
        (["10.0.0.5", "10.0.0.6/31", "10.0.0.8"], "10.0.0.5-10.0.0.8"),
        (["10.0.0.9", "10.0.0.5"], "10.0.0.5 10.0.0.9"),
        (["10.0.0.0/24", "10.0.0.7"], "10.0.0.0/24"),
        (["10.0.0.0/24", "10.0.1.0"], "10.0.0.0-10.0.1.0"),
        (["2001:db8::1", "2001:db8::2"], "2001:db8::1-2001:db8::2"),
        (["255.255.255.255", "::"], "255.255.255.255 ::"),
    ],
)
def test_addresses_when_written_for_people_join_what_touches(prefixes: list[str], text: str) -> None:
    assert " ".join(format_addresses(tuple(map(ip_network, prefixes)))) == text


def test_addresses_when_they_are_all_are_a_star() -> None:
    assert set(format_addresses(EVERYWHERE)) == {"*"}


@given(st.integers(0, 2**32 - 1), st.integers(0, 3000))
def test_range_when_cut_into_prefixes_is_written_as_the_range_again(low: int, length: int) -> None:
    first, last = ip_address(low), ip_address(min(2**32 - 1, low + length))
    prefixes = tuple(summarize_address_range(first, last))
    wanted = f"{first}-{last}" if len(prefixes) > 1 else str(prefixes[0]).removesuffix("/32")
    assert format_addresses(prefixes) == (wanted,)


NET = ip_network("10.9.0.0/24")
CAMPUS, INTERNET = Peer(PeerKind.CAMPUS), Peer(PeerKind.INTERNET)


@pytest.mark.parametrize(
    ("kind", "peer", "allow", "deny"),
    [
        (PeerKind.ANY, CAMPUS, True, True),
        (PeerKind.ANY, INTERNET, True, True),
        (PeerKind.CAMPUS, CAMPUS, True, True),
        (PeerKind.CAMPUS, INTERNET, False, False),
        (PeerKind.INTERNET, CAMPUS, False, False),
        (PeerKind.PREFIX, CAMPUS, True, False),
        (PeerKind.PREFIX, INTERNET, False, False),
        (PeerKind.PREFIX, Peer(PeerKind.CAMPUS, ip_address("10.9.0.7")), True, True),
        (PeerKind.PREFIX, Peer(PeerKind.CAMPUS, ip_address("10.8.0.7")), False, False),
        (PeerKind.PREFIX, Peer(PeerKind.INTERNET, ip_address("2001:db8::1")), False, False),
    ],
)
def test_entry_meets_a_peer_and_prefixes_give_a_scan_from_the_campus_the_benefit_of_doubt(
    kind: PeerKind, peer: Peer, allow: bool, deny: bool
) -> None:
    for action, wanted in ((WhitelistAction.ALLOW, allow), (WhitelistAction.DENY, deny)):
        entry = WhitelistEntry(1, "u", WhitelistKind.HOST, action=action, peer=kind, peers=(NET,))
        assert entry.meets(peer) is wanted


def test_vantage_when_outside_is_the_internet_and_any_other_the_campus() -> None:
    assert peer_of_vantage("outside") == INTERNET
    assert peer_of_vantage("inside") == peer_of_vantage("机房") == CAMPUS


def test_entry_when_renewed_keeps_its_place_and_gets_another_identity() -> None:
    one = WhitelistEntry(1, "u", WhitelistKind.DOMAIN, domain="A.example", valid_to=NOW)
    other = WhitelistEntry(2, "u", WhitelistKind.DOMAIN, domain="a.example", valid_to=LATER, reason="x")
    assert one.place == other.place
    assert one.identity != other.identity
