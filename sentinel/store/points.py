"""The map as narrow rows, for counting and comparing whole provinces: no values are built, no words looked up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Address
from typing import NamedTuple

from sentinel.model.blanket import BLOCK, LEAST, BlanketKey, Blankets, build_blankets
from sentinel.model.endpoint import EndpointState
from sentinel.model.moment import to_microseconds
from sentinel.store.database import Database
from sentinel.store.endpoints import read_at
from sentinel.store.interning import in_batches
from sentinel.store.runs import read_changed_ids
from sentinel.store.tables_codes import PROTOS

_COLUMNS = "h.network, h.place, i.vantage, i.proto, i.port, i.state, i.look, i.valid_from_us, i.valid_to_us"


class Point(NamedTuple):
    """One interval as it is stored.

    Attributes:
        network: row id of its network.
        place: its address as bytes that sort, see `sentinel.store.interning.address_key`.
        vantage: row id of the vantage.
        proto: code of the protocol, see `sentinel.store.tables_codes`.
        port: the port.
        state: code of the state.
        look: row id of what it looks like; equal looks have equal ids.
        valid_from_us: first moment, microseconds.
        valid_to_us: first moment after it; None while it lasts.
    """

    network: int
    place: bytes
    vantage: int
    proto: int
    port: int
    state: int
    look: int
    valid_from_us: int
    valid_to_us: int | None


def read_points(database: Database, network: int, at: datetime) -> list[Point]:
    """Give the intervals of a network that hold at a moment, in no order."""
    moment = to_microseconds(at)
    rows = database.query(
        f"SELECT {_COLUMNS} FROM host h JOIN endpoint_interval i ON i.host=h.id "  # noqa: S608  constant columns
        "WHERE h.network=? AND i.valid_from_us<=? AND (i.valid_to_us IS NULL OR i.valid_to_us>?)",
        (network, moment, moment),
    )
    return list(map(Point._make, rows))


def read_changed_points(database: Database, networks: Sequence[int], after: datetime, until: datetime) -> list[Point]:
    """Give the intervals that began or ended in a span (`after` < run <= `until`), by their ids."""
    wanted = frozenset(networks)
    opened, closed = read_changed_ids(database, networks, after, until)
    points: list[Point] = []
    for batch in in_batches(sorted({*opened, *closed})):
        marks = ",".join("?" * len(batch))
        rows = database.query(
            f"SELECT {_COLUMNS} FROM endpoint_interval i JOIN host h ON h.id=i.host WHERE i.id IN ({marks})",  # noqa: S608
            batch,
        )
        points += [point for point in map(Point._make, rows) if point.network in wanted]
    return points


def read_blankets(database: Database, networks: Sequence[int], at: datetime | None) -> Blankets:
    """Find the ports on which whole blocks of some networks answer at a moment (None: now)."""
    clause = "i.valid_to_us IS NULL"
    moment: tuple[int, ...] = ()
    if at is not None:
        clause = "i.valid_from_us<=? AND (i.valid_to_us IS NULL OR i.valid_to_us>?)"
        moment = (to_microseconds(at), to_microseconds(at))
    counts = []
    edges = []
    for network in networks:
        for vantage, head, proto, port, count in list(
            database.query(
                "SELECT v.name, substr(h.place, 1, 4), i.proto, i.port, count(*) "  # noqa: S608  constant words
                "FROM host h JOIN endpoint_interval i ON i.host=h.id JOIN vantage v ON v.id=i.vantage "
                f"WHERE h.network=? AND length(h.place)=5 AND i.state=0 AND {clause} "
                "GROUP BY v.name, substr(h.place, 1, 4), i.proto, i.port HAVING count(*)>=?",
                (network, *moment, LEAST),
            )
        ):
            block = IPv4Address(bytes(head[1:]) + b"\0")
            counts.append((BlanketKey(network, vantage, block, PROTOS[proto], port), count))
            edges += [
                one
                for address in (block, block + (BLOCK - 1))
                for one in read_at(database, network, str(address), at)
                if one.state is EndpointState.OPEN
            ]
    return build_blankets(counts, edges)
