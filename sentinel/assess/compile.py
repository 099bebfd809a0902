"""pySigma's condition trees to predicates: closures over a subject's fields, with what they demand for the index."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

from sentinel.assess.fields import Field, Kind
from sentinel.assess.regex import compile_regex, escape
from sentinel.model.rule import FieldValue, Scalar

if TYPE_CHECKING:
    from sigma.types import SigmaFieldReference, SigmaRegularExpression, SigmaString, SigmaType

Predicate = Callable[[Mapping[str, FieldValue]], bool]
Test = Callable[[Scalar], bool]

INDEXED = ("port", "service")
_NO_DEMANDS: Mapping[str, frozenset[Scalar]] = {}
_CHEAP, _STRING, _REGEX = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Part:
    """A compiled piece of a condition.

    Attributes:
        holds: the predicate.
        cost: 0 equality, 1 string search, 2 regular expression; cheap pieces are asked first.
        demands: values an indexed field must have for the piece to hold; fields not named may have any.
        fields: fields it looks at, in order of appearance.
        equals: (field, value, values lower-cased) of a plain equality, so that lists become one set look-up.
    """

    holds: Predicate
    cost: int = _CHEAP
    demands: Mapping[str, frozenset[Scalar]] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    equals: tuple[str, Scalar, bool] | None = None


def compile_tree(tree: object, known: Mapping[str, Field]) -> Part:
    """Compile a condition tree as `SigmaCondition.parsed` gives it.

    Raises:
        ValueError: something in it has no meaning here; the checker names most of these earlier and by line.
    """
    from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT, ConditionOR

    if isinstance(tree, ConditionFieldEqualsValueExpression):
        return _leaf(tree.field, tree.value, known)
    if isinstance(tree, ConditionAND | ConditionOR | ConditionNOT):
        parts = [compile_tree(arg, known) for arg in tree.args]
        if isinstance(tree, ConditionAND):
            return _join_all(parts)
        return _join_any(parts) if isinstance(tree, ConditionOR) else _negate(parts[0])
    raise ValueError("keywords without a field are not supported")


def _join_all(parts: list[Part]) -> Part:
    tests = tuple(part.holds for part in sorted(parts, key=lambda part: part.cost))

    def holds(fields: Mapping[str, FieldValue]) -> bool:
        for test in tests:  # noqa: SIM110  # a generator in the hottest place costs a third more
            if not test(fields):
                return False
        return True

    demands: dict[str, frozenset[Scalar]] = {}
    for part in parts:
        for name, values in part.demands.items():
            demands[name] = demands[name] & values if name in demands else values
    return Part(holds, max(part.cost for part in parts), demands, _names(parts))


def _join_any(parts: list[Part]) -> Part:
    merged = _merge_equalities(parts)
    if len(merged) == 1:
        return merged[0]
    tests = tuple(part.holds for part in sorted(merged, key=lambda part: part.cost))

    def holds(fields: Mapping[str, FieldValue]) -> bool:
        for test in tests:  # noqa: SIM110  # as above
            if test(fields):
                return True
        return False

    demands = {
        name: frozenset[Scalar]().union(*(part.demands[name] for part in merged))
        for name in INDEXED
        if all(name in part.demands for part in merged)
    }
    return Part(holds, max(part.cost for part in merged), demands, _names(merged))


def _negate(part: Part) -> Part:
    holds = part.holds
    return Part(lambda fields: not holds(fields), part.cost, _NO_DEMANDS, part.fields)


def _merge_equalities(parts: list[Part]) -> list[Part]:
    groups: dict[tuple[str, bool], list[Scalar]] = {}
    rest = []
    for part in parts:
        if part.equals is None:
            rest.append(part)
        else:
            name, value, folded = part.equals
            groups.setdefault((name, folded), []).append(value)
    return [_equality(name, values, folded) for (name, folded), values in groups.items()] + rest


def _names(parts: Iterable[Part]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in parts for name in part.fields))


def _equality(name: str, values: list[Scalar], folded: bool) -> Part:
    wanted = frozenset(values)
    test: Test = (lambda value: _fold(value) in wanted) if folded else wanted.__contains__
    indexed = frozenset(value.lower() if isinstance(value, str) else value for value in values)
    demands = {name: indexed} if name in INDEXED else _NO_DEMANDS
    equals = (name, values[0], folded) if len(values) == 1 else None
    return Part(_any_value(name, test), _CHEAP, demands, (name,), equals)


def _fold(value: Scalar) -> str:
    return str(value).lower()


def _any_value(name: str, test: Test) -> Predicate:
    def holds(fields: Mapping[str, FieldValue]) -> bool:
        value = fields.get(name)
        if value is None:
            return False
        if isinstance(value, tuple):
            return any(test(item) for item in value if item is not None)
        return test(value)

    return holds


def _is_absent(value: FieldValue) -> bool:
    return value is None or value == ()


def _leaf(name: str, value: SigmaType, known: Mapping[str, Field]) -> Part:
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
        return Part(lambda fields: _is_absent(fields.get(name)), fields=(name,))
    if isinstance(value, SigmaExists):
        wanted = bool(value)
        return Part(lambda fields: _is_absent(fields.get(name)) is not wanted, fields=(name,))
    if isinstance(value, SigmaNumber):
        return _equality(name, [value.number], folded=False)
    if isinstance(value, SigmaBool):
        return _equality(name, [value.boolean], folded=False)
    if isinstance(value, SigmaString):
        return _string(name, value, known[name].kind)
    if isinstance(value, SigmaRegularExpression):
        return _regex(name, value)
    if isinstance(value, SigmaCompareExpression):
        return Part(_any_value(name, _comparison(value.op.name, value.number.number)), fields=(name,))
    if isinstance(value, SigmaCIDRExpression):
        network = value.network
        return Part(
            _any_value(name, lambda item: isinstance(item, IPv4Address | IPv6Address) and item in network),
            fields=(name,),
        )
    if isinstance(value, SigmaFieldReference):
        return _reference(name, value)
    raise ValueError(f"values of type {type(value).__name__} are not supported")


def _string(name: str, value: SigmaString, kind: Kind) -> Part:
    from sigma.types import SigmaCasedString

    pieces = tuple(value.s)
    folded = not isinstance(value, SigmaCasedString)
    if kind is Kind.ADDRESS and all(isinstance(piece, str) for piece in pieces):
        return _equality(name, [ip_address("".join(map(str, pieces)))], folded=False)
    if all(isinstance(piece, str) for piece in pieces):
        text = "".join(map(str, pieces))
        return _equality(name, [text.lower() if folded else text], folded)
    return Part(_any_value(name, _pattern(pieces, folded)), _STRING, _NO_DEMANDS, (name,))


def _pattern(pieces: tuple[object, ...], folded: bool) -> Test:
    """Turn text with wildcards into a test; the three common shapes need no regular expression."""
    from sigma.types import SpecialChars

    many = SpecialChars.WILDCARD_MULTI
    words = [piece.lower() if folded else piece for piece in pieces if isinstance(piece, str)]
    word = words[0] if words else ""
    shape = tuple("*" if piece is many else "t" if isinstance(piece, str) else "?" for piece in pieces)
    show: Callable[[Scalar], str] = _fold if folded else str
    if shape == ("*",):
        return lambda _value: True
    if shape == ("*", "t", "*"):
        return lambda value: word in show(value)
    if shape == ("t", "*"):
        return lambda value: show(value).startswith(word)
    if shape == ("*", "t"):
        return lambda value: show(value).endswith(word)
    body = "".join(escape(piece) if isinstance(piece, str) else ".*" if piece is many else "." for piece in pieces)
    search = compile_regex(rf"\A{body}\z", ignore_case=folded, dotall=True)
    return lambda value: search(str(value))


def _regex(name: str, value: SigmaRegularExpression) -> Part:
    flags = {flag.name for flag in value.flags}
    search = compile_regex(
        value.regexp.original,
        ignore_case="IGNORECASE" in flags,
        multiline="MULTILINE" in flags,
        dotall="DOTALL" in flags,
    )
    return Part(_any_value(name, lambda item: search(str(item))), _REGEX, _NO_DEMANDS, (name,))


def _comparison(name: str, limit: int | float) -> Test:
    compare: Callable[[int | float, int | float], bool] = getattr(
        operator, {"LTE": "le", "GTE": "ge"}.get(name, name.lower())
    )
    return lambda value: isinstance(value, int | float) and compare(value, limit)


def _reference(name: str, value: SigmaFieldReference) -> Part:
    other = value.field

    def values(fields: Mapping[str, FieldValue], key: str) -> set[str]:
        found = fields.get(key)
        return {_fold(item) for item in (found if isinstance(found, tuple) else (found,)) if item is not None}

    return Part(
        lambda fields: not values(fields, name).isdisjoint(values(fields, other)), _STRING, _NO_DEMANDS, (name, other)
    )
