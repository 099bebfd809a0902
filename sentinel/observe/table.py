"""A sheet people keep (XLSX, or CSV in UTF-8 or GB 18030) in; its rows with their places, as bounded text, out."""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import BinaryIO

from openpyxl import Workbook, load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from sentinel.errors import ParseError
from sentinel.observe.text import cut_text
from sentinel.observe.workbook import Formulas, Merged, Part, inspect_package

MAX_FILE = 8 * 1024 * 1024
"""Bytes of a file. A register of 20,000 rows and 15 columns takes about 2 MB as XLSX and 4 MB as CSV."""

MAX_SHEETS = 50
MAX_ROWS = 20_000
"""Rows with anything in them, over all sheets."""

LAST_ROW = 1_048_576
"""The last row a spreadsheet has."""

MAX_COLUMNS = 100
"""Columns read; what stands to the right of them is left out."""

MAX_CELL = 2_000
"""Characters of one cell; a longer one is at fault."""

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BINARY = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DELIMITERS = (",", "\t", ";")
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}

# What openpyxl 3.1 and the library below it raise on damaged packages, as found by damaging them at random.
_BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    InvalidFileException,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    SyntaxError,  # ElementTree's ParseError is one
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes:
        text: what stands in it on one line, at most 2,000 characters; a date as `2026-12-31`.
        is_formula: it is computed; the text is the value stored with it.
        fault: why the text is not all there is, lower case; empty when it is.
    """

    text: str = ""
    is_formula: bool = False
    fault: str = ""

    @property
    def is_blank(self) -> bool:
        """Nothing stands in it, and nothing is hidden."""
        return not self.text and not self.fault


BLANK = Cell()

_Key = tuple[type, object, bool]
"""Type and value of a cell, and whether it is computed; equal cells of a workbook are one object."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row that is not blank.

    Attributes:
        sheet: name of the sheet; empty for CSV.
        number: as the spreadsheet shows it, from 1.
        cells: from column A; blank ones at the end are left out.
    """

    sheet: str
    number: int
    cells: tuple[Cell, ...]

    def at(self, column: int) -> Cell:
        """Give the cell of a column counted from 1."""
        return self.cells[column - 1] if 0 < column <= len(self.cells) else BLANK


@dataclass(frozen=True, slots=True)
class Sheet:
    """One visible sheet: its name and its rows, from the top."""

    name: str
    rows: tuple[TableRow, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a table is read.

    Attributes:
        file: bytes of the file.
        rows: rows with anything in them, over all sheets.
        unmerge: cells merged downwards (one system over several rows) all say what the first of them says.
    """

    file: int = MAX_FILE
    rows: int = MAX_ROWS
    unmerge: bool = False


def read_table(stream: BinaryIO, name: str, limits: Limits = Limits()) -> tuple[Sheet, ...]:
    """Read every visible sheet of a workbook, or the one of a CSV file; blank rows are left out.

    Raises:
        ParseError: it is no table, is too large, or nothing stands in it; `name` says which file.
    """
    data = stream.read(limits.file + 1)
    if len(data) > limits.file:
        raise ParseError(f"larger than {limits.file // 1024 // 1024} MB, which no table of this kind is", name)
    if data.startswith(_OLE):
        raise ParseError("an old .xls or a workbook with a password: save it as .xlsx without one", name)
    sheets = _read_workbook(data, name, limits) if data.startswith(_ZIP) else _read_csv(data, name, limits)
    if not any(sheet.rows for sheet in sheets):
        raise ParseError("nothing stands in it", name)
    return sheets


def fold_width(text: str) -> str:
    """Give full-width letters, digits and signs as the ASCII ones; all other characters stay."""
    return text.translate(_FULL_WIDTH)


def column_letter(column: int) -> str:
    """Give the letter of a column counted from 1: A, Z, AA."""
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _read_workbook(data: bytes, name: str, limits: Limits) -> tuple[Sheet, ...]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of what it leaves out: styles, validations, odd dates
            parts = inspect_package(package)
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            try:
                return tuple(_read_sheets(book, parts, limits))
            finally:
                book.close()
    except ParseError as error:
        raise ParseError(str(error), name) from error
    except _BROKEN as error:
        raise ParseError("a damaged workbook, or a zip file that is none", name) from error


def _read_sheets(book: Workbook, parts: dict[str, Part], limits: Limits) -> Iterator[Sheet]:
    shown = [one for one in book.worksheets if isinstance(one, ReadOnlyWorksheet) and one.sheet_state == "visible"]
    if len(shown) > MAX_SHEETS:
        raise ParseError(f"more than {MAX_SHEETS} sheets")
    known: dict[_Key, Cell] = {}
    left = limits.rows
    for sheet in shown:
        title = cut_text(sheet.title, 60)
        part = parts.get(sheet._worksheet_path, Part())  # type: ignore[attr-defined]  # the part's name
        cells = _read_sheet(sheet, part.formulas, known)
        rows = _take_rows(title, _unmerge(cells, part.merged) if limits.unmerge else cells, left, limits.rows)
        left -= len(rows)
        yield Sheet(title, rows)


