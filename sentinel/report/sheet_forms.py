"""Forms in, workbooks out: a template to fill in, and a copy of what could not be read with its cells marked.

Nothing that is written computes: what looks like a formula is a quoted text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sentinel.model.moment import SHANGHAI
from sentinel.report.clean import clean
from sentinel.report.svg import text_width

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell import Cell
    from openpyxl.comments import Comment
    from openpyxl.styles import Border, Font, PatternFill
    from openpyxl.worksheet.worksheet import Worksheet

FORM_ROWS: Final = 2_000
"""Rows below the head of a form that are ready to be filled in."""

MAX_TEXT: Final = 2_000

_INK, _HEAD, _MUST, _BAD, _LEFT = "123A63", "EEF3F8", "FBE5D6", "F8C9C4", "FDF0C8"
_GRID = "C9D3DE"
_TOLD: Final = 76
"""Width of the column that tells what is wrong."""

ROW_BEFORE: Final = "原表行号"
"""Title of the column of a marked copy that tells which row of the first sheet a row is."""


@dataclass(frozen=True, slots=True)
class FormColumn:
    """A column of a form.

    Attributes:
        head: what stands over it.
        width: characters.
        note: what to write, shown beside the head.
        choices: words to choose from.
        strict: no other word is taken.
        required: it must be filled in.
        example: an example, for the sheet of examples.
    """

    head: str
    width: int
    note: str = ""
    choices: tuple[str, ...] = ()
    strict: bool = True
    required: bool = False
    example: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A sheet to fill in: its title and its columns from left to right."""

    title: str
    columns: tuple[FormColumn, ...]
    examples: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class MarkedRow:
    """A row that goes back to who wrote it.

    Attributes:
        number: where it stood.
        cells: its texts, from the first column.
        marks: why, by column from 1; 0: the row as a whole.
        taken: the row was taken without its marked cells.
    """

    number: int
    cells: tuple[str, ...]
    marks: Mapping[int, str] = field(default_factory=dict)
    taken: bool = False


@dataclass(frozen=True, slots=True)
class MarkedSheet:
    """A sheet of a marked copy: its name, its head, and the rows that go back."""

    title: str
    head: tuple[str, ...]
    rows: tuple[MarkedRow, ...]


def write_form(forms: Sequence[Form], guide: Sequence[tuple[str, str]], path: Path, title: str, now: datetime) -> None:
    """Write a template: the forms, a sheet with examples and one that explains.

    Raises:
        OSError: it cannot be written.
    """
    book = _new_book(title, now)
    for form in forms:
        _write_form(book, form)
    _write_examples(book, forms)
    _write_guide(book, forms, guide)
    book.save(path)


def write_marked(sheets: Sequence[MarkedSheet], path: Path, title: str, now: datetime) -> None:
    """Write the rows that go back, their bad cells coloured and with a comment that says why.

    Two columns at the end, which no register knows, tell where each row stood and what is wrong in words.

    Raises:
        OSError: it cannot be written.
    """
    book = _new_book(title, now)
    for sheet in sheets:
        _write_marked(book, sheet)
    book.save(path)


def _new_book(title: str, now: datetime) -> Workbook:
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.title, book.properties.creator = clean(title), "sentinel"
    book.properties.created = book.properties.modified = now.astimezone(SHANGHAI).replace(tzinfo=None)
    return book


def _write_form(book: Workbook, form: Form) -> None:
    from openpyxl.utils import get_column_letter

    page = book.create_sheet(form.title)
    for number, column in enumerate(form.columns, 1):
        cell = page.cell(1, number, f"{column.head}*" if column.required else column.head)
        _dress_head(cell, _MUST if column.required else _HEAD)
        if column.note:
            cell.comment = _note(column.note)
        letter = get_column_letter(number)
        page.column_dimensions[letter].width = column.width
        page.column_dimensions[letter].number_format = "@"  # a filing number must not turn into 4.1E+15
        _add_choices(page, column, letter)
    for row in page.iter_rows(2, 41, 1, len(form.columns)):
        for cell in row:
            cell.number_format, cell.border = "@", _border()
    page.row_dimensions[1].height = 34
    _set_page(page, sum(column.width for column in form.columns))


def _add_choices(page: Worksheet, column: FormColumn, letter: str) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation

    if not column.choices:
        return
    listed = DataValidation("list", formula1=f'"{",".join(column.choices)}"', allow_blank=True)
    listed.showErrorMessage = column.strict
    listed.errorTitle, listed.error = "不在可选范围内", f"请从列表中选：{'、'.join(column.choices)}"[:250]
    listed.showInputMessage, listed.promptTitle, listed.prompt = True, column.head[:30], column.note[:250]
    listed.add(f"{letter}2:{letter}{FORM_ROWS + 1}")
    page.add_data_validation(listed)


def _write_examples(book: Workbook, forms: Sequence[Form]) -> None:
    page = book.create_sheet("填写示例")
    page.cell(1, 1, "以下为虚构的示例，不会登记。").font = _font(bold=True)
    row = 3
    for form in forms:
        page.cell(row, 1, f"「{form.title}」表").font = _font(bold=True)
        for number, column in enumerate(form.columns, 1):
            _dress_head(page.cell(row + 1, number, column.head), _HEAD)
            for down, example in enumerate(form.examples or (tuple(one.example for one in form.columns),), 2):
                _dress(page.cell(row + down, number), example[number - 1])
        row += 4 + len(form.examples or ((),))
    widest = max(forms, key=lambda form: len(form.columns))
    _widen(page, [column.width for column in widest.columns])
    _set_page(page, sum(column.width for column in widest.columns), filtered=False)
    page.freeze_panes = None


