"""Assets on disk: derived ones in, with the numbers they had; what persons decided, and what they are asked to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import IPv4Address

from sentinel.model.asset import (
    Anchor,
    Asset,
    AssetEvent,
    AssetState,
    DerivedAsset,
    EventKind,
    Identifier,
    MarkKind,
    MarkName,
    Weight,
)
from sentinel.model.moment import from_microseconds, to_microseconds
from sentinel.model.unit import IPAddress
from sentinel.store.database import Database, Row, Transaction
from sentinel.store.sightings import pack_address, unpack_address

_ASSET = (
    "SELECT id, unit, network, address, state, merged_into, anchor_network, anchor_kind, anchor_value, "
    "anchor_since_us, first_seen_us, last_seen_us FROM asset"
)
_OVER = frozenset({AssetState.MERGED, AssetState.DISSOLVED})
_IDENTIFIER = "asset, network, address, kind, value, source, weight, valid_from_us, valid_to_us"


@dataclass(frozen=True, slots=True)
class Written:
    """What making assets anew changed.

    Attributes:
        added: assets that got a number.
        changed: assets that are not as they were.
        events: events that were not known.
    """

    added: int
    changed: int
    events: int


def write_assets(transaction: Transaction, unit: str, derived: Sequence[DerivedAsset]) -> Written:
    """Put the assets of a unit in place of those stored; each keeps the number under which it is known again.

    Of several numbers one asset had, the lowest stays, and the others point to it.
    """
    stored = read_assets(transaction.database, unit)
    before = {one.id: one for one in stored}
    numbers, pointing = _match(stored, derived)
    now: dict[int, Asset] = {}
    for place, one in enumerate(derived):
        number = numbers.get(place)
        old = before[number] if number is not None else None
        asset = _asset(unit, number or 0, one, old.anchor if old else one.anchor)
        if old is None:
            asset = replace(asset, id=_insert(transaction, asset))
            numbers[place] = asset.id
        now[asset.id] = asset
    for old in stored:
        if old.id not in now:
            into = numbers[pointing[old.id]] if old.id in pointing else None
            state = AssetState.MERGED if into else AssetState.DISSOLVED
            now[old.id] = replace(old, state=state, merged_into=into)
    changed = [one for one in now.values() if one.id in before and before[one.id] != one]
    _update(transaction, changed)
    _write_identifiers(transaction, unit, {numbers[place]: one.identifiers for place, one in enumerate(derived)})
    events = write_events(
        transaction, [(numbers[place], event) for place, one in enumerate(derived) for event in one.events]
    )
    return Written(len(derived) - sum(place in before for place in numbers.values()), len(changed), events)


def _match(stored: Sequence[Asset], derived: Sequence[DerivedAsset]) -> tuple[dict[int, int], dict[int, int]]:
    """Give the number for places in `derived`, and the place that took over each number that is not needed.

    An anchor that shows in another network only was put there with all that was seen at its address.
    """
    holding: defaultdict[tuple[int, MarkName], list[tuple[int, Identifier]]] = defaultdict(list)
    named: defaultdict[MarkName, list[tuple[int, Identifier]]] = defaultdict(list)
    for place, one in enumerate(derived):
        for identifier in one.identifiers:
            if identifier.weight is Weight.STRONG or identifier.name.kind is MarkKind.IP:
                holding[identifier.network, identifier.name].append((place, identifier))
                named[identifier.name].append((place, identifier))
    numbers: dict[int, int] = {}
    pointing: dict[int, int] = {}
    for asset in stored:
        anchor = asset.anchor
        is_place = anchor.name.kind is MarkKind.IP
        fitting = dict.fromkeys(
            place
            for place, one in holding.get((anchor.network, anchor.name)) or named.get(anchor.name) or ()
            if not is_place or one.valid_from <= anchor.since <= one.valid_to
        )
        free = next((place for place in fitting if place not in numbers), None)
        if free is not None:
            numbers[free] = asset.id
        elif fitting:
            pointing[asset.id] = next(iter(fitting))
    return numbers, pointing


def _asset(unit: str, number: int, one: DerivedAsset, anchor: Anchor) -> Asset:
    network, address = one.places[0]
    return Asset(number, unit, network, address, one.state, None, anchor, one.first_seen, one.last_seen)


def _insert(transaction: Transaction, one: Asset) -> int:
    row = transaction.execute(
        "INSERT INTO asset (unit, network, address, state, anchor_network, anchor_kind, anchor_value, anchor_since_us, "
        "first_seen_us, last_seen_us) VALUES (?,?,?,?,?,?,?,?,?,?) RETURNING id",
        (
            one.unit,
            one.network,
            pack_address(one.address),
            one.state.value,
            one.anchor.network,
            one.anchor.name.kind.value,
            one.anchor.name.value,
            to_microseconds(one.anchor.since),
            to_microseconds(one.first_seen),
            to_microseconds(one.last_seen),
        ),
    ).fetchone()
    return int(row[0])


def _update(transaction: Transaction, assets: Iterable[Asset]) -> None:
    transaction.execute_many(
        "UPDATE asset SET network=?, address=?, state=?, merged_into=?, first_seen_us=?, last_seen_us=? WHERE id=?",
        [
            (
                one.network,
                pack_address(one.address),
                one.state.value,
                one.merged_into,
                to_microseconds(one.first_seen),
                to_microseconds(one.last_seen),
                one.id,
            )
            for one in assets
        ],
    )


def _write_identifiers(transaction: Transaction, unit: str, told: dict[int, tuple[Identifier, ...]]) -> None:
    wanted = {
        (
            number,
            one.network,
            pack_address(one.address),
            one.name.kind.value,
            one.name.value,
            one.source,
            one.weight.value,
            to_microseconds(one.valid_from),
            to_microseconds(one.valid_to),
        )
        for number, identifiers in told.items()
        for one in identifiers
    }
    gone: list[tuple[int]] = []
    rows = transaction.database.query(
        f"SELECT i.id, {', '.join(f'i.{name}' for name in _IDENTIFIER.split(', '))} FROM identifier i "  # noqa: S608
        "JOIN asset a ON a.id=i.asset WHERE a.unit=?",
        (unit,),
    )
    for number, asset, network, address, *rest in rows:
        row = (asset, network, bytes(address), *rest)
        if row in wanted:
            wanted.remove(row)
        else:
            gone.append((number,))
    transaction.execute_many("DELETE FROM identifier WHERE id=?", gone)
    transaction.execute_many(
        f"INSERT INTO identifier ({_IDENTIFIER}) VALUES (?,?,?,?,?,?,?,?,?)",  # noqa: S608  constant columns
        sorted(wanted),
    )


def forget_told(transaction: Transaction, unit: str, is_told: Callable[[str], bool]) -> None:
    """Delete the events and proposals of a unit's assets in whose words something is told; the caller audits."""
    events = transaction.database.query(
        "SELECT e.id, e.detail FROM asset_event e JOIN asset a ON a.id=e.asset WHERE a.unit=?", (unit,)
    )
    told = [(number,) for number, detail in list(events) if is_told(detail)]
    transaction.execute_many("DELETE FROM asset_event WHERE id=?", told)
    proposals = transaction.database.query("SELECT id, key, detail FROM asset_proposal WHERE unit=?", (unit,))
    told = [(number,) for number, key, detail in list(proposals) if is_told(f"{key} {detail}")]
    transaction.execute_many("DELETE FROM asset_proposal WHERE id=?", told)


