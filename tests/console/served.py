"""The real `sentinel serve` as its own process, and a client that keeps its cookie."""

from __future__ import annotations

import re
import signal
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.cli.command import start

FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass
class Served:
    """A running server.

    Attributes:
        base: address of its pages.
        token: the token it printed.
        told: what it printed before.
        process: the process.
        cookie: its session, once entered.
        complaints: what it wrote to standard error, once it has ended.
    """

    base: str
    token: str
    told: str
    process: subprocess.Popen[bytes]
    cookie: str = ""
    complaints: str = ""

    def connect(self, timeout_s: float = 30) -> HTTPConnection:
        """Open a connection."""
        place = urlsplit(self.base)
        assert place.hostname
        if place.scheme == "https":
            trusting = ssl.create_default_context()
            trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
            return HTTPSConnection(place.hostname, place.port, timeout=timeout_s, context=trusting)
        return HTTPConnection(place.hostname, place.port, timeout=timeout_s)

    def ask(
        self, path: str, method: str = "GET", body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[HTTPResponse, str]:
        """Send one request with the cookie, and give the answer with its text."""
        connection = self.connect()
        try:
            own = {"cookie": self.cookie} if self.cookie else {}
            connection.request(method, path, body, {**own, **dict(headers or {})})
            answer = connection.getresponse()
            return answer, answer.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def try_token(self, token: str) -> HTTPResponse:
        """Send a token."""
        return self.ask("/enter", "POST", urlencode({"token": token}), FORM)[0]

    def enter(self) -> None:
        """Exchange the token for a session."""
        answer = self.try_token(self.token)
        assert answer.status == 303
        self.cookie = (answer.getheader("set-cookie") or "").partition(";")[0]
        assert self.cookie

    def page(self, path: str) -> str:
        """Give the text of a page that must be there."""
        answer, text = self.ask(path)
        assert answer.status == 200, (path, answer.status, text[:500])
        return text


@contextmanager
def serving(home: Path, *words: str | Path, env: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Run `sentinel serve` on any free port until the block ends; it must end cleanly."""
    process = start("--home", home, "serve", "--port", "0", *words, env=env)
    assert process.stdout
    assert process.stderr
    told = ""
    try:
        for line in process.stdout:
            told += line.decode()
            if match := re.search(r"^  (https?://\S+)/enter#([A-Z0-9-]+)$", told, re.MULTILINE):
                break
        else:
            raise AssertionError((told, process.stderr.read().decode()))
        server = Served(match[1], match[2], told, process)
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, (out, err)
    server.complaints = err.decode()
    assert "Traceback" not in server.complaints
