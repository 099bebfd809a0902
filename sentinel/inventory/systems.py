"""Information systems and lines of a register in; which line belongs to which system, and what is due, out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sentinel.model.register import RegisterEntry
from sentinel.model.system import InformationSystem, SystemState, fold_system

_LEVELS = ("一级", "二级", "三级", "四级", "五级")


def index_systems(systems: Iterable[InformationSystem]) -> dict[str, InformationSystem]:
    """Find systems by every name lines may call them, folded.

    A system's own name goes before one it was joined with, and systems that run before retired ones: what was retired
    to become part of another one, and was joined to it, is that other one.
    """
    systems = tuple(systems)
    found: dict[str, InformationSystem] = {}
    for retired in (True, False):
        part = [one for one in systems if is_retired(one) is retired]
        found |= {fold_system(name): one for one in part for name in one.names}
        found |= {fold_system(one.facts.name): one for one in part}
    return found


def lines_of(
    system: InformationSystem, entries: Iterable[RegisterEntry], systems: Iterable[InformationSystem]
) -> tuple[RegisterEntry, ...]:
    """Give the lines that belong to one of the unit's systems, in their order."""
    index = index_systems(systems)
    owners = ((one, index.get(fold_system(one.system))) for one in entries if one.system)
    return tuple(one for one, owner in owners if owner is not None and owner.id == system.id)


def join_lines(
    entries: Sequence[RegisterEntry], systems: Iterable[InformationSystem]
) -> tuple[tuple[RegisterEntry, ...], dict[int, InformationSystem]]:
    """Fill what lines leave open from their systems, and end the lines of retired ones; with the system of each line.

    What a line says itself stays as it is; only its system is called as it is called now, for a line keeps a former
    name, or another one that was joined.
    """
    index = index_systems(systems)
    joined, owners = [], {}
    for entry in entries:
        system = index.get(fold_system(entry.system)) if entry.system else None
        if system is not None:
            owners[entry.id] = system
            entry = _fill(entry, system)
        joined.append(entry)
    return tuple(joined), owners


def _fill(entry: RegisterEntry, system: InformationSystem) -> RegisterEntry:
    level = _LEVELS[system.facts.level - 1] if system.facts.level else ""
    ends = [one for one in (entry.valid_to, system.state_at if is_retired(system) else None) if one is not None]
    return replace(
        entry,
        system=system.facts.name,
        department=entry.department or system.facts.department,
        mlps_level=entry.mlps_level or level,
        filing=entry.filing or system.facts.filing,
        valid_to=min(ends, default=None),
    )


def is_retired(system: InformationSystem) -> bool:
    """Tell whether a system is said to run no more."""
    return system.state is SystemState.RETIRED


def confirm_by(system: InformationSystem, confirm_days: int) -> datetime | None:
    """Give the moment by which a system is to be confirmed; None for a retired one."""
    if is_retired(system) or system.confirmed_at is None:
        return None
    return system.confirmed_at + timedelta(days=confirm_days)


def find_due(
    systems: Iterable[InformationSystem], confirm_days: int, until: datetime
) -> tuple[tuple[InformationSystem, datetime], ...]:
    """Give the systems that are to be confirmed by a moment, each with its deadline, the earliest first."""
    due = ((one, confirm_by(one, confirm_days)) for one in systems)
    found = [(one, moment) for one, moment in due if moment is not None and moment <= until]
    return tuple(sorted(found, key=lambda pair: (pair[1], pair[0].id)))
