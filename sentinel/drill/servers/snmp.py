"""SNMP agents of the practice school: what a device says of itself in, an agent over UDP out; nothing can be set."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from sentinel.drill.servers.conversation import Seen
from sentinel.drill.servers.datagram import AMPLIFICATION, DatagramService

_INTEGER, _OCTETS, _NULL, _OID, _SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
_COUNTER, _TICKS = 0x41, 0x43
_GET, _GET_NEXT, _RESPONSE, _SET, _GET_BULK, _REPORT = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5, 0xA8
_NO_SUCH_OBJECT, _END_OF_VIEW = b"\x80\x00", b"\x82\x00"
_TOO_BIG, _NO_SUCH_NAME, _NO_ACCESS = 1, 2, 6
_VERSION_1, _VERSION_2C, _VERSION_3 = 0, 1, 3
_KINDS = {_VERSION_1: (_GET, _GET_NEXT, _SET), _VERSION_2C: (_GET, _GET_NEXT, _SET, _GET_BULK)}
_COMMUNITY = b"public"
_NAMES_PER_REQUEST = 64
# By how much the lengths of the four enclosing elements may grow.
_LENGTHS_BYTES = 8
_REPEATS = 32
_MIB_2 = (1, 3, 6, 1, 2, 1)
_SYSTEM, _INTERFACES = (*_MIB_2, 1), (*_MIB_2, 2)
_UNKNOWN_ENGINES = (1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0)
_REPORTABLE = 4
# Enterprise 2011 and a MAC address of documentation (RFC 7042 section 2.1.1 leaves 00-00-5E).
_ENGINE = (0x80000000 | 2011).to_bytes(4, "big") + b"\x03\x00\x00\x5e\x00\x53\x01"

Oid = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Agent:
    """What a device says of itself.

    Attributes:
        description: sysDescr; up to 54 bytes fit into three times the shortest get-next that asks for it.
        enterprise: sysObjectID below 1.3.6.1.4.1, e.g. `(11, 2, 3, 9, 1)`.
        name: sysName.
        contact: sysContact.
        location: sysLocation.
        services: sysServices, e.g. 2 for a bridge, 64 for applications.
        interfaces: names of its interfaces.
        uptime_s: since it started.
    """

    description: str
    enterprise: Oid
    name: str
    contact: str = ""
    location: str = ""
    services: int = 72
    interfaces: tuple[str, ...] = ()
    uptime_s: int = 20 * 86400


class _NonsenseError(ValueError):
    """The bytes are no SNMP message."""


class _Reader:
    """Reads the elements of one BER value in order. Source: X.690 section 8, lengths up to 65,535."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def element(self) -> tuple[int, bytes]:
        """Give tag and value of the next element."""
        tag, size = self._take(1)[0], self._take(1)[0]
        if size & 0x80:
            if size not in (0x81, 0x82):
                raise _NonsenseError("length of another form")
            size = int.from_bytes(self._take(size & 0x7F), "big")
        return tag, self._take(size)

    def value(self, tag: int) -> bytes:
        """Give the value of the next element, which must have this tag."""
        found, value = self.element()
        if found != tag:
            raise _NonsenseError("another element expected")
        return value

    def integer(self) -> int:
        """Give the next element, an integer of at most 32 bits."""
        value = self.value(_INTEGER)
        if not 1 <= len(value) <= 5:
            raise _NonsenseError("integer too long")
        return int.from_bytes(value, "big", signed=True)

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) < size:
            raise _NonsenseError("cut short")
        self._at += size
        return taken


@dataclass(frozen=True, slots=True)
class _Request:
    """A request of version 1 or 2c; `first` and `second` are error fields, or the counts of a bulk request."""

    version: int
    community: bytes
    kind: int
    number: int
    first: int
    second: int
    names: tuple[Oid, ...]


def encode(tag: int, *parts: bytes) -> bytes:
    """Write one BER element."""
    value = b"".join(parts)
    size = len(value)
    long_form = b"\x81" + bytes([size]) if size < 0x100 else b"\x82" + size.to_bytes(2, "big")
    head = bytes([size]) if size < 0x80 else long_form
    return bytes([tag]) + head + value


