"""Catalogues, rules and questions as their files tell them in; catalogues whose clauses know their rules out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from sentinel.assess.catalogues import ControlFile
from sentinel.assess.questions import QuestionLine
from sentinel.errors import Mistake
from sentinel.model.control import Catalogue, Clause, Question
from sentinel.model.rule import Rule

Files = Sequence[tuple[str, ControlFile]]
QuestionFiles = Sequence[tuple[str, tuple[QuestionLine, ...]]]


def list_tags(catalogues: Iterable[Catalogue]) -> dict[str, dict[str, str]]:
    """Give the clauses tags may point at: by what the tag begins with, the ids by their lower-case form."""
    spaces: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for catalogue in catalogues:
        spaces[catalogue.tag].update((clause.id.lower(), clause.id) for clause in catalogue.clauses)
    return dict(spaces)


def link_catalogues(
    catalogues: Sequence[Catalogue], rules: Iterable[Rule], questions: Iterable[Question]
) -> tuple[Catalogue, ...]:
    """Give each clause the rules that speak to it by their tags and through other clauses, and the questions it names.

    In a catalogue that is `tagged` a rule refutes the clauses it is tagged with, unless `partial_by` names it, or
    only suspicions speak to the clause.
    """
    by_tag: defaultdict[str, list[str]] = defaultdict(list)
    for rule in sorted(rules, key=lambda one: one.name):
        for tag in rule.tags:
            by_tag[tag].append(rule.name)
    tagged = [_take_tags(one, by_tag) if one.tagged else one for one in catalogues]
    known = {f"{one.tag}.{clause.id.lower()}": clause for one in tagged for clause in one.clauses}
    asked = {one.id: one for one in questions}
    return tuple(_complete(one, known, asked) for one in tagged)


def _take_tags(catalogue: Catalogue, by_tag: Mapping[str, list[str]]) -> Catalogue:
    def take(clause: Clause) -> Clause:
        names = by_tag.get(f"{catalogue.tag}.{clause.id.lower()}", [])
        return _add(clause, (), names) if clause.suspects else _add(clause, names, ())

    return replace(catalogue, clauses=tuple(map(take, catalogue.clauses)))


def _complete(catalogue: Catalogue, known: Mapping[str, Clause], asked: Mapping[str, Question]) -> Catalogue:
    clauses = []
    for clause in catalogue.clauses:
        for tag in clause.rules_of:
            if tag in known:
                clause = _add(clause, known[tag].refuted_by, known[tag].partial_by)
                clause = replace(clause, reported=clause.reported or known[tag].reported)
        clauses.append(clause)
    named = dict.fromkeys(one.attested_by for one in clauses if one.attested_by in asked)
    return replace(catalogue, clauses=tuple(clauses), questions=tuple(asked[name] for name in named))


def _add(clause: Clause, refuting: Iterable[str], weaker: Iterable[str]) -> Clause:
    """Add rules to a clause; one it names itself stays where it named it."""
    own = {*clause.refuted_by, *clause.partial_by}
    more = [name for name in dict.fromkeys(refuting) if name not in own]
    less = [name for name in dict.fromkeys(weaker) if name not in own and name not in more]
    return replace(clause, refuted_by=(*clause.refuted_by, *more), partial_by=(*clause.partial_by, *less))


def find_unlinked(files: Files, questions: QuestionFiles) -> Iterator[Mistake]:
    """Give every clause that points at a clause, a catalogue or a question nobody wrote, and questions asked twice.

    Questions are looked up only where there are any at all.
    """
    catalogues = [(path, file, one) for path, file in files for one in file.catalogues]
    spaces = list_tags(one for _, _, one in catalogues)
    tags = {f"{space}.{name}" for space, names in spaces.items() for name in names}
    ids = {one.id for _, _, one in catalogues}
    asked = {row.question.id for _, rows in questions for row in rows}
    found = set()
    for path, file, one in catalogues:
        if one.inherits and one.inherits not in ids:
            found.add(Mistake(path, 1, f"catalogue {one.id!r} inherits unknown catalogue {one.inherits!r}"))
        for clause in one.clauses:
            line = file.lines[clause.id]
            lost = [tag for tag in clause.rules_of if tag not in tags]
            found |= {Mistake(path, line, f"rules_of names unknown clause {tag!r}") for tag in lost}
            if asked and clause.attested_by and clause.attested_by not in asked:
                found.add(Mistake(path, line, f"attested_by names unknown question {clause.attested_by!r}"))
    yield from sorted(found)
    yield from _asked_twice(questions)


def _asked_twice(questions: QuestionFiles) -> Iterator[Mistake]:
    seen: dict[str, str] = {}
    for path, rows in questions:
        for row in rows:
            if row.question.id in seen:
                yield Mistake(path, row.line, f"question {row.question.id!r} is already in {seen[row.question.id]}")
            seen.setdefault(row.question.id, f"{path}:{row.line}")
