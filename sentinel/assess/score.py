"""A table of additions and deductions and a unit's counters in; its score with bounds, line by line, out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from sentinel.model.score import ItemScore, Measure, Score, ScoreItem, ScoreTable

Counts = Mapping[str, int | None]
COVERED, PLANNED = "addresses_covered", "addresses_planned"


def choose_table(tables: Iterable[ScoreTable], kind: str, day: date) -> ScoreTable | None:
    """Give the newest table in force on a day for a kind of unit; one for that very kind goes before one for all."""
    fit = [one for one in tables if one.valid_from <= day and (kind in one.kinds or not one.kinds)]
    return max(fit, key=lambda one: (bool(one.kinds), one.valid_from, one.id), default=None)


def score_unit(table: ScoreTable, counts: Counts) -> Score:
    """Score a unit by its counters; a counter that is absent or None is not known.

    Points stay between 0 and 100. Below the coverage the table demands there is no score, whatever else is known.
    """
    items = tuple(_score_item(item, _measure(item.measure, counts)) for item in table.items)
    crossed = tuple(
        cap for cap in table.caps if (value := _measure(cap.measure, counts)) is not None and value > cap.over
    )
    limit = min((cap.cap for cap in crossed), default=100.0)
    low = _clip(table.base + sum(one.low for one in items), limit)
    unknown = [cap.cap for cap in table.caps if _measure(cap.measure, counts) is None]
    low = min(low, *unknown) if unknown else low
    high = _clip(table.base + sum(one.high for one in items), limit)
    return Score(table, low, high, items, crossed, _why_unrated(table, counts))


def _clip(points: float, limit: float) -> float:
    return round(min(max(points, 0.0), limit), 1)


def _measure(measure: Measure, counts: Counts) -> float | None:
    value = counts.get(measure.counter)
    if value is None or not measure.of:
        return value
    parts = [counts.get(name) for name in measure.of]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or not sum(known):
        return None
    return value / sum(known)


def _score_item(item: ScoreItem, value: float | None) -> ItemScore:
    if value is None:
        most = item.most if item.each else abs(item.points)
        return ItemScore(item, None, -most if item.points < 0 else 0.0, most if item.points > 0 else 0.0)
    if item.each:
        points = max(min(item.points * value, item.most), -item.most)
    else:
        reached = item.at_least is None or value >= item.at_least
        points = item.points if reached and (item.at_most is None or value <= item.at_most) else 0.0
    return ItemScore(item, value, points, points)


def _why_unrated(table: ScoreTable, counts: Counts) -> str:
    planned, covered = counts.get(PLANNED), counts.get(COVERED)
    if not planned or covered is None:
        return "未评价：没有申报网段或从未扫描"
    if covered / planned < table.min_coverage:
        return f"未评价：扫描覆盖 {covered / planned:.0%}，不足 {table.min_coverage:.0%}"
    return ""
