"""Blankets: a port on which a whole block of addresses answers, because one box in front answers for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import NamedTuple

from sentinel.model.endpoint import Endpoint, EndpointKey, Fingerprint

BLOCK = 256
"""Addresses of a block, a /24."""

LEAST = 231
"""Addresses of a block that must answer: over nine tenths. Its first and last must be among them, which no host has."""


class BlanketKey(NamedTuple):
    """Where a blanket lies.

    Attributes:
        network: row id of the network.
        vantage: from where it was seen.
        block: first address of the /24.
        proto: protocol.
        port: the port all of them answer on.
    """

    network: int
    vantage: str
    block: IPv4Address
    proto: str
    port: int


def blanket_key(key: EndpointKey) -> BlanketKey | None:
    """Give the blanket an endpoint would belong to; None for IPv6, where nobody asks a whole block."""
    if not isinstance(key.address, IPv4Address):
        return None
    block = IPv4Address(int(key.address) & ~(BLOCK - 1))
    return BlanketKey(key.network, key.vantage, block, key.proto, key.port)


@dataclass(frozen=True, slots=True)
class Blankets:
    """All blankets of some networks at a moment.

    Attributes:
        looks: what the box shows on the first address of the block, where no host can be.
    """

    looks: Mapping[BlanketKey, Fingerprint] = field(default_factory=dict)

    def covers(self, endpoint: Endpoint) -> bool:
        """Tell whether it is the box that answers here: nothing tells the answer from that of the first address."""
        key = blanket_key(endpoint.key)
        look = self.looks.get(key) if key else None
        if look is None:
            return False
        mark = endpoint.fingerprint
        return not mark.is_identified or (mark.service, mark.product, mark.version) == (
            look.service,
            look.product,
            look.version,
        )

    def is_first(self, key: EndpointKey) -> bool:
        """Tell whether this is the first address of the block, under which the box is listed."""
        return blanket_key(key) in self.looks and int(key.address) % BLOCK == 0


NO_BLANKETS = Blankets()


def build_blankets(candidates: Iterable[tuple[BlanketKey, int]], edges: Iterable[Endpoint]) -> Blankets:
    """Decide which (key, answering addresses) are blankets; `edges` are open endpoints of first and last addresses."""
    firsts: dict[BlanketKey, Fingerprint] = {}
    lasts: set[BlanketKey] = set()
    for edge in edges:
        key = blanket_key(edge.key)
        if key is None:
            continue
        place = int(edge.key.address) % BLOCK
        if place == 0:
            firsts[key] = edge.fingerprint
        elif place == BLOCK - 1:
            lasts.add(key)
    return Blankets(
        {key: firsts[key] for key, count in candidates if count >= LEAST and key in firsts and key in lasts}
    )
