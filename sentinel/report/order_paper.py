"""An order in, the rectification order with its reply form as DOCX out (整改通知书、整改反馈表).

A tool prints no red head in an office's name: the number of the document and the seal stay blank for the issuer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sentinel.model.finding import FindingState
from sentinel.model.moment import SHANGHAI, local_text
from sentinel.model.rule import Severity
from sentinel.report.clean import clean
from sentinel.report.docx_page import (
    BODY,
    HEAVY,
    TYPE_WIDTH_MM,
    add_paragraph,
    add_table,
    add_title,
    new_page,
    write_docx,
)
from sentinel.report.words import term

if TYPE_CHECKING:
    from docx.document import Document

TITLE: Final = "网络安全隐患整改通知书"
LIST: Final = "网络安全隐患清单"
REPLY: Final = "网络安全隐患整改反馈表"
DRAFT: Final = "草稿，未签发"

_NUMERALS: Final = "一二三四五六七八九十"
_OVERDUE: Final = (
    "逾期未整改、未说明理由或者反馈不实的，将予以督办并通报；存在重大风险的，可以先行暂停有关系统对外服务，"
    "直至整改完成并复测通过。"
)


@dataclass(frozen=True, slots=True)
class OrderItem:
    """One finding as the order prints it.

    Attributes:
        number: number of the finding.
        title: what is wrong.
        severity: how bad.
        state: where it stands now.
        subject: URL, or address and port.
        system: name of the system by the register.
        clauses: control clauses with the standard's numbers.
        detail: what the check saw.
        seen_at: when it was last seen.
        evidence: SHA-256 of the evidence.
        harm: why it matters.
        remedy: what to do.
        due: when it must be fixed; None: the order's deadline.
        rule: rule that found it.
    """

    number: str
    title: str
    severity: Severity
    state: FindingState
    subject: str
    system: str
    clauses: tuple[str, ...]
    detail: str
    seen_at: datetime
    evidence: str
    harm: str
    remedy: str
    due: datetime | None
    rule: str


@dataclass(frozen=True, slots=True)
class OrderPaper:
    """An order as it is printed; without number it is a draft.

    Attributes:
        number: number of the order; empty for a draft.
        unit: name of the unit whose findings they are.
        issuer: who orders.
        assignee: who has to mend.
        issued_at: when it was issued, or drafted.
        due: until when the reply is due.
        items: the findings in the order of the paper.
        note: what else the issuer says.
        exercise: name of the drill; empty for real findings.
    """

    number: str
    unit: str
    issuer: str
    assignee: str
    issued_at: datetime
    due: datetime
    items: tuple[OrderItem, ...]
    note: str = ""
    exercise: str = ""


def print_order(paper: OrderPaper) -> bytes:
    """Print an order: the letter on a page of its own, the findings, the reply form."""
    document = new_page(f"{TITLE} {paper.number or DRAFT}", paper.issuer, paper.issued_at)
    _open(document, paper)
    _demand(document, paper)
    _sign(document, paper)
    _list_causes(document, paper)
    _reply_form(document, paper)
    return write_docx(document)


def day_words(moment: datetime) -> str:
    """Write a day as papers do, in Asia/Shanghai: `2026年12月1日`."""
    local = moment.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日"


def _open(document: Document, paper: OrderPaper) -> None:
    if paper.exercise:
        add_paragraph(document, f"演练文书，非真实情况：{paper.exercise}", font=HEAVY, align="center", indent=0)
    if not paper.number:
        add_paragraph(document, f"【{DRAFT}】", font=HEAVY, align="center", indent=0)
    add_title(document, TITLE)
    number = paper.number or "（签发时编号）"
    add_paragraph(document, f"编号：{number}　　发文字号：　　　　　　　", align="center", indent=0)
    add_paragraph(document, f"{clean(paper.assignee, 60)}：", align="left", indent=0)
    causes = len({item.rule for item in paper.items})
    add_paragraph(
        document,
        f"经核查，{clean(paper.unit, 60)}由你部门负责的信息系统和设备存在网络安全隐患{len(paper.items)}项"
        f"（{causes}类），清单、证据和整改建议见附件1。请于{day_words(paper.due)}前完成整改并反馈。",
    )


def _list_causes(document: Document, paper: OrderPaper) -> None:
    _annex(document, 1, LIST)
    for place, members in enumerate(_by_cause(paper.items), start=1):
        _cause(document, place, members, paper)


def _by_cause(items: Sequence[OrderItem]) -> list[list[OrderItem]]:
    by_rule: defaultdict[str, list[OrderItem]] = defaultdict(list)
    for item in items:
        by_rule[item.rule].append(item)
    return list(by_rule.values())


def _annex(document: Document, number: int, title: str) -> None:
    head = add_paragraph(document, f"附件{number}", font=HEAVY, align="left", indent=0)
    head.paragraph_format.page_break_before = True
    add_title(document, title)


def _cause(document: Document, place: int, members: Sequence[OrderItem], paper: OrderPaper) -> None:
    first = members[0]
    title = f"{numeral(place)}、{clean(first.title, 80)}（{term(first.severity).zh}，{len(members)}项）"
    _small(document, title, font=HEAVY, keep=True)
    _small(document, f"危害：{clean(first.harm, 400) or '见对应条款。'}", keep=True)
    _small(document, f"整改建议：{clean(first.remedy, 400) or '按对应条款整改。'}", keep=True)
    clauses = "；".join(clean(clause, 120) for clause in first.clauses[:6]) or "无"
    _small(document, f"对应条款：{clauses}。", keep=True)
    add_table(
        document,
        ("隐患编号", "信息系统", "URL 或地址端口", "证据", "整改期限"),
        [_object(item, paper) for item in members],
        (26, 24, 38, 46, 22),
        size_pt=9,
    )
    _small(document, "")


def _small(document: Document, text: str, *, font: str = BODY, keep: bool = False) -> None:
    add_paragraph(document, text, font=font, size_pt=12, align="left", indent=0, line_pt=20, keep_with_next=keep)


def _object(item: OrderItem, paper: OrderPaper) -> tuple[str, ...]:
    evidence = f"{local_text(item.seen_at)} 所见：{clean(item.detail, 200) or '见证据'}"
    if item.evidence:
        evidence += f"；SHA-256 {clean(item.evidence, 16).rstrip('…')}…"
    return (
        clean(item.number, 30),
        clean(item.system, 60) or "未登记",
        clean(item.subject, 120),
        evidence,
        day_words(item.due or paper.due),
    )


def _demand(document: Document, paper: OrderPaper) -> None:
    add_paragraph(
        document,
        f"一、请逐项核实并整改，于{day_words(paper.due)}前填写《{REPLY}》，附整改前后截图，由负责人签字并加盖公章后反馈。",
    )
    add_paragraph(document, "二、不能按期的，书面说明理由、防护措施和完成时间。")
    add_paragraph(document, "三、整改后由签发单位复测，通过后予以销号。")
    add_paragraph(document, f"四、{_OVERDUE}")
    if paper.note:
        add_paragraph(document, f"五、{clean(paper.note, 1000)}")


def _sign(document: Document, paper: OrderPaper) -> None:
    add_paragraph(document, f"附件：1.{LIST}　2.{REPLY}", align="left")
    add_paragraph(document, "联系人和电话：　　　　　　　　　", align="left")
    add_paragraph(document, f"{clean(paper.issuer, 60)}（盖章）　　", align="right", indent=0)
    day = day_words(paper.issued_at) if paper.number else "　　　　年　　月　　日"
    add_paragraph(document, f"{day}　　", align="right", indent=0)
    add_paragraph(document, "系统生成；未加盖公章无效。", size_pt=10.5, align="left", indent=0, line_pt=18)


def _reply_form(document: Document, paper: OrderPaper) -> None:
    _annex(document, 2, REPLY)
    head = (
        f"整改通知书编号：{paper.number or DRAFT}　　单位：{clean(paper.unit, 40)}　　部门：{clean(paper.assignee, 40)}"
    )
    _small(document, head)
    add_table(
        document,
        ("序号", "隐患编号和对象", "整改措施", "整改结果", "完成日期", "复测结果（签发单位填）"),
        [
            (
                str(number),
                f"{clean(item.number, 30)}\n{clean(item.title, 60)}\n{clean(item.subject, 120)}",
                "",
                "□已整改\n□部分整改\n□未整改",
                "",
                "□通过\n□不通过\n日期：",
            )
            for number, item in enumerate(paper.items, start=1)
        ],
        (10, 46, 34, 22, 18, 26),
        size_pt=9,
    )
    _small(document, "")
    add_table(
        document,
        (),
        [
            ("未按期整改的理由、临时防护措施和完成时间", "\n\n"),
            ("整改前后截图（可另附页）", "\n\n\n\n\n"),
            ("整改人（签字）", ""),
            ("部门负责人（签字）、部门公章", "\n\n　　　　　　　　年　　月　　日"),
            (
                "签发单位复测意见、复测人、销号日期",
                "□全部通过，予以销号　　□退回继续整改\n\n　　　　　　　　年　　月　　日",
            ),
        ],
        (50, TYPE_WIDTH_MM - 50),
    )


def numeral(number: int) -> str:
    """Write 1 to 99 in Chinese, larger ones in digits."""
    tens, ones = divmod(number, 10)
    if not 0 < number < 100:
        return str(number)
    high = "" if not tens else "十" if tens == 1 else f"{_NUMERALS[tens - 1]}十"
    return high + (_NUMERALS[ones - 1] if ones else "")
