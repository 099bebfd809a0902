"""What an answer of a person is worth, and that a clause turns conform on nothing less than all its evidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sentinel.assess.controls import judge_catalogue
from sentinel.model.attestation import Answer, Attestation, AttestationFile, AttestationState
from sentinel.model.control import (
    Basis,
    Catalogue,
    Check,
    Clause,
    ClauseVerdict,
    Proof,
    ProofState,
    Question,
    Reported,
    Verdict,
)
from sentinel.model.finding import Finding, FindingKey, FindingSource, FindingState
from sentinel.model.rule import Severity

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = timedelta(days=1)
QUESTION = Question("backup.local", "有本地备份吗？", "Is there a backup?", ("yes", "no"), "备份记录", 365, "system")
CLAUSE = Clause("CE-09a", "1", "域", "点", "题", "title", Check.MANUAL, attested_by="backup.local")
TOLD = Attestation(
    7, "u", 3, "backup.local", Answer.YES, "", "信息中心", "a", NOW - 10 * DAY, NOW + 300 * DAY,
    (AttestationFile("paper-sum", "备份.pdf"),), AttestationState.ACCEPTED,
)  # fmt: skip
SEMI = replace(CLAUSE, check=Check.SEMI, proof=(Proof("port-scan", 8, 0.9), Proof("whitelist", 365)))
PROOFS = {
    "port-scan": ProofState("port-scan", NOW, 1.0, ("scan-sum",)),
    "whitelist": ProofState("whitelist", NOW, 1.0, ("list-sum",)),
}


def judge(clause: Clause = CLAUSE, told: Attestation | None = TOLD, **more) -> ClauseVerdict:
    catalogue = Catalogue("demo", "t", "t", "s", 3, (clause,), questions=(QUESTION,))
    answers = {told.question: told} if told else {}
    parts = {"findings": (), "proofs": {}, "level": None} | more
    (verdict,) = judge_catalogue(
        catalogue, "u", "sys", parts["findings"], parts["proofs"], NOW, level=parts["level"], attestations=answers
    )
    return verdict


def finding(rule: str = "report.x.1", state: FindingState = FindingState.OPEN, **more) -> Finding:
    parts = {"source": FindingSource.REPORT, "severity": Severity.HIGH} | more
    return Finding(
        1, "隐患-2026-00001", FindingKey("u", rule, 1, "10.0.0.5"), state=state, first_seen=NOW, last_seen=NOW, **parts
    )


def test_judge_when_an_accepted_answer_has_its_papers_then_conform_and_attested():
    verdict = judge()
    assert (verdict.verdict, verdict.basis, verdict.evidence) == (Verdict.CONFORM, (Basis.ATTESTED,), ("paper-sum",))
    assert verdict.reason_zh == "人工举证，已审核，有效期至 2027-09-18"


@pytest.mark.parametrize(
    ("answer", "wanted", "words"),
    [
        (Answer.PARTLY, Verdict.PARTIAL, "人工答复：只做到一部分（说明）"),
        (Answer.NO, Verdict.NONCONFORM, "人工答复：没有做到（说明）"),
        (Answer.NA, Verdict.NOT_APPLICABLE, "人工答复：不适用（说明）"),
    ],
)
def test_judge_when_the_answer_is_no_yes_then_the_verdict_follows_it_with_its_words(answer, wanted, words):
    verdict = judge(told=replace(TOLD, answer=answer, words="说明", files=()))
    assert (verdict.verdict, verdict.basis) == (wanted, (Basis.ATTESTED,))
    assert verdict.reason_zh.startswith(words)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (None, "需人工举证（问题 backup.local）"),
        (replace(TOLD, state=AttestationState.PENDING), "答复“是”待审核"),
        (replace(TOLD, state=AttestationState.RETURNED), "答复已退回"),
        (replace(TOLD, valid_until=NOW - DAY), "举证已过有效期"),
        (replace(TOLD, at=NOW - 367 * DAY), "举证已过有效期"),
        (replace(TOLD, at=NOW + 2 * DAY), "答复的时间在未来"),
        (replace(TOLD, answer=Answer.NA), "答“不适用”没有说明理由"),
    ],
)
def test_judge_when_the_answer_does_not_count_then_unknown_says_why(told, words):
    verdict = judge(told=told)
    assert (verdict.verdict, verdict.basis, verdict.evidence) == (Verdict.UNKNOWN, (Basis.NONE,), ())
    assert verdict.reason_zh.startswith(words)
    assert verdict.reason_en


@pytest.mark.parametrize("files", [(), (AttestationFile("paper-sum", "备份.pdf", kept=False),)])
def test_judge_when_a_yes_lacks_its_papers_then_it_stays_partly_known_and_says_so(files):
    verdict = judge(told=replace(TOLD, files=files))
    assert (verdict.verdict, verdict.basis) == (Verdict.UNKNOWN, (Basis.ATTESTED,))
    assert verdict.reason_zh == "已答“是”并经审核，但缺少所要求的材料：备份记录"


def test_judge_when_a_question_wants_no_papers_then_a_yes_alone_counts():
    catalogue = Catalogue("demo", "t", "t", "s", 3, (CLAUSE,), questions=(replace(QUESTION, evidence=""),))
    told = replace(TOLD, files=())
    (verdict,) = judge_catalogue(catalogue, "u", "", (), {}, NOW, attestations={told.question: told})
    assert verdict.verdict is Verdict.CONFORM


def test_judge_when_the_question_is_not_in_the_pack_any_more_then_its_answer_counts_no_more():
    catalogue = Catalogue("demo", "t", "t", "s", 3, (CLAUSE,))
    (verdict,) = judge_catalogue(catalogue, "u", "", (), {}, NOW, attestations={TOLD.question: TOLD})
    assert verdict.verdict is Verdict.UNKNOWN


def test_judge_when_a_semi_clause_has_proofs_and_an_answer_then_both_are_named():
    verdict = judge(SEMI, proofs=PROOFS)
    assert (verdict.verdict, verdict.basis) == (Verdict.CONFORM, (Basis.AUTO, Basis.ATTESTED))
    assert verdict.evidence == ("scan-sum", "list-sum", "paper-sum")


MUTATIONS = {
    "answer": {"told": None},
    "review": {"told": replace(TOLD, state=AttestationState.PENDING)},
    "papers": {"told": replace(TOLD, files=())},
    "validity": {"told": replace(TOLD, valid_until=NOW - DAY)},
    "scan": {"proofs": {"whitelist": PROOFS["whitelist"]}},
    "whitelist": {"proofs": {"port-scan": PROOFS["port-scan"]}},
    "coverage": {"proofs": PROOFS | {"port-scan": replace(PROOFS["port-scan"], coverage=0.6)}},
    "freshness": {"proofs": PROOFS | {"port-scan": replace(PROOFS["port-scan"], newest=NOW - 9 * DAY)}},
    "collector": {"proofs": PROOFS | {"port-scan": ProofState("port-scan", None, 0.0)}},
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_judge_when_any_one_piece_of_evidence_is_taken_away_then_unknown_and_not_conform(name):
    assert judge(SEMI, proofs=PROOFS).verdict is Verdict.CONFORM
    verdict = judge(SEMI, **({"proofs": PROOFS} | MUTATIONS[name]))
    assert verdict.verdict is Verdict.UNKNOWN
    assert verdict.reason_zh


def test_judge_when_a_machine_could_prove_it_and_did_not_then_an_answer_may():
    clause = replace(CLAUSE, check=Check.AUTO, refuted_by=("a.b",))
    assert judge(clause).basis == (Basis.ATTESTED,)
    assert judge(clause, told=None).reason_zh == "需人工举证（问题 backup.local）"


def test_judge_when_a_mark_as_false_positive_ran_out_then_an_answer_does_not_cover_it():
    clause = replace(CLAUSE, check=Check.SEMI, refuted_by=("a.b",))
    stale = finding("a.b", FindingState.FALSE_POSITIVE, until=NOW - DAY)
    verdict = judge(clause, findings=[stale])
    assert (verdict.verdict, verdict.basis) == (Verdict.UNKNOWN, (Basis.ATTESTED,))
    assert "误报标记已到期" in verdict.reason_zh


def test_judge_when_a_finding_is_live_then_an_answer_does_not_outweigh_it():
    clause = replace(CLAUSE, check=Check.SEMI, refuted_by=("a.b",))
    for told in (TOLD, replace(TOLD, answer=Answer.NA, words="没有")):
        assert judge(clause, told, findings=[finding("a.b")]).verdict is Verdict.NONCONFORM


@pytest.mark.parametrize(("level", "wanted"), [(2, Verdict.NOT_APPLICABLE), (3, Verdict.CONFORM), (4, Verdict.CONFORM)])
def test_judge_when_a_clause_is_above_the_level_then_it_does_not_apply_even_when_refuted(level, wanted):
    clause = replace(CLAUSE, min_level=3)
    verdict = judge(clause, level=level)
    assert (verdict.verdict, verdict.level) == (wanted, level)
    if wanted is Verdict.NOT_APPLICABLE:
        refuted = replace(clause, refuted_by=("a.b",))
        assert judge(refuted, level=level, findings=[finding("a.b")]).reason_zh == "只适用于3级及以上"


def test_judge_when_an_object_has_no_level_then_the_assumed_one_counts():
    catalogue = Catalogue("x", "t", "t", "s", 0, (replace(CLAUSE, min_level=3),), assumed_level=2)
    (verdict,) = judge_catalogue(catalogue, "u", "", (), {}, NOW)
    assert (verdict.verdict, verdict.level) == (Verdict.NOT_APPLICABLE, 2)


@pytest.mark.parametrize(("state", "wanted"), [("open", Verdict.NONCONFORM), ("accepted", Verdict.PARTIAL)])
def test_judge_when_the_standard_says_may_then_the_reason_says_so(state, wanted):
    clause = replace(CLAUSE, refuted_by=("a.b",), strength=((2, "may"), (3, "shall")))
    verdict = judge(clause, level=2, findings=[finding("a.b", FindingState(state))])
    assert verdict.verdict is wanted
    assert verdict.reason_zh.endswith("（本级为“可”）")
    assert judge(clause, level=3, findings=[finding("a.b")]).reason_zh.endswith("（本级为“应”）")


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (finding(title_zh="SSH 弱口令"), Verdict.NONCONFORM),
        (finding(reference="Weak Password x"), Verdict.NONCONFORM),
        (finding(title_zh="弱口令", source=FindingSource.NOTICE), Verdict.NONCONFORM),
        (finding(title_zh="弱口令", source=FindingSource.OWN_SCAN), Verdict.UNKNOWN),
        (finding(title_zh="弱口令", severity=Severity.LOW), Verdict.UNKNOWN),
        (finding(title_zh="其他"), Verdict.UNKNOWN),
    ],
)
def test_judge_when_others_report_it_then_their_words_and_severity_decide(told, wanted):
    clause = replace(CLAUSE, reported=Reported(("弱口令", "weak password"), Severity.MEDIUM, True))
    assert judge(clause, None, findings=[told]).verdict is wanted


def test_judge_when_what_others_report_is_only_a_suspicion_then_partial():
    clause = replace(CLAUSE, reported=Reported(("cve-",), Severity.HIGH, False))
    assert judge(clause, None, findings=[finding(reference="CVE-2026-1")]).verdict is Verdict.PARTIAL
