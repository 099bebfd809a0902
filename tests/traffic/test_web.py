from __future__ import annotations

import json
import struct
import zlib

import pytest

from sentinel.model.flow import FlowClass
from sentinel.traffic.web import is_http, read_http
from sentinel.traffic.websocket import read_websocket
from tests.traffic.build import MINER, POOL, connection, hunt_packets, line, only

GETWORK = b'{"method": "getwork", "params": [], "id":0}'
AUTH = json.dumps({"type": "auth", "params": {"site_key": "K1" * 16, "type": "anonymous"}}).encode()
WS_JOB = json.dumps({"type": "job", "params": {"job_id": "1", "blob": "0a" * 76, "target": "ff"}}).encode()
UPGRADE = b"GET /proxy HTTP/1.1\r\nHost: www.school.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


def frame(content: bytes, first: int = 0x81, mask: bytes = b"") -> bytes:
    bit = 0x80 if mask else 0
    if len(content) < 126:
        head = bytes([first, bit | len(content)])
    elif len(content) < 65_536:
        head = bytes([first, bit | 126]) + struct.pack("!H", len(content))
    else:
        head = bytes([first, bit | 127]) + struct.pack("!Q", len(content))
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(content)) if mask else head + content


def deflate(*contents: bytes) -> list[bytes]:
    squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return [(squeeze.compress(c) + squeeze.flush(zlib.Z_SYNC_FLUSH))[:-4] for c in contents]


def chunked(body: bytes, size: int) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x;note=1\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST / HTTP/1.1\r\nContent-Length: 43\r\n\r\n" + GETWORK,
        b"POST / HTTP/1.0\nContent-Length: 43\n\n" + GETWORK,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(GETWORK, 7),
        b"POST / HTTP/1.1\r\n\r\n" + GETWORK,
        b"POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nokPOST / HTTP/1.1\r\nContent-Length: 43\r\n\r\n" + GETWORK,
        b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunked(b"ok", 1)
        + b"POST / HTTP/1.1\r\n\r\n"
        + GETWORK,
        b"GET / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 9999\r\n\r\n" + GETWORK,
    ],
)
def test_getwork_when_framed_in_any_way_is_found(tmp_path, request_bytes):
    found = only(hunt_packets(tmp_path, connection([("c", request_bytes)], sport=8332)))
    assert (found.family, found.flow_class, found.host, found.certainty) == ("getwork", FlowClass.MINING, MINER, 0.95)


def test_getwork_when_only_the_answer_was_captured_names_the_miner(tmp_path):
    body = json.dumps({"id": 0, "result": {"data": "0" * 256, "target": "f" * 64}, "error": None}).encode()
    for framed in (
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body),
        b"HTTP/1.1 200 OK\r\n\r\n" + body,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body, 100)[:-7],
    ):
        found = only(hunt_packets(tmp_path, connection([("s", framed)], opened=False)))
        assert (found.family, found.host, found.peer) == ("getwork", MINER, POOL)


@pytest.mark.parametrize(
    ("side", "head"),
    [
        ("c", b"POST / HTTP/1.1\r\nX-Mining-Extensions: longpoll\r\n\r\n"),
        ("c", b"GET /lp HTTP/1.1\r\nx-mining-hashrate: 1000\r\nX-Cut: "),
        ("s", b"HTTP/1.1 200 OK\r\nX-Stratum: stratum+tcp://pool:3333\r\n\r\n"),
        ("s", b"HTTP/1.1 401 no\r\nX-Roll-NTime: Y\r\nContent-Length: 0\r\n\r\n"),
    ],
)
def test_mining_headers_alone_prove_it(tmp_path, side, head):
    found = only(hunt_packets(tmp_path, connection([(side, head)])))
    assert (found.family, found.flow_class, found.host) == ("getwork", FlowClass.MINING, MINER)


def test_getwork_with_a_query_shows_no_account_of_it(tmp_path):
    head = b"POST /work?user=zhangsan HTTP/1.1\r\nX-Mining-Extensions: longpoll\r\n\r\n"
    found = only(hunt_packets(tmp_path, connection([("c", head)])))
    assert found.evidence.startswith("POST /work?… HTTP/1.1")


def test_getwork_with_login_shows_agent_and_masked_user_only(tmp_path):
    head = b"POST / HTTP/1.1\r\nAuthorization: Basic d29ya2VyMTIzOnNlY3JldA==\r\n"
    head += b"User-Agent: cgminer\r\nContent-Length: 43\r\n\r\n"
    found = only(hunt_packets(tmp_path, connection([("c", head + GETWORK)])))
    assert (found.agent, found.wallet) == ("cgminer", "wo…")
    assert "d29ya2" not in found.evidence


