"""Marks of hosts in; moments at which each was seen, which marks too many show, and how alike two hosts are, out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sentinel.inventory.marks import STRONG, weigh
from sentinel.model.asset import Mark, MarkKind, MarkName, Weight
from sentinel.model.sighting import HoldingSource
from sentinel.model.unit import IPAddress

MOST_ADDRESSES = 3
"""A strong value on more addresses at once is a copied image or a load balancer, not a host."""

PORTS_ALIKE = 0.8
PORTS_UNLIKE = 0.3

Placed = tuple[int, MarkName]
"""A mark inside its network: the same address space repeats in every school."""

_MEDIUM = (MarkKind.FQDN, MarkKind.OS, MarkKind.PORTS, MarkKind.FAVICON)
_ONE_AT_A_TIME = frozenset(
    {MarkKind.MAC, MarkKind.SSH_HOST_KEY, MarkKind.SERIAL, MarkKind.SNMP_ENGINE, MarkKind.DHCP_CLIENT_ID}
)
"""Of these a host shows one; certificates are renewed, and a host has several."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A host at a moment.

    Attributes:
        network: row id of the network.
        address: the address.
        at: when.
        marks: the marks that hold then.
    """

    network: int
    address: IPAddress
    at: datetime
    marks: tuple[Mark, ...]

    @property
    def until(self) -> datetime:
        """Last moment at which one of the marks was seen there."""
        return max((mark.until for mark in self.marks), default=self.at)


def build_sights(marks: Iterable[Mark]) -> list[Seen]:
    """Give the moments at which hosts were seen, in the order of time: the first and last of each mark."""
    by_place: defaultdict[tuple[int, IPAddress], list[Mark]] = defaultdict(list)
    for mark in marks:
        by_place[mark.network, mark.address].append(mark)
    sights = [
        Seen(network, address, moment, tuple(mark for mark in found if mark.since <= moment <= mark.until))
        for (network, address), found in by_place.items()
        for moment in {moment for mark in found for moment in (mark.since, mark.until)}
    ]
    return sorted(sights, key=lambda seen: (seen.at, seen.network, seen.address.version, int(seen.address)))


_AT_ONCE = frozenset({"scan", HoldingSource.ARP.value, HoldingSource.NEIGHBOUR.value})
"""Sources that tell what was there at one moment."""


def find_crowded(marks: Iterable[Mark]) -> frozenset[Placed]:
    """Give the strong values that scans and tables saw on more than three addresses of a network at once.

    Leases do not count: a card that moves holds several at once.
    """
    by_value: defaultdict[Placed, list[Mark]] = defaultdict(list)
    for mark in marks:
        if mark.name.kind in STRONG and mark.source in _AT_ONCE:
            by_value[mark.network, mark.name].append(mark)
    return frozenset(placed for placed, found in by_value.items() if _most_at_once(found) > MOST_ADDRESSES)


def _most_at_once(marks: list[Mark]) -> int:
    if len({mark.address for mark in marks}) <= MOST_ADDRESSES:
        return 0
    return max(len({mark.address for mark in marks if mark.since <= one.since <= mark.until}) for one in marks)


def weigh_here(network: int, name: MarkName, crowded: frozenset[Placed]) -> Weight:
    """Tell what a mark proves in a network."""
    return Weight.WEAK if (network, name) in crowded else weigh(name)


def contradicts(seen: Iterable[MarkName], known: Iterable[MarkName]) -> bool:
    """Tell whether strong marks of a kind a host has one of differ: other card, other host key of the same type."""
    mine, theirs = _one_at_a_time(seen), _one_at_a_time(known)
    return any(kind in theirs and not values & theirs[kind] for kind, values in mine.items())


def differ(seen: Iterable[MarkName], known: Iterable[MarkName], kind: MarkKind) -> bool:
    """Tell whether both have marks of a kind and share none."""
    mine, theirs = (_values(names, kind) for names in (seen, known))
    return bool(mine and theirs and not mine & theirs)


def _one_at_a_time(names: Iterable[MarkName]) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name in names:
        if name.kind in _ONE_AT_A_TIME:
            kind = name.value.partition(" ")[0] if name.kind is MarkKind.SSH_HOST_KEY else ""
            found[f"{name.kind} {kind}"].add(name.value)
    return found


def _values(names: Iterable[MarkName], kind: MarkKind) -> set[str]:
    return {name.value for name in names if name.kind is kind}


def count_alike(seen: Iterable[MarkName], known: Iterable[MarkName]) -> tuple[int, int]:
    """Count the medium kinds in which two hosts agree, and those in which they differ.

    What one of them does not tell is neither. Port sets agree when four fifths of all ports are common, and differ when
    less than three tenths are.
    """
    seen, known = tuple(seen), tuple(known)
    agree = disagree = 0
    for kind in _MEDIUM:
        mine, theirs = _values(seen, kind), _values(known, kind)
        if not mine or not theirs:
            continue
        if kind is MarkKind.PORTS:
            likeness = max(_jaccard(one, other) for one in mine for other in theirs)
            agree += likeness >= PORTS_ALIKE
            disagree += likeness < PORTS_UNLIKE
        elif kind is MarkKind.FQDN:
            same = {one.partition(".")[0] for one in mine} & {one.partition(".")[0] for one in theirs}
            agree += bool(same)
            disagree += not same
        else:
            agree += bool(mine & theirs)
            disagree += not mine & theirs
    return agree, disagree


def _jaccard(one: str, other: str) -> float:
    mine, theirs = set(one.split(",")), set(other.split(","))
    return len(mine & theirs) / len(mine | theirs)


class Unions:
    """Marks a person called one thing."""

    def __init__(self, pairs: Iterable[tuple[Placed, Placed]]) -> None:
        self._above: dict[Placed, Placed] = {}
        for one, other in pairs:
            low, high = sorted((self.root(one), self.root(other)))
            if low != high:
                self._above[high] = low

    def root(self, one: Placed) -> Placed:
        """Give what stands for all that are one with a mark."""
        while one in self._above:
            one = self._above[one]
        return one

    def __contains__(self, one: Placed) -> bool:
        return one in self._above or one in self._above.values()


def newest_marks(known: Mapping[MarkName, datetime], within: datetime) -> Iterator[MarkName]:
    """Give the marks last seen at or after a moment."""
    yield from (name for name, moment in known.items() if moment >= within)
