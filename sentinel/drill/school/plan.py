"""The plan of a practice school: seed, size and lot in; hosts, planted weaknesses and what each cue changes out."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from sentinel.drill.place.ground import Lot, served_port
from sentinel.drill.school.cues import Cue, Step, plan_steps
from sentinel.drill.school.host import FIRST_HOST, AnyService, Draft, Manner, PlannedHost, Role, build_host
from sentinel.drill.school.roles import MINER, NEEDED, OTHERS, POOL_PORT, PORTAL, QUIET, QUIET_FROM_SIZE
from sentinel.drill.servers.certificate import CertificatePlan
from sentinel.drill.servers.conversation import Seen
from sentinel.errors import UsageError
from sentinel.model.endpoint import ChangeKind

DEFAULT_LOT = Lot(IPv4Network("127.77.0.0/24"))
MIN_SIZE, MAX_SIZE = 3, 1 + len(OTHERS) + len(QUIET)
COMPLETE = 1
"""The seed of the school in which every host of a role has all its servers; in others some are missing."""

BEFORE: frozenset[Cue] = frozenset()
AFTER: frozenset[Cue] = frozenset(Cue)
_LAST_HOST = 59
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

_Address = IPv4Address | IPv6Address
Place = tuple[str, _Address, int]
"""Transport, address, and port as served."""


@dataclass(frozen=True, slots=True)
class PlantedPort:
    """One open port and everything that is true of it.

    Attributes:
        address: the address.
        port: the port as served, offset included.
        proto: `tcp` or `udp`.
        service: name `nmap -sV` gives it; empty: it cannot tell.
        product: product it tells; empty: none.
        version: version it tells; empty: none.
        full: what it tells with `--version-all`.
        tunnel: `ssl` inside TLS.
        certificate: certificate shown there.
        weaknesses: names of the rules that must find something here after `nmap -sV`; `certificate.name-mismatch`
            needs `host` to be known for the address.
        unseen: names of rules that find something here only at the true port, where nmap can tell what speaks there.
        flaws: weaknesses planted here that no rule names yet, e.g. `smtp.open-relay`.
        host: name of the host, e.g. `www.school1.example`.
    """

    address: _Address
    port: int
    proto: str
    service: str
    product: str
    version: str
    full: Seen
    tunnel: str
    certificate: CertificatePlan | None
    weaknesses: tuple[str, ...]
    unseen: tuple[str, ...]
    flaws: tuple[str, ...]
    host: str

    @property
    def place(self) -> Place:
        """Transport, address and port: what tells it from all others."""
        return self.proto, self.address, self.port


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One difference a cue makes.

    Attributes:
        kind: new, gone or changed.
        address: the address.
        port: the port as served.
        proto: `tcp` or `udp`.
        what: fields that change, sorted, e.g. `("certificate",)`; empty for new and gone.
    """

    kind: ChangeKind
    address: _Address
    port: int
    proto: str
    what: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class School:
    """A practice school; the same seed, size and lot give the same one.

    Attributes:
        name: its name, made up.
        domain: its domain, under `.example`.
        lot: where it stands.
        seed: what names, versions and choices come from.
        before: its hosts before any cue, by address.
        steps: what each cue does; a small school has fewer cues.
    """

    name: str
    domain: str
    lot: Lot
    seed: int
    before: tuple[PlannedHost, ...]
    steps: Mapping[Cue, Step]

    def hosts(self, played: Collection[Cue] = BEFORE) -> tuple[PlannedHost, ...]:
        """List the hosts by address, once the cues were played."""
        hosts = self.before
        for cue, step in self.steps.items():
            if cue in played:
                hosts = step.apply(hosts)
        return hosts

    @property
    def answering(self) -> tuple[IPv4Address, ...]:
        """Addresses of the hosts that answer on every port."""
        return tuple(host.address for host in self.before if host.manner is Manner.ANSWERS_ALL)

    def places(self, played: Collection[Cue] = BEFORE) -> Mapping[Place, AnyService]:
        """Map transport, address and served port to the server there."""
        return {
            (service.proto, address, served_port(service.port, self.lot.offset)): service
            for host, address, service in self._served(played)
        }

    @property
    def miners(self) -> tuple[IPv4Address, ...]:
        """Addresses of the hosts that talk to the pool; none where there is no pool."""
        return tuple(host.address for host in self.before if host.role == MINER) if self.lot.pool else ()

    @property
    def true_ports(self) -> frozenset[int]:
        """Ports of its servers, and of the pool its miners talk to, in the real world, whatever the cue."""
        hosts = (*self.before, *self.hosts(AFTER))
        served = frozenset(service.port for host in hosts for service in host.services)
        return served | {POOL_PORT} if self.miners else served

    def truth(self, played: Collection[Cue] = BEFORE) -> tuple[PlantedPort, ...]:
        """List every open port, sorted by address, transport and port; hosts that answer everywhere are left out."""
        rows = (_planted(host, address, service, self.lot.offset) for host, address, service in self._served(played))
        return tuple(sorted(rows, key=lambda row: (row.address.version, int(row.address), row.proto, row.port)))

    def expected_changes(
        self, before: Collection[Cue] = BEFORE, after: Collection[Cue] = AFTER
    ) -> tuple[PlannedChange, ...]:
        """List what differs between two states, in the order of the truth."""
        old = {row.place: row for row in self.truth(before)}
        new = {row.place: row for row in self.truth(after)}
        order = sorted(old.keys() | new.keys(), key=lambda key: (key[1].version, int(key[1]), key[0], key[2]))
        return tuple(change for key in order if (change := _change(key, old.get(key), new.get(key))))

    def _served(self, played: Collection[Cue]) -> Iterator[tuple[PlannedHost, _Address, AnyService]]:
        for host in self.hosts(played):
            for address in host.addresses:
                for service in host.services:
                    yield host, address, service


