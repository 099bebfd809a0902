"""A host of the practice school: a role and the school's draft in, addresses and servers out."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address

from sentinel.drill.place.ground import Lot
from sentinel.drill.servers.certificate import CertificateKind, CertificatePlan
from sentinel.drill.servers.conversation import Service
from sentinel.drill.servers.datagram import DatagramService

AnyService = Service | DatagramService
FIRST_HOST = 11
_LEFT_OUT = 0.15


class Manner(StrEnum):
    """How a host behaves."""

    SERVES = "serves"
    SILENT = "silent"
    ANSWERS_ALL = "answers-all"


@dataclass(frozen=True, slots=True)
class Draft:
    """What a role needs to know of its school; `is_complete`: every host has all its servers."""

    school: str
    domain: str
    draw: random.Random
    lot: Lot
    is_complete: bool = True

    def certificate(self, kind: CertificateKind, label: str) -> CertificatePlan:
        """Plan a certificate for one of the school's names, or with the flaw of another name."""
        name = "old-server.elsewhere.example" if kind is CertificateKind.WRONG_NAME else f"{label}.{self.domain}"
        return CertificatePlan(kind, name)


@dataclass(frozen=True, slots=True)
class Role:
    """A kind of host.

    Attributes:
        key: stable word for it.
        label: what it is, for people.
        name: first label of its DNS name.
        build: makes its servers.
        is_dual: it has an IPv6 address too.
        manner: how it behaves.
        is_whole: it has all its servers in every school, as cues happen to them.
    """

    key: str
    label: str
    name: str
    build: Callable[[Draft], tuple[AnyService, ...]]
    is_dual: bool = False
    manner: Manner = Manner.SERVES
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class PlannedHost:
    """A host of the school.

    Attributes:
        role: key of its role, e.g. `portal`.
        name: its DNS name.
        label: what it is, for people.
        addresses: its addresses, IPv4 first.
        services: what it serves on each of them; empty: every port answers with a reset.
        manner: how it behaves.
        mac: its network card, as DHCP logs tell it.
    """

    role: str
    name: str
    label: str
    addresses: tuple[IPv4Address | IPv6Address, ...]
    services: tuple[AnyService, ...]
    manner: Manner = Manner.SERVES
    mac: str = ""

    @property
    def address(self) -> IPv4Address:
        """Its IPv4 address."""
        first = self.addresses[0]
        assert isinstance(first, IPv4Address)
        return first


def build_host(role: Role, draft: Draft, number: int) -> PlannedHost:
    """Build a host with address `number` of the school's networks.

    Its network card's address is a locally administered one, drawn from the seed. On `::1` only the portal lives. Where
    the school is not to be complete, servers after the first are left out now and then, in every mode the same.
    """
    lot = draft.lot
    addresses: list[IPv4Address | IPv6Address] = [lot.base[number]]
    if lot.base6 is not None and role.is_dual:
        if lot.base6.prefixlen < 128:
            addresses.append(lot.base6[number])
        elif role.key == "portal":
            addresses.append(lot.base6[0])
    there = list(role.build(draft))
    if not (draft.is_complete or role.is_whole):
        there = [one for place, one in enumerate(there) if draft.draw.random() >= _LEFT_OUT or place == 0]
    services = tuple(one for one in there if lot.has_own_network or one.proto == "tcp")
    card = bytes([0x02, 0x77, *(draft.draw.randrange(256) for _ in range(4))])
    return PlannedHost(
        role=role.key,
        name=f"{role.name}.{draft.domain}",
        label=role.label,
        addresses=tuple(addresses),
        services=services,
        manner=role.manner,
        mac=card.hex(":"),
    )
