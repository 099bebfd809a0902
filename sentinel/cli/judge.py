"""`check`: judging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.session import JsonOption, UnitOption, open_session

if TYPE_CHECKING:
    from sentinel.model.control import ClauseVerdict


def register(app: typer.Typer) -> None:
    """Add the command of this group."""
    app.command("check")(check)


def check(
    catalogue: Annotated[
        str | None, typer.Option("--catalogue", help="控制目录，如 mlps-l2、mlps-l3；默认全部", show_default=False)
    ] = None,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """按规则评判单位，并给出等级保护条款的自查结果。"""
    from sentinel.schedule.facts import read_verdicts
    from sentinel.schedule.judging import judge_unit

    with open_session() as context:
        owner = context.choose_unit(unit)
        read_verdicts(context, owner, context.clock(), catalogue)
        judgement = judge_unit(context, owner)
        verdicts = read_verdicts(context, owner, context.clock(), catalogue)
    if as_json:
        for one in verdicts:
            print_json(build_verdict(one))
        return
    words = {"conform": "已举证", "partial": "部分存在问题", "nonconform": "已证实问题", "not_applicable": "不适用"}
    settled = [one for one in verdicts if one.verdict in words]
    print_table(
        f"{owner.name}的自查结果（只列出已有证据的条款）",
        ("目录", "条款", "控制点", "结果", "依据"),
        [
            (
                one.catalogue,
                f"{one.clause.id} {one.clause.number}",
                one.clause.control,
                words[one.verdict],
                one.reason_zh,
            )
            for one in settled
        ],
        "sentinel report compliance --out 自查.html",
    )
    print_line(f"未核查 {len(verdicts) - len(settled)} 条。系统生成，不替代等级测评。")
    print_line(
        f"隐患：新增 {judgement.opened}，复发 {judgement.reopened}，消除 {judgement.gone}，待处理 {judgement.live}。"
    )


def build_verdict(one: ClauseVerdict) -> dict[str, object]:
    """Write a verdict as plain values, for JSON."""
    return {
        "unit": one.unit,
        "system": one.system,
        "catalogue": one.catalogue,
        "clause": one.clause.id,
        "number": one.clause.number,
        "verdict": one.verdict,
        "basis": [basis.value for basis in one.basis],
        "evidence": list(one.evidence),
        "title": one.clause.title_zh,
        "reason": one.reason_zh,
    }
