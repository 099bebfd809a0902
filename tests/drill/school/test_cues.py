"""What can happen at a practice school: every cue alone, in every order, for many seeds and every size."""

import random
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import pytest

from sentinel.drill.school.cues import ALL_CUES, Cue
from sentinel.drill.school.host import PlannedHost
from sentinel.drill.school.plan import (
    AFTER,
    BEFORE,
    MAX_SIZE,
    MIN_SIZE,
    Place,
    PlannedChange,
    PlantedPort,
    School,
    plan_school,
)
from sentinel.model.endpoint import ChangeKind
from tests.drill.school.lots import LOTS, NAMESPACE

Difference: TypeAlias = set[tuple[ChangeKind, Place, tuple[str, ...]]]


@dataclass(frozen=True)
class Planned:
    """A school of one seed and size, and the diff it expects of each cue."""

    plan: School
    expected: Mapping[Cue, Difference]


LOTTERY = [*(("namespace", seed) for seed in range(1, 31)), *(("loopback", seed) for seed in range(1, 11))]


@pytest.fixture(scope="module", params=LOTTERY, ids=lambda drawn: "-".join(map(str, drawn)))
def schools(request: pytest.FixtureRequest) -> list[Planned]:
    """The schools of one seed, one of every size."""
    lot, seed = request.param
    plans = [plan_school(LOTS[lot], seed, size) for size in range(MIN_SIZE, MAX_SIZE + 1)]
    return [Planned(plan, {cue: told(plan.expected_changes(BEFORE, {cue})) for cue in Cue}) for plan in plans]


def told(changes: Collection[PlannedChange]) -> Difference:
    return {(one.kind, (one.proto, one.address, one.port), one.what) for one in changes}


def difference(before: Collection[PlantedPort], after: Collection[PlantedPort]) -> Difference:
    """Compare two truths row by row."""
    old, new = ({row.place: row for row in rows} for rows in (before, after))
    found: Difference = {(ChangeKind.NEW, place, ()) for place in new.keys() - old.keys()}
    found |= {(ChangeKind.GONE, place, ()) for place in old.keys() - new.keys()}
    for place in new.keys() & old.keys():
        what = [
            name
            for name in ("certificate", "product", "service", "version")
            if getattr(old[place], name) != getattr(new[place], name)
        ]
        found |= {(ChangeKind.CHANGED, place, tuple(what))} if what else set()
    return found


def test_cues_when_a_school_has_any_size_then_it_has_all_of_them(schools: list[Planned]) -> None:
    assert [set(one.plan.steps) for one in schools] == [set(Cue)] * (MAX_SIZE - MIN_SIZE + 1)


KINDS = {
    Cue.SERVICE_OPENS: {(ChangeKind.NEW, ())},
    Cue.SERVICE_CLOSES: {(ChangeKind.GONE, ())},
    Cue.HOST_APPEARS: {(ChangeKind.NEW, ())},
    Cue.CERTIFICATE_CHANGES: {(ChangeKind.CHANGED, ("certificate",))},
    Cue.VERSION_CHANGES: {(ChangeKind.CHANGED, ("version",))},
    Cue.ADDRESS_CHANGES_HANDS: {(ChangeKind.NEW, ()), (ChangeKind.GONE, ())},
}


def test_cue_when_played_alone_then_its_diff_is_the_difference_of_two_truths_and_of_its_kind(
    schools: list[Planned],
) -> None:
    for school in schools:
        before = school.plan.truth(BEFORE)
        for cue, expected in school.expected.items():
            assert expected == difference(before, school.plan.truth({cue}))
            assert {(kind, what) for kind, _, what in expected} == KINDS[cue], cue


def test_cues_when_all_are_played_then_their_diffs_touch_no_place_in_common_and_add_up(schools: list[Planned]) -> None:
    for school in schools:
        touched = {cue: {place for _, place, _ in expected} for cue, expected in school.expected.items()}
        assert all(touched[one].isdisjoint(touched[other]) for one, other in combinations(Cue, 2))
        assert set().union(*school.expected.values()) == told(school.plan.expected_changes())


def test_cues_when_played_in_any_order_then_the_school_is_the_same(schools: list[Planned]) -> None:
    dice = random.Random(len(schools[0].plan.name) + schools[0].plan.seed)
    for school in schools:
        order = dice.sample(list(Cue), len(Cue))
        hosts = school.plan.before
        for number, cue in enumerate(order, 1):
            hosts = school.plan.steps[cue].apply(hosts)
            assert summary(hosts) == summary(school.plan.hosts(frozenset(order[:number]))), order


def summary(hosts: Collection[PlannedHost]) -> list[tuple[object, ...]]:
    """List hosts by address with what they serve, in whatever order."""
    return [(host.role, host.mac, host.addresses, Counter(map(id, host.services))) for host in hosts]


def test_host_that_appears_when_it_does_then_nobody_had_its_address(schools: list[Planned]) -> None:
    for plan in (one.plan for one in schools):
        step = plan.steps[Cue.HOST_APPEARS]
        assert step.address not in {host.address for host in plan.before}
        (come,) = [host for host in plan.hosts({Cue.HOST_APPEARS}) if host.address == step.address]
        assert come.role == "newcomer"
        assert len(plan.hosts(AFTER)) == len(plan.before) + 1


def test_address_that_changes_hands_when_it_does_then_another_card_has_it(schools: list[Planned]) -> None:
    for plan in (one.plan for one in schools):
        address = plan.steps[Cue.ADDRESS_CHANGES_HANDS].address
        before, after = (
            next(host for host in plan.hosts(played) if host.address == address) for played in (BEFORE, AFTER)
        )
        assert (before.role, after.role) == ("office", "successor")
        assert before.mac != after.mac
        assert before.name != after.name


@pytest.mark.parametrize("seed", range(1, 31))
def test_weaknesses_when_the_certificate_is_renewed_then_the_expired_one_is_mended(seed: int) -> None:
    plan = plan_school(NAMESPACE, seed)
    before, after = (
        {(row.place, name) for row in plan.truth(played) for name in row.weaknesses}
        for played in (BEFORE, {Cue.CERTIFICATE_CHANGES})
    )
    ((place, name),) = before - after

    assert name == "certificate.expired"
    assert after < before
    assert place[1] == plan.steps[Cue.CERTIFICATE_CHANGES].address


def test_word_for_all_cues_when_compared_then_it_is_no_cue() -> None:
    assert ALL_CUES not in set(Cue)
