"""What the real nmap writes about services this test starts on loopback, and about addresses nobody has."""

from __future__ import annotations

import datetime
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sentinel.model.observation import CLOSED, FILTERED, OPEN, EndpointObservation, HostObservation, Observation
from sentinel.model.ports import PortSet
from tests.observe.written import ends_of, hosts_of, losses_of, read, run_of

pytestmark = pytest.mark.nmap

PAGE = "<html><head><title>示例市第一中学</title></head></html>".encode()


class Greeter(socketserver.BaseRequestHandler):
    """Greet like an SSH server and read what the client says."""

    def handle(self) -> None:
        self.request.settimeout(20)
        with suppress(OSError):
            self.request.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")
            self.request.recv(1024)


class Web(socketserver.BaseRequestHandler):
    """Answer whatever is asked with one page."""

    def handle(self) -> None:
        self.request.settimeout(20)
        with suppress(OSError):
            self.answer(self.request)

    def answer(self, connection: socket.socket) -> None:
        connection.recv(4096)
        head = f"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Length: {len(PAGE)}\r\n"
        tail = "Content-Type: text/html; charset=utf-8\r\nConnection: close\r\n\r\n"
        connection.sendall((head + tail).encode() + PAGE)


class SecureWeb(Web):
    """The same page inside TLS."""

    def answer(self, connection: socket.socket) -> None:
        if not connection.recv(1, socket.MSG_PEEK):  # wrapping a connection that is already reset leaks it
            return
        with self.server.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as secure:
            secure.do_handshake()
            super().answer(secure)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    context: ssl.SSLContext | None = None


