"""A pack and subjects in, detections out: every rule that fires, in the order of the subjects and of the rule names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from sentinel.assess.pack import Pack
from sentinel.assess.rulefile import CompiledRule
from sentinel.model.rule import Category, Detection, FieldValue, Rule, Scalar, Subject

_MAX_REMEMBERED = 50_000


class Dispatch:
    """The rules of one category, found by the port and the service they demand."""

    __slots__ = ("_by_port", "_by_service", "_everywhere", "_remembered")

    def __init__(self, rules: Iterable[tuple[int, CompiledRule]]) -> None:
        self._by_port: dict[Scalar, list[tuple[int, CompiledRule]]] = {}
        self._by_service: dict[Scalar, list[tuple[int, CompiledRule]]] = {}
        self._everywhere: list[tuple[int, CompiledRule]] = []
        self._remembered: dict[tuple[FieldValue, FieldValue], tuple[CompiledRule, ...]] = {}
        for place, one in rules:
            demands = one.part.demands
            if "service" in demands:
                table, values = self._by_service, demands["service"]
            elif "port" in demands:
                table, values = self._by_port, demands["port"]
            else:
                self._everywhere.append((place, one))
                continue
            for value in values:
                table.setdefault(value, []).append((place, one))

    def candidates(self, subject: Subject) -> tuple[CompiledRule, ...]:
        """Give the rules that may fire on the subject, in the order of the pack."""
        port, service = subject.fields.get("port"), subject.fields.get("service")
        found = self._remembered.get((port, service))
        if found is None:
            name = service.lower() if isinstance(service, str) else None
            number = port if isinstance(port, int) else None
            rows = [*self._by_port.get(number, ()), *self._by_service.get(name, ()), *self._everywhere]
            found = tuple(one for _, one in sorted(rows, key=lambda row: row[0]))
            if len(self._remembered) < _MAX_REMEMBERED:
                self._remembered[port, service] = found
        return found


def judge(pack: Pack, subjects: Iterable[Subject], now: datetime) -> Iterator[Detection]:
    """Yield a detection for each rule that fires on each subject; rules outside their validity stay quiet."""
    rules = [(place, one) for place, one in enumerate(pack.compiled) if is_in_force(one.rule, now)]
    tables = {
        category: Dispatch((place, one) for place, one in rules if one.rule.category is category)
        for category in Category
    }
    for subject in subjects:
        for one in tables[subject.category].candidates(subject):
            if one.part.holds(subject.fields):
                yield Detection(one.rule, subject, _matched(one, subject))


def is_in_force(rule: Rule, now: datetime) -> bool:
    """Tell whether the rule may fire at `now`."""
    return (rule.valid_from is None or rule.valid_from <= now) and (rule.valid_to is None or now <= rule.valid_to)


def _matched(one: CompiledRule, subject: Subject) -> tuple[tuple[str, FieldValue], ...]:
    fields = subject.fields
    return tuple((name, fields[name]) for name in one.part.fields if fields.get(name) not in (None, ()))
