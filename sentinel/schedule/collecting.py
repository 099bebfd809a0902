"""A unit in; what its authorisations allow is scanned and then looked at more closely, and the sums come out."""

from __future__ import annotations

from dataclasses import dataclass, field

from sentinel.errors import CollectError, ParseError, ScopeError
from sentinel.model.ports import parse_ports
from sentinel.model.probe import ProbeKind
from sentinel.model.unit import Unit
from sentinel.schedule.context import Context
from sentinel.schedule.domain_looks import find_domains
from sentinel.schedule.probing import LookTotal, find_targets, plan_looks, run_looks
from sentinel.schedule.scanning import ScanTotal, plan_scan, read_scannable, run_scan


@dataclass(slots=True)
class Collected:
    """What was collected of a unit.

    Attributes:
        scan: the sums of its scan.
        looks: the sums of the closer looks at what is open.
        problems: what did not go well, one line each.
    """

    scan: ScanTotal = field(default_factory=ScanTotal)
    looks: LookTotal = field(default_factory=LookTotal)
    problems: list[str] = field(default_factory=list)


def collect(context: Context, unit: Unit, ports: str) -> Collected:
    """Scan what is authorised, then look closer at what is open as far as the authorisations reach."""
    done = Collected()
    targets = read_scannable(context, unit)
    if not targets:
        done.problems.append("no authorisation to scan holds now; nothing was sent")
        return done
    asked = parse_ports(ports)
    try:
        planned = plan_scan(context, unit, targets, asked)
        done.problems += [f"{one.target}: {one.detail}" for one in planned.refusals]
        for _ in run_scan(context, unit, planned, asked, done.scan, vantage=context.settings.vantage):
            pass
    except (ScopeError, CollectError) as error:
        done.problems.append(str(error))
    done.problems += done.scan.failed
    _look_closer(context, unit, done)
    return done


def _look_closer(context: Context, unit: Unit, done: Collected) -> None:
    """Make the looks the gate lets through; that an authorisation reaches less far than a look is no problem."""
    targets = find_targets(context, unit, tuple(ProbeKind))
    planned = plan_looks(context, unit, targets, find_domains(context, unit))
    if not planned.count:
        return
    try:
        run_looks(context, unit, planned, done.looks, vantage=context.settings.vantage)
    except (ScopeError, ParseError) as error:
        done.problems.append(str(error))
