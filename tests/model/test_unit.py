from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from sentinel.model.unit import Network, choose_network

DEFAULT = Network(1, "u", "default")
CAMPUS = Network(2, "u", "campus", prefixes=(ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")))
SERVERS = Network(3, "u", "servers", prefixes=(ip_network("10.1.0.0/16"),))
ONE_HOST = Network(4, "u", "exam", prefixes=(ip_network("10.1.2.3/32"),))
ALL = (DEFAULT, CAMPUS, ONE_HOST, SERVERS)


@pytest.mark.parametrize(
    ("address", "expected", "in_scope"),
    [
        ("10.9.9.9", CAMPUS, True),
        ("10.1.9.9", SERVERS, True),
        ("10.1.2.3", ONE_HOST, True),
        ("2001:db8::1", CAMPUS, True),
        ("2001:db9::1", DEFAULT, False),
        ("192.0.2.1", DEFAULT, False),
        ("::a01:203", DEFAULT, False),
    ],
)
def test_choose_network_when_several_hold_the_address_takes_the_longest_prefix(
    address: str, expected: Network, in_scope: bool
) -> None:
    for networks in (ALL, ALL[::-1]):
        assert choose_network(networks, ip_address(address)) == (expected, in_scope)


def test_choose_network_when_nothing_holds_the_address_and_there_is_no_default_raises() -> None:
    with pytest.raises(ValueError, match="no default network"):
        choose_network((CAMPUS,), ip_address("192.0.2.1"))


def test_choose_network_when_a_prefix_holds_it_needs_no_default() -> None:
    assert choose_network((CAMPUS,), ip_address("10.0.0.1")) == (CAMPUS, True)


def test_network_contains_addresses_of_its_prefixes_and_version_only() -> None:
    assert CAMPUS.contains(ip_address("10.0.0.1"))
    assert CAMPUS.contains(ip_address("2001:db8::ffff"))
    assert not CAMPUS.contains(ip_address("11.0.0.1"))
    assert not SERVERS.contains(ip_address("::a01:1"))
    assert not DEFAULT.contains(ip_address("10.0.0.1"))
