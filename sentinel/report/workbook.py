"""Sheets of plain values in, an XLSX file out, row by row so that size costs no memory; ready to filter and to print.

Every text is a text: what a spreadsheet would take for a formula is stored as a string and marked as quoted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sentinel.model.moment import SHANGHAI
from sentinel.report.clean import clean
from sentinel.report.svg import text_width

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell import Cell
    from openpyxl.styles import Alignment, Border
    from openpyxl.worksheet.worksheet import Worksheet


@dataclass(frozen=True, slots=True)
class Marked:
    """A text that somebody has to mend; its cell is coloured."""

    text: str


Value = str | int | date | datetime | Marked | None
"""What a cell may hold; times are aware and shown in Asia/Shanghai."""

MAX_TEXT: Final = 2_000
"""Characters of a cell; a spreadsheet takes 32,767, a reader far fewer."""

PAGE_WIDTH: Final = 200
"""Characters side by side on a printed page, which is as small as one can read; wider sheets take several."""

_FORMULA_STARTS: Final = ("=", "+", "-", "@")
_CHARACTER: Final = 0.55
"""Ems of one character of a column's width."""

_HEAD_FILL: Final = "EEF3F8"
_LINE_PT: Final = 16
_GRID: Final = "D0D7DE"
_OWN_FILL: Final = "FFF1CC"
_MARK_FILL: Final = "FFC7CE"
_INK: Final = "123A63"


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        head: what stands over it.
        width: in characters.
        choices: what may be chosen in its cells.
        filled_in: people write in it, so its head has a colour of its own.
    """

    head: str
    width: float
    choices: tuple[str, ...] = ()
    filled_in: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet as it is written.

    Attributes:
        title: its name, at most 31 characters.
        columns: from left to right; without heads it is prose.
        rows: one value for each column; read once.
        is_form: people write in it: rows are as high as their longest text, and every cell has a border.
    """

    title: str
    columns: tuple[Column, ...]
    rows: Iterable[Sequence[Value]]
    is_form: bool = False

    @property
    def has_head(self) -> bool:
        """The first row names the columns."""
        return any(column.head for column in self.columns)


def write_workbook(sheets: Iterable[Sheet], path: Path, *, title: str, author: str, now: datetime) -> None:
    """Write a workbook to a path.

    Raises:
        OSError: it cannot be written.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    book.properties.title, book.properties.creator = clean(title), clean(author)
    book.properties.created = book.properties.modified = now.astimezone(SHANGHAI).replace(tzinfo=None)
    for sheet in sheets:
        _write_sheet(book, sheet)
    book.save(path)


def _write_sheet(book: Workbook, sheet: Sheet) -> None:
    from openpyxl.utils import get_column_letter

    page: Worksheet = book.create_sheet(sheet.title)  # one for writing only; it has the same settings
    for number, column in enumerate(sheet.columns, start=1):
        page.column_dimensions[get_column_letter(number)].width = column.width
    _set_print(page, sheet)
    widths = [column.width for column in sheet.columns]
    count, model = 0, _form_model(page)
    if sheet.has_head:
        page.append([_head_cell(page, column) for column in sheet.columns])
        count = 1
    for row in sheet.rows:
        cells = [_cell(page, value, width) for value, width in zip(row, widths, strict=True)]
        count += 1
        if sheet.is_form:
            cells = [_form_cell(page, cell, model) for cell in cells]
            page.row_dimensions[count].height = _LINE_PT * _count_lines(row, widths)
        page.append(cells)
    if sheet.has_head:
        page.auto_filter.ref = f"A1:{get_column_letter(len(sheet.columns))}{count}"
        _offer_choices(page, sheet.columns, count)
    page.close()  # type: ignore[attr-defined]  # left open, it complains aloud when the file cannot be written


def _set_print(page: Worksheet, sheet: Sheet) -> None:
    """Ask for A4 landscape with the head and the first column on each page; it must be said before the first row."""
    from openpyxl.worksheet.properties import PageSetupProperties

    page.page_setup.orientation, page.page_setup.paperSize = "landscape", 9
    page.page_setup.fitToWidth = -(-round(sum(column.width for column in sheet.columns)) // PAGE_WIDTH)
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.page_margins.left = page.page_margins.right = 0.4
    footer = page.oddFooter
    if footer is not None:
        footer.left.text, footer.right.text = sheet.title, "第 &P 页，共 &N 页"
    if sheet.has_head:
        page.freeze_panes = "B2"
        page.print_title_rows, page.print_title_cols = "1:1", "A:A"


def _offer_choices(page: Worksheet, columns: Sequence[Column], last: int) -> None:
    """Let people choose in cells below the head; anything else is refused by the spreadsheet."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    for number, column in enumerate(columns, start=1):
        if column.choices and last > 1:
            words = ",".join(column.choices)
            choice = DataValidation(type="list", formula1=f'"{words}"', allow_blank=True, showErrorMessage=True)
            choice.error, choice.errorTitle = f"请选择：{'、'.join(column.choices)}", column.head
            choice.add(f"{get_column_letter(number)}2:{get_column_letter(number)}{last}")
            page.data_validations.append(choice)


