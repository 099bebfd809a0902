"""Findings, proofs and answers × a control catalogue → one honest verdict for each clause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sentinel.assess.attesting import Worth, weigh_answer
from sentinel.model.attestation import Attestation
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
from sentinel.model.finding import Finding, FindingSource, FindingState

_CLOCK_SKEW = timedelta(days=1)

_OTHERS = frozenset({FindingSource.REPORT, FindingSource.NOTICE, FindingSource.UPPER_SCAN, FindingSource.HAND})
_STRENGTH_WORDS = {"may": "可", "should": "宜", "shall": "应"}
_PROVEN_WORDS = (
    "在探测范围内证据齐全、有效，未发现问题（仅指探测范围）",
    "every proof is present and fresh and nothing refutes it, within the scope looked at",
)
_PROOF_WORDS = {
    "port-scan": ("端口扫描", "port scan"),
    "service-scan": ("服务识别扫描", "service scan"),
    "whitelist": ("白名单", "whitelist"),
    "register": ("资产台账", "asset register"),
    "traffic": ("流量分析", "traffic analysis"),
    "certificates": ("证书采集", "certificate collection"),
}


def judge_catalogue(
    catalogue: Catalogue,
    unit: str,
    system: str,
    findings: Sequence[Finding],
    proofs: Mapping[str, ProofState],
    now: datetime,
    *,
    level: int | None = None,
    attestations: Mapping[str, Attestation] | None = None,
) -> tuple[ClauseVerdict, ...]:
    """Give one verdict for each clause, in the catalogue's order.

    `findings`, `proofs` and `attestations` (by question) are those of the object judged; `system` is empty when the
    unit is judged as one object. A clause above the object's level does not apply. One is nonconform when a refuting
    finding is live, partial when one is exempted or a weaker rule fired. It is conform only when every proof is there,
    fresh and wide enough, and where people must answer, an accepted answer says so; else unknown.
    """
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.key.rule, []).append(finding)
    case = _Case(
        catalogue=catalogue,
        where=(unit, system),
        level=level or catalogue.assumed_level or catalogue.level,
        by_rule=by_rule,
        reported=[one for one in findings if one.source in _OTHERS],
        proofs=proofs,
        attestations=attestations or {},
        questions={one.id: one for one in catalogue.questions},
        now=now,
    )
    return tuple(_judge(case, clause) for clause in catalogue.clauses)


@dataclass(frozen=True, slots=True)
class _Case:
    """What is known of one object, for all clauses of a catalogue."""

    catalogue: Catalogue
    where: tuple[str, str]
    level: int
    by_rule: Mapping[str, list[Finding]]
    reported: Sequence[Finding]
    proofs: Mapping[str, ProofState]
    attestations: Mapping[str, Attestation]
    questions: Mapping[str, Question]
    now: datetime

    def answer(
        self, clause: Clause, verdict: Verdict, basis: Sequence[Basis], evidence: Iterable[str], zh: str, en: str
    ) -> ClauseVerdict:
        kept = tuple(dict.fromkeys(item for item in evidence if item))
        unit, system = self.where
        return ClauseVerdict(
            unit, system, self.catalogue.id, clause, verdict, tuple(basis), kept, zh, en, level=self.level
        )

    def worth(self, clause: Clause) -> Worth:
        name = clause.attested_by
        return weigh_answer(name, self.questions.get(name), self.attestations.get(name), self.now)


def _judge(case: _Case, clause: Clause) -> ClauseVerdict:
    if clause.min_level > case.level:
        zh, en = f"只适用于{clause.min_level}级及以上", f"applies from level {clause.min_level} only"
        return case.answer(clause, Verdict.NOT_APPLICABLE, (Basis.AUTO,), (), zh, en)
    refuting, weaker = _find_against(case, clause)
    live = [finding for finding in refuting if is_refuting(finding, case.now)]
    if live:
        zh, en = f"有 {len(live)} 条未销号的安全隐患证实存在问题", f"refuted by {len(live)} live finding(s)"
        return case.answer(
            clause, Verdict.NONCONFORM, (Basis.AUTO,), _evidence(live), *_at_strength(case, clause, zh, en)
        )
    exempt = [finding for finding in refuting if finding.state is FindingState.ACCEPTED]
    partial = [one for one in weaker if is_refuting(one, case.now) or one.state is FindingState.ACCEPTED]
    if exempt or partial:
        words = _at_strength(case, clause, *_partial_reason(len(exempt), len(partial)))
        return case.answer(clause, Verdict.PARTIAL, (Basis.AUTO,), _evidence([*exempt, *partial]), *words)
    return _prove(case, clause, [*refuting, *weaker])


def _find_against(case: _Case, clause: Clause) -> tuple[list[Finding], list[Finding]]:
    """Give the findings that refute a clause, and those that show it is met in part."""
    refuting = [finding for rule in clause.refuted_by for finding in case.by_rule.get(rule, ())]
    weaker = [finding for rule in clause.partial_by for finding in case.by_rule.get(rule, ())]
    if clause.reported is not None:
        told = [one for one in case.reported if _speaks_to(clause.reported, one)]
        (refuting if clause.reported.refutes else weaker).extend(told)
    return refuting, weaker


def _speaks_to(reported: Reported, finding: Finding) -> bool:
    text = f"{finding.title_zh} {finding.title_en} {finding.reference}".casefold()
    return finding.severity.rank <= reported.severity.rank and any(word in text for word in reported.words)


def _at_strength(case: _Case, clause: Clause, zh: str, en: str) -> tuple[str, str]:
    strength = clause.strength_at(case.level)
    if strength not in _STRENGTH_WORDS:
        return zh, en
    return f"{zh}（本级为“{_STRENGTH_WORDS[strength]}”）", f"{en} (at this level: {strength})"


def _prove(case: _Case, clause: Clause, findings: Sequence[Finding]) -> ClauseVerdict:
    """Judge a clause nothing speaks against: by its proofs, by an answer, or by both where one is not enough."""
    stale = _find_stale(findings, case.now)
    lacking = _lacking(clause, case.proofs, case.now) if clause.proof else None
    is_proven = bool(clause.proof) and lacking is None and not stale
    machine = [item for proof in clause.proof for item in case.proofs[proof.kind].evidence] if is_proven else []
    if is_proven and clause.check is Check.AUTO:
        return case.answer(clause, Verdict.CONFORM, (Basis.AUTO,), machine, *_PROVEN_WORDS)
    if not clause.attested_by:
        return case.answer(clause, Verdict.UNKNOWN, (Basis.NONE,), (), *(stale or lacking or _needs_person(clause)))
    worth = case.worth(clause)
    if worth.verdict is not Verdict.CONFORM:
        return case.answer(clause, worth.verdict, (worth.basis,), worth.papers, worth.zh, worth.en)
    problem = stale or (lacking if clause.check is Check.SEMI else None)
    if problem:
        zh, en = f"{worth.zh}；但{problem[0]}", f"{worth.en}; but {problem[1]}"
        return case.answer(clause, Verdict.UNKNOWN, (worth.basis,), worth.papers, zh, en)
    basis = (Basis.AUTO, Basis.ATTESTED) if is_proven else (Basis.ATTESTED,)
    return case.answer(clause, Verdict.CONFORM, basis, (*machine, *worth.papers), worth.zh, worth.en)


def is_refuting(finding: Finding, now: datetime) -> bool:
    """Tell whether a finding speaks against a clause: live, or its exemption has run out."""
    ended = finding.until is not None and finding.until < now
    return finding.state.is_live or (finding.state is FindingState.ACCEPTED and ended)


def _evidence(findings: Iterable[Finding]) -> list[str]:
    return [item for finding in findings for item in (finding.number, finding.evidence)]


def _partial_reason(exempt: int, partial: int) -> tuple[str, str]:
    zh, en = [], []
    if exempt:
        zh.append(f"{exempt} 条安全隐患处于风险接受期")
        en.append(f"{exempt} finding(s) accepted for a time")
    if partial:
        zh.append(f"{partial} 条安全隐患表明只做到一部分")
        en.append(f"{partial} finding(s) show that it is met only in part")
    return "；".join(zh), "; ".join(en)


def _find_stale(findings: Sequence[Finding], now: datetime) -> tuple[str, str] | None:
    """Say which marks as false positive have run out; None when none has."""
    stale = [
        finding
        for finding in findings
        if finding.state is FindingState.FALSE_POSITIVE and finding.until is not None and finding.until < now
    ]
    if not stale:
        return None
    numbers = "、".join(finding.number for finding in stale if finding.number)
    return f"误报标记已到期，待复核：{numbers}", f"a mark as false positive has run out: {numbers}"


def _lacking(clause: Clause, proofs: Mapping[str, ProofState], now: datetime) -> tuple[str, str] | None:
    """Say in Chinese and English what the proofs of a clause lack; None when nothing does."""
    problems = [problem for proof in clause.proof if (problem := _problem(proof, proofs.get(proof.kind), now))]
    if not problems:
        return None
    return "；".join(zh for zh, _ in problems), "; ".join(en for _, en in problems)


def _needs_person(clause: Clause) -> tuple[str, str]:
    if clause.check is Check.AUTO:
        return (
            "自动检查只能证实问题，尚无足以举证的证据",
            "the machine can only refute it; there is no sufficient proof of conformity yet",
        )
    return "尚无自动证据，需人工核查", "no automatic evidence yet; a person must check it"


def _problem(proof: Proof, state: ProofState | None, now: datetime) -> tuple[str, str] | None:
    zh, en = _PROOF_WORDS.get(proof.kind, (proof.kind, proof.kind))
    if state is None or state.newest is None:
        return f"缺少证据：{zh}", f"no evidence: {en}"
    if state.newest > now + _CLOCK_SKEW:
        return f"{zh}的时间在未来，不能作证", f"{en} is dated in the future"
    if now - state.newest > timedelta(days=proof.max_age_days):
        return f"{zh}已超过 {proof.max_age_days} 天", f"{en} is older than {proof.max_age_days} days"
    if not state.coverage >= proof.coverage:  # also refuses NaN
        return (
            f"{zh}只覆盖 {state.coverage:.0%}，需 {proof.coverage:.0%}",
            f"{en} covers {state.coverage:.0%}, {proof.coverage:.0%} is needed",
        )
    return None
