"""Tell whether this process, and tools it starts, may open raw sockets; found out by opening them."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

_CAP_NET_RAW = 13
_ETH_P_NONE = 0


@dataclass(frozen=True, slots=True)
class RawSockets:
    """Whether half-open (SYN) and UDP scans are possible.

    Attributes:
        usable: raw IP and packet sockets open, also in tools started from here.
        reason: why not, lower case; empty when usable.
    """

    usable: bool
    reason: str = ""


def raw_sockets() -> RawSockets:
    """Open a raw IP socket and a packet socket and close both; nothing is sent.

    A process that is not root may hold the capability itself without handing it on: then the tools it starts cannot
    send, and the answer is no.

    Source: capabilities(7), packet(7).
    """
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).close()
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, _ETH_P_NONE).close()
    except OSError as error:
        return RawSockets(False, f"raw sockets cannot be opened: {error.strerror or error}")
    if os.geteuid() != 0 and not _hands_on_raw():
        return RawSockets(False, "raw sockets open here, but a tool started from here would not have the capability")
    return RawSockets(True)


def _hands_on_raw() -> bool:
    """Read from /proc whether CAP_NET_RAW is in the ambient set, which programs started from here inherit."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    ambient = next((line.split()[1] for line in status.splitlines() if line.startswith("CapAmb:")), "0")
    return bool(int(ambient, 16) >> _CAP_NET_RAW & 1)
