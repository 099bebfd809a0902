"""Web servers that answer as none should: nothing they say takes the reader's memory, time or word for the rest."""

from __future__ import annotations

import gzip
import time
import zlib
from ipaddress import ip_address

import pytest

from sentinel.collect import web_fetch
from sentinel.collect.dialer import Dialer, NoAnswerError
from sentinel.collect.look import ProbeTarget
from sentinel.collect.web_fetch import MAX_BODY, Answer, Place, fetch
from sentinel.model.probe import ProbeKind
from sentinel.model.scope import Level
from tests.collect.test_probing import HERE, look, serving

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


def ask(answer: bytes | list[bytes], *, keep_open: bool = False, pause_s: float = 0.0) -> tuple[Answer | None, str]:
    """Fetch `/` from a server that says this; gives the answer or why there is none."""
    held: list[Answer] = []

    async def once(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
        held.append(await fetch(dialer, Place(target.address, target.port, False, "www.a.example"), "/", Level.SERVICE))
        return {}

    def talk(line) -> None:
        line.recv(4096)
        for piece in [answer] if isinstance(answer, bytes) else answer:
            line.sendall(piece)
            time.sleep(pause_s)
        while keep_open and line.recv(100):
            pass

    with serving(talk) as port:
        (one,), _ = look(port, ProbeKind.WEB, once)
    return (held[0] if held else None), one.reason


def body(answer: bytes | list[bytes], **how) -> tuple[bytes, bool]:
    got, reason = ask(answer, **how)
    assert got is not None, reason
    return got.body, got.whole


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (OK + b"Content-Length: 5\r\n\r\nhello", (b"hello", True)),
        (OK + b"\r\nhello", (b"hello", True)),
        (b"HTTP/1.0 200\n\nhello", (b"hello", True)),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"\r\nhello", (b"hello", True)),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n", (b"hello", True)),
        (OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n5\r\nhello\r\n0\r\n\r\n", (b"hello", True)),
        (OK + b"Content-Length: 50\r\n\r\nhello", (b"hello", False)),
        (OK + b"Content-Length: many\r\n\r\nhello", (b"hello", True)),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\nrest", (b"hello", False)),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello, this is no end of a chunk", (b"hello", False)),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nhello", (b"", False)),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello", (b"", False)),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 9000, (b"", False)),
        (OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"hello", mtime=0), (b"hello", True)),
        (OK + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(b"hello"), (b"hello", True)),
        (OK + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(b"hello", wbits=-15), (b"hello", True)),
        (OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"hello", mtime=0)[:-9], (b"hello", False)),
        (OK + b"Content-Encoding: gzip\r\n\r\nno gzip at all", (b"", False)),
        (OK + b"Content-Encoding: br\r\n\r\nhello", (b"", False)),
        (OK + b"Content-Encoding: gzip, gzip\r\n\r\nhello", (b"", False)),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", (b"", True)),
    ],
)
def test_fetch_when_a_body_is_framed_or_packed_anyhow_then_it_is_read_as_far_as_it_can_be(answer, wanted) -> None:
    assert body(answer) == wanted


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "ended before an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not answer as a web server"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "does not answer as a web server"),
        (b"HTTP/2 200\r\n\r\n", "does not answer as a web server"),
        (b"<html>a server of HTTP 0.9</html>\r\n\r\n", "does not answer as a web server"),
        (OK + b"X: y\r\n" * 20_000, "headers have no end"),
        (b"HTTP/1.1 200 " + b"x" * 100_000, "headers have no end"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 10, "nothing but interim"),
    ],
)
def test_fetch_when_the_head_is_none_then_the_reason_is_told(answer: bytes, words: str) -> None:
    got, reason = ask(answer)
    assert got is None
    assert words in reason


@pytest.mark.parametrize("packed", [True, False])
def test_fetch_when_a_body_is_a_bomb_or_a_flood_then_it_is_cut_off(packed: bool) -> None:
    plain = b"a" * (80 * 1024 * 1024) if packed else b"a" * (1024 * 1024)
    head = OK + (b"Content-Encoding: gzip\r\n\r\n" if packed else b"\r\n")
    data, whole = body(head + (gzip.compress(plain, 9) if packed else plain))
    assert (len(data), whole) == (MAX_BODY, False)


def test_fetch_when_a_chunk_never_ends_then_it_is_cut_off() -> None:
    data, whole = body([OK + b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", b"a" * (MAX_BODY + 5000)])
    assert (len(data), whole) == (MAX_BODY, False)


def test_fetch_when_the_server_never_closes_then_what_came_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_fetch, "PAGE_S", 0.3)
    assert body(OK + b"\r\nhello", keep_open=True) == (b"hello", False)
    assert body(OK + b"Content-Length: 5\r\n\r\nhello", keep_open=True) == (b"hello", True)


def test_fetch_when_headers_drip_for_ever_then_it_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_fetch, "PAGE_S", 0.4)
    got, reason = ask([OK, *([b"X: y\r\n"] * 40)], pause_s=0.05)
    assert got is None
    assert reason == "no answer: it took too long"


def test_fetch_when_headers_are_hostile_then_they_are_cleaned_and_bounded() -> None:
    odd = b"Server: nginx\x1b[31m\x00red\r\nX Y: no\r\n: none\r\nno colon\r\nX-Long: " + b"z" * 9000 + b"\r\n"
    got, _ = ask(OK + odd + "X-Name: 学校\r\n".encode() + b"Many: 1\r\n" * 200 + b"\r\n")
    assert got is not None
    assert got.header("server") == "nginx [31m red"
    assert (len(got.header("x-long")), got.header("x-name"), got.header("absent")) == (2000, "学校", "")
    assert len(got.headers) < 100
    assert "x y" not in dict(got.headers)
    assert len(got.all("many")) > 10


def test_place_when_written_for_the_host_header_then_usual_ports_and_brackets_are_right() -> None:
    four, six = ip_address("192.0.2.1"), ip_address("2001:db8::1")
    assert Place(four, 80, False, "www.a.example").authority == "www.a.example"
    assert Place(four, 443, True, "www.a.example").authority == "www.a.example"
    assert Place(four, 443, False, "www.a.example").authority == "www.a.example:443"
    assert Place(six, 8080, False, str(six)).authority == "[2001:db8::1]:8080"


def test_fetch_when_tls_is_due_and_there_is_none_then_it_is_told() -> None:
    async def once(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
        with pytest.raises(NoAnswerError, match="no tls handshake"):
            await fetch(dialer, Place(HERE, target.port, True, "www.a.example"), "/", Level.SERVICE)
        with pytest.raises(NoAnswerError, match="no tls handshake"):
            await fetch(dialer, Place(HERE, target.port, True, f"{'a' * 70}.example"), "/", Level.SERVICE)
        return {"ok": True}

    with serving(lambda line: line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        (one,), _ = look(port, ProbeKind.WEB, once)
    assert one.reason == ""
