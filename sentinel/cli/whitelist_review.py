"""`whitelist draft` and `whitelist apply`: a whitelist proposed as a sheet, and the reviewed sheet read back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.columns import MOST_TOLD, build_cell_words
from sentinel.cli.importing import SOME_REFUSED
from sentinel.cli.output import print_json, print_line, print_note, print_paragraph
from sentinel.cli.scope import read_start
from sentinel.cli.session import JsonOption, UnitOption, open_session
from sentinel.cli.whitelist_notes import build_shadow_words, note_shadows, read_shadows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.assess.shadow import Shadow
    from sentinel.model.proposal import DraftLine
    from sentinel.schedule.register_row import CellError
    from sentinel.schedule.reviewing import Review

DRAFT = "白名单草案.xlsx"


def register(group: typer.Typer) -> None:
    """Add the commands to their group."""
    group.command("draft")(draft)
    group.command("apply")(apply_sheet)


def draft(
    out: Annotated[Path, typer.Option("--out", help="写到哪个 XLSX 文件")] = Path(DRAFT),
    everything: Annotated[bool, typer.Option("--all", help="白名单已有结论的也列出")] = False,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """由扫描结果和台账生成白名单草案（XLSX），交审批人逐行决定。"""
    from sentinel.report.whitelist_sheet import fixed_cells
    from sentinel.schedule.drafting import draft_whitelist

    with open_session() as context:
        lines = draft_whitelist(context, context.choose_unit(unit), out, everything=everything)
    if not as_json:
        _print_draft(lines, out)
        return
    for one in lines:
        made = one.proposal
        where = fixed_cells(made)[1]
        print_json(
            {
                "code": one.code,
                "kind": made.kind.value,
                "place": where,
                "proto": made.proto,
                "ports": str(made.ports),
                "service": made.service,
                "peer": made.peer.value,
                "reason": made.reason,
                "department": made.department,
                "registered": made.registered.value,
                "hosts": made.hosts,
                "last_seen": made.last_seen,
                "risk": made.risk,
                "advice": made.advice.value,
                "until": made.until.isoformat() if made.until else None,
            }
        )
    print_json({"summary": {"file": str(out), "draft": lines[0].draft, "lines": len(lines)}})


def _print_draft(lines: Sequence[DraftLine], out: Path) -> None:
    counts = {word: sum(one.proposal.advice == word for one in lines) for word in ("allow", "deny", "skip")}
    print_paragraph(
        f"白名单草案第 {lines[0].draft} 号：{len(lines)} 行，建议放行 {counts['allow']} 行、"
        f"不放行 {counts['deny']} 行、先核实 {counts['skip']} 行。"
    )
    print_line(f"已写入 {out}。请审批人逐行选定。")
    print_line(f"下一步：sentinel whitelist apply {out}")


def apply_sheet(
    file: Annotated[Path, typer.Argument(help="审批过的白名单草案")],
    approved_by: Annotated[
        str, typer.Option("--approved-by", help="审批部门或职务，表中没有填写的行用它", show_default=False)
    ] = "",
    document: Annotated[
        str, typer.Option("--document", help="审批文号，表中没有填写的行用它", show_default=False)
    ] = "",
    start: Annotated[
        str | None, typer.Option("--from", help="自何时生效，默认现在；只写日期为当日零时", show_default=False)
    ] = None,
    changed: Annotated[bool, typer.Option("--changed", help="草案之后地图有变化的行也写入")] = False,
    marked: Annotated[
        Path | None, typer.Option("--marked", help="把没有写入的行连同原因另存为 XLSX", show_default=False)
    ] = None,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """写入审批过的白名单草案；写错的格逐个指出，其余各行照常写入；同一文件再用一次不增加条目。"""
    from sentinel.schedule.reviewing import ReviewOptions, apply_review

    options = ReviewOptions(
        approved_by=approved_by.strip(),
        document=document.strip(),
        valid_from=read_start(start, "--from") if start else None,
        take_changed=changed,
        marked=marked,
    )
    with open_session() as context:
        owner = context.choose_unit(unit)
        done = apply_review(context, owner, file, options)
        shadows = read_shadows(context, owner, done.entries)
    for number, found in shadows.items():
        note_shadows(owner, number, found)
    if as_json:
        _print_review_json(file, done, shadows)
    else:
        _print_review(done, marked)
    if done.refused or done.changed:
        raise typer.Exit(SOME_REFUSED)


def _print_review_json(file: Path, done: Review, shadows: Mapping[int, Sequence[Shadow]]) -> None:
    from sentinel.store.scopes import build_whitelist_words

    for entry in done.entries:
        words = build_whitelist_words(entry) | build_shadow_words(shadows.get(entry.id, ()))
        print_json({"event": "added", **words})
    for event, cells in (("changed", done.changed), ("refused", done.refused)):
        for cell in cells:
            print_json({"event": event, **build_cell_words(cell)})
    counts = {
        "rows": done.rows,
        "added": len(done.entries),
        "skipped": done.skipped,
        "known": done.known,
        "undecided": done.undecided,
        "changed": len(done.changed),
        "refused": len(done.refused),
    }
    print_json({"summary": {"file": str(file), **counts}})


def _print_review(done: Review, marked: Path | None) -> None:
    _print_cells(done.refused, "该行未写入")
    _print_cells(done.changed, "该行未写入，确认后可加 --changed")
    denied = sum(entry.is_deny for entry in done.entries)
    print_paragraph(
        f"读入 {done.rows} 行：放行 {len(done.entries) - denied} 条，不放行 {denied} 条，暂不处理 {done.skipped} 行，"
        f"以前已写入 {done.known} 行，尚未决定 {done.undecided} 行。"
    )
    if done.changed or done.refused:
        cells = {(one.sheet, one.row) for one in (*done.changed, *done.refused)}
        kept = f"，已另存为 {marked}，改好后可再次写入" if marked else "；用 --marked 文件 可把它们另存出来改"
        print_paragraph(f"没有写入 {len(cells)} 行，其中地图有变化的 {len(done.changed)} 行{kept}。")
    print_line("下一步：sentinel check；sentinel whitelist list")


def _print_cells(cells: Sequence[CellError], fate: str) -> None:
    from sentinel.schedule.register_reasons import reason_in_chinese

    for cell in cells[:MOST_TOLD]:
        sheet = f"{cell.sheet} " if cell.sheet else ""
        print_note(
            f"{sheet}第 {cell.row} 行 {cell.column} 列（{cell.title}）：{reason_in_chinese(cell.reason)}；{fate}"
        )
    if len(cells) > MOST_TOLD:
        print_note(f"另有 {len(cells) - MOST_TOLD} 格同样，{fate}。")
