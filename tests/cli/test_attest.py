"""`attest`: questions, answers with papers, reviews by somebody else, the questionnaire out and back in."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.cli.command import Sentinel


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    file = tmp_path / "照片.jpg"
    file.write_bytes(b"picture")
    return file


def clause(sentinel: Sentinel, name: str = "PE-05a") -> tuple[str, list[str]]:
    rows = {row["clause"]: row for row in sentinel.rows("check", "--catalogue", "mlps-l2")}
    return rows[name]["verdict"], rows[name]["basis"]


def test_answer_when_reviewed_then_the_clause_is_conform_and_the_history_shows_all(
    sentinel: Sentinel, paper: Path
) -> None:
    answer = ("attest", "answer", "room.fire", "--answer", "yes", "--by", "总务处", "--file", paper)
    (told,) = sentinel.rows(*answer)
    assert (told["state"], told["answer"], [one["name"] for one in told["files"]]) == ("pending", "yes", ["照片.jpg"])
    assert clause(sentinel) == ("unknown", ["none"])
    review = ("attest", "review", told["id"], "--accept", "--by", "校办")
    assert "same account or post" in sentinel.run(*review, expect=2).complaint
    (done,) = sentinel.rows(*review, "--same-person")
    assert (done["state"], done["same_person"], done["reviewer_by"]) == ("accepted", True, "校办")
    assert clause(sentinel) == ("conform", ["attested"])
    people = sentinel.run("attest", "show", "room.fire").out
    assert "照片.jpg" in people
    assert "答复与审核为同一人" in people
    (row,) = sentinel.rows("attest", "show", "room.fire")
    assert row["id"] == told["id"]


def test_answer_when_its_paper_is_missing_then_people_are_told(sentinel: Sentinel) -> None:
    out = sentinel.run("attest", "answer", "room.fire", "--answer", "yes", "--by", "总务处").out
    assert "没有附材料" in out
    out = sentinel.run("attest", "review", 1, "--return", "--by", "校办", "--same-person", "--text", "缺照片").out
    assert "已退回（答复与审核为同一人，已记录）" in out
    assert "已退回" in sentinel.run("attest", "show", "room.fire").out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("answer", "room.fire", "--answer", "maybe", "--by", "x"), "--answer: 'maybe' is none of yes, partly, no, na"),
        (("answer", "room.fire", "--answer", "", "--by", "x"), "--answer: what is answered?"),
        (("answer", "no.such", "--answer", "no", "--by", "x"), "no such question: 'no.such'"),
        (("answer", "room.fire", "--answer", "na", "--by", "x"), "say why it does not apply"),
        (("review", "1", "--by", "x"), "say either --accept or --return"),
        (("review", "1", "--by", "x", "--accept"), "no such answer: 1"),
        (("list", "--system", "没有"), "no grading object '没有'"),
        (("show", "no.such"), "no such question"),
        (("sheet", "--out", "a.xlsx", "--all", "--system", "x"), "say either --system or --all"),
    ],
)
def test_attest_when_used_wrongly_then_one_line_says_so(
    sentinel: Sentinel, words: tuple[str, ...], complaint: str
) -> None:
    assert complaint in sentinel.run("attest", *words, expect=2).complaint


def test_list_when_asked_then_every_question_is_listed_with_how_it_stands(sentinel: Sentinel) -> None:
    rows = sentinel.rows("attest", "list")
    assert {"room.fire", "duty.list", "ipv6.address", "crypto.sm"} <= {row["question"] for row in rows}
    assert all(row["wanted"] and row["clauses"] and row["told"] is None and not row["counts"] for row in rows)
    sentinel.run("attest", "answer", "room.floor", "--answer", "no", "--by", "总务处")
    sentinel.run("attest", "review", 1, "--accept", "--by", "校办", "--same-person")
    still = {row["question"] for row in sentinel.rows("attest", "list", "--open")}
    assert still == {row["question"] for row in rows} - {"room.floor"}
    assert "未答复" in sentinel.run("attest", "list").out


def test_sheet_when_filled_in_then_good_rows_are_read_and_bad_cells_named(
    sentinel: Sentinel, paper: Path, tmp_path: Path
) -> None:
    register = tmp_path / "systems.csv"
    register.write_text("系统名称,IP地址,责任部门,业务信息安全等级\n门户网站,192.0.2.1,信息中心,二级\n")
    sentinel.run("register", "import", register)
    sheet = tmp_path / "问卷.xlsx"
    assert "门户网站" not in sentinel.run("attest", "sheet", "--out", sheet).out
    (made,) = sentinel.rows("attest", "sheet", "--all", "--out", sheet)
    book = load_workbook(sheet)
    page = book["自查问卷"]
    columns = {cell.value: cell.column for cell in page[1]}
    rows = {(page.cell(row, 1).value, page.cell(row, 2).value): row for row in range(2, page.max_row + 1)}
    assert made["questions"] == len(rows)
    good, bad = rows["（单位整体）", "room.fire"], rows["门户网站", "login.lockout"]
    for row, cells in (
        (good, {"答复": "是", "材料文件": paper.name, "答复部门或岗位": "总务处"}),
        (bad, {"答复": "是"}),
    ):
        for head, value in cells.items():
            page.cell(row, columns[head]).value = value
    book.save(sheet)
    marked = tmp_path / "退回.xlsx"
    done = sentinel.run("attest", "import", sheet, "--marked", marked, expect=3)
    assert f"第 {bad} 行" in done.err
    assert "没有写答复部门或岗位" in done.err
    assert "新答复 1 个" in done.out
    assert marked.exists()
    *told, summary = sentinel.rows("attest", "import", sheet, "--files", tmp_path, expect=3)
    assert [one["event"] for one in told] == ["refused"]
    assert (summary["summary"]["known"], summary["summary"]["refused"]) == (1, 1)
