"""A pack and subjects in, detections out: every rule that fires, in the order of the subjects and of the rule names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache

from sentinel.assess.column import Column, Question, take_questions
from sentinel.assess.compile import Predicate, compile_term
from sentinel.assess.pack import Pack
from sentinel.assess.rulefile import CompiledRule
from sentinel.assess.term import Term
from sentinel.model.rule import Category, Detection, FieldValue, Rule, Subject

_FIRST = ("service", "port", "guessed", "internet", "zone", "whitelist", "in_scope", "product", "version")


class Dispatch:
    """The rules of one category, asked all at once: each field of a subject is looked up for all of them together."""

    __slots__ = ("_columns", "_everyone", "_late", "_rules")

    def __init__(self, rules: Iterable[CompiledRule]) -> None:
        self._rules = tuple(rules)
        self._everyone = (1 << len(self._rules)) - 1
        self._late: list[Predicate | None] = []
        questions: dict[str, list[tuple[int, Question]]] = {}
        for number, one in enumerate(self._rules):
            asked, rest = take_questions(one.term)
            for question in asked:
                questions.setdefault(question.field, []).append((number, question))
            self._late.append(compile_term(Term("all", args=tuple(rest))).holds if rest else None)
        self._columns = [
            (name, Column(questions[name], len(self._rules))) for name in sorted(questions, key=_earliness)
        ]

    def find(self, fields: Mapping[str, FieldValue]) -> list[CompiledRule]:
        """Give the rules that fire, in the order they were taken."""
        left, get, found = self._everyone, fields.get, list[CompiledRule]()
        for name, column in self._columns:
            left &= column[get(name)]
            if not left:
                return found
        while left:
            lowest = left & -left
            left ^= lowest
            number = lowest.bit_length() - 1
            late = self._late[number]
            if late is None or late(fields):
                found.append(self._rules[number])
        return found


def _earliness(name: str) -> tuple[int, str]:
    """Sort fields so that those that rule out most, and whose values repeat most, are looked up first."""
    return _FIRST.index(name) if name in _FIRST else len(_FIRST), name


def judge(pack: Pack, subjects: Iterable[Subject], now: datetime) -> Iterator[Detection]:
    """Yield a detection for each rule that fires on each subject; rules outside their validity stay quiet."""
    tables = _tables(pack, tuple(is_in_force(one.rule, now) for one in pack.compiled))
    for subject in subjects:
        for one in tables[subject.category].find(subject.fields):
            yield Detection(one.rule, subject, one.part.fields)


@lru_cache(maxsize=8)
def _tables(pack: Pack, in_force: tuple[bool, ...]) -> Mapping[Category, Dispatch]:
    """Build the tables of the rules in force; they serve until another rule comes into force."""
    rules = [one for one, valid in zip(pack.compiled, in_force, strict=True) if valid]
    return {category: Dispatch(one for one in rules if one.rule.category is category) for category in Category}


def is_in_force(rule: Rule, now: datetime) -> bool:
    """Tell whether the rule may fire at `now`."""
    return (rule.valid_from is None or rule.valid_from <= now) and (rule.valid_to is None or now <= rule.valid_to)
