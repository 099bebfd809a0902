"""All that is known of one unit at one moment: what reports are built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sentinel.model.control import Catalogue, ClauseVerdict
from sentinel.model.endpoint import Change, Host, MapRow, Run
from sentinel.model.finding import Finding
from sentinel.model.flow import FlowDetection
from sentinel.model.publication import Publication
from sentinel.model.result import Method
from sentinel.model.scope import Authorisation
from sentinel.model.silence import Silence
from sentinel.model.snapshot import Snapshot
from sentinel.model.standing import Reconciliation
from sentinel.model.system import InformationSystem
from sentinel.model.unit import IPAddress, Network, Unit
from sentinel.model.upkeep import PlaceStanding


@dataclass(frozen=True, slots=True)
class Period:
    """A span of time with its label, both ends included.

    Attributes:
        start: first moment.
        end: last moment.
        label: as printed, e.g. `2026-10`, `2026-10-26/2026-11-25`.
    """

    start: datetime
    end: datetime
    label: str


@dataclass(frozen=True, slots=True)
class NetworkCoverage:
    """How much of one network the newest finished scans looked at.

    Attributes:
        network: its name.
        planned: addresses of hosts in its prefixes; 0 when it has none.
        covered: addresses finished by a scan in the period.
        ports: port set asked, for people, e.g. `tcp 1-1024`.
        newest: end of the newest run that covered any of it.
        prefixes: how many prefixes it has.
    """

    network: str
    planned: int
    covered: int
    ports: str = ""
    newest: datetime | None = None
    prefixes: int = 0


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """One unit at one moment.

    Attributes:
        unit: the unit.
        networks: its networks.
        rows: open endpoints, sorted by network, address, protocol, port; of hosts that answer on whatever port they are
            asked only those where a service spoke.
        hosts: hosts with an open endpoint or seen in the period.
        findings: all findings that are live, exempted, or were closed in the period.
        changes: differences of the map between the period's start and end.
        runs: runs of the period, newest first.
        verdicts: verdicts of the control catalogues.
        flows: mining detections of the period.
        coverage: coverage by network.
        whitelist_entries: entries in force.
        period: the period reported.
        generated_at: when the facts were read.
        pack_hash: SHA-256 over the rule pack that judged.
        exercise: name of the drill these facts belong to; empty for real facts.
        captures_analysed: capture files analysed in the period; 0 means mining was not looked for.
        silent_hosts: hosts that no longer answer (endpoints in state unknown).
        catalogues: the catalogues the verdicts speak of, for their titles; the id stands for one that is missing.
        answering: hosts that answer on whatever port they are asked, as (network, address, ports left out of rows).
        standing: the register against what was seen, the persons in it not opened; without lines there is no register.
        owners: department that answers for a finding (责任部门), by the finding's row id, where the register tells one.
        authorisations: authorisations to scan that were not withdrawn, expired ones too.
        contacts: persons the unit named to be called.
        sources: all runs up to the moment reported, newest first, those before the period too.
        silences: how long nothing arrived by each channel, at the moment of the report.
        unjudged: scans, imports and captures that no rule was applied to yet; no count of findings speaks of them.
        systems: information systems declared at that moment, the persons in them not opened.
        places: how systems, hosts, lines of which nothing was seen, and domains stand.
        confirm_due: systems to be confirmed within 30 days, with the moment; the earliest, overdue ones, first.
        knows_domains: the unit's own domains are set, so that off campus (双非) can be told.
        published: publications in force (公网映射), by public address and port.
        method: how ranges of the self-check are counted.
    """

    unit: Unit
    networks: tuple[Network, ...]
    rows: tuple[MapRow, ...]
    hosts: tuple[Host, ...]
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]
    runs: tuple[Run, ...]
    verdicts: tuple[ClauseVerdict, ...]
    flows: tuple[FlowDetection, ...]
    coverage: tuple[NetworkCoverage, ...]
    whitelist_entries: int
    period: Period
    generated_at: datetime
    pack_hash: str
    exercise: str = ""
    captures_analysed: int = 0
    silent_hosts: int = 0
    catalogues: tuple[Catalogue, ...] = ()
    answering: tuple[tuple[str, IPAddress, int], ...] = ()
    standing: Reconciliation = field(default_factory=Reconciliation)
    owners: Mapping[int, str] = field(default_factory=dict)
    authorisations: tuple[Authorisation, ...] = ()
    contacts: int = 0
    sources: tuple[Run, ...] = ()
    silences: tuple[Silence, ...] = ()
    unjudged: int = 0
    systems: tuple[InformationSystem, ...] = ()
    places: tuple[PlaceStanding, ...] = ()
    confirm_due: tuple[tuple[InformationSystem, datetime], ...] = ()
    knows_domains: bool = False
    published: tuple[Publication, ...] = ()
    method: Method = Method.RATE_2025


@dataclass(frozen=True, slots=True)
class UnitSummary:
    """The counters of one unit at one moment, as a centre reads them.

    Attributes:
        unit: the unit.
        hosts: hosts with an open endpoint.
        endpoints: open endpoints.
        live: live findings by severity, e.g. `{"high": 3}`; absent severities are zero.
        overdue: live findings past their due time.
        closed: findings closed for good in the period; those that wait for their issuer are not.
        mining_hosts: hosts with proven mining in the period; None: no capture was analysed.
        suspect_hosts: hosts with suspected mining only.
        planned: addresses in the declared prefixes.
        covered: addresses finished by a scan in the period.
        last_run: end of the newest run; None: nothing ever arrived.
        nonconform: clauses proven not to be met.
        answered: clauses with any verdict but unknown.
        clauses: clauses in the catalogue.
        unlisted: open endpoints the whitelist does not allow; None: there is no whitelist.
        unjudged: scans, imports and captures that no rule was applied to yet.
    """

    unit: Unit
    hosts: int
    endpoints: int
    live: Mapping[str, int]
    overdue: int
    closed: int
    mining_hosts: int | None
    suspect_hosts: int
    planned: int
    covered: int
    last_run: datetime | None
    nonconform: int
    answered: int
    clauses: int
    unlisted: int | None
    unjudged: int = 0


@dataclass(frozen=True, slots=True)
class CentreFacts:
    """Several units at one moment, for the centre's overview.

    Attributes:
        centre: the unit at the top of the subtree reported.
        units: all units of the subtree, parents before children.
        summaries: one for each unit that owns networks or findings (schools, bureaus).
        catalogue: title of the catalogue the clause counters come from.
        catalogue_en: the same in English.
        period: the period reported.
        generated_at: when the facts were read.
        pack_hash: SHA-256 over the rule pack that judged.
        exercise: name of the drill these facts belong to; empty for real facts.
        own: the unit at the top by itself, where a report shows it too; None: it is not shown, or has nothing to show.
        frozen: the snapshot the summaries are read from; None: they are counted now.
    """

    centre: Unit
    units: tuple[Unit, ...]
    summaries: tuple[UnitSummary, ...]
    catalogue: str
    period: Period
    generated_at: datetime
    pack_hash: str
    exercise: str = ""
    catalogue_en: str = ""
    own: UnitFacts | None = None
    frozen: Snapshot | None = None
