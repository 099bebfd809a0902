from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.errors import UsageError
from sentinel.model.moment import SHANGHAI
from sentinel.model.plan import Plan
from sentinel.schedule.plan import DAYS, check_plan, last_due, missed_cycles

DAILY = Plan("school", "02:30")
SUNDAY = datetime(2026, 11, 22, 12, 0, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    "at", ["", "2:30", "24:00", "02:60", "0230", "02:30:00", "02:30\n", " 02:30", "02：30", "0２:30", "noon"]
)
def test_plan_with_a_time_that_is_none_is_refused(at: str) -> None:
    with pytest.raises(UsageError, match="--at: no time of day"):
        check_plan(replace(DAILY, at=at))


@pytest.mark.parametrize("days", ["", "monday", "mon,,tue", "mon;tue", "daily,mon", "MON"])
def test_plan_with_days_that_are_none_is_refused(days: str) -> None:
    with pytest.raises(UsageError, match="--days: no such days"):
        check_plan(replace(DAILY, days=days))


def test_plan_with_ports_that_are_none_is_refused() -> None:
    with pytest.raises(UsageError, match="--ports: "):
        check_plan(replace(DAILY, ports="http"))


def test_plan_that_can_be_read_gets_its_days_in_order() -> None:
    plan = check_plan(replace(DAILY, days="sun, mon,sun,thu", ports="22,U:53"))
    assert plan.days == "mon,thu,sun"
    assert check_plan(DAILY) == DAILY


@pytest.mark.parametrize(
    ("days", "now", "due"),
    [
        ("daily", "2026-11-22T02:30", "2026-11-22T02:30"),
        ("daily", "2026-11-22T02:29", "2026-11-21T02:30"),
        ("daily", "2026-11-22T23:59", "2026-11-22T02:30"),
        ("sun", "2026-11-22T02:30", "2026-11-22T02:30"),
        ("sun", "2026-11-22T02:29", "2026-11-15T02:30"),
        ("mon,thu", "2026-11-22T12:00", "2026-11-19T02:30"),
    ],
)
def test_last_due_is_the_newest_moment_at_or_before_now_in_shanghai(days: str, now: str, due: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=SHANGHAI)
    expected = datetime.fromisoformat(due).replace(tzinfo=SHANGHAI)
    assert last_due(replace(DAILY, days=days), moment) == expected
    assert last_due(replace(DAILY, days=days), moment.astimezone(UTC)) == expected


def test_last_due_before_the_plan_was_made_is_none() -> None:
    made = replace(DAILY, created=SUNDAY)
    assert last_due(made, SUNDAY + timedelta(hours=1)) is None
    assert last_due(made, SUNDAY + timedelta(days=1)) == datetime(2026, 11, 23, 2, 30, tzinfo=SHANGHAI)
    at_once = replace(DAILY, created=datetime(2026, 11, 22, 2, 30, tzinfo=SHANGHAI))
    assert last_due(at_once, SUNDAY) == at_once.created


@given(
    st.sets(st.sampled_from(DAYS), min_size=1),
    st.integers(0, 1439),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda one: one.replace(tzinfo=UTC)),  # noqa: DTZ001
)
def test_last_due_always_is_on_a_day_of_the_plan_and_at_most_a_week_ago(
    days: set[str], minute: int, now: datetime
) -> None:
    plan = replace(DAILY, days=",".join(days), at=f"{minute // 60:02d}:{minute % 60:02d}")
    due = last_due(plan, now)
    assert due is not None
    assert timedelta() <= now - due < timedelta(days=7)
    assert DAYS[due.weekday()] in days
    assert due.strftime("%H:%M") == plan.at
    later = [due + timedelta(days=step) for step in range(1, 8)]
    assert all(one > now for one in later if DAYS[one.weekday()] in days)


def test_missed_cycles_are_caught_up_once_however_many_were_missed() -> None:
    due = datetime(2026, 11, 22, 2, 30, tzinfo=SHANGHAI)
    never = DAILY
    long_ago = replace(DAILY, unit="b", last_due=due - timedelta(days=30))
    done = replace(DAILY, unit="c", last_due=due)
    off = replace(DAILY, unit="d", enabled=False)
    young = replace(DAILY, unit="e", created=SUNDAY)
    earlier = replace(DAILY, unit="f", at="01:00")
    missed = missed_cycles([never, long_ago, done, off, young, earlier], SUNDAY)
    assert [(plan.unit, moment) for plan, moment in missed] == [
        ("f", due.replace(hour=1, minute=0)),
        ("b", due),
        ("school", due),
    ]
