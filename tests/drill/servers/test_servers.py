"""The servers of the practice school, spoken to without sockets first, then through real doors."""

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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
from tests.drill.servers.speaking import ADDRESS, Peer, get, speak
from tests.drill.servers.stand import SERVICES

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)

REDIS = data.redis(6379, "5.0.14", login=False)
LOCKED = data.redis(6380, "6.2.7", login=True)
MEMCACHED = data.memcached(11211, "1.5.22")
MONGODB = mongodb(27017, "3.6.23")
LOCKED_MONGODB = mongodb(27017, "4.4.18", login=True)
ELASTIC = data.elasticsearch(9200, "school1", "6.8.23")
POSTGRES = data.postgresql(5432, "13.5 - 13.8")
MYSQL = data.mysql(3306, "5.5.62")
PORTAL = sites.portal(80, "示例市第一中学", "1.22.1")
SMTP = text.smtp(25, "mail.school1.example")


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
        (device.modbus(502), b"\r\n\r\n", b""),
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
        (device.vnc(5900), b"RFB 003.008\n\x02" + bytes(16), (b"\x01\x02", b"Authentication failed")),
        (device.mqtt(1883), b"\x10\x0a\0\x04MQTT\x04\x02\0\x1e\x82\x06\0\x09\0\x01a\0", (b"\x90\x03\0\x09\x80",)),
        (device.rdp(3389), b"\x03\0\0\x0b\x06\xe0\0\0\0\0\0", (b"\x03\0\0\x0b\x06\xd0\0\0\x124\0",)),
        (
            device.rdp(3389),
            b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0",
            (b"\x03\0\0\x13\x0e\xd0\0\0\x124\0\x02\x1f\x08\0\x02\0\0\0",),
        ),
        (device.modbus(502), b"\0\1\0\0\0\6\1\3\0\0\0\2", (b"\0\1\0\0\0\7\1\3\4\0\0\0\0",)),
        (device.modbus(502), b"\0\1\0\0\0\6\1\3\0\0\1\2", (b"\0\1\0\0\0\3\1\x83\1",)),
        (device.modbus(502), b"\0\2\0\0\0\5\1\x2b\x0e\1\0", (b"\1\x2b\x0e\1\1\0\0\3\0\x08Practice\1\5PLC-1",)),
        (device.modbus(502), b"\0\3\0\0\0\6\1\6\0\0\0\2", (b"\0\3\0\0\0\3\1\x86\1",)),
        (LOCKED_MONGODB, query("serverStatus"), (b"not authorized on admin to execute command { serverStatus: 1.0 }",)),
        (LOCKED_MONGODB, query("hello", 2013), (b"isWritablePrimary\0\x01",)),
        (text.windows_ftp(21), b"USER anonymous\r\nPASS a@b\r\nQUIT\r\n", (b"331 ", b"530 User cannot", b"221 ")),
        (text.telnet(23, "Huawei"), b"a\r\nb\r\n", (b"Huawei Technologies", b"Username:", b"% Login failed!")),
        (text.ssh(22, "OpenSSH_5.3", "5.3", old=True), b"GET /\r\n", (b"SSH-2.0-OpenSSH_5.3\r\nProtocol mismatch.\n",)),
        (
            PORTAL,
            get("/"),
            (b"Server: nginx/1.22.1\r\n", "示例市第一中学 门户网站</title>".encode(), sites.ICP.encode()),
        ),
        (PORTAL, b"\r\n" + get("/"), (b"HTTP/1.1 200 OK\r\n",)),
        (PORTAL, get("/none"), (b"HTTP/1.1 404 Not Found\r\n",)),
        (PORTAL, b"SSH-2.0-x\r\n\r\n", (b"HTTP/1.1 400 Bad Request\r\n", b"Connection: close\r\n")),
        (PORTAL, b"\x16\x03", (b"HTTP/1.1 400 Bad Request\r\n",)),
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


EVERY_SERVICE = (
    *(REDIS, LOCKED, MEMCACHED, MONGODB, ELASTIC, POSTGRES, MYSQL, PORTAL, SMTP),
    *(text.pop3(110), text.imap(143), text.telnet(23), text.ftp(21, "3.0.2"), text.rtsp(554)),
    *(text.ssh(22, "OpenSSH_9.2", "9.2", old=False), text.ssh(22, "OpenSSH_5.3", "5.3", old=True)),
    *(device.mqtt(1883), device.vnc(5900), device.rdp(3389), device.print_port(9100, "LP 1"), device.silent(9999)),
    *(
        sites.camera_page(80),
        sites.printer_page(80),
        sites.default_page(80, "2.2.15"),
        sites.switch_page(80, "x"),
        sites.directory_listing(80, "1.4.59"),
    ),
    *(service for name, service in SERVICES.items() if not name.startswith("slow")),
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
        b"\0\0\0\x40\xffSMBr",
        b"\x12\x01\0\x34\0\0\0\0",
        b"\x12\x34\0\x05\x02",
        b"\0\x5a\0\0\x01\0\0\0",
        b"\x30\x0c\x02\x01\x01\x60",
        b"\x30\x0c\x02\x01\x01\x63",
        b"\x05\x01\0",
        b"\x05\x01\x02",
        b"l\0\x0b\0\0\0\0\0\0\0\0\0",
        b"\x80\0\0\x28",
        b"@RSYNCD: 31.0\n",
        b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n",
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

    with contextlib.suppress(ConnectionAbortedError):  # the one server that cuts everybody off
        asyncio.run(converse(service, peer))

    assert len(peer.heard) < SESSION_BYTES


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


@pytest.mark.parametrize("words", [b"GET / HT", b"G", b""])
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


@pytest.mark.parametrize(("port", "rules"), [(1521, ("exposure.high-risk-port",)), (9999, ())])
def test_silent_when_its_port_is_a_high_risk_one_then_a_rule_must_find_it(port: int, rules: tuple[str, ...]) -> None:
    assert device.silent(port).weaknesses == rules


@pytest.mark.parametrize(("version", "found"), [("2.3.4", True), ("3.0.2", False)])
def test_ftp_when_it_bears_the_name_of_the_tampered_release_then_its_rule_must_find_it(
    version: str, found: bool
) -> None:
    assert ("exposure.vsftpd-backdoor" in text.ftp(21, version).weaknesses) == found
