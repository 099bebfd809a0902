"""Counters of many units in, the view of the centre's overview out (多单位态势总览)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sentinel.model.facts import CentreFacts, UnitSummary
from sentinel.model.rule import Severity
from sentinel.model.unit import Unit, UnitLevel
from sentinel.report.clean import clean
from sentinel.report.values import Bar, Chart, Head, KeyFigure, Segment, Share, Step, Text, build_head
from sentinel.report.words import term, text

TITLE: Final = Text("多单位态势总览", "Overview of units")
TREE_LINES: Final = 120
"""So many lines of the tree are shown at most; levels are folded from below."""

_STEPS: Final = 5
_BARS: Final = 15
_REPORTING: Final = {UnitLevel.SCHOOL, UnitLevel.DEPARTMENT}
_GRAVE: Final = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)


@dataclass(frozen=True, slots=True)
class UnitLine:
    """A unit that reports, with its counters.

    Attributes:
        name: its name.
        code: its code.
        above: name of the unit above.
        reported: something arrived at least once; false: no counter means anything.
        hosts: hosts with an open port.
        critical: live critical findings.
        high: live high findings.
        live: all live findings.
        overdue: live findings past their deadline.
        mining: hosts with proven mining; None: no capture was analysed.
        suspect: hosts with suspected mining only.
        coverage: addresses finished of addresses declared.
        last_run: end of its newest run.
        clauses: clauses answered of clauses in the catalogue.
        nonconform: clauses proven not to be met.
        unlisted: endpoints the whitelist does not allow; None: there is no whitelist.
        unjudged: results no rule was applied to yet; with any, a zero of findings means nothing.
        reason: why it stands where it stands.
        tone: its colour: a severity, `ok`, or `unknown`.
    """

    name: str
    code: str
    above: str
    reported: bool
    hosts: int
    critical: int
    high: int
    live: int
    overdue: int
    mining: int | None
    suspect: int
    coverage: Share
    last_run: datetime | None
    clauses: Share
    nonconform: int
    unlisted: int | None
    unjudged: int
    reason: Text
    tone: str


@dataclass(frozen=True, slots=True)
class TreeLine:
    """A unit of the tree with the sums of its subtree; `mining` is None when nobody below it looked."""

    name: str
    level: Text
    depth: int
    reported: Share
    hosts: int
    critical: int
    high: int
    overdue: int
    mining: int | None
    mining_looked: Share
    coverage: Share
    unjudged: int


@dataclass(frozen=True, slots=True)
class TileGroup:
    """Units under one unit above, as tiles."""

    above: str
    units: tuple[UnitLine, ...]


@dataclass(frozen=True, slots=True)
class OverviewView:
    """Everything the overview shows.

    Attributes:
        head: title, centre, period.
        figures: key figures.
        steps: what to do first.
        tree: the tree with sums, folded to `TREE_LINES`.
        folded: units of the tree that are not shown.
        tiles: units by the unit above.
        findings: live findings by unit below the centre.
        coverage: coverage by unit below the centre.
        ranking: units that reported, by what must be done first; not a score.
        silent: units that never reported.
        catalogue: title of the catalogue behind the clause counters.
        unknowns: what is not known.
    """

    head: Head
    figures: tuple[KeyFigure, ...]
    steps: tuple[Step, ...]
    tree: tuple[TreeLine, ...]
    folded: int
    tiles: tuple[TileGroup, ...]
    findings: Chart
    coverage: Chart
    ranking: tuple[UnitLine, ...]
    silent: tuple[UnitLine, ...]
    catalogue: Text
    unknowns: tuple[Text, ...]


def build_overview(facts: CentreFacts) -> OverviewView:
    """Build the view; a unit that never reported stays visible and enters no sum as zero."""
    names = {unit.code: clean(unit.name, 40) for unit in facts.units}
    lines = [_unit_line(summary, names) for summary in _all_summaries(facts)]
    reported = sorted((line for line in lines if line.reported), key=_urgency)
    silent = sorted((line for line in lines if not line.reported), key=lambda line: (line.above, line.code))
    tree = _tree(facts, lines)
    shown = _folded(tree)
    children = [line for line in tree if line.depth == 1] or tree[:1]
    return OverviewView(
        head=build_head(
            "overview", TITLE, facts.centre, facts.period, facts.generated_at, facts.exercise, facts.pack_hash
        ),
        figures=_figures(lines, reported),
        steps=_steps(reported, silent),
        tree=shown,
        folded=len(tree) - len(shown),
        tiles=_tiles(lines),
        findings=_findings_chart(children),
        coverage=_coverage_chart(children),
        ranking=tuple(reported),
        silent=tuple(silent),
        catalogue=Text(clean(facts.catalogue, 80), clean(facts.catalogue_en or facts.catalogue, 80)),
        unknowns=_unknowns(lines, reported, silent),
    )


def _all_summaries(facts: CentreFacts) -> Iterable[UnitSummary]:
    known = {summary.unit.code for summary in facts.summaries}
    yield from facts.summaries
    for unit in facts.units:
        if unit.code not in known and unit.level in _REPORTING:
            yield UnitSummary(unit, 0, 0, {}, 0, 0, None, 0, 0, 0, None, 0, 0, 0, None)


def _unit_line(summary: UnitSummary, names: dict[str, str]) -> UnitLine:
    reported = summary.last_run is not None
    tone, reason = _standing(summary) if reported else ("unknown", text("reason_silent"))
    return UnitLine(
        name=clean(summary.unit.name, 40),
        code=clean(summary.unit.code, 30),
        above=names.get(summary.unit.parent, ""),
        reported=reported,
        hosts=summary.hosts,
        critical=summary.live.get("critical", 0),
        high=summary.live.get("high", 0),
        live=sum(summary.live.values()),
        overdue=summary.overdue,
        mining=summary.mining_hosts,
        suspect=summary.suspect_hosts,
        coverage=Share(min(summary.covered, summary.planned), summary.planned),
        last_run=summary.last_run,
        clauses=Share(summary.answered, summary.clauses),
        nonconform=summary.nonconform,
        unlisted=summary.unlisted,
        unjudged=summary.unjudged,
        reason=reason,
        tone=tone,
    )


def _standing(summary: UnitSummary) -> tuple[str, Text]:
    worst = next((severity for severity in _GRAVE if summary.live.get(severity.value)), None)
    if summary.mining_hosts:
        return "critical", text("reason_mining", n=summary.mining_hosts)
    if summary.overdue:
        return (worst.value if worst else "low"), text("reason_overdue", n=summary.overdue)
    if worst:
        return worst.value, text("reason_findings", n=summary.live[worst.value], severity=term(worst))
    if summary.suspect_hosts:
        return "medium", text("reason_suspect", n=summary.suspect_hosts)
    if summary.unjudged:
        return "unknown", text("reason_unjudged", n=summary.unjudged)
    if summary.planned == 0 or summary.covered < summary.planned or summary.mining_hosts is None:
        return "unknown", text("reason_incomplete")
    return "ok", text("reason_none")


def _urgency(line: UnitLine) -> tuple[int, int, int, int, int, float, str]:
    share = line.coverage.percent
    return (
        -(line.mining or 0),
        -line.overdue,
        -line.critical,
        -line.high,
        -line.suspect,
        -1 if share is None else share,
        line.code,
    )


def _tree(facts: CentreFacts, lines: Sequence[UnitLine]) -> tuple[TreeLine, ...]:
    by_code = {unit.code: unit for unit in facts.units}
    below: defaultdict[str, list[UnitLine]] = defaultdict(list)
    for line, summary in zip(lines, _all_summaries(facts), strict=True):
        code = summary.unit.code
        seen: set[str] = set()
        while code in by_code and code not in seen:
            seen.add(code)
            below[code].append(line)
            code = by_code[code].parent
    depths: dict[str, int] = {}
    for unit in facts.units:
        depths[unit.code] = depths.get(unit.parent, -1) + 1
    ordered = _depth_first(facts.units, depths)
    return tuple(_tree_line(unit, depths[unit.code], below[unit.code]) for unit in ordered)


def _depth_first(units: Sequence[Unit], depths: dict[str, int]) -> Iterable[Unit]:
    children: defaultdict[str, list[Unit]] = defaultdict(list)
    for unit in units:
        children[unit.parent if depths[unit.code] else ""].append(unit)
    stack = children[""][::-1]
    while stack:
        unit = stack.pop()
        yield unit
        if unit.code:
            stack += children[unit.code][::-1]


def _tree_line(unit: Unit, depth: int, below: Sequence[UnitLine]) -> TreeLine:
    looked = [line for line in below if line.mining is not None]
    return TreeLine(
        name=clean(unit.name, 40),
        level=term(unit.level),
        depth=depth,
        reported=Share(sum(line.reported for line in below), len(below)),
        hosts=sum(line.hosts for line in below),
        critical=sum(line.critical for line in below),
        high=sum(line.high for line in below),
        overdue=sum(line.overdue for line in below),
        mining=sum(line.mining or 0 for line in looked) if looked else None,
        mining_looked=Share(len(looked), len(below)),
        coverage=Share(sum(line.coverage.part for line in below), sum(line.coverage.whole for line in below)),
        unjudged=sum(line.unjudged for line in below),
    )


def _folded(tree: Sequence[TreeLine]) -> tuple[TreeLine, ...]:
    deepest = max((line.depth for line in tree), default=0)
    while deepest > 0 and sum(line.depth <= deepest for line in tree) > TREE_LINES:
        deepest -= 1
    return tuple(line for line in tree if line.depth <= deepest)[:TREE_LINES]


def _tiles(lines: Sequence[UnitLine]) -> tuple[TileGroup, ...]:
    groups: defaultdict[str, list[UnitLine]] = defaultdict(list)
    for line in lines:
        groups[line.above].append(line)
    return tuple(TileGroup(above, tuple(units)) for above, units in groups.items())


def _findings_chart(children: Sequence[TreeLine]) -> Chart:
    bars = tuple(
        Bar(
            Text(line.name, line.name),
            (Segment("critical", line.critical), Segment("high", line.high)),
            text("count", n=line.critical + line.high) if _is_counted(line) else text("not_checked"),
            unknown=not _is_counted(line),
        )
        for line in sorted(children, key=lambda line: (-line.critical, -line.high, -line.reported.part))[:_BARS]
    )
    legend = tuple((severity.value, term(severity)) for severity in _GRAVE[:2])
    total = sum(line.critical + line.high for line in children)
    return Chart(bars, text("axis_findings"), text("alt_units", n=total, units=len(children)), legend)


def _is_counted(line: TreeLine) -> bool:
    return bool(line.critical + line.high) or (bool(line.reported.part) and not line.unjudged)


def _coverage_chart(children: Sequence[TreeLine]) -> Chart:
    bars = tuple(
        Bar(
            Text(line.name, line.name),
            (Segment("accent", line.coverage.part), Segment("unknown", line.coverage.missing)),
            text("part_of", part=line.coverage.part, whole=line.coverage.whole)
            if line.coverage.whole
            else text("no_range"),
            unknown=not line.coverage.whole,
        )
        for line in sorted(children, key=lambda line: line.coverage.percent or 0)[:_BARS]
    )
    legend = (("accent", text("covered")), ("unknown", text("not_checked")))
    part, whole = sum(line.coverage.part for line in children), sum(line.coverage.whole for line in children)
    return Chart(bars, text("axis_share"), text("alt_coverage", part=part, whole=whole), legend, shares=True)


def _figures(lines: Sequence[UnitLine], reported: Sequence[UnitLine]) -> tuple[KeyFigure, ...]:
    known = bool(reported)
    looked = [line for line in reported if line.mining is not None]
    urgent = sum(line.critical + line.high for line in reported)
    overdue = sum(line.overdue for line in reported)
    mining = sum(line.mining or 0 for line in looked)
    unjudged = sum(line.unjudged for line in reported)
    counted = known and not unjudged
    told = text("note_live", n=sum(line.live for line in reported))
    covered = Share(sum(line.coverage.part for line in lines), sum(line.coverage.whole for line in lines))
    return (
        KeyFigure(
            text("key_reported"),
            len(reported) if lines else None,
            text("note_reported", whole=len(lines), silent=len(lines) - len(reported)),
            "" if len(lines) == len(reported) else "unknown",
        ),
        KeyFigure(
            text("key_hosts"), sum(line.hosts for line in reported) if known else None, text("note_units_reported")
        ),
        KeyFigure(
            text("key_urgent"),
            urgent if urgent or counted else None,
            told,
            "critical" if urgent else "",
        ),
        KeyFigure(
            text("key_overdue"),
            overdue if overdue or counted else None,
            text("note_overdue"),
            "critical" if overdue else "",
        ),
        KeyFigure(
            text("key_mining"),
            mining if looked else None,
            text("note_looked", part=len(looked), whole=len(lines)),
            "critical" if mining else "",
        ),
        KeyFigure(
            text("key_coverage"),
            covered if covered.whole else None,
            text("part_of_addresses", part=covered.part, whole=covered.whole),
        ),
    )


def _steps(reported: Sequence[UnitLine], silent: Sequence[UnitLine]) -> tuple[Step, ...]:
    wanted = (
        ("mining", "critical", [line for line in reported if line.mining]),
        ("overdue", "high", [line for line in reported if line.overdue]),
        ("critical", "critical", [line for line in reported if line.critical]),
        ("silent", "unknown", list(silent)),
        ("unlooked", "unknown", [line for line in reported if line.mining is None]),
    )
    steps = []
    for name, tone, units in wanted:
        if units:
            mark = text("not_checked") if tone == "unknown" else term(Severity(tone))
            examples = tuple(line.name for line in units[:3])
            action, cause = text(f"centre_{name}"), text(f"centre_{name}_cause", n=len(units))
            steps.append(Step(tone, mark, action, cause, len(units), examples))
    return tuple(steps[:_STEPS])


def _unknowns(lines: Sequence[UnitLine], reported: Sequence[UnitLine], silent: Sequence[UnitLine]) -> tuple[Text, ...]:
    unlooked = sum(line.mining is None for line in reported)
    partly = sum(line.coverage.missing > 0 for line in reported)
    undeclared = sum(not line.coverage.whole for line in reported)
    open_lists = sum(line.unlisted is None for line in reported)
    found = (
        (not lines, text("unknown_no_units")),
        (bool(silent), text("unknown_silent_units", n=len(silent))),
        (unlooked > 0, text("unknown_unlooked", n=unlooked)),
        (partly > 0, text("unknown_partly", n=partly)),
        (undeclared > 0, text("unknown_undeclared_units", n=undeclared)),
        (open_lists > 0, text("unknown_lists", n=open_lists)),
        (True, text("unknown_no_score")),
    )
    return tuple(sentence for holds, sentence in found if holds)
