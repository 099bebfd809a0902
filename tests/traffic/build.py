"""Captures written by hand, to the formats' documentation: packets, connections, pcap and pcapng files."""

from __future__ import annotations

import ipaddress
import json
import struct
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from sentinel.model.flow import FlowDetection, Unreadable
from sentinel.traffic import PoolFeed, PoolName, analyze

MINER, POOL = "10.1.2.3", "203.0.113.9"
START_US = 1_790_000_000_000_000
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
XMR_WALLET = "4" + "A" * 47 + "b" * 47
BTC_WALLET = "bc1q" + "x" * 38

FEED = PoolFeed.of(
    [
        PoolName("pool.example", "XMR", "pool", (3333,), "made up", date(2026, 11, 1)),
        PoolName("many.example", "KAS|ZEC", "pool", (), "made up", date(2026, 11, 1)),
        PoolName("script.example", "XMR", "browser", (), "made up", date(2026, 11, 1)),
    ]
)


def line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"


SUBSCRIBE = line({"id": 1, "method": "mining.subscribe", "params": ["cgminer/4.11"]})
AUTHORIZE = line({"id": 2, "method": "mining.authorize", "params": [BTC_WALLET + ".rig1", "hunter2"]})
NOTIFY = line({"id": None, "method": "mining.notify", "params": ["1", "5e" * 32, "01", "02", [], "2", "3", "4", True]})
LOGIN = line(
    {
        "id": 1,
        "method": "login",
        "params": {"login": XMR_WALLET, "pass": "hunter2", "agent": "XMRig/6.21", "algo": ["rx/0"]},
    }
)
JOB = line({"method": "job", "params": {"blob": "10" * 76, "job_id": "j1", "target": "b88d0600", "algo": "rx/0"}})


def tcp(sport: int, dport: int, seq: int, flags: int, payload: bytes = b"") -> bytes:
    return struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, 0, 0x50, flags, 8192, 0, 0) + payload


def udp(sport: int, dport: int, payload: bytes) -> bytes:
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def ip(src: str, dst: str, body: bytes, protocol: int = 6, *, fragment: int = 0, ident: int = 7) -> bytes:
    a, b = ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed
    if len(a) == 16:
        return struct.pack("!IHBB", 0x60000000, len(body), protocol, 64) + a + b + body
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), ident, fragment, 64, protocol, 0) + a + b + body


def ethernet(packet: bytes) -> bytes:
    kind = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    return bytes(12) + struct.pack("!H", kind) + packet


def connection(
    turns: Iterable[tuple[str, bytes]],
    *,
    client: str = MINER,
    server: str = POOL,
    cport: int = 40000,
    sport: int = 3333,
    opened: bool = True,
    closed: bool = True,
    isn: int = 1000,
) -> list[bytes]:
    """IP packets of one connection; a turn is `c` or `s` and its payload."""
    seqs = {"c": isn, "s": isn + 5_000_000}

    def packet(side: str, flags: int, payload: bytes = b"") -> bytes:
        ends = (client, server, cport, sport) if side == "c" else (server, client, sport, cport)
        made = ip(ends[0], ends[1], tcp(ends[2], ends[3], seqs[side], flags, payload))
        seqs[side] += len(payload) + (1 if flags & (SYN | FIN) else 0)
        return made

    packets = [packet("c", SYN), packet("s", SYN | ACK), packet("c", ACK)] if opened else []
    packets += [packet(side, PSH | ACK, payload) for side, payload in turns]
    if closed:
        packets += [packet("c", FIN | ACK), packet("s", FIN | ACK)]
    return packets


def pcap(
    packets: Iterable[bytes], *, link: int = 1, order: str = "<", magic: int = 0xA1B2C3D4, start_us: int = START_US
) -> bytes:
    """A capture with a packet a millisecond."""
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)]
    for number, packet in enumerate(packets):
        seconds, micro = divmod(start_us + number * 1000, 1_000_000)
        fraction = micro * 1000 if magic == 0xA1B23C4D else micro
        out.append(struct.pack(order + "IIII", seconds, fraction, len(packet), len(packet)) + packet)
    return b"".join(out)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int = 1, order: str = "<", options: bytes = b"", snap: int = 0) -> bytes:
    return block(1, struct.pack(order + "HHI", link, 0, snap) + options, order)


def enhanced(packet: bytes, ticks: int, order: str = "<", number: int = 0) -> bytes:
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(packet), len(packet))
    return block(6, head + packet, order)


def hunt(tmp_path: Path, content: bytes, feed: PoolFeed = FEED) -> list[FlowDetection | Unreadable]:
    path = tmp_path / "made.pcap"
    path.write_bytes(content)
    return list(analyze([path], feed))


def hunt_packets(tmp_path: Path, packets: Iterable[bytes]) -> list[FlowDetection | Unreadable]:
    return hunt(tmp_path, pcap(map(ethernet, packets)))


def only(found: list[FlowDetection | Unreadable]) -> FlowDetection:
    assert len(found) == 1, found
    assert isinstance(found[0], FlowDetection), found
    return found[0]
