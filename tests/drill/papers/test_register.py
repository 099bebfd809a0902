"""What the makers of registers and whitelists write is what the product's own reader takes in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from openpyxl import load_workbook

from sentinel.drill.papers.register import ADMINISTRATOR, ListedRow, RegisterRow, write_register, write_whitelist
from sentinel.model.moment import SHANGHAI
from sentinel.observe.table import read_table
from sentinel.schedule.context import Context
from sentinel.schedule.register import EntryImport, import_entries
from tests.homes import NOW, SCHOOL, opened

LAST = date(2027, 6, 30)


def system(number: int, **words: object) -> RegisterRow:
    row = {
        "system": f"系统{number}",
        "addresses": (ip_address(f"10.77.1.{number}"),),
        "ports": (("tcp", 80), ("tcp", 443)),
        "department": "信息中心",
        "level": "2",
        "filing_number": "39101000000-00001",
        "valid_to": LAST,
    }
    return RegisterRow(**{**row, **words})  # type: ignore[arg-type]


SYSTEMS = (
    system(1, domain="www.school.example"),
    system(2, addresses=(ip_address("10.77.1.2"), ip_address("fd77:0:0:1::2"))),
    system(3, ports=(("udp", 53), ("tcp", 53))),
    system(4, valid_to=None),
    system(5, ports=()),
    system(6, addresses=()),
    system(7, addresses=(), ports=(), domain=""),
    system(8, addresses=(), ports=(), domain="oa.school.example", department=""),
)


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    with opened(tmp_path / "home") as context:
        yield context


def allowed(done: EntryImport) -> set[str]:
    return {
        one.domain or f"{one.addresses[0].network_address} {one.ports}/{one.proto}".removesuffix(" /")
        for one in done.added
    }


def test_register_when_read_back_lists_what_was_given_and_names_its_holes(context: Context, tmp_path: Path) -> None:
    path = tmp_path / "资产台账.xlsx"
    write_register(path, SYSTEMS, "示例中学")
    done = import_entries(context, SCHOOL, path, "", NOW)
    assert allowed(done) == {
        "10.77.1.1 80,443/tcp",
        "www.school.example",
        "10.77.1.2 80,443/tcp",
        "fd77:0:0:1::2 80,443/tcp",
        "10.77.1.3 53/udp",
        "10.77.1.3 53/tcp",
        "10.77.1.4 80,443/tcp",
        "10.77.1.5",
        "oa.school.example",
    }
    refused = [(one.title, one.reason) for one in done.refused]
    assert refused == [("IP地址", "ports without an address"), ("IP地址", "neither an address nor a domain")]
    assert done.rows == len(SYSTEMS)
    ends = {one.reason.partition("（")[0]: one.valid_to for one in done.added}
    assert ends["系统4"] is None
    told = {end.astimezone(SHANGHAI).date() for end in ends.values() if end}
    assert told == {LAST}
    assert len([end for end in ends.values() if end]) == len(ends) - 1


def test_register_when_looked_at_is_kept_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "资产台账.xlsx"
    write_register(path, SYSTEMS, "示例中学")
    sheet = load_workbook(path).worksheets[0]
    assert sheet["A1"].value == "示例中学信息系统资产登记表"
    assert [str(one) for one in sheet.merged_cells.ranges] == ["A1:L1"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=3)]
    assert [number for number, row in enumerate(rows) if not any(row)] == [len(SYSTEMS) // 2]
    dates = [row[10] for row in rows if any(row)]
    assert {type(one) for one in dates} == {datetime, str}
    assert {"2027/6/30", "2027-06-30", "2027年6月30日", "长期"} <= set(dates)
    ports = "".join(str(row[4]) for row in rows)
    assert "８０" in ports
    assert "80" in ports
    posts = {row[6] for row in rows if any(row)}
    assert posts == {ADMINISTRATOR, None}


@pytest.mark.parametrize("rows", [(), SYSTEMS[:1]])
def test_register_when_short_has_no_blank_row(tmp_path: Path, rows: tuple[RegisterRow, ...]) -> None:
    path = tmp_path / "a.xlsx"
    write_register(path, rows)
    with path.open("rb") as stream:
        (sheet,) = read_table(stream, path.name)
    assert [row.number for row in sheet.rows] == list(range(1, 3 + len(rows)))


@pytest.mark.parametrize("text", ["=1+1", "+86", "-x", "@a"])
def test_text_when_it_begins_as_a_formula_stays_text(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.xlsx"
    write_register(path, (system(1, note=text),))
    with path.open("rb") as stream:
        (sheet,) = read_table(stream, path.name)
    cell = sheet.rows[2].at(12)
    assert (cell.text, cell.is_formula) == (f"'{text}", False)


LISTED = (
    ListedRow("门户", "*.school.example"),
    ListedRow("门户", "", ip_address("10.77.1.1"), "tcp", (80, 443), "http", LAST),
    ListedRow("域名解析", "", ip_address("10.77.1.3"), "udp", (53,)),
    ListedRow("打印", "", ip_address("fd77:0:0:1::9"), valid_to=LAST),
)


@pytest.mark.parametrize("name", ["白名单.csv", "白名单.CSV", "白名单.xlsx"])
def test_whitelist_when_read_back_lists_what_was_given(context: Context, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_whitelist(path, LISTED)
    done = import_entries(context, SCHOOL, path, "", NOW)
    assert done.refused == ()
    assert allowed(done) == {"*.school.example", "10.77.1.1 80,443/tcp", "10.77.1.3 53/udp", "fd77:0:0:1::9"}
    assert {one.service for one in done.added} == {"http", ""}
    assert sum(one.valid_to is not None for one in done.added) == 2


def test_whitelist_when_of_csv_is_in_the_encoding_of_a_chinese_spreadsheet(tmp_path: Path) -> None:
    path = tmp_path / "白名单.csv"
    write_whitelist(path, (*LISTED, ListedRow("=cmd", "a.school.example")))
    text = path.read_bytes().decode("gb18030")
    assert text.startswith("序号,用途,域名,IP地址,协议,端口,服务,审批部门,有效期\r\n1,门户,")
    assert "'=cmd" in text
    with pytest.raises(UnicodeDecodeError):
        path.read_bytes().decode("utf-8")