def _cell(page: Worksheet, value: Value, width: float) -> object:
    if isinstance(value, Marked):
        return _marked_cell(page, value)
    if isinstance(value, datetime):
        local = value.astimezone(SHANGHAI).replace(tzinfo=None, second=0, microsecond=0)
        return _formatted(page, local, "yyyy-mm-dd hh:mm")
    if isinstance(value, date):
        return _formatted(page, datetime.combine(value, time.min), "yyyy-mm-dd")
    if not isinstance(value, str):
        return value
    words = value.strip() if _is_plain(value) else clean(value, MAX_TEXT)
    room = width * _CHARACTER
    quoted, long = words.startswith(_FORMULA_STARTS), len(words) > room and text_width(words, 1) > room
    return _text(page, words, quoted=quoted, long=long) if quoted or long else words or None


def _is_plain(words: str) -> bool:
    """Tell of most cells quickly that cleaning would not change them."""
    return len(words) <= MAX_TEXT and words.isascii() and words.isprintable()


def _form_cell(page: Worksheet, value: object, model: _FormModel) -> Cell:
    """Give a cell of a form: bordered as the model is, which costs a tenth of building the style for each."""
    from openpyxl.cell import Cell, WriteOnlyCell

    if isinstance(value, Cell) and (value.has_style or value.quotePrefix):
        value.alignment, value.border = model.alignment, model.border
        return value
    cell = value if isinstance(value, Cell) else WriteOnlyCell(page, value)  # type: ignore[arg-type]  # plain already
    cell._style = model.cell._style  # type: ignore[attr-defined]  # openpyxl 3.1 has no other way to share a style
    return cell


@dataclass(frozen=True, slots=True)
class _FormModel:
    """A cell as forms have it, and what makes it so."""

    cell: Cell
    alignment: Alignment
    border: Border


def _form_model(page: Worksheet) -> _FormModel:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Border, Side

    cell, line = WriteOnlyCell(page), Side("thin", color=_GRID)
    model = _FormModel(cell, Alignment(vertical="center", wrap_text=True), Border(line, line, line, line))
    cell.alignment, cell.border = model.alignment, model.border
    return model


def _count_lines(row: Sequence[Value], widths: Sequence[float]) -> int:
    """Count the lines of the longest text of a row; a spreadsheet that is written row by row does not measure them."""
    texts = (value.text if isinstance(value, Marked) else value for value in row)
    needed = [
        -(-round(text_width(clean(text, MAX_TEXT), 1) * 10) // max(round(width * _CHARACTER * 10), 1))
        for text, width in zip(texts, widths, strict=True)
        if isinstance(text, str)
    ]
    return max(needed, default=1) or 1


def _formatted(page: Worksheet, value: datetime, form: str) -> Cell:
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(page, value)
    cell.number_format = form
    return cell


def _text(page: Worksheet, words: str, *, quoted: bool, long: bool) -> Cell:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment

    cell = WriteOnlyCell(page, words)
    cell.data_type = "s"
    cell.quotePrefix = quoted
    if long:
        cell.alignment = Alignment(vertical="top", wrap_text=True)
    return cell


def _marked_cell(page: Worksheet, value: Marked) -> Cell:
    from openpyxl.styles import PatternFill

    words = clean(value.text, MAX_TEXT)
    cell = _text(page, words, quoted=words.startswith(_FORMULA_STARTS), long=True)
    cell.fill = PatternFill("solid", fgColor=_MARK_FILL)
    return cell


def _head_cell(page: Worksheet, column: Column) -> Cell:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    cell = WriteOnlyCell(page, column.head)
    cell.font = Font(bold=True, color=_INK)
    cell.fill = PatternFill("solid", fgColor=_OWN_FILL if column.filled_in else _HEAD_FILL)
    cell.alignment = Alignment(vertical="center", wrap_text=True)
    cell.border = Border(bottom=Side("thin", color=_INK))
    return cell
