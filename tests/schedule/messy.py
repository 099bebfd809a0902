"""A register as a school keeps it: titles above, merged heads over two rows, full-width digits, mixed dates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

HEADS = (
    ("序号", None),
    ("系统名称", None),
    ("网络信息", "IP地址"),
    (None, "端口"),
    (None, "访问网址"),
    ("责任部门", None),
    ("责任人", "姓名"),
    (None, "电话"),
    ("等保级别", None),
    ("上线时间", None),
    ("机房", None),
    ("备注", None),
)
MERGED_HEADS = ("A3:A4", "B3:B4", "C3:E3", "F3:F4", "G3:H3", "I3:I4", "J3:J4", "K3:K4", "L3:L4")

PERSON, PHONE = "张三丰", "13800001234"

ROWS: tuple[Sequence[object], ...] = (
    (1, "教务系统", "１０．１．０．５、10.1.0.6", "80,443/tcp", "http://jw.school.example:8080/", "教务处", PERSON,
     PHONE, "二级", date(2026, 1, 5), "主楼机房", f"联系{PHONE}"),
    (2, None, "10.1.0.8-10.1.0.9", "8080-8090", None, None, "李四", "0371-60000000", None, "2026.01.05", None, None),
    (3, "门户网站", "内网：10.1.0.10（主）\n外网:202.0.2.10", "80、443", "www.school.example", "宣传部",
     "王五 13812345678", None, "三级", "2026年1月", None, None),
    (4, "一卡通", "10.1.0.50/51", "3306", None, "后勤处", None, None, None, 46027, None, None),
    (5, "网站群", None, None, "site.school.example", "宣传部", None, None, None, "2026-1-5", None, None),
    (6, "只有名字的系统", None, None, None, "保卫处", None, None, None, None, None, None),
)  # fmt: skip

FOOTERS: tuple[Sequence[object], ...] = (
    ("合计", "7 套"),
    ("填表人：钱七", "审核：孙八"),
)


def write_messy(
    path: Path, rows: Sequence[Sequence[object]] = ROWS, *, merge: Sequence[str] = ("B5:B6", "F5:F6")
) -> Path:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "服务器"
    write_heads(sheet)
    for row in (*rows, *FOOTERS):
        sheet.append(list(row))
    for one in merge:
        sheet.merge_cells(one)
    book.create_sheet("说明").append(["本表由信息中心填写"])
    hidden = book.create_sheet("旧")
    hidden.sheet_state = "hidden"
    hidden.append(["IP地址"])
    hidden.append(["10.9.9.9"])
    book.save(path)
    return path


def write_heads(sheet: Worksheet) -> None:
    sheet["A1"] = "示例学校信息资产台账"
    sheet.merge_cells("A1:L1")
    sheet["A2"] = "填报单位：示例学校　　填报日期：2026年11月"
    for column, (above, below) in enumerate(HEADS, 1):
        sheet.cell(3, column, above)
        sheet.cell(4, column, below)
    for one in MERGED_HEADS:
        sheet.merge_cells(one)
