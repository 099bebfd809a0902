"""SNMP agents asked once with the community `public`; agents scripted from the RFCs, one from the practice school."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable

import pytest

from sentinel.collect import dialer
from sentinel.collect.look import ProbeTarget
from sentinel.collect.probe_snmp import _element, _number, _read_all
from sentinel.collect.probing import probe
from sentinel.model.probe import ProbeKind, ProbeObservation
from sentinel.model.scope import Level
from tests.collect.allow import permit_for, utc_now
from tests.collect.test_probing import HERE

Answer = Callable[[bytes], bytes | None]
OID = _element(0x06, bytes.fromhex("2b06010201010100"))


def look(answer: Answer) -> ProbeObservation:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, line = self.request
            if (said := answer(data)) is not None:
                line.sendto(said, self.client_address)

    found: list[ProbeObservation] = []
    with socketserver.UDPServer((str(HERE), 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        target = ProbeTarget(ProbeKind.SNMP, HERE, "udp", server.server_address[1], service="snmp")
        probe(permit_for(str(HERE), level=Level.CHECK), [target], found.append, now=utc_now)
        server.shutdown()
    return found[0]


def reply(
    request: bytes, value: bytes = _element(0x04, b"Linux"), error: int = 0, community: bytes = b"public"
) -> bytes:
    version, _, (_, body) = _read_all(_read_all(request)[0][1])
    number = _element(*_read_all(body)[0])
    response = number + _number(error) + _number(0) + _element(0x30, _element(0x30, OID + value))
    return _element(0x30, _element(*version) + _element(0x04, community) + _element(0xA2, response))


def version_of(request: bytes) -> int:
    return _read_all(_read_all(request)[0][1])[0][1][0]


def report(request: bytes) -> bytes:
    header = _read_all(_read_all(_read_all(request)[0][1])[1][1])
    head = _element(0x30, b"".join(_element(*one) for one in header))
    scoped = _element(0x30, _element(0x04, b"engine") + _element(0x04, b"") + _element(0xA8, b""))
    return _element(0x30, _number(3) + head + _element(0x04, b"x") + scoped)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialer, "ANSWER_S", 0.3)


def only(*versions: int, then: Answer = reply) -> Answer:
    return lambda data: then(data) if version_of(data) in versions else None


def test_snmp_when_public_may_read_then_that_is_told_and_not_what_was_read() -> None:
    found = look(reply)
    assert (found.answered, dict(found.values)) == (True, {"snmp_public": True, "snmp_version": "2c"})


def test_snmp_when_it_knows_version_one_only_then_it_is_asked_so(hasty: None) -> None:
    assert dict(look(only(0)).values) == {"snmp_public": True, "snmp_version": "1"}


@pytest.mark.parametrize(
    "answer",
    [
        lambda data: reply(data, error=16),
        lambda data: reply(data, error=2, value=_element(0x05, b"")),
        lambda data: reply(data, value=_element(0x80, b"")),
        lambda data: reply(data, value=_element(0x05, b"")),
    ],
    ids=["authorisation error", "no such name", "no such object", "null"],
)
def test_snmp_when_public_may_read_nothing_then_that_is_told(answer: Answer) -> None:
    assert dict(look(answer).values) == {"snmp_public": False, "snmp_version": "2c"}


def test_snmp_when_only_its_discovery_is_heard_then_public_is_refuted(hasty: None) -> None:
    assert dict(look(only(3, then=report)).values) == {"snmp_public": False, "snmp_version": "3"}


def test_snmp_when_nobody_is_heard_then_nothing_is_claimed(hasty: None) -> None:
    found = look(lambda data: None)
    assert (found.answered, found.reason) == (False, "no answer: it took too long")


@pytest.mark.parametrize(
    "answer",
    [
        lambda data: b"",
        lambda data: b"\x30\x84\xff\xff\xff\xff",
        lambda data: b"\x30\x80" * 100,
        lambda data: data,
        lambda data: reply(data, community=b"private"),
        lambda data: reply(data)[:-3],
        lambda data: reply(data) + b"\x30",
        lambda data: _element(0x30, _number(1)),
        lambda data: _element(0x30, b"\x02\x01\x01" * 40),
        only(3, then=lambda data: data),
        only(3, then=lambda data: report(data)[:-9]),
    ],
)
def test_snmp_when_the_answer_is_none_of_the_read_then_nothing_is_claimed(answer: Answer, hasty: None) -> None:
    found = look(answer)
    assert (found.answered, found.values) == (False, ())


def test_snmp_when_the_answer_is_to_another_read_then_nothing_is_claimed() -> None:
    def other(data: bytes) -> bytes:
        version, community, (_, body) = _read_all(_read_all(data)[0][1])
        changed = _number(int.from_bytes(_read_all(body)[0][1], "big") ^ 1)
        rest = b"".join(_element(*one) for one in _read_all(body)[1:3])
        values = _element(0x30, _element(0x30, OID + _element(0x04, b"x")))
        return _element(0x30, _element(*version) + _element(*community) + _element(0xA2, changed + rest + values))

    assert not look(other).answered
