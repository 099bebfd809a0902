from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sentinel.model.finding import Finding, FindingState
from sentinel.model.rule import Severity
from sentinel.model.standing import Reconciliation
from sentinel.report.actions import build_actions
from tests.report.facts_factory import NOW, make_empty_facts, make_facts


def words(facts, count: int = 10) -> str:
    return "".join(step.action.zh + step.cause.zh for step in build_actions(facts, count))


def only(finding: Finding, **more: object) -> Finding:
    return replace(finding, state=FindingState.OPEN, **more)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize("count", [1, 5, 10])
@pytest.mark.parametrize("size", [12, 200, 3000])
def test_build_actions_when_there_is_much_to_do_then_it_is_cut(size: int, count: int) -> None:
    assert len(build_actions(make_facts(size, outside=True), count)) <= count


def test_build_actions_when_findings_share_a_rule_then_each_owner_has_a_step_of_its_own() -> None:
    base = make_facts(12).findings[0]
    findings = tuple(only(base, id=number, due=None) for number in (1, 2, 3))
    facts = replace(make_facts(12), findings=findings, owners={1: "教务处", 2: "教务处", 3: "图书馆"})
    steps = [step for step in build_actions(facts, 10) if step.owners]
    assert [(step.owners, step.objects, step.unowned) for step in steps] == [(("教务处",), 2, 0), (("图书馆",), 1, 0)]


def test_build_actions_when_severities_are_equal_then_outside_comes_before_overdue_before_many() -> None:
    facts = make_facts(40, outside=True)
    exposed = next(row for row in facts.rows if row.endpoint.key.vantage == "outside").endpoint.key
    base = replace(facts.findings[0], severity=Severity.HIGH, due=None)

    def made(number: int, rule: str, subject: str, days: int) -> Finding:
        key = replace(base.key, rule=rule, subject=subject)
        return only(base, id=number, key=key, due=NOW + timedelta(days=days))

    findings = (
        made(1, "many", "192.0.2.1:1/tcp", 9),
        made(2, "many", "192.0.2.2:1/tcp", 9),
        made(3, "late", "192.0.2.3:1/tcp", -9),
        made(4, "exposed", f"{exposed.address}:{exposed.port}/{exposed.proto}", 9),
    )
    steps = [step for step in build_actions(replace(facts, findings=findings, owners={}), 10) if step.tone == "high"]
    assert [step.objects for step in steps] == [1, 1, 2]
    assert "互联网可达 1 个" in steps[0].cause.zh
    assert steps[1].overdue == 1


def test_build_actions_when_findings_are_many_then_gaps_keep_their_places() -> None:
    steps = build_actions(make_facts(3000), 10)
    assert 1 <= sum(step.tone == "unknown" for step in steps) <= 5


@pytest.mark.parametrize(
    ("change", "told", "silent"),
    [
        ({}, "没有登记网络安全联系人", "尚未导入资产台账"),
        ({"contacts": 1}, "校外", "没有登记网络安全联系人"),
        ({"standing": Reconciliation()}, "尚未导入资产台账", "未登记主机"),
        ({"authorisations": ()}, "联系人", "扫描授权"),
    ],
)
def test_build_actions_when_something_is_missing_then_it_is_named(change, told: str, silent: str) -> None:
    facts = replace(make_facts(12), findings=(), **change)
    assert told in words(facts)
    assert silent not in words(facts)


def test_build_actions_when_an_authorisation_ends_soon_then_its_end_is_the_deadline() -> None:
    facts = make_facts(12)
    (paper,) = facts.authorisations
    step = next(step for step in build_actions(facts, 10) if "授权" in step.action.zh)
    assert (step.due, step.overdue) == (paper.valid_to, 0)
    over = replace(facts, authorisations=(replace(paper, valid_to=NOW - timedelta(days=1)),))
    assert "扫描授权已到期" in words(over)
    later = replace(paper, valid_to=NOW + timedelta(days=90))
    assert "扫描授权" not in words(replace(facts, findings=(), authorisations=(paper, later)))


def test_build_actions_when_hosts_are_unregistered_then_they_are_one_step() -> None:
    steps = [step for step in build_actions(make_facts(200), 10) if "未登记主机" in step.action.zh]
    assert len(steps) == 1
    assert steps[0].objects > 3
    assert len(steps[0].examples) == 3


def test_build_actions_when_nothing_was_ever_done_then_the_first_steps_are_told() -> None:
    told = words(make_empty_facts())
    assert "完成首次扫描或导入" in told
    assert "尚未导入资产台账" in told
    assert "校外" not in told


def test_build_actions_when_a_rule_tells_a_gap_then_it_is_named_once() -> None:
    base = make_facts(12).findings[0]
    finding = only(base, key=replace(base.key, rule="unit.never-scanned"))
    assert "完成首次扫描或导入" not in words(make_empty_facts(findings=(finding,)))
