"""A domain name in, its addresses out, from the system's resolver; the gate calls it for authorised names only."""

from __future__ import annotations

import socket

from sentinel.model.plain import read_plain_address
from sentinel.model.unit import IPAddress


def resolve_name(name: str) -> tuple[IPAddress, ...]:
    """Look a validated name up once; addresses of both versions, each once, IPv4 first.

    Raises:
        OSError: the name does not resolve, or the resolver does not answer (system time limits).
    """
    rows = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    found = {read_plain_address(str(row[4][0]).partition("%")[0]) for row in rows}
    return tuple(sorted(found, key=lambda address: (address.version, int(address))))
