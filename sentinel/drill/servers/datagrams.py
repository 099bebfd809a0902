"""Small UDP servers of the practice school: clock, boot files, Windows names, server management, and a cache."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable
from ipaddress import IPv4Address

from sentinel.drill.servers.conversation import Seen
from sentinel.drill.servers.datagram import DatagramService

# Seconds between 1900, when NTP counts from, and 1970.
_NTP_ERA_S = 2_208_988_800
_NTP_BYTES = 48
_NTP_CLIENT, _NTP_SERVER, _NTP_PRIVATE = 3, 4, 7
_MONLIST_IMPLEMENTATION, _MONLIST_CODE = 3, 42
_MONLIST_ROW_BYTES = 72
_MONLIST_ROWS = 6


def ntp(port: int, monlist: bool = False, now_s: Callable[[], float] = time.time) -> DatagramService:
    """Build a time server of the second stratum; with `monlist` it tells anybody who asked it for the time."""

    def answer(request: bytes) -> tuple[bytes, ...]:
        mode = request[0] & 7 if request else 0
        if mode == _NTP_CLIENT and len(request) >= _NTP_BYTES:
            return (_ntp_time(request, now_s()),)
        if monlist and mode == _NTP_PRIVATE and _asks_monlist(request):
            return (_ntp_monlist(request),)
        return ()

    flaws = ("ntp.monlist",) if monlist else ()
    return DatagramService(port, answer, Seen("ntp", "NTP", "v4"), flaws=flaws, amplifies=monlist)


def _ntp_time(request: bytes, now_s: float) -> bytes:
    """Write the server's packet. Source: RFC 5905 section 7.3."""
    now = struct.pack(">Q", int((now_s + _NTP_ERA_S) * 2**32) % 2**64)
    poll = min(request[2], 17)
    head = struct.pack(">BBBbII", 4 << 3 | _NTP_SERVER, 2, poll, -20, 0x100, 0x200) + IPv4Address("192.0.2.1").packed
    return head + now + request[40:48] + now + now


def _asks_monlist(request: bytes) -> bool:
    """Recognise MON_GETLIST_1 of a client. Source: ntpd 4.2.6 include/ntp_request.h."""
    is_response = request[0] & 0x80
    return len(request) >= 8 and not is_response and request[2:4] == bytes((_MONLIST_IMPLEMENTATION, _MONLIST_CODE))


def _ntp_monlist(request: bytes) -> bytes:
    row = struct.pack(">IIII", 60, 3600, 0, 12)
    peers = [IPv4Address("192.0.2.10") + place for place in range(_MONLIST_ROWS)]
    tail = bytes(8) + struct.pack(">HBB", 123, 3, 4)
    rows = [(row + peer.packed + tail).ljust(_MONLIST_ROW_BYTES, b"\0") for peer in peers]
    head = bytes((0x80 | request[0], 0, _MONLIST_IMPLEMENTATION, _MONLIST_CODE))
    return head + struct.pack(">HH", _MONLIST_ROWS, _MONLIST_ROW_BYTES) + b"".join(rows)


_READ, _WRITE, _DATA, _ACK, _ERROR = 1, 2, 3, 4, 5
_TFTP_SAYS = {
    _READ: (1, b"File not found."),
    _WRITE: (2, b"Access violation."),
    _DATA: (5, b"Unknown transfer ID."),
    _ACK: (5, b"Unknown transfer ID."),
}


def tftp(port: int) -> DatagramService:
    """Build the boot file server of a computer room, without files. Source: RFC 1350 sections 5 and 7."""

    def answer(request: bytes) -> tuple[bytes, ...]:
        kind = int.from_bytes(request[:2], "big")
        if len(request) < 2 or kind == _ERROR:
            return ()
        code, words = _TFTP_SAYS.get(kind, (4, b"Illegal operation error."))
        return (struct.pack(">HH", _ERROR, code) + words + b"\0",)

    seen = Seen("tftp", "Microsoft Windows Deployment Services tftpd")
    return DatagramService(port, answer, seen, weaknesses=("exposure.tftp",))


_NODE_STATUS = b"\x20CK" + b"A" * 30 + b"\0\0\x21\0\x01"
_UNIQUE, _GROUP = 0x0400, 0x8400


