"""Devices and desks of the practice school: MQTT, VNC, RDP, a print port, and a silent port."""

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


def print_port(port: int, model: str) -> Service:
    """Build a printer's raw port: it tells its model in PJL; what else comes would be printed, and is dropped."""

    async def talk(conversation: Conversation) -> None:
        job = await conversation.chunk()
        if b"@PJL INFO ID" in job:
            conversation.say(f'@PJL INFO ID\r\n"{model}"\r\n'.encode())

    seen, rules = Seen("hp-pjl", model), ("exposure.printer-port",)
    return Service(port, talk, seen, elsewhere=Seen(), weaknesses=rules, weaknesses_elsewhere=())


_MODBUS_FRAME_BYTES = 8
_MODBUS_ILLEGAL, _MODBUS_READ_INPUTS, _MODBUS_IDENTIFY = 1, (3, 4), 0x2B
_MODBUS_NAMES = b"".join(bytes([at, len(name)]) + name for at, name in enumerate((b"Practice", b"PLC-1", b"1.0")))


def _modbus_answer(frame: bytes) -> bytes:
    """Answer one request; every register reads zero. Source: MODBUS Application Protocol 1.1b3, section 6."""
    function = frame[7]
    if function in _MODBUS_READ_INPUTS and len(frame) == 12 and 1 <= frame[11] <= 125 and not frame[10]:
        body = bytes([function, 2 * frame[11]]) + bytes(2 * frame[11])
    elif function == _MODBUS_IDENTIFY and frame[8:10] == b"\x0e\x01":
        body = bytes([function, 0x0E, 1, 1, 0, 0, 3]) + _MODBUS_NAMES
    else:
        body = bytes([function | 0x80, _MODBUS_ILLEGAL])
    return frame[:4] + struct.pack(">HB", len(body) + 1, frame[6]) + body


def modbus(port: int) -> Service:
    """Build a controller that trusts everybody; like small devices it takes what comes at once for one frame."""

    async def talk(conversation: Conversation) -> None:
        for _ in range(_PACKETS_PER_SESSION):
            frame = await conversation.chunk()
            if len(frame) < _MODBUS_FRAME_BYTES:
                return
            conversation.say(_modbus_answer(frame))

    return Service(port, talk, Seen("modbus", "Modbus TCP"), weaknesses=("exposure.modbus",))


# The ports of exposure.high-risk-port.
_HIGH_RISK = frozenset(
    {21, 23, 111, 135, 139, 445, 512, 513, 514, 873, 1433, 1521, 2049, 2181, 2375, 3306, 3389, 5432, 5601, 5900}
    | {5984, 6379, 7001, 8009, 9200, 11211, 27017, 50070}
)


def silent(port: int) -> Service:
    """Build a port that accepts and never says a byte; it hangs up once it was spoken to."""

    async def talk(conversation: Conversation) -> None:
        await conversation.chunk()

    rules = ("exposure.high-risk-port",) if port in _HIGH_RISK else ()
    return Service(port, talk, Seen(), weaknesses=rules, weaknesses_elsewhere=())
