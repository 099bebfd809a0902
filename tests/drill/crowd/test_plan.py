"""Plans of crowds: figures, shares, seeds, and the truth they tell."""

import json
from collections import Counter
from ipaddress import IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.drill.crowd.plan import CrowdHost, plan_crowd, used_backends
from sentinel.drill.crowd.population import CLASSES, ODD_BACKENDS, ODD_PORTS, Closed, backends
from sentinel.errors import UsageError

SMALL = IPv4Network("10.32.0.0/24")
LARGE = IPv4Network("10.32.0.0/20")


@pytest.mark.parametrize(("base", "hosts", "ports"), [(SMALL, 143, 374), (LARGE, 1415, 4437)])
def test_plan_of_a_school_when_counted_then_has_about_the_ports_of_the_study(
    base: IPv4Network, hosts: int, ports: int
) -> None:
    counts = [len(plan_crowd(base, hosts, seed).truth()) for seed in range(1, 21)]
    assert abs(sum(counts) / len(counts) / ports - 1) < 0.12


def test_classes_when_added_up_then_make_a_hundred() -> None:
    assert sum(one.percent for one in CLASSES) == 100


@pytest.mark.parametrize("hosts", [20, 143, 1415])
def test_plan_when_drawn_then_keeps_the_shares_of_the_classes(hosts: int) -> None:
    crowd = plan_crowd(LARGE, hosts, 3)
    found = Counter(host.kind for host in crowd.hosts)
    tarpits = found.pop("tarpit")
    assert tarpits == max(1, hosts // 200)
    for one in CLASSES:
        assert abs(found[one.key] - (hosts - tarpits) * one.percent / 100) < 1


def test_plan_with_the_same_seed_then_is_the_same_and_with_another_is_not() -> None:
    assert plan_crowd(SMALL, 143, 7) == plan_crowd(SMALL, 143, 7)
    assert plan_crowd(SMALL, 143, 7).truth() != plan_crowd(SMALL, 143, 8).truth()


@settings(max_examples=60, deadline=None)
@given(st.integers(16, 28), st.integers(1, 300), st.integers(0, 2**31))
def test_plan_of_any_size_when_it_fits_then_every_host_has_its_own_usable_address(
    prefix: int, hosts: int, seed: int
) -> None:
    base = IPv4Network((0x0A200000, prefix))
    room = base.num_addresses - 4
    crowd = plan_crowd(base, min(hosts, room), seed)
    addresses = [host.address for host in crowd.hosts]
    taken = {base[0], crowd.router, crowd.scanner, base[-1]}
    assert len(taken) == 4
    assert addresses == sorted(set(addresses) - taken)
    assert all(address in base for address in addresses)
    assert {port.backend for host in crowd.hosts for port in host.ports} <= set(used_backends(crowd)) <= set(backends())


@pytest.mark.parametrize(
    ("base", "hosts", "words"),
    [
        ("10.0.0.0/15", 10, "10.0.0.0/15: a crowd fits into a /16 or a smaller network"),
        ("10.32.0.0/24", 253, "253: 10.32.0.0/24 has room for 1 to 252 hosts"),
        ("10.32.0.0/24", 0, "0: 10.32.0.0/24 has room for 1 to 252 hosts"),
        ("10.32.0.0/31", 1, "1: 10.32.0.0/31 has room for 1 to 0 hosts"),
        ("127.77.0.0/24", 10, "127.77.0.0/24: not a network for hosts; take a private one, e.g. 10.32.0.0/20"),
        ("239.1.0.0/24", 10, "239.1.0.0/24: not a network for hosts; take a private one, e.g. 10.32.0.0/20"),
        ("169.254.0.0/24", 10, "169.254.0.0/24: not a network for hosts; take a private one, e.g. 10.32.0.0/20"),
    ],
)
def test_plan_when_it_cannot_be_then_says_why(base: str, hosts: int, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan_crowd(IPv4Network(base), hosts, 1)
    assert str(caught.value) == words


@pytest.mark.parametrize(("base", "routed"), [("10.32.0.0/23", False), ("10.32.0.0/22", True)])
def test_plan_when_too_large_for_one_wire_then_lies_behind_a_router(base: str, routed: bool) -> None:
    assert plan_crowd(IPv4Network(base), 50, 1).is_routed is routed


def test_crowd_of_a_few_hosts_then_has_no_tarpit() -> None:
    crowd = plan_crowd(SMALL, 19, 1)
    assert crowd.tarpits == ()
    assert '"all"' not in crowd.truth_json()


def test_silent_hosts_when_listed_then_have_nothing_to_answer_with() -> None:
    crowd = plan_crowd(LARGE, 1415, 2)
    ghosts = {host.address for host in crowd.hosts if host.kind == "ghost"}
    silent = {host.address: host for host in crowd.hosts if host.address in crowd.silent}
    assert ghosts <= silent.keys()
    assert {(host.ports, host.answers_ping, host.closed) for host in silent.values()} == {((), False, Closed.DROP)}


@pytest.mark.parametrize(
    ("ping", "closed", "tarpit"), [(True, Closed.DROP, False), (False, Closed.RST, False), (False, Closed.DROP, True)]
)
def test_host_that_answers_anything_then_is_not_silent(ping: bool, closed: Closed, tarpit: bool) -> None:
    assert not CrowdHost(SMALL[5], "ghost", closed, ping, (), tarpit).is_silent


def test_odd_ports_when_drawn_then_about_one_host_in_seven_has_one() -> None:
    crowd = plan_crowd(LARGE, 1415, 4)
    odd = [port for host in crowd.hosts for port in host.ports if port.port in ODD_PORTS]
    usual = {habit.port for one in CLASSES for habit in one.habits}
    odd = [port for port in odd if port.port not in usual]
    assert {port.backend for port in odd} == set(ODD_BACKENDS)
    assert 0.11 < len(odd) / len(crowd.hosts) < 0.18


def test_truth_when_told_then_names_each_port_as_it_is_seen_there() -> None:
    crowd = plan_crowd(LARGE, 1415, 1)
    rows = crowd.truth()
    assert [(row.address, row.port) for row in rows] == sorted((row.address, row.port) for row in rows)
    redis = {(row.port == 6379, row.version) for row in rows if row.backend == "redis"}
    assert redis == {(True, "5.0.14"), (False, "")}
    assert {(row.service, row.product) for row in rows if row.port == 9100} == {("", "")}
    assert {row.tunnel for row in rows if row.backend.startswith("https")} == {"ssl"}


def test_truth_as_json_then_holds_hosts_ports_and_what_answers() -> None:
    crowd = plan_crowd(LARGE, 60, 1)
    told = json.loads(crowd.truth_json())
    assert (told["base"], told["seed"], told["scanner"]) == ("10.32.0.0/20", 1, "10.32.15.254")
    assert told["router"] == "10.32.15.253"
    assert [host["address"] for host in told["hosts"]] == [str(host.address) for host in crowd.hosts]
    rows = [(host["address"], port["port"], port["service"]) for host in told["hosts"] for port in opened(host)]
    assert rows == [(str(row.address), row.port, row.service) for row in crowd.truth()]
    assert [host["address"] for host in told["hosts"] if host["open"] == "all"] == [str(one) for one in crowd.tarpits]
    assert {host["closed"] for host in told["hosts"]} == {"drop", "rst"}
    assert [host["answers_ping"] for host in told["hosts"]] == [host.answers_ping for host in crowd.hosts]


def opened(host: dict[str, list[dict[str, object]]]) -> list[dict[str, object]]:
    return host["open"] if isinstance(host["open"], list) else []
