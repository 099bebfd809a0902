from __future__ import annotations

import zipfile
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from xml.etree import ElementTree as ET

import docx
import pytest
from docx.shared import Mm

from sentinel.model.finding import FindingState
from sentinel.model.rule import Severity
from sentinel.report.order_paper import OrderItem, OrderPaper, day_words, numeral, print_order
from tests.report.facts_factory import HOSTILE, NOW, digest

ITEM = OrderItem(
    number="隐患-2026-00001",
    title="Redis 无需口令即可访问",
    severity=Severity.CRITICAL,
    state=FindingState.OPEN,
    subject="10.20.1.7:6379/tcp",
    system="教务系统",
    clauses=("GB/T 22239-2019 7.1.4.1 a)（CE-01a）", "高风险判定 6.4.1.1"),
    detail="port=6379 product=Redis version=5.0.7",
    seen_at=NOW,
    evidence=digest("run 1"),
    harm="攻击者可写入计划任务控制主机。",
    remedy="设置口令并只监听内网地址。",
    due=NOW + timedelta(days=3),
    rule="exposure.redis-no-auth",
)
PAPER = OrderPaper(
    "整改-2026-0001",
    "示例市第一中学",
    "网络安全和信息化领导小组办公室",
    "教务处",
    NOW,
    NOW + timedelta(days=9),
    (ITEM, replace(ITEM, number="隐患-2026-00002", subject="10.20.1.8:6379/tcp", system="", due=None)),
    note="整改期间关闭对外访问。",
)


def opened(paper: OrderPaper):
    return docx.Document(BytesIO(print_order(paper)))


def words(document) -> str:
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


@pytest.mark.parametrize(
    "told",
    [
        "网络安全隐患整改通知书",
        "编号：整改-2026-0001",
        "发文字号：",
        "教务处：",
        "示例市第一中学",
        "网络安全隐患2项（1类）",
        "于2026年12月1日前",
        "一、Redis 无需口令即可访问（严重，2项）",
        "隐患-2026-00001",
        "10.20.1.8:6379/tcp",
        "教务系统",
        "未登记",
        "7.1.4.1 a)（CE-01a）；高风险判定 6.4.1.1",
        "2026-11-22 09:30 所见：port=6379 product=Redis version=5.0.7",
        f"SHA-256 {digest('run 1')[:16]}…",
        "危害：攻击者可写入计划任务控制主机。",
        "整改建议：设置口令并只监听内网地址。",
        "2026年11月25日",
        "逾期未整改",
        "整改期间关闭对外访问。",
        "网络安全和信息化领导小组办公室（盖章）",
        "2026年11月22日",
        "网络安全隐患整改反馈表",
        "整改措施",
        "□已整改",
        "整改前后截图",
        "整改人（签字）",
        "公章",
        "复测结果",
        "予以销号",
    ],
)
def test_print_order_when_read_back_then_every_field_stands_there(told: str) -> None:
    assert told in words(opened(PAPER))


def test_print_order_when_it_is_a_draft_then_it_has_no_number_and_no_day() -> None:
    told = words(opened(replace(PAPER, number="")))
    assert "【草稿，未签发】" in told
    assert "整改-2026" not in told
    assert "年　　月　　日" in told


def test_print_order_when_it_is_a_drill_then_it_says_so_first() -> None:
    assert "秋季演练" in opened(replace(PAPER, exercise="秋季演练")).paragraphs[0].text


def test_print_order_when_opened_then_the_page_is_that_of_an_official_paper() -> None:
    section = opened(PAPER).sections[0]
    sizes = (section.page_width, section.page_height, section.top_margin, section.left_margin)
    assert [round(size / Mm(1)) for size in sizes] == [210, 297, 37, 28]
    with zipfile.ZipFile(BytesIO(print_order(PAPER))) as package:
        body = package.read("word/document.xml").decode()
    assert "仿宋" in body
    assert "方正小标宋简体" in body


@pytest.mark.parametrize("bad", [*HOSTILE, "\ud800", "\ufffe", "a\x0bb", "banner " * 1500, "]]>", "&amp;<w:t>"])
def test_print_order_when_findings_are_hostile_then_the_paper_still_opens(bad: str) -> None:
    item = replace(
        ITEM,
        number=bad,
        title=bad,
        subject=bad,
        system=bad,
        clauses=(bad,),
        detail=bad,
        evidence=bad,
        harm=bad,
        remedy=bad,
    )
    body = print_order(replace(PAPER, unit=bad, issuer=bad, assignee=bad, note=bad, items=(item,)))
    with zipfile.ZipFile(BytesIO(body)) as package:
        for name in package.namelist():
            if name.endswith(".xml"):
                ET.fromstring(package.read(name))
    told = words(docx.Document(BytesIO(body)))
    assert "网络安全隐患整改反馈表" in told
    assert not {"\x00", "\x1b", "\u202e"} & set(told)
    assert len(told) < 20_000


def test_print_order_when_two_causes_are_named_then_each_has_its_heading() -> None:
    other = replace(ITEM, rule="exposure.telnet", title="Telnet 远程登录开放", severity=Severity.HIGH)
    told = [paragraph.text for paragraph in opened(replace(PAPER, items=(ITEM, other))).paragraphs]
    assert "一、Redis 无需口令即可访问（严重，1项）" in told
    assert "二、Telnet 远程登录开放（高危，1项）" in told


@pytest.mark.parametrize(
    ("number", "written"), [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (99, "九十九"), (100, "100"), (0, "0")]
)
def test_numeral_when_written_then_it_is_chinese_to_99(number: int, written: str) -> None:
    assert numeral(number) == written


def test_day_words_when_it_is_late_in_utc_then_the_day_is_shanghais() -> None:
    assert day_words(NOW.replace(hour=17)) == "2026年11月23日"
