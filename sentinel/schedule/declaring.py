"""A later change of what a unit says about itself in; store, map and settings brought to agree with it out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sentinel.config import edit_settings, load_settings, write_settings
from sentinel.errors import UsageError
from sentinel.model.register import Exit, KeepOut
from sentinel.model.unit import DEFAULT_NETWORK, IPNetwork, Network, Unit, UnitLevel, Zone
from sentinel.schedule.answers import read_exits_line, read_places
from sentinel.schedule.campus import (
    agree_with_campus,
    count_hidden,
    read_kept,
    refuse_whole_network,
    sum_removed,
)
from sentinel.schedule.context import Context
from sentinel.schedule.enrolment import CLASSIFIED, KEPT_OUT_REASON, build_exit_network
from sentinel.schedule.intake import replace_networks
from sentinel.schedule.keep_out import KeptOut, build_kept_out
from sentinel.schedule.kept_words import refuse_whole
from sentinel.schedule.removal import Removed, remove_seen, remove_told
from sentinel.store import declared
from sentinel.store.database import Transaction
from sentinel.store.home import SETTINGS_BUSY, hold_lock
from sentinel.store.hostings import read_hostings
from sentinel.store.nat_pools import read_nat_pools
from sentinel.store.register import reseal_register
from sentinel.store.scopes import read_authorisations
from sentinel.store.systems import reseal_systems
from sentinel.store.unit_tree import move_unit as move_unit_row
from sentinel.store.units import change_unit, find_unit, read_networks, write_network
from sentinel.store.units import remove_network as remove_network_row


def remove_network(context: Context, unit: Unit, name: str) -> Network:
    """Take a network away; its addresses fall to the default one.

    Raises:
        UsageError: there is no such network, or it is the default one.
    """
    if name == DEFAULT_NETWORK:
        raise UsageError("the default network takes what no other holds; it cannot be removed")
    with context.database.transaction(context.actor, context.clock(), objects=True) as transaction:
        found = _find_network(context, unit, name)
        if found is None:
            raise UsageError(f"no network {name!r} of {unit.name}; `sentinel unit networks` shows them")
        _remove(context, transaction, unit, found)
        replace_networks(context, transaction, unit)
    return found


def _find_network(context: Context, unit: Unit, name: str) -> Network | None:
    return next((one for one in read_networks(context.database, unit.code) if one.name == name), None)


def _remove(context: Context, transaction: Transaction, unit: Unit, network: Network) -> None:
    default = _find_network(context, unit, DEFAULT_NETWORK)
    if default is None:
        raise UsageError(f"{unit.name} has no default network")
    remove_network_row(transaction, network, default)


def add_exit(
    context: Context,
    unit: Unit,
    name: str,
    addresses: Iterable[str],
    *,
    provider: str | None = None,
    line: str | None = None,
    since: datetime | None = None,
) -> Exit:
    """Add a way to the internet, or change its addresses; they become a network of zone DMZ, owned from `since` on.

    Provider and line stay as they were where they are not told.

    Raises:
        UsageError: the addresses cannot be read, or overlap another exit or a part of a network.
    """
    with context.database.transaction(context.actor, context.clock(), objects=True) as transaction:
        known = declared.read_exits(context.database, unit.code)
        before = next((one for one in known if one.name == name), None)
        own = _exit_network(context, before)
        networks = [
            one
            for one in read_networks(context.database, unit.code)
            if one.name != DEFAULT_NETWORK and (own is None or one.id != own.id)
        ]
        exits = [one for one in known if one.name != name]
        try:
            refuse_whole(context, unit, read_places(" ".join(addresses)))
            *_, wanted = read_exits_line(" ".join((name, *addresses)), unit.code, exits, networks)
        except ValueError as error:
            raise UsageError(f"exit {name}: {error}") from error
        kept = before or wanted
        wanted = replace(
            wanted,
            provider=kept.provider if provider is None else provider,
            line=kept.line if line is None else line,
        )
        stored = declared.write_exit(transaction, wanted)
        network = build_exit_network(stored, networks)
        if own and (network is None or network.prefixes != own.prefixes):
            _remove(context, transaction, unit, own)
        if network:
            write_network(transaction, network, since)
        replace_networks(context, transaction, unit)
    return stored


def withdraw_exit(context: Context, unit: Unit, name: str) -> Exit:
    """End a way to the internet, and the network that was made for it.

    Raises:
        UsageError: there is no such exit.
    """
    with context.database.transaction(context.actor, context.clock(), objects=True) as transaction:
        found = next((one for one in declared.read_exits(context.database, unit.code) if one.name == name), None)
        if found is None:
            raise UsageError(f"no exit {name!r} of {unit.name}; `sentinel unit exit list` shows them")
        own = _exit_network(context, found)
        declared.withdraw_exit(transaction, found)
        if own:
            _remove(context, transaction, unit, own)
            replace_networks(context, transaction, unit)
    return found


def _exit_network(context: Context, one: Exit | None) -> Network | None:
    """Give the network that was made for an exit; one somebody changed since is their own."""
    found = next(
        (each for each in read_networks(context.database, one.unit) if each.name == one.name), None
    ) if one else None  # fmt: skip
    if found is None or one is None or found.zone is not Zone.DMZ:
        return None
    return found if set(found.prefixes) <= set(one.prefixes) else None


def add_keep_out(
    context: Context, unit: Unit, prefixes: tuple[IPNetwork, ...], reason: str = KEPT_OUT_REASON
) -> tuple[KeepOut, Removed]:
    """Declare addresses that must stay out; what is told of them leaves map, register and findings of the whole campus.

    Returns the declaration, and how much left: the evidence that showed them is still there.

    Raises:
        UsageError: a declared network, or one of its prefixes, would stay out as a whole.
    """
    kept = build_kept_out(prefixes)
    with context.database.transaction(context.actor, context.clock(), objects=True) as transaction:
        campus = declared.read_campus(context.database, unit.code)
        for one in campus:
            refuse_whole_network(context, one, kept)
        hidden = sum(count_hidden(context, one, kept) for one in campus)
        stored = declared.write_keep_out(transaction, KeepOut(0, unit.code, prefixes, reason))
        if declared.read_answers(context.database, unit.code).get(CLASSIFIED) == "none":
            declared.write_answer(transaction, unit.code, CLASSIFIED, "kept_out")
        told = []
        for one in campus:
            replace_networks(context, transaction, one)
            remove_seen(context, transaction, one, kept)
            told.append(remove_told(transaction, one, kept))
    return stored, replace(sum_removed(told), hosts=hidden, cut=sum(_count_cut(context, one, kept) for one in campus))


def _count_cut(context: Context, unit: Unit, kept: KeptOut) -> int:
    """Count what a unit's papers and ways out say of addresses that stay out, in whole or in part."""
    database = context.database
    signed = [one for one in read_authorisations(database, unit.code) if one.withdrawn_at is None]
    named = [one.targets for one in signed] + [one.targets for one in read_hostings(database, unit.code)]
    places = [[target.network for target in targets if target.network is not None] for targets in named]
    places += [[*one.outside, *one.inside] for one in read_nat_pools(database, unit.code)]
    places += [[*one.prefixes] for one in declared.read_exits(database, unit.code)]
    return sum(any(map(kept.meets, one)) for one in places)


