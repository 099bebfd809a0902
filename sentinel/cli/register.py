"""`register`: the unit's own list of what it has (资产台账)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli import register_reconcile, register_systems
from sentinel.cli.columns import print_columns, print_refused
from sentinel.cli.importing import SOME_REFUSED, MapOption
from sentinel.cli.output import print_json, print_line, print_note, print_table, trial_words
from sentinel.cli.register_systems import address_text
from sentinel.cli.session import LAST_ROW, JsonOption, PersonsOption, UnitOption, open_session
from sentinel.errors import ParseError, UsageError
from sentinel.model.moment import local_text

if TYPE_CHECKING:
    from sentinel.model.register import Person, RegisterEntry
    from sentinel.schedule.register_import import RegisterImport

group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="登记：资产台账与信息系统，有什么、谁负责，与发现的核对。"
)

SHOWN_ROWS = 5
"""Rows a dry run shows."""

_WHY = {
    "same": "同一文件按更正后的列重新读取",
    "replaced": "按 --replace",
    "newer": "同名文件的新版",
    "mended": "改好交回的行代替了原来的条目",
    "namesake": "同名文件与此前的差异过大，旧条目未撤下；确为新版，请加 --replace 旧文件名",
    "refused": "有不能读取的行，旧条目未撤下；改正后再导入，或加 --replace 旧文件名",
}


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    register_systems.register(group)
    register_reconcile.register(group)
    app.add_typer(group, name="register")


@group.command("import")
def import_sheets(
    files: Annotated[list[Path], typer.Argument(help="资产台账：XLSX，或 CSV（UTF-8、GB 18030）")],
    unit: UnitOption = None,
    mapping: MapOption = None,
    replaces: Annotated[
        str, typer.Option("--replace", help="代替哪个文件：该文件中不再出现的条目撤下", show_default=False)
    ] = "",
    strict: Annotated[bool, typer.Option("--strict", help="任何一格有错的行整行不登记；自带模板总是如此")] = False,
    marked: Annotated[
        Path | None, typer.Option("--marked", help="把有错的行写入此 XLSX，错处标色并批注原因", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="试运行：只显示怎样读、前几行是什么，不登记")] = False,
    as_json: JsonOption = False,
) -> None:
    """从表格登记资产台账；同一文件再次导入不增加条目，文件本身不保存。"""
    from sentinel.schedule.mappings import parse_said
    from sentinel.schedule.register_forms import write_marked_copy
    from sentinel.schedule.register_import import import_register
    from sentinel.schedule.vocabularies import REGISTER

    said = parse_said(mapping or (), REGISTER)
    if replaces and len(files) > 1:
        raise UsageError("--replace: name one file at a time")
    if marked and (len(files) > 1 or marked.suffix.lower() != ".xlsx" or marked.resolve() == files[0].resolve()):
        raise UsageError("--marked: name one file at a time, and another one that ends in .xlsx for what goes back")
    failed = False
    with open_session() as context:
        owner = context.choose_unit(unit)
        for path in files:
            try:
                done = import_register(
                    context, owner, path, context.clock(), said=said, replaces=replaces, dry_run=dry_run, strict=strict
                )
            except ParseError as error:
                if len(files) == 1:
                    raise
                failed = True
                print_note(f"{path}: {error}")
                continue
            failed = failed or bool(done.refused or done.passed_over)
            back = write_marked_copy(context, owner, done, marked, context.clock()) if marked else 0
            _print_json_import(path, done, dry_run, back) if as_json else _print_import(path, done, dry_run)
            if marked and not as_json:
                print_line(f"退回 {back} 行：{marked}" if back else f"没有要退回的行，未写 {marked}。")
    if failed:
        raise typer.Exit(SOME_REFUSED)


def _print_import(path: Path, done: RegisterImport, dry_run: bool) -> None:
    print_columns(path.name, done.columns)
    print_refused(done.refused, done.passed_over)
    if dry_run:
        _print_lines(f"前 {min(len(done.lines), SHOWN_ROWS)} 行", done.lines[:SHOWN_ROWS], hint="")
        out = len({(cell.sheet, cell.row) for cell in done.refused})
        print_line(f"可登记 {len(done.lines)} 条{_systems_words(len(done.systems))}，不能登记的行 {out}。")
        print_line(trial_words())
        return
    kept = f"，保留旧条目 {done.kept}" if done.kept else ""
    print_line(
        f"读入 {done.rows} 行，新增 {len(done.added)} 条，已有 {done.known} 条，撤下 {len(done.withdrawn)} 条{kept}。"
    )
    if done.stored and done.systems:
        told = done.stored
        print_line(f"信息系统：新增 {len(told.added)} 个（草稿），变更 {len(told.changed)} 个，未变 {told.known} 个。")
    if done.unfilled:
        print_line(f"{done.unfilled} 台主机的登记状态为未登记或未核查，没有补填系统、部门等，未登记。")
    if done.why:
        print_line(_WHY[done.why] + "。")
    if done.corrections:
        print_line("列的更正已记下，以后同样表头的表照此读；sentinel register mapping 可查看。")
    then = "sentinel register systems" if done.systems else "sentinel register list"
    print_line(f"下一步：{then}；列读错了，用 --map 列名=字段 更正后再导入")


def _systems_words(count: int) -> str:
    return f"、信息系统 {count} 个" if count else ""


def _print_json_import(path: Path, done: RegisterImport, dry_run: bool, back: int) -> None:
    for one in done.columns:
        row = {
            "sheet": one.sheet,
            "column": one.letter,
            "title": one.title,
            "field": one.field,
            "corrected": one.corrected,
        }
        print_json({"event": "column", **row})
    for cells, event in ((done.refused, "refused"), (done.passed_over, "passed_over")):
        for cell in cells:
            where = {"sheet": cell.sheet, "row": cell.row, "column": cell.column, "title": cell.title}
            print_json({"event": event, **where, "reason": cell.reason})
    for line in done.lines[:SHOWN_ROWS] if dry_run else done.added:
        print_json({"event": "line" if dry_run else "added", **build_line_words(line)})
    for line in done.withdrawn:
        print_json({"event": "withdrawn", **build_line_words(line)})
    counts = {"rows": done.rows, "added": len(done.added), "known": done.known, "withdrawn": len(done.withdrawn)}
    more = {
        "unfilled": done.unfilled,
        "kept": done.kept,
        "why": done.why or None,
        "refused": len(done.refused),
        "dry_run": dry_run,
        "systems": len(done.systems),
        "systems_added": len(done.stored.added) if done.stored else 0,
        "systems_changed": len(done.stored.changed) if done.stored else 0,
        "marked_rows": back,
    }
    print_json({"summary": {"file": str(path), **counts, **more, "passed_over": len(done.passed_over)}})


@group.command("list")
def show(
    unit: UnitOption = None,
    department: Annotated[str, typer.Option("--department", help="只列责任部门含此字样的", show_default=False)] = "",
    system: Annotated[
        int | None,
        typer.Option("--system", help="只列属于此信息系统（编号）的", min=1, max=LAST_ROW, show_default=False),
    ] = None,
    persons: PersonsOption = False,
    as_json: JsonOption = False,
) -> None:
    """列出资产台账；责任人遮盖，除非写明 --persons。"""
    from sentinel.inventory.systems import lines_of
    from sentinel.schedule.system_store import choose_systems
    from sentinel.store.register import read_register
    from sentinel.store.systems import read_systems

    with open_session() as context:
        owner = context.choose_unit(unit)
        lines = read_register(context.database, owner.code, context.load_seal())
        if system is not None:
            (asked,) = choose_systems(context, owner, [system])
            lines = lines_of(asked, lines, read_systems(context.database, owner.code))
        found = [line for line in lines if department.strip() in line.department]
        if persons and found:
            with context.database.transaction(context.actor, context.clock()) as transaction:
                transaction.audit("register.show", f"unit {owner.code}", after={"lines": len(found)})
    if as_json:
        for line in found:
            print_json(build_line_words(line, persons=persons))
        return
    _print_lines(f"{owner.name}的资产台账", found, persons=persons, hint="sentinel register withdraw 编号 --why 理由")


def _print_lines(
    title: str, lines: list[RegisterEntry] | tuple[RegisterEntry, ...], *, persons: bool = False, hint: str
) -> None:
    print_table(
        title,
        ("编号>", "系统", "地址、域名", "端口", "责任部门", "责任人", "等保", "来源"),
        [
            (
                line.id or "",
                line.system,
                _short([*(address_text(one) for one in line.addresses), *line.domains]),
                _short([f"{ports}/{proto}" for proto, ports in line.ports]),
                line.department,
                _person_text(line.person, persons),
                line.mlps_level,
                f"{line.source} {line.sheet} {line.row}".replace("  ", " "),
            )
            for line in lines
        ],
        hint,
        empty="sentinel register import 台账.xlsx --dry-run",
    )


def _short(pieces: list[str], most: int = 3) -> str:
    return "、".join(pieces[:most]) + (f" 等 {len(pieces)} 个" if len(pieces) > most else "")


def _person_text(person: Person | None, in_full: bool) -> str:
    if person is None:
        return "（无密钥）"
    shown = person if in_full else person.masked
    return " ".join(text for text in (shown.name, shown.phone, shown.mail if in_full else "") if text)


def build_line_words(line: RegisterEntry, *, persons: bool = False) -> dict[str, object]:
    """Write a line as plain values, for JSON; who answers for it is masked unless asked for."""
    person = line.person if persons or line.person is None else line.person.masked
    return {
        "id": line.id or None,
        "unit": line.unit,
        "system": line.system,
        "addresses": [address_text(one) for one in line.addresses],
        "domains": list(line.domains),
        "ports": [f"{ports}/{proto}" for proto, ports in line.ports],
        "department": line.department,
        "person": {"name": person.name, "phone": person.phone, "mail": person.mail} if person else None,
        "mlps_level": line.mlps_level,
        "filing": line.filing,
        "kind": line.kind,
        "place": line.place,
        "note": line.note,
        "valid_from": line.valid_from,
        "valid_to": line.valid_to,
        "source": line.source,
        "sheet": line.sheet,
        "row": line.row,
        "imported_at": line.imported_at,
    }


@group.command("withdraw")
def withdraw(
    numbers: Annotated[list[int], typer.Argument(help="条目编号", min=1, max=LAST_ROW)],
    why: Annotated[str, typer.Option("--why", help="理由")],
    unit: UnitOption = None,
) -> None:
    """撤下台账条目；再次导入原文件会重新登记。"""
    from sentinel.schedule.persons import hide_persons
    from sentinel.store.register import read_register, withdraw_register

    reason = hide_persons(why.strip())
    if not reason:
        raise UsageError("--why: may not be empty")
    with open_session() as context:
        owner = context.choose_unit(unit)
        with context.database.transaction(context.actor, context.clock()) as transaction:
            known = {line.id for line in read_register(context.database, owner.code)}
            missing = next((number for number in numbers if number not in known), None)
            if missing is not None:
                raise UsageError(f"no such line in force: {missing}; `sentinel register list` shows them")
            withdraw_register(transaction, numbers)
            transaction.audit("register.withdraw", f"unit {owner.code}", after={"lines": numbers, "why": reason})
    print_line(f"已撤下 {len(set(numbers))} 条。")


@group.command("mapping")
def show_mappings(
    unit: UnitOption = None,
    forget: Annotated[
        int | None, typer.Option("--forget", help="忘掉第几条更正，0 为全部", min=0, max=LAST_ROW, show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """列出对列的更正（台账与漏洞清单）；--forget 忘掉一条。"""
    from sentinel.schedule.columns import Field
    from sentinel.schedule.vocabularies import WORDS
    from sentinel.store.mappings import read_mappings, remove_mapping

    with open_session() as context:
        owner = context.choose_unit(unit)
        kept = read_mappings(context.database, owner.code)
        if forget is not None:
            if forget > len(kept) or not kept:
                raise UsageError(f"--forget: no such correction: {forget}; `sentinel register mapping` shows them")
            gone = kept if forget == 0 else kept[forget - 1 : forget]
            with context.database.transaction(context.actor, context.clock()) as transaction:
                for one in gone:
                    remove_mapping(transaction, owner.code, one)
                transaction.audit("mapping.forget", f"unit {owner.code}", before=[dict(one.columns) for one in gone])
            kept = tuple(one for one in kept if one not in gone)
    if as_json:
        for number, one in enumerate(kept, 1):
            print_json(
                {
                    "number": number,
                    "purpose": one.purpose,
                    "heads": list(one.heads),
                    "columns": dict(one.columns),
                    "at": one.at,
                }
            )
        return
    kinds = {"register": "台账", "report": "漏洞清单"}
    print_table(
        f"{owner.name}对列的更正",
        ("编号>", "种类", "更正", "表头", "时间"),
        [
            (
                number,
                kinds.get(one.purpose, one.purpose),
                "；".join(f"{title} → {WORDS[Field(word)] if word else '忽略'}" for title, word in one.columns.items()),
                "、".join(title for title in one.heads if title)[:60],
                local_text(one.at),
            )
            for number, one in enumerate(kept, 1)
        ],
        "sentinel register mapping --forget 编号",
        empty="sentinel register import 台账.xlsx --map 列名=字段",
    )
