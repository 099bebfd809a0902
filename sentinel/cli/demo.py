"""`demo`: the whole way of the data on practice schools of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_note, print_table
from sentinel.cli.session import JsonOption
from sentinel.errors import SentinelError
from sentinel.model.rule import Severity

if TYPE_CHECKING:
    from sentinel.schedule.demo import DemoResult, DemoUnit


_CHANGES = {"new": "新增", "gone": "消失", "changed": "变化", "newly_covered": "首次覆盖", "unknown": "不明"}
_SEVERITIES = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("demo")(demo)


def demo(
    out: Annotated[Path, typer.Option("--out", help="演示文件夹；其中较早的演示会被替换")] = Path("demo"),
    as_json: JsonOption = False,
) -> None:
    """演示：本机三所练习学校，扫描两次，查一段挖矿会话，出四份报告。"""
    from sentinel.schedule.demo import run_demo

    result = run_demo(out, print_note)
    talks = sum(1 for one in result.recording.conversations if one.family)
    if as_json:
        _print_json(result)
    else:
        _print_text(result, talks)
    _demand_truth(result.units, result.mining, talks)


def _changes(one: DemoUnit) -> str:
    shown = "、".join(f"{_CHANGES[kind]} {count}" for kind, count in one.changes)
    return shown if one.exact else f"{shown}（有误）"


def _print_json(result: DemoResult) -> None:
    for one in result.units:
        print_json(
            {
                "unit": one.name,
                "planted": one.planted,
                "found": one.found,
                "invented": one.invented,
                "changes": {kind.value: count for kind, count in one.changes},
                "changes_exact": one.exact,
                "findings": {severity.value: count for severity, count in one.findings.items()},
            }
        )
    print_json(
        {
            "summary": {
                "mining": result.mining,
                "false_alarms": result.false_alarms,
                "capture": result.recording.mode,
                "seconds": round(result.seconds, 1),
                "reports": [str(path) for path in result.reports],
            }
        }
    )


def _print_text(result: DemoResult, talks: int) -> None:
    print_table(
        "演示结果",
        ("学校", "设置端口>", "找到>", "虚报>", "两次扫描间的变化", "严重>", "高危>", "中危>", "低危>"),
        [
            (
                one.name,
                one.planted,
                one.found,
                one.invented,
                "、".join(f"{_CHANGES[kind]} {count}" for kind, count in one.changes)
                + ("" if one.exact else "（有误）"),
                *(one.findings.get(severity, 0) for severity in _SEVERITIES),
            )
            for one in result.units
        ],
        "用浏览器打开下列报告",
    )
    how = "命名空间内真实抓包" if result.recording.mode == "namespace" else "中继录制（报文头为合成）"
    print_line(f"挖矿会话 {talks} 个，找到 {result.mining} 个，误报 {result.false_alarms} 个；{how}。")
    print_line(f"用时 {result.seconds:.0f} 秒。报告：")
    for path in result.reports:
        print_line(f"  {path.resolve()}")


def _demand_truth(units: tuple[DemoUnit, ...], mining: int, talks: int) -> None:
    wrong = [one.name for one in units if one.found != one.planted or one.invented or not one.exact]
    if wrong or mining != talks:
        what = f"ports or changes of {', '.join(wrong)}" if wrong else "mining conversations"
        raise SentinelError(f"the demonstration did not find exactly what was planted ({what})")
