"""`brief` and `ledger`: what the first hour ends with, opened by the programs people open it with."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import docx
import openpyxl
import pytest

from sentinel.model.register import Person, RegisterEntry
from sentinel.store.register import write_register
from tests.cli.command import UNIT, Sentinel
from tests.cli.written import host, nmap, service
from tests.homes import opened

NAME = "张三丰"


@dataclass(frozen=True)
class School:
    """A home with an import from inside, one from outside, and a register whose persons are sealed."""

    sentinel: Sentinel
    env: dict[str, str]


@pytest.fixture(scope="module")
def school(make_home: Callable[[], Sentinel], tmp_path_factory: pytest.TempPathFactory) -> School:
    sentinel = make_home()
    folder = tmp_path_factory.mktemp("input")
    bad = service(23, "telnet", product="=cmd|' /C calc'!A0")
    (folder / "in.xml").write_text(nmap(*(host(f"192.0.2.{n}", bad, service(80, "http")) for n in (1, 2, 3))))
    (folder / "out.xml").write_text(nmap(host("192.0.2.1", service(80, "http")), asked="80", target="192.0.2.1"))
    sentinel.run("import", folder / "in.xml")
    sentinel.run("import", folder / "out.xml", "--vantage", "outside")
    config = folder / "config"
    with pytest.MonkeyPatch.context() as patch, opened(sentinel.home) as context:
        patch.setenv("XDG_CONFIG_HOME", str(config))
        with context.database.transaction("tester", context.clock()) as transaction:
            write_register(transaction, [line(3, "192.0.2.1"), line(4, "192.0.2.5")], context.make_seal())
            transaction.audit("register.import", "unit")
    return School(sentinel, {"XDG_CONFIG_HOME": str(config)})


def line(row: int, address: str) -> RegisterEntry:
    person = Person(NAME, "0371-6000 0000")
    place = (ip_network(address),)
    return RegisterEntry(0, UNIT, "台账.xlsx", "a" * 64, "", row, "=系统", place, department="教务处", person=person)


def test_brief_when_written_prints_ten_lines_and_leaves_a_folder_to_forward(school: School, tmp_path: Path) -> None:
    out = tmp_path / "简报"
    done = school.sentinel.run("brief", "--out", out)
    assert len(done.out.splitlines()) <= 10
    assert re.search(r"登记（条） 2，发现（台） 3，未登记（台） 2", done.out)
    assert "互联网暴露面（端口） 1" in done.out
    assert {path.name for path in out.iterdir()} == {
        "简报.html",
        "资产台账.xlsx",
        "整改通知书-草稿-教务处.docx",
        "整改通知书-草稿-未指定部门.docx",
    }
    text = (out / "简报.html").read_text(encoding="utf-8")
    assert "一个报文也没发" in text
    assert NAME not in text
    paper = docx.Document(str(out / "整改通知书-草稿-教务处.docx"))
    assert any("草稿，未签发" in paragraph.text for paragraph in paper.paragraphs)


def test_brief_when_asked_for_json_is_one_object(school: School, tmp_path: Path) -> None:
    row = school.sentinel.run("brief", "--out", tmp_path, "--json").row
    assert (row["registered"], row["seen"], row["unregistered"], row["exposed"]) == (2, 3, 2, 1)
    assert {Path(name).parent for name in row["files"]} == {tmp_path}
    assert row["orders"] == []
    assert len(row["steps"]) <= 10


def test_brief_when_the_home_is_empty_says_not_checked_everywhere(untouched: Sentinel, tmp_path: Path) -> None:
    done = untouched.run("brief", "--out", tmp_path / "out")
    assert done.out.count("未核查") >= 6
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"简报.html", "资产台账.xlsx"}
    row = untouched.run("brief", "--out", tmp_path / "out", "--json").row
    assert {row[name] for name in ("registered", "seen", "unregistered", "unchecked", "exposed", "urgent")} == {None}
    about = openpyxl.load_workbook(tmp_path / "out" / "资产台账.xlsx")["说明"]
    assert sum(str(row[1]).startswith("未核查") for row in about.iter_rows(values_only=True)) == 5


def test_brief_when_printed_by_a_browser_has_its_first_page_for_what_to_do(school: School, tmp_path: Path) -> None:
    school.sentinel.run("brief", "--out", tmp_path)
    browser = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-pdf-header-footer")
    pdf = tmp_path / "a.pdf"
    page = (tmp_path / "简报.html").as_uri()
    command = [browser, *flags, f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={pdf}", page]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes()))
    assert 1 <= pages <= 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["brief"], "--out: a folder is needed"),
        (["ledger"], "--out: a file is needed"),
        (["brief", "--out", "x", "--unit", "nosuch"], "no such unit"),
        (["ledger", "--out", "x.xlsx", "--show-persons"], "cannot be opened: no contact key"),
        (["brief", "--out", "x", "--show-persons"], "cannot be opened: no contact key"),
    ],
)
def test_brief_when_a_word_is_wrong_ends_with_one_line_and_2(school: School, words: list[str], told: str) -> None:
    assert told in school.sentinel.run(*words, expect=2).complaint
    assert not Path("x").exists()
    assert not Path("x.xlsx").exists()


def test_brief_when_the_place_cannot_be_written_ends_with_10(school: School, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for words in (["brief", "--out", tmp_path / "file" / "a"], ["ledger", "--out", tmp_path / "file" / "a.xlsx"]):
        assert "file" in school.sentinel.run(*words, expect=10).complaint
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_ledger_when_imported_again_registers_only_the_hosts_somebody_filled_in(
    make_home: Callable[[], Sentinel], tmp_path: Path
) -> None:
    sentinel = make_home()
    (tmp_path / "in.xml").write_text(nmap(*(host(f"192.0.2.{n}", service(80, "http")) for n in (1, 2, 3))))
    (tmp_path / "own.csv").write_text("系统名称,IP地址,责任部门\n门户,192.0.2.1,信息中心\n", encoding="utf-8")
    sentinel.run("import", tmp_path / "in.xml", tmp_path / "own.csv")
    sentinel.run("ledger", "--out", tmp_path / "台账.xlsx")
    book = openpyxl.load_workbook(tmp_path / "台账.xlsx")
    heads = [cell.value for cell in book["资产台账"][1]]
    (row,) = [row for row in book["资产台账"].iter_rows(min_row=2) if row[0].value == "192.0.2.2"]
    row[heads.index("责任部门")].value = "教务处"
    book.save(tmp_path / "台账.xlsx")
    summary = sentinel.run("register", "import", tmp_path / "台账.xlsx", "--json").rows[-1]["summary"]
    assert (summary["rows"], summary["added"], summary["unfilled"]) == (2, 2, 1)
    assert "未登记（台） 1" in sentinel.run("brief", "--out", tmp_path / "out").out


def test_brief_when_what_was_imported_was_never_judged_claims_no_zero(
    make_home: Callable[[], Sentinel], tmp_path: Path
) -> None:
    sentinel = make_home()
    (tmp_path / "in.xml").write_text(nmap(host("192.0.2.1", service(23, "telnet"))))
    sentinel.run("import", tmp_path / "in.xml", "--no-check")
    done = sentinel.run("brief", "--out", tmp_path / "out")
    assert "严重和高危隐患 未核查" in done.out
    assert "先运行 sentinel check" in done.out
    sentinel.run("check")
    done = sentinel.run("brief", "--out", tmp_path / "out")
    assert re.search(r"严重和高危隐患 \d", done.out)
    assert "sentinel unit contact set" in (tmp_path / "out" / "简报.html").read_text(encoding="utf-8")


def test_ledger_when_persons_are_asked_for_and_the_key_is_there_names_them(school: School, tmp_path: Path) -> None:
    for words, found in (([], False), (["--show-persons"], True)):
        out = tmp_path / f"{found}.xlsx"
        school.sentinel.run("ledger", "--out", out, *words, env=school.env)
        book = openpyxl.load_workbook(out)
        cells = {cell for page in book for row in page.iter_rows(values_only=True) for cell in row}
        assert ({NAME, "0371-6000 0000"} <= cells) is found
        assert (NAME in cells) is found


def test_ledger_when_opened_has_a_row_a_host_and_quotes_what_looks_like_a_formula(
    school: School, tmp_path: Path
) -> None:
    out = tmp_path / "台账.xlsx"
    row = school.sentinel.run("ledger", "--out", out, "--json").row
    assert (row["hosts"], row["ports"], row["lines"], row["unregistered"]) == (3, 7, 2, 2)
    assert row["bytes"] == out.stat().st_size
    book = openpyxl.load_workbook(out)
    page = book["资产台账"]
    heads = [cell.value for cell in page[1]]
    states = {page.cell(n, 1).value: page.cell(n, heads.index("登记状态") + 1).value for n in range(2, 5)}
    assert states == {"192.0.2.1": "登记且发现", "192.0.2.2": "未登记", "192.0.2.3": "未登记"}
    system = page.cell(2, heads.index("系统名称") + 1)
    assert (system.value, system.data_type, system.quotePrefix) == ("=系统", "s", True)
    assert not any(cell.data_type == "f" for sheet in book for cells in sheet.iter_rows() for cell in cells)
    assert [path.name for path in tmp_path.iterdir()] == ["台账.xlsx"]
