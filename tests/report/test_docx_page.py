from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import docx
from docx.document import Document
from docx.oxml.ns import qn

from sentinel.report import docx_page

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def paper() -> Document:
    """A paper with one of each, read back by python-docx."""
    page = docx_page.new_page("通知", "示例学校", NOW)
    docx_page.add_title(page, "关于整改的通知")
    docx_page.add_heading(page, "一、范围")
    docx_page.add_paragraph(page, "正文 10.1.0.7")
    docx_page.add_table(page, ("地址", "说明"), [("10.1.0.7", "=cmd|'/c calc'!A0\n第二行")], (40, 116))
    return docx.Document(BytesIO(docx_page.write_docx(page)))


def test_page_always_is_a4_with_the_margins_of_an_official_paper() -> None:
    section = paper().sections[0]
    assert [round(one.mm) for one in (section.page_width, section.page_height)] == [210, 297]
    sides = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
    assert [round(one.mm) for one in sides] == [37, 35, 28, 26]
    assert round(section.page_width.mm - section.left_margin.mm - section.right_margin.mm) == docx_page.TYPE_WIDTH_MM


def test_page_always_says_it_is_simplified_chinese() -> None:
    (language,) = paper().styles["Normal"].element.rPr.findall(qn("w:lang"))
    assert language.get(qn("w:eastAsia")) == "zh-CN"


def test_every_run_always_names_a_font_for_chinese() -> None:
    document = paper()
    cells = [cell for row in document.tables[0].rows for cell in row.cells]
    runs = [run for one in (document, *cells) for paragraph in one.paragraphs for run in paragraph.runs]
    fonts = [run._element.rPr.rFonts.get(qn("w:eastAsia")) for run in runs]
    assert fonts[:3] == [docx_page.TITLE, docx_page.HEAVY, docx_page.BODY]
    assert None not in fonts


def test_table_always_repeats_its_head_and_splits_no_row() -> None:
    head, row = paper().tables[0].rows
    assert head._tr.trPr.find(qn("w:tblHeader")) is not None
    assert all(one._tr.trPr.find(qn("w:cantSplit")) is not None for one in (head, row))
    assert row.cells[1].text == "=cmd|'/c calc'!A0\n第二行"


def test_table_always_tells_its_widths_to_every_word_processor() -> None:
    (table,) = paper().tables
    assert [round(column.width.mm) for column in table.columns] == [40, 116]
    assert [round(cell.width.mm) for cell in table.rows[1].cells] == [40, 116]


def test_hostile_text_when_added_becomes_text_only() -> None:
    page = docx_page.new_page("x\x00<w:p/>", "y\u202e", NOW)
    docx_page.add_paragraph(page, 'a\x07b</w:t><w:fldSimple w:instr="INCLUDETEXT"/>\u202e')
    again = docx.Document(BytesIO(docx_page.write_docx(page)))
    text = again.paragraphs[-1].text
    assert "</w:t>" in text
    assert "\u202e" not in text
    assert not again.element.body.findall(f".//{qn('w:fldSimple')}")


def test_pages_always_carry_their_number_outside() -> None:
    section = paper().sections[0]
    for footer in (section.footer, section.even_page_footer):
        assert ">PAGE<" in footer._element.xml
