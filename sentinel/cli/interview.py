"""Questions to a person, one at a time: typed or piped lines in, answers out; a mistake is told in one line and asked
again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

from sentinel.cli.output import clean, print_note
from sentinel.errors import UsageError

Answer = TypeVar("Answer")

_MAX_LINE = 8192


def ask(question: str, read: Callable[[str], Answer], *, default: str = "", shown: str = "") -> Answer:
    """Ask until the answer can be read; an empty line takes the default, told as `shown` or as it is.

    Raises:
        UsageError: the input ended.
    """
    hint = shown or default
    prompt = f"{question}{f' [{hint}]' if hint else ''}: "
    while True:
        line = read_line(prompt, question)
        try:
            return read(line or default)
        except ValueError as error:
            print_note(f"  {error}。请重填。")


def ask_lines(question: str, take: Callable[[str], None]) -> None:
    """Ask for lines until an empty one; a line that cannot be read is told and left out.

    Raises:
        UsageError: the input ended.
    """
    while line := read_line(f"{question}: ", question):
        try:
            take(line)
        except ValueError as error:
            print_note(f"  {error}。这一行未采用，请重填。")


def read_line(prompt: str, question: str) -> str:
    """Read one line as UTF-8 or GB 18030, without blanks around it.

    Raises:
        UsageError: the input ended, or the line is too long.
    """
    _show(prompt)
    raw = sys.stdin.buffer.readline(_MAX_LINE)
    if not raw:
        if sys.stdin.isatty():
            _show("\n")
        raise UsageError(f"the input ended before the answers did (asked last: {question.strip()}); nothing was made")
    if len(raw) >= _MAX_LINE:
        raise UsageError(f"an answer longer than {_MAX_LINE} bytes; nothing was made")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", "replace")
    return text.strip()


def _show(prompt: str) -> None:
    """Show a prompt beside the result; where nobody types after it, it ends its line."""
    if prompt == "\n":
        sys.stderr.write(prompt)
    else:
        sys.stderr.write(clean(prompt) + ("" if sys.stdin.isatty() else "\n"))
    sys.stderr.flush()
