"""Names that hosts asked for in, one row per host and listed name out; and which addresses such names led to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sentinel.model.flow import FlowClass, FlowDetection
from sentinel.traffic.dialogue import NameSeen
from sentinel.traffic.moments import Span
from sentinel.traffic.names import DnsMessage, address_text
from sentinel.traffic.pools import PoolFeed, PoolName

MOST_ROWS = 50_000
_MOST_ADDRESSES = 20_000
_CERTAINTY = {"pool": 0.6, "browser": 0.4}
"""A name is only asked for; lists of browser mining hold many names that serve other things by now."""


@dataclass(slots=True)
class Sighting:
    """One host and name.

    Attributes:
        seen: the name and where it stood first.
        listed: the row of the feed.
        peer: packed address of resolver or server.
        peer_port: its port.
        span: times, packets and bytes.
    """

    seen: NameSeen
    listed: PoolName
    peer: bytes
    peer_port: int
    span: Span


class Sightings:
    """The listed names of one capture."""

    __slots__ = ("_addresses", "_feed", "_rows")

    def __init__(self, feed: PoolFeed) -> None:
        self._feed = feed
        self._rows: dict[tuple[bytes, str], Sighting] = {}
        self._addresses: dict[bytes, PoolName] = {}

    def add(self, host: bytes, peer: bytes, peer_port: int, seen: NameSeen) -> Sighting | None:
        """Note a name; gives its row for counting, None when the name is not listed."""
        listed = self._feed.match(seen.name)
        if listed is None:
            return None
        row = self._rows.get((host, seen.name))
        if row is None and len(self._rows) < MOST_ROWS:
            row = self._rows[host, seen.name] = Sighting(seen, listed, peer, peer_port, Span())
        return row

    def add_dns(self, message: DnsMessage, host: bytes, peer: bytes, peer_port: int) -> list[Sighting]:
        """Note the names of a DNS message; gives their rows for counting."""
        rows = []
        for name in message.names:
            row = self.add(host, peer, peer_port, NameSeen("dns", name, f"DNS {message.kind} {name}"))
            if row is None:
                continue
            rows.append(row)
            if len(self._addresses) < _MOST_ADDRESSES:
                self._addresses.update(dict.fromkeys(message.addresses, row.listed))
        return rows

    def coin_of(self, address: bytes) -> str:
        """Give the coin of the listed name that led to this address in the same capture; empty for none."""
        listed = self._addresses.get(address)
        return listed.single_coin if listed else ""

    def detections(self, file: str) -> Iterator[FlowDetection]:
        """Yield one row per host and name, in the order first seen."""
        for (host, name), row in self._rows.items():
            yield FlowDetection(
                file=file,
                host=address_text(host),
                host_port=None,
                peer=address_text(row.peer),
                peer_port=row.peer_port,
                family=row.seen.family,
                flow_class=FlowClass.NAME,
                certainty=max(_CERTAINTY.get(kind, 0.4) for kind in row.listed.kind.split("|")),
                coin=row.listed.single_coin,
                first_seen=row.span.first_seen,
                last_seen=row.span.last_seen,
                packets=row.span.packets,
                payload_bytes=row.span.size_bytes,
                evidence=row.seen.text,
                name=name,
            )
