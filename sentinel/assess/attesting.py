"""The question of a clause and what was answered in; what the answer is worth now out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sentinel.model.attestation import Answer, Attestation, AttestationState
from sentinel.model.control import Basis, Question, Verdict
from sentinel.model.moment import local_date

_CLOCK_SKEW = timedelta(days=1)
ANSWER_WORDS = {Answer.YES: "是", Answer.PARTLY: "部分", Answer.NO: "否", Answer.NA: "不适用"}
_SETTLED = {
    Answer.PARTLY: (Verdict.PARTIAL, "人工答复：只做到一部分", "a person attests that it is met in part"),
    Answer.NO: (Verdict.NONCONFORM, "人工答复：没有做到", "a person attests that it is not met"),
    Answer.NA: (Verdict.NOT_APPLICABLE, "人工答复：不适用", "a person attests that it does not apply"),
    Answer.YES: (Verdict.CONFORM, "人工举证，已审核", "attested with papers and reviewed"),
}


@dataclass(frozen=True, slots=True)
class Worth:
    """What an answer is worth: a verdict, what it rests on, papers, and why in Chinese and English."""

    verdict: Verdict
    basis: Basis
    papers: tuple[str, ...]
    zh: str
    en: str


def weigh_answer(name: str, question: Question | None, told: Attestation | None, now: datetime) -> Worth:
    """Say what an answer is worth: only one that was accepted and has not run out settles anything.

    A yes whose wanted papers are missing leaves the clause unknown, and the reason says so.
    """
    problem = _find_problem(name, question, told, now)
    if problem or told is None:
        zh, en = problem or ("", "")
        return Worth(Verdict.UNKNOWN, Basis.NONE, (), zh, en)
    if told.answer is Answer.YES and question is not None and question.evidence and not told.papers:
        zh = f"已答“是”并经审核，但缺少所要求的材料：{question.evidence}"
        return Worth(
            Verdict.UNKNOWN, Basis.ATTESTED, (), zh, f"answered yes, but the papers wanted are missing ({name})"
        )
    verdict, zh, en = _SETTLED[told.answer]
    words = f"（{told.words}）" if told.words and told.answer is not Answer.YES else ""
    return Worth(verdict, Basis.ATTESTED, told.papers, f"{zh}{words}，有效期至 {local_date(told.valid_until)}", en)


def _find_problem(
    name: str, question: Question | None, told: Attestation | None, now: datetime
) -> tuple[str, str] | None:
    """Say what keeps an answer from counting; None when nothing does."""
    if told is None:
        return f"需人工举证（问题 {name}）", f"a person must attest it (question {name})"
    if told.state is AttestationState.PENDING:
        words = ANSWER_WORDS[told.answer]
        return f"答复“{words}”待审核（问题 {name}）", f"the answer waits for its review (question {name})"
    if told.state is AttestationState.RETURNED:
        return f"答复已退回，待重新举证（问题 {name}）", f"the answer was returned (question {name})"
    if told.at > now + _CLOCK_SKEW:
        return f"答复的时间在未来，不能作证（问题 {name}）", f"the answer is dated in the future (question {name})"
    if question is None or now > told.valid_until or now - told.at > timedelta(days=question.valid_days + 1):
        return f"举证已过有效期，待重新举证（问题 {name}）", f"the attestation has run out (question {name})"
    if told.answer is Answer.NA and not told.words:
        return f"答“不适用”没有说明理由（问题 {name}）", f"no reason why it does not apply (question {name})"
    return None
