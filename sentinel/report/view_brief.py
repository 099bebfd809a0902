"""Facts of a unit in, the view of the brief out (网络安全简报): one or two pages that are worth forwarding."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sentinel.model.endpoint import MapRow, Run
from sentinel.model.facts import UnitFacts
from sentinel.model.moment import local_date
from sentinel.model.rule import Severity
from sentinel.model.standing import HostStanding, LineStanding, Reason, Standing
from sentinel.model.unit import OUTSIDE, IPAddress
from sentinel.report.actions import build_actions, has_looked_outside, outside_subjects
from sentinel.report.clean import clean
from sentinel.report.findings import live_findings
from sentinel.report.hosts import subjects_of
from sentinel.report.standing import (
    SHOWN_PORTS,
    DepartmentLine,
    NetworkStanding,
    Rows,
    UnknownHost,
    UnseenLine,
    build_departments,
    build_networks,
    count_unseen,
    host_chart,
    known_names,
    line_chart,
    planned_lines,
    port_words,
    rows_by_host,
    unknown_hosts,
    unseen_lines,
)
from sentinel.report.values import NOTHING, Chart, Head, KeyFigure, Step, Text, build_head, joined
from sentinel.report.view_scope import build_ending, count_or_unknown, covered_share, has_looked, silence_words
from sentinel.report.words import text

TITLE: Final = Text("网络安全简报", "Network security brief")
ACTIONS: Final = 10


@dataclass(frozen=True, slots=True)
class ExposedHost:
    """A host as the internet sees it."""

    address: IPAddress
    names: tuple[str, ...]
    ports: tuple[str, ...]
    more: int
    owner: str
    registered: Text
    worst: Severity | None
    findings: int
    seen: datetime | None


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the register that was read: its name, its lines, and when."""

    name: str
    lines: int
    imported: datetime | None


@dataclass(frozen=True, slots=True)
class SourceLine:
    """Runs of one kind, tool and vantage, folded; `hosts` and `endpoints` are those of the largest of them."""

    kind: Text
    tool: str
    vantage: str
    newest: datetime
    example: str
    runs: int
    hosts: int
    endpoints: int


@dataclass(frozen=True, slots=True)
class BriefView:
    """Everything the brief shows.

    Attributes:
        head: title, unit, period.
        figures: key figures.
        steps: what to do first, at most ten.
        looked: anything ever told of the unit.
        judged: rules were applied to all that arrived.
        registered: there is a register.
        lines: lines of the register by department, as a picture.
        departments: the same as a table.
        hosts: hosts seen by network, as a picture.
        networks: the same as a table.
        unknown: hosts to register, those seen from outside first.
        unseen: lines registered and not seen, or ended and still seen.
        looked_outside: somebody looked from the internet.
        exposed: hosts the internet sees, worst first.
        sources: runs by kind, tool and vantage, newest first, those before the period too.
        sent: one of the runs sent packets.
        registers: files of the register.
        captures: capture files analysed.
        unknowns: what is not known, one sentence each.
    """

    head: Head
    figures: tuple[KeyFigure, ...]
    steps: tuple[Step, ...]
    looked: bool
    judged: bool
    registered: bool
    lines: Chart
    departments: tuple[DepartmentLine, ...]
    hosts: Chart
    networks: tuple[NetworkStanding, ...]
    unknown: tuple[UnknownHost, ...]
    unseen: tuple[UnseenLine, ...]
    looked_outside: bool
    exposed: tuple[ExposedHost, ...]
    sources: tuple[SourceLine, ...]
    sent: bool
    registers: tuple[Source, ...]
    captures: int
    unknowns: tuple[Text, ...]


def build_brief(facts: UnitFacts) -> BriefView:
    """Build the view."""
    ending = build_ending(facts)
    departments = build_departments(facts)
    networks = build_networks(facts)
    rows = rows_by_host(facts)
    exposed = _exposed_hosts(facts, rows)
    return BriefView(
        head=build_head("brief", TITLE, facts.unit, facts.period, facts.generated_at, facts.exercise, facts.pack_hash),
        figures=_figures(facts, exposed),
        steps=build_actions(facts, ACTIONS),
        looked=has_looked(facts),
        judged=has_looked(facts) and not facts.unjudged,
        registered=bool(facts.standing.lines),
        lines=line_chart(departments),
        departments=departments,
        hosts=host_chart(networks),
        networks=networks,
        unknown=unknown_hosts(facts, rows),
        unseen=unseen_lines(facts),
        looked_outside=has_looked_outside(facts),
        exposed=exposed,
        sources=_sources(facts.sources),
        sent=any(run.kind == "scan" for run in facts.sources),
        registers=_registers(facts.standing.lines),
        captures=facts.captures_analysed,
        unknowns=(*silence_words(facts.silences), *_register_unknowns(facts), *ending.unknowns),
    )


