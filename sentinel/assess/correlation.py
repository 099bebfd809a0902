"""Detections of a unit in; those of correlation rules, which count them by group, out.

Over states (what is open, shown, registered) a rule counts what the unit's current map holds. Over events it counts
what falls into a span of time. Source: Sigma specification 2.1, correlation rules.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sentinel.model.rule import Category, Detection, FieldValue, Rule, Subject

OPERATORS: dict[str, Callable[[int, int], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "eq": operator.eq,
    "neq": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Correlation:
    """One correlation rule.

    Attributes:
        rule: the rule; its `correlates` names what it counts.
        group_by: fields whose values part the detections into groups; none: all of the unit together.
        counted: field whose different values are counted; empty: the subjects are.
        op: `lt`, `lte`, `gt`, `gte`, `eq` or `neq`.
        limit: what the count is compared with.
        timespan_s: span of time in seconds for events; 0 for states.
        generate: the rules it counts make findings of their own too.
    """

    rule: Rule
    group_by: tuple[str, ...]
    counted: str
    op: str
    limit: int
    timespan_s: int
    generate: bool

    def holds(self, count: int) -> bool:
        """Tell whether a count fires the rule."""
        return OPERATORS[self.op](count, self.limit)


@dataclass(slots=True)
class _Group:
    """What fell into one group: (moment, what is counted) of each detection, and the newest of these."""

    hits: list[tuple[datetime, FieldValue | str]] = field(default_factory=list)
    newest: Detection | None = None


class Correlator:
    """Counts the detections of one unit."""

    def __init__(self, correlations: Iterable[Correlation], now: datetime) -> None:
        self._now = now
        self._counts = [(one, dict[tuple[FieldValue, ...], _Group]()) for one in correlations]
        self._hidden = frozenset(
            name for one, _ in self._counts if not one.generate for name in one.rule.correlates
        ) - frozenset(name for one, _ in self._counts if one.generate for name in one.rule.correlates)

    def take(self, detections: Iterable[Detection]) -> Iterator[Detection]:
        """Count detections and pass on those that are to become findings of their own."""
        for detection in detections:
            name = detection.rule.name
            for one, groups in self._counts:
                if name in one.rule.correlates:
                    self._count(one, groups, detection)
            if name not in self._hidden:
                yield detection

    def finish(self, unit: str) -> Iterator[Detection]:
        """Yield a detection for each group whose count fires a rule, in the order of rules and groups."""
        for one, groups in self._counts:
            if not one.group_by and not one.timespan_s:
                groups.setdefault((), _Group())  # that there is none may be what the rule is about
            for values, group in sorted(groups.items(), key=lambda item: [str(value) for value in item[0]]):
                count = _fired(one, group)
                if count is not None:
                    yield self._detect(one, unit, values, group, count)

    def _count(self, one: Correlation, groups: dict[tuple[FieldValue, ...], _Group], detection: Detection) -> None:
        subject = detection.subject
        values = tuple(subject.fields.get(name) for name in one.group_by)
        if any(value is None for value in values):
            return
        counted = subject.fields.get(one.counted) if one.counted else f"{subject.network} {subject.text}"
        if counted is None:
            return
        group = groups.setdefault(values, _Group())
        moment = subject.seen_at or self._now
        group.hits += ((moment, item) for item in (counted if isinstance(counted, tuple) else (counted,)))
        if group.newest is None or moment >= (group.newest.subject.seen_at or self._now):
            group.newest = detection

    def _detect(
        self, one: Correlation, unit: str, values: tuple[FieldValue, ...], group: _Group, count: int
    ) -> Detection:
        newest = group.newest.subject if group.newest else None
        fields: dict[str, FieldValue] = dict(zip(one.group_by, values, strict=True)) | {"count": count}
        subject = Subject(
            category=one.rule.category,
            unit=unit,
            network=newest.network if newest and one.rule.category is Category.HOST else 0,
            text=" ".join(map(_text, values)) or unit,
            fields=fields,
            evidence=newest.evidence if newest else "",
            seen_at=newest.seen_at if newest else self._now,
        )
        return Detection(one.rule, subject, (*one.group_by, "count"))


def _fired(one: Correlation, group: _Group) -> int | None:
    """Give the count that fires the rule; None when none does."""
    if not one.timespan_s:
        count = len({item for _, item in group.hits})
        return count if one.holds(count) else None
    span, first, most = timedelta(seconds=one.timespan_s), 0, 0
    hits = sorted(group.hits, key=lambda hit: (hit[0], str(hit[1])))
    inside: dict[FieldValue | str, int] = {}
    for moment, item in hits:
        inside[item] = inside.get(item, 0) + 1
        while hits[first][0] < moment - span:
            old = hits[first][1]
            inside[old] -= 1
            if not inside[old]:
                del inside[old]
            first += 1
        count = len(inside) if one.counted else sum(inside.values())
        most = max(most, count)
    return most if most and one.holds(most) else None


def _text(value: FieldValue) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
