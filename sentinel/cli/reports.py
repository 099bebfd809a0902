"""`report`: the table of reports, and writing one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.session import JsonOption, UnitOption, open_session, read_choice
from sentinel.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("report")(report)


def report(
    name: Annotated[str, typer.Argument(help="brief、school、compliance、mining、map 或 overview；list 列出全部")],
    out: Annotated[Path | None, typer.Option("--out", help="输出文件，如 报告.html", show_default=False)] = None,
    form: Annotated[str, typer.Option("--format", help="html 或 json")] = "html",
    unit: UnitOption = None,
    period: Annotated[
        str | None,
        typer.Option("--period", help="2026-10 或 2026-10-26/2026-11-25，默认近 30 天", show_default=False),
    ] = None,
    score: Annotated[str, typer.Option("--score", help="自查报告的参考区间：2025（比例）或 2021（得分）")] = "2025",
    lang: Annotated[str | None, typer.Option("--lang", help="zh 或 en，默认取设置", show_default=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """生成报告：单个离线 HTML 文件，可直接打印。"""
    from sentinel.model.result import Method
    from sentinel.report import find_report
    from sentinel.schedule.facts import read_period
    from sentinel.schedule.reporting import build_report, save_text

    if name == "list":
        _list(as_json)
        return
    find_report(name)
    if lang not in {None, "zh", "en"}:
        raise UsageError(f"--lang: {lang!r} is neither zh nor en")
    if out is None:
        raise UsageError(f"--out: a file is needed, as in `sentinel report {name} --out {name}.html`")
    method = read_choice(score, Method, "--score") or Method.RATE_2025
    with open_session() as context:
        owner = context.choose_unit(unit)
        span = read_period(period, context.clock())
        text = build_report(context, name, owner, period=span, form=form, language=lang or "", method=method)
    save_text(out, text)
    if as_json:
        print_json({"report": name, "unit": owner.code, "format": form, "file": str(out), "bytes": len(text.encode())})
    else:
        print_line(f"已写入 {out}（{len(text.encode()) / 1024:.0f} kB）。")


def _list(as_json: bool) -> None:
    from sentinel.report import REPORTS

    if as_json:
        for one in REPORTS.values():
            print_json({"name": one.name, "title": one.title_zh, "title_en": one.title_en, "scope": one.scope})
        return
    scopes = {"unit": "一个单位", "centre": "一个单位及其下级", "both": "一个单位；有下级的为单位树"}
    print_table(
        "报告",
        ("名称", "标题", "范围"),
        [(one.name, one.title_zh, scopes[one.scope]) for one in REPORTS.values()],
        "sentinel report school --out 报告.html",
    )
