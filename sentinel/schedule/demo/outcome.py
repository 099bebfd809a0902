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
from sentinel.drill.school.plan import PlannedChange, PlantedPort, School
from sentinel.drill.school.running import RunningSchool
from sentinel.model.endpoint import Change, ChangeKind, EndpointKey, MapRow, answers_everything
from sentinel.model.rule import Severity
from sentinel.model.unit import IPAddress, Unit
from sentinel.schedule.context import Context
from sentinel.schedule.reading import read_diff, read_map
from sentinel.store.findings import read_live

JUDGED = ("exposure.", "certificate.")
"""Topics of which a practice school knows the whole truth."""

ANSWERING = "exposure.answers-everything"
_WEAKER = {"exposure.mongodb-no-auth": "exposure.mongodb"}
"""nmap 7.95 tells a range of versions on an odd port, which does not prove that no login is asked."""

UNREGISTERED = "whitelist.unlisted-host"

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

    @classmethod
    def of(cls, planted: Iterable[object], found: Iterable[object]) -> Score:
        """Compare two sets."""
        there, seen = set(planted), set(found)
        return cls(len(there), len(there & seen), len(seen - there))


@dataclass(frozen=True, slots=True)
class DemoUnit:
    """What the demonstration found at one school.

    Attributes:
        name: the school.
        ports: open ports after the change.
        changes: differences between the two scans, as (kind, count).
        exact: they are just those the cues make, what changed included.
        weaknesses: planted weaknesses for which a rule exists.
        unregistered: hosts missing in its register; None: it keeps none.
        findings: live findings by severity.
    """

    name: str
    ports: Score
    changes: tuple[tuple[ChangeKind, int], ...]
    exact: bool
    weaknesses: Score
    unregistered: Score | None
    findings: dict[Severity, int]

    @property
    def is_exact(self) -> bool:
        """All of it is as planted."""
        told = self.unregistered is None or self.unregistered.is_exact
        return self.ports.is_exact and self.exact and self.weaknesses.is_exact and told


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demonstration did.

    Attributes:
        ground: where it took place.
        units: by school.
        recording: the recorded traffic.
        mining: mining conversations of it.
        papers: files the schools keep, and truth files.
        reports: files written.
        seconds: wall time.
    """

    ground: Ground
    units: tuple[DemoUnit, ...]
    recording: Recording
    mining: Score
    papers: tuple[Path, ...]
    reports: tuple[Path, ...]
    seconds: float


def compare(
    context: Context, unit: Unit, running: RunningSchool, between: datetime, missing: frozenset[IPAddress] | None
) -> DemoUnit:
    """Hold what sentinel has of a school against its truth; `missing` are the hosts left out of its register."""
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
    told = {(one.key.subject, _WEAKER.get(one.key.rule, one.key.rule)) for one in found if _is_judged(one.key.rule)}
    listed = {one.key.subject for one in found if one.key.rule == UNREGISTERED}
    return DemoUnit(
        name=unit.name,
        ports=Score.of((row.place for row in truth), seen),
        changes=tuple(sorted(Counter(change.kind for change in changes).items())),
        exact={_made(change) for change in changes} == {_meant(change) for change in running.expected_changes()},
        weaknesses=Score.of(planted_weaknesses(running.plan, truth), told),
        unregistered=None if missing is None else Score.of(map(str, missing), listed),
        findings=dict(Counter(one.severity for one in found)),
    )


def planted_weaknesses(plan: School, truth: Iterable[PlantedPort]) -> set[Weakness]:
    """List what the rules must find, as they say it."""
    planted = {(_subject(row), _WEAKER.get(rule, rule)) for row in truth for rule in row.weaknesses}
    return planted | {(str(address), ANSWERING) for address in plan.answering}


def _subject(row: PlantedPort) -> str:
    shown = f"[{row.address}]" if row.address.version == 6 else str(row.address)
    return f"{shown}:{row.port}/{row.proto}"


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