def blind_assets(transaction: Transaction, unit: str, is_told: Callable[[Asset], bool]) -> None:
    """Let assets that are no more keep their number, which nothing else may get, and tell no address or mark."""
    gone = [one for one in read_assets(transaction.database, unit) if one.state in _OVER and is_told(one)]
    transaction.execute_many(
        "UPDATE asset SET address=?, anchor_value=? WHERE id=?",
        [(pack_address(IPv4Address(0)), f"（已排除）{one.id}", one.id) for one in gone],
    )


def forget_anchors(transaction: Transaction, unit: str, values: Container[str]) -> None:
    """Let assets that are no more keep their number and no longer tell a mark nothing else tells."""
    gone = [one for one in read_assets(transaction.database, unit) if one.state in _OVER]
    transaction.execute_many(
        "UPDATE asset SET anchor_value=? WHERE id=?",
        [(f"（已清除）{one.id}", one.id) for one in gone if one.anchor.name.value in values],
    )


def write_events(transaction: Transaction, events: Iterable[tuple[int, AssetEvent]]) -> int:
    """Add events, by number of their asset, that are not known; gives how many were not."""
    before = _count_events(transaction.database)
    transaction.execute_many(
        "INSERT INTO asset_event (asset, kind, at_us, detail, actor) VALUES (?,?,?,?,?) "
        "ON CONFLICT (asset, kind, at_us, detail) DO NOTHING",
        [(number, one.kind.value, to_microseconds(one.at), one.detail, one.actor) for number, one in events],
    )
    return _count_events(transaction.database) - before


