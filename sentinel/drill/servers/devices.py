"""Devices and desks of the practice school: MQTT, VNC, RDP, DNS over TCP, a print port, and a silent port."""

from __future__ import annotations

import os
import struct

from sentinel.drill.servers.conversation import Conversation, HangupError, Seen, Service

_PACKETS_PER_SESSION = 200


async def _mqtt_packet(conversation: Conversation, expected: int | None = None) -> tuple[int, bytes]:
    """Read a control packet: its first byte and its body. Source: MQTT 3.1.1 section 2.2."""
    first = (await conversation.exactly(1))[0]
    if expected is not None and first != expected:
        raise HangupError("another packet expected")
    size = 0
    for shift in (0, 7, 14, 21):
        byte = (await conversation.exactly(1))[0]
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            return first, await conversation.exactly(size)
    raise HangupError("malformed length")


def mqtt(port: int) -> Service:
    """Build an MQTT broker that lets everybody in and has no message for anybody."""

    async def talk(conversation: Conversation) -> None:
        first, body = await _mqtt_packet(conversation, expected=0x10)
        if body[:6] not in (b"\0\x04MQTT", b"\0\x06MQIs"):
            return
        conversation.say(b"\x20\x02\x00\x00")
        for _ in range(_PACKETS_PER_SESSION):
            first, body = await _mqtt_packet(conversation)
            if first == 0xC0:
                conversation.say(b"\xd0\x00")
            elif first == 0x82 and len(body) > 2:
                conversation.say(b"\x90\x03" + body[:2] + b"\x80")
            else:
                return

    return Service(port, talk, Seen("mqtt"), elsewhere=Seen(), weaknesses=("exposure.mqtt",), weaknesses_elsewhere=())


def vnc(port: int) -> Service:
    """Build a VNC server with a password nobody has. Source: RFC 6143 sections 7.1 and 7.2."""

    async def talk(conversation: Conversation) -> None:
        conversation.say(b"RFB 003.008\n")
        if not (await conversation.exactly(12)).startswith(b"RFB 003."):
            return
        conversation.say(b"\x01\x02")
        if await conversation.exactly(1) != b"\x02":
            return
        conversation.say(os.urandom(16))
        await conversation.exactly(16)
        reason = b"Authentication failed"
        conversation.say(struct.pack(">II", 1, len(reason)) + reason)

    return Service(port, talk, Seen("vnc", "VNC"), weaknesses=("exposure.vnc",))


def rdp(port: int) -> Service:
    """Build the first step of a Windows remote desktop: the X.224 connection confirm. Source: MS-RDPBCGR 2.2.1.2."""

    async def talk(conversation: Conversation) -> None:
        version, _, size = struct.unpack(">BBH", await conversation.exactly(4))
        if version != 3 or size not in range(11, 1024):
            return
        request = await conversation.exactly(size - 4)
        if request[1] != 0xE0:
            return
        # Without a negotiation request (8 bytes at the end, type 1) an old client gets the short confirm.
        asks = size >= 19 and request[-8:-6] == b"\x01\x00"
        tail = b"\x02\x1f\x08\x00\x02\x00\x00\x00" if asks else b""
        confirm = bytes([6 + len(tail), 0xD0]) + b"\0\0\x12\x34\0" + tail
        conversation.say(struct.pack(">BBH", 3, 0, 4 + len(confirm)) + confirm)
        await conversation.chunk()

    return Service(port, talk, Seen("ms-wbt-server", "Microsoft Terminal Services"), weaknesses=("exposure.rdp",))


_DNS_HEADER_BYTES = 12
_VERSION_QUESTION = b"\x07version\x04bind\0\0\x10\0\x03"


def _dns_answer(message: bytes, version: str) -> bytes:
    """Answer one query: the version, or refused. Source: RFC 1035 section 4.1."""
    code, flags = struct.unpack(">HH", message[:4])
    question = message[_DNS_HEADER_BYTES:]
    if flags & 0x7800:
        return struct.pack(">HHHHHH", code, 0x8004 | (flags & 0x7900), 0, 0, 0, 0)
    if question[: len(_VERSION_QUESTION)].lower() != _VERSION_QUESTION:
        return struct.pack(">HHHHHH", code, 0x8005 | (flags & 0x0100), 0, 0, 0, 0)
    text = version.encode()
    record = b"\xc0\x0c\0\x10\0\x03" + struct.pack(">IHB", 0, len(text) + 1, len(text)) + text
    head = struct.pack(">HHHHHH", code, 0x8400 | (flags & 0x0100), 1, 1, 0, 0)
    return head + question[: len(_VERSION_QUESTION)] + record


def dns(port: int, version: str) -> Service:
    """Build a name server that tells its version and resolves nothing."""

    async def talk(conversation: Conversation) -> None:
        for _ in range(_PACKETS_PER_SESSION):
            (size,) = struct.unpack(">H", await conversation.exactly(2))
            if size < _DNS_HEADER_BYTES:
                return
            answer = _dns_answer(await conversation.exactly(size), version)
            conversation.say(struct.pack(">H", len(answer)) + answer)

    return Service(
        port,
        talk,
        Seen("domain", "ISC BIND", version),
    )


def print_port(port: int, model: str) -> Service:
    """Build a printer's raw port: it tells its model in PJL; what else comes would be printed, and is dropped."""

    async def talk(conversation: Conversation) -> None:
        job = await conversation.chunk()
        if b"@PJL INFO ID" in job:
            conversation.say(f'@PJL INFO ID\r\n"{model}"\r\n'.encode())

    seen, rules = Seen("hp-pjl", model), ("exposure.printer-port",)
    return Service(port, talk, seen, elsewhere=Seen(), weaknesses=rules, weaknesses_elsewhere=())


def silent(port: int) -> Service:
    """Build a port that accepts and never says a byte; it hangs up once it was spoken to."""

    async def talk(conversation: Conversation) -> None:
        await conversation.chunk()

    return Service(port, talk, Seen())
