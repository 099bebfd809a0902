"""Counters of units in; their scores by the tables of the rules out, now or as they were frozen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sentinel.assess.score import choose_table, score_unit
from sentinel.assess.score_table import load_tables
from sentinel.model.moment import SHANGHAI
from sentinel.model.score import Score, ScoreTable
from sentinel.model.snapshot import Snapshot
from sentinel.model.unit import Unit
from sentinel.schedule.context import Context
from sentinel.store.snapshots import read_own_counts

Counts = Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Ranked:
    """One unit in a ranking.

    Attributes:
        place: from 1; units of equal points and overdue findings share one; None: not rated.
        unit: the unit.
        low: points if all that is not known is bad; None: not rated.
        high: points if all that is not known is good.
        overdue: findings past their deadline; None: not known.
    """

    place: int | None
    unit: Unit
    low: float | None
    high: float | None
    overdue: int | None


def read_tables(context: Context) -> tuple[ScoreTable, ...]:
    """Load the score tables of the installation and of the home.

    Raises:
        RuleError: a table has mistakes.
    """
    return load_tables(context.rule_folders)


def score_counts(tables: Iterable[ScoreTable], unit: Unit, counts: Counts, at: datetime) -> Score | None:
    """Score a unit by the table in force at a moment; None where no table is for its kind."""
    table = choose_table(tables, unit.kind.value, at.astimezone(SHANGHAI).date())
    return None if table is None else score_unit(table, counts)


def count_score(score: Score | None) -> dict[str, int]:
    """Write a score as counters, in tenths of a point; one that is not rated has none."""
    if score is None or score.unrated:
        return {}
    return {"score_low": round(score.low * 10), "score_high": round(score.high * 10)}


def rank_units(context: Context, top: Unit, units: Iterable[Unit], snapshot: Snapshot) -> Iterator[Ranked]:
    """Yield the frozen scores of units below one, the best first: by lower bound, then fewer overdue, then code.

    Units without a score come last and have no place.
    """
    counts = read_own_counts(context.database, snapshot.id, top, ("score_low", "score_high", "overdue"))
    rows = [(unit, counts[unit.code]) for unit in units if unit.code in counts]
    rated = [(unit, one) for unit, one in rows if one["score_low"] is not None]
    rated.sort(key=lambda row: (-(row[1]["score_low"] or 0), row[1]["overdue"] or 0, row[0].code))
    place, before = 0, None
    for number, (unit, one) in enumerate(rated, start=1):
        mark = (one["score_low"], one["overdue"])
        place, before = (place if mark == before else number), mark
        yield Ranked(place, unit, (one["score_low"] or 0) / 10, (one["score_high"] or 0) / 10, one["overdue"])
    for unit, one in rows:
        if one["score_low"] is None:
            yield Ranked(None, unit, None, None, one["overdue"])
