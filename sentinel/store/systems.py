"""Information systems: versions of what is declared, steps and names in and out, the persons in them sealed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from datetime import date, datetime
from typing import Any

from sentinel.errors import StoreError
from sentinel.model.moment import from_microseconds, to_microseconds
from sentinel.model.register import Person
from sentinel.model.system import (
    CONFIRMING,
    InformationSystem,
    SystemEvent,
    SystemFacts,
    SystemPersons,
    SystemState,
    SystemStep,
    fold_system,
    next_state,
)
from sentinel.store.database import Database, Row, Transaction
from sentinel.store.seal import Seal

_DAYS = frozenset(
    {"graded_on", "filing_issued", "filing_expires", "assessed_on", "crypto_on", "live_on", "valid_until"}
)
_ALWAYS = (1 << 62) - 1
_EMPTY = SystemFacts("")


def read_systems(
    database: Database, unit: str, seal: Seal | None = None, at: datetime | None = None
) -> tuple[InformationSystem, ...]:
    """Give the systems of a unit as they are, or as they were declared at a moment, in the order of their ids.

    Without the seal they were closed with, the persons of a system that names some are None.
    """
    until = to_microseconds(at) if at is not None else _ALWAYS
    rows = database.query(
        "SELECT s.id, s.unit, s.state, s.state_us, s.confirmed_us, v.from_us, v.facts, v.persons, v.source, v.sheet, "
        "v.row FROM system s JOIN system_version v ON v.system=s.id AND v.id="
        "(SELECT max(w.id) FROM system_version w WHERE w.system=s.id AND w.from_us<=?) WHERE s.unit=? ORDER BY s.id",
        (until, unit),
    )
    names: defaultdict[int, list[str]] = defaultdict(list)
    for system, name in database.query("SELECT system, name FROM system_name WHERE unit=? ORDER BY name", (unit,)):
        names[system].append(name)
    found = tuple(_name(_system(row, seal), names[row[0]]) for row in rows)
    return found if at is None else _as_it_was(database, unit, found, at)


def _name(one: InformationSystem, names: Iterable[str]) -> InformationSystem:
    """Give a system its further names; at an earlier moment its own name may be among those it has now."""
    own = fold_system(one.facts.name)
    return replace(one, names=tuple(name for name in names if fold_system(name) != own))


def read_system_events(database: Database, unit: str, system: int | None = None) -> tuple[SystemEvent, ...]:
    """Give the steps of a unit's systems, or of one, in the order they were taken."""
    rows = database.query(
        "SELECT e.system, e.at_us, e.step, e.actor, e.reason FROM system_event e JOIN system s ON s.id=e.system "
        "WHERE s.unit=? AND e.system>=? AND e.system<=? ORDER BY e.id",
        (unit, system or 0, system or _ALWAYS),
    )
    return tuple(SystemEvent(row[0], from_microseconds(row[1]), SystemStep(row[2]), row[3], row[4]) for row in rows)


def declare_system(
    transaction: Transaction, wanted: InformationSystem, sha256: str, seal: Seal | None, reason: str = ""
) -> InformationSystem:
    """Add a system nobody declared before, as a draft. The caller writes the audit row.

    Raises:
        ValueError: it names somebody and there is no seal to close it with.
    """
    moment = to_microseconds(transaction.now)
    (number,) = transaction.execute(
        "INSERT INTO system (unit, folded, state, state_us, confirmed_us) VALUES (?,?,?,?,?) RETURNING id",
        (wanted.unit, fold_system(wanted.facts.name), SystemState.DRAFT.value, moment, moment),
    ).fetchone()
    made = replace(wanted, id=number)
    _write_version(transaction, made, sha256, seal)
    _note(transaction, number, SystemStep.DECLARED, reason)
    return replace(made, declared_at=transaction.now, confirmed_at=transaction.now, state_at=transaction.now)


