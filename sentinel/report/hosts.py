"""Open endpoints and hosts in, the lines of the map out: hosts with marked ports, blocks of addresses, services."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network

from sentinel.model.endpoint import Endpoint, Host, MapRow
from sentinel.model.facts import UnitFacts
from sentinel.model.finding import Finding
from sentinel.model.rule import Severity
from sentinel.model.unit import IPAddress, Zone
from sentinel.report.clean import clean, clean_all
from sentinel.report.findings import split_subject
from sentinel.report.published import ways_in
from sentinel.report.values import Text
from sentinel.report.words import service_text, term

_SHOWN_PORTS = 14


@dataclass(frozen=True, slots=True)
class PortMark:
    """An open port on the map with the worst live finding on it; several vantages are one mark."""

    port: int
    proto: str
    service: str
    product: str
    title: str
    severity: Severity | None


@dataclass(frozen=True, slots=True)
class HostLine:
    """A host on the map.

    Attributes:
        address: its address.
        names: names known for it.
        os: best guess of the operating system.
        vendor: maker of its network card.
        ports: the first open ports, worst first.
        port_count: all open ports; 0: it was seen, none is open or it no longer answers.
        worst: worst live finding on the host or one of its ports.
        findings: live findings on it.
        last_seen: last time it answered or an open port of it was confirmed.
        in_scope: a declared network holds it.
        answering: ports on which it answered as on any other without saying what it is; 0: it does not do that.
        published: public ends that lead to it (公网映射), e.g. `203.0.113.5:443/tcp www.school.example`.
    """

    address: IPAddress
    names: tuple[str, ...]
    os: str
    vendor: str
    ports: tuple[PortMark, ...]
    port_count: int
    worst: Severity | None
    findings: int
    last_seen: datetime | None
    in_scope: bool
    answering: int = 0
    published: tuple[Text, ...] = ()

    @property
    def is_open(self) -> bool:
        """Something answers there."""
        return bool(self.port_count or self.answering)

    @property
    def more(self) -> int:
        """Open ports that are not shown."""
        return self.port_count - len(self.ports)


@dataclass(frozen=True, slots=True)
class Panel:
    """A network of the map with its hosts."""

    network: str
    zone: Zone
    zone_text: Text
    prefixes: tuple[str, ...]
    hosts: tuple[HostLine, ...]

    @property
    def ports(self) -> int:
        """Open ports of all its hosts."""
        return sum(host.port_count for host in self.hosts)


@dataclass(frozen=True, slots=True)
class BlockLine:
    """A /24 (IPv6: a /64) with what is in it; `services` are its most frequent protocol names."""

    network: str
    block: IPv4Network | IPv6Network
    hosts: int
    ports: int
    critical: int
    high: int
    findings: int
    services: tuple[Text, ...]


def build_panels(facts: UnitFacts, live: Sequence[Finding]) -> tuple[Panel, ...]:
    """Build one panel per network that has hosts, in the order of the unit's networks; hosts by address."""
    by_network: defaultdict[str, dict[IPAddress, HostLine]] = defaultdict(dict)
    for network, line in _host_lines(facts, live):
        by_network[network][line.address] = line
    declared = {network.name: network for network in facts.networks}
    zones = {row.network: row.zone for row in facts.rows} | {host.network: host.zone for host in facts.hosts}
    order = [*declared, *sorted(set(by_network) - set(declared))]
    panels = []
    for name in order:
        if name in by_network:
            zone = declared[name].zone if name in declared else zones[name]
            prefixes = tuple(str(prefix) for prefix in declared[name].prefixes) if name in declared else ()
            hosts = sorted(by_network[name].values(), key=lambda line: (line.address.version, int(line.address)))
            panels.append(Panel(clean(name, 40), zone, term(zone), prefixes, tuple(hosts)))
    return tuple(panels)


def build_blocks(panels: Iterable[Panel]) -> tuple[BlockLine, ...]:
    """Fold hosts by block; most critical and high findings first, then most hosts."""
    members: defaultdict[tuple[str, IPv4Network | IPv6Network], list[HostLine]] = defaultdict(list)
    for panel in panels:
        for host in panel.hosts:
            members[panel.network, block_of(host.address)].append(host)
    blocks = [_block(network, block, hosts) for (network, block), hosts in members.items()]
    return tuple(sorted(blocks, key=lambda b: (-b.critical, -b.high, -b.findings, -b.hosts, b.network, str(b.block))))


def block_of(address: IPAddress) -> IPv4Network | IPv6Network:
    """Give the /24 of an IPv4 address, the /64 of an IPv6 address."""
    return ip_network((address, 24 if isinstance(address, IPv4Address) else 64), strict=False)


