"""Addresses as people and machines write them in; one value for each address out, however it was written.

An IPv4 address inside an IPv6 one (`::ffff:10.0.0.5`) is that IPv4 address: sockets and some logs write it so.
Source: RFC 4291 section 2.5.5.2.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from sentinel.model.unit import IPAddress, IPNetwork

_MAPPED_BITS = 96


def plain_address(address: IPAddress) -> IPAddress:
    """Give the IPv4 address an IPv6 one stands for; any other as it is."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def plain_prefix(prefix: IPNetwork) -> IPNetwork:
    """Give the IPv4 prefix an IPv6 one stands for; any other, and one wider than all of IPv4, as it is."""
    if not isinstance(prefix, IPv6Network) or prefix.prefixlen < _MAPPED_BITS:
        return prefix
    inner = prefix.network_address.ipv4_mapped
    return prefix if inner is None else IPv4Network((int(inner), prefix.prefixlen - _MAPPED_BITS))


def read_plain_address(text: str) -> IPAddress:
    """Read an address.

    Raises:
        ValueError: it is none.
    """
    return plain_address(ip_address(text))


def read_plain_prefix(text: str, *, strict: bool = True) -> IPNetwork:
    """Read an address or a prefix; where `strict`, its host bits must be zero.

    Raises:
        ValueError: it is neither.
    """
    return plain_prefix(ip_network(text, strict=strict))
