"""NAT pools: public addresses behind which inside addresses hide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sentinel.model.unit import IPAddress, IPNetwork

LAST_PORT = 65_535
FIRST_PORT = 1024
"""First port NAT devices give out; lower ones stay for services. Source: RFC 7422 section 2."""


@dataclass(frozen=True, slots=True)
class NatPool:
    """A pool of public addresses (地址池).

    Attributes:
        id: row id; 0 before it is stored.
        unit: code of the unit.
        name: as on the firewall.
        outside: its public addresses.
        inside: who hides behind it; empty: not told.
        block_ports: ports each inside host gets at once (端口块大小); 0: no blocks.
        since: when it was entered.
    """

    id: int
    unit: str
    name: str
    outside: tuple[IPNetwork, ...]
    inside: tuple[IPNetwork, ...] = ()
    block_ports: int = 0
    since: datetime | None = None

    def holds(self, address: IPAddress) -> bool:
        """Tell whether a public address is of the pool."""
        return any(address.version == one.version and address in one for one in self.outside)

    def block_of(self, port: int) -> tuple[int, int] | None:
        """Give the first and the last port of the block a port lies in; None without blocks, or below the first one."""
        if not self.block_ports or not FIRST_PORT <= port <= LAST_PORT:
            return None
        first = FIRST_PORT + (port - FIRST_PORT) // self.block_ports * self.block_ports
        return first, min(first + self.block_ports - 1, LAST_PORT)
