"""The root of the command line: global options and the groups."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sentinel import __version__
from sentinel.cli import (
    assets,
    assignment,
    attest,
    backups,
    brief,
    consent,
    declared,
    demo,
    evidence,
    finding,
    finding_steps,
    importing,
    inputs,
    inventory,
    judge,
    notice,
    order,
    papers,
    practice,
    probe,
    publication,
    purge,
    register,
    reports,
    rules,
    scope,
    score,
    service,
    settings,
    setup,
    snapshot,
    trace,
    traffic,
    unit_networks,
    unit_tree,
    units,
    whitelist,
)
from sentinel.cli.session import set_home

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="教育网络资产测绘、等保自查与挖矿排查。 Asset map, graded-protection self-check and mining hunt.",
    epilog="\b\n退出状态：0 完成；1 内部故障；2 用法；3 部分输入未能读取、目标被拒绝或作业未完成；4 发现挖矿；\n"
    "5 未授权；6 数据目录；7 设置；8 规则；9 采集工具；10 报告；130 被中断。",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sentinel {__version__}")
        raise typer.Exit


@app.callback()
def root(
    home: Annotated[
        Path | None,
        typer.Option(envvar="SENTINEL_HOME", help="数据目录，默认 ~/sentinel", show_default=False),
    ] = None,
    version: Annotated[  # noqa: ARG001  its callback does the work
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="显示版本")
    ] = False,
) -> None:
    """Keep the home for the command."""
    set_home(home)


for module in (
    setup,
    units,
    unit_tree,
    unit_networks,
    declared,
    scope,
    consent,
    whitelist,
    papers,
    settings,
    importing,
    register,
    inputs,
    probe,
    publication,
    inventory,
    assets,
    trace,
    traffic,
    judge,
    rules,
    attest,
    finding,
    finding_steps,
    notice,
    order,
    assignment,
    brief,
    reports,
    snapshot,
    score,
    service,
    backups,
    evidence,
    purge,
    demo,
    practice,
):
    module.register(app)