def plan_school(lot: Lot = DEFAULT_LOT, seed: int = 1, size: int = MAX_SIZE) -> School:
    """Plan a school of `size` hosts; a cue may add one more.

    Without a network of its own it has no UDP and no host whose manner needs one, and so fewer hosts at full size.

    Raises:
        UsageError: the network is too small or not on loopback, or size or offset are out of range.
    """
    if lot.base.prefixlen > 26:
        raise UsageError(f"{lot.base}: a practice school needs a network of at least 64 addresses")
    if not lot.has_own_network and not lot.base.subnet_of(_LOOPBACK):
        raise UsageError(f"{lot.base}: without a network namespace a practice school lives in 127.0.0.0/8")
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise UsageError(f"{size}: a practice school has {MIN_SIZE} to {MAX_SIZE} hosts")
    if not 0 <= lot.offset <= 50000:
        raise UsageError(f"{lot.offset}: the port offset lies between 0 and 50000")
    draw = random.Random(f"school {seed}")  # noqa: S311 - the same school again is the point
    draft = Draft(_NAMES[(seed - 1) % len(_NAMES)], f"school{seed}.example", draw, lot, is_complete=seed == COMPLETE)
    portal, *roles = _chosen(draw, size)
    free, *numbers = draw.sample(range(FIRST_HOST + 1, _LAST_HOST + 1), size)
    placed = ((FIRST_HOST, portal), *zip(sorted(numbers), roles, strict=True))
    hosts = tuple(build_host(role, draft, number) for number, role in placed)
    before = tuple(host for host in hosts if lot.has_own_network or host.manner is Manner.SERVES)
    return School(draft.school, draft.domain, lot, seed, before, plan_steps(before, draft, free))


def _chosen(draw: random.Random, size: int) -> tuple[Role, ...]:
    quiet = QUIET if size >= QUIET_FROM_SIZE else ()
    drawn = draw.sample(range(len(OTHERS)), len(OTHERS))
    needed = [place for place in drawn if OTHERS[place].key in NEEDED]
    rest = [place for place in drawn if OTHERS[place].key not in NEEDED]
    others = [*(OTHERS[place] for place in (needed + rest)[: size - 1 - len(quiet)]), *quiet]
    draw.shuffle(others)
    return (PORTAL, *others)


def _planted(host: PlannedHost, address: _Address, service: AnyService, offset: int) -> PlantedPort:
    port = served_port(service.port, offset)
    at_home = offset == 0
    seen = service.seen if at_home or service.elsewhere is None else service.elsewhere
    weaknesses = service.weaknesses if at_home or service.weaknesses_elsewhere is None else service.weaknesses_elsewhere
    # A port named by an earlier probe is not asked again, so more probes only help where nothing was named.
    full = seen if seen.service else service.seen
    if service.proto == "tcp" and port in _UNPROBED:
        seen = full = Seen()
    return PlantedPort(
        address=address,
        port=port,
        proto=service.proto,
        service=seen.service,
        product=seen.product,
        version=seen.version,
        full=full,
        tunnel="ssl" if service.certificate else "",
        certificate=service.certificate,
        weaknesses=weaknesses,
        unseen=tuple(rule for rule in service.weaknesses if rule not in weaknesses),
        flaws=service.flaws,
        host=host.name,
    )


def _change(key: Place, old: PlantedPort | None, new: PlantedPort | None) -> PlannedChange | None:
    proto, address, port = key
    if old is None or new is None:
        return PlannedChange(ChangeKind.NEW if old is None else ChangeKind.GONE, address, port, proto)
    names = ("certificate", "product", "service", "version")
    what = tuple(name for name in names if getattr(old, name) != getattr(new, name))
    return PlannedChange(ChangeKind.CHANGED, address, port, proto, what) if what else None
