from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sentinel.assess.controls import judge_catalogue
from sentinel.model.control import Basis, Catalogue, Check, Clause, ClauseVerdict, Proof, ProofState, Verdict
from sentinel.model.finding import Finding, FindingKey, FindingSource, FindingState
from sentinel.model.rule import Severity

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PROOFS = (Proof("port-scan", 8, 0.9), Proof("whitelist", 365))
AUTO = Clause(
    "CE-04b",
    "8.1.4.4 b)",
    "域",
    "点",
    "题",
    "title",
    Check.AUTO,
    refuted_by=("exposure.a", "exposure.b"),
    partial_by=("exposure.weak",),
    proof=PROOFS,
)
STATES = {
    "port-scan": ProofState("port-scan", NOW - timedelta(days=8), 0.9, ("scan-sum",)),
    "whitelist": ProofState("whitelist", NOW, 1.0, ("list-sum",)),
}


def finding(rule: str, state: FindingState = FindingState.OPEN, number: str = "隐患-2026-00001", **more) -> Finding:
    key = FindingKey("u", rule, 1, "10.0.0.5")
    return Finding(1, number, key, FindingSource.OWN_SCAN, Severity.HIGH, state, NOW, NOW, evidence="sum", **more)


def judge(clause: Clause = AUTO, findings=(), proofs=None) -> ClauseVerdict:
    catalogue = Catalogue("demo", "t", "t", "s", 3, (clause,))
    (verdict,) = judge_catalogue(catalogue, "u", "sys", findings, STATES if proofs is None else proofs, NOW)
    return verdict


def test_judge_when_every_proof_is_there_then_conform_with_its_evidence():
    verdict = judge()
    assert (verdict.verdict, verdict.basis) == (Verdict.CONFORM, (Basis.AUTO,))
    assert verdict.evidence == ("scan-sum", "list-sum")
    assert (verdict.unit, verdict.system, verdict.catalogue) == ("u", "sys", "demo")


@pytest.mark.parametrize("kind", sorted(STATES))
def test_judge_when_any_one_proof_is_removed_then_unknown(kind):
    verdict = judge(proofs={name: state for name, state in STATES.items() if name != kind})
    assert (verdict.verdict, verdict.basis, verdict.evidence) == (Verdict.UNKNOWN, (Basis.NONE,), ())
    assert verdict.reason_zh.startswith("缺少证据")


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (ProofState("port-scan", None, 1.0), "缺少证据：端口扫描"),
        (ProofState("port-scan", NOW - timedelta(days=8, seconds=1), 1.0), "端口扫描已超过 8 天"),
        (ProofState("port-scan", NOW, 0.89), "端口扫描只覆盖 89%，需 90%"),
        (ProofState("port-scan", NOW, float("nan")), "端口扫描只覆盖 nan%，需 90%"),
        (ProofState("port-scan", NOW + timedelta(days=2), 1.0), "端口扫描的时间在未来，不能作证"),
    ],
)
def test_judge_when_a_proof_is_stale_or_narrow_then_unknown_with_the_reason(state, reason):
    verdict = judge(proofs=STATES | {"port-scan": state})
    assert (verdict.verdict, verdict.reason_zh) == (Verdict.UNKNOWN, reason)
    assert "port scan" in verdict.reason_en


@pytest.mark.parametrize("state", [FindingState.OPEN, FindingState.RECTIFYING, FindingState.FIXED])
def test_judge_when_a_refuting_finding_is_live_then_nonconform_though_proofs_are_there(state):
    verdict = judge(findings=[finding("exposure.b", state), finding("exposure.a", state, "隐患-2026-00002")])
    assert (verdict.verdict, verdict.basis) == (Verdict.NONCONFORM, (Basis.AUTO,))
    assert verdict.evidence == ("隐患-2026-00002", "sum", "隐患-2026-00001")


@pytest.mark.parametrize("state", [FindingState.VERIFIED, FindingState.CLOSED])
def test_judge_when_the_finding_is_over_then_it_refutes_nothing(state):
    assert judge(findings=[finding("exposure.a", state)]).verdict is Verdict.CONFORM


def test_judge_when_another_rule_fired_then_the_clause_does_not_care():
    assert judge(findings=[finding("exposure.other")]).verdict is Verdict.CONFORM


@pytest.mark.parametrize("until", [None, NOW, NOW + timedelta(days=1)])
def test_judge_when_a_refuting_finding_is_accepted_then_partial(until):
    verdict = judge(findings=[finding("exposure.a", FindingState.ACCEPTED, until=until)])
    assert (verdict.verdict, verdict.evidence) == (Verdict.PARTIAL, ("隐患-2026-00001", "sum"))
    assert "风险接受" in verdict.reason_zh


def test_judge_when_the_acceptance_has_run_out_then_nonconform():
    verdict = judge(findings=[finding("exposure.a", FindingState.ACCEPTED, until=NOW - timedelta(seconds=1))])
    assert verdict.verdict is Verdict.NONCONFORM


def test_judge_when_a_weaker_rule_fired_then_partial():
    verdict = judge(findings=[finding("exposure.weak")])
    assert (verdict.verdict, verdict.reason_zh) == (Verdict.PARTIAL, "1 条安全隐患表明只做到一部分")


def test_judge_when_both_kinds_are_there_then_refuting_wins():
    assert judge(findings=[finding("exposure.weak"), finding("exposure.a")]).verdict is Verdict.NONCONFORM


@pytest.mark.parametrize(("until", "wanted"), [(None, Verdict.CONFORM), (NOW - timedelta(days=1), Verdict.UNKNOWN)])
def test_judge_when_marked_false_then_it_excuses_only_until_its_end(until, wanted):
    verdict = judge(findings=[finding("exposure.a", FindingState.FALSE_POSITIVE, until=until)])
    assert verdict.verdict is wanted


@pytest.mark.parametrize("check", [Check.SEMI, Check.MANUAL])
def test_judge_when_a_person_must_answer_then_unknown_names_the_question(check):
    clause = Clause("X-1", "1", "d", "c", "t", "t", check, proof=PROOFS, attested_by="room.fire")
    verdict = judge(clause)
    assert (verdict.verdict, verdict.basis) == (Verdict.UNKNOWN, (Basis.NONE,))
    assert "room.fire" in verdict.reason_zh
    assert "room.fire" in verdict.reason_en


def test_judge_when_there_is_no_question_then_a_person_must_check():
    verdict = judge(Clause("X-1", "1", "d", "c", "t", "t", Check.SEMI))
    assert (verdict.verdict, verdict.reason_zh) == (Verdict.UNKNOWN, "尚无自动证据，需人工核查")


def test_judge_when_an_auto_clause_lists_no_proof_then_it_is_never_conform():
    verdict = judge(Clause("X-1", "1", "d", "c", "t", "t", Check.AUTO, refuted_by=("exposure.a",)))
    assert verdict.verdict is Verdict.UNKNOWN
    assert "只能证实问题" in verdict.reason_zh


def test_judge_when_a_semi_clause_is_refuted_then_nonconform():
    clause = Clause("X-1", "1", "d", "c", "t", "t", Check.SEMI, refuted_by=("exposure.a",), attested_by="q")
    assert judge(clause, [finding("exposure.a")]).verdict is Verdict.NONCONFORM
