"""Panels of hosts in, the asset map out: every host with its ports when they fit, else the address space as a curve."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from sentinel.model.facts import NetworkCoverage, UnitFacts
from sentinel.model.rule import Severity
from sentinel.model.unit import Network
from sentinel.report.clean import clean
from sentinel.report.hilbert import LARGEST_ORDER, SMALLEST_ORDER, Box, box_of, place_of
from sentinel.report.hosts import BlockLine, HostLine, Panel, build_blocks, build_panels
from sentinel.report.values import Text
from sentinel.report.words import text

HOSTS_DRAWN: Final = 300
"""Up to so many hosts the map shows each with its ports; more do not fit on a few pages."""

REGIONS_DRAWN: Final = 4
AREAS_NAMED: Final = 40
"""So many areas have their number on the picture and their line beside it."""

_WORST: Final = {Severity.CRITICAL, Severity.HIGH}
_MARKS_DRAWN: Final = 60
_SHARE_DRAWN: Final = 0.05
"""A region with fewer hosts than this share of the fullest one is left to the table."""


@dataclass(frozen=True, slots=True)
class Area:
    """A prefix on the curve: `state` is covered, partial, unknown (nobody looked), logs, or undeclared."""

    network: str
    prefix: IPv4Network
    box: Box
    state: str
    hosts: int


@dataclass(frozen=True, slots=True)
class Region:
    """One picture of the curve.

    Attributes:
        block: the addresses it shows.
        order: 2**order cells a side.
        areas: networks inside, by address; of many, the fullest first.
        cells: hosts as (distance along the curve, tone).
        marks: some of the worst hosts, so far apart that a shape above each cell covers no other.
        worst: hosts with a critical or high finding.
        hosts: hosts in it.
    """

    block: IPv4Network
    order: int
    areas: tuple[Area, ...]
    cells: tuple[tuple[int, str], ...]
    marks: tuple[tuple[int, str], ...]
    worst: int
    hosts: int


@dataclass(frozen=True, slots=True)
class AssetMap:
    """The map of a unit.

    Attributes:
        kind: `empty`, `hosts` (panels are drawn) or `curve` (regions are drawn).
        panels: all hosts by network, whatever is drawn.
        regions: pictures of the curve.
        blocks: hosts folded by block, the hottest first.
        hosts: hosts with an open port.
        quiet: hosts seen without an open port.
        outside: hosts no picture of the curve shows (IPv6, blocks past the first).
        alt: what the picture says.
    """

    kind: str
    panels: tuple[Panel, ...]
    regions: tuple[Region, ...]
    blocks: tuple[BlockLine, ...]
    hosts: int
    quiet: int
    outside: int
    alt: Text


def build_map(facts: UnitFacts) -> AssetMap:
    """Build the map; live findings colour it."""
    panels = build_panels(facts, [finding for finding in facts.findings if finding.state.is_live])
    lines = [host for panel in panels for host in panel.hosts]
    open_hosts = sum(host.is_open for host in lines)
    kind = "empty" if not lines else "hosts" if len(lines) <= HOSTS_DRAWN else "curve"
    regions = _build_regions(panels, facts.networks, facts.coverage) if kind == "curve" else ()
    return AssetMap(
        kind=kind,
        panels=panels,
        regions=regions,
        blocks=build_blocks(panels),
        hosts=open_hosts,
        quiet=len(lines) - open_hosts,
        outside=len(lines) - sum(region.hosts for region in regions) if kind == "curve" else 0,
        alt=text(
            "alt_map",
            networks=len(panels),
            hosts=open_hosts,
            critical=sum(host.worst is Severity.CRITICAL for host in lines),
            high=sum(host.worst is Severity.HIGH for host in lines),
        ),
    )


def _build_regions(
    panels: Iterable[Panel], networks: Sequence[Network], coverage: Iterable[NetworkCoverage]
) -> tuple[Region, ...]:
    by_sixteen: defaultdict[IPv4Network, dict[int, HostLine]] = defaultdict(dict)
    for panel in panels:
        for host in panel.hosts:
            if isinstance(host.address, IPv4Address):
                cluster = by_sixteen[IPv4Network((int(host.address) & 0xFFFF0000, 16))]
                cluster[int(host.address)] = _worse(cluster.get(int(host.address)), host)
    states = {line.network: line for line in coverage}
    regions = [_region(cluster, hosts, networks, states) for cluster, hosts in by_sixteen.items()]
    regions.sort(key=lambda region: (-region.hosts, region.block))
    least = regions[0].hosts * _SHARE_DRAWN if regions else 0
    return tuple(region for region in regions[:REGIONS_DRAWN] if region.hosts >= least)


def _worse(known: HostLine | None, host: HostLine) -> HostLine:
    rank = {None: 9} | {severity: severity.rank for severity in Severity}
    return host if known is None or rank[host.worst] < rank[known.worst] else known


def _region(
    cluster: IPv4Network,
    hosts: Mapping[int, HostLine],
    networks: Sequence[Network],
    states: Mapping[str, NetworkCoverage],
) -> Region:
    inside = [(network, prefix) for network in networks for prefix in _clipped(network, cluster)]
    edges = [prefix for _, prefix in inside] + [IPv4Network((address, 32)) for address in hosts]
    block, order = _smallest_block(edges)
    start = int(block.network_address)
    rising = sorted(hosts)
    areas = [_area(network, prefix, order, block, rising, states) for network, prefix in inside]
    if not areas:
        areas = _undeclared(order, block, hosts)
    worst = [(address - start, host.worst) for address, host in sorted(hosts.items()) if host.worst in _WORST]
    worst.sort(key=lambda mark: mark[1].rank if mark[1] else 9)
    return Region(
        block=block,
        order=order,
        areas=_arrange(areas),
        cells=tuple((address - start, _tone(host)) for address, host in sorted(hosts.items())),
        marks=_spread(worst, order),
        worst=len(worst),
        hosts=len(hosts),
    )


def _arrange(areas: Iterable[Area]) -> tuple[Area, ...]:
    """Put areas in the order of addresses; of many, those with the most hosts first, for only these are named."""
    fullest = sorted(areas, key=lambda area: -area.hosts)
    parts = fullest[:AREAS_NAMED], fullest[AREAS_NAMED:]
    return tuple(area for part in parts for area in sorted(part, key=lambda area: (area.prefix, area.network)))


def _spread(worst: Iterable[tuple[int, Severity | None]], order: int) -> tuple[tuple[int, str], ...]:
    apart = (1 << order) // 45 + 1
    chosen: list[tuple[int, str]] = []
    places: list[tuple[int, int]] = []
    for distance, severity in worst:
        x, y = place_of(order, distance)
        if len(chosen) < _MARKS_DRAWN and all(abs(x - a) >= apart or abs(y - b) >= apart for a, b in places):
            chosen.append((distance, str(severity)))
            places.append((x, y))
    return tuple(chosen)


def _clipped(network: Network, cluster: IPv4Network) -> Iterable[IPv4Network]:
    for prefix in network.prefixes:
        if isinstance(prefix, IPv4Network) and prefix.overlaps(cluster):
            yield prefix if prefix.prefixlen > cluster.prefixlen else cluster


def _smallest_block(edges: Sequence[IPv4Network]) -> tuple[IPv4Network, int]:
    low = min(int(edge.network_address) for edge in edges)
    high = max(int(edge.broadcast_address) for edge in edges)
    for order in range(SMALLEST_ORDER, LARGEST_ORDER):
        if low >> 2 * order == high >> 2 * order:
            return IPv4Network((low >> 2 * order << 2 * order, 32 - 2 * order)), order
    return IPv4Network((low & 0xFFFF0000, 16)), LARGEST_ORDER


def _area(
    network: Network,
    prefix: IPv4Network,
    order: int,
    block: IPv4Network,
    hosts: Sequence[int],
    states: Mapping[str, NetworkCoverage],
) -> Area:
    known = states.get(network.name)
    if not network.scannable:
        state = "logs"
    elif known is None or known.covered == 0:
        state = "unknown"
    else:
        state = "covered" if known.covered >= known.planned else "partial"
    count = bisect_right(hosts, int(prefix.broadcast_address)) - bisect_left(hosts, int(prefix.network_address))
    return Area(clean(network.name, 40), prefix, box_of(order, block, prefix), state, count)


def _undeclared(order: int, block: IPv4Network, hosts: Iterable[int]) -> list[Area]:
    counts: defaultdict[IPv4Network, int] = defaultdict(int)
    length = min(block.prefixlen + 4, 32)
    for address in hosts:
        counts[IPv4Network((address, length), strict=False)] += 1
    return [Area("", part, box_of(order, block, part), "undeclared", count) for part, count in counts.items()]


def _tone(host: HostLine) -> str:
    if host.worst:
        return str(host.worst)
    return "plain" if host.is_open else "unknown"
