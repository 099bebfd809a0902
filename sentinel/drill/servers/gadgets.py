"""Things on a school's network that talk over UDP: telephones, a media box, a sensor."""

from __future__ import annotations

from sentinel.drill.servers.conversation import Seen
from sentinel.drill.servers.datagram import DatagramService

_SIP = b"SIP/2.0"
_SIP_KEPT = ("via", "from", "to", "call-id", "cseq")
_SIP_METHODS = "INVITE, ACK, CANCEL, BYE, OPTIONS"
_SIP_STATUS = {b"OPTIONS": "200 OK", b"INVITE": "486 Busy Here", b"BYE": "481 Call/Transaction Does Not Exist"}


def _sip_answer(request: bytes, headers: str) -> tuple[bytes, ...]:
    """Answer a SIP request with its own headers and one more; answers and ACKs get none. Source: RFC 3261 8.2.6."""
    lines = request.partition(b"\r\n\r\n")[0].split(b"\r\n")
    method, _, rest = lines[0].partition(b" ")
    if not rest.endswith(_SIP) or method == b"ACK":
        return ()
    kept = [line for line in lines[1:] if line.partition(b":")[0].strip().lower().decode("latin-1") in _SIP_KEPT]
    if len(kept) < len(_SIP_KEPT):
        return ()
    status = _SIP_STATUS.get(method, "405 Method Not Allowed")
    tail = f"{headers}\r\nAllow: {_SIP_METHODS}\r\nContent-Length: 0\r\n\r\n".encode()
    return (b"\r\n".join([f"SIP/2.0 {status}".encode(), *kept, tail]),)


def sip_phone(port: int) -> DatagramService:
    """Build an office telephone that is always busy."""
    headers = "User-Agent: Yealink SIP-T21P_E2 52.84.0.15"
    seen = Seen("sip", "Yealink SIP-T21P_E2 VoIP phone sipd", "52.84.0.15")
    return DatagramService(port, lambda request: _sip_answer(request, headers), seen)


def sip_exchange(port: int, version: str) -> DatagramService:
    """Build a telephone exchange without extensions."""
    headers = f"Server: Asterisk PBX {version}"
    seen = Seen("sip-proxy", "Asterisk PBX", version)
    return DatagramService(port, lambda request: _sip_answer(request, headers), seen)


# The only words nmap 7.93 knows an SSDP server by, down to the identifier some maker gave to all its boxes.
_SSDP = (
    b"HTTP/1.1 200 OK\r\nST:upnp:rootdevice\r\n"
    b"USN:uuid:11111111-0000-c0a8-0101-efefefef8035::upnp:rootdevice\r\n"
    b"Location:http://192.0.2.1:80/DeviceDescription.xml\r\nCache-Control:max-age=480\r\n"
    b"Server:Allegro-Software-RomUpnp/4.07 UPnP/1.0 IGD/1.00\r\nExt:\r\n\r\n"
)


def ssdp(port: int) -> DatagramService:
    """Build a media box that answers whatever it hears with its description, as some do: the planted weakness."""

    def answer(request: bytes) -> tuple[bytes, ...]:
        return () if request.startswith((b"HTTP/", b"NOTIFY")) else (_SSDP,)

    seen = Seen("ssdp", "Allegro RomUPnP", "4.07")
    return DatagramService(port, answer, seen, flaws=("ssdp.reflection",), amplifies=True)


_COAP_GET = 1
_CONTENT, _NOT_FOUND, _NOT_ALLOWED = 0x45, 0x84, 0x85
_URI_PATH = 11
_LINK_FORMAT = b"\xc1\x28\xff"
_LINKS = b'</temp>;rt="temperature"'


def _coap_options(data: bytes) -> list[tuple[int, bytes]] | None:
    """Read the options of a message, None where they are malformed. Source: RFC 7252 section 3.1."""
    number, at, options = 0, 0, []
    while at < len(data) and data[at] != 0xFF:
        delta, size = data[at] >> 4, data[at] & 15
        # Longer forms (13 and 14) name nothing this sensor has.
        if delta > 12 or size > 12 or at + 1 + size > len(data):
            return None
        number += delta
        options.append((number, data[at + 1 : at + 1 + size]))
        at += 1 + size
    return options


def coap(port: int) -> DatagramService:
    """Build a temperature sensor that lists its one resource and reads it out to anybody."""

    def answer(request: bytes) -> tuple[bytes, ...]:
        token_size = request[0] & 15 if request else 15
        # Version 1, confirmable or not, a request (class 0).
        if len(request) < 4 + token_size or token_size > 8 or request[0] & 0xE0 != 0x40 or not 0 < request[1] < 32:
            return ()
        options = _coap_options(request[4 + token_size :])
        if options is None:
            return ()
        path = b"/".join(value for number, value in options if number == _URI_PATH)
        pages = {b".well-known/core": _LINK_FORMAT + _LINKS, b"temp": b"\xff21.5"}
        code = _NOT_ALLOWED if request[1] != _COAP_GET else _CONTENT if path in pages else _NOT_FOUND
        kind = 0x60 if request[0] & 0x30 == 0 else 0x50
        head = bytes((kind | token_size, code)) + request[2 : 4 + token_size]
        return (head + (pages[path] if code == _CONTENT else b""),)

    # nmap 7.93 asks no other port for it at this intensity.
    return DatagramService(port, answer, Seen("coap"), elsewhere=Seen())
