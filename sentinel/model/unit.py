"""Who owns what: units in a tree, and the networks in which their addresses live."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

OUTSIDE = "outside"
"""The vantage of what looks from the internet: what it sees is the unit's exposure (互联网暴露面)."""


class UnitLevel(StrEnum):
    """The four levels of the tree, and departments under a school."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    SCHOOL = "school"
    DEPARTMENT = "department"


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
    """

    code: str
    name: str
    level: UnitLevel = UnitLevel.SCHOOL
    parent: str = ""
    path: str = ""
    region: str = ""


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
