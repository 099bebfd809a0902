"""Scores from frozen counters: the same for all, ranked honestly."""

from __future__ import annotations

from datetime import timedelta

from sentinel.model.facts import Period
from sentinel.model.score import Score
from sentinel.model.snapshot import Count, Snapshot, UnitCounts
from sentinel.model.unit import Unit, UnitLevel
from sentinel.model.unit_kind import UnitKind
from sentinel.schedule.context import Context
from sentinel.schedule.freezing import count_units
from sentinel.schedule.scoring import count_score, rank_units, read_tables, score_counts
from sentinel.store.snapshots import write_snapshot
from sentinel.store.units import write_unit
from tests.homes import NOW, SCHOOL

GOOD = {"addresses_planned": 100, "addresses_covered": 100}


def score(context: Context, unit: Unit, counts: dict[str, int | None]) -> Score:
    found = score_counts(read_tables(context), unit, counts, NOW)
    assert found is not None
    return found


def test_score_when_the_unit_is_a_university_is_by_its_own_table(context: Context) -> None:
    university = Unit("u", "示例大学", kind=UnitKind.UNIVERSITY, path="u")
    assert score(context, university, GOOD).table.id == "university-2026"
    assert score(context, SCHOOL, GOOD).table.id == "school-2026"


def test_score_when_not_rated_is_no_counter(context: Context) -> None:
    assert count_score(score(context, SCHOOL, {})) == {}
    assert count_score(None) == {}
    found = count_score(score(context, SCHOOL, GOOD))
    assert 0 <= found["score_low"] < found["score_high"] == 1000


def test_counters_of_a_unit_hold_its_score_only_when_it_was_looked_at(context: Context) -> None:
    period = Period(NOW - timedelta(days=30), NOW, "x")
    assert all("score_low" not in counts for _, counts in count_units(context, (SCHOOL,), period))


def test_ranking_is_by_points_then_overdue_and_equals_share_a_place(context: Context) -> None:
    top = Unit("top", "示例县", UnitLevel.COUNTY, path="top")
    schools = [Unit(code, f"学校 {code}", parent="top", path=f"top/{code}") for code in "abcde"]
    frozen = {"a": (900, 950, 3), "b": (950, 950, 9), "c": (900, 1000, 1), "d": (900, 900, 1), "e": (None, None, 0)}
    counts = [
        UnitCounts(
            code,
            {
                name: Count(value, value, 1)
                for name, value in zip(("score_low", "score_high", "overdue"), values, strict=True)
                if value is not None
            },
        )
        for code, values in frozen.items()
    ]
    draft = Snapshot(0, "top", "2026-10", NOW - timedelta(days=60), NOW - timedelta(days=30), 0, "p", NOW, "tester")
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        for unit in (top, *schools):
            write_unit(transaction, unit)
        stored = write_snapshot(transaction, draft, counts)
    ranked = list(rank_units(context, top, (top, *schools), stored))
    assert [(row.place, row.unit.code, row.low) for row in ranked] == [
        (1, "b", 95), (2, "c", 90), (2, "d", 90), (4, "a", 90), (None, "e", None),
    ]  # fmt: skip
