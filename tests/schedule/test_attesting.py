"""Questions, answers and reviews; the questionnaire out and back in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from openpyxl import load_workbook

from sentinel.errors import ParseError, UsageError
from sentinel.model.attestation import Answer, Attestation, AttestationState
from sentinel.model.control import Basis, GradingObject, Verdict
from sentinel.model.register import KeepOut
from sentinel.report.attest_sheet import ANSWER, BY, DAY, FILES, OBJECT, QUESTION, TITLE, UNIT, UNTIL, WHY
from sentinel.schedule.attest_sheets import import_sheet, write_sheet
from sentinel.schedule.attesting import (
    AnswerDraft,
    ReviewDraft,
    answer_question,
    choose_thing,
    list_asked,
    list_things,
    review_answer,
)
from sentinel.schedule.context import Context
from sentinel.schedule.verdicts import read_verdicts
from sentinel.store.attestations import read_attestations, read_history
from sentinel.store.audit import read_audit
from sentinel.store.declared import write_keep_out
from sentinel.store.evidence import read_evidence
from tests.homes import NOW, SCHOOL, Clock, opened
from tests.schedule.systems import put_system

DAYS = timedelta(days=1)
YES = AnswerDraft("room.fire", Answer.YES, "", "总务处")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def context(tmp_path: Path, clock: Clock) -> Iterator[Context]:
    with opened(tmp_path / "home", clock) as context:
        yield context


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    file = tmp_path / "照片.jpg"
    file.write_bytes(b"picture")
    return file


def whole(context: Context) -> GradingObject:
    return choose_thing(context, SCHOOL, "")


def tell(context: Context, draft: AnswerDraft = YES, system: str = "") -> Attestation:
    return answer_question(context, SCHOOL, choose_thing(context, SCHOOL, system), draft)


def reviewer(context: Context) -> Context:
    return replace(context, actor="reviewer")


def accept(context: Context, told: Attestation) -> Attestation:
    return review_answer(reviewer(context), SCHOOL, told.id, ReviewDraft(True, "校办"))


def verdict(context: Context, clause: str = "PE-05a", system: str = "") -> tuple[Verdict, str]:
    (found,) = (
        one
        for one in read_verdicts(context, SCHOOL, context.clock(), "mlps-l2")
        if one.clause.id == clause and one.system == system
    )
    return found.verdict, found.reason_zh


def test_answer_when_accepted_by_another_with_its_paper_then_the_clause_is_conform(
    context: Context, paper: Path
) -> None:
    told = tell(context, replace(YES, files=(paper, paper)))
    assert told.valid_until == NOW + 365 * DAYS
    assert verdict(context)[0] is Verdict.UNKNOWN
    accept(context, told)
    assert verdict(context) == (Verdict.CONFORM, "人工举证，已审核，有效期至 2027-11-22")
    (kept,) = told.files
    assert read_evidence(context.database, kept.sha256) is not None
    steps = [one.action for one in read_audit(context.database.connection, 2)]
    assert steps == ["attest.review", "attest.answer"]


def test_answer_when_its_time_is_over_then_the_clause_is_unknown_again(
    context: Context, paper: Path, clock: Clock
) -> None:
    accept(context, tell(context, replace(YES, files=(paper,), until=NOW + 10 * DAYS)))
    clock.now = NOW + 9 * DAYS
    assert verdict(context)[0] is Verdict.CONFORM
    clock.now = NOW + 11 * DAYS
    assert verdict(context) == (Verdict.UNKNOWN, "举证已过有效期，待重新举证（问题 room.fire）")


def test_answer_when_it_lacks_its_paper_then_accepting_it_does_not_help(context: Context) -> None:
    accept(context, tell(context))
    assert verdict(context)[1].startswith("已答“是”并经审核，但缺少所要求的材料")


def test_answer_when_given_anew_then_the_old_one_counts_no_more(context: Context, paper: Path) -> None:
    first = tell(context, replace(YES, files=(paper,)))
    accept(context, first)
    second = tell(context, replace(YES, answer=Answer.NO))
    assert verdict(context)[1].startswith("答复“否”待审核")
    with pytest.raises(UsageError, match=f"answer {first.id} was replaced by {second.id}"):
        accept(context, first)
    accept(context, second)
    assert verdict(context)[0] is Verdict.NONCONFORM
    assert len(read_history(context.database, SCHOOL.code)) == 2


@pytest.mark.parametrize(
    ("draft", "why"),
    [
        (replace(YES, question="no.such"), "no such question: 'no.such'"),
        (replace(YES, answer=Answer.NA), "room.fire: say why it does not apply"),
        (replace(YES, by=" "), "say which department or post answers"),
        (replace(YES, by="x" * 61), "at most 60 printable characters"),
        (replace(YES, words="x" * 1001), "at most 1000 printable characters"),
        (replace(YES, words="a\x07"), "at most 1000 printable characters"),
        (replace(YES, until=NOW - DAYS), "the answer has run out already"),
        (replace(YES, until=NOW + 367 * DAYS), "an answer to it holds at most 365 days, to 2027-11-22"),
        (replace(YES, at=NOW + DAYS), "the answer is dated in the future"),
        (replace(YES, at=NOW - 366 * DAYS), "or more than 365 days back"),
    ],
)
def test_answer_when_something_is_wrong_then_it_is_refused_and_nothing_is_kept(
    context: Context, draft: AnswerDraft, why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        tell(context, draft)
    assert read_attestations(context.database, SCHOOL.code) == ()


def test_answer_when_it_names_a_person_by_number_then_the_number_is_hidden(context: Context) -> None:
    told = tell(context, replace(YES, words="电话 13800000001", by="总务处"))
    assert told.words == "电话 138****0001"


def test_answer_when_dated_back_then_it_holds_from_that_day(context: Context) -> None:
    told = tell(context, replace(YES, at=NOW - 100 * DAYS))
    assert told.valid_until == NOW + 265 * DAYS


def test_review_when_the_same_account_does_it_then_it_must_say_so_and_that_is_recorded(context: Context) -> None:
    told = tell(context)
    with pytest.raises(UsageError, match="given by the same account or post"):
        review_answer(context, SCHOOL, told.id, ReviewDraft(True, "校办"))
    with pytest.raises(UsageError, match="given by the same account or post"):
        review_answer(reviewer(context), SCHOOL, told.id, ReviewDraft(True, "总务处"))
    review_answer(context, SCHOOL, told.id, ReviewDraft(True, "校办", same_person=True))
    (found,) = read_attestations(context.database, SCHOOL.code)
    assert (found.state, found.same_person) == (AttestationState.ACCEPTED, True)
    assert json.loads(next(read_audit(context.database.connection, 1)).after or "{}")["same_person"] is True


def test_review_when_another_one_says_same_person_then_it_is_not_recorded_as_such(context: Context) -> None:
    told = tell(context)
    done = review_answer(reviewer(context), SCHOOL, told.id, ReviewDraft(True, "校办", same_person=True))
    assert not done.same_person


@pytest.mark.parametrize(
    ("draft", "why"),
    [
        (ReviewDraft(False, "校办"), "--text: say why it is returned"),
        (ReviewDraft(True, ""), "--by: say which department or post reviews"),
        (ReviewDraft(True, "x" * 61), "--by: at most 60"),
    ],
)
def test_review_when_words_are_missing_then_it_is_refused(context: Context, draft: ReviewDraft, why: str) -> None:
    told = tell(context)
    with pytest.raises(UsageError, match=why):
        review_answer(reviewer(context), SCHOOL, told.id, draft)


def test_review_when_done_then_it_is_not_done_again(context: Context) -> None:
    told = tell(context)
    review_answer(reviewer(context), SCHOOL, told.id, ReviewDraft(False, "校办", "缺页"))
    assert verdict(context)[1].startswith("答复已退回")
    with pytest.raises(UsageError, match="is returned already"):
        accept(context, told)
    with pytest.raises(UsageError, match="no such answer: 99"):
        review_answer(context, SCHOOL, 99, ReviewDraft(True, "校办"))


def test_asked_when_listed_then_systems_are_asked_their_own_and_the_unit_everything(context: Context) -> None:
    put_system(context, "门户网站", 2)
    put_system(context, "关键系统", 3, cii=True)
    put_system(context, "未定级", None)
    things = list_things(context, SCHOOL)
    assert [one.system for one in things] == ["门户网站", ""]
    asked = list_asked(context, SCHOOL, things)
    of_system = {one.question.id for one in asked if one.thing.system}
    of_unit = {one.question.id for one in asked if not one.thing.system}
    assert {"login.lockout", "ipv6.address"} <= of_system
    assert "room.fire" not in of_system
    assert {"room.fire", "duty.list", "login.lockout"} <= of_unit
    fire = next(one for one in asked if one.question.id == "room.fire")
    assert fire.clauses == ("mlps-l2 PE-05a", "mlps-l3 PE-05a", "high-risk 6.1.2.1")
    assert not any(one.counts for one in asked)
    assert [one.system for one in list_things(context, SCHOOL, cii=True)] == ["门户网站", "关键系统", ""]


def test_asked_when_a_system_answered_a_question_of_the_unit_then_it_is_listed_with_it(context: Context) -> None:
    put_system(context, "门户网站", 2)
    tell(context, YES, "门户网站")
    (found,) = (one for one in list_asked(context, SCHOOL, list_things(context, SCHOOL)) if one.told is not None)
    assert (found.thing.system, found.question.id) == ("门户网站", "room.fire")


def test_thing_when_no_system_of_that_name_has_a_level_then_it_is_refused(context: Context) -> None:
    put_system(context, "未定级", None)
    with pytest.raises(UsageError, match="no grading object '未定级'"):
        choose_thing(context, SCHOOL, "未定级")


def fill(path: Path, *rows: dict[str, object]) -> None:
    """Write answers into a questionnaire, each row found by its object and question."""
    book = load_workbook(path)
    page = book[TITLE]
    columns = {cell.value: cell.column for cell in page[1]}
    for wanted in rows:
        for row in range(2, page.max_row + 1):
            here = [page.cell(row, columns[head]).value for head in (OBJECT, QUESTION)]
            if here == [wanted.get(OBJECT, UNIT), wanted[QUESTION]]:
                for head, value in wanted.get("write", wanted).items():  # type: ignore[union-attr]
                    page.cell(row, columns[head]).value = value
    book.save(path)


@pytest.fixture
def sheet(context: Context, tmp_path: Path) -> Path:
    put_system(context, "门户网站", 2)
    path = tmp_path / "问卷.xlsx"
    count = write_sheet(context, SCHOOL, list_things(context, SCHOOL), path)
    assert count == load_workbook(path)[TITLE].max_row - 1
    return path


def test_sheet_when_filled_in_then_good_rows_are_taken_and_each_bad_cell_is_named(
    context: Context, sheet: Path, paper: Path
) -> None:
    fill(
        sheet,
        {QUESTION: "room.fire", ANSWER: "是", FILES: paper.name, BY: "总务处", DAY: "2026-11-20", UNTIL: "2027-06-30"},
        {QUESTION: "login.lockout", OBJECT: "门户网站", ANSWER: "否", WHY: "没有锁定", BY: "信息中心"},
        {QUESTION: "room.floor", ANSWER: "不知道", FILES: "没有.pdf", UNTIL: "明年"},
        {QUESTION: "room.ups", ANSWER: "不适用", BY: "总务处"},
        {QUESTION: "room.hvac", ANSWER: "是", BY: "总务处", UNTIL: "2030-01-01"},
        {QUESTION: "room.grounding", ANSWER: "是", BY: "总务处", DAY: "2027-01-01"},
        {QUESTION: "room.labels", ANSWER: "是", BY: "=1+1"},
        {QUESTION: "room.rain", ANSWER: "是", BY: "总务处", FILES: "../照片.jpg"},
        {QUESTION: "doc.rules", "write": {QUESTION: "doc.nosuch", ANSWER: "是", BY: "校办"}},
        {QUESTION: "doc.policy", "write": {OBJECT: "别的系统", ANSWER: "是", BY: "校办"}},
    )
    done = import_sheet(context, SCHOOL, sheet, sheet.parent, sheet.parent / "退回.xlsx")
    assert [(thing.system, one.question, one.answer) for thing, one in done.answers] == [
        ("门户网站", "login.lockout", Answer.NO),
        ("", "room.fire", Answer.YES),
    ]
    fire = done.answers[1][1]
    assert (fire.at.isoformat(), [one.name for one in fire.files]) == ("2026-11-20T12:00:00+08:00", ["照片.jpg"])
    assert fire.valid_until.isoformat() == "2027-06-30T23:59:59.999999+08:00"
    assert sorted((one.title, one.reason[:9]) for one in done.refused) == sorted(
        [
            (ANSWER, "no answer"),
            (FILES, "no such f"),
            (UNTIL, "no date ("),
            (BY, "say which"),
            (WHY, "say why i"),
            (UNTIL, "an answer"),
            (DAY, "the answe"),
            (BY, "a formula"),
            (FILES, "no such f"),
            (QUESTION, "no such q"),
            (OBJECT, "no such g"),
        ]
    )
    assert len({one.row for one in done.refused}) == 8
    assert all(one.row > 1 and one.column.isalpha() and one.sheet == TITLE for one in done.refused)
    assert load_workbook(sheet.parent / "退回.xlsx")[TITLE].max_row == 9
    assert done.rows == done.blank + 2 + 8


def test_sheet_when_read_twice_then_nothing_is_added(context: Context, sheet: Path) -> None:
    fill(sheet, {QUESTION: "room.fire", ANSWER: "部分", WHY: "待改", BY: "总务处"})
    first, again = (import_sheet(context, SCHOOL, sheet, sheet.parent) for _ in range(2))
    assert (len(first.answers), len(again.answers), again.known) == (1, 0, 1)
    assert len(read_history(context.database, SCHOOL.code)) == 1


def test_sheet_when_a_question_stands_twice_then_the_second_is_refused(context: Context, sheet: Path) -> None:
    fill(
        sheet,
        {QUESTION: "room.fire", ANSWER: "是", BY: "总务处"},
        {QUESTION: "room.floor", "write": {QUESTION: "room.fire", ANSWER: "否", BY: "总务处"}},
    )
    done = import_sheet(context, SCHOOL, sheet, sheet.parent)
    assert len(done.answers) == 1
    assert [one.reason for one in done.refused] == ["this question stands twice for the same object"]


def test_sheet_when_its_columns_were_changed_then_it_is_refused_as_a_whole(context: Context, sheet: Path) -> None:
    book = load_workbook(sheet)
    book[TITLE].delete_cols(7)
    book.save(sheet)
    with pytest.raises(ParseError, match="columns are missing: 说明"):
        import_sheet(context, SCHOOL, sheet, sheet.parent)
    other = sheet.with_name("别的.csv")
    other.write_text("甲,乙\n1,2\n")
    with pytest.raises(ParseError, match="this is no sheet `attest sheet` wrote"):
        import_sheet(context, SCHOOL, other, sheet.parent)
    with pytest.raises(ParseError, match="cannot be read"):
        import_sheet(context, SCHOOL, sheet.with_name("没有.xlsx"), sheet.parent)


def test_sheet_when_it_tells_an_address_that_must_stay_out_then_nothing_is_taken(
    context: Context, sheet: Path, paper: Path
) -> None:
    with context.database.transaction("tester", NOW) as transaction:
        write_keep_out(transaction, KeepOut(0, SCHOOL.code, (ip_network("10.99.0.0/24"),), "x"))
        transaction.audit("test", "x")
    fill(sheet, {QUESTION: "room.fire", ANSWER: "部分", WHY: "见 10.99.0.5", BY: "总务处"})
    with pytest.raises(ParseError):
        import_sheet(context, SCHOOL, sheet, sheet.parent)
    paper.write_text("10.99.0.7")
    fill(sheet, {QUESTION: "room.fire", ANSWER: "是", WHY: "", FILES: paper.name, BY: "总务处"})
    done = import_sheet(context, SCHOOL, sheet, sheet.parent)
    assert [one.reason for one in done.refused] == ["a paper is empty, too large, or tells what must stay out"]
    assert read_attestations(context.database, SCHOOL.code) == ()


def test_sheet_when_its_papers_are_too_large_together_then_the_rest_is_refused(
    context: Context, sheet: Path, paper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sentinel.schedule.attest_sheets.MOST_BYTES", 10)
    fill(
        sheet,
        {QUESTION: "room.fire", ANSWER: "是", FILES: paper.name, BY: "总务处"},
        {QUESTION: "room.floor", ANSWER: "是", FILES: paper.name, BY: "总务处"},
    )
    done = import_sheet(context, SCHOOL, sheet, sheet.parent)
    assert len(done.answers) == 1
    assert [one.reason[:31] for one in done.refused] == ["the papers of this sheet are to"]


def test_sheet_when_one_row_names_too_many_papers_then_only_that_row_is_refused(context: Context, sheet: Path) -> None:
    names = [f"{number}.txt" for number in range(21)]
    for name in names:
        (sheet.parent / name).write_text(name)
    fill(sheet, {QUESTION: "room.fire", ANSWER: "是", FILES: "、".join(names), BY: "总务处"})
    done = import_sheet(context, SCHOOL, sheet, sheet.parent)
    assert [one.title for one in done.refused] == [FILES]


def test_semi_clause_when_attested_for_a_system_then_only_that_system_has_it(context: Context, paper: Path) -> None:
    put_system(context, "门户网站", 2)
    put_system(context, "一卡通", 2)
    accept(context, tell(context, AnswerDraft("login.lockout", Answer.YES, "", "信息中心", files=(paper,)), "门户网站"))
    found = {
        one.system: (one.verdict, one.basis)
        for one in read_verdicts(context, SCHOOL, NOW, "mlps-l2")
        if one.clause.id == "CE-01b"
    }
    assert found == {
        "门户网站": (Verdict.CONFORM, (Basis.ATTESTED,)),
        "一卡通": (Verdict.UNKNOWN, (Basis.NONE,)),
        "": (Verdict.UNKNOWN, (Basis.NONE,)),
    }
