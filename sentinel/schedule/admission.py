"""The one door through which rows of sheets and flaws of reports pass before anything of them is stored."""

from __future__ import annotations

from collections.abc import Iterable

from sentinel.model.unit import IPAddress, IPNetwork, Unit
from sentinel.schedule.context import Context
from sentinel.schedule.keep_out import refuse_kept_out


def admit(context: Context, unit: Unit, asked: Iterable[IPNetwork | IPAddress], where: str) -> None:
    """Let addresses of a file pass, or refuse the file: what was declared to stay out is refused here.

    Raises:
        ParseError: some must stay out; the one line names `where` and how many, never which.
    """
    refuse_kept_out(context, unit, asked, where)
