"""Our own template of a register, and the marked copy of what could not be read: fields and errors in, files out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from sentinel.model.unit import Unit
from sentinel.observe.table import column_letter
from sentinel.report.sheet_forms import Form, FormColumn, MarkedRow, MarkedSheet, write_form, write_marked
from sentinel.schedule.context import Context
from sentinel.schedule.register_import import RegisterImport
from sentinel.schedule.register_reasons import reason_in_chinese
from sentinel.schedule.register_row import CellError
from sentinel.schedule.register_sheets import PLACE_SHEET, SYSTEM_SHEET
from sentinel.schedule.reporting import save_file
from sentinel.schedule.system_fields import SYSTEM_FIELDS, SystemField

TITLE = "信息系统登记表"

_OPEN_CHOICES = frozenset({"服务器所在"})
"""Columns whose list only helps: another word is taken too."""

PLACES = Form(
    PLACE_SHEET,
    (
        FormColumn(
            "系统名称", 24, "属于「信息系统」表（或此前登记）的哪个系统，名称要一样；不属于任何系统的设备留空。"
        ),
        FormColumn(
            "IP地址", 30, "一格可写多个：顿号或换行分隔，也可写 10.1.0.5-10.1.0.9、10.1.0.0/24。与域名至少填一个。"
        ),
        FormColumn("域名", 28, "网站域名或网址，可写多个。"),
        FormColumn("端口", 16, "如 80、443、8000-8010、53/udp；留空表示登记整台主机。"),
        FormColumn("资产类型", 12, "如 服务器、网络设备、摄像头、打印机。"),
        FormColumn("位置", 16, "机房、机柜或楼宇房间。"),
        FormColumn("启用日期", 12, "日期，如 2026-03-01"),
        FormColumn("有效期至", 12, "用到哪一天；没有期限的写 长期 或留空。"),
        FormColumn("备注", 24, "不要写姓名、电话与身份证号。"),
    ),
    (
        (
            "教务管理系统",
            "10.1.0.5、10.1.0.6",
            "jw.school.example",
            "80、443",
            "服务器",
            "主楼机房",
            "2022-09-01",
            "长期",
            "",
        ),
        ("", "10.1.9.20", "", "9100", "打印机", "行政楼 201", "2024-03-01", "2027-02-28", ""),
    ),
)

_GUIDE = (
    ("怎样填", f"先填「{SYSTEM_SHEET}」：一个信息系统（定级对象）一行。"),
    ("", f"再填「{PLACE_SHEET}」：系统所用的主机、域名、网站，一台或一组一行。"),
    ("表头", "不要改动两张表的名称和表头；可以调换列的次序，不用的列可以删去。橙色表头为必填。"),
    ("单元格", "只填值，不要用公式。日期写 2026-03-01 或 2026年3月1日。不要合并单元格。"),
    ("涉密系统", "不得登记在本表中，也不得写在备注里。"),
    ("个人信息", "姓名、电话、邮箱导入后加密存放，列出时遮盖；填好的表本身按个人信息保管。"),
    ("导入", "sentinel register import 登记表.xlsx --marked 退回.xlsx"),
    ("退回", "有错的行不登记，写入退回的表：错处标色，批注和「错误说明」列写明原因。"),
    ("", "改好后导入退回的表即可，不必删去末尾两列。"),
    ("再次导入", "同名系统以后一次为准；本表中留空的格，其此前登记的内容随之清除。没有再出现的系统不会自动停用。"),
)  # fmt: skip


def write_template(path: Path, now: datetime) -> None:
    """Write the template: systems, hosts and names, examples, and how to fill it in.

    Raises:
        RenderError: the file cannot be written.
    """
    systems = Form(SYSTEM_SHEET, tuple(_column(one) for one in SYSTEM_FIELDS))
    save_file(path, lambda draft: write_form((systems, PLACES), _GUIDE, draft, TITLE, now))


def _column(one: SystemField) -> FormColumn:
    return FormColumn(
        one.word,
        one.width,
        one.note,
        one.choices,
        strict=one.word not in _OPEN_CHOICES,
        required=one.name == "name",
        example=one.example,
    )


def write_marked_copy(context: Context, unit: Unit, done: RegisterImport, path: Path, now: datetime) -> int:
    """Write the rows with bad cells to a workbook only its owner may read; gives how many.

    It holds what stood in those rows, persons too, so that it can be mended and read in again; the audit notes it.

    Raises:
        RenderError: the file cannot be written.
    """
    sheets = tuple(one for one in _mark(done) if one.rows or done.is_template)  # both, or it is read as a foreign one
    rows = sum(len(one.rows) for one in sheets)
    if not rows:
        return 0

    def write(draft: Path) -> None:
        draft.touch(mode=0o600)
        write_marked(sheets, draft, f"{TITLE}退回", now)

    save_file(path, write)
    with context.database.transaction(context.actor, now) as transaction:
        transaction.audit("register.marked", f"unit {unit.code}", after={"file": done.file, "rows": rows})
    return rows


def _mark(done: RegisterImport) -> Iterable[MarkedSheet]:
    marks: defaultdict[tuple[str, int], list[CellError]] = defaultdict(list)
    for error in (*done.refused, *done.passed_over):
        marks[error.sheet, error.row].append(error)
    out = {(error.sheet, error.row) for error in done.refused}
    for sheet, head in done.found:
        titles = head.titles | head.unknown
        width = max(titles, default=0)
        numbers = {column_letter(column): column for column in range(1, width + 1)}
        yield MarkedSheet(
            sheet.name or "台账",
            tuple(titles.get(column, "") for column in range(1, width + 1)),
            tuple(
                MarkedRow(
                    row.number,
                    tuple(row.at(column).text for column in range(1, width + 1)),
                    _gather(marks[row.sheet, row.number], numbers),
                    (row.sheet, row.number) not in out,
                )
                for row in sheet.rows
                if (row.sheet, row.number) in marks and row.number > head.row
            ),
        )


def _gather(errors: Iterable[CellError], numbers: dict[str, int]) -> dict[int, str]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    for error in errors:
        title = f"{error.title.rstrip('*')}：" if error.title else ""
        found[numbers.get(error.column, 0)].append(title + reason_in_chinese(error.reason))
    return {column: "；".join(dict.fromkeys(reasons)) for column, reasons in found.items()}