def service_name(endpoint: Endpoint) -> str:
    """Name what speaks there: `http` inside TLS is `https`."""
    service = endpoint.fingerprint.service
    return "https" if service == "http" and endpoint.fingerprint.tunnel == "ssl" else service


def subjects_of(address: IPAddress, proto: str, port: int) -> tuple[str, ...]:
    """Give the subjects under which a finding may speak of an endpoint; IPv6 with and without brackets."""
    plain = f"{address}:{port}/{proto}"
    return (plain,) if address.version == 4 else (plain, f"[{address}]:{port}/{proto}")


def _host_lines(facts: UnitFacts, live: Sequence[Finding]) -> Iterable[tuple[str, HostLine]]:
    numbers = {network.name: network.id for network in facts.networks}
    numbers |= {row.network: row.endpoint.key.network for row in facts.rows}
    on_subject: defaultdict[tuple[int, str], list[Finding]] = defaultdict(list)
    for finding in live:
        host, place = split_subject(finding.key.subject)
        on_subject[finding.key.network, finding.key.subject if "/" in place else host].append(finding)
    rows: defaultdict[tuple[str, IPAddress], list[MapRow]] = defaultdict(list)
    for row in facts.rows:
        rows[row.network, row.endpoint.key.address].append(row)
    known = {(host.network, host.address): host for host in facts.hosts}
    answering = {(network, address): count for network, address, count in facts.answering}
    published = ways_in(facts)
    for network, address in dict.fromkeys((*known, *rows, *answering)):
        found = rows.get((network, address), [])
        line = _host(address, known.get((network, address)), found, on_subject, numbers.get(network, 0))
        ways = published.get(address, ())
        yield network, replace(line, answering=answering.get((network, address), 0), published=ways)


def _host(
    address: IPAddress,
    host: Host | None,
    rows: Sequence[MapRow],
    on_subject: Mapping[tuple[int, str], Sequence[Finding]],
    network: int,
) -> HostLine:
    concerned = list(on_subject.get((network, str(address)), ()))
    marks: dict[tuple[str, int], PortMark] = {}
    for row in rows:
        key = row.endpoint.key
        if (key.proto, key.port) not in marks:
            subjects = subjects_of(address, key.proto, key.port)
            there = [finding for subject in subjects for finding in on_subject.get((network, subject), ())]
            concerned += there
            marks[key.proto, key.port] = _mark(row.endpoint, there)
    ordered = sorted(marks.values(), key=lambda mark: (mark.severity.rank if mark.severity else 9, mark.port))
    names = {name for row in rows for name in row.names} | set(host.names if host else ())
    confirmed = [row.endpoint.last_confirmed for row in rows] + [host.last_seen if host else None]
    return HostLine(
        address=address,
        names=clean_all(tuple(sorted(names, key=lambda name: ("." not in name, name))), 60, 4),
        os=clean(host.os, 60) if host else "",
        vendor=clean(host.vendor, 40) if host else "",
        ports=tuple(ordered[:_SHOWN_PORTS]),
        port_count=len(ordered),
        worst=min((finding.severity for finding in concerned), key=lambda s: s.rank, default=None),
        findings=len(concerned),
        last_seen=max((moment for moment in confirmed if moment), default=None),
        in_scope=host.in_scope if host else all(row.endpoint.in_scope for row in rows),
    )


def _mark(endpoint: Endpoint, findings: Sequence[Finding]) -> PortMark:
    fingerprint = endpoint.fingerprint
    return PortMark(
        port=endpoint.key.port,
        proto=endpoint.key.proto,
        service=clean(service_name(endpoint), 30) + ("?" if fingerprint.guessed else ""),
        product=clean(f"{fingerprint.product} {fingerprint.version}", 60),
        title=clean(endpoint.title, 60),
        severity=min((finding.severity for finding in findings), key=lambda s: s.rank, default=None),
    )


def _block(network: str, block: IPv4Network | IPv6Network, hosts: Sequence[HostLine]) -> BlockLine:
    services = Counter(mark.service.rstrip("?") for host in hosts for mark in host.ports if mark.service)
    return BlockLine(
        network=network,
        block=block,
        hosts=len(hosts),
        ports=sum(host.port_count for host in hosts),
        critical=sum(host.worst is Severity.CRITICAL for host in hosts),
        high=sum(host.worst is Severity.HIGH for host in hosts),
        findings=sum(host.findings for host in hosts),
        services=tuple(service_text(name) for name, _ in services.most_common(3)),
    )
