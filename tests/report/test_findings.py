from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sentinel.model.finding import Finding, FindingState
from sentinel.model.rule import Severity
from sentinel.report.findings import (
    age_chart,
    exempted_findings,
    finding_lines,
    first_steps,
    fold_objects,
    group_findings,
    live_findings,
    severity_chart,
    split_subject,
)
from tests.report.facts_factory import NOW, make_facts

FINDINGS = make_facts(200).findings
LIVE = live_findings(FINDINGS)


def some(count: int, **changes: object) -> tuple[Finding, ...]:
    return tuple(replace(finding, **changes) for finding in LIVE[:count])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("subject", "parts"),
    [
        ("10.0.0.5:6379/tcp", ("10.0.0.5", "6379/tcp")),
        ("[2001:db8::1]:443/tcp", ("2001:db8::1", "443/tcp")),
        ("2001:db8::1:443/tcp", ("2001:db8::1", "443/tcp")),
        ("10.0.0.5", ("10.0.0.5", "")),
        ("10.0.0.5 stratum", ("10.0.0.5", "stratum")),
        ("2001:db8::1 getwork", ("2001:db8::1", "getwork")),
        ("a name with words", ("a name with words", "")),
        ("www.school.example", ("www.school.example", "")),
        ("x" * 10_000, ("x" * 10_000, "")),
    ],
)
def test_split_subject_when_forms_differ_then_host_and_place_come_apart(subject: str, parts: tuple[str, str]) -> None:
    assert split_subject(subject) == parts


def test_fold_objects_when_a_host_has_many_places_then_the_rest_is_counted() -> None:
    (only,) = fold_objects(f"10.0.0.5:{port}/tcp" for port in range(1, 21))
    assert (only.host, only.places[0], len(only.places), only.more) == ("10.0.0.5", "1/tcp", 8, 12)


def test_live_and_exempted_when_states_differ_then_nobody_is_in_both() -> None:
    exempt = exempted_findings(FINDINGS)
    assert exempt
    assert not {finding.id for finding in exempt} & {finding.id for finding in LIVE}


def test_group_findings_when_sorted_then_worst_and_most_overdue_come_first() -> None:
    groups = group_findings(LIVE, NOW)
    assert sum(group.count for group in groups) == len(LIVE)
    ranks = [(group.severity.rank, -group.overdue) for group in groups]
    assert ranks == sorted(ranks)


def test_group_findings_when_many_hosts_then_the_first_are_shown_and_the_rest_counted() -> None:
    group = max(group_findings(LIVE, NOW), key=lambda found: found.hosts)
    assert len(group.objects) == 12
    assert group.more == group.hosts - 12


def test_group_findings_when_titles_are_missing_then_the_rule_name_stands_in() -> None:
    (group,) = group_findings(some(1, title_zh="", title_en="", remediation_zh="", due=None), NOW)
    assert group.title.zh == group.title.en == LIVE[0].key.rule
    assert group.due is None
    assert group.remediation.zh == LIVE[0].remediation_en


def test_first_steps_when_there_is_no_remedy_then_the_title_is_the_action() -> None:
    groups = group_findings(some(1, remediation_zh="", remediation_en=""), NOW)
    (step,) = first_steps(groups, 5)
    assert step.action.zh.startswith("处理：")
    assert step.tone == LIVE[0].severity.value


def test_finding_lines_when_sorted_then_overdue_come_before_the_rest_of_their_severity() -> None:
    lines = finding_lines(LIVE, NOW)
    order = [(line.severity.rank, not line.overdue) for line in lines]
    assert order == sorted(order)


@pytest.mark.parametrize(("days", "row"), [(0, 0), (7, 0), (8, 1), (30, 1), (31, 2), (90, 2), (91, 3)])
def test_age_chart_when_age_is_on_a_border_then_it_falls_into_the_younger_bucket(days: int, row: int) -> None:
    chart = age_chart(some(1, first_seen=NOW - timedelta(days=days)), NOW)
    assert [bar.total for bar in chart.bars] == [int(index == row) for index in range(4)]


def test_severity_chart_when_nobody_looked_then_every_bar_is_unknown() -> None:
    chart = severity_chart((), NOW, looked=False)
    assert all(bar.unknown and bar.note.zh == "未核查" for bar in chart.bars)


def test_severity_chart_when_looked_then_counts_and_overdue_are_told() -> None:
    findings = some(3, severity=Severity.INFORMATIONAL, state=FindingState.OPEN, due=NOW - timedelta(days=1))
    chart = severity_chart(findings, NOW, looked=True)
    assert [bar.total for bar in chart.bars] == [0, 0, 0, 0, 3]
    assert chart.bars[-1].note.en == "3 (overdue 3)"
