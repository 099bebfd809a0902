"""Answers nmap could not name, as they stand in `servicefp`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.observe.nmap_fingerprint import MAX_FINGERPRINT, Spoken, read_fingerprint
from tests.observe.written import host, hosts_of, nmap, read

HEAD = "SF-Port18083-TCP:V=7.93%I=7%D=11/22%Time=6921F6A1%P=x86_64-pc-linux-gnu"


def answer(text: str, probe: str = "GetRequest") -> str:
    return f'%r({probe},{len(text):X},"{text}")'


@pytest.mark.parametrize(
    ("answers", "spoken"),
    [
        (answer(r"HTTP/1\.0\x20200\x20OK\r\nServer:\x20nginx/1\.18\.0\x20\r\n"), Spoken("http", "nginx", "1.18.0", "")),
        (answer(r"HTTP/1\.1\x20404\x20No\r\nDate:\x20x\r\nserver:\x20Odd/1\x20\(A\x20B\)\r\n"),
         Spoken("http", "Odd", "1", "(A B)")),
        (answer(r"HTTP/1\.0\x20200\x20OK\r\n\r\n<p>"), Spoken("http")),
        (answer(r"SSH-2\.0-Odd_1\r\n", "NULL"), Spoken("ssh")),
        (answer(r"220\x20mail\.school\.example\x20ESMTP\x20Odd\r\n", "NULL"), Spoken("smtp")),
        (answer(r"220\x20Odd\x20FTP\x20ready\r\n", "NULL"), Spoken("ftp")),
        (answer(r"RFB\x20009\.009\n", "NULL"), Spoken("vnc")),
        (answer(r"\+OK\x20Odd\r\n", "NULL"), Spoken("pop3")),
        (answer(r"\*\x20OK\x20Odd\r\n", "NULL"), Spoken("imap")),
        (answer(r"\x16\x03\x01", "NULL") + answer(r"RTSP/1\.0\x20400\x20Bad\r\n", "RTSPRequest"), Spoken("rtsp")),
        (answer(r"hello\r\n", "NULL"), None),
        (answer(r"say\x20HTTP/1\.0\x20200\x20OK"), None),
        ("", None),
    ],
)  # fmt: skip
def test_fingerprint_when_an_answer_begins_as_a_protocol_does_names_it(answers: str, spoken: Spoken | None) -> None:
    assert read_fingerprint(HEAD + answers) == spoken


def test_fingerprint_when_longer_than_the_limit_is_read_up_to_it() -> None:
    assert read_fingerprint(HEAD + "x" * MAX_FINGERPRINT + answer(r"SSH-2\.0-Odd_1\r\n")) is None


@given(st.text(max_size=300))
def test_fingerprint_when_anything_is_written_there_never_breaks(text: str) -> None:
    read_fingerprint(HEAD + f'%r(NULL,5,"{text}")')


@pytest.mark.parametrize("name", ['name="unknown" method="table"', 'name="http-proxy" method="table"'])
def test_port_when_nmap_names_nothing_but_it_answered_as_a_web_server_is_http(name: str) -> None:
    text = (HEAD + answer(r"HTTP/1\.0\x20200\x20OK\r\nServer:\x20Odd/1\r\n")).replace('"', "&quot;")
    port = (
        '<port protocol="tcp" portid="18083"><state state="open" reason="syn-ack" reason_ttl="64"/>'
        f'<service {name} servicefp="{text}" conf="3"/></port>'
    )
    (found,) = hosts_of(read(nmap(host("192.0.2.1", f"<ports>{port}</ports>"))))
    (seen,) = found.endpoints
    assert (seen.service, seen.guessed, seen.product, seen.version) == ("http", False, "Odd", "1")


def test_port_when_nmap_says_unknown_has_no_service() -> None:
    port = (
        '<port protocol="tcp" portid="18083"><state state="open" reason="syn-ack" reason_ttl="64"/>'
        '<service name="unknown" method="table" conf="3"/></port>'
    )
    (found,) = hosts_of(read(nmap(host("192.0.2.1", f"<ports>{port}</ports>"))))
    assert (found.endpoints[0].service, found.endpoints[0].guessed) == ("", False)
