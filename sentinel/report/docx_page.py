"""The page of an official paper as DOCX: A4 after GB/T 9704, Chinese fonts, paragraphs and tables in; bytes out.

Every text that comes in is made safe to show; nothing of it becomes markup, a field or a link.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Literal

from sentinel.report.clean import clean

if TYPE_CHECKING:
    from docx.document import Document
    from docx.oxml.xmlchemy import BaseOxmlElement
    from docx.section import Section
    from docx.table import _Cell
    from docx.text.paragraph import Paragraph
    from docx.text.run import Run

BODY, HEAVY, KAI, TITLE, SONG = "仿宋", "黑体", "楷体", "方正小标宋简体", "宋体"
"""Fonts as Windows and WPS name them; where one is missing the word processor takes its nearest."""

LATIN = "Times New Roman"
BODY_PT, TITLE_PT, CELL_PT = 16.0, 22.0, 10.5
LINE_PT = 28.9
"""Exact line height: 22 lines of 16 pt on a page. Source: GB/T 9704-2012, 5.2.3."""

MARGINS_MM = {"top": 37.0, "bottom": 35.0, "left": 28.0, "right": 26.0}
"""Source: GB/T 9704-2012, 5.2.1: 37 mm above, 28 mm left, 156 mm by 225 mm of type."""

TYPE_WIDTH_MM = 156.0
Align = Literal["left", "center", "right", "both"]
_MAX_TEXT = 4_000


def new_page(title: str, author: str, now: datetime) -> Document:
    """Give an empty A4 page with the margins, the body font and page numbers of an official paper."""
    import docx
    from docx.shared import Mm, Pt

    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(MARGINS_MM["top"]), Mm(MARGINS_MM["bottom"])
    section.left_margin, section.right_margin = Mm(MARGINS_MM["left"]), Mm(MARGINS_MM["right"])
    section.footer_distance = Mm(MARGINS_MM["bottom"] - 10)
    style = document.styles["Normal"]
    style.font.size = Pt(BODY_PT)
    style.font.name = LATIN
    _set_east_asian(style.element.get_or_add_rPr(), BODY)
    language = _element("w:lang")
    language.set(_name("w:val"), "zh-CN")
    language.set(_name("w:eastAsia"), "zh-CN")  # without it fallback fonts set punctuation as in Taiwan
    style.element.get_or_add_rPr().append(language)
    _number_pages(document, section)
    properties = document.core_properties
    properties.title, properties.author = clean(title), clean(author)
    properties.last_modified_by = properties.comments = ""
    properties.created = properties.modified = now
    return document


def add_paragraph(
    document: Document | _Cell,
    text: str,
    *,
    font: str = BODY,
    size_pt: float = BODY_PT,
    align: Align = "both",
    indent: int = 2,
    bold: bool = False,
    line_pt: float = LINE_PT,
    keep_with_next: bool = False,
) -> Paragraph:
    """Add one paragraph; `indent` is the first line's, in characters."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    places = {
        "left": WD_ALIGN_PARAGRAPH.LEFT,
        "center": WD_ALIGN_PARAGRAPH.CENTER,
        "right": WD_ALIGN_PARAGRAPH.RIGHT,
        "both": WD_ALIGN_PARAGRAPH.JUSTIFY,
    }
    paragraph = document.add_paragraph()
    shape = paragraph.paragraph_format
    shape.alignment, shape.keep_with_next = places[align], keep_with_next
    shape.space_before = shape.space_after = Pt(0)
    shape.line_spacing = Pt(line_pt)
    if indent:
        shape.first_line_indent = Pt(indent * size_pt)
    add_run(paragraph, text, font=font, size_pt=size_pt, bold=bold)
    return paragraph


def add_run(paragraph: Paragraph, text: str, *, font: str = BODY, size_pt: float = BODY_PT, bold: bool = False) -> Run:
    """Add words to a paragraph in a font of their own."""
    from docx.shared import Pt

    run = paragraph.add_run(clean(text, _MAX_TEXT))
    run.font.size, run.font.bold, run.font.name = Pt(size_pt), bold, LATIN
    _set_east_asian(run._element.get_or_add_rPr(), font)
    return run


