from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sentinel.model.standing import Reconciliation, Standing
from sentinel.model.upkeep import Mark, PlaceKind, PlaceReason, PlaceStanding, PlaceState
from sentinel.report.view_brief import build_brief
from tests.report.facts_factory import make_empty_facts, make_facts


def values(facts) -> list[object]:
    return [figure.value for figure in build_brief(facts).figures]


def test_build_brief_when_nothing_is_known_then_no_figure_is_a_zero() -> None:
    view = build_brief(make_empty_facts())
    assert values(make_empty_facts()) == [None] * 6
    assert [view.looked, view.registered, view.looked_outside, view.sent] == [False] * 4
    assert all(bar.unknown for chart in (view.lines, view.hosts) for bar in chart.bars)


@pytest.mark.parametrize("size", [12, 200, 3000])
def test_build_brief_when_built_then_figures_agree_with_the_standing(size: int) -> None:
    facts = make_facts(size, outside=True)
    told = facts.standing
    registered, seen, unknown, unchecked, exposed, _ = values(facts)
    assert (registered, seen) == (len(told.lines), len(told.hosts))
    assert (unknown, unchecked) == (told.count_hosts(Standing.UNREGISTERED), told.count_lines(Standing.UNCHECKED))
    assert exposed == sum(row.endpoint.key.vantage == "outside" for row in facts.rows)


@pytest.mark.parametrize("size", [12, 200, 3000])
def test_build_brief_when_pictures_are_drawn_then_tables_and_bars_sum_up_to_the_same(size: int) -> None:
    view = build_brief(make_facts(size))
    assert sum(bar.total for bar in view.lines.bars) == sum(line.lines for line in view.departments)
    assert sum(bar.total for bar in view.hosts.bars) == sum(line.hosts for line in view.networks)
    for line in view.departments:
        assert line.lines == line.seen + line.expired + line.unseen + line.unchecked
    for network in view.networks:
        assert network.hosts == network.registered + network.unregistered + network.unchecked


def test_build_brief_when_there_is_no_register_then_hosts_are_counted_and_not_compared() -> None:
    facts = make_facts(12)
    hosts = tuple(replace(host, standing=Standing.UNCHECKED, entry=None) for host in facts.standing.hosts)
    view = build_brief(replace(facts, standing=Reconciliation((), hosts), owners={}))
    assert [figure.value for figure in view.figures[:4]] == [None, len(hosts), None, None]
    assert not view.unknown
    assert any("没有导入资产台账" in sentence.zh for sentence in view.unknowns)


def test_build_brief_when_only_files_were_imported_then_nothing_was_sent() -> None:
    facts = make_facts(12)
    assert build_brief(facts).sent
    imports = tuple(replace(run, kind="import") for run in facts.runs)
    assert not build_brief(replace(facts, sources=imports)).sent


def test_build_brief_when_nobody_looked_outside_then_the_exposure_is_unknown() -> None:
    view = build_brief(make_facts(12))
    assert (view.looked_outside, view.figures[4].value) == (False, None)
    assert any("互联网暴露面未核查" in sentence.zh for sentence in view.unknowns)
    run = replace(make_facts(12).runs[0], vantage="outside")
    looked = build_brief(replace(make_facts(12), sources=(run,)))
    assert (looked.looked_outside, looked.figures[4].value, looked.exposed) == (True, 0, ())


def test_build_brief_when_hosts_are_exposed_then_the_worst_stands_first_with_its_owner() -> None:
    exposed = build_brief(make_facts(200, outside=True)).exposed
    ranks = [line.worst.rank if line.worst else 9 for line in exposed]
    assert ranks == sorted(ranks)
    assert {"教务处", "图书馆"} & {line.owner for line in exposed}


def test_build_brief_when_runs_are_alike_then_they_are_folded() -> None:
    facts = make_facts(12)
    runs = tuple(replace(facts.runs[0], id=number) for number in range(9))
    (source,) = build_brief(replace(facts, sources=runs)).sources
    assert (source.runs, source.newest) == (9, facts.runs[0].time)


def test_build_brief_when_the_newest_input_is_older_than_the_period_then_it_is_listed_and_said() -> None:
    facts = make_facts(12)
    old = replace(facts.runs[0], time=facts.period.start - timedelta(days=40))
    view = build_brief(replace(facts, runs=(), sources=(old,)))
    assert [source.newest for source in view.sources] == [old.time]
    assert "最近的输入是 2026-09-16 的结果" in view.unknowns[0].zh


def test_build_brief_when_no_rule_was_applied_then_no_count_of_findings_is_a_zero() -> None:
    facts = replace(make_facts(12, outside=True), findings=(), unjudged=2)
    view = build_brief(facts)
    urgent, exposed = view.figures[-1], view.figures[-2]
    assert (urgent.value, urgent.tone, view.judged) == (None, "", False)
    assert "2" in urgent.note.zh
    assert "没有评判" in urgent.note.zh
    assert exposed.value
    assert "未核查" in exposed.note.zh
    assert any(step.action.zh == "评判已有的结果：sentinel check" for step in view.steps)
    assert any("没有评判过" in sentence.zh for sentence in view.unknowns)
    assert build_brief(replace(facts, unjudged=0)).figures[-1].value == 0


def test_build_brief_when_findings_of_others_are_known_then_they_are_counted_and_the_rest_is_told() -> None:
    facts = replace(make_facts(12), unjudged=2)
    judged = build_brief(replace(facts, unjudged=0)).figures[-1]
    figure = build_brief(facts).figures[-1]
    assert figure.value == judged.value
    assert figure.value
    assert "没有评判" in figure.note.zh
    assert "没有评判" not in judged.note.zh


def test_build_brief_when_a_line_is_off_by_plan_then_it_is_not_told_as_unseen() -> None:
    facts = make_facts(200)
    line = next(one for one in facts.standing.lines if one.standing is Standing.UNSEEN)
    mark = Mark(PlaceState.OFFLINE, PlaceReason.PLAN_IN_FORCE, facts.generated_at)
    place = PlaceStanding(PlaceKind.LINE, "x", mark, id=line.entry.id)
    before, after = build_brief(facts), build_brief(replace(facts, places=(place,)))
    assert len(after.unseen) == len(before.unseen) - 1
    assert f"登记未发现 {facts.standing.count_lines(Standing.UNSEEN) - 1}" in after.figures[0].note.zh
    assert after.figures[0].note.zh.endswith("，计划停用 1")
    assert "计划停用" not in before.figures[0].note.zh
