"""Real servers looked at: Redis, memcached, Mosquitto, rsync, etcd, InfluxDB, X, VNC, net-snmp, OpenSSH, Postfix."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from sentinel.assess.pack import load_pack
from sentinel.collect import dialer
from sentinel.collect.look import ProbeTarget
from sentinel.collect.probing import probe
from sentinel.model.probe import ProbeKind, ProbeObservation
from sentinel.model.rule import Category
from sentinel.model.scope import Level
from tests.collect.allow import permit_for, utc_now
from tests.collect.peers import ADDRESS, ROOT, free_display, free_port, running, unpack_more, unpack_native


@pytest.fixture(scope="module")
def native() -> Path:
    return unpack_native()


@pytest.fixture(scope="module")
def more() -> Path:
    return unpack_more()


def observe(port: int, service: str, kind: ProbeKind, proto: str = "tcp") -> ProbeObservation:
    found: list[ProbeObservation] = []
    target = ProbeTarget(kind, ip_address(ADDRESS), proto, port, service=service)
    probe(permit_for(ADDRESS, level=Level.CHECK), [target], found.append, now=utc_now)
    return found[0]


def look(port: int, service: str, kind: ProbeKind = ProbeKind.LOGIN, proto: str = "tcp") -> dict[str, Any]:
    found = observe(port, service, kind, proto)
    assert found.answered, found.reason
    return dict(found.values)


def is_open(port: int, service: str) -> tuple[bool, str]:
    found = look(port, service)
    return found["no_login"], found["login_proof"]


def test_redis_with_and_without_a_password(native: Path, tmp_path: Path) -> None:
    port, locked = free_port(), free_port()
    words = ["--bind", ADDRESS, "--save", "", "--protected-mode", "no", "--port"]
    with running(native, tmp_path, "usr/bin/redis-server", *words, port, port=port):
        found = look(port, "redis")
    assert (found["no_login"], found["login_version"].split(".")[0].isdecimal()) == (True, True)
    with running(native, tmp_path, "usr/bin/redis-server", *words, locked, "--requirepass", "secret", port=locked):
        assert is_open(locked, "redis") == (False, "NOAUTH")


def test_redis_whose_info_goes_by_another_name_proves_nothing(native: Path, tmp_path: Path) -> None:
    port = free_port()
    words = ["--bind", ADDRESS, "--save", "", "--protected-mode", "no", "--rename-command", "INFO", "", "--port", port]
    with running(native, tmp_path, "usr/bin/redis-server", *words, port=port):
        found = observe(port, "redis", ProbeKind.LOGIN)
    assert (found.answered, found.reason) == (False, "it refuses INFO for another reason than a login")


def test_mosquitto_with_and_without_anonymous_clients(native: Path, tmp_path: Path) -> None:
    for allowed, wanted in (("true", (True, "CONNACK 0")), ("false", (False, "CONNACK 5"))):
        port, conf = free_port(), tmp_path / f"{allowed}.conf"
        conf.write_text(f"listener {port} {ADDRESS}\nallow_anonymous {allowed}\n", "utf-8")
        with running(native, tmp_path, "usr/sbin/mosquitto", "-c", conf, port=port):
            assert is_open(port, "mqtt") == wanted


def test_memcached_with_and_without_a_login(more: Path, tmp_path: Path) -> None:
    (tmp_path / "users").write_text("user:secret\n", "utf-8")
    for words, wanted in (((), (True, "stats")), (("-Y", tmp_path / "users"), (False, "CLIENT_ERROR unauthenticated"))):
        port = free_port()
        own = ("-l", ADDRESS, "-p", port, "-U", 0, "-u", "root", *words)
        with running(more, tmp_path, "usr/bin/memcached", *own, port=port):
            assert is_open(port, "memcached") == wanted


def test_rsync_with_open_and_shut_modules(more: Path, tmp_path: Path) -> None:
    port, conf = free_port(), tmp_path / "rsyncd.conf"
    shut = f"[shut]\npath={tmp_path}\nauth users=a\nsecrets file={tmp_path}/secrets\n"
    head = f"port={port}\naddress={ADDRESS}\nuse chroot=no\nlog file={tmp_path}/rsync.log\npid file={tmp_path}/r.pid\n"
    for modules, wanted in (
        (f"[open]\npath={tmp_path}\n{shut}", (True, "2 modules, 1 without a login")),
        (shut, (False, "1 modules, 0 without a login")),
    ):
        conf.write_text(head + modules, "utf-8")
        with running(more, tmp_path, "usr/bin/rsync", "--daemon", "--no-detach", f"--config={conf}", port=port):
            assert is_open(port, "rsync") == wanted


def tell(port: int, path: str, value: dict[str, str]) -> None:
    """Set a server up by its own interface."""
    request = Request(f"http://{ADDRESS}:{port}{path}", json.dumps(value).encode())
    with urlopen(request, timeout=30) as answer:
        assert answer.status == 200


def test_etcd_before_and_after_its_logins_are_turned_on(more: Path, tmp_path: Path) -> None:
    port, peer = free_port(), f"http://{ADDRESS}:{free_port()}"
    own = f"http://{ADDRESS}:{port}"
    urls = ("--listen-client-urls", own, "--advertise-client-urls", own, "--initial-cluster", f"default={peer}")
    words = (*urls, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--data-dir", tmp_path / "etcd")
    with running(more, tmp_path, "usr/bin/etcd", *words, port=port):
        found = look(port, "etcd")
        assert (found["no_login"], found["login_proof"]) == (True, "range")
        assert found["login_version"].startswith("3.")
        tell(port, "/v3/auth/user/add", {"name": "root", "password": "secret"})
        tell(port, "/v3/auth/role/add", {"name": "root"})
        tell(port, "/v3/auth/user/grant", {"user": "root", "role": "root"})
        tell(port, "/v3/auth/enable", {})
        assert is_open(port, "etcd") == (False, "range: user name is empty")


@pytest.mark.parametrize(
    ("login", "wanted"), [("false", (True, "GET /query")), ("true", (False, "GET /query: HTTP 403"))]
)
def test_influxdb_with_and_without_logins(login, wanted, more: Path, tmp_path: Path) -> None:
    port = free_port()
    settings = {
        "INFLUXDB_HTTP_BIND_ADDRESS": f"{ADDRESS}:{port}",
        "INFLUXDB_BIND_ADDRESS": f"{ADDRESS}:{free_port()}",
        "INFLUXDB_META_DIR": str(tmp_path / "meta"),
        "INFLUXDB_DATA_DIR": str(tmp_path / "data"),
        "INFLUXDB_DATA_WAL_DIR": str(tmp_path / "wal"),
        "INFLUXDB_HTTP_AUTH_ENABLED": login,
    }
    with running(more, tmp_path, "usr/bin/influxd", port=port, settings=settings):
        assert is_open(port, "influxdb") == wanted


@pytest.mark.namespace
def test_x_server_open_to_everybody_and_with_a_cookie(more: Path, tmp_path: Path) -> None:
    parts = (b"", b"", b"MIT-MAGIC-COOKIE-1", bytes(range(16)))
    entry = b"\xff\xff" + b"".join(len(word).to_bytes(2, "big") + word for word in parts)
    (tmp_path / "cookies").write_bytes(entry)  # for every address and display. Source: Xau(3)
    for words, wanted in (
        (("-ac",), (True, "connection setup: accepted")),
        (("-auth", tmp_path / "cookies"), (False, "connection setup: not authorised")),
    ):
        number = free_display()
        own = (f":{number}", "-listen", "tcp", "-nolisten", "unix", "-screen", 0, "64x64x8", *words)
        with running(more, tmp_path, "usr/bin/Xvfb", *own, port=6000 + number, screen=True):
            assert is_open(6000 + number, "x11") == wanted


@pytest.mark.namespace
def test_vnc_with_and_without_a_password(more: Path, tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes(bytes(8))
    for words, wanted in (
        (("-SecurityTypes", "None"), (True, "security types 1")),
        (("-SecurityTypes", "VncAuth", "-rfbauth", tmp_path / "password"), (False, "security types 2")),
    ):
        port, number = free_port(), free_display()
        own = (f":{number}", "-rfbport", port, "-interface", ADDRESS, "-nolisten", "unix", *words)
        with running(more, tmp_path, "usr/bin/Xtigervnc", *own, port=port, screen=True):
            assert is_open(port, "vnc") == wanted


@pytest.mark.parametrize(
    ("conf", "wanted"),
    [
        ("rocommunity public\n", {"snmp_public": True, "snmp_version": "2c"}),
        ("rocommunity other\n", {"snmp_public": False, "snmp_version": "3"}),
    ],
)
def test_snmp_agent_with_and_without_public(conf, wanted, more: Path, tmp_path: Path, monkeypatch) -> None:
    port, path = free_port(socket.SOCK_DGRAM), tmp_path / "snmpd.conf"
    path.write_text(conf, "utf-8")
    own = ("-f", "-C", "-c", path, "-Lo", "-I", "-smux", f"udp:{ADDRESS}:{port}")
    with running(more, tmp_path, "usr/sbin/snmpd", *own):
        _wait_for_udp(port)
        monkeypatch.setattr(dialer, "ANSWER_S", 1.5)
        assert look(port, "snmp", ProbeKind.SNMP, "udp") == wanted


def _wait_for_udp(port: int) -> None:
    """Wait until somebody has the port. Source: proc_pid_net(5)."""
    word, end = f":{port:04X} ", time.monotonic() + 30
    while word not in Path("/proc/net/udp").read_text("ascii"):
        assert time.monotonic() < end, "the agent does not listen"
        time.sleep(0.05)


def test_mail_server_that_takes_everything(more: Path, tmp_path: Path) -> None:
    port = free_port()
    own = ("-u", _account(), f"{ADDRESS}:{port}", 10)
    with running(more, tmp_path, "usr/sbin/smtp-sink", *own, port=port):
        found = look(port, "smtp", ProbeKind.MAIL)
    assert (found["mail_open_relay"], found["mail_starttls"], found["mail_plain_login"]) == (True, False, True)


def _account() -> str:
    return subprocess.run(["id", "-un"], capture_output=True, text=True, timeout=30, check=True).stdout.strip()


WEAK = """KexAlgorithms +diffie-hellman-group1-sha1,diffie-hellman-group14-sha1
HostKeyAlgorithms +ssh-rsa
Ciphers +aes128-cbc,3des-cbc
MACs +hmac-md5,hmac-sha1-96
"""
STRONG = """KexAlgorithms curve25519-sha256
HostKeyAlgorithms rsa-sha2-512
Ciphers aes256-gcm@openssh.com
MACs hmac-sha2-256
"""


@pytest.fixture(scope="module")
def host_key(native: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "rsa"
    words = [str(native / "usr/bin/ssh-keygen"), "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", str(path)]
    subprocess.run(words, check=True, timeout=60)
    return path


@pytest.mark.namespace
@pytest.mark.parametrize(
    ("conf", "wanted"),
    [
        (
            WEAK,
            {
                "ssh.weak-kex",
                "ssh.kex-sha1",
                "ssh.weak-cipher",
                "ssh.cipher-cbc",
                "ssh.weak-mac",
                "ssh.mac-short",
            },
        ),
        (STRONG, set()),
    ],
    ids=["weak", "strong"],
)
def test_ssh_server_when_its_algorithms_are_weak_then_the_rules_say_which(
    conf: str, wanted: set[str], native: Path, host_key: Path, tmp_path: Path
) -> None:
    port, path = free_port(), tmp_path / "sshd_config"
    path.write_text(f"ListenAddress {ADDRESS}:{port}\nHostKey {host_key}\nPidFile none\nUsePAM no\n{conf}", "utf-8")
    tree, env = native, os.environ | {"LD_LIBRARY_PATH": str(native / "usr/lib/x86_64-linux-gnu")}
    plain = ["unshare", "-U", "--map-user=1000", "--map-group=1000"]  # root would want a folder of the system
    words = [*plain, str(tree / "usr/sbin/sshd"), "-D", "-e", "-f", str(path)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(words, env=env, stdout=log, stderr=log)
    try:
        end = time.monotonic() + 30
        while time.monotonic() < end and process.poll() is None:
            try:
                socket.create_connection((ADDRESS, port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        found = look(port, "ssh", ProbeKind.SSH)
    finally:
        process.terminate()
        process.wait(30)
    assert found["ssh_software"].startswith("OpenSSH_")
    fields = {"port": port, "service": "ssh", "guessed": False, "internet": False, **found}
    pack = load_pack([ROOT / "rules"])
    services = [one for one in pack.compiled if one.rule.category is Category.SERVICE]
    assert {one.rule.name for one in services if one.part.holds(fields)} == wanted
