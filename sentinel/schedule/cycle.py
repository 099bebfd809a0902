"""One cycle of one unit: the stages in the order of the data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sentinel.errors import CollectError, RuleError, ScopeError
from sentinel.log import info
from sentinel.model.ports import parse_ports
from sentinel.model.unit import Unit
from sentinel.schedule.context import Context
from sentinel.schedule.identifying import identify_unit
from sentinel.schedule.judging import Judgement, judge_unit
from sentinel.schedule.reporting import write_report
from sentinel.schedule.scanning import ScanTotal, plan_scan, read_scannable, run_scan

REPORTS = ("school", "compliance", "mining")


@dataclass(slots=True)
class CycleResult:
    """What a cycle did.

    Attributes:
        scan: the sums of its scan.
        judgement: what judging changed; None when the rules have mistakes.
        reports: files written.
        problems: what did not go well, one line each.
    """

    scan: ScanTotal = field(default_factory=ScanTotal)
    judgement: Judgement | None = None
    reports: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def word(self) -> str:
        """`ok`, or the problems on one line."""
        return "; ".join(self.problems) or "ok"


def run_cycle(context: Context, unit: Unit, ports: str = "") -> CycleResult:
    """Scan what is authorised, know assets again, judge, report; a stage that fails leaves its reason, others run."""
    result = CycleResult()
    _collect(context, unit, ports or context.settings.ports, result)
    identify_unit(context, unit)
    try:
        result.judgement = judge_unit(context, unit)
    except RuleError as error:
        result.problems.append(str(error))
    else:
        result.reports += [write_report(context, name, unit) for name in REPORTS]
    info("cycle done", unit=unit.code, result=result.word)
    return result


def _collect(context: Context, unit: Unit, ports: str, result: CycleResult) -> None:
    targets = read_scannable(context, unit)
    if not targets:
        result.problems.append("no authorisation to scan holds now; nothing was sent")
        return
    asked = parse_ports(ports)
    try:
        planned = plan_scan(context, unit, targets, asked)
        result.problems += [f"{one.target}: {one.detail}" for one in planned.refusals]
        for _ in run_scan(context, unit, planned, asked, result.scan, vantage=context.settings.vantage):
            pass
    except (ScopeError, CollectError) as error:
        result.problems.append(str(error))
    result.problems += result.scan.failed
