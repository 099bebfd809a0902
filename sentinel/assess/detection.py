"""The detection of a rule: its nodes are checked by line, then read by pySigma into one term."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_network

from sentinel.assess.fields import Field, Kind
from sentinel.assess.regex import compile_regex
from sentinel.assess.sigma_tree import read_condition
from sentinel.assess.term import Term
from sentinel.assess.yamlnodes import Complaints, Node

MAX_CONDITION = 500
_MAX_NESTING = 20
_TEXT_SHAPES = frozenset({"contains", "startswith", "endswith"})
_REGEX_FLAGS = frozenset({"i", "ignorecase", "m", "multiline", "s", "dotall"})
_COMPARISONS = frozenset({"lt", "lte", "gt", "gte"})
_KNOWN = _TEXT_SHAPES | _REGEX_FLAGS | _COMPARISONS | {"all", "re", "cidr", "exists", "fieldref", "cased"}
_WORDS = re.compile(r"[^\s()]+")
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]+\Z")


def read_detection(
    node: Node, plain: dict[str, object], known: Mapping[str, Field], complaints: Complaints
) -> Term | None:
    """Check and read the `detection` of a rule, a mapping; None when it has mistakes.

    `plain` is the whole rule as plain values, `known` the fields of its category.
    """
    before = len(complaints.found)
    condition = node.child("condition")
    selections = {name: child for name, child in node.entries if name != "condition"}
    for name, selection in selections.items():
        _check_selection(name, selection, known, complaints)
    if condition is None:
        complaints.add(node.line, "detection lacks its condition")
        return None
    _check_condition(condition, selections, complaints)
    if len(complaints.found) > before:
        return None
    try:
        return read_condition(plain, known)
    except ValueError as error:
        complaints.add(condition.line, f"condition or selection cannot be read: {error}")
    return None


def _check_condition(condition: Node, selections: Mapping[str, Node], complaints: Complaints) -> None:
    text = condition.value
    if not isinstance(text, str) or not text.strip():
        complaints.add(condition.line, "condition must be text, e.g. `selection and not filter`")
        return
    words = _WORDS.findall(text)
    if len(text) > MAX_CONDITION or text.count("(") > _MAX_NESTING or words.count("not") > _MAX_NESTING:
        complaints.add(
            condition.line, f"condition is too long or too deeply nested (at most {MAX_CONDITION} characters)"
        )
        return
    if "|" in text:
        complaints.add(condition.line, "`|` in a condition (aggregation) is not supported")
        return
    used: set[str] = set()
    for place, word in enumerate(words):
        used |= _resolve(words, place, word, selections, condition, complaints)
    for name, selection in selections.items():
        if name not in used:
            complaints.add(selection.line, f"selection {name!r} is not used by the condition")


def _resolve(
    words: list[str], place: int, word: str, selections: Mapping[str, Node], condition: Node, complaints: Complaints
) -> set[str]:
    """Give the selections one word of the condition names."""
    if word.lower() in {"and", "or", "not", "of"} or (
        words[place + 1 : place + 2] == ["of"] and word in {"1", "any", "all"}
    ):
        return set()
    if place and words[place - 1] == "of":
        pattern = ".*" if word == "them" else re.escape(word).replace(r"\*", ".*")
        found = {name for name in selections if re.fullmatch(pattern, name) and (word[0] == "_" or name[0] != "_")}
        if not found:
            complaints.add(condition.line, f"condition: no selection matches {word!r}")
        return found
    if word not in selections:
        complaints.add(condition.line, f"condition names unknown selection {word!r}")
    return {word}


def _check_selection(name: str, node: Node, known: Mapping[str, Field], complaints: Complaints) -> None:
    if not _IDENTIFIER.match(name) or name.lower() in {"and", "or", "not", "of", "them", "all", "any", "1"}:
        complaints.add(
            node.line, f"selection name {name!r}: use letters, digits, `_` and `-`, and no word of conditions"
        )
    if name == "timeframe":
        complaints.add(node.line, "timeframe belongs to correlation rules, which are not supported yet")
        return
    if not node.entries:
        complaints.add(node.line, f"selection {name!r} must be a mapping of fields, or a list of such mappings")
        return
    for group in node.items:
        if not group.is_mapping or not group.entries:
            complaints.add(group.line, f"selection {name!r} holds a keyword without a field; write `field: value`")
            continue
        for key, value in group.entries:
            _check_item(key, value, known, complaints)


def _check_item(key: str, node: Node, known: Mapping[str, Field], complaints: Complaints) -> None:
    name, *modifiers = key.split("|")
    wanted = known.get(name)
    if wanted is None:
        complaints.add(node.line, f"unknown field {name!r}; known here: {', '.join(sorted(known))}")
        return
    unknown = [modifier for modifier in modifiers if modifier not in _KNOWN]
    if unknown:
        complaints.add(node.line, f"unknown modifier {unknown[0]!r} of {name!r}; known: {', '.join(sorted(_KNOWN))}")
        return
    if not _may_combine(modifiers):
        complaints.add(node.line, f"modifiers {'|'.join(modifiers)!r} of {name!r} do not go together")
        return
    if node.is_mapping or (node.is_list and not node.entries):
        complaints.add(node.line, f"field {name!r} needs a value or a list of values")
        return
    if "all" in modifiers and not node.is_list:
        complaints.add(node.line, f"modifier 'all' of {name!r} needs a list of values")
    for item in node.items:
        problem = _value_problem(wanted, set(modifiers), item, known)
        if problem:
            complaints.add(item.line, f"field {name!r}: {problem}")


def _may_combine(modifiers: list[str]) -> bool:
    rest = set(modifiers) - {"all"}
    if len(set(modifiers)) != len(modifiers):
        return False
    if "re" in rest:
        return modifiers[0] == "re" and rest - {"re"} <= _REGEX_FLAGS
    if rest & _REGEX_FLAGS:
        return False
    return len(rest & _TEXT_SHAPES) <= 1 if rest <= _TEXT_SHAPES | {"cased"} else len(modifiers) == 1


def _value_problem(wanted: Field, modifiers: set[str], node: Node, known: Mapping[str, Field]) -> str:
    """Say what is wrong with one value; empty when nothing is."""
    value = node.value
    if node.entries or isinstance(value, list | dict):
        return "values cannot be nested"
    if "exists" in modifiers:
        return "" if isinstance(value, bool) else "'exists' takes true or false"
    if modifiers & _COMPARISONS:
        if wanted.kind not in {Kind.NUMBER, Kind.ANY}:
            return f"{wanted.kind} fields cannot be compared with lt, lte, gt, gte"
        return "" if _is_number(value) else "a comparison takes a number"
    if modifiers & {"re", "cidr", "fieldref", "cased"} or modifiers & _TEXT_SHAPES:
        return _special_problem(wanted, modifiers, value, known)
    return "" if value is None else _plain_problem(wanted, value)


def _special_problem(wanted: Field, modifiers: set[str], value: object, known: Mapping[str, Field]) -> str:
    if not isinstance(value, str) or not value:
        return f"{'|'.join(sorted(modifiers))} takes text; put it in quotes"
    if "fieldref" in modifiers:
        other = known.get(value)
        return "" if other and other.kind is wanted.kind else f"fieldref names {value!r}, no {wanted.kind} field"
    if "cidr" in modifiers:
        if wanted.kind not in {Kind.ADDRESS, Kind.ANY}:
            return f"cidr needs an address field, this one is {wanted.kind}"
        return _attempt(lambda: ip_network(value))
    if wanted.kind not in {Kind.TEXT, Kind.ANY}:
        return f"{'|'.join(sorted(modifiers))} needs a text field, this one is {wanted.kind}"
    return _attempt(lambda: compile_regex(value)) if "re" in modifiers else ""


def _plain_problem(wanted: Field, value: object) -> str:
    if wanted.kind is Kind.ANY:
        return "" if value != "" else "empty text never matches; write null for an absent field"
    if wanted.kind is Kind.NUMBER:
        return "" if _is_number(value) else f"wants a number, not {value!r}"
    if wanted.kind is Kind.FLAG:
        return "" if isinstance(value, bool) else f"wants true or false, not {value!r}"
    if not isinstance(value, str):
        return f"wants text, not {value!r}; put it in quotes"
    if not value:
        return "empty text never matches; write null for an absent field"
    if wanted.kind is Kind.ADDRESS and not set("*?") & set(value):
        return _attempt(lambda: ip_address(value))
    return ""


def _attempt(read: Callable[[], object]) -> str:
    try:
        read()
    except ValueError as error:
        return str(error)
    return ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
