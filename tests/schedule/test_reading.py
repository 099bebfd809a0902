from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.model.endpoint import EndpointState
from sentinel.model.facts import NetworkCoverage
from sentinel.model.unit import Network, Zone
from sentinel.schedule.context import Context
from sentinel.schedule.intake import replace_networks
from sentinel.schedule.reading import (
    Span,
    clip_spans,
    count_addresses,
    iterate_map,
    planned_spans,
    read_map,
    read_network_coverage,
    read_unit_hosts,
)
from sentinel.store.units import read_networks, write_network
from tests.homes import NOW, SCHOOL
from tests.schedule.nmapfile import HostRow, NmapRun, at, give, host

spans = st.lists(
    st.tuples(st.sampled_from([4, 6]), st.integers(0, 60), st.integers(0, 12)).map(
        lambda one: (one[0], one[1], one[1] + one[2])
    ),
    max_size=8,
)


def members(made: list[Span]) -> set[tuple[int, int]]:
    return {(version, value) for version, low, high in made for value in range(low, high + 1)}


def declare(context: Context, name: str, *prefixes: str) -> Network:
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        network = Network(0, SCHOOL.code, name, Zone.SERVER, tuple(ip_network(one) for one in prefixes))
        stored = write_network(transaction, network)
        replace_networks(context, transaction, SCHOOL)
    return stored


def coverage(context: Context, network: Network, start: float = 0, end: float = 9) -> NetworkCoverage:
    (found,) = read_network_coverage(context, SCHOOL, [network], at(start), at(end))
    return found


@given(spans)
def test_addresses_in_overlapping_spans_are_counted_once(made: list[Span]) -> None:
    assert count_addresses(made) == len(members(made))


@given(spans, spans)
def test_clipped_spans_hold_what_is_in_both(made: list[Span], limits: list[Span]) -> None:
    assert members(clip_spans(made, limits)) == members(made) & members(limits)


@pytest.mark.parametrize(
    ("prefixes", "planned"),
    [
        (("10.0.0.0/24",), 254),
        (("10.0.0.0/31",), 2),
        (("10.0.0.1/32",), 1),
        (("10.0.0.0/24", "10.0.0.0/25"), 254),
        (("2001:db8::/120",), 256),
        (("2001:db8::/64",), 0),
        (("10.0.0.0/8",), 0),
        ((), 0),
    ],
)
def test_planned_addresses_are_those_hosts_can_have_and_nothing_that_is_never_swept(
    prefixes: tuple[str, ...], planned: int
) -> None:
    network = Network(1, "u", "n", prefixes=tuple(ip_network(one) for one in prefixes))
    assert count_addresses(planned_spans([network])) == planned


def test_coverage_of_a_network_is_what_finished_scans_looked_at_in_the_span(context: Context) -> None:
    lan = declare(context, "lan", "10.0.0.0/29")
    give(context, NmapRun((host(1, p22="ssh"),), ("10.0.0.2", "10.9.9.9"), "22,80", at(1)))
    give(context, NmapRun((host(1, p22="ssh"),), ("10.0.0.3",), "22", at(2)))
    give(context, NmapRun((host(4, p22="ssh"),), (), "22-1024", at(20)))
    assert coverage(context, lan) == NetworkCoverage("lan", 6, 3, "tcp 2", at(2), 1)
    assert coverage(context, lan, 1.5) == NetworkCoverage("lan", 6, 2, "tcp 1", at(2), 1)
    assert coverage(context, lan, 3) == NetworkCoverage("lan", 6, 0, prefixes=1)


def test_coverage_is_not_full_by_addresses_that_were_not_planned(context: Context) -> None:
    lan = declare(context, "lan", "10.0.0.0/29", "2001:db8::/64")
    asked = tuple(f"10.0.0.{number}" for number in (0, 1, 2, 3, 4, 5, 7))
    give(context, NmapRun((), (*asked, "2001:db8::1", "2001:db8::2"), finished=at(1)))
    assert (coverage(context, lan).planned, coverage(context, lan).covered) == (6, 5)


def test_coverage_of_a_network_never_swept_still_tells_its_newest_look(context: Context) -> None:
    lan = declare(context, "lan", "2001:db8::/64")
    give(context, NmapRun((), ("2001:db8::1",), "22", at(1)))
    assert coverage(context, lan) == NetworkCoverage("lan", 0, 0, "tcp 1", at(1), 1)


