"""Sightings on disk: holdings, attachments, translations and the times logs speak of, written in bulk and joined."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address

from sentinel.errors import StoreError
from sentinel.model.moment import from_optional, to_microseconds
from sentinel.model.trace import Holder, LogKind
from sentinel.model.unit import DEFAULT_NETWORK, IPAddress, Network
from sentinel.store.database import Database, Transaction
from sentinel.store.seal import Seal
from sentinel.store.stretches import Join, Key, Span, StretchTable, write_stretches

_PERSONS = (
    "EXISTS (SELECT 1 FROM holder WHERE holder.id=holding.holder AND holder.source IN ('radius', 'portal', 'dhcp'))"
)
_KINDS = {
    "holding": ("holding", ""),
    "person_holding": ("holding", f" AND {_PERSONS}"),
    "neighbour_holding": ("holding", f" AND NOT {_PERSONS}"),
    "attachment": ("attachment", ""),
    "translation": ("translation", ""),
}
SIGHTING_KINDS = tuple(_KINDS)
"""The kinds of sightings that are deleted on time, as `remove_sightings` names them; of holdings all, those logins and
leases tell, and those tables of neighbours tell."""

_HOLDING = StretchTable("holding", ("holder", "network", "address", "told"))
_ATTACHMENT = StretchTable("attachment", ("space", "mac", "device", "port", "vlan"))
_BATCH = 400


@dataclass(frozen=True, slots=True)
class TranslationRow:
    """A translation as it is stored.

    Attributes:
        outside: bytes of the public address.
        width: number of outside ports.
        port_low: the first of them.
        since: first moment, in microseconds.
        until: last moment; None where not told.
        proto: protocol, or empty for all.
        network: row id of the network of the inside address.
        inside: bytes of the inside address.
        inside_port: port inside; None for a block.
        peer: bytes of the other end, or none.
        peer_port: its port.
        device: firewall that told it.
    """

    outside: bytes
    width: int
    port_low: int
    since: int
    until: int | None
    proto: str
    network: int
    inside: bytes
    inside_port: int | None
    peer: bytes
    peer_port: int | None
    device: str


def pack_address(address: IPAddress) -> bytes:
    """Give bytes that sort as addresses do: version, then number."""
    return (b"\x06" if address.version == 6 else b"\x04") + address.packed


def unpack_address(packed: bytes) -> IPAddress:
    """Give the address of its bytes."""
    return IPv6Address(packed[1:]) if packed[0] == 6 else IPv4Address(packed[1:])


def space_of(networks: Iterable[Network]) -> int:
    """Give the number sightings of a unit are kept under: the id of its default network.

    Raises:
        StoreError: there is no default network.
    """
    for network in networks:
        if network.name == DEFAULT_NETWORK:
            return network.id
    raise StoreError("the unit has no default network; make it anew with `sentinel unit add`")


def intern_accounts(
    transaction: Transaction, space: int, names: Iterable[str], make_seal: Callable[[], Seal]
) -> dict[str, int]:
    """Give the row ids of account names, new ones sealed; without names no key is needed.

    Raises:
        StoreError: names are to be sealed and the key of this home is not here.
    """
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return {}
    seal = make_seal()
    looked = {seal.lookup(name, _account_place(space)): name for name in wanted}
    found = _find_accounts(transaction.database, space, looked)
    missing = [(lookup, name) for lookup, name in looked.items() if name not in found]
    transaction.execute_many(
        "INSERT INTO account (space, lookup, sealed) VALUES (?,?,?) ON CONFLICT (space, lookup) DO NOTHING",
        [(space, lookup, seal.close(name, _account_place(space, lookup))) for lookup, name in missing],
    )
    return found | _find_accounts(transaction.database, space, dict(missing))


def _account_place(space: int, lookup: bytes = b"") -> str:
    return json.dumps(["account", space, lookup.hex()])


def _find_accounts(database: Database, space: int, looked: Mapping[bytes, str]) -> dict[str, int]:
    keys = list(looked)
    found: dict[str, int] = {}
    for start in range(0, len(keys), _BATCH):
        batch = keys[start : start + _BATCH]
        rows = database.query(
            f"SELECT lookup, id FROM account WHERE space=? AND lookup IN ({','.join('?' * len(batch))})",  # noqa: S608
            (space, *batch),
        )
        found |= {looked[bytes(lookup)]: number for lookup, number in rows}
    return found


def open_accounts(database: Database, numbers: Iterable[int], seal: Seal | None) -> dict[int, str | None]:
    """Give account names by row id; None without the key that opens them."""
    opened: dict[int, str | None] = {}
    for number in dict.fromkeys(numbers):
        row = database.one("SELECT space, lookup, sealed FROM account WHERE id=?", (number,))
        if row:
            opened[number] = seal.open(bytes(row[2]), _account_place(row[0], bytes(row[1]))) if seal else None
    return opened


def count_accounts(database: Database) -> int:
    """Count the account names of a home."""
    row = database.one("SELECT count(*) FROM account")
    return int(row[0]) if row else 0


def has_unopened_account(database: Database, seal: Seal | None) -> bool:
    """Tell whether account names are sealed with another key; one is as good as all."""
    row = database.one("SELECT min(id) FROM account")
    return bool(row and row[0]) and None in open_accounts(database, [row[0]] if row else [], seal).values()


def intern_holders(transaction: Transaction, space: int, holders: Iterable[Holder]) -> dict[Holder, int]:
    """Give the row ids of holders, new ones stored."""
    digests = {_digest(one): one for one in dict.fromkeys(holders)}
    found = _find_holders(transaction.database, space, digests)
    missing = {digest: one for digest, one in digests.items() if one not in found}
    transaction.execute_many(
        "INSERT INTO holder (space, digest, source, mac, name, client_id, device, port, vlan, account) "
        "VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (space, digest) DO NOTHING",
        [(space, digest, *_words(one)) for digest, one in missing.items()],
    )
    return found | _find_holders(transaction.database, space, missing)


def _digest(one: Holder) -> bytes:
    return blake2b(json.dumps(_words(one)).encode(), digest_size=16).digest()


def _words(one: Holder) -> tuple[object, ...]:
    return (one.source.value, one.mac, one.name, one.client_id, one.device, one.port, one.vlan, one.account)


def _find_holders(database: Database, space: int, digests: Mapping[bytes, Holder]) -> dict[Holder, int]:
    keys = list(digests)
    found: dict[Holder, int] = {}
    for start in range(0, len(keys), _BATCH):
        batch = keys[start : start + _BATCH]
        rows = database.query(
            f"SELECT digest, id FROM holder WHERE space=? AND digest IN ({','.join('?' * len(batch))})",  # noqa: S608
            (space, *batch),
        )
        found |= {digests[bytes(digest)]: number for digest, number in rows}
    return found


def write_holdings(
    transaction: Transaction,
    told: Mapping[tuple[int, int, bytes, str], Sequence[Span]],
    join: Join,
    reach_us: int,
) -> int:
    """Join holdings, by (holder, network, address, how told), with those stored; gives how many rows changed."""
    return write_stretches(transaction, _HOLDING, told, join, reach_us)


def write_attachments(transaction: Transaction, told: Mapping[Key, Sequence[Span]], join: Join, reach_us: int) -> int:
    """Join attachments, by (space, mac, device, port, vlan), with those stored; gives how many rows changed."""
    return write_stretches(transaction, _ATTACHMENT, told, join, reach_us)


def write_translations(transaction: Transaction, space: int, run: int, rows: Iterable[TranslationRow]) -> None:
    """Add translations; one that is there already takes over an end that is told or later."""
    transaction.execute_many(
        "INSERT INTO translation (space, outside, width, port_low, since_us, digest, until_us, proto, network, inside, "
        "inside_port, peer, peer_port, device, run) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
        "ON CONFLICT (space, outside, width, port_low, since_us, digest) DO UPDATE SET until_us=excluded.until_us "
        "WHERE excluded.until_us IS NOT NULL AND "
        "(translation.until_us IS NULL OR translation.until_us<excluded.until_us)",
        (
            (
                space,
                one.outside,
                one.width,
                one.port_low,
                one.since,
                _number(one),
                one.until,
                one.proto,
                one.network,
                one.inside,
                one.inside_port,
                one.peer,
                one.peer_port,
                one.device,
                run,
            )
            for one in rows
        ),
    )


def _number(one: TranslationRow) -> int:
    text = f"{one.proto}|{one.inside.hex()}|{one.inside_port}|{one.peer.hex()}|{one.peer_port}|{one.device}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), signed=True)


def write_log_spans(
    transaction: Transaction, space: int, spans: Mapping[tuple[LogKind, str, bytes], Sequence[Span]]
) -> None:
    """Note the times a run's log speaks of, by (kind, device, bytes of the public address or none)."""
    transaction.execute_many(
        "INSERT INTO log_span (space, run, kind, device, subject, since_us, until_us) VALUES (?,?,?,?,?,?,?) "
        "ON CONFLICT (run, kind, device, subject, since_us) DO NOTHING",
        [
            (space, run, kind.value, device, subject, since, until)
            for (kind, device, subject), stretches in spans.items()
            for since, until, run in stretches
        ],
    )


