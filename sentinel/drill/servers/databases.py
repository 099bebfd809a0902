"""Databases and caches of the practice school: MySQL, PostgreSQL, Redis, memcached and Elasticsearch, all empty."""

from __future__ import annotations

import json
import os
import struct
import time

from sentinel.drill.servers.conversation import Conversation, HangupError, Seen, Service
from sentinel.drill.servers.web import Page, Site, http

_COMMANDS_PER_SESSION = 1000


def mysql(port: int, version: str) -> Service:
    """Build a MySQL server that greets and refuses every login. Source: MySQL internals, protocol::Handshake v10."""

    async def talk(conversation: Conversation) -> None:
        salt = bytes(33 + byte % 90 for byte in os.urandom(20))
        greeting = b"\x0a" + version.encode() + b"\0" + struct.pack("<I", 1 + os.getpid() % 9000) + salt[:8] + b"\0"
        greeting += (
            struct.pack("<HBHHB", 0xF7FF, 8, 2, 0x800F, 21) + bytes(10) + salt[8:] + b"\0mysql_native_password\0"
        )
        conversation.say(_mysql_packet(0, greeting))
        head = await conversation.exactly(4)
        await conversation.exactly(int.from_bytes(head[:3], "little"))
        refusal = b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied for user (using password: YES)"
        conversation.say(_mysql_packet((head[3] + 1) % 256, refusal))

    return Service(port, talk, Seen("mysql", "MySQL", version), weaknesses=("exposure.mysql", "exposure.eol-mysql"))


