"""Regular expressions in linear time: Sigma patterns in, search functions out. The only module that knows RE2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re2

MAX_PATTERN = 1000
_MAX_MEMORY = 1 << 20
_MAX_SET_MEMORY = 64 << 20

Search = Callable[[str], bool]


def compile_regex(pattern: str, flags: str = "") -> Search:
    """Compile a pattern that may match anywhere in the text; `^` and `$` anchor it.

    `flags` are letters: `i` either case, `m` anchors at lines, `s` the dot takes line ends.

    Raises:
        ValueError: RE2 refuses it (look-around and back references do not exist there), or it is too large.
    """
    import re2

    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"pattern has {len(pattern)} characters; the limit is {MAX_PATTERN}")
    try:
        search = re2.compile(_flagged(pattern, flags), _options(_MAX_MEMORY)).search
    except re2.error as error:
        reason = error.args[0] if error.args else error
        raise ValueError(reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)) from error
    return lambda text: search(text) is not None


def compile_set(patterns: Sequence[tuple[str, str]]) -> Callable[[str], Sequence[int]]:
    """Compile many (pattern, flags) into one pass over the text; it gives the places of those that match.

    Raises:
        ValueError: they are too large together.
    """
    import re2

    together = re2.Set.SearchSet(_options(_MAX_SET_MEMORY))
    for pattern, flags in patterns:
        together.Add(_flagged(pattern, flags))
    try:
        together.Compile()
    except re2.error as error:
        raise ValueError("the regular expressions of a field are too large together") from error
    match: Callable[[str], Sequence[int] | None] = together.Match
    return lambda text: match(text) or ()


def escape(text: str) -> str:
    """Quote text so that a pattern matches it literally."""
    import re2

    return str(re2.escape(text))


def _flagged(pattern: str, flags: str) -> str:
    return f"(?{flags}){pattern}" if flags else pattern


def _options(memory: int) -> re2.Options:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = memory
    options.never_capture = True
    return options
