"""What a field of a rule is: its kind and its meaning."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a field holds; a field of several values matches when one of them does."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    ADDRESS = "address"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a category.

    Attributes:
        kind: what it holds.
        zh: meaning in Chinese.
        en: meaning in English.
        many: it may hold several values.
    """

    kind: Kind
    zh: str
    en: str
    many: bool = False
