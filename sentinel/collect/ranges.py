"""Sets of addresses as sorted, disjoint, inclusive ranges of integers: merge, cut, and back to prefixes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, summarize_address_range

from sentinel.model.unit import IPAddress, IPNetwork

Range = tuple[int, int, int]
"""IP version, first and last address as integers."""

_BEYOND = 1 << 128


def range_of(network: IPNetwork) -> Range:
    """Give the range of a prefix."""
    return network.version, int(network.network_address), int(network.broadcast_address)


def range_of_address(address: IPAddress) -> Range:
    """Give the range that holds one address."""
    return address.version, int(address), int(address)


def merge(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """Sort ranges and join those that overlap or touch."""
    merged: list[Range] = []
    for version, low, high in sorted(ranges):
        if merged and merged[-1][0] == version and low <= merged[-1][2] + 1:
            merged[-1] = (version, merged[-1][1], max(high, merged[-1][2]))
        else:
            merged.append((version, low, high))
    return tuple(merged)


def holds(merged: tuple[Range, ...], asked: Range) -> bool:
    """Tell whether one of the merged ranges contains the whole of `asked`."""
    version, low, high = asked
    place = bisect_right(merged, (version, low, _BEYOND)) - 1
    return place >= 0 and merged[place][0] == version and high <= merged[place][2]


def subtract(ranges: Iterable[Range], holes: Iterable[Range]) -> tuple[Range, ...]:
    """Give what is left of `ranges` without `holes`; both may come in any order."""
    left: list[Range] = []
    cuts = merge(holes)
    place = 0
    for version, low, high in merge(ranges):
        while place < len(cuts) and (cuts[place][0], cuts[place][2]) < (version, low):
            place += 1
        start, index = low, place
        while index < len(cuts) and (cuts[index][0], cuts[index][1]) <= (version, high):
            if cuts[index][1] > start:
                left.append((version, start, cuts[index][1] - 1))
            start = cuts[index][2] + 1
            index += 1
        if start <= high:
            left.append((version, start, high))
    return tuple(left)


def intersect(ranges: Iterable[Range], others: Iterable[Range]) -> tuple[Range, ...]:
    """Give what `ranges` and `others` share."""
    mine = merge(ranges)
    return subtract(mine, subtract(mine, others))


def to_networks(ranges: Iterable[Range]) -> tuple[IPNetwork, ...]:
    """Write ranges as the fewest prefixes, IPv4 first, sorted."""
    networks: list[IPNetwork] = []
    for version, low, high in merge(ranges):
        if version == 4:
            networks.extend(summarize_address_range(IPv4Address(low), IPv4Address(high)))
        else:
            networks.extend(summarize_address_range(IPv6Address(low), IPv6Address(high)))
    return tuple(networks)
