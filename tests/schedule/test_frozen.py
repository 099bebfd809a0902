"""Upper levels of the map: frozen counters where there are any, else what is there now, and the page says which."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from sentinel.config import data_folder
from sentinel.model.facts import CentreFacts, Period
from sentinel.model.moment import local_text
from sentinel.model.snapshot import Count, Snapshot, UnitCounts
from sentinel.model.unit import Unit, UnitLevel
from sentinel.report.render import render_html
from sentinel.report.view_map import build_map_view
from sentinel.schedule.context import Context
from sentinel.schedule.facts import read_map_facts, read_period
from sentinel.schedule.freezing import freeze
from sentinel.schedule.judging import judge_unit
from sentinel.store.database import Database
from sentinel.store.snapshots import write_snapshot
from sentinel.store.units import find_unit, write_unit
from tests.homes import NOW
from tests.schedule.nmapfile import NmapRun, give, host

DAY = timedelta(days=1)
LAST = Period(NOW - 40 * DAY, NOW - 5 * DAY, "2025-12")


@pytest.fixture
def tree(context: Context) -> Unit:
    """A city, a county and two schools, one of them scanned ten days ago."""
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        city = write_unit(transaction, Unit("city", "示例市", UnitLevel.CITY))
        write_unit(transaction, Unit("county", "示例县", UnitLevel.COUNTY, "city"))
        write_unit(transaction, Unit("one", "一中", UnitLevel.SCHOOL, "county"))
        write_unit(transaction, Unit("two", "二中", UnitLevel.SCHOOL, "city"))
    one = unit_of(context, "one")
    give(context, NmapRun((host(1, p22="ssh"), host(2, p80="nginx")), ports="22,80", finished=NOW - 10 * DAY), unit=one)
    judge_unit(context, one)
    return city


def unit_of(context: Context, code: str) -> Unit:
    found = find_unit(context.database, code)
    assert found is not None
    return found


def read(context: Context, unit: Unit, period: Period | None = None) -> CentreFacts:
    facts = read_map_facts(context, unit, period or read_period(None, NOW))
    assert isinstance(facts, CentreFacts)
    return facts


def test_map_of_a_city_when_nothing_is_frozen_then_it_counts_now_and_says_so(context: Context, tree: Unit) -> None:
    facts = read(context, tree)
    view = build_map_view(facts)
    assert facts.frozen is None
    assert view.tree is not None
    assert (view.tree.total.hosts, view.tree.total.reported.part, view.tree.total.reported.whole) == (2, 1, 2)
    assert view.as_of.zh.startswith(f"数据截至 {local_text(NOW)}，未冻结")
    assert build_map_view(read(context, tree, LAST)).as_of.zh.startswith(f"数据截至 {local_text(LAST.end)}，未冻结")
    assert view.as_of.zh in render_html("map", view, "zh", data_folder("reports"))


def test_map_of_a_city_when_a_period_is_frozen_then_its_numbers_stay_whatever_is_scanned(
    context: Context, tree: Unit
) -> None:
    frozen, _ = freeze(context, tree, LAST)
    give(context, NmapRun((host(7, p22="ssh"),), ports="22,80", finished=NOW - DAY), unit=unit_of(context, "two"))
    facts = read(context, tree)
    view = build_map_view(facts)
    assert facts.frozen == frozen
    assert facts.pack_hash == frozen.pack_hash
    assert view.tree is not None
    total = view.tree.total
    assert (total.hosts, total.ports, total.reported.part, total.reported.whole) == (2, 2, 1, 2)
    assert {row.name for row in view.tree.rows if row.counts.is_known} == {"示例市", "示例县", "一中"}
    assert (view.head.period.label, view.head.period.end) == ("2025-12", LAST.end)
    assert view.as_of.zh.startswith("数据为 2025-12 一期冻结的统计（")
    assert "其后的变化不在内" in render_html("map", view, "zh", data_folder("reports"))


def test_map_of_a_county_is_read_from_what_was_frozen_above_it(context: Context, tree: Unit) -> None:
    frozen, _ = freeze(context, tree, LAST)
    facts = read(context, unit_of(context, "county"))
    assert facts.frozen == frozen
    assert [one.unit.code for one in facts.summaries if one.last_run] == ["one"]


@pytest.mark.parametrize(
    ("period", "found"),
    [
        (LAST, True),
        (Period(LAST.start, LAST.end + DAY / 2, "days"), True),
        (Period(LAST.start, LAST.end + 2 * DAY, "2025-12"), True),
        (Period(LAST.start, LAST.end - 9 * DAY, "days"), False),
        (Period(NOW - 30 * DAY, NOW, "now"), True),
        (Period(NOW - 30 * DAY, NOW - DAY / 86_400, "a second ago"), True),
    ],
)
def test_map_of_a_period_that_is_over_takes_its_own_snapshot_only(
    context: Context, tree: Unit, period: Period, found: bool
) -> None:
    freeze(context, tree, LAST)
    assert (read(context, tree, period).frozen is not None) is found


def test_map_of_now_takes_no_snapshot_of_long_ago(context: Context, tree: Unit) -> None:
    freeze(context, tree, Period(NOW - 100 * DAY, NOW - 70 * DAY, "2025-10"))
    assert read(context, tree).frozen is None


def test_province_is_read_in_the_same_few_questions_however_many_units_it_has(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    real = Database.query

    def query(self: Database, statement: str, *values: object) -> Iterator[object]:
        asked.append(statement)
        return real(self, statement, *values)  # type: ignore[arg-type]  # passed on as it came

    counts = []
    for schools in (3, 60):
        top = _province(context, f"p{schools}", schools)
        monkeypatch.setattr(Database, "query", query)
        asked.clear()
        facts = read(context, top)
        monkeypatch.undo()
        counts.append(len(asked))
        assert facts.frozen is not None
        assert len(facts.summaries) == schools
    assert counts[0] == counts[1]


def _province(context: Context, code: str, schools: int) -> Unit:
    draft = Snapshot(0, code, "2025-12", LAST.start, LAST.end, 0, "pack", NOW, "")
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        top = write_unit(transaction, Unit(code, "示例省", UnitLevel.PROVINCE))
        codes = [f"{code}s{number}" for number in range(schools)]
        for school in codes:
            write_unit(transaction, Unit(school, school, UnitLevel.SCHOOL, code))
        write_snapshot(transaction, draft, [UnitCounts(one, {"hosts": Count(3, 3, 1)}) for one in codes])
    return top
