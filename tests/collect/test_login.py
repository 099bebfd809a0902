"""Services asked without a login: let in, turned away, and whatever else they may say.

The peers are scripted from the published protocols; `test_login_real` asks real programs where Debian has them.
"""

from __future__ import annotations

import struct
from functools import partial
from typing import Any

import pytest

from sentinel.collect import login_desks
from sentinel.collect.look import ProbeTarget
from sentinel.collect.probe_login import ASKERS
from sentinel.collect.probing import probe
from sentinel.model.probe import ProbeKind, ProbeObservation
from sentinel.model.scope import Level
from tests.collect.agreeable import (
    ELASTIC,
    ETCD,
    OPEN,
    SHUT,
    Ear,
    Talk,
    exports,
    greets,
    http,
    kafka,
    mongo,
    page,
    rpc,
    says,
    serves,
)
from tests.collect.allow import permit_for, utc_now
from tests.collect.test_probing import HERE, serving


def ask(product: str, talk: Talk, *, heard: list[bytes] | None = None, port: int | None = None) -> ProbeObservation:
    """Ask a scripted peer; what it heard is added to `heard`."""
    found: list[ProbeObservation] = []
    kept = [] if heard is None else heard
    with serving(lambda line: talk(Ear(line, kept))) as served:
        target = ProbeTarget(ProbeKind.LOGIN, HERE, "tcp", port or served, service=product)
        probe(permit_for(str(HERE), level=Level.CHECK), [target], found.append, now=utc_now)
    return found[0]


def values(one: ProbeObservation) -> dict[str, Any]:
    assert one.answered, one.reason
    return {name.removeprefix("login_"): value for name, value in one.values}


TOLD = {
    "redis": {"version": "7.2.4", "proof": "INFO server"},
    "memcached": {"version": "1.6.18", "proof": "stats"},
    "mongodb": {"listed": 2, "proof": "listDatabases: 2"},
    "zookeeper": {"version": "3.4.13", "proof": "srvr"},
    "kafka": {"proof": "Metadata: 1 brokers"},
    "vnc": {"proof": "security types 2,1"},
    "x11": {"proof": "connection setup: accepted"},
    "mqtt": {"proof": "CONNACK 0"},
    "rsync": {"listed": 1, "proof": "1 modules, 1 without a login"},
    "elasticsearch": {"version": "7.10.2", "proof": "GET /"},
    "docker": {"version": "20.10.5", "proof": "GET /version"},
    "kubernetes": {"version": "1.27.3+k3s1", "proof": "GET /api/v1/namespaces"},
    "etcd": {"version": "3.5.9", "proof": "range"},
    "couchdb": {"version": "2.3.1", "listed": 2, "proof": "GET /_all_dbs"},
    "clickhouse": {"version": "23.8.2.7", "proof": "GET /"},
    "influxdb": {"version": "1.8.10", "listed": 2, "proof": "GET /query"},
    "nacos": {"listed": 3, "proof": "GET /nacos/v1/ns/service/list"},
    "jenkins": {"version": "2.401", "proof": "GET /api/json"},
    "jupyter": {"proof": "GET /api/status"},
    "kibana": {"listed": 1, "proof": "GET /api/spaces/space"},
    "consul": {"version": "1.15.2", "proof": "GET /v1/agent/self"},
    "prometheus": {"version": "2.45.0", "proof": "GET /api/v1/status/buildinfo"},
}


@pytest.mark.parametrize("product", TOLD)
def test_service_when_it_lets_everybody_in_then_that_is_proven_without_its_data(product: str) -> None:
    assert values(ask(product, OPEN[product])) == {"no_login": True, "product": product} | TOLD[product]


@pytest.mark.parametrize("product", SHUT)
def test_service_when_it_asks_for_a_login_then_that_is_told(product: str) -> None:
    found = values(ask(product, SHUT[product]))
    assert (found["no_login"], found["product"]) == (False, product)
    assert found["proof"]


def test_products_when_counted_then_each_has_an_open_and_a_shut_peer() -> None:
    assert set(OPEN) == set(SHUT) == set(TOLD) == set(ASKERS) - {"nfs"}


