"""The map on disk: endpoint intervals, hosts, names and certificates, read and written in bulk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from ipaddress import ip_address
from itertools import groupby
from typing import Any

from sentinel.model.endpoint import Endpoint, EndpointKey, EndpointState, Fingerprint, Host
from sentinel.model.moment import from_microseconds, from_optional, to_microseconds, to_optional
from sentinel.model.observation import Certificate
from sentinel.model.unit import IPAddress, Network
from sentinel.store.database import Database, Row, Transaction
from sentinel.store.interning import build_look, in_batches, intern_hosts, intern_looks, intern_vantages, place_of
from sentinel.store.keys import address_key
from sentinel.store.runs import read_changed_ids
from sentinel.store.tables_codes import PROTO_CODES, STATE_CODES, WHY_CODES

_OWN = (
    "e.id, e.network, e.vantage, e.address, e.proto, e.port, e.state, e.service, e.guessed, e.product, e.version, "
    "e.tunnel, e.certificate, e.extra, e.cpes, e.title, e.in_scope, e.misses, e.valid_from_us, e.valid_to_us, "
    "e.opened_by"
)
_CERTIFICATE = (
    "c.subject, c.issuer, c.names, c.not_before_us, c.not_after_us, c.key_type, c.key_bits, c.signature, c.self_signed"
)
ENDPOINT_COLUMNS = f"{_OWN}, {_CERTIFICATE}"
"""What `build_endpoint` reads, in its order."""

ENDPOINT_SOURCE = "FROM endpoint e LEFT JOIN certificate c ON c.sha256 = e.certificate"
_HOST = (
    "SELECT address, mac, vendor, os, first_seen_us, last_seen_us, in_scope FROM host WHERE first_seen_us IS NOT NULL"
)


def read_current(
    database: Database, networks: Sequence[int], vantage: str, addresses: Sequence[str] | None = None
) -> Iterator[Endpoint]:
    """Give the intervals that last, of some addresses (canonical text) or of whole networks."""
    base = f"SELECT {ENDPOINT_COLUMNS} {ENDPOINT_SOURCE} WHERE e.network=? AND e.vantage=?"
    for network in networks:
        if addresses is None:
            rows = database.stream(f"{base} AND e.valid_to_us IS NULL ORDER BY e.address", (network, vantage))
            yield from map(build_endpoint, rows)
            continue
        for batch in in_batches(addresses):
            marks = ",".join("?" * len(batch))
            rows = database.query(
                f"{base} AND e.address IN ({marks}) AND e.valid_to_us IS NULL", (network, vantage, *batch)
            )
            yield from map(build_endpoint, rows)


def read_at(database: Database, network: int, address: str, at: datetime | None) -> list[Endpoint]:
    """Give the intervals of one address that hold at a moment (None: those that last)."""
    clause, values = _moment(at)
    statement = f"SELECT {ENDPOINT_COLUMNS} {ENDPOINT_SOURCE} WHERE e.network=? AND e.address=? AND {clause}"
    return list(map(build_endpoint, database.query(statement, (network, address, *values))))


def _moment(at: datetime | None) -> tuple[str, tuple[int, ...]]:
    if at is None:
        return "e.valid_to_us IS NULL", ()
    return "e.valid_from_us<=? AND (e.valid_to_us IS NULL OR e.valid_to_us>?)", (to_microseconds(at),) * 2


def read_as_of(database: Database, networks: Sequence[int], at: datetime | None) -> Iterator[Endpoint]:
    """Give the intervals that hold at a moment (None: those that last), by network, address text, protocol, port."""
    clause, values = _moment(at)
    for network in networks:
        yield from map(
            build_endpoint,
            database.stream(
                f"SELECT {ENDPOINT_COLUMNS} {ENDPOINT_SOURCE} WHERE e.network=? AND {clause} "
                "ORDER BY e.address, e.vantage, e.proto, e.port",
                (network, *values),
            ),
        )


def read_closings(
    database: Database, networks: Sequence[int], after: datetime, until: datetime
) -> dict[EndpointKey, datetime]:
    """Give when each endpoint's interval last ended in a span (`after` < end <= `until`)."""
    ends: dict[EndpointKey, datetime] = {}
    _, closed = read_changed_ids(database, networks, after, until)
    for batch in in_batches(closed):
        marks = ",".join("?" * len(batch))
        for row in database.query(
            f"SELECT network, vantage, address, proto, port, valid_to_us FROM endpoint WHERE id IN ({marks})",  # noqa: S608
            batch,
        ):
            key = EndpointKey(row[0], row[1], ip_address(row[2]), row[3], row[4])
            end = from_microseconds(row[5])
            ends[key] = max(ends.get(key, end), end)
    return {key: end for key, end in ends.items() if key.network in networks}


