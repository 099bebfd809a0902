"""Hosts that answer on every port: each answer read by scapy, then a real one met by sockets and by nmap."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror, UDPerror
from scapy.packet import Packet, Raw

from sentinel.drill.place.answering import build_answer
from tests.drill.within import USER, within, without

CALLER, WALL = "10.77.0.1", "10.77.1.47"
TO_WALL = IP(src=CALLER, dst=WALL)


def answer(packet: Packet) -> IP | None:
    """Give the answer to a packet as scapy reads it; every checksum in it is checked."""
    told = build_answer(bytes(packet))
    if not told:
        return None
    read = IP(told)
    fresh = IP(told)
    for layer in (IP, TCP, ICMP):
        if fresh.haslayer(layer):
            del fresh[layer].chksum
    assert bytes(fresh) == told
    assert (read.src, read.dst, read.len, read.version, read.ihl) == (WALL, CALLER, len(told), 4, 5)
    assert read.ttl == 64
    return read


def call(flags: str, data: bytes = b"", **fields: Any) -> Packet:
    return TO_WALL / TCP(sport=40_000, dport=8443, flags=flags, **fields) / Raw(data)


def tcp(read: IP | None) -> tuple[str, int, int, int, int]:
    assert read is not None
    segment = read[TCP]
    assert not segment.payload
    return str(segment.flags), segment.sport, segment.dport, segment.seq, segment.ack


@pytest.mark.parametrize("sequence", [0, 1000, 0xFFFFFFFF])
def test_handshake_when_held_then_it_is_completed_and_closed(sequence: int) -> None:
    after = (sequence + 1) % 2**32
    flags, *ports, own, acknowledged = tcp(answer(call("S", seq=sequence)))
    assert (flags, ports, acknowledged) == ("SA", [8443, 40_000], after)

    greeted = answer(call("A", seq=after, ack=own + 1))
    assert tcp(greeted) == ("FA", 8443, 40_000, own + 1, after)

    gone = answer(call("FA", seq=after, ack=own + 2))
    assert tcp(gone) == ("A", 8443, 40_000, own + 2, (after + 1) % 2**32)


@pytest.mark.parametrize("flags", ["S", "SEC", "SU", "SP"])
def test_syn_when_it_has_other_flags_beside_then_it_is_a_syn(flags: str) -> None:
    assert tcp(answer(call(flags, seq=7)))[0] == "SA"


@pytest.mark.parametrize("port", [1, 22, 80, 65535])
def test_syn_when_any_port_is_asked_then_it_is_open(port: int) -> None:
    read = answer(TO_WALL / TCP(sport=40_000, dport=port, flags="S"))

    assert tcp(read)[:3] == ("SA", port, 40_000)


def test_syn_when_it_carries_options_and_data_then_it_is_answered_as_well() -> None:
    read = answer(call("S", b"early", seq=7, options=[("MSS", 1460), ("SAckOK", b""), ("WScale", 7)]))

    assert tcp(read)[0::4] == ("SA", 8)


@pytest.mark.parametrize("flags", ["A", "PA"])
def test_data_when_sent_then_the_connection_is_reset(flags: str) -> None:
    read = answer(call(flags, b"GET / HTTP/1.0\r\n\r\n", seq=8, ack=99))

    assert tcp(read)[:4] == ("R", 8443, 40_000, 99)


def test_fin_when_it_carries_data_then_both_are_acknowledged() -> None:
    assert tcp(answer(call("FPA", b"bye", seq=10, ack=99))) == ("A", 8443, 40_000, 99, 14)


@pytest.mark.parametrize("flags", ["", "F", "U", "R", "RA", "SR", "FPU"])
def test_segment_when_it_belongs_to_no_connection_then_nothing_is_said(flags: str) -> None:
    assert answer(call(flags, seq=5)) is None


def test_ack_when_it_acknowledges_something_else_then_nothing_is_said() -> None:
    assert answer(call("A", seq=5, ack=6)) is None


@pytest.mark.parametrize("data", [b"", b"\x00" * 40, b"x" * 1400])
def test_datagram_when_sent_then_its_port_is_unreachable(data: bytes) -> None:
    read = answer(TO_WALL / UDP(sport=5000, dport=161) / Raw(data))

    assert read is not None
    assert (read[ICMP].type, read[ICMP].code) == (3, 3)
    inner = read[ICMP].payload
    assert isinstance(inner, IPerror)
    assert (inner.src, inner.dst, inner[UDPerror].sport, inner[UDPerror].dport) == (CALLER, WALL, 5000, 161)


@pytest.mark.parametrize("data", [b"", b"ping", b"odd", b"x" * 8000])
def test_ping_when_sent_then_its_echo_comes_back(data: bytes) -> None:
    read = answer(TO_WALL / ICMP(type=8, id=77, seq=3) / Raw(data))

    assert read is not None
    assert (read[ICMP].type, read[ICMP].code, read[ICMP].id, read[ICMP].seq) == (0, 0, 77, 3)
    assert bytes(read[ICMP].payload) == data


def test_syn_when_the_header_has_options_then_it_is_found_behind_them() -> None:
    packet = IP(src=CALLER, dst=WALL, options=b"\x01\x01\x01\x00") / TCP(sport=40_000, dport=80, flags="S")

    assert tcp(answer(packet))[0] == "SA"


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\x45",
        bytes(20),
        bytes(TO_WALL),
        bytes(call("S"))[:39],
        b"\x60" + bytes(call("S"))[1:],
        b"\x44" + bytes(call("S"))[1:],
        b"\x4f" + bytes(call("S"))[1:],
        bytes(IP(src=CALLER, dst=WALL, flags="MF") / TCP(flags="S")),
        bytes(IP(src=CALLER, dst=WALL, frag=5) / TCP(flags="S")),
        bytes(IP(src=CALLER, dst=WALL, len=21) / TCP(flags="S")),
        bytes(TO_WALL / UDP())[:27],
        bytes(TO_WALL / ICMP(type=0) / b"pong"),
        bytes(TO_WALL / ICMP(type=3, code=3) / bytes(28)),
        bytes(IP(src=CALLER, dst=WALL, proto=47) / bytes(40)),
    ],
)
def test_packet_when_broken_fragmented_or_an_answer_itself_then_nothing_is_said(packet: bytes) -> None:
    assert build_answer(packet) == b""


@given(st.binary(max_size=200))
def test_bytes_when_hostile_then_they_are_borne(packet: bytes) -> None:
    assert len(build_answer(packet)) <= len(packet) + 56


@given(
    head=st.binary(min_size=20, max_size=60),
    length=st.integers(0, 65535),
    proto=st.sampled_from([1, 6, 17]),
    body=st.binary(max_size=120),
)
def test_headers_when_they_lie_then_the_answer_is_a_whole_packet(
    head: bytes, length: int, proto: int, body: bytes
) -> None:
    lying = bytearray(head + body)
    lying[0] = 0x40 | lying[0] & 0x0F
    lying[2:4] = length.to_bytes(2, "big")
    lying[6:8] = b"\x00\x00"
    lying[9] = proto
    told = build_answer(bytes(lying))
    if told:
        assert IP(told).len == len(told)
        assert (told[12:16], told[16:20]) == (bytes(lying[16:20]), bytes(lying[12:16]))


@given(
    flags=st.integers(0, 511), seq=st.integers(0, 2**32 - 1), ack=st.integers(0, 2**32 - 1), data=st.binary(max_size=9)
)
def test_answer_when_it_comes_back_to_such_a_host_then_they_fall_silent_soon(
    flags: int, seq: int, ack: int, data: bytes
) -> None:
    packet = bytes(TO_WALL / TCP(sport=80, dport=80, flags=flags, seq=seq, ack=ack) / Raw(data))
    said = 0
    while packet := build_answer(packet):
        said += 1
        assert said < 6


MEET = """
import asyncio, json, socket, subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path
from sentinel.drill.place.answering import AnsweringHosts
from sentinel.drill.place.link import add_address, add_route
from sentinel.errors import CollectError

