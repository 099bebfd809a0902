from __future__ import annotations

from dataclasses import replace

import pytest

from sentinel.config import data_folder
from sentinel.model.facts import NetworkCoverage
from sentinel.model.finding import FindingState
from sentinel.report.render import render_html
from sentinel.report.view_school import build_school
from sentinel.report.view_scope import build_ending, gap_step
from tests.report.facts_factory import make_empty_facts, make_facts


def test_build_school_when_never_scanned_then_no_figure_is_a_zero() -> None:
    view = build_school(make_empty_facts())
    assert not view.looked
    assert [figure.value for figure in view.figures[:5]] == [None] * 5
    assert view.mining_hosts is None
    assert [step.tone for step in view.steps] == ["unknown"]


def test_build_school_when_only_a_finding_says_never_scanned_then_the_map_stays_unknown() -> None:
    finding = replace(make_facts(12).findings[0], state=FindingState.OPEN)
    view = build_school(make_empty_facts(findings=(finding,)))
    assert not view.looked
    assert [figure.value for figure in view.figures[:4]] == [None] * 4
    assert sum(bar.total for bar in view.severity.bars) == len(view.groups) == 1


def test_build_school_when_no_range_is_declared_then_coverage_is_unknown() -> None:
    facts = make_empty_facts(coverage=())
    assert build_school(facts).figures[5].value is None
    assert "没有申报地址范围" in build_ending(facts).unknowns[1].zh


@pytest.mark.parametrize("size", [12, 200, 3000])
def test_build_school_when_built_then_figures_agree_with_the_facts(size: int) -> None:
    facts = make_facts(size)
    view = build_school(facts)
    hosts = {(row.network, row.endpoint.key.address) for row in facts.rows}
    assert view.figures[0].value == len(hosts)
    assert view.figures[1].value == len(facts.rows)
    assert len(view.findings) == sum(finding.state.is_live for finding in facts.findings)
    assert sum(line.count for line in view.changes) == len(facts.changes)
    assert len(view.steps) <= 5


def test_build_school_when_a_gap_is_left_then_it_is_the_last_step() -> None:
    view = build_school(make_facts(200))
    assert len(view.steps) == 5
    assert view.steps[-1].tone == "unknown"


def test_build_school_when_there_are_no_changes_then_the_note_says_so() -> None:
    view = build_school(replace(make_facts(12), changes=()))
    assert view.figures[1].note.zh == "本期无变化记录"
    assert view.changes == ()


def test_build_school_when_whitelist_rules_fired_then_they_are_named() -> None:
    assert [group.rule for group in build_school(make_facts(200)).whitelist] == ["whitelist-port-unlisted"]


def test_build_school_when_a_closing_is_older_than_the_period_then_it_is_not_counted() -> None:
    facts = make_facts(200)
    old = replace(facts, period=replace(facts.period, start=facts.generated_at))
    assert build_school(facts).closed > 0
    assert build_school(old).closed == 0


def covered(*lines: NetworkCoverage, **changes: object):
    return replace(make_facts(12), coverage=lines, **changes)


FULL = NetworkCoverage("server-lan", 64, 64)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (covered(), "未申报地址范围"),
        (covered(replace(FULL, covered=10)), "54 个申报地址未核查"),
        (covered(FULL, captures_analysed=0), "没有分析流量"),
        (covered(FULL, whitelist_entries=0), "没有白名单"),
    ],
)
def test_gap_step_when_something_is_not_known_then_the_greatest_gap_is_named(facts, words: str) -> None:
    step = gap_step(facts)
    assert step is not None
    assert words in step.cause.zh


def test_gap_step_when_all_is_known_then_there_is_none() -> None:
    assert gap_step(covered(FULL)) is None


def test_build_ending_when_networks_are_not_scannable_then_it_says_logs_only() -> None:
    ending = build_ending(make_facts(200))
    dormitory = next(line for line in ending.networks if line.name == "dormitory")
    assert not dormitory.scannable
    assert any("只允许看日志" in sentence.zh for sentence in ending.unknowns)


def test_build_ending_when_coverage_names_an_unknown_network_then_it_is_listed() -> None:
    ending = build_ending(covered(NetworkCoverage("gone", 8, 9)))
    line = next(line for line in ending.networks if line.name == "gone")
    assert (line.zone.zh, line.covered.part, line.covered.percent) == ("区域未填", 8, 100.0)


def test_build_ending_when_all_is_known_then_the_limits_of_scanning_remain() -> None:
    facts = make_facts(12)
    rows = tuple(row for row in facts.rows if row.endpoint.fingerprint.service and not row.endpoint.fingerprint.guessed)
    runs = tuple(replace(run, time_quality="stated") for run in facts.runs)
    ending = build_ending(replace(facts, rows=rows, runs=runs, coverage=(FULL,)))
    assert [sentence.zh[:2] for sentence in ending.unknowns] == ["扫描"]


def test_build_school_when_no_rule_was_applied_then_no_count_of_findings_is_a_zero() -> None:
    view = build_school(replace(make_facts(12), findings=(), unjudged=2))
    urgent, overdue = view.figures[2:4]
    assert (urgent.value, overdue.value, view.judged) == (None, None, False)
    assert all(bar.unknown for bar in view.severity.bars)
    page = render_html("school", view, "zh", data_folder("reports"))
    assert "没有待处理隐患" not in page
    assert "没有待处理的白名单隐患" not in page
    judged = build_school(replace(make_facts(12), findings=()))
    assert [figure.value for figure in judged.figures[2:4]] == [0, 0]
    assert not any(bar.unknown for bar in judged.severity.bars)


@pytest.mark.parametrize(("waiting", "told"), [(0, False), (2, True)])
def test_build_school_when_findings_wait_for_their_issuer_then_they_are_told_and_not_closed(
    waiting: int,
    told: bool,
) -> None:
    facts = make_facts(12)
    closed = build_school(facts).closed
    found = tuple(
        replace(one, state=FindingState.AWAITING, closed_at=facts.period.start, issuer="示例市教育局")
        for one in facts.findings[:waiting]
    )
    view = build_school(replace(facts, findings=(*found, *facts.findings)))
    assert (view.awaiting, view.closed) == (waiting, closed)
    page = render_html("school", view, "zh", data_folder("reports"))
    assert ("待通报单位销号" in page) == told
