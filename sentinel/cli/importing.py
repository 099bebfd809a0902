"""`import`: whatever a school has lying about, without a packet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.columns import build_cell_words, print_columns, print_refused
from sentinel.cli.output import print_json, print_line, print_note, print_table
from sentinel.cli.session import JsonOption, NoCheckOption, UnitOption, VantageOption, open_session
from sentinel.errors import ParseError, UsageError

if TYPE_CHECKING:
    from sentinel.model.unit import Unit
    from sentinel.observe.mapping import LogMapping
    from sentinel.schedule.context import Context
    from sentinel.schedule.importing import Taken
    from sentinel.schedule.mappings import Said

SOME_REFUSED = 3

MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", help="更正一列：列名=字段，列名= 为忽略；可重复，以后同样表头的表照此读", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the command of this group."""
    app.command("import")(import_files)


def import_files(
    files: Annotated[
        list[Path],
        typer.Argument(help="扫描结果、日志、租约、ARP 与 MAC 表、报告、台账，次序不限"),
    ],
    unit: UnitOption = None,
    vantage: VantageOption = None,
    kind: Annotated[
        str | None,
        typer.Option("--as", help="表格是什么：register 台账，report 漏洞清单；默认自行辨认", show_default=False),
    ] = None,
    mapping: MapOption = None,
    log_mapping: Annotated[
        str | None,
        typer.Option("--mapping", help="日志的映射文件（TOML），或自带的映射名，如 srun", show_default=False),
    ] = None,
    no_check: NoCheckOption = False,
    as_json: JsonOption = False,
) -> None:
    """导入已有结果，不发送报文，也不需要授权。"""
    from sentinel.schedule.identifying import identify_unit
    from sentinel.schedule.judging import judge_unit

    said = _read_said(kind, mapping)
    described = _read_mapping(log_mapping)
    if described and (kind or mapping):
        raise UsageError("--mapping: describes a log; --as and --map are for sheets")
    rows: list[dict[str, object]] = []
    with open_session() as context:
        owner = context.choose_unit(unit)
        for path in files:
            taken, error = _import_one(
                context, owner, path, vantage or context.settings.vantage, kind or "", said, described
            )
            row = _row(path, taken, error)
            rows.append(row)
            if as_json:
                print_json(row)
            else:
                _tell(path, taken, error)
        if not as_json:
            _print_import(rows)
        identify_unit(context, owner)
        if not no_check and any(not row["error"] for row in rows):
            judgement = judge_unit(context, owner)
            if not as_json:
                print_line(f"评判：新隐患 {judgement.opened}，复发 {judgement.reopened}，消除 {judgement.gone}。")
    if any(row["error"] or row["refused"] for row in rows):
        raise typer.Exit(SOME_REFUSED)


def _read_said(kind: str | None, mapping: list[str] | None) -> Said:
    from sentinel.schedule.mappings import parse_said
    from sentinel.schedule.vocabularies import VOCABULARIES

    if kind is not None and kind not in VOCABULARIES:
        raise UsageError(f"--as: no such kind of sheet: {kind!r} ({', '.join(VOCABULARIES)})")
    if mapping and kind is None:
        raise UsageError("--map: say what the sheet is, with --as register or --as report")
    return parse_said(mapping, VOCABULARIES[kind]) if mapping and kind else {}


def _read_mapping(named: str | None) -> LogMapping | None:
    """Read a mapping file, or one that is shipped with sentinel by its name."""
    from sentinel.config import data_folder
    from sentinel.observe.mapping import MAX_FILE, parse_mapping

    if named is None:
        return None
    path, shipped = Path(named), {one.stem: one for one in (data_folder("rules") / "mappings").glob("*.toml")}
    if not path.exists() and named in shipped:
        path = shipped[named]
    try:
        with path.open("rb") as stream:
            return parse_mapping(stream.read(MAX_FILE + 1), path.name)
    except OSError as error:
        names = ", ".join(sorted(shipped))
        reason = f"{error.strerror or error}: {named!r}"
        raise UsageError(f"--mapping: {reason} (a file, or one of {names})") from error


def _import_one(
    context: Context, unit: Unit, path: Path, vantage: str, kind: str, said: Said, mapping: LogMapping | None
) -> tuple[Taken | None, str | None]:
    from sentinel.schedule.importing import take_file

    if path.exists() and not path.is_file() and not path.is_dir():
        return None, "cannot be read: not a regular file"
    try:
        return take_file(context, unit, path, vantage, kind=kind, said=said, mapping=mapping), None
    except ParseError as error:
        return None, str(error)
    except OSError as error:
        return None, f"cannot be read: {error.strerror or error}"


