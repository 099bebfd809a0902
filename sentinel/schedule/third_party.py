"""What somebody else's report says is wrong in; findings of that source, brought up to date, out.

A report closes nothing: that it does not mention a flaw any more may mean that it did not look. Judging by our own
rules never touches these findings either; a person closes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from sentinel.assess.subjects import endpoint_text
from sentinel.errors import UsageError
from sentinel.model.endpoint import EndpointKey
from sentinel.model.finding import Finding, FindingKey, FindingSource, FindingState
from sentinel.model.links import cut_links
from sentinel.model.observation import Loss
from sentinel.model.reported import ReportedFlaw
from sentinel.model.rule import Severity
from sentinel.model.unit import IPAddress, Network, Unit, choose_network
from sentinel.observe.text import parse_address
from sentinel.respond.lifecycle import build_detail, take_report
from sentinel.respond.subject import read_subject
from sentinel.schedule.admission import admit
from sentinel.schedule.context import Context
from sentinel.store.database import Transaction
from sentinel.store.findings import read_by_subjects, write_findings
from sentinel.store.units import read_networks

JUDGED = frozenset({FindingSource.OWN_SCAN, FindingSource.TRAFFIC})
"""Sources whose findings judging makes anew when networks change."""


@dataclass(frozen=True, slots=True)
class Report:
    """Where flaws come from.

    Attributes:
        tool: name of what wrote it, e.g. `nessus`; `list` for sheets.
        file: its name.
        evidence: SHA-256 of it.
        vantage: from where it looked.
        time: when, for flaws that tell no time of their own; None: when it arrives.
    """

    tool: str
    file: str
    evidence: str
    vantage: str
    time: datetime | None = None


@dataclass(slots=True)
class FlawTally:
    """What became of a report.

    Attributes:
        opened: findings that are new.
        reopened: findings that came back.
        known: findings it saw again.
        informational: what it calls no weakness; counted, nothing is made of it.
        lost: what could not be read.
    """

    opened: int = 0
    reopened: int = 0
    known: int = 0
    informational: int = 0
    lost: list[str] = field(default_factory=list)


def take_flaws(context: Context, unit: Unit, report: Report, flaws: Iterable[ReportedFlaw | Loss]) -> FlawTally:
    """Bring the unit's findings up to date with a report, in one transaction; the same report again changes nothing.

    Raises:
        ParseError: nothing of it could be read, or an address of it must stay out; nothing was changed.
        UsageError: the unit's networks were changed while it was read.
    """
    now = context.clock()
    tally = FlawTally()
    networks = read_networks(context.database, unit.code)
    found = _gather(tally, flaws, unit, report, networks, now)
    admit(context, unit, addresses_of(flaw for flaw, _ in found.values()), report.file)
    with context.database.transaction(context.actor, now) as transaction:
        admit(context, unit, addresses_of(flaw for flaw, _ in found.values()), report.file)
        if read_networks(context.database, unit.code) != networks:
            raise UsageError(f"{report.file}: the networks of {unit.name} were changed meanwhile; import it again")
        if _take(transaction, unit, [finding for _, finding in found.values()], tally, now):
            counts = {"opened": tally.opened, "reopened": tally.reopened, "known": tally.known}
            after = {"file": report.file, "tool": report.tool, "evidence": report.evidence, **counts}
            transaction.audit("report.import", f"unit {unit.code}", after=after)
    return tally


def addresses_of(flaws: Iterable[ReportedFlaw | Loss]) -> Iterator[IPAddress]:
    """Give the addresses flaws name, as often as they do."""
    return (one.address for one in flaws if isinstance(one, ReportedFlaw) and one.address is not None)


def rehome_findings(transaction: Transaction, unit: Unit, findings: Iterable[Finding]) -> int:
    """Give findings others told of the networks their addresses lie in now; tells how many moved.

    Our own findings are judged anew instead. One that would meet its like in the other network stays where it is.
    """
    networks = read_networks(transaction.database, unit.code)
    moved = 0
    for finding in findings:
        address = address_of_subject(finding.key.subject)
        if finding.source in JUDGED or address is None or not finding.key.network:
            continue
        network, _ = choose_network(networks, address)
        key = replace(finding.key, network=network.id)
        if key != finding.key and key not in read_by_subjects(
            transaction.database, unit.code, [(network.id, key.subject)]
        ):
            write_findings(transaction, [(replace(finding, key=key), finding.state, "")])
            moved += 1
    return moved


def _gather(
    tally: FlawTally,
    flaws: Iterable[ReportedFlaw | Loss],
    unit: Unit,
    report: Report,
    networks: tuple[Network, ...],
    now: datetime,
) -> dict[FindingKey, tuple[ReportedFlaw, Finding]]:
    """Give a finding for each flaw and place; of several rows about one the worst speaks, of equal ones the newest."""
    found: dict[FindingKey, tuple[ReportedFlaw, Finding]] = {}
    for one in flaws:
        if isinstance(one, Loss):
            tally.lost.append(f"{one.where}: {one.what}" if one.where else one.what)
        elif one.severity is Severity.INFORMATIONAL:
            tally.informational += 1
        else:
            finding = _build(one, unit, report, networks, now)
            known = found.get(finding.key)
            found[finding.key] = (one, finding) if known is None else _join(known, (one, finding))
    return found


def _join(known: tuple[ReportedFlaw, Finding], other: tuple[ReportedFlaw, Finding]) -> tuple[ReportedFlaw, Finding]:
    flaw, words = min(known, other, key=lambda pair: (pair[1].severity.rank, -pair[1].last_seen.timestamp()))
    first = min(known[1].first_seen, other[1].first_seen)
    return flaw, replace(words, first_seen=first, last_seen=max(known[1].last_seen, other[1].last_seen))


def _build(flaw: ReportedFlaw, unit: Unit, report: Report, networks: tuple[Network, ...], now: datetime) -> Finding:
    seen_at = min(flaw.time or report.time or now, now)
    network = choose_network(networks, flaw.address)[0].id if flaw.address is not None else 0
    title, solution = cut_links(flaw.title or flaw.check), cut_links(flaw.solution)
    facts = (
        ("tool", report.tool),
        ("vantage", report.vantage),
        ("port", flaw.port or ""),
        ("service", flaw.service),
        ("references", flaw.references),
    )
    return Finding(
        id=0,
        number="",
        key=FindingKey(unit.code, f"report.{report.tool}.{flaw.check or 'untold'}", network, _subject(flaw)),
        source=FindingSource.REPORT,
        severity=flaw.severity,
        state=FindingState.OPEN,
        first_seen=seen_at,
        last_seen=seen_at,
        evidence=report.evidence,
        title_zh=title,
        title_en=title,
        remediation_zh=solution,
        remediation_en=solution,
        detail=build_detail(tuple((name, value) for name, value in facts if value)),
        reference=" ".join((flaw.check, *flaw.references))[:400],
    )


def _subject(flaw: ReportedFlaw) -> str:
    if flaw.address is None:
        return flaw.name
    if not flaw.port:
        return str(flaw.address)
    return endpoint_text(EndpointKey(0, "", flaw.address, flaw.proto, flaw.port))


def address_of_subject(subject: str) -> IPAddress | None:
    """Give the address a subject names: `10.0.0.5`, `10.0.0.5:443/tcp`, `[2001:db8::5]:443/tcp`, `http://10.0.0.5/a`."""
    if "://" in subject:
        try:
            return read_subject(subject).address
        except ValueError:
            return None
    bare = subject.rpartition(":")[0].strip("[]") if subject.endswith(("/tcp", "/udp")) else subject
    return parse_address(bare)


def _take(transaction: Transaction, unit: Unit, found: list[Finding], tally: FlawTally, now: datetime) -> bool:
    """Write what changed; tells whether anything did."""
    subjects = ((one.key.network, one.key.subject) for one in found)
    known = read_by_subjects(transaction.database, unit.code, subjects)
    steps = [take_report(known.get(one.key), one, now) for one in found]
    for step in steps:
        if not step.before:
            tally.opened += 1
        elif step.before != step.finding.state and step.finding.state is FindingState.OPEN:
            tally.reopened += 1
        else:
            tally.known += 1
    changed = [step for step in steps if step.reason or step.finding != known.get(step.finding.key)]
    write_findings(transaction, ((step.finding, step.before, step.reason) for step in changed))
    return bool(changed)