def _count_events(database: Database) -> int:
    row = database.one("SELECT count(*) FROM asset_event")
    return int(row[0]) if row else 0


def read_assets(database: Database, unit: str) -> tuple[Asset, ...]:
    """Give all assets of a unit, those that are no more too, by number."""
    return tuple(map(_read_asset, database.query(f"{_ASSET} WHERE unit=? ORDER BY id", (unit,))))


def find_asset(database: Database, unit: str, number: int) -> Asset | None:
    """Give an asset of a unit by its number."""
    row = database.one(f"{_ASSET} WHERE unit=? AND id=?", (unit, number))
    return _read_asset(row) if row else None


def _read_asset(row: Row) -> Asset:
    return Asset(
        id=row[0],
        unit=row[1],
        network=row[2],
        address=unpack_address(bytes(row[3])),
        state=AssetState(row[4]),
        merged_into=row[5],
        anchor=Anchor(row[6], MarkName(MarkKind(row[7]), row[8]), from_microseconds(row[9])),
        first_seen=from_microseconds(row[10]),
        last_seen=from_microseconds(row[11]),
    )


def read_identifiers(database: Database, asset: int) -> tuple[Identifier, ...]:
    """Give what an asset was ever known by, the newest last."""
    rows = database.query(
        f"SELECT {_IDENTIFIER} FROM identifier WHERE asset=? ORDER BY valid_from_us, kind, value, id",  # noqa: S608
        (asset,),
    )
    return tuple(
        Identifier(
            network=row[1],
            address=unpack_address(bytes(row[2])),
            name=MarkName(MarkKind(row[3]), row[4]),
            source=row[5],
            weight=Weight(row[6]),
            valid_from=from_microseconds(row[7]),
            valid_to=from_microseconds(row[8]),
        )
        for row in rows
    )


def read_events(database: Database, asset: int) -> Iterator[AssetEvent]:
    """Give what happened to an asset, the oldest first."""
    rows = database.query(
        "SELECT kind, at_us, detail, actor FROM asset_event WHERE asset=? ORDER BY at_us, id", (asset,)
    )
    for kind, at, detail, actor in rows:
        yield AssetEvent(EventKind(kind), from_microseconds(at), detail, actor)


def find_asset_at(database: Database, network: int, address: IPAddress, at: datetime) -> int | None:
    """Give the number of the asset that held an address at a moment, or last before it."""
    row = database.one(
        "SELECT i.asset FROM identifier i JOIN asset a ON a.id=i.asset WHERE i.network=? AND i.address=? "
        "AND i.kind='ip' AND i.valid_from_us<=? ORDER BY i.valid_from_us DESC, i.asset LIMIT 1",
        (network, pack_address(address), to_microseconds(at)),
    )
    return int(row[0]) if row else None


def find_asset_with(database: Database, unit: str, network: int, name: MarkName) -> int | None:
    """Give the lowest number of an asset of a unit that has a mark."""
    row = database.one(
        "SELECT min(i.asset) FROM identifier i JOIN asset a ON a.id=i.asset "
        "WHERE a.unit=? AND i.network=? AND i.kind=? AND i.value=?",
        (unit, network, name.kind.value, name.value),
    )
    return int(row[0]) if row and row[0] is not None else None


def count_cards(database: Database, network: int, after: datetime) -> int:
    """Count the different cards that held addresses of a network since a moment."""
    row = database.one(
        "SELECT count(DISTINCT o.mac) FROM holding h JOIN holder o ON o.id=h.holder "
        "WHERE h.network=? AND h.until_us>=? AND o.mac!=''",
        (network, to_microseconds(after)),
    )
    return int(row[0]) if row else 0
