"""Regular expressions in linear time: a Sigma pattern in, a search function out. The only module that knows RE2."""

from __future__ import annotations

from collections.abc import Callable

MAX_PATTERN = 1000
_MAX_MEMORY = 1 << 20

Search = Callable[[str], bool]


def compile_regex(pattern: str, *, ignore_case: bool = False, multiline: bool = False, dotall: bool = False) -> Search:
    """Compile a pattern that may match anywhere in the text; `^` and `$` anchor it.

    Raises:
        ValueError: RE2 refuses it (look-around and back references do not exist there), or it is too large.
    """
    import re2

    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"pattern has {len(pattern)} characters; the limit is {MAX_PATTERN}")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    options.case_sensitive = not ignore_case
    options.dot_nl = dotall
    options.never_capture = True
    try:
        search = re2.compile(f"(?m){pattern}" if multiline else pattern, options).search
    except re2.error as error:
        reason = error.args[0] if error.args else error
        raise ValueError(reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)) from error
    return lambda text: search(text) is not None


def escape(text: str) -> str:
    """Quote text so that a pattern matches it literally."""
    import re2

    return str(re2.escape(text))
