"""A sheet of the graph in, the places of its nodes out: layers from left to right, with few crossings."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from sentinel.report.graph import Band, Sheet

PITCH: Final = 16.0
"""Units from one node to the next below."""

BAND_HEAD: Final = 20.0
TOP: Final = 22.0
_GAP: Final = 8.0
_SWEEPS: Final = 8


@dataclass(frozen=True, slots=True)
class BandPlace:
    """Where a band lies, and the heights of its hosts and ports by their index."""

    top: float
    bottom: float
    hosts: tuple[float, ...]
    ports: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SheetPlace:
    """Where everything on a sheet lies."""

    height: float
    bands: tuple[BandPlace, ...]
    domains: tuple[float, ...]
    certificates: tuple[float, ...]


def place_sheet(sheet: Sheet) -> SheetPlace:
    """Place a sheet: bands below each other, hosts and ports in an order with few crossings, the rest beside theirs."""
    bands = []
    top = TOP
    for band in sheet.bands:
        placed = _place_band(band, top)
        bands.append(placed)
        top = placed.bottom + _GAP
    wanted_names: defaultdict[int, list[float]] = defaultdict(list)
    wanted_shown: defaultdict[int, list[float]] = defaultdict(list)
    for band, placed in zip(sheet.bands, bands, strict=True):
        for host, y in zip(band.hosts, placed.hosts, strict=True):
            for name in host.domains:
                wanted_names[name].append(y)
        for port, y in zip(band.ports, placed.ports, strict=True):
            if port.certificate is not None:
                wanted_shown[port.certificate].append(y)
    low = TOP + PITCH / 2
    domains = _beside(wanted_names, len(sheet.domains), low, top - _GAP)
    certificates = _beside(wanted_shown, len(sheet.certificates), low, top - _GAP)
    bottom = max((top - _GAP, *(y + PITCH / 2 for y in (*domains, *certificates))))
    return SheetPlace(bottom + 3, tuple(bands), domains, certificates)


def count_crossings(links: Sequence[tuple[int, int]]) -> int:
    """Count how often links between two layers cross, given as (place on the left, place on the right)."""
    seen: list[int] = []
    crossings = 0
    for _, right in sorted(links):
        crossings += len(seen) - bisect_right(seen, right)
        insort(seen, right)
    return crossings


def spread(wanted: Sequence[float], pitch: float, low: float, high: float) -> list[float]:
    """Move heights, given in rising order, as little as needed to lie `pitch` apart between low and high.

    When there is no room for all below `high`, they begin at `low` and go past it.
    """
    blocks: list[list[float]] = []
    for place, height in enumerate(wanted):
        blocks.append([height - place * pitch, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            last, count = blocks.pop()
            before, number = blocks[-1]
            blocks[-1] = [(before * number + last * count) / (number + count), number + count]
    flat = [start for start, count in blocks for _ in range(int(count))]
    ceiling = max(high - (len(wanted) - 1) * pitch, low)
    return [min(max(start, low), ceiling) + place * pitch for place, start in enumerate(flat)]


def _place_band(band: Band, top: float) -> BandPlace:
    hosts, ports = order_band(band)
    rows = max(len(hosts), len(ports), 1)
    first = top + BAND_HEAD + PITCH / 2
    bottom = top + BAND_HEAD + rows * PITCH + 2
    last = first + (rows - 1) * PITCH
    middle = first + (rows - len(hosts)) * PITCH / 2
    height = {host: middle + row * PITCH for row, host in enumerate(hosts)}
    near: defaultdict[int, list[float]] = defaultdict(list)
    for index, host in enumerate(band.hosts):
        for port, _ in host.ports:
            near[port].append(height[index])
    wanted = _rising([fmean(near[port]) if near[port] else first for port in ports])
    at = dict(zip(ports, spread(wanted, PITCH, first, last), strict=True))
    return BandPlace(
        top, bottom, tuple(height[i] for i in range(len(band.hosts))), tuple(at[i] for i in range(len(band.ports)))
    )


def order_band(band: Band) -> tuple[list[int], list[int]]:
    """Order hosts and ports of a band by the means of their neighbours in turn, as long as crossings get fewer."""
    hosts, ports = list(range(len(band.hosts))), list(range(len(band.ports)))
    links = [(index, port) for index, host in enumerate(band.hosts) for port, _ in host.ports]
    to_ports: defaultdict[int, list[int]] = defaultdict(list)
    to_hosts: defaultdict[int, list[int]] = defaultdict(list)
    for host, port in links:
        to_ports[host].append(port)
        to_hosts[port].append(host)
    best, fewest = (hosts, ports), _crossings(links, hosts, ports)
    for _ in range(_SWEEPS):
        ports = _by_means(ports, to_hosts, hosts)
        hosts = _by_means(hosts, to_ports, ports)
        crossings = _crossings(links, hosts, ports)
        if crossings >= fewest:
            break
        best, fewest = (hosts, ports), crossings
    return best


def _by_means(nodes: Sequence[int], neighbours: Mapping[int, list[int]], order: Sequence[int]) -> list[int]:
    place = {node: index for index, node in enumerate(order)}
    means = {node: fmean(place[other] for other in neighbours[node]) if neighbours[node] else 0.0 for node in nodes}
    return sorted(nodes, key=means.__getitem__)


def _crossings(links: Sequence[tuple[int, int]], hosts: Sequence[int], ports: Sequence[int]) -> int:
    left = {host: row for row, host in enumerate(hosts)}
    right = {port: row for row, port in enumerate(ports)}
    return count_crossings([(left[host], right[port]) for host, port in links])


def _rising(heights: Sequence[float]) -> list[float]:
    """Keep the order of nodes where the means of their neighbours do not rise with it."""
    highest = 0.0
    rising = []
    for height in heights:
        highest = max(highest, height)
        rising.append(highest)
    return rising


def _beside(wanted: Mapping[int, Sequence[float]], count: int, low: float, high: float) -> tuple[float, ...]:
    means = {node: fmean(wanted[node]) if wanted.get(node) else low for node in range(count)}
    order = sorted(means, key=means.__getitem__)
    places = spread([means[node] for node in order], PITCH, low, high - PITCH / 2)
    at = dict(zip(order, places, strict=True))
    return tuple(at[node] for node in range(count))