def read_touched(
    database: Database, networks: Sequence[int], start: datetime, end: datetime
) -> tuple[tuple[Endpoint, ...], tuple[Endpoint, ...]]:
    """Give the intervals at the start and at the end of a span, of the endpoints that changed in it.

    What changed is read from the runs (`start` < run <= `end`), so the cost is that of the changes, not of the map.
    """
    opened, closed = read_changed_ids(database, networks, start, end)
    touched = [
        one
        for batch in in_batches(sorted({*opened, *closed}))
        for one in map(
            build_endpoint,
            database.query(
                f"SELECT {ENDPOINT_COLUMNS} {ENDPOINT_SOURCE} WHERE e.id IN ({','.join('?' * len(batch))})", batch
            ),
        )
        if one.key.network in networks
    ]
    return tuple(one for one in touched if _holds(one, start)), tuple(one for one in touched if _holds(one, end))


def _holds(one: Endpoint, at: datetime) -> bool:
    return one.valid_from <= at and (one.valid_to is None or one.valid_to > at)


def find_opener(database: Database, key: EndpointKey, after: datetime) -> int | None:
    """Give the id of the run that first saw an endpoint open after a moment."""
    row = database.one(
        "SELECT opened_by FROM endpoint WHERE network=? AND vantage=? AND address=? AND proto=? AND port=? "
        "AND state='open' AND valid_from_us>? ORDER BY valid_from_us, id LIMIT 1",
        (key.network, key.vantage, str(key.address), key.proto, key.port, to_microseconds(after)),
    )
    return int(row[0]) if row else None


def build_endpoint(row: Row) -> Endpoint:
    """Build an interval of a row of `ENDPOINT_COLUMNS`."""
    certificate = row[12]
    return Endpoint(
        key=EndpointKey(row[1], row[2], ip_address(row[3]), row[4], row[5]),
        state=EndpointState(row[6]),
        fingerprint=Fingerprint(row[7], bool(row[8]), row[9], row[10], row[11], certificate),
        valid_from=from_microseconds(row[18]),
        valid_to=from_optional(row[19]),
        extra=row[13],
        cpes=tuple(row[14].split(" ")) if row[14] else (),
        title=row[15],
        certificate=_certificate(certificate, row[21:]) if row[21] is not None else None,
        in_scope=bool(row[16]),
        id=row[0],
        opened_by=row[20],
        misses=row[17],
    )


def _certificate(sha256: str, row: Row) -> Certificate:
    return Certificate(
        sha256=sha256,
        subject=row[0],
        issuer=row[1],
        names=tuple(json.loads(row[2])),
        not_before=from_optional(row[3]),
        not_after=from_optional(row[4]),
        key_type=row[5],
        key_bits=row[6],
        signature=row[7],
        self_signed=None if row[8] is None else bool(row[8]),
    )


def next_endpoint_id(transaction: Transaction) -> int:
    """Give the first free id; the open transaction keeps others from taking it."""
    row = transaction.execute("SELECT max(id) FROM endpoint_interval").fetchone()
    return int(row[0] or 0) + 1


def write_opened(transaction: Transaction, endpoints: Iterable[Endpoint]) -> None:
    """Add intervals, which carry their ids, with the certificates they show."""
    made = list(endpoints)
    _write_certificates(transaction, made)
    hosts = intern_hosts(transaction, (place_of(one.key) for one in made))
    vantages = intern_vantages(transaction, (one.key.vantage for one in made))
    looks = intern_looks(transaction, map(build_look, made))
    transaction.execute_many(
        "INSERT INTO endpoint_interval (id, host, vantage, proto, port, state, look, in_scope, misses, valid_from_us, "
        "opened_by, closed_why) VALUES (?,?,?,?,?,?,?,?,?,?,?,0)",
        [
            (
                one.id,
                hosts[place_of(one.key)],
                vantages[one.key.vantage],
                PROTO_CODES[one.key.proto],
                one.key.port,
                STATE_CODES[one.state],
                looks[build_look(one)],
                one.in_scope,
                one.misses,
                to_microseconds(one.valid_from),
                one.opened_by,
            )
            for one in made
        ],
    )