def _mysql_packet(sequence: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([sequence]) + payload


# Version ranges nmap tells apart by the source line in the error, as PostgreSQL reports it.
_POSTGRES_LINES = {"13.5 - 13.8": 2133, "12.9 - 12.12": 2119}
_SSL_REQUEST, _PROTOCOL_3 = 80877103, 196608
_STARTUP_BYTES = range(8, 10001)


def _postgres_error(code: str, message: str, line: int, routine: str) -> bytes:
    """Write an ErrorResponse. Source: PostgreSQL documentation, protocol message formats."""
    source = "auth.c" if code.startswith("28") else "postmaster.c"
    fields = (
        ("S", "FATAL"),
        ("V", "FATAL"),
        ("C", code),
        ("M", message),
        ("F", source),
        ("L", str(line)),
        ("R", routine),
    )
    body = b"".join(f"{letter}{text}\0".encode() for letter, text in fields) + b"\0"
    return b"E" + struct.pack(">I", len(body) + 4) + body


def postgresql(port: int, version: str) -> Service:
    """Build a PostgreSQL server that asks for a password and accepts none; `version` is one nmap can name."""
    line = _POSTGRES_LINES[version]

    async def startup(conversation: Conversation) -> int:
        (size,) = struct.unpack(">I", await conversation.exactly(4))
        if size not in _STARTUP_BYTES:
            raise HangupError("invalid length of startup packet")
        body = await conversation.exactly(size - 4)
        return int.from_bytes(body[:4], "big")

    async def talk(conversation: Conversation) -> None:
        code = await startup(conversation)
        if code == _SSL_REQUEST:
            conversation.say(b"N")
            code = await startup(conversation)
        if code != _PROTOCOL_3:
            asked = f"unsupported frontend protocol {code >> 16}.{code & 0xFFFF}: server supports 3.0 to 3.0"
            conversation.say(_postgres_error("0A000", asked, line, "ProcessStartupPacket"))
            return
        conversation.say(b"R" + struct.pack(">II", 12, 5) + os.urandom(4))
        _, size = struct.unpack(">cI", await conversation.exactly(5))
        await conversation.exactly(max(0, size - 4))
        conversation.say(_postgres_error("28P01", "password authentication failed", 335, "auth_failed"))

    return Service(port, talk, Seen("postgresql", "PostgreSQL DB", version), weaknesses=("exposure.postgresql",))


async def _redis_command(conversation: Conversation) -> list[bytes]:
    """Read one command, inline or as an array. Source: Redis serialization protocol specification."""
    line = await conversation.line()
    if not line.startswith(b"*"):
        return line.split()
    words: list[bytes] = []
    for _ in range(_redis_count(line, 64)):
        head = await conversation.line()
        if not head.startswith(b"$"):
            raise HangupError("bulk string expected")
        words.append((await conversation.exactly(_redis_count(head, 4096) + 2))[:-2])
    return words


def _redis_count(line: bytes, most: int) -> int:
    text = line[1:]
    if not text.isdigit() or len(text) > 6 or int(text) > most:
        raise HangupError("invalid length")
    return int(text)


def _redis_answer(words: list[bytes], info: bytes, login: bool) -> bytes:
    name = words[0].upper()
    fixed = {
        b"PING": b"+PONG\r\n",
        b"QUIT": b"+OK\r\n",
        b"INFO": b"$%d\r\n%b\r\n" % (len(info), info),
        b"DBSIZE": b":0\r\n",
        b"KEYS": b"*0\r\n",
        b"GET": b"$-1\r\n",
    }
    least = {b"KEYS": 2, b"GET": 2, b"AUTH": 2}
    if name not in fixed and name != b"AUTH":
        shown = words[0][:40].decode("latin-1").encode("ascii", "replace")
        return b"-ERR unknown command `%b`, with args beginning with: \r\n" % shown
    # Redis checks the number of arguments before it asks for a login.
    if len(words) < least.get(name, 1) or (name in (b"GET", b"KEYS") and len(words) != 2):
        return b"-ERR wrong number of arguments for '%b' command\r\n" % name.lower()
    if name == b"AUTH":
        return b"-WRONGPASS invalid username-password pair or user is disabled.\r\n" if login else b"+OK\r\n"
    if login and name != b"QUIT":
        return b"-NOAUTH Authentication required.\r\n"
    return fixed[name]


def redis(port: int, version: str, login: bool) -> Service:
    """Build an empty Redis, with or without a login."""
    info = (
        f"# Server\r\nredis_version:{version}\r\nredis_mode:standalone\r\nos:Linux x86_64\r\ntcp_port:{port}\r\n"
        "# Clients\r\nconnected_clients:1\r\n# Keyspace\r\n"
    ).encode()

    async def talk(conversation: Conversation) -> None:
        for _ in range(_COMMANDS_PER_SESSION):
            words = await _redis_command(conversation)
            if not words:
                continue
            conversation.say(_redis_answer(words, info, login))
            if words[0].upper() == b"QUIT":
                return

    named = Seen("redis", "Redis key-value store")
    if login:
        return Service(port, talk, named, weaknesses=("exposure.redis",))
    return Service(
        port,
        talk,
        Seen("redis", "Redis key-value store", version),
        elsewhere=named,
        weaknesses=("exposure.redis-no-auth",),
        weaknesses_elsewhere=("exposure.redis",),  # without its own probe nmap cannot tell that no login is needed
    )


def memcached(port: int, version: str) -> Service:
    """Build an empty memcached that anybody may read."""
    started = time.monotonic()

    def answer(words: list[bytes]) -> bytes:
        command = words[0] if words else b""
        if command == b"version":
            return f"VERSION {version}\r\n".encode()
        if command == b"stats":
            rows = {"pid": os.getpid(), "uptime": int(time.monotonic() - started), "time": int(time.time())}
            stats = "".join(f"STAT {name} {value}\r\n" for name, value in rows.items())
            return f"{stats}STAT version {version}\r\nSTAT curr_items 0\r\nEND\r\n".encode()
        return b"END\r\n" if command in (b"get", b"gets") and len(words) > 1 else b"ERROR\r\n"

    async def talk(conversation: Conversation) -> None:
        for _ in range(_COMMANDS_PER_SESSION):
            words = (await conversation.line()).split()
            if words == [b"quit"]:
                return
            conversation.say(answer(words))

    seen, elsewhere = Seen("memcached", "Memcached", version), Seen("memcached", "Memcached")
    return Service(port, talk, seen, elsewhere, weaknesses=("exposure.memcached-no-auth",), weaknesses_elsewhere=())


def elasticsearch(port: int, school: str, version: str) -> Service:
    """Build an empty Elasticsearch that anybody may read."""
    about = {
        "name": "node-1",
        "cluster_name": school,
        "cluster_uuid": "cHJhY3RpY2Utc2Nob29s",
        "version": {"number": version, "lucene_version": "7.7.0"},
        "tagline": "You Know, for Search",
    }
    pages = {
        "/": _json(about),
        "/_cluster/health": _json({"cluster_name": school, "status": "green"}),
        "/_cat/indices": Page(b"", "text/plain; charset=UTF-8"),
    }
    missing = _json({"error": "no handler found for uri", "status": 404}, status=404)
    talk = http(Site("", pages, protocol="same", missing=missing, bare=True))
    seen = Seen("http", "Elasticsearch REST API", version)
    return Service(port, talk, seen, weaknesses=("exposure.elasticsearch-no-auth", "exposure.eol-elasticsearch"))


def _json(value: object, status: int = 200) -> Page:
    text = json.dumps(value, indent=2, separators=(",", " : ")) + "\n"  # the spacing Elasticsearch itself writes
    return Page(text.encode(), "application/json; charset=UTF-8", status)
