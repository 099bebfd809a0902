"""Screens, brokers and shares asked without a login: as far as a client goes before it would show a password."""

from __future__ import annotations

import re
import secrets
import struct

from sentinel.collect.dialer import Dialer, NoAnswerError
from sentinel.collect.http_read import open_line
from sentinel.collect.login_answer import LEVEL, LoginAnswer
from sentinel.collect.look import ProbeTarget

_RFB = re.compile(rb"RFB (\d{3})\.(\d{3})\n")
_RFB_NONE = 1


async def ask_vnc(target: ProbeTarget, dialer: Dialer) -> LoginAnswer:
    """Read which kinds of login a VNC server offers; none is chosen. Source: RFC 6143 sections 7.1.1 and 7.1.2."""
    async with open_line(target, dialer, LEVEL) as line:
        greeting = _RFB.fullmatch(await line.read_exactly(12))
        if not greeting:
            raise NoAnswerError("it does not greet as a vnc server does")
        version = int(greeting[1]), int(greeting[2])
        own = 8 if version > (3, 7) else 7 if version == (3, 7) else 3
        await line.send(b"RFB 003.00%d\n" % own)
        if own == 3:
            kinds = struct.unpack(">I", await line.read_exactly(4))
        else:
            kinds = tuple(await line.read_exactly((await line.read_exactly(1))[0]))
    if not kinds or 0 in kinds:
        raise NoAnswerError("it turns everybody away at the moment")
    shown = ",".join(str(kind) for kind in kinds[:8])
    return LoginAnswer(no_login=_RFB_NONE in kinds, proof=f"security types {shown}")


_X11_SETUP = struct.pack("<BxHHHHxx", ord("l"), 11, 0, 0, 0)
_X11_REFUSALS = re.compile(rb"authori[sz]ation|no protocol specified|not authori[sz]ed|access denied", re.IGNORECASE)


async def ask_x11(target: ProbeTarget, dialer: Dialer) -> LoginAnswer:
    """Open a display without a cookie, and leave. Source: X Window System Protocol, section 8."""
    async with open_line(target, dialer, LEVEL) as line:
        await line.send(_X11_SETUP)
        head = await line.read_exactly(8)
        outcome, reason_size, major, size = struct.unpack("<BBHxxH", head)
        if outcome > 2 or (outcome != 2 and major != 11):
            raise NoAnswerError("it does not answer as an x server does")
        data = await line.read_exactly(min(size * 4, 4096))
    if outcome == 2 or (outcome == 0 and _X11_REFUSALS.search(data[:reason_size])):
        return LoginAnswer(no_login=False, proof="connection setup: not authorised")
    if outcome == 0:
        raise NoAnswerError("it turns everybody away at the moment")
    return LoginAnswer(no_login=True, proof="connection setup: accepted")


_MQTT_ID = b"sentinel-look"
_MQTT_BODY = b"\0\x04MQTT\x04\x02\0\x0a" + struct.pack(">H", len(_MQTT_ID)) + _MQTT_ID
_MQTT_CONNECT = bytes([0x10, len(_MQTT_BODY)]) + _MQTT_BODY
_MQTT_DISCONNECT = b"\xe0\0"
_MQTT_REFUSED = {4, 5}


async def ask_mqtt(target: ProbeTarget, dialer: Dialer) -> LoginAnswer:
    """Open a clean session without a name or password, and close it; nothing is subscribed or published.

    Source: MQTT 3.1.1 sections 3.1 and 3.2.
    """
    async with open_line(target, dialer, LEVEL) as line:
        await line.send(_MQTT_CONNECT)
        answer = await line.read_exactly(4)
        if answer[:2] != b"\x20\x02":
            raise NoAnswerError("it does not answer as a broker does")
        if answer[3] in _MQTT_REFUSED:
            return LoginAnswer(no_login=False, proof=f"CONNACK {answer[3]}")
        if answer[3]:
            raise NoAnswerError(f"it refuses the connection for another reason than a login ({answer[3]})")
        await line.send(_MQTT_DISCONNECT)
    return LoginAnswer(no_login=True, proof="CONNACK 0")


_MAX_MODULES = 8
_MODULE = re.compile(rb"^([\x21\x22\x24-\x7e][\x21-\x7e]{0,79}?)[ \t]*\t", re.MULTILINE)
_RSYNC_GREETING = re.compile(rb"@RSYNCD: (\d{1,3})(?:\.\d{1,3})?[^\n]{0,100}\n")
_RSYNC_OWN = b"@RSYNCD: 30.0\n"


