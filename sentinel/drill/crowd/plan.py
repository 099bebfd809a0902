"""The plan of a crowd: a network, a number of hosts and a seed in; hosts with their ports and their truth out."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from sentinel.drill.crowd.population import (
    CLASSES,
    ODD_BACKENDS,
    ODD_PORTS,
    TARPIT,
    TARPIT_BACKEND,
    Closed,
    HostClass,
    backends,
)
from sentinel.drill.servers.conversation import Seen, Service
from sentinel.errors import UsageError

LARGEST_PREFIX = 16
NEIGHBOURS = 512
"""Hosts that may lie on one wire with the scanner: its kernel keeps at most 1,024 neighbours (gc_thresh3)."""

_RESERVED = 4  # the network's own address, the router, the scanner, broadcast
_HOSTS_PER_TARPIT = 200
_FEW = 20
# nmap 7.93 sends nothing to these ports (Exclude in its probe file), so they keep the name of the port table.
_UNPROBED = range(9100, 9108)


@dataclass(frozen=True, slots=True, order=True)
class CrowdPort:
    """An open TCP port.

    Attributes:
        port: its number.
        backend: key of the server behind it.
    """

    port: int
    backend: str


@dataclass(frozen=True, slots=True)
class CrowdHost:
    """A host of the crowd.

    Attributes:
        address: its address.
        kind: key of its class, e.g. `camera`.
        closed: what it does with segments for other ports.
        answers_ping: it answers ICMP echo requests.
        ports: its open TCP ports by number; empty for a tarpit.
        is_tarpit: every port answers.
    """

    address: IPv4Address
    kind: str
    closed: Closed
    answers_ping: bool
    ports: tuple[CrowdPort, ...]
    is_tarpit: bool = False

    @property
    def is_silent(self) -> bool:
        """Nothing but ARP ever comes back from it."""
        return not (self.is_tarpit or self.ports or self.answers_ping) and self.closed is Closed.DROP


@dataclass(frozen=True, slots=True)
class CrowdTruth:
    """One open TCP port and what is true of it.

    Attributes:
        address: the address.
        port: the port.
        proto: `tcp`.
        kind: class of the host.
        closed: what the host's other ports do.
        answers_ping: the host answers ICMP echo requests.
        backend: key of the server behind it.
        service: name `nmap -sV` gives it; empty: it cannot tell.
        product: product it tells; empty: none.
        version: version it tells; empty: none.
        tunnel: `ssl` inside TLS.
    """

    address: IPv4Address
    port: int
    proto: str
    kind: str
    closed: Closed
    answers_ping: bool
    backend: str
    service: str
    product: str
    version: str
    tunnel: str


@dataclass(frozen=True, slots=True)
class Crowd:
    """A planned crowd; the same network, number and seed give the same one.

    Attributes:
        base: the network it lies in.
        seed: what classes, addresses and ports come from.
        hosts: its hosts by address; every other address of the network is empty.
    """

    base: IPv4Network
    seed: int
    hosts: tuple[CrowdHost, ...]

    @property
    def scanner(self) -> IPv4Address:
        """Address of the one who scans."""
        return self.base[-2]

    @property
    def router(self) -> IPv4Address:
        """Address of the school's router, behind which the servers stand; it never answers itself."""
        return self.base[-3]

    @property
    def is_routed(self) -> bool:
        """The hosts lie behind the router, as they are too many for one wire; else the scanner sees their ARP."""
        return self.base.num_addresses > NEIGHBOURS

    @property
    def tarpits(self) -> tuple[IPv4Address, ...]:
        """Addresses that answer on every port."""
        return tuple(host.address for host in self.hosts if host.is_tarpit)

    @property
    def silent(self) -> tuple[IPv4Address, ...]:
        """Addresses of hosts that exist and answer nothing but ARP."""
        return tuple(host.address for host in self.hosts if host.is_silent)

    def truth(self) -> tuple[CrowdTruth, ...]:
        """List every open TCP port by address and port; tarpits, which have them all, are left out."""
        return tuple(_truth(host, port) for host in self.hosts for port in host.ports)

    def truth_json(self) -> str:
        """Write the truth as JSON: one object per host, `open` being `all` for a tarpit."""
        whole = {
            "base": str(self.base),
            "seed": self.seed,
            "scanner": str(self.scanner),
            "router": str(self.router) if self.is_routed else None,
            "hosts": [_told(host) for host in self.hosts],
        }
        return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _seen(service: Service, port: int) -> Seen:
    if port in _UNPROBED:
        return Seen()
    return service.seen if port == service.port or service.elsewhere is None else service.elsewhere


