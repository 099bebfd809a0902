from __future__ import annotations

import io
import struct
from datetime import UTC, datetime, timedelta

import pytest

from sentinel.errors import ParseError
from sentinel.model.flow import Unreadable
from sentinel.traffic.capture import read_packets
from tests.traffic.build import (
    NOTIFY,
    START_US,
    SUBSCRIBE,
    block,
    connection,
    enhanced,
    ethernet,
    hunt,
    interface,
    only,
    pcap,
    section,
)

FRAMES = [ethernet(packet) for packet in connection([("c", SUBSCRIBE), ("s", NOTIFY)])]
START = datetime.fromtimestamp(START_US // 1_000_000, UTC)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xA1B23C4D])
def test_pcap_in_each_byte_order_and_unit_gives_flow_and_times(tmp_path, order, magic):
    found = only(hunt(tmp_path, pcap(FRAMES, order=order, magic=magic)))
    assert (found.family, found.packets) == ("stratum", len(FRAMES))
    assert found.first_seen == START
    assert found.last_seen == START + timedelta(milliseconds=len(FRAMES) - 1)


def test_patched_pcap_when_headers_are_longer_is_read(tmp_path):
    content = struct.pack("<IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 65535, 1)
    for frame in FRAMES:
        content += struct.pack("<IIII", 1_790_000_000, 0, len(frame), len(frame)) + bytes(8) + frame
    assert only(hunt(tmp_path, content)).family == "stratum"


def test_old_pcap_when_lengths_are_swapped_is_read():
    frame = FRAMES[3]
    content = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 2, 0, 0, 65535, 1)
    content += struct.pack("<IIII", 1, 0, len(frame) + 40, len(frame)) + frame
    assert list(read_packets(io.BytesIO(content))) == [(1, 1_000_000, frame, len(frame) + 40)]


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_when_enhanced_blocks_gives_flow_and_times(tmp_path, order):
    content = section(order) + interface(order=order) + b"".join(enhanced(f, START_US, order) for f in FRAMES)
    found = only(hunt(tmp_path, content))
    assert (found.family, found.first_seen, found.packets) == ("stratum", START, len(FRAMES))


@pytest.mark.parametrize(
    ("resolution", "ticks"),
    [
        (struct.pack("<HHB3x", 9, 1, 9), START_US * 1000),
        (struct.pack("<HHB3x", 9, 1, 0x80 | 10), START_US // 1_000_000 * 1024),
        (struct.pack("<HHq", 14, 8, 1_000_000_000), START_US - 1_000_000_000_000_000),
        (struct.pack("<HH", 2, 4) + b"eth0" + struct.pack("<HHB3xHH", 9, 1, 3, 0, 0), START_US // 1000),
    ],
)
def test_pcapng_when_time_options_are_set_scales_times(tmp_path, resolution, ticks):
    content = section() + interface(options=resolution) + b"".join(enhanced(f, ticks) for f in FRAMES)
    assert only(hunt(tmp_path, content)).first_seen == START


def test_pcapng_with_two_sections_and_interfaces_uses_the_right_link(tmp_path):
    raw = [frame[14:] for frame in FRAMES]
    content = section() + interface(1) + interface(101)
    content += b"".join(enhanced(packet, START_US, number=1) for packet in raw[:4])
    content += section(">") + interface(1, ">") + b"".join(enhanced(f, START_US, ">") for f in FRAMES[4:])
    assert only(hunt(tmp_path, content)).packets == len(FRAMES)


def test_pcapng_when_blocks_are_simple_or_old_reads_them(tmp_path):
    old = b"".join(
        block(2, struct.pack("<HHIIII", 0, 0, START_US >> 32, START_US & 0xFFFFFFFF, len(f), len(f)) + f)
        for f in FRAMES
    )
    simple = b"".join(block(3, struct.pack("<I", len(f)) + f) for f in FRAMES)
    found = only(hunt(tmp_path, section() + interface() + old))
    assert (found.packets, found.first_seen) == (len(FRAMES), START)
    found = only(hunt(tmp_path, section() + interface() + simple))
    assert (found.packets, found.first_seen, found.last_seen) == (len(FRAMES), None, None)


def test_pcapng_when_simple_blocks_are_snapped_keeps_what_was_captured():
    frame = FRAMES[3]
    content = section() + interface(snap=60) + block(3, struct.pack("<I", len(frame)) + frame[:60])
    assert list(read_packets(io.BytesIO(content))) == [(1, 0, frame[:60], len(frame))]


def test_pcapng_with_unknown_blocks_and_interfaces_skips_them(tmp_path):
    noise = block(4, b"names---") + block(0xBAD, b"custom") + block(5, bytes(12)) + enhanced(FRAMES[0], 1, number=9)
    content = section() + block(3, struct.pack("<I", 1) + b"x") + interface() + noise
    assert only(hunt(tmp_path, content + b"".join(enhanced(f, START_US) for f in FRAMES))).packets == len(FRAMES)


def test_pcapng_when_lengths_leave_out_the_padding_is_read():
    odd = struct.pack("<IIIIIII", 6, 33, 0, 0, 0, 1, 1) + b"x" + bytes(3) + struct.pack("<I", 33)
    assert [packet[2] for packet in read_packets(io.BytesIO(section() + interface() + odd))] == [b"x"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\x1f\x8b\x08\x00", "unpack"),
        (b"hello world", "not a capture"),
        (b"\xd4\xc3\xb2\xa1\x02\x00", "cut off within the file header"),
        (struct.pack("<III", 0x0A0D0D0A, 28, 7), "byte-order"),
        (section()[:20], "cut off"),
        (b"\x0a\x0d\x0d\x0a\x1c", "cut off"),
        (b"\x0a\x0d\x0d\x0a" + struct.pack("<II", 4, 0x1A2B3C4D), "impossible block length"),
    ],
)
def test_file_when_it_is_no_capture_is_fatal(tmp_path, content, reason):
    (found,) = hunt(tmp_path, content)
    assert isinstance(found, Unreadable)
    assert found.fatal
    assert reason in found.reason


@pytest.mark.parametrize("content", [pcap([]), section(), section() + interface()])
def test_capture_without_packets_gives_nothing(tmp_path, content):
    assert hunt(tmp_path, content) == []


@pytest.mark.parametrize(
    "tail",
    [
        struct.pack("<IIII", 1, 0, 0xFFFFFFFF, 60),
        struct.pack("<IIII", 1, 0, 60, 60) + b"short",
        b"\x01\x02",
    ],
)
def test_pcap_when_its_tail_is_damaged_keeps_what_was_whole(tmp_path, tail):
    flow, trouble = hunt(tmp_path, pcap(FRAMES) + tail)
    assert flow.family == "stratum"
    assert isinstance(trouble, Unreadable)
    assert not trouble.fatal
    assert f"byte {len(pcap(FRAMES))}" in trouble.reason


@pytest.mark.parametrize(
    "tail",
    [
        block(6, b"short"),
        block(2, b"short"),
        block(3, b""),
        block(1, b"four"),
        struct.pack("<II", 6, 8),
        struct.pack("<II", 6, 0x7FFFFFFF),
        enhanced(FRAMES[0], 1)[:-9],
    ],
)
def test_pcapng_when_its_tail_is_damaged_keeps_what_was_whole(tmp_path, tail):
    content = section() + interface() + b"".join(enhanced(f, START_US) for f in FRAMES)
    flow, trouble = hunt(tmp_path, content + tail)
    assert flow.packets == len(FRAMES)
    assert isinstance(trouble, Unreadable)
    assert not trouble.fatal


def test_read_packets_when_cut_within_a_packet_raises_and_gives_none_of_it():
    content = pcap(FRAMES[:1])
    for at in range(25, len(content)):
        with pytest.raises(ParseError):
            list(read_packets(io.BytesIO(content[:at])))
