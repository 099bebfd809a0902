"""Addresses that stay untouched whatever an authorisation says: by their kind, and by the unit's own networks."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, ip_network

from sentinel.collect.ranges import Range, intersect, merge, range_of, range_of_address, subtract
from sentinel.model.unit import DEFAULT_NETWORK, IPAddress, IPNetwork, Network

MAX_IPV4_PREFIX = 16
"""Shortest IPv4 prefix of one target: 65,536 addresses."""

MAX_IPV6_PREFIX = 120
"""Shortest IPv6 prefix of one target: 256 addresses; IPv6 is never swept."""


def _ranges(*texts: str) -> tuple[Range, ...]:
    return merge(range_of(ip_network(text)) for text in texts)


LOOPBACK = _ranges("127.0.0.0/8", "::1/128")
LINK_LOCAL = _ranges("169.254.0.0/16", "fe80::/10")
_EVERYTHING = _ranges("0.0.0.0/0", "::/0")
_LOOPBACK_BROADCAST = _ranges("127.255.255.255/32")

# IPv6 forms that carry an IPv4 address would lead past the checks of that address.
_CARRIERS = _ranges("::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")
_NEVER: tuple[tuple[str, tuple[Range, ...]], ...] = (
    ("0.0.0.0/8 means this network itself", _ranges("0.0.0.0/8")),
    ("the unspecified address", _ranges("::/128")),
    ("a multicast address", _ranges("224.0.0.0/4", "ff00::/8")),
    ("a broadcast or reserved address", _ranges("240.0.0.0/4")),
    (
        "an IPv4 address inside an IPv6 one: write the IPv4 address itself",
        merge((*subtract(_ranges("::/96"), _ranges("::/127")), *_CARRIERS)),
    ),
)
_ALL_NEVER = merge(each for _, never in _NEVER for each in never)


def describe_forbidden(asked: Iterable[Range]) -> str:
    """Say which kind of never-touched address `asked` meets; empty when none.

    Source: RFC 6890 (special-purpose addresses), RFC 1122 section 3.2.1.3 (0/8), RFC 4291 section 2.5.5, RFC 6052,
    RFC 3056 and RFC 4380 (IPv4 addresses inside IPv6 ones).
    """
    asked = tuple(asked)
    return next((what for what, never in _NEVER if intersect(asked, never)), "")


def is_forbidden_whole(asked: Range) -> bool:
    """Tell whether no part of `asked` may ever be touched."""
    return not subtract([asked], _ALL_NEVER)


def is_too_large(network: IPNetwork) -> bool:
    """Tell whether one target must not be that large."""
    return network.prefixlen < (MAX_IPV4_PREFIX if network.version == 4 else MAX_IPV6_PREFIX)


def is_public(address: IPAddress) -> bool:
    """Tell whether the address is reachable worldwide and none of the kinds refused here."""
    return address.is_global and not describe_forbidden([range_of_address(address)])


def broadcasts_of(networks: Iterable[Network]) -> tuple[Range, ...]:
    """Give the broadcast addresses of the declared IPv4 prefixes; loopback has one for all its prefixes."""
    prefixes = (prefix for network in networks for prefix in network.prefixes)
    lasts = (
        range_of_address(prefix.broadcast_address)
        for prefix in prefixes
        if isinstance(prefix, IPv4Network) and prefix.prefixlen < 31 and not prefix.is_loopback
    )
    return merge((*_LOOPBACK_BROADCAST, *lasts))


def logs_only_of(networks: Iterable[Network]) -> tuple[tuple[str, tuple[Range, ...]], ...]:
    """Give (name, addresses) of each network of which only logs may be read.

    As for every address, the network with the longest prefix decides; of two equal prefixes the stricter one. A
    default network that may not be scanned holds all addresses no prefix declares.
    """
    networks = tuple(networks)
    held = [(network.name, _EVERYTHING) for network in networks if _is_closed_default(network)]
    rows = ((prefix, network) for network in networks for prefix in network.prefixes)
    for prefix, network in sorted(rows, key=lambda row: (row[0].prefixlen, not row[1].scannable)):
        own = (range_of(prefix),)
        held = [(name, subtract(ranges, own)) for name, ranges in held]
        if not network.scannable:
            held.append((network.name, own))
    by_name: dict[str, list[Range]] = {}
    for name, ranges in held:
        by_name.setdefault(name, []).extend(ranges)
    return tuple((name, merge(ranges)) for name, ranges in by_name.items() if ranges)


def _is_closed_default(network: Network) -> bool:
    return network.name == DEFAULT_NETWORK and not network.scannable
