from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from sentinel.report.sheet_forms import (
    Form,
    FormColumn,
    MarkedRow,
    MarkedSheet,
    write_form,
    write_marked,
)

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
FORMS = (
    Form(
        "系统", (FormColumn("名称", 20, "必填", required=True, example="甲"), FormColumn("结论", 9, "选", ("好", "坏")))
    ),
    Form("主机", (FormColumn("地址", 20), FormColumn("备注", 9)), (("10.0.0.1", "=1+1"), ("10.0.0.2", ""))),
)


@pytest.fixture
def form(tmp_path: Path) -> Path:
    write_form(FORMS, (("怎样填", "一行一个"),), tmp_path / "a.xlsx", "表", NOW)
    return tmp_path / "a.xlsx"


def formulas(path: Path) -> int:
    with ZipFile(path) as package:
        return sum(package.read(one).count(b"<f>") for one in package.namelist() if "worksheets/sheet" in one)


def test_form_when_written_has_its_heads_notes_lists_and_text_cells(form: Path) -> None:
    book = load_workbook(form)
    assert book.sheetnames == ["系统", "主机", "填写示例", "填写说明"]
    page = book["系统"]
    assert [cell.value for cell in page[1]] == ["名称*", "结论"]
    assert page["A1"].comment.text == "必填"
    assert page["A1"].fill.fgColor.rgb != page["B1"].fill.fgColor.rgb
    (listed,) = page.data_validations.dataValidation
    assert (listed.formula1, str(listed.sqref), listed.showErrorMessage) == ('"好,坏"', "B2:B2001", True)
    assert page["A7"].number_format == "@"
    assert page.freeze_panes == "B2"
    assert page.page_setup.orientation == "landscape"


def test_form_when_written_shows_its_examples_and_explains_each_column(form: Path) -> None:
    book = load_workbook(form)
    texts = [cell.value for row in book["填写示例"].iter_rows() for cell in row if cell.value]
    assert {"甲", "10.0.0.1", "10.0.0.2", "=1+1"} <= set(texts)
    guide = {row[0].value: (row[1].value, row[2].value) for row in book["填写说明"].iter_rows()}
    assert guide["怎样填"] == ("一行一个", None)
    assert guide["名称（必填）"] == ("必填", None)
    assert guide["结论"] == ("选", "好、坏")
    assert formulas(form) == 0


def test_marked_copy_when_written_colours_and_explains_bad_cells_and_computes_nothing(tmp_path: Path) -> None:
    rows = (
        MarkedRow(7, ("=cmd|x!A1", "坏", ""), {2: "只能填 好"}),
        MarkedRow(9, ("-1",), {1: "不是地址", 3: "没有日期"}, taken=True),
        MarkedRow(11, ("a\x00b", "c", "d"), {0: "什么都没有"}),
    )
    write_marked(
        (MarkedSheet("系统", ("名称", "结论", "日期"), rows), MarkedSheet("", ("名称",), ())),
        tmp_path / "b.xlsx",
        "x",
        NOW,
    )
    book = load_workbook(tmp_path / "b.xlsx")
    assert book.sheetnames == ["系统", "台账"]
    page = book["系统"]
    assert [cell.value for cell in page[1]] == ["名称", "结论", "日期", "原表行号", "错误说明"]
    assert [cell.value for cell in page[2]] == ["=cmd|x!A1", "坏", None, 7, "该行未登记：只能填 好"]
    assert page["A2"].data_type == "s"
    assert page["A2"].quotePrefix
    assert page["B2"].comment.text == "只能填 好"
    assert page["A2"].comment is None
    assert "该行已登记" in page["A3"].comment.text
    assert page["A3"].fill.fgColor.rgb != page["B2"].fill.fgColor.rgb
    assert page["C3"].comment is not None
    assert page["E4"].value == "该行未登记：什么都没有"
    assert "\x00" not in page["A4"].value
    assert formulas(tmp_path / "b.xlsx") == 0
