"""Terms to predicates: closures over a subject's fields."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from sentinel.assess.regex import compile_regex, escape
from sentinel.assess.term import MANY, Piece, Term
from sentinel.model.rule import FieldValue, Scalar

Predicate = Callable[[Mapping[str, FieldValue]], bool]
Test = Callable[[Scalar], bool]

_CHEAP, _STRING, _REGEX = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Part:
    """A compiled piece of a condition.

    Attributes:
        holds: the predicate.
        cost: 0 equality, 1 string search, 2 regular expression; cheap pieces are asked first.
        fields: fields it looks at, in order of appearance.
        equals: (field, value, values lower-cased) of a plain equality, so that lists become one set look-up.
    """

    holds: Predicate
    cost: int = _CHEAP
    fields: tuple[str, ...] = ()
    equals: tuple[str, Scalar, bool] | None = None


def compile_term(term: Term) -> Part:
    """Compile a condition.

    Raises:
        ValueError: an address, network or regular expression in it cannot be read.
    """
    if term.op in {"all", "any", "not"}:
        parts = [compile_term(arg) for arg in term.args]
        if term.op == "all":
            return _join_all(parts)
        return _join_any(parts) if term.op == "any" else _negate(parts[0])
    return _leaf(term)


def _join_all(parts: list[Part]) -> Part:
    tests = tuple(part.holds for part in sorted(parts, key=lambda part: part.cost))

    def holds(fields: Mapping[str, FieldValue]) -> bool:
        for test in tests:  # noqa: SIM110  # a generator in the hottest place costs a third more
            if not test(fields):
                return False
        return True

    return Part(holds, max(part.cost for part in parts), _names(parts))


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

    return Part(holds, max(part.cost for part in merged), _names(merged))


def _negate(part: Part) -> Part:
    holds = part.holds
    return Part(lambda fields: not holds(fields), part.cost, part.fields)


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
    equals = (name, values[0], folded) if len(values) == 1 else None
    return Part(_any_value(name, test), _CHEAP, (name,), equals)


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


def _leaf(term: Term) -> Part:
    name, value = term.field, term.value
    if term.op == "absent":
        return Part(lambda fields: _is_absent(fields.get(name)), fields=(name,))
    if term.op == "exists":
        return Part(lambda fields: _is_absent(fields.get(name)) is not value, fields=(name,))
    if term.op == "equals":
        return _equality(name, [value], term.folded)
    if term.op == "address":
        return _equality(name, [ip_address(str(value))], folded=False)
    if term.op == "same":
        return _reference(name, str(value))
    cost = _REGEX if term.op == "regex" else _STRING if term.op == "like" else _CHEAP
    return Part(_any_value(name, build_test(term)), cost, (name,))


def build_test(term: Term) -> Test:
    """Build the test a `like`, `regex`, `compare` or `cidr` makes of one value.

    Raises:
        ValueError: the network or the regular expression cannot be read.
    """
    if term.op == "compare":
        return _comparison(term.flags, term.value)
    if term.op == "cidr":
        network = ip_network(str(term.value))
        return lambda item: isinstance(item, IPv4Address | IPv6Address) and item in network
    if term.op == "regex":
        search = compile_regex(str(term.value), term.flags)
        return lambda value: search(str(value))
    return _like(term)


def build_pattern(term: Term) -> tuple[str, str, bool]:
    """Build the pattern of a `like` or `regex`, its flags, and whether the text is to be lower-cased before."""
    if term.op == "regex":
        return str(term.value), term.flags, False
    return _like_pattern(term.pieces), "s", term.folded


def _like_pattern(pieces: tuple[Piece, ...]) -> str:
    body = "".join(escape(piece) if isinstance(piece, str) else ".*" if piece == MANY else "." for piece in pieces)
    return rf"\A{body}\z"


def _like(term: Term) -> Test:
    """Turn text with wildcards into a test; the three common shapes need no regular expression."""
    pieces = term.pieces
    words = [piece for piece in pieces if isinstance(piece, str)]
    word = words[0] if words else ""
    shape = tuple("t" if isinstance(piece, str) else "*" if piece == MANY else "?" for piece in pieces)
    show: Callable[[Scalar], str] = _fold if term.folded else str
    if shape == ("*",):
        return lambda _value: True
    if shape == ("*", "t", "*"):
        return lambda value: word in show(value)
    if shape == ("t", "*"):
        return lambda value: show(value).startswith(word)
    if shape == ("*", "t"):
        return lambda value: show(value).endswith(word)
    search = compile_regex(_like_pattern(pieces), "s")
    return lambda value: search(show(value))


def _comparison(name: str, limit: object) -> Test:
    compare: Callable[[object, object], bool] = getattr(operator, name)
    return lambda value: isinstance(value, int | float) and compare(value, limit)


def _reference(name: str, other: str) -> Part:
    def values(fields: Mapping[str, FieldValue], key: str) -> set[str]:
        found = fields.get(key)
        return {_fold(item) for item in (found if isinstance(found, tuple) else (found,)) if item is not None}

    return Part(lambda fields: not values(fields, name).isdisjoint(values(fields, other)), _STRING, (name, other))
