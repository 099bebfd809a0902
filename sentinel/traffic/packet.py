"""One captured packet in, its TCP or UDP segment out, through link layers, tags, tunnels and fragments.

Links: Ethernet, Linux cooked v1 and v2, BSD null and loop, raw IP, PPP, PPPoE, Cisco HDLC, open 802.11, NFLOG.
In between: VLAN, QinQ, MPLS, PPPoE; IP in IP, GRE (also ERSPAN and PPTP), VXLAN, Geneve, GTP-U.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from sentinel.traffic.fragments import Fragments

Segment = tuple[int, bytes, bytes, int, int, int]
"""Protocol (6 or 17), key (source, destination, two ports), bytes, where the segment starts, where the captured part
ends, and its length on the wire."""

TCP, UDP = 6, 17

_IP = 0x0800
_ETHERNET = 0x6558
_VLANS = frozenset({0x8100, 0x88A8, 0x9100, 0x9200, 0x9300})
_MPLS = frozenset({0x8847, 0x8848})
_PPPOE = 0x8864
_PPP_KINDS = {0x0021: _IP, 0x0057: 0x86DD, 0x0281: 0x8847, 0x0283: 0x8848}
_EXTENSIONS = frozenset({0, 43, 60, 135, 139, 140})
_FRAGMENT, _AUTHENTICATION = 44, 51
_GRE = 47
_IN_IP = frozenset({4, 41})
_VXLAN_PORTS = frozenset({4789, 4790, 8472})
_GENEVE_PORT, _GTP_PORT = 6081, 2152
_DEEPEST = 6
"""Tunnels and tags within each other; deeper nesting is an attack or damage."""

_Located = tuple[int, int]
"""EtherType and offset of what follows the link layer."""

_u16 = struct.Struct("!H").unpack_from
_u32 = struct.Struct("!I").unpack_from


def find_segment(link: int, data: bytes, fragments: Fragments) -> Segment | None:
    """Find the TCP or UDP segment of a packet; None for everything else and for damaged headers."""
    locate = _LINKS.get(link)
    if locate is None:
        return None
    try:
        kind, at = locate(data)
        return _network(data, kind, at, fragments, 0)
    except (struct.error, IndexError):
        return None


def is_known_link(link: int) -> bool:
    """Tell whether packets of this link type can be read."""
    return link in _LINKS


def _network(data: bytes, kind: int, at: int, fragments: Fragments, depth: int) -> Segment | None:
    if kind != _IP and kind != 0x86DD:
        kind, at = _step_over_tags(data, kind, at)
    if not kind or depth > _DEEPEST:
        return None
    version = data[at] >> 4
    if version == 4:
        return _ipv4(data, at, fragments, depth)
    return _ipv6(data, at, fragments, depth) if version == 6 else None


def _step_over_tags(data: bytes, kind: int, at: int) -> _Located:
    """Walk VLAN tags, MPLS labels, PPPoE and inner Ethernet headers; kind 0 when what follows is not IP."""
    for _ in range(_DEEPEST):
        if kind in (_IP, 0x86DD):
            return kind, at
        if kind in _VLANS:
            kind, at = _u16(data, at + 2)[0], at + 4
        elif kind == _PPPOE:
            kind, at = _ppp(data, at + 6)
        elif kind in _MPLS:
            kind, at = _mpls(data, at)
        elif kind == _ETHERNET:
            kind, at = _u16(data, at + 12)[0], at + 14
        elif kind <= 1500 and data[at : at + 6] == b"\xaa\xaa\x03\0\0\0":
            kind, at = _u16(data, at + 6)[0], at + 8
        else:
            break
    return (kind, at) if kind in (_IP, 0x86DD) else (0, at)


def _mpls(data: bytes, at: int) -> _Located:
    while not data[at + 2] & 1:
        at += 4
    at += 4
    if data[at] >> 4 in (4, 6):
        return _IP, at
    return _ETHERNET, at + 4 if data[at] >> 4 == 0 else at  # a pseudo-wire, with or without its control word


def _ppp(data: bytes, at: int) -> _Located:
    if data[at : at + 2] == b"\xff\x03":
        at += 2
    if data[at] & 1:  # protocol field compression
        return _PPP_KINDS.get(data[at], 0), at + 1
    return _PPP_KINDS.get(_u16(data, at)[0], 0), at + 2


def _ipv4(data: bytes, at: int, fragments: Fragments, depth: int) -> Segment | None:
    header = (data[at] & 15) * 4
    total = (data[at + 2] << 8) | data[at + 3]
    if not total:  # left to the network card (segmentation offload)
        total = len(data) - at
    if header < 20 or total < header:
        return None
    protocol = data[at + 9]
    start = at + header
    stop = min(at + total, len(data))
    flags = ((data[at + 6] << 8) | data[at + 7]) & 0x3FFF
    addresses = data[at + 12 : at + 20]
    if flags:
        name = addresses + data[at + 4 : at + 6] + data[at + 9 : at + 10]
        whole = fragments.join(name, (flags & 0x1FFF) * 8, not flags & 0x2000, data[start:stop])
        if whole is None:
            return None
        return _transport(whole, protocol, addresses, (0, len(whole), len(whole)), fragments, depth)
    return _transport(data, protocol, addresses, (start, stop, total - header), fragments, depth)


def _ipv6(data: bytes, at: int, fragments: Fragments, depth: int) -> Segment | None:
    length = _u16(data, at + 4)[0]
    protocol = data[at + 6]
    addresses = data[at + 8 : at + 40]
    start = at + 40
    end = start + length if length else len(data)
    while protocol in _EXTENSIONS or protocol == _AUTHENTICATION:
        following = data[start]
        size = (data[start + 1] + 2) * 4 if protocol == _AUTHENTICATION else (data[start + 1] + 1) * 8
        protocol, start = following, start + size
    stop = min(end, len(data))
    if start > stop:
        return None
    if protocol == _FRAGMENT:
        flags = _u16(data, start + 2)[0]
        name = addresses + data[start + 4 : start + 8]
        whole = fragments.join(name, flags & 0xFFF8, not flags & 1, data[start + 8 : stop])
        if whole is None:
            return None
        return _transport(whole, data[start], addresses, (0, len(whole), len(whole)), fragments, depth)
    return _transport(data, protocol, addresses, (start, stop, end - start), fragments, depth)


def _transport(
    data: bytes, protocol: int, addresses: bytes, span: tuple[int, int, int], fragments: Fragments, depth: int
) -> Segment | None:
    start, stop, length = span
    if protocol == TCP:
        if stop - start < 20:
            return None
        return TCP, addresses + data[start : start + 4], data, start, stop, length
    if protocol == UDP:
        if stop - start < 8:
            return None
        port = _u16(data, start + 2)[0]
        inner = _udp_tunnel(data, port, start + 8)
        if inner is None:
            return UDP, addresses + data[start : start + 4], data, start, stop, length
    elif protocol == _GRE:
        inner = _gre(data, start)
    elif protocol in _IN_IP:
        inner = _IP, start
    else:
        return None
    return _network(data[:stop], *inner, fragments, depth + 1)


def _udp_tunnel(data: bytes, port: int, at: int) -> _Located | None:
    if port in _VXLAN_PORTS and len(data) > at + 8 and data[at] & 0x7B == 0x08 and not data[at + 7]:
        # With the P bit (VXLAN-GPE) the fourth byte names what follows: 3 is Ethernet, 1 and 2 are IP.
        return _IP if data[at] & 4 and data[at + 3] in (1, 2) else _ETHERNET, at + 8
    if port == _GENEVE_PORT and len(data) > at + 8 and not data[at] >> 6:
        return _u16(data, at + 2)[0], at + 8 + (data[at] & 0x3F) * 4
    if port == _GTP_PORT and len(data) > at + 12 and data[at] >> 5 == 1 and data[at + 1] == 255:
        return _IP, at + (12 if data[at] & 7 else 8)
    return None


def _gre(data: bytes, at: int) -> _Located:
    flags, kind = struct.unpack_from("!HH", data, at)
    version = flags & 7
    at += 4 + sum(4 for bit in (0x8000, 0x2000, 0x1000) if flags & bit)
    if version == 1:  # PPTP: the acknowledgement bit adds a field
        at += 4 if flags & 0x0080 else 0
        return _ppp(data, at) if kind == 0x880B else (0, at)
    if kind == 0x88BE:  # ERSPAN: type II has a header of its own when the sequence bit is set
        return _ETHERNET, at + 8 if flags & 0x1000 else at
    if kind == 0x22EB:
        return _ETHERNET, at + (20 if data[at + 11] & 1 else 12)
    return kind, at


def _ethernet(data: bytes) -> _Located:
    return (data[12] << 8) | data[13], 14


def _cooked(data: bytes) -> _Located:
    return _u16(data, 14)[0], 16


def _cooked_v2(data: bytes) -> _Located:
    return _u16(data, 0)[0], 20


def _loop(_: bytes) -> _Located:
    return _IP, 4


def _raw(_: bytes) -> _Located:
    return _IP, 0


def _ppp_link(data: bytes) -> _Located:
    return _ppp(data, 0)


def _pppoe_link(_: bytes) -> _Located:
    return _PPPOE, 0


def _cisco_hdlc(data: bytes) -> _Located:
    return _u16(data, 2)[0], 4


def _wireless(data: bytes, at: int = 0) -> _Located:
    first, second = data[at], data[at + 1]
    if first & 0x0C != 0x08 or second & 0x40 or first & 0x40:  # not data, encrypted, or without content
        return 0, at
    size = 24 + (6 if second & 3 == 3 else 0)
    if first & 0x80:  # quality of service
        size += 2 + (4 if second & 0x80 else 0)
    return 0, at + size


def _radiotap(data: bytes) -> _Located:
    return _wireless(data, data[2] | data[3] << 8)


def _nflog(data: bytes) -> _Located:
    at = 4
    while True:
        size, kind = struct.unpack_from("<HH", data, at)
        if kind == 9:
            return _IP, at + 4
        if size < 4:
            return 0, len(data)
        at += (size + 3) & ~3


_LINKS: dict[int, Callable[[bytes], _Located]] = {
    0: _loop,
    1: _ethernet,
    9: _ppp_link,
    12: _raw,
    14: _raw,
    50: _ppp_link,
    51: _pppoe_link,
    101: _raw,
    104: _cisco_hdlc,
    105: _wireless,
    108: _loop,
    113: _cooked,
    127: _radiotap,
    228: _raw,
    229: _raw,
    239: _nflog,
    276: _cooked_v2,
}
"""Link types by number; 12 and 14 are raw IP on the systems that wrote them. Source: tcpdump.org/linktypes.html."""
