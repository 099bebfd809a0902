from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from sentinel.report.workbook import MAX_TEXT, Column, Sheet, write_workbook
from tests.report.facts_factory import NOW


def written(path: Path, *rows: tuple[object, ...], heads: tuple[str, ...] = ("甲", "乙")) -> openpyxl.Workbook:
    sheet = Sheet("表", tuple(Column(head, 12) for head in heads), rows)  # type: ignore[arg-type]  # hostile on purpose
    write_workbook([sheet], path, title="台账", author="学校", now=NOW)
    return openpyxl.load_workbook(path)


@pytest.mark.parametrize("words", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", '=HYPERLINK("http://x","y")'])
def test_write_workbook_when_a_text_looks_like_a_formula_then_it_is_a_quoted_text(tmp_path: Path, words: str) -> None:
    cell = written(tmp_path / "a.xlsx", (words, "x"))["表"]["A2"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (words, "s", True)
    with zipfile.ZipFile(tmp_path / "a.xlsx") as package:
        assert b"<f>" not in package.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("words", ["a\x00b", "\x1b[31m", "\ud800", "\ufffe", "_x0000_", "\u202e", "<a>&amp;"])
def test_write_workbook_when_a_text_is_hostile_then_the_file_still_opens(tmp_path: Path, words: str) -> None:
    page = written(tmp_path / "a.xlsx", (words, "后面"))["表"]
    assert page["B2"].value == "后面"
    assert page["A2"].data_type == "s"


def test_write_workbook_when_a_text_is_long_then_it_is_cut(tmp_path: Path) -> None:
    page = written(tmp_path / "a.xlsx", ("长" * 40_000, ""))["表"]
    assert page["A2"].value == "长" * MAX_TEXT + "…"
    assert page["B2"].value is None


def test_write_workbook_when_times_are_given_then_they_are_real_dates_in_shanghai(tmp_path: Path) -> None:
    page = written(tmp_path / "a.xlsx", (NOW, date(2026, 12, 1)))["表"]
    assert [page[place].value.isoformat() for place in ("A2", "B2")] == ["2026-11-22T09:30:00", "2026-12-01T00:00:00"]
    assert [page["A2"].number_format, page["B2"].number_format] == ["yyyy-mm-dd hh:mm", "yyyy-mm-dd"]


def test_write_workbook_when_it_has_heads_then_they_freeze_filter_and_repeat_on_a4_landscape(tmp_path: Path) -> None:
    page = written(tmp_path / "a.xlsx", ("1", "2"), ("3", "4"))["表"]
    assert (page.freeze_panes, page.auto_filter.ref) == ("B2", "A1:B3")
    assert page.print_title_rows == "$1:$1"
    assert (page.page_setup.orientation, str(page.page_setup.paperSize)) == ("landscape", "9")
    assert page.sheet_properties.pageSetUpPr.fitToPage
    assert page.column_dimensions["A"].width == 12


def test_write_workbook_when_it_is_prose_then_there_is_no_filter(tmp_path: Path) -> None:
    page = written(tmp_path / "a.xlsx", ("说明", "x"), heads=("", ""))["表"]
    assert page["A1"].value == "说明"
    assert page.auto_filter.ref is None
