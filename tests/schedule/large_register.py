"""A register of 2,000 rows in our own template, as 400 made-up systems and 1,600 hosts, with errors planted in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from sentinel.schedule.register_forms import PLACES, write_template
from sentinel.schedule.register_sheets import PLACE_SHEET, SYSTEM_SHEET
from sentinel.schedule.system_fields import SYSTEM_FIELDS

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
SYSTEMS, HOSTS = 400, 1600

SYSTEM_COLUMNS = {one.word: get_column_letter(number) for number, one in enumerate(SYSTEM_FIELDS, 1)}
PLACE_COLUMNS = {one.head: get_column_letter(number) for number, one in enumerate(PLACES.columns, 1)}


@dataclass(frozen=True)
class Planted:
    """A bad cell: where it stands and what stands in it."""

    sheet: str
    row: int
    title: str
    value: object

    @property
    def cell(self) -> tuple[str, int, str]:
        """Its sheet, row and column."""
        columns = SYSTEM_COLUMNS if self.sheet == SYSTEM_SHEET else PLACE_COLUMNS
        return self.sheet, self.row, columns[self.title]


def _in_systems(*planted: tuple[int, str, object]) -> tuple[Planted, ...]:
    return tuple(Planted(SYSTEM_SHEET, *one) for one in planted)


def _in_places(*planted: tuple[int, str, object]) -> tuple[Planted, ...]:
    return tuple(Planted(PLACE_SHEET, *one) for one in planted)


PLANTED = (
    *_in_systems(
        (5, "系统名称", None),
        (12, "系统名称", "示例系统 0009"),  # the same as row 11
        (19, "系统名称", "甲" * 121),
        (26, "上级系统", "没有这个系统"),
        (33, "分管领导电话", "找办公室"),
        (40, "邮箱", "jw(at)school.example"),
        (47, "业务信息安全等级", "六级"),
        (54, "系统服务安全等级", "较高"),
        (61, "定级日期", "2026-02-30"),
        (68, "主管部门已审批", "也许"),
        (75, "等保备案号", "4101001234-00001"),
        (82, "等保备案号", "99010012345-00001"),
        (89, "备案日期", "去年"),
        (96, "备案有效期至", "2020-01-01"),
        (103, "测评日期", "2027-05-01"),
        (110, "测评结论", "很好"),
        (117, "测评符合率", "130"),
        (124, "重大风险隐患数", "若干"),
        (131, "其中已整改", "9"),
        (138, "数据级别", "绝密级"),
        (145, "个人信息人数", "-5"),
        (152, "教育APP备案号", "教APP备41号"),
        (159, "ICP备案号", "京12345"),
        (166, "公安联网备案号", "豫公网安备22010002000001号"),
        (173, "服务范围", "=HYPERLINK(\"http://bad.example\")"),
        (180, "有效期至", "2001-01-01"),
    ),
    *_in_places(
        (7, "系统名称", "表中没有的系统"),
        (107, "IP地址", "10.20.300.1"),
        (207, "IP地址", "10.20.1.9-10.20.1.2"),
        (307, "IP地址", "=CONCATENATE(\"10.\",\"1.1.1\")"),
        (407, "IP地址", "#REF!"),
        (507, "IP地址", "2001:db8::zz"),
        (607, "IP地址", "8.0.0.0/3"),
        (707, "域名", "bad_域名!.example"),
        (807, "端口", "70000"),
        (907, "启用日期", "2026年13月"),
        (1007, "有效期至", "2020-01-01"),
    ),
)  # fmt: skip


def write_large(path: Path) -> Path:
    """Fill in the template and plant the errors; everything else can be read."""
    write_template(path, NOW)
    book = load_workbook(path)
    systems, places = book[SYSTEM_SHEET], book[PLACE_SHEET]
    for number in range(SYSTEMS):
        for one in SYSTEM_FIELDS:
            systems[f"{SYSTEM_COLUMNS[one.word]}{number + 2}"].value = _told(number, one.word, one.example)
    for number in range(HOSTS):
        row = number + 2
        places[f"{PLACE_COLUMNS['系统名称']}{row}"].value = _system(number)
        places[f"{PLACE_COLUMNS['IP地址']}{row}"].value = _address(number)
        places[f"{PLACE_COLUMNS['域名']}{row}"].value = f"h{number}.school.example" if number % 3 == 0 else None
        places[f"{PLACE_COLUMNS['端口']}{row}"].value = 443 if number % 2 else "８０、443"
        places[f"{PLACE_COLUMNS['启用日期']}{row}"].value = _day(number)
    for one in PLANTED:
        _, row, column = one.cell
        (systems if one.sheet == SYSTEM_SHEET else places)[f"{column}{row}"].value = one.value
    book.save(path)
    return path


def _told(number: int, word: str, example: str) -> object:
    match word:
        case "系统名称":
            return f"示例系统 {number:04}"
        case "上级系统":
            return "示例系统 0000" if number % 10 == 3 else None
        case "定级日期":
            return _day(number)
        case "等保备案号":
            return f"４１０１００１２３４５－{number:05}" if number % 5 == 0 else f"41010012345{number:05}"
        case "测评符合率":
            return 0.825 if number % 2 else 82.5
    return example or None


def _system(number: int) -> str | None:
    """Name the system of a host; those whose own names are spoilt have no hosts."""
    system = number % SYSTEMS
    spoilt = {one.row - 2 for one in PLANTED if one.sheet == SYSTEM_SHEET and one.title == "系统名称"}
    return None if system in spoilt else f"示例系统 {system:04}"


def _day(number: int) -> object:
    return (date(2024, 3, 1), "2024.3.1", "２０２４年３月１日", 45352)[number % 4]


def _address(number: int) -> str:
    address = f"10.20.{number // 250}.{number % 250 + 1}"
    return address if number % 7 else address.translate(str.maketrans("0123456789.", "０１２３４５６７８９．"))
