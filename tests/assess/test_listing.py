from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.assess.listing import Listed, Listing
from sentinel.model.ports import PortSet
from sentinel.model.whitelist import WhitelistEntry, WhitelistKind

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HOST = ip_address("10.0.0.5")


def port_entry(prefix="10.0.0.5/32", ports=(443,), proto="tcp", service="", **more) -> WhitelistEntry:
    return WhitelistEntry(
        1,
        "u",
        WhitelistKind.PORT,
        addresses=(ip_network(prefix),),
        proto=proto,
        ports=PortSet.of_ports(ports),
        service=service,
        **more,
    )


def host_entry(prefix: str) -> WhitelistEntry:
    return WhitelistEntry(2, "u", WhitelistKind.HOST, addresses=(ip_network(prefix),))


def domain_entry(domain: str) -> WhitelistEntry:
    return WhitelistEntry(3, "u", WhitelistKind.DOMAIN, domain=domain)


ENDPOINTS = [
    ((), HOST, "tcp", 443, Listed.NONE),
    ((host_entry("10.0.0.0/8"),), HOST, "tcp", 443, Listed.NONE),
    ((port_entry(),), HOST, "tcp", 443, Listed.LISTED),
    ((port_entry(),), HOST, "tcp", 80, Listed.UNLISTED),
    ((port_entry(),), HOST, "udp", 443, Listed.UNLISTED),
    ((port_entry(),), ip_address("10.0.0.6"), "tcp", 443, Listed.UNLISTED),
    ((port_entry("10.0.0.0/24"),), HOST, "tcp", 443, Listed.LISTED),
    ((port_entry("0.0.0.0/0"),), HOST, "tcp", 443, Listed.LISTED),
    ((port_entry("::/0"),), HOST, "tcp", 443, Listed.UNLISTED),
    ((port_entry("2001:db8::/64"),), ip_address("2001:db8::9"), "tcp", 443, Listed.LISTED),
    ((port_entry(proto="TCP"),), HOST, "tcp", 443, Listed.LISTED),
    ((port_entry(valid_to=NOW - timedelta(seconds=1)),), HOST, "tcp", 443, Listed.NONE),
    ((port_entry(valid_to=NOW),), HOST, "tcp", 443, Listed.LISTED),
    ((port_entry(valid_from=NOW + timedelta(days=1)), port_entry("10.9.9.9/32")), HOST, "tcp", 443, Listed.UNLISTED),
]


@pytest.mark.parametrize(("entries", "address", "proto", "port", "wanted"), ENDPOINTS)
def test_endpoint_when_asked_then_only_entries_in_force_count(entries, address, proto, port, wanted):
    assert Listing(entries, NOW).endpoint(address, proto, port) is wanted


SERVICES = [
    ("https", "http", "ssl", False, Listed.LISTED),
    ("https", "http", "", False, Listed.MISMATCH),
    ("http", "http", "ssl", False, Listed.LISTED),
    ("http", "http", "", False, Listed.LISTED),
    ("ssl", "imap", "ssl", False, Listed.LISTED),
    ("imaps", "imap", "ssl", False, Listed.LISTED),
    ("https", "ssl/http", "ssl", False, Listed.LISTED),
    ("https", "https", "", False, Listed.LISTED),
    ("https", "ssh", "", False, Listed.MISMATCH),
    ("https", "ssh", "", True, Listed.LISTED),
    ("https", "", "", False, Listed.LISTED),
    ("", "ssh", "", False, Listed.LISTED),
    ("SMB", "netbios-ssn", "", False, Listed.LISTED),
    ("rdp", "ms-wbt-server", "ssl", False, Listed.LISTED),
    ("postgres", "postgresql", "", False, Listed.LISTED),
]


@pytest.mark.parametrize(("expected", "service", "tunnel", "guessed", "wanted"), SERVICES)
def test_endpoint_when_the_service_is_identified_then_it_must_be_the_approved_one(
    expected, service, tunnel, guessed, wanted
):
    listing = Listing([port_entry(service=expected)], NOW)
    assert listing.endpoint(HOST, "tcp", 443, service, tunnel, guessed=guessed) is wanted


def test_endpoint_when_one_of_two_entries_expects_the_service_then_it_is_listed():
    listing = Listing([port_entry(service="ssh"), port_entry("10.0.0.0/24", service="https")], NOW)
    assert listing.endpoint(HOST, "tcp", 443, "http", "ssl") is Listed.LISTED


@pytest.mark.parametrize(
    ("entries", "wanted"),
    [
        ((), Listed.NONE),
        ((port_entry(),), Listed.NONE),
        ((host_entry("10.0.0.0/24"),), Listed.LISTED),
        ((host_entry("10.0.1.0/24"),), Listed.UNLISTED),
        ((host_entry("10.0.1.0/24"), port_entry()), Listed.LISTED),
    ],
)
def test_host_when_asked_then_host_and_port_entries_approve_it(entries, wanted):
    assert Listing(entries, NOW).host(HOST) is wanted


@pytest.mark.parametrize(
    ("entries", "name", "wanted"),
    [
        ((), "www.school.example", Listed.NONE),
        ((domain_entry("www.school.example"),), "WWW.school.example", Listed.LISTED),
        ((domain_entry("*.School.example"),), "lib.school.example", Listed.LISTED),
        ((domain_entry("*.school.example"),), "school.example", Listed.UNLISTED),
        ((domain_entry("www.school.example"),), "old.school.example", Listed.UNLISTED),
    ],
)
def test_domain_when_asked_then_names_and_patterns_count(entries, name, wanted):
    assert Listing(entries, NOW).domain(name) is wanted


ADDRESSES = st.integers(0, 15).map(lambda low: ip_address(0x0A000000 + low))
PREFIXES = st.tuples(st.integers(0, 15), st.integers(28, 32)).map(
    lambda pair: str(ip_network((0x0A000000 + pair[0], pair[1]), strict=False))
)


@given(st.lists(st.tuples(PREFIXES, st.integers(1, 3)), min_size=1, max_size=6), ADDRESSES, st.integers(1, 3))
def test_endpoint_when_indexed_then_it_answers_as_asking_every_entry_would(rows, address, port):
    entries = [port_entry(prefix, (number,)) for prefix, number in rows]
    plain = any(entry.allows_port(address, "tcp", port) for entry in entries)
    assert Listing(entries, NOW).endpoint(address, "tcp", port) is (Listed.LISTED if plain else Listed.UNLISTED)
