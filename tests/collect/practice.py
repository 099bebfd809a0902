"""Services for collectors to find: real sockets on loopback, each counting who came."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PAGE = b"<html><head><title>Practice school</title></head><body>welcome</body></html>"
ANSWER = b"HTTP/1.0 200 OK\r\nServer: nginx/1.22.1\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (
    len(PAGE),
    PAGE,
)


@dataclass
class Service:
    """One listener; `connections` counts every accepted connection."""

    address: str
    port: int
    connections: list[str] = field(default_factory=list)


def _answer_http(connection: socket.socket) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        chunk = connection.recv(4096)
        if not chunk:
            return
        request += chunk
    connection.sendall(ANSWER)


def answer_ssh(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")
    connection.recv(4096)


def answer_nothing(connection: socket.socket) -> None:
    connection.recv(4096)


def tls_context(folder: Path) -> ssl.SSLContext:
    """Make a self-signed certificate for www.school.example and a server context that shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "www.school.example")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(77).not_valid_before(start).not_valid_after(start.replace(year=2036))
    certificate = builder.sign(key, hashes.SHA256())
    path = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def answer_https(context: ssl.SSLContext) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        if not connection.recv(
            1, socket.MSG_PEEK
        ):  # wrapping a connection that is already reset leaks it (CPython 3.11)
            return
        with context.wrap_socket(connection, server_side=True) as tunnel:
            _answer_http(tunnel)

    return answer


@contextmanager
def serve(address: str, port: int, answer: Callable[[socket.socket], None] = _answer_http) -> Iterator[Service]:
    """Listen on an address until the block ends; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, port), family=family, backlog=256)
    listener.settimeout(0.1)
    service = Service(address, listener.getsockname()[1])
    over = threading.Event()
    talks: list[threading.Thread] = []

    def talk(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            try:
                answer(connection)
            except (OSError, ValueError):
                return

    def accept() -> None:
        while not over.is_set():
            try:
                connection, peer = listener.accept()
            except TimeoutError:
                continue
            service.connections.append(peer[0])
            talks.append(threading.Thread(target=talk, args=(connection,), daemon=True))
            talks[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield service
    finally:
        over.set()
        acceptor.join()
        for thread in talks:
            thread.join()
        listener.close()
