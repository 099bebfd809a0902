"""Facts of a unit in, the few things to do first out: one cause and one owner each, findings and gaps of knowledge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from sentinel.model.facts import UnitFacts
from sentinel.model.finding import Finding
from sentinel.model.rule import Severity
from sentinel.model.standing import Standing
from sentinel.model.unit import OUTSIDE
from sentinel.report.clean import clean, clean_all
from sentinel.report.findings import FindingGroup, build_group, first_steps, live_findings
from sentinel.report.hosts import subjects_of
from sentinel.report.values import NOTHING, Step, Text, joined
from sentinel.report.view_scope import gap_step, has_looked
from sentinel.report.words import text

EXPIRES_WITHIN: Final = timedelta(days=30)
"""An authorisation that ends sooner is a thing to do now: papers take their time."""

_GAPS: Final = 5
_EXAMPLES: Final = 3
_TOLD_BY_RULE: Final = {
    "step_first_scan": "unit.never-scanned",
    "step_declare": "unit.no-network",
    "step_whitelist": "unit.no-whitelist",
}
"""Gaps that a rule makes a finding of: they are named once."""


def build_actions(facts: UnitFacts, count: int) -> tuple[Step, ...]:
    """Give at most `count` things to do: critical and high findings, then gaps, then the other findings.

    Findings of one rule that one department answers for are one thing; what can be reached from outside comes first
    among those of one severity, then what is overdue, then what concerns most objects. Up to five gaps keep a place.
    """
    outside = outside_subjects(facts)
    groups = [(group, _exposed(members, outside)) for group, members in _by_cause_and_owner(facts)]
    groups.sort(key=lambda item: (item[0].severity.rank, not item[1], -item[0].overdue, -item[0].count, item[0].rule))
    steps = [_step(group, exposed) for group, exposed in groups]
    urgent = sum(group.severity in {Severity.CRITICAL, Severity.HIGH} for group, _ in groups)
    gaps = _gaps(facts)
    kept, rest = gaps[:_GAPS], gaps[_GAPS:]
    first = steps[: min(urgent, max(count - len(kept), 0))]
    return (*first, *kept, *steps[len(first) :], *rest)[:count]


def outside_subjects(facts: UnitFacts) -> frozenset[str]:
    """Give the subjects of what can be reached from the internet: hosts and their ports."""
    keys = [row.endpoint.key for row in facts.rows if row.endpoint.key.vantage == OUTSIDE]
    ports = {subject for key in keys for subject in subjects_of(key.address, key.proto, key.port)}
    return frozenset(ports | {str(key.address) for key in keys})


def _by_cause_and_owner(facts: UnitFacts) -> Iterable[tuple[FindingGroup, Sequence[Finding]]]:
    members: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in live_findings(facts.findings):
        members[finding.key.rule, facts.owners.get(finding.id, "")].append(finding)
    for (rule, _), found in members.items():
        yield build_group(rule, found, facts.generated_at, facts.owners), found


def _exposed(members: Iterable[Finding], outside: frozenset[str]) -> int:
    return sum(finding.key.subject in outside for finding in members)


def _step(group: FindingGroup, exposed: int) -> Step:
    (step,) = first_steps((group,), 1)
    if not exposed:
        return step
    cause = joined((step.cause, text("cause_outside", n=exposed)))
    return Step(
        step.tone,
        step.mark,
        step.action,
        cause,
        step.objects,
        step.examples,
        step.due,
        step.overdue,
        step.owners,
        step.unowned,
    )


def _gaps(facts: UnitFacts) -> tuple[Step, ...]:
    found = (
        _unregistered(facts),
        _knowledge_gap(facts),
        _authorisation(facts),
        _no_register(facts),
        _no_outside(facts),
        _no_contact(facts),
        _expired_lines(facts),
    )
    return tuple(step for step in found if step)


def _gap(action: Text, cause: Text, objects: int = 0, examples: Iterable[str] = ()) -> Step:
    return Step("unknown", text("mark_gap"), action, cause, objects, clean_all(tuple(examples), 60, _EXAMPLES))


def _unregistered(facts: UnitFacts) -> Step | None:
    unknown = [host for host in facts.standing.hosts if host.standing is Standing.UNREGISTERED]
    if not unknown:
        return None
    unknown.sort(key=lambda host: not host.outside)
    outside = sum(host.outside for host in unknown)
    cause = joined((text("cause_unregistered"), text("cause_outside", n=outside) if outside else NOTHING))
    return _gap(text("step_register"), cause, len(unknown), (str(host.address) for host in unknown))


def _knowledge_gap(facts: UnitFacts) -> Step | None:
    step = gap_step(facts)
    if step is None:
        return None
    rules = {finding.key.rule for finding in live_findings(facts.findings)}
    told = any(step.action == text(key) and rule in rules for key, rule in _TOLD_BY_RULE.items())
    return None if told else step


def _authorisation(facts: UnitFacts) -> Step | None:
    """Name the authorisations that ended without a successor, or are about to."""
    now = facts.generated_at
    if not facts.authorisations:
        return None
    if any(one.valid_from <= now and one.valid_to >= now + EXPIRES_WITHIN for one in facts.authorisations):
        return None
    last = max(facts.authorisations, key=lambda one: one.valid_to)
    cause = text("cause_authorisation_over" if last.valid_to < now else "cause_authorisation")
    step = _gap(text("step_authorise"), cause, 1, (clean(last.document, 40),))
    return Step(step.tone, step.mark, step.action, step.cause, 1, step.examples, last.valid_to, last.valid_to < now)


def _no_register(facts: UnitFacts) -> Step | None:
    return None if facts.standing.lines else _gap(text("step_import_register"), text("cause_no_register"))


def _no_outside(facts: UnitFacts) -> Step | None:
    if has_looked_outside(facts) or not has_looked(facts):
        return None
    return _gap(text("step_import_outside"), text("cause_no_outside"))


def _expired_lines(facts: UnitFacts) -> Step | None:
    lines = [line for line in facts.standing.lines if line.standing is Standing.EXPIRED]
    names = (line.entry.system or str(line.address) for line in lines)
    return _gap(text("step_renew_lines"), text("cause_expired_lines"), len(lines), names) if lines else None


def _no_contact(facts: UnitFacts) -> Step | None:
    return None if facts.contacts else _gap(text("step_contact"), text("cause_no_contact"))


def has_looked_outside(facts: UnitFacts) -> bool:
    """Tell whether anybody ever looked from the internet; when that was stands among the sources."""
    return any(run.vantage == OUTSIDE for run in facts.sources) or any(
        row.endpoint.key.vantage == OUTSIDE for row in facts.rows
    )
