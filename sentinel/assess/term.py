"""The condition of a rule as plain values: what pySigma read, without pySigma, to be compiled or kept in a cache."""

from __future__ import annotations

from dataclasses import dataclass

ONE, MANY = 0, 1
"""Wildcards among the pieces of a text: any one character, any number of them."""

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
