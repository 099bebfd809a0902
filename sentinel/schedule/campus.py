"""Units whose campus changes in; what stays out of their new campus, taken out of what is stored of them.

A department that moves under another school comes under its keep-outs, and brings its own: the stored data has to agree
with both as if the addresses had been declared there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sentinel.errors import UsageError
from sentinel.model.unit import IPNetwork, Unit, UnitLevel
from sentinel.schedule.context import Context
from sentinel.schedule.intake import replace_networks
from sentinel.schedule.keep_out import KeptOut, build_kept_out, read_kept_out
from sentinel.schedule.removal import Removed, remove_seen, remove_told
from sentinel.store.database import Transaction
from sentinel.store.declared import read_campus
from sentinel.store.endpoints import read_hosts
from sentinel.store.units import find_unit, read_networks, read_units

Kept = Mapping[str, frozenset[IPNetwork]]
"""What stays out of each unit, by its code."""


def read_kept(context: Context, *units: Unit | None) -> Kept:
    """Give what stays out of units, of all that share a campus with one of them, and of all departments below them."""
    database = context.database
    found: dict[str, Unit] = {}
    for told in units:
        unit = find_unit(database, told.code) if told else None  # somebody may have moved it since
        if unit is None:
            continue
        below = [one for one in read_units(database, unit) if one.level is UnitLevel.DEPARTMENT]
        found |= {one.code: one for one in (unit, *read_campus(database, unit.code), *below)}
    return {code: frozenset(read_kept_out(database, one)) for code, one in found.items()}


def agree_with_campus(context: Context, transaction: Transaction, before: Kept) -> Removed:
    """Bring what is stored of units to agree with what stays out of them now, where that changed; tells what left.

    Raises:
        UsageError: a network of one of them would stay out as a whole; the transaction must end with it.
    """
    told: list[Removed] = []
    for code, was in before.items():
        unit = find_unit(context.database, code)
        if unit is None:
            continue
        now = frozenset(read_kept_out(context.database, unit))
        if now == was:
            continue
        kept = build_kept_out(now)
        refuse_whole_network(context, unit, kept)
        hosts = count_hidden(context, unit, build_kept_out(now - was))
        replace_networks(context, transaction, unit)
        remove_seen(context, transaction, unit, kept)
        left = remove_told(transaction, unit, kept)
        told.append(Removed(hosts, left.lines, left.entries, left.findings))
    return sum_removed(told)


def sum_removed(told: Iterable[Removed]) -> Removed:
    """Add up what left units."""
    told = tuple(told)
    return Removed(
        sum(one.hosts for one in told),
        sum(one.lines for one in told),
        sum(one.entries for one in told),
        sum(one.findings for one in told),
    )


def refuse_whole_network(context: Context, unit: Unit, kept: KeptOut) -> None:
    """Refuse what would keep a declared network, or a prefix of one, out as a whole.

    Raises:
        UsageError: there is one.
    """
    for network in read_networks(context.database, unit.code):
        if any(map(kept.hides, network.prefixes)):
            raise UsageError(
                f"network {network.name!r} of unit {unit.code} declares what is declared to stay out: "
                f"take it away first with `sentinel unit network {network.name} --remove --unit {unit.code}`"
            )


def count_hidden(context: Context, unit: Unit, kept: KeptOut) -> int:
    """Count the hosts on a unit's map that stay out."""
    networks = read_networks(context.database, unit.code) if kept else ()
    return sum(kept.meets(host.address) for network in networks for host in read_hosts(context.database, network))
