"""Lots of tests that share the machine's loopback with other test processes, and lots nobody listens on."""

from __future__ import annotations

import os
from ipaddress import IPv4Network, IPv6Network

from sentinel.drill.place.ground import Ground, Lot, Mode

# Schools of several test processes at once must not meet.
_SECOND = 80 + os.getpid() % 170


def own_lot(number: int) -> Lot:
    """Give a lot on loopback, without `::1`, which there is but once."""
    return Lot(IPv4Network(f"127.{_SECOND}.{number}.0/24"))


NAMESPACE = Ground(Mode.USER_NAMESPACE, ipv6=True).lot(1)
LOOPBACK = Lot(IPv4Network("127.77.1.0/24"), IPv6Network("::1/128"))
LOTS = {"namespace": NAMESPACE, "loopback": LOOPBACK}
"""What plans are made for."""
