"""The truth of a practice school and what sentinel holds of it in; right, missed and invented out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

from sentinel.drill.place.ground import Ground
from sentinel.drill.recording.session import Recording
from sentinel.drill.school.plan import Place, PlannedChange, PlantedPort, School
from sentinel.drill.school.running import RunningSchool
from sentinel.model.endpoint import Change, ChangeKind, EndpointKey, Fingerprint, MapRow, answers_everything
from sentinel.model.finding import Finding
from sentinel.model.flow import FlowClass
from sentinel.model.rule import Severity
from sentinel.model.unit import IPAddress, Unit
from sentinel.schedule.context import Context
from sentinel.schedule.reading import read_diff, read_map
from sentinel.store.findings import read_live

JUDGED = ("exposure.", "certificate.")
"""Topics of which a practice school knows the whole truth."""

ANSWERING = "exposure.answers-everything"
_STRONGER = {"exposure.mongodb": "exposure.mongodb-no-auth"}
"""nmap 7.95 tells a range of versions on an odd port, which does not prove that no login is asked."""

_RANGES = frozenset({"mongodb", "postgresql"})
"""Services of which releases of nmap tell different ranges of versions."""

UNREGISTERED, UNLISTED = "whitelist.unlisted-host", "whitelist.unlisted-port"

Weakness = tuple[str, str]
"""Subject and rule."""


@dataclass(frozen=True, slots=True)
class Score:
    """What was planted against what was found.

    Attributes:
        planted: how many there are.
        found: how many of them were found.
        invented: how many were found that are not there.
    """

    planted: int
    found: int
    invented: int

    @property
    def is_exact(self) -> bool:
        """Everything was found and nothing invented."""
        return self.planted == self.found and not self.invented

    def without_invented(self) -> Score:
        """Count only what is there."""
        return Score(self.planted, self.found, 0)

    @classmethod
    def of(cls, planted: Iterable[object], found: Iterable[object]) -> Score:
        """Compare two sets."""
        there, seen = set(planted), set(found)
        return cls(len(there), len(there & seen), len(seen - there))


@dataclass(frozen=True, slots=True)
class Papers:
    """What a school's papers say.

    Attributes:
        missing: hosts left out of its register.
        listed: ports its whitelist allows.
    """

    missing: frozenset[IPAddress]
    listed: frozenset[Place]


@dataclass(frozen=True, slots=True)
class DemoUnit:
    """What the demonstration found at one school.

    Attributes:
        name: the school.
        ports: open ports after the change.
        identified: of them those whose service, product and version nmap can tell, told as they are.
        changes: differences between the two scans, as (kind, count).
        exact: they are just those the cues make, what changed included.
        weaknesses: planted weaknesses for which a rule exists.
        unseen: planted weaknesses nmap cannot show here, as the ports were moved.
        unlisted: ports its whitelist does not allow; None: it keeps none.
        unregistered: hosts missing in its register; None: it keeps none.
        findings: live findings by severity.
    """

    name: str
    ports: Score
    identified: Score
    changes: tuple[tuple[ChangeKind, int], ...]
    exact: bool
    weaknesses: Score
    unseen: int
    unregistered: Score | None
    unlisted: Score | None
    findings: dict[Severity, int]

    @property
    def is_exact(self) -> bool:
        """All of it is as planted."""
        papers = (self.unregistered, self.unlisted)
        told = all(score is None or score.is_exact for score in papers)
        return self.ports.is_exact and self.exact and self.weaknesses.is_exact and told


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demonstration did.

    Attributes:
        ground: where it took place.
        units: by school.
        recording: the recorded traffic.
        mining: mining conversations of it.
        mining_findings: findings that must come of them: one for each host and family, one for each host and way a
            pool's name was seen.
        papers: files the schools keep, and truth files.
        reports: files written.
        seconds: wall time.
    """

    ground: Ground
    units: tuple[DemoUnit, ...]
    recording: Recording
    mining: Score
    mining_findings: Score
    papers: tuple[Path, ...]
    reports: tuple[Path, ...]
    seconds: float


