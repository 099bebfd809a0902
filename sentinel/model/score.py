"""Scores of units: a table of additions and deductions, and what it makes of a unit's counters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Measure:
    """What an item looks at: one counter, or its share of several.

    Attributes:
        counter: name of a counter.
        of: counters whose sum it is a share of; empty: the counter itself.
    """

    counter: str
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScoreItem:
    """One line of the table.

    Attributes:
        id: stable id, e.g. `overdue-high`.
        title_zh: what is looked at.
        title_en: the same in English.
        measure: what is looked at, as counters.
        points: added or, negative, taken off.
        each: the points are for each one counted; else once, when `at_least` or `at_most` holds.
        most: of the points for each, at most so many together, as a positive number.
        at_least: the measure must reach this.
        at_most: the measure may not exceed this.
        note: for people.
    """

    id: str
    title_zh: str
    title_en: str
    measure: Measure
    points: float
    each: bool = False
    most: float = 100.0
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class ScoreCap:
    """A red line: while it is crossed the score is not higher than `cap`."""

    id: str
    title_zh: str
    title_en: str
    measure: Measure
    over: float
    cap: float


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """A table of additions and deductions.

    Attributes:
        id: e.g. `school-2026`.
        title_zh: its name.
        title_en: the same in English.
        kinds: kinds of units it is for (`UnitKind` values); empty: all that no other table is for.
        base: points before anything is added or taken off.
        min_coverage: share of the unit's addresses that must have been looked at; below it there is no score.
        valid_from: first day it is in force.
        items: its lines.
        caps: its red lines.
        hash: SHA-256 over its file.
    """

    id: str
    title_zh: str
    title_en: str
    kinds: tuple[str, ...]
    base: float
    min_coverage: float
    valid_from: date
    items: tuple[ScoreItem, ...]
    caps: tuple[ScoreCap, ...]
    hash: str = ""


@dataclass(frozen=True, slots=True)
class ItemScore:
    """What one line made of a unit.

    Attributes:
        item: the line.
        value: the measure; None: not known.
        low: points if what is not known is bad.
        high: points if what is not known is good.
    """

    item: ScoreItem
    value: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Score:
    """The score of a unit.

    Attributes:
        table: the table.
        low: points if all that is not known is bad.
        high: points if all that is not known is good; equal to `low` when everything is known.
        items: line by line.
        caps: red lines that are crossed.
        unrated: why there is no score, in Chinese; empty when there is one.
    """

    table: ScoreTable
    low: float
    high: float
    items: tuple[ItemScore, ...]
    caps: tuple[ScoreCap, ...] = ()
    unrated: str = ""
