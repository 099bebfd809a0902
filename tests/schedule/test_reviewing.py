"""A draft made of a map and a register, filled in as a reviewer does, and read back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest

from sentinel.errors import ParseError, RenderError, UsageError
from sentinel.model.whitelist import PeerKind, WhitelistEntry
from sentinel.report.whitelist_sheet import APPROVER, CODE, DECISION, DOCUMENT, HEADS, TITLE, UNTIL, WHY
from sentinel.schedule.context import Context
from sentinel.schedule.drafting import draft_whitelist
from sentinel.schedule.judging import judge_unit
from sentinel.schedule.register_import import import_register
from sentinel.schedule.register_reasons import reason_in_chinese
from sentinel.schedule.reviewing import Review, ReviewOptions, apply_review
from sentinel.store.findings import read_live
from sentinel.store.scopes import read_whitelist, withdraw_whitelist_entry
from tests.homes import NOW, SCHOOL
from tests.schedule.nmapfile import NmapRun, give, host

REGISTER = (
    "系统名称,IP地址,端口,域名,责任部门\n门户,10.0.0.1,80,www.school.example,宣传部\n旧站,10.0.0.9,8080,,图书馆\n"
)
Cells = dict[str, object]


@pytest.fixture
def drafted(context: Context, tmp_path: Path) -> Path:
    """A draft of five lines: telnet to be closed, a web server, an ssh, a name, and what was not seen."""
    give(context, NmapRun((host(1, p80="nginx", p22="ssh"), host(2, p23="telnet")), finished=NOW))
    file = tmp_path / "register.csv"
    file.write_text(REGISTER, encoding="utf-8")
    import_register(context, SCHOOL, file, NOW)
    path = tmp_path / "draft.xlsx"
    draft_whitelist(context, SCHOOL, path)
    return path


def lines(path: Path) -> dict[str, Cells]:
    page = openpyxl.load_workbook(path)[TITLE]
    rows = [dict(zip(HEADS, (cell.value for cell in row), strict=False)) for row in page.iter_rows(min_row=2)]
    return {f"{row['地址或域名']} {row['端口'] or ''}".strip(): row for row in rows}


def fill(path: Path, change: Callable[[str, Cells], None], out: str = "reviewed.xlsx") -> Path:
    """Fill in a draft line by line, as a person does in a spreadsheet, and save it under another name."""
    book = openpyxl.load_workbook(path)
    page = book[TITLE]
    for row in page.iter_rows(min_row=2):
        cells: Cells = dict(zip(HEADS, (cell.value for cell in row), strict=False))
        change(f"{cells['地址或域名']} {cells['端口'] or ''}".strip(), cells)
        for cell, value in zip(row, cells.values(), strict=False):
            cell.value = value
    made = path.with_name(out)
    book.save(made)
    return made


def as_advised(_: str, cells: Cells) -> None:
    cells.update({DECISION: cells["建议"], APPROVER: "网络中心主任", DOCUMENT: "1 号"})


def apply(context: Context, path: Path, **options: object) -> Review:
    return apply_review(context, SCHOOL, path, ReviewOptions(**options))  # type: ignore[arg-type]  # fields by name


def entries(context: Context) -> tuple[WhitelistEntry, ...]:
    return read_whitelist(context.database, SCHOOL.code)


def test_draft_when_made_then_each_line_has_its_advice(drafted: Path) -> None:
    advice = {place: row["建议"] for place, row in lines(drafted).items()}
    assert advice == {
        "10.0.0.2 23": "不放行",
        "10.0.0.1 22": "放行",
        "10.0.0.1 80": "放行",
        "www.school.example": "放行",
        "10.0.0.9 8080": "暂不处理",
    }
    assert lines(drafted)["10.0.0.1 80"]["责任部门"] == "宣传部"


def test_review_when_all_is_as_advised_then_entries_are_in_force_from_now(context: Context, drafted: Path) -> None:
    done = apply(context, fill(drafted, as_advised))
    assert (len(done.entries), done.skipped, done.known, done.undecided, done.rows) == (4, 1, 0, 0, 5)
    assert done.entries == entries(context)
    by_place = {str(one.addresses[0]) + str(one.ports) if one.addresses else one.domain: one for one in done.entries}
    telnet, web = by_place["10.0.0.2/3223"], by_place["10.0.0.1/3280"]
    assert (telnet.is_deny, telnet.peer, telnet.service, telnet.valid_to) == (True, PeerKind.ANY, "", None)
    assert (web.is_deny, web.peer, web.service) == (False, PeerKind.CAMPUS, "http")
    assert (web.reason, web.approved_by, web.document, web.valid_from) == ("门户", "网络中心主任", "1 号", NOW)
    assert web.valid_to is not None
    assert web.valid_to > NOW + timedelta(days=364)


def test_review_when_applied_then_judging_finds_the_forbidden_port_and_nothing_unlisted(
    context: Context, drafted: Path
) -> None:
    apply(context, fill(drafted, as_advised))
    judge_unit(context, SCHOOL)
    told = {(one.key.rule, one.key.subject) for one in read_live(context.database, SCHOOL.code)}
    assert {one for one in told if one[0].startswith("whitelist.")} == {("whitelist.denied-port", "10.0.0.2:23/tcp")}


def test_review_when_applied_twice_then_nothing_changes(context: Context, drafted: Path) -> None:
    file = fill(drafted, as_advised)
    before = apply(context, file).entries
    again = apply(context, file)
    assert (again.entries, again.known, again.skipped, again.refused) == ((), 5, 0, ())
    assert entries(context) == before


def test_review_when_an_entry_was_withdrawn_then_the_same_file_does_not_bring_it_back(
    context: Context, drafted: Path
) -> None:
    file = fill(drafted, as_advised)
    (first, *_) = apply(context, file).entries
    with context.database.transaction("tester", NOW) as transaction:
        withdraw_whitelist_entry(transaction, first.id, "取消")
    assert apply(context, file).entries == ()
    assert first.id not in {one.id for one in entries(context)}


def test_review_when_nothing_is_decided_then_nothing_happens_and_parts_may_follow(
    context: Context, drafted: Path
) -> None:
    assert apply(context, drafted).undecided == 5

    def only_web(place: str, cells: Cells) -> None:
        if place == "10.0.0.1 80":
            as_advised(place, cells)

    done = apply(context, fill(drafted, only_web))
    assert (len(done.entries), done.undecided) == (1, 4)
    assert len(apply(context, fill(drafted, as_advised)).entries) == 3


def test_line_when_skipped_then_it_can_be_decided_later(context: Context, drafted: Path) -> None:
    apply(context, fill(drafted, as_advised))

    def allow_all(_: str, cells: Cells) -> None:
        cells.update({DECISION: "放行", APPROVER: "网络中心主任"})

    done = apply(context, fill(drafted, allow_all))
    assert [str(one.ports) for one in done.entries] == ["8080"]
    (cell,) = done.refused
    assert (cell.title, cell.reason.partition(":")[0]) == (DECISION, "decided before")
    assert reason_in_chinese(cell.reason).startswith("以前已决定为不放行：")


WRONG = [
    ({DECISION: "同意"}, DECISION, "no decision"),
    ({APPROVER: None}, APPROVER, "nobody approved this line"),
    ({APPROVER: "长" * 201}, APPROVER, "longer than 200"),
    ({UNTIL: "明年"}, UNTIL, "no date"),
    ({UNTIL: "2026-01-01"}, UNTIL, "lies in the past"),
    ({DECISION: "=A1"}, DECISION, "a formula without"),
    ({UNTIL: "=A1"}, UNTIL, "a formula without"),
    ({DOCUMENT: "x" * 3000}, DOCUMENT, "longer than 2000"),
    ({"地址或域名": "10.0.0.0/8"}, "地址或域名", "not what the draft says"),
    ({"端口": "1-65535"}, "端口", "not what the draft says"),
    ({"来源": "任意"}, "来源", "not what the draft says"),
    ({CODE: "D9-1-00000000"}, CODE, "no such line"),
    ({CODE: "草案"}, CODE, "no code of a line"),
]


@pytest.mark.parametrize(("wrong", "title", "reason"), WRONG)
def test_line_when_a_cell_is_bad_then_it_is_named_and_the_others_are_taken(
    context: Context, drafted: Path, wrong: Cells, title: str, reason: str
) -> None:
    def change(place: str, cells: Cells) -> None:
        as_advised(place, cells)
        if place == "10.0.0.1 80":
            cells.update(wrong)

    done = apply(context, fill(drafted, change))
    (cell,) = done.refused
    place = list(lines(drafted)).index("10.0.0.1 80") + 2
    column = openpyxl.utils.get_column_letter(HEADS.index(title) + 1)
    assert (cell.row, cell.column, cell.title) == (place, column, title)
    assert cell.reason.startswith(reason)
    assert not reason_in_chinese(cell.reason).isascii()
    assert len(done.entries) == 3


def test_line_when_it_stands_twice_with_different_decisions_then_the_second_is_refused(
    context: Context, drafted: Path
) -> None:
    book = openpyxl.load_workbook(fill(drafted, as_advised))
    page = book[TITLE]
    copied = [cell.value for cell in page[2]]
    page.append([*copied[: HEADS.index(DECISION)], "暂不处理", *copied[HEADS.index(DECISION) + 1 :]])
    page.append(copied)
    book.save(drafted)
    done = apply(context, drafted)
    assert [cell.reason for cell in done.refused] == ["this line stands twice in the sheet with different decisions"]
    assert all("同一行" in reason_in_chinese(cell.reason) for cell in done.refused)
    assert (done.known, len(done.entries)) == (1, 4)


def test_line_when_its_map_changed_then_it_is_told_and_taken_only_when_asked(context: Context, drafted: Path) -> None:
    give(context, NmapRun((host(1, p80="ssh", p22="ssh"), host(2, p23="telnet")), finished=NOW + timedelta(minutes=1)))
    file = fill(drafted, as_advised)
    done = apply(context, file)
    (cell,) = done.changed
    assert (cell.row, cell.title) == (list(lines(drafted)).index("10.0.0.1 80") + 2, CODE)
    assert len(done.entries) == 3
    assert len(apply(context, file, take_changed=True).entries) == 1


def test_cells_when_written_as_people_do_then_they_are_read(context: Context, drafted: Path) -> None:
    def change(place: str, cells: Cells) -> None:
        cells.update({DECISION: " allow", UNTIL: "长期", WHY: "确需 电话13800000000"})
        cells["端口"] = str(cells["端口"] or "").translate({code: code + 0xFEE0 for code in range(0x30, 0x3A)})

    done = apply(context, fill(drafted, change), approved_by="校长办公会", document="3 号")
    assert len(done.entries) == 5
    for one in done.entries:
        assert (one.approved_by, one.document, one.valid_to) == ("校长办公会", "3 号", None)
        assert "13800000000" not in one.reason


def test_marked_copy_when_asked_then_it_holds_what_was_not_taken_and_can_be_mended(
    context: Context, drafted: Path, tmp_path: Path
) -> None:
    def change(place: str, cells: Cells) -> None:
        as_advised(place, cells)
        if place == "10.0.0.1 80":
            cells[DECISION] = "同意"

    marked = tmp_path / "marked.xlsx"
    apply(context, fill(drafted, change), marked=marked)
    assert list(lines(marked)) == ["10.0.0.1 80"]
    done = apply(context, fill(marked, as_advised, "mended.xlsx"))
    assert ([str(one.ports) for one in done.entries], done.refused) == (["80"], ())


def test_marked_copy_when_it_cannot_be_written_then_nothing_is_taken(
    context: Context, drafted: Path, tmp_path: Path
) -> None:
    def change(place: str, cells: Cells) -> None:
        as_advised(place, cells)
        if place == "10.0.0.1 80":
            cells[DECISION] = "同意"

    file = fill(drafted, change)
    with pytest.raises(RenderError):
        apply(context, file, marked=tmp_path / "nowhere" / "marked.xlsx")
    with pytest.raises(UsageError, match="--marked"):
        apply(context, file, marked=tmp_path)
    assert entries(context) == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n", "no head row with 编号 and 决定"),
        (f"{CODE},{DECISION}\nD1-1-00000000,放行\n", "columns are missing: 种类"),
        (",".join(HEADS) + "\nD7-1-00000000,端口\n", "none of its lines is of a draft"),
        (",".join(HEADS) + "\n,端口\n", f"no line below the head has a {CODE}"),
    ],
)
def test_sheet_when_it_is_no_reviewed_draft_then_it_is_refused_whole(
    context: Context, tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ParseError, match=told):
        apply(context, file)
    with pytest.raises(ParseError, match="cannot be read"):
        apply(context, tmp_path / "missing.xlsx")


def test_draft_when_all_was_decided_then_there_is_nothing_to_propose_but_on_request(
    context: Context, drafted: Path, tmp_path: Path
) -> None:
    def allow_all(_: str, cells: Cells) -> None:
        cells.update({DECISION: "放行", APPROVER: "网络中心主任"})

    apply(context, fill(drafted, allow_all))
    with pytest.raises(UsageError, match="nothing to propose"):
        draft_whitelist(context, SCHOOL, tmp_path / "b.xlsx")
    assert not (tmp_path / "b.xlsx").exists()
    assert len(draft_whitelist(context, SCHOOL, tmp_path / "b.xlsx", everything=True)) == 5


def test_draft_when_the_file_cannot_be_written_then_none_is_kept(context: Context, drafted: Path) -> None:
    with pytest.raises(RenderError):
        draft_whitelist(context, SCHOOL, drafted.parent / "nowhere" / "b.xlsx")
    assert context.database.one("SELECT count(*) FROM whitelist_draft") == (1,)


def test_draft_when_the_map_is_empty_then_it_says_what_to_do(context: Context, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="scan first"):
        draft_whitelist(context, SCHOOL, tmp_path / "b.xlsx")
