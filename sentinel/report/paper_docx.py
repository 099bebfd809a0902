"""A paper as values in; its DOCX file out."""

from __future__ import annotations

from datetime import datetime

from sentinel.report import docx_page
from sentinel.report.paper import Grid, Line, Paper

KEPT_WITH_SIGNATURES = 4
"""Lines of the text that stand on the page of the signatures, which never stand alone. Source: GB/T 9704, 7.3.5."""


def render_paper_docx(paper: Paper, now: datetime) -> bytes:
    """Print a paper as DOCX: A4 after GB/T 9704, with the places for signature and seal at its end."""
    page = docx_page.new_page(paper.title, paper.unit, now)
    docx_page.add_title(page, paper.title)
    if paper.number:
        docx_page.add_paragraph(page, paper.number, align="center", indent=0)
    if paper.addressee:
        docx_page.add_paragraph(page, paper.addressee, align="left", indent=0)
    ending = len(paper.blocks) - KEPT_WITH_SIGNATURES
    for place, block in enumerate(paper.blocks):
        match block:
            case Line(text, heading=True):
                docx_page.add_heading(page, text)
            case Line(text):
                docx_page.add_paragraph(page, text, keep_with_next=place >= ending)
            case Grid(heads, rows, widths):
                whole = docx_page.TYPE_WIDTH_MM / sum(widths)
                docx_page.add_table(page, heads, rows, [width * whole for width in widths])
    docx_page.add_paragraph(page, "", keep_with_next=True)
    for line in paper.signatures:
        docx_page.add_paragraph(page, line, align="left", indent=11, keep_with_next=True, line_pt=38)
    docx_page.add_paragraph(page, paper.day, align="left", indent=11, line_pt=38)
    return docx_page.write_docx(page)