def netbios(port: int, computer: str, workgroup: str) -> DatagramService:
    """Build the name service of a Windows computer: it tells its name, group and MAC address to anybody.

    Source: RFC 1002 section 4.2.17 and 4.2.18 (node status).
    """
    names = ((computer, _UNIQUE), (workgroup, _GROUP))
    rows = b"".join(name.upper()[:15].ljust(15).encode() + b"\0" + struct.pack(">H", flags) for name, flags in names)
    status = bytes([len(names)]) + rows + b"\x00\x00\x5e\x00\x53\x02" + bytes(40)

    def answer(request: bytes) -> tuple[bytes, ...]:
        if len(request) < 50 or request[2] & 0xF8 or request[12:50] != _NODE_STATUS:
            return ()
        head = request[:2] + struct.pack(">HHHHH", 0x8400, 0, 1, 0, 0)
        return (head + _NODE_STATUS + struct.pack(">IH", 0, len(status)) + status,)

    return DatagramService(port, answer, Seen("netbios-ns", "Microsoft Windows netbios-ns"))


_RMCP, _ASF, _IPMI = 6, 6, 7
_PRESENCE_PING, _PRESENCE_PONG, _ASF_NUMBER = 0x80, 0x40, 4542
_AUTHENTICATION_REQUEST = 0x38


def ipmi(port: int) -> DatagramService:
    """Build the management processor of a server: it says that it is there and which logins it knows.

    Source: IPMI 2.0 sections 13.2.3 (presence ping), 13.1.3 and 22.13 (channel authentication capabilities).
    """

    def answer(request: bytes) -> tuple[bytes, ...]:
        if len(request) < 12 or request[0] != _RMCP:
            return ()
        if request[3] == _ASF and request[4:9] == struct.pack(">IB", _ASF_NUMBER, _PRESENCE_PING):
            pong = struct.pack(">IBBBB", _ASF_NUMBER, _PRESENCE_PONG, request[9], 0, 16)
            return (request[:4] + pong + struct.pack(">IIBB6x", _ASF_NUMBER, 0, 0x81, 0),)
        if request[3] == _IPMI and len(request) >= 23 and request[19] == _AUTHENTICATION_REQUEST:
            return (request[:4] + bytes(9) + _capabilities(request[18]),)
        return ()

    # Port and probe belong together: nmap 7.93 asks no other port for it at this intensity.
    seen, rules = Seen("asf-rmcp"), ("exposure.ipmi",)
    return DatagramService(port, answer, seen, Seen(), weaknesses=rules, weaknesses_elsewhere=())


def _capabilities(sequence: int) -> bytes:
    head = bytes((0x81, 0x1C))
    body = bytes((0x20, sequence, _AUTHENTICATION_REQUEST, 0, 1, 0x84, 0x04, 0x02, 0, 0, 0, 0))
    message = head + bytes([-sum(head) % 256]) + body
    return bytes([len(message) + 1]) + message + bytes([-sum(body) % 256])


_FRAME_BYTES = 8
_STATISTICS = ("curr_connections", "total_connections", "cmd_get", "cmd_set", "bytes", "curr_items", "total_items")


def memcached_over_udp(port: int, version: str) -> DatagramService:
    """Build the UDP side of an empty memcached: short requests, long answers.

    Source: memcached 1.5 doc/protocol.txt, UDP protocol: request number, number of the datagram, how many, reserved.
    """
    started_s = time.monotonic()

    def statistics() -> bytes:
        rows: dict[str, object] = {"pid": os.getpid(), "uptime": int(time.monotonic() - started_s)}
        rows |= {"time": int(time.time()), "version": version, **dict.fromkeys(_STATISTICS, 0)}
        return "".join(f"STAT {name} {value}\r\n" for name, value in rows.items()).encode() + b"END\r\n"

    def answer(request: bytes) -> tuple[bytes, ...]:
        frame, command = request[:_FRAME_BYTES], request[_FRAME_BYTES:]
        if frame[2:] != b"\0\0\0\x01\0\0" or not command.endswith(b"\r\n") or command.startswith(b"ERROR"):
            return ()
        if command == b"stats\r\n":
            return (frame + statistics(),)
        return (frame + (f"VERSION {version}\r\n".encode() if command == b"version\r\n" else b"ERROR\r\n"),)

    seen, rules = Seen("memcached", "Memcached", version), ("exposure.memcached-no-auth",)
    return DatagramService(port, answer, seen, Seen(), weaknesses=rules, weaknesses_elsewhere=(), amplifies=True)
