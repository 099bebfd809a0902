"""The first page: how the unit stands, what to do first, what changed, the map, newest runs, and what to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from markupsafe import Markup

from sentinel.config import data_folder
from sentinel.console.builds import Builds, Built
from sentinel.console.page import Links, Page
from sentinel.console.reading import Desk, Reading
from sentinel.model.facts import UnitFacts
from sentinel.model.plan import Plan
from sentinel.model.rule import Severity
from sentinel.model.unit import Unit
from sentinel.report import view_school
from sentinel.report.clean import clean
from sentinel.report.render import LANGUAGES, render_page
from sentinel.report.values import Text
from sentinel.report.view_scope import silence_words
from sentinel.schedule.facts import read_period, read_unit_facts
from sentinel.schedule.silence import read_silence
from sentinel.store.finding_pages import count_by_severity
from sentinel.store.runs import read_newest_runs
from sentinel.store.units import read_plans

_RUNS: Final = 8
_WAIT_S: Final = 0.25
_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Digest:
    """What of the overview needs the whole map, printed in each language."""

    pages: dict[str, Markup]


def build_overview(reading: Reading, desk: Desk, builds: Builds) -> Page:
    """Build the page: what a few questions answer at once, and the digest as last made."""
    database, unit = reading.database, reading.unit
    built = ask_digest(builds, desk, unit, reading.stamp, reading.now, _WAIT_S)
    runs = read_newest_runs(database, unit.code, _RUNS)
    plan = next((one for one in read_plans(database) if one.unit == unit.code), None)
    digest = built.value if isinstance(built.value, Digest) else None
    return Page(
        "overview",
        "overview",
        {
            "built": built,
            "digest": digest.pages[reading.lang] if digest else "",
            "counts": count_by_severity(database, unit.code),
            "severities": tuple(Severity),
            "runs": runs,
            "judged": bool(runs) and not reading.unjudged,
            "warnings": _warnings(reading, runs[0].time if runs else None, plan),
            "plan": plan,
        },
        refresh_s=3 if digest is None and built.building else 0,
    )


def ask_digest(builds: Builds, desk: Desk, unit: Unit, stamp: int, now: datetime, wait_s: float = 0.0) -> Built:
    """Ask for the digest of a unit; it holds for an hour, or until something changes."""
    key = ("digest", unit.code)
    return builds.ask(key, (stamp, int(now.timestamp()) // _HOUR_S), digest_maker(desk, unit), wait_s)


def digest_maker(desk: Desk, unit: Unit) -> Callable[[], tuple[object, datetime]]:
    """Give what makes the digest: the school report's view, of which the overview prints the first chapters."""

    def make() -> tuple[object, datetime]:
        with desk.open(None) as context:
            facts = read_unit_facts(context, unit, read_period(None, context.clock()))
        view = view_school.build_school(facts)
        pages = print_pages("console/digest.html.j2", lambda lang: _values(desk, view, facts, lang))
        return Digest(pages), facts.generated_at

    return make


def print_pages(template: str, values: Callable[[str], dict[str, object]]) -> dict[str, Markup]:
    """Print a part of a page in each language; it goes into a page as it is."""
    folder = data_folder("reports")
    return {lang: Markup(render_page(template, lang, folder, values(lang))) for lang in LANGUAGES}  # noqa: S704  our template


def _values(desk: Desk, view: view_school.SchoolView, facts: UnitFacts, lang: str) -> dict[str, object]:
    """Give the view with what the map needs to lead to the pages of its hosts."""
    return {
        "view": view,
        "link": Links(facts.unit.code, lang if lang != desk.settings.language else ""),
        "network_ids": {clean(network.name, 40): network.id for network in facts.networks},
    }


def _warnings(reading: Reading, newest: datetime | None, plan: Plan | None) -> tuple[Text, ...]:
    found = []
    if newest is None:
        found.append(
            Text(
                "还没有扫描，也没有导入过结果：下面没有数字，不表示没有资产或没有问题。",
                "Nothing was scanned or imported yet: no number below means that there is no asset or no problem.",
            )
        )
    found.extend(silence_words(read_silence(reading.context, reading.unit, reading.now)))
    if unjudged := reading.unjudged:
        found.append(
            Text(
                f"{unjudged} 次扫描或导入的结果没有评判过，其中有无隐患未知。评判：sentinel check",
                f"No rule was applied yet to the results of {unjudged} scans or imports. Judge them: sentinel check",
            )
        )
    if plan is not None and not plan.enabled:
        found.append(Text("巡检已停用。", "The planned scans are switched off."))
    if not reading.register.size:
        found.append(
            Text(
                "没有导入资产台账，是否登记一律为未核查。",
                "No register was imported: whether a host is registered is not checked.",
            )
        )
    return tuple(found)
