from __future__ import annotations

import struct

import pytest
from scapy.layers.dns import DNS, DNSQR, DNSRR

from sentinel.model.flow import FlowClass
from sentinel.traffic.names import parse_dns, parse_greeting, split_dns_stream
from tests.traffic.build import (
    FEED,
    LOGIN,
    MINER,
    POOL,
    SUBSCRIBE,
    connection,
    ethernet,
    hunt,
    hunt_packets,
    ip,
    line,
    only,
    pcap,
    udp,
)

RESOLVER = "10.0.0.53"


def query(name: str, kind: str = "A") -> bytes:
    return bytes(DNS(rd=1, qd=[DNSQR(qname=name, qtype=kind)]))


def answer(name: str, *records: DNSRR) -> bytes:
    return bytes(DNS(qr=1, qd=[DNSQR(qname=name)], an=list(records)))


def asked(content: bytes, *, port: int = 53) -> bytes:
    return ip(MINER, RESOLVER, udp(5353, port, content), 17)


def answered(content: bytes) -> bytes:
    return ip(RESOLVER, MINER, udp(53, 5353, content), 17)


def client_hello(name: str | None, *, records: int = 1, padding: int = 0) -> bytes:
    extensions = struct.pack("!HH", 21, padding) + bytes(padding)
    if name is not None:
        packed = name.encode()
        extensions += struct.pack("!HHHBH", 0, len(packed) + 5, len(packed) + 3, 0, len(packed)) + packed
    body = b"\x03\x03" + bytes(32) + b"\x20" + bytes(32) + b"\0\x02\x13\x01" + b"\x01\0"
    body += struct.pack("!H", len(extensions)) + extensions
    hello = b"\x01" + len(body).to_bytes(3, "big") + body
    size = -(-len(hello) // records)
    parts = [hello[at : at + size] for at in range(0, len(hello), size)]
    return b"".join(b"\x16\x03\x01" + struct.pack("!H", len(part)) + part for part in parts)


@pytest.mark.parametrize("name", ["pool.example", "EU.Pool.Example", "a.b.c.pool.example."])
def test_dns_query_when_name_is_listed_gives_one_row(tmp_path, name):
    found = only(hunt_packets(tmp_path, [asked(query(name)), asked(query(name, "AAAA"))]))
    assert (found.host, found.host_port, found.peer, found.peer_port) == (MINER, None, RESOLVER, 53)
    assert (found.family, found.flow_class, found.name) == ("dns", FlowClass.NAME, name.lower().rstrip("."))
    assert (found.coin, found.certainty, found.packets) == ("XMR", 0.6, 2)
    assert found.payload_bytes == len(query(name)) + len(query(name, "AAAA"))
    assert found.name in found.evidence
    assert found.first_seen < found.last_seen


@pytest.mark.parametrize(
    "name", ["notpool.example", "example", "pool.example.org", "xpool.example", "www.school.example"]
)
def test_dns_query_when_name_is_not_listed_gives_nothing(tmp_path, name):
    assert hunt_packets(tmp_path, [asked(query(name))]) == []


def test_dns_answer_names_the_asking_host_and_follows_aliases(tmp_path):
    records = [
        DNSRR(rrname="www.school.example", type="CNAME", rdata="script.example"),
        DNSRR(rrname="script.example", type="AAAA", rdata="2001:db8::1"),
    ]
    found = only(hunt_packets(tmp_path, [answered(answer("www.school.example", *records))]))
    assert (found.host, found.peer, found.name, found.certainty) == (MINER, RESOLVER, "script.example", 0.4)


def test_dns_rows_are_one_for_each_host_and_name(tmp_path):
    other = ip("10.9.9.9", RESOLVER, udp(4, 53, query("pool.example")), 17)
    found = hunt_packets(tmp_path, [asked(query("pool.example")), asked(query("eu.pool.example")), other])
    assert [(f.host, f.name) for f in found] == [
        (MINER, "pool.example"),
        (MINER, "eu.pool.example"),
        ("10.9.9.9", "pool.example"),
    ]


@pytest.mark.parametrize("sport", [53, 40000])
def test_dns_over_tcp_when_split_is_read(tmp_path, sport):
    message = query("pool.example") if sport != 53 else answer("pool.example")
    stream = b"".join(struct.pack("!H", len(m)) + m for m in (query("x.example"), message))
    side = ("s", 53, sport) if sport == 53 else ("c", 53, sport)
    turns = [(side[0], stream[at : at + 11]) for at in range(0, len(stream), 11)]
    found = only(hunt_packets(tmp_path, connection(turns, server=RESOLVER, sport=53)))
    assert (found.family, found.host, found.peer_port, found.packets) == ("dns", MINER, 53, 5 + len(turns))


def test_dns_answer_that_leads_to_a_pool_tells_the_coin_of_the_flow(tmp_path):
    lookup = answered(answer("pool.example", DNSRR(rrname="pool.example", type="A", rdata=POOL)))
    found = hunt_packets(tmp_path, [lookup, *connection([("c", SUBSCRIBE)])])
    assert [(f.family, f.coin) for f in found] == [("stratum", "XMR"), ("dns", "XMR")]


def test_names_when_a_pool_serves_many_coins_name_none(tmp_path):
    assert only(hunt_packets(tmp_path, [asked(query("many.example"))])).coin == ""


@pytest.mark.parametrize("port", [5353, 80])
def test_dns_when_not_on_its_port_is_left_alone(tmp_path, port):
    packet = ip(MINER, RESOLVER, udp(999, port, query("pool.example")), 17)
    assert hunt_packets(tmp_path, [packet]) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(16),
        query("pool.example")[:20],
        b"\0\1\x7f\xff" + query("pool.example")[4:],
        query("pool.example")[:12] + b"\xc0\x0c\0\1\0\1",
        query("pool.example")[:12] + b"\x80abc\0\0\1\0\1" + bytes(9),
        query("pool.example")[:12] + b"\x04p\xffol\0\0\1\0\1",
        query("pool.example")[:12] + b"\x04p\x07ol\0\0\1\0\1",
        query("pool.example")[:12] + b"\x3f" * 300 + b"\0\0\1\0\1",
        query("pool.example")[:12] + b"\x01a" * 150 + b"\0\0\1\0\1",
    ],
)
def test_parse_dns_when_damaged_gives_none(data):
    assert parse_dns(data) is None


