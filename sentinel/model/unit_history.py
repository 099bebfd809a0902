"""What a unit was called and where it stood, day by day: a timeline and a dated change in, the new timeline out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sentinel.model.unit import Unit, UnitLevel
from sentinel.model.unit_kind import UnitKind

DATED = ("name", "level", "parent", "region", "kind", "affiliation")
"""Fields whose changes are dated."""


@dataclass(frozen=True, slots=True)
class UnitState:
    """What a unit was in one span of time.

    Attributes:
        name: its name then.
        level: its level then.
        parent: code of the unit above then.
        region: place then.
        kind: what it was then.
        affiliation: who ran it then.
        since: first moment of the span; None: as long as anybody knows.
        until: first moment after it; None: it lasts.
        why: why it began (the paper or the file that said so).
        by: who entered it.
    """

    name: str
    level: UnitLevel = UnitLevel.SCHOOL
    parent: str = ""
    region: str = ""
    kind: UnitKind = UnitKind.UNKNOWN
    affiliation: str = ""
    since: datetime | None = None
    until: datetime | None = None
    why: str = ""
    by: str = ""

    @classmethod
    def of(cls, unit: Unit, why: str = "", by: str = "") -> UnitState:
        """Give the present state of a unit."""
        fields = {name: getattr(unit, name) for name in DATED}
        return cls(**fields, since=unit.since, why=why, by=by)

    def holds(self, at: datetime) -> bool:
        """Tell whether the span holds a moment."""
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)

    def says(self) -> tuple[object, ...]:
        """Give what is dated of it, without the dates."""
        return tuple(getattr(self, name) for name in DATED)


Timeline = tuple[UnitState, ...]
"""Spans without a gap, oldest first; the first begins with time (`since` None), the last one lasts."""


def change_timeline(
    timeline: Sequence[UnitState], at: datetime, fields: Mapping[str, object], why: str, by: str
) -> Timeline:
    """Let fields have other values from a moment on.

    A value lasts until the next change of its field that is known already: what arrives late changes the past and
    leaves the present as it is. Spans that say the same as the one before are joined to it.

    Raises:
        ValueError: a field is not dated.
    """
    if set(fields) - set(DATED):
        raise ValueError(f"not dated: {sorted(set(fields) - set(DATED))}")
    place = next(number for number, one in enumerate(timeline) if one.holds(at))
    held = timeline[place]
    spans = list(timeline[:place])
    if held.since != at:
        spans.append(replace(held, until=at))
    later = [replace(held, since=at, why=why, by=by), *timeline[place + 1 :]]
    left = {name: value for name, value in fields.items() if getattr(held, name) != value}
    for one in later:
        left = {name: value for name, value in left.items() if getattr(one, name) == getattr(held, name)}
        spans.append(replace(one, **left) if left else one)  # type: ignore[arg-type]  # dated fields, as checked above
    return _join(spans)


def _join(spans: Sequence[UnitState]) -> Timeline:
    joined: list[UnitState] = []
    for one in spans:
        if joined and joined[-1].says() == one.says():
            joined[-1] = replace(joined[-1], until=one.until)
        else:
            joined.append(one)
    return tuple(joined)


def state_at(timeline: Sequence[UnitState], at: datetime) -> UnitState:
    """Give the state at a moment."""
    return next(one for one in timeline if one.holds(at))