WALLS = [ip_address("10.77.1.47"), ip_address("10.77.1.48")]
add_address(ip_address("10.77.0.1"))
add_route(ip_network("10.77.1.0/24"))

def connect(port, address="10.77.1.47"):
    with socket.create_connection((address, port), 3) as caller:
        caller.settimeout(3)
        return len(caller.recv(10))

def write(port):
    with socket.create_connection(("10.77.1.47", port), 3) as caller:
        try:
            caller.sendall(b"hello")
            return len(caller.recv(10))
        except (ConnectionResetError, BrokenPipeError):
            return "reset"

def ping():
    '''Send an echo request (RFC 792), checksum and all, and give what comes back.'''
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as caller:
        caller.settimeout(3)
        caller.connect(("10.77.1.47", 0))
        caller.send(bytes.fromhex("0800f7fd00010001"))
        return caller.recv(100)[20:].hex()

def nmap(*words):
    command = ["nmap", "-n", "-Pn", "-T4", "--reason", "-oG", "-", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout

def waiting():
    '''Bytes that wait at the packet sockets of this namespace. Source: the column Rmem of /proc/net/packet.'''
    rows = [row.split() for row in Path("/proc/net/packet").read_text().splitlines()[1:]]
    return [int(row[6]) for row in rows]
"""
SCENE = """
async def main():
    with AnsweringHosts(WALLS):
        opened = [await asyncio.to_thread(connect, port) for port in (1, 22, 80, 8443, 65535)]
        other = await asyncio.to_thread(connect, 80, "10.77.1.48")
        written = await asyncio.to_thread(write, 80)
        tcp = await asyncio.to_thread(nmap, "-sS", "-p", "1-2000", "10.77.1.47")
        full = await asyncio.to_thread(nmap, "-sT", "-p", "1-300", "10.77.1.47")
        udp = await asyncio.to_thread(nmap, "-sU", "-p", "53,161", "10.77.1.47")
        quiet = await asyncio.to_thread(nmap, "-sS", "-p", "1-20", "10.77.1.49")
        echo = await asyncio.to_thread(ping)
    after = await asyncio.to_thread(nmap, "-sS", "-p", "80", "10.77.1.47")
    counts = [text.count("/open/tcp") for text in (tcp, full, quiet, after)]
    print(json.dumps([opened, other, written, counts, udp.count("/closed/udp"), echo]))
asyncio.run(main())
"""


@pytest.mark.namespace
@pytest.mark.nmap
def test_hosts_when_met_by_sockets_and_nmap_then_every_tcp_port_is_open_until_they_leave() -> None:
    opened, other, written, counts, closed_udp, echo = within(MEET + SCENE)

    assert (opened, other) == ([0] * 5, 0)
    assert written in {"reset", 0}
    assert counts == [2000, 300, 0, 0]
    assert (closed_udp, echo) == (2, "0000fffd00010001")


FILTER = """
async def main():
    with AnsweringHosts(WALLS), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(100):  # nothing is read meanwhile: the loop stands still
            for address in ("127.0.0.1", "10.77.0.1", "10.77.1.49", "10.77.1.46"):
                sender.sendto(b"x" * 100, (address, 9))
        others = waiting()
        sender.sendto(b"x" * 100, ("10.77.1.48", 9))
        print(json.dumps([others, [size > 0 for size in waiting()]]))
asyncio.run(main())
"""


@pytest.mark.namespace
def test_filter_when_packets_go_elsewhere_then_the_kernel_lets_none_of_them_through() -> None:
    assert within(MEET + FILTER) == [[0], [True]]


NOBODY = """
async def main():
    with AnsweringHosts([]):
        print(json.dumps(waiting()))
asyncio.run(main())
"""


@pytest.mark.namespace
def test_hosts_when_there_are_none_then_no_socket_is_opened() -> None:
    assert within(MEET + NOBODY, then=without("net_raw")) == []


REFUSED = """
import asyncio, json
from ipaddress import ip_address
from sentinel.drill.place.answering import AnsweringHosts
from sentinel.errors import CollectError
async def main():
    try:
        with AnsweringHosts([ip_address("10.77.1.47")]):
            print(json.dumps("had"))
    except CollectError as error:
        print(json.dumps(str(error)))
asyncio.run(main())
"""


@pytest.mark.namespace
def test_hosts_when_packet_sockets_are_refused_then_it_says_so() -> None:
    told = within(REFUSED, place=USER, prepare="")

    assert told == "hosts that answer everywhere need packet sockets: Operation not permitted"
