"""A unit's own register: messy sheets in, lines out; what is withdrawn when a newer one comes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from sentinel.errors import ParseError, UsageError
from sentinel.model.register import Person, RegisterEntry
from sentinel.schedule.columns import Field
from sentinel.schedule.context import Context
from sentinel.schedule.mappings import parse_said
from sentinel.schedule.register_import import RegisterImport, import_register
from sentinel.schedule.vocabularies import REGISTER
from sentinel.store.mappings import read_mappings
from sentinel.store.register import read_register, withdraw_register
from tests.homes import NOW, SCHOOL
from tests.schedule.messy import PERSON, PHONE, ROWS, write_messy


@pytest.fixture(autouse=True)
def _own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    return write_messy(tmp_path / "资产台账.xlsx")


def give(context: Context, path: Path, **options: object) -> RegisterImport:
    return import_register(context, SCHOOL, path, NOW, **options)  # type: ignore[arg-type]


def give_rows(
    context: Context, path: Path, *rows: str, head: str = "系统名称,IP地址,端口,责任人", **more: object
) -> RegisterImport:
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    return give(context, path, **more)


def in_force(context: Context) -> tuple[RegisterEntry, ...]:
    return read_register(context.database, SCHOOL.code, context.load_seal())


def systems(context: Context) -> list[str]:
    return [line.system for line in in_force(context)]


def test_messy_workbook_gives_every_line(context: Context, messy: Path) -> None:
    done = give(context, messy)
    assert not done.refused
    assert not done.passed_over
    first, second, third, fourth, fifth, last = in_force(context)
    assert [str(one) for one in first.addresses] == ["10.1.0.5/32", "10.1.0.6/32"]
    assert first.domains == ("jw.school.example",)
    assert [(proto, str(ports)) for proto, ports in first.ports] == [("tcp", "80,443,8080")]
    assert first.person == Person(PERSON, PHONE)
    assert (first.mlps_level, first.place, first.note) == ("二级", "主楼机房", "联系138****1234")
    assert (second.system, second.department) == ("教务系统", "教务处"), "merged cells speak for the rows they span"
    assert [str(one) for one in second.addresses] == ["10.1.0.8/31"]
    assert [str(one) for one in third.addresses] == ["10.1.0.10/32", "202.0.2.10/32"]
    assert third.person == Person("王五", "13812345678")
    assert [str(one) for one in fourth.addresses] == ["10.1.0.50/32", "10.1.0.51/32"]
    assert (fifth.addresses, fifth.domains) == ((), ("site.school.example",))
    assert (last.system, last.addresses, last.domains, last.person) == ("只有名字的系统", (), (), Person())
    assert (first.sheet, first.row, first.source) == ("服务器", 5, "资产台账.xlsx")


def test_dates_of_every_form_are_the_same_day(context: Context, messy: Path) -> None:
    give(context, messy)
    day, month = datetime(2026, 1, 4, 16, tzinfo=UTC), datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert [line.valid_from for line in in_force(context)] == [day, day, month, day, day, None]


def test_columns_are_shown_with_what_they_were_taken_for(context: Context, messy: Path) -> None:
    done = give(context, messy, dry_run=True)
    shown = {one.title: one.field for one in done.columns}
    assert (shown["IP地址"], shown["访问网址"], shown["姓名"]) == (Field.ADDRESS, Field.DOMAIN, Field.PERSON)
    assert shown["序号"] is None
    assert {one.sheet for one in done.columns} == {"服务器"}, "hidden sheets and notes are not read"


def test_dry_run_stores_nothing_and_makes_no_key(context: Context, messy: Path, tmp_path: Path) -> None:
    done = give(context, messy, dry_run=True)
    assert (len(done.lines), done.added, in_force(context)) == (6, (), ())
    assert not (tmp_path / "config").exists()


def test_nobody_is_found_in_the_home_without_the_key(context: Context, messy: Path) -> None:
    give(context, messy)
    for file in context.home.var.rglob("*"):
        data = file.read_bytes() if file.is_file() else b""
        assert PERSON.encode() not in data, file
        assert PHONE.encode() not in data, file


def test_same_file_again_changes_nothing(context: Context, messy: Path) -> None:
    give(context, messy)
    before = in_force(context)
    done = give(context, messy)
    assert (done.added, done.known, done.withdrawn, done.kept) == ((), 6, (), 0)
    assert in_force(context) == before


def test_gbk_csv_says_the_same_as_utf8(context: Context, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes("系统名称,IP地址\r\n教务系统,10.1.0.5\r\n".encode("gb18030"))
    give(context, file)
    assert systems(context) == ["教务系统"]


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ("门户,10.1.0.300,80,", "B2"),
        ("门户,10.1.0.5/24,80,", "B2"),
        (",,80,某人", "A2"),
    ],
)
def test_bad_row_is_named_and_the_others_are_taken(context: Context, tmp_path: Path, row: str, place: str) -> None:
    done = give_rows(context, tmp_path / "a.csv", row, "教务,10.1.0.5,80,")
    assert [f"{one.column}{one.row}" for one in done.refused] == [place]
    assert systems(context) == ["教务"]
    assert "某人" not in str(done.refused)


def test_cell_beside_the_place_that_cannot_be_read_does_not_cost_the_line(context: Context, tmp_path: Path) -> None:
    head = "系统名称,IP地址,端口,上线时间"
    done = give_rows(context, tmp_path / "a.csv", "教务,10.1.0.5,很多,去年", head=head)
    assert [one.column for one in done.passed_over] == ["C", "D"]
    assert [(line.system, line.ports, line.valid_from) for line in in_force(context)] == [("教务", (), None)]


def test_head_repeated_on_each_page_and_footers_are_no_lines(context: Context, tmp_path: Path) -> None:
    head = "系统名称,IP地址,端口,责任人"
    rows = ("教务,10.1.0.5,80,某人", head, "门户,10.1.0.6,80,", "合计：2,,,", "填表人：某人,,,", "备注：略,,,")
    give_rows(context, tmp_path / "a.csv", *rows, head=head)
    assert systems(context) == ["教务", "门户"]


def test_system_whose_name_begins_like_a_footer_is_a_line(context: Context, tmp_path: Path) -> None:
    give_rows(context, tmp_path / "a.csv", "审核系统,,,", "合计系统,,,", "审核,10.1.0.5,80,")
    assert systems(context) == ["审核系统", "合计系统", "审核"]


def test_formula_without_a_value_is_named(context: Context, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["系统名称", "IP地址"])
    sheet.append(["教务", "=A1"])
    book.save(tmp_path / "a.xlsx")
    assert [one.reason for one in give(context, tmp_path / "a.xlsx").refused] == ["a formula without a stored value"]


def test_newer_version_of_the_same_name_withdraws_what_it_no_longer_says(context: Context, tmp_path: Path) -> None:
    file = tmp_path / "台账.csv"
    give_rows(context, file, "甲,10.1.0.1,,", "乙,10.1.0.2,,", "丙,10.1.0.3,,")
    done = give_rows(context, file, "甲,10.1.0.1,,", "乙,10.1.0.2,80,", "丁,10.1.0.4,,")
    assert (len(done.added), done.known, len(done.withdrawn), done.why) == (2, 1, 2, "newer")
    assert sorted(systems(context)) == ["丁", "乙", "甲"]


def test_other_sheet_of_the_same_name_withdraws_nothing(context: Context, tmp_path: Path) -> None:
    file = tmp_path / "台账.csv"
    give_rows(context, file, "甲,10.1.0.1,,", "乙,10.1.0.2,,")
    done = give_rows(context, file, "丁,10.2.0.4,,")
    assert (done.kept, done.withdrawn, done.why) == (2, (), "namesake")
    assert systems(context) == ["甲", "乙", "丁"]


def test_newer_version_with_a_bad_row_withdraws_nothing(context: Context, tmp_path: Path) -> None:
    file = tmp_path / "台账.csv"
    give_rows(context, file, "甲,10.1.0.1,,", "乙,10.1.0.2,,")
    done = give_rows(context, file, "甲,10.1.0.1,,", "乙,10.1.0.222222,,")
    assert (done.kept, done.withdrawn, done.why) == (1, (), "refused")


def test_file_of_another_name_withdraws_only_what_it_is_said_to_replace(context: Context, tmp_path: Path) -> None:
    give_rows(context, tmp_path / "十月.csv", "甲,10.1.0.1,,")
    give_rows(context, tmp_path / "别处.csv", "乙,10.1.0.2,,")
    assert give_rows(context, tmp_path / "十一月.csv", "丙,10.1.0.3,,").withdrawn == ()
    done = give_rows(context, tmp_path / "十二月.csv", "丁,10.1.0.4,,", replaces="十月.csv")
    assert [line.system for line in done.withdrawn] == ["甲"]
    assert sorted(systems(context)) == ["丁", "丙", "乙"]
    with pytest.raises(UsageError, match="--replace"):
        give(context, tmp_path / "十二月.csv", replaces="从来没有.csv")


def test_line_withdrawn_by_hand_comes_back_with_its_file(context: Context, tmp_path: Path) -> None:
    file = tmp_path / "台账.csv"
    (line,) = give_rows(context, file, "甲,10.1.0.1,,").added
    with context.database.transaction("tester", NOW) as transaction:
        withdraw_register(transaction, [line.id])
        transaction.audit("register.withdraw", "test")
    give(context, file)
    assert systems(context) == ["甲"]


def said(*texts: str) -> dict[str, Field | None]:
    return parse_said(texts, REGISTER)


def test_corrected_column_is_kept_for_the_next_sheet_with_these_heads(context: Context, tmp_path: Path) -> None:
    head = "系统名称,甲列,IP地址"
    give_rows(context, tmp_path / "a.csv", "教务,信息中心,10.1.0.1", head=head, said=said("甲列=责任部门"))
    done = give_rows(context, tmp_path / "b.csv", "门户,宣传部,10.1.0.2", head=head)
    assert [line.department for line in in_force(context)] == ["信息中心", "宣传部"]
    assert [one.corrected for one in done.columns] == [False, True, False]
    give_rows(context, tmp_path / "c.csv", "别的,某处,10.1.0.3", head="系统名称,甲列,IP地址,端口")
    assert [line.department for line in in_force(context)][-1] == "", "other heads, another form"
    assert [dict(one.columns) for one in read_mappings(context.database, SCHOOL.code)] == [{"甲列": "department"}]


def test_same_file_read_anew_after_a_correction_replaces_what_was_read_wrongly(
    context: Context, tmp_path: Path
) -> None:
    file = tmp_path / "a.csv"
    give_rows(context, file, "教务,10.1.0.1,10.2.0.1", head="系统名称,IP地址,管理地址")
    assert [len(line.addresses) for line in in_force(context)] == [2]
    done = give(context, file, said=said("管理地址="))
    assert (len(done.withdrawn), done.why) == (1, "same")
    assert [[str(one) for one in line.addresses] for line in in_force(context)] == [["10.1.0.1/32"]]


def test_sheet_nobody_understands_is_read_once_its_columns_are_named(context: Context, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("甲,乙\n教务,10.1.0.1\n", encoding="utf-8")
    with pytest.raises(ParseError, match="--map"):
        give(context, file)
    give(context, file, said=said("甲=系统名称", "乙=address"))
    assert [(line.system, str(line.addresses[0])) for line in in_force(context)] == [("教务", "10.1.0.1/32")]


@pytest.mark.parametrize("text", ["甲", "=IP地址", "甲=没有这个字段"])
def test_correction_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--map"):
        said(text)


def test_correction_of_a_column_that_is_not_there_is_refused(context: Context, tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="no column"):
        give_rows(context, tmp_path / "a.csv", "教务,10.1.0.1,,", said=said("不存在=备注"))


def test_every_import_that_changes_something_is_in_the_audit_without_a_person(context: Context, messy: Path) -> None:
    give(context, messy)
    give(context, messy)
    rows = list(context.database.query("SELECT action, after FROM audit WHERE action='register.import'"))
    assert len(rows) == 1
    assert PERSON not in rows[0][1]


def test_two_thousand_rows_are_read_in_seconds(context: Context, tmp_path: Path) -> None:
    rows = [
        (number, f"系统{number}", f"10.{number // 250}.0.{number % 250 + 1}", *ROWS[0][3:]) for number in range(2_000)
    ]
    done = give(context, write_messy(tmp_path / "大.xlsx", rows, merge=()))
    assert (len(done.added), done.refused) == (2_000, [])


def test_words_where_an_address_should_stand_do_not_cost_the_line(context: Context, tmp_path: Path) -> None:
    done = give_rows(context, tmp_path / "a.csv", "教务,内部使用,,")
    assert [one.column for one in done.passed_over] == ["B"]
    assert systems(context) == ["教务"]
