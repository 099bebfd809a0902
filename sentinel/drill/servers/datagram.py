"""UDP ports of the practice school: a service and a reserved socket in, bounded answers out."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import ClassVar

from sentinel.drill.servers.conversation import Seen
from sentinel.drill.servers.door import bind_anyway

# Longer requests are no request of any protocol here (RFC 6891 section 6.2.5: 4096).
REQUEST_BYTES = 4096
# A forged sender gets back at most this many times what was forged, unless amplifying is the planted weakness.
AMPLIFICATION = 3
ANSWERS_PER_REQUEST = 8
ANSWER_BYTES = 1400
ANSWERS_PER_S = 200
_BROADCAST = IPv4Address("255.255.255.255")

Answer = Callable[[bytes], tuple[bytes, ...]]
_Peer = tuple[str, int] | tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class DatagramService:
    """A UDP server with its truth.

    Attributes:
        port: the port it has in the real world.
        answer: request to answers, in order; none: silence. Never raises.
        seen: what `nmap -sU -sV` makes of it on its own port.
        elsewhere: what it makes of it on any other port; None: the same.
        weaknesses: names of the rules that must find something here, on its own port.
        weaknesses_elsewhere: the same on any other port; None: the same rules.
        flaws: weaknesses planted here that no rule names yet, e.g. `dns.open-resolver`.
        amplifies: its answers may be many times as long as the request, which is the planted weakness.
        proto: transport.
        certificate: none over UDP.
    """

    proto: ClassVar[str] = "udp"
    certificate: ClassVar[None] = None

    port: int
    answer: Answer
    seen: Seen
    elsewhere: Seen | None = None
    weaknesses: tuple[str, ...] = ()
    weaknesses_elsewhere: tuple[str, ...] | None = None
    flaws: tuple[str, ...] = ()
    amplifies: bool = False


def answers_to(service: DatagramService, request: bytes) -> tuple[bytes, ...]:
    """Answer a request within the bounds of a door: answers too many or too long are left out."""
    if not request or len(request) > REQUEST_BYTES:
        return ()
    fitting = [answer for answer in service.answer(request) if len(answer) <= ANSWER_BYTES][:ANSWERS_PER_REQUEST]
    if not service.amplifies and sum(map(len, fitting)) > AMPLIFICATION * len(request):
        return ()
    return tuple(fitting)


class Allowance:
    """How many answers may still go out: at most a second's worth at once, refilled as time passes."""

    __slots__ = ("_at_s", "_clock", "_left", "_per_s")

    def __init__(self, per_s: int, clock: Callable[[], float]) -> None:
        self._per_s = per_s
        self._clock = clock
        self._at_s = clock()
        self._left = float(per_s)

    def take(self) -> bool:
        """Spend one; False when none is left."""
        now_s = self._clock()
        self._left = min(self._per_s, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


def is_answerable(host: str, port: int) -> bool:
    """Tell whether a sender can be one host with a port: no broadcast, group, or unspecified address, no port 0."""
    address = ip_address(host.partition("%")[0])
    return port != 0 and not address.is_multicast and not address.is_unspecified and address != _BROADCAST


class DatagramDoor(asyncio.DatagramProtocol):
    """One UDP port; the service behind it can be exchanged while it stays open."""

    def __init__(self, reserved: socket.socket, service: DatagramService) -> None:
        self._reserved = reserved
        self._service = service
        self._allowance = Allowance(ANSWERS_PER_S, time.monotonic)
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self) -> None:
        """Answer from now on; before this the port is reserved but closed to everybody.

        Raises:
            OSError: the socket cannot be had.
        """
        listener = _take_over(self._reserved)
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, sock=listener)

    def exchange(self, service: DatagramService) -> None:
        """Let another service answer from the next request on."""
        self._service = service

    async def close(self) -> None:
        """Close the port."""
        self._reserved.close()
        if self._transport is not None:
            self._transport.abort()
            await asyncio.sleep(0)  # the transport closes its socket on the next turn of the loop

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Keep the way back; typeshed's base class wants any transport, asyncio gives this one."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: _Peer) -> None:
        """Answer one request."""
        if self._transport is None or not is_answerable(*addr[:2]):
            return
        for answer in answers_to(self._service, data):
            if self._allowance.take():
                self._transport.sendto(answer, addr)

    def error_received(self, exc: Exception) -> None:
        """Go on: a sender that is gone already (ICMP port unreachable) is its own affair."""


def reserve_datagram(address: IPv4Address | IPv6Address, port: int) -> socket.socket:
    """Bind a UDP port without receiving, so that nobody else takes it before its time.

    The socket is connected to itself, so the kernel finds nobody for other senders' datagrams and tells them with
    ICMP that the port is closed.

    Raises:
        OSError: it is taken, or needs a privilege.
    """
    reserved = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        bind_anyway(reserved)
        reserved.bind((str(address), port))
        reserved.connect(reserved.getsockname())
    except OSError:
        reserved.close()
        raise
    reserved.setblocking(False)
    return reserved


def _take_over(reserved: socket.socket) -> socket.socket:
    """Open a receiving socket on the port of a reserved one and let the reserved one go.

    Two UDP sockets may share a port while both have SO_REUSEADDR (socket(7)), so nobody can get in between.
    """
    listener = socket.socket(reserved.family, socket.SOCK_DGRAM)
    try:
        for each in (reserved, listener):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bind_anyway(listener)
        listener.bind(reserved.getsockname())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    except OSError:
        listener.close()
        raise
    reserved.close()
    listener.setblocking(False)
    return listener