def test_parse_dns_when_the_answer_is_cut_keeps_the_question():
    whole = answer("www.school.example", DNSRR(rrname="www.school.example", type="CNAME", rdata="pool.example"))
    for cut in range(len(whole) - 14, len(whole)):
        message = parse_dns(whole[:cut])
        assert message is not None
        assert message.names == ("www.school.example",)
    assert parse_dns(whole).names == ("www.school.example", "pool.example")


def test_split_dns_stream_when_a_message_is_foreign_stops():
    message = query("pool.example")
    packed = struct.pack("!H", len(message)) + message
    assert len(list(split_dns_stream(packed + b"\0\x04abcd" + packed))) == 1
    assert list(split_dns_stream(b"\0")) == []


def test_client_hello_when_split_at_any_byte_gives_the_name(tmp_path):
    hello = client_hello("eu.pool.example")
    for cut in range(1, len(hello), 3):
        turns = [
            ("c", hello[:cut]),
            ("c", hello[cut:]),
            ("s", b"\x16\x03\x03\0\x04\x02\0\0\0"),
            ("c", b"\x17\x03\x03\0\1x"),
        ]
        found = only(hunt_packets(tmp_path, connection(turns, sport=443)))
        assert (found.family, found.host, found.peer, found.peer_port) == ("tls", MINER, POOL, 443)
        assert (found.name, found.packets, found.host_port) == ("eu.pool.example", 9, None)


@pytest.mark.parametrize("records", [2, 5])
def test_client_hello_when_split_over_records_gives_the_name(records):
    assert parse_greeting(client_hello("pool.example", records=records)).name == "pool.example"


