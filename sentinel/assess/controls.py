"""Findings and proofs × a control catalogue → one honest verdict for each clause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sentinel.model.control import Basis, Catalogue, Check, Clause, ClauseVerdict, Proof, ProofState, Verdict
from sentinel.model.finding import Finding, FindingState

_CLOCK_SKEW = timedelta(days=1)

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
) -> tuple[ClauseVerdict, ...]:
    """Give one verdict for each clause, in the catalogue's order.

    `findings` and `proofs` are those of the object judged; `system` is empty when the unit is judged as one object.
    A clause is nonconform when a refuting finding is live, partial when one is exempted or a weaker rule fired,
    conform only when a machine can answer it and every proof is there, fresh and wide enough; else unknown.
    """
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.key.rule, []).append(finding)
    return tuple(_judge(catalogue.id, clause, (unit, system), by_rule, proofs, now) for clause in catalogue.clauses)


def _judge(
    catalogue: str,
    clause: Clause,
    where: tuple[str, str],
    by_rule: Mapping[str, list[Finding]],
    proofs: Mapping[str, ProofState],
    now: datetime,
) -> ClauseVerdict:
    refuting = [finding for rule in clause.refuted_by for finding in by_rule.get(rule, ())]
    weaker = [finding for rule in clause.partial_by for finding in by_rule.get(rule, ())]

    def answer(verdict: Verdict, basis: Basis, evidence: Iterable[str], zh: str, en: str) -> ClauseVerdict:
        kept = tuple(dict.fromkeys(item for item in evidence if item))
        return ClauseVerdict(where[0], where[1], catalogue, clause, verdict, (basis,), kept, zh, en)

    live = [finding for finding in refuting if is_refuting(finding, now)]
    if live:
        zh, en = f"有 {len(live)} 条未销号的安全隐患证实不符合", f"refuted by {len(live)} live finding(s)"
        return answer(Verdict.NONCONFORM, Basis.AUTO, _evidence(live), zh, en)
    exempt = [finding for finding in refuting if finding.state is FindingState.ACCEPTED]
    partial = [finding for finding in weaker if is_refuting(finding, now) or finding.state is FindingState.ACCEPTED]
    if exempt or partial:
        zh, en = _partial_reason(len(exempt), len(partial))
        return answer(Verdict.PARTIAL, Basis.AUTO, _evidence([*exempt, *partial]), zh, en)
    lacking = _lacking(clause, [*refuting, *weaker], proofs, now)
    if lacking:
        return answer(Verdict.UNKNOWN, Basis.NONE, (), *lacking)
    evidence = [item for proof in clause.proof for item in proofs[proof.kind].evidence]
    return answer(
        Verdict.CONFORM,
        Basis.AUTO,
        evidence,
        "在探测范围内证据齐全、有效，未发现不符合（仅指探测范围）",
        "every proof is present and fresh and nothing refutes it, within the scope looked at",
    )


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


def _lacking(
    clause: Clause, findings: Sequence[Finding], proofs: Mapping[str, ProofState], now: datetime
) -> tuple[str, str] | None:
    """Say in Chinese and English what keeps the clause from being conform; None when nothing does."""
    if clause.check is not Check.AUTO or not clause.proof:
        return _needs_person(clause)
    stale = [
        finding
        for finding in findings
        if finding.state is FindingState.FALSE_POSITIVE and finding.until is not None and finding.until < now
    ]
    if stale:
        numbers = "、".join(finding.number for finding in stale if finding.number)
        return f"误报标记已到期，待复核：{numbers}", f"a mark as false positive has run out: {numbers}"
    problems = [problem for proof in clause.proof if (problem := _problem(proof, proofs.get(proof.kind), now))]
    if not problems:
        return None
    return "；".join(zh for zh, _ in problems), "; ".join(en for _, en in problems)


def _needs_person(clause: Clause) -> tuple[str, str]:
    if clause.attested_by:
        return f"需人工举证（问题 {clause.attested_by}）", f"a person must attest it (question {clause.attested_by})"
    if clause.check is Check.AUTO:
        return (
            "自动检查只能证实不符合，尚无足以证明符合的证据",
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