@pytest.mark.parametrize(
    "turns",
    [
        [("c", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), ("s", b"HTTP/1.1 200 OK\r\n\r\n<p>mining.subscribe getwork</p>")],
        [("s", b"HTTP/1.1 200 OK\r\nX-Long-Polling: /lp\r\nContent-Length: 2\r\n\r\n{}")],
        [("c", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\nmethod=getwork")],
        [("c", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nnot chunked")],
        [("c", UPGRADE + frame(b'{"type":"auth","params":{"token":"x"}}', mask=b"1234"))],
        [("c", UPGRADE), ("s", SWITCHED + frame(b"\x00\x01binary", 0x82) + frame(b"", 0x88) + b"\xff\xff")],
    ],
)
def test_web_traffic_of_others_gives_nothing(tmp_path, turns):
    assert hunt_packets(tmp_path, connection(turns, sport=80)) == []


@pytest.mark.parametrize("mask", [b"\1\2\3\4", b"abcd", bytes(4)])
def test_browser_mining_when_masked_is_found(tmp_path, mask):
    turns = [("c", UPGRADE), ("s", SWITCHED), ("c", frame(AUTH, mask=mask)), ("s", frame(WS_JOB))]
    found = only(hunt_packets(tmp_path, connection(turns, sport=80)))
    assert (found.family, found.flow_class, found.host, found.coin) == ("websocket", FlowClass.MINING, MINER, "XMR")
    assert found.wallet == "K1K1…K1K1"
    assert "K1" * 16 not in found.evidence


def test_browser_mining_when_split_at_any_byte_is_found(tmp_path):
    data = UPGRADE + frame(AUTH, mask=b"wxyz")
    for cut in range(1, len(data), 2):
        found = only(hunt_packets(tmp_path, connection([("c", data[:cut]), ("c", data[cut:])], sport=80)))
        assert found.family == "websocket"


def test_browser_mining_when_its_start_was_not_captured_is_found(tmp_path):
    for side, data in (("c", frame(AUTH, mask=b"1234")), ("s", frame(WS_JOB)), ("s", frame(WS_JOB, 0x82))):
        turns = [(side, data)]
        found = only(hunt_packets(tmp_path, connection(turns, opened=False, closed=False, sport=80)))
        assert (found.family, found.host) == ("websocket", MINER)


def test_browser_mining_when_compressed_is_found(tmp_path):
    first, second = deflate(b'{"type":"hello"}', WS_JOB)
    turns = [("c", UPGRADE), ("s", SWITCHED + frame(first, 0xC1) + frame(second, 0xC1))]
    assert only(hunt_packets(tmp_path, connection(turns, sport=80))).family == "websocket"


def test_stratum_inside_websocket_is_family_websocket(tmp_path):
    message = line({"id": 1, "method": "mining.subscribe", "params": []})
    found = only(hunt_packets(tmp_path, connection([("c", UPGRADE + frame(message, mask=b"1234"))], sport=80)))
    assert found.family == "websocket"


def test_read_websocket_when_fragmented_or_long_joins_messages():
    parts = frame(b"ab", 0x01) + frame(b"ping", 0x89) + frame(b"cd", 0x00) + frame(b"ef", 0x80)
    long = frame(b"x" * 70_000, 0x82)
    assert list(read_websocket(parts + frame(b"y" * 300) + long)) == [b"abcdef", b"y" * 300, b"x" * 70_000]


@pytest.mark.parametrize("data", [b"", b"\x81", b"\x81\x85\1\2", b"\xb1\x01x", b"\x83\x01x", frame(b"\xff\xff", 0xC1)])
def test_read_websocket_when_damaged_gives_nothing(data):
    assert list(read_websocket(data)) == []


def test_read_websocket_when_inflated_content_is_huge_stays_bounded():
    (bomb,) = deflate(bytes(5_000_000))
    (message,) = read_websocket(frame(bomb, 0xC1))
    assert len(message) == 65_536


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GET / HTTP/1.1\r\n", True),
        (b"HTTP/1.0 200 OK\r\n", True),
        (b"GET me a beer\r\n", False),
        (b"EHLO mail\r\n", False),
        (b"get / HTTP/1.1\r\n", False),
        (b"", False),
    ],
)
def test_is_http_tells_start_lines(data, expected):
    assert is_http(data) is expected


def test_read_http_when_there_are_very_many_messages_stops():
    assert len(list(read_http(b"GET / HTTP/1.1\r\n\r\n" * 500))) == 64


def test_read_http_when_headers_are_odd_keeps_what_is_whole():
    (message,) = read_http(b"GET http://user@h.example:1/ HTTP/1.1\r\nno colon\r\nA: 1\r\nA: 2\r\n" + b"B: x\r\n" * 300)
    assert (message.target, message.headers["a"], len(message.headers)) == ("h.example", "2", 2)
    (answer,) = read_http(b"HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n")
    assert (answer.target, answer.body) == ("", b"")
