"""A MongoDB without login for the practice school: wire messages in, hand-made BSON answers out."""

from __future__ import annotations

import struct

from sentinel.drill.servers.conversation import Conversation, HangupError, Seen, Service

Value = str | int | float | bool | dict[str, "Value"] | list["Value"]

_OP_REPLY, _OP_QUERY, _OP_MSG = 1, 2004, 2013
_MESSAGE_BYTES = range(16, 16 * 1024)
_MESSAGES_PER_SESSION = 200
_HTTP_WORDS = (b"GET ", b"HEAD", b"POST", b"OPTI")
_HTTP_TEXT = b"It looks like you are trying to access MongoDB over HTTP on the native driver port.\n"


def _element(name: str, value: Value) -> bytes:
    key = name.encode() + b"\0"
    if isinstance(value, bool):
        return b"\x08" + key + bytes([value])
    if isinstance(value, float):
        return b"\x01" + key + struct.pack("<d", value)
    if isinstance(value, int):
        return b"\x10" + key + struct.pack("<i", value)
    if isinstance(value, str):
        text = value.encode() + b"\0"
        return b"\x02" + key + struct.pack("<i", len(text)) + text
    if isinstance(value, dict):
        return b"\x03" + key + document(value)
    return b"\x04" + key + document({str(place): item for place, item in enumerate(value)})


def document(fields: dict[str, Value]) -> bytes:
    """Encode a BSON document. Source: BSON specification 1.1."""
    body = b"".join(_element(name, value) for name, value in fields.items()) + b"\0"
    return struct.pack("<i", len(body) + 4) + body


def _first_key(body: bytes) -> str:
    """Name the command of a BSON document: its first key."""
    end = body.find(b"\0", 5)
    if len(body) < 6 or end < 0:
        raise HangupError("no command")
    return body[5:end].decode("latin-1")


def _command(code: int, body: bytes) -> str:
    if code == _OP_MSG and len(body) > 5 and body[4] == 0:
        return _first_key(body[5:])
    if code == _OP_QUERY:
        start = body.find(b"\0", 4) + 9  # flags, collection name, skip, return
        if start > 12:
            return _first_key(body[start:])
    raise HangupError("unknown message")


def _answers(version: str) -> dict[str, dict[str, Value]]:
    hello: dict[str, Value] = {
        "ismaster": True,
        "maxBsonObjectSize": 16777216,
        "minWireVersion": 0,
        "maxWireVersion": 6,
        "readOnly": False,
        "ok": 1.0,
    }
    build: dict[str, Value] = {"version": version, "gitVersion": "practice", "bits": 64, "ok": 1.0}
    status: dict[str, Value] = {"host": "practice", "version": version, "process": "mongod", "uptime": 60.0, "ok": 1.0}
    databases: dict[str, Value] = {"databases": [], "totalSize": 0.0, "ok": 1.0}
    return {
        "ismaster": hello,
        "hello": {"isWritablePrimary": True, **hello},
        "buildinfo": build,
        "serverstatus": status,
        "listdatabases": databases,
        "ping": {"ok": 1.0},
    }


def _reply(code: int, request: int, fields: dict[str, Value]) -> bytes:
    """Write an answer in the form of the question. Source: MongoDB wire protocol, OP_REPLY and OP_MSG."""
    if code == _OP_MSG:
        kind, body = _OP_MSG, struct.pack("<IB", 0, 0) + document(fields)
    else:
        kind, body = _OP_REPLY, struct.pack("<iqii", 8, 0, 0, 1) + document(fields)
    return struct.pack("<iiii", 16 + len(body), 1, request, kind) + body


def _refusal(command: str) -> dict[str, Value]:
    text = f"not authorized on admin to execute command {{ {command[:40]}: 1.0 }}"
    return {"ok": 0.0, "errmsg": text, "code": 13}


def mongodb(port: int, version: str, login: bool = False) -> Service:
    """Build a MongoDB that tells anybody about itself, or only that it wants a login."""
    answers = _answers(version)
    open_to_all = ("ismaster", "hello", "ping")

    async def talk(conversation: Conversation) -> None:
        for _ in range(_MESSAGES_PER_SESSION):
            head = await conversation.exactly(4)
            if head in _HTTP_WORDS:
                lines = (
                    b"HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"
                )
                conversation.say(lines % len(_HTTP_TEXT) + _HTTP_TEXT)
                return
            size = int.from_bytes(head, "little")
            if size not in _MESSAGE_BYTES:
                return
            request, _, code = struct.unpack("<iii", await conversation.exactly(12))
            command = _command(code, await conversation.exactly(size - 16))
            unknown: dict[str, Value] = {"ok": 0.0, "errmsg": f"no such command: '{command[:40]}'", "code": 59}
            answer = answers.get(command.lower(), unknown)
            if login and command.lower() not in open_to_all:
                answer = _refusal(command)
            conversation.say(_reply(code, request, answer))

    if login:
        seen, elsewhere = Seen("mongodb", "MongoDB"), Seen("mongodb", "MongoDB", "2.5.1 or later")
        return Service(port, talk, seen, elsewhere, weaknesses=("exposure.mongodb",))
    named = Seen("mongodb", "MongoDB", version)
    return Service(port, talk, named, weaknesses=("exposure.mongodb-no-auth",))
