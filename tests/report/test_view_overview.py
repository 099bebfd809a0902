from __future__ import annotations

from dataclasses import replace

import pytest

from sentinel.model.facts import UnitSummary
from sentinel.model.unit import Unit, UnitLevel
from sentinel.report.view_overview import TREE_LINES, build_overview
from tests.report.facts_factory import NOW, make_centre

CENTRE = make_centre(24)
ROOT = Unit("41", "省", UnitLevel.PROVINCE)


def summary(code: str, **changes: object) -> UnitSummary:
    unit = Unit(code, f"学校{code}", UnitLevel.SCHOOL, "41")
    base = UnitSummary(unit, 5, 9, {}, 0, 0, 0, 0, 100, 100, NOW, 1, 20, 135, 0)
    return replace(base, **changes)  # type: ignore[arg-type]


def view(*summaries: UnitSummary):
    units = (ROOT, *(found.unit for found in summaries))
    return build_overview(replace(CENTRE, centre=ROOT, units=units, summaries=summaries))


@pytest.mark.parametrize(
    ("changes", "tone", "words"),
    [
        ({"mining_hosts": 2}, "critical", "挖矿行为 2 台"),
        ({"overdue": 3, "live": {"medium": 3}}, "medium", "逾期 3 个"),
        ({"overdue": 1}, "low", "逾期 1 个"),
        ({"live": {"high": 4, "low": 9}}, "high", "高危 4 个"),
        ({"suspect_hosts": 1}, "medium", "疑似挖矿 1 台"),
        ({"covered": 50}, "unknown", "核查不完整"),
        ({"planned": 0, "covered": 0}, "unknown", "核查不完整"),
        ({"mining_hosts": None}, "unknown", "核查不完整"),
        ({"unjudged": 2}, "unknown", "没有评判过"),
        ({"unjudged": 2, "live": {"high": 1}}, "high", "高危 1 个"),
        ({}, "ok", "核查完整"),
    ],
)
def test_build_overview_when_a_unit_stands_so_then_its_reason_is_named(changes, tone: str, words: str) -> None:
    (line,) = view(summary("1", **changes)).ranking
    assert line.tone == tone
    assert words in line.reason.zh


def test_build_overview_when_no_rule_was_applied_then_no_count_of_findings_is_a_zero() -> None:
    found = view(summary("1", unjudged=2), summary("2"))
    assert [figure.value for figure in found.figures[2:4]] == [None, None]
    assert sorted(bar.unknown for bar in found.findings.bars) == [False, True]
    assert [figure.value for figure in view(summary("1"), summary("2")).figures[2:4]] == [0, 0]
    assert view(summary("1", unjudged=2, live={"high": 1}), summary("2")).figures[2].value == 1


def test_build_overview_when_units_are_ranked_then_mining_comes_before_overdue_before_severity() -> None:
    found = view(
        summary("1", live={"critical": 9}),
        summary("2", overdue=1),
        summary("3", mining_hosts=1),
        summary("4", covered=10),
        summary("5"),
    )
    assert [line.code for line in found.ranking] == ["3", "2", "1", "4", "5"]


def test_build_overview_when_units_never_reported_then_they_are_listed_and_enter_no_sum() -> None:
    found = build_overview(CENTRE)
    assert len(found.silent) == 3
    assert {line.tone for line in found.silent} == {"unknown"}
    assert len(found.ranking) + len(found.silent) == 24
    assert found.figures[0].value == 21
    assert found.tree[0].reported.missing == 3
    assert any("从未上报" in sentence.zh for sentence in found.unknowns)


def test_build_overview_when_nobody_reported_then_no_sum_is_a_zero() -> None:
    found = view(summary("1", last_run=None), summary("2", last_run=None))
    assert found.figures[0].value == 0
    assert [figure.value for figure in found.figures[1:5]] == [None] * 4
    assert all(bar.unknown for bar in found.findings.bars)


def test_build_overview_when_there_is_no_unit_then_it_says_so() -> None:
    found = view()
    assert found.figures[0].value is None
    assert "没有任何应报单位" in found.unknowns[0].zh
    assert [line.depth for line in found.tree] == [0]


def test_build_overview_when_summed_then_each_level_equals_the_level_below() -> None:
    tree = build_overview(CENTRE).tree
    for depth in (1, 2, 3):
        assert sum(line.hosts for line in tree if line.depth == depth) == tree[0].hosts
        assert sum(line.coverage.whole for line in tree if line.depth == depth) == tree[0].coverage.whole


@pytest.mark.parametrize(("schools", "deepest"), [(24, 3), (300, 2), (2000, 1)])
def test_build_overview_when_units_are_many_then_the_tree_is_folded_from_below(schools: int, deepest: int) -> None:
    found = build_overview(make_centre(schools))
    assert max(line.depth for line in found.tree) == deepest
    assert len(found.tree) <= TREE_LINES
    assert len(found.tree) + found.folded == len(make_centre(schools).units)


def test_build_overview_when_parents_form_a_ring_then_it_still_ends() -> None:
    left = Unit("a", "甲", UnitLevel.CITY, "b")
    right = Unit("b", "乙", UnitLevel.COUNTY, "a")
    school = replace(summary("1"), unit=Unit("1", "校", UnitLevel.SCHOOL, "b"))
    facts = replace(CENTRE, units=(left, right, school.unit), summaries=(school,))
    assert build_overview(facts).tree[0].hosts == 5


def test_build_overview_when_no_traffic_was_looked_at_then_mining_is_unknown() -> None:
    found = view(summary("1", mining_hosts=None))
    assert found.figures[4].value is None
    assert found.tree[0].mining is None
    assert found.steps[-1].action.zh == "安排流量采集"
