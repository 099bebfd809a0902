"""Runs and what they covered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address

import zstandard

from sentinel.errors import StoreError
from sentinel.model.endpoint import AddressRanges, Coverage, Run
from sentinel.model.evidence import RunKind
from sentinel.model.moment import from_microseconds, from_optional, to_microseconds, to_optional
from sentinel.model.ports import parse_ranges
from sentinel.model.unit import IPAddress
from sentinel.store.database import Database, Row, Transaction
from sentinel.store.idset import IdSet, iterate_ids, pack_ids, unpack_ids
from sentinel.store.interning import in_batches

_RUN = (
    "id, unit, kind, evidence, source, format, tool, vantage, operator, time_us, time_quality, hosts_up, "
    "endpoints_open, observations, events"
)


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run about to be stored.

    Attributes:
        run: its public part; the id is ignored.
        arrived: when sentinel got it.
        scan: id shared by the jobs of one scan; empty for imports.
        arguments: command line of the tool.
        authorisation: id of the authorisation that allowed it; None for imports.
        lost: what could not be read.
        held: it closes nothing until a second run agrees.
    """

    run: Run
    arrived: datetime
    scan: str = ""
    arguments: str = ""
    authorisation: int | None = None
    lost: str = ""
    held: bool = False


@dataclass(slots=True)
class RunChanges:
    """Which intervals a run saw as they were, opened and closed, by their ids."""

    confirmed: IdSet = field(default_factory=IdSet)
    opened: IdSet = field(default_factory=IdSet)
    closed: IdSet = field(default_factory=IdSet)


def write_run(transaction: Transaction, new: NewRun, coverage: Coverage) -> int:
    """Add a run with its coverage; gives its id, which is also the order of arrival."""
    run = new.run
    cursor = transaction.execute(
        "INSERT INTO run (unit, kind, scan, evidence, source, format, tool, arguments, vantage, operator, "
        "authorisation, time_us, time_quality, arrived_us, hosts_up, endpoints_open, observations, events, lost, "
        "held, confirmed) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,0,?,?,?) RETURNING id",
        (
            run.unit,
            run.kind,
            new.scan,
            run.evidence,
            run.source,
            run.format,
            run.tool,
            new.arguments,
            run.vantage,
            run.operator,
            new.authorisation,
            to_microseconds(run.time),
            run.time_quality,
            to_microseconds(new.arrived),
            run.hosts_up,
            run.endpoints_open,
            run.observations,
            new.lost,
            new.held,
            b"",
        ),
    )
    run_id = int(cursor.fetchone()[0])
    addresses = _pack_ranges(coverage.addresses)
    transaction.execute_many(
        "INSERT INTO coverage (run, proto, ports, addresses) VALUES (?,?,?,?)",
        [(run_id, proto, str(ports), addresses) for proto, ports in coverage.ports or (("", ""),)],
    )
    return run_id


def finish_run(transaction: Transaction, run_id: int, *, events: int, held: bool, changes: RunChanges) -> None:
    """Note what the run did to the map."""
    transaction.execute(
        "UPDATE run SET events=?, held=?, confirmed=?, opened=?, closed=? WHERE id=?",
        (
            events,
            held,
            pack_ids(changes.confirmed),
            pack_ids(changes.opened),
            pack_ids(changes.closed),
            run_id,
        ),
    )


