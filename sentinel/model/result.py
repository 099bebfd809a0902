"""The verdicts on one object by one catalogue in; what a self-check may say of them, in counts and ranges, out.

A self-check counts what is refuted, shown and unknown. It never says that a system conforms: that is for a licensed
assessor. A rate or a score is a range: what is unknown counts as missed at its low end, as met at its high end.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sentinel.model.control import Basis, Catalogue, Clause, ClauseVerdict, Scoring, Verdict


class Method(StrEnum):
    """How a range is counted; two methods never stand side by side, for their figures cannot be compared.

    `2025`: share of clauses met in those that apply, a clause met in part counts nothing. `2021`: 100 points less what
    missed clauses cost by weight. Neither was compared with its official text.
    """

    RATE_2025 = "2025"
    SCORE_2021 = "2021"


@dataclass(frozen=True, slots=True)
class Result:
    """What a self-check says of one object.

    Attributes:
        catalogue: id of the catalogue.
        system: name of the grading object; empty: the unit as one object.
        problem: clauses proven not to be met.
        partial: clauses met in part.
        by_tool: clauses shown by evidence of tools, also where a person adds to it.
        attested: clauses shown by the reviewed word of a person alone.
        unknown: clauses nobody knows of.
        excluded: clauses that do not apply.
        method: how the range was counted.
        low: low end, 0 to 100; None: nothing applies, or the method does not fit the catalogue.
        high: high end.
    """

    catalogue: str
    system: str
    problem: int
    partial: int
    by_tool: int
    attested: int
    unknown: int
    excluded: int
    method: Method
    low: float | None
    high: float | None

    @property
    def proven(self) -> int:
        """Clauses shown to be met."""
        return self.by_tool + self.attested

    @property
    def applicable(self) -> int:
        """Clauses that apply."""
        return self.problem + self.partial + self.proven + self.unknown


def build_results(
    catalogues: Iterable[Catalogue], verdicts: Iterable[ClauseVerdict], method: Method = Method.RATE_2025
) -> tuple[Result, ...]:
    """Build one result for each catalogue and object, in the order the verdicts come."""
    known = {one.id: one for one in catalogues}
    groups: dict[tuple[str, str], list[ClauseVerdict]] = {}
    for one in verdicts:
        groups.setdefault((one.catalogue, one.system), []).append(one)
    return tuple(build_result(found, known.get(name), system, method) for (name, system), found in groups.items())


def build_result(
    verdicts: Sequence[ClauseVerdict], catalogue: Catalogue | None, system: str, method: Method = Method.RATE_2025
) -> Result:
    """Build the result of one object by one catalogue."""
    counts = Counter(one.verdict for one in verdicts)
    proven = [one for one in verdicts if one.verdict is Verdict.CONFORM]
    by_tool = sum(Basis.AUTO in one.basis for one in proven)
    low, high = measure(verdicts, catalogue.scoring if catalogue else None, method)
    return Result(
        catalogue=verdicts[0].catalogue if verdicts else "",
        system=system,
        problem=counts[Verdict.NONCONFORM],
        partial=counts[Verdict.PARTIAL],
        by_tool=by_tool,
        attested=len(proven) - by_tool,
        unknown=counts[Verdict.UNKNOWN],
        excluded=counts[Verdict.NOT_APPLICABLE],
        method=method,
        low=_floor(low),
        high=_floor(high),
    )


def _floor(value: float | None) -> float | None:
    """Round down to a tenth, so that 100 means all."""
    return None if value is None else math.floor(value * 10 + 1e-6) / 10


def measure(
    verdicts: Sequence[ClauseVerdict], scoring: Scoring | None, method: Method
) -> tuple[float | None, float | None]:
    """Give the low and the high end by a method; None where nothing applies, or the catalogue has no scoring."""
    applicable = [one for one in verdicts if one.verdict is not Verdict.NOT_APPLICABLE]
    if not applicable or (method is Method.SCORE_2021 and scoring is None):
        return None, None
    if scoring is None or method is Method.RATE_2025:
        met = sum(one.verdict is Verdict.CONFORM for one in applicable)
        unknown = sum(one.verdict is Verdict.UNKNOWN for one in applicable)
        return 100 * met / len(applicable), 100 * (met + unknown) / len(applicable)
    return _score(applicable, scoring, 0.0), _score(applicable, scoring, 1.0)


def _score(applicable: Sequence[ClauseVerdict], scoring: Scoring, unknown: float) -> float:
    """Score by the 2021 template. Source: from memory, no copy was found; the numbers are data of the catalogue."""
    worth = {
        Verdict.CONFORM: 1.0,
        Verdict.PARTIAL: scoring.partial,
        Verdict.NONCONFORM: 0.0,
        Verdict.UNKNOWN: unknown,
    }
    share = 100 / len(applicable)

    def part(points: float, holds: Callable[[Clause], bool]) -> float:
        lost = sum(
            scoring.factors[one.clause.weight - 1] * (1 - worth[one.verdict]) * share
            for one in applicable
            if holds(one.clause)
        )
        return max(0.0, points - lost)

    technical = part(100 * scoring.balance, lambda clause: clause.domain in scoring.technical)
    return technical + part(100 * (1 - scoring.balance), lambda clause: clause.domain not in scoring.technical)
