"""The cases of a rule: fields as a file gives them, tried on its predicate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_address

from sentinel.assess.compile import Part
from sentinel.assess.fields import Field, Kind
from sentinel.assess.yamlnodes import Complaints, Node
from sentinel.model.rule import FieldValue, Scalar


def check_cases(node: Node | None, known: Mapping[str, Field], part: Part | None, complaints: Complaints) -> None:
    """Note a case that does not fire, or fires, against its word."""
    if node is None or not node.is_mapping:
        return
    for key, _ in node.entries:
        if key not in {"fires", "quiet"}:
            complaints.add(node.line, f"unknown key {key!r} in cases; write fires and quiet")
    for key, wanted in (("fires", True), ("quiet", False)):
        case = node.child(key)
        if case is None or not case.is_mapping or not case.entries:
            complaints.add((case or node).line, f"cases.{key} must be a mapping of fields")
            continue
        fields = read_case(case, known, complaints)
        if part and fields is not None and part.holds(fields) is not wanted:
            complaints.add(case.line, f"cases.{key} {'does not fire' if wanted else 'fires'}")


def read_case(node: Node, known: Mapping[str, Field], complaints: Complaints) -> dict[str, FieldValue] | None:
    """Read the fields of one case; None when it has mistakes."""
    before = len(complaints.found)
    fields: dict[str, FieldValue] = {}
    for name, child in node.entries:
        wanted = known.get(name)
        if wanted is None:
            complaints.add(child.line, f"unknown field {name!r} in a case")
            continue
        if child.is_list and not wanted.many:
            complaints.add(child.line, f"field {name!r} holds one value, not a list")
            continue
        values = [_CASTS[wanted.kind](item.value) for item in child.items]
        if None in values:
            complaints.add(child.line, f"field {name!r} of a case wants a {wanted.kind}")
            continue
        fields[name] = tuple(values) if wanted.many else values[0]
    return fields if len(complaints.found) == before else None


def _as_address(value: object) -> Scalar:
    try:
        return ip_address(value) if isinstance(value, str) else None
    except ValueError:
        return None


_CASTS: Mapping[Kind, Callable[[object], Scalar]] = {
    Kind.TEXT: lambda value: value if isinstance(value, str) else None,
    Kind.NUMBER: lambda value: value if isinstance(value, int | float) and not isinstance(value, bool) else None,
    Kind.FLAG: lambda value: value if isinstance(value, bool) else None,
    Kind.ADDRESS: _as_address,
    Kind.ANY: lambda value: value if isinstance(value, str | int | float | bool) else None,
}
