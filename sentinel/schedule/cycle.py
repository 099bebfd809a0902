"""One cycle of one unit: the stages in the order of the data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sentinel.errors import RuleError
from sentinel.log import info
from sentinel.model.unit import Unit
from sentinel.schedule.collecting import Collected, collect
from sentinel.schedule.context import Context
from sentinel.schedule.identifying import identify_unit
from sentinel.schedule.judging import Judgement, judge_unit
from sentinel.schedule.reporting import write_report

REPORTS = ("school", "compliance", "mining")


@dataclass(slots=True)
class CycleResult:
    """What a cycle did.

    Attributes:
        collected: what was collected, with what went wrong.
        judgement: what judging changed; None when the rules have mistakes.
        reports: files written.
    """

    collected: Collected = field(default_factory=Collected)
    judgement: Judgement | None = None
    reports: list[Path] = field(default_factory=list)

    @property
    def word(self) -> str:
        """`ok`, or the problems on one line."""
        return "; ".join(self.collected.problems) or "ok"


def run_cycle(context: Context, unit: Unit, ports: str = "") -> CycleResult:
    """Collect what is authorised, know assets again, judge, report; a stage that fails leaves its reason."""
    result = CycleResult(collect(context, unit, ports or context.settings.ports))
    identify_unit(context, unit)
    try:
        result.judgement = judge_unit(context, unit)
    except RuleError as error:
        result.collected.problems.append(str(error))
    else:
        result.reports += [write_report(context, name, unit) for name in REPORTS]
    info("cycle done", unit=unit.code, result=result.word)
    return result
