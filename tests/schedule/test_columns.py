"""Which columns of a sheet are known, whatever stands above and around them."""

from __future__ import annotations

import pytest

from sentinel.observe.table import Cell, Sheet, TableRow
from sentinel.schedule.columns import HEAD_ROWS, Field, find_head


def sheet(*rows: str) -> Sheet:
    """Write a sheet: cells are divided by `|`, an empty text is a blank row."""
    made = [
        TableRow("a", number, tuple(Cell(text) for text in row.split("|"))) for number, row in enumerate(rows, 1) if row
    ]
    return Sheet("a", tuple(made))


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("IP地址", Field.ADDRESS),
        ("ＩＰ　地址（内网）", Field.ADDRESS),
        ("*服务器IP", Field.ADDRESS),
        ("IP Address", Field.ADDRESS),
        ("公网IP", Field.ADDRESS),
        ("域名", Field.DOMAIN),
        ("网址/URL", Field.DOMAIN),
        ("域名或网址", Field.DOMAIN),
        ("IP/域名", None),
        ("访问网址", Field.DOMAIN),
        ("Domain Name", Field.DOMAIN),
        ("端口", Field.PORTS),
        ("开放 端口（多个用逗号）", Field.PORTS),
        ("port(s)", Field.PORTS),
        ("协议类型", Field.PROTOCOL),
        ("服务", Field.SERVICE),
        ("信息系统名称", Field.SYSTEM),
        ("审批人", Field.APPROVAL),
        ("生效日期", Field.VALID_FROM),
        ("有效期至：", Field.VALID_TO),
        ("Valid until", Field.VALID_TO),
        ("责任人", None),
        ("管理员", None),
        ("联系电话", None),
        ("备注", None),
    ],
)
def test_title_when_written_in_any_way_is_known_or_not(title: str, field: Field | None) -> None:
    head = find_head(sheet(f"{title}|IPv4|主域名"))
    assert head is not None
    assert [one for one, columns in head.columns.items() if 1 in columns] == ([field] if field else [])


def test_head_when_a_title_and_a_unit_stand_above_is_found() -> None:
    head = find_head(
        sheet("示例学校资产登记表", "", "填表单位：示例学校", "序号|系统名称|IP地址|端口", "1|门户|10.0.0.1|80")
    )
    assert head is not None
    assert head.row == 4
    assert head.columns == {Field.ADDRESS: (3,), Field.PORTS: (4,), Field.SYSTEM: (2,)}
    assert head.titles == {2: "系统名称", 3: "IP地址", 4: "端口"}


def test_head_when_of_two_rows_takes_what_is_merged_from_above() -> None:
    head = find_head(sheet("序号|系统名称|网络信息||审批人", "|||端口|", "||IP地址|端口|", "1|门户|10.0.0.1|80|x"))
    assert head is not None
    assert head.row == 3
    assert head.columns == {Field.ADDRESS: (3,), Field.PORTS: (4,), Field.SYSTEM: (2,), Field.APPROVAL: (5,)}


def test_titles_that_may_mean_other_things_count_only_where_no_better_one_is() -> None:
    head = find_head(sheet("名称|系统名称|地址|IP地址"))
    assert head is not None
    assert head.columns == {Field.ADDRESS: (4,), Field.SYSTEM: (2,)}


def test_titles_that_may_mean_other_things_count_where_they_stand_alone() -> None:
    head = find_head(sheet("名称|地址|端口"))
    assert head is not None
    assert head.columns == {Field.ADDRESS: (2,), Field.PORTS: (3,), Field.SYSTEM: (1,)}


def test_columns_that_say_the_same_are_all_kept() -> None:
    head = find_head(sheet("内网IP|公网IP|端口"))
    assert head is not None
    assert head.columns[Field.ADDRESS] == (1, 2)
    assert (head.first(Field.ADDRESS, Field.PORTS), head.first(Field.DOMAIN, Field.PORTS)) == (1, 3)
    assert head.first(Field.DOMAIN) == 0


@pytest.mark.parametrize(
    "rows",
    [
        ("系统名称|端口|审批人",),
        ("10.0.0.1|80",),
        (*["x"] * HEAD_ROWS, "IP地址|端口"),
    ],
)
def test_head_when_no_column_near_the_top_names_a_place_is_not_found(rows: tuple[str, ...]) -> None:
    assert find_head(sheet(*rows)) is None