def _row(path: Path, taken: Taken | None, error: str | None) -> dict[str, object]:
    intake = taken.intake if taken else None
    run = intake.run if intake else None
    return {
        "file": str(path),
        "format": taken.format if taken else None,
        "hosts_up": run.hosts_up if run else 0,
        "endpoints_open": run.endpoints_open if run else 0,
        "observations": run.observations if run else 0,
        "events": 0 if run is None or (intake and intake.known) else run.events,
        "lost": (intake.lost or None) if intake else None,
        "error": error,
        "run": run.id if run else None,
        "holdings": intake.sightings.holdings if intake else 0,
        "attachments": intake.sightings.attachments if intake else 0,
        "translations": intake.sightings.translations if intake else 0,
        "passed_over": _count_passed(taken),
        "evidence": _evidence_of(taken),
        "time": run.time if run else None,
        "time_quality": run.time_quality if run else None,
        "known": bool(intake and intake.known),
        **_count_sheet(taken),
    }


def _evidence_of(taken: Taken | None) -> str | None:
    """Give the sum of the file where it is kept; one that names persons is not."""
    if taken and taken.intake:
        return taken.intake.run.evidence if taken.intake.kept else None
    return taken.sheet.sha256 if taken and taken.sheet and taken.sheet.kept else None


def _count_passed(taken: Taken | None) -> dict[str, int]:
    """Count what was read and says nothing that is kept, by kind."""
    if taken and taken.passed_over:
        return {"rows": taken.passed_over}
    return dict(taken.intake.passed_over) if taken and taken.intake else {}


def _count_sheet(taken: Taken | None) -> dict[str, object]:
    """Count what a register or a report brought; nothing of either is told as null."""
    lines, flaws = (taken.register, taken.flaws) if taken else (None, None)
    sheet = taken.sheet if taken else None
    refused = [*(lines.refused + lines.passed_over if lines else ()), *(sheet.refused if sheet else ())]
    columns = lines.columns if lines else sheet.columns if sheet else ()
    return {
        "lines_added": len(lines.added) if lines else None,
        "lines_known": lines.known if lines else None,
        "lines_withdrawn": len(lines.withdrawn) if lines else None,
        "systems_added": len(lines.stored.added) if lines and lines.stored else None,
        "systems_changed": len(lines.stored.changed) if lines and lines.stored else None,
        "findings_opened": flaws.opened if flaws else None,
        "findings_reopened": flaws.reopened if flaws else None,
        "findings_known": flaws.known if flaws else None,
        "informational": flaws.informational if flaws else None,
        "refused": len(refused),
        "cells": [build_cell_words(one) for one in refused],
        "columns": [
            {
                "sheet": one.sheet,
                "column": one.letter,
                "title": one.title,
                "field": one.field,
                "corrected": one.corrected,
            }
            for one in columns
        ],
    }


def _tell(path: Path, taken: Taken | None, error: str | None) -> None:
    if error:
        print_note(error if error.startswith(path.name) else f"{path}: {error}")
    if taken and taken.register:
        print_columns(path.name, taken.register.columns)
        print_refused(taken.register.refused, taken.register.passed_over)
    elif taken and taken.sheet:
        print_columns(path.name, taken.sheet.columns)
        print_refused(taken.sheet.refused, ())


def _print_import(rows: list[dict[str, object]]) -> None:
    print_table(
        "导入",
        ("文件", "格式", "在线主机>", "开放端口>", "变化>", "备注"),
        [
            (
                Path(str(row["file"])).name,
                row["format"] or "—",
                row["hosts_up"],
                row["endpoints_open"],
                row["events"],
                row["error"] or row["lost"] or _remark(row),
            )
            for row in rows
        ],
        "sentinel map；sentinel finding list",
    )


def _remark(row: dict[str, object]) -> str:
    words = []
    if row["lines_added"] is not None:
        words.append(f"台账新增 {row['lines_added']}，已有 {row['lines_known']}，撤下 {row['lines_withdrawn']}")
    if row["systems_added"] or row["systems_changed"]:
        words.append(f"信息系统新增 {row['systems_added']}，变更 {row['systems_changed']}")
    if row["findings_opened"] is not None:
        words.append(
            f"报告隐患新增 {row['findings_opened']}，复发 {row['findings_reopened']}，"
            f"已有 {row['findings_known']}，提示 {row['informational']} 条未列为隐患"
        )
    if row["refused"]:
        words.append(f"不能读取的单元格 {row['refused']}")
    sightings = [(row["holdings"], "地址使用"), (row["attachments"], "网卡接入"), (row["translations"], "地址转换")]
    if told := "，".join(f"{word} {count}" for count, word in sightings if count):
        words.append(f"{told} 条")
    passed = row["passed_over"]
    if isinstance(passed, dict) and passed:
        words.append(f"未用 {sum(passed.values())} 行")
    if row["run"] and not row["evidence"]:
        words.append("含账号，文件不留存")
    if row["known"]:
        words.append("此前已导入")
    return "；".join(words)
