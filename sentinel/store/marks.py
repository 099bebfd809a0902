"""Marks on disk: what identified the host at an address, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sentinel.model.asset import Mark, MarkKind, MarkName
from sentinel.model.moment import from_microseconds
from sentinel.store.database import Database, Row, Transaction
from sentinel.store.sightings import unpack_address
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


def _mark(row: Row) -> Mark:
    return Mark(
        network=row[0],
        address=unpack_address(bytes(row[1])),
        name=MarkName(MarkKind(row[2]), row[3]),
        source=row[4],
        since=from_microseconds(row[5]),
        until=from_microseconds(row[6]),
    )
