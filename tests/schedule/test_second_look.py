"""A second look at a scanned host, through python-nmap, at services the tests start."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.command import run

ADDRESS = "127.78.40.1"


class Greeting(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        self.rfile.read(1)


@contextmanager
def serving() -> Iterator[int]:
    with socketserver.ThreadingTCPServer((ADDRESS, 0), Greeting) as server:
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # nmap hangs up without a word
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def made_home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    run("--home", home, "init", "--unit", "示例中学")
    run(
        *("--home", home, "scope", "authorise", ADDRESS, "--by", "办公室", "--document", "1号", "--from", "2020-01-01"),
        *("--until", "2099-01-01", "--level", "service", "--allow-loopback", "--rate", "1000"),
    )
    return home


def test_scan_when_a_second_opinion_is_wanted_tells_that_both_agree(tmp_path: Path) -> None:
    home = made_home(tmp_path)
    with serving() as port:
        done = run("--home", home, "scan", ADDRESS, "--ports", str(port), "--second-opinion", "--json")
    look = next(row for row in done.rows if row.get("event") == "second_opinion")
    assert done.status == 0
    assert (look["address"], look["asked"], look["disagreements"]) == (ADDRESS, 1, [])


def test_scan_when_nothing_is_open_has_nothing_to_ask_again(tmp_path: Path) -> None:
    done = run("--home", made_home(tmp_path), "scan", ADDRESS, "--ports", "9", "--second-opinion", "--json")
    assert done.status == 0
    assert not [row for row in done.rows if row.get("event") == "second_opinion"]
