"""How the columns of a sheet were read, and which cells could not be, for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from sentinel.cli.output import print_line, print_note

if TYPE_CHECKING:
    from sentinel.schedule.columns import Field
    from sentinel.schedule.mappings import ColumnReading
    from sentinel.schedule.register_row import CellError

MOST_TOLD = 50
"""Cells told one by one; a sheet with more of them has one mistake many times."""


def print_columns(file: str, columns: Sequence[ColumnReading], own: Mapping[Field, str] | None = None) -> None:
    """Print which column was taken for what, sheet by sheet, and which ones nobody understood.

    `own` are the words of this kind of sheet where it has others.
    """
    from sentinel.schedule.vocabularies import WORDS

    words = WORDS | dict(own or {})
    for sheet in dict.fromkeys(one.sheet for one in columns):
        of_sheet = [one for one in columns if one.sheet == sheet]
        print_line(f"{file}{f' 工作表 {sheet}' if sheet else ''} 的列：")
        read = [
            f"{one.letter} {one.title} → {words[one.field]}{'（更正）' if one.corrected else ''}"
            for one in of_sheet
            if one.field is not None
        ]
        unread = [
            f"{one.letter} {one.title}{'（更正）' if one.corrected else ''}" for one in of_sheet if one.field is None
        ]
        for line in (*_wrap(read), *(f"  未用：{line.strip()}" for line in _wrap(unread))):
            print_line(line)


def print_refused(refused: Sequence[CellError], passed_over: Sequence[CellError]) -> None:
    """Print each cell that could not be read on standard error; nothing that stands in one is told."""
    from sentinel.schedule.register_reasons import reason_in_chinese

    for cells, fate in ((refused, "该行未登记"), (passed_over, "该行已登记，此格未用")):
        for cell in cells[:MOST_TOLD]:
            sheet = f"{cell.sheet} " if cell.sheet else ""
            title = f"（{cell.title}）" if cell.title else ""
            told = "该行已登记，请核对" if cell.reason.endswith("look at it") else fate
            print_note(f"{sheet}第 {cell.row} 行 {cell.column} 列{title}：{reason_in_chinese(cell.reason)}；{told}")
        if len(cells) > MOST_TOLD:
            print_note(f"另有 {len(cells) - MOST_TOLD} 个单元格同样不能读取。")


def build_cell_words(cell: CellError) -> dict[str, object]:
    """Give the fields of JSON of a cell that could not be read."""
    return {
        "sheet": cell.sheet,
        "row": cell.row,
        "column": cell.column,
        "title": cell.title,
        "reason": cell.reason,
    }


def _wrap(pieces: Iterable[str], width: int = 92) -> list[str]:
    """Join pieces into indented lines; CJK letters take two columns."""
    lines: list[str] = []
    for text in pieces:
        piece = text if _columns(text) <= width else f"{text[: width // 2]}…"
        if lines and _columns(lines[-1]) + _columns(piece) + 2 <= width:
            lines[-1] += f"；{piece}"
        else:
            lines.append(f"  {piece}")
    return lines


def _columns(text: str) -> int:
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
