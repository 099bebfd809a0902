from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.inventory.reconcile import reconcile
from sentinel.model.endpoint import (
    AddressRanges,
    Coverage,
    Endpoint,
    EndpointKey,
    EndpointState,
    Fingerprint,
    Host,
    MapRow,
)
from sentinel.model.ports import PortSet, parse_ranges
from sentinel.model.register import RegisterEntry
from sentinel.model.standing import Reason, Reconciliation, Standing
from sentinel.model.unit import Zone

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def line(number: int = 1, places: str = "", ports: str = "", **more: object) -> RegisterEntry:
    """A line that names addresses, prefixes and domains, parted by blanks; ports are TCP."""
    words = places.split()
    entry = RegisterEntry(
        number,
        "school",
        "台账.xlsx",
        "ab",
        "",
        number + 1,
        addresses=tuple(ip_network(word) for word in words if word[0].isdigit() or ":" in word),
        domains=tuple(word for word in words if not word[0].isdigit() and ":" not in word),
        ports=(("tcp", parse_ranges(ports)),) if ports else (),
    )
    return replace(entry, **more)  # type: ignore[arg-type]


def row(address: str, port: int, *names: str, vantage: str = "inside", network: str = "lan") -> MapRow:
    key = EndpointKey(1, vantage, ip_address(address), "tcp", port)
    return MapRow("school", network, Zone.SERVER, Endpoint(key, EndpointState.OPEN, Fingerprint(), NOW), names)


def host(address: str, *names: str, network: str = "lan") -> Host:
    return Host(network, Zone.SERVER, ip_address(address), names)


def scan(low: str, high: str, ports: str = "1-1024") -> Coverage:
    return Coverage((("tcp", parse_ranges(ports)),), AddressRanges(((ip_address(low), ip_address(high)),)))


def compare(entries, rows=(), hosts=(), coverage=(), **more) -> Reconciliation:
    return reconcile(tuple(entries), rows, hosts, coverage, NOW, **more)


def only_line(*entries: RegisterEntry, **seen: object) -> tuple[Standing, Reason]:
    (told,) = compare(entries, **seen).lines
    return told.standing, told.reason


def only_host(*entries: RegisterEntry, **seen: object) -> tuple[Standing, Reason]:
    (told,) = compare(entries, **seen).hosts
    return told.standing, told.reason


PAST = NOW - timedelta(days=1)


@pytest.mark.parametrize(
    ("entry", "seen", "told"),
    [
        (line(1, "10.0.0.5"), {"hosts": [host("10.0.0.5")]}, (Standing.SEEN, Reason.HOST_SEEN)),
        (line(1, "10.0.0.0/24"), {"rows": [row("10.0.0.5", 80)]}, (Standing.SEEN, Reason.HOST_SEEN)),
        (line(1, "10.0.0.5", "80"), {"rows": [row("10.0.0.5", 80)]}, (Standing.SEEN, Reason.PORT_OPEN)),
        (
            line(1, "WWW.school.example."),
            {"rows": [row("10.0.0.5", 80, "www.school.example")]},
            (Standing.SEEN, Reason.HOST_SEEN),
        ),
        (line(1, "10.0.0.5"), {}, (Standing.UNCHECKED, Reason.NOT_COVERED)),
        (
            line(1, "10.0.0.5"),
            {"coverage": [scan("10.0.0.0", "10.0.0.9")]},
            (Standing.UNSEEN, Reason.NOTHING_ANSWERED),
        ),
        (
            line(1, "10.0.0.0/24"),
            {"coverage": [scan("10.0.0.0", "10.0.0.9")]},
            (Standing.UNCHECKED, Reason.NOT_COVERED),
        ),
        (
            line(1, "10.0.0.0/24"),
            {"coverage": [scan("10.0.0.1", "10.0.0.99"), scan("10.0.0.100", "10.0.0.254")]},
            (Standing.UNSEEN, Reason.NOTHING_ANSWERED),
        ),
        (
            line(1, "10.0.0.5", "8443"),
            {"rows": [row("10.0.0.5", 80)], "coverage": [scan("10.0.0.0", "10.0.0.9")]},
            (Standing.UNCHECKED, Reason.PORTS_NOT_COVERED),
        ),
        (
            line(1, "10.0.0.5", "443"),
            {"rows": [row("10.0.0.5", 80)], "coverage": [scan("10.0.0.0", "10.0.0.9")]},
            (Standing.UNSEEN, Reason.PORTS_SHUT),
        ),
        (
            line(1, "10.0.0.5", "443"),
            {"answering": [("lan", ip_address("10.0.0.5"), 900)], "coverage": [scan("10.0.0.0", "10.0.0.9")]},
            (Standing.UNCHECKED, Reason.ANSWERS_EVERYTHING),
        ),
        (line(1, "www.school.example"), {}, (Standing.UNCHECKED, Reason.NAME_NOT_RESOLVED)),
        (line(1), {}, (Standing.UNCHECKED, Reason.NO_PLACE)),
        (
            line(1, "10.0.0.5", valid_to=PAST),
            {"hosts": [host("10.0.0.5")]},
            (Standing.EXPIRED, Reason.HOST_SEEN),
        ),
        (
            line(1, "10.0.0.5", valid_to=PAST),
            {"coverage": [scan("10.0.0.0", "10.0.0.9")]},
            (Standing.RETIRED, Reason.NOTHING_ANSWERED),
        ),
    ],
)
def test_reconcile_when_a_line_is_held_against_what_was_seen_then_it_stands_so(entry, seen, told) -> None:
    assert only_line(entry, **seen) == told


