"""Marks on disk: what identified the host at an address, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from sentinel.model.asset import Mark, MarkKind, MarkName
from sentinel.model.moment import from_microseconds, from_optional, to_microseconds
from sentinel.model.sighting import HoldingSource
from sentinel.store.database import Database, Row, Transaction
from sentinel.store.sightings import unpack_address, write_horizon
from sentinel.store.stretches import Join, Span, StretchTable, write_stretches

_MARK = StretchTable("mark", ("network", "address", "kind", "value", "source"))
_COLUMNS = "network, address, kind, value, source, since_us, until_us"


def write_marks(
    transaction: Transaction,
    space: int,
    told: Mapping[tuple[int, bytes, str, str, str], Sequence[Span]],
    join: Join,
    reach_us: int,
) -> None:
    """Join marks, by (network, address, kind, value, source), with those stored; assets must then be made anew."""
    if told and write_stretches(transaction, _MARK, told, join, reach_us):
        transaction.execute(
            "INSERT INTO identity_state (space, stale) VALUES (?,?) ON CONFLICT (space) DO UPDATE SET stale=?",
            (space, True, True),
        )


def is_stale(database: Database, space: int) -> bool:
    """Tell whether marks changed since assets were made of them."""
    row = database.one("SELECT 1 FROM identity_state WHERE space=? AND stale IS TRUE", (space,))
    return row is not None


def set_stale(transaction: Transaction, space: int, *, stale: bool) -> None:
    """Note that assets must be made anew, or have been."""
    transaction.execute(
        "INSERT INTO identity_state (space, stale) VALUES (?,?) ON CONFLICT (space) DO UPDATE SET stale=excluded.stale",
        (space, stale),
    )


def read_marks(database: Database, networks: Iterable[int]) -> Iterator[Mark]:
    """Give the marks of networks, by address and time."""
    for network in networks:
        yield from map(
            _mark,
            database.stream(
                f"SELECT {_COLUMNS} FROM mark WHERE network=? ORDER BY address, since_us, kind, value",  # noqa: S608
                (network,),
            ),
        )


PERSON_MARKS = "person_marks"
"""What the time is noted under before which such marks were deleted: the same logs bring none of them back."""

_TOLD = ", ".join(f"'{one.value}'" for one in HoldingSource)
"""Sources of marks that are logs of who held an address; a scan's own marks are none of them."""


def read_oldest_told(database: Database) -> datetime | None:
    """Give when the oldest mark ended that a log of who held an address told of."""
    row = database.one(f"SELECT min(until_us) FROM mark WHERE source IN ({_TOLD})")  # noqa: S608  constant words
    return from_optional(row[0] if row else None)


def remove_told_marks(transaction: Transaction, before: datetime) -> tuple[int, frozenset[int], frozenset[str]]:
    """Delete the marks logs told of that ended before a moment; the caller audits, and makes assets anew.

    Gives how many, the networks they were of, and what no mark says any more.
    """
    moment = to_microseconds(before)
    old = f"source IN ({_TOLD}) AND until_us<?"
    rows = list(transaction.database.query(f"SELECT DISTINCT network, value FROM mark WHERE {old}", (moment,)))  # noqa: S608
    if not rows:
        return 0, frozenset(), frozenset()
    count = transaction.execute(f"DELETE FROM mark WHERE {old}", (moment,)).rowcount  # noqa: S608  constant words
    write_horizon(transaction, PERSON_MARKS, moment)
    left = {str(value) for (value,) in transaction.database.query("SELECT DISTINCT value FROM mark")}
    return count, frozenset(int(row[0]) for row in rows), frozenset(str(row[1]) for row in rows) - left


def _mark(row: Row) -> Mark:
    return Mark(
        network=row[0],
        address=unpack_address(bytes(row[1])),
        name=MarkName(MarkKind(row[2]), row[3]),
        source=row[4],
        since=from_microseconds(row[5]),
        until=from_microseconds(row[6]),
    )
