from __future__ import annotations

import io
import struct
from ipaddress import IPv4Address

import pytest

from sentinel.drill.recording.lookup import CLOCK
from sentinel.drill.recording.packets import PacketMaker
from sentinel.drill.recording.pcap import RAW_IP, PcapWriter
from sentinel.drill.recording.programs import MAIL
from sentinel.drill.recording.script import Planned
from sentinel.traffic.capture import read_packets

CLIENT, SERVER = IPv4Address("10.77.1.1"), IPv4Address("203.0.113.9")


def sum_of(data: bytes) -> int:
    """Give the ones' complement sum, 0xFFFF over a part with its right checksum. Source: RFC 1071."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def make(script, play) -> list[bytes]:
    stream = io.BytesIO()
    play(PacketMaker(PcapWriter(stream, RAW_IP), Planned(script, CLIENT, 40_000, SERVER)))
    stream.seek(0)
    return [data for _, _, data, _ in read_packets(stream)]


def test_packets_when_a_connection_is_made_have_flags_numbers_and_checksums():
    def play(maker: PacketMaker) -> None:
        maker.open()
        maker.send(0, b"odd")
        maker.send(1, b"x" * 3000)
        maker.close(0)
        maker.close(1)

    packets = make(MAIL, play)
    assert [packet[33] for packet in packets] == [2, 18, 16, 24, 16, *[24, 16] * 3, 17, 16, 17, 16]
    for packet in packets:
        assert sum_of(packet[:20]) == 0xFFFF
        assert sum_of(packet[12:20] + struct.pack("!HH", 6, len(packet) - 20) + packet[20:]) == 0xFFFF
    sent = [packet for packet in packets if packet[12:16] == SERVER.packed]
    first, last = (struct.unpack_from("!I", packet, 24)[0] for packet in (sent[0], sent[-1]))
    assert last - first == 3001  # the SYN and 3000 bytes stand before the FIN


@pytest.mark.parametrize("data", [b"", b"odd", b"even", b"\xff\xff"])
def test_packets_when_a_datagram_is_made_have_length_and_checksum(data):
    (packet,) = make(CLOCK, lambda maker: maker.tell(1, data))
    assert packet[12:20] == SERVER.packed + CLIENT.packed
    assert struct.unpack_from("!HHH", packet, 20) == (123, 40_000, 8 + len(data))
    assert packet[26:28] != b"\0\0"  # zero means none
    assert sum_of(packet[12:20] + struct.pack("!HH", 17, len(packet) - 20) + packet[20:]) == 0xFFFF
