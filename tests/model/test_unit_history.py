from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.model.unit import Unit, UnitLevel
from sentinel.model.unit_history import Timeline, UnitState, change_timeline, state_at

START = datetime(2026, 1, 1, tzinfo=UTC)
FIRST: Timeline = (UnitState("甲", parent="a"),)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def test_change_when_entered_starts_a_span_and_ends_the_one_before() -> None:
    old, new = change_timeline(FIRST, day(5), {"name": "乙"}, "文件", "tester")
    assert (old.name, old.since, old.until) == ("甲", None, day(5))
    assert (new.name, new.since, new.until, new.why, new.by) == ("乙", day(5), None, "文件", "tester")


def test_change_that_arrives_late_changes_the_past_and_not_the_present() -> None:
    timeline = change_timeline(FIRST, day(9), {"name": "丙"}, "", "")
    late = change_timeline(timeline, day(5), {"name": "乙"}, "", "")
    assert [(one.name, one.since) for one in late] == [("甲", None), ("乙", day(5)), ("丙", day(9))]


def test_change_of_another_field_that_arrives_late_reaches_the_present() -> None:
    timeline = change_timeline(FIRST, day(9), {"name": "乙"}, "", "")
    late = change_timeline(timeline, day(5), {"parent": "b"}, "", "")
    assert [(one.name, one.parent) for one in late] == [("甲", "a"), ("甲", "b"), ("乙", "b")]


def test_change_at_the_moment_of_another_adds_no_span_and_one_that_says_nothing_new_none_either() -> None:
    timeline = change_timeline(FIRST, day(5), {"name": "乙"}, "", "")
    both = change_timeline(timeline, day(5), {"parent": "b"}, "", "")
    assert [(one.name, one.parent, one.since) for one in both] == [("甲", "a", None), ("乙", "b", day(5))]
    assert change_timeline(both, day(7), {"name": "乙"}, "again", "") == both


def test_change_of_what_is_not_dated_is_refused() -> None:
    with pytest.raises(ValueError, match="not dated"):
        change_timeline(FIRST, day(1), {"code": "x"}, "", "")


changes = st.lists(
    st.tuples(st.integers(1, 30), st.sampled_from(["name", "parent"]), st.sampled_from("abcdefgh")),
    max_size=8,
    unique_by=(lambda one: (one[0], one[1]), lambda one: (one[1], one[2])),
)


@given(changes, st.randoms(use_true_random=False))
def test_changes_in_any_order_give_what_replaying_them_in_time_order_gives(
    told: list[tuple[int, str, str]], random: object
) -> None:
    shuffled = list(told)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a Random
    timeline: Timeline = (UnitState("甲", parent="z"),)
    for at, field, value in shuffled:
        timeline = change_timeline(timeline, day(at), {field: value}, "", "")
    for moment in (day(0), *(day(one + 0.5) for one in range(31))):
        slow = {"name": "甲", "parent": "z"}
        for at, field, value in sorted(told):
            if day(at) <= moment:
                slow[field] = value
        then = state_at(timeline, moment)
        assert {"name": then.name, "parent": then.parent} == slow
    assert timeline[0].since is None
    assert timeline[-1].until is None
    assert all(one.until == two.since for one, two in pairwise(timeline))


def test_state_of_a_unit_is_what_is_dated_of_it() -> None:
    unit = Unit("c", "名", UnitLevel.COUNTY, parent="p", since=day(3))
    assert UnitState.of(unit, "why", "who") == UnitState("名", UnitLevel.COUNTY, "p", since=day(3), why="why", by="who")
