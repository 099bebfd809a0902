"""Findings in, what readers need of them out: order, groups by cause, bars by severity and age, first steps."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from sentinel.model.finding import Finding, FindingState
from sentinel.model.rule import Severity
from sentinel.report.clean import clean, clean_all
from sentinel.report.values import NOTHING, Bar, Chart, Segment, Step, Text
from sentinel.report.words import term, text

_ON_HOST = re.compile(r"\[?([0-9A-Fa-f.:%]+?)\]?(?::(\d+/\w+)| (\S{1,40}))\Z")
_AGES = ((7, "age_week"), (30, "age_month"), (90, "age_quarter"))
NOBODY: Final[Mapping[int, str]] = MappingProxyType({})
"""No register, or none that names departments."""

_SHOWN_OBJECTS = 12
_SHOWN_PLACES = 8


@dataclass(frozen=True, slots=True)
class Folded:
    """A host (or a name), the first places on it that findings are about, and how many more there are."""

    host: str
    places: tuple[str, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One finding as a row."""

    number: str
    rule: str
    severity: Severity
    state: FindingState
    state_text: Text
    subject: str
    title: Text
    detail: str
    source: Text
    first_seen: datetime
    last_seen: datetime
    due: datetime | None
    overdue: bool
    reopened: int
    clauses: tuple[str, ...]
    evidence: str
    closed_at: datetime | None
    why: str
    by: str
    until: datetime | None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """Live findings of one rule: one cause, one remedy.

    Attributes:
        rule: readable id of the rule.
        title: what is wrong.
        remediation: what to do.
        severity: worst severity in the group.
        count: live findings.
        hosts: different hosts or names they are on.
        overdue: how many are past their deadline.
        waiting: how many are fixed and wait for a re-test.
        reopened: how many came back.
        first_seen: oldest first sight.
        due: earliest deadline.
        clauses: control clauses they speak to.
        objects: the first hosts with their places.
        more: hosts not shown in `objects`.
        owners: departments that answer for them by the register, those with most findings first.
        unowned: findings for which the register names no department.
    """

    rule: str
    title: Text
    remediation: Text
    severity: Severity
    count: int
    hosts: int
    overdue: int
    waiting: int
    reopened: int
    first_seen: datetime
    due: datetime | None
    clauses: tuple[str, ...]
    objects: tuple[Folded, ...]
    more: int
    owners: tuple[str, ...] = ()
    unowned: int = 0


def live_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Keep what still asks somebody to do something."""
    return tuple(finding for finding in findings if finding.state.is_live)


def exempted_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Keep what was accepted or called a false positive; it stays visible with who, why and until when."""
    exempt = {FindingState.ACCEPTED, FindingState.FALSE_POSITIVE}
    return tuple(finding for finding in findings if finding.state in exempt)


def split_subject(subject: str) -> tuple[str, str]:
    """Split `10.0.0.5:6379/tcp` and `10.0.0.5 stratum` into host and place; another subject has no place."""
    match = _ON_HOST.match(subject)
    return (match[1], match[2] or match[3]) if match else (subject, "")


def finding_lines(
    findings: Iterable[Finding], now: datetime, owners: Mapping[int, str] = NOBODY
) -> tuple[FindingLine, ...]:
    """Build one row per finding, worst, overdue and oldest first."""
    ordered = sorted(findings, key=lambda finding: _urgency(finding, now))
    return tuple(_line(finding, now, owners.get(finding.id, "")) for finding in ordered)


def group_findings(
    findings: Iterable[Finding], now: datetime, owners: Mapping[int, str] = NOBODY
) -> tuple[FindingGroup, ...]:
    """Group findings by rule; worst severity first, then most overdue, then most findings."""
    by_rule: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_rule[finding.key.rule].append(finding)
    groups = [build_group(rule, members, now, owners) for rule, members in by_rule.items()]
    return tuple(sorted(groups, key=lambda group: (group.severity.rank, -group.overdue, -group.count, group.rule)))


def fold_objects(subjects: Iterable[str]) -> tuple[Folded, ...]:
    """Fold subjects by host, in the order hosts first appear."""
    places: dict[str, list[str]] = {}
    for subject in subjects:
        host, place = split_subject(subject)
        places.setdefault(host, [])
        if place:
            places[host].append(place)
    return tuple(
        Folded(clean(host, 80), clean_all(tuple(found), 20, _SHOWN_PLACES), max(len(found) - _SHOWN_PLACES, 0))
        for host, found in places.items()
    )


def severity_chart(findings: Sequence[Finding], now: datetime, *, looked: bool) -> Chart:
    """Draw live findings by severity; a bar without any is unknown instead of zero unless all was looked at."""
    counts = {severity: [f for f in findings if f.severity is severity] for severity in Severity}
    bars = tuple(
        _severity_bar(severity, members, now, looked=looked or bool(members))
        for severity, members in counts.items()
        if members or severity is not Severity.INFORMATIONAL
    )
    alt = text("alt_severity", **{severity.value: len(members) for severity, members in counts.items()})
    return Chart(bars, text("axis_findings"), alt if looked or findings else text("alt_not_looked"))