def compare(context: Context, unit: Unit, running: RunningSchool, between: datetime, papers: Papers | None) -> DemoUnit:
    """Hold what sentinel has of a school against its truth and its papers."""
    truth = running.truth()
    rows = read_map(context, unit)
    answering = _answering(rows)
    seen = {_place(row.endpoint.key) for row in rows if row.endpoint.key.address not in answering}
    changes = [
        change
        for change in read_diff(context, unit, between, context.clock())
        if change.row.endpoint.key.address not in answering
    ]
    found = list(read_live(context.database, unit.code))
    ranged = {_subject_of(row.endpoint.key) for row in rows if _is_range(row.endpoint.fingerprint)}
    planted = planted_weaknesses(running.plan, truth)
    told = {_as_planted(one.key.subject, one.key.rule, planted, ranged) for one in found if _is_judged(one.key.rule)}
    return DemoUnit(
        name=unit.name,
        ports=Score.of((row.place for row in truth), seen),
        identified=Score.of(map(_promised, filter(_is_told, truth)), (_named(row) for row in rows)).without_invented(),
        changes=tuple(sorted(Counter(change.kind for change in changes).items())),
        exact={_made(change) for change in changes} == {_meant(change) for change in running.expected_changes()},
        weaknesses=Score.of(planted, told),
        unseen=sum(len(row.unseen) for row in truth),
        unregistered=Score.of(map(str, papers.missing), _subjects(found, UNREGISTERED)) if papers else None,
        unlisted=Score.of(_unlisted(truth, papers), _subjects(found, UNLISTED)) if papers else None,
        findings=dict(Counter(one.severity for one in found)),
    )


def score_mining_findings(context: Context, unit: Unit, recording: Recording) -> Score:
    """Hold the live findings about mining against what was recorded."""
    planted = set()
    for talk in recording.conversations:
        if talk.expected == FlowClass.MINING:
            planted.add(f"{talk.client} {talk.family}")
        elif talk.expected == FlowClass.NAME:
            planted.add(f"{talk.client} {'tls' if talk.encrypted else 'dns'}")
    found = {one.key.subject for one in read_live(context.database, unit.code) if one.key.rule.startswith("mining.")}
    return Score.of(planted, found)


def planted_weaknesses(plan: School, truth: Iterable[PlantedPort]) -> set[Weakness]:
    """List what the rules must find, as they say it."""
    planted = {(_subject(row), rule) for row in truth for rule in row.weaknesses}
    return planted | {(str(address), ANSWERING) for address in plan.answering}


def _subject(row: PlantedPort) -> str:
    return _write_subject(row.address, row.port, row.proto)


def _subject_of(key: EndpointKey) -> str:
    return _write_subject(key.address, key.port, key.proto)


def _write_subject(address: IPAddress, port: int, proto: str) -> str:
    shown = f"[{address}]" if address.version == 6 else str(address)
    return f"{shown}:{port}/{proto}"


def _as_planted(subject: str, rule: str, planted: set[Weakness], ranged: set[str]) -> Weakness:
    """Take a weaker finding for the planted one where nmap told a range of versions, which proves less."""
    stronger = subject, _STRONGER.get(rule, "")
    return stronger if subject in ranged and stronger in planted else (subject, rule)


def _is_range(mark: Fingerprint) -> bool:
    return " - " in mark.version or mark.version.endswith("or later")


def _is_told(row: PlantedPort) -> bool:
    return bool(row.service)


def _promised(row: PlantedPort) -> tuple[object, ...]:
    version = "" if row.service in _RANGES else row.version
    return *row.place, row.service.lower(), row.product, version, row.tunnel


def _named(row: MapRow) -> tuple[object, ...]:
    mark = row.endpoint.fingerprint
    version = "" if mark.service in _RANGES else mark.version
    return *_place(row.endpoint.key), mark.service, mark.product, version, mark.tunnel


def _subjects(found: Iterable[Finding], rule: str) -> set[str]:
    return {one.key.subject for one in found if one.key.rule == rule}


def _unlisted(truth: Iterable[PlantedPort], papers: Papers) -> set[str]:
    return {_subject(row) for row in truth if row.place not in papers.listed}


def _is_judged(rule: str) -> bool:
    return rule.startswith(JUDGED)


def _answering(rows: Iterable[MapRow]) -> frozenset[IPAddress]:
    groups = groupby(rows, key=lambda row: row.endpoint.key.address)
    return frozenset(address for address, group in groups if answers_everything(list(group)))


def _place(key: EndpointKey) -> tuple[str, IPAddress, int]:
    return key.proto, key.address, key.port


def _made(change: Change) -> tuple[object, ...]:
    now, before = change.row.endpoint.fingerprint, change.before
    names = ("certificate", "product", "service", "version")
    what = tuple(name for name in names if before is not None and getattr(now, name) != getattr(before, name))
    return change.kind, *_place(change.row.endpoint.key), what


def _meant(change: PlannedChange) -> tuple[object, ...]:
    return change.kind, change.proto, change.address, change.port, change.what
