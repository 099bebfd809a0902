"""Servers that are late, and servers that cut every caller off."""

import ftplib
import http.client
import socket
import time

import pytest

from sentinel.drill.servers import lines, sites
from sentinel.drill.servers.behaviours import resetting, slow
from sentinel.drill.servers.conversation import REQUEST_BYTES
from tests.drill.servers.speaking import ADDRESS, opened, speak

DELAY_S = 0.3


def test_slow_when_a_client_comes_then_greeting_and_answers_are_late_and_the_same() -> None:
    with opened(slow(lines.ftp(21, "3.0.2"), DELAY_S)) as port:
        started = time.monotonic()
        with ftplib.FTP(timeout=5) as client:
            welcome = client.connect(str(ADDRESS), port)
            greeted = time.monotonic()
            with pytest.raises(ftplib.error_perm, match=r"^530 Login incorrect\.$"):
                client.login("anonymous", "a@b.example")

    assert welcome == "220 (vsFTPd 3.0.2)"
    assert greeted - started >= DELAY_S
    assert time.monotonic() - greeted >= 2 * DELAY_S


def test_slow_when_a_page_is_fetched_then_it_comes_whole() -> None:
    with opened(slow(sites.portal(80, "x", "1.22.1"), DELAY_S)) as port:
        started = time.monotonic()
        client = http.client.HTTPConnection(str(ADDRESS), port, timeout=5)
        client.request("GET", "/")
        answer = client.getresponse()
        body = answer.read()
        client.close()

    assert (answer.status, body.endswith(b"</html>\n")) == (200, True)
    assert time.monotonic() - started >= DELAY_S


def test_slow_when_the_truth_is_asked_then_it_is_that_of_the_server_behind() -> None:
    service = lines.ftp(21, "2.3.4")
    late = slow(service, DELAY_S)

    assert (late.port, late.seen, late.weaknesses) == (service.port, service.seen, service.weaknesses)


def test_slow_when_the_peer_says_too_much_then_it_hangs_up_and_says_what_it_had() -> None:
    heard = speak(slow(lines.ftp(21, "3.0.2"), 0.01), b"NOOP\r\n", b"x" * (REQUEST_BYTES + 4096))

    assert heard == b"220 (vsFTPd 3.0.2)\r\n530 Please login with USER and PASS.\r\n"


def test_resetting_when_somebody_connects_then_the_connection_is_reset() -> None:
    with (
        opened(resetting(8000)) as port,
        socket.create_connection((str(ADDRESS), port), 5) as client,
        pytest.raises(ConnectionResetError),
    ):
        client.recv(1)
