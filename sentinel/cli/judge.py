"""`check` and `rules`: judging, and the rules it is done by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_note, print_table
from sentinel.cli.session import JsonOption, UnitOption, choose_home, open_session, read_settings
from sentinel.errors import Mistake, RuleError

if TYPE_CHECKING:
    from sentinel.model.control import ClauseVerdict

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="检测规则与控制目录。")


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("check")(check)
    app.add_typer(group, name="rules")


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


@group.command("list")
def show(as_json: JsonOption = False) -> None:
    """列出检测规则。"""
    from sentinel.assess.pack import load_pack

    rules = load_pack(_folders()).rules
    if as_json:
        for one in rules:
            print_json(
                {
                    "id": one.id,
                    "name": one.name,
                    "title": one.zh.title,
                    "title_en": one.en.title,
                    "level": one.severity,
                    "category": one.category,
                    "clauses": list(one.clauses),
                    "high_risk": list(one.high_risk),
                    "due_days": one.due_days,
                    "file": one.file,
                }
            )
        return
    words = {"critical": "严重", "high": "高危", "medium": "中危", "low": "低危", "informational": "提示"}
    print_table(
        "检测规则",
        ("名称", "标题", "等级", "对象", "条款"),
        [(one.name, one.zh.title, words[one.severity], one.category, "、".join(one.clauses)) for one in rules],
        "sentinel rules check",
    )


@group.command("check")
def check_rules(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="规则文件夹，默认自带与设置中的", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """检查规则文件，一次列出全部错误的文件与行号。"""
    from sentinel.assess.pack import check_pack

    mistakes = _check_named(tuple(folders)) if folders else check_pack(_folders())
    for one in mistakes:
        if as_json:
            print_json({"file": one.file, "line": one.line, "rule": one.rule, "message": one.message})
        else:
            print_line(str(one))
    if mistakes:
        print_note(f"sentinel: mistakes in the rules: {len(mistakes)}")
        raise typer.Exit(RuleError.status)
    if not as_json:
        print_line("规则没有错误。下一步：sentinel rules list")


def _check_named(folders: tuple[Path, ...]) -> tuple[Mistake, ...]:
    """Check folders together with the shipped rules, whose clauses and names they may not contradict."""
    from sentinel.assess.pack import check_pack
    from sentinel.config import data_folder

    named = tuple(str(folder) for folder in folders)
    shipped = data_folder("rules")
    if any(folder.resolve() == shipped.resolve() for folder in folders):
        return check_pack(folders)
    return tuple(one for one in check_pack((shipped, *folders)) if one.file.startswith(named))


def _folders() -> tuple[Path, ...]:
    from sentinel.config import data_folder

    settings = read_settings(choose_home())
    return (data_folder("rules"), *(Path(folder) for folder in settings.rules))
