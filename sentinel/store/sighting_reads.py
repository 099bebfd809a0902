"""What a trace asks of the sightings: who held an address, where a card was, what a NAT did, what logs there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sentinel.model.moment import from_microseconds, from_optional, to_microseconds
from sentinel.model.sighting import HoldingSource
from sentinel.model.trace import Attached, Held, Holder, LogKind, LogSpan, Told, Translated
from sentinel.model.unit import IPAddress, IPNetwork
from sentinel.store.database import Database, Row
from sentinel.store.sightings import pack_address, unpack_address

MOST = 500
"""Rows of one kind a trace looks at; more are no answer."""

_HELD = (
    "SELECT h.network, h.address, o.source, o.mac, o.name, o.client_id, o.device, o.port, o.vlan, o.account, h.told, "
    "h.since_us, h.until_us, r.evidence FROM holding h JOIN holder o ON o.id=h.holder LEFT JOIN run r ON r.id=h.run"
)
_TRANSLATED = (
    "SELECT t.network, t.proto, t.outside, t.port_low, t.width, t.since_us, t.until_us, t.inside, t.inside_port, "
    "t.peer, t.peer_port, t.device, r.evidence FROM translation t LEFT JOIN run r ON r.id=t.run"
)
_WHOLE = 65_536
_RECENT = timedelta(days=2)
_BEGUN_REACH = timedelta(days=8)


def read_held(database: Database, network: int, address: IPAddress, start: datetime, end: datetime) -> tuple[Held, ...]:
    """Give the stretches in which an address was held that meet a span, the newest first.

    One whose end is not told meets it when it began in the eight days before.
    """
    return tuple(
        map(
            _held,
            database.query(
                f"{_HELD} WHERE h.network=? AND h.address=? AND h.since_us<=? "
                "AND (h.until_us>=? OR (h.told='begun' AND h.until_us>=?)) ORDER BY h.since_us DESC, h.id LIMIT ?",
                (
                    network,
                    pack_address(address),
                    to_microseconds(end),
                    to_microseconds(start),
                    to_microseconds(start - _BEGUN_REACH),
                    MOST,
                ),
            ),
        )
    )


def read_held_by(
    database: Database,
    space: int,
    start: datetime,
    end: datetime,
    *,
    mac: str = "",
    account: int | None = None,
) -> tuple[Held, ...]:
    """Give what a card, or an account, held in a span, the oldest first."""
    clause, value = ("o.mac=?", mac) if mac else ("o.account=?", account)
    rows = database.query(
        f"{_HELD} WHERE o.space=? AND {clause} AND h.since_us<=? AND h.until_us>=? ORDER BY h.since_us, h.id LIMIT ?",
        (space, value, to_microseconds(end), to_microseconds(start), MOST),
    )
    return tuple(map(_held, rows))


def _held(row: Row) -> Held:
    return Held(
        network=row[0],
        address=unpack_address(bytes(row[1])),
        holder=Holder(HoldingSource(row[2]), *row[3:10]),
        told=Told(row[10]),
        since=from_microseconds(row[11]),
        until=from_microseconds(row[12]),
        evidence=row[13] or "",
    )


def read_attached(database: Database, space: int, mac: str, start: datetime, end: datetime) -> tuple[Attached, ...]:
    """Give where a card was in a span, the newest first."""
    rows = database.query(
        "SELECT a.mac, a.device, a.port, a.vlan, a.since_us, a.until_us, r.evidence FROM attachment a "
        "LEFT JOIN run r ON r.id=a.run WHERE a.space=? AND a.mac=? AND a.since_us<=? AND a.until_us>=? "
        "ORDER BY a.until_us DESC, a.id LIMIT ?",
        (space, mac, to_microseconds(end), to_microseconds(start), MOST),
    )
    return tuple(
        Attached(row[0], row[1], row[2], row[3], from_microseconds(row[4]), from_microseconds(row[5]), row[6] or "")
        for row in rows
    )


def count_cards_on(database: Database, space: int, device: str, port: str, start: datetime, end: datetime) -> int:
    """Count the different cards known on a port in a span."""
    row = database.one(
        "SELECT count(DISTINCT mac) FROM attachment WHERE space=? AND device=? AND port=? AND since_us<=? "
        "AND until_us>=?",
        (space, device, port, to_microseconds(end), to_microseconds(start)),
    )
    return int(row[0]) if row else 0


def read_translated(
    database: Database,
    space: int,
    outside: IPAddress,
    port: int | None,
    start: datetime,
    end: datetime,
    whole_end: datetime | None = None,
) -> tuple[Translated, ...]:
    """Give the translations of a public address, and port where one is named, that meet a span, the newest first.

    `whole_end` is the end of the span for those of the whole address, which seldom change. Without a
    port single sessions are left out: an address may carry thousands at once.
    """
    found: list[Translated] = []
    for width in _read_widths(database, space, outside):
        if port is None:
            low, high = 0, 65_535
        else:
            low, high = max(0, port - width + 1), port
        if width == 1 and port is None:
            continue
        asked = (database, space, outside, width, low, high)
        if width == _WHOLE:
            end = whole_end or end  # the widest comes last
        rows = _read_width(*asked, start, end, end - _RECENT if width == 1 else None)
        if not rows and width == 1:  # one that lasts for longer is rare, and costs a look at all of the port's past
            rows = _read_width(*asked, start, end, None)
        found += rows
    return tuple(sorted(found, key=lambda one: one.since, reverse=True))


def _read_widths(database: Database, space: int, outside: IPAddress) -> Iterator[int]:
    """Give the different widths of translations of an address, by leaps through the index."""
    width = 0
    while True:
        row = database.one(
            "SELECT min(width) FROM translation WHERE space=? AND outside=? AND width>?",
            (space, pack_address(outside), width),
        )
        if row is None or row[0] is None:
            return
        width = int(row[0])
        yield width


def _read_width(
    database: Database,
    space: int,
    outside: IPAddress,
    width: int,
    low: int,
    high: int,
    start: datetime,
    end: datetime,
    begun_after: datetime | None,
) -> list[Translated]:
    ports = ("t.port_low=?", [low]) if low == high else ("t.port_low BETWEEN ? AND ?", [low, high])
    recent = " AND t.since_us>=?" if begun_after else ""
    rows = database.query(
        f"{_TRANSLATED} WHERE t.space=? AND t.outside=? AND t.width=? AND {ports[0]} AND t.since_us<=?{recent} "
        "AND (t.until_us IS NULL OR t.until_us>=?) ORDER BY t.since_us DESC LIMIT ?",
        (
            space,
            pack_address(outside),
            width,
            *ports[1],
            to_microseconds(end),
            *([to_microseconds(begun_after)] if begun_after else []),
            to_microseconds(start),
            MOST,
        ),
    )
    return [_translated(row) for row in rows]


def has_sessions(database: Database, space: int, outside: IPAddress) -> bool:
    """Tell whether single sessions of a public address are known."""
    row = database.one(
        "SELECT 1 FROM translation WHERE space=? AND outside=? AND width=1 LIMIT 1", (space, pack_address(outside))
    )
    return row is not None


def is_translated(database: Database, space: int, outside: IPAddress) -> bool:
    """Tell whether any translation of an address is known."""
    row = database.one("SELECT 1 FROM translation WHERE space=? AND outside=? LIMIT 1", (space, pack_address(outside)))
    return row is not None


def _translated(row: Row) -> Translated:
    return Translated(
        network=row[0],
        proto=row[1],
        outside=unpack_address(bytes(row[2])),
        ports=(row[3], row[3] + row[4] - 1),
        since=from_microseconds(row[5]),
        until=from_optional(row[6]),
        inside=unpack_address(bytes(row[7])),
        inside_port=row[8],
        peer=unpack_address(bytes(row[9])) if row[9] else None,
        peer_port=row[10],
        device=row[11],
        evidence=row[12] or "",
    )


def read_spans(
    database: Database,
    space: int,
    kinds: Sequence[LogKind],
    start: datetime,
    end: datetime,
    subject: IPAddress | None = None,
) -> tuple[LogSpan, ...]:
    """Give the times logs of some kinds speak of that meet a span; with a subject only those of a public address."""
    about, values = ("", ()) if subject is None else (" AND s.subject=?", (pack_address(subject),))
    marks = ",".join("?" * len(kinds))
    rows = database.query(
        f"{_SPAN} WHERE s.space=? AND s.kind IN ({marks}) AND s.since_us<=? AND s.until_us>=?{about} "
        "ORDER BY s.since_us, s.id LIMIT ?",
        (space, *(kind.value for kind in kinds), to_microseconds(end), to_microseconds(start), *values, MOST),
    )
    return tuple(map(_span, rows))


_SPAN = (
    "SELECT s.kind, s.device, s.subject, s.since_us, s.until_us, r.evidence FROM log_span s "
    "LEFT JOIN run r ON r.id=s.run"
)


def _span(row: Row) -> LogSpan:
    return LogSpan(
        kind=LogKind(row[0]),
        device=row[1],
        subject=unpack_address(bytes(row[2])) if row[2] else None,
        since=from_microseconds(row[3]),
        until=from_microseconds(row[4]),
        evidence=row[5] or "",
    )


def read_nearest(
    database: Database, space: int, kinds: Sequence[LogKind], at: datetime, devices: Sequence[str] | None = None
) -> tuple[datetime | None, datetime | None]:
    """Give when logs of some kinds last spoke before a moment and first spoke after it."""
    marks = ",".join("?" * len(kinds))
    where = f"WHERE space=? AND kind IN ({marks})"
    values: list[object] = [space, *(kind.value for kind in kinds)]
    if devices:
        where += f" AND device IN ({','.join('?' * len(devices))})"
        values += devices
    moment = to_microseconds(at)
    before = database.one(f"SELECT max(until_us) FROM log_span {where} AND until_us<=?", (*values, moment))  # noqa: S608
    after = database.one(f"SELECT min(since_us) FROM log_span {where} AND since_us>=?", (*values, moment))  # noqa: S608
    return from_optional(before[0] if before else None), from_optional(after[0] if after else None)


def read_nat_devices(database: Database, space: int, subjects: Sequence[IPNetwork]) -> tuple[str, ...]:
    """Give the devices that ever translated for a public address among these."""
    found: dict[str, None] = {}
    for prefix in subjects:
        low, high = pack_address(prefix.network_address), pack_address(prefix.broadcast_address)
        rows = database.query(
            "SELECT DISTINCT device FROM log_span WHERE space=? AND kind='nat' AND subject>=? AND subject<=?",
            (space, low, high),
        )
        found |= {str(row[0]): None for row in rows}
    return tuple(found)