def add_title(document: Document, text: str) -> Paragraph:
    """Add the title: 22 pt, centred, a line of air around it."""
    from docx.shared import Pt

    paragraph = add_paragraph(document, text, font=TITLE, size_pt=TITLE_PT, align="center", indent=0, line_pt=34)
    paragraph.paragraph_format.space_after = Pt(LINE_PT)
    return paragraph


def add_heading(document: Document, text: str, level: int = 1) -> Paragraph:
    """Add a heading of the first (`一、`) or second (`（一）`) level; it stays with what follows."""
    return add_paragraph(document, text, font=HEAVY if level == 1 else KAI, align="left", keep_with_next=True)


def add_table(
    document: Document,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    widths_mm: Sequence[float],
    *,
    size_pt: float = CELL_PT,
) -> None:
    """Add a ruled table; the head repeats on each page, no row is split. Without heads it has none."""
    from docx.enum.table import WD_TABLE_ALIGNMENT
    from docx.shared import Mm

    table = document.add_table(rows=0, cols=len(widths_mm), style="Table Grid")
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    for column, width in zip(table.columns, widths_mm, strict=True):  # LibreOffice and WPS go by these, Word by cells
        column.width = Mm(width)
    for number, row in enumerate([*([heads] if heads else []), *rows]):
        is_head = bool(heads) and number == 0
        line = table.add_row()
        settings = line._tr.get_or_add_trPr()
        settings.append(_element("w:cantSplit"))
        if is_head:
            settings.append(_element("w:tblHeader"))
        for cell, text, width in zip(line.cells, row, widths_mm, strict=True):
            _fill_cell(cell, text, width, size_pt=size_pt, is_head=is_head)


def write_docx(document: Document) -> bytes:
    """Give the paper as a file."""
    stream = BytesIO()
    document.save(stream)
    return stream.getvalue()


def _fill_cell(cell: _Cell, text: str, width_mm: float, *, size_pt: float, is_head: bool) -> None:
    from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT
    from docx.shared import Mm

    cell.width, cell.vertical_alignment = Mm(width_mm), WD_CELL_VERTICAL_ALIGNMENT.CENTER
    first = cell.paragraphs[0]._element
    first.getparent().remove(first)
    for line in text.split("\n"):
        add_paragraph(
            cell,
            line,
            font=HEAVY if is_head else BODY,
            size_pt=size_pt,
            align="center" if is_head else "left",
            indent=0,
            line_pt=size_pt * 1.5,
        )


def _number_pages(document: Document, section: Section) -> None:
    """Put `— 1 —` outside on each page: right on odd, left on even ones. Source: GB/T 9704-2012, 7.5."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    document.settings.odd_and_even_pages_header_footer = True
    for footer, place in (
        (section.footer, WD_ALIGN_PARAGRAPH.RIGHT),
        (section.even_page_footer, WD_ALIGN_PARAGRAPH.LEFT),
    ):
        paragraph = footer.paragraphs[0]
        paragraph.alignment = place
        paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Pt(14)
        add_run(paragraph, "—", font=SONG, size_pt=14).add_text(" ")
        number = add_run(paragraph, "", font=SONG, size_pt=14)
        for kind in ("begin", "", "end"):
            if kind:
                mark = _element("w:fldChar")
                mark.set(_name("w:fldCharType"), kind)
            else:
                mark = _element("w:instrText")
                mark.text = "PAGE"
            number._element.append(mark)
        number.add_text(" ")
        add_run(paragraph, "—", font=SONG, size_pt=14)


def _set_east_asian(properties: BaseOxmlElement, font: str) -> None:
    """Name the font of Chinese letters, which python-docx has no attribute for."""
    fonts = properties.find(_name("w:rFonts"))
    if fonts is None:
        fonts = _element("w:rFonts")
        properties.insert(0, fonts)
    fonts.set(_name("w:eastAsia"), font)
    fonts.set(_name("w:hint"), "eastAsia")  # so that quotation marks and dashes take the Chinese font too


def _element(tag: str) -> BaseOxmlElement:
    from docx.oxml import OxmlElement

    return OxmlElement(tag)


def _name(tag: str) -> str:
    from docx.oxml.ns import qn

    return qn(tag)
