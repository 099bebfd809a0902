"""What all rules of a category ask of one field, answered together: a value in, one bit for each rule out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from sentinel.assess.compile import build_pattern, build_test
from sentinel.assess.regex import compile_set
from sentinel.assess.term import Term
from sentinel.model.rule import FieldValue, Scalar

_MAX_REMEMBERED = 50_000
_LEAVES = frozenset({"absent", "exists", "equals", "address", "like", "regex", "compare", "cidr"})


@dataclass(frozen=True, slots=True)
class Question:
    """What one rule asks of one field: that one of the leaves holds, or, denied, that none does.

    Attributes:
        field: the field.
        leaves: terms about this field alone, joined by or.
        denied: none of them may hold.
    """

    field: str
    leaves: tuple[Term, ...]
    denied: bool = False


def take_questions(term: Term) -> tuple[list[Question], list[Term]]:
    """Take a condition apart: questions to single fields, at most one to each, and what is left; all must hold."""
    questions: dict[str, Question] = {}
    rest = []
    for piece in _conjuncts(term):
        question = _question(piece)
        if question is None or question.field in questions:
            rest.append(piece)
        else:
            questions[question.field] = question
    return list(questions.values()), rest


def _conjuncts(term: Term) -> Iterator[Term]:
    if term.op == "all":
        for arg in term.args:
            yield from _conjuncts(arg)
    elif term.op == "not" and term.args[0].op == "any":
        for arg in term.args[0].args:
            yield from _conjuncts(Term("not", args=(arg,)))
    else:
        yield term


def _question(term: Term) -> Question | None:
    denied = term.op == "not"
    leaves = tuple(_leaves(term.args[0] if denied else term))
    fields = {leaf.field for leaf in leaves}
    if len(fields) != 1 or any(leaf.op not in _LEAVES for leaf in leaves):
        return None
    return Question(fields.pop(), leaves, denied)


def _leaves(term: Term) -> Iterator[Term]:
    if term.op == "any":
        for arg in term.args:
            yield from _leaves(arg)
    else:
        yield term


class Column(dict[FieldValue, int]):
    """The questions of many rules to one field: `column[value]` gives a bit for each rule the value lets through.

    Set are the bits of the rules whose question the value answers and of those that ask nothing. Answers are kept, and
    looked up as fast as a dictionary can.
    """

    __slots__ = (
        *("_addresses", "_base", "_denied", "_equal", "_folded", "_missing", "_present", "_searches", "_tests"),
        "_width",
    )

    def __init__(self, questions: Iterable[tuple[int, Question]], width: int) -> None:
        """Take (number of the rule, question); `width` is the number of all rules, asked or not.

        Raises:
            ValueError: the regular expressions are too large together.
        """
        super().__init__()
        self._width = width
        self._base = (1 << width) - 1
        self._denied = False
        self._missing = self._present = 0
        self._equal: dict[Scalar, int] = {}
        self._folded: dict[str, int] = {}
        self._addresses: dict[tuple[int, int], dict[int, int]] = {}
        self._tests: list[tuple[Callable[[Scalar], bool], int]] = []
        patterns: dict[tuple[str, str, bool], int] = {}
        for number, question in questions:
            bit = 1 << number
            if question.denied:
                self._denied = True
                bit <<= width
            else:
                self._base &= ~bit
            for leaf in question.leaves:
                self._take(leaf, bit, patterns)
        self._searches = [
            _Search([(key, bits) for key, bits in patterns.items() if key[2] is folded], folded=folded)
            for folded in (False, True)
            if any(key[2] is folded for key in patterns)
        ]

    def __missing__(self, value: FieldValue) -> int:
        """Find the answer to a value met for the first time."""
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        found = self[value] = self._look(value)
        return found

    def _take(self, leaf: Term, bit: int, patterns: dict[tuple[str, str, bool], int]) -> None:
        if leaf.op == "absent" or (leaf.op == "exists" and not leaf.value):
            self._missing |= bit
        elif leaf.op == "exists":
            self._present |= bit
        elif leaf.op == "equals" and leaf.folded:
            text = str(leaf.value)
            self._folded[text] = self._folded.get(text, 0) | bit
        elif leaf.op == "equals":
            self._equal[leaf.value] = self._equal.get(leaf.value, 0) | bit
        elif leaf.op in {"address", "cidr"}:
            network = ip_network(str(leaf.value)) if leaf.op == "cidr" else ip_network(ip_address(str(leaf.value)))
            shift = network.max_prefixlen - network.prefixlen
            table = self._addresses.setdefault((network.version, shift), {})
            place = int(network.network_address) >> shift
            table[place] = table.get(place, 0) | bit
        elif leaf.op in {"like", "regex"}:
            key = build_pattern(leaf)
            patterns[key] = patterns.get(key, 0) | bit
        else:
            self._tests.append((build_test(leaf), bit))

    def _look(self, value: FieldValue) -> int:
        if value is None or value == ():
            hits = self._missing
        else:
            hits = self._present
            for item in value if isinstance(value, tuple) else (value,):
                if item is not None:
                    hits |= self._hits(item)
        found = self._base | hits
        return found & ~(hits >> self._width) & ((1 << self._width) - 1) if self._denied else found

    def _hits(self, value: Scalar) -> int:
        hits = self._equal.get(value, 0)
        if self._folded:
            hits |= self._folded.get(str(value).lower(), 0)
        if isinstance(value, IPv4Address | IPv6Address):
            number, version = int(value), value.version
            for (other, shift), table in self._addresses.items():
                if other == version:
                    hits |= table.get(number >> shift, 0)
        for search in self._searches:
            hits |= search.hits(str(value))
        for test, bit in self._tests:
            if test(value):
                hits |= bit
        return hits


class _Search:
    """Patterns searched for in one pass."""

    __slots__ = ("_bits", "_folded", "_match")

    def __init__(self, patterns: list[tuple[tuple[str, str, bool], int]], *, folded: bool) -> None:
        self._match = compile_set([(pattern, flags) for (pattern, flags, _), _ in patterns])
        self._bits = [bits for _, bits in patterns]
        self._folded = folded

    def hits(self, text: str) -> int:
        """Give the bits of the patterns that match."""
        hits = 0
        for place in self._match(text.lower() if self._folded else text):
            hits |= self._bits[place]
        return hits
