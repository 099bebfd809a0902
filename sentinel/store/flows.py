"""Captures that were analysed, and the mining flows they showed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sentinel.model.flow import FlowClass, FlowDetection
from sentinel.model.moment import from_optional, to_microseconds, to_optional
from sentinel.store.database import Database, Row, Transaction

_FLOW = (
    "file, host, host_port, peer, peer_port, family, flow_class, certainty, coin, first_seen_us, last_seen_us, "
    "packets, payload_bytes, proof, name, agent, wallet"
)


def is_capture_known(database: Database, unit: str, evidence: str) -> bool:
    """Tell whether this capture was analysed for the unit before."""
    return database.one("SELECT 1 FROM capture WHERE unit=? AND evidence=?", (unit, evidence)) is not None


def write_capture(
    transaction: Transaction,
    unit: str,
    evidence: str,
    file: str,
    flows: Sequence[FlowDetection],
    problem: str = "",
) -> None:
    """Note an analysed capture with what it showed; analysing it again replaces both."""
    transaction.execute("DELETE FROM flow WHERE unit=? AND evidence=?", (unit, evidence))
    transaction.execute("DELETE FROM capture WHERE unit=? AND evidence=?", (unit, evidence))
    transaction.execute(
        "INSERT INTO capture (unit, evidence, file, analysed_us, flows, problem) VALUES (?,?,?,?,?,?)",
        (unit, evidence, file, to_microseconds(transaction.now), len(flows), problem),
    )
    transaction.execute_many(
        f"INSERT INTO flow (unit, evidence, {_FLOW}) VALUES ({','.join('?' * 19)})",  # noqa: S608
        (_values(unit, evidence, one) for one in flows),
    )


def count_captures(database: Database, unit: str, after: datetime, until: datetime) -> int:
    """Count the captures analysed in a span."""
    row = database.one(
        "SELECT count(*) FROM capture WHERE unit=? AND analysed_us>=? AND analysed_us<=?",
        (unit, to_microseconds(after), to_microseconds(until)),
    )
    return int(row[0]) if row else 0


def read_newest_capture(database: Database, unit: str) -> datetime | None:
    """Give when a capture was last analysed for the unit."""
    row = database.one("SELECT max(analysed_us) FROM capture WHERE unit=?", (unit,))
    return from_optional(row[0]) if row else None


def read_flows(
    database: Database, unit: str, after: datetime | None = None, until: datetime | None = None
) -> tuple[tuple[str, FlowDetection], ...]:
    """Give (evidence, detection) of the captures analysed in a span, by host and time."""
    statement = (
        f"SELECT flow.evidence, {', '.join(f'flow.{name.strip()}' for name in _FLOW.split(','))} FROM flow "  # noqa: S608
        "JOIN capture ON capture.unit = flow.unit AND capture.evidence = flow.evidence WHERE flow.unit=?"
    )
    values: list[object] = [unit]
    if after is not None:
        statement += " AND capture.analysed_us>=?"
        values.append(to_microseconds(after))
    if until is not None:
        statement += " AND capture.analysed_us<=?"
        values.append(to_microseconds(until))
    rows: Iterable[Row] = database.query(f"{statement} ORDER BY flow.host, flow.first_seen_us, flow.id", values)
    return tuple((row[0], _flow(row[1:])) for row in rows)


def read_flows_of(
    database: Database, unit: str, host: str, start: datetime, end: datetime, most: int
) -> tuple[tuple[str, FlowDetection], ...]:
    """Give (evidence, detection) of one host whose packets meet a span, the oldest first."""
    rows = database.query(
        f"SELECT evidence, {_FLOW} FROM flow WHERE unit=? AND last_seen_us>=? AND first_seen_us<=? AND host=? "  # noqa: S608
        "ORDER BY first_seen_us, id LIMIT ?",
        (unit, to_microseconds(start), to_microseconds(end), host, most),
    )
    return tuple((row[0], _flow(row[1:])) for row in rows)


def _values(unit: str, evidence: str, one: FlowDetection) -> tuple[object, ...]:
    return (
        unit,
        evidence,
        one.file,
        one.host,
        one.host_port,
        one.peer,
        one.peer_port,
        one.family,
        one.flow_class.value,
        one.certainty,
        one.coin,
        to_optional(one.first_seen),
        to_optional(one.last_seen),
        one.packets,
        one.payload_bytes,
        one.evidence,
        one.name,
        one.agent,
        one.wallet,
    )


def _flow(row: Row) -> FlowDetection:
    return FlowDetection(
        file=row[0],
        host=row[1],
        host_port=row[2],
        peer=row[3],
        peer_port=row[4],
        family=row[5],
        flow_class=FlowClass(row[6]),
        certainty=row[7],
        coin=row[8],
        first_seen=from_optional(row[9]),
        last_seen=from_optional(row[10]),
        packets=row[11],
        payload_bytes=row[12],
        evidence=row[13],
        name=row[14],
        agent=row[15],
        wallet=row[16],
    )


_UNPROVEN = (
    "flow_class!='mining' AND NOT EXISTS (SELECT 1 FROM finding WHERE finding.unit=flow.unit "
    "AND finding.evidence=flow.evidence)"
)
"""What is not proof: no mining was proven, and no finding rests on the capture."""


def remove_flows(transaction: Transaction, before: datetime) -> int:
    """Delete detections last seen before a moment that prove nothing; gives how many. The caller writes the audit row.

    Those that tell no time stay.
    """
    cursor = transaction.execute(
        f"DELETE FROM flow WHERE last_seen_us<? AND {_UNPROVEN}",  # noqa: S608  constant words
        (to_microseconds(before),),
    )
    return int(cursor.rowcount)


def read_oldest_flow(database: Database) -> datetime | None:
    """Give when the oldest detection that proves nothing was last seen."""
    row = database.one(f"SELECT min(last_seen_us) FROM flow WHERE {_UNPROVEN}")  # noqa: S608  constant words
    return from_optional(row[0]) if row else None
