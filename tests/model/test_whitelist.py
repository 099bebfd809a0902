from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest

from sentinel.model.ports import PortSet
from sentinel.model.whitelist import WhitelistEntry, WhitelistKind

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
