"""What this machine is called and which addresses it has, read from the kernel without sending anything."""

from __future__ import annotations

import socket
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from itertools import pairwise
from pathlib import Path

_TRIE = Path("/proc/net/fib_trie")
_SIX = Path("/proc/net/if_inet6")


def is_loopback(host: str) -> bool:
    """Tell whether listening there reaches this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def names_of_machine() -> tuple[str, ...]:
    """Give the machine's name and the addresses others reach it by, IPv4 first."""
    found = [socket.gethostname().lower()]
    with suppress(OSError):
        found += _read_four(_TRIE.read_text(encoding="ascii"))
    with suppress(OSError):
        found += _read_six(_SIX.read_text(encoding="ascii"))
    addresses = [one for one in found[1:] if not ip_address(one).is_loopback]
    return tuple(dict.fromkeys((*addresses, found[0])))


def _read_four(trie: str) -> list[str]:
    """Read the local addresses of a routing trie: the line above `/32 host LOCAL` names each."""
    lines = [line.split() for line in trie.splitlines()]
    return [
        above[-1]
        for above, line in pairwise(lines)
        if line[:3] == ["/32", "host", "LOCAL"] and above and above[0] == "|--"
    ]


def _read_six(text: str) -> list[str]:
    """Read `if_inet6`, leaving out link-local addresses, which need a zone."""
    addresses = [IPv6Address(int(line.split()[0], 16)) for line in text.splitlines() if line.strip()]
    return [str(one) for one in addresses if not one.is_link_local]
