"""Real services on loopback for scans to find."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PLACE = f"127.78.{os.getpid() % 250}"
"""Addresses of this test process alone: others may run the same tests on the same loopback at the same time."""

PAGE = "<html><head><title>{title}</title></head><body>welcome</body></html>"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A scanner that hangs up is nothing to print."""


@contextmanager
def web(address: str, port: int, title: str = "示例中学门户", banner: str = "nginx/1.22.1") -> Iterator[None]:
    """Run Python's own http.server with a page and a banner of one's choice."""

    class Handler(BaseHTTPRequestHandler):
        def version_string(self) -> str:
            return banner

        def do_GET(self) -> None:
            body = PAGE.format(title=title).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with _Server((address, port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def answer_plain(connection: socket.socket) -> None:
    """Greet in a language no scanner knows, and hang up at the first word."""
    connection.sendall(b"zz practice 1\r\n")
    connection.recv(4096)


def running_nmap(address: str) -> list[int]:
    """Give the nmap processes that look at an address."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"nmap") and address.encode() in words:
                found.append(int(folder.name))
    return found