@pytest.mark.parametrize(
    ("entries", "seen", "told"),
    [
        ([], {}, (Standing.UNCHECKED, Reason.NO_REGISTER)),
        ([line(1, "10.0.9.9")], {}, (Standing.UNREGISTERED, Reason.NOT_LISTED)),
        ([line(1, "10.0.9.9")], {"logs_only": frozenset({"lan"})}, (Standing.UNCHECKED, Reason.LOGS_ONLY)),
        ([line(1, "10.0.0.5")], {}, (Standing.SEEN, Reason.LISTED)),
        ([line(1, "10.0.0.5", "443")], {}, (Standing.SEEN, Reason.PORTS_UNLISTED)),
        ([line(1, "10.0.0.5", "443"), line(2, "10.0.0.0/8")], {}, (Standing.SEEN, Reason.LISTED)),
        ([line(1, "10.0.0.5", valid_to=PAST)], {}, (Standing.EXPIRED, Reason.LISTING_EXPIRED)),
        ([line(1, "10.0.0.5", valid_to=PAST), line(2, "10.0.0.0/8")], {}, (Standing.SEEN, Reason.LISTED)),
        ([line(1, "10.0.0.5", valid_from=NOW + timedelta(days=9))], {}, (Standing.SEEN, Reason.LISTED)),
    ],
)
def test_reconcile_when_a_host_is_held_against_the_register_then_it_stands_so(entries, seen, told) -> None:
    assert only_host(*entries, rows=[row("10.0.0.5", 80)], **seen) == told


def test_reconcile_when_a_line_names_ports_then_other_open_ports_of_the_host_are_unlisted() -> None:
    rows = [row("10.0.0.5", 80), row("10.0.0.5", 443), row("10.0.0.5", 22)]
    (told,) = compare([line(1, "10.0.0.5", "443"), line(2, "10.0.0.0/24", "8000-9000")], rows).hosts
    assert told.unlisted == (("tcp", 22), ("tcp", 80))


def test_reconcile_when_a_host_answers_everywhere_then_it_counts_once() -> None:
    told = compare([line(1, "10.0.9.9")], answering=[("lan", ip_address("10.0.0.5"), 900)])
    assert told.count_hosts(Standing.UNREGISTERED) == len(told.hosts) == 1


def test_reconcile_when_seen_from_outside_then_the_host_says_so() -> None:
    told = compare([], [row("10.0.0.5", 80), row("198.51.100.5", 80, vantage="outside")])
    assert [one.outside for one in told.hosts] == [False, True]


def test_reconcile_when_lines_overlap_then_the_closest_names_the_host() -> None:
    entries = [line(1, "10.0.0.0/8"), line(2, "10.0.0.0/24"), line(3, "www.x.example"), line(4, "10.0.0.5")]
    (told,) = compare(entries, [row("10.0.0.5", 80, "www.x.example")]).hosts
    assert told.entry == entries[3]
    (told,) = compare(entries[:3], [row("10.0.0.5", 80, "www.x.example")]).hosts
    assert told.entry == entries[2]


