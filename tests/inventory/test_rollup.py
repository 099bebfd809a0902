"""Verdicts on several objects rolled up to the unit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sentinel.inventory.rollup import roll_up
from sentinel.model.control import Basis, Check, Clause, ClauseVerdict, Verdict

CLAUSE = Clause("CE-01", "8.1", "域", "点", "题", "title", Check.AUTO)
C, P, N, A, U = (
    Verdict.CONFORM, Verdict.PARTIAL, Verdict.NONCONFORM, Verdict.NOT_APPLICABLE, Verdict.UNKNOWN,
)  # fmt: skip


def told(*verdicts: Verdict, basis: Basis = Basis.AUTO) -> list[ClauseVerdict]:
    return [
        ClauseVerdict("u", f"系统{n}", "mlps-l2", CLAUSE, one, (basis,), (f"sum{n}",), "因", "why")
        for n, one in enumerate(verdicts)
    ]


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ((C, C), C), ((C, U), U), ((C, A), C), ((A, A), A), ((U, A), U), ((P, U), P), ((C, P, N, U), N), ((U, N), N),
    ],
)  # fmt: skip
def test_roll_up_when_objects_differ_then_the_worst_is_the_units(found, wanted):
    (one,) = roll_up(told(*found))
    assert (one.verdict, one.system) == (wanted, "")


def test_roll_up_when_one_object_decides_then_its_evidence_and_basis_are_the_units():
    (one,) = roll_up([*told(C, C), *told(N, basis=Basis.ATTESTED)])
    assert (one.basis, one.evidence) == ((Basis.ATTESTED,), ("sum0",))
    assert one.reason_zh == "3 个对象：已证实问题 1，已举证 2"
    assert one.reason_en == "3 objects: refuted 1, shown 2"


def test_roll_up_when_there_is_one_object_then_only_its_name_goes():
    (before,) = told(P)
    assert roll_up([before]) == (replace(before, system=""),)


def test_roll_up_when_catalogues_and_clauses_differ_then_each_stays_alone():
    other = replace(told(C)[0], catalogue="high-risk")
    further = replace(told(U)[0], clause=replace(CLAUSE, id="CE-02"))
    assert [one.verdict for one in roll_up([*told(N), other, further])] == [N, C, U]
