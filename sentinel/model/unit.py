"""Who owns what: units in a tree, and the networks in which their addresses live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from sentinel.model.unit_kind import UnitKind

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

PRIVATE = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "0.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
"""Addresses that repeat in every school and belong to none alone: private (RFC 1918), of carriers (RFC 6598),
link-local, loopback, unique local (RFC 4193)."""


def is_private(prefix: IPNetwork) -> bool:
    """Tell whether the whole of a prefix repeats in every school; `::ffff:10.0.0.1` counts as the IPv4 address."""
    if isinstance(prefix, IPv6Network) and prefix.prefixlen >= 96 and prefix.network_address.ipv4_mapped:
        prefix = IPv4Network((int(prefix.network_address) & 0xFFFFFFFF, prefix.prefixlen - 96))
    return any(
        prefix.version == one.version and one.prefixlen <= prefix.prefixlen and prefix.network_address in one
        for one in PRIVATE
    )


OUTSIDE = "outside"
"""The vantage of what looks from the internet: what it sees is the unit's exposure (互联网暴露面)."""


class UnitLevel(StrEnum):
    """The four levels of the tree, and departments under a school."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    SCHOOL = "school"
    DEPARTMENT = "department"

    def may_stand_under(self, upper: UnitLevel) -> bool:
        """Tell whether a unit of this level may have one of that level above it: none stands under a lower one."""
        ranks = tuple(UnitLevel)
        return ranks.index(upper) <= ranks.index(self)


class Zone(StrEnum):
    """The part of a campus a network serves (网络区域)."""

    SERVER = "server"
    OFFICE = "office"
    DORMITORY = "dormitory"
    WIRELESS = "wireless"
    IOT = "iot"
    EXAM = "exam"
    DMZ = "dmz"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of the tree (单位).

    Attributes:
        code: stable code, the 10-digit 学校(机构)标识码 when there is one, else chosen at entry.
        name: as on papers, e.g. `示例市第一中学`.
        level: province, city, county, school or department.
        parent: code of the unit above (隶属), empty at the root.
        path: codes from the root to this unit joined by `/`; a subtree is a prefix range.
        region: code of the place (属地), which is not the parent; may be empty.
        credit: unified social credit code (统一社会信用代码), or empty.
        kind: what it is (学校类别).
        affiliation: who runs it (举办者、隶属关系), e.g. `地方公办`.
        aliases: other names it goes by.
        valid_from: first moment it exists; None: not told.
        valid_to: first moment it exists no longer (撤并); None: it goes on.
        since: from when its name, level, parent, region and kind are these; None: as long as anybody knows.
    """

    code: str
    name: str
    level: UnitLevel = UnitLevel.SCHOOL
    parent: str = ""
    path: str = ""
    region: str = ""
    credit: str = ""
    kind: UnitKind = UnitKind.UNKNOWN
    affiliation: str = ""
    aliases: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    since: datetime | None = None

    def exists(self, at: datetime) -> bool:
        """Tell whether it exists at a moment, as far as its dates say."""
        return (self.valid_from is None or self.valid_from <= at) and (self.valid_to is None or at < self.valid_to)


@dataclass(frozen=True, slots=True)
class Network:
    """Addresses that mean one thing: the key of an address is (network, address).

    Attributes:
        id: row id in the store; 0 before it is stored.
        unit: code of the owning unit.
        name: unique in the unit, e.g. `server-lan`; the default network is called `default`.
        zone: what it serves.
        prefixes: address ranges it contains; empty for the default network, which takes the rest.
        scannable: false where only logs may be read (dormitory, wireless).
    """

    id: int
    unit: str
    name: str
    zone: Zone = Zone.UNKNOWN
    prefixes: tuple[IPNetwork, ...] = ()
    scannable: bool = True

    def contains(self, address: IPAddress) -> bool:
        """Tell whether one of the prefixes holds the address."""
        return any(address.version == prefix.version and address in prefix for prefix in self.prefixes)


DEFAULT_NETWORK = "default"


def choose_network(networks: tuple[Network, ...], address: IPAddress) -> tuple[Network, bool]:
    """Pick the network of an address: the longest prefix that holds it, else the default one.

    Returns the network and whether the address is in scope (held by a declared prefix).

    Raises:
        ValueError: there is no default network.
    """
    best: tuple[int, Network] | None = None
    fallback: Network | None = None
    for network in networks:
        if network.name == DEFAULT_NETWORK:
            fallback = network
        for prefix in network.prefixes:
            if address.version == prefix.version and address in prefix and (not best or prefix.prefixlen > best[0]):
                best = (prefix.prefixlen, network)
    if best:
        return best[1], True
    if fallback is None:
        raise ValueError("the unit has no default network")
    return fallback, False
