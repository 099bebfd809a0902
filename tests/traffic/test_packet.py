from __future__ import annotations

import ipaddress
import struct

import pytest
from scapy.contrib.geneve import GENEVE
from scapy.contrib.gtp import GTP_U_Header
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import GRE, IP, TCP, UDP
from scapy.layers.inet6 import (
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.ipsec import AH
from scapy.layers.l2 import LLC, SNAP, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Ether, Loopback
from scapy.layers.ppp import HDLC, PPP, PPPoE
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

from sentinel.model.flow import Unreadable
from sentinel.traffic.fragments import MOST_DATAGRAMS, Fragments
from sentinel.traffic.packet import find_segment, is_known_link
from tests.traffic.build import MINER, POOL, SUBSCRIBE, connection, ethernet, hunt, ip, only, pcap, tcp, udp

V4 = IP(src=MINER, dst=POOL) / TCP(sport=40000, dport=3333, seq=5, flags="PA") / Raw(SUBSCRIBE)
V6 = IPv6(src="2001:db8::3", dst="2001:db8::9") / TCP(sport=40000, dport=3333, seq=5, flags="PA") / Raw(SUBSCRIBE)
OUTER = IP(src="192.0.2.1", dst="192.0.2.2")


def _wireless(fc: int, flags: int, extra: bytes = b"") -> bytes:
    return bytes([fc, flags]) + bytes(22) + extra + b"\xaa\xaa\x03\0\0\0\x08\x00" + bytes(V4)


PACKETS = [
    (1, bytes(Ether(dst="02:00:00:00:00:01") / V4)),
    (1, bytes(Ether(dst="02:00:00:00:00:01") / V6)),
    (1, bytes(Ether(dst="02:00:00:00:00:01") / Dot1Q(vlan=7) / V4)),
    (1, bytes(Ether(dst="02:00:00:00:00:01") / Dot1AD(vlan=7) / Dot1Q(vlan=8) / V6)),
    (1, bytes(Ether(type=0x8847) / MPLS(label=16, s=0) / MPLS(label=17, s=1) / V4)),
    (1, bytes(Ether(type=0x8847) / MPLS(label=17, s=1) / V6)),
    (1, bytes(Ether(type=0x8847) / MPLS(label=17, s=1)) + bytes(4) + bytes(Ether(dst="02:00:00:00:00:01") / V4)),
    (1, bytes(Ether(dst="02:00:00:00:00:01") / PPPoE(sessionid=1) / PPP() / V4)),
    (1, bytes(Ether(dst="02:00:00:00:00:01") / Dot1Q(vlan=7) / PPPoE(sessionid=1) / PPP() / V6)),
    (1, bytes(12) + struct.pack("!H", 8 + len(V4)) + bytes(LLC() / SNAP(code=0x0800)) + bytes(V4)),
    (113, bytes(CookedLinux(proto=0x0800) / V4)),
    (113, bytes(CookedLinux(proto=0x8100)) + bytes(Dot1Q(vlan=4, type=0x86DD) / V6)),
    (276, bytes(CookedLinuxV2(proto=0x0800) / V4)),
    (0, bytes(Loopback(type=2) / V4)),
    (0, struct.pack(">I", 30) + bytes(V6)),
    (108, struct.pack(">I", 2) + bytes(V4)),
    (101, bytes(V4)),
    (12, bytes(V6)),
    (14, bytes(V4)),
    (228, bytes(V4)),
    (229, bytes(V6)),
    (9, bytes(HDLC() / PPP() / V4)),
    (9, bytes(PPP() / V6)),
    (9, b"\x21" + bytes(V4)),
    (50, bytes(HDLC() / PPP() / V4)),
    (51, bytes(PPPoE(sessionid=3) / PPP() / V4)),
    (104, b"\x0f\x00\x08\x00" + bytes(V4)),
    (105, _wireless(0x08, 0x01)),
    (105, _wireless(0x88, 0x03, bytes(6) + bytes(2))),
    (105, _wireless(0x88, 0x81, bytes(2) + bytes(4))),
    (127, b"\0\0\x08\0" + bytes(4) + _wireless(0x08, 0x02)),
    (239, b"\x02\0\0\0" + struct.pack("<HH", 5, 1) + b"\0" + bytes(3) + struct.pack("<HH", 4 + len(V4), 9) + bytes(V4)),
    (1, bytes(Ether(dst="02:00:00:00:00:01") / OUTER / GRE() / V4)),
    (1, bytes(Ether(dst="02:00:00:00:00:01") / OUTER / GRE(key_present=1, key=5, chksum_present=1) / V6)),
    (1, bytes(Ether(dst="02:00:00:00:00:01") / OUTER / GRE(proto=0x6558) / Ether() / V4)),
    (
        1,
        bytes(
            Ether(dst="02:00:00:00:00:01")
            / OUTER
            / GRE(proto=0x88BE, seqnum_present=1)
            / Raw(bytes(8) + bytes(Ether(dst="02:00:00:00:00:01") / V4))
        ),
    ),
    (
        1,
        bytes(
            Ether(dst="02:00:00:00:00:01") / OUTER / GRE(proto=0x88BE) / Raw(bytes(Ether(dst="02:00:00:00:00:01") / V4))
        ),
    ),
    (
        1,
        bytes(
            Ether(dst="02:00:00:00:00:01")
            / OUTER
            / GRE(proto=0x22EB, seqnum_present=1)
            / Raw(bytes(12) + bytes(Ether(dst="02:00:00:00:00:01") / V4))
        ),
    ),
    (
        1,
        bytes(
            Ether()
            / IP(src="192.0.2.1", dst="192.0.2.2", proto=47)
            / Raw(struct.pack("!HHHHI", 0x3081, 0x880B, 4 + len(V4), 9, 1) + bytes(4) + b"\xff\x03\x00\x21" + bytes(V4))
        ),
    ),
    (1, bytes(Ether(dst="02:00:00:00:00:01") / OUTER / V4)),
    (1, bytes(Ether(dst="02:00:00:00:00:01") / OUTER / V6)),
    (1, bytes(Ether(dst="02:00:00:00:00:01") / IPv6(src="2001:db8::a", dst="2001:db8::b", nh=4) / V4)),
    (1, bytes(Ether(dst="02:00:00:00:00:01") / OUTER / UDP(sport=5, dport=4789) / VXLAN(vni=4) / Ether() / V4)),
    (
        1,
        bytes(
            Ether(dst="02:00:00:00:00:01")
            / OUTER
            / UDP(sport=5, dport=8472)
            / VXLAN(vni=4)
            / Ether()
            / Dot1Q(vlan=3)
            / V6
        ),
    ),
    (
        1,
        bytes(Ether(dst="02:00:00:00:00:01") / OUTER / UDP(sport=5, dport=4789) / VXLAN(flags=8, vni=4) / Ether() / V4),
    ),
    (
        1,
        bytes(
            Ether(dst="02:00:00:00:00:01")
            / OUTER
            / UDP(sport=5, dport=4790)
            / VXLAN(flags=12, NextProtocol=1, vni=4)
            / V4
        ),
    ),
    (
        1,
        bytes(
            Ether(dst="02:00:00:00:00:01")
            / OUTER
            / UDP(sport=5, dport=6081)
            / GENEVE(vni=4, proto=0x6558)
            / Ether()
            / V4
        ),
    ),
    (1, bytes(Ether(dst="02:00:00:00:00:01") / OUTER / UDP(sport=2152, dport=2152) / GTP_U_Header(teid=9) / V4)),
    (
        1,
        bytes(
            Ether()
            / OUTER
            / UDP(sport=2152, dport=2152)
            / Raw(b"\x32\xff" + struct.pack("!HI", 4 + len(V4), 9) + bytes(4))
            / V4
        ),
    ),
    (
        1,
        bytes(
            Ether()
            / IPv6(src="2001:db8::3", dst="2001:db8::9")
            / IPv6ExtHdrHopByHop()
            / IPv6ExtHdrDestOpt()
            / IPv6ExtHdrRouting(type=4, addresses=["2001:db8::7"])
            / V6.payload
        ),
    ),
    (
        1,
        bytes(
            Ether()
            / IPv6(src="2001:db8::3", dst="2001:db8::9", nh=51)
            / AH(nh=6, payloadlen=4, icv=bytes(12))
            / V6.payload
        ),
    ),
    (
        1,
        bytes(
            Ether(dst="02:00:00:00:00:01")
            / IPv6(src="2001:db8::3", dst="2001:db8::9")
            / IPv6ExtHdrFragment(id=4)
            / V6.payload
        ),
    ),
]


@pytest.mark.parametrize(("link", "data"), PACKETS, ids=range(len(PACKETS)))
def test_find_segment_when_wrapped_gives_the_inner_payload(link, data):
    found = find_segment(link, data, Fragments())
    assert found is not None
    protocol, key, content, start, stop, length = found
    assert protocol == 6
    assert content[start + 20 : stop] == SUBSCRIBE
    assert length == 20 + len(SUBSCRIBE)
    assert key[-4:] == struct.pack("!HH", 40000, 3333)
    packed = [
        ipaddress.ip_address(a).packed for a in ((MINER, POOL) if len(key) == 12 else ("2001:db8::3", "2001:db8::9"))
    ]
    assert key[:-4] == b"".join(packed)


def test_find_segment_when_ethernet_pads_the_frame_leaves_the_padding_out():
    data = ethernet(ip(MINER, POOL, tcp(1, 2, 3, 16, b"ab"))) + bytes(6)
    assert find_segment(1, data, Fragments())[3:] == (34, 56, 22)


def test_find_segment_when_cut_by_the_snap_length_tells_the_wire_length():
    data = ethernet(ip(MINER, POOL, tcp(1, 2, 3, 16, bytes(500))))[:90]
    assert find_segment(1, data, Fragments())[3:] == (34, 90, 520)


def test_find_segment_when_length_is_left_to_the_card_takes_the_frame():
    data = bytearray(ethernet(ip(MINER, POOL, tcp(1, 2, 3, 16, b"abc"))))
    data[16:18] = b"\0\0"
    assert find_segment(1, bytes(data), Fragments())[3:] == (34, 57, 23)


@pytest.mark.parametrize(
    ("link", "data"),
    [
        (1, b""),
        (1, bytes(13)),
        (1, bytes(Ether(type=0x0806)) + bytes(28)),
        (1, ethernet(ip(MINER, POOL, bytes(8), 1))),
        (1, ethernet(ip(MINER, POOL, bytes(19), 6))),
        (1, ethernet(ip(MINER, POOL, bytes(7), 17))),
        (1, ethernet(b"\x41" + bytes(40))),
        (1, ethernet(b"\x45\0\0\x05" + bytes(40))),
        (1, bytes(12) + b"\x08\0" + b"\x35" + bytes(40)),
        (1, bytes(12) + b"\x81\0\0\1" * 9 + bytes(40)),
        (1, bytes(12) + b"\x88\x47" + bytes(60)),
        (1, ethernet(ip("2001:db8::1", "2001:db8::2", b"\x06\xff" + bytes(6), 0))),
        (1, ethernet(ip(MINER, POOL, struct.pack("!HH", 0, 0x1234) + bytes(40), 47))),
        (1, ethernet(ip(MINER, POOL, struct.pack("!HH", 1, 0x0800) + bytes(40), 47))),
        (105, bytes([0x80, 0]) + bytes(60)),
        (105, bytes([0x08, 0x41]) + bytes(60)),
        (239, b"\x02\0\0\0" + struct.pack("<HH", 2, 1) + bytes(20)),
        (189, bytes(60)),
    ],
    ids=range(18),
)
def test_find_segment_when_damaged_or_foreign_gives_none(link, data):
    assert find_segment(link, data, Fragments()) is None


def test_find_segment_when_tunnels_nest_too_deep_gives_none():
    packet = ip(MINER, POOL, tcp(1, 2, 3, 16, b"x"))
    for _ in range(9):
        packet = ip(MINER, POOL, packet, 4)
    assert find_segment(101, packet, Fragments()) is None


@pytest.mark.parametrize(
    ("port", "payload"),
    [(4789, b"\x00" * 60), (6081, b"\xff" * 60), (2152, b"\x30\x01" + bytes(60)), (5000, b"x")],
)
def test_find_segment_when_a_tunnel_port_carries_something_else_gives_the_datagram(port, payload):
    protocol, _, data, start, stop, _ = find_segment(
        1, ethernet(ip(MINER, POOL, udp(9, port, payload), 17)), Fragments()
    )
    assert (protocol, data[start + 8 : stop]) == (17, payload)


def _pieces(body: bytes, size: int) -> list[bytes]:
    cuts = range(0, len(body), size)
    return [
        ip(MINER, POOL, body[at : at + size], fragment=at // 8 | (0x2000 if at + size < len(body) else 0))
        for at in cuts
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_fragments_when_all_came_in_any_order_give_the_segment(tmp_path, order):
    body = tcp(40000, 3333, 5, 24, SUBSCRIBE)
    pieces = _pieces(body, 24)
    found = only(hunt(tmp_path, pcap(map(ethernet, pieces[::order]))))
    assert (found.family, found.packets, found.payload_bytes) == ("stratum", 1, len(SUBSCRIBE))


def test_fragments_of_ipv6_when_all_came_give_the_segment():
    body = tcp(40000, 3333, 5, 24, SUBSCRIBE)
    store = Fragments()
    first = struct.pack("!BBHI", 6, 0, 1, 77) + body[:32]
    last = struct.pack("!BBHI", 6, 0, 32, 77) + body[32:]
    assert find_segment(101, ip("2001:db8::1", "2001:db8::2", first, 44), store) is None
    _, key, data, start, _, length = find_segment(101, ip("2001:db8::1", "2001:db8::2", last, 44), store)
    assert (data[start:], length, key[-4:]) == (body, len(body), body[:4])


def test_fragments_when_pieces_overlap_or_repeat_keep_the_first_copy():
    store = Fragments()
    assert store.join(b"d", 0, False, b"abcdefgh") is None
    assert store.join(b"d", 0, False, b"XXXXXXXX") is None
    assert store.join(b"d", 16, True, b"qrst") is None
    assert store.join(b"d", 4, False, b"efghijklmnop") == b"abcdefghijklmnopqrst"


@pytest.mark.parametrize("piece", [b"", b"x" * 60_000])
def test_fragments_when_a_piece_is_impossible_ignore_it(piece):
    assert Fragments().join(b"d", 65_528, True, piece) is None


def test_fragments_when_many_stay_incomplete_forget_the_oldest():
    store = Fragments()
    for number in range(MOST_DATAGRAMS + 1):
        store.join(number.to_bytes(4, "big"), 0, False, b"12345678")
    assert store.join((0).to_bytes(4, "big"), 8, True, b"x") is None
    assert store.join((5).to_bytes(4, "big"), 8, True, b"x") == b"12345678x"


def test_fragments_when_a_datagram_has_holes_and_too_many_pieces_forget_it():
    store = Fragments()
    for at in range(8, 8 * 300, 8):
        store.join(b"d", at, False, b"12345678")
    assert store.join(b"d", 0, True, b"12345678") == b"12345678"


def test_capture_of_a_foreign_link_says_so_and_finds_nothing(tmp_path):
    (found,) = hunt(tmp_path, pcap(connection([("c", SUBSCRIBE)]), link=189))
    assert isinstance(found, Unreadable)
    assert (found.fatal, "link type 189" in found.reason, "6 packets" in found.reason) == (False, True, True)
    assert not is_known_link(189)
