"""A domain name in, its addresses out, from the system's resolver; the gate calls it for authorised names only."""

from __future__ import annotations

import socket
from collections.abc import Callable

from sentinel.model.plain import read_plain_address
from sentinel.model.unit import IPAddress

Resolve = Callable[[str], tuple[IPAddress, ...]]


def resolve_name(name: str) -> tuple[IPAddress, ...]:
    """Look a validated name up once; addresses of both versions, each once, IPv4 first.

    Raises:
        OSError: the name does not resolve, or the resolver does not answer (system time limits).
    """
    rows = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    found = {read_plain_address(str(row[4][0]).partition("%")[0]) for row in rows}
    return tuple(sorted(found, key=lambda address: (address.version, int(address))))


def stop_when_silent(resolve: Resolve | None = None, most: int = 3) -> Resolve:
    """Give a look-up that asks no further once so many names in a row met a resolver that does not answer."""
    silences = 0

    def look_up(name: str) -> tuple[IPAddress, ...]:
        nonlocal silences
        if silences >= most:
            raise OSError("the resolver does not answer")
        try:
            found = (resolve or resolve_name)(name)
        except OSError as error:
            silences = silences + 1 if error.errno == socket.EAI_AGAIN else 0
            raise
        silences = 0
        return found

    return look_up
