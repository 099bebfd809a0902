"""Counters of many units in, their tree out: sums of each subtree, thousands of schools folded into rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Final

from sentinel.model.facts import CentreFacts, UnitSummary
from sentinel.model.unit import Unit, UnitLevel
from sentinel.report.clean import clean
from sentinel.report.values import Share, Text
from sentinel.report.words import term, text

ROWS_DRAWN: Final = 132
"""So many rows are drawn at most: three printed pages."""

_CHILDREN: Final = 5
_CHILDREN_OF_TOP: Final = 24
"""Of a unit with more below it the worst are drawn, and the rest is one row with their sums."""

_REPORTING: Final = {UnitLevel.SCHOOL, UnitLevel.DEPARTMENT}


@dataclass(frozen=True, slots=True)
class Counts:
    """The sums of a subtree; units that never reported enter none of them but the whole of `reported`.

    Attributes:
        reported: units that reported of those that should.
        hosts: hosts with an open port.
        ports: open endpoints.
        critical: live critical findings.
        high: live high findings.
        medium: live medium findings.
        low: live low findings.
        mining: hosts with proven mining.
        looked: units in whose traffic mining was looked for; with none, no count of it means anything.
        coverage: addresses finished of addresses declared.
        unjudged: results no rule was applied to yet.
    """

    reported: Share = field(default_factory=lambda: Share(0, 0))
    hosts: int = 0
    ports: int = 0
    critical: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0
    mining: int = 0
    looked: int = 0
    coverage: Share = field(default_factory=lambda: Share(0, 0))
    unjudged: int = 0

    @property
    def findings(self) -> int:
        """Live findings of the four levels."""
        return self.critical + self.high + self.medium + self.low

    @property
    def is_known(self) -> bool:
        """Something arrived from at least one unit."""
        return self.reported.part > 0

    def plus(self, other: Counts) -> Counts:
        """Add the sums of another subtree."""
        return Counts(
            _add(self.reported, other.reported),
            self.hosts + other.hosts,
            self.ports + other.ports,
            self.critical + other.critical,
            self.high + other.high,
            self.medium + other.medium,
            self.low + other.low,
            self.mining + other.mining,
            self.looked + other.looked,
            _add(self.coverage, other.coverage),
            self.unjudged + other.unjudged,
        )


@dataclass(frozen=True, slots=True)
class TreeRow:
    """A row of the tree.

    Attributes:
        name: name of the unit; empty for a row of the rest.
        code: its code.
        level: its level.
        depth: 0 at the top.
        trail: for each depth above, whether a row of that depth still follows; the last is of the row itself.
        units: units below it; for a row of the rest, units in it.
        folded: it stands for units that are not drawn.
        counts: sums of its subtree.
    """

    name: str
    code: str
    level: Text
    depth: int
    trail: tuple[bool, ...]
    units: int
    folded: bool
    counts: Counts


@dataclass(frozen=True, slots=True)
class UnitTree:
    """The tree.

    Attributes:
        rows: what is drawn, from top to bottom.
        units: all units of it.
        folded: units without a row of their own; the sums above them hold their numbers.
        total: sums of everything.
        alt: what the picture says.
    """

    rows: tuple[TreeRow, ...]
    units: int
    folded: int
    total: Counts
    alt: Text


@dataclass(slots=True)
class _Node:
    """A unit while the tree is built."""

    unit: Unit
    place: int
    counts: Counts
    below: list[_Node] = field(default_factory=list)
    units: int = 1
    shown: int = 0

    @property
    def urgency(self) -> tuple[int, ...]:
        sums = self.counts
        silent = sums.reported.missing
        return (-sums.mining, -sums.critical, -sums.high, -sums.medium, -silent, -sums.low, self.place)


def build_tree(facts: CentreFacts) -> UnitTree:
    """Build the tree: the worst branches are unfolded first, down to their schools, until the page is full."""
    roots = _link(facts)
    _unfold(roots)
    rows = tuple(_rows(roots))
    total, units = Counts(), sum(root.units for root in roots)
    for root in roots:
        total = total.plus(root.counts)
    return UnitTree(
        rows=rows,
        units=units,
        folded=units - sum(not row.folded for row in rows),
        total=total,
        alt=text(
            "alt_tree",
            units=units,
            part=total.reported.part,
            whole=total.reported.whole,
            hosts=total.hosts,
            ports=total.ports,
            findings=total.findings,
        ),
    )


def count_of(summary: UnitSummary) -> Counts:
    """Give the counters of one unit; nothing but its addresses counts when it never reported."""
    coverage = Share(min(summary.covered, summary.planned), summary.planned)
    if summary.last_run is None:
        return Counts(reported=Share(0, 1), coverage=coverage)
    live = summary.live
    return Counts(
        reported=Share(1, 1),
        hosts=summary.hosts,
        ports=summary.endpoints,
        critical=live.get("critical", 0),
        high=live.get("high", 0),
        medium=live.get("medium", 0),
        low=live.get("low", 0),
        mining=summary.mining_hosts or 0,
        looked=int(summary.mining_hosts is not None),
        coverage=coverage,
        unjudged=summary.unjudged,
    )


def _add(one: Share, other: Share) -> Share:
    return Share(one.part + other.part, one.whole + other.whole)


def _link(facts: CentreFacts) -> list[_Node]:
    """Hang units below their parents; one whose parent does not stand before it is a root."""
    summaries: Mapping[str, UnitSummary] = {one.unit.code: one for one in facts.summaries}
    nodes: dict[str, _Node] = {}
    roots: list[_Node] = []
    for place, unit in enumerate(facts.units):
        node = nodes[unit.code] = _Node(unit, place, _own(unit, summaries.get(unit.code)))
        parent = nodes.get(unit.parent)
        (parent.below if parent and parent is not node else roots).append(node)
    for node in reversed(nodes.values()):
        for child in node.below:
            node.counts = node.counts.plus(child.counts)
            node.units += child.units
        node.below.sort(key=lambda child: child.urgency)
    return roots


def _own(unit: Unit, summary: UnitSummary | None) -> Counts:
    if summary is not None:
        return count_of(summary)
    return Counts(reported=Share(0, 1)) if unit.level in _REPORTING else Counts()


def _unfold(roots: Sequence[_Node]) -> None:
    """Decide how many of each unit's children are drawn: of each branch its worst path first, then the other units."""
    budget = _Budget(ROWS_DRAWN - len(roots), everything=sum(root.units for root in roots) <= ROWS_DRAWN)
    later: list[tuple[int, tuple[int, ...], _Node]] = []
    for root in roots:
        for branch in budget.open(root, _CHILDREN_OF_TOP):
            path = branch
            for depth in count(1):
                drawn = budget.open(path, _CHILDREN)
                for child in drawn[1:]:
                    heappush(later, (depth, child.urgency, child))
                if not drawn:
                    break
                path = drawn[0]
    while later:
        depth, _, node = heappop(later)
        for child in budget.open(node, _CHILDREN):
            heappush(later, (depth + 1, child.urgency, child))


