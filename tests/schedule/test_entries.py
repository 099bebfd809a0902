"""Whitelist entries as people write them; what `whitelist add` makes of them stands in tests/cli/test_scope.py."""

from __future__ import annotations

import pytest

from sentinel.errors import UsageError
from sentinel.model.whitelist import EVERYWHERE, PeerKind, WhitelistEntry
from sentinel.schedule.entries import (
    parse_addresses,
    parse_domain,
    parse_peer,
    parse_port_list,
    parse_prefix,
    read_entry,
)


def entry(kind: str, value: str, reason: str = "门户", approved_by: str = "信息中心") -> WhitelistEntry:
    return read_entry(
        kind,
        value,
        unit="school",
        service=" HTTP ",
        reason=reason,
        approved_by=approved_by,
        document=" 信字〔2026〕7号 ",
        valid_from=None,
        valid_to=None,
    )


@pytest.mark.parametrize(
    ("kind", "value", "domain", "addresses", "proto", "ports"),
    [
        ("domain", " *.School.Example. ", "*.school.example", [], "", ""),
        ("host", "[2001:db8::5]", "", ["2001:db8::5/128"], "", ""),
        ("host", "192.0.2.0/28", "", ["192.0.2.0/28"], "", ""),
        ("port", "192.0.2.1:22,80-90/tcp", "", ["192.0.2.1/32"], "tcp", "22,80-90"),
        ("port", "[2001:db8::]/32:53/udp", "", ["2001:db8::/32"], "udp", "53"),
    ],
)
def test_entry_when_well_written_is_read(
    kind: str, value: str, domain: str, addresses: list[str], proto: str, ports: str
) -> None:
    one = entry(kind, value)
    assert (one.kind, one.domain, one.proto, str(one.ports)) == (kind, domain, proto, ports)
    assert [str(prefix) for prefix in one.addresses] == addresses
    assert (one.unit, one.service, one.document) == ("school", "http", "信字〔2026〕7号")


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("network", "x", "no such kind: 'network' (domain, host, port)"),
        ("domain", "school", "'school': no domain (write www.school.example or *.school.example)"),
        ("host", "fe80::1%1", "'fe80::1%1': no address or prefix (write 10.0.0.5 or 10.0.0.0/24)"),
        ("host", "192.0.2.1/24", "'192.0.2.1/24': no address or prefix (write 10.0.0.5 or 10.0.0.0/24)"),
        ("port", "192.0.2.1", "'192.0.2.1': no port of a host (write 10.0.0.5:443/tcp or 10.0.0.0/24:22,80-90)"),
        ("port", "192.0.2.1:,", "'192.0.2.1:,': no ports (write 443 or 22,80-90; ports run from 0 to 65535)"),
        ("port", "school:80", "'school:80': no address or prefix (write 10.0.0.5 or 10.0.0.0/24)"),
    ],
)
def test_entry_when_it_cannot_be_read_is_repeated_with_what_to_write(kind: str, value: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        entry(kind, value)
    assert str(caught.value) == told


@pytest.mark.parametrize(("words", "option"), [({"reason": " "}, "--reason"), ({"approved_by": ""}, "--approved-by")])
def test_entry_when_nobody_says_why_or_who_is_refused(words: dict[str, str], option: str) -> None:
    with pytest.raises(UsageError, match=f"{option}: may not be empty"):
        entry("host", "192.0.2.1", **words)


@pytest.mark.parametrize("parse", [parse_domain, parse_prefix, parse_port_list, parse_addresses])
def test_value_when_it_cannot_be_read_is_not_repeated(parse: type) -> None:
    with pytest.raises(ValueError, match=r"\(write ") as caught:
        parse("欧阳示例")
    assert "欧阳示例" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "prefixes"),
    [
        ("10.0.0.5", "10.0.0.5/32"),
        ("10.0.0.5-10.0.0.8", "10.0.0.5/32 10.0.0.6/31 10.0.0.8/32"),
        ("10.0.0.5-8", "10.0.0.5/32 10.0.0.6/31 10.0.0.8/32"),
        ("10.0.0.0-10.0.0.255", "10.0.0.0/24"),
        ("[2001:db8::1-2001:db8::2]", "2001:db8::1/128 2001:db8::2/128"),
    ],
)
def test_addresses_when_a_range_are_the_prefixes_that_make_it_up(text: str, prefixes: str) -> None:
    assert " ".join(map(str, parse_addresses(text))) == prefixes


@pytest.mark.parametrize(
    "text", ["10.0.0.9-10.0.0.5", "10.0.0.1-2001:db8::1", "10.0.0.0-10.1.0.0", "10.0.0.1-999", "10.0.0.1-", "*"]
)
def test_addresses_when_no_range_or_too_wide_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\(write "):
        parse_addresses(text)


def test_addresses_when_anything_is_meant_must_be_said_to_be_wide() -> None:
    assert parse_addresses("*", wide=True) == parse_addresses("any", wide=True) == EVERYWHERE


@pytest.mark.parametrize(
    ("text", "kind", "prefixes"),
    [
        ("", PeerKind.ANY, ""),
        (" ANY ", PeerKind.ANY, ""),
        ("校内", PeerKind.CAMPUS, ""),
        ("internet", PeerKind.INTERNET, ""),
        ("10.9.0.0/24，10.8.0.5", PeerKind.PREFIX, "10.9.0.0/24 10.8.0.5/32"),
    ],
)
def test_peer_when_well_written_is_read(text: str, kind: PeerKind, prefixes: str) -> None:
    found, held = parse_peer(text)
    assert (found, " ".join(map(str, held))) == (kind, prefixes)


def test_peer_when_it_cannot_be_read_says_what_to_write() -> None:
    with pytest.raises(ValueError, match="write any, campus, internet"):
        parse_peer("这里")
