"""pySigma's condition trees in, the same as plain terms out. The only module that knows pySigma's classes."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING

from sentinel.assess.fields import Field, Kind
from sentinel.assess.term import MANY, ONE, Piece, Term

if TYPE_CHECKING:
    from sigma.types import SigmaRegularExpression, SigmaString, SigmaType

_FLAGS = {"IGNORECASE": "i", "MULTILINE": "m", "DOTALL": "s"}
_COMPARISONS = {"LT": "lt", "LTE": "le", "GT": "gt", "GTE": "ge"}


def read_condition(plain: dict[str, object], known: Mapping[str, Field]) -> Term:
    """Read the detection of a Sigma rule, given as plain values, with the fields of its category.

    Raises:
        ValueError: pySigma refuses it, or something in it has no meaning here.
    """
    from sigma.exceptions import SigmaError
    from sigma.rule import SigmaRule

    try:
        rule = SigmaRule.from_dict(plain, collect_errors=True)
        if rule.errors:
            raise ValueError("; ".join(map(str, rule.errors)))
        return _term(rule.detection.parsed_condition[0].parsed, known)
    except SigmaError as error:
        raise ValueError(str(error)) from error


def _term(tree: object, known: Mapping[str, Field]) -> Term:
    from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT, ConditionOR

    if isinstance(tree, ConditionFieldEqualsValueExpression):
        return _leaf(tree.field, tree.value, known)
    if isinstance(tree, ConditionAND | ConditionOR | ConditionNOT):
        op = "all" if isinstance(tree, ConditionAND) else "any" if isinstance(tree, ConditionOR) else "not"
        return Term(op, args=tuple(_term(arg, known) for arg in tree.args))
    raise ValueError("keywords without a field are not supported")


def _leaf(name: str, value: SigmaType, known: Mapping[str, Field]) -> Term:
    from sigma.types import (
        SigmaBool,
        SigmaCIDRExpression,
        SigmaCompareExpression,
        SigmaExists,
        SigmaFieldReference,
        SigmaNull,
        SigmaNumber,
        SigmaRegularExpression,
        SigmaString,
    )

    if isinstance(value, SigmaNull):
        return Term("absent", name)
    if isinstance(value, SigmaExists):
        return Term("exists", name, bool(value))
    if isinstance(value, SigmaNumber):
        return Term("equals", name, value.number)
    if isinstance(value, SigmaBool):
        return Term("equals", name, value.boolean)
    if isinstance(value, SigmaString):
        return _string(name, value, known[name].kind)
    if isinstance(value, SigmaRegularExpression):
        return _regex(name, value)
    if isinstance(value, SigmaCompareExpression):
        return Term("compare", name, value.number.number, flags=_COMPARISONS[value.op.name])
    if isinstance(value, SigmaCIDRExpression):
        return Term("cidr", name, str(value.network))
    if isinstance(value, SigmaFieldReference):
        return Term("same", name, value.field)
    raise ValueError(f"values of type {type(value).__name__} are not supported")


def _string(name: str, value: SigmaString, kind: Kind) -> Term:
    from sigma.types import SigmaCasedString, SpecialChars

    folded = not isinstance(value, SigmaCasedString)
    pieces: list[Piece] = []
    for piece in value.s:
        if isinstance(piece, str):
            pieces.append(piece.lower() if folded else piece)
        elif piece is SpecialChars.WILDCARD_MULTI or piece is SpecialChars.WILDCARD_SINGLE:
            pieces.append(MANY if piece is SpecialChars.WILDCARD_MULTI else ONE)
        else:
            raise ValueError("placeholders are not supported")
    text = "".join(map(str, pieces))
    if any(not isinstance(piece, str) for piece in pieces):
        return Term("like", name, pieces=tuple(pieces), folded=folded)
    if kind is Kind.ADDRESS:
        return Term("address", name, str(ip_address(text)))
    return Term("equals", name, text, folded=folded)


def _regex(name: str, value: SigmaRegularExpression) -> Term:
    flags = "".join(sorted(_FLAGS[flag.name] for flag in value.flags))
    return Term("regex", name, value.regexp.original, flags=flags)
