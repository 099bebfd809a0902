"""How hosts, lines, domains and systems stand, and that nothing is said of what nobody looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.inventory.reconcile import reconcile
from sentinel.inventory.systems import join_lines
from sentinel.inventory.upkeep import review_places
from sentinel.model.endpoint import Fingerprint, MapRow
from sentinel.model.register import Person
from sentinel.model.standing import Reason
from sentinel.model.system import InformationSystem, PlannedOffline, SystemFacts, SystemState
from sentinel.model.upkeep import Declared, PlaceKind, PlaceReason, PlaceStanding, PlaceState
from tests.inventory.test_reconcile import host, line, row, scan

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=400)
COVERED = [scan("10.0.0.0", "10.0.0.255")]
SPACE = (ip_network("10.0.0.0/24"), ip_network("198.51.100.0/24"))
HOST, LINE, DOMAIN, SYSTEM = PlaceKind.HOST, PlaceKind.LINE, PlaceKind.DOMAIN, PlaceKind.SYSTEM


def system(number: int = 1, name: str = "教务系统", **more: object) -> InformationSystem:
    facts = more.pop("facts", SystemFacts(name, department="教务处"))
    made = InformationSystem(number, "school", facts, confirmed_at=NOW, state_at=NOW)  # type: ignore[arg-type]
    return replace(made, **more)  # type: ignore[arg-type]  # fields by name


def old(one: MapRow, **words: object) -> MapRow:
    """The same endpoint, unchanged for 400 days and seen today."""
    told = {"valid_from": LONG_AGO, "last_confirmed": NOW} | words
    return replace(one, endpoint=replace(one.endpoint, **told))  # type: ignore[arg-type]


def review(entries=(), rows=(), hosts=(), coverage=COVERED, **declared) -> dict[tuple[PlaceKind, str], PlaceStanding]:
    told = Declared(**{"space": SPACE, "domains": ("school.example",)} | declared)
    lines, owners = join_lines(tuple(entries), told.systems)
    rows, hosts = tuple(rows), tuple(hosts)
    standing = reconcile(lines, rows, hosts, coverage, NOW)
    found = review_places(standing, rows, hosts, told, owners, NOW)
    assert len({(one.kind, one.network, one.name) for one in found}) == len(found)
    return {(one.kind, one.name): one for one in found}


def plan(begin: int, end: int, system: int = 0, *prefixes: str) -> PlannedOffline:
    days = NOW + timedelta(days=begin), NOW + timedelta(days=end)
    return PlannedOffline(1, "school", *days, "改造", system, tuple(map(ip_network, prefixes)))


def told(one: PlaceStanding) -> tuple[PlaceState, Reason | PlaceReason]:
    return one.mark.state, one.mark.reason


def test_host_that_is_listed_and_answers_is_registered_and_seen() -> None:
    found = review([line(1, "10.0.0.5")], [row("10.0.0.5", 80)])
    assert told(found[HOST, "10.0.0.5"]) == (PlaceState.SEEN, Reason.LISTED)
    assert (LINE, "10.0.0.5") not in found


def test_host_nobody_listed_is_seen_not_registered_unless_there_is_no_register() -> None:
    seen = [row("10.0.0.9", 80)]
    assert told(review([line(1, "10.0.0.5")], seen)[HOST, "10.0.0.9"]) == (PlaceState.UNREGISTERED, Reason.NOT_LISTED)
    assert told(review([], seen)[HOST, "10.0.0.9"]) == (PlaceState.UNCHECKED, Reason.NO_REGISTER)


def test_line_nothing_answered_for_is_not_seen_only_where_a_scan_looked() -> None:
    entry = line(1, "10.0.0.5")
    assert told(review([entry])[LINE, "10.0.0.5"]) == (PlaceState.UNSEEN, Reason.NOTHING_ANSWERED)
    assert told(review([entry], coverage=())[LINE, "10.0.0.5"]) == (PlaceState.UNCHECKED, Reason.NOT_COVERED)


@pytest.mark.parametrize(
    ("plans", "coverage", "state", "reason"),
    [
        ([plan(-3, 3, 0, "10.0.0.0/29")], COVERED, PlaceState.OFFLINE, PlaceReason.PLAN_IN_FORCE),
        ([plan(-3, 3, 0, "10.0.0.0/29")], (), PlaceState.OFFLINE, PlaceReason.PLAN_IN_FORCE),
        ([plan(-9, -3, 0, "10.0.0.5/32")], COVERED, PlaceState.UNSEEN, PlaceReason.PLAN_OVER),
        ([plan(-9, -3, 0, "10.0.0.5/32")], (), PlaceState.UNCHECKED, Reason.NOT_COVERED),
        ([plan(3, 9, 0, "10.0.0.5/32")], COVERED, PlaceState.UNSEEN, Reason.NOTHING_ANSWERED),
        ([plan(-3, 3, 0, "10.0.0.6/32")], COVERED, PlaceState.UNSEEN, Reason.NOTHING_ANSWERED),
        ([plan(-9, -3, 0, "10.0.0.5"), plan(-1, 1, 0, "10.0.0.5")], (), PlaceState.OFFLINE, PlaceReason.PLAN_IN_FORCE),
        ([plan(-3, 3, 0, "2001:db8::/64")], COVERED, PlaceState.UNSEEN, Reason.NOTHING_ANSWERED),
    ],
)  # fmt: skip
def test_line_within_a_planned_time_is_offline_by_plan_until_it_ends(plans, coverage, state, reason) -> None:
    assert told(review([line(1, "10.0.0.5")], coverage=coverage, offline=tuple(plans))[LINE, "10.0.0.5"]) == (
        state,
        reason,
    )


def test_host_that_answers_within_its_planned_time_is_told() -> None:
    found = review([line(1, "10.0.0.5")], [row("10.0.0.5", 80)], offline=(plan(-3, 3, 0, "10.0.0.5/32"),))
    assert told(found[HOST, "10.0.0.5"]) == (PlaceState.OFFLINE, PlaceReason.ANSWERS_IN_PLAN)
    assert found[HOST, "10.0.0.5"].is_in(PlaceState.SEEN)


def test_listing_that_has_ended_is_stale_while_it_answers_and_retired_when_not() -> None:
    ended = line(1, "10.0.0.5", valid_to=NOW - timedelta(days=1))
    seen = review([ended], [row("10.0.0.5", 80)])[HOST, "10.0.0.5"]
    assert told(seen) == (PlaceState.STALE, Reason.LISTING_EXPIRED)
    assert seen.mark.since == ended.valid_to
    assert told(review([ended])[LINE, "10.0.0.5"]) == (PlaceState.RETIRED, Reason.LISTING_EXPIRED)


def test_system_that_was_not_confirmed_in_time_makes_it_and_its_hosts_stale() -> None:
    late = system(confirmed_at=NOW - timedelta(days=181))
    found = review([line(1, "10.0.0.5", system="教务系统")], [row("10.0.0.5", 80)], systems=(late,))
    for key in ((HOST, "10.0.0.5"), (SYSTEM, "教务系统")):
        assert told(found[key]) == (PlaceState.STALE, PlaceReason.NOT_CONFIRMED)
        assert found[key].mark.since == NOW - timedelta(days=1)
        assert found[key].is_in(PlaceState.SEEN)
        assert found[key].department == "教务处"
    fresh = system(confirmed_at=NOW - timedelta(days=179))
    found = review([line(1, "10.0.0.5", system="教务系统")], [row("10.0.0.5", 80)], systems=(fresh,))
    assert told(found[SYSTEM, "教务系统"]) == (PlaceState.SEEN, Reason.HOST_SEEN)


def test_retired_system_is_stale_while_a_host_of_it_answers() -> None:
    gone = system(state=SystemState.RETIRED, state_at=NOW - timedelta(days=2))
    entry = line(1, "10.0.0.5", system="教务系统")
    found = review([entry], [row("10.0.0.5", 80)], systems=(gone,))
    assert (
        told(found[SYSTEM, "教务系统"])
        == told(found[HOST, "10.0.0.5"])
        == (PlaceState.STALE, PlaceReason.SYSTEM_RETIRED)
    )
    found = review([entry], systems=(gone,))
    assert (
        told(found[SYSTEM, "教务系统"])
        == told(found[LINE, "10.0.0.5"])
        == (PlaceState.RETIRED, PlaceReason.SYSTEM_RETIRED)
    )


def test_system_stands_as_its_lines_do_and_unchecked_without_any() -> None:
    lines = [line(1, "10.0.0.5", system="教务系统"), line(2, "10.9.0.5", system="教务系统")]
    assert told(review(systems=(system(),))[SYSTEM, "教务系统"]) == (PlaceState.UNCHECKED, Reason.NO_PLACE)
    assert told(review(lines, systems=(system(),))[SYSTEM, "教务系统"]) == (PlaceState.UNCHECKED, Reason.NOT_COVERED)
    assert told(review(lines[:1], systems=(system(),))[SYSTEM, "教务系统"]) == (
        PlaceState.UNSEEN,
        Reason.NOTHING_ANSWERED,
    )
    seen = review(lines, [row("10.9.0.5", 80)], systems=(system(),))
    assert told(seen[SYSTEM, "教务系统"]) == (PlaceState.SEEN, Reason.HOST_SEEN)
    off = {"systems": (system(),), "offline": (plan(-1, 1, 1),)}
    assert told(review(lines[:1], **off)[SYSTEM, "教务系统"]) == (PlaceState.OFFLINE, PlaceReason.PLAN_IN_FORCE)
    assert told(review(**off)[SYSTEM, "教务系统"]) == (PlaceState.OFFLINE, PlaceReason.PLAN_IN_FORCE)


def test_host_nobody_answers_for_is_a_zombie_once_it_is_long_unchanged() -> None:
    entry, seen = line(1, "10.0.0.5"), [old(row("10.0.0.5", 80))]
    found = review([entry], seen)[HOST, "10.0.0.5"]
    assert told(found) == (PlaceState.ZOMBIE, PlaceReason.NOBODY_ANSWERS)
    assert found.mark.since == LONG_AGO
    assert found.is_in(PlaceState.SEEN)
    unlisted = review([line(2, "10.0.0.6")], seen)[HOST, "10.0.0.5"]
    assert told(unlisted) == (PlaceState.UNREGISTERED, Reason.NOT_LISTED)
    assert unlisted.is_in(PlaceState.ZOMBIE)


@pytest.mark.parametrize(
    ("entry", "rows", "systems"),
    [
        (line(1, "10.0.0.5", department="教务处"), [old(row("10.0.0.5", 80))], ()),
        (line(1, "10.0.0.5", person=Person("某人")), [old(row("10.0.0.5", 80))], ()),
        (line(1, "10.0.0.5", person=None), [old(row("10.0.0.5", 80))], ()),
        (line(1, "10.0.0.5"), [old(row("10.0.0.5", 80)), row("10.0.0.5", 443)], ()),
        (line(1, "10.0.0.5"), [old(row("10.0.0.5", 80), last_confirmed=LONG_AGO)], ()),
        (line(1, "10.0.0.5", system="教务系统"), [old(row("10.0.0.5", 80))], (system(),)),
        (
            line(1, "10.0.0.5", system="教务系统"),
            [old(row("10.0.0.5", 80))],
            (system(facts=SystemFacts("教务系统"), has_persons=True, confirmed_at=LONG_AGO),),
        ),
        (
            line(1, "10.0.0.5", system="教务系统"),
            [old(row("10.0.0.5", 80))],
            (system(facts=SystemFacts("教务系统"), confirmed_at=NOW - timedelta(days=1)),),
        ),
    ],
)
def test_host_with_an_owner_a_change_or_a_confirmation_is_no_zombie(entry, rows, systems) -> None:
    assert not review([entry], rows, systems=systems)[HOST, "10.0.0.5"].is_in(PlaceState.ZOMBIE)


def test_host_that_shows_a_default_page_only_is_a_zombie_beside_ways_to_manage_it() -> None:
    page = replace(row("10.0.0.5", 80), endpoint=replace(row("10.0.0.5", 80).endpoint, title="Welcome to nginx!"))
    shell = replace(row("10.0.0.5", 22), endpoint=replace(row("10.0.0.5", 22).endpoint, fingerprint=Fingerprint("ssh")))
    entry = line(1, "10.0.0.5", department="教务处", system="教务系统")
    found = review([entry], [page, shell], systems=(system(),))
    assert told(found[HOST, "10.0.0.5"]) == (PlaceState.ZOMBIE, PlaceReason.DEFAULT_PAGE_ONLY)
    assert found[SYSTEM, "教务系统"].is_in(PlaceState.ZOMBIE)
    more = review([entry], [page, shell, row("10.0.0.5", 3306)])
    assert not more[HOST, "10.0.0.5"].is_in(PlaceState.ZOMBIE)
    assert not review([entry], [shell])[HOST, "10.0.0.5"].is_in(PlaceState.ZOMBIE)


def test_system_with_one_host_that_is_no_zombie_is_none() -> None:
    lines = [line(1, "10.0.0.0/24", system="甲")]
    bare = system(facts=SystemFacts("甲"), confirmed_at=LONG_AGO)
    both = [old(row("10.0.0.5", 80)), row("10.0.0.6", 80)]
    assert not review(lines, both, systems=(bare,))[SYSTEM, "甲"].is_in(PlaceState.ZOMBIE)
    assert review(lines, both[:1], systems=(bare,))[SYSTEM, "甲"].is_in(PlaceState.ZOMBIE)


OUTSIDE = line(1, "203.0.113.9 club.other.example")


@pytest.mark.parametrize(
    ("entry", "declared", "expected"),
    [
        (OUTSIDE, {}, True),
        (OUTSIDE, {"domains": ()}, False),
        (OUTSIDE, {"space": ()}, False),
        (OUTSIDE, {"domains": ("other.example",)}, False),
        (OUTSIDE, {"domains": ("notother.example",)}, True),
        (line(1, "198.51.100.9 club.other.example"), {}, False),
        (line(1, "10.77.0.9 club.other.example"), {}, False),
        (line(1, "203.0.113.9 www.school.example"), {}, False),
        (line(1, "club.other.example"), {}, False),
        (line(1, "203.0.113.9 10.0.0.5 club.other.example"), {}, False),
    ],
)
def test_site_is_off_campus_only_where_all_is_known_and_nothing_of_it_is_the_units(entry, declared, expected) -> None:
    (one,) = [place for (kind, _), place in review([entry], **declared).items() if kind is DOMAIN]
    assert one.is_in(PlaceState.OFF_CAMPUS) is expected
    assert (one.mark.reason is PlaceReason.OUTSIDE_ALL) is expected


def test_domain_stands_as_its_line_does_and_unchecked_while_its_address_is_not_known() -> None:
    entry = line(1, "10.0.0.5 jw.school.example")
    named = review([entry], [row("10.0.0.5", 80, "jw.school.example")])
    assert told(named[DOMAIN, "jw.school.example"]) == (PlaceState.SEEN, Reason.HOST_SEEN)
    unnamed = review([entry], [row("10.0.0.5", 80)])
    assert told(unnamed[DOMAIN, "jw.school.example"]) == (PlaceState.UNCHECKED, Reason.NAME_NOT_RESOLVED)
    silent = review([entry])
    assert told(silent[DOMAIN, "jw.school.example"]) == (PlaceState.UNSEEN, Reason.NOTHING_ANSWERED)
    ended = replace(entry, valid_to=NOW - timedelta(days=1))
    stale = review([ended], [row("10.0.0.5", 80, "jw.school.example")])
    assert told(stale[DOMAIN, "jw.school.example"]) == (PlaceState.STALE, Reason.LISTING_EXPIRED)


def test_domain_with_a_line_in_force_is_not_stale_whatever_ended() -> None:
    ended = line(1, "10.0.0.5 jw.school.example", valid_to=NOW - timedelta(days=1))
    moved = line(2, "10.0.0.6 jw.school.example", "443")
    for entries in ([ended, moved], [moved, ended]):
        found = review(entries, [row("10.0.0.5", 80, "jw.school.example")])
        assert told(found[DOMAIN, "jw.school.example"]) == (PlaceState.SEEN, Reason.HOST_SEEN)


def test_domain_nobody_listed_stands_as_the_host_it_was_seen_on() -> None:
    entry = line(1, "10.0.0.5")
    seen = [
        row("10.0.0.5", 80, "a.school.example"),
        row("10.0.0.6", 80, "B.school.example."),
        row("10.0.0.7", 80, "pc7", "x.local"),
    ]
    found = review([entry], seen, [host("10.0.0.6", "c.school.example")])
    assert told(found[DOMAIN, "a.school.example"]) == (PlaceState.SEEN, PlaceReason.HOST_LISTED)
    assert told(found[DOMAIN, "b.school.example"]) == (PlaceState.UNREGISTERED, Reason.NOT_LISTED)
    assert (DOMAIN, "c.school.example") in found
    assert not {(DOMAIN, "pc7"), (DOMAIN, "x.local")} & found.keys()
    nothing = review([], seen)
    assert told(nothing[DOMAIN, "a.school.example"]) == (PlaceState.UNCHECKED, Reason.NO_REGISTER)


def test_time_of_a_review_grows_with_the_sum_of_all_sizes() -> None:
    import time

    entries = [line(n, f"10.{n // 250 % 250}.{n % 250}.5", system=f"系统{n % 500}") for n in range(8_000)]
    systems = tuple(system(n, f"系统{n}") for n in range(500))
    rows = [row(f"10.{n // 250 % 250}.{n % 250}.5", 80, f"h{n}.school.example") for n in range(8_000)]
    start = time.process_time()
    found = review(entries, rows, systems=systems)
    assert len(found) == 500 + 8_000 + 8_000
    assert time.process_time() - start < 10


PLACES = ("10.0.0.5", "10.0.0.6", "10.0.0.0/29", "203.0.113.9", "a.school.example", "b.other.example")
DAYS = st.one_of(st.none(), st.integers(-9, 9).map(lambda days: NOW + timedelta(days=days)))


@given(
    st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(("", "教务系统")), DAYS), max_size=5),
    st.lists(
        st.tuples(st.sampled_from(PLACES[:2]), st.booleans(), st.sampled_from(((), ("b.other.example",)))), max_size=4
    ),
    st.booleans(),
    st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 9)), max_size=2),
    st.sampled_from(SystemState),
)
def test_any_place_has_one_state_and_is_unseen_or_off_campus_only_with_proof(told, seen, covered, plans, state) -> None:
    entries = [line(n, place, system=name, valid_to=end) for n, (place, name, end) in enumerate(told, 1)]
    rows = [old(row(a, 80, *names)) if is_old else row(a, 80, *names) for a, is_old, names in seen]
    offline = tuple(plan(begin, begin + days, 0, "10.0.0.0/29") for begin, days in plans)
    declared = Declared((system(state=state),), offline, ("school.example",), SPACE)
    lines, owners = join_lines(tuple(entries), declared.systems)
    standing = reconcile(lines, rows, (), COVERED if covered else (), NOW)
    found = review_places(standing, rows, (), declared, owners, NOW)
    for one in found:
        states = [mark.state for mark in (one.mark, *one.also)]
        assert states == sorted(set(states), key=lambda each: each.rank)
        assert covered or not one.is_in(PlaceState.UNSEEN)
        assert one.kind is DOMAIN or not one.is_in(PlaceState.OFF_CAMPUS)
        assert not one.is_in(PlaceState.OFFLINE) or any(each.is_on(NOW) for each in offline)
    assert [one.name for one in found if one.kind is HOST] == [str(one.address) for one in standing.hosts]
