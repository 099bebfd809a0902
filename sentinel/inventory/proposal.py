"""What is open, which names are known, and the register in; the lines of a draft whitelist, few and readable, out.

What the register knows is put together by system and department, all else by segment and port. A line never speaks for
more than was seen, but where a port stands open on most of a segment, or printers do: then it speaks for the segment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from ipaddress import collapse_addresses, ip_network
from typing import NamedTuple

from sentinel.inventory.holders import RegisterIndex, fold_name
from sentinel.model.moment import SHANGHAI
from sentinel.model.ports import PortSet
from sentinel.model.proposal import Decision, Proposal, Registered
from sentinel.model.register import RegisterEntry
from sentinel.model.unit import IPAddress, IPNetwork
from sentinel.model.whitelist import PeerKind, WhitelistKind

REGISTERED_DAYS, OTHER_DAYS = 365, 90
"""For how long a permission is proposed: what nobody registered gets a quarter to be registered in."""

MANY_HOSTS, MANY_PRINTERS = 8, 3
MOST_SPANS = 40
"""Addresses and ranges of one line."""

MOST_PORTS = 200
"""Registered ports of one protocol that are looked for one by one; more are no list of ports but a range left open."""

_PRINTING = frozenset({"jetdirect", "ipp", "printer"})
_PRINTER_PORTS = frozenset({515, 631, 9100})
_WIDEST = {4: 20, 6: 64}
"""Shortest prefix a line may speak for as a whole."""


@dataclass(frozen=True, slots=True)
class SeenPort:
    """An open port as a draft needs it.

    Attributes:
        network: name of its network.
        segment: declared prefix that holds it; None where none does.
        address: its address.
        proto: `tcp` or `udp`.
        port: its number.
        service: protocol heard there; empty when none was.
        outside: it was seen from outside.
        last_seen: when it was last confirmed.
        risk: why it should be closed, or empty.
    """

    network: str
    segment: IPNetwork | None
    address: IPAddress
    proto: str
    port: int
    service: str = ""
    outside: bool = False
    last_seen: datetime | None = None
    risk: str = ""

    @property
    def word(self) -> str:
        """It as one word of what a line rests on."""
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{host}:{self.port}/{self.proto} {self.service}".rstrip()


@dataclass(frozen=True, slots=True)
class SeenName:
    """A domain name as a draft needs it: what it points to and when that was last seen."""

    name: str
    addresses: tuple[IPAddress, ...] = ()
    last_seen: datetime | None = None


class _Group(NamedTuple):
    """What the ports of one line have in common; those registered by system, others by segment and port."""

    network: str
    registered: Registered
    system: str
    department: str
    segment: IPNetwork | None
    port: int
    proto: str
    service: str
    peer: PeerKind
    risk: str


def build_proposals(
    ports: Iterable[SeenPort], names: Iterable[SeenName], register: Sequence[RegisterEntry], now: datetime
) -> tuple[Proposal, ...]:
    """Build the lines: what should be closed first, then ports by network and address, then names, then the unseen."""
    seen = _join_looks(ports)
    known = tuple(names)
    lines = [one for one in register if one.valid_to is None or one.valid_to >= now]
    index = RegisterIndex(lines)
    made = [
        *sorted(_propose_ports(seen, index, now), key=_order),
        *(_propose_name(one, index, now) for one in sorted(known, key=lambda one: one.name)),
        *_propose_unseen(lines, seen, known, now),
    ]
    return tuple(sorted(made, key=lambda one: not one.risk))


def _join_looks(ports: Iterable[SeenPort]) -> list[SeenPort]:
    """Make one of a port that was seen from several vantages."""
    held: dict[tuple[str, IPAddress, str, int], SeenPort] = {}
    for one in ports:
        key = (one.network, one.address, one.proto, one.port)
        other = held.get(key)
        held[key] = one if other is None else _join(other, one)
    return list(held.values())


def _join(one: SeenPort, other: SeenPort) -> SeenPort:
    return SeenPort(
        one.network,
        one.segment,
        one.address,
        one.proto,
        one.port,
        one.service or other.service,
        one.outside or other.outside,
        _later(one.last_seen, other.last_seen),
        one.risk or other.risk,
    )


def _propose_ports(seen: Sequence[SeenPort], index: RegisterIndex, now: datetime) -> Iterator[Proposal]:
    groups: defaultdict[_Group, list[SeenPort]] = defaultdict(list)
    ends: dict[_Group, date] = {}
    on_segment: defaultdict[IPNetwork | None, set[IPAddress]] = defaultdict(set)
    for one in seen:
        line, registered = _find_line(index, one)
        group = _group_of(one, line, registered)
        groups[group].append(one)
        on_segment[one.segment].add(one.address)
        if line is not None and line.valid_to is not None:
            end = line.valid_to.astimezone(SHANGHAI).date()
            ends[group] = min(end, ends.get(group, end))
    for group, members in groups.items():
        whole = group.registered is Registered.NO and _is_of_segment(group, members, len(on_segment[group.segment]))
        for ports, part in _by_ports(members):
            for piece in [part] if whole else _cut(part):
                yield _propose_group(group, ports, piece, whole=whole, end=ends.get(group), now=now)


def _find_line(index: RegisterIndex, one: SeenPort) -> tuple[RegisterEntry | None, Registered]:
    """Find the line that knows a port; of a host the register knows without the port the line that knows the host."""
    of_host: RegisterEntry | None = None
    for place in index.places_of(one.address):
        for number in place.lines:
            line = index.entries[number]
            if not line.ports or any(proto == one.proto and one.port in ports for proto, ports in line.ports):
                return line, Registered.YES
            of_host = of_host or line
    return of_host, Registered.PARTLY if of_host else Registered.NO


def _group_of(one: SeenPort, line: RegisterEntry | None, registered: Registered) -> _Group:
    peer = PeerKind.ANY if one.outside else PeerKind.CAMPUS
    if line is None:
        return _Group(one.network, registered, "", "", one.segment, one.port, one.proto, one.service, peer, one.risk)
    return _Group(
        one.network, registered, line.system, line.department, None, 0, one.proto, one.service, peer, one.risk
    )


def _is_of_segment(group: _Group, members: Sequence[SeenPort], hosts: int) -> bool:
    """Tell whether a line may speak for its segment: most of it has the port open, or they are printers."""
    segment = group.segment
    if segment is None or group.risk or segment.prefixlen < _WIDEST[segment.version]:
        return False
    if group.service in _PRINTING or (not group.service and group.port in _PRINTER_PORTS):
        return len(members) >= MANY_PRINTERS
    return len(members) >= MANY_HOSTS and 2 * len(members) >= hosts


def _by_ports(members: Sequence[SeenPort]) -> Iterator[tuple[PortSet, list[SeenPort]]]:
    """Part the ports of a group so that each part is all its ports on all its addresses."""
    of_host: defaultdict[IPAddress, list[SeenPort]] = defaultdict(list)
    for one in members:
        of_host[one.address].append(one)
    parts: defaultdict[PortSet, list[SeenPort]] = defaultdict(list)
    for ports in of_host.values():
        parts[PortSet.of_ports(one.port for one in ports)] += ports
    yield from parts.items()


def _cut(members: Sequence[SeenPort]) -> Iterator[list[SeenPort]]:
    """Cut a long line so that each piece names at most 40 addresses and ranges, which still fit a cell."""
    piece: list[SeenPort] = []
    spans, last = 0, (0, -1)
    for one in sorted(members, key=lambda one: (one.address.version, int(one.address), one.port)):
        place = one.address.version, int(one.address)
        spans += place not in (last, (last[0], last[1] + 1))
        if spans > MOST_SPANS:
            yield piece
            piece, spans = [], 1
        piece.append(one)
        last = place
    yield piece


def _propose_group(
    group: _Group, ports: PortSet, members: list[SeenPort], *, whole: bool, end: date | None, now: datetime
) -> Proposal:
    times = [one.last_seen for one in members if one.last_seen]
    days = OTHER_DAYS if group.registered is Registered.NO else REGISTERED_DAYS
    until = end or (now.astimezone(SHANGHAI) + timedelta(days=days)).date()
    return Proposal(
        kind=WhitelistKind.PORT,
        addresses=(group.segment,) if whole and group.segment else _collapse(one.address for one in members),
        proto=group.proto,
        ports=ports,
        service=group.service,
        peer=group.peer,
        reason=group.system,
        network=group.network,
        department=group.department,
        registered=group.registered,
        hosts=len({one.address for one in members}),
        whole=whole,
        last_seen=max(times, default=None),
        risk=group.risk,
        advice=Decision.DENY if group.risk else Decision.ALLOW,
        until=None if group.risk else until,
        members=tuple(sorted(one.word for one in members)),
    )


def _collapse(addresses: Iterable[IPAddress]) -> tuple[IPNetwork, ...]:
    prefixes = [ip_network(one) for one in set(addresses)]
    found: list[IPNetwork] = []
    for version in (4, 6):
        found += collapse_addresses(one for one in prefixes if one.version == version)  # type: ignore[type-var]
    return tuple(found)


def _propose_name(one: SeenName, index: RegisterIndex, now: datetime) -> Proposal:
    """Propose a name; whose it is when nobody registered it no scan can tell, so that is left to a person."""
    place = index.by_name.get(fold_name(one.name))
    line = index.entries[place.lines[0]] if place and place.lines else None
    until = (now.astimezone(SHANGHAI) + timedelta(days=REGISTERED_DAYS)).date()
    if line is not None and line.valid_to is not None:
        until = line.valid_to.astimezone(SHANGHAI).date()
    return Proposal(
        kind=WhitelistKind.DOMAIN,
        domain=one.name,
        reason=line.system if line else "",
        department=line.department if line else "",
        registered=Registered.YES if line else Registered.NO,
        hosts=len(one.addresses),
        last_seen=one.last_seen,
        advice=Decision.ALLOW if line else Decision.SKIP,
        until=until if line else None,
        members=tuple(sorted(map(str, one.addresses))),
    )


def _propose_unseen(
    register: Sequence[RegisterEntry], seen: Sequence[SeenPort], names: Iterable[SeenName], now: datetime
) -> Iterator[Proposal]:
    """Propose what is registered with its ports or names and was not seen; nobody should allow it unlooked.

    A scan of ports sees few names: a name is as good as seen where a host of its line is.
    """
    open_ports = {(one.address, one.proto, one.port) for one in seen}
    up: dict[IPAddress, datetime | None] = {}
    for one in seen:
        up[one.address] = _later(up.get(one.address), one.last_seen)
    known = {fold_name(one.name) for one in names}
    told: set[str] = set()
    for line in register:
        unseen = (_propose_unseen_name(line, name, up, now) for name in line.domains if fold_name(name) not in known)
        for proposal in (*_unseen_ports(line, open_ports), *unseen):
            if proposal.mark not in told:
                told.add(proposal.mark)
                yield proposal


def _unseen_ports(line: RegisterEntry, open_ports: set[tuple[IPAddress, str, int]]) -> Iterator[Proposal]:
    hosts = [one.network_address for one in line.addresses if one.num_addresses == 1]
    for proto, ports in line.ports:
        if len(ports) > MOST_PORTS:
            continue
        parts: defaultdict[PortSet, list[IPAddress]] = defaultdict(list)
        for address in hosts:
            missing = PortSet.of_ports(port for port in ports if (address, proto, port) not in open_ports)
            if missing:
                parts[missing].append(address)
        for missing, addresses in parts.items():
            yield Proposal(
                kind=WhitelistKind.PORT,
                addresses=_collapse(addresses),
                proto=proto,
                ports=missing,
                peer=PeerKind.CAMPUS,
                reason=line.system,
                department=line.department,
                registered=Registered.UNSEEN,
                advice=Decision.SKIP,
            )


def _propose_unseen_name(
    line: RegisterEntry, name: str, up: Mapping[IPAddress, datetime | None], now: datetime
) -> Proposal:
    hosts = [one.network_address for one in line.addresses if one.num_addresses == 1 and one.network_address in up]
    end = line.valid_to.astimezone(SHANGHAI) if line.valid_to else now.astimezone(SHANGHAI) + timedelta(REGISTERED_DAYS)
    return Proposal(
        kind=WhitelistKind.DOMAIN,
        domain=fold_name(name),
        reason=line.system,
        department=line.department,
        registered=Registered.YES if hosts else Registered.UNSEEN,
        hosts=len(hosts),
        last_seen=max((time for host in hosts if (time := up[host])), default=None),
        advice=Decision.ALLOW if hosts else Decision.SKIP,
        until=end.date() if hosts else None,
        members=tuple(sorted(map(str, hosts))),
    )


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((time for time in (one, other) if time), default=None)


def _order(one: Proposal) -> tuple[object, ...]:
    first = one.addresses[0]
    return one.network, first.version, int(first.network_address), one.proto, one.ports.ranges
