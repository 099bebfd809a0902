"""Measure the map's pictures and exports: seconds, bytes and peak memory at 300 hosts, 3,000 hosts, 200,000 endpoints.

Run `.venv/bin/python bench/map.py [ENDPOINTS]`. Times are processor seconds, medians of five rounds (three for the
large size, one for XLSX there), for other work on the machine is not of interest; the peak is what Python allocated
beside the facts, in a round of its own. Each picture is measured with what it is built from, hosts and their findings.
The tree is measured at 30,000 schools. The bench fails when the graph of 300 hosts weighs 200 kB or more.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import TypeVar

from sentinel.model.endpoint import Host, MapRow
from sentinel.model.facts import CentreFacts, NetworkCoverage, UnitFacts
from sentinel.model.unit import Network
from sentinel.report.asset_map import build_map
from sentinel.report.graph import build_graph
from sentinel.report.map_export import FORMATS, Export, write_export
from sentinel.report.render import render_html
from sentinel.report.svg_graph import draw_sheet
from sentinel.report.svg_grid import draw_grid_head, draw_grid_rows, grid_slices
from sentinel.report.svg_map import draw_region
from sentinel.report.svg_tree import draw_tree_head, draw_tree_rows, tree_slices
from sentinel.report.unit_tree import build_tree
from sentinel.report.use_grid import build_grid
from sentinel.report.view_map import build_map_view
from tests.report.facts_factory import (
    CODE,
    NOW,
    RISKS,
    ROLES,
    ZONE_ROLES,
    make_centre,
    make_empty_facts,
    make_facts,
    make_row,
)

Facts = TypeVar("Facts", UnitFacts, CentreFacts)

ENDPOINTS = 200_000
SCHOOLS = 30_000
GRAPH_LIMIT = 200 * 1024
TEMPLATES = Path(__file__).parents[1] / "reports"
ZONES = tuple(zone for zone in ZONE_ROLES if zone.value not in {"dormitory", "wireless", "unknown"})


def make_large_facts(endpoints: int) -> UnitFacts:
    """Make a university with so many endpoints, 200 hosts in each /24, and a finding on every port a rule is about."""
    networks: list[Network] = []
    hosts: list[Host] = []
    rows: list[MapRow] = []
    while len(rows) < endpoints:
        number = len(networks)
        zone = ZONES[number % len(ZONES)]
        prefix = IPv4Network((int(IPv4Address("10.20.0.0")) + number * 256, 24))
        network = Network(number + 2, CODE, f"{zone.value}-{number}", zone, (prefix,))
        networks.append(network)
        for offset in range(1, 201):
            host = Host(network.name, zone, prefix[offset], (f"h{number}-{offset}.school.example",))
            services = ROLES[ZONE_ROLES[zone][offset % len(ZONE_ROLES[zone])]]
            hosts.append(host)
            rows += [make_row(network.id, host, service, offset) for service in services]
    model = make_facts(60).findings[0]
    risks = {risk.port: risk for risk in RISKS}
    findings = tuple(
        replace(
            model,
            severity=risk.severity,
            key=replace(model.key, network=key.network, subject=f"{key.address}:{key.port}/{key.proto}"),
        )
        for key in (row.endpoint.key for row in rows)
        if (risk := risks.get(key.port)) and int(key.address) % 3 == 0
    )
    coverage = tuple(NetworkCoverage(network.name, 255, 255 if network.id % 5 else 0) for network in networks)
    return make_empty_facts(
        networks=tuple(networks), hosts=tuple(hosts), rows=tuple(rows), findings=findings, coverage=coverage
    )


def draw_grid(facts: UnitFacts) -> Iterator[str]:
    grid = build_grid(facts, build_map(facts).panels)
    yield draw_grid_head(grid, "zh")
    yield from (draw_grid_rows(grid, "zh", number) for number in range(grid_slices(grid)))


def draw_graph(facts: UnitFacts) -> Iterator[str]:
    graph = build_graph(facts, build_map(facts).panels)
    yield from (draw_sheet(graph, "zh", number) for number in range(len(graph.sheets)))


def draw_curves(facts: UnitFacts) -> Iterator[str]:
    found = build_map(facts)
    yield from (draw_region(region, "zh", found.alt) for region in found.regions)


def draw_units(facts: CentreFacts) -> Iterator[str]:
    tree = build_tree(facts)
    yield draw_tree_head(tree, "zh")
    yield from (draw_tree_rows(tree, "zh", number) for number in range(tree_slices(tree)))


def measure(name: str, work: Callable[[], int], rounds: int) -> int:
    """Print the median time of some rounds, what came out, and the peak of memory; gives the bytes."""
    times = []
    size = 0
    for _ in range(rounds):
        began = time.process_time()
        size = work()
        times.append(time.process_time() - began)
    peak = "" if rounds == 1 else f"{peak_of(work) / 1024 / 1024:10.1f}"
    print(f"{name:38}{statistics.median(times):10.3f}{size / 1024:12.1f}{peak}", flush=True)
    return size


def peak_of(work: Callable[[], int]) -> int:
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def drawn(draw: Callable[[Facts], Iterator[str]], facts: Facts) -> int:
    return sum(len(piece.encode()) for piece in draw(facts))


def export(rows: tuple[MapRow, ...], form: str, folder: Path) -> int:
    path = folder / f"map{form}"
    write_export(iter(rows), path, form, Export("示例大学", None, NOW))
    return path.stat().st_size


def main() -> None:
    endpoints = int(sys.argv[1]) if len(sys.argv) > 1 else ENDPOINTS
    print(f"{'':38}{'seconds':>10}{'kB':>12}{'peak MB':>10}")
    graph_bytes = 0
    with tempfile.TemporaryDirectory() as folder:
        for facts in (make_facts(298), make_facts(3000), make_large_facts(endpoints)):
            size = f"{len(facts.hosts)} hosts, {len(facts.rows)} endpoints"
            print(size)
            rounds = 3 if len(facts.rows) > 50_000 else 5
            measure("  grid", partial(drawn, draw_grid, facts), rounds)
            if len(facts.hosts) < 300:
                graph_bytes = measure("  graph", partial(drawn, draw_graph, facts), rounds)
            else:
                measure("  curve", partial(drawn, draw_curves, facts), rounds)
            measure("  report map", partial(report, facts), rounds)
            for form in FORMATS:
                slow = form == ".xlsx" and rounds == 3
                measure(f"  export {form}", partial(export, facts.rows, form, Path(folder)), 1 if slow else rounds)
    print(f"{SCHOOLS} schools")
    measure("  tree", partial(drawn, draw_units, make_centre(SCHOOLS)), 3)
    assert graph_bytes < GRAPH_LIMIT, f"the graph weighs {graph_bytes} bytes"


def report(facts: UnitFacts) -> int:
    return len(render_html("map", build_map_view(facts), "zh", TEMPLATES).encode())


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
