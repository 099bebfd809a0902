"""All that is known of one unit at one moment: what reports are built from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sentinel.model.control import ClauseVerdict
from sentinel.model.endpoint import Change, Host, MapRow, Run
from sentinel.model.finding import Finding
from sentinel.model.flow import FlowDetection
from sentinel.model.unit import Network, Unit


@dataclass(frozen=True, slots=True)
class Period:
    """A span of time with its label, both ends included.

    Attributes:
        start: first moment.
        end: last moment.
        label: as printed, e.g. `2026-10`, `2026-10-26 至 2026-11-25`.
    """

    start: datetime
    end: datetime
    label: str


@dataclass(frozen=True, slots=True)
class NetworkCoverage:
    """How much of one network the newest finished scans looked at.

    Attributes:
        network: its name.
        planned: addresses in its prefixes; 0 when it has none.
        covered: addresses finished by a scan in the period.
        ports: port set asked, for people, e.g. `tcp 1-1024`.
        newest: end of the newest run that covered any of it.
    """

    network: str
    planned: int
    covered: int
    ports: str = ""
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """One unit at one moment.

    Attributes:
        unit: the unit.
        networks: its networks.
        rows: open endpoints, sorted by network, address, protocol, port.
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