class _Budget:
    """The rows that are left to be drawn."""

    def __init__(self, left: int, *, everything: bool) -> None:
        self._left = left
        self._everything = everything

    def open(self, node: _Node, most: int) -> list[_Node]:
        """Have the worst children of a unit drawn, if there is room for them; gives these."""
        number = len(node.below) if self._everything or len(node.below) <= most + 1 else most
        cost = number + (number < len(node.below))
        if cost > self._left:
            return []
        self._left -= cost
        node.shown = number
        return node.below[:number]


def _rows(roots: Sequence[_Node]) -> Iterable[TreeRow]:
    """Give the rows of nodes that are drawn, below each its own, and one for those that are not."""
    stack: list[tuple[_Node | Sequence[_Node], tuple[bool, ...], int]] = [(node, (), 0) for node in reversed(roots)]
    while stack:
        this, above, level = stack.pop()
        if not isinstance(this, _Node):
            yield _rest_row(this, (*above, False), level)
            continue
        yield _row(this, above, level)
        if not this.shown:
            continue
        drawn, left = this.below[: this.shown], this.below[this.shown :]
        if left:
            stack.append((left, above, level + 1))
        stack += [
            (child, (*above, bool(left) or index + 1 < len(drawn)), level + 1)
            for index, child in reversed(list(enumerate(drawn)))
        ]


def _row(node: _Node, trail: tuple[bool, ...], depth: int) -> TreeRow:
    unit = node.unit
    return TreeRow(
        clean(unit.name, 40), clean(unit.code, 30), term(unit.level), depth, trail, node.units - 1, False, node.counts
    )


def _rest_row(nodes: Sequence[_Node], trail: tuple[bool, ...], depth: int) -> TreeRow:
    counts = Counts()
    for node in nodes:
        counts = counts.plus(node.counts)
    units = sum(node.units for node in nodes)
    return TreeRow("", "", text("tree_rest", n=units), depth, trail, units, True, counts)
