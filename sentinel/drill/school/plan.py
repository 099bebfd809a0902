"""The plan of a practice school: seed, size and addresses in; hosts, planted weaknesses and the changes on cue out."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network

from sentinel.drill.school.roles import (
    NEWCOMER,
    OTHERS,
    PORTAL,
    QUIET,
    QUIET_FROM_SIZE,
    SSH_NEXT,
    Draft,
    Role,
    new_ssh,
    newly_opened,
)
from sentinel.drill.servers.certificate import CertificateKind, CertificatePlan, rules_of
from sentinel.drill.servers.conversation import Seen, Service
from sentinel.errors import UsageError
from sentinel.model.endpoint import ChangeKind

DEFAULT_BASE = IPv4Network("127.77.0.0/24")
DEFAULT_OFFSET = 10000
FIRST_HOST = 11
MIN_SIZE, MAX_SIZE = 3, 1 + len(OTHERS) + len(QUIET)
_LOOPBACK = IPv4Network("127.0.0.0/8")
_NAMES = (
    "示例市第一中学",
    "示例市第二中学",
    "示例市实验小学",
    "示例市职业技术学校",
    "示例市外国语学校",
    "示例市第九中学",
)
# nmap 7.93 sends nothing to these ports (Exclude in its probe file), so they keep the name of the port table.
_UNPROBED = range(9100, 9108)


class Phase(StrEnum):
    """The school before and after the cue `change`."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class PlantedPort:
    """One open port and everything that is true of it.

    Attributes:
        address: the address.
        port: the port as served, offset included.
        proto: `tcp`.
        service: name `nmap -sV` gives it; empty: it cannot tell.
        product: product it tells; empty: none.
        version: version it tells; empty: none.
        full: what it tells with `--version-all`.
        tunnel: `ssl` inside TLS.
        certificate: certificate shown there.
        weaknesses: names of the rules that must find something here after `nmap -sV`; `certificate.name-mismatch`
            needs `host` to be known for the address.
        host: name of the host, e.g. `www.school1.example`.
    """

    address: IPv4Address
    port: int
    proto: str
    service: str
    product: str
    version: str
    full: Seen
    tunnel: str
    certificate: CertificatePlan | None
    weaknesses: tuple[str, ...]
    host: str


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One difference the cue makes.

    Attributes:
        kind: new, gone or changed.
        address: the address.
        port: the port as served.
        proto: `tcp`.
        what: fields that change, sorted, e.g. `("certificate",)`; empty for new and gone.
    """

    kind: ChangeKind
    address: IPv4Address
    port: int
    proto: str
    what: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedHost:
    """A host of the school.

    Attributes:
        role: key of its role, e.g. `portal`.
        name: its DNS name.
        label: what it is, for people.
        address: its address.
        services: what it serves; empty: every port answers with a reset.
    """

    role: str
    name: str
    label: str
    address: IPv4Address
    services: tuple[Service, ...]


@dataclass(frozen=True, slots=True)
class School:
    """A practice school; the same seed, size, base and offset give the same one.

    Attributes:
        name: its name, made up.
        domain: its domain, under `.example`.
        base: the network it lies in.
        seed: what names, versions and choices come from.
        offset: added to every real port.
        before: hosts before the cue.
        after: hosts after it.
    """

    name: str
    domain: str
    base: IPv4Network
    seed: int
    offset: int
    before: tuple[PlannedHost, ...]
    after: tuple[PlannedHost, ...]

    def hosts(self, phase: Phase) -> tuple[PlannedHost, ...]:
        """List the hosts of a phase by address."""
        return self.before if phase is Phase.BEFORE else self.after

    def services(self, phase: Phase) -> Mapping[tuple[IPv4Address, int], Service]:
        """Map address and served port to the server there."""
        return {
            (host.address, served_port(service.port, self.offset)): service
            for host in self.hosts(phase)
            for service in host.services
        }

    def truth(self, phase: Phase = Phase.BEFORE) -> tuple[PlantedPort, ...]:
        """List every open port, sorted by address and port."""
        rows = [_planted(host, service, self.offset) for host in self.hosts(phase) for service in host.services]
        return tuple(sorted(rows, key=lambda row: (row.address, row.port)))

    def expected_changes(self) -> tuple[PlannedChange, ...]:
        """List what the cue changes, sorted by address and port."""
        before = {(row.address, row.port): row for row in self.truth(Phase.BEFORE)}
        after = {(row.address, row.port): row for row in self.truth(Phase.AFTER)}
        changes = []
        for key in sorted(before.keys() | after.keys()):
            old, new = before.get(key), after.get(key)
            if old is None or new is None:
                changes.append(PlannedChange(ChangeKind.NEW if old is None else ChangeKind.GONE, *key, "tcp"))
            elif what := _differences(old, new):
                changes.append(PlannedChange(ChangeKind.CHANGED, *key, "tcp", what))
        return tuple(changes)


def served_port(port: int, offset: int) -> int:
    """Move a real port by the offset; what would pass 65535 starts again at 1024."""
    moved = port + offset
    return moved if moved <= 65535 else moved - 65536 + 1024


def _planted(host: PlannedHost, service: Service, offset: int) -> PlantedPort:
    port = served_port(service.port, offset)
    at_home = offset == 0
    seen = service.seen if at_home or service.elsewhere is None else service.elsewhere
    weaknesses = service.weaknesses if at_home or service.weaknesses_elsewhere is None else service.weaknesses_elsewhere
    # A port named by an earlier probe is not asked again, so more probes only help where nothing was named.
    full = seen if seen.service else service.seen
    if port in _UNPROBED:
        seen = full = Seen()
    return PlantedPort(
        address=host.address,
        port=port,
        proto="tcp",
        service=seen.service,
        product=seen.product,
        version=seen.version,
        full=full,
        tunnel="ssl" if service.certificate else "",
        certificate=service.certificate,
        weaknesses=weaknesses,
        host=host.name,
    )


def _differences(old: PlantedPort, new: PlantedPort) -> tuple[str, ...]:
    names = ("certificate", "product", "service", "version")
    return tuple(name for name in names if getattr(old, name) != getattr(new, name))


def _chosen(draw: random.Random, size: int) -> tuple[Role, ...]:
    quiet = QUIET if size >= QUIET_FROM_SIZE else ()
    count = size - 1 - len(quiet)
    places = sorted(draw.sample(range(len(OTHERS)), count))
    return (PORTAL, *(OTHERS[place] for place in places), *quiet)


def plan_school(
    base: IPv4Network = DEFAULT_BASE, seed: int = 1, size: int = MAX_SIZE, offset: int = DEFAULT_OFFSET
) -> School:
    """Plan a school of `size` hosts before the cue, one more after it.

    Raises:
        UsageError: the network is not on loopback or too small, or size or offset are out of range.
    """
    if not base.subnet_of(_LOOPBACK) or base.prefixlen > 26:
        raise UsageError(f"{base}: a practice school needs a loopback network of at least 64 addresses")
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise UsageError(f"{size}: a practice school has {MIN_SIZE} to {MAX_SIZE} hosts")
    if not 0 <= offset <= 50000:
        raise UsageError(f"{offset}: the port offset lies between 0 and 50000")
    draw = random.Random(f"school {seed}")  # noqa: S311 - the same school again is the point
    draft = Draft(_NAMES[(seed - 1) % len(_NAMES)], f"school{seed}.example", draw)
    before = tuple(_host(role, draft, base[FIRST_HOST + place]) for place, role in enumerate(_chosen(draw, size)))
    return School(draft.school, draft.domain, base, seed, offset, before, _changed(before, draft, base))


def _host(role: Role, draft: Draft, address: IPv4Address) -> PlannedHost:
    return PlannedHost(role.key, f"{role.name}.{draft.domain}", role.label, address, role.build(draft))


def _changed(before: tuple[PlannedHost, ...], draft: Draft, base: IPv4Network) -> tuple[PlannedHost, ...]:
    """Apply the cue: one service opens, one closes, a host appears, a certificate and a version change."""
    others = [host for host in before if len(host.services) > 1 and host.role != PORTAL.key]
    closing = draft.draw.choice(others)
    gone = draft.draw.choice([service for service in closing.services if service.certificate is None])
    opening = draft.draw.choice(others)
    opened = newly_opened({service.port for service in opening.services}, draft.draw)
    renewed = _to_renew(before)
    after = []
    for host in before:
        services = [service for service in host.services if host is not closing or service is not gone]
        services = [_renew(service) if service is renewed else service for service in services]
        if host is opening:
            services.append(opened)
        if host.role == PORTAL.key:
            services = [new_ssh(SSH_NEXT) if service.port == 22 else service for service in services]
        after.append(replace(host, services=tuple(services)))
    return (*after, _host(NEWCOMER, draft, base[FIRST_HOST + len(before)]))


def _to_renew(hosts: tuple[PlannedHost, ...]) -> Service:
    """Choose the expired certificate where there is one, else the portal's."""
    shown = [service for host in hosts for service in host.services if service.certificate is not None]
    return next((service for service in shown if "certificate.expired" in service.weaknesses), shown[0])


def _renew(service: Service) -> Service:
    if service.certificate is None:
        return service
    renewed = CertificatePlan(CertificateKind.GOOD, service.certificate.name, service.certificate.generation + 1)
    mended = rules_of(service.certificate)
    kept = tuple(name for name in service.weaknesses if name not in mended)
    return replace(service, certificate=renewed, weaknesses=kept)
