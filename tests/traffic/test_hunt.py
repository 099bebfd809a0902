from __future__ import annotations

import json
import os
import struct

import pytest

from sentinel.model.flow import FlowClass, Unreadable
from sentinel.traffic import analyze
from tests.traffic.build import (
    ACK,
    AUTHORIZE,
    BTC_WALLET,
    FEED,
    FIN,
    JOB,
    LOGIN,
    MINER,
    NOTIFY,
    POOL,
    PSH,
    RST,
    SUBSCRIBE,
    SYN,
    XMR_WALLET,
    connection,
    ethernet,
    hunt,
    hunt_packets,
    ip,
    line,
    only,
    pcap,
    tcp,
)

DIALOGUES = {
    "stratum": [("c", SUBSCRIBE), ("s", NOTIFY), ("c", AUTHORIZE)],
    "cryptonote": [("c", LOGIN), ("s", JOB)],
    "ethproxy": [("c", line({"id": 1, "method": "eth_submitLogin", "params": ["0x" + "a1" * 20, "x"]}))],
    "getwork": [
        ("c", b"POST / HTTP/1.1\r\nX-Mining-Extensions: longpoll\r\nContent-Length: 43\r\n\r\n"),
        ("c", b'{"method": "getwork", "params": [], "id":0}'),
    ],
}


def test_flow_when_it_mines_is_described_in_full(tmp_path):
    found = only(hunt_packets(tmp_path, connection(DIALOGUES["cryptonote"])))
    assert (found.host, found.host_port, found.peer, found.peer_port) == (MINER, 40000, POOL, 3333)
    assert (found.family, found.flow_class, found.certainty, found.coin) == ("cryptonote", FlowClass.MINING, 1.0, "XMR")
    assert (found.packets, found.payload_bytes) == (7, len(LOGIN) + len(JOB))
    assert (found.agent, found.wallet, found.name) == ("XMRig/6.21", "4AAA…bbbb", "")
    assert '"login"' in found.evidence
    assert "hunter2" not in found.evidence
    assert XMR_WALLET not in found.evidence
    assert len(found.evidence) <= 300


@pytest.mark.parametrize("family", DIALOGUES)
def test_flow_when_first_message_is_split_at_any_byte_is_found(tmp_path, family):
    (side, first), *rest = DIALOGUES[family]
    for cut in range(1, len(first)):
        turns = [(side, first[:cut]), (side, first[cut:]), *rest]
        found = only(hunt_packets(tmp_path, connection(turns)))
        assert (found.family, found.flow_class, found.host) == (family, FlowClass.MINING, MINER)


@pytest.mark.parametrize("family", DIALOGUES)
def test_flow_when_sent_byte_by_byte_is_found(tmp_path, family):
    turns = [(side, data[at : at + 1]) for side, data in DIALOGUES[family] for at in range(len(data))]
    assert only(hunt_packets(tmp_path, connection(turns))).family == family


@pytest.mark.parametrize("family", DIALOGUES)
def test_flow_when_segments_come_in_reverse_is_found(tmp_path, family):
    packets = connection([(s, d[i : i + 30]) for s, d in DIALOGUES[family] for i in range(0, len(d), 30)])
    reordered = packets[:3] + packets[3:-2][::-1] + packets[-2:]
    found = only(hunt_packets(tmp_path, reordered))
    assert (found.family, found.packets) == (family, len(packets))


def test_flow_when_every_packet_is_doubled_is_found_once(tmp_path):
    packets = [packet for packet in connection(DIALOGUES["stratum"]) for _ in range(2)]
    found = only(hunt_packets(tmp_path, packets))
    assert (found.family, found.packets) == ("stratum", len(packets))


def test_flow_when_retransmission_overlaps_is_read_once(tmp_path):
    packets = connection([("c", SUBSCRIBE[:20])], closed=False)
    packets.append(ip(MINER, POOL, tcp(40000, 3333, 1011, PSH | ACK, SUBSCRIBE[10:])))
    assert only(hunt_packets(tmp_path, packets)).evidence.count("mining.subscribe") == 1


