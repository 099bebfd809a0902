"""Addresses and routes of the loopback interface: values in, rtnetlink requests to the kernel of this namespace out."""

from __future__ import annotations

import os
import socket
import struct
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from sentinel.errors import CollectError

_IPAddress = IPv4Address | IPv6Address
_IPNetwork = IPv4Network | IPv6Network

_LINK_INDEX_OF_LO = 1
_NEW_LINK, _NEW_ADDRESS, _NEW_ROUTE, _ERROR = 16, 20, 24, 2
_REQUEST, _ACKNOWLEDGE, _CREATE, _REPLACE = 0x1, 0x4, 0x400, 0x100
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_OIF, _RTA_PREFSRC = 1, 4, 7
_NO_DAD = 0x02
_MAIN_TABLE, _LOCAL_TABLE, _BY_ADMIN = 254, 255, 4
_SCOPE_LINK, _SCOPE_HOST, _UNICAST, _LOCAL = 253, 254, 1, 2
_IFF_UP = 1
_HEADER = struct.Struct("=IHHII")
_ANSWER_BYTES = 65536


def raise_loopback() -> None:
    """Bring the loopback interface up.

    Raises:
        CollectError: the kernel refuses.
    """
    _ask(_NEW_LINK, struct.pack("=BBHiII", socket.AF_UNSPEC, 0, 0, _LINK_INDEX_OF_LO, _IFF_UP, _IFF_UP), "lo")


def add_address(address: _IPAddress) -> None:
    """Give the loopback interface one more address; one it has already is fine.

    Raises:
        CollectError: the kernel refuses, e.g. for want of a privilege or of IPv6.
    """
    body = struct.pack("=BBBBI", _family(address), address.max_prefixlen, _NO_DAD, 0, _LINK_INDEX_OF_LO)
    body += _attribute(_IFA_LOCAL, address.packed) + _attribute(_IFA_ADDRESS, address.packed)
    _ask(_NEW_ADDRESS, body, str(address))
    if address.version == 6:
        own_address(address)  # a worker of the kernel gives it this route too, but some time after the answer


def own_address(address: _IPAddress, source: _IPAddress | None = None) -> None:
    """Let sockets of this namespace have an address as theirs; who connects to it comes from `source`.

    An address of the interface would be its own peer's source too, and nmap 7.93 then looks at one host after another
    instead of all at once (it wants one source for a group of hosts).

    Raises:
        CollectError: the kernel refuses.
    """
    prefix = ip_network(address)
    _ask(_NEW_ROUTE, _route(prefix, _LOCAL_TABLE, _SCOPE_HOST, _LOCAL, source), str(address))


def add_route(prefix: _IPNetwork) -> None:
    """Send a prefix to the loopback interface, where what no address owns is dropped without a word.

    Linux makes such a route of IPv6 one that rejects: there the kernel itself answers that there is no route.

    Raises:
        CollectError: the kernel refuses.
    """
    _ask(_NEW_ROUTE, _route(prefix, _MAIN_TABLE, _SCOPE_LINK, _UNICAST), str(prefix))


def _route(prefix: _IPNetwork, table: int, scope: int, kind: int, source: _IPAddress | None = None) -> bytes:
    family = _family(prefix.network_address)
    words = (family, prefix.prefixlen, 0, 0, table, _BY_ADMIN, scope, kind, 0)
    body = struct.pack("=BBBBBBBBI", *words) + _attribute(_RTA_DST, prefix.network_address.packed)
    body += _attribute(_RTA_OIF, struct.pack("=I", _LINK_INDEX_OF_LO))
    return body if source is None else body + _attribute(_RTA_PREFSRC, source.packed)


def has_ipv6() -> bool:
    """Tell whether ::1 can be used here."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _family(address: _IPAddress) -> int:
    return socket.AF_INET if address.version == 4 else socket.AF_INET6


def _attribute(kind: int, value: bytes) -> bytes:
    """Write an attribute, padded to four bytes. Source: rtnetlink(7)."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _ask(kind: int, body: bytes, what: str) -> None:
    """Send one request and take its acknowledgement. Source: netlink(7)."""
    flags = _REQUEST | _ACKNOWLEDGE | (_CREATE | _REPLACE if kind != _NEW_LINK else 0)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
            kernel.bind((0, 0))
            kernel.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, 1, 0) + body)
            answer = kernel.recv(_ANSWER_BYTES)
    except OSError as error:
        raise CollectError(f"{what}: {error.strerror}") from error
    _, told, _, _, _ = _HEADER.unpack_from(answer)
    (code,) = struct.unpack_from("=i", answer, _HEADER.size)
    if told != _ERROR or code:
        raise CollectError(f"{what}: {os.strerror(-code)}")