ADDRESSES = st.integers(0, 15).map(lambda low: str(IPv4Address(0x0A000000 + low)))
PREFIXES = st.builds(
    lambda low, length: str(ip_network((0x0A000000 + low, length), strict=False)),
    st.integers(0, 15),
    st.integers(28, 32),
)
LINES = st.builds(
    lambda places, ports, ended: line(1, " ".join(places), ports, valid_to=PAST if ended else None),
    st.lists(st.one_of(PREFIXES, st.sampled_from(["a.example", "B.example"])), max_size=3),
    st.sampled_from(["", "", "1", "2-3"]),
    st.booleans(),
)
ROWS = st.builds(
    lambda address, port, names: row(address, port, *names),
    ADDRESSES,
    st.integers(1, 4),
    st.lists(st.sampled_from(["a.example", "b.example"]), max_size=1),
)
SCANS = st.builds(
    lambda ends, ports: scan(*(str(IPv4Address(0x0A000000 + end)) for end in sorted(ends)), ports),
    st.lists(st.integers(0, 15), min_size=2, max_size=2),
    st.sampled_from(["1", "1-3", "3-9"]),
)


@given(st.lists(LINES, max_size=5), st.lists(ROWS, max_size=8), st.lists(SCANS, max_size=3))
@settings(max_examples=300, deadline=None)
def test_reconcile_when_held_against_a_slow_model_then_both_say_the_same(entries, rows, scans) -> None:
    told = compare(entries, rows, coverage=scans)
    assert [one.standing for one in told.lines] == [slow_line(entry, rows, scans) for entry in entries]
    seen = sorted({one.endpoint.key.address for one in rows})
    assert [one.address for one in told.hosts] == seen
    for one in told.hosts:
        assert (one.standing, one.unlisted) == slow_host(one.address, entries, rows)


def holds(entry: RegisterEntry, address, rows) -> bool:
    names = {name for one in rows if one.endpoint.key.address == address for name in one.names}
    return any(address in prefix for prefix in entry.addresses) or bool(names & {n.lower() for n in entry.domains})


def slow_line(entry: RegisterEntry, rows, scans) -> Standing:
    held = [one.endpoint.key for one in rows if holds(entry, one.endpoint.key.address, rows)]
    wanted = {port for _, ports in entry.ports for port in ports}
    if held and (not wanted or any(key.port in wanted for key in held)):
        return Standing.EXPIRED if entry.valid_to else Standing.SEEN
    places = [place for prefix in entry.addresses for place in (prefix.hosts() if prefix.num_addresses > 1 else prefix)]
    covered = bool(places) and all(
        any(place in one.addresses and all(one.holds(place, "tcp", port) for port in wanted) for one in scans)
        for place in places
    )
    if not covered:
        return Standing.UNCHECKED
    return Standing.RETIRED if entry.valid_to else Standing.UNSEEN


def slow_host(address, entries, rows) -> tuple[Standing, tuple[tuple[str, int], ...]]:
    held = [entry for entry in entries if holds(entry, address, rows)]
    valid = [entry for entry in held if not entry.valid_to]
    if valid:
        ports = {one.endpoint.key.port for one in rows if one.endpoint.key.address == address}
        bare = {p for p in ports if not any(not e.ports or any(p in s for _, s in e.ports) for e in valid)}
        return Standing.SEEN, tuple(("tcp", port) for port in sorted(bare))
    if held:
        return Standing.EXPIRED, ()
    return (Standing.UNREGISTERED if entries else Standing.UNCHECKED), ()


def test_reconcile_when_there_are_50000_endpoints_and_2000_lines_then_it_takes_seconds_at_most() -> None:
    base = 0x0A000000
    rows = [row(str(IPv4Address(base + number // 3)), 20 + number % 3) for number in range(50_000)]
    whole = [line(number, "10.0.0.0/8", str(1000 + number)) for number in range(1000)]
    entries = [*whole, *(line(number, str(IPv4Address(base + number * 7)), "22") for number in range(1000))]
    began = time.process_time()
    told = compare(entries, rows, coverage=[scan("10.0.0.0", "10.1.0.0")])
    assert time.process_time() - began < 5
    assert told.count_lines(Standing.SEEN) == 1000
    assert len(told.hosts) == 16_667
    assert PortSet() not in [ports for one in told.lines for _, ports in one.entry.ports]
