"""Databases, caches and queues asked without a login: one read each, never a password, never a write."""

from __future__ import annotations

import re
import secrets
import struct

from sentinel.collect.bson import Fields, build_document, read_document
from sentinel.collect.dialer import Dialer, Line, NoAnswerError
from sentinel.collect.http_read import open_line
from sentinel.collect.login_answer import LEVEL, LoginAnswer, clean_version
from sentinel.collect.look import ProbeTarget

_MAX_ANSWER = 128 * 1024
_REDIS_INFO = b"*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n"
_REDIS_REFUSALS = (b"-NOAUTH", b"-NOPERM", b"-DENIED", b"-ERR operation not permitted", b"-ERR Authentication")


async def ask_redis(target: ProbeTarget, dialer: Dialer) -> LoginAnswer:
    """Ask Redis for INFO of its server. Source: Redis serialization protocol specification."""
    async with open_line(target, dialer, LEVEL) as line:
        await line.send(_REDIS_INFO)
        head = await line.read_until(b"\r\n", _MAX_ANSWER)
        first, _, data = head.partition(b"\r\n")
        if first.startswith(b"-"):
            if first.startswith(_REDIS_REFUSALS):
                return LoginAnswer(no_login=False, proof=first[1:].split(b" ")[0].decode("ascii", "replace"))
            raise NoAnswerError("it refuses INFO for another reason than a login")
        if not re.fullmatch(rb"\$\d{1,6}", first):
            raise NoAnswerError("it does not answer as redis does")
        size = int(first[1:])
        if len(data) < size:
            data += await line.read_exactly(size - len(data))
    found = re.search(rb"^redis_version:([^\r\n]{1,60})", data, re.MULTILINE)
    if not found:
        raise NoAnswerError("its INFO tells no version of redis")
    return LoginAnswer(no_login=True, proof="INFO server", version=clean_version(found[1].decode("ascii", "replace")))


_MEMCACHED_END = re.compile(rb"^(?:END|ERROR|CLIENT_ERROR [^\r\n]*|SERVER_ERROR [^\r\n]*)\r\n", re.MULTILINE)


async def ask_memcached(target: ProbeTarget, dialer: Dialer) -> LoginAnswer:
    """Ask memcached for its counters. Source: memcached protocol.txt."""
    async with open_line(target, dialer, LEVEL) as line:
        await line.send(b"stats\r\n")
        data = b""
        while not _MEMCACHED_END.search(data) and len(data) < _MAX_ANSWER:
            more = await line.read()
            if not more:
                break
            data += more
    if data.startswith(b"CLIENT_ERROR unauthenticated"):
        return LoginAnswer(no_login=False, proof="CLIENT_ERROR unauthenticated")
    found = re.search(rb"^STAT version (\S{1,60})\r?$", data, re.MULTILINE)
    if not found:
        raise NoAnswerError("it does not answer as memcached does")
    return LoginAnswer(no_login=True, proof="stats", version=clean_version(found[1].decode("ascii", "replace")))


async def ask_zookeeper(target: ProbeTarget, dialer: Dialer) -> LoginAnswer:
    """Ask ZooKeeper for the state of its server. Source: ZooKeeper administrator's guide, four letter words."""
    async with open_line(target, dialer, LEVEL) as line:
        await line.send(b"srvr")
        data = await line.read_until(b"Node count:", _MAX_ANSWER)
    if b"not in the whitelist" in data:
        return LoginAnswer(no_login=False, proof="srvr is not in the whitelist")
    found = re.match(rb"Zookeeper version: (\S{1,60})", data)
    if not found:
        raise NoAnswerError("it does not answer as zookeeper does")
    version = clean_version(found[1].decode("ascii", "replace").partition("-")[0].strip(","))
    return LoginAnswer(no_login=True, proof="srvr", version=version)


_OP_REPLY, _OP_QUERY, _OP_MSG = 1, 2004, 2013
_UNAUTHORISED = 13
_SECONDARY_OK = 4