async def ask_rsync(target: ProbeTarget, dialer: Dialer) -> LoginAnswer:
    """List the modules of an rsync daemon, and see for the first eight whether one is opened without a login.

    A module is named and left before a transfer is asked for. Source: rsync, csprotocol.txt.
    """
    answer = await _ask_rsync(target, dialer, b"#list", b"@RSYNCD: EXIT")
    modules = [found[1] for found in _MODULE.finditer(answer)]
    opened = 0
    for module in modules[:_MAX_MODULES]:
        opened += b"@RSYNCD: OK" in await _ask_rsync(target, dialer, module, b"\n@RSYNCD: ")
    proof = f"{len(modules)} modules, {opened} without a login"
    return LoginAnswer(no_login=opened > 0, proof=proof, listed=len(modules))


async def _ask_rsync(target: ProbeTarget, dialer: Dialer, module: bytes, end: bytes) -> bytes:
    """Name a module and give what follows the greeting, from the line before on."""
    async with open_line(target, dialer, LEVEL) as line:
        data = await line.read_until(b"\n", 4096)
        if not (greeting := _RSYNC_GREETING.match(data)):
            raise NoAnswerError("it does not greet as rsync does")
        await line.send(_RSYNC_OWN + module + b"\n")
        data = b"\n" + data[greeting.end() :]
        while end not in data and b"\n@ERROR" not in data and len(data) < 65_536:
            more = await line.read(4096)
            if not more:
                break
            data += more
    return data


_PORTMAP, _MOUNT = (100000, 2), (100005, 3)
_GETPORT, _EXPORT = 3, 5
_RPC_PORT = 111
_TCP = 6
_LAST = 0x80000000
_MAX_REPLY = 256 * 1024
_MAX_EXPORTS = 4096


async def ask_nfs(target: ProbeTarget, dialer: Dialer) -> LoginAnswer:
    """Ask rpcbind where the mount service is, and that for its shares; one without a list of clients is for everybody.

    Nothing is mounted. Source: RFC 1833 section 3, RFC 1813 section 5.2.5.
    """
    (port,) = struct.unpack(
        ">I", (await _call(target, dialer, _RPC_PORT, _PORTMAP, _GETPORT, struct.pack(">IIII", *_MOUNT, _TCP, 0)))[:4]
    )
    if not 0 < port < 65_536:
        raise NoAnswerError("it has no mount service to ask for its shares")
    clients = _read_exports(await _call(target, dialer, port, _MOUNT, _EXPORT, b""))
    opened = sum(not names or "*" in names for names in clients)
    return LoginAnswer(no_login=opened > 0, proof=f"{len(clients)} shares, {opened} for everybody", listed=len(clients))


async def _call(
    target: ProbeTarget, dialer: Dialer, port: int, program: tuple[int, int], procedure: int, arguments: bytes
) -> bytes:
    """Call a remote procedure without credentials and give its result, at least four bytes. Source: RFC 5531."""
    number = secrets.randbelow(2**31)
    call = struct.pack(">6I", number, 0, 2, *program, procedure) + bytes(16) + arguments
    async with open_line(target, dialer, LEVEL, port) as line:
        await line.send(struct.pack(">I", _LAST | len(call)) + call)
        reply, is_last = b"", False
        while not is_last:
            (mark,) = struct.unpack(">I", await line.read_exactly(4))
            is_last, size = bool(mark & _LAST), mark & ~_LAST
            if len(reply) + size > _MAX_REPLY or not (size or is_last):
                raise NoAnswerError("its answer is larger than a list of shares")
            reply += await line.read_exactly(size)
    if len(reply) < 28 or struct.unpack_from(">III", reply) != (number, 1, 0):
        raise NoAnswerError("it does not answer the call")
    verifier = struct.unpack_from(">I", reply, 16)[0]
    place = 20 + verifier + -verifier % 4
    if reply[place : place + 4] != bytes(4) or len(reply) < place + 8:
        raise NoAnswerError("it does not carry out the call")
    return reply[place + 4 :]


def _read_exports(data: bytes) -> list[tuple[str, ...]]:
    """Read the clients of each share."""
    shares: list[tuple[str, ...]] = []
    try:
        more, place = _read_flag(data, 0)
        while more:
            if len(shares) >= _MAX_EXPORTS:
                raise ValueError("too many shares")
            _, place = _read_text(data, place)
            names: list[str] = []
            more, place = _read_flag(data, place)
            while more:
                name, place = _read_text(data, place)
                names.append(name)
                more, place = _read_flag(data, place)
            shares.append(tuple(names))
            more, place = _read_flag(data, place)
    except (ValueError, struct.error) as error:
        raise NoAnswerError(f"its list of shares cannot be read: {error}") from error
    return shares


def _read_flag(data: bytes, place: int) -> tuple[bool, int]:
    return struct.unpack_from(">I", data, place)[0] == 1, place + 4


def _read_text(data: bytes, place: int) -> tuple[str, int]:
    (size,) = struct.unpack_from(">I", data, place)
    end = place + 4 + size
    if size > 1024 or end > len(data):
        raise ValueError("a text is cut off")
    return data[place + 4 : end].decode("utf-8", "replace"), end + -size % 4