def encode_integer(number: int, tag: int = _INTEGER) -> bytes:
    """Write an integer, a counter or ticks."""
    return encode(tag, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def encode_oid(oid: Oid) -> bytes:
    """Write an object identifier."""
    packed = bytearray()
    for arc in (oid[0] * 40 + oid[1], *oid[2:]):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        packed += bytes(reversed(groups))
    return encode(_OID, bytes(packed))


def encode_text(words: str) -> bytes:
    """Write a string of octets."""
    return encode(_OCTETS, words.encode())


def _decode_oid(data: bytes) -> Oid:
    if not data or len(data) > 128 or data[-1] & 0x80:
        raise _NonsenseError("no object identifier")
    arcs, arc = [], 0
    for byte in data:
        arc = arc << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return (first, arcs[0] - first * 40, *arcs[1:])


def _decode(message: bytes) -> _Request:
    whole = _Reader(_Reader(message).value(_SEQUENCE))
    version, community = whole.integer(), whole.value(_OCTETS)
    kind, body = whole.element()
    fields = _Reader(body)
    number, first, second = fields.integer(), fields.integer(), fields.integer()
    pairs = _Reader(fields.value(_SEQUENCE))
    names = []
    while pairs:
        names.append(_decode_oid(_Reader(pairs.value(_SEQUENCE)).value(_OID)))
    if len(names) > _NAMES_PER_REQUEST:
        raise _NonsenseError("too many names")
    return _Request(version, community, kind, number, first, second, tuple(names))


def _view(agent: Agent) -> dict[Oid, bytes]:
    """Map what the agent knows by name. Source: RFC 3418 system group, RFC 2863 interfaces."""
    system = (
        encode_text(agent.description),
        encode_oid((1, 3, 6, 1, 4, 1, *agent.enterprise)),
        encode_integer(agent.uptime_s * 100, _TICKS),
        encode_text(agent.contact),
        encode_text(agent.name),
        encode_text(agent.location),
        encode_integer(agent.services),
    )
    view: dict[Oid, bytes] = {(*_SYSTEM, number, 0): value for number, value in enumerate(system, 1)}
    view[(*_INTERFACES, 1, 0)] = encode_integer(len(agent.interfaces))
    for number, name in enumerate(agent.interfaces, 1):
        view[(*_INTERFACES, 2, 1, 1, number)] = encode_integer(number)
        view[(*_INTERFACES, 2, 1, 2, number)] = encode_text(name)
    return view


class _Readable:
    """What one agent lets everybody of the community read."""

    __slots__ = ("_names", "_view")

    def __init__(self, agent: Agent) -> None:
        self._view = _view(agent)
        self._names = sorted(self._view)

    def answer(self, message: bytes) -> tuple[bytes, ...]:
        """Answer a get, a get-next or a bulk, and refuse a set; anything else gets silence.

        Source: RFC 1157 section 4.1, RFC 3416 section 4.2.
        """
        try:
            request = _decode(message)
        except _NonsenseError:
            return ()
        if request.community != _COMMUNITY or request.kind not in _KINDS.get(request.version, ()):
            return ()
        limit = AMPLIFICATION * len(message)
        answer = self._bulk(request, limit) if request.kind == _GET_BULK else self._each(request)
        return (answer if len(answer) <= limit else _response(request, (), _TOO_BIG),)

    def _each(self, request: _Request) -> bytes:
        if request.kind == _SET:
            return _refusal(request, _NO_ACCESS if request.version == _VERSION_2C else _NO_SUCH_NAME, 1)
        pairs = []
        for place, name in enumerate(request.names, 1):
            found = self._following(name) if request.kind == _GET_NEXT else name
            if request.version == _VERSION_1 and found not in self._view:
                return _refusal(request, _NO_SUCH_NAME, place)
            pairs.append(self._row(name, found))
        return _response(request, tuple(pairs))

    def _bulk(self, request: _Request, limit: int) -> bytes:
        """Walk on for the later names as long as the answer fits. Source: RFC 3416 section 4.2.3."""
        single = max(0, request.first)
        pairs = [self._row(name, self._following(name)) for name in request.names[:single]]
        walking = list(request.names[single:])
        room = limit - len(_response(request, tuple(pairs))) - _LENGTHS_BYTES
        for _ in range(min(request.second, _REPEATS)):
            for place, name in enumerate(walking):
                following = self._following(name)
                row = self._row(name, following)
                room -= len(row)
                if room < 0:
                    return _response(request, tuple(pairs))
                pairs.append(row)
                walking[place] = following or name
        return _response(request, tuple(pairs))

    def _following(self, name: Oid) -> Oid | None:
        place = bisect_right(self._names, name)
        return self._names[place] if place < len(self._names) else None

    def _row(self, asked: Oid, found: Oid | None) -> bytes:
        if found is None:
            return _pair(asked, _END_OF_VIEW)
        return _pair(found, self._view.get(found, _NO_SUCH_OBJECT))


def _pair(name: Oid, value: bytes) -> bytes:
    return encode(_SEQUENCE, encode_oid(name), value)


def _response(request: _Request, pairs: tuple[bytes, ...], error: int = 0, place: int = 0) -> bytes:
    fields = (encode_integer(request.number), encode_integer(error), encode_integer(place))
    body = encode(_RESPONSE, *fields, encode(_SEQUENCE, *pairs))
    return encode(_SEQUENCE, encode_integer(request.version), encode(_OCTETS, request.community), body)


def _refusal(request: _Request, error: int, place: int) -> bytes:
    return _response(request, tuple(_pair(name, bytes([_NULL, 0])) for name in request.names), error, place)


def snmp(port: int, agent: Agent) -> DatagramService:
    """Build an agent of versions 1 and 2c that lets everybody read with the community `public`; others get silence."""
    seen, rules = Seen("snmp", "SNMPv1 server"), ("exposure.snmp-public",)
    return DatagramService(port, _Readable(agent).answer, seen, weaknesses=rules)


def printer_agent(name: str) -> Agent:
    """Describe a network printer."""
    words = "HP ETHERNET MULTI-ENVIRONMENT,PID:HP LaserJet P2055dn"
    return Agent(words, (11, 2, 3, 9, 1), name, location="示例办公室", interfaces=("eth0",))


def switch_agent(name: str) -> Agent:
    """Describe a switch with its ports."""
    words = "H3C Comware Software, Version 5.20\r\nH3C S5120-28P-LI"
    ports = tuple(f"GigabitEthernet1/0/{number}" for number in range(1, 29))
    return Agent(words, (25506, 11, 1, 28), name, location="示例机房", services=2, interfaces=ports)


def snmp_v3(port: int) -> DatagramService:
    """Build a switch's agent that speaks version 3 only: it tells its engine, then wants a user nobody has.

    Source: RFC 3414 section 4 (discovery), RFC 3411 SnmpEngineID (enterprise number with the first bit set).
    """

    def answer(message: bytes) -> tuple[bytes, ...]:
        try:
            number, request = _decode_discovery(message)
        except _NonsenseError:
            return ()
        return (_report(number, request),)

    product = "Huawei SNMP service; HUAWEI Technology Co.,Ltd SNMPv3 server"
    return DatagramService(port, answer, Seen("snmp", product))


def _decode_discovery(message: bytes) -> tuple[int, int]:
    """Read a version 3 message: its number and that of the request inside."""
    whole = _Reader(_Reader(message).value(_SEQUENCE))
    version = whole.integer()
    head = _Reader(whole.value(_SEQUENCE))
    number, _, flags = head.integer(), head.integer(), head.value(_OCTETS)
    whole.value(_OCTETS)
    if version != _VERSION_3 or len(flags) != 1 or not flags[0] & _REPORTABLE:
        raise _NonsenseError("nothing to report on")
    if flags[0] & 1:
        return number, 0
    scoped = _Reader(whole.value(_SEQUENCE))
    scoped.value(_OCTETS)
    scoped.value(_OCTETS)
    _, body = scoped.element()
    return number, _Reader(body).integer()


def _report(number: int, request: int) -> bytes:
    size, model = encode_integer(65507), encode_integer(3)
    head = encode(_SEQUENCE, encode_integer(number), size, encode(_OCTETS, b"\0"), model)
    empty = encode(_OCTETS)
    engine = encode(_OCTETS, _ENGINE)
    security = encode(_SEQUENCE, engine, encode_integer(3), encode_integer(86400), empty, empty, empty)
    count = encode(_SEQUENCE, _pair(_UNKNOWN_ENGINES, encode_integer(1, _COUNTER)))
    body = encode(_REPORT, encode_integer(request), encode_integer(0), encode_integer(0), count)
    scoped = encode(_SEQUENCE, engine, empty, body)
    return encode(_SEQUENCE, encode_integer(_VERSION_3), head, encode(_OCTETS, security), scoped)
