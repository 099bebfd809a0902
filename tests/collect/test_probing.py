"""Closer looks inside a permit: paced, counted, bounded, and honest where nothing came of them."""

from __future__ import annotations

import asyncio
import errno
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address

import pytest

from sentinel.collect import probing
from sentinel.collect.dialer import MAX_ANSWER, NO_LONGER, Dialer, NoAnswerError
from sentinel.collect.look import Prober, ProbeTarget
from sentinel.collect.probe_ssh import SSH
from sentinel.collect.probing import probe
from sentinel.errors import ScopeError
from sentinel.model.probe import ProbeKind, ProbeObservation
from sentinel.model.scope import Level
from tests.collect.allow import permit_for, utc_now

HERE = ip_address("127.77.21.1")


@contextmanager
def serving(talk, address: str = str(HERE)) -> Iterator[int]:
    """Serve TCP at an address with `talk(socket)` for each connection; gives the port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                talk(self.request)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server((address, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def look(port: int, kind: ProbeKind = ProbeKind.SSH, look=SSH.look, permit=None, level=Level.SERVICE):
    found: list[ProbeObservation] = []
    target = ProbeTarget(kind, HERE, "tcp", port)
    sent = probe(
        permit or permit_for(str(HERE)), [target], found.append, now=utc_now, probers={kind: Prober(level, look)}
    )
    return found, sent


def name_lists(*lists: str) -> bytes:
    body = bytes([20]) + b"c" * 16 + b"".join(struct.pack(">I", len(one)) + one.encode() for one in lists) + b"\0" * 5
    padding = 8 - (len(body) + 5) % 8 + 8
    return struct.pack(">IB", len(body) + padding + 1, padding) + body + b"\0" * padding


OFFER = name_lists("kex-a,kex-b", "ssh-rsa", "aes128-cbc", "x", "hmac-md5", "x", "none", "x", "", "")


def test_ssh_when_it_offers_algorithms_then_all_are_told() -> None:
    heard = bytearray()

    def talk(line) -> None:
        line.sendall(b"Welcome\r\nSSH-2.0-OpenSSH_7.4 Debian\r\n" + OFFER[:9])
        heard.extend(line.recv(100))
        line.sendall(OFFER[9:])

    with serving(talk) as port:
        (one,), sent = look(port)
    assert (one.answered, one.reason, sent) == (True, "", 1)
    assert dict(one.values) == {
        "ssh_protocol": "2.0",
        "ssh_software": "OpenSSH_7.4 Debian",
        "ssh_kex": ("kex-a", "kex-b"),
        "ssh_host_keys": ("ssh-rsa",),
        "ssh_ciphers": ("aes128-cbc",),
        "ssh_macs": ("hmac-md5",),
        "ssh_compression": ("none",),
    }
    assert heard == b"SSH-2.0-sentinel\r\n"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "does not greet"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not greet"),
        (b"x" * 100_000, "does not greet"),
        (b"SSH-2.0-x\r\n", "connection ended"),
        (b"SSH-2.0-x\r\n" + b"\xff" * 40, "no possible length"),
        (b"SSH-2.0-x\r\n" + OFFER[:60], "connection ended"),
        (b"SSH-2.0-x\r\n" + name_lists("a" * 300)[:-1] + b"\0", "cut off"),
        (b"SSH-2.0-x\r\n" + struct.pack(">IB", 20, 1) + b"\x63" * 19, "offers no algorithms"),
    ],
)
def test_ssh_when_the_answer_is_none_then_the_reason_is_told_and_nothing_else(answer: bytes, words: str) -> None:
    with serving(lambda line: line.sendall(answer)) as port:
        (one,), _ = look(port)
    assert (one.answered, one.values) == (False, ())
    assert words in one.reason


def test_ssh_when_it_is_version_one_then_no_offer_is_awaited() -> None:
    with serving(lambda line: line.sendall(b"SSH-1.5-old\n")) as port:
        (one,), _ = look(port)
    assert dict(one.values) == {"ssh_protocol": "1.5", "ssh_software": "old"}


def test_look_when_nobody_listens_then_it_is_told() -> None:
    with serving(lambda line: None) as port:
        pass
    (one,), sent = look(port)
    assert (one.answered, sent) == (False, 1)
    assert "no connection" in one.reason


def test_line_when_the_other_end_floods_then_it_is_cut_off() -> None:
    async def drink(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
        async with dialer.open(target.address, target.port, Level.SERVICE) as line:
            size = 0
            while data := await line.read():
                size += len(data)
            return {"size": size}

    def flood(line) -> None:
        for _ in range(100):
            line.sendall(b"x" * 65_536)

    with serving(flood) as port:
        (one,), _ = look(port, look=drink)
    assert dict(one.values) == {"size": MAX_ANSWER}


def test_line_when_the_other_end_says_nothing_then_it_is_given_up() -> None:
    async def wait(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
        async with dialer.open(target.address, target.port, Level.SERVICE) as line:
            return {"said": (await line.read(timeout_s=0.1)).decode()}

    with serving(lambda line: line.recv(10)) as port:
        (one,), _ = look(port, look=wait)
    assert one.reason == "no answer: it took too long"


def test_dialer_when_the_permit_does_not_hold_then_nothing_is_sent() -> None:
    met = threading.Event()

    async def elsewhere(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
        async with dialer.open(ip_address("127.77.21.2"), target.port, Level.SERVICE):
            return {}

    with serving(lambda line: met.set(), "127.77.21.2") as port, pytest.raises(ScopeError, match="outside"):
        look(port, look=elsewhere)
    with serving(lambda line: met.set()) as port, pytest.raises(ScopeError, match="level"):
        look(port, permit=permit_for(str(HERE), level=Level.DISCOVER))
    with pytest.raises(ScopeError, match="no permit"):
        probe(None, [], lambda _: None, now=utc_now)  # type: ignore[arg-type]  # that is the point
    assert not met.is_set()


def test_looks_when_many_then_they_keep_to_the_pace_and_come_one_after_the_other() -> None:
    at_once, most = 0, 0
    lock = threading.Lock()

    def talk(line) -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        line.sendall(b"SSH-1.5-x\n")
        line.recv(10)  # until it hangs up
        with lock:
            at_once -= 1

    found: list[ProbeObservation] = []
    with serving(talk) as port:
        targets = [ProbeTarget(ProbeKind.SSH, HERE, "tcp", port, f"n{number}") for number in range(6)]
        began = time.monotonic()
        permit = permit_for(str(HERE), rate_pps=20)
        sent = probe(permit, targets, found.append, now=utc_now, probers={ProbeKind.SSH: SSH})
    assert time.monotonic() - began >= 5 / 20
    assert (sent, [one.name for one in found], most) == (6, [target.name for target in targets], 1)


def test_looks_when_they_wait_for_each_other_then_that_is_not_counted_against_them(monkeypatch) -> None:
    monkeypatch.setattr(probing, "TARGET_S", 0.5)
    found: list[ProbeObservation] = []
    with serving(lambda line: line.sendall(b"SSH-1.5-x\n")) as port:
        targets = [
            ProbeTarget(ProbeKind.SSH, ip_address(f"127.77.21.{1 + number}"), "tcp", port) for number in range(8)
        ]
        permit = permit_for("127.77.21.0/24", rate_pps=5)  # the eighth begins more than a second later
        probe(permit, targets, found.append, now=utc_now)
    assert [one.reason for one in found if "longer than" in one.reason] == []
    assert [one.answered for one in found].count(True) == 1


def test_look_when_it_takes_too_long_by_itself_then_it_is_ended(monkeypatch) -> None:
    monkeypatch.setattr(probing, "TARGET_S", 0.2)

    async def drip(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
        async with dialer.open(target.address, target.port, Level.SERVICE) as line:
            while await line.read():
                pass
        raise AssertionError("the server never ends")

    def talk(line) -> None:
        while True:
            line.sendall(b"x")
            time.sleep(0.01)

    with serving(talk) as port:
        (one,), _ = look(port, look=drip)
    assert (one.answered, one.reason) == (False, "it took longer than 0 seconds")


def test_datagram_when_answered_and_when_not() -> None:
    async def ask(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
        return {"said": (await dialer.ask(target.address, target.port, b"hello", Level.SERVICE)).decode()}

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, line = self.request
            line.sendto(data.upper(), self.client_address)

    with socketserver.UDPServer((str(HERE), 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        (one,), _ = look(server.server_address[1], look=ask)
        server.shutdown()
    assert dict(one.values) == {"said": "HELLO"}
    (gone,), _ = look(server.server_address[1], look=ask)
    assert "no answer" in gone.reason


def test_line_when_read_to_a_mark_or_by_count() -> None:
    async def read(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
        async with dialer.open(target.address, target.port, Level.SERVICE) as line:
            first = await line.read_exactly(2)
            rest = await line.read_until(b"!")
            with pytest.raises(NoAnswerError):
                await line.read_exactly(50)
            return {"first": first.decode(), "rest": rest.decode()}

    with serving(lambda line: line.sendall(b"abcdef!")) as port:
        (one,), _ = look(port, look=read)
    assert dict(one.values) == {"first": "ab", "rest": "cdef!"}


def test_dialer_when_made_without_a_permit_then_it_is_refused() -> None:
    async def make() -> None:
        Dialer("permit", utc_now)  # type: ignore[arg-type]  # that is the point

    with pytest.raises(ScopeError):
        asyncio.run(make())


def test_looks_when_many_hosts_wait_for_the_pace_then_waiting_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "TARGET_S", 2.0)
    hosts = [f"127.77.21.{number}" for number in range(1, 25)]
    found: list[ProbeObservation] = []
    with serving(lambda line: line.sendall(b"SSH-1.5-x\n"), "0.0.0.0") as port:  # every loopback address
        targets = [ProbeTarget(ProbeKind.SSH, ip_address(one), "tcp", port) for one in hosts]
        probe(permit_for(*hosts, rate_pps=8), targets, found.append, now=utc_now)
    assert [one.reason for one in found if not one.answered] == []


def test_look_when_it_takes_too_long_itself_then_it_is_given_up_and_the_next_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def slow(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
        async with dialer.open(target.address, target.port, Level.SERVICE) as line:
            return {"said": (await line.read(timeout_s=20)).decode()}

    monkeypatch.setattr(probing, "TARGET_S", 2.0)
    answers = [b"", b"now"]
    with serving(lambda line: (line.sendall(answers.pop(0)), line.recv(10))) as port:
        targets = [ProbeTarget(ProbeKind.SSH, HERE, "tcp", port, name) for name in ("a", "b")]
        found: list[ProbeObservation] = []
        probers = {ProbeKind.SSH: Prober(Level.SERVICE, slow)}
        probe(permit_for(str(HERE)), targets, found.append, now=utc_now, probers=probers)
    assert [(one.answered, one.reason[:14]) for one in found] == [(False, "it took longer"), (True, "")]


@pytest.mark.parametrize("fault", [ValueError("x"), IndexError("x"), UnicodeDecodeError("utf-8", b"x", 0, 1, "x")])
def test_look_when_it_stumbles_over_an_answer_then_the_others_are_made(fault: Exception) -> None:
    async def stumble(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
        if target.name == "a":
            raise fault
        return {"said": ["x", 1]} if target.name == "b" else {"said": target.name}

    targets = [ProbeTarget(ProbeKind.SSH, HERE, "tcp", 22, name) for name in ("a", "b", "c")]
    found: list[ProbeObservation] = []
    probers = {ProbeKind.SSH: Prober(Level.SERVICE, stumble)}
    probe(permit_for(str(HERE)), targets, found.append, now=utc_now, probers=probers)
    assert [(one.name, one.answered) for one in found] == [("a", False), ("b", False), ("c", True)]
    assert found[0].reason == f"its answer cannot be read: {type(fault).__name__}"


def test_datagram_when_the_machine_has_no_way_there_then_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
        async def nowhere(*_args: object, **_more: object) -> None:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")

        monkeypatch.setattr(asyncio.get_running_loop(), "create_datagram_endpoint", nowhere)
        with pytest.raises(NoAnswerError, match="no way there: network is unreachable"):
            await dialer.ask(target.address, target.port, b"hello", Level.SERVICE)
        return {"said": "no"}

    (one,), _ = look(161, look=ask)
    assert one.answered


def test_dialer_when_an_address_may_no_longer_be_touched_then_nothing_is_sent() -> None:
    allowed = iter([True, False, False])

    async def knock(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
        async with dialer.open(target.address, target.port, Level.SERVICE) as line:
            return {"said": (await line.read()).decode()}

    met: list[int] = []

    def answer(line: socket.socket) -> None:
        met.append(1)
        line.sendall(b"x")

    with serving(answer) as port:
        found: list[ProbeObservation] = []
        targets = [ProbeTarget(ProbeKind.SSH, HERE, "tcp", port, name) for name in ("a", "b", "c")]
        probers = {ProbeKind.SSH: Prober(Level.SERVICE, knock)}
        permit, still = permit_for(str(HERE)), lambda _: next(allowed)
        sent = probe(permit, targets, found.append, now=utc_now, probers=probers, still=still)
    assert ([one.reason for one in found], met, sent) == (["", NO_LONGER, NO_LONGER], [1], 1)
