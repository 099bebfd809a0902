"""What commands print: JSON lines for scripts, one table style for people."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from unicodedata import east_asian_width

from sentinel.model.moment import iso_utc

WIDTH = 100


def clean(text: object) -> str:
    """Make foreign text safe for a terminal: control and format characters become blanks."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text))


def print_json(value: Mapping[str, object]) -> None:
    """Print one object on one line, at once; what a terminal may act on and what it cannot write is escaped."""
    text = json.dumps(value, ensure_ascii=not _writes_utf8(), default=_plain)
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)
    _write(text + "\n")


def print_line(text: str) -> None:
    """Print a line for people."""
    _write(clean(text) + "\n")


def print_paragraph(text: str) -> None:
    """Print text for people, broken into lines of at most 100 columns; CJK letters take two.

    A word or a number is broken only where it is longer than half a line.
    """
    line = ""
    for letter in clean(text):
        if _columns(line + letter) > WIDTH:
            end = _last_break(line + letter)
            _write(line[:end].rstrip() + "\n")
            line = "  " + line[end:].lstrip()
        line += letter
    _write(line + "\n")


def _last_break(line: str) -> int:
    """Give where a line that is one letter too long may break: behind a blank or a CJK letter of its second half."""
    for place in range(len(line) - 1, len(line) // 2, -1):
        if line[place] not in "，、；。：）" and (line[place - 1] == " " or _columns(line[place - 1]) == 2):
            return place
    return len(line) - 1


def _columns(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def print_note(text: str) -> None:
    """Print a line beside the result, on standard error."""
    sys.stderr.write(clean(text) + "\n")
    sys.stderr.flush()


def print_table(
    title: str, heads: Sequence[str], rows: Iterable[Sequence[object]], hint: str = "", *, empty: str = ""
) -> None:
    """Print a table of at most 100 columns, then its count and the next sensible command.

    A head that ends in `>` stands over numbers. Without rows only the count is printed, and `empty` in place of `hint`.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for head in heads:
        right = head.endswith(">")
        table.add_column(head.rstrip(">"), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(clean("" if cell is None else cell)) for cell in row))
    print_line(title)
    if table.row_count:
        console = Console(width=min(WIDTH, Console().width) if sys.stdout.isatty() else WIDTH, highlight=False)
        with console.capture() as drawn:
            console.print(table)
        _write("".join(f"{line.rstrip()}\n" for line in drawn.get().splitlines()))
    step = hint if table.row_count else empty or hint
    print_line(f"共 {table.row_count} 条。")
    if step:
        print_line(f"下一步：{step}")


def trial_words(how: str = "去掉 --dry-run") -> str:
    """Give what every trial ends with: nothing was changed, and how to do it."""
    return f"试运行，什么也没有改变；正式执行：{how}。"


def is_interactive() -> bool:
    """Tell whether progress may be drawn: standard error is a terminal."""
    return sys.stderr.isatty()


def _write(text: str) -> None:
    """Write to standard output; when its reader has gone the command still does its work."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        drop_output()


def drop_output() -> None:
    """Let standard output lead nowhere from here on."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _writes_utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return iso_utc(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (IPv4Address, IPv6Address)):
        return str(value)
    raise TypeError(f"cannot write {type(value).__name__} as JSON")
