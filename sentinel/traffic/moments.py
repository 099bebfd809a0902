"""Times and sizes of packets in, the span they cover out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sentinel.model.moment import EARLIEST, from_microseconds, to_microseconds

_POSSIBLE = range(to_microseconds(EARLIEST), to_microseconds(datetime(2100, 1, 1, tzinfo=UTC)))
"""Times outside are damage, or a clock that was never set."""


@dataclass(slots=True)
class Span:
    """What was counted of a flow or a name.

    Attributes:
        first: microseconds since 1970 of the first packet with a possible time, 0 for none.
        last: of the last one.
        packets: packets.
        size_bytes: payload bytes on the wire.
    """

    first: int = 0
    last: int = 0
    packets: int = 0
    size_bytes: int = 0

    def add(self, when: int, size_bytes: int) -> None:
        """Count one packet."""
        self.packets += 1
        self.size_bytes += size_bytes
        if when not in _POSSIBLE:
            return
        if when > self.last:
            self.last = when
        if when < self.first or not self.first:
            self.first = when

    def merge(self, other: Span) -> None:
        """Count all packets of another span."""
        self.packets += other.packets
        self.size_bytes += other.size_bytes
        if other.first:
            self.first = min(self.first or other.first, other.first)
            self.last = max(self.last, other.last)

    @property
    def first_seen(self) -> datetime | None:
        """Time of the first packet; None when no time was possible."""
        return from_microseconds(self.first) if self.first else None

    @property
    def last_seen(self) -> datetime | None:
        """Time of the last packet; None when no time was possible."""
        return from_microseconds(self.last) if self.last else None
