"""Sockets of the machine itself that answer on every address, so that nobody takes them for the school's."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

_TCP_LISTEN = "0A"


def local_listeners(networks: Collection[IPNetwork], proc_net: Path = Path("/proc/net")) -> frozenset[int]:
    """List the TCP ports on which somebody listens on an address of these networks, whoever it is."""
    return frozenset(port for address, port in _listening(proc_net) if any(address in network for network in networks))


def foreign_listeners(proc_net: Path = Path("/proc/net")) -> tuple[tuple[str, int], ...]:
    """List (`tcp`, port) of sockets of this machine that listen on every address, sorted.

    They answer on the school's addresses too and are not the school's. Tables that cannot be read are empty.

    Source: proc_pid_net(5), columns local_address and st.
    """
    ports = {port for address, port in _listening(proc_net) if address.is_unspecified}
    return tuple(("tcp", port) for port in sorted(ports))


def _listening(proc_net: Path) -> Iterator[tuple[IPAddress, int]]:
    """Give address and port of every listening TCP socket."""
    for name in ("tcp", "tcp6"):
        try:
            rows = (proc_net / name).read_text("ascii").split("\n")[1:]
        except OSError:
            continue  # a kernel without IPv6 has no tcp6
        for row in rows:
            columns = row.split()
            if len(columns) > 3 and columns[3] == _TCP_LISTEN:
                address, _, port = columns[1].partition(":")
                yield _read_address(address), int(port, 16)


def _read_address(text: str) -> IPAddress:
    """Read an address as the kernel writes it: words of 32 bits in the machine's own order."""
    words = struct.pack(f"={len(text) // 8}I", *(int(text[at : at + 8], 16) for at in range(0, len(text), 8)))
    return ip_address(words)
