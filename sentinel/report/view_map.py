"""Facts of a unit, or of everything below it, in; the view of the map and its pictures out (网络空间资产地图)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sentinel.model.facts import CentreFacts, UnitFacts
from sentinel.model.moment import local_date, local_text
from sentinel.model.rule import Severity
from sentinel.report.asset_map import HOSTS_DRAWN, AssetMap, build_map
from sentinel.report.clean import clean
from sentinel.report.findings import first_steps, group_findings, live_findings
from sentinel.report.graph import HostGraph, build_graph, domain_names
from sentinel.report.hosts import BlockLine
from sentinel.report.services import CertificateLine, build_certificates
from sentinel.report.unit_tree import UnitTree, build_tree
from sentinel.report.use_grid import Cell, UseGrid, build_grid
from sentinel.report.uses import Use
from sentinel.report.values import NOTHING, Head, KeyFigure, Step, Text, build_head
from sentinel.report.view_scope import (
    Ending,
    build_ending,
    count_or_unknown,
    covered_share,
    covered_words,
    gap_step,
    has_looked,
)
from sentinel.report.words import text

TITLE: Final = Text("网络空间资产地图", "Map of network assets")
_STEPS: Final = 5


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of one unit.

    Attributes:
        grid: segments by use.
        graph: names, hosts, ports, certificates; None: there are too many hosts, or none.
        map: hosts of a small unit one by one, the address space of a large one.
        six: blocks of IPv6, which no curve shows.
        certificates: certificates, faulty ones first.
        hosts: hosts with an open port.
        most: so many hosts a graph shows at most.
    """

    grid: UseGrid
    graph: HostGraph | None
    map: AssetMap
    six: tuple[BlockLine, ...]
    certificates: tuple[CertificateLine, ...]
    hosts: int
    most: int = HOSTS_DRAWN


@dataclass(frozen=True, slots=True)
class MapView:
    """Everything the map report shows.

    Attributes:
        head: title, unit, period.
        figures: key figures.
        steps: what to do first, at most five.
        looked: anything ever told of the unit; false: no zero means anything.
        tree: the units below; None: there is none.
        pictures: the unit's own pictures; None: it has nothing of its own.
        ending: scope, coverage, limits, evidence of the unit's own pictures.
        as_of: of which day the numbers of the tree are, and whether they were frozen; nothing where there is no tree.
    """

    head: Head
    figures: tuple[KeyFigure, ...]
    steps: tuple[Step, ...]
    looked: bool
    tree: UnitTree | None
    pictures: Pictures | None
    ending: Ending | None
    as_of: Text = NOTHING


def build_map_view(facts: UnitFacts | CentreFacts) -> MapView:
    """Build the view: the pictures of one unit, or the tree of a unit with others below it, and its own if any."""
    if isinstance(facts, UnitFacts):
        return _of_unit(facts)
    own = _of_unit(facts.own) if facts.own else None
    tree = build_tree(facts)
    head = build_head("map", TITLE, facts.centre, facts.period, facts.generated_at, facts.exercise, facts.pack_hash)
    return MapView(
        head=head,
        figures=_tree_figures(tree),
        steps=own.steps if own else (),
        looked=tree.total.is_known or (own.looked if own else False),
        tree=tree,
        pictures=own.pictures if own else None,
        ending=own.ending if own else None,
        as_of=_as_of(facts),
    )


def _as_of(facts: CentreFacts) -> Text:
    frozen = facts.frozen
    if frozen is None:
        return text("tree_live", moment=local_text(min(facts.period.end, facts.generated_at)))
    first, last = local_date(frozen.start), local_date(frozen.end)
    told = text("tree_frozen", label=clean(frozen.label, 30), first=first, last=last, version=frozen.version)
    when = text("tree_frozen_at", moment=local_text(frozen.frozen_at))
    return Text(told.zh + when.zh, told.en + when.en)


def build_pictures(facts: UnitFacts) -> Pictures:
    """Build the pictures of one unit; the single hosts of a large one are left to `map --export`."""
    assets = build_map(facts)
    lines = sum(len(panel.hosts) for panel in assets.panels)
    small = 0 < lines <= HOSTS_DRAWN
    return Pictures(
        grid=build_grid(facts, assets.panels),
        graph=build_graph(facts, assets.panels) if small and assets.hosts else None,
        map=assets if small else replace(assets, panels=()),
        six=() if small else tuple(block for block in assets.blocks if block.block.version == 6),
        certificates=build_certificates(facts.rows, facts.generated_at),
        hosts=assets.hosts,
    )