def _read_sheet(
    sheet: ReadOnlyWorksheet, formulas: Formulas, known: dict[_Key, Cell]
) -> Iterator[tuple[int, list[Cell]]]:
    """Yield the rows that are not blank; equal cells are one object, so that memory is bounded by the file."""
    rows = sheet.iter_rows(  # type: ignore[misc]  # the stubs take it for a method of another class
        max_row=LAST_ROW, max_col=MAX_COLUMNS, values_only=True
    )
    for number, row in enumerate(rows, 1):
        computed = formulas.get(number, ())
        if not computed and row.count(None) == len(row):
            continue
        cells = []
        for place, value in enumerate(row, 1):
            key = (type(value), value, place in computed)
            cell = known.get(key)
            if cell is None:
                cell = known.setdefault(key, _build_cell(_write_value(value), is_formula=place in computed))
            cells.append(cell)
        yield number, cells


def _unmerge(rows: Iterator[tuple[int, list[Cell]]], merged: list[Merged]) -> Iterator[tuple[int, list[Cell]]]:
    """Let the cells below the first one of a merged range say what it says, in its first column.

    Rows in which nothing else stands stay blank, so a range over a whole sheet makes no rows.
    """
    starts: dict[int, list[Merged]] = {}
    for one in merged:
        if one.column <= MAX_COLUMNS:
            starts.setdefault(one.first, []).append(one)
    held: dict[int, tuple[int, Cell]] = {}
    for number, cells in rows:
        for column, (last, cell) in list(held.items()):
            if number > last:
                del held[column]
            elif column <= len(cells) and cells[column - 1].is_blank:
                cells[column - 1] = cell
        for one in starts.get(number, ()):
            if one.column <= len(cells) and not cells[one.column - 1].is_blank:
                held[one.column] = (one.last, cells[one.column - 1])
        yield number, cells


def _write_value(value: object) -> str:
    """Write a value as the sheet shows it: a whole number without a point, a day without its midnight."""
    match value:
        case None:
            return ""
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
        case date() | time():
            return value.isoformat()
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
    return str(value)


def _read_csv(data: bytes, name: str, limits: Limits) -> tuple[Sheet, ...]:
    text = _decode(data, name)
    if _BINARY.search(text):
        raise ParseError("not a table sentinel reads (it reads XLSX and CSV)", name)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_choose_delimiter(text), strict=True)
    try:
        build = _CsvCells()
        rows = ((number, [build[cell] for cell in row[:MAX_COLUMNS]]) for number, row in enumerate(reader, 1))
        return (Sheet("", _take_rows("", rows, limits.rows, limits.rows)),)
    except csv.Error as error:
        raise ParseError(f"not CSV: {error}", f"{name} line {reader.line_num}") from error
    except ParseError as error:
        raise ParseError(str(error), name) from error


def _decode(data: bytes, name: str) -> str:
    if data.startswith(_UTF16):
        raise ParseError("a text in UTF-16: save it as CSV UTF-8", name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            return data.decode("gb18030")
        except UnicodeDecodeError as error:
            raise ParseError("neither UTF-8 nor GB 18030, so no CSV sentinel reads", name) from error


def _choose_delimiter(text: str) -> str:
    """Give what divides the first line that has any of them; a comma when no line near the top has."""
    for line in text[: 64 * 1024].splitlines():
        counts = {mark: line.count(mark) for mark in _DELIMITERS}
        best = max(_DELIMITERS, key=counts.__getitem__)
        if counts[best]:
            return best
    return ","


class _CsvCells(dict[str, Cell]):
    """Cells by their text; equal ones are one object, which a list of 50,000 flaws is mostly made of."""

    def __missing__(self, text: str) -> Cell:
        cell = self[text] = _build_cell(text, is_formula=text.startswith("="))
        return cell


def _build_cell(text: str, *, is_formula: bool) -> Cell:
    line = cut_text(text, MAX_CELL + 1).strip()
    if len(line) > MAX_CELL:
        return Cell(line[:MAX_CELL], is_formula, f"longer than {MAX_CELL} characters")
    if is_formula and (not line or line.startswith("=")):
        return Cell("", is_formula, "a formula without a stored value")
    return Cell(line, is_formula) if line else BLANK


def _take_rows(sheet: str, rows: Iterable[tuple[int, list[Cell]]], left: int, limit: int) -> tuple[TableRow, ...]:
    """Keep the rows that are not blank, without their blank ends.

    Raises:
        ParseError: there are more than `left` of the `limit`.
    """
    kept: list[TableRow] = []
    for number, cells in rows:
        while cells and cells[-1].is_blank:
            cells.pop()
        if cells:
            if len(kept) == left:
                raise ParseError(f"more than {limit} rows")
            kept.append(TableRow(sheet, number, tuple(cells)))
    return tuple(kept)
