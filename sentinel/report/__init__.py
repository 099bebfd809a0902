"""Facts in, reports out: `build` makes a view of values, `render` prints the view as HTML or JSON.

To add a report: a module with a `build`, a template under `reports/`, a row in the table here, a golden file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from sentinel.errors import RenderError, UsageError
from sentinel.model.facts import CentreFacts, UnitFacts
from sentinel.report import view_brief, view_compliance, view_map, view_mining, view_overview, view_school
from sentinel.report.values import Text
from sentinel.report.view_brief import BriefView
from sentinel.report.view_compliance import ComplianceView
from sentinel.report.view_map import MapView
from sentinel.report.view_mining import MiningView
from sentinel.report.view_overview import OverviewView
from sentinel.report.view_school import SchoolView

View = BriefView | SchoolView | ComplianceView | MiningView | MapView | OverviewView
Facts = TypeVar("Facts", UnitFacts, CentreFacts, UnitFacts | CentreFacts)


@dataclass(frozen=True, slots=True)
class Report(Generic[Facts]):
    """A row of the table of reports.

    Attributes:
        name: as on the command line.
        title_zh: as printed.
        title_en: as printed.
        scope: `unit` (facts of one unit), `centre` (counters of many), or `both` (what there is of the two).
        build: makes the view.
        template: file under `reports/`.
    """

    name: str
    title_zh: str
    title_en: str
    scope: str
    build: Callable[[Facts], View]
    template: str


def _row(name: str, title: Text, scope: str, build: Callable[[Facts], View]) -> Report[Facts]:
    return Report(name, title.zh, title.en, scope, build, f"{name}.html.j2")


UNIT_REPORTS: Final[Mapping[str, Report[UnitFacts]]] = {
    "brief": _row("brief", view_brief.TITLE, "unit", view_brief.build_brief),
    "school": _row("school", view_school.TITLE, "unit", view_school.build_school),
    "compliance": _row("compliance", view_compliance.TITLE, "unit", view_compliance.build_compliance),
    "mining": _row("mining", view_mining.TITLE, "unit", view_mining.build_mining),
}
CENTRE_REPORTS: Final[Mapping[str, Report[CentreFacts]]] = {
    "overview": _row("overview", view_overview.TITLE, "centre", view_overview.build_overview),
}
BOTH_REPORTS: Final[Mapping[str, Report[UnitFacts | CentreFacts]]] = {
    "map": _row("map", view_map.TITLE, "both", view_map.build_map_view),
}
AnyReport = Report[UnitFacts] | Report[CentreFacts] | Report[UnitFacts | CentreFacts]
REPORTS: Final[Mapping[str, AnyReport]] = {**UNIT_REPORTS, **BOTH_REPORTS, **CENTRE_REPORTS}


def find_report(name: str) -> AnyReport:
    """Find a report by name.

    Raises:
        UsageError: there is no such report.
    """
    if name not in REPORTS:
        raise UsageError(f"no report {name!r} (there are: {', '.join(REPORTS)})")
    return REPORTS[name]


def build_view(name: str, facts: UnitFacts | CentreFacts) -> View:
    """Build the view of a report from the facts of its scope.

    Raises:
        UsageError: there is no such report.
        RenderError: the facts are of the other scope.
    """
    scope = find_report(name).scope
    if name in BOTH_REPORTS:
        return BOTH_REPORTS[name].build(facts)
    if isinstance(facts, UnitFacts) and name in UNIT_REPORTS:
        return UNIT_REPORTS[name].build(facts)
    if isinstance(facts, CentreFacts) and name in CENTRE_REPORTS:
        return CENTRE_REPORTS[name].build(facts)
    raise RenderError(f"report {name} needs the facts of a {scope}, not {type(facts).__name__}")