@pytest.mark.parametrize(
    ("turns", "family"),
    [
        ([("s", NOTIFY)], "stratum"),
        ([("s", JOB)], "cryptonote"),
        ([("s", b'e"],"id":4}\n' + NOTIFY)], "stratum"),
        ([("s", b'5e5e","01"],"id":4}\n'), ("s", NOTIFY), ("c", SUBSCRIBE)], "stratum"),
        ([("c", line({"id": 9, "method": "mining.submit", "params": ["w.1", "j", "00", "01", "02"]}))], "stratum"),
        ([("c", line({"id": 9, "method": "keepalived", "params": {"id": "x"}}))], "cryptonote"),
        ([("s", line({"id": 9, "result": {"status": "KEEPALIVED"}}))], "cryptonote"),
        ([("s", line({"id": 0, "result": ["0x" + "5e" * 32] * 2 + ["0x00000000" + "f" * 56]}))], "ethproxy"),
        ([("c", line({"id": 1, "method": "eth_getWork", "params": []}))], "ethproxy"),
        (
            [("c", line({"id": 5, "method": "submit", "params": {"job_id": "1", "nonce": "ab", "result": "00"}}))],
            "cryptonote",
        ),
    ],
)
def test_flow_when_its_start_was_not_captured_names_the_miner(tmp_path, turns, family):
    found = only(hunt_packets(tmp_path, connection(turns, opened=False, closed=False)))
    assert (found.family, found.flow_class, found.host, found.peer) == (family, FlowClass.MINING, MINER, POOL)


def test_flow_when_it_starts_with_two_segments_swapped_reads_both(tmp_path):
    packets = connection([("c", SUBSCRIBE), ("c", AUTHORIZE)], opened=False, closed=False)
    found = only(hunt_packets(tmp_path, packets[::-1]))
    assert (found.agent, found.wallet) == ("cgminer/4.11", "bc1q…xxxx")


def test_flow_when_late_messages_follow_foreign_bytes_is_found(tmp_path):
    turns = [
        ("c", b"\x05\x01\x00"),
        ("s", b"\x05\x00"),
        ("c", b"\x05\x01\0\x01" + bytes(6)),
        ("s", b"\x05\0" + bytes(8)),
    ]
    assert only(hunt_packets(tmp_path, connection([*turns, *DIALOGUES["stratum"]]))).family == "stratum"


def test_flow_when_mining_follows_a_long_download_is_found(tmp_path):
    turns = [("s", b"\x99" * 1400)] * 100 + [("c", b"\x99" * 100), ("s", NOTIFY), ("c", SUBSCRIBE)]
    assert only(hunt_packets(tmp_path, connection(turns))).family == "stratum"


def test_flow_when_a_segment_was_lost_is_found_behind_the_gap(tmp_path):
    packets = connection([("c", SUBSCRIBE[:10]), ("c", b"x" * 40), ("c", AUTHORIZE)])
    del packets[4]
    found = only(hunt_packets(tmp_path, packets))
    assert (found.family, found.wallet) == ("stratum", f"{BTC_WALLET[:4]}…xxxx")


def test_flow_when_many_segments_wait_for_a_lost_one_is_found(tmp_path):
    packets = connection([("c", b"{" + b" " * 30)] + [("c", AUTHORIZE)] * 60)
    del packets[3]
    assert only(hunt_packets(tmp_path, packets)).family == "stratum"


def test_flow_when_packets_are_cut_by_the_snap_length_is_found(tmp_path):
    frames = [ethernet(packet) for packet in connection([("c", LOGIN), ("c", SUBSCRIBE)], opened=False)]
    content = pcap([])
    for frame in frames:
        content += struct.pack("<IIII", 1_790_000_000, 0, min(len(frame), 118), len(frame)) + frame[:118]
    found = only(hunt(tmp_path, content))
    assert (found.family, found.payload_bytes) == ("stratum", len(LOGIN) + len(SUBSCRIBE))