def age_chart(findings: Sequence[Finding], now: datetime) -> Chart:
    """Draw live findings by the time since they were first seen, stacked by severity."""
    names = [key for _, key in _AGES] + ["age_older"]
    buckets: dict[str, list[Finding]] = {name: [] for name in names}
    for finding in findings:
        age = now - finding.first_seen
        buckets[next((key for days, key in _AGES if age <= timedelta(days=days)), "age_older")].append(finding)
    bars = tuple(
        Bar(text(name), severity_segments(members), text("count", n=len(members))) for name, members in buckets.items()
    )
    present = {finding.severity for finding in findings}
    legend = tuple((severity.value, term(severity)) for severity in Severity if severity in present)
    alt = text("alt_age", **{name: len(members) for name, members in buckets.items()})
    return Chart(bars, text("axis_findings"), alt, legend)


def severity_segments(findings: Iterable[Finding]) -> tuple[Segment, ...]:
    """Count by severity, worst first, without the empty ones."""
    counts = dict.fromkeys(Severity, 0)
    for finding in findings:
        counts[finding.severity] += 1
    return tuple(Segment(severity.value, count) for severity, count in counts.items() if count)


def first_steps(groups: Sequence[FindingGroup], count: int) -> tuple[Step, ...]:
    """Turn the first groups into things to do."""
    return tuple(
        Step(
            group.severity.value,
            term(group.severity),
            group.remediation if group.remediation.zh else text("step_handle", title=group.title),
            group.title,
            group.count,
            tuple(f"{folded.host} {'、'.join(folded.places[:3])}".strip() for folded in group.objects[:3]),
            group.due,
            group.overdue,
            group.owners,
            group.unowned,
        )
        for group in groups[:count]
    )


def _severity_bar(severity: Severity, members: Sequence[Finding], now: datetime, *, looked: bool) -> Bar:
    if not looked:
        return Bar(term(severity), (), text("not_checked"), unknown=True)
    overdue = sum(finding.is_overdue(now) for finding in members)
    note = text("count_overdue", n=len(members), overdue=overdue) if overdue else text("count", n=len(members))
    return Bar(term(severity), (Segment(severity.value, len(members)),), note)


def _urgency(finding: Finding, now: datetime) -> tuple[int, bool, datetime, str, str]:
    return (
        finding.severity.rank,
        not finding.is_overdue(now),
        finding.first_seen,
        finding.key.rule,
        finding.key.subject,
    )


def _titles(finding: Finding) -> Text:
    chinese = clean(finding.title_zh or finding.title_en or finding.key.rule, 80)
    return Text(chinese, clean(finding.title_en, 110) or chinese)


def _remedies(finding: Finding) -> Text:
    chinese = clean(finding.remediation_zh or finding.remediation_en, 240)
    return Text(chinese, clean(finding.remediation_en, 360) or chinese) if chinese else NOTHING


def _line(finding: Finding, now: datetime, owner: str) -> FindingLine:
    return FindingLine(
        number=clean(finding.number, 30),
        rule=clean(finding.key.rule, 60),
        severity=finding.severity,
        state=finding.state,
        state_text=term(finding.state),
        subject=clean(finding.key.subject, 90),
        title=_titles(finding),
        detail=clean(finding.detail, 160),
        source=term(finding.source),
        first_seen=finding.first_seen,
        last_seen=finding.last_seen,
        due=finding.due,
        overdue=finding.is_overdue(now),
        reopened=finding.reopened,
        clauses=clean_all(finding.clauses, 20),
        evidence=clean(finding.evidence, 71),
        closed_at=finding.closed_at,
        why=clean(finding.why, 200),
        by=clean(finding.by, 60),
        until=finding.until,
        owner=clean(owner, 40),
    )


def build_group(
    rule: str, members: Sequence[Finding], now: datetime, owners: Mapping[int, str] = NOBODY
) -> FindingGroup:
    """Fold findings of one rule, of which there is at least one."""
    answering = Counter(clean(owners.get(finding.id, ""), 40) for finding in members)
    ordered = sorted(members, key=lambda finding: _urgency(finding, now))
    objects = fold_objects(finding.key.subject for finding in ordered)
    return FindingGroup(
        rule=clean(rule, 60),
        title=_titles(ordered[0]),
        remediation=_remedies(ordered[0]),
        severity=ordered[0].severity,
        count=len(ordered),
        hosts=len(objects),
        overdue=sum(finding.is_overdue(now) for finding in ordered),
        waiting=sum(finding.state is FindingState.FIXED for finding in ordered),
        reopened=sum(finding.reopened > 0 for finding in ordered),
        first_seen=min(finding.first_seen for finding in ordered),
        due=min((finding.due for finding in ordered if finding.due), default=None),
        clauses=clean_all(tuple(sorted({clause for finding in ordered for clause in finding.clauses})), 20),
        objects=objects[:_SHOWN_OBJECTS],
        more=max(len(objects) - _SHOWN_OBJECTS, 0),
        owners=tuple(sorted(filter(None, answering), key=lambda owner: (-answering[owner], owner))),
        unowned=answering[""],
    )