def read_changed_ids(
    database: Database, networks: Sequence[int], after: datetime, until: datetime
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Give the ids of the intervals that the runs of a span (`after` < run <= `until`) opened, and closed.

    They are those of the whole units the networks belong to, in rising order.
    """
    opened: set[int] = set()
    closed: set[int] = set()
    for batch in in_batches(sorted(set(networks))):
        marks = ",".join("?" * len(batch))
        for one, other in database.query(
            f"SELECT opened, closed FROM run WHERE unit IN (SELECT unit FROM network WHERE id IN ({marks})) "  # noqa: S608
            "AND time_us>? AND time_us<=?",
            (*batch, to_microseconds(after), to_microseconds(until)),
        ):
            opened.update(iterate_ids(one or b""))
            closed.update(iterate_ids(other or b""))
    return tuple(sorted(opened)), tuple(sorted(closed))


def find_run(database: Database, unit: str, evidence: str) -> Run | None:
    """Give the run this evidence made for this unit, if it was seen before."""
    row = database.one(f"SELECT {_RUN} FROM run WHERE unit=? AND evidence=?", (unit, evidence))  # noqa: S608
    return _run(database, row) if row else None


def read_run(database: Database, run_id: int) -> Run:
    """Give a stored run.

    Raises:
        StoreError: there is none with this id.
    """
    row = database.one(f"SELECT {_RUN} FROM run WHERE id=?", (run_id,))  # noqa: S608  constant columns
    if row is None:
        raise StoreError(f"there is no run {run_id}")
    return _run(database, row)


def read_scan(database: Database, run_id: int) -> str:
    """Give the id of the scan a run is a job of; empty for imports."""
    row = database.one("SELECT scan FROM run WHERE id=?", (run_id,))
    return str(row[0]) if row else ""


def read_lost(database: Database, run_id: int) -> str:
    """Give what could not be read of a run's evidence."""
    row = database.one("SELECT lost FROM run WHERE id=?", (run_id,))
    return str(row[0]) if row else ""


def read_runs(
    database: Database,
    unit: str,
    *,
    vantage: str | None = None,
    after: datetime | None = None,
    until: datetime | None = None,
) -> tuple[Run, ...]:
    """Give the runs of a unit in the order of their time, equal times in the order of arrival.

    `after` leaves out what is older, `until` what is newer; both moments belong to the span.
    """
    statement = f"SELECT {_RUN} FROM run WHERE unit=?"  # noqa: S608  constant columns
    values: list[object] = [unit]
    for clause, value in (
        (" AND vantage=?", vantage),
        (" AND time_us>=?", to_optional(after)),
        (" AND time_us<=?", to_optional(until)),
    ):
        if value is not None:
            statement += clause
            values.append(value)
    return tuple(_run(database, row) for row in database.query(f"{statement} ORDER BY time_us, id", values))


def read_newest_runs(database: Database, unit: str, count: int) -> tuple[Run, ...]:
    """Give the newest runs of a unit, the newest first."""
    statement = f"SELECT {_RUN} FROM run WHERE unit=? ORDER BY time_us DESC, id DESC LIMIT ?"  # noqa: S608
    return tuple(_run(database, row) for row in list(database.query(statement, (unit, count))))


def read_newest_time(database: Database, unit: str, vantage: str) -> datetime | None:
    """Give the time of the newest run of a unit from a vantage."""
    row = database.one("SELECT max(time_us) FROM run WHERE unit=? AND vantage=?", (unit, vantage))
    return from_microseconds(row[0]) if row and row[0] is not None else None


def read_newest_run_time(database: Database, unit: str) -> datetime | None:
    """Give the time of the newest run of a unit, of any kind."""
    row = database.one("SELECT max(time_us) FROM run WHERE unit=?", (unit,))
    return from_optional(row[0]) if row else None


def read_newest_run_times(database: Database) -> dict[str, datetime]:
    """Give the time of the newest run of every unit that has any."""
    rows = database.query("SELECT unit, max(time_us) FROM run GROUP BY unit")
    return {row[0]: from_microseconds(row[1]) for row in rows}


def read_newest_arrival(database: Database, unit: str, kind: RunKind) -> datetime | None:
    """Give when evidence of a kind last arrived at a unit, however old what it tells may be."""
    row = database.one("SELECT max(arrived_us) FROM run WHERE unit=? AND kind=?", (unit, kind.value))
    return from_optional(row[0]) if row else None


def read_arguments(database: Database, run_id: int) -> str:
    """Give the command line of a run's tool, as its file tells it."""
    row = database.one("SELECT arguments FROM run WHERE id=?", (run_id,))
    return str(row[0]) if row else ""


def read_newest_scan(database: Database, unit: str) -> datetime | None:
    """Give the time of the newest run of a unit that looked at ports."""
    row = database.one(
        "SELECT max(time_us) FROM run WHERE unit=? AND EXISTS (SELECT 1 FROM coverage WHERE run=run.id AND proto!='')",
        (unit,),
    )
    return from_optional(row[0]) if row else None


def read_coverage(database: Database, run_id: int) -> Coverage:
    """Give what a run looked at and finished."""
    rows = list(database.query("SELECT proto, ports, addresses FROM coverage WHERE run=? ORDER BY proto", (run_id,)))
    ports = tuple((proto, parse_ranges(text)) for proto, text, _ in rows if proto)
    return Coverage(ports, _unpack_ranges(rows[0][2]) if rows else AddressRanges())


def read_confirmed(
    database: Database, unit: str, until: datetime | None, vantage: str | None = None
) -> Iterator[tuple[Run, IdSet]]:
    """Give runs newest first, each with the ids of the intervals it saw."""
    statement = f"SELECT {_RUN}, confirmed FROM run WHERE unit=?"  # noqa: S608  constant columns
    values: list[object] = [unit]
    if until is not None:
        statement += " AND time_us<=?"
        values.append(to_microseconds(until))
    if vantage is not None:
        statement += " AND vantage=?"
        values.append(vantage)
    for *row, confirmed in database.query(f"{statement} ORDER BY time_us DESC, id DESC", values):
        yield _run(database, tuple(row), with_coverage=False), unpack_ids(confirmed)


def read_earlier_coverage(database: Database, run: Run, scan: str, run_id: int) -> Iterator[tuple[bool, Coverage]]:
    """Give (held, coverage) of the runs before this one from its vantage, newest first; jobs of its own scan are not.

    Used to see whether the run that last looked at the same addresses was held as well.
    """
    moment = to_microseconds(run.time)
    rows = database.query(
        "SELECT id, held FROM run WHERE unit=? AND vantage=? AND (time_us<? OR (time_us=? AND id<?)) "
        "AND (scan='' OR scan!=?) AND EXISTS (SELECT 1 FROM coverage WHERE run=run.id AND proto!='') "
        "ORDER BY time_us DESC, id DESC",
        (run.unit, run.vantage, moment, moment, run_id, scan),
    )
    for earlier, held in rows:
        yield bool(held), read_coverage(database, earlier)


def _run(database: Database, row: Row, *, with_coverage: bool = True) -> Run:
    run = Run(
        id=row[0],
        unit=row[1],
        kind=row[2],
        evidence=row[3],
        source=row[4],
        format=row[5],
        tool=row[6],
        vantage=row[7],
        operator=row[8],
        time=from_microseconds(row[9]),
        time_quality=row[10],
        hosts_up=row[11],
        endpoints_open=row[12],
        observations=row[13],
        events=row[14],
    )
    if not with_coverage:
        return run
    coverage = read_coverage(database, run.id)
    if not coverage.ports:
        return run
    asked = "、".join(f"{proto} {len(ports)}" for proto, ports in coverage.ports)
    return replace(run, coverage_text=f"{len(coverage.addresses)} × {asked}")


def _pack_ranges(addresses: AddressRanges) -> bytes:
    text = "\n".join(f"{version} {low:x} {high:x}" for version, low, high in addresses.ranges)
    return zstandard.compress(text.encode(), 3)


def _unpack_ranges(packed: bytes) -> AddressRanges:
    kinds: dict[str, type[IPv4Address] | type[IPv6Address]] = {"4": IPv4Address, "6": IPv6Address}
    ranges: list[tuple[IPAddress, IPAddress]] = []
    for line in zstandard.decompress(packed).decode().splitlines():
        version, low, high = line.split(" ")
        kind = kinds[version]
        ranges.append((kind(int(low, 16)), kind(int(high, 16))))
    return AddressRanges(tuple(ranges))
