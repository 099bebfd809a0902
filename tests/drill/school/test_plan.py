"""Plans of practice schools: what a seed, a size and a lot make."""

from collections import Counter
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from itertools import pairwise

import pytest

from sentinel.drill.place.ground import Ground, Lot, Mode, served_port
from sentinel.drill.school.host import Manner
from sentinel.drill.school.plan import (
    AFTER,
    BEFORE,
    COMPLETE,
    DEFAULT_LOT,
    MAX_SIZE,
    MIN_SIZE,
    PlantedPort,
    School,
    plan_school,
)
from sentinel.errors import UsageError
from tests.drill.school.lots import LOOPBACK, NAMESPACE


def rows_of(plan: School, role: str) -> dict[tuple[str, int], PlantedPort]:
    """Give the truth of one host's IPv4 address, by transport and port."""
    (host,) = (host for host in plan.before if host.role == role)
    return {(row.proto, row.port): row for row in plan.truth() if row.address == host.address}


def test_plan_when_full_then_it_is_as_large_as_promised() -> None:
    truth = plan_school(NAMESPACE).truth()
    tcp = [row for row in truth if row.proto == "tcp"]
    udp = [row for row in truth if row.proto == "udp"]

    assert len(plan_school(NAMESPACE).before) == MAX_SIZE >= 24
    assert len(tcp) >= 60
    assert len(udp) >= 6
    assert {row.address.version for row in tcp} == {row.address.version for row in udp} == {4, 6}


def test_plan_when_full_on_loopback_then_only_what_needs_a_network_of_its_own_is_missing() -> None:
    own, shared = plan_school(NAMESPACE), plan_school(LOOPBACK)
    lost = {host.role for host in own.before} - {host.role for host in shared.before}

    assert lost == {host.role for host in own.before if host.manner is not Manner.SERVES} == {"silent", "answering"}
    assert {row.proto for row in shared.truth()} == {"tcp"}
    assert len({row.address for row in shared.truth() if row.address.version == 4}) >= 24
    assert len(shared.truth()) >= 60
    assert {row.address for row in shared.truth() if row.address.version == 6} == {IPv6Address("::1")}
    assert min(row.port for row in shared.truth()) > 1024


@pytest.mark.parametrize(("lot", "seed"), [*((NAMESPACE, seed) for seed in range(1, 31)), (LOOPBACK, 1), (LOOPBACK, 2)])
def test_plan_when_any_size_is_asked_then_it_has_it_and_no_two_servers_share_a_place(lot: Lot, seed: int) -> None:
    for size in range(MIN_SIZE, MAX_SIZE + 1):
        plan = plan_school(lot, seed, size)
        quiet = 2 if size >= 10 and not lot.has_own_network else 0
        assert len(plan.before) == size - quiet
        assert next(host.role for host in plan.before) == "portal"
        for played in (BEFORE, AFTER):
            truth = plan.truth(played)
            assert max(Counter(row.place for row in truth).values()) == 1
            assert {row.place for row in truth} == plan.places(played).keys()
            assert {address for _, address, _ in plan.places(played)}.isdisjoint(plan.answering)
        hosts = plan.hosts(AFTER)
        assert len({host.address for host in hosts}) == len(hosts)
        assert all(host.address in lot.base for host in hosts)


@pytest.mark.parametrize("seed", range(1, 31))
def test_plan_when_hosts_have_network_cards_then_each_has_its_own_made_up_one(seed: int) -> None:
    plan = plan_school(NAMESPACE, seed)
    cards = {host.mac for host in (*plan.before, *plan.hosts(AFTER))}

    assert all(card.startswith("02:77:") and len(card) == 17 for card in cards)
    assert len(cards) == MAX_SIZE + 2


def signature(plan: School) -> tuple[object, ...]:
    return plan.name, tuple((row.port, row.product, row.version) for row in plan.truth()), plan.expected_changes()


@pytest.mark.parametrize("size", [5, MAX_SIZE])
def test_plan_when_the_seed_is_the_same_then_the_school_is_and_another_seed_gives_another(size: int) -> None:
    plans = [signature(plan_school(seed=seed, size=size)) for seed in (1, 2, 3)]

    assert plans[0] == signature(plan_school(seed=1, size=size))
    assert len(set(plans)) == 3


def test_plan_when_another_school_of_the_same_ground_is_planned_then_only_its_network_differs() -> None:
    moved = replace(NAMESPACE, base=IPv4Network("10.77.9.0/24"))
    here, there = plan_school(NAMESPACE), plan_school(moved)

    assert [host.role for host in here.before] == [host.role for host in there.before]
    assert {host.address for host in here.before}.isdisjoint(host.address for host in there.before)


def test_true_ports_when_a_cue_brings_others_then_they_are_among_them() -> None:
    for seed in range(1, 31):
        plan = plan_school(NAMESPACE, seed)
        assert plan.true_ports >= {row.port for row in (*plan.truth(BEFORE), *plan.truth(AFTER))}
        moved = plan_school(LOOPBACK, seed)
        assert {served_port(port, LOOPBACK.offset) for port in moved.true_ports} >= {
            row.port for row in (*moved.truth(BEFORE), *moved.truth(AFTER))
        }