def test_coverage_by_a_source_without_a_port_set_is_none(context: Context) -> None:
    lan = declare(context, "lan", "10.0.0.0/29")
    give(context, NmapRun((host(1),), (), "", at(1)))
    assert coverage(context, lan) == NetworkCoverage("lan", 6, 0, prefixes=1)


def test_map_is_sorted_by_network_address_number_and_port(context: Context) -> None:
    declare(context, "a-lan", "10.0.0.10/32")
    rows = (host(9, p80="nginx", p443="open"), host(10, p22="ssh"), HostRow("2001:db8::1", ((22, "ssh"),)))
    give(context, NmapRun(rows, finished=at(0)))
    shown = [(row.network, str(row.endpoint.key.address), row.endpoint.key.port) for row in read_map(context, SCHOOL)]
    assert shown == [
        ("a-lan", "10.0.0.10", 22),
        ("default", "10.0.0.9", 80),
        ("default", "10.0.0.9", 443),
        ("default", "2001:db8::1", 22),
    ]


def test_map_rows_know_unit_zone_and_the_names_known_by_then(context: Context) -> None:
    declare(context, "servers", "10.0.0.0/24")
    give(context, NmapRun((HostRow("10.0.0.1", ((22, "ssh"),), name="old.example"),), finished=at(0)))
    give(context, NmapRun((HostRow("10.0.0.1", ((22, "ssh"),), name="new.example"),), finished=at(2)))
    (then,), (now,) = read_map(context, SCHOOL, at(1)), read_map(context, SCHOOL)
    assert (then.unit, then.network, then.zone) == ("school", "servers", Zone.SERVER)
    assert then.names == ("old.example",)
    assert now.names == ("new.example", "old.example")


CERTIFICATE = (
    '<script id="ssl-cert" output="Subject: commonName=www.school.example"><table key="subject">'
    '<elem key="commonName">www.school.example</elem></table><table key="extensions"><table>'
    '<elem key="name">X509v3 Subject Alternative Name</elem><elem key="value">DNS:www.school.example, '
    "DNS:*.school.example, IP Address:10.0.0.1, DNS:mail.school.example</elem></table></table>"
    f'<elem key="sha256">{"a" * 64}</elem><elem key="sha1">{"b" * 40}</elem></script>'
)


def test_map_rows_show_the_certificate_whose_names_are_not_the_names_of_the_address(context: Context) -> None:
    raw = NmapRun((host(1, p443="nginx"),), finished=at(0)).write()
    give(context, raw.replace(b"</port>", CERTIFICATE.encode() + b"</port>"))
    (row,) = read_map(context, SCHOOL)
    assert row.endpoint.certificate is not None
    assert "mail.school.example" in row.endpoint.certificate.names
    assert row.names == ()


def test_map_read_one_by_one_keeps_rows_of_an_address_together(context: Context) -> None:
    rows = tuple(host(number, p22="ssh", p80="nginx") for number in (1, 10, 2))
    give(context, NmapRun(rows, finished=at(0)))
    addresses = [row.endpoint.key.address for row in iterate_map(context, SCHOOL)]
    assert [addresses[place] for place in (0, 2, 4)] == [addresses[place] for place in (1, 3, 5)]


def test_map_before_the_first_run_is_empty(context: Context) -> None:
    give(context, NmapRun((host(1, p22="ssh"),), finished=at(1)))
    assert read_map(context, SCHOOL, at(0)) == ()


def test_map_of_other_states_is_told_when_asked(context: Context) -> None:
    other = host(2, p22="ssh")
    give(context, NmapRun((host(1, p22="ssh"), other), finished=at(0)))
    for day in (1, 2):
        give(context, NmapRun((other,), ("10.0.0.1",), finished=at(day)))
    both = read_map(context, SCHOOL, None, (EndpointState.OPEN, EndpointState.UNKNOWN))
    assert [(str(row.endpoint.key.address), row.endpoint.state) for row in both] == [
        ("10.0.0.1", EndpointState.UNKNOWN),
        ("10.0.0.2", EndpointState.OPEN),
    ]


def test_hosts_are_sorted_by_network_and_address_number(context: Context) -> None:
    declare(context, "a-lan", "10.0.0.200/32")
    give(context, NmapRun((host(10, p22="ssh"), host(9, p22="ssh"), host(200, p22="ssh")), finished=at(0)))
    hosts = read_unit_hosts(context, read_networks(context.database, SCHOOL.code))
    assert [one.address for one in hosts] == [ip_address(f"10.0.0.{number}") for number in (200, 9, 10)]