def write_closed(transaction: Transaction, at: datetime, run: int, closed: Iterable[tuple[int, str]]) -> None:
    """End intervals at a moment: (id, why), e.g. `reset`, `missed`, `changed`, `silent`."""
    transaction.execute_many(
        "UPDATE endpoint_interval SET valid_to_us=?, closed_by=?, closed_why=? WHERE id=?",
        [(to_microseconds(at), run, WHY_CODES[why], one) for one, why in closed],
    )


def write_amended(transaction: Transaction, endpoints: Iterable[Endpoint]) -> None:
    """Write what became better known of lasting intervals, and their count of misses."""
    made = list(endpoints)
    _write_certificates(transaction, made)
    looks = intern_looks(transaction, map(build_look, made))
    transaction.execute_many(
        "UPDATE endpoint_interval SET look=?, in_scope=?, misses=? WHERE id=?",
        [(looks[build_look(one)], one.in_scope, one.misses, one.id) for one in made],
    )


def _write_certificates(transaction: Transaction, endpoints: Iterable[Endpoint]) -> None:
    shown = {one.certificate.sha256: one.certificate for one in endpoints if one.certificate and _is_shown(one)}
    transaction.execute_many(
        "INSERT INTO certificate (sha256, subject, issuer, names, not_before_us, not_after_us, key_type, key_bits, "
        "signature, self_signed) VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (sha256) DO NOTHING",
        [_certificate_row(one) for one in shown.values()],
    )


def _is_shown(one: Endpoint) -> bool:
    return bool(one.fingerprint.certificate)


def _certificate_row(one: Certificate) -> tuple[Any, ...]:
    return (
        one.sha256,
        one.subject,
        one.issuer,
        json.dumps(one.names, ensure_ascii=False),
        to_optional(one.not_before),
        to_optional(one.not_after),
        one.key_type,
        one.key_bits,
        one.signature,
        one.self_signed,
    )


def remove_history(transaction: Transaction, networks: Sequence[int], vantage: str | None) -> None:
    """Forget the intervals of networks seen from a vantage, before they are built anew from the evidence.

    Without a vantage all that was seen of them is forgotten, hosts and names too.
    """
    of_network = "DELETE FROM endpoint_interval WHERE host IN (SELECT id FROM host WHERE network=?)"
    of_vantage = f"{of_network} AND vantage=(SELECT id FROM vantage WHERE name=?)"  # noqa: S608  constant words
    for network in networks:
        if vantage is not None:
            transaction.execute(of_vantage, (network, vantage))
            continue
        transaction.execute(of_network, (network,))
        for table in ("host", "name"):
            transaction.execute(f"DELETE FROM {table} WHERE network=?", (network,))  # noqa: S608  constant tables


def write_hosts(transaction: Transaction, rows: Iterable[tuple[int, str, str, str, str, bool, int]]) -> None:
    """Note hosts seen up: (network, address, mac, vendor, os, in scope, time in microseconds)."""
    transaction.execute_many(
        "INSERT INTO host (network, address, place, mac, vendor, os, in_scope, first_seen_us, last_seen_us) "
        "VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (network, address) DO UPDATE SET "
        "mac=CASE WHEN excluded.mac!='' THEN excluded.mac ELSE host.mac END, "
        "vendor=CASE WHEN excluded.vendor!='' THEN excluded.vendor ELSE host.vendor END, "
        "os=CASE WHEN excluded.os!='' THEN excluded.os ELSE host.os END, in_scope=excluded.in_scope, "
        "first_seen_us=CASE WHEN host.first_seen_us<=excluded.first_seen_us THEN host.first_seen_us "
        "ELSE excluded.first_seen_us END, last_seen_us=CASE WHEN host.last_seen_us>=excluded.last_seen_us "
        "THEN host.last_seen_us ELSE excluded.last_seen_us END",
        [(one[0], one[1], address_key(one[1]), *one[2:], one[6]) for one in rows],
    )


