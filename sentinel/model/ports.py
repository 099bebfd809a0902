"""Port sets in nmap's syntax: `22,80,U:53,1-1024` in, sorted ranges per protocol out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

PROTOCOLS = ("tcp", "udp", "sctp")
_LETTERS = {"T": "tcp", "U": "udp"}


@dataclass(frozen=True)
class PortSet:
    """Ports of one protocol as sorted, disjoint, inclusive ranges, e.g. `((22, 22), (80, 88))`."""

    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, ranges: Iterable[tuple[int, int]]) -> PortSet:
        """Build from ranges in any order, merging what touches."""
        merged: list[tuple[int, int]] = []
        for low, high in sorted(ranges):
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
            else:
                merged.append((low, high))
        return cls(tuple(merged))

    @classmethod
    def of_ports(cls, ports: Iterable[int]) -> PortSet:
        """Build from single port numbers."""
        return cls.of((port, port) for port in ports)

    @cached_property
    def _lows(self) -> list[int]:
        return [low for low, _ in self.ranges]

    def __contains__(self, port: int) -> bool:
        place = bisect_right(self._lows, port) - 1
        return place >= 0 and port <= self.ranges[place][1]

    def __len__(self) -> int:
        return sum(high - low + 1 for low, high in self.ranges)

    def __iter__(self) -> Iterator[int]:
        for low, high in self.ranges:
            yield from range(low, high + 1)

    def __or__(self, other: PortSet) -> PortSet:
        return PortSet.of((*self.ranges, *other.ranges))

    def __str__(self) -> str:
        return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in self.ranges)


def parse_ranges(text: str) -> PortSet:
    """Read one protocol's list as nmap writes it in `scaninfo services=`: `1,3-4,6`.

    Raises:
        ValueError: a piece is neither a port nor a range of ports 0-65535.
    """
    return PortSet.of(_piece(piece) for piece in text.split(",") if piece.strip())


def parse_ports(text: str) -> dict[str, PortSet]:
    """Read a port specification in nmap's syntax into `{"tcp": PortSet, "udp": PortSet}`.

    As in nmap, `T:` and `U:` hold until the next letter, ports before any letter belong to every protocol the
    specification scans (TCP always, UDP when `U:` occurs), `-` alone means all, `-100` and `60000-` are open ranges.

    Raises:
        ValueError: the specification is empty, names services, or holds something else than ports.
    """
    wanted: dict[str, list[tuple[int, int]]] = {}
    unqualified: list[tuple[int, int]] = []
    protocol: str | None = None
    for raw in text.split(","):
        piece = raw.strip()
        if len(piece) > 1 and piece[1] == ":":
            protocol = _LETTERS.get(piece[0].upper())
            if protocol is None:
                raise ValueError(f"port specification {text!r}: only T: and U: are known, not {piece[:2]!r}")
            wanted.setdefault(protocol, [])
            piece = piece[2:].strip()
        if not piece:
            raise ValueError(f"port specification {text!r}: empty piece")
        (unqualified if protocol is None else wanted[protocol]).append(_piece(piece))
    if unqualified:
        for name in {"tcp", *wanted}:
            wanted.setdefault(name, []).extend(unqualified)
    return {name: PortSet.of(wanted[name]) for name in PROTOCOLS if wanted.get(name)}


def format_ports(ports: dict[str, PortSet]) -> str:
    """Write a specification nmap reads back as the same sets: `T:22,80,U:53`."""
    letters = {name: letter for letter, name in _LETTERS.items()}
    return ",".join(f"{letters[name]}:{ports[name]}" for name in PROTOCOLS if ports.get(name))


def _piece(piece: str) -> tuple[int, int]:
    low_text, dash, high_text = piece.strip().partition("-")
    if not (low_text + high_text).isascii() or not (low_text + high_text or "0").isdigit() or not (low_text or dash):
        raise ValueError(f"no port or range of ports: {piece!r}")
    low = int(low_text) if low_text else 1
    high = int(high_text) if high_text else (65535 if dash else low)
    if not 0 <= low <= high <= 65535:
        raise ValueError(f"ports run from 0 to 65535, low before high: {piece!r}")
    return low, high