@contextmanager
def serving(handler: type[socketserver.BaseRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[int]:
    with Server(("127.0.0.1", 0), handler) as server:
        server.context = context
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def make_certificate(folder: Path) -> tuple[x509.Certificate, ssl.SSLContext]:
    """Make a self-signed certificate for www.school.example and a context that shows it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "www.school.example")])
    names = [
        x509.DNSName("www.school.example"),
        x509.DNSName("mail.school.example"),
        x509.IPAddress(IPv4Address("127.0.0.1")),
    ]
    start = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, key_file = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key_file)
    return certificate, context


def run_nmap(*arguments: str) -> bytes:
    return subprocess.run(["nmap", "-n", "-oX", "-", *arguments], capture_output=True, check=True, timeout=120).stdout


@dataclass
class Scanned:
    """One scan of three services and a closed port."""

    ssh: int
    web: int
    tls: int
    closed: int
    certificate: x509.Certificate
    text: bytes
    observations: list[Observation]

    def host(self) -> HostObservation:
        (host,) = hosts_of(self.observations)
        return host

    def port(self, number: int) -> EndpointObservation:
        (endpoint,) = [one for one in self.host().endpoints if one.port == number]
        return endpoint


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Scanned:
    certificate, context = make_certificate(tmp_path_factory.mktemp("tls"))
    with serving(Greeter) as closed:
        pass
    with ExitStack() as stack:
        ssh, web, tls = (
            stack.enter_context(serving(*words)) for words in ((Greeter, None), (Web, None), (SecureWeb, context))
        )
        ports = ",".join(map(str, (ssh, web, tls, closed)))
        text = run_nmap("-sT", "-sV", "--script", "ssl-cert,http-title", "-p", ports, "127.0.0.1")
    return Scanned(ssh, web, tls, closed, certificate, text, read(text))


def test_scan_when_real_tells_the_run_and_its_end(scanned: Scanned) -> None:
    run = run_of(scanned.observations)
    assert (run.tool, run.version.split(".")[0]) == ("nmap", "7")
    assert run.ports == (("tcp", PortSet.of_ports([scanned.ssh, scanned.web, scanned.tls, scanned.closed])),)
    (end,) = ends_of(scanned.observations)
    assert run.started is not None
    assert end.finished is not None
    assert run.started <= end.finished
    assert (end.silent, losses_of(scanned.observations)) == ((), [])


def test_scan_when_real_finds_each_service_and_invents_none(scanned: Scanned) -> None:
    host = scanned.host()
    assert (host.up, host.answered, host.complete, host.reason) == (True, True, True, "localhost-response")
    states = {one.port: (one.state, one.service, one.tunnel, one.guessed) for one in host.endpoints}
    assert states.pop(scanned.closed)[0] == CLOSED
    assert states == {
        scanned.ssh: (OPEN, "ssh", "", False),
        scanned.web: (OPEN, "http", "", False),
        scanned.tls: (OPEN, "http", "ssl", False),
    }


def test_scan_when_real_keeps_products_and_all_cpes(scanned: Scanned) -> None:
    ssh, web = scanned.port(scanned.ssh), scanned.port(scanned.web)
    assert (ssh.product, ssh.version) == ("OpenSSH", "9.2p1 Debian 2+deb12u3")
    assert ssh.cpes == ("cpe:/a:openbsd:openssh:9.2p1", "cpe:/o:linux:linux_kernel")
    assert (web.product, web.version) == ("nginx", "1.22.1")


def test_scan_when_real_reads_the_title_of_the_page(scanned: Scanned) -> None:
    assert "http-title" in dict(scanned.port(scanned.web).scripts)
    assert scanned.port(scanned.web).title == "示例市第一中学"


def test_scan_when_real_reads_the_certificate_as_it_is(scanned: Scanned) -> None:
    seen, made = scanned.port(scanned.tls).certificate, scanned.certificate
    assert seen is not None
    assert seen.sha256 == made.fingerprint(hashes.SHA256()).hex()
    assert (seen.subject, seen.issuer, seen.self_signed) == ("www.school.example", "www.school.example", True)
    assert seen.names == ("www.school.example", "mail.school.example", "127.0.0.1")
    assert (seen.not_before, seen.not_after) == (made.not_valid_before_utc, made.not_valid_after_utc)
    assert (seen.key_type, seen.key_bits, seen.signature) == ("rsa", 2048, "sha256WithRSAEncryption")


def test_scan_when_real_and_cut_anywhere_gives_the_host_only_when_whole(scanned: Scanned) -> None:
    end = scanned.text.index(b"</host>") + len(b"</host>")
    assert hosts_of(read(scanned.text[:end])) == [scanned.host()]
    assert len(losses_of(read(scanned.text[:end]))) == 1


def test_scan_when_of_hosts_only_lists_them_without_ports() -> None:
    observations = read(run_nmap("-sn", "127.0.0.0/30"))
    assert [str(one.address) for one in hosts_of(observations)] == [f"127.0.0.{last}" for last in range(4)]
    assert all(one.up and not one.endpoints for one in hosts_of(observations))
    assert (run_of(observations).ports, ends_of(observations)[0].silent) == ((), ())


def test_scan_when_most_ports_are_closed_tells_them_by_the_rest() -> None:
    (host,) = hosts_of(read(run_nmap("-sT", "-p", "1-60", "127.0.0.1")))
    assert host.rest == (("tcp", CLOSED),)


def test_scan_when_udp_and_tcp_are_closed_tells_both_rests() -> None:
    (host,) = hosts_of(read(run_nmap("-sT", "-sU", "-p", "T:1-60,U:1000-1060", "--min-rate", "1000", "127.0.0.1")))
    assert dict(host.rest)["tcp"] == CLOSED
    assert "udp" in dict(host.rest)


def run_alone(script: str) -> list[Observation]:
    """Run a shell script in a network namespace with one empty link, 192.0.2.1/29, and read what it prints."""
    link = (
        "ip link set lo up; ip link add v0 type veth peer name v1; ip address add 192.0.2.1/29 dev v0;"
        "ip link set v0 up; ip link set v1 up; exec "
    )
    command = ["unshare", "--net", "sh", "-c", link + script]
    return read(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)


@pytest.mark.namespace
def test_scan_when_addresses_do_not_answer_tells_them_as_silent() -> None:
    observations = run_alone("nmap -n -sn --max-retries 0 -oX - 192.0.2.0/29 --exclude 192.0.2.7")
    assert [str(one.address) for one in hosts_of(observations)] == ["192.0.2.1"]
    (end,) = ends_of(observations)
    assert [(str(low), str(high)) for low, high in end.silent] == [
        ("192.0.2.0", "192.0.2.0"),
        ("192.0.2.2", "192.0.2.6"),
    ]


@pytest.mark.namespace
def test_scan_when_the_ping_is_skipped_calls_a_silent_host_up_but_not_answered() -> None:
    observations = run_alone("nmap -n -Pn -sT -p 9-10 --max-retries 0 -oX - 192.0.2.2")
    (host,) = hosts_of(observations)
    assert (host.up, host.answered, host.complete, host.reason) == (True, False, True, "user-set")
    assert {one.state for one in host.endpoints} == {FILTERED}
