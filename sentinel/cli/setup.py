"""`init` makes a home, `doctor` says what the machine can and cannot do."""

from __future__ import annotations

from typing import Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.session import JsonOption, choose_home, read_settings
from sentinel.errors import SentinelError, UsageError
from sentinel.model.unit import UnitLevel


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("init")(init)
    app.command("doctor")(doctor)


def init(
    unit: Annotated[str, typer.Option("--unit", help="单位名称；未给 --code 时也作代码")],
    code: Annotated[str | None, typer.Option("--code", help="10 位学校（机构）标识码", show_default=False)] = None,
    level: Annotated[str, typer.Option(help="层级：province、city、county、school、department")] = "school",
    as_json: JsonOption = False,
) -> None:
    """新建数据目录。不提问，也不授权任何探测。"""
    from sentinel.config import build_settings_text
    from sentinel.model.unit import Unit
    from sentinel.schedule.context import open_context
    from sentinel.store.home import create_home
    from sentinel.store.units import write_unit

    name = unit.strip()
    for text, option in ((name, "--unit"), (code or name, "--code")):
        if not text or not text.isprintable():
            raise UsageError(f"{option}: needs printable text")
    home = choose_home()
    wanted = Unit(code or name, name, read_level(level))
    made = create_home(home, build_settings_text(wanted.code))
    try:
        with open_context(home, read_settings(home)) as context:
            now = context.clock()
            with context.database.transaction(context.actor, now, objects=True) as transaction:
                transaction.audit("home.init", str(made.path))
                stored = write_unit(transaction, wanted)
    except SentinelError:
        made.settings.unlink(missing_ok=True)  # no half-made home is left: the same command works once it is mended
        raise
    if as_json:
        print_json({"home": str(home), "unit": stored.code, "name": stored.name})
    else:
        print_line(f"已建立数据目录 {home}，单位 {stored.name}。")
        print_line("下一步：导入已有结果 `sentinel import FILE`，或登记扫描授权 `sentinel scope authorise`。")


def read_level(text: str) -> UnitLevel:
    """Read a unit level.

    Raises:
        UsageError: it is none.
    """
    try:
        return UnitLevel(text)
    except ValueError as error:
        raise UsageError(f"no such level: {text!r} ({', '.join(UnitLevel)})") from error


def doctor(as_json: JsonOption = False) -> None:
    """检查本机与数据目录：缺什么、有何影响、如何补上。"""
    from sentinel.schedule.checkup import examine

    home = choose_home()
    checked = examine(home)
    if as_json:
        for one in checked:
            print_json({"name": one.name, "state": one.state, "detail": one.detail, "remedy": one.remedy})
    else:
        marks = {"ok": "正常", "limited": "受限", "missing": "缺少"}
        print_table(
            "本机检查",
            ("项目", "状态", "说明", "补救"),
            [(one.name, marks[one.state], one.detail, one.remedy) for one in checked],
        )
    for one in checked:
        if one.error is not None:
            raise one.error
