"""The one door through which rows of sheets and flaws of reports pass before anything of them is stored."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO

from sentinel.model.unit import IPAddress, IPNetwork, Unit
from sentinel.observe.table import Sheet, fold_width
from sentinel.schedule.context import Context
from sentinel.schedule.keep_out import load_kept_out, refuse_count, refuse_kept_out


def admit(context: Context, unit: Unit, asked: Iterable[IPNetwork | IPAddress], where: str) -> None:
    """Let addresses of a file pass, or refuse the file: what was declared to stay out is refused here.

    Raises:
        ParseError: some must stay out; the one line names `where` and how many, never which.
    """
    refuse_kept_out(context, unit, asked, where)


def admit_sheets(context: Context, unit: Unit, sheets: Iterable[Sheet], where: str) -> None:
    """Let sheets pass, or refuse them when any cell, of whatever column, tells an address that must stay out.

    Raises:
        ParseError: as `admit`.
    """
    kept = load_kept_out(context, unit)
    if not kept:
        return
    text = "\n".join(fold_width(cell.text) for sheet in sheets for row in sheet.rows for cell in row.cells if cell.text)
    refuse_count(kept.count_ranges(kept.find_in(BytesIO(text.encode("utf-8", "replace")))), where)
