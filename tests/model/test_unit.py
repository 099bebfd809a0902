from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

import pytest

from sentinel.model.unit import Network, Unit, UnitLevel, choose_network, is_private

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


@pytest.mark.parametrize(
    ("prefix", "private"),
    [
        ("10.0.0.0/8", True),
        ("172.16.5.0/24", True),
        ("172.32.0.0/24", False),
        ("100.64.0.0/10", True),
        ("100.127.255.255/32", True),
        ("100.128.0.0/32", False),
        ("169.254.1.1/32", True),
        ("fd12::/16", True),
        ("fe80::1/128", True),
        ("::ffff:10.0.0.1/128", True),
        ("::ffff:203.0.113.1/128", False),
        ("2001:da8::/32", False),
        ("203.0.113.0/24", False),
        ("0.0.0.0/0", False),
        ("8.0.0.0/6", False),
    ],
)
def test_prefix_is_private_when_the_whole_of_it_repeats_in_every_school(prefix: str, private: bool) -> None:
    assert is_private(ip_network(prefix)) is private


def test_unit_stands_under_its_own_level_or_a_higher_one() -> None:
    assert UnitLevel.SCHOOL.may_stand_under(UnitLevel.PROVINCE)
    assert UnitLevel.CITY.may_stand_under(UnitLevel.CITY)
    assert not UnitLevel.CITY.may_stand_under(UnitLevel.COUNTY)
    assert UnitLevel.DEPARTMENT.may_stand_under(UnitLevel.DEPARTMENT)


def test_unit_exists_between_its_dates() -> None:
    first, last = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    unit = Unit("c", "n", valid_from=first, valid_to=last)
    assert unit.exists(first)
    assert not unit.exists(last)
    assert not unit.exists(datetime(2025, 1, 1, tzinfo=UTC))
    assert Unit("c", "n").exists(last)
