"""How everything registered or seen stands in; the chapter of the register out, as `register reconcile` counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sentinel.model.facts import UnitFacts
from sentinel.model.system import SystemState
from sentinel.model.upkeep import PlaceKind, PlaceStanding, PlaceState
from sentinel.report.clean import clean
from sentinel.report.place_words import place_kind, place_reason, place_state, system_state
from sentinel.report.values import Bar, Chart, Segment, Text
from sentinel.report.view_scope import has_looked
from sentinel.report.words import text

_TONES: Final = {
    PlaceState.OFF_CAMPUS: "critical",
    PlaceState.UNREGISTERED: "high",
    PlaceState.ZOMBIE: "high",
    PlaceState.STALE: "medium",
    PlaceState.UNSEEN: "muted",
    PlaceState.OFFLINE: "soft",
    PlaceState.UNCHECKED: "unknown",
    PlaceState.RETIRED: "muted",
    PlaceState.SEEN: "accent",
}
_TOLD: Final = (PlaceState.OFF_CAMPUS, PlaceState.ZOMBIE, PlaceState.STALE, PlaceState.UNSEEN, PlaceState.UNREGISTERED)
"""What is listed one by one, in this order: what asks most for somebody; hosts to register last, for they are many."""


@dataclass(frozen=True, slots=True)
class StateLine:
    """A state, and how many of each kind stand in it first of all, in the order of kinds."""

    state: Text
    counts: tuple[int, ...]
    total: int


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """One thing that asks for somebody."""

    kind: Text
    name: str
    state: Text
    reason: Text
    system: str
    department: str


@dataclass(frozen=True, slots=True)
class DueLine:
    """A system that is to be confirmed."""

    name: str
    department: str
    due: datetime
    overdue: bool


@dataclass(frozen=True, slots=True)
class RegisterBlock:
    """The chapter of the register.

    Attributes:
        registered: there is a register: a line or a system.
        compared: something was seen to hold it against.
        domains: the unit's own domains are set; else off campus is not checked.
        kinds: what the columns count.
        states: a line for each state something is in, what asks most first.
        chart: the same as a picture.
        systems: systems declared.
        steps: how many of them stand where on their way through the register.
        due: systems to be confirmed, overdue ones first.
        overdue: how many of these are overdue.
        places: what asks for somebody, one by one.
    """

    registered: bool
    compared: bool
    domains: bool
    kinds: tuple[Text, ...]
    states: tuple[StateLine, ...]
    chart: Chart
    systems: int
    steps: tuple[tuple[Text, int], ...]
    due: tuple[DueLine, ...]
    overdue: int
    places: tuple[PlaceLine, ...]


def count_places(places: Iterable[PlaceStanding]) -> dict[PlaceKind, Counter[PlaceState]]:
    """Count by kind and by the state that asks most; every kind is there."""
    counts: dict[PlaceKind, Counter[PlaceState]] = {kind: Counter() for kind in PlaceKind}
    for one in places:
        counts[one.kind][one.mark.state] += 1
    return counts


def build_register_block(facts: UnitFacts) -> RegisterBlock:
    """Build the chapter from how everything stands at the end of the period."""
    counts = count_places(facts.places)
    kinds = (PlaceKind.SYSTEM, PlaceKind.HOST, PlaceKind.LINE, PlaceKind.DOMAIN)
    lines = [(state, tuple(counts[kind][state] for kind in kinds)) for state in PlaceState]
    steps = Counter(one.state for one in facts.systems)
    due = tuple(
        DueLine(clean(one.facts.name, 60), clean(one.facts.department, 40), moment, moment < facts.generated_at)
        for one, moment in facts.confirm_due
    )
    return RegisterBlock(
        registered=bool(facts.standing.lines or facts.systems),
        compared=has_looked(facts),
        domains=facts.knows_domains,
        kinds=tuple(place_kind(kind) for kind in kinds),
        states=tuple(StateLine(place_state(state), found, sum(found)) for state, found in lines if any(found)),
        chart=_chart(lines),
        systems=len(facts.systems),
        steps=tuple((system_state(state), steps[state]) for state in SystemState if steps[state]),
        due=due,
        overdue=sum(one.overdue for one in due),
        places=tuple(_place(one) for state in _TOLD for one in facts.places if one.mark.state is state),
    )


def _chart(lines: Iterable[tuple[PlaceState, tuple[int, ...]]]) -> Chart:
    found = [(state, sum(counts)) for state, counts in lines if any(counts)]
    bars = tuple(
        Bar(place_state(state), (Segment(_TONES[state], count),), text("count", n=count)) for state, count in found
    )
    told = [(place_state(state), count) for state, count in found]
    alt = Text(
        "登记核对：" + "，".join(f"{word.zh} {count}" for word, count in told),
        "register: " + ", ".join(f"{word.en} {count}" for word, count in told),
    )
    empty = Bar(text("not_checked"), (), text("not_checked"), unknown=True)
    return Chart(bars or (empty,), Text("项", "items"), alt if told else text("not_checked"))


def _place(one: PlaceStanding) -> PlaceLine:
    return PlaceLine(
        place_kind(one.kind),
        clean(one.name, 80),
        place_state(one.mark.state),
        place_reason(one.mark),
        clean(one.system, 60),
        clean(one.department, 40),
    )
