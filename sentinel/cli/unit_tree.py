"""`unit move`, `unit rename`, `unit history`, `unit import`: the tree of units as it changes over time."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.columns import build_cell_words, print_columns, print_refused
from sentinel.cli.importing import SOME_REFUSED, MapOption
from sentinel.cli.output import print_json, print_line, print_note, print_table, trial_words
from sentinel.cli.session import JsonOption, UnitOption, open_session, read_start
from sentinel.cli.unit_words import LEVEL_WORDS, build_unit_words
from sentinel.cli.units import group
from sentinel.errors import UsageError
from sentinel.model.moment import local_text

if TYPE_CHECKING:
    from sentinel.model.unit import Unit
    from sentinel.schedule.unit_import import UnitImport

MAX_WHY, MAX_NAME, MOST_SHOWN = 200, 100, 20

AtOption = Annotated[
    str | None, typer.Option("--at", help="自何时起，默认现在；只写日期为当日零时", show_default=False)
]
WhyOption = Annotated[str, typer.Option("--why", help="依据，如文号")]


def register(_: typer.Typer) -> None:
    """Add the commands of this group."""
    group.command("move")(move)
    group.command("rename")(rename)
    group.command("history")(show_history)
    group.command("import")(import_sheet)


def move(
    code: Annotated[str, typer.Argument(help="单位代码或名称")],
    why: WhyOption,
    parent: Annotated[str, typer.Option("--parent", help="新的上级单位；空为没有上级")],
    at: AtOption = None,
    as_json: JsonOption = False,
) -> None:
    """把一个单位连同下级移到另一个上级之下，记下自何时起。"""
    from sentinel.schedule.declaring import move_unit

    reason, moment = _read_why(why), read_start(at, "--at") if at else None
    with open_session() as context:
        unit = context.choose_unit(code)
        above = context.choose_unit(parent) if parent.strip() else None
        moved, gone = move_unit(context, unit, above, moment or context.clock(), reason)
    _print(moved, f"已移动：{moved.path}。", as_json)
    if any((gone.hosts, gone.lines, gone.entries, gone.findings)):
        print_note(
            f"新的学校必须排除的地址随之移出：主机 {gone.hosts} 台，台账 {gone.lines} 条，白名单 {gone.entries} 条；"
            f"隐患 {gone.findings} 条已隐去地址。"
        )


def rename(
    code: Annotated[str, typer.Argument(help="单位代码或名称")],
    name: Annotated[str, typer.Argument(help="新名称；现名成为别名")],
    why: WhyOption,
    at: AtOption = None,
    as_json: JsonOption = False,
) -> None:
    """给单位改名，记下自何时起。"""
    from sentinel.store.unit_tree import rename_unit

    reason, moment = _read_why(why), read_start(at, "--at") if at else None
    wanted = name.strip()
    if not wanted or len(wanted) > MAX_NAME or not wanted.isprintable():
        raise UsageError(f"a name is 1 to {MAX_NAME} printable characters")
    with open_session() as context:
        unit = context.choose_unit(code)
        now = context.clock()
        with context.database.transaction(context.actor, now) as transaction:
            renamed = rename_unit(transaction, unit, wanted, moment or now, reason)
    _print(renamed, f"现名：{renamed.name}（{renamed.code}）。", as_json)


def _read_why(why: str) -> str:
    reason = why.strip()
    if not reason or len(reason) > MAX_WHY or not reason.isprintable():
        raise UsageError(f"--why: 1 to {MAX_WHY} printable characters")
    return reason


def _print(unit: Unit, line: str, as_json: bool) -> None:
    if as_json:
        print_json(build_unit_words(unit))
    else:
        print_line(f"{line}下一步：sentinel unit history --unit {unit.code}")


def show_history(unit: UnitOption = None, as_json: JsonOption = False) -> None:
    """列出一个单位历来的名称、上级与类别。"""
    from sentinel.store.unit_history import read_timeline

    with open_session() as context:
        owner = context.choose_unit(unit)
        spans = read_timeline(context.database, owner)
    if as_json:
        for one in spans:
            words = {"unit": owner.code, "since": one.since, "until": one.until, "name": one.name}
            more = {"level": one.level, "parent": one.parent, "region": one.region, "kind": one.kind}
            print_json({**words, **more, "affiliation": one.affiliation, "why": one.why, "by": one.by})
        return
    print_table(
        f"{owner.name}的沿革",
        ("自", "至", "名称", "层级", "上级", "属地", "依据"),
        [
            (
                _day(one.since, "起初"),
                _day(one.until, "现在"),
                one.name,
                one.kind.zh or LEVEL_WORDS[one.level],
                one.parent,
                one.region,
                one.why,
            )
            for one in spans
        ],
        "sentinel unit show --at 日期",
    )


def _day(moment: datetime | None, open_end: str) -> str:
    return local_text(moment) if moment else open_end


def import_sheet(
    file: Annotated[Path, typer.Argument(help="单位名单：XLSX，或 CSV（UTF-8、GB 18030），至多 60,000 行")],
    mapping: MapOption = None,
    under: Annotated[
        str | None, typer.Option("--under", help="没有写上级的新单位归入哪个单位", show_default=False)
    ] = None,
    at: AtOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="试运行：只显示怎样读、将改什么，不登记")] = False,
    as_json: JsonOption = False,
) -> None:
    """从一张表登记或更新整棵单位树；行的次序不限，同一文件再次导入不改变什么，文件本身不保存。"""
    from sentinel.schedule.mappings import parse_said
    from sentinel.schedule.unit_import import import_units
    from sentinel.schedule.unit_words import UNITS

    said = parse_said(mapping or (), UNITS)
    moment = read_start(at, "--at") if at else None
    with open_session() as context:
        upper = context.choose_unit(under) if under is not None else None
        now = context.clock()
        if moment and moment > now:
            raise UsageError("--at: lies in the future")
        done = import_units(context, file, now, under=upper, at=moment, said=said, dry_run=dry_run)
    _print_json_import(file, done, dry_run) if as_json else _print_import(done, dry_run)
    if done.refused:
        raise typer.Exit(SOME_REFUSED)


def _print_import(done: UnitImport, dry_run: bool) -> None:
    from sentinel.schedule.unit_words import UNITS

    print_columns(done.file, done.columns, UNITS.words)
    print_refused(done.refused, done.passed_over)
    plan = done.plan
    for before, after in plan.changed[:MOST_SHOWN]:
        print_line(f"  {after.code}：{'；'.join(_differences(before, after))}")
    if len(plan.changed) > MOST_SHOWN:
        print_line(f"  另有 {len(plan.changed) - MOST_SHOWN} 个单位更改。")
    counts = f"新增 {len(plan.added)}，更改 {len(plan.changed)}，未变 {plan.same}"
    lost = f"不能登记的行 {len({(one.sheet, one.row) for one in done.refused})}"
    if dry_run:
        print_line(f"读入 {done.rows} 行：将{counts}，{lost}。")
        print_line(trial_words())
        return
    print_line(f"读入 {done.rows} 行：{counts}，联系人 {done.contacts}，{lost}。")
    print_line("下一步：sentinel unit list；列读错了，用 --map 列名=字段 更正后再导入")


def _differences(before: Unit, after: Unit) -> list[str]:
    told = []
    for field, word in (("name", "名称"), ("parent", "上级"), ("level", "层级"), ("region", "属地"), ("kind", "类别")):
        was, now = getattr(before, field), getattr(after, field)
        if was != now:
            told.append(f"{word} {was or '无'} → {now or '无'}")
    return told or ["其他登记项"]


def _print_json_import(path: Path, done: UnitImport, dry_run: bool) -> None:
    for one in done.columns:
        where = {"sheet": one.sheet, "column": one.letter, "title": one.title}
        print_json({"event": "column", **where, "field": one.field, "corrected": one.corrected})
    for cells, event in ((done.refused, "refused"), (done.passed_over, "passed_over")):
        for cell in cells:
            print_json({"event": event, **build_cell_words(cell)})
    for unit in done.plan.added:
        print_json({"event": "added", **build_unit_words(unit)})
    for before, after in done.plan.changed:
        was = {key: value for key, value in build_unit_words(before).items() if build_unit_words(after)[key] != value}
        print_json({"event": "changed", **build_unit_words(after), "before": was})
    plan = done.plan
    counts = {"rows": done.rows, "added": len(plan.added), "changed": len(plan.changed), "same": plan.same}
    lost = {"refused": len(done.refused), "passed_over": len(done.passed_over), "contacts": done.contacts}
    print_json({"summary": {"file": str(path), **counts, **lost, "dry_run": dry_run}})
