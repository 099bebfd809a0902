"""Foreign text in, text that can be shown out: short, on one line, with nothing invisible in it."""

from __future__ import annotations

import unicodedata

_SPACES = frozenset("\t\n\r\v\f\x85\u2028\u2029")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_MARKS = frozenset({"Mn", "Me"})
_MARKS_IN_A_ROW = 2


def clean(text: str, limit: int = 120) -> str:
    """Cut to `limit` characters and make controls, direction marks and unassigned characters visible as `‹202E›`.

    Line breaks become spaces; more than two combining marks in a row are dropped, as they would cover the lines above.
    """
    shown: list[str] = []
    marks = 0
    for character in text[: limit * 8]:
        if len(shown) >= limit:
            return "".join(shown).rstrip() + "…"
        category = unicodedata.category(character)
        marks = marks + 1 if category in _MARKS else 0
        if character in _SPACES:
            shown.append(" ")
        elif category in _HIDDEN:
            shown.append(f"‹{ord(character):04X}›")
        elif marks <= _MARKS_IN_A_ROW:
            shown.append(character)
    return "".join(shown).strip()


def clean_all(texts: tuple[str, ...], limit: int = 120, count: int = 8) -> tuple[str, ...]:
    """Clean the first `count` texts."""
    return tuple(clean(text, limit) for text in texts[:count])
