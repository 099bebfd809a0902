"""Look whether an SNMP agent answers a read with the community `public`, where the unit has allowed that read.

One read of sysDescr.0; what it says is not kept. Source: RFC 1157 section 4, RFC 3416 section 3, RFC 3414 section 4.
"""

from __future__ import annotations

import secrets

from sentinel.collect.dialer import Dialer, NoAnswerError
from sentinel.collect.look import Prober, ProbeTarget
from sentinel.model.scope import Level

_INTEGER, _OCTETS, _NULL, _OID, _SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
_GET, _RESPONSE, _REPORT = 0xA0, 0xA2, 0xA8
_NOTHING_THERE = {0x80, 0x81, 0x82}
_V1, _V2C, _V3 = 0, 1, 3
_NAMES = {_V1: "1", _V2C: "2c", _V3: "3"}
_SYS_DESCR = bytes.fromhex("2b06010201010100")
_REPORTABLE, _USM, _MAX_MESSAGE = 4, 3, 65_507

Element = tuple[int, bytes]


async def look_at_snmp(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
    """Read one value in version 2c, else 1; where both stay silent, see by the discovery of version 3 who is there.

    An agent drops a read with a wrong community without a word: silence proves something only of an agent that is
    heard otherwise.

    Raises:
        NoAnswerError: no agent was heard.
    """
    reason = NoAnswerError("no answer")
    for version in (_V2C, _V1):
        number = secrets.randbelow(2**31 - 1) + 1
        try:
            data = await dialer.ask(target.address, target.port, build_read(version, number), Level.CHECK)
        except NoAnswerError as error:
            reason = error
            continue
        return {"snmp_public": _is_read(data, version, number), "snmp_version": _NAMES[version]}
    number = secrets.randbelow(2**31 - 1) + 1
    try:
        data = await dialer.ask(target.address, target.port, build_discovery(number), Level.CHECK)
    except NoAnswerError:
        raise reason from None
    if not _is_report(data, number):
        raise NoAnswerError("it does not answer as an snmp agent does")
    return {"snmp_public": False, "snmp_version": _NAMES[_V3]}


def build_read(version: int, number: int) -> bytes:
    """Write a get-request of sysDescr.0 with the community `public`; version 0 is 1, and 1 is 2c."""
    binding = _element(_SEQUENCE, _element(_OID, _SYS_DESCR) + _element(_NULL, b""))
    request = _element(_GET, _number(number) + _number(0) + _number(0) + _element(_SEQUENCE, binding))
    return _element(_SEQUENCE, _number(version) + _element(_OCTETS, b"public") + request)


def build_discovery(number: int) -> bytes:
    """Write the message by which a manager learns an agent's engine: no user, no authentication, no names."""
    header = _number(number) + _number(_MAX_MESSAGE) + _element(_OCTETS, bytes([_REPORTABLE])) + _number(_USM)
    engine = _element(_OCTETS, b"") + _number(0) + _number(0) + _element(_OCTETS, b"") * 3
    request = _element(_GET, _number(number) + _number(0) + _number(0) + _element(_SEQUENCE, b""))
    scoped = _element(_SEQUENCE, _element(_OCTETS, b"") * 2 + request)
    security = _element(_OCTETS, _element(_SEQUENCE, engine))
    return _element(_SEQUENCE, _number(_V3) + _element(_SEQUENCE, header) + security + scoped)


def _is_read(data: bytes, version: int, number: int) -> bool:
    """Tell whether an answer gives the value that was asked for; an agent may also say that it may not be read."""
    try:
        told, community, (kind, body) = _read_all(_only(data, _SEQUENCE))[:3]
        request, error, _, bindings = _read_all(body)[:4]
        if kind != _RESPONSE or told != (_INTEGER, bytes([version])) or community != (_OCTETS, b"public"):
            raise ValueError("no answer to this read")
        if request[0] != _INTEGER or int.from_bytes(request[1], "big") != number:
            raise ValueError("no answer to this read")
        if int.from_bytes(error[1], "big"):
            return False
        _, (kind, _) = _read_all(_read_all(bindings[1])[0][1])[:2]
    except (ValueError, IndexError) as error_:
        raise NoAnswerError("it does not answer as an snmp agent does") from error_
    return kind not in {*_NOTHING_THERE, _NULL}


def _is_report(data: bytes, number: int) -> bool:
    try:
        version, header = _read_all(_only(data, _SEQUENCE))[:2]
        scoped = _read_all(_only(data, _SEQUENCE))[3]
        told = _read_all(header[1])[0]
        kind = _read_all(scoped[1])[2][0]
    except (ValueError, IndexError):
        return False
    is_ours = int.from_bytes(told[1], "big") == number
    return version == (_INTEGER, bytes([_V3])) and is_ours and kind in {_REPORT, _RESPONSE}


def _element(kind: int, body: bytes) -> bytes:
    size = len(body)
    length = bytes([size]) if size < 0x80 else b"\x82" + size.to_bytes(2, "big")
    return bytes([kind]) + length + body


def _number(value: int) -> bytes:
    return _element(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _only(data: bytes, kind: int) -> bytes:
    found = _read_all(data)
    if len(found) != 1 or found[0][0] != kind:
        raise ValueError("no message")
    return found[0][1]


def _read_all(data: bytes) -> list[Element]:
    """Cut bytes into elements one after the other; at most 16 of them."""
    found: list[Element] = []
    place = 0
    while place < len(data):
        if len(found) >= 16 or place + 2 > len(data):
            raise ValueError("no elements")
        kind, size, place = data[place], data[place + 1], place + 2
        if size & 0x80:
            count = size & 0x7F
            if not 1 <= count <= 4 or place + count > len(data):
                raise ValueError("no length")
            size, place = int.from_bytes(data[place : place + count], "big"), place + count
        if place + size > len(data):
            raise ValueError("cut off")
        found.append((kind, data[place : place + size]))
        place += size
    return found


SNMP = Prober(Level.CHECK, look_at_snmp)
