"""The whitelist (白名单): what may be there, what may not, from where, who said so, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from ipaddress import ip_network

from sentinel.model.ports import PortSet
from sentinel.model.unit import OUTSIDE, IPAddress, IPNetwork

_NO_PORTS = PortSet()

EVERYWHERE: tuple[IPNetwork, ...] = (ip_network("0.0.0.0/0"), ip_network("::/0"))
"""The addresses of an entry for any address."""


class WhitelistKind(StrEnum):
    """What an entry speaks of: a domain, a host, or a port of a host."""

    DOMAIN = "domain"
    HOST = "host"
    PORT = "port"


class WhitelistAction(StrEnum):
    """What an entry says; where entries disagree, deny wins."""

    ALLOW = "allow"
    DENY = "deny"


class Direction(StrEnum):
    """Who opens the connection: the other side (in), or the address of the entry (out)."""

    IN = "in"
    OUT = "out"


class PeerKind(StrEnum):
    """The other side of an entry: where connections come from (in), or where they go (out)."""

    ANY = "any"
    CAMPUS = "campus"
    INTERNET = "internet"
    PREFIX = "prefix"


@dataclass(frozen=True, slots=True)
class Peer:
    """The other side of one connection, or of one look.

    Attributes:
        kind: campus or internet.
        address: its address; None where only the side is known, as with a scan.
    """

    kind: PeerKind = PeerKind.CAMPUS
    address: IPAddress | None = None


def peer_of_vantage(vantage: str) -> Peer:
    """Give the other side of what a scan sees: outside is the internet, all else the campus."""
    return Peer(PeerKind.INTERNET if vantage == OUTSIDE else PeerKind.CAMPUS)


@dataclass(frozen=True, slots=True)
class WhitelistEntry:
    """One approved entry.

    Attributes:
        id: row id; 0 before it is stored.
        unit: code of the unit.
        kind: domain, host or port.
        domain: glob such as `*.school.example`; for domains.
        addresses: prefixes, of a range (10.0.0.5-10.0.0.9) those that make it up; for hosts and ports.
        proto: `tcp` or `udp`; for ports.
        ports: port set; for ports.
        service: expected protocol name; empty: any. A deny entry with one denies that protocol only.
        reason: what it is for.
        approved_by: who approved.
        document: number of the paper.
        valid_from: first moment.
        valid_to: last moment; None: until withdrawn.
        action: allow or deny.
        direction: in or out.
        peer: the other side.
        peers: prefixes of the other side; for kind prefix.
        below: it holds for the units below as well.
        origin: where it came from, e.g. `draft 3 row 17`, `request 申请-2026-0001`; empty: typed or imported.
        created: when it was entered; None for entries of an earlier schema.
        withdrawn: when it was withdrawn.
        withdrawn_why: for what reason.
    """

    id: int
    unit: str
    kind: WhitelistKind
    domain: str = ""
    addresses: tuple[IPNetwork, ...] = ()
    proto: str = ""
    ports: PortSet = _NO_PORTS
    service: str = ""
    reason: str = ""
    approved_by: str = ""
    document: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    action: WhitelistAction = WhitelistAction.ALLOW
    direction: Direction = Direction.IN
    peer: PeerKind = PeerKind.ANY
    peers: tuple[IPNetwork, ...] = ()
    below: bool = False
    origin: str = ""
    created: datetime | None = None
    withdrawn: datetime | None = None
    withdrawn_why: str = ""

    @property
    def is_deny(self) -> bool:
        """It forbids."""
        return self.action is WhitelistAction.DENY

    @property
    def place(self) -> tuple[object, ...]:
        """What it speaks of, whatever it says of it and however long: renewed, an entry keeps its place."""
        where = (self.kind, self.domain.lower(), self.addresses, self.proto.lower(), self.ports)
        return (*where, self.direction, self.peer, self.peers)

    @property
    def identity(self) -> tuple[object, ...]:
        """What it says and until when: entries that agree in this are one; the reason may differ."""
        return (*self.place, self.service, self.action, self.below, self.valid_from, self.valid_to)

    def is_valid(self, now: datetime) -> bool:
        """Tell whether the entry is in force at `now`."""
        return (self.valid_from is None or self.valid_from <= now) and (self.valid_to is None or now <= self.valid_to)

    def was_known(self, at: datetime) -> bool:
        """Tell whether the entry had been entered and not been withdrawn at a moment."""
        return (self.created is None or self.created <= at) and (self.withdrawn is None or at < self.withdrawn)

    def allows_domain(self, name: str) -> bool:
        """Tell whether a domain entry covers the name."""
        return self.kind is WhitelistKind.DOMAIN and fnmatchcase(name.lower(), self.domain.lower())

    def allows_address(self, address: IPAddress) -> bool:
        """Tell whether one of the prefixes holds the address."""
        return any(address.version == prefix.version and address in prefix for prefix in self.addresses)

    def allows_port(self, address: IPAddress, proto: str, port: int) -> bool:
        """Tell whether a port entry covers the pair, whatever speaks there."""
        if self.kind is not WhitelistKind.PORT or self.proto != proto:
            return False
        return port in self.ports and self.allows_address(address)

    def meets(self, peer: Peer) -> bool:
        """Tell whether the entry speaks of connections with that other side.

        From where on the campus a scan looked is not known to lie inside or outside of prefixes: what it sees neither
        breaks a permission for some prefixes nor a prohibition for some.
        """
        if self.peer is PeerKind.PREFIX:
            if peer.address is None:
                return peer.kind is PeerKind.CAMPUS and not self.is_deny
            address = peer.address
            return any(address.version == prefix.version and address in prefix for prefix in self.peers)
        return self.peer in (PeerKind.ANY, peer.kind)


def format_addresses(prefixes: tuple[IPNetwork, ...]) -> tuple[str, ...]:
    """Write prefixes as people do: `10.0.0.5`, `10.0.0.0/24`, and what touches as one range `10.0.0.5-10.0.0.9`."""
    spans: list[tuple[int, int, int, list[IPNetwork]]] = []
    for prefix in sorted(set(prefixes), key=lambda one: (one.version, int(one.network_address), one.prefixlen)):
        low, high = int(prefix.network_address), int(prefix.broadcast_address)
        if spans and spans[-1][0] == prefix.version and low <= spans[-1][2] + 1:
            version, first, last, members = spans[-1]
            spans[-1] = (version, first, max(last, high), [*members, prefix])
        else:
            spans.append((prefix.version, low, high, [prefix]))
    return tuple(_span_text(members, low, high) for _, low, high, members in spans)


def _span_text(members: list[IPNetwork], low: int, high: int) -> str:
    first = members[0]
    if int(first.network_address) == low and int(first.broadcast_address) == high:
        if first.prefixlen == first.max_prefixlen:
            return str(first.network_address)
        return "*" if first.prefixlen == 0 else str(first)
    kind = type(first.network_address)
    return f"{kind(low)}-{kind(high)}"
