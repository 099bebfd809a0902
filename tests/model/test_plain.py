"""One value for each address, however it was written."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from sentinel.model.plain import plain_address, plain_prefix, read_plain_address, read_plain_prefix


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("::ffff:10.0.0.5", "10.0.0.5"),
        ("::FFFF:a00:5", "10.0.0.5"),
        ("0:0:0:0:0:ffff:0a00:0005", "10.0.0.5"),
        ("::ffff:0.0.0.0", "0.0.0.0"),
        ("10.0.0.5", "10.0.0.5"),
        ("2001:db8::5", "2001:db8::5"),
        ("::10.0.0.5", "::a00:5"),
        ("64:ff9b::10.0.0.5", "64:ff9b::a00:5"),
    ],
)
def test_address_inside_another_is_the_inner_one(text: str, expected: str) -> None:
    assert plain_address(ip_address(text)) == read_plain_address(text) == ip_address(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("::ffff:10.0.0.0/120", "10.0.0.0/24"),
        ("::ffff:10.0.0.5/128", "10.0.0.5/32"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::/90", "::/90"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("10.0.0.0/24", "10.0.0.0/24"),
    ],
)
def test_prefix_of_inner_addresses_is_theirs(text: str, expected: str) -> None:
    assert plain_prefix(ip_network(text)) == read_plain_prefix(text) == ip_network(expected)
    assert read_plain_prefix("::ffff:10.0.0.9/120", strict=False) == ip_network("10.0.0.0/24")


@pytest.mark.parametrize("text", ["", "::ffff:10.0.0", "10.0.0.256", "x"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        read_plain_address(text)
    with pytest.raises(ValueError, match=r"\S"):
        read_plain_prefix(text)
