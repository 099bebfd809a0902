from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest

from sentinel.drill.recording.mining import MINING, POOL_WITH_LOOKUP
from sentinel.drill.recording.plan import DEFAULT_CAST, LAST_START_S, Cast, plan_session
from sentinel.errors import UsageError

ONE, TWO, OTHER = (IPv4Address(f"10.77.1.{last}") for last in (1, 2, 9))
CAST = Cast((ONE, TWO), (OTHER,))


def facts(cast: Cast, seed: int) -> list[tuple[object, ...]]:
    return [(one.conversation, one.start_s) for one in plan_session(cast, seed)]


def test_plan_when_made_again_is_the_same_and_for_another_seed_another():
    assert facts(CAST, 1) == facts(CAST, 1)
    assert len({tuple(facts(CAST, seed)) for seed in range(5)}) == 5
    assert len({len(facts(CAST, seed)) for seed in range(20)}) > 5


@pytest.mark.parametrize("cast", [CAST, DEFAULT_CAST, Cast((ONE,), (OTHER,), public=IPv4Address("192.0.2.80"))])
@pytest.mark.parametrize("seed", range(10))
def test_plan_holds_all_mining_and_twelve_ordinary_kinds_by_the_right_hosts(cast, seed):
    held = [one.conversation for one in plan_session(cast, seed)]
    assert sorted(one.name for one in held if one.family) == sorted(script.name for script in MINING)
    ordinary = [one for one in held if not one.expected]
    assert len({one.name for one in ordinary}) >= 12
    assert {one.client for one in held if one.expected} == {str(one) for one in cast.miners[: len(MINING)]}
    others = {str(one) for one in cast.others}
    assert {one.client for one in ordinary if one.name != "visitor"} <= others
    assert len({(one.client, one.client_port) for one in held}) == len(held)
    assert {one.proto for one in ordinary} == {"tcp", "udp"}
    assert len({one.domain for one in ordinary if one.encrypted}) >= 2


def test_plan_keeps_servers_apart_from_pools_and_both_outside():
    for one in plan_session(CAST, 3):
        network = CAST.pools if one.script.family else CAST.servers
        assert one.server in network
    assert str(CAST.pools) == "198.51.100.0/24"
    assert str(CAST.servers) == "203.0.113.0/24"


def test_plan_looks_up_the_pool_before_the_miner_goes_there():
    plan = plan_session(CAST, 1)
    (lookup,) = [one for one in plan if one.conversation.domain == POOL_WITH_LOOKUP and not one.script.family]
    (mining,) = [one for one in plan if one.conversation.domain == POOL_WITH_LOOKUP and one.script.family]
    assert lookup.client == mining.client
    assert lookup.start_s + 0.2 < mining.start_s
    assert lookup.conversation.expected == mining.conversation.expected == "name"
    assert (lookup.script.port, lookup.conversation.proto) == (53, "udp")


def test_plan_begins_everything_early_enough():
    starts = [one.start_s for one in plan_session(CAST, 5)]
    assert starts == sorted(starts)
    assert starts[0] >= 0
    assert starts[-1] < LAST_START_S + 1


def test_plan_without_a_public_address_has_nobody_from_outside():
    assert "visitor" not in {one.script.name for one in plan_session(CAST, 1)}
    public = IPv4Address("192.0.2.80")
    (visit,) = [one for one in plan_session(Cast((ONE,), (OTHER,), public), 1) if one.script.name == "visitor"]
    assert visit.server == public
    assert visit.client in CAST.servers


@pytest.mark.parametrize(
    ("miners", "others", "pools", "words"),
    [
        ((), (OTHER,), "198.51.100.0/24", "at least one miner"),
        ((ONE,), (), "198.51.100.0/24", "at least one miner"),
        ((ONE, OTHER), (OTHER,), "198.51.100.0/24", "either mines or does not"),
        ((ONE,), (OTHER,), "198.51.100.0/26", "128 addresses"),
        ((ONE,), (OTHER,), "203.0.113.0/25", "networks of their own"),
    ],
)
def test_cast_when_it_cannot_play_is_refused(miners, others, pools, words):
    with pytest.raises(UsageError, match=words):
        Cast(miners, others, pools=IPv4Network(pools))
