"""`demo`: the whole way of the data on practice schools of one's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.ground import tell_ground
from sentinel.cli.output import print_json, print_line, print_note, print_table
from sentinel.cli.practice import ModeOption, read_mode
from sentinel.cli.session import JsonOption
from sentinel.errors import SentinelError
from sentinel.model.rule import Severity

if TYPE_CHECKING:
    from sentinel.schedule.demo.outcome import DemoResult, DemoUnit, Score


_CHANGES = {"new": "新增", "gone": "消失", "changed": "变化", "newly_covered": "首次覆盖", "unknown": "不明"}
_SEVERITIES = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("demo")(demo)


def demo(
    out: Annotated[Path, typer.Option("--out", help="演示文件夹；其中较早的演示会被替换")] = Path("demo"),
    mode: ModeOption = None,
    as_json: JsonOption = False,
) -> None:
    """演示：本机三所练习学校，扫描两次，查一段出口流量，出报告与台账，逐项与真值对照。"""
    from sentinel.drill.place.ground import take_ground
    from sentinel.schedule.demo.run import claim_folder, run_demo

    wanted = read_mode(mode)
    out = out.absolute()
    held = claim_folder(out)
    ground = take_ground(wanted)
    tell_ground(ground.mode, ground.refused, ground.losses, ground.foreign)
    result = run_demo(out, ground, print_note)
    os.close(held)
    if as_json:
        _print_json(result)
    else:
        _print_text(result)
    _demand_truth(result)


def _print_json(result: DemoResult) -> None:
    for one in result.units:
        print_json(
            {
                "unit": one.name,
                "planted": one.ports.planted,
                "found": one.ports.found,
                "invented": one.ports.invented,
                "changes": {kind.value: count for kind, count in one.changes},
                "changes_exact": one.exact,
                "identified": _score(one.identified),
                "weaknesses": _score(one.weaknesses),
                "unseen": one.unseen,
                "unregistered": _score(one.unregistered) if one.unregistered else None,
                "unlisted": _score(one.unlisted) if one.unlisted else None,
                "findings": {severity.value: count for severity, count in one.findings.items()},
            }
        )
    print_json(
        {
            "summary": {
                "mode": result.ground.mode.value,
                "mining": result.mining.found,
                "mining_planted": result.mining.planted,
                "false_alarms": result.mining.invented,
                "mining_findings": _score(result.mining_findings),
                "capture": result.recording.mode,
                "seconds": round(result.seconds, 1),
                "papers": [str(path) for path in result.papers],
                "reports": [str(path) for path in result.reports],
            }
        }
    )


def _score(score: Score) -> dict[str, int]:
    return {"planted": score.planted, "found": score.found, "invented": score.invented}


def _ratio(score: Score | None) -> str:
    if score is None:
        return "—"
    return f"{score.found}/{score.planted}" + (f" 虚报 {score.invented}" if score.invented else "")


def _changes(one: DemoUnit) -> str:
    shown = " ".join(f"{_CHANGES[kind]}{count}" for kind, count in one.changes)
    return shown if one.exact else f"{shown}（有误）"


def _print_text(result: DemoResult) -> None:
    print_table(
        "演示结果（找到/设置）",
        ("学校", "端口>", "识别>", "弱点>", "漏登主机>", "漏登端口>", "两次间的变化", "严重/高/中/低危>"),
        [
            (
                one.name,
                _ratio(one.ports),
                _ratio(one.identified),
                _ratio(one.weaknesses),
                _ratio(one.unregistered),
                _ratio(one.unlisted),
                _changes(one),
                "/".join(str(one.findings.get(severity, 0)) for severity in _SEVERITIES),
            )
            for one in result.units
        ],
        "用浏览器打开下列报告",
    )
    if unseen := sum(one.unseen for one in result.units):
        print_line(f"另有 {unseen} 个埋下的弱点，因端口抬高 nmap 认不出，不在其内。")
    how = "命名空间内真实抓包" if result.recording.mode == "namespace" else "中继录制（报文头为合成）"
    talks = len(result.recording.conversations)
    print_line(f"出口流量 {talks} 个会话，其中挖矿 {_ratio(result.mining)}，误报 {result.mining.invented}；{how}。")
    print_line(f"用时 {result.seconds:.0f} 秒。报告：")
    for path in result.reports:
        print_line(f"  {path}")
    if result.papers:
        print_line(f"各校的登记表、白名单、日志与真值文件：{result.papers[0].parents[1]}")


def _demand_truth(result: DemoResult) -> None:
    wrong = [one.name for one in result.units if not one.is_exact]
    if wrong or not (result.mining.is_exact and result.mining_findings.is_exact):
        what = f"at {', '.join(wrong)}" if wrong else "in the mining conversations"
        raise SentinelError(f"the demonstration did not find exactly what was planted ({what})")
