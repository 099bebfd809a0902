"""The first hour of a school's only admin, from six answers to what can be forwarded, opened by real readers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest
from playwright.sync_api import sync_playwright

from tests.cli.command import ROOT, environment
from tests.first_hour.inside import CHROMIUM, CODE, PAGES, UNIT
from tests.first_hour.sheets import BAD, LAND_LINE, PHONE, POST, ROWS

pytestmark = [pytest.mark.nmap, pytest.mark.namespace, pytest.mark.browser, pytest.mark.xdist_group("first hour")]


@dataclass(frozen=True)
class Spent:
    """An hour that is over.

    Attributes:
        folder: everything it left.
        told: what it printed and counted.
    """

    folder: Path
    told: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.told[name]


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Spent:
    """Spend the hour once; a namespace that is refused is a failure."""
    folder = tmp_path_factory.mktemp("hour")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.first_hour.inside", str(folder)],
        cwd=ROOT,
        env=environment({"HOME": str(folder)}),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return Spent(folder, json.loads((folder / "hour.json").read_text(encoding="utf-8")))


def texts(path: Path) -> str:
    """All that stands in a DOCX, in paragraphs and tables."""
    paper = docx.Document(str(path))
    cells = [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(one.text for one in paper.paragraphs), *cells])


def test_init_when_answered_makes_a_home_with_settings_papers_and_scope(hour: Spent) -> None:
    home = Path(hour["home"])
    assert f'unit = "{CODE}"' in (home / "sentinel.toml").read_text(encoding="utf-8")
    papers = sorted((home / "papers").rglob("*.*"))
    assert {path.suffix for path in papers} == {".html", ".docx"}
    assert len(papers) == 4
    letter = texts(next(path for path in papers if path.suffix == ".docx" and "授权书" in path.name))
    for words in (UNIT, "分管副校长", "校网信〔2026〕12号", "10.88.0.0/24"):
        assert words in letter
    assert "请重填" in hour["asked"], "a code of five digits was taken"


def test_dormitory_when_declared_is_for_logs_only_and_not_authorised(hour: Spent) -> None:
    assert re.search(r"10\.99\.0\.0/16\s+只看日志", hour["asked"])
    letter = texts(next(Path(hour["home"]).rglob("*授权书*.docx")))
    authorised = letter.partition("只看日志")[0]
    assert "10.99.0.0/16" not in authorised


def test_papers_when_imported_all_at_once_are_each_taken_for_what_they_are(hour: Spent) -> None:
    assert set(hour["imported"]) == {"旧扫描.xml", "dhcpd.leases", "arp.txt", "资产台账.xlsx", "图书馆.csv"}
    assert [name for name, row in hour["imported"].items() if row["error"]] == []


def test_brief_before_any_packet_tells_of_papers_alone(hour: Spent) -> None:
    told = hour["before"]
    assert "一个报文也没发" in (hour.folder / "简报一" / "简报.html").read_text(encoding="utf-8")
    assert told["registered"] == hour["plan"]["lines"]
    assert 0 < told["seen"] < hour["after"]["seen"]
    assert told["exposed"] is None


def test_brief_after_the_scan_counts_registered_seen_and_unregistered_as_they_are(hour: Spent) -> None:
    plan, told = hour["plan"], hour["after"]
    assert told["registered"] == plan["lines"]
    assert told["seen"] == len(plan["seen"])
    assert told["unregistered"] == len(plan["seen"]) - len(plan["listed"])
    assert told["exposed"] is None, "nobody looked from outside"
    assert told["urgent"] >= len(hour["critical"]) >= 4


def test_brief_when_things_are_to_be_done_names_at_most_ten_by_cause_and_owner(hour: Spent) -> None:
    steps = hour["after"]["steps"]
    assert 5 <= len(steps) <= 10
    assert len({(step["cause"], *step["owners"]) for step in steps}) == len(steps)
    assert {"信息中心", "教务处", "后勤处"} & {owner for step in steps for owner in step["owners"]}


def test_ledger_when_opened_by_a_spreadsheet_program_has_every_line_and_no_formula_of_strangers(hour: Spent) -> None:
    book = openpyxl.load_workbook(hour.folder / "简报二" / "资产台账.xlsx")
    sheet = book["资产台账"]
    heads = [cell.value for row in sheet.iter_rows(min_row=1, max_row=6) for cell in row]
    assert {"IP地址", "系统名称", "责任部门"} <= set(heads)
    column = next(cell.column for row in sheet.iter_rows(max_row=6) for cell in row if cell.value == "IP地址")
    shown = {str(value) for (value,) in sheet.iter_rows(min_col=column, max_col=column, values_only=True)}
    assert set(hour["plan"]["seen"]) <= shown
    formulas = [cell for one in book for row in one.iter_rows() for cell in row if cell.data_type == "f"]
    assert formulas == []
    dates = [cell for one in book for row in one.iter_rows() for cell in row if isinstance(cell.value, datetime)]
    assert dates
    assert POST not in json.dumps([[str(cell.value) for cell in row] for row in sheet.iter_rows()], ensure_ascii=False)


def test_order_when_opened_by_a_word_processor_names_findings_due_date_and_has_a_reply_form(hour: Spent) -> None:
    paper = texts(hour.folder / "整改通知书.docx")
    for number in hour["critical"][:2]:
        assert number in paper
    for words in ("整改通知书", "整改反馈表", UNIT, "信息中心"):
        assert words in paper
    assert re.search(r"整改-20\d\d-0001", json.dumps(hour["issued"], ensure_ascii=False) + paper)


def test_brief_when_opened_in_a_browser_fits_a_screen_a_phone_and_paper(hour: Spent, tmp_path: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        troubles: list[str] = []
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto((hour.folder / "简报二" / "简报.html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert "先办这 10 件事" in page.inner_text("body")
        page.pdf(path=tmp_path / "brief.pdf", prefer_css_page_size=True)
        browser.close()
    assert troubles == []
    assert 2 <= (tmp_path / "brief.pdf").read_bytes().count(b"/Type /Page\n") <= 4


def test_pages_when_opened_in_a_browser_answer_without_errors_at_both_widths(hour: Spent) -> None:
    shown = hour["pages"]
    assert shown["troubles"] == []
    assert (shown["status"], shown["err"]) == (0, "")
    assert set(shown["pages"]) == {f"{path} {width}" for path in PAGES for width in (1440, 390)}
    for name, page in shown["pages"].items():
        assert (page["status"], page["width"]) == (200, int(name.split()[1])), name
        assert PHONE not in page["text"]
    assert UNIT in shown["pages"]["/ 1440"]["text"]
    assert "10.77.1." in shown["pages"]["/assets 390"]["text"]


def test_home_when_stolen_shows_no_telephone_number(hour: Spent) -> None:
    stolen = [path for path in (Path(hour["home"]) / "var").rglob("*") if path.is_file()]
    assert len(stolen) > 5
    for path in stolen:
        content = path.read_bytes()
        for secret in (PHONE, LAND_LINE):
            assert secret.encode() not in content, path
            assert secret.encode("utf-16-le") not in content, path


def test_sheet_of_2000_rows_when_imported_was_read_whole_but_for_what_nobody_can_read(hour: Spent) -> None:
    row = hour["imported"]["资产台账.xlsx"]
    assert (row["lines_added"], row["refused"]) == (ROWS + len(BAD) - 1, len(BAD))
    fields = {one["title"]: one["field"] for one in row["columns"]}
    assert fields.pop("序号") is None
    assert None not in fields.values()