def _write_guide(book: Workbook, forms: Sequence[Form], guide: Sequence[tuple[str, str]]) -> None:
    page = book.create_sheet("填写说明")
    rows: list[tuple[str, str, str, bool]] = [(head, words, "", False) for head, words in guide]
    for form in forms:
        rows.append((f"「{form.title}」表的列", "怎样填", "可选", True))
        rows += [
            (f"{one.head}{'（必填）' if one.required else ''}", one.note, "、".join(one.choices), False)
            for one in form.columns
        ]
    widths = (26, 84, 40)
    for number, (head, words, choices, is_head) in enumerate(rows, 1):
        for column, text in enumerate((head, words, choices), 1):
            cell = page.cell(number, column)
            _dress(cell, text)
            cell.font = _font(bold=is_head or column == 1)
            if is_head:
                _dress_head(cell, _HEAD)
        lines = max(_lines(words, widths[1]), _lines(choices, widths[2]), 1)
        page.row_dimensions[number].height = 16 * lines + 3
    _widen(page, widths)
    _set_page(page, sum(widths), filtered=False)
    page.freeze_panes = None


def _write_marked(book: Workbook, sheet: MarkedSheet) -> None:
    from openpyxl.styles import Alignment

    page = book.create_sheet(clean(sheet.title) or "台账")
    last = len(sheet.head)
    for number, head in enumerate((*sheet.head, ROW_BEFORE, "错误说明"), 1):
        _dress_head(page.cell(1, number), _HEAD if number <= last else _MUST, head)
    for down, row in enumerate(sheet.rows, 2):
        for number in range(1, last + 1):
            cell = page.cell(down, number)
            _dress(cell, row.cells[number - 1] if number <= len(row.cells) else "")
            if number in row.marks:
                cell.fill = _fill(_LEFT if row.taken else _BAD)
                words = row.marks[number] + ("（该行已登记，此格未用）" if row.taken else "")
                cell.comment = _note(words)
        fate = "该行已登记，标色的格未用：" if row.taken else "该行未登记："
        place = page.cell(down, last + 1, row.number)
        place.border, place.alignment = _border(), Alignment(horizontal="center", vertical="top")
        told = fate + "；".join(dict.fromkeys(row.marks.values()))
        _dress(page.cell(down, last + 2), told)
        page.row_dimensions[down].height = 16 * _lines(told, _TOLD) + 2
    widths = [_fit(sheet, at) for at in range(last)]
    _widen(page, [*widths, 9, _TOLD])
    page.row_dimensions[1].height = 34
    _set_page(page, sum(widths) + 9 + _TOLD)


def _fit(sheet: MarkedSheet, at: int) -> int:
    """Give the width of a column in which most of its texts stand on one line."""
    texts = (one.cells[at] for one in sheet.rows[:200] if at < len(one.cells))
    return max(8, min(30, 2 + max(_ems(text) for text in (sheet.head[at], *texts))))


def _note(words: str) -> Comment:
    """Give a comment that is as large as its words."""
    from openpyxl.comments import Comment

    return Comment(words, "sentinel", width=280, height=24 + 20 * -(-len(words) // 17))


def _ems(words: str) -> int:
    return round(text_width(words[:60], 1) / 0.55)


def _lines(words: str, width: int) -> int:
    return -(-_ems(words) // width) if words else 1


def _widen(page: Worksheet, widths: Sequence[int]) -> None:
    from openpyxl.utils import get_column_letter

    for number, width in enumerate(widths, 1):
        page.column_dimensions[get_column_letter(number)].width = width


def _set_page(page: Worksheet, width: int, *, filtered: bool = True) -> None:
    """Ask for A4 landscape, small enough to be read, with the head on each page."""
    from openpyxl.worksheet.properties import PageSetupProperties

    page.page_setup.orientation, page.page_setup.paperSize = "landscape", 9
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = -(-width // 180), 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.page_margins.left = page.page_margins.right = 0.4
    if filtered:
        page.freeze_panes = "B2"
        page.print_title_rows, page.print_title_cols = "1:1", "A:A"


def _dress(cell: Cell, words: str) -> None:
    from openpyxl.styles import Alignment

    text = clean(words, MAX_TEXT)
    cell.value = text or None
    if text:
        cell.data_type = "s"
        cell.quotePrefix = text.startswith(("=", "+", "-", "@"))
    cell.number_format, cell.border = "@", _border()
    cell.alignment = Alignment(vertical="top", wrap_text=True)


def _dress_head(cell: Cell, colour: str, words: str = "") -> None:
    from openpyxl.styles import Alignment

    if words:
        _dress(cell, words)
    cell.font, cell.fill, cell.border = _font(bold=True), _fill(colour), _border()
    cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)


def _font(*, bold: bool) -> Font:
    from openpyxl.styles import Font

    return Font(bold=bold, color=_INK)


def _fill(colour: str) -> PatternFill:
    from openpyxl.styles import PatternFill

    return PatternFill("solid", fgColor=colour)


def _border() -> Border:
    from openpyxl.styles import Border, Side

    side = Side("thin", color=_GRID)
    return Border(side, side, side, side)
