from __future__ import annotations

import re
import shutil
import subprocess
from io import BytesIO
from ipaddress import ip_network
from pathlib import Path

import docx
import pytest

from sentinel.collect.gate import parse_target
from sentinel.config import data_folder
from sentinel.model.register import Exit, KeepOut, Person
from sentinel.model.scope import Authorisation, Level
from sentinel.model.unit import Network, Zone
from sentinel.report.paper import Grid, Paper, build_authorisation_paper, build_notice_paper
from sentinel.report.paper_docx import render_paper_docx
from sentinel.report.render import render_paper
from sentinel.schedule.context import Context
from sentinel.schedule.enrolment import SECURITY, choose_targets
from sentinel.schedule.papers import read_paper_facts
from sentinel.store.declared import write_contact, write_exit, write_keep_out
from sentinel.store.scopes import write_authorisation
from sentinel.store.seal import Seal
from sentinel.store.units import write_network
from tests.homes import NOW, SCHOOL, opened

NETWORKS = (
    Network(0, "school", "服务器区", Zone.SERVER, (ip_network("10.1.0.0/24"),)),
    Network(0, "school", "宿舍区", Zone.DORMITORY, (ip_network("10.3.0.0/16"),), scannable=False),
)
KEPT = (ip_network("10.1.0.77/32"),)


def fill(context: Context, *, hostile: str = "") -> None:
    """Declare two networks, something that stays out, an exit, a contact, and authorise what may be scanned."""
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        for network in NETWORKS:
            write_network(transaction, network)
        write_keep_out(transaction, KeepOut(0, "school", KEPT, "x"))
        write_exit(transaction, Exit(0, "school", f"教育网{hostile}", (ip_network("202.112.0.9/32"),)))
        write_contact(transaction, "school", SECURITY, Person(f"张三{hostile}", "13800001234"), Seal(bytes(32)))
        write_authorisation(
            transaction,
            Authorisation(
                0, "school", choose_targets(NETWORKS, KEPT), f"校长{hostile}", f"1号{hostile}",
                NOW, NOW.replace(year=2027), Level.SERVICE,
            ),
        )  # fmt: skip


@pytest.fixture(params=["", "<b>&\u202e\x07{{7*7}}"], ids=["plain", "hostile"])
def papers(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Paper, ...]:
    with opened(tmp_path / "home") as context:
        fill(context, hostile=request.param)
        monkeypatch.setattr(Context, "load_seal", lambda _: Seal(bytes(32)))
        facts = read_paper_facts(context, SCHOOL, None, "10.1.0.3")
    return build_authorisation_paper(facts), build_notice_paper(facts)


def texts(paper: Paper) -> list[str]:
    """Every piece of text of a paper, in its order."""
    found = [paper.title, paper.number, paper.addressee]
    for block in paper.blocks:
        found += (
            [cell for row in (block.heads, *block.rows) for cell in row] if isinstance(block, Grid) else [block.text]
        )
    return [text for text in (*found, *paper.signatures, paper.day) if text]


def test_papers_name_the_network_as_declared_so_that_no_gap_tells_what_stays_out(papers: tuple[Paper, ...]) -> None:
    for paper in papers:
        (grid,) = (block for block in paper.blocks if isinstance(block, Grid))
        assert grid.rows == (
            ("服务器区", "服务器区", "10.1.0.0/24", "探测"),
            ("宿舍区", "宿舍区", "10.3.0.0/16", "只看日志"),
        )
        assert "10.1.0.7" not in "".join(texts(paper))


def test_papers_leave_out_exclusions_and_exits_that_stay_out(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
        with context.database.transaction("tester", NOW, objects=True) as transaction:
            targets = (parse_target("10.1.0.0/24"),)
            left_out = (parse_target("10.1.0.77"), parse_target("10.1.0.78"))
            until = NOW.replace(year=2027)
            signed = Authorisation(0, "school", targets, "校长", "1号", NOW, until, Level.SERVICE, excluded=left_out)
            write_authorisation(transaction, signed)
            write_exit(
                transaction, Exit(0, "school", "甲", (ip_network("202.112.0.9/32"), ip_network("202.112.0.10/32")))
            )
            write_exit(transaction, Exit(0, "school", "乙", (ip_network("202.112.0.9/32"),)))
            write_keep_out(transaction, KeepOut(0, "school", (*KEPT, ip_network("202.112.0.9/32")), "x"))
        facts = read_paper_facts(context, SCHOOL, None, "")
    assert facts.excluded == ("10.1.0.78",)
    assert [(one.name, [str(prefix) for prefix in one.prefixes]) for one in facts.exits] == [
        ("甲", ["202.112.0.10/32"])
    ]


def test_both_forms_say_the_same_words(papers: tuple[Paper, ...]) -> None:
    for paper in papers:
        html = render_paper(paper, data_folder("reports"))
        shown = re.sub(r"<style>.*?</style>|<title>.*?</title>|<[^>]+>", "\n", html, flags=re.DOTALL)
        shown = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("&#34;", '"')
        assert [line for line in shown.splitlines() if line] == texts(paper)
        document = docx.Document(BytesIO(render_paper_docx(paper, NOW)))
        lines = [paragraph.text for paragraph in document.paragraphs if paragraph.text]
        (table,) = document.tables
        cells = [cell.text for row in table.rows for cell in row.cells]
        assert sorted(lines + cells) == sorted(texts(paper))
        assert "\u202e" not in html + "".join(lines)


def test_signatures_never_stand_on_a_page_of_their_own(papers: tuple[Paper, ...]) -> None:
    for paper in papers:
        paragraphs = docx.Document(BytesIO(render_paper_docx(paper, NOW))).paragraphs
        place = next(place for place, one in enumerate(paragraphs) if one.text == paper.signatures[0])
        kept = [bool(one.paragraph_format.keep_with_next) for one in paragraphs[place - 5 : place]]
        assert all(kept), paper.name
        assert ".sign, p:nth-last-of-type(-n+4) { break-before: avoid; }" in render_paper(paper, data_folder("reports"))


@pytest.mark.browser
def test_papers_when_printed_are_a4_and_short(papers: tuple[Paper, ...], tmp_path: Path) -> None:
    browser = shutil.which("chromium") or "chromium"
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-pdf-header-footer")
    for paper in papers:
        page, printed = tmp_path / f"{paper.name}.html", tmp_path / f"{paper.name}.pdf"
        page.write_text(render_paper(paper, data_folder("reports")), encoding="utf-8")
        command = [
            browser,
            *flags,
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--print-to-pdf={printed}",
            page.as_uri(),
        ]
        subprocess.run(command, capture_output=True, timeout=120, check=True)
        content = printed.read_bytes()
        boxes = {
            tuple(map(round, map(float, found)))
            for found in re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", content)
        }
        assert boxes == {(595, 842)}
        assert 1 <= len(re.findall(rb"/Type /Page\b", content)) <= 3
