"""The messy sheets of a school: an XLSX of 2,000 rows with everything people do to a table, and a CSV in GBK beside it.

No person is in them: names are posts, telephone numbers are made of zeros.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from ipaddress import IPv4Address
from pathlib import Path

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

ROWS = 2000
PHONE = "13800000000"
LAND_LINE = "0371-60000000"
POST = "信息中心值班岗"
FULL_WIDTH = str.maketrans("0123456789.", "０１２３４５６７８９．")
DEPARTMENTS = ("教务处", "总务处", "图书馆", "信息中心", "")
HEAD: tuple[tuple[str, str | None], ...] = (
    ("序号", None),
    ("系统名称", None),
    ("网络信息", "IP地址"),
    ("", "域名"),
    ("", "开放端口"),
    ("责任落实", "责任部门"),
    ("", "责任人"),
    ("", "联系电话"),
    ("等级保护", "等保级别"),
    ("", "等保备案号"),
    ("启用日期", None),
    ("有效期至", None),
    ("备注", None),
)
"""The two rows of the head; None: one cell over both."""

BAD = {
    "IP地址": "10.88.300.1",
    "开放端口": "70000",
    "有效期至": "二〇二六年底",
}
"""Cells nobody can read, one row each."""


@dataclass(frozen=True)
class Line:
    """What a row of the sheet says.

    Attributes:
        system: name of the system.
        addresses: where it runs.
        domain: its name.
        ports: what it needs, as text.
        department: who answers for it.
    """

    system: str
    addresses: tuple[str, ...]
    domain: str = ""
    ports: str = ""
    department: str = ""


def office_lines(count: int) -> list[Line]:
    """Computers of an office network that nobody looks at today."""
    first = IPv4Address("10.88.0.1")
    return [
        Line(f"办公电脑{number + 1:04d}", (str(first + number),), department=DEPARTMENTS[number % len(DEPARTMENTS)])
        for number in range(count)
    ]


def write_register(path: Path, lines: Sequence[Line]) -> None:
    """Write the XLSX: two title rows, a merged head of two rows, dates in six forms, a blank row, a footer."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "2026年资产"
    sheet.append(["示例县第一中学信息资产台账（２０２６年）"])
    sheet.append(["填报部门：信息中心　　填报日期：2026年11月"])
    sheet.merge_cells("A1:M1")
    _write_head(sheet)
    for number, line in enumerate(lines):
        if number == len(lines) // 2:
            sheet.append([])
        sheet.append(_cells(number, line))
    for column, text in BAD.items():
        bad = Line("读不出的一行", ("10.88.250.1",))
        cells = _cells(len(lines), bad)
        cells[[second or first for first, second in HEAD].index(column)] = text
        sheet.append(cells)
    sheet.append(["合计", len(lines)])
    sheet.append([f"填表：{POST}", None, None, "审核：分管领导"])
    guide = book.create_sheet("填表说明")
    guide.append(["请各部门如实填报，IP地址不得遗漏"])
    book.save(path)


def _write_head(sheet: Worksheet) -> None:
    sheet.append([first or None for first, _ in HEAD])
    sheet.append([second for _, second in HEAD])
    for column, (_, second) in enumerate(HEAD, 1):
        if second is None:
            sheet.merge_cells(start_row=3, end_row=4, start_column=column, end_column=column)
    for first, last in ((3, 5), (6, 8), (9, 10)):
        sheet.merge_cells(start_row=3, end_row=3, start_column=first, end_column=last)


def _cells(number: int, line: Line) -> list[object]:
    addresses = ("、", ";", "\n")[number % 3].join(line.addresses)
    return [
        number + 1,
        line.system,
        addresses.translate(FULL_WIDTH) if number % 3 == 2 else addresses,
        line.domain or None,
        line.ports.translate(FULL_WIDTH) if number % 3 == 1 else line.ports,
        line.department,
        POST if line.department else "",
        (PHONE, LAND_LINE, int(PHONE))[number % 3] if line.department else None,
        ("二级", "第二级", "2", "")[number % 4],
        "",
        _date(number, date(2024, 9, 1)),
        _date(number + 1, date(2027, 12, 31)),
        "=1+1" if number == 7 else "",
    ]


def _date(number: int, day: date) -> object:
    forms = (
        day,
        datetime.combine(day, time(8, 30)),
        f"{day.year}-{day.month}-{day.day}",
        f"{day.year}.{day.month:02d}.{day.day:02d}",
        f"{day.year}年{day.month}月{day.day}日".translate(FULL_WIDTH),
        f"{day.year}/{day.month}/{day.day}",
    )
    return forms[number % len(forms)]


def write_gbk_csv(path: Path, lines: Iterable[Line]) -> None:
    """Write the CSV as a Chinese Excel saves it: GBK, other column names, carriage returns."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("资产名称", "IP", "端口", "使用部门", "管理员", "电话"))
    for line in lines:
        writer.writerow((line.system, " ".join(line.addresses), line.ports, line.department, POST, PHONE))
    path.write_bytes(text.getvalue().encode("gbk"))
