"""The mode asked for in; the ground a practice school stands on here, and what it lacks, out."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address

from sentinel.drill.place.link import add_address, add_route, has_ipv6
from sentinel.drill.place.listeners import foreign_listeners, local_listeners
from sentinel.drill.place.namespace import NamespaceRefusedError, leave_network
from sentinel.errors import CollectError, UsageError

OFFSET = 10_000
"""Added to every port on loopback, where those under 1024 need a privilege and many are taken."""

_LAST_OFFSET, _OFFSET_STEP = 50_000, 500
SCANNER = ip_address("10.77.0.1")
SCANNER6 = ip_address("fd77::1")
"""Addresses from which everything in a namespace is looked at."""

OUTSIDE = IPv4Network("198.51.100.0/24")
_ON_LOOPBACK = (IPv4Network("127.77.0.0/16"), IPv6Network("::1/128"))


def served_port(port: int, offset: int) -> int:
    """Move a real port by the offset; what would pass 65535 starts again at 1024."""
    moved = port + offset
    return moved if moved <= 65535 else moved - 65536 + 1024


class Mode(StrEnum):
    """Where the practice school lives."""

    USER_NAMESPACE = "user-namespace"
    NETWORK_NAMESPACE = "network-namespace"
    LOOPBACK = "loopback"


class Loss(StrEnum):
    """What a ground cannot give."""

    LOW_PORTS = "low-ports"
    UDP = "udp"
    OWN_IPV6 = "own-ipv6"
    IPV6 = "ipv6"
    QUIET_HOSTS = "quiet-hosts"
    PRIVACY = "privacy"


@dataclass(frozen=True, slots=True)
class Lot:
    """The part of a ground one school gets.

    Attributes:
        base: its IPv4 network.
        base6: its IPv6 network; `::1/128` gives its portal that one address; None: none.
        offset: added to every port.
        has_own_network: it may have UDP, silent hosts and hosts that answer everywhere, and adds its own addresses.
        pool: address of the mining pool its miner talks to, outside of the school; None: it has no pool.
    """

    base: IPv4Network
    base6: IPv6Network | None = None
    offset: int = OFFSET
    has_own_network: bool = False
    pool: IPv4Address | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """What the machine gives a practice school.

    Attributes:
        mode: where it lives.
        ipv6: `::1` at least can be used.
        refused: why no better mode could be had; empty where this is the one asked for or the best.
        foreign: (`tcp`, port) of programs of this machine that answer on the school's addresses too.
        offset: added to every port.
        busy: TCP ports on which somebody, perhaps another practice school, has an address of ours.
    """

    mode: Mode
    ipv6: bool
    refused: str = ""
    foreign: tuple[tuple[str, int], ...] = ()
    offset: int = 0
    busy: frozenset[int] = frozenset()

    @property
    def busy_ports(self) -> frozenset[int]:
        """Ports a school must keep away from."""
        return self.busy | {port for _, port in self.foreign}

    @property
    def has_own_network(self) -> bool:
        """It is a namespace: all ports, raw packets, addresses of one's own, and nobody else in it."""
        return self.mode is not Mode.LOOPBACK

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What is lost here against a namespace on a machine with IPv6."""
        if self.has_own_network:
            return () if self.ipv6 else (Loss.IPV6,)
        narrow = Loss.OWN_IPV6 if self.ipv6 else Loss.IPV6
        return (Loss.LOW_PORTS, Loss.UDP, narrow, Loss.QUIET_HOSTS, Loss.PRIVACY)

    def make_room(self, ports: Collection[int]) -> Ground:
        """Move the offset, where there is one, so that none of the school's true ports meets a foreign listener.

        Raises:
            UsageError: the machine has listeners everywhere.
        """
        taken = self.busy_ports
        for offset in range(self.offset, _LAST_OFFSET + 1, _OFFSET_STEP):
            if not taken & {served_port(port, offset) for port in ports}:
                return replace(self, offset=offset)
        raise UsageError("programs of this machine listen on every address at too many ports; there is no room left")

    def lot(self, number: int) -> Lot:
        """Give school `number`, from 1, its part: on loopback IPv6 is for the first one alone."""
        if not self.has_own_network:
            base6 = IPv6Network("::1/128") if self.ipv6 and number == 1 else None
            return Lot(IPv4Network(f"127.77.{number}.0/24"), base6, self.offset, pool=IPv4Address("127.77.200.77"))
        return Lot(
            base=IPv4Network(f"10.77.{number}.0/24"),
            base6=IPv6Network(f"fd77:0:0:{number}::/120") if self.ipv6 else None,
            offset=0,
            has_own_network=True,
            pool=OUTSIDE[77],
        )


def take_ground(wanted: Mode | None = None) -> Ground:
    """Move this process to the best ground it can have, or to the one asked for; children follow, and nobody returns.

    Root takes a network namespace and stays root for files; anybody else, and a root without that right, a user
    namespace; where both are refused the school lives on loopback.

    Raises:
        NamespaceRefusedError: the mode asked for is refused here.
    """
    if wanted is not None:
        return _take(wanted)
    refused = ""
    for mode in (Mode.NETWORK_NAMESPACE, Mode.USER_NAMESPACE):
        if mode is Mode.NETWORK_NAMESPACE and os.geteuid() != 0:
            continue
        try:
            return _take(mode)
        except NamespaceRefusedError as error:
            refused = str(error)
    return _take(Mode.LOOPBACK, refused)


def _take(mode: Mode, refused: str = "") -> Ground:
    if mode is Mode.LOOPBACK:
        return Ground(mode, has_ipv6(), refused, foreign_listeners(), OFFSET, local_listeners(_ON_LOOPBACK))
    _rehearse(mode)
    return Ground(mode, _move(mode))


def _rehearse(mode: Mode) -> None:
    """Make the move in a child first: a refusal half-way would leave this process without any network.

    Some machines let anybody make a user namespace and then refuse what is done in it (AppArmor, as Ubuntu 24.04 sets
    it up).

    Raises:
        NamespaceRefusedError: the move is refused.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        reason = "no namespace: it broke off"
        try:
            _move(mode)
            reason = ""
        except NamespaceRefusedError as error:
            reason = str(error)
        finally:
            os.write(writing, reason.encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        reason = told.read().decode()
    os.waitpid(child, 0)
    if reason:
        raise NamespaceRefusedError(reason)


def _move(mode: Mode) -> bool:
    """Leave the network for a fresh one with the scanner's addresses, and tell whether it has IPv6.

    Raises:
        NamespaceRefusedError: any part of it is refused.
    """
    leave_network(as_user=mode is Mode.USER_NAMESPACE)
    try:
        add_address(SCANNER)
        add_route(OUTSIDE)
        ipv6 = has_ipv6()
        if ipv6:
            add_address(SCANNER6)
    except CollectError as error:
        raise NamespaceRefusedError(f"no namespace: {error}") from error
    return ipv6
