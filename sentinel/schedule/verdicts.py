"""A unit and a moment in; the verdicts on all clauses for each of its grading objects out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sentinel.assess.controls import judge_catalogue
from sentinel.errors import UsageError
from sentinel.inventory.grading import UNIT, Ownership, list_objects
from sentinel.model.attestation import Attestation
from sentinel.model.control import Catalogue, ClauseVerdict, GradingObject, ProofState, Question
from sentinel.model.finding import Finding
from sentinel.model.unit import Unit
from sentinel.schedule.context import Context
from sentinel.schedule.judging import read_pack
from sentinel.schedule.proofs import Proofs, build_limits
from sentinel.schedule.reading import read_unit_hosts
from sentinel.schedule.upkeep import read_joined
from sentinel.store.attestations import read_attestations
from sentinel.store.findings import read_findings
from sentinel.store.units import read_networks


def read_verdicts(
    context: Context, unit: Unit, now: datetime, catalogue: str | None = None, *, cii: bool = False
) -> tuple[ClauseVerdict, ...]:
    """Judge the clauses of all catalogues, or of one, for each grading object of a unit, and for the unit as one.

    A catalogue of a level judges the objects of that level, and the unit for what belongs to none. When all are asked
    for, one of a level that no object has is left out while there are objects of another. Critical infrastructure is
    left out unless asked for.

    Raises:
        UsageError: there is no such catalogue.
    """
    catalogues = sorted(read_pack(context).catalogues, key=lambda one: one.level == 0)
    wanted = [one for one in catalogues if catalogue in (None, one.id)]
    if not wanted:
        raise UsageError(f"no such catalogue: {catalogue!r} ({', '.join(one.id for one in catalogues)})")
    case = _UnitCase(context, unit, now, cii=cii)
    plan = plan_judging(catalogues, wanted, case.objects, named=catalogue is not None)
    return tuple(verdict for one, thing in plan for verdict in case.judge(one, thing))


def plan_judging(
    catalogues: Sequence[Catalogue], wanted: Sequence[Catalogue], objects: Sequence[GradingObject], *, named: bool
) -> Iterator[tuple[Catalogue, GradingObject]]:
    """Give which catalogue judges which object; the unit as one object comes after its systems."""
    whole, systems = objects[-1], objects[:-1]
    by_level = {thing.id: choose_catalogue(catalogues, thing) for thing in systems}
    for one in wanted:
        if one.level:
            mine = [thing for thing in systems if by_level[thing.id] == one.id]
            others = any(by_level.values())
            if not mine and others and not named:
                continue
        else:
            mine = list(systems) if one.objects == "system" else []
        yield from ((one, thing) for thing in (*mine, whole))


def choose_catalogue(catalogues: Sequence[Catalogue], thing: GradingObject) -> str:
    """Give the catalogue of levels that judges an object: the highest not above its level; empty: none does."""
    fitting = [one for one in catalogues if one.level and thing.level is not None and one.level <= thing.level]
    return max(fitting, key=lambda one: one.level).id if fitting else ""


class _UnitCase:
    """All that is known of a unit, given out by object."""

    def __init__(self, context: Context, unit: Unit, now: datetime, *, cii: bool) -> None:
        register = read_joined(context, unit)
        graded = list_objects(unit.code, register.systems)
        hosts = read_unit_hosts(context, read_networks(context.database, unit.code)) if graded else ()
        entries = register.entries if graded else ()  # without a grading object everything is the unit's
        self._ownership = Ownership(entries, register.owners, register.systems, hosts, now)
        self._proofs = Proofs(context, unit, now)
        self._now = now
        self.objects = (*(one for one in graded if cii or not one.cii), GradingObject(unit.code))
        self._findings = self._share_out(context, unit)
        self._answers: defaultdict[int, dict[str, Attestation]] = defaultdict(dict)
        for told in read_attestations(context.database, unit.code):
            self._answers[told.system][told.question] = told
        self._known: dict[int, dict[str, ProofState]] = {}

    def judge(self, catalogue: Catalogue, thing: GradingObject) -> tuple[ClauseVerdict, ...]:
        """Judge one object by one catalogue; one of the unit alone sees the findings of all its objects."""
        findings = self._findings[thing.id]
        if catalogue.objects == "unit":
            every = {one.id: one for each in self.objects for one in self._findings[each.id]}
            findings = [every[key] for key in sorted(every)]
        return judge_catalogue(
            catalogue,
            thing.unit,
            thing.system,
            findings,
            self._proof(thing),
            self._now,
            level=thing.level,
            attestations=choose_answers(catalogue.questions, self._answers, thing.id),
        )

    def _proof(self, thing: GradingObject) -> dict[str, ProofState]:
        if thing.id not in self._known:
            limits = build_limits(*self._ownership.prefixes_of(thing.id)) if thing.id != UNIT else None
            self._known[thing.id] = self._proofs.read(limits)
        return self._known[thing.id]

    def _share_out(self, context: Context, unit: Unit) -> defaultdict[int, list[Finding]]:
        shared: defaultdict[int, list[Finding]] = defaultdict(list)
        for one in read_findings(context.database, [unit.code]):
            if one.exercise:
                continue
            owners = self._ownership.objects_of(one)
            for number in [thing.id for thing in self.objects] if owners is None else sorted(owners):
                shared[number].append(one)
        return shared


def choose_answers(
    questions: Sequence[Question], answers: Mapping[int, Mapping[str, Attestation]], system: int
) -> dict[str, Attestation]:
    """Give the answers that hold for an object: its own; else the unit's where a question is the unit's to answer."""
    own, of_unit = answers.get(system, {}), answers.get(UNIT, {})
    chosen = {}
    for question in questions:
        told = own.get(question.id) or (of_unit.get(question.id) if question.scope == "unit" else None)
        if told is not None:
            chosen[question.id] = told
    return chosen