def change_system(
    transaction: Transaction,
    known: InformationSystem,
    wanted: InformationSystem,
    sha256: str,
    seal: Seal | None,
    reason: str = "",
) -> SystemState:
    """Add a version of a known system and take the step that goes with it. The caller writes the audit row.

    A retired one that is declared again is a draft again; an approved one is to be submitted anew.

    Raises:
        ValueError: it names somebody and there is no seal to close it with.
    """
    _write_version(transaction, replace(wanted, id=known.id, unit=known.unit), sha256, seal)
    step = SystemStep.DECLARED if known.state is SystemState.RETIRED else SystemStep.CHANGED
    return step_system(transaction, known, step, reason)


def rename_system(
    transaction: Transaction, known: InformationSystem, name: str, reason: str, seal: Seal | None
) -> SystemState:
    """Give a system another name from now on, as a version of it; the one it had goes on leading to it.

    What was found about it keeps its number. The caller has seen that no other system has the name, and writes the
    audit row.

    Raises:
        ValueError: it names somebody and there is no seal to close it with.
    """
    before, after = known.facts.name, replace(known, facts=replace(known.facts, name=name))
    state = change_system(transaction, known, after, "", seal, reason)
    if fold_system(name) != fold_system(before):
        transaction.execute("UPDATE system SET folded=? WHERE id=?", (fold_system(name), known.id))
        transaction.execute(
            "DELETE FROM system_name WHERE unit=? AND folded=? AND system=?", (known.unit, fold_system(name), known.id)
        )
        add_system_name(transaction, known, before)
    transaction.execute(
        "UPDATE finding SET subject=? WHERE unit=? AND network=0 AND subject=? AND subject_kind='system' "
        "AND NOT EXISTS (SELECT 1 FROM finding f WHERE f.unit=finding.unit AND f.rule=finding.rule AND f.network=0 "
        "AND f.subject=?)",
        (name, known.unit, before, name),
    )
    return state


def read_former_names(database: Database, unit: str) -> dict[int, tuple[tuple[str, datetime], ...]]:
    """Give the names a unit's systems had before, by system, each with the moment it ended, the oldest first."""
    former: defaultdict[int, list[tuple[str, datetime]]] = defaultdict(list)
    last: dict[int, str] = {}
    for system, since, facts in database.query(
        "SELECT v.system, v.from_us, v.facts FROM system_version v JOIN system s ON s.id=v.system WHERE s.unit=? "
        "ORDER BY v.id",
        (unit,),
    ):
        name = str(json.loads(facts)["name"])
        if last.get(system, name) != name:
            former[system].append((last[system], from_microseconds(since)))
        last[system] = name
    return {system: tuple(names) for system, names in former.items()}


def step_system(transaction: Transaction, system: InformationSystem, step: SystemStep, reason: str) -> SystemState:
    """Take a step with a system and note it; gives the state after it. The caller writes the audit row.

    Raises:
        ValueError: the step is not open from its state.
    """
    after = next_state(system.state, step)
    moment = to_microseconds(transaction.now)
    if after is not system.state:
        transaction.execute("UPDATE system SET state=?, state_us=? WHERE id=?", (after.value, moment, system.id))
    if step in CONFIRMING:
        transaction.execute("UPDATE system SET confirmed_us=? WHERE id=?", (moment, system.id))
    _note(transaction, system.id, step, reason)
    return after


def add_system_name(transaction: Transaction, system: InformationSystem, name: str) -> None:
    """Let lines of a further name belong to a system. The caller writes the audit row."""
    transaction.execute(
        "INSERT INTO system_name (unit, folded, system, name) VALUES (?,?,?,?) "
        "ON CONFLICT (unit, folded) DO UPDATE SET system=excluded.system, name=excluded.name",
        (system.unit, fold_system(name), system.id, name),
    )


def reseal_systems(transaction: Transaction, before: str, after: str, seal: Seal | None) -> None:
    """Seal the persons of a unit's systems for its new code, which the systems carry already.

    Raises:
        StoreError: a system names persons and the key that opens them is not here.
    """
    rows = transaction.execute(
        "SELECT v.id, v.system, v.from_us, v.persons FROM system_version v JOIN system s ON s.id=v.system "
        "WHERE s.unit=? AND length(v.persons) > 0",
        (after,),
    ).fetchall()
    for version, system, since, sealed in rows:
        persons = _open(sealed, seal, _place(before, system, since))
        if persons is None:
            raise StoreError("systems name persons and the contact key that opens them is not on this machine")
        packed = _pack(persons, seal, _place(after, system, since))
        transaction.execute("UPDATE system_version SET persons=? WHERE id=?", (packed, version))