JUNK = [
    b"",
    b"\xff" * 5000,
    b"\0" * 5000,
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n" + b"[" * 70_000,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    b"HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 x\r\nLocation: /start\r\nContent-Length: 0\r\n\r\n",
    b"$999999\r\nredis_version:7\r\n",
    b"$7\r\nabcdefg\r\n",
    b"-ERR unknown command\r\n",
    b"ERROR\r\n",
    b"RFB 003.008\n\0\0\0\0\0",
    b"RFB 003.008\n\x01\0",
    b"\x20\x02\0\3",
    b"@RSYNCD: nothing\n",
    struct.pack("<BBHHH", 0, 4, 11, 0, 1) + b"full",
    struct.pack("<BBHHH", 1, 0, 9, 0, 1) + b"full",
]


@pytest.mark.parametrize("product", sorted(ASKERS))
def test_service_when_it_answers_nonsense_then_nothing_is_claimed(product: str, monkeypatch) -> None:
    for answer in JUNK:

        def talk(ear: Ear, answer: bytes = answer) -> None:
            ear.say(answer)
            ear.hear()

        found: list[ProbeObservation] = []
        with serving(lambda line, talk=talk: talk(Ear(line, []))) as port:
            monkeypatch.setattr(login_desks, "_RPC_PORT", port)
            target = ProbeTarget(ProbeKind.LOGIN, HERE, "tcp", port, service=product)
            probe(permit_for(str(HERE), level=Level.CHECK), [target], found.append, now=utc_now)
        assert (found[0].answered, found[0].values) == (False, ()), (product, answer[:40], found[0].values)
        assert found[0].reason


@pytest.mark.parametrize(
    ("product", "talk"),
    [
        ("mongodb", partial(mongo, {"ok": 1})),
        ("mongodb", partial(mongo, {"ok": 0, "code": 59, "errmsg": "no such command"})),
        ("mongodb", partial(mongo, {"ok": 1, "databases": "many"})),
        ("kafka", partial(kafka, 0)),
        ("elasticsearch", page("/", {"version": "7"})),
        ("elasticsearch", page("/", {**ELASTIC, "version": {"number": 7}})),
        ("couchdb", page("/_all_dbs", ["a"], Server="nginx")),
        ("clickhouse", serves({"/": http(body=b"23.8.2.7\n")})),
        ("clickhouse", serves({"/": http(body=b"Ok.\n", X_ClickHouse_Format="x")})),
        ("influxdb", page("/query", {"results": [{"error": "x"}]}, X_Influxdb_Version="1.8")),
        ("influxdb", page("/query", {"results": []}, X_Influxdb_Version="1.8")),
        ("nacos", page("/nacos/v1/ns/service/list", {"count": True, "doms": []})),
        ("jenkins", page("/api/json", {"mode": "NORMAL"})),
        ("kibana", page("/api/spaces/space", [{"name": 1}])),
        ("prometheus", page("/api/v1/status/buildinfo", {"status": "error", "data": {"version": "2"}})),
        ("etcd", serves(ETCD)),
        ("etcd", serves(ETCD | {"/v3/kv/range": http(500)})),
        ("kubernetes", serves({"/version": http(404), "/api/v1/namespaces": http(body=b'{"kind":"Status"}')})),
    ],
)
def test_service_when_it_only_resembles_the_product_then_nothing_is_claimed(product: str, talk: Talk) -> None:
    found = ask(product, talk)
    assert (found.answered, found.values) == (False, ())


def test_mongodb_when_it_knows_no_op_msg_then_it_is_asked_the_old_way() -> None:
    found = values(ask("mongodb", partial(mongo, {"databases": {}, "ok": 1}, old=True)))
    assert (found["no_login"], found["listed"]) == (True, 0)


def test_kafka_when_it_is_old_then_it_is_asked_in_its_version() -> None:
    assert values(ask("kafka", partial(kafka, 1)))["proof"] == "Metadata: 1 brokers"


@pytest.mark.parametrize(
    ("greeting", "kinds", "is_open", "own"),
    [
        (b"RFB 003.003\n", b"\0\0\0\1", True, b"RFB 003.003\n"),
        (b"RFB 003.003\n", b"\0\0\0\2", False, b"RFB 003.003\n"),
        (b"RFB 003.005\n", b"\0\0\0\2", False, b"RFB 003.003\n"),
        (b"RFB 003.007\n", b"\1\1", True, b"RFB 003.007\n"),
        (b"RFB 003.889\n", b"\4\x1e\x21\x24\x23", False, b"RFB 003.008\n"),
        (b"RFB 005.000\n", b"\2\5\x0d", False, b"RFB 003.008\n"),
    ],
)
def test_vnc_when_of_another_version_then_it_is_spoken(
    greeting: bytes, kinds: bytes, is_open: bool, own: bytes
) -> None:
    heard: list[bytes] = []
    assert values(ask("vnc", greets(greeting, kinds), heard=heard))["no_login"] is is_open
    assert heard == [own]


def test_kubelet_when_its_pods_are_told_then_a_list_cut_off_is_proof_enough(monkeypatch) -> None:
    pods = b'{"kind":"PodList","items":[' + b"{}," * 100_000
    talk = serves({"/pods": http(body=pods)})
    found: list[ProbeObservation] = []
    with serving(lambda line: talk(Ear(line, []))) as port:
        monkeypatch.setattr("sentinel.collect.login_web._KUBELET_PORTS", {port})
        target = ProbeTarget(ProbeKind.LOGIN, HERE, "tcp", port, service="kubernetes")
        probe(permit_for(str(HERE), level=Level.CHECK), [target], found.append, now=utc_now)
    assert values(found[0]) == {"no_login": True, "product": "kubernetes", "proof": "GET /pods"}


@pytest.mark.parametrize(
    ("shares", "is_open", "proof"),
    [
        ([(b"/srv/a", ()), (b"/srv/b", (b"10.0.0.0/8",))], True, "2 shares, 1 for everybody"),
        ([(b"/srv/a", (b"*",))], True, "1 shares, 1 for everybody"),
        ([(b"/srv/b", (b"10.0.0.1", b"@staff"))], False, "1 shares, 0 for everybody"),
        ([], False, "0 shares, 0 for everybody"),
    ],
)
def test_nfs_when_its_shares_are_listed_then_those_for_everybody_count(shares, is_open, proof, monkeypatch) -> None:
    heard: list[bytes] = []
    with serving(lambda line: rpc(exports(*shares), Ear(line, heard), pieces=3)) as mount:
        answer = struct.pack(">I", mount)
        with serving(lambda line: rpc(answer, Ear(line, heard))) as portmap:
            monkeypatch.setattr(login_desks, "_RPC_PORT", portmap)
            found = values(ask("nfs", says(), port=2049))
    assert found == {"no_login": is_open, "product": "nfs", "proof": proof, "listed": len(shares)}
    assert [data[4:24][8:] for data in (heard[1], heard[3])] == [
        struct.pack(">III", 100000, 2, 3),
        struct.pack(">III", 100005, 3, 5),
    ]


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (b"\0\0\0\0", "no mount service"),
        (struct.pack(">I", 70_000), "no mount service"),
        (b"", "does not answer the call"),
    ],
)
def test_nfs_when_there_is_no_mount_service_then_nothing_is_claimed(result: bytes, words: str, monkeypatch) -> None:
    with serving(lambda line: rpc(result, Ear(line, []))) as portmap:
        monkeypatch.setattr(login_desks, "_RPC_PORT", portmap)
        found = ask("nfs", says(), port=2049)
    assert not found.answered
    assert words in found.reason


@pytest.mark.parametrize(
    "listing",
    [b"\0\0\0\1" * 3, b"\0\0\0\1\xff\xff\xff\xff" + bytes(8), (b"\0\0\0\1" + bytes(8)) * 5000],
    ids=["cut off", "long name", "too many"],
)
def test_nfs_when_the_list_of_shares_is_broken_then_nothing_is_claimed(listing: bytes, monkeypatch) -> None:
    with serving(lambda line: rpc(listing, Ear(line, []))) as mount:
        answer = struct.pack(">I", mount)
        with serving(lambda line: rpc(answer, Ear(line, []))) as portmap:
            monkeypatch.setattr(login_desks, "_RPC_PORT", portmap)
            assert not ask("nfs", says(), port=2049).answered


def test_login_when_no_request_is_known_then_nothing_is_sent() -> None:
    heard: list[bytes] = []
    found = ask("ftp", says(b""), heard=heard)
    assert (found.answered, found.reason, heard) == (False, "no read-only request is known for it", [])
