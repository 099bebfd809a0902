"""The servers of the practice school, spoken to without sockets first, then through real doors."""

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sentinel.drill.school.plan import Phase, plan_school
from sentinel.drill.servers import conversation, sites
from sentinel.drill.servers import databases as data
from sentinel.drill.servers import devices as device
from sentinel.drill.servers import door as door_module
from sentinel.drill.servers import lines as text
from sentinel.drill.servers.certificate import Authority, CertificateKind, CertificatePlan
from sentinel.drill.servers.conversation import REQUEST_BYTES, SESSION_BYTES, Seen, Service
from sentinel.drill.servers.door import CONNECTIONS_PER_DOOR, Door, converse, reserve
from sentinel.drill.servers.mongodb import document, mongodb
from sentinel.drill.servers.web import Page, Site, http

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
ADDRESS = IPv4Address("127.79.1.1")


class Peer:
    """A scripted client: what it says, one piece a read, and what it heard."""

    def __init__(self, pieces: tuple[bytes, ...]) -> None:
        self._pieces = list(pieces)
        self.heard = b""

    async def read(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    async def write(self, words: bytes) -> None:
        self.heard += words


def speak(service: Service, *pieces: bytes) -> bytes:
    peer = Peer(pieces)
    asyncio.run(converse(service, peer))
    return peer.heard


def get(path: str, protocol: str = "HTTP/1.0", method: str = "GET") -> bytes:
    return f"{method} {path} {protocol}\r\nHost: www.school1.example\r\n\r\n".encode()


REDIS = data.redis(6379, "5.0.14", login=False)
LOCKED = data.redis(6380, "6.2.7", login=True)
MEMCACHED = data.memcached(11211, "1.5.22")
MONGODB = mongodb(27017, "3.6.23")
ELASTIC = data.elasticsearch(9200, "school1", "6.8.23")
POSTGRES = data.postgresql(5432, "13.5 - 13.8")
MYSQL = data.mysql(3306, "5.5.62")
PORTAL = sites.portal(80, "示例市第一中学", "1.22.1")
SMTP = text.smtp(25, "mail.school1.example")
DNS = device.dns(53, "9.16.27")
VERSION_QUERY = b"\0\x06\x01\0\0\x01\0\0\0\0\0\0\x07version\x04bind\0\0\x10\0\x03"


def framed(message: bytes) -> bytes:
    return struct.pack(">H", len(message)) + message


def query(command: str, code: int = 2004) -> bytes:
    """Write a MongoDB message: OP_QUERY on admin.$cmd, or OP_MSG."""
    body = document({command: 1, "$db": "admin"})
    body = struct.pack("<i", 0) + (b"\0" if code == 2013 else b"admin.$cmd\0" + struct.pack("<ii", 0, -1)) + body
    return struct.pack("<iiii", 16 + len(body), 7, 0, code) + body


def startup(code: int) -> bytes:
    body = struct.pack(">I", code) + b"user\0practice\0\0"
    return struct.pack(">I", len(body) + 4) + body


@pytest.mark.parametrize(
    ("service", "request_", "answer"),
    [
        (REDIS, b"PING\r\n", b"+PONG\r\n"),
        (REDIS, b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n"),
        (REDIS, b"\r\n\r\nPING\r\nQUIT\r\nPING\r\n", b"+PONG\r\n+OK\r\n"),
        (REDIS, b"GET / HTTP/1.0\r\n\r\n", b"-ERR wrong number of arguments for 'get' command\r\n"),
        (REDIS, b"GET a\r\nKEYS *\r\nDBSIZE\r\nAUTH x\r\n", b"$-1\r\n*0\r\n:0\r\n+OK\r\n"),
        (REDIS, b"FLUSHALL\r\n", b"-ERR unknown command `FLUSHALL`, with args beginning with: \r\n"),
        (LOCKED, b"INFO\r\n", b"-NOAUTH Authentication required.\r\n"),
        (LOCKED, b"AUTH x\r\n", b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"),
        (MEMCACHED, b"version\r\n", b"VERSION 1.5.22\r\n"),
        (MEMCACHED, b"\r\n\r\n", b"ERROR\r\nERROR\r\n"),
        (MEMCACHED, b"get key\r\nset key\r\nquit\r\nversion\r\n", b"END\r\nERROR\r\n"),
        (SMTP, b"QUIT\r\n", b"220 mail.school1.example ESMTP Postfix\r\n221 2.0.0 Bye\r\n"),
        (text.pop3(110), b"STAT\r\nQUIT\r\n", b"+OK Dovecot ready.\r\n-ERR Unknown command.\r\n+OK Logging out\r\n"),
        (device.vnc(5900), b"GET / HTTP/1.0\r\n", b"RFB 003.008\n"),
        (device.mqtt(1883), b"\x10\x10\x00\x04MQTT\x04\x02\x00\x1e\x00\x04nmap\xc0\x00", b"\x20\x02\0\0\xd0\0"),
        (device.mqtt(1883), b"\x10\x04\x00\x04HTTP", b""),
        (device.mqtt(1883), b"\x10\xff\xff\xff\xff\xff", b""),
        (device.silent(9999), b"GET / HTTP/1.0\r\n\r\n", b""),
        (device.print_port(9100, "LP 1"), b"\x1b%-12345X@PJL INFO ID\r\n", b'@PJL INFO ID\r\n"LP 1"\r\n'),
        (device.print_port(9100, "LP 1"), b"some text", b""),
        (POSTGRES, b"GET / HTTP/1.0\r\n\r\n", b""),
        (MONGODB, b"\r\n\r\n", b""),
        (MONGODB, struct.pack("<iiii", 21, 7, 0, 2013) + b"\0\0\0\0\x01", b""),
        (MONGODB, struct.pack("<iiii", 28, 7, 0, 2004) + b"\0\0\0\0a\0" + bytes(6), b""),
        (device.vnc(5900), b"RFB 003.008\n\x01", b"RFB 003.008\n\x01\x02"),
        (device.mqtt(1883), b"\x10\x0a\0\x04MQTT\x04\x02\0\x1e\x30\0\xc0\0", b"\x20\x02\0\0"),
        (device.rdp(3389), b"\x03\0\0\x0b\x06\xf0\0\0\0\0\0", b""),
        (text.rtsp(554), b"GET / HTTP/1.0\r\n\r\n", b"RTSP/1.0 400 Bad Request\r\n\r\n"),
    ],
)
def test_service_when_asked_then_it_answers_as_its_protocol_says(
    service: Service, request_: bytes, answer: bytes
) -> None:
    assert speak(service, request_) == answer


@pytest.mark.parametrize(
    ("service", "request_", "words"),
    [
        (REDIS, b"info\r\n", (b"redis_version:5.0.14\r\n", b"tcp_port:6379")),
        (MEMCACHED, b"stats\r\n", (b"STAT pid ", b"STAT version 1.5.22\r\n", b"END\r\n")),
        (SMTP, b"EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nXYZ\r\n", (b"554 5.7.1", b"502 5.5.2")),
        (
            text.ftp(21, "3.0.2"),
            b"USER a\r\nPASS b\r\nLIST\r\nQUIT\r\n",
            (b"(vsFTPd 3.0.2)", b"331 ", b"530 ", b"221 "),
        ),
        (
            text.imap(143),
            b"a CAPABILITY\r\nb LOGIN x y\r\n\r\nc LOGOUT\r\n",
            (b"AUTH=PLAIN", b"b NO ", b"* BAD", b"c OK"),
        ),
        (text.telnet(23), b"a\r\nb\r\na\r\nb\r\na\r\nb\r\n", (b"H3C", b"Username:", b"Password:", b"% Login failed!")),
        (text.rtsp(554), b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", (b"200 OK\r\nCSeq: 1\r\nPublic:",)),
        (text.rtsp(554), b"DESCRIBE / RTSP/1.0\r\nCSeq: 2\r\n\r\n", (b"401 Unauthorized\r\nCSeq: 2\r\nWWW-Auth",)),
        (MYSQL, b"\x04\0\0\x01root", (b"5.5.62\0", b"mysql_native_password\0", b"\xff\x15\x04#28000Access denied")),
        (POSTGRES, startup(196608) + b"p\0\0\0\x09abcd\0", (b"R\0\0\0\x0c\0\0\0\x05", b"C28P01\0")),
        (POSTGRES, struct.pack(">II", 8, 80877103) + startup(196608), (b"NR\0\0\0\x0c",)),
        (POSTGRES, startup(0xFF534D42), (b"VFATAL\0C0A000\0", b"65363.19778", b"L2133\0RProcessStartupPacket\0")),
        (MONGODB, query("buildInfo"), (b"version\0", b"3.6.23\0")),
        (MONGODB, query("hello", 2013), (struct.pack("<i", 2013), b"isWritablePrimary\0\x01")),
        (MONGODB, query("listDatabases"), (b"\x04databases\0",)),
        (MONGODB, query("shutdown"), (b"no such command: 'shutdown'",)),
        (MONGODB, get("/"), (b"HTTP/1.0 200 OK\r\n", b"trying to access MongoDB over HTTP")),
        (DNS, framed(VERSION_QUERY), (b"\xc0\x0c\0\x10\0\x03", b"\x079.16.27")),
        (DNS, framed(VERSION_QUERY.replace(b"bind", b"none")), (b"\0\x06\x81\x05\0\0",)),
        (DNS, framed(b"\0\0\x10\0\0\0\0\0\0\0\0\0"), (b"\0\0\x90\x04\0\0",)),
        (device.vnc(5900), b"RFB 003.008\n\x02" + bytes(16), (b"\x01\x02", b"Authentication failed")),
        (device.mqtt(1883), b"\x10\x0a\0\x04MQTT\x04\x02\0\x1e\x82\x06\0\x09\0\x01a\0", (b"\x90\x03\0\x09\x80",)),
        (device.rdp(3389), b"\x03\0\0\x0b\x06\xe0\0\0\0\0\0", (b"\x03\0\0\x0b\x06\xd0\0\0\x124\0",)),
        (
            device.rdp(3389),
            b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0",
            (b"\x03\0\0\x13\x0e\xd0\0\0\x124\0\x02\x1f\x08\0\x02\0\0\0",),
        ),
        (text.ssh(22, "OpenSSH_5.3", "5.3", old=True), b"GET /\r\n", (b"SSH-2.0-OpenSSH_5.3\r\nProtocol mismatch.\n",)),
        (
            PORTAL,
            get("/"),
            (b"Server: nginx/1.22.1\r\n", "示例市第一中学 门户网站</title>".encode(), sites.ICP.encode()),
        ),
        (PORTAL, b"\r\n" + get("/"), (b"HTTP/1.1 200 OK\r\n",)),
        (PORTAL, get("/none"), (b"HTTP/1.1 404 Not Found\r\n",)),
        (PORTAL, b"SSH-2.0-x\r\n\r\n", (b"HTTP/1.1 400 Bad Request\r\n", b"Connection: close\r\n")),
        (PORTAL, get("/", method="POST"), (b"HTTP/1.1 403 Forbidden\r\n",)),
        (PORTAL, get("/", method="TRACE"), (b"HTTP/1.1 405 Method Not Allowed\r\n",)),
        (PORTAL, get("/", method="OPTIONS"), (b"Allow: GET, HEAD, OPTIONS, POST\r\n",)),
        (sites.camera_page(80), get("/"), (b"HTTP/1.0 200 OK\r\n", b"Server: App-webs/\r\n")),
        (sites.switch_page(80, "x"), get("/", "HTTP/1.1"), (b"HTTP/1.0 200 OK\r\n", b"Connection: close\r\n")),
        (sites.directory_listing(80, "1.4.59"), get("/readme.txt"), ("练习用文件".encode(),)),
    ],
)
def test_service_when_asked_then_the_answer_holds_what_scanners_look_for(
    service: Service, request_: bytes, words: tuple[bytes, ...]
) -> None:
    heard = speak(service, request_)

    assert [word for word in words if word not in heard] == []


def test_http_when_the_connection_is_kept_then_every_request_is_answered() -> None:
    heard = speak(PORTAL, get("/", "HTTP/1.1"), get("/robots.txt", "HTTP/1.1"), get("/", "HTTP/1.1", "HEAD"))

    assert heard.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert heard.count(b"Connection: keep-alive\r\n") == 3
    assert heard.endswith(b"\r\n\r\n")


def test_http_when_there_are_endless_headers_then_it_hangs_up() -> None:
    assert speak(PORTAL, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200) == b""


def test_elasticsearch_when_asked_then_it_answers_json_without_headers_of_a_web_server() -> None:
    head, _, body = speak(ELASTIC, get("/")).partition(b"\r\n\r\n")

    assert b"Server:" not in head
    assert json.loads(body)["version"]["number"] == "6.8.23"


def test_ssh_when_the_client_starts_the_key_exchange_then_it_answers_with_its_algorithms() -> None:
    kexinit = b"\x06\x14" + bytes(22)
    heard = speak(
        text.ssh(22, "OpenSSH_5.3", "5.3", old=True),
        b"SSH-2.0-client\r\n",
        struct.pack(">I", len(kexinit)) + kexinit,
        struct.pack(">I", 12) + b"\x04\x1e" + bytes(10),
    )
    size, padding = struct.unpack(">IB", heard[21:26])

    assert heard[26] == 20
    assert (size + 4) % 8 == 0
    assert padding >= 4
    assert b"diffie-hellman-group1-sha1" in heard
    assert b"key exchange failed" in heard


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param((b"a" * 4096,) * 1000, id="one-endless-line"),
        pytest.param((b"PING\r\n" * 500,) * 1000, id="endless-requests"),
        pytest.param((b"*1\r\n$99999999\r\n",), id="a-length-out-of-range"),
        pytest.param((b"*2\r\n:1\r\n",), id="not-a-bulk-string"),
        pytest.param((b"*x\r\n",), id="not-a-number"),
    ],
)
def test_conversation_when_the_peer_says_too_much_or_nonsense_then_it_ends(stream: tuple[bytes, ...]) -> None:
    peer = Peer(stream)
    asyncio.run(converse(REDIS, peer))

    assert len(peer.heard) <= SESSION_BYTES * 2


@pytest.mark.parametrize(
    "service",
    [
        MYSQL,  # the client names the length of what follows: up to 16 MiB
        device.mqtt(1883),
    ],
)
def test_conversation_when_a_message_is_longer_than_a_request_may_be_then_it_hangs_up(service: Service) -> None:
    peer = Peer((b"\x10\xff\xff\x7f", bytes(REQUEST_BYTES)))
    asyncio.run(converse(service, peer))

    assert b"denied" not in peer.heard
    assert b"\x20\x02" not in peer.heard


EVERY_SERVICE = tuple(
    {
        (service.port, host.role): service
        for seed in (1, 2)
        for phase in Phase
        for host in plan_school(seed=seed).hosts(phase)
        for service in host.services
    }.values()
)
OPENINGS = st.sampled_from(
    (
        b"",
        b"GET / HTTP/1.1\r\n",
        b"*3\r\n$3\r\n",
        b"SSH-2.0-x\r\n",
        b"RFB 003.008\n",
        b"\x10\x0a\0\x04MQTT\x04\x02\0\x1e",
        b"\x03\0\0\x13\x0e\xe0",
        b"\0\0\0\x20\0\x03\0\0",
        b"\x30\0\0\0\x01\0\0\0\0\0\0\0\xd4\x07\0\0",
        b"\x30\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0",
        b"\0\x20",
        b"\x04\0\0\x01",
    )
)


@pytest.mark.parametrize("service", EVERY_SERVICE, ids=lambda service: f"{service.seen.service}-{service.port}")
@settings(max_examples=15, deadline=None)
@given(opening=OPENINGS, pieces=st.lists(st.binary(min_size=1, max_size=80), max_size=5))
@example(opening=b"", pieces=[b"\0" * 64])
@example(opening=b"", pieces=[b"\xff" * 64])
def test_service_when_it_hears_anything_then_it_ends_without_a_fault(
    service: Service, opening: bytes, pieces: list[bytes]
) -> None:
    peer = Peer((opening, *pieces) if opening else tuple(pieces))

    asyncio.run(converse(service, peer))

    assert len(peer.heard) < SESSION_BYTES


@pytest.mark.parametrize(
    ("kind", "days", "own", "name"),
    [
        (CertificateKind.GOOD, (-1, 364), False, "www.school1.example"),
        (CertificateKind.EXPIRED, (-400, -35), False, "www.school1.example"),
        (CertificateKind.EXPIRING, (-360, 5), False, "www.school1.example"),
        (CertificateKind.SELF_SIGNED, (-1, 364), True, "www.school1.example"),
        (CertificateKind.WRONG_NAME, (-1, 364), False, "www.school1.example"),
        (CertificateKind.WEAK_KEY, (-1, 364), False, "www.school1.example"),
    ],
)
def test_authority_when_it_issues_then_the_certificate_has_the_planned_flaw_and_no_other(
    kind: CertificateKind, days: tuple[int, int], own: bool, name: str
) -> None:
    authority = Authority("school1.example", NOW)

    certificate = authority.issue(CertificatePlan(kind, name)).certificate

    assert certificate.not_valid_before_utc == NOW + timedelta(days=days[0])
    assert certificate.not_valid_after_utc == NOW + timedelta(days=days[1])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [name]
    certificate.verify_directly_issued_by(certificate if own else authority.certificate)
    key = certificate.public_key()
    if kind is CertificateKind.WEAK_KEY:
        assert isinstance(key, rsa.RSAPublicKey)
        assert key.key_size == 1024
    else:
        assert isinstance(key, ec.EllipticCurvePublicKey)


def with_door(
    service: Service, tls: ssl.SSLContext | None, use: Callable[[Door, int], Awaitable[None]], opened: bool = True
) -> None:
    """Run a coroutine beside one real listening port."""

    async def play() -> None:
        listener = reserve(ADDRESS, 0)
        door = Door(listener, service, tls)
        port = listener.getsockname()[1]
        if opened:
            await door.open()
        try:
            await asyncio.wait_for(use(door, port), 20)
        finally:
            await door.close()

    asyncio.run(play())


async def exchange(port: int, words: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(str(ADDRESS), port)
    try:
        writer.write(words)
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def secure(kind: CertificateKind = CertificateKind.GOOD) -> tuple[Service, ssl.SSLContext]:
    plan = CertificatePlan(kind, "www.school1.example")
    return sites.portal(443, "x", "1.22.1", plan), Authority("school1.example", datetime.now(UTC)).issue(plan).context


def test_door_when_the_port_is_only_reserved_then_it_refuses() -> None:
    async def use(_door: Door, port: int) -> None:
        with pytest.raises(ConnectionRefusedError):
            await exchange(port, b"PING\r\n")

    with_door(REDIS, None, use, opened=False)


def test_door_when_the_service_is_exchanged_then_the_next_connection_meets_the_new_one() -> None:
    async def use(door: Door, port: int) -> None:
        assert await exchange(port, b"version\r\nquit\r\n") == b"VERSION 1.5.22\r\n"
        door.exchange(data.memcached(11211, "1.6.18"), None)
        assert await exchange(port, b"version\r\nquit\r\n") == b"VERSION 1.6.18\r\n"

    with_door(MEMCACHED, None, use)


def test_door_when_too_many_connect_then_the_rest_is_cut_and_the_first_still_served() -> None:
    async def use(_door: Door, port: int) -> None:
        held = [await asyncio.open_connection(str(ADDRESS), port) for _ in range(CONNECTIONS_PER_DOOR)]
        for _, writer in held:
            writer.write(b"PING\r\n")
        assert [await reader.read(7) for reader, _ in held] == [b"+PONG\r\n"] * CONNECTIONS_PER_DOOR
        assert await exchange(port, b"PING\r\n") == b""
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.1)
        assert await exchange(port, b"PING\r\nQUIT\r\n") == b"+PONG\r\n+OK\r\n"

    with_door(REDIS, None, use)


@pytest.mark.parametrize("words", [b"GET / HT", b"\x10", b""])
def test_door_when_a_request_stays_half_or_none_comes_then_it_hangs_up(
    words: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "PART_S", 0.05)
    monkeypatch.setattr(conversation, "IDLE_S", 0.1)

    async def use(_door: Door, port: int) -> None:
        assert await asyncio.wait_for(exchange(port, words), 2) == b""

    with_door(PORTAL, None, use)


def test_door_when_the_session_lasts_too_long_then_it_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "SESSION_S", 0.2)

    async def use(_door: Door, port: int) -> None:
        assert await asyncio.wait_for(exchange(port, b"PING\r\n"), 5) in (b"+PONG\r\n", b"")

    with_door(REDIS, None, use)


def test_door_when_it_closes_during_a_conversation_then_the_peer_is_let_go() -> None:
    async def use(door: Door, port: int) -> None:
        reader, writer = await asyncio.open_connection(str(ADDRESS), port)
        writer.write(b"PING\r\n")
        assert await reader.read(7) == b"+PONG\r\n"
        await door.close()
        assert await reader.read() == b""
        writer.close()

    with_door(REDIS, None, use)


@pytest.mark.parametrize("kind", [CertificateKind.GOOD, CertificateKind.WEAK_KEY])
def test_door_when_a_client_speaks_tls_then_the_page_comes_through(kind: CertificateKind) -> None:
    service, tls = secure(kind)

    async def use(_door: Door, port: int) -> None:
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname = False
        client.verify_mode = ssl.CERT_NONE
        reader, writer = await asyncio.open_connection(str(ADDRESS), port, ssl=client)
        writer.write(get("/", "HTTP/1.1"))
        assert b"nginx/1.22.1" in await reader.readuntil(b"\r\n\r\n")
        writer.close()

    with_door(service, tls, use)


def test_door_when_clear_text_comes_on_the_tls_port_then_nginx_says_so_and_others_send_an_alert() -> None:
    service, tls = secure()
    mute = Service(443, http(Site("x", {"/": Page(b"")})), Seen("http"), certificate=service.certificate)

    async def use(door: Door, port: int) -> None:
        assert b"The plain HTTP request was sent to HTTPS port" in await exchange(port, get("/"))
        door.exchange(mute, tls)
        hello_without_a_common_cipher = (
            b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03" + bytes(32) + b"\0\0\x02\0\x04\x01\0\0\0"
        )
        assert (await exchange(port, hello_without_a_common_cipher)).startswith(b"\x15\x03")

    with_door(service, tls, use)


@pytest.mark.parametrize("words", [b"\x16\x03\x01", b"\x16"])
def test_door_when_a_handshake_stays_half_then_it_hangs_up(words: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "PART_S", 0.05)
    service, tls = secure()

    async def use(_door: Door, port: int) -> None:
        assert await asyncio.wait_for(exchange(port, words), 2) == b""

    with_door(service, tls, use)


def test_reserve_when_somebody_listens_there_then_it_fails() -> None:
    with socket.create_server((str(ADDRESS), 0)) as other, pytest.raises(OSError, match="in use"):
        reserve(ADDRESS, other.getsockname()[1])
