"""`check`: judging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_paragraph, print_table
from sentinel.cli.session import JsonOption, UnitOption, open_session, read_choice
from sentinel.model.control import Basis, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sentinel.model.control import ClauseVerdict
    from sentinel.model.result import Result

UNREGISTERED = "未登记定级对象"
SETTLED = {
    Verdict.CONFORM: "已举证",
    Verdict.PARTIAL: "部分存在问题",
    Verdict.NONCONFORM: "已证实问题",
    Verdict.NOT_APPLICABLE: "不适用",
}
RANGE_WORDS = {
    "2025": "参考区间：已举证条款占适用条款的比例（2025 版口径，部分不计），未核查的全算未做到为下限、"
    "全算做到为上限；口径未与原文核对，不是测评结论。",
    "2021": "参考区间：2021 版口径的得分，未核查的全算未做到为下限、全算做到为上限；公式凭记忆整理、"
    "权重为本项目的设定，与 2025 版口径不可比较，不是测评结论。",
}


def register(app: typer.Typer) -> None:
    """Add the command of this group."""
    app.command("check")(check)


def check(
    catalogue: Annotated[
        str | None, typer.Option("--catalogue", help="控制目录，如 mlps-l2、high-risk；默认全部", show_default=False)
    ] = None,
    unit: UnitOption = None,
    score: Annotated[str, typer.Option("--score", help="参考区间的口径：2025（比例）或 2021（得分）")] = "2025",
    cii: Annotated[bool, typer.Option("--cii", help="也列出关键信息基础设施，默认从不列出")] = False,
    as_json: JsonOption = False,
) -> None:
    """按规则评判单位，并给出各定级对象逐条的自查结果。"""
    from sentinel.model.result import Method, build_results
    from sentinel.schedule.judging import judge_unit, read_pack
    from sentinel.schedule.verdicts import read_verdicts

    method = read_choice(score, Method, "--score") or Method.RATE_2025
    with open_session() as context:
        owner = context.choose_unit(unit)
        read_verdicts(context, owner, context.clock(), catalogue, cii=cii)
        judgement = judge_unit(context, owner)
        verdicts = read_verdicts(context, owner, context.clock(), catalogue, cii=cii)
        catalogues = read_pack(context).catalogues
    if as_json:
        for one in verdicts:
            print_json(build_verdict(one) | {"pack": judgement.pack_hash})
        return
    whole = {one.id for one in catalogues if one.objects == "unit"}
    print_results(owner.name, build_results(catalogues, verdicts, method), whole)
    print_settled(verdicts)
    unknown = sum(one.verdict is Verdict.UNKNOWN for one in verdicts)
    print_line(f"未核查 {unknown} 条。系统生成，不替代等级测评。")
    print_line(f"规则包 {judgement.pack_hash}。")
    print_line(
        f"隐患：新增 {judgement.opened}，复发 {judgement.reopened}，消除 {judgement.gone}，待处理 {judgement.live}。"
    )
    print_line("下一步：sentinel attest sheet --out 问卷.xlsx；sentinel report compliance --out 自查.html")


def print_results(name: str, results: Sequence[Result], whole: Collection[str]) -> None:
    """Print the counts of each object and its range; `whole` are catalogues that judge the unit alone."""
    print_table(
        f"{name}的自查结果（已举证分工具取证与人工举证）",
        ("目录", "定级对象", "已证实问题>", "部分>", "工具>", "人工>", "未核查>", "不适用>", "参考区间>"),
        [
            (
                one.catalogue,
                one.system or ("单位整体" if one.catalogue in whole else UNREGISTERED),
                one.problem,
                one.partial,
                one.by_tool,
                one.attested,
                one.unknown,
                one.excluded,
                range_words(one),
            )
            for one in results
        ],
    )
    print_paragraph(RANGE_WORDS[results[0].method] if results else "")


def range_words(one: Result) -> str:
    """Write a range for people: `40.0%–62.5%`, or points; `—` where there is none."""
    if one.low is None or one.high is None:
        return "—"
    sign = "%" if one.method == "2025" else ""
    return f"{one.low:.1f}{sign}–{one.high:.1f}{sign}"


def print_settled(verdicts: Sequence[ClauseVerdict]) -> None:
    """Print the clauses of which something is known, by catalogue and object, but for those above its level."""
    sections: dict[tuple[str, str], list[ClauseVerdict]] = {}
    for one in verdicts:
        by_level = one.verdict is Verdict.NOT_APPLICABLE and Basis.ATTESTED not in one.basis
        if one.verdict in SETTLED and not by_level:
            sections.setdefault((one.catalogue, one.system or UNREGISTERED), []).append(one)
    for (catalogue, system), found in sections.items():
        print_table(
            f"{catalogue} {system}：已有证据的条款",
            ("条款", "控制点", "结果", "依据"),
            [
                (
                    f"{one.clause.id} {one.clause.number}" if one.clause.number != one.clause.id else one.clause.id,
                    one.clause.control,
                    SETTLED[one.verdict],
                    one.reason_zh,
                )
                for one in found
            ],
        )


def build_verdict(one: ClauseVerdict) -> dict[str, object]:
    """Write a verdict as plain values, for JSON."""
    return {
        "unit": one.unit,
        "system": one.system,
        "level": one.level,
        "catalogue": one.catalogue,
        "clause": one.clause.id,
        "number": one.clause.number,
        "inherits": one.clause.inherits,
        "verdict": one.verdict,
        "basis": [basis.value for basis in one.basis],
        "evidence": list(one.evidence),
        "title": one.clause.title_zh,
        "reason": one.reason_zh,
        "check": one.clause.check,
        "question": one.clause.attested_by,
        "weight": one.clause.weight,
        "strength": one.clause.strength_at(one.level),
        "verified": one.clause.verified,
    }