def write_names(transaction: Transaction, rows: Iterable[tuple[int, str, str, str, int]]) -> None:
    """Note names of addresses: (network, address, name, source, time in microseconds)."""
    transaction.execute_many(
        "INSERT INTO name (network, address, name, source, first_seen_us, last_seen_us) VALUES (?,?,?,?,?,?) "
        "ON CONFLICT (network, address, name) DO UPDATE SET first_seen_us=CASE WHEN name.first_seen_us<="
        "excluded.first_seen_us THEN name.first_seen_us ELSE excluded.first_seen_us END, last_seen_us=CASE WHEN "
        "name.last_seen_us>=excluded.last_seen_us THEN name.last_seen_us ELSE excluded.last_seen_us END",
        [(*one, one[4]) for one in rows],
    )


def was_host(database: Database, network: int, address: str, at: datetime) -> bool:
    """Tell whether the address had been seen up by then."""
    statement = "SELECT 1 FROM host WHERE network=? AND address=? AND first_seen_us<=?"
    return database.one(statement, (network, address, to_microseconds(at))) is not None


def read_name_rows(database: Database, networks: Sequence[int]) -> Iterator[tuple[IPAddress, str, str, datetime]]:
    """Give (address, name, source, last seen) of every name known for an address of some networks."""
    marks = ",".join("?" * len(networks))
    rows = database.query(
        f"SELECT address, name, source, last_seen_us FROM name WHERE network IN ({marks})",  # noqa: S608
        tuple(networks),
    )
    for address, name, source, seen in rows:
        yield ip_address(address), str(name), str(source), from_microseconds(seen)


def read_names(database: Database, network: int, at: datetime | None = None) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give each address of a network that had names at a moment with its names, both in the order of their text."""
    until = to_microseconds(at) if at else 1 << 62
    rows = database.stream(
        "SELECT address, name FROM name WHERE network=? AND first_seen_us<=? ORDER BY address, name", (network, until)
    )
    for address, group in groupby(rows, key=lambda row: str(row[0])):
        yield address, tuple(name for _, name in group)


def read_names_at(
    database: Database, network: int, addresses: Sequence[str], at: datetime
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give those of some addresses of a network that had names at a moment, with their names."""
    for batch in in_batches(addresses):
        marks = ",".join("?" * len(batch))
        rows = database.query(
            f"SELECT address, name FROM name WHERE network=? AND first_seen_us<=? AND address IN ({marks}) "  # noqa: S608
            "ORDER BY address, name",
            (network, to_microseconds(at), *batch),
        )
        for address, group in groupby(rows, key=lambda row: str(row[0])):
            yield address, tuple(name for _, name in group)


def read_hosts(database: Database, network: Network) -> Iterator[Host]:
    """Give the hosts of a network with their names, in the order of the text of their addresses."""
    names = Beside(read_names(database, network.id))
    for row in database.stream(f"{_HOST} AND network=? ORDER BY address", (network.id,)):
        yield build_host(network, row, names.at(row[0]))


def read_hosts_at(database: Database, network: Network, addresses: Sequence[IPAddress]) -> Iterator[Host]:
    """Give the hosts at some addresses of a network, without their names."""
    for address in addresses:
        for row in database.query(f"{_HOST} AND network=? AND address=?", (network.id, str(address))):
            yield build_host(network, row, ())


def build_host(network: Network, row: Row, names: tuple[str, ...]) -> Host:
    """Build a host of (address, mac, vendor, os, first seen, last seen, in scope)."""
    return Host(
        network=network.name,
        zone=network.zone,
        address=ip_address(row[0]),
        names=names,
        mac=row[1],
        vendor=row[2],
        os=row[3],
        first_seen=from_microseconds(row[4]),
        last_seen=from_microseconds(row[5]),
        in_scope=bool(row[6]),
    )


class Beside:
    """Walks rows sorted by address text beside others in the same order, so that neither is held in memory."""

    def __init__(self, rows: Iterator[tuple[str, tuple[str, ...]]]) -> None:
        self._rows = rows
        self._row = next(rows, None)

    def at(self, address: str) -> tuple[str, ...]:
        """Give what belongs to an address; addresses must be asked in rising order."""
        while self._row is not None and self._row[0] < address:
            self._row = next(self._rows, None)
        return self._row[1] if self._row is not None and self._row[0] == address else ()


def sort_key(address: IPAddress) -> tuple[int, int]:
    """Order addresses by version and number, not by text."""
    return address.version, int(address)
