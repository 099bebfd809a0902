"""The one web request of looks: inside TLS or not, in chunks or not, and never more than is wanted."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from sentinel.collect import dialer
from sentinel.collect.dialer import Dialer
from sentinel.collect.http_read import MAX_BODY, http_get
from sentinel.collect.look import Prober, ProbeTarget
from sentinel.collect.probing import probe
from sentinel.model.probe import ProbeKind, ProbeObservation
from sentinel.model.scope import Level
from tests.collect.allow import permit_for, utc_now
from tests.collect.practice import tls_context
from tests.collect.test_probing import HERE, serving

GOOD = b"HTTP/1.1 200 OK\r\nServer: one\r\nserver: two\r\nContent-Length: 5\r\n\r\nhello"


async def get(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
    answer = await http_get(target, dialer, "/", Level.SERVICE)
    server = answer.headers.get("server", "")
    return {"status": answer.status, "server": server, "size": len(answer.body), "body": answer.body[:40].decode()}


def look(talk: Callable, *, is_tls: bool = False, name: str = "") -> ProbeObservation:
    found: list[ProbeObservation] = []
    probers = {ProbeKind.WEB: Prober(Level.SERVICE, get)}
    with serving(talk) as port:
        target = ProbeTarget(ProbeKind.WEB, HERE, "tcp", port, name, "http", is_tls)
        probe(permit_for(str(HERE)), [target], found.append, now=utc_now, probers=probers)
    return found[0]


def answers(data: bytes, heard: list[bytes] | None = None) -> Callable:
    def talk(line) -> None:
        said = line.recv(65_536)
        if heard is not None:
            heard.append(said)
        line.sendall(data)

    return talk


@pytest.mark.parametrize(
    ("data", "size", "body"),
    [
        (GOOD, 5, "hello"),
        (GOOD + b"and more", 5, "hello"),
        (GOOD.replace(b"Content-Length: 5\r\n", b""), 5, "hello"),
        (GOOD.replace(b": 5", b": 500"), 5, "hello"),
        (GOOD.replace(b": 5", b": -5"), 5, "hello"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n", 5, "hello"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\nzz\r\nlo", 3, "hel"),
        (b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 400_000, MAX_BODY, "x" * 40),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + b"x" * 900_000, MAX_BODY, "x" * 40),
    ],
    ids=["told", "more", "to the end", "less", "negative", "chunks", "broken chunk", "endless", "too long"],
)
def test_page_when_got_then_its_body_is_read_as_far_as_it_is_wanted(data: bytes, size: int, body: str) -> None:
    found = dict(look(answers(data)).values)
    assert (found["status"], found["size"], found["body"]) == (200, size, body)


def test_page_when_a_header_is_repeated_then_the_first_counts() -> None:
    assert dict(look(answers(GOOD)).values)["server"] == "one"


def test_page_when_asked_by_name_then_the_name_is_told() -> None:
    heard: list[bytes] = []
    look(answers(GOOD, heard), name="www.school.example")
    assert b"\r\nHost: www.school.example:" in heard[0]


@pytest.mark.parametrize("data", [b"", b"SSH-2.0-x\r\n", b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"x" * 99_999])
def test_page_when_it_is_none_then_it_is_told(data: bytes) -> None:
    found = look(answers(data))
    assert (found.answered, found.reason) == (False, "it does not answer as a web service does")


def test_page_when_the_rest_never_comes_then_what_came_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialer.Line.read, "__defaults__", (65_536, 0.3))

    def talk(line) -> None:
        line.recv(65_536)
        line.sendall(GOOD.replace(b": 5", b": 50"))
        line.recv(1)

    assert dict(look(talk).values)["body"] == "hello"


def test_page_when_inside_tls_then_it_is_read_whatever_the_certificate(tmp_path: Path) -> None:
    context = tls_context(tmp_path)

    def talk(line) -> None:
        with context.wrap_socket(line, server_side=True) as inside:
            answers(GOOD)(inside)

    assert dict(look(talk, is_tls=True, name="other.example").values)["body"] == "hello"


def test_page_when_the_server_knows_only_tls_one_then_it_is_read_all_the_same(tmp_path: Path) -> None:
    context = tls_context(tmp_path)
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")

    def talk(line) -> None:
        with context.wrap_socket(line, server_side=True) as inside:
            answers(GOOD)(inside)

    assert dict(look(talk, is_tls=True).values)["body"] == "hello"


def test_page_when_there_is_no_tls_then_it_is_told() -> None:
    found = look(answers(b"HTTP/1.1 400 Bad Request\r\n\r\n"), is_tls=True)
    assert not found.answered
    assert found.reason.startswith("no tls handshake: ")
