"""NAT pools of units: written as one of a name, ended, never deleted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_network

from sentinel.errors import UsageError
from sentinel.model.moment import from_microseconds, to_microseconds
from sentinel.model.nat import NatPool
from sentinel.model.unit import IPNetwork
from sentinel.store.database import Database, Transaction

_COLUMNS = "id, unit, name, outside, inside, block_ports, since_us"


def write_nat_pool(transaction: Transaction, pool: NatPool) -> NatPool:
    """Add a pool, in place of an earlier one of the same name.

    Raises:
        UsageError: a public address of it is in another pool of the unit.
    """
    known = read_nat_pools(transaction.database, pool.unit)
    for other in known:
        shared = next((one for one in pool.outside for two in other.outside if _meet(one, two)), None)
        if other.name != pool.name and shared:
            raise UsageError(f"{shared} belongs to NAT pool {other.name!r} already")
    before = next((one for one in known if one.name == pool.name), None)
    moment = to_microseconds(transaction.now)
    if before:
        transaction.execute("UPDATE nat_pool SET withdrawn_us=? WHERE id=?", (moment, before.id))
    row = transaction.execute(
        "INSERT INTO nat_pool (unit, name, outside, inside, block_ports, since_us) VALUES (?,?,?,?,?,?) RETURNING id",
        (pool.unit, pool.name, _text(pool.outside), _text(pool.inside), pool.block_ports or None, moment),
    ).fetchone()
    stored = replace(pool, id=int(row[0]), since=transaction.now)
    transaction.audit(
        "nat.change" if before else "nat.add",
        f"NAT pool {pool.name} of unit {pool.unit}",
        before=build_pool_words(before) if before else None,
        after=build_pool_words(stored),
    )
    return stored


def withdraw_nat_pool(transaction: Transaction, unit: str, name: str) -> NatPool:
    """End a pool now.

    Raises:
        UsageError: the unit has none of this name.
    """
    found = next((one for one in read_nat_pools(transaction.database, unit) if one.name == name), None)
    if found is None:
        raise UsageError(f"no NAT pool {name!r} of unit {unit}; `sentinel unit nat list` shows them")
    transaction.execute("UPDATE nat_pool SET withdrawn_us=? WHERE id=?", (to_microseconds(transaction.now), found.id))
    transaction.audit("nat.withdraw", f"NAT pool {name} of unit {unit}", before=build_pool_words(found))
    return found


def read_nat_pools(database: Database, unit: str) -> tuple[NatPool, ...]:
    """Give the pools of a unit in force, oldest first."""
    rows = database.query(
        f"SELECT {_COLUMNS} FROM nat_pool WHERE unit=? AND withdrawn_us IS NULL ORDER BY id",  # noqa: S608  constant columns
        (unit,),
    )
    return tuple(
        NatPool(row[0], row[1], row[2], _prefixes(row[3]), _prefixes(row[4]), row[5] or 0, from_microseconds(row[6]))
        for row in rows
    )


def build_pool_words(pool: NatPool) -> dict[str, object]:
    """Write a pool as plain values, for JSON and the audit."""
    return {
        "unit": pool.unit,
        "name": pool.name,
        "outside": [str(one) for one in pool.outside],
        "inside": [str(one) for one in pool.inside],
        "block_ports": pool.block_ports,
        "since": pool.since,
    }


def _meet(one: IPNetwork, two: IPNetwork) -> bool:
    return one.version == two.version and one.overlaps(two)


def _text(prefixes: Iterable[IPNetwork]) -> str:
    return json.dumps([str(prefix) for prefix in prefixes])


def _prefixes(text: str) -> tuple[IPNetwork, ...]:
    return tuple(ip_network(piece) for piece in json.loads(text))
