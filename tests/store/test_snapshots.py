"""Frozen counters: versions that stay, ranks, and findings as they stood at a moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sentinel.model.finding import FindingSource, FindingState
from sentinel.model.rule import Severity
from sentinel.model.snapshot import Count, Snapshot, UnitCounts
from sentinel.model.unit import Unit, UnitLevel
from sentinel.store.database import Database
from sentinel.store.findings import write_findings
from sentinel.store.snapshots import (
    count_turns,
    find_covering,
    find_snapshot,
    read_counts,
    read_known_units,
    read_own_counts,
    read_ranking,
    read_snapshots,
    read_states_at,
    write_snapshot,
)
from sentinel.store.units import read_networks_below, write_unit
from tests.homes import NOW
from tests.store.test_findings import finding, store

DAY = timedelta(days=1)
DRAFT = Snapshot(0, "p", "2026-11", NOW - 30 * DAY, NOW, 0, "pack", NOW, "", "")
COUNTS = (
    UnitCounts("p", {"live": Count(None, 12, 3), "units": Count(1, 5, 5)}),
    UnitCounts("a", {"live": Count(7, 7, 1)}),
    UnitCounts("b", {"live": Count(0, 0, 1)}),
    UnitCounts("c", {"live": Count(2, 5, 2)}),
    UnitCounts("d", {"live": Count(3, 3, 1)}),
)


def freeze(database: Database, draft: Snapshot = DRAFT, counts: tuple[UnitCounts, ...] = COUNTS) -> Snapshot:
    with database.transaction("tester", NOW) as transaction:
        return write_snapshot(transaction, draft, counts)


def test_snapshot_when_frozen_again_is_a_new_version_and_the_old_one_stays(database: Database) -> None:
    first = freeze(database)
    second = freeze(database, replace(DRAFT, reason="漏算"), COUNTS[:1])
    other = freeze(database, replace(DRAFT, label="2026-12", end=NOW + 30 * DAY))
    assert (first.version, second.version, other.version) == (1, 2, 1)
    assert first.actor == "tester"
    assert find_snapshot(database, "p", "2026-11") == second
    assert find_snapshot(database, "p", "2026-11", 1) == first
    assert find_snapshot(database, "q", "2026-11") is None
    assert list(read_snapshots(database, "p")) == [other, second, first]
    assert len(read_counts(database, first.id, ["a"])) == 1
    assert read_counts(database, second.id, ["a"]) == ()


def test_counts_when_read_come_in_the_order_asked_with_unknown_as_unknown(database: Database) -> None:
    frozen = freeze(database)
    assert read_counts(database, frozen.id, ["c", "x", "p"]) == (COUNTS[3], COUNTS[0])
    many = [f"x{number}" for number in range(1200)]
    assert read_counts(database, frozen.id, [*many, "a"]) == (COUNTS[1],)


def test_ranking_is_by_what_a_unit_has_of_its_own(database: Database) -> None:
    frozen = freeze(database)
    ranked = [(unit, count.own) for unit, count in read_ranking(database, frozen.id, "live", 10)]
    assert ranked == [("a", 7), ("d", 3), ("c", 2)]
    assert [unit for unit, _ in read_ranking(database, frozen.id, "live", 2)] == ["a", "d"]
    assert read_ranking(database, frozen.id, "overdue", 5) == ()


def test_findings_stood_then_as_their_events_say(database: Database) -> None:
    one, _, _ = store(
        database,
        finding("a", due=NOW),
        finding("b", exercise="演练一"),
        finding("c", severity=Severity.LOW),
        at=NOW - 9 * DAY,
    )
    with database.transaction("tester", NOW - 2 * DAY) as transaction:
        write_findings(transaction, [(replace(one, state=FindingState.VERIFIED), "open", "gone")])
        transaction.audit("unit.check", "x")
    early = {(one.severity, one.state, one.due) for one in read_states_at(database, "school", NOW - 3 * DAY)}
    assert early == {(Severity.HIGH, FindingState.OPEN, NOW), (Severity.LOW, FindingState.OPEN, None)}
    now = {(one.severity, one.state, one.due) for one in read_states_at(database, "school", NOW)}
    assert now == {(Severity.HIGH, FindingState.VERIFIED, NOW), (Severity.LOW, FindingState.OPEN, None)}
    assert {(one.source, bool(one.rule)) for one in read_states_at(database, "school", NOW)} == {
        (FindingSource.OWN_SCAN, True)
    }
    assert list(read_states_at(database, "school", NOW - 10 * DAY)) == []


def test_turns_are_counted_in_their_period_by_finding_and_without_drills(database: Database) -> None:
    stored = store(database, finding("a"), finding("b", exercise="演练一"), finding("c"), at=NOW - 9 * DAY)
    with database.transaction("tester", NOW) as transaction:
        gone = [(replace(one, state=FindingState.VERIFIED), "open", "gone") for one in stored]
        write_findings(transaction, [*gone, (stored[2], "open", "told again")])
        transaction.audit("unit.check", "x")
    assert count_turns(database, "school", NOW - 9 * DAY, NOW) == {("", "open"): 2, ("open", "verified"): 2}
    assert count_turns(database, "school", NOW - DAY, NOW) == {("open", "verified"): 2}
    assert count_turns(database, "other", NOW - DAY, NOW) == {}


def test_units_of_which_nothing_arrived_are_not_known(database: Database) -> None:
    assert read_known_units(database) == frozenset()
    store(database, finding())
    assert read_known_units(database) == {"school"}


def test_newest_snapshot_of_a_unit_or_one_above_is_found_and_the_nearest_goes_first(database: Database) -> None:
    old = freeze(database)
    above = freeze(database, replace(DRAFT, unit="top", end=NOW + DAY))
    way = ("p", "top")
    span = (NOW - 9 * DAY, NOW + 9 * DAY)
    assert find_covering(database, way, *span) == above
    again = freeze(database, replace(DRAFT, unit="top", end=NOW + DAY, reason="漏算"))
    assert find_covering(database, way, *span) == again
    own = freeze(database, replace(DRAFT, label="x", end=NOW + DAY))
    assert find_covering(database, way, *span) == own
    assert find_covering(database, way, NOW - DAY, NOW) == old
    assert find_covering(database, ("q",), *span) is None
    assert find_covering(database, way, NOW + 2 * DAY, NOW + 9 * DAY) is None


def test_own_counters_of_a_subtree_are_read_at_once_and_unknown_ones_are_no_zero(database: Database) -> None:
    with database.transaction("tester", NOW, objects=True) as transaction:
        top = write_unit(transaction, Unit("p", "省", UnitLevel.PROVINCE))
        city = write_unit(transaction, Unit("a", "市", UnitLevel.CITY, "p"))
        for code in "bc":
            write_unit(transaction, Unit(code, code, UnitLevel.SCHOOL, "a"))
        write_unit(transaction, Unit("d", "d", UnitLevel.SCHOOL, "p"))
    frozen = freeze(database)
    assert read_own_counts(database, frozen.id, top, ("live", "units")) == {
        "p": {"live": None, "units": 1},
        "a": {"live": 7, "units": None},
        "b": {"live": 0, "units": None},
        "c": {"live": 2, "units": None},
        "d": {"live": 3, "units": None},
    }
    assert set(read_own_counts(database, frozen.id, city, ("live",))) == {"a", "b", "c"}
    assert set(read_networks_below(database, city)) == {"a", "b", "c"}