def _as_it_was(
    database: Database, unit: str, found: tuple[InformationSystem, ...], at: datetime
) -> tuple[InformationSystem, ...]:
    """Give the systems declared by a moment with the state and confirmation they had then."""
    state: dict[int, tuple[SystemState | None, datetime]] = {}
    confirmed: dict[int, datetime] = {}
    for event in read_system_events(database, unit):
        if event.at > at:
            continue
        before = state[event.system][0] if event.system in state else None
        after = next_state(before, event.step)
        if after is not before:
            state[event.system] = (after, event.at)
        if event.step in CONFIRMING:
            confirmed[event.system] = event.at
    return tuple(
        replace(
            one,
            state=state[one.id][0] or SystemState.DRAFT,
            state_at=state[one.id][1],
            confirmed_at=confirmed.get(one.id),
        )
        for one in found
        if one.id in state
    )


def _note(transaction: Transaction, system: int, step: SystemStep, reason: str) -> None:
    transaction.execute(
        "INSERT INTO system_event (system, at_us, step, actor, reason) VALUES (?,?,?,?,?)",
        (system, to_microseconds(transaction.now), step.value, transaction.actor, reason),
    )


def _write_version(transaction: Transaction, one: InformationSystem, sha256: str, seal: Seal | None) -> None:
    since = to_microseconds(transaction.now)
    transaction.execute(
        "INSERT INTO system_version (system, from_us, facts, persons, source, source_sha256, sheet, row) "
        "VALUES (?,?,?,?,?,?,?,?)",
        (
            one.id,
            since,
            _facts_text(one.facts),
            _pack(one.persons or SystemPersons(), seal, _place(one.unit, one.id, since)),
            one.source,
            sha256,
            one.sheet,
            one.row,
        ),
    )


def _system(row: Row, seal: Seal | None) -> InformationSystem:
    number, unit, state, state_us, confirmed_us, since, facts, sealed, source, sheet, place = row
    return InformationSystem(
        id=number,
        unit=unit,
        facts=_read_facts(facts),
        persons=_open(sealed, seal, _place(unit, number, since)),
        has_persons=bool(sealed),
        state=SystemState(state),
        declared_at=from_microseconds(since),
        confirmed_at=from_microseconds(confirmed_us),
        state_at=from_microseconds(state_us),
        source=source,
        sheet=sheet,
        row=place,
    )


def _facts_text(facts: SystemFacts) -> str:
    told = {one.name: getattr(facts, one.name) for one in fields(facts)}
    return json.dumps(
        {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in told.items()
            if value != getattr(_EMPTY, name)
        },
        ensure_ascii=False,
    )


def _read_facts(text: str) -> SystemFacts:
    told: dict[str, Any] = json.loads(text)
    days = {name: date.fromisoformat(told[name]) for name in _DAYS & told.keys()}
    return SystemFacts(**(told | days))


def _place(unit: str, system: int, since: int) -> str:
    return json.dumps(["system", unit, system, since], ensure_ascii=False)


def _pack(persons: SystemPersons, seal: Seal | None, place: str) -> bytes:
    if persons.is_nobody:
        return b""
    if seal is None:
        raise ValueError("persons cannot be stored without the contact key")
    return seal.close(json.dumps(asdict(persons), ensure_ascii=False), place)


def _open(sealed: bytes, seal: Seal | None, place: str) -> SystemPersons | None:
    if not sealed:
        return SystemPersons()
    text = seal.open(sealed, place) if seal else None
    if text is None:
        return None
    return SystemPersons(**{role: Person(**person) for role, person in json.loads(text).items()})


def has_unopened_systems(systems: Iterable[InformationSystem]) -> bool:
    """Tell whether a system that was not retired names persons that could not be opened."""
    return any(one.persons is None for one in systems if one.state is not SystemState.RETIRED)
