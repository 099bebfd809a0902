"""Hosts that answer on every port without a socket on any: packets of an interface in, made answers out."""

from __future__ import annotations

import asyncio
import ctypes
import socket
import struct
from collections.abc import Collection
from ipaddress import IPv4Address
from types import TracebackType
from typing import Self

from sentinel.errors import CollectError

_ETH_P_IP = 0x0800
_LARGEST_FRAME = 65_536
_FRAMES_PER_TURN = 500
_FIN, _SYN, _RESET, _ACK = 0x01, 0x02, 0x04, 0x10
_ICMP, _TCP, _UDP = 1, 6, 17
_ECHO_REQUEST = 8
_COOKIE = 0x5E47_1AE1
_ETHERNET = bytes(12) + struct.pack(">H", _ETH_P_IP)
_SO_ATTACH_FILTER = 26


def build_answer(packet: bytes) -> bytes:
    """Give the IPv4 packet with which a host open on every TCP port answers; empty where it says nothing.

    A handshake is completed and closed at once, as a box in front of a server does that opens for everybody; UDP gets
    port unreachable, ping its echo. Broken, fragmented and other packets get nothing.

    Source: RFC 9293 section 3.10, RFC 792.
    """
    if len(packet) < 20 or packet[0] >> 4 != 4:
        return b""
    head = (packet[0] & 0x0F) * 4
    length = int.from_bytes(packet[2:4], "big")
    body = packet[head:length]
    if head < 20 or struct.unpack_from(">H", packet, 6)[0] & 0x3FFF or len(body) < 8:
        return b""
    if packet[9] == _TCP and len(body) >= 20:
        answer = _answer_tcp(body)
    elif packet[9] == _UDP:
        return _wrap(packet, _ICMP, _icmp(3, 3, bytes(4) + packet[: head + 8]))
    elif packet[9] == _ICMP and body[0] == _ECHO_REQUEST:
        return _wrap(packet, _ICMP, _icmp(0, 0, body[4:]))
    else:
        return b""
    return _wrap(packet, _TCP, answer) if answer else b""


def _answer_tcp(segment: bytes) -> bytes:
    source, target, sequence, acknowledged = struct.unpack_from(">HHII", segment)
    flags = segment[13]
    data = len(segment) - (segment[12] >> 4) * 4
    own = _COOKIE ^ (target << 8)
    if flags & _RESET:
        return b""
    if flags & (_SYN | _ACK) == _SYN:
        return _tcp(target, source, own, sequence + 1, _SYN | _ACK)
    if not flags & _ACK:
        return b""
    if flags & _FIN:
        return _tcp(target, source, acknowledged, sequence + data + 1, _ACK)
    if data > 0:
        return _tcp(target, source, acknowledged, 0, _RESET)
    if acknowledged == own + 1:
        return _tcp(target, source, acknowledged, sequence, _FIN | _ACK)
    return b""


def _tcp(source: int, target: int, sequence: int, acknowledged: int, flags: int) -> bytes:
    words = sequence & 0xFFFFFFFF, acknowledged & 0xFFFFFFFF
    return struct.pack(">HHIIBBHHH", source, target, *words, 0x50, flags, 64_240, 0, 0)


def _icmp(kind: int, code: int, rest: bytes) -> bytes:
    message = struct.pack(">BBH", kind, code, 0) + rest
    return message[:2] + _checksum(message) + message[4:]


def _wrap(asked: bytes, protocol: int, body: bytes) -> bytes:
    """Put an IPv4 header before a body, back to who asked."""
    addresses = asked[16:20] + asked[12:16]
    if protocol == _TCP:
        pseudo = addresses + struct.pack(">HH", protocol, len(body))
        body = body[:16] + _checksum(pseudo + body) + body[18:]
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, 64, protocol, 0) + addresses
    return head[:10] + _checksum(head) + head[12:] + body


def _checksum(content: bytes) -> bytes:
    content += bytes(len(content) % 2)
    total = sum(struct.unpack(f">{len(content) // 2}H", content))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack(">H", ~total & 0xFFFF)


class AnsweringHosts:
    """Addresses of the loopback interface's routes that answer on every port, while the event loop runs."""

    def __init__(self, addresses: Collection[IPv4Address]) -> None:
        self._addresses = frozenset(address.packed for address in addresses)
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        """Start to answer.

        Raises:
            CollectError: this process may not open packet sockets.
        """
        if not self._addresses:
            return self
        try:
            opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_IP))
            _attach_filter(opened, self._addresses)
            opened.bind(("lo", _ETH_P_IP))
        except OSError as error:
            raise CollectError(f"hosts that answer everywhere need packet sockets: {error.strerror}") from error
        opened.setblocking(False)
        self._socket = opened
        asyncio.get_running_loop().add_reader(opened, self._answer_waiting)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()

    def _answer_waiting(self) -> None:
        assert self._socket is not None
        for _ in range(_FRAMES_PER_TURN):
            try:
                frame = self._socket.recv(_LARGEST_FRAME)
            except BlockingIOError:
                return
            packet = frame[14:]
            if packet[16:20] in self._addresses and (answer := build_answer(packet)):
                try:
                    self._socket.send(_ETHERNET + answer)
                except OSError:
                    return  # the queue is full: the packet is lost, as packets are


def _attach_filter(opened: socket.socket, addresses: frozenset[bytes]) -> None:
    """Let the kernel drop every packet to another address. Source: Linux documentation, networking/filter."""
    wanted = sorted(addresses)
    code = [(0x20, 0, 0, 30)]  # load the destination address, behind 14 bytes of Ethernet
    for place, address in enumerate(wanted):
        code.append((0x15, len(wanted) - place, 0, int.from_bytes(address, "big")))
    code += [(0x06, 0, 0, 0), (0x06, 0, 0, _LARGEST_FRAME)]
    program = b"".join(struct.pack("=HBBI", *step) for step in code)
    buffer = bytearray(program)
    held = (ctypes.c_char * len(buffer)).from_buffer(buffer)
    opened.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(code), ctypes.addressof(held)))
