"""Which units know an address: the address first, then only who declared it, or saw it, in a few bounded statements.

Sightings and hosts are looked up by the index of each network, so nothing of them is read but one entry a network;
declared networks and exits are compared inside the database with every prefix the address can lie in.
"""

from __future__ import annotations

from datetime import datetime

from sentinel.model.unit import DEFAULT_NETWORK, IPAddress
from sentinel.store.database import Database
from sentinel.store.ownership import find_owners, list_patterns
from sentinel.store.sightings import pack_address

_SEEN = (
    "n.name=? AND EXISTS (SELECT 1 FROM translation t WHERE t.space=n.id AND t.outside=?)",
    "EXISTS (SELECT 1 FROM host h WHERE h.network=n.id AND h.address=?)",
    "EXISTS (SELECT 1 FROM holding h WHERE h.network=n.id AND h.address=?)",
)


def find_units_of(database: Database, address: IPAddress, at: datetime, most: int) -> tuple[str, ...]:
    """Give the codes of at most `most` units that know an address, sorted; more may know it when there are so many.

    A public address that was owned at the moment belongs to its owner alone, the one of the longest prefix: what others
    saw of it lies outside of them.
    """
    if owners := find_owners(database, address, at):
        return (owners[0].unit,)
    found: set[str] = set()
    for statement, values in build_statements(address):
        found.update(str(code) for (code,) in database.query(f"{statement} LIMIT ?", (*values, most)))
    return tuple(sorted(found))[:most]


def build_statements(address: IPAddress) -> list[tuple[str, tuple[object, ...]]]:
    """Write the questions, each for the codes of units in their order; a limit is to be added."""
    told = list_patterns(address)
    either = " OR ".join(["prefixes LIKE ?"] * len(told))
    packed = pack_address(address)
    seen = ((DEFAULT_NETWORK, packed), (str(address),), (packed,))
    return [
        (f"SELECT DISTINCT unit FROM network WHERE prefixes<>'[]' AND ({either}) ORDER BY unit", told),  # noqa: S608
        (f"SELECT DISTINCT unit FROM exit WHERE withdrawn_us IS NULL AND ({either}) ORDER BY unit", told),  # noqa: S608
        ("SELECT DISTINCT unit FROM publication WHERE outside=? AND state='in_force' ORDER BY unit", (packed,)),
        *(
            (f"SELECT DISTINCT n.unit FROM network n WHERE {condition} ORDER BY n.unit", values)  # noqa: S608
            for condition, values in zip(_SEEN, seen, strict=True)
        ),
    ]