def _figures(facts: UnitFacts, exposed: Sequence[ExposedHost]) -> tuple[KeyFigure, ...]:
    return (
        _registered_figure(facts),
        _seen_figure(facts),
        _unknown_figure(facts),
        _unchecked_figure(facts),
        _outside_figure(facts, exposed),
        _urgent_figure(facts),
    )


def _registered_figure(facts: UnitFacts) -> KeyFigure:
    told = facts.standing
    if not told.lines:
        return KeyFigure(text("key_registered"), None, text("cause_no_register"))
    seen = told.count_lines(Standing.SEEN, Standing.EXPIRED)
    note = text("note_registered", seen=seen, unseen=count_unseen(facts))
    planned = len(planned_lines(facts))
    off = Text(f"计划停用 {planned}", f"offline by plan: {planned}") if planned else NOTHING
    return KeyFigure(text("key_registered"), len(told.lines), joined((note, off)))


def _seen_figure(facts: UnitFacts) -> KeyFigure:
    if not has_looked(facts):
        return KeyFigure(text("key_seen"), None, text("gap_never"))
    registered = facts.standing.count_hosts(Standing.SEEN)
    expired = facts.standing.count_hosts(Standing.EXPIRED)
    if not facts.standing.lines:
        return KeyFigure(text("key_seen"), len(facts.standing.hosts), text("note_not_compared"))
    note = joined(
        (text("note_hosts_listed", n=registered), text("note_hosts_expired", n=expired) if expired else NOTHING)
    )
    return KeyFigure(text("key_seen"), len(facts.standing.hosts), note)


def _unknown_figure(facts: UnitFacts) -> KeyFigure:
    told = facts.standing
    if not told.lines or not has_looked(facts):
        return KeyFigure(text("key_unregistered"), None, text("note_not_compared"))
    unknown = told.count_hosts(Standing.UNREGISTERED)
    ports = sum(len(host.unlisted) for host in told.hosts)
    note = text("note_ports_unlisted", n=ports) if ports else text("note_ports_listed")
    return KeyFigure(text("key_unregistered"), unknown, note, "critical" if unknown else "")


def _unchecked_figure(facts: UnitFacts) -> KeyFigure:
    covered = covered_share(facts)
    addresses = text("note_addresses_left", n=covered.missing, whole=covered.whole)
    prefixes = sum(one.prefixes for one in facts.coverage)
    whole = joined((addresses, text("note_prefixes", n=prefixes))) if prefixes else addresses
    note = whole if covered.whole else text("no_range")
    if not facts.standing.lines:
        return KeyFigure(text("key_unchecked"), None, note)
    unchecked = facts.standing.count_lines(Standing.UNCHECKED)
    return KeyFigure(text("key_unchecked"), unchecked, note, "unknown" if unchecked else "")


def _outside_figure(facts: UnitFacts, exposed: Sequence[ExposedHost]) -> KeyFigure:
    if not has_looked_outside(facts):
        return KeyFigure(text("key_exposed"), None, text("cause_no_outside"))
    ports = len({(row.endpoint.key.address, row.endpoint.key.proto, row.endpoint.key.port) for row in _outside(facts)})
    bad = sum(host.worst in {Severity.CRITICAL, Severity.HIGH} for host in exposed)
    judged = count_or_unknown(facts, bad) is not None
    note = text("note_exposed", hosts=len(exposed), bad=bad) if judged else text("note_exposed_hosts", n=len(exposed))
    return KeyFigure(text("key_exposed"), ports, note, "critical" if bad else "")


def _urgent_figure(facts: UnitFacts) -> KeyFigure:
    live = live_findings(facts.findings)
    if not has_looked(facts):
        return KeyFigure(text("key_urgent"), None, text("note_live", n=len(live)))
    urgent = sum(finding.severity in {Severity.CRITICAL, Severity.HIGH} for finding in live)
    overdue = sum(finding.is_overdue(facts.generated_at) for finding in live)
    note = text("note_live_overdue", live=len(live), overdue=overdue)
    if facts.unjudged:
        note = (
            joined((note, text("gap_unjudged", n=facts.unjudged))) if live else text("gap_unjudged", n=facts.unjudged)
        )
    return KeyFigure(text("key_urgent"), count_or_unknown(facts, urgent), note, "critical" if urgent else "")


