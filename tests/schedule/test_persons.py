"""Whatever cell, sheet or file name a person's number stands in, nothing of the home shows it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import Workbook
from openpyxl.comments import Comment
from zstandard import ZstdDecompressor

from sentinel.errors import ParseError
from sentinel.model.evidence import RunKind
from sentinel.schedule.context import Context
from sentinel.schedule.importing import take_file
from sentinel.schedule.intake import Origin, take_in
from sentinel.schedule.mappings import parse_said
from sentinel.schedule.persons import hide_arguments, hide_persons, names_persons
from sentinel.schedule.reading import read_map
from sentinel.schedule.register import import_entries
from sentinel.schedule.vocabularies import REGISTER
from sentinel.store.register import read_register
from tests.cli.written import host, nmap, service
from tests.homes import NOW, SCHOOL, opened

NUMBER = "13800138000"


@pytest.fixture(autouse=True)
def _own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (f"找王老师 {NUMBER}", "找王老师 138****8000"),
        ("138-0013-8000，+86 138 0013 8000", "138****8000，138****8000"),
        ("电话１３８００１３８０００", "电话１３８****８０００"),
        ("wx13800138000", "wx138****8000"),
        ("0371-60000000", "****"),
        ("(0371)60000000 转 12", "****"),
        ("037160000000、01062730000", "****、****"),
        ("电话：6000 0000；短号 66881", "电话：****；短号 ****"),
        ("身份证 410101199001011234", "身份证 ****"),
        ("zhang@school.edu.cn，li＠a.example", "***，***"),
    ],
)
def test_hide_when_a_text_tells_how_to_reach_a_person_hides_it(text: str, hidden: str) -> None:
    assert hide_persons(text) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "13010012345-00001",  # 等保备案号 of Hebei, whose first digits look like a mobile number
        "11010112345-21001",
        "豫ICP备12345678号-1",
        "10.1.0.5:8080 10.1.0.10-10.1.0.20",
        "CVE-2021-44228 CNVD-2020-12345678",
        "2026-01-05 20260105 46000",
        "电话会议 8080",
        "机房 3 号楼 0371 室",
        "00012345678",
    ],
)
def test_hide_when_a_text_tells_of_no_person_leaves_it(text: str) -> None:
    assert hide_persons(text) == text


def everything(context: Context) -> bytes:
    """All bytes of the home, with what is packed in them."""
    context.database.one("PRAGMA wal_checkpoint(PASSIVE)")
    whole = b""
    for path in sorted(one for one in context.home.path.rglob("*") if one.is_file()):
        data = path.read_bytes()
        if path.suffix == ".zst":
            with ZstdDecompressor().stream_reader(BytesIO(data), read_across_frames=True) as stream:
                data = stream.read()
            if data.startswith(b"PK"):
                with ZipFile(BytesIO(data)) as package:
                    data = b"".join(map(package.read, package.namelist()))
        whole += data
    return whole


def test_register_when_numbers_stand_anywhere_shows_none_of_them(context: Context, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    sheet.title = f"台账{NUMBER}"
    sheet.append(["系统名称", "IP地址", f"说明{NUMBER}", "备注", "等保备案号"])
    sheet.append([f"教务 {NUMBER}", "10.1.0.5", NUMBER, f"１３８００１３８０００ {NUMBER}", "13010012345-00001"])
    path = tmp_path / f"张老师{NUMBER}.xlsx"
    book.save(path)
    taken = take_file(
        context, SCHOOL, path, "inside", kind="register", said=parse_said([f"说明{NUMBER}=位置"], REGISTER)
    )
    assert taken.register is not None
    assert NUMBER not in repr(taken)
    (line,) = read_register(context.database, SCHOOL.code)
    assert (line.system, line.place, line.filing) == ("教务 138****8000", "138****8000", "13010012345-00001")
    whole = everything(context)
    assert b"138****8000" in whole
    assert NUMBER.encode() not in whole
    assert "１３８００１３８０００".encode() not in whole


def test_whitelist_when_a_system_name_tells_a_number_hides_it(context: Context, tmp_path: Path) -> None:
    path = tmp_path / "白名单.csv"
    path.write_text(f"系统名称,IP地址,端口\n门户 {NUMBER},10.1.0.6,80\n", encoding="utf-8")
    (entry,) = import_entries(context, SCHOOL, path, "信息中心", NOW).added
    assert entry.reason.startswith("门户 138****8000")
    assert NUMBER.encode() not in everything(context)


@pytest.mark.parametrize("place", ["title", "advice", "unread", "hidden", "comment"])
def test_list_of_flaws_when_a_number_stands_in_it_is_read_and_not_kept(
    context: Context, tmp_path: Path, place: str
) -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["漏洞名称", "风险等级", "IP地址", "整改建议", "进展"])
    texts = {one: f" {NUMBER}" if one == place else "" for one in ("title", "advice", "unread")}
    sheet.append([f"弱口令{texts['title']}", "高危", "10.1.0.5", f"改口令{texts['advice']}", f"待办{texts['unread']}"])
    if place == "hidden":
        other = book.create_sheet("联系")
        other.append(["王老师", NUMBER])
        other.sheet_state = "hidden"
    if place == "comment":
        sheet["A2"].comment = Comment(NUMBER, "王")
    path = tmp_path / "漏洞.xlsx"
    book.save(path)
    taken = take_file(context, SCHOOL, path, "inside")
    assert taken.sheet is not None
    assert taken.flaws is not None
    assert (taken.flaws.opened, taken.sheet.kept) == (1, False)
    assert NUMBER.encode() not in everything(context)


def test_error_when_a_file_is_refused_tells_no_number_of_its_name(context: Context, tmp_path: Path) -> None:
    path = tmp_path / f"{NUMBER}.xlsx"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(ParseError) as caught:
        take_file(context, SCHOOL, path, "inside")
    assert NUMBER not in str(caught.value)


def test_list_of_flaws_when_its_dates_have_long_fractions_is_kept(context: Context, tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["漏洞名称", "风险等级", "IP地址", "发现时间"])
    book.active.append(["弱口令", "高危", "10.1.0.5", 41330.19027777778])
    book.save(tmp_path / "漏洞.xlsx")
    taken = take_file(context, SCHOOL, tmp_path / "漏洞.xlsx", "inside")
    assert taken.sheet is not None
    assert taken.sheet.kept


def test_web_address_in_any_text_loses_what_is_one_visitors_and_names_nobody_by_it() -> None:
    text = "登录 http://a.example/login?user=zhangsan&token=1 后可见"
    assert hide_persons(text) == "登录 http://a.example/login?… 后可见"
    assert not names_persons([text])  # a list of flaws is kept whose addresses have queries, as most have


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("nmap -sV --script-args mysqluser=root,mysqlpass=secret 10.0.0.5", "nmap -sV --script-args *** 10.0.0.5"),
        ("nmap --script-args='a=b c' -p 80 10.0.0.5", "nmap --script-args=*** -p 80 10.0.0.5"),
        ('nmap --script-args "a=b c" 10.0.0.5', "nmap --script-args *** 10.0.0.5"),
        ("nmap --script-args-file /home/zhangsan/a 10.0.0.5", "nmap --script-args-file *** 10.0.0.5"),
        ("nmap -sS -p- 10.0.0.0/24", "nmap -sS -p- 10.0.0.0/24"),
    ],
)
def test_command_line_of_a_scan_keeps_its_options_and_no_login_of_its_scripts(words: str, shown: str) -> None:
    assert hide_arguments(words) == shown


def test_title_of_a_page_when_it_tells_how_to_reach_a_person_is_stored_without(tmp_path: Path) -> None:
    words = f"报修 {NUMBER} a@school.example"
    title = f'<script id="http-title" output="{words}"><elem key="title">{words}</elem></script></port>'
    text = nmap(host("10.1.0.5", service(80, "http").replace("</port>", title))).encode()
    with opened(tmp_path / "home") as context:
        for name in ("a.xml", "b.xml"):
            known = take_in(context, SCHOOL, BytesIO(text), Origin(name, RunKind.IMPORT, "inside")).known
        (row,) = read_map(context, SCHOOL)
    assert (row.endpoint.title, known) == ("报修 138****8000 ***", True)
