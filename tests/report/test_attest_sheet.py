"""The sheets of a questionnaire."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from openpyxl import load_workbook

from sentinel.model.attestation import Answer, Attestation, AttestationState
from sentinel.model.control import Question
from sentinel.report.attest_sheet import ANSWER, HEADS, TITLE, UNIT, SheetLine, build_marked, build_sheets
from sentinel.report.workbook import write_workbook

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
QUESTION = Question("room.fire", "=有消防吗？", "Fire?", ("yes", "no"), "照片", 365, "unit")
TOLD = Attestation(1, "u", 0, "room.fire", Answer.PARTLY, "", "总务处", "a", NOW, NOW, state=AttestationState.RETURNED)


def test_sheets_when_built_then_each_question_has_its_row_and_what_stands(tmp_path: Path) -> None:
    sheets = build_sheets("示例学校", [SheetLine("", QUESTION, None), SheetLine("门户", QUESTION, TOLD)], NOW)
    write_workbook(sheets, tmp_path / "a.xlsx", title="t", author="a", now=NOW)
    book = load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == [TITLE, "填表说明"]
    first, second = ([cell.value for cell in row] for row in book[TITLE].iter_rows(min_row=2))
    assert first[:5] == [UNIT, "room.fire", "=有消防吗？", "照片", None]
    assert second[:5] == ["门户", "room.fire", "=有消防吗？", "照片", "部分，已退回，至 2026-11-22"]
    assert set(first[5:]) == {None}
    assert book[TITLE]["C2"].data_type == "s", "what looks like a formula is a text"
    (choices,) = book[TITLE].data_validations.dataValidation
    assert choices.formula1 == '"是,部分,否,不适用"'
    words = [row[1].value for row in book["填表说明"].iter_rows()]
    assert words[0] == "示例学校"
    assert any("另一人审核" in one for one in words)


def test_marked_when_built_then_bad_cells_are_named_in_words(tmp_path: Path) -> None:
    cells = [f"格{number}" for number in range(len(HEADS))]
    sheets = build_marked([(cells, {HEADS.index(ANSWER): "不是答复", -1: "整行"})])
    write_workbook(sheets, tmp_path / "a.xlsx", title="t", author="a", now=NOW)
    page = load_workbook(tmp_path / "a.xlsx")[TITLE]
    row = [cell.value for cell in page[2]]
    assert row[:-1] == cells
    assert row[-1] == "整行；答复：不是答复"
