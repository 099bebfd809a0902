"""Settings of network interfaces that no command of iproute2 reaches: offloads, and switches under /proc/sys/net."""

from __future__ import annotations

import array
import contextlib
import fcntl
import socket
import struct
from pathlib import Path

from sentinel.errors import CollectError

_SIOCETHTOOL, _SIOCGIFFLAGS = 0x8946, 0x8913
_IFF_UP = 1
# ETHTOOL_SRXCSUM, STXCSUM, STSO, SGSO, SGRO. Source: linux/ethtool.h
_OFFLOADS = (0x15, 0x17, 0x1F, 0x24, 0x2C)
_SETTINGS = Path("/proc/sys/net")
# A scanner's half-open connections are reset at once: keep them 2 s instead of 10, so that a tarpit fills no table.
_TRACKING_S = {"close": 2, "time_wait": 2, "syn_recv": 10}


def offloads_off(interface: str) -> None:
    """Let an interface compute checksums itself and cut no packets, so that raw readers see them whole and right.

    Raises:
        CollectError: the kernel refuses.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in _OFFLOADS:
            value = array.array("I", (command, 0))
            request = struct.pack("16sP8x", interface.encode(), value.buffer_info()[0])
            try:
                fcntl.ioctl(control, _SIOCETHTOOL, request)
            except OSError as error:
                raise CollectError(f"{interface}: offload {command:#x} stays on: {error.strerror}") from error


def is_up(interface: str) -> bool:
    """Tell whether an interface is up; one that has gone is not."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        try:
            answer = fcntl.ioctl(control, _SIOCGIFFLAGS, struct.pack("16sH14x", interface.encode(), 0))
        except OSError:
            return False
    return bool(struct.unpack_from("H", answer, 16)[0] & _IFF_UP)


def no_ipv6(interface: str) -> None:
    """Keep an interface from announcing itself over IPv6; a kernel without IPv6 does not anyway."""
    switch = _SETTINGS / "ipv6/conf" / interface / "disable_ipv6"
    if switch.exists():
        _switch(switch, "1")


def answer_for_all(interface: str) -> None:
    """Let the kernel answer on this interface for every local address, whatever the machine's defaults are.

    Raises:
        CollectError: a setting differs and may not be changed.
    """
    for place in ("all", interface):
        for name in ("arp_ignore", "rp_filter"):
            _switch(_SETTINGS / "ipv4/conf" / place / name, "0")
    _switch(_SETTINGS / "ipv4/icmp_echo_ignore_all", "0")


def forget_connections_soon() -> None:
    """Shorten what connection tracking keeps of ended connections, where the kernel allows."""
    for state, seconds in _TRACKING_S.items():
        with contextlib.suppress(CollectError):
            _switch(_SETTINGS / f"netfilter/nf_conntrack_tcp_timeout_{state}", str(seconds))


def _switch(path: Path, value: str) -> None:
    try:
        if path.read_text(encoding="ascii").strip() != value:
            path.write_text(value, encoding="ascii")
    except OSError as error:
        raise CollectError(f"{path}: cannot be set to {value}: {error.strerror}") from error
