"""What sheets and lines declare of systems in; new systems and new versions in the store, and steps with them, out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any

from sentinel.errors import UsageError
from sentinel.inventory.systems import index_systems, is_retired
from sentinel.model.moment import SHANGHAI
from sentinel.model.register import Person, RegisterEntry
from sentinel.model.system import (
    InformationSystem,
    SystemFacts,
    SystemPersons,
    SystemState,
    SystemStep,
    fold_system,
    next_state,
)
from sentinel.model.unit import Unit
from sentinel.schedule.context import Context
from sentinel.schedule.persons import hide_persons
from sentinel.schedule.register_sheets import SheetsRead
from sentinel.schedule.system_cell import MAX_NAME
from sentinel.schedule.system_row import SystemDraft
from sentinel.store.database import Transaction
from sentinel.store.register import read_register
from sentinel.store.seal import Seal
from sentinel.store.systems import (
    add_system_name,
    change_system,
    declare_system,
    read_systems,
    rename_system,
    step_system,
)

_EMPTY = SystemFacts("")


@dataclass(slots=True)
class SystemsStored:
    """What became of the systems of a sheet.

    Attributes:
        added: names of those that were not known.
        changed: names of those of which something else is declared now.
        known: how many say what is known already.
    """

    added: list[str]
    changed: list[str]
    known: int = 0


def store_systems(
    transaction: Transaction, unit: Unit, read: SheetsRead, file: str, sha256: str, seal: Seal | None
) -> SystemsStored:
    """Store what a sheet declares. The caller writes the audit row.

    What a sheet of our own template leaves blank is withdrawn; a foreign sheet only adds to what is known. A row of a
    system that was retired into another one, or whose other name has a row too, does not change that one.

    Raises:
        UsageError: a system that changes names persons, and the key that opens them is not here.
    """
    systems = read_systems(transaction.database, unit.code, seal)
    known = index_systems(systems)
    own = {fold_system(one.facts.name) for one in systems}
    named = {fold_system(draft.facts.name) for draft in read.drafts}
    stored = SystemsStored([], [])
    for draft in read.drafts:
        place: dict[str, Any] = {"source": file, "sheet": draft.row.sheet, "row": draft.row.number}
        folded = fold_system(draft.facts.name)
        before = known.get(folded)
        if before is None:
            wanted = InformationSystem(0, unit.code, draft.facts, draft.persons, **place)
            declare_system(transaction, wanted, sha256, seal)
            stored.added.append(draft.facts.name)
            continue
        name = fold_system(before.facts.name)
        if folded != name and (folded in own or name in named):
            stored.known += 1
            continue
        wanted = _overlay(before, draft, whole=read.is_template)
        if wanted == before and before.state is not SystemState.RETIRED:
            stored.known += 1
            continue
        change_system(transaction, before, replace(wanted, **place), sha256, seal)
        stored.changed.append(before.facts.name)
    return stored


def _overlay(before: InformationSystem, draft: SystemDraft, *, whole: bool) -> InformationSystem:
    if before.persons is None:
        raise UsageError(f"{before.facts.name}: it names persons, and the contact key that opens them is not here")
    told: dict[str, Any] = {
        name: getattr(draft.facts, name)
        for name in draft.told - {"name"}
        if name != "classified" and (whole or getattr(draft.facts, name) != getattr(_EMPTY, name))
    }
    persons = {
        role: getattr(draft.persons, role)
        for role in draft.roles
        if whole or not getattr(draft.persons, role).is_nobody
    }
    return replace(before, facts=replace(before.facts, **told), persons=replace(before.persons, **persons))


def gather_systems(context: Context, unit: Unit, now: datetime, *, dry_run: bool) -> tuple[InformationSystem, ...]:
    """Make a draft of each system lines of the register name and nobody declared; gives them.

    What all lines of a name agree on goes in; what they differ in is left to a person.
    """
    found = _find_gathered(context, unit)
    if dry_run or not found:
        return found
    named = any(one.persons and not one.persons.is_nobody for one in found)
    seal = context.make_seal() if named else context.load_seal()
    with context.database.transaction(context.actor, now) as transaction:
        found = _find_gathered(context, unit)  # somebody may have been faster
        made = tuple(declare_system(transaction, one, "", seal, "由台账条目归并") for one in found)
        if made:
            transaction.audit("register.gather", f"unit {unit.code}", after={"systems": [one.id for one in made]})
    return made


def _find_gathered(context: Context, unit: Unit) -> tuple[InformationSystem, ...]:
    known = index_systems(read_systems(context.database, unit.code))
    lines: dict[str, list[RegisterEntry]] = {}
    for line in read_register(context.database, unit.code, context.load_seal()):
        folded = fold_system(line.system)
        if folded and folded not in known:
            lines.setdefault(folded, []).append(line)
    return tuple(_draft(unit, each) for each in lines.values())


def _draft(unit: Unit, lines: Sequence[RegisterEntry]) -> InformationSystem:
    facts = SystemFacts(
        lines[0].system,
        department=_agreed(lines, lambda line: line.department),
        live_on=min((to_day(line.valid_from) for line in lines if line.valid_from), default=None),
    )
    people = {line.person for line in lines if line.person and not line.person.is_nobody}
    administrator = people.pop() if len(people) == 1 else Person()
    return InformationSystem(0, unit.code, facts, SystemPersons(administrator=administrator))


def to_day(moment: datetime) -> date:
    """Give the day of a moment in Asia/Shanghai."""
    return moment.astimezone(SHANGHAI).date()


def _agreed(lines: Iterable[RegisterEntry], told: Callable[[RegisterEntry], str]) -> str:
    texts = {told(line) for line in lines if told(line)}
    return texts.pop() if len(texts) == 1 else ""


def take_step(
    context: Context, unit: Unit, numbers: Sequence[int], step: SystemStep, now: datetime, reason: str = ""
) -> tuple[InformationSystem, ...]:
    """Take a step with systems, all or none; gives them as they are then.

    Raises:
        UsageError: there is no such system, or the step is not open from its state.
    """
    with context.database.transaction(context.actor, now) as transaction:
        for system in choose_systems(context, unit, numbers):
            try:
                next_state(system.state, step)
            except ValueError as error:
                raise UsageError(f"system {system.id} {system.facts.name} {error}") from error
            step_system(transaction, system, step, reason)
        after = {"systems": sorted(set(numbers)), "why": reason}
        transaction.audit(f"register.{step.value}", f"unit {unit.code}", after=after)
    return choose_systems(context, unit, numbers)


def choose_systems(context: Context, unit: Unit, numbers: Iterable[int]) -> tuple[InformationSystem, ...]:
    """Give systems by their numbers, each once.

    Raises:
        UsageError: there is no such system.
    """
    known = {one.id: one for one in read_systems(context.database, unit.code)}
    wanted = tuple(dict.fromkeys(numbers))
    missing = next((number for number in wanted if number not in known), None)
    if missing is not None:
        raise UsageError(f"no such system: {missing}; `sentinel register systems` shows them")
    return tuple(known[number] for number in wanted)


def join_names(context: Context, unit: Unit, number: int, names: Sequence[str], now: datetime) -> InformationSystem:
    """Let lines of further names belong to a system.

    Raises:
        UsageError: there is no such system, it is retired, or a name is that of another one that is not.
    """
    told = [hide_persons(" ".join(name.split())) for name in names]
    for name in told:
        if not fold_system(name):
            raise UsageError("a name may not be empty")
        if len(name) > MAX_NAME:
            raise UsageError(f"a name may have at most {MAX_NAME} characters")
    with context.database.transaction(context.actor, now) as transaction:
        (system,) = choose_systems(context, unit, [number])
        if is_retired(system):
            raise UsageError(f"system {system.id} {system.facts.name} is retired; join the names to one that runs")
        running = (one for one in read_systems(context.database, unit.code) if not is_retired(one))
        own = {fold_system(one.facts.name): one for one in running}
        for name in told:
            other = own.get(fold_system(name))
            if other is not None and other.id != number:
                raise UsageError(f"{name!r} is the name of system {other.id}; retire that one first")
            add_system_name(transaction, system, name)
        transaction.audit("register.join", f"unit {unit.code}", after={"system": number, "names": told})
    return choose_systems(context, unit, [number])[0]


def rename(
    context: Context, unit: Unit, number: int, name: str, reason: str, now: datetime
) -> tuple[InformationSystem, str]:
    """Give a system another name from now on; gives it as it is then, and the name it had.

    Raises:
        UsageError: there is no such system, it is retired, the name cannot be one or is that of another system, or it
            names persons and the key that opens them is not here.
    """
    wanted = hide_persons(" ".join(name.split()))
    if not fold_system(wanted) or len(wanted) > MAX_NAME or not wanted.isprintable():
        raise UsageError(f"a name is 1 to {MAX_NAME} printable characters")
    seal = context.load_seal()
    with context.database.transaction(context.actor, now) as transaction:
        systems = read_systems(context.database, unit.code, seal)
        known = next((one for one in systems if one.id == number), None)
        if known is None:
            raise UsageError(f"no such system: {number}; `sentinel register systems` shows them")
        if is_retired(known):
            raise UsageError(f"system {known.id} {known.facts.name} is retired; what runs no more keeps its name")
        if known.facts.name == wanted:
            raise UsageError(f"system {known.id} is called {wanted!r} already")
        folded = fold_system(wanted)
        other = next((one for one in systems if one.id != number and folded in map(fold_system, one.all_names)), None)
        if other is not None:
            raise UsageError(f"{wanted!r} is a name of system {other.id} {other.facts.name}; choose another one")
        if known.persons is None:
            raise UsageError(f"{known.facts.name}: it names persons, and the contact key that opens them is not here")
        words = f"{known.facts.name} → {wanted}" + (f"：{reason}" if reason else "")
        rename_system(transaction, known, wanted, words, seal)
        after = {"system": number, "name": wanted, "why": reason}
        transaction.audit("register.rename", f"unit {unit.code}", before=known.facts.name, after=after)
    return choose_systems(context, unit, [number])[0], known.facts.name


def told_facts(facts: SystemFacts) -> dict[str, object]:
    """Give what is declared, by attribute, without what is not."""
    return {
        one.name: value for one in fields(facts) if (value := getattr(facts, one.name)) != getattr(_EMPTY, one.name)
    }