def test_tuple_when_used_again_after_reset_or_fin_is_a_flow_of_its_own(tmp_path):
    first = connection(DIALOGUES["stratum"], closed=False)
    first.append(ip(MINER, POOL, tcp(40000, 3333, 2_000, RST)))
    second = connection(DIALOGUES["cryptonote"], isn=77_000)
    third = connection([("c", b"SSH-2.0-x\r\n")], isn=99_000)
    found = hunt_packets(tmp_path, first + second + third)
    assert [flow.family for flow in found] == ["stratum", "cryptonote"]
    assert [flow.packets for flow in found] == [len(first), len(second)]


def test_tuple_when_syn_is_only_repeated_or_late_stays_one_flow(tmp_path):
    packets = connection(DIALOGUES["stratum"])
    repeated = [packets[0], packets[0], *packets[1:], packets[1]]
    late = [packets[3], *packets[:3], *packets[4:]]
    for made in (repeated, late):
        assert only(hunt_packets(tmp_path, made)).packets == len(made)


def test_direction_when_only_the_answer_to_the_syn_was_captured_is_known(tmp_path):
    bitcoin = bytes.fromhex("f9beb4d9") + b"verack\0\0\0\0\0\0" + bytes(8)
    packets = connection([("s", bitcoin)], cport=8333, sport=50000, closed=False)[1:]
    found = only(hunt_packets(tmp_path, packets))
    assert (found.host, found.flow_class, found.coin) == (MINER, FlowClass.NODE, "BTC")


def test_direction_when_nothing_else_tells_follows_the_ports(tmp_path):
    bitcoin = bytes.fromhex("f9beb4d9") + b"ping\0\0\0\0\0\0\0\0" + bytes(8)
    packets = connection([("s", bitcoin)], cport=50000, sport=8333, opened=False, closed=False)
    assert only(hunt_packets(tmp_path, packets)).host == MINER


def test_flow_to_itself_on_one_port_is_read_without_harm(tmp_path):
    packets = [ip(MINER, MINER, tcp(5, 5, 1, SYN)), ip(MINER, MINER, tcp(5, 5, 2, PSH | ACK, SUBSCRIBE))]
    assert only(hunt_packets(tmp_path, packets)).host == MINER


def test_syn_with_data_is_read(tmp_path):
    assert only(hunt_packets(tmp_path, [ip(MINER, POOL, tcp(4, 3333, 9, SYN, SUBSCRIBE))])).family == "stratum"


def test_flow_over_ipv6_is_named_by_its_addresses(tmp_path):
    found = only(
        hunt_packets(tmp_path, connection(DIALOGUES["stratum"], client="2001:db8::5", server="::ffff:192.0.2.1"))
    )
    assert (found.host, found.peer) == ("2001:db8::5", "192.0.2.1")


@pytest.mark.parametrize("start_us", [0, 4_200_000_000_000_000])
def test_times_when_impossible_are_none(tmp_path, start_us):
    found = only(hunt(tmp_path, pcap(map(ethernet, connection(DIALOGUES["stratum"])), start_us=start_us)))
    assert (found.first_seen, found.last_seen) == (None, None)


def test_tcp_header_when_its_length_is_impossible_is_skipped(tmp_path):
    bad = bytearray(tcp(40000, 3333, 5, PSH, SUBSCRIBE))
    for size in (0x40, 0xF0):
        bad[12] = size
        assert hunt_packets(tmp_path, [ip(MINER, POOL, bytes(bad[:40]))]) == []


def test_files_when_some_are_bad_are_all_reported_in_order(tmp_path):
    good = tmp_path / "good.pcap"
    good.write_bytes(pcap(map(ethernet, connection(DIALOGUES["stratum"]))))
    bad = tmp_path / "bad.pcap"
    bad.write_bytes(b"not a capture")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    paths = [tmp_path / "missing", good, bad, tmp_path, pipe, str(good), "nul\0name"]
    found = list(analyze(paths, FEED))
    assert [f.file for f in found] == [str(path) for path in paths]
    assert [isinstance(f, Unreadable) and f.fatal for f in found] == [True, False, True, True, True, False, True]