def _outside(facts: UnitFacts) -> list[MapRow]:
    return [row for row in facts.rows if row.endpoint.key.vantage == OUTSIDE]


def _exposed_hosts(facts: UnitFacts, rows: Rows) -> tuple[ExposedHost, ...]:
    standing = {(host.network, host.address): host for host in facts.standing.hosts if host.outside}
    severities: defaultdict[str, list[Severity]] = defaultdict(list)
    outside = outside_subjects(facts)
    for finding in live_findings(facts.findings):
        if finding.key.subject in outside:
            severities[finding.key.subject].append(finding.severity)
    seen = {place: [row for row in rows[place] if row.endpoint.key.vantage == OUTSIDE] for place in standing}
    lines = [_exposed_host(host, seen[place], severities) for place, host in standing.items()]
    return tuple(
        sorted(lines, key=lambda one: (one.worst.rank if one.worst else 9, -len(one.ports), one.address.version))
    )


def _exposed_host(
    host: HostStanding, rows: Sequence[MapRow], severities: Mapping[str, Sequence[Severity]]
) -> ExposedHost:
    keys = [row.endpoint.key for row in rows]
    subjects = {str(host.address)} | {one for key in keys for one in subjects_of(key.address, key.proto, key.port)}
    worst = [severity for subject in subjects for severity in severities.get(subject, ())]
    ports = port_words(rows)
    return ExposedHost(
        address=host.address,
        names=known_names(rows),
        ports=tuple(ports[:SHOWN_PORTS]),
        more=max(len(ports) - SHOWN_PORTS, 0),
        owner=clean(host.entry.department, 40) if host.entry else "",
        registered=text(f"standing_{host.standing.value}"),
        worst=min(worst, key=lambda severity: severity.rank, default=None),
        findings=len(worst),
        seen=max((row.endpoint.last_confirmed for row in rows if row.endpoint.last_confirmed), default=None),
    )


def _sources(runs: Sequence[Run]) -> tuple[SourceLine, ...]:
    alike: defaultdict[tuple[str, str, str], list[Run]] = defaultdict(list)
    for run in runs:
        alike[run.kind, run.tool, run.vantage].append(run)
    lines = [
        SourceLine(
            kind=text("run_scan") if kind == "scan" else text("run_import"),
            tool=clean(tool, 40),
            vantage=clean(vantage, 30),
            newest=max(run.time for run in found),
            example=clean(found[0].source, 60),
            runs=len(found),
            hosts=max(run.hosts_up for run in found),
            endpoints=max(run.endpoints_open for run in found),
        )
        for (kind, tool, vantage), found in alike.items()
    ]
    return tuple(sorted(lines, key=lambda line: line.newest, reverse=True))


def _registers(lines: Sequence[LineStanding]) -> tuple[Source, ...]:
    files = Counter((line.entry.source, line.entry.source_sha256) for line in lines)
    times = {(line.entry.source, line.entry.source_sha256): line.entry.imported_at for line in lines}
    return tuple(Source(clean(key[0], 80), count, times[key]) for key, count in files.items())


def _register_unknowns(facts: UnitFacts) -> tuple[Text, ...]:
    told = facts.standing
    newest = max((run.time for run in facts.sources), default=None)
    reasons = Counter(line.reason for line in told.lines if line.standing is Standing.UNCHECKED)
    logs = sum(host.reason is Reason.LOGS_ONLY for host in told.hosts)
    found = (
        (newest is not None and newest < facts.period.start, text("unknown_since", day=local_date(newest))),
        (not told.lines, text("unknown_register")),
        (not has_looked_outside(facts), text("unknown_exposure")),
        (bool(reasons), text("unknown_lines", n=sum(reasons.values()), whole=len(told.lines))),
        (reasons[Reason.NAME_NOT_RESOLVED] > 0, text("unknown_lines_named", n=reasons[Reason.NAME_NOT_RESOLVED])),
        (reasons[Reason.NO_PLACE] > 0, text("unknown_lines_nowhere", n=reasons[Reason.NO_PLACE])),
        (logs > 0, text("unknown_hosts_logs", n=logs)),
    )
    return tuple(sentence for holds, sentence in found if holds)
