"""Lists of units in; a tree, dated changes, sealed contacts, and every wrong cell by its row and column, out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from sentinel.errors import ParseError, UsageError
from sentinel.model.register import Person
from sentinel.model.unit import Unit, UnitLevel
from sentinel.model.unit_kind import UnitKind
from sentinel.observe.table import Cell, Sheet, TableRow
from sentinel.schedule.columns import Field, find_head
from sentinel.schedule.context import Context
from sentinel.schedule.mappings import parse_said
from sentinel.schedule.register_reasons import reason_in_chinese
from sentinel.schedule.unit_import import UnitImport, import_units
from sentinel.schedule.unit_words import UNITS, parse_level
from sentinel.store.audit import newest_audit, read_audit
from sentinel.store.declared import read_contacts
from sentinel.store.unit_tree import read_unit_at
from sentinel.store.units import find_unit, read_units
from tests.homes import NOW

HEADS = (
    "学校（机构）标识码", "学校名称", "主管部门", "行政区划", "办学类型", "举办者", "统一社会信用代码", "曾用名",
    "网络安全联系人", "联系电话", "电子邮箱", "成立日期",
)  # fmt: skip
CREDIT = "12100000400013155L"
ROWS = (
    ("3910101101", "示例县第一中学", "示例县教育局", "410101", "完全中学", "地方公办", "", "一中、县一中", "某甲",
     "0371-60000001", "a@school.example", "1958年9月"),
    ("3910000001", "示例省教育厅", "", "390000", "教育局", "", "", "", "", "", "", ""),
    ("3910101001", "示例县教育局", "3910100001", "示例县", "教育局", "", "", "", "某乙", "13800000000", "", ""),
    ("3910100001", "示例市教育局", "3910000001", "", "教育局", "", "", "", "", "", "", ""),
    ("", "示例县蓝天幼儿园", "示例县教育局", "", "幼儿园", "民办", "", "", "", "", "", ""),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def write(path: Path, rows: Sequence[Sequence[object]] = ROWS, heads: Sequence[str] = HEADS) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["示例省学校名单"])
    sheet.append(list(heads))
    for row in rows:
        sheet.append(list(row))
    book.save(path)
    return path


def give(context: Context, path: Path, **options: object) -> UnitImport:
    return import_units(context, path, NOW, **options)  # type: ignore[arg-type]  # options by name


def paths(context: Context) -> dict[str, str]:
    return {one.name: one.path for one in read_units(context.database) if one.code != "school"}


def test_list_in_any_order_becomes_the_tree_with_its_contacts_sealed(context: Context, tmp_path: Path) -> None:
    done = give(context, write(tmp_path / "名单.xlsx"))
    assert (done.refused, done.rows, done.contacts) == ([], 5, 2)
    assert paths(context) == {
        "示例省教育厅": "3910000001",
        "示例市教育局": "3910000001/3910100001",
        "示例县教育局": "3910000001/3910100001/3910101001",
        "示例县第一中学": "3910000001/3910100001/3910101001/3910101101",
        "示例县蓝天幼儿园": "3910000001/3910100001/3910101001/示例县蓝天幼儿园",
    }
    school = find_unit(context.database, "3910101101")
    assert school is not None
    assert (school.kind, school.level, school.region) == (UnitKind.COMPLETE, UnitLevel.SCHOOL, "410101")
    assert (school.affiliation, school.aliases) == ("地方公办", ("一中", "县一中"))
    assert school.valid_from is not None
    assert school.valid_from.year == 1958
    (contact,) = read_contacts(context.database, school.code, context.load_seal())
    assert contact.person == Person("某甲", "0371-60000001", "a@school.example")
    assert [one.person for one in read_contacts(context.database, school.code)] == [None]
    raw = context.home.database.read_bytes()
    wal = Path(f"{context.home.database}-wal")
    raw += wal.read_bytes() if wal.exists() else b""
    assert "某甲".encode() not in raw
    assert b"0371-60000001" not in raw
    audit = next(iter(read_audit(context.database.connection, 1)))
    assert audit.action == "unit.import"
    assert "某甲" not in audit.after


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("校名", Field.UNIT_NAME),
        ("学校（单位）名称", Field.UNIT_NAME),
        ("*学校标识码", Field.UNIT_CODE),
        ("所在县（市、区）", None),
        ("所属区县", Field.REGION),
        ("上级主管部门", Field.UNIT_PARENT),
        ("启用日期", Field.VALID_FROM),
        ("建校时间", Field.VALID_FROM),
        ("停办时间", Field.VALID_TO),
        ("停用日期", Field.VALID_TO),
        ("有效期", None),
        ("办学许可证有效期", None),
        ("责任人", Field.PERSON),
        ("网络安全责任人", Field.PERSON),
        ("联络员", Field.PERSON),
        ("联系人手机", Field.PHONE),
        ("校长", None),
        ("校长电话", None),
    ],
)
def test_title_of_a_list_of_units_says_what_people_mean_by_it(title: str, field: Field | None) -> None:
    row = TableRow("a", 1, (Cell("学校名称" if field is not Field.UNIT_NAME else "序号"), Cell(title)))
    head = find_head(Sheet("a", (row,)), UNITS)
    assert head is not None
    assert next((what for what, columns in head.columns.items() if 2 in columns), None) is field


def test_person_in_charge_counts_only_where_no_column_names_the_contact(context: Context, tmp_path: Path) -> None:
    heads = ("学校名称", "责任人", "联系人", "联系电话", "有效期")
    path = write(tmp_path / "名单.xlsx", [("示例一小", "某甲", "某乙", "0371-60000001", "2026-12-31")], heads)
    done = give(context, path)
    read = {one.title: one.field for one in done.columns}
    assert (read["责任人"], read["联系人"], read["有效期"]) == (None, Field.PERSON, None)
    unit = find_unit(context.database, "示例一小")
    assert unit is not None
    assert unit.valid_to is None
    (contact,) = read_contacts(context.database, unit.code, context.load_seal())
    assert contact.person is not None
    assert contact.person.name == "某乙"


def test_wrong_cell_is_named_by_the_title_of_the_sheet_and_the_fields_by_words_of_such_lists(
    context: Context, tmp_path: Path
) -> None:
    heads = ("学校（机构）标识码", "校名", "启用日期", "停办时间", "责任人电话", "上级主管部门")
    rows = [
        ("3910101101", "示例一小", "某日", "去年", "无此号", "没有的局"),
        ("3910101102", "示例二小", "", "", "", ""),
    ]
    done = give(context, write(tmp_path / "名单.xlsx", rows, heads))
    told = {(one.row, one.column, one.title) for one in (*done.refused, *done.passed_over)}
    assert {(3, "C", "启用日期"), (3, "D", "停办时间"), (3, "E", "责任人电话"), (3, "F", "上级主管部门")} <= told
    assert parse_said(["批复日=设立日期", "撤日=撤并日期", "谁=联系人"], UNITS) == {
        "批复日": Field.VALID_FROM, "撤日": Field.VALID_TO, "谁": Field.PERSON,
    }  # fmt: skip
    assert parse_said(["批复日=启用日期"], UNITS) == {"批复日": Field.VALID_FROM}
    with pytest.raises(UsageError, match="设立日期, 撤并日期, 联系人"):
        parse_said(["甲=不知"], UNITS)


def test_same_file_twice_changes_nothing_and_writes_no_audit(context: Context, tmp_path: Path) -> None:
    path = write(tmp_path / "名单.xlsx")
    give(context, path)
    before = newest_audit(context.database.connection)
    again = give(context, path)
    assert (again.plan.added, again.plan.changed, again.plan.paths, again.contacts) == ((), (), {}, 0)
    assert again.plan.same == 5
    assert newest_audit(context.database.connection) == before


def test_changed_row_is_a_rename_and_a_move_from_the_day_of_the_list(context: Context, tmp_path: Path) -> None:
    give(context, write(tmp_path / "a.xlsx"))
    rows = [("3910101101", "示例县实验中学", "3910100001", *[""] * 5, "某丙", "0371-60000009", "", "")]
    day = NOW - timedelta(days=10)
    done = give(context, write(tmp_path / "b.xlsx", rows), at=day)
    assert (len(done.plan.changed), done.contacts) == (1, 1)
    school = find_unit(context.database, "3910101101")
    assert school is not None
    assert (school.name, school.path, school.since) == ("示例县实验中学", "3910000001/3910100001/3910101101", day)
    assert "示例县第一中学" in school.aliases
    then = read_unit_at(context.database, school, day - timedelta(seconds=1))
    assert (then.name, then.path) == ("示例县第一中学", "3910000001/3910100001/3910101001/3910101101")
    (contact,) = read_contacts(context.database, school.code, context.load_seal())
    assert contact.person == Person("某丙", "0371-60000009", "")


def test_every_wrong_cell_is_named_and_the_good_rows_are_taken(context: Context, tmp_path: Path) -> None:
    rows = [
        ("3900000001", "甲校", "没有的局"),  # row 3
        ("3900/00002", "乙校", ""),
        ("3900000003", "", ""),
        ("39000", "丁校", ""),
        ("3900000005", "戊校", "3900000006"),
        ("3900000006", "己校", "3900000005"),
        ("3900000007", "庚校", ""),
        ("3900000007", "辛校", ""),
        ("3900000009", "壬校", "甲校"),
    ]
    done = give(context, write(tmp_path / "a.xlsx", rows, HEADS[:3]))
    assert [(one.row, one.column) for one in done.refused] == [
        (3, "C"), (4, "A"), (5, "B"), (7, "C"), (8, "C"), (10, "A"), (11, "C"),
    ]  # fmt: skip
    assert [(one.row, one.column) for one in done.passed_over] == [(6, "A")]
    assert sorted(paths(context)) == ["丁校", "庚校"]
    assert [one for one in told(done) if one.isascii()] == []


def told(done: UnitImport) -> list[str]:
    return [reason_in_chinese(one.reason) for one in (*done.refused, *done.passed_over)]


def test_line_of_sums_makes_no_unit_whatever_its_column(context: Context, tmp_path: Path) -> None:
    rows = [("3900000001", "甲校", ""), ("合计", "1", ""), ("3900000002", "合计", "")]
    assert give(context, write(tmp_path / "a.xlsx", rows, HEADS[:3])).rows == 2
    assert sorted(paths(context)) == ["合计", "甲校"]


def test_unit_that_ends_before_it_begins_keeps_its_beginning_and_the_cell_is_named(
    context: Context, tmp_path: Path
) -> None:
    rows = [("3900000001", "甲校", "2020-01-01", "2010-01-01")]
    done = give(context, write(tmp_path / "a.xlsx", rows, (*HEADS[:2], "成立日期", "撤并日期")))
    assert [(one.column, one.reason) for one in done.passed_over] == [("D", "it ends before it begins")]
    unit = find_unit(context.database, "3900000001")
    assert unit is not None
    assert (unit.valid_from is not None, unit.valid_to) == (True, None)


def test_cell_that_cannot_be_read_does_not_lose_its_row(context: Context, tmp_path: Path) -> None:
    rows = [
        ("3900000001", "甲校", "", "999999", "某种", "", "12100000400013155X", "", "某", "不是电话", "x", "某天"),
        ("3900000002", "乙校", "", "", "", "", CREDIT, "", "", "", "", ""),
    ]
    done = give(context, write(tmp_path / "a.xlsx", rows))
    assert sorted(one.column for one in done.passed_over) == ["D", "E", "G", "J", "K", "L"]
    assert all("不是电话" not in one.reason for one in done.passed_over)
    assert [one for one in told(done) if one.isascii() or "(" in one] == []
    first, second = (find_unit(context.database, f"390000000{one}") for one in (1, 2))
    assert first is not None
    assert second is not None
    assert (first.region, first.kind, first.credit) == ("", UnitKind.UNKNOWN, "")
    assert second.credit == CREDIT


def test_messy_sheet_is_read_by_its_titles(context: Context, tmp_path: Path) -> None:
    path = tmp_path / "名单.csv"
    text = (
        "序号,单位名称,标识码,上级单位,级别\n1,示例大学,４１０００００００１,,学校\n2,网络中心,\t,示例大学,二级单位\n"
        "序号,单位名称,标识码,上级单位,级别\n,,,,\n合计：2,,,,\n,合计,,,\n"
    )
    path.write_bytes(text.encode("gb18030"))
    done = give(context, path)
    assert done.refused == []
    assert paths(context) == {"示例大学": "4100000001", "网络中心": "4100000001/网络中心"}


def test_columns_may_be_told_and_are_kept_for_the_next_list(context: Context, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("甲,乙\n3900000001,示例校\n", encoding="utf-8")
    with pytest.raises(ParseError, match="单位名称"):
        give(context, path)
    said = parse_said(["乙=单位名称", "甲=单位代码"], UNITS)
    assert give(context, path, said=said, dry_run=True).corrections == 0
    assert paths(context) == {}
    assert give(context, path, said=said).corrections == 1
    path.write_text("甲,乙\n3900000002,又一校\n", encoding="utf-8")
    give(context, path)
    assert sorted(paths(context)) == ["又一校", "示例校"]


def test_units_without_a_parent_go_where_they_are_told(context: Context, tmp_path: Path) -> None:
    give(context, write(tmp_path / "a.xlsx"))
    county = find_unit(context.database, "3910101001")
    give(context, write(tmp_path / "b.xlsx", [("3900000009", "新小学")], HEADS[:2]), under=county)
    assert paths(context)["新小学"].endswith("3910101001/3900000009")


def test_list_of_a_day_to_come_is_refused_and_changes_nothing(context: Context, tmp_path: Path) -> None:
    give(context, write(tmp_path / "a.xlsx"))
    before = newest_audit(context.database.connection)
    rows = [("3910101101", "改名", "", *[""] * 9), ("3900000009", "新", "", *[""] * 9)]
    with pytest.raises(UsageError, match="lies in the future"):
        give(context, write(tmp_path / "b.xlsx", rows), at=NOW + timedelta(days=1))
    assert newest_audit(context.database.connection) == before
    assert "新" not in paths(context)


def test_numbers_of_persons_in_names_are_hidden(context: Context, tmp_path: Path) -> None:
    rows = [("3900000001", "示例校（张老师13812345678）", "", "", "", "", "", "别名13812345678", "", "", "", "")]
    give(context, write(tmp_path / "a.xlsx", rows))
    unit = find_unit(context.database, "3900000001")
    assert unit is not None
    assert "13812345678" not in f"{unit.name}{unit.aliases}"


def test_formulas_and_merged_heads_are_read_or_named(context: Context, tmp_path: Path) -> None:
    done = give(context, write(tmp_path / "a.xlsx", [("3900000001", '=HYPERLINK("x")')], HEADS[:2]))
    assert [(one.row, one.column) for one in done.refused] == [(3, "B")]
    assert paths(context) == {}


def test_file_that_is_no_list_is_refused(context: Context, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    for text, told in (("a,b\n1,2\n", "单位名称"), ("", "nothing")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ParseError, match=told):
            give(context, path)
    with pytest.raises(ParseError, match="cannot be read"):
        give(context, tmp_path / "absent.xlsx")


@pytest.mark.parametrize(("text", "level"), [("省级", UnitLevel.PROVINCE), ("区 县", UnitLevel.COUNTY)])
def test_level_is_read_by_its_words(text: str, level: UnitLevel) -> None:
    assert parse_level(text) is level
    with pytest.raises(ValueError, match="no such level"):
        parse_level("星系")


cells = st.one_of(
    st.sampled_from(["3900000001", "3900000002", "甲校", "乙校", "", "无", "4101", "小学", "2026-01-01", "=1+1"]),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(cells, min_size=12, max_size=12), max_size=6))
def test_any_cells_become_a_tree_or_are_named_and_a_second_reading_changes_nothing(
    context: Context, tmp_path: Path, rows: list[list[str]]
) -> None:
    path = tmp_path / "any.csv"
    text = "\n".join(",".join(f'"{cell.replace(chr(34), "")}"' for cell in row) for row in (HEADS, *rows))
    path.write_text(text, encoding="utf-8")
    give(context, path)
    units = {one.code: one for one in read_units(context.database)}
    for one in units.values():
        assert one.path == (f"{units[one.parent].path}/{one.code}" if one.parent else one.code)
    again = give(context, path)
    assert (again.plan.added, again.plan.changed, again.contacts) == ((), (), 0)


def test_unit_is_the_value_the_store_gives(context: Context, tmp_path: Path) -> None:
    give(context, write(tmp_path / "a.xlsx", [("3900000001", "甲校")], HEADS[:2]))
    assert find_unit(context.database, "甲校") == Unit("3900000001", "甲校", path="3900000001")