def test_true_ports_when_a_miner_talks_to_a_pool_then_the_pools_is_among_them() -> None:
    without = plan_school(replace(NAMESPACE, pool=None))

    assert plan_school(NAMESPACE).miners == tuple(host.address for host in without.before if host.role == "miner")
    assert plan_school(NAMESPACE).true_ports == without.true_ports | {3333}
    assert (without.miners, 3333 in without.true_ports) == ((), False)


def test_truth_when_ports_are_the_true_ones_then_own_probes_tell_more() -> None:
    at_home, moved = plan_school(NAMESPACE), plan_school(LOOPBACK)
    cache, elsewhere = rows_of(at_home, "cache"), rows_of(moved, "cache")

    assert cache["tcp", 6379].version != ""
    assert cache["tcp", 6379].weaknesses == ("exposure.redis-no-auth",)
    assert elsewhere["tcp", 16379].version == ""
    assert elsewhere["tcp", 16379].weaknesses == ("exposure.redis",)
    assert rows_of(at_home, "printer")["tcp", 9100].full.service == ""
    assert rows_of(moved, "printer")["tcp", 19100].full.service == "hp-pjl"


@pytest.mark.parametrize("offset", [0, 9100 - 80])
def test_truth_when_a_port_is_one_nmap_never_probes_then_it_has_no_name(offset: int) -> None:
    plan = plan_school(replace(LOOPBACK, offset=offset))
    unprobed = [row for row in plan.truth() if row.port in range(9100, 9108)]

    assert unprobed
    assert {(row.service, row.full.service) for row in unprobed} == {("", "")}


def test_truth_when_listed_then_it_is_sorted_by_address_transport_and_port() -> None:
    truth = plan_school(NAMESPACE).truth(AFTER)

    assert list(truth) == sorted(truth, key=lambda row: (row.address.version, int(row.address), row.proto, row.port))
    assert truth[0].address == IPv4Address("10.77.1.11")


@pytest.mark.parametrize(
    ("base", "size", "offset", "message"),
    [
        ("10.0.0.0/24", 5, 10000, "10.0.0.0/24: without a network namespace"),
        ("126.255.0.0/8", 5, 10000, "without a network namespace"),
        ("127.77.0.0/27", 5, 10000, "at least 64 addresses"),
        ("127.77.0.0/24", 2, 10000, f"3 to {MAX_SIZE} hosts"),
        ("127.77.0.0/24", MAX_SIZE + 1, 10000, f"{MAX_SIZE + 1}: a practice school has 3 to {MAX_SIZE} hosts"),
        ("127.77.0.0/24", 5, -1, "offset"),
        ("127.77.0.0/24", 5, 60000, "offset"),
    ],
)
def test_plan_when_the_wish_is_no_school_then_it_is_a_usage_error(
    base: str, size: int, offset: int, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        plan_school(replace(DEFAULT_LOT, base=IPv4Network(base, strict=False), offset=offset), size=size)


@pytest.mark.parametrize("prefix", [26, 25, 24, 20])
def test_plan_when_the_network_is_just_large_enough_then_every_host_fits(prefix: int) -> None:
    lot = replace(NAMESPACE, base=IPv4Network(f"10.77.0.0/{prefix}"))

    assert all(host.address in lot.base for host in plan_school(lot).hosts(AFTER))


def test_plan_when_the_seed_is_another_then_addresses_and_weaknesses_differ_too() -> None:
    def weak(seed: int) -> set[tuple[str, str]]:
        plan = plan_school(Ground(Mode.USER_NAMESPACE, True).lot(1), seed)
        return {(str(row.address), rule) for row in plan.truth() for rule in (*row.weaknesses, *row.flaws)}

    def kinds(seed: int) -> set[tuple[str, int]]:
        plan = plan_school(Ground(Mode.USER_NAMESPACE, True).lot(1), seed)
        return {(host.role, service.port) for host in plan.before for service in host.services}

    for one, other in pairwise(range(1, 8)):
        assert len(weak(one) ^ weak(other)) > len(weak(one))
        assert kinds(one) != kinds(other)
    assert all(kinds(seed) < kinds(COMPLETE) for seed in range(2, 8))


def test_plan_when_ports_are_moved_then_what_cannot_be_shown_there_is_told() -> None:
    there = plan_school(Ground(Mode.USER_NAMESPACE, True).lot(1))
    moved = plan_school(Ground(Mode.LOOPBACK, True, offset=10000).lot(1))
    assert not any(row.unseen for row in there.truth())
    hidden = {rule for row in moved.truth() for rule in row.unseen}
    assert {"exposure.redis-no-auth", "exposure.memcached-no-auth", "exposure.zookeeper"} <= hidden
    tcp = [row for row in there.truth() if row.proto == "tcp" and row.address.version == 4]
    four = [row for row in moved.truth() if row.address.version == 4]
    assert sum(len(row.weaknesses) for row in tcp) <= sum(len(row.weaknesses) + len(row.unseen) for row in four)
