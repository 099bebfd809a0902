"""Scripted services for every product that is asked without a login, written from the published protocols.

`OPEN` lets everybody in, `SHUT` asks for a login; each is a talk over one connection, which may happen several times.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from functools import partial

from sentinel.collect.bson import build_document

Talk = Callable[["Ear"], None]


class Ear:
    """One connection that keeps what it hears."""

    def __init__(self, line, heard: list[bytes]) -> None:
        self._line = line
        self._heard = heard
        line.settimeout(20)

    def hear(self, size: int = 65_536) -> bytes:
        data: bytes = self._line.recv(size)
        if data:
            self._heard.append(data)
        return data

    def exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self._line.recv(size - len(data))
            if not more:
                raise OSError("hung up")
            data += more
        self._heard.append(data)
        return data

    def say(self, data: bytes) -> None:
        self._line.sendall(data)


def says(*answers: bytes) -> Talk:
    """Answer one after the other, each when something was heard."""

    def talk(ear: Ear) -> None:
        for answer in answers:
            ear.hear()
            ear.say(answer)

    return talk


def greets(greeting: bytes, *answers: bytes) -> Talk:
    def talk(ear: Ear) -> None:
        ear.say(greeting)
        says(*answers)(ear)

    return talk


def http(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    rows = {"Content-Length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in rows.items())
    return f"HTTP/1.1 {status} Word\r\n{head}\r\n".encode() + body


def serves(pages: Mapping[str, bytes]) -> Talk:
    """Answer a request for a path; any other is not found."""

    def talk(ear: Ear) -> None:
        path = ear.hear().split(b" ")[1].decode().partition("?")[0]
        ear.say(pages.get(path, http(404)))

    return talk


def page(path: str, value: object, **headers: str) -> Talk:
    return serves({path: http(body=json.dumps(value).encode(), **headers)})


def mongo(fields: Mapping[str, object], ear: Ear, *, old: bool = False) -> None:
    size, number, _, kind = struct.unpack("<iiii", ear.exactly(16))
    ear.exactly(size - 16)
    if old and kind == 2013:
        return
    body = struct.pack("<IB", 0, 0) + build_document(fields)
    if kind != 2013:
        body = struct.pack("<iqii", 8, 0, 0, 1) + build_document(fields)
    ear.say(struct.pack("<iiii", 16 + len(body), 5, number, kind if kind == 2013 else 1) + body)


def kafka(most: int, ear: Ear, *, login: bool = False) -> None:
    for _ in range(2):
        (size,) = struct.unpack(">i", ear.exactly(4))
        request = ear.exactly(size)
        key, version, number = struct.unpack_from(">hhi", request)
        if key == 18:
            body = struct.pack(">hi", 0, 2) + struct.pack(">hhh", 18, 0, 3) + struct.pack(">hhh", 3, 0, most)
        elif login:
            return
        else:
            brokers = struct.pack(">ii", 1, 7) + struct.pack(">h", 1) + b"h" + struct.pack(">ih", 9092, -1)
            body = (bytes(4) if version >= 3 else b"") + brokers + struct.pack(">ii", 7, 0)
        ear.say(struct.pack(">ii", len(body) + 4, number) + body)


def rsync(opens: bool, ear: Ear) -> None:
    ear.say(b"@RSYNCD: 31.0 sha512 sha256\n")
    asked = b""
    while asked.count(b"\n") < 2:
        asked += ear.hear()
    if asked.split(b"\n")[1] == b"#list":
        ear.say("欢迎\nbackup         \t示例备份\n".encode() + b"@RSYNCD: EXIT\n")
    else:
        ear.say(b"@RSYNCD: OK\n" if opens else b"@RSYNCD: AUTHREQD abc\n")


def x11(outcome: int, ear: Ear) -> None:
    ear.exactly(12)
    text = b"Authorization required, but no authorization protocol specified\n"
    body = text if outcome != 1 else bytes(32)
    body += bytes(-len(body) % 4)
    ear.say(struct.pack("<BBHHH", outcome, len(text) if outcome != 1 else 0, 11, 0, len(body) // 4) + body)


def xdr_text(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text + bytes(-len(text) % 4)


def exports(*shares: tuple[bytes, tuple[bytes, ...]]) -> bytes:
    data = b""
    for path, clients in shares:
        names = b"".join(b"\0\0\0\1" + xdr_text(client) for client in clients)
        data += b"\0\0\0\1" + xdr_text(path) + names + bytes(4)
    return data + bytes(4)


def rpc(result: bytes, ear: Ear, *, pieces: int = 1) -> None:
    (mark,) = struct.unpack(">I", ear.exactly(4))
    call = ear.exactly(mark & 0x7FFFFFFF)
    reply = call[:4] + struct.pack(">IIIII", 1, 0, 0, 0, 0) + result
    cut = len(reply) // pieces
    parts = [reply[cut * one : cut * (one + 1) if one < pieces - 1 else len(reply)] for one in range(pieces)]
    for one, part in enumerate(parts):
        last = 0x80000000 if one == pieces - 1 else 0
        ear.say(struct.pack(">I", last | len(part)) + part)


INFO = b"# Server\r\nredis_version:7.2.4\r\n"
ELASTIC = {"name": "n", "cluster_name": "c", "version": {"number": "7.10.2"}, "tagline": "You Know, for Search"}
SERIES = {"results": [{"series": [{"name": "databases", "columns": ["name"], "values": [["a"], ["b"]]}]}]}
ETCD = {"/version": http(body=b'{"etcdserver":"3.5.9","etcdcluster":"3.5.0"}')}
KUBE = {"/version": http(body=b'{"gitVersion":"v1.27.3+k3s1"}')}
LOGIN = http(302, b"", Location="/login?next=%2F")

OPEN: Mapping[str, Talk] = {
    "redis": says(b"$%d\r\n%b\r\n" % (len(INFO), INFO)),
    "memcached": says(b"STAT pid 1\r\nSTAT version 1.6.18\r\nEND\r\n"),
    "mongodb": partial(mongo, {"databases": {"0": "a", "1": "b"}, "ok": 1}),
    "zookeeper": says(b"Zookeeper version: 3.4.13-2d71af4, built on 06/29/2018\nMode: standalone\nNode count: 4\n"),
    "kafka": partial(kafka, 9),
    "vnc": greets(b"RFB 003.008\n", b"\x02\x02\x01"),
    "x11": partial(x11, 1),
    "mqtt": says(b"\x20\x02\0\0", b""),
    "rsync": partial(rsync, True),
    "elasticsearch": page("/", ELASTIC),
    "docker": page("/version", {"Version": "20.10.5", "ApiVersion": "1.41"}),
    "kubernetes": serves(KUBE | {"/api/v1/namespaces": http(body=b'{"kind":"NamespaceList","items":[]}')}),
    "etcd": serves(ETCD | {"/v3/kv/range": http(body=b'{"header":{"revision":"4"}}')}),
    "couchdb": page("/_all_dbs", ["_users", "a"], Server="CouchDB/2.3.1 (Erlang OTP/19)"),
    "clickhouse": serves({"/": http(body=b"23.8.2.7\n", X_ClickHouse_Format="TabSeparated")}),
    "influxdb": page("/query", SERIES, X_Influxdb_Version="1.8.10"),
    "nacos": page("/nacos/v1/ns/service/list", {"count": 3, "doms": ["a"]}),
    "jenkins": page("/api/json", {"_class": "hudson.model.Hudson", "mode": "NORMAL"}, X_Jenkins="2.401"),
    "jupyter": page("/api/status", {"started": "x", "last_activity": "x", "connections": 0, "kernels": 0}),
    "kibana": page("/api/spaces/space", [{"id": "default", "name": "Default"}]),
    "consul": page("/v1/agent/self", {"Config": {"Version": "1.15.2"}, "Member": {}}),
    "prometheus": page("/api/v1/status/buildinfo", {"status": "success", "data": {"version": "2.45.0"}}),
}

SHUT: Mapping[str, Talk] = {
    "redis": says(b"-NOAUTH Authentication required.\r\n"),
    "memcached": says(b"CLIENT_ERROR unauthenticated\r\n"),
    "mongodb": partial(mongo, {"ok": 0, "errmsg": "command listDatabases requires authentication", "code": 13}),
    "zookeeper": says(b"srvr is not executed because it is not in the whitelist.\n"),
    "kafka": partial(kafka, 9, login=True),
    "vnc": greets(b"RFB 003.008\n", b"\x01\x02"),
    "x11": partial(x11, 0),
    "mqtt": says(b"\x20\x02\0\5"),
    "rsync": partial(rsync, False),
    "elasticsearch": says(http(401)),
    "docker": says(http(403)),
    "kubernetes": serves(KUBE | {"/api/v1/namespaces": http(403)}),
    "etcd": serves(ETCD | {"/v3/kv/range": http(400, b'{"error":"etcdserver: user name is empty","code":3}')}),
    "couchdb": says(http(401)),
    "clickhouse": says(http(401)),
    "influxdb": says(http(401)),
    "nacos": says(http(403)),
    "jenkins": says(http(403)),
    "jupyter": says(LOGIN),
    "kibana": says(LOGIN),
    "consul": says(http(403)),
    "prometheus": says(http(401)),
}