async def ask_mongodb(target: ProbeTarget, dialer: Dialer) -> LoginAnswer:
    """Ask MongoDB to list its databases; one too old for OP_MSG is asked again as it was done before 3.6.

    Source: MongoDB wire protocol, OP_MSG, OP_QUERY, OP_REPLY.
    """
    new = {"listDatabases": 1, "nameOnly": True, "$db": "admin", "$readPreference": {"mode": "primaryPreferred"}}
    old = struct.pack("<i", _SECONDARY_OK) + b"admin.$cmd\0" + struct.pack("<ii", 0, -1)
    try:
        found = await _ask_mongodb(target, dialer, _OP_MSG, struct.pack("<IB", 0, 0) + build_document(new))
    except NoAnswerError as error:
        if not re.search("ended|no answer", str(error)):
            raise
        found = await _ask_mongodb(target, dialer, _OP_QUERY, old + build_document({"listDatabases": 1}))
    databases = found.get("databases")
    if found.get("ok") == 1 and isinstance(databases, int):
        return LoginAnswer(no_login=True, proof=f"listDatabases: {databases}", listed=databases)
    words = str(found.get("errmsg") or found.get("$err") or "").lower()
    if found.get("code") == _UNAUTHORISED or "not authorized" in words or "requires authentication" in words:
        return LoginAnswer(no_login=False, proof=f"listDatabases: unauthorized ({_UNAUTHORISED})")
    raise NoAnswerError("it lists no databases for another reason than a login")


async def _ask_mongodb(target: ProbeTarget, dialer: Dialer, code: int, body: bytes) -> Fields:
    number = secrets.randbelow(2**31)
    async with open_line(target, dialer, LEVEL) as line:
        await line.send(struct.pack("<iiii", 16 + len(body), number, 0, code) + body)
        size, _, answers, kind = struct.unpack("<iiii", await line.read_exactly(16))
        if not 16 < size <= _MAX_ANSWER or answers != number or kind not in {_OP_MSG, _OP_REPLY}:
            raise NoAnswerError("it does not answer as mongodb does")
        data = await line.read_exactly(size - 16)
    try:
        return read_document(data[5:] if kind == _OP_MSG else data[20:])
    except ValueError as error:
        raise NoAnswerError(f"its answer cannot be read: {error}") from error


_API_VERSIONS, _METADATA = 18, 3
_METADATA_VERSIONS = {4: b"\0\0\0\0\0", 1: b"\0\0\0\0"}
"""An empty list of topics by version of the request; the newer one also says that none is to be made."""


async def ask_kafka(target: ProbeTarget, dialer: Dialer) -> LoginAnswer:
    """Ask Kafka what it speaks, then which brokers there are, of no topic; with SASL it hangs up on the second.

    Source: Kafka protocol guide, ApiVersions version 0, Metadata versions 1 and 4.
    """
    async with open_line(target, dialer, LEVEL) as line:
        spoken = _read_kafka_versions(await _ask_kafka(line, _API_VERSIONS, 0, b""))
        least, most = spoken.get(_METADATA, (1, 0))
        version = next((one for one in _METADATA_VERSIONS if least <= one <= most), None)
        if version is None:
            raise NoAnswerError("it speaks no metadata request this sentinel knows")
        try:
            data = await _ask_kafka(line, _METADATA, version, _METADATA_VERSIONS[version])
        except NoAnswerError as error:
            if "ended" in str(error) or "reset" in str(error):
                return LoginAnswer(no_login=False, proof="Metadata: connection closed")
            raise
    place = 4 if version >= 3 else 0
    if len(data) < place + 4 or not 0 < (brokers := int.from_bytes(data[place : place + 4], "big")) < 10_000:
        raise NoAnswerError("its metadata name no broker")
    return LoginAnswer(no_login=True, proof=f"Metadata: {brokers} brokers")


async def _ask_kafka(line: Line, key: int, version: int, body: bytes) -> bytes:
    number = secrets.randbelow(2**31)
    client = b"sentinel"
    head = struct.pack(">hhih", key, version, number, len(client)) + client
    await line.send(struct.pack(">i", len(head) + len(body)) + head + body)
    (size,) = struct.unpack(">i", await line.read_exactly(4))
    if not 4 < size <= _MAX_ANSWER:
        raise NoAnswerError("it does not answer as kafka does")
    data = await line.read_exactly(size)
    if int.from_bytes(data[:4], "big") != number:
        raise NoAnswerError("it does not answer as kafka does")
    return data[4:]


def _read_kafka_versions(data: bytes) -> dict[int, tuple[int, int]]:
    if len(data) < 6 or data[:2] != b"\0\0":
        raise NoAnswerError("it does not tell what it speaks")
    count = min(int.from_bytes(data[2:6], "big"), (len(data) - 6) // 6)
    rows = (struct.unpack_from(">hhh", data, 6 + 6 * number) for number in range(count))
    return {key: (least, most) for key, least, most in rows}
