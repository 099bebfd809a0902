"""Whatever bytes come, the search ends without an exception and invents no mining."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentinel.model.flow import FlowClass, FlowDetection
from sentinel.traffic import analyze
from sentinel.traffic.dialogue import read_run
from sentinel.traffic.fragments import Fragments
from sentinel.traffic.names import parse_dns, parse_greeting, split_dns_stream
from sentinel.traffic.packet import find_segment, is_known_link
from sentinel.traffic.stream import Stream
from tests.traffic.build import (
    FEED,
    JOB,
    LOGIN,
    NOTIFY,
    SUBSCRIBE,
    connection,
    enhanced,
    ethernet,
    interface,
    pcap,
    section,
)
from tests.traffic.test_names import asked, client_hello, query
from tests.traffic.test_packet import PACKETS
from tests.traffic.test_web import AUTH, UPGRADE, frame

BOUNDED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FRAMES = [
    ethernet(packet)
    for packet in [
        *connection([("c", SUBSCRIBE), ("s", NOTIFY)]),
        *connection([("c", LOGIN), ("s", JOB)], cport=40001),
        *connection([("c", UPGRADE + frame(AUTH, mask=b"abcd"))], cport=40002),
        *connection([("c", client_hello("pool.example"))], cport=40003),
        asked(query("eu.pool.example")),
    ]
]
PCAP = pcap(FRAMES)
PCAPNG = section() + interface() + b"".join(enhanced(f, 1_790_000_000_000_000) for f in FRAMES)


def search(content: bytes) -> list[FlowDetection]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fuzz.pcap"
        path.write_bytes(content)
        return [found for found in analyze([path], FEED) if isinstance(found, FlowDetection)]


WHOLE = {(f.host_port, f.family) for f in search(PCAP)}


def test_whole_capture_holds_what_the_mutations_start_from():
    assert len(WHOLE) == 5
    assert {(f.host_port, f.family) for f in search(PCAPNG)} == WHOLE


@pytest.mark.parametrize("content", [PCAP, PCAPNG], ids=["pcap", "pcapng"])
def test_capture_when_truncated_anywhere_finds_only_what_the_whole_holds(content):
    counts = []
    for cut in range(0, len(content), 3):
        found = search(content[:cut])
        assert {(f.host_port, f.family) for f in found} <= WHOLE
        counts.append(len(found))
    assert counts == sorted(counts)
    assert counts[0] == 0


@BOUNDED
@given(st.binary(max_size=2000))
def test_random_bytes_behind_each_header_are_survived(data):
    for head in (b"", PCAP[:24], section() + interface()):
        assert all(found.flow_class is not FlowClass.MINING for found in search(head + data))


@BOUNDED
@given(st.lists(st.tuples(st.integers(0, len(PCAP) - 1), st.integers(0, 255)), min_size=1, max_size=20), st.booleans())
def test_mutated_captures_are_survived(changes, newer):
    content = bytearray(PCAPNG if newer else PCAP)
    for at, value in changes:
        content[at] = value
    assert len(search(bytes(content))) <= len(FRAMES)


@BOUNDED
@given(st.sampled_from(PACKETS), st.integers(0, 400), st.lists(st.tuples(st.integers(0, 399), st.integers(0, 255))))
def test_cut_and_mutated_packets_are_survived(packet, cut, changes):
    link, data = packet
    mutated = bytearray(data[:cut])
    for at, value in changes:
        if at < len(mutated):
            mutated[at] = value
    found = find_segment(link, bytes(mutated), Fragments())
    assert found is None or found[0] in (6, 17)


@BOUNDED
@given(st.integers(0, 300), st.binary(max_size=300))
def test_random_packets_of_every_link_are_survived(link, data):
    found = find_segment(link, data, Fragments())
    assert found is None or (is_known_link(link) and found[3] < found[4] <= len(found[2]))


@BOUNDED
@given(
    st.sampled_from([b"", b"{", b"[{", b'{"method":', b"POST / HTTP/1.1\r\n", UPGRADE, b"\x81\xfe", b"\x16\x03\x01"]),
    st.binary(max_size=600),
)
def test_random_streams_are_survived_and_silent(head, tail):
    assert [seen for seen in read_run(head + tail) if getattr(seen, "certainty", 0) >= 0.5] == []


@BOUNDED
@given(st.binary(max_size=400))
def test_random_names_are_survived(data):
    for message in [parse_dns(data), *split_dns_stream(data)]:
        assert message is None or all(name.isascii() for name in message.names)
    assert parse_greeting(b"\x16\x03\x01\x01\x00" + data).name.isascii()


@BOUNDED
@given(
    st.integers(0, 2**32 - 1), st.lists(st.integers(1, 40), min_size=1, max_size=20), st.randoms(use_true_random=False)
)
def test_stream_when_segments_come_in_any_order_gives_the_bytes(isn, sizes, rng):
    content = b"{" + bytes(range(97, 123)) * 40
    segments, at = [], 0
    for size in sizes:
        segments.append((at, content[at : at + size]))
        at += size
    rng.shuffle(segments)
    stream = Stream()
    stream.sync(isn)
    for offset, payload in segments + segments[:3]:
        stream.add((isn + 1 + offset) & 0xFFFFFFFF, payload, len(payload))
    assert stream.held == at
    assert stream.take() == [content[:at]]
    assert stream.held == 0


@BOUNDED
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**32 - 1) | st.integers(0, 300),
            st.binary(min_size=1, max_size=200) | st.just(SUBSCRIBE),
            st.integers(0, 50),
        ),
        max_size=60,
    )
)
def test_stream_when_segments_are_wild_counts_what_it_holds(segments):
    stream = Stream()
    for sequence, payload, missing in segments:
        stream.add(sequence, payload, len(payload) + missing)
        assert 0 <= stream.held <= 64 * 1024
    stream.take()
    assert stream.held == 0
