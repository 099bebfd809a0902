"""A process in, the same process in a network namespace of its own out, with the packets of its loopback interface.

Linux only, standard library only; Python 3.11 has no os.unshare, so libc is called.
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import os
import signal
import socket
import struct
from pathlib import Path
from types import TracebackType

from sentinel.drill.recording.pcap import PcapWriter
from sentinel.errors import CollectError

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG = 1
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x8913, 0x8914, 0x8916, 0x891C
_IFF_UP = 1
_ETH_P_ALL = 3
_PACKET_OUTGOING = 4
_LARGEST_FRAME = 262_144
_RECEIVE_BUFFER = 8 * 1024 * 1024


class NamespaceRefusedError(CollectError):
    """Raised where the kernel or its policy gives no user and network namespace."""


def die_with_parent(parent: int) -> None:
    """Let the kernel kill this process when its parent `parent` ends; exits at once when that has happened."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(1)


def enter_namespace(address: str, netmask: str) -> None:
    """Move this process into a fresh user and network namespace whose loopback owns all addresses of a prefix.

    Raises:
        NamespaceRefusedError: the kernel or its policy refuses.
    """
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET):
        raise NamespaceRefusedError(f"no namespace: {os.strerror(ctypes.get_errno())}")
    try:
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")
        _raise_loopback(address, netmask)
    except OSError as error:
        raise NamespaceRefusedError(f"no namespace: {error}") from error


def _raise_loopback(address: str, netmask: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack_from("H", fcntl.ioctl(control, _SIOCGIFFLAGS, request), 16)[0]
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | _IFF_UP))
        for code, value in ((_SIOCSIFADDR, address), (_SIOCSIFNETMASK, netmask)):
            packed = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(value))
            fcntl.ioctl(control, code, struct.pack("16s16s", b"lo:1", packed))


class Sniffer:
    """Writes every packet of the loopback interface while the event loop runs."""

    def __init__(self, writer: PcapWriter) -> None:
        self._writer = writer
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self._socket.bind(("lo", 0))
        self._socket.setblocking(False)

    @property
    def packets(self) -> int:
        """Packets written."""
        return self._writer.packets

    def __enter__(self) -> Sniffer:
        asyncio.get_running_loop().add_reader(self._socket, self.read_waiting)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def read_waiting(self) -> None:
        """Write what has arrived; loopback shows each packet twice, of which the incoming one counts."""
        while True:
            try:
                frame, origin = self._socket.recvfrom(_LARGEST_FRAME)
            except BlockingIOError:
                return
            if origin[2] != _PACKET_OUTGOING:
                self._writer.write(frame)
