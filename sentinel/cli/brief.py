"""`brief` and `ledger`: what a unit's first hour ends with, and its asset ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line
from sentinel.cli.session import JsonOption, UnitOption, open_session
from sentinel.errors import UsageError

if TYPE_CHECKING:
    from sentinel.report.values import KeyFigure
    from sentinel.schedule.briefing import Briefing

PersonsOption = Annotated[
    bool, typer.Option("--show-persons", help="列出责任人的姓名和电话（需要联系人密钥，记入审计）")
]

_SHOWN_STEPS = 3
_STEP_WIDTH = 44


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("brief")(brief)
    app.command("ledger")(ledger)


def brief(
    out: Annotated[Path | None, typer.Option("--out", help="输出文件夹", show_default=False)] = None,
    issue: Annotated[bool, typer.Option("--issue", help="正式签发整改通知书；默认只写草稿")] = False,
    show_persons: PersonsOption = False,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """一次写出简报、资产台账和各部门的整改通知书（草稿）。"""
    from sentinel.schedule.briefing import write_briefing

    if out is None:
        raise UsageError("--out: a folder is needed, as in `sentinel brief --out 简报`")
    with open_session() as context:
        owner = context.choose_unit(unit)
        done = write_briefing(context, owner, out, issue=issue, show_persons=show_persons)
    if as_json:
        print_json(_words(done, owner.code))
        return
    print_line(f"{owner.name}：网络安全简报")
    for figures in (done.view.figures[:3], done.view.figures[3:]):
        print_line("  " + "，".join(_figure(figure) for figure in figures))
    steps = done.view.steps
    print_line(f"先办这 {len(steps)} 件事：" if steps else "没有要先办的事。")
    for number, step in enumerate(steps[:_SHOWN_STEPS], start=1):
        owners = "、".join(step.owners[:2]) or "未指定"
        print_line(f"  {number}. {_cut(step.action.zh)}（{_cut(owners, 14)}）")
    print_line(f"已写入 {out}：{done.files[0].name}、{done.files[1].name}，{_papers(done)}。")
    print_line(f"下一步：在浏览器打开 {done.files[0]}")


def ledger(
    out: Annotated[Path | None, typer.Option("--out", help="输出文件，如 台账.xlsx", show_default=False)] = None,
    show_persons: PersonsOption = False,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """写出资产台账（XLSX）：主机、端口、登记未发现、未登记、隐患。"""
    from sentinel.model.standing import Standing
    from sentinel.schedule.briefing import write_ledger

    if out is None:
        raise UsageError("--out: a file is needed, as in `sentinel ledger --out 台账.xlsx`")
    with open_session() as context:
        owner = context.choose_unit(unit)
        facts = write_ledger(context, owner, out, show_persons=show_persons)
    size_bytes = out.stat().st_size
    if as_json:
        words = {"unit": owner.code, "file": str(out), "bytes": size_bytes, "hosts": len(facts.standing.hosts)}
        unknown = facts.standing.count_hosts(Standing.UNREGISTERED) if facts.standing.lines else None
        print_json(words | {"ports": len(facts.rows), "lines": len(facts.standing.lines), "unregistered": unknown})
    else:
        print_line(f"已写入 {out}（{size_bytes / 1024:.0f} kB）：主机 {len(facts.standing.hosts)} 台。")


def _figure(figure: KeyFigure) -> str:
    value = "未核查" if figure.value is None else f"{figure.value:,}" if isinstance(figure.value, int) else ""
    return f"{figure.label.zh} {value}"


def _cut(words: str, width: int = _STEP_WIDTH) -> str:
    return words if len(words) <= width else words[: width - 1] + "…"


def _papers(done: Briefing) -> str:
    count = len(done.files) - 2
    if not count:
        if not done.view.looked:
            return "没有核查过，写不出整改通知书"
        if not done.view.judged:
            return "有结果没有评判过，写不出整改通知书，先运行 sentinel check"
        return "没有待签发的严重或高危隐患"
    issued = len(done.orders)
    return f"整改通知书 {issued} 份、草稿 {count - issued} 份" if issued else f"整改通知书草稿 {count} 份"


def _words(done: Briefing, unit: str) -> dict[str, object]:
    names = ("registered", "seen", "unregistered", "unchecked", "exposed", "urgent")
    figures = {name: figure.value for name, figure in zip(names, done.view.figures, strict=True)}
    steps = [
        {"action": step.action.zh, "cause": step.cause.zh, "owners": list(step.owners), "objects": step.objects}
        for step in done.view.steps
    ]
    return {
        "unit": unit,
        **figures,
        "steps": steps,
        "files": [str(path) for path in done.files],
        "orders": list(done.orders),
    }