def withdraw_keep_out(context: Context, unit: Unit, number: int, why: str) -> None:
    """Let addresses in again; evidence that shows them counts from now on.

    Raises:
        UsageError: the unit has none with this number in force.
    """
    with context.database.transaction(context.actor, context.clock(), objects=True) as transaction:
        declared.withdraw_keep_out(transaction, unit.code, number, why)
        for one in declared.read_campus(context.database, unit.code):
            replace_networks(context, transaction, one)


def set_unit(
    context: Context,
    unit: Unit,
    *,
    name: str | None = None,
    code: str | None = None,
    level: UnitLevel | None = None,
    region: str | None = None,
    correct: bool = False,
) -> Unit:
    """Change a unit's name, code, level or region; see `change_declared`."""
    wanted = replace(
        unit,
        name=unit.name if name is None else name,
        code=unit.code if code is None else code,
        level=level or unit.level,
        region=unit.region if region is None else region,
    )
    return change_declared(context, unit, wanted, correct=correct)


def change_declared(context: Context, unit: Unit, wanted: Unit, *, correct: bool = False) -> Unit:
    """Change a unit; a new code goes into every row that names it, what is sealed for it, and the settings.

    Raises:
        UsageError: the new code is taken or unusable.
        StoreError: persons are sealed for the old code and their key is not here; nothing was changed.
    """
    seal = context.load_seal() if wanted.code != unit.code else None
    with context.database.transaction(context.actor, context.clock(), objects=True) as transaction:
        before: dict[str, frozenset[IPNetwork]] = {}
        if wanted.level is not unit.level:
            before |= read_kept(context, unit, find_unit(context.database, unit.parent) if unit.parent else None)
        changed = change_unit(transaction, unit, wanted, correct=correct)
        if changed.code != unit.code:
            declared.reseal_contacts(transaction, unit.code, changed.code, seal)
            reseal_register(transaction, unit.code, changed.code, seal)
            reseal_systems(transaction, unit.code, changed.code, seal)
        if before:
            before[changed.code] = before.pop(unit.code)
            agree_with_campus(context, transaction, before)
        if changed.code != unit.code and load_settings(context.home.path, {}).unit == unit.code:
            with hold_lock(context.home, "settings", SETTINGS_BUSY):
                write_settings(context.home.path, edit_settings(context.home.path, "unit", changed.code))
    return changed


def move_unit(context: Context, unit: Unit, above: Unit | None, at: datetime, why: str) -> tuple[Unit, Removed]:
    """Put a unit under another one from a moment on; what stays out of a new campus leaves what is stored.

    Raises:
        UsageError: it cannot stand there, or a network of it, or of the new campus, would stay out as a whole.
    """
    with context.database.transaction(context.actor, context.clock(), objects=True) as transaction:
        before = read_kept(context, unit, above) if unit.level is UnitLevel.DEPARTMENT else {}
        moved = move_unit_row(transaction, unit, above, at, why)
        gone = agree_with_campus(context, transaction, before)
    return moved, gone


def note_setting(context: Context, name: str, before: object, after: object) -> None:
    """Note in the audit that a setting was changed."""
    with context.database.transaction(context.actor, context.clock()) as transaction:
        transaction.audit("setting.set", f"setting {name}", before=before, after=after)
