from __future__ import annotations

from ipaddress import IPv4Address, ip_address

import pytest

from sentinel.observe.nmap_targets import MAX_COMMAND, SilentAddresses, read_targets


def span(low: str, high: str = "") -> tuple[int, int, int]:
    first, last = ip_address(low), ip_address(high or low)
    return first.version, int(first), int(last)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("nmap 192.0.2.1", [span("192.0.2.1")]),
        ("nmap 192.0.2.9/30", [span("192.0.2.8", "192.0.2.11")]),
        ("nmap 192.0.2.1-3,7", [span("192.0.2.1", "192.0.2.3"), span("192.0.2.7")]),
        ("nmap 192.0.2.-1", [span("192.0.2.0", "192.0.2.1")]),
        ("nmap 192.0.2.250-", [span("192.0.2.250", "192.0.2.255")]),
        ("nmap 192.0.1-2.*", [span("192.0.1.0", "192.0.2.255")]),
        ("nmap -6 2001:db8::/126 2001:db8::9", [span("2001:db8::", "2001:db8::3"), span("2001:db8::9")]),
        ("nmap 192.0.2.1 192.0.2.2 192.0.2.1", [span("192.0.2.1", "192.0.2.2")]),
        ("nmap -p 80 -oX out.xml 192.0.2.1", [span("192.0.2.1")]),
        ("nmap -p80 -oXout.xml -T4 -T 4 192.0.2.1", [span("192.0.2.1")]),
        ("nmap -sS -sV -O -v -vv -d2 -n -PS22,80 -PE -Pn -A -F -4 192.0.2.1", [span("192.0.2.1")]),
        ("nmap --min-rate 100 --max-retries=1 -host-timeout 5m 192.0.2.1", [span("192.0.2.1")]),
        ("nmap --min_rate 100 --script default,safe --reason 192.0.2.1", [span("192.0.2.1")]),
        ("nmap -nv -g 53 -D 192.0.2.66 192.0.2.1", [span("192.0.2.1")]),
        ('nmap --script-args "user=a b,x=1" 192.0.2.1', [span("192.0.2.1")]),
        (
            "nmap 192.0.2.0/29 --exclude 192.0.2.2-3,192.0.2.5",
            [span("192.0.2.0", "192.0.2.1"), span("192.0.2.4"), span("192.0.2.6", "192.0.2.7")],
        ),
        (
            "nmap 192.0.2.0/29 --exclude 192.0.2.2,192.0.2.5",
            [span("192.0.2.0", "192.0.2.1"), span("192.0.2.3", "192.0.2.4"), span("192.0.2.6", "192.0.2.7")],
        ),
        ("nmap 192.0.2.0/29 --exclude=192.0.2.0/30", [span("192.0.2.4", "192.0.2.7")]),
        ("nmap 192.0.2.1 -- 192.0.2.3", [span("192.0.2.1"), span("192.0.2.3")]),
        ("nmap", []),
        ("", []),
    ],
)
def test_targets_when_all_are_addresses_are_ranges(arguments: str, expected: list[tuple[int, int, int]]) -> None:
    assert read_targets(arguments) == tuple(expected)


@pytest.mark.parametrize(
    "arguments",
    [
        "nmap scanme.example",
        "nmap 192.0.2.1 www.school.example",
        "nmap www.school.example/24",
        "nmap -iL targets.txt",
        "nmap -iLtargets.txt",
        "nmap -iR 100",
        "nmap --excludefile no.txt 192.0.2.0/24",
        "nmap --open 192.0.2.0/24",
        "nmap -open 192.0.2.0/24",
        "nmap -sL 192.0.2.0/24",
        "nmap --resume out.xml",
        "nmap --unheard-of 192.0.2.1",
        "nmap -Z 192.0.2.1",
        "nmap 10.0.0.0/8",
        "nmap 0-255.0-255.0-255.1",
        "nmap 192.0.2.256",
        "nmap 192.0.2",
        "nmap 192.0.2.7-3",
        "nmap 192.0.2.0/33",
        "nmap 192.0.2.0/x",
        "nmap 2001:db8::/64",
        "nmap 2001:zz::",
        'nmap "unbalanced 192.0.2.1',
        "nmap " + "1" * MAX_COMMAND,
    ],
)
def test_targets_when_they_cannot_be_known_are_none(arguments: str) -> None:
    assert read_targets(arguments) is None


def silent(arguments: str, total: str, *listed: str) -> list[tuple[str, str]]:
    asked = SilentAddresses(arguments)
    for address in listed:
        asked.add((ip_address(address),))
    return [(str(low), str(high)) for low, high in asked.ranges(total)]


def test_silent_when_the_total_agrees_is_what_was_not_listed() -> None:
    assert silent("nmap 192.0.2.0/30", "4", "192.0.2.2", "192.0.2.2") == [
        ("192.0.2.0", "192.0.2.1"),
        ("192.0.2.3", "192.0.2.3"),
    ]


def test_silent_when_of_version_6_is_told_too() -> None:
    assert silent("nmap -6 2001:db8::/127", "2", "2001:db8::1") == [("2001:db8::", "2001:db8::")]


def test_silent_when_all_are_listed_is_empty() -> None:
    assert silent("nmap 192.0.2.0/31", "2", "192.0.2.0", "192.0.2.1") == []


@pytest.mark.parametrize("total", ["3", "5", "", "x"])
def test_silent_when_the_total_differs_is_empty(total: str) -> None:
    assert silent("nmap 192.0.2.0/30", total) == []


def test_silent_when_a_host_lists_several_addresses_knows_them_all() -> None:
    asked = SilentAddresses("nmap 192.0.2.0/31")
    asked.add((IPv4Address("192.0.2.0"), IPv4Address("192.0.2.1")))
    assert asked.ranges("2") == ()
