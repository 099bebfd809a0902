"""What a self-check may say: counts, and ranges by one method at a time."""

from __future__ import annotations

import pytest

from sentinel.model.control import Basis, Catalogue, Check, Clause, ClauseVerdict, Scoring, Verdict
from sentinel.model.result import Method, build_results, measure

SCORING = Scoring(("技术",), 0.5, (1.0, 2.0, 3.0), 0.5)
CATALOGUE = Catalogue("mlps-l2", "t", "t", "s", 2, (), scoring=SCORING)
C, P, N, A, U = (
    Verdict.CONFORM, Verdict.PARTIAL, Verdict.NONCONFORM, Verdict.NOT_APPLICABLE, Verdict.UNKNOWN,
)  # fmt: skip


def told(
    verdict: Verdict, domain: str = "技术", weight: int = 1, basis: tuple[Basis, ...] = (Basis.AUTO,), system: str = ""
) -> ClauseVerdict:
    clause = Clause("X", "1", domain, "c", "t", "t", Check.AUTO, weight=weight)
    return ClauseVerdict("u", system, "mlps-l2", clause, verdict, basis)


def test_results_when_objects_differ_then_each_has_its_counts() -> None:
    both = (Basis.AUTO, Basis.ATTESTED)
    verdicts = [told(C), told(C, basis=both), told(C, basis=(Basis.ATTESTED,)), told(P), told(N), told(U), told(A)]
    first, second = build_results([CATALOGUE], [*verdicts, told(U, system="门户")])
    assert (first.problem, first.partial, first.by_tool, first.attested, first.unknown, first.excluded) == (
        1, 1, 2, 1, 1, 1,
    )  # fmt: skip
    assert (first.proven, first.applicable) == (3, 6)
    assert (first.low, first.high) == (50.0, 66.6), "rounded down, so that 100 means all"
    assert (second.system, second.low, second.high) == ("门户", 0.0, 100.0)


def test_rate_when_a_clause_is_met_in_part_then_it_counts_nothing() -> None:
    assert measure([told(C), told(P)], SCORING, Method.RATE_2025) == (50.0, 50.0)


@pytest.mark.parametrize("method", Method)
def test_range_when_nothing_applies_then_there_is_none(method: Method) -> None:
    assert measure([told(A)], SCORING, method) == (None, None)


def test_score_when_the_catalogue_has_none_then_there_is_no_range() -> None:
    assert measure([told(C)], None, Method.SCORE_2021) == (None, None)
    assert measure([told(C)], None, Method.RATE_2025) == (100.0, 100.0)


@pytest.mark.parametrize(
    ("verdicts", "low", "high"),
    [
        ([told(C), told(C, "管理")], 100.0, 100.0),
        ([told(N), told(C, "管理")], 50.0, 50.0),
        ([told(C), told(C), told(C, "管理"), told(P, "管理", 2)], 75.0, 75.0),
        ([told(C), told(U), told(C, "管理"), told(C, "管理")], 75.0, 100.0),
        ([told(C), told(C), told(C, "管理"), told(N, "管理", 3)], 50.0, 50.0),
        ([told(N, weight=3), told(N, "管理", 3)], 0.0, 0.0),
        ([told(N), told(A), told(C, "管理")], 50.0, 50.0),
    ],
)
def test_score_when_clauses_are_missed_then_they_cost_by_weight_and_a_part_never_falls_below_zero(
    verdicts: list[ClauseVerdict], low: float, high: float
) -> None:
    assert measure(verdicts, SCORING, Method.SCORE_2021) == (pytest.approx(low), pytest.approx(high))
