"""Facts of a unit in, the view of the asset and risk report out (学校资产与风险报告)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sentinel.model.endpoint import Change, ChangeKind
from sentinel.model.facts import UnitFacts
from sentinel.model.finding import Finding, FindingState
from sentinel.model.flow import FlowClass
from sentinel.model.rule import Severity
from sentinel.model.unit import IPAddress
from sentinel.report.asset_map import AssetMap, build_map
from sentinel.report.clean import clean
from sentinel.report.findings import (
    FindingGroup,
    FindingLine,
    age_chart,
    exempted_findings,
    finding_lines,
    first_steps,
    group_findings,
    live_findings,
    severity_chart,
)
from sentinel.report.hosts import service_name
from sentinel.report.published import PublicationLine, publication_lines
from sentinel.report.register_block import RegisterBlock, build_register_block
from sentinel.report.services import (
    CertificateLine,
    ServiceLine,
    build_certificates,
    build_services,
    certificate_chart,
    service_chart,
)
from sentinel.report.values import Bar, Chart, Head, KeyFigure, Segment, Step, Text, build_head, joined
from sentinel.report.view_scope import (
    Ending,
    build_ending,
    count_or_unknown,
    covered_share,
    covered_words,
    gap_step,
    has_looked,
)
from sentinel.report.words import service_text, term, text

TITLE: Final = Text("学校资产与风险报告", "Asset and risk report of the school")
WHITELIST_RULES: Final = "whitelist"
"""Rules of the whitelist have names that begin so."""

_STEPS: Final = 5
_CHANGE_TONES: Final = {
    ChangeKind.NEW: "accent",
    ChangeKind.GONE: "muted",
    ChangeKind.CHANGED: "soft",
    ChangeKind.NEWLY_COVERED: "okay",
    ChangeKind.UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """Changes of one kind of one service, folded; `before` is what a changed endpoint was, on the first of them."""

    kind: Text
    service: Text
    port: str
    count: int
    hosts: int
    examples: tuple[str, ...]
    before: str


@dataclass(frozen=True, slots=True)
class SchoolView:
    """Everything the asset and risk report shows.

    Attributes:
        head: title, unit, period.
        figures: key figures.
        steps: what to do first, at most five.
        looked: anything ever told of the unit; false: no zero means anything.
        judged: rules were applied to all that arrived; false: no zero of findings means anything.
        changes: changes of the map, folded.
        change_chart: the same by kind.
        map: the asset map.
        services: services by number of endpoints.
        service_chart: the same as a picture.
        severity: live findings by severity.
        ages: live findings by age.
        groups: live findings by cause.
        findings: live findings one by one.
        exempted: accepted ones and false positives.
        closed: findings closed for good in the period.
        awaiting: findings that passed their re-test and wait for their issuer to close them.
        certificates: certificates, faulty ones first.
        certificate_chart: the same by validity.
        without_certificate: endpoints inside TLS whose certificate nobody saw.
        whitelist_entries: entries in force.
        whitelist: live findings of the whitelist, by cause.
        endpoints: open endpoints.
        captures: capture files analysed.
        mining_hosts: hosts with proven mining; None: nobody looked.
        suspect_hosts: hosts with suspected mining only; None: nobody looked.
        ending: scope, coverage, limits, evidence.
        register: how everything registered or seen stands.
        published: publications in force, those that lead to the worst findings first.
    """

    head: Head
    figures: tuple[KeyFigure, ...]
    steps: tuple[Step, ...]
    looked: bool
    judged: bool
    changes: tuple[ChangeLine, ...]
    change_chart: Chart
    map: AssetMap
    services: tuple[ServiceLine, ...]
    service_chart: Chart
    severity: Chart
    ages: Chart
    groups: tuple[FindingGroup, ...]
    findings: tuple[FindingLine, ...]
    exempted: tuple[FindingLine, ...]
    closed: int
    awaiting: int
    certificates: tuple[CertificateLine, ...]
    certificate_chart: Chart
    without_certificate: int
    whitelist_entries: int
    whitelist: tuple[FindingGroup, ...]
    endpoints: int
    captures: int
    mining_hosts: int | None
    suspect_hosts: int | None
    ending: Ending
    register: RegisterBlock
    published: tuple[PublicationLine, ...]


def build_school(facts: UnitFacts) -> SchoolView:
    """Build the view; findings are judged overdue at the time the facts were read."""
    now = facts.generated_at
    live = live_findings(facts.findings)
    groups = group_findings(live, now, facts.owners)
    assets = build_map(facts)
    services = build_services(facts.rows, assets.panels)
    certificates = build_certificates(facts.rows, now)
    bare = sum(r.endpoint.fingerprint.tunnel == "ssl" and r.endpoint.certificate is None for r in facts.rows)
    mining, suspect = mining_counts(facts)
    judged = has_looked(facts) and not facts.unjudged
    return SchoolView(
        head=build_head("school", TITLE, facts.unit, facts.period, facts.generated_at, facts.exercise, facts.pack_hash),
        figures=_figures(facts, assets, live),
        steps=_steps(facts, groups),
        looked=has_looked(facts),
        judged=judged,
        changes=_change_lines(facts.changes),
        change_chart=_change_chart(facts.changes),
        map=assets,
        services=services,
        service_chart=service_chart(services),
        severity=severity_chart(live, now, looked=judged),
        ages=age_chart(live, now),
        groups=groups,
        findings=finding_lines(live, now, facts.owners),
        exempted=finding_lines(exempted_findings(facts.findings), now),
        closed=len(_closed(facts)),
        awaiting=sum(one.state is FindingState.AWAITING for one in facts.findings),
        certificates=certificates,
        certificate_chart=certificate_chart(certificates, bare),
        without_certificate=bare,
        whitelist_entries=facts.whitelist_entries,
        whitelist=tuple(group for group in groups if group.rule.startswith(WHITELIST_RULES)),
        endpoints=len(facts.rows),
        captures=facts.captures_analysed,
        mining_hosts=mining,
        suspect_hosts=suspect,
        ending=build_ending(facts),
        register=build_register_block(facts),
        published=publication_lines(facts, _worst_by_address(assets)),
    )


def _worst_by_address(assets: AssetMap) -> dict[IPAddress, Severity]:
    lines = [host for panel in assets.panels for host in panel.hosts]
    lines.sort(key=lambda host: -host.worst.rank if host.worst else 0)
    return {host.address: host.worst for host in lines if host.worst}


def mining_counts(facts: UnitFacts) -> tuple[int | None, int | None]:
    """Count hosts with proven mining, and hosts only suspected of it; None when no capture was analysed."""
    proven = {flow.host for flow in facts.flows if flow.flow_class is FlowClass.MINING}
    suspect = {flow.host for flow in facts.flows if flow.flow_class is FlowClass.SUSPECT} - proven
    looked = facts.captures_analysed > 0
    return (len(proven) if looked or proven else None, len(suspect) if looked or suspect else None)


def _steps(facts: UnitFacts, groups: Sequence[FindingGroup]) -> tuple[Step, ...]:
    gap = gap_step(facts)
    steps = first_steps(groups, _STEPS - (gap is not None))
    return (*steps, gap) if gap else steps


def _closed(facts: UnitFacts) -> list[Finding]:
    inside = (finding for finding in facts.findings if finding.state.is_final)
    return [finding for finding in inside if finding.closed_at and facts.period.start <= finding.closed_at]


def _figures(facts: UnitFacts, assets: AssetMap, live: Sequence[Finding]) -> tuple[KeyFigure, ...]:
    if not has_looked(facts):
        return _blank_figures(facts, live)
    kinds = Counter(change.kind for change in facts.changes)
    urgent = sum(finding.severity in {Severity.CRITICAL, Severity.HIGH} for finding in live)
    overdue = sum(finding.is_overdue(facts.generated_at) for finding in live)
    late = text("note_overdue") if live or not facts.unjudged else text("gap_unjudged", n=facts.unjudged)
    return (
        KeyFigure(text("key_hosts"), assets.hosts, _silent_note(facts, assets)),
        KeyFigure(text("key_endpoints"), len(facts.rows), _change_note(kinds)),
        KeyFigure(
            text("key_urgent"),
            count_or_unknown(facts, urgent),
            _findings_note(facts, live),
            "critical" if urgent else "",
        ),
        KeyFigure(
            text("key_overdue"), overdue if live else count_or_unknown(facts, 0), late, "critical" if overdue else ""
        ),
        _mining_figure(facts),
        _coverage_figure(facts),
    )


def _findings_note(facts: UnitFacts, live: Sequence[Finding]) -> Text:
    fresh = sum(finding.first_seen >= facts.period.start for finding in live)
    note = text("note_findings", live=len(live), fresh=fresh, closed=len(_closed(facts)))
    if not facts.unjudged:
        return note
    unjudged = text("gap_unjudged", n=facts.unjudged)
    return joined((note, unjudged)) if live else unjudged


def _blank_figures(facts: UnitFacts, live: Sequence[Finding]) -> tuple[KeyFigure, ...]:
    keys = ("key_hosts", "key_endpoints", "key_urgent", "key_overdue")
    notes = (text("gap_never"), text("gap_never"), text("note_live", n=len(live)), text("gap_never"))
    blank = (KeyFigure(text(key), None, note) for key, note in zip(keys, notes, strict=True))
    return (*blank, _mining_figure(facts), _coverage_figure(facts))


def _coverage_figure(facts: UnitFacts) -> KeyFigure:
    covered = covered_share(facts)
    if not covered.whole:
        return KeyFigure(text("key_coverage"), None, text("no_range"))
    return KeyFigure(text("key_coverage"), covered, covered_words(facts), "unknown" if covered.missing else "")


def _silent_note(facts: UnitFacts, assets: AssetMap) -> Text:
    return joined(
        (
            text("note_quiet", n=assets.quiet) if assets.quiet else Text("", ""),
            text("note_silent", n=facts.silent_hosts) if facts.silent_hosts else Text("", ""),
        )
    )


def _change_note(kinds: Counter[ChangeKind]) -> Text:
    if not kinds:
        return text("note_no_changes")
    return joined(
        text(f"note_{kind.value}", n=kinds[kind])
        for kind in (ChangeKind.NEW, ChangeKind.GONE, ChangeKind.CHANGED, ChangeKind.UNKNOWN)
        if kinds[kind]
    )


def _mining_figure(facts: UnitFacts) -> KeyFigure:
    mining, suspect = mining_counts(facts)
    note = text("note_captures", n=facts.captures_analysed)
    if suspect:
        note = joined((text("note_suspect", n=suspect), note))
    return KeyFigure(text("key_mining"), mining, note, "critical" if mining else "")


def _change_lines(changes: Sequence[Change]) -> tuple[ChangeLine, ...]:
    members: defaultdict[tuple[ChangeKind, str, int, str], list[Change]] = defaultdict(list)
    for change in changes:
        endpoint = change.row.endpoint
        members[change.kind, service_name(endpoint), endpoint.key.port, endpoint.key.proto].append(change)
    order = list(ChangeKind)
    ranked = sorted(members.items(), key=lambda item: (order.index(item[0][0]), -len(item[1]), item[0][2]))
    return tuple(
        ChangeLine(
            kind=term(kind),
            service=service_text(clean(service, 30)),
            port=f"{port}/{proto}",
            count=len(found),
            hosts=len({change.row.endpoint.key.address for change in found}),
            examples=tuple(dict.fromkeys(str(change.row.endpoint.key.address) for change in found))[:4],
            before=_before(found[0]),
        )
        for (kind, service, port, proto), found in ranked
    )


def _before(change: Change) -> str:
    known = change.before
    return clean(" ".join(part for part in (known.service, known.product, known.version) if part), 60) if known else ""


def _change_chart(changes: Sequence[Change]) -> Chart:
    kinds = Counter(change.kind for change in changes)
    bars = tuple(
        Bar(term(kind), (Segment(_CHANGE_TONES[kind], kinds[kind]),), text("count", n=kinds[kind]))
        for kind in ChangeKind
    )
    return Chart(bars, text("axis_endpoints"), text("alt_changes", **{kind.value: kinds[kind] for kind in ChangeKind}))