def read_horizons(database: Database) -> dict[str, int]:
    """Give by kind before which moment, in microseconds, sightings were deleted on time."""
    return {str(kind): int(before) for kind, before in database.query("SELECT kind, before_us FROM sighting_horizon")}


def count_old_sightings(database: Database, before: datetime, kind: str) -> int:
    """Count the sightings of a kind that ended before a moment."""
    table, which = _of_kind(kind)
    row = database.one(f"SELECT count(*) FROM {table} WHERE {_END}<?{which}", (to_microseconds(before),))  # noqa: S608
    return int(row[0]) if row else 0


def remove_sightings(transaction: Transaction, before: datetime, kind: str) -> int:
    """Delete the sightings of a kind that ended before a moment, and the names nothing points to any more.

    What is deleted stays deleted: the same logs imported again bring none of it back. The caller audits.

    Raises:
        StoreError: there is no such kind.
    """
    moment = to_microseconds(before)
    table, which = _of_kind(kind)
    gone = transaction.execute(f"DELETE FROM {table} WHERE {_END}<?{which}", (moment,)).rowcount  # noqa: S608
    if gone <= 0:
        return 0
    if table == "holding":
        _remove_unused(transaction)
    write_horizon(transaction, kind, moment)
    return gone


def write_horizon(transaction: Transaction, kind: str, moment: int) -> None:
    """Note before which moment, in microseconds, what a kind tells was deleted on time; it never comes nearer."""
    transaction.execute(
        "INSERT INTO sighting_horizon (kind, before_us) VALUES (?,?) ON CONFLICT (kind) DO UPDATE SET "
        "before_us=excluded.before_us WHERE sighting_horizon.before_us<excluded.before_us",
        (kind, moment),
    )