def _truth(host: CrowdHost, port: CrowdPort) -> CrowdTruth:
    service = backends()[port.backend]
    seen = _seen(service, port.port)
    return CrowdTruth(
        address=host.address,
        port=port.port,
        proto=service.proto,
        kind=host.kind,
        closed=host.closed,
        answers_ping=host.answers_ping,
        backend=port.backend,
        service=seen.service,
        product=seen.product,
        version=seen.version,
        tunnel="ssl" if service.certificate else "",
    )


def _told(host: CrowdHost) -> dict[str, object]:
    rows = (_truth(host, port) for port in host.ports)
    ports = [
        {name: getattr(row, name) for name in ("port", "proto", "backend", "service", "product", "version", "tunnel")}
        for row in rows
    ]
    return {
        "address": str(host.address),
        "class": host.kind,
        "closed": host.closed.value,
        "answers_ping": host.answers_ping,
        "open": "all" if host.is_tarpit else ports,
    }


def plan_crowd(base: IPv4Network, hosts: int, seed: int) -> Crowd:
    """Plan a crowd of `hosts` hosts, about one in 200 of them a tarpit, and 2.85 open ports to a host on average.

    Raises:
        UsageError: the network cannot hold them, is larger than a /16, or is no network for hosts.
    """
    if base.prefixlen < LARGEST_PREFIX:
        raise UsageError(f"{base}: a crowd fits into a /{LARGEST_PREFIX} or a smaller network")
    if base.is_loopback or base.is_multicast or base.is_reserved or base.is_link_local or base.is_unspecified:
        raise UsageError(f"{base}: not a network for hosts; take a private one, e.g. 10.32.0.0/20")
    room = max(0, base.num_addresses - _RESERVED)
    if not 1 <= hosts <= room:
        raise UsageError(f"{hosts}: {base} has room for 1 to {room} hosts")
    draw = random.Random(f"crowd {seed}")  # noqa: S311 - the same crowd again is the point
    kinds = _classes(hosts)
    draw.shuffle(kinds)
    places = sorted(draw.sample(range(1, room + 1), hosts))
    return Crowd(base, seed, tuple(_host(base[place], kind, draw) for place, kind in zip(places, kinds, strict=True)))


def _classes(hosts: int) -> list[HostClass]:
    """List one class per host, by largest remainder, so that the shares hold in small crowds too."""
    tarpits = max(1, hosts // _HOSTS_PER_TARPIT) if hosts >= _FEW else 0
    rest = hosts - tarpits
    counts = {one: rest * one.percent // 100 for one in CLASSES}
    by_remainder = sorted(CLASSES, key=lambda one: -(rest * one.percent % 100))
    for one in by_remainder[: rest - sum(counts.values())]:
        counts[one] += 1
    return [one for one, count in counts.items() for _ in range(count)] + [TARPIT] * tarpits


def _host(address: IPv4Address, kind: HostClass, draw: random.Random) -> CrowdHost:
    ping = draw.random() < kind.ping
    ports = {habit.port: draw.choice(habit.backends) for habit in kind.habits if draw.random() < habit.chance}
    if draw.random() < kind.odd:
        ports[draw.choice(ODD_PORTS)] = draw.choice(ODD_BACKENDS)
    listed = tuple(sorted(CrowdPort(port, backend) for port, backend in ports.items()))
    return CrowdHost(address, kind.key, kind.closed, ping, listed, kind is TARPIT)


def used_backends(crowd: Crowd) -> tuple[str, ...]:
    """List the keys of the servers the crowd needs, sorted."""
    used = {port.backend for host in crowd.hosts for port in host.ports}
    return tuple(sorted(used | ({TARPIT_BACKEND} if crowd.tarpits else set())))