def test_progress_when_asked_for_reaches_the_size_of_the_file(tmp_path):
    content = pcap(map(ethernet, connection([("c", b"\x99")] * 9000)))
    path = tmp_path / "long.pcap"
    path.write_bytes(content)
    calls = []
    assert list(analyze([path], FEED, lambda *call: calls.append(call))) == []
    assert len(calls) == 2
    assert calls[-1] == (str(path), len(content), len(content))


def test_tables_when_limits_are_small_find_the_same_flows(tmp_path, monkeypatch):
    packets = []
    for number in range(60):
        turns = DIALOGUES["stratum"] if number % 6 == 0 else [("c", b'{"a": 1}\n' * 50)]
        packets += connection(turns, cport=20_000 + number, closed=False)
    assert len(hunt_packets(tmp_path, packets)) == 10
    monkeypatch.setattr("sentinel.traffic.flows.MOST_FLOWS", 20)
    monkeypatch.setattr("sentinel.traffic.flows.MOST_HELD_BYTES", 2_000)
    assert sorted(f.host_port for f in hunt_packets(tmp_path, packets)) == [20_000 + 6 * n for n in range(10)]


def test_flow_when_others_crowd_the_table_stays_one_flow(tmp_path, monkeypatch):
    monkeypatch.setattr("sentinel.traffic.flows.MOST_FLOWS", 20)
    mining = connection([*DIALOGUES["stratum"], ("c", AUTHORIZE)], closed=False)
    crowd = [packet for n in range(200) for packet in connection([("c", b"SSH-2.0-x")], cport=20_000 + n)]
    assert only(hunt_packets(tmp_path, [*mining[:-1], *crowd, mining[-1]])).packets == len(mining)


def test_table_when_every_flow_mines_lets_the_oldest_go(tmp_path, monkeypatch):
    monkeypatch.setattr("sentinel.traffic.flows.MOST_FLOWS", 20)
    packets = [p for n in range(60) for p in connection(DIALOGUES["stratum"], cport=20_000 + n)]
    assert [f.host_port for f in hunt_packets(tmp_path, packets)] == [20_000 + n for n in range(60)]


def test_signs_when_there_are_very_many_stay_bounded(tmp_path):
    many = b"".join(line({"id": n, "method": "mining.foo", "params": []}) for n in range(300))
    found = only(hunt_packets(tmp_path, connection([("c", many[at : at + 1000]) for at in range(0, len(many), 1000)])))
    assert (found.flow_class, found.certainty) == (FlowClass.SUSPECT, 0.6)


def _http_call(body: bytes, headers: bytes = b"") -> bytes:
    return b"POST / HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s" % (headers, len(body), body)


TEMPLATE = json.dumps({"id": 1, "method": "getblocktemplate", "params": [{"rules": ["segwit"]}]}).encode()


def test_template_when_asked_of_another_host_is_mining_of_the_asker(tmp_path):
    answer = json.dumps({"id": 1, "result": {"previousblockhash": "00", "bits": "17", "coinbasevalue": 3}}).encode()
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer)
    for turns in ([("c", _http_call(TEMPLATE)), ("s", reply)], [("s", reply)]):
        found = only(hunt_packets(tmp_path, connection(turns, sport=8332)))
        assert (found.family, found.flow_class, found.host) == ("getblocktemplate", FlowClass.MINING, MINER)


def test_template_when_asked_of_oneself_is_a_suspect_unless_a_miner_asks(tmp_path):
    for headers, expected in ((b"", FlowClass.SUSPECT), (b"X-Mining-Extensions: longpoll\r\n", FlowClass.MINING)):
        turns = [("c", _http_call(TEMPLATE, headers))]
        found = only(hunt_packets(tmp_path, connection(turns, client="127.0.0.1", server="127.0.0.1", sport=8332)))
        assert (found.family, found.flow_class) == ("getblocktemplate", expected)


def test_flow_when_a_fin_came_before_the_data_is_read_to_its_end(tmp_path):
    packets = connection(DIALOGUES["stratum"])
    early = [*packets[:3], ip(MINER, POOL, tcp(40000, 3333, 9_999, FIN | ACK)), *packets[3:-2]]
    assert only(hunt_packets(tmp_path, early)).packets == len(early)