def _remove_unused(transaction: Transaction) -> None:
    transaction.execute("DELETE FROM holder WHERE NOT EXISTS (SELECT 1 FROM holding WHERE holding.holder=holder.id)")
    transaction.execute("DELETE FROM account WHERE NOT EXISTS (SELECT 1 FROM holder WHERE holder.account=account.id)")


def forget_addresses(
    transaction: Transaction, space: int, networks: Iterable[int], spans: Iterable[tuple[IPAddress, IPAddress]]
) -> int:
    """Delete all that sightings and marks of a unit tell of spans of addresses; gives how many. The caller audits."""
    networks, gone = list(networks), 0
    for low, high in spans:
        ends = (pack_address(low), pack_address(high))
        for table in ("holding", "mark"):
            for network in networks:
                statement = f"DELETE FROM {table} WHERE network=? AND address>=? AND address<=?"  # noqa: S608
                gone += transaction.execute(statement, (network, *ends)).rowcount
        for table, column in (
            ("translation", "inside"), ("translation", "outside"), ("translation", "peer"), ("log_span", "subject")
        ):  # fmt: skip
            statement = f"DELETE FROM {table} WHERE space=? AND {column}>=? AND {column}<=?"  # noqa: S608
            gone += transaction.execute(statement, (space, *ends)).rowcount
    if gone:
        _remove_unused(transaction)
    return gone


_END = "coalesce(until_us, since_us)"


def _of_kind(kind: str) -> tuple[str, str]:
    if kind not in _KINDS:
        raise StoreError(f"no such kind of sightings: {kind!r} ({', '.join(SIGHTING_KINDS)})")
    return _KINDS[kind]


def read_oldest_sighting(database: Database, kind: str) -> datetime | None:
    """Give when the oldest sighting of a kind ended."""
    table, which = _of_kind(kind)
    row = database.one(f"SELECT min({_END}) FROM {table} WHERE {_END} IS NOT NULL{which}")  # noqa: S608
    return from_optional(row[0] if row else None)


_PLACED = (("holding", "address"), ("translation", "inside"), ("mark", "address"))
"""Tables with the address whose network each row names."""


def rehome_sightings(
    transaction: Transaction, networks: Sequence[Network], choose: Callable[[IPAddress], Network]
) -> None:
    """Put the sightings of a unit into the networks that hold their addresses now."""
    for table, column in _PLACED:
        moved: defaultdict[tuple[int, int], list[bytes]] = defaultdict(list)
        for network in networks:
            rows = transaction.database.query(f"SELECT DISTINCT {column} FROM {table} WHERE network=?", (network.id,))  # noqa: S608
            for (packed,) in rows:
                right = choose(unpack_address(bytes(packed))).id
                if right != network.id:
                    moved[network.id, right].append(bytes(packed))
        for (before, after), addresses in moved.items():
            transaction.execute_many(
                f"UPDATE {table} SET network=? WHERE network=? AND {column}=?",  # noqa: S608  constant names
                [(after, before, one) for one in addresses],
            )


def leave_network(transaction: Transaction, network: int, default: int) -> None:
    """Put the sightings of a network that goes away into the default one, until they are placed anew."""
    for table, _ in _PLACED:
        transaction.execute(f"UPDATE {table} SET network=? WHERE network=?", (default, network))  # noqa: S608
