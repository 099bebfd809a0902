"""The facts of units in; their counters, and the sums over everything below each of them, out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sentinel.inventory.rollup import roll_up
from sentinel.model.control import ClauseVerdict, Verdict
from sentinel.model.facts import UnitFacts
from sentinel.model.finding import FindingSource, FindingState
from sentinel.model.flow import FlowClass
from sentinel.model.rule import Severity
from sentinel.model.snapshot import UNITS, Count, FindingAt, UnitCounts
from sentinel.model.standing import Standing
from sentinel.model.unit import Unit

Counts = Mapping[str, int]
States = Sequence[FindingAt]
Turns = Mapping[tuple[str, str], int]

_OUTSIDE = frozenset({FindingSource.UPPER_SCAN, FindingSource.NOTICE})
_MINING = "mining.payload"
_GONE = frozenset(state.value for state in FindingState if state.is_gone)
_FINAL = frozenset(state.value for state in FindingState if state.is_final)
_PASSED = frozenset({FindingState.VERIFIED.value, FindingState.AWAITING.value})


def count_unit(facts: UnitFacts, states: States, turns: Turns, catalogue: str, *, judged: bool) -> dict[str, int]:
    """Count what is known of one unit at the end of a period; what nobody looked at is left out, it is no zero.

    `states` are the findings as they stood then, `turns` how many went from one state to another in the period.
    `judged` tells that rules were applied to all that arrived.
    """
    counts: dict[str, int] = {}
    if facts.sources:
        counts["hosts"] = len({(row.network, row.endpoint.key.address) for row in facts.rows}) + _only_answering(facts)
        counts["endpoints_open"] = len(facts.rows)
    judged = judged and bool(facts.sources or facts.captures_analysed)  # what arrived later tells nothing of then
    if judged or states or turns:
        counts |= _count_findings(states, turns, facts.period.end)
    if facts.captures_analysed:
        mining = {flow.host for flow in facts.flows if flow.flow_class is FlowClass.MINING}
        suspects = {flow.host for flow in facts.flows if flow.flow_class is FlowClass.SUSPECT} - mining
        counts |= {"mining_hosts": len(mining), "suspect_hosts": len(suspects)}
    if facts.standing.lines and facts.sources:
        counts["registered_seen"] = facts.standing.count_lines(Standing.SEEN, Standing.EXPIRED)
        counts["registered_unseen"] = facts.standing.count_lines(Standing.UNSEEN)
        counts["unregistered"] = facts.standing.count_hosts(Standing.UNREGISTERED)
    if facts.systems:
        late = [due for _, due in facts.confirm_due if due < facts.period.end]
        counts["confirm_overdue"] = len(late)
    if judged:
        counts |= _count_clauses(roll_up(one for one in facts.verdicts if one.catalogue == catalogue))
    if planned := sum(one.planned for one in facts.coverage):
        counts["prefixes_planned"] = sum(one.prefixes for one in facts.coverage)
        counts["addresses_planned"] = planned
        counts["addresses_covered"] = sum(one.covered for one in facts.coverage if one.planned)
    return counts


def sum_tree(units: Iterable[Unit], own: Mapping[str, Counts]) -> tuple[UnitCounts, ...]:
    """Sum the counters of units over everything below each; gives one for each unit with anything to tell.

    Units come with their paths. A unit whose counters are not in `own` is unknown and makes no sum larger; how many
    units a sum is made of stands beside it. Units above the first one are left out.
    """
    paths = {unit.code: unit.path.split("/") for unit in units}
    totals = {code: {UNITS: 1} | dict(own.get(code, {})) for code in paths}
    known = {code: dict.fromkeys(counts, 1) for code, counts in totals.items()}
    for code in sorted(
        paths, key=lambda one: -len(paths[one])
    ):  # the deepest first: each sum is whole when it is added
        above = next((one for one in reversed(paths[code][:-1]) if one in paths), None)
        if above is not None:
            _add(totals[above], totals[code])
            _add(known[above], known[code])
    return tuple(
        UnitCounts(code, {name: Count(_own(own, code, name), total, known[code][name]) for name, total in sums.items()})
        for code, sums in totals.items()
        if len(sums) > 1 or sums[UNITS] > 1
    )


def _add(sums: dict[str, int], more: Counts) -> None:
    for name, value in more.items():
        sums[name] = sums.get(name, 0) + value


def _own(own: Mapping[str, Counts], code: str, name: str) -> int | None:
    return 1 if name == UNITS else own.get(code, {}).get(name)


def _only_answering(facts: UnitFacts) -> int:
    """Count the hosts that answer on every port and of which no service is in the rows."""
    shown = {(row.network, row.endpoint.key.address) for row in facts.rows}
    return sum((network, address) not in shown for network, address, _ in facts.answering)


def _count_findings(states: States, turns: Turns, end: datetime) -> dict[str, int]:
    live = [one for one in states if one.state.is_live]
    by_severity = Counter(one.severity for one in live)
    counts = {f"live_{severity.value}": by_severity[severity] for severity in Severity}
    counts["live"] = len(live)
    counts |= _count_overdue([one for one in live if one.is_overdue(end)])
    counts["opened"] = sum(count for (before, _), count in turns.items() if not before)
    counts["reopened"] = sum(
        count for (before, after), count in turns.items() if before in _GONE and after == FindingState.OPEN.value
    )
    counts["retested"] = sum(
        count for (before, after), count in turns.items() if after in _PASSED and before not in _GONE
    )
    counts["awaiting_issuer"] = sum(one.state is FindingState.AWAITING for one in states)
    counts["settled"] = sum(count for (_, after), count in turns.items() if after == FindingState.CLOSED.value)
    counts["closed"] = sum(
        count for (before, after), count in turns.items() if after in _FINAL and before not in _FINAL
    )
    return counts


def _count_overdue(late: Sequence[FindingAt]) -> dict[str, int]:
    """Count what is past its deadline; outside is what an upper unit found, or a notice from elsewhere told."""
    outside = [one for one in late if one.source in _OUTSIDE]
    counts = {"overdue": len(late)}
    counts |= {
        f"overdue_{severity.value}": sum(one.severity is severity for one in late)
        for severity in Severity
        if severity is not Severity.INFORMATIONAL
    }
    return counts | {
        "outside_overdue": len(outside),
        "outside_overdue_critical": sum(one.severity is Severity.CRITICAL for one in outside),
        "mining_overdue": sum(one.rule.startswith(_MINING) for one in late),
    }


def _count_clauses(verdicts: Sequence[ClauseVerdict]) -> dict[str, int]:
    if not verdicts:
        return {}
    found = Counter(one.verdict for one in verdicts)
    return {
        "clauses": len(verdicts),
        "clauses_conform": found[Verdict.CONFORM],
        "clauses_nonconform": found[Verdict.NONCONFORM],
        "clauses_unknown": found[Verdict.UNKNOWN],
    }