@pytest.mark.parametrize(
    ("data", "complete"),
    [
        (b"\x16\x03\x01", False),
        (b"\x17\x03\x03\0\x05hello", True),
        (b"\x16\x03\x03\0\x04\x02\0\0\0", True),
        (client_hello(None), True),
        (client_hello("caf\u00e9.example"), True),
        (b"\x16\x03\x01\0\x04\x01\0\0\0", True),
        (client_hello("pool.example", padding=300)[:200], False),
    ],
)
def test_parse_greeting_without_a_whole_name_gives_none(data, complete):
    assert (parse_greeting(data).complete, parse_greeting(data).name) == (complete, "")


def test_client_hello_when_its_rest_is_missing_still_gives_the_name(tmp_path):
    hello = client_hello("pool.example") + bytes(0)
    cut = hello[:3] + struct.pack("!H", len(hello) + 500) + hello[5:]
    cut = cut[:6] + (len(hello) + 400).to_bytes(3, "big") + cut[9:]
    assert only(hunt_packets(tmp_path, connection([("c", cut)], sport=443))).family == "tls"


def test_client_hello_after_a_plain_greeting_gives_the_name(tmp_path):
    turns = [
        ("s", b"220 mail ready\r\n"),
        ("c", b"STARTTLS\r\n"),
        ("s", b"220 go\r\n"),
        ("c", client_hello("pool.example")),
    ]
    assert only(hunt_packets(tmp_path, connection(turns, sport=25))).family == "tls"


@pytest.mark.parametrize("name", ["www.school.example", None])
def test_client_hello_of_others_gives_nothing(tmp_path, name):
    assert hunt_packets(tmp_path, connection([("c", client_hello(name, padding=20_000))], sport=443)) == []


@pytest.mark.parametrize(
    ("request_line", "name"),
    [
        (b"GET /lib.js HTTP/1.1\r\nhost: Script.Example:8080\r\n\r\n", "script.example"),
        (b"GET http://script.example/x HTTP/1.1\r\nHost: proxy.example\r\n\r\n", "script.example"),
        (b"CONNECT script.example:443 HTTP/1.1\r\nHost: x\r\n\r\n", "script.example"),
        (
            b"GET / HTTP/1.1\r\nHost: www.example\r\n\r\nGET / HTTP/1.1\r\nHost: script.example\r\n\r\n",
            "script.example",
        ),
    ],
)
def test_http_request_when_the_host_is_listed_gives_a_name(tmp_path, request_line, name):
    found = only(
        hunt_packets(tmp_path, connection([("c", request_line), ("s", b"HTTP/1.1 200 OK\r\n\r\nhi")], sport=80))
    )
    assert (found.family, found.name, found.host, found.flow_class) == ("http", name, MINER, FlowClass.NAME)


def test_http_proxy_when_mining_goes_through_it_is_found_with_its_name(tmp_path):
    turns = [
        ("c", b"CONNECT pool.example:3333 HTTP/1.1\r\n\r\n"),
        ("s", b"HTTP/1.1 200 Connection established\r\n\r\n"),
        ("c", LOGIN),
    ]
    found = hunt_packets(tmp_path, connection(turns, sport=3128))
    assert [(f.family, f.flow_class) for f in found] == [("cryptonote", FlowClass.MINING), ("http", FlowClass.NAME)]


def test_http_proxy_when_tls_goes_through_it_gives_both_names(tmp_path):
    turns = [("c", b"CONNECT pool.example:443 HTTP/1.1\r\n\r\n" + client_hello("script.example"))]
    assert [f.family for f in hunt_packets(tmp_path, connection(turns))] == ["http", "tls"]


def test_tls_behind_a_lost_segment_gives_the_name(tmp_path):
    packets = connection([("c", b"{" * 5), ("c", client_hello("pool.example"))], sport=443)
    del packets[3]
    assert only(hunt_packets(tmp_path, packets)).family == "tls"


def test_name_rows_when_too_many_stay_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("sentinel.traffic.sightings.MOST_ROWS", 3)
    packets = [asked(query(f"h{n}.pool.example")) for n in range(9)]
    assert len(hunt(tmp_path, pcap(map(ethernet, packets)), FEED)) == 3


def test_mining_flow_is_never_turned_into_a_name(tmp_path):
    found = only(
        hunt_packets(tmp_path, connection([("c", line({"id": 1, "method": "mining.subscribe", "params": []}))]))
    )
    assert (found.name, found.flow_class) == ("", FlowClass.MINING)
