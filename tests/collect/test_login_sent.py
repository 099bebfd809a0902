"""Whatever is sent to a service stands in this list: reads alone, no password, no write, no message."""

from __future__ import annotations

import re
import struct
from functools import partial

import pytest

from sentinel.collect import login_desks
from sentinel.collect.look import ProbeTarget
from sentinel.collect.probe_login import ASKERS
from sentinel.collect.probe_snmp import build_discovery, build_read
from sentinel.collect.probing import PROBERS, probe
from sentinel.model.probe import ProbeKind, ProbeObservation
from sentinel.model.scope import Level
from tests.collect.agreeable import OPEN, SHUT, Ear, exports, mongo, rpc
from tests.collect.allow import permit_for, utc_now
from tests.collect.test_login import ask
from tests.collect.test_mail_look import OPEN_RELAY, look_at, talks
from tests.collect.test_probing import HERE, serving

_GETS = {
    "elasticsearch": ["/"],
    "docker": ["/version"],
    "kubernetes": ["/version", "/api/v1/namespaces?limit=1", "/pods"],
    "etcd": ["/version"],
    "couchdb": ["/_all_dbs"],
    "clickhouse": ["/?query=SELECT%20version()"],
    "influxdb": ["/query?q=SHOW%20DATABASES"],
    "nacos": ["/nacos/v1/ns/service/list?pageNo=1&pageSize=1"],
    "jenkins": ["/api/json?tree=mode"],
    "jupyter": ["/api/status"],
    "kibana": ["/api/spaces/space"],
    "consul": ["/v1/agent/self"],
    "prometheus": ["/api/v1/status/buildinfo"],
}
_HEAD = rb"Host: 127\.77\.21\.1:\d+\r\nUser-Agent: sentinel\r\nAccept: \*/\*\r\nConnection: close\r\n"
_ETCD_BODY = re.escape(b'{"key":"AA==","range_end":"AA==","limit":"1","count_only":true}')
_KAFKA = rb"\0\0\0.|\0\x12\0\0.{4}\0\x08sentinel|\0\x03\0\x04.{4}\0\x08sentinel\0\0\0\0\0"
_MONGO = (
    rb".{4}.{4}\0{4}\xdd\x07\0\0|\0{5}.{4}\x10listDatabases\0\x01\0\0\0\x08nameOnly\0\x01\x02\$db\0\x06\0\0\0admin\0"
    rb"\x03\$readPreference\0.{4}\x02mode\0.{4}primaryPreferred\0\0\0"
)
_OLD_MONGO = rb".{4}.{4}\0{4}\xd4\x07\0\0|\x04\0\0\0admin\.\$cmd\0\0{4}\xff{4}.{4}\x10listDatabases\0\x01\0\0\0\0"
ALLOWED: dict[str, bytes] = {
    "redis": re.escape(b"*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n"),
    "memcached": rb"stats\r\n",
    "zookeeper": rb"srvr",
    "mongodb": _MONGO,
    "kafka": _KAFKA,
    "vnc": rb"RFB 003\.00[378]\n",
    "x11": rb"l\0\x0b\0\0\0\0\0\0\0\0\0",
    "mqtt": rb"\x10\x19\0\x04MQTT\x04\x02\0\x0a\0\x0dsentinel-look(\xe0\0)?|\xe0\0",
    "rsync": rb"@RSYNCD: 30\.0\n(#list|backup)\n",
    **{
        product: rb"GET ("
        + b"|".join(re.escape(path.encode()) for path in paths)
        + rb") HTTP/1\.1\r\n"
        + _HEAD
        + rb"\r\n"
        for product, paths in _GETS.items()
    },
}
ALLOWED["etcd"] += (
    rb"|POST /v3(beta)?/kv/range HTTP/1\.1\r\n"
    + _HEAD
    + rb"Content-Type: application/json\r\nContent-Length: 63\r\n\r\n"
    + _ETCD_BODY
)


def assert_allowed(allowed: bytes, heard: list[bytes]) -> None:
    pattern = re.compile(allowed, re.DOTALL)
    assert heard
    assert [data for data in heard if not pattern.fullmatch(data)] == []


@pytest.mark.parametrize("product", sorted(OPEN))
@pytest.mark.parametrize("peers", [OPEN, SHUT], ids=["open", "shut"])
def test_login_when_a_product_is_asked_then_only_what_is_listed_is_sent(product: str, peers) -> None:
    heard: list[bytes] = []
    assert ask(product, peers[product], heard=heard).answered
    assert_allowed(ALLOWED[product], heard)


def test_login_when_products_are_counted_then_each_is_listed() -> None:
    assert set(ALLOWED) == set(ASKERS) - {"nfs"}
    assert set(PROBERS) <= set(ProbeKind)


def test_login_when_an_old_mongodb_is_asked_then_it_only_lists() -> None:
    heard: list[bytes] = []
    ask("mongodb", partial(mongo, {"databases": {}, "ok": 1}, old=True), heard=heard)
    assert_allowed(_MONGO + b"|" + _OLD_MONGO, heard)


def test_login_when_nfs_is_asked_then_shares_are_listed_and_nothing_mounted(monkeypatch) -> None:
    heard: list[bytes] = []
    with serving(lambda line: rpc(exports((b"/a", ())), Ear(line, heard))) as mount:
        answer = struct.pack(">I", mount)
        with serving(lambda line: rpc(answer, Ear(line, heard))) as portmap:
            monkeypatch.setattr(login_desks, "_RPC_PORT", portmap)
            assert ask("nfs", lambda ear: None, port=2049).answered
    calls = [(*struct.unpack(">III", data[12:24]), data[24:40]) for data in heard if len(data) > 4]
    assert calls == [(100000, 2, 3, bytes(16)), (100005, 3, 5, bytes(16))]


def test_mail_when_it_relays_then_no_message_is_ever_begun() -> None:
    heard: list[bytes] = []
    look_at("smtp", talks(OPEN_RELAY), level=Level.CHECK, heard=heard)
    own = rb"EHLO \[127\.\d+\.\d+\.\d+\]\r\n"
    assert re.fullmatch(own, heard[0])
    assert heard[1:] == [
        b"VRFY postmaster\r\n",
        b"EXPN postmaster\r\n",
        b"MAIL FROM:<test@example.com>\r\n",
        b"RCPT TO:<test@example.org>\r\n",
        b"RSET\r\n",
        b"QUIT\r\n",
    ]


def test_snmp_when_written_then_it_is_a_read_of_one_value_with_the_community_public() -> None:
    for version in (0, 1):
        data = build_read(version, 0x01020304)
        assert data == (
            b"\x30\x29\x02\x01" + bytes([version]) + b"\x04\x06public\xa0\x1c\x02\x04\x01\x02\x03\x04"
            b"\x02\x01\0\x02\x01\0\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x01\0\x05\0"
        )
    data = build_discovery(1)
    assert b"public" not in data
    assert data.count(b"\xa0") == 1


def test_ssh_when_looked_at_then_only_a_greeting_is_sent() -> None:
    heard: list[bytes] = []
    found: list[ProbeObservation] = []

    def talk(line) -> None:
        ear = Ear(line, heard)
        ear.say(b"SSH-2.0-x\r\n")
        ear.hear()

    with serving(talk) as port:
        target = ProbeTarget(ProbeKind.SSH, HERE, "tcp", port, service="ssh")
        probe(permit_for(str(HERE)), [target], found.append, now=utc_now)
    assert heard == [b"SSH-2.0-sentinel\r\n"]
