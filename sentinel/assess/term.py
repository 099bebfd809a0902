"""The condition of a rule as plain values: what pySigma read, without pySigma, to be compiled or kept in a cache."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeGuard

ONE, MANY = 0, 1
"""Wildcards among the pieces of a text: any one character, any number of them."""

OPS = frozenset(
    {"all", "any", "not", "absent", "exists", "equals", "address", "like", "regex", "compare", "cidr", "same"}
)

Value = str | int | float | bool | None
Piece = str | int


@dataclass(frozen=True, slots=True)
class Term:
    """One node of a condition.

    Attributes:
        op: `all`, `any`, `not` of `args`; or a question about `field`: `absent`, `exists` (value: wanted or not),
            `equals`, `address`, `like` (pieces), `regex` (value, flags), `compare` (value, flags: lt, le, gt, ge),
            `cidr`, `same` (value: the other field).
        field: what is asked.
        value: what it is compared with.
        pieces: text with wildcards.
        folded: letters match in either case.
        flags: letters of a regular expression, or the comparison.
        args: what is joined.
    """

    op: str
    field: str = ""
    value: Value = None
    pieces: tuple[Piece, ...] = ()
    folded: bool = False
    flags: str = ""
    args: tuple[Term, ...] = ()

    def to_plain(self) -> list[object]:
        """Write it as lists, for JSON."""
        if self.args:
            return [self.op, [one.to_plain() for one in self.args]]
        return [self.op, self.field, self.value, list(self.pieces), self.folded, self.flags]


def read_term(plain: object) -> Term:
    """Read what `Term.to_plain` wrote.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(plain, list) or not plain or plain[0] not in OPS:
        raise ValueError("no condition")
    if len(plain) == 2 and isinstance(plain[1], list):
        return Term(plain[0], args=tuple(read_term(one) for one in plain[1]))
    if len(plain) != 6:
        raise ValueError("no condition")
    op, field, value, pieces, folded, flags = plain
    shapes = isinstance(field, str) and isinstance(folded, bool) and isinstance(flags, str)
    if not shapes or not isinstance(value, Value) or not _are_pieces(pieces):
        raise ValueError("no condition")
    return Term(op, field, value, tuple(pieces), folded, flags)


def _are_pieces(value: object) -> TypeGuard[Iterable[Piece]]:
    return isinstance(value, list) and all(isinstance(one, str | int) for one in value)
