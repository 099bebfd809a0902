"""A unit in; what it declares, its register filled from its systems, and how everything stands, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sentinel.errors import UsageError
from sentinel.inventory.systems import join_lines
from sentinel.model.moment import local_text
from sentinel.model.register import RegisterEntry
from sentinel.model.system import InformationSystem, PlannedOffline
from sentinel.model.unit import IPNetwork, Unit
from sentinel.model.upkeep import Declared
from sentinel.schedule.context import Context
from sentinel.schedule.keep_out import refuse_kept_out
from sentinel.schedule.persons import hide_persons
from sentinel.store.declared import read_exits
from sentinel.store.offline import read_offline, withdraw_offline, write_offline
from sentinel.store.register import read_register
from sentinel.store.systems import read_systems
from sentinel.store.units import read_networks


@dataclass(frozen=True, slots=True)
class Register:
    """A unit's register, filled from its systems.

    Attributes:
        entries: its lines.
        owners: systems by row id of their lines.
        systems: all systems.
    """

    entries: tuple[RegisterEntry, ...]
    owners: Mapping[int, InformationSystem]
    systems: tuple[InformationSystem, ...]


def read_joined(context: Context, unit: Unit, at: datetime | None = None) -> Register:
    """Read the register as it stands now, with the systems declared by a moment; the persons in it are not opened."""
    systems = read_systems(context.database, unit.code, at=at)
    entries, owners = join_lines(read_register(context.database, unit.code), systems)
    return Register(entries, owners, systems)


def read_declared(context: Context, unit: Unit, register: Register) -> Declared:
    """Read what a unit says of itself beside its register."""
    networks = [prefix for one in read_networks(context.database, unit.code) for prefix in one.prefixes]
    exits = [prefix for one in read_exits(context.database, unit.code) for prefix in one.prefixes]
    return Declared(
        systems=register.systems,
        offline=read_offline(context.database, unit.code),
        domains=context.settings.own_domains,
        space=(*networks, *exits),
        confirm_days=context.settings.confirm_days,
    )


def plan_offline(
    context: Context,
    unit: Unit,
    systems: Sequence[InformationSystem],
    prefixes: Sequence[IPNetwork],
    begin: datetime,
    end: datetime,
    reason: str,
) -> tuple[PlannedOffline, ...]:
    """Declare that systems, or addresses, are off by plan for a time with an end.

    Raises:
        UsageError: the time ends before it begins or is over, nothing is named, or there is no reason.
        ParseError: an address must stay out.
    """
    now = context.clock()
    if end <= max(begin, now):
        raise UsageError(f"--until: {local_text(end)} is over, or before the begin")
    if not reason.strip():
        raise UsageError("--why: may not be empty")
    if not systems and not prefixes:
        raise UsageError("name systems by their numbers, or addresses with --host")
    words = hide_persons(reason.strip())
    plans = [PlannedOffline(0, unit.code, begin, end, words, one.id) for one in systems]
    if prefixes:
        plans.append(PlannedOffline(0, unit.code, begin, end, words, 0, tuple(prefixes)))
    with context.database.transaction(context.actor, now) as transaction:
        refuse_kept_out(context, unit, prefixes, "--host")
        written = tuple(write_offline(transaction, one) for one in plans)
        after = {
            "plans": [one.id for one in written],
            "systems": [one.id for one in systems],
            "prefixes": [str(one) for one in prefixes],
            "begin": begin,
            "end": end,
            "why": words,
        }
        transaction.audit("register.offline", f"unit {unit.code}", after=after)
    return written


def end_offline(context: Context, unit: Unit, number: int) -> PlannedOffline:
    """Withdraw a plan.

    Raises:
        UsageError: there is no such plan.
    """
    with context.database.transaction(context.actor, context.clock()) as transaction:
        known = next((one for one in read_offline(context.database, unit.code) if one.id == number), None)
        if known is None:
            raise UsageError(f"--end: no such plan: {number}; `sentinel register offline` shows them")
        withdraw_offline(transaction, number)
        transaction.audit("register.online", f"unit {unit.code}", after={"plan": number})
    return known
