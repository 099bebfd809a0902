"""`run`: the scheduler."""

from __future__ import annotations

from typing import Annotated

import typer

from sentinel.cli.output import print_line, print_note
from sentinel.cli.session import choose_home, read_settings


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("run")(run)


def run(
    once: Annotated[bool, typer.Option("--once", help="只补做到期未做的巡检，然后结束")] = False,
) -> None:
    """按各单位的巡检时间运行；错过的补做一次；同一数据目录只许一个。"""
    from sentinel.schedule.clock import run_clock, run_missed

    home = choose_home()
    settings = read_settings(home)
    if once:
        print_line(f"补做 {run_missed(home, settings, print_note)} 个单位的巡检。")
    else:
        run_clock(home, settings, print_note)