def _of_unit(facts: UnitFacts) -> MapView:
    pictures = build_pictures(facts)
    groups = group_findings(live_findings(facts.findings), facts.generated_at, facts.owners)
    gap = gap_step(facts)
    steps = first_steps(groups, _STEPS - (gap is not None))
    return MapView(
        head=build_head("map", TITLE, facts.unit, facts.period, facts.generated_at, facts.exercise, facts.pack_hash),
        figures=_figures(facts, pictures),
        steps=(*steps, gap) if gap else steps,
        looked=has_looked(facts),
        tree=None,
        pictures=pictures,
        ending=build_ending(facts),
    )


def _figures(facts: UnitFacts, pictures: Pictures) -> tuple[KeyFigure, ...]:
    covered = covered_share(facts)
    coverage = KeyFigure(
        text("key_coverage"),
        covered if covered.whole else None,
        covered_words(facts) if covered.whole else text("no_range"),
        "unknown" if covered.missing else "",
    )
    live = live_findings(facts.findings)
    grave = sum(one.severity in {Severity.CRITICAL, Severity.HIGH} for one in live)
    urgent = KeyFigure(
        text("key_urgent"),
        count_or_unknown(facts, grave) if has_looked(facts) else None,
        text("note_live", n=len(live)),
        "critical" if grave else "",
    )
    if not has_looked(facts):
        keys = ("key_segments", "key_hosts", "key_endpoints", "key_domains")
        return (*(KeyFigure(text(key), None, text("gap_never")) for key in keys), urgent, coverage)
    grid = pictures.grid
    unknown = sum(_count(segment.cells, grid.uses, Use.UNKNOWN) for segment in grid.segments)
    ports = sum(one.ports for one in grid.segments)
    named = [(row.network, row.endpoint.key.address, domain_names(row.names)) for row in facts.rows if row.names]
    names = {name for _, _, found in named for name in found}
    hosts = len({(network, address) for network, address, found in named if found})
    return (
        KeyFigure(text("key_segments"), sum(one.hosts > 0 for one in grid.segments), text("note_segments")),
        KeyFigure(text("key_hosts"), pictures.hosts, _quiet(pictures.map)),
        KeyFigure(text("key_endpoints"), ports, text("note_uses", n=len(grid.uses), unknown=unknown)),
        KeyFigure(text("key_domains"), len(names), text("note_domains", n=hosts)),
        urgent,
        coverage,
    )


def _quiet(assets: AssetMap) -> Text:
    return text("note_quiet", n=assets.quiet) if assets.quiet else Text("", "")


def _count(cells: Sequence[Cell], uses: Sequence[Use], wanted: Use) -> int:
    return sum(cell.count for cell, use in zip(cells, uses, strict=True) if use is wanted)


def _tree_figures(tree: UnitTree) -> tuple[KeyFigure, ...]:
    total = tree.total
    known = total.is_known
    reported = text("note_reported", whole=total.reported.whole, silent=total.reported.missing)
    grave = total.critical + total.high
    looked = known and not total.unjudged
    part = text("part_of_addresses", part=total.coverage.part, whole=total.coverage.whole)
    return (
        KeyFigure(text("key_units"), tree.units, text("note_units_tree")),
        KeyFigure(
            text("key_reported"),
            total.reported.part if total.reported.whole else None,
            reported,
            "unknown" if total.reported.missing else "",
        ),
        KeyFigure(text("key_hosts"), total.hosts if known else None, text("note_units_reported")),
        KeyFigure(text("key_endpoints"), total.ports if known else None, text("note_units_reported")),
        KeyFigure(
            text("key_urgent"),
            grave if grave or looked else None,
            text("note_live", n=total.findings),
            "critical" if grave else "",
        ),
        KeyFigure(
            text("key_coverage"),
            total.coverage if total.coverage.whole else None,
            part if total.coverage.whole else text("no_range"),
            "unknown" if total.coverage.missing else "",
        ),
    )
