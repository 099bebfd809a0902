"""Public prefixes by owner and date: claimed with a network, ended with it, and asked for by address and day.

Private addresses repeat in every school and are nobody's here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_network

from sentinel.errors import UsageError
from sentinel.model.moment import from_microseconds, from_optional, iso_utc, local_date, local_text, to_microseconds
from sentinel.model.ownership import Owner
from sentinel.model.unit import IPAddress, IPNetwork, Network, UnitLevel, is_private
from sentinel.store.database import Database, Row, Transaction

_OWNER = "unit, network, prefix, valid_from_us, valid_to_us"


def claim_prefixes(transaction: Transaction, network: Network, since: datetime | None = None) -> None:
    """Let a network's unit own its public prefixes from `since` on (None: now), and no others of that network.

    A part of what a school owns may be a department's of its own, and the other way round. The caller audits.

    Raises:
        UsageError: another unit owns a part of one in that time, or `since` lies in the future.
    """
    begin = since or transaction.now
    if begin > transaction.now:
        raise UsageError(f"{local_text(begin)} lies in the future: enter it on that day")
    wanted = {prefix for prefix in network.prefixes if not is_private(prefix)}
    held = {ip_network(text): id_ for id_, text in _read_held(transaction.database, network)}
    for prefix in sorted(wanted - held.keys(), key=str):
        _refuse_taken(transaction.database, network.unit, prefix, begin)
    moment = to_microseconds(transaction.now)
    for prefix, number in held.items():
        if prefix not in wanted:
            transaction.execute("UPDATE prefix_owner SET valid_to_us=? WHERE id=?", (moment, number))
    transaction.execute_many(
        "INSERT INTO prefix_owner (unit, network, prefix, low, high, valid_from_us) VALUES (?,?,?,?,?,?)",
        (
            (network.unit, network.name, str(prefix), *_span(prefix), to_microseconds(begin))
            for prefix in wanted - held.keys()
        ),
    )


def correct_claims(
    transaction: Transaction, network: Network, prefixes: Iterable[IPNetwork], since: datetime
) -> tuple[Owner, ...]:
    """Let a network's unit have owned public prefixes of it from another moment on: what stood there was a mistake.

    Gives them as they are now; the audit row tells both beginnings.

    Raises:
        UsageError: one is private or not of the network, another unit owned a part of it in the time that is new, or
            `since` lies in the future.
    """
    if since > transaction.now:
        raise UsageError(f"{local_text(since)} lies in the future: enter it on that day")
    database = transaction.database
    held = {ip_network(text): id_ for id_, text in _read_held(database, network)}
    known = {one.prefix: one for one in read_owned(database, network.unit) if _is_of(one, network)}
    changed: list[Owner] = []
    for prefix in prefixes:
        if prefix not in held:
            why = "private, and has no dated owner" if is_private(prefix) else f"no prefix of network {network.name!r}"
            raise UsageError(f"{prefix} is {why}: nothing to correct")
        _refuse_taken(database, network.unit, prefix, since)
        transaction.execute(
            "UPDATE prefix_owner SET valid_from_us=? WHERE id=?", (to_microseconds(since), held[prefix])
        )
        changed.append(replace(known[prefix], valid_from=since))
    transaction.audit(
        "network.correct",
        f"network {network.unit}/{network.name}",
        before={str(one.prefix): iso_utc(known[one.prefix].valid_from) for one in changed},
        after={str(one.prefix): iso_utc(since) for one in changed},
    )
    return tuple(changed)


def _is_of(one: Owner, network: Network) -> bool:
    return one.network == network.name and one.valid_to is None


def _read_held(database: Database, network: Network) -> list[Row]:
    return list(
        database.query(
            "SELECT id, prefix FROM prefix_owner WHERE unit=? AND network=? AND valid_to_us IS NULL",
            (network.unit, network.name),
        )
    )


def _refuse_taken(database: Database, unit: str, prefix: IPNetwork, begin: datetime) -> None:
    low, high = _span(prefix)
    rows = database.query(
        f"SELECT {_OWNER} FROM prefix_owner WHERE high>=? AND low<=? AND unit<>? "  # noqa: S608  constant columns
        "AND (valid_to_us IS NULL OR valid_to_us>?)",
        (low, high, unit, to_microseconds(begin)),
    )
    campus = None
    for row in list(rows):
        other = _owner(row)
        campus = campus or find_campus_code(database, unit)
        if find_campus_code(database, other.unit) == campus and other.prefix != prefix:
            continue
        until = f" until {local_date(other.valid_to)}" if other.valid_to else ""
        raise UsageError(
            f"{prefix}: {other.prefix} belongs to unit {other.unit} (network {other.network!r}){until}; "
            "a public address has one owner: correct the one or the other"
        )


def find_campus_code(database: Database, code: str) -> str:
    """Give the code of the school a department belongs to; of any other unit its own."""
    seen: set[str] = set()
    while code not in seen:
        seen.add(code)
        row = database.one("SELECT level, parent FROM unit WHERE code=?", (code,))
        if row is None or row[0] != UnitLevel.DEPARTMENT or not row[1]:
            break
        code = str(row[1])
    return code


def find_owners(database: Database, address: IPAddress, at: datetime) -> tuple[Owner, ...]:
    """Give who owned a public address at a moment, the longest prefix first.

    Of two entries of one unit for one prefix, as a corrected day may leave them, the one that lasts longer counts.
    """
    key = bytes([address.version]) + address.packed
    moment = to_microseconds(at)
    rows = database.query(
        f"SELECT {_OWNER} FROM prefix_owner WHERE high>=? AND low<=? AND valid_from_us<=? "  # noqa: S608
        "AND (valid_to_us IS NULL OR valid_to_us>?)",
        (key, key, moment, moment),
    )
    found = sorted(map(_owner, rows), key=lambda one: (one.valid_to is None, one.valid_to or at))
    return tuple(
        sorted(
            {(one.unit, one.prefix): one for one in found}.values(), key=lambda one: (-one.prefix.prefixlen, one.unit)
        )
    )


def read_owned(database: Database, unit: str) -> tuple[Owner, ...]:
    """Give what a unit owns and owned, oldest first."""
    rows = database.query(f"SELECT {_OWNER} FROM prefix_owner WHERE unit=? ORDER BY valid_from_us, id", (unit,))  # noqa: S608
    return tuple(map(_owner, rows))


def _owner(row: Row) -> Owner:
    return Owner(row[0], row[1], ip_network(row[2]), from_microseconds(row[3]), from_optional(row[4]))


def _span(prefix: IPNetwork) -> tuple[bytes, bytes]:
    version = bytes([prefix.version])
    return version + prefix.network_address.packed, version + prefix.broadcast_address.packed


def list_patterns(address: IPAddress) -> tuple[str, ...]:
    """Give what LIKE finds in the JSON text of prefixes that hold an address: each prefix it can lie in."""
    lengths = range(address.max_prefixlen + 1)
    return tuple(f'%"{ip_network((address, length), strict=False)}"%' for length in lengths)


def find_declared(database: Database, address: IPAddress) -> tuple[tuple[str, str, str, IPNetwork], ...]:
    """Give unit, its name, network and prefix of every network that declares an address, the longest prefix first.

    Private addresses repeat, so there may be one for each school.
    """
    patterns = list_patterns(address)
    either = " OR ".join(["n.prefixes LIKE ?"] * len(patterns))
    rows = database.query(
        "SELECT n.unit, u.name, n.name, n.prefixes FROM network n JOIN unit u ON u.code=n.unit "  # noqa: S608
        f"WHERE n.prefixes<>'[]' AND ({either})",
        patterns,
    )
    found = [
        (str(unit), str(name), str(network), prefix)
        for unit, name, network, prefixes in rows
        for prefix in map(ip_network, json.loads(prefixes))
        if prefix.version == address.version and address in prefix
    ]
    return tuple(sorted(found, key=lambda one: (-one[3].prefixlen, one[0])))
