"""Text that should name nobody in; the same without phone numbers, mail addresses and identity numbers out.

Sheets and names of files are written by people who put a number wherever there is room. What is hidden here is hidden
before it is stored, told or audited; numbers in columns that are meant for them are sealed instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sentinel.model.links import cut_links
from sentinel.observe.table import Sheet

_GAP = "[-－—\u2010-\u2015 \u3000]?"
PHONE = re.compile(
    rf"(?<!\d)(?<!\d\d\d\.)(?:[+＋]?[8８][6６]{_GAP})?([1１][3-9３-９]\d){_GAP}\d{{4}}{_GAP}(\d{{4}})(?!\d|-\d{{5}}(?!\d))|"
    rf"(?<!\d)[（(]?[0０](?:\d{{2,3}}(?:[)）]{_GAP}|[-－—])\d{{7,8}}|(?:[1１][0０]|[2２]\d){_GAP}\d{{8}}|"
    rf"[3-9３-９]\d{{2}}{_GAP}\d{{7,8}})(?:(?:[-－]|\s*转\s*)\d{{1,6}})?(?!\d)"
)
"""Mobile and fixed numbers, in full-width figures too; neither the filing `13010012345-00001` nor the hour of the
day `41330.19027777778` is one."""

MAIL = re.compile(r"[\w.+-]+[@＠][\w-]+(?:[.．][\w-]+)+")

_IDENTITY = re.compile(r"(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dXx])")
"""Source: GB 11643, an identity number with its date of birth."""

_CALLED = re.compile(r"((?:电话|座机|手机|短号|分机|小号|内线)(?:号码?)?\s*[:：]?\s*)\d[\d－ -]{2,}\d")
"""A short or local number that only the word before it tells."""


def hide_persons(text: str) -> str:
    """Hide numbers and addresses of persons; the first and last figures of a mobile number stay.

    Web addresses lose what stands in them for one visitor.
    """
    return _hide_numbers(cut_links(text))


def _hide_numbers(text: str) -> str:
    if not any(one.isdigit() or one in "@＠" for one in text):
        return text
    hidden = _IDENTITY.sub("****", text)
    hidden = PHONE.sub(lambda found: f"{found[1] or ''}****{found[2] or ''}", hidden)
    return MAIL.sub("***", _CALLED.sub(r"\1****", hidden))


_SECRET = re.compile(r"""(--script-args(?:-file)?)([ =])(?:"[^"]*"|'[^']*'|\S+)""")


def hide_arguments(words: str) -> str:
    """Hide what scripts of a scan were given on its command line: logins and passwords of services among it."""
    return hide_persons(_SECRET.sub(r"\1\2***", words))


def names_persons(texts: Iterable[str]) -> bool:
    """Tell whether any of these texts holds something to hide."""
    return any(_hide_numbers(text) != text for text in texts)


def hide_sheet_names(sheets: Sequence[Sheet]) -> tuple[Sheet, ...]:
    """Hide persons in the names of sheets, which are stored with their rows and told with their mistakes."""
    return tuple(_rename(one, hide_persons(one.name)) for one in sheets)


def _rename(one: Sheet, name: str) -> Sheet:
    return one if name == one.name else Sheet(name, tuple(replace(row, sheet=name) for row in one.rows))
