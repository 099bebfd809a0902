"""Periods that close on a day, and counters frozen once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sentinel.errors import UsageError
from sentinel.model.facts import Period
from sentinel.model.finding import FindingState
from sentinel.model.rule import Severity
from sentinel.model.snapshot import Count
from sentinel.model.unit import Unit, UnitLevel
from sentinel.schedule.closing import Proof, require_finding, retest_finding, settle_finding
from sentinel.schedule.context import Context
from sentinel.schedule.facts import read_period, read_unit_facts
from sentinel.schedule.freezing import freeze, read_closing_period
from sentinel.schedule.judging import judge_unit
from sentinel.schedule.telling import Telling, add_finding
from sentinel.store.snapshots import read_counts, read_snapshots
from sentinel.store.units import find_unit, write_unit
from tests.homes import NOW, SCHOOL, Clock
from tests.schedule.nmapfile import NmapRun, give, host

DAY = timedelta(days=1)
END = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
"""The first moment of December in Shanghai."""


@pytest.mark.parametrize(
    ("month", "day", "now", "label", "first", "last"),
    [
        ("2026-11", 25, END, "2026-11", (2026, 10, 25), (2026, 11, 25)),
        ("2026-11", None, END, "2026-11", (2026, 10, 31), (2026, 11, 30)),
        ("2026-1", 25, END, "2026-01", (2025, 12, 25), (2026, 1, 25)),
        (None, None, END, "2026-11", (2026, 10, 31), (2026, 11, 30)),
        (None, None, END - timedelta(seconds=1), "2026-10", (2026, 9, 30), (2026, 10, 31)),
        (None, 25, END, "2026-11", (2026, 10, 25), (2026, 11, 25)),
        (None, 25, datetime(2026, 1, 10, tzinfo=UTC), "2025-12", (2025, 11, 25), (2025, 12, 25)),
    ],
)
def test_period_ends_on_its_closing_day_in_shanghai(
    month: str | None,
    day: int | None,
    now: datetime,
    label: str,
    first: tuple[int, int, int],
    last: tuple[int, int, int],
) -> None:
    found = read_closing_period(month, day, now)
    assert found.label == label
    assert found.start == datetime(*first, 16, 0, tzinfo=UTC)
    assert found.end == datetime(*last, 16, 0, tzinfo=UTC) - timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("month", "day", "told"),
    [
        ("2026-13", None, "is no month"),
        ("2026-0", None, "is no month"),
        ("x", None, "is no month"),
        ("2026-11", 29, "closing day"),
        ("2026-11", 0, "closing day"),
        ("2026-12", None, "freeze it afterwards"),
    ],
)
def test_period_that_is_none_or_not_over_is_refused(month: str, day: int | None, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_closing_period(month, day, END)


@pytest.fixture
def tree(context: Context) -> Unit:
    """A city with two schools; one of them has two hosts, findings of every kind and one of a drill."""
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        city = write_unit(transaction, Unit("city", "示例市", UnitLevel.CITY))
        write_unit(transaction, Unit("one", "一中", UnitLevel.SCHOOL, "city"))
        write_unit(transaction, Unit("two", "二中", UnitLevel.SCHOOL, "city"))
    one = find_unit(context.database, "one")
    assert one is not None
    give(context, NmapRun((host(1, p22="ssh"), host(2, p80="nginx", p443="nginx")), ports="22,80,443"), unit=one)
    judge_unit(context, one)
    told = Telling("10.0.0.1:22", "弱口令", Severity.CRITICAL, due=NOW + DAY)
    add_finding(context, one, told)
    add_finding(context, one, replace(told, exercise="演练一"))
    for subject in ("10.0.0.2", "10.0.0.3"):
        found, _ = add_finding(context, one, replace(told, subject=subject, notice="7号", issuer="示例省教育厅"))
        retest_finding(context, found, Proof(), passed=True)
    settle_finding(context, require_finding(context, found.number), Proof())
    return city


def count(context: Context, snapshot: int, unit: str, name: str) -> Count | None:
    (found,) = read_counts(context.database, snapshot, [unit])
    return found.counts.get(name)


def test_counters_when_frozen_are_the_unit_s_own_and_sums_over_those_that_are_known(
    context: Context, tree: Unit
) -> None:
    assert isinstance(context.clock, Clock)
    context.clock.now = END + DAY
    frozen, made = freeze(context, tree, read_closing_period("2026-11", None, context.clock.now))
    assert made
    expected = {
        "units": Count(1, 3, 3),
        "hosts": Count(None, 2, 1),
        "endpoints_open": Count(None, 3, 1),
        "overdue": Count(None, 1, 1),
        "live_critical": Count(None, 1, 1),
        "awaiting_issuer": Count(None, 1, 1),
        "retested": Count(None, 2, 1),
        "settled": Count(None, 1, 1),
    }
    assert {name: count(context, frozen.id, "city", name) for name in expected} == expected
    assert count(context, frozen.id, "one", "hosts") == Count(2, 2, 1)
    assert count(context, frozen.id, "city", "mining_hosts") is None
    assert read_counts(context.database, frozen.id, ["two"]) == ()
    closed = count(context, frozen.id, "one", "closed")
    assert closed == Count(1, 1, 1), "what waits for its issuer is not closed"


def test_counters_stay_as_they_stood_at_the_end_of_the_period(context: Context, tree: Unit) -> None:
    assert isinstance(context.clock, Clock)
    context.clock.now = END + DAY
    (waiting,) = [
        one
        for number in range(1, 20)
        if (one := _find(context, number)) is not None and one.state.value == "awaiting_issuer"
    ]
    settle_finding(context, waiting, Proof())
    frozen, _ = freeze(context, tree, read_closing_period("2026-11", None, context.clock.now))
    assert count(context, frozen.id, "one", "awaiting_issuer") == Count(1, 1, 1)
    assert count(context, frozen.id, "one", "settled") == Count(1, 1, 1)


def _find(context: Context, number: int):  # type: ignore[no-untyped-def]  # whatever the store gives
    from sentinel.store.findings import find_finding

    return find_finding(context.database, str(number))


def test_period_when_frozen_again_does_not_change_and_with_a_reason_is_a_new_version(context: Context) -> None:
    assert isinstance(context.clock, Clock)
    context.clock.now = END + DAY
    period = read_closing_period("2026-11", None, context.clock.now)
    with pytest.raises(UsageError, match="is not frozen yet"):
        freeze(context, SCHOOL, period, "漏算")
    first, made = freeze(context, SCHOOL, period)
    audits = context.database.one("SELECT count(*) FROM audit")
    assert made
    assert freeze(context, SCHOOL, period) == (first, False)
    assert context.database.one("SELECT count(*) FROM audit") == audits
    with pytest.raises(UsageError, match="give the same --until"):
        freeze(context, SCHOOL, Period(period.start, period.end - DAY, period.label))
    second, made = freeze(context, SCHOOL, period, "漏算 13900005678")
    assert (made, second.version) == (True, 2)
    assert "13900005678" not in second.reason
    assert list(read_snapshots(context.database, SCHOOL.code)) == [second, first]


def test_facts_when_a_finding_waits_for_its_issuer_since_an_earlier_period_then_it_is_still_there(
    context: Context, tree: Unit
) -> None:
    assert isinstance(context.clock, Clock)
    context.clock.now = END + 60 * DAY
    one = find_unit(context.database, "one")
    assert one is not None
    facts = read_unit_facts(context, one, read_period(None, context.clock.now))
    assert [found.state for found in facts.findings if found.closed_at is not None] == [FindingState.AWAITING]
    assert tree.level is UnitLevel.CITY
