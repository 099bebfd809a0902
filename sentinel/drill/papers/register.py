"""What a practice school has registered in; its asset register and its whitelist as a school would keep them out.

The sheets are kept by hand, and look like it: a title over the head, dates in four forms, digits typed full-width, a
blank row in the middle, and cells nobody filled in. Only posts are named, never persons.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from sentinel.model.unit import IPAddress

ADMINISTRATOR = "信息中心管理员"
APPROVER = "网络安全和信息化领导小组办公室"

_REGISTER = (
    ("序号", 6), ("系统名称", 24), ("域名", 26), ("IP地址", 26), ("端口", 18), ("责任部门", 18), ("管理员", 18),
    ("等保级别", 10), ("等保备案号", 22), ("审批部门", 32), ("有效期至", 16), ("备注", 24),
)  # fmt: skip
_WHITELIST = ("序号", "用途", "域名", "IP地址", "协议", "端口", "服务", "审批部门", "有效期")
_Line = Sequence[str | int | date | None]
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_FORMULA_STARTS = ("=", "+", "-", "@")


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One system of the register; what is empty was not filled in.

    Attributes:
        system: its name, e.g. `教务管理系统`.
        domain: its domain name.
        addresses: where it runs.
        ports: ports it needs as (protocol, port).
        department: who is responsible for it.
        level: level of graded protection, `2` or `3`.
        filing_number: number of the filing with the police.
        note: whatever else is written there.
        valid_to: last day it may be there; None: for good.
    """

    system: str = ""
    domain: str = ""
    addresses: tuple[IPAddress, ...] = ()
    ports: tuple[tuple[str, int], ...] = ()
    department: str = ""
    level: str = ""
    filing_number: str = ""
    note: str = ""
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class ListedRow:
    """One line of the whitelist; what is empty was not filled in.

    Attributes:
        purpose: what it is for.
        domain: a domain name, in which `*` may stand.
        address: an address.
        proto: `tcp` or `udp`.
        ports: ports of the address; none: the whole host.
        service: protocol expected there, e.g. `http`.
        valid_to: last day; None: for good.
    """

    purpose: str = ""
    domain: str = ""
    address: IPAddress | None = None
    proto: str = ""
    ports: tuple[int, ...] = ()
    service: str = ""
    valid_to: date | None = None


def write_register(path: Path, rows: Sequence[RegisterRow], school: str = "示例学校") -> None:
    """Write the register as XLSX: the title in row 1, the head in row 2, a blank row after the first half."""
    book, sheet = _new_sheet("资产台账")
    sheet.append([f"{school}信息系统资产登记表"])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(_REGISTER))
    sheet["A1"].font, sheet["A1"].alignment = Font(bold=True, size=16), Alignment(horizontal="center")
    sheet.append([title for title, _ in _REGISTER])
    for place, (_, width) in enumerate(_REGISTER, 1):
        sheet.column_dimensions[get_column_letter(place)].width = width
        sheet.cell(2, place).font = Font(bold=True)
    blank = len(rows) // 2
    for number, row in enumerate(rows):
        if number == blank and number:
            sheet.append([])
        _append(sheet, _register_cells(number, row))
    sheet.freeze_panes = "A3"
    book.save(path)


def write_whitelist(path: Path, rows: Sequence[ListedRow]) -> None:
    """Write the whitelist: CSV in GB 18030 where the name ends in `.csv`, as a Chinese Excel saves it, else XLSX."""
    lines: list[_Line] = [_WHITELIST, *(_whitelist_cells(number, row) for number, row in enumerate(rows, 1))]
    if path.suffix.lower() == ".csv":
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\r\n").writerows([[_plain(cell) for cell in line] for line in lines])
        path.write_bytes(text.getvalue().encode("gb18030"))
        return
    book, sheet = _new_sheet("白名单")
    for line in lines:
        _append(sheet, line)
    book.save(path)


def _new_sheet(title: str) -> tuple[Workbook, Worksheet]:
    book = Workbook()
    book.remove(book.worksheets[0])
    sheet: Worksheet = book.create_sheet(title)
    return book, sheet


def _append(sheet: Worksheet, cells: _Line) -> None:
    sheet.append([_plain(cell) for cell in cells])


def _register_cells(number: int, row: RegisterRow) -> _Line:
    ports = "、".join(f"{port}" if proto == "tcp" else f"{port}/{proto}" for proto, port in row.ports)
    return [
        number + 1,
        row.system,
        row.domain,
        (";" if number % 2 else "、").join(str(address) for address in row.addresses),
        _type_digits(number, ports),
        row.department,
        ADMINISTRATOR if row.department else "",
        f"第{'一二三四五'[int(row.level) - 1]}级" if row.level in {"1", "2", "3", "4", "5"} else row.level,
        row.filing_number,
        APPROVER,
        _type_date(number, row.valid_to),
        row.note,
    ]


def _whitelist_cells(number: int, row: ListedRow) -> _Line:
    return [
        number,
        row.purpose,
        row.domain,
        str(row.address) if row.address else "",
        row.proto.upper(),
        _type_digits(number, ",".join(map(str, row.ports))),
        row.service,
        APPROVER,
        _type_date(number | 1, row.valid_to),  # no date cells: CSV has none
    ]


def _type_digits(number: int, text: str) -> str:
    """Give every third row the digits an input method left full-width."""
    return text.translate(_FULL_WIDTH) if number % 3 == 2 else text


def _type_date(number: int, day: date | None) -> date | str:
    """Give a day in the form whoever filled in this row liked; even rows have a date cell every other time."""
    if day is None:
        return "长期"
    forms = (day, f"{day.year}/{day.month}/{day.day}", f"{day:%Y-%m-%d}", f"{day.year}年{day.month}月{day.day}日")
    return forms[number % len(forms)]


def _plain(cell: str | int | date | None) -> str | int | date | None:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell
