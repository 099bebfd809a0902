"""Small texts of foreign formats."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from sentinel.observe.nmap_targets import read_targets
from sentinel.observe.text import parse_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("::ffff:10.1.0.5", "10.1.0.5"),
        ("::ffff:a01:5", "10.1.0.5"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:db8::5", "2001:db8::5"),
        ("10.1.0.5", "10.1.0.5"),
    ],
)
def test_address_inside_an_ipv6_one_is_the_ipv4_address(text: str, expected: str) -> None:
    assert parse_address(text) == ip_address(expected)


@pytest.mark.parametrize("text", ["", "10.1.0", "x", "::ffff:10.1.0"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse_address(text) is None


def test_targets_of_nmap_inside_ipv6_ones_are_ipv4_targets() -> None:
    assert read_targets("nmap -6 ::ffff:10.1.0.4/127") == ((4, 0x0A010004, 0x0A010005),)
