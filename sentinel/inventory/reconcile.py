"""The register, the map and what scans covered in; how each line and each host stands out (ground rules 1 and 2).

Absence is said only where a finished scan looked; what nobody looked at stays unchecked.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sentinel.inventory.holders import Place, RegisterIndex, is_expired
from sentinel.model.endpoint import AddressRanges, Coverage, Host, MapRow
from sentinel.model.ports import PortSet
from sentinel.model.register import RegisterEntry
from sentinel.model.standing import HostStanding, LineStanding, Reason, Reconciliation, Standing
from sentinel.model.unit import OUTSIDE, IPAddress, IPNetwork

Ports = tuple[tuple[str, PortSet], ...]


@dataclass(slots=True)
class _Sight:
    """A host as it was seen."""

    names: set[str] = field(default_factory=set)
    open: set[tuple[str, int]] = field(default_factory=set)
    answering: bool = False
    outside: bool = False


@dataclass(slots=True)
class _Tally:
    """What was seen of the hosts a place holds, and what the lines in force there allow."""

    first: IPAddress | None = None
    open: set[tuple[str, int]] = field(default_factory=set)
    answering: bool = False
    closest: int | None = None
    in_force: bool = False
    whole: bool = False
    ports: dict[str, PortSet] = field(default_factory=dict)


def reconcile(
    entries: Sequence[RegisterEntry],
    rows: Iterable[MapRow],
    hosts: Iterable[Host],
    coverage: Iterable[Coverage],
    at: datetime,
    *,
    answering: Iterable[tuple[str, IPAddress, int]] = (),
    logs_only: frozenset[str] = frozenset(),
) -> Reconciliation:
    """Hold a unit's register against its open endpoints and hosts, in steps that grow with the sum of all sizes.

    `answering` names hosts that answer on whatever port they are asked: each is one host, and its ports prove nothing.
    Hosts of the networks in `logs_only` (dormitory, wireless) belong to persons: no register need list them.
    """
    index = RegisterIndex(entries)
    tallies = {id(place): _allow(place, entries, at) for place in (*index.by_prefix.values(), *index.by_name.values())}
    found = []
    for (network, address), sight in _sights(rows, hosts, answering).items():
        places = [tallies[id(place)] for place in index.places_of(address, sorted(sight.names))]
        for tally in places:
            tally.first = tally.first or address
            tally.open |= sight.open
            tally.answering = tally.answering or sight.answering
        found.append(_host(network, address, sight, places, entries, logs_only))
    looked = _Looked(coverage)
    lines = [
        _line(entry, [tallies[id(place)] for place in index.places_of_line(entry)], looked, at) for entry in entries
    ]
    found.sort(key=lambda one: (one.network, one.address.version, int(one.address)))
    return Reconciliation(tuple(lines), tuple(found))


def _sights(
    rows: Iterable[MapRow], hosts: Iterable[Host], answering: Iterable[tuple[str, IPAddress, int]]
) -> dict[tuple[str, IPAddress], _Sight]:
    sights: defaultdict[tuple[str, IPAddress], _Sight] = defaultdict(_Sight)
    for host in hosts:
        sights[host.network, host.address].names.update(host.names)
    for row in rows:
        key = row.endpoint.key
        sight = sights[row.network, key.address]
        sight.names.update(row.names)
        sight.open.add((key.proto, key.port))
        sight.outside = sight.outside or key.vantage == OUTSIDE
    for network, address, _ in answering:
        sights[network, address].answering = True
    return sights


def _allow(place: Place, entries: Sequence[RegisterEntry], at: datetime) -> _Tally:
    """Sum up what the lines of a place allow while they are in force."""
    tally = _Tally()
    wanted: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for number in place.lines:
        entry = entries[number]
        if is_expired(entry, at):
            continue
        tally.closest = number if tally.closest is None else tally.closest
        tally.in_force = True
        tally.whole = tally.whole or not entry.ports
        for proto, ports in entry.ports:
            wanted[proto] += ports.ranges
    if tally.closest is None and place.lines:
        tally.closest = place.lines[0]
    tally.ports = {proto: PortSet.of(ranges) for proto, ranges in wanted.items()}
    return tally


def _host(
    network: str,
    address: IPAddress,
    sight: _Sight,
    places: Sequence[_Tally],
    entries: Sequence[RegisterEntry],
    logs_only: frozenset[str],
) -> HostStanding:
    valid = [place for place in places if place.in_force]
    closest = next((place.closest for place in (*valid, *places) if place.closest is not None), None)
    entry = entries[closest] if closest is not None else None
    if valid:
        unlisted = _unlisted(sight, valid)
        reason = Reason.PORTS_UNLISTED if unlisted else Reason.LISTED
        return HostStanding(network, address, Standing.SEEN, reason, entry, unlisted, sight.outside)
    if entry is not None:
        standing, reason = Standing.EXPIRED, Reason.LISTING_EXPIRED
    elif not entries:
        standing, reason = Standing.UNCHECKED, Reason.NO_REGISTER
    elif network in logs_only:
        standing, reason = Standing.UNCHECKED, Reason.LOGS_ONLY
    else:
        standing, reason = Standing.UNREGISTERED, Reason.NOT_LISTED
    return HostStanding(network, address, standing, reason, entry, (), sight.outside)


def _unlisted(sight: _Sight, places: Sequence[_Tally]) -> tuple[tuple[str, int], ...]:
    if any(place.whole for place in places):
        return ()
    return tuple(
        sorted(
            (proto, port)
            for proto, port in sight.open
            if not any(port in place.ports[proto] for place in places if proto in place.ports)
        )
    )


def _line(entry: RegisterEntry, places: Sequence[_Tally], looked: _Looked, at: datetime) -> LineStanding:
    standing, reason = _look_up(entry, places, looked)
    address = next((place.first for place in places if place.first is not None), None)
    if is_expired(entry, at):
        standing = {Standing.SEEN: Standing.EXPIRED, Standing.UNSEEN: Standing.RETIRED}.get(standing, standing)
    return LineStanding(entry, standing, reason, address)


def _look_up(entry: RegisterEntry, places: Sequence[_Tally], looked: _Looked) -> tuple[Standing, Reason]:
    there = [place for place in places if place.first is not None]
    if there and not entry.ports:
        return Standing.SEEN, Reason.HOST_SEEN
    if any(_is_open(entry.ports, place.open) for place in there):
        return Standing.SEEN, Reason.PORT_OPEN
    if any(place.answering for place in there):
        return Standing.UNCHECKED, Reason.ANSWERS_EVERYTHING
    if not entry.addresses:
        return Standing.UNCHECKED, _without_address(entry, found=bool(there))
    if looked.covers(entry.addresses, entry.ports):
        return Standing.UNSEEN, Reason.PORTS_SHUT if there else Reason.NOTHING_ANSWERED
    return Standing.UNCHECKED, Reason.PORTS_NOT_COVERED if there else Reason.NOT_COVERED


def _without_address(entry: RegisterEntry, *, found: bool) -> Reason:
    if found:
        return Reason.PORTS_NOT_COVERED
    return Reason.NAME_NOT_RESOLVED if entry.domains else Reason.NO_PLACE


def _is_open(ports: Ports, open_ports: set[tuple[str, int]]) -> bool:
    """Tell whether one of the ports is open, walking over the smaller of the two."""
    if sum(len(one) for _, one in ports) < len(open_ports):
        return any((proto, port) in open_ports for proto, one in ports for port in one)
    return any(kind == proto and port in one for kind, port in open_ports for proto, one in ports)


class _Looked:
    """Which addresses finished scans looked at, by the ports they asked."""

    def __init__(self, coverage: Iterable[Coverage]) -> None:
        by_ports: defaultdict[Ports, list[AddressRanges]] = defaultdict(list)
        for one in coverage:
            if one.ports:
                by_ports[one.ports].append(one.addresses)
        self._by_ports = {ports: AddressRanges.union(ranges) for ports, ranges in by_ports.items()}
        self._enough: dict[Ports, AddressRanges] = {}

    def covers(self, prefixes: Iterable[IPNetwork], ports: Ports) -> bool:
        """Tell whether one scan or another finished every address with all these ports (none: with any)."""
        if ports not in self._enough:
            self._enough[ports] = AddressRanges.union(
                ranges for asked, ranges in self._by_ports.items() if _holds_all(dict(asked), ports)
            )
        return all(_holds_prefix(self._enough[ports], prefix) for prefix in prefixes)


def _holds_all(asked: dict[str, PortSet], wanted: Ports) -> bool:
    return all(proto in asked and len(asked[proto] | ports) == len(asked[proto]) for proto, ports in wanted)


def _holds_prefix(ranges: AddressRanges, prefix: IPNetwork) -> bool:
    """Tell whether all hosts of a prefix are in the ranges; its network and broadcast addresses are no hosts."""
    edge = int(prefix.version == 4 and prefix.prefixlen < 31)
    low, high = int(prefix.network_address) + edge, int(prefix.broadcast_address) - edge
    place = bisect_right(ranges.ranges, (prefix.version, low, 1 << 129)) - 1
    return place >= 0 and ranges.ranges[place][0] == prefix.version and high <= ranges.ranges[place][2]
