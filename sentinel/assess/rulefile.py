"""One Sigma file to one compiled rule, with every mistake of the file by line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from ipaddress import ip_address
from uuid import UUID

from sentinel.assess.compile import Part, compile_term
from sentinel.assess.detection import read_detection
from sentinel.assess.fields import FIELDS, Field, Kind
from sentinel.assess.term import Term
from sentinel.assess.yamlnodes import Complaints, Node
from sentinel.model.moment import SHANGHAI
from sentinel.model.rule import Category, FieldValue, Rule, RuleText, Scalar, Severity

REQUIRED = (
    "title",
    "title_en",
    "id",
    "name",
    "level",
    "logsource",
    "detection",
    "remediation",
    "remediation_en",
    "cases",
)
_TEXTS = frozenset(
    {"title", "title_en", "id", "name", "status", "description", "description_en", "license", "author", "level"}
    | {"remediation", "remediation_en", "taxonomy"}
)
_LISTS = frozenset({"references", "fields", "falsepositives", "tags"})
_DATES = frozenset({"date", "modified", "valid_from", "valid_to"})
_MAPS = frozenset({"logsource", "detection", "cases"})
_KNOWN = _TEXTS | _LISTS | _DATES | _MAPS | {"due_days", "related"}
_NAME = re.compile(r"[a-z0-9]+(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)+\Z")
_FOREIGN_TAGS = ("attack.", "cve.", "d3fend.", "tlp.", "detection.")
MAX_TEXT = 2000
MAX_DUE_DAYS = 3650


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with its predicate.

    Attributes:
        rule: the rule.
        part: predicate, demands and fields.
        term: the condition it was compiled from.
    """

    rule: Rule
    part: Part
    term: Term


@dataclass(frozen=True, slots=True)
class References:
    """What tags may point at.

    Attributes:
        spaces: ids of clauses by their lower-case form, by what the tag begins with, e.g. `mlps`, `high-risk`, `ipv6`.
    """

    spaces: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class RuleFile:
    """What one file gave: identity for the search of duplicates, and the rule when it has no mistake.

    Attributes:
        name: readable id, or empty.
        name_line: its line.
        uuid: the UUID in its canonical form, or empty.
        uuid_line: its line.
        compiled: the rule; None when the file has mistakes.
    """

    name: str
    name_line: int
    uuid: str
    uuid_line: int
    compiled: CompiledRule | None


def read_rule(root: Node, references: References, complaints: Complaints) -> RuleFile:
    """Read the rule of one file; mistakes go to `complaints`."""
    name_node = root.child("name")
    name = name_node.value if name_node and isinstance(name_node.value, str) else ""
    complaints.rule = name
    if root.child("correlation"):
        complaints.add(root.line, "correlation rules are not supported yet")
        return RuleFile(name, root.line, "", root.line, None)
    _check_keys(root, complaints)
    uuid, uuid_line = _read_uuid(root, complaints)
    category = _read_category(root, complaints)
    tags = _read_tags(root, references, complaints)
    rule = _build_rule(root, name, uuid, category, tags, complaints)
    term = part = None
    detection = root.child("detection")
    if category and detection and detection.is_mapping:
        known = FIELDS[category]
        term = read_detection(detection, _sigma_part(root), known, complaints)
        part = compile_term(term) if term else None
        _check_cases(root.child("cases"), known, part, complaints)
    compiled = CompiledRule(rule, part, term) if term and part and rule and not complaints.found else None
    return RuleFile(name, name_node.line if name_node else root.line, uuid, uuid_line, compiled)


def _sigma_part(root: Node) -> dict[str, object]:
    """Give what pySigma reads: our own checks have read the rest, by line."""
    return {name: node.value for name, node in root.entries if name in {"title", "logsource", "detection"}}


def _check_keys(root: Node, complaints: Complaints) -> None:
    if not root.is_mapping:
        complaints.add(root.line, "a rule file is a mapping with title, id, name, …")
        return
    for key in REQUIRED:
        if root.child(key) is None:
            complaints.add(root.line, f"key {key!r} is missing")
    for key, node in root.entries:
        problem = _key_problem(key, node)
        if problem:
            complaints.add(node.line, problem)


def _key_problem(key: str, node: Node) -> str:
    value = node.value
    if key not in _KNOWN:
        return f"unknown key {key!r}"
    if key in _TEXTS and (not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT):
        return f"{key} must be text of 1 to {MAX_TEXT} characters"
    if key in _MAPS and not node.is_mapping:
        return f"{key} must be a mapping"
    if key in _LISTS and not (node.is_list and all(isinstance(item.value, str) and item.value for item in node.items)):
        return f"{key} must be a list of texts"
    if key in _DATES and _read_moment(value, end=False) is None:
        return f"{key} must be a date such as 2026-11-22"
    if key == "due_days" and not (type(value) is int and 0 < value <= MAX_DUE_DAYS):
        return f"due_days must be a whole number from 1 to {MAX_DUE_DAYS}"
    if key == "level" and value not in list(Severity):
        return f"level {value!r} is none of {', '.join(Severity)}"
    if key == "name" and not _NAME.match(str(value)):
        return f"name {value!r}: write topic.what-it-finds in lower case, e.g. exposure.redis-no-auth"
    return ""


def _read_uuid(root: Node, complaints: Complaints) -> tuple[str, int]:
    node = root.child("id")
    if node is None or not isinstance(node.value, str):
        return "", root.line
    try:
        return str(UUID(node.value)), node.line
    except ValueError:
        complaints.add(node.line, f"id {node.value[:60]!r} is no UUID")
        return "", node.line


def _read_category(root: Node, complaints: Complaints) -> Category | None:
    source = root.child("logsource")
    if source is None or not source.is_mapping:
        return None
    for key, node in source.entries:
        if key not in {"product", "category"}:
            complaints.add(node.line, f"unknown key {key!r} in logsource")
    product, category = source.child("product"), source.child("category")
    if product is None or product.value != "sentinel":
        complaints.add((product or source).line, "logsource.product must be sentinel")
    if category is None or category.value not in list(Category):
        complaints.add((category or source).line, f"logsource.category must be one of {', '.join(Category)}")
        return None
    return Category(str(category.value))


def _read_tags(root: Node, references: References, complaints: Complaints) -> tuple[tuple[str, str], ...]:
    """Give the clauses a rule speaks to, as (what the tag begins with, id of the clause)."""
    node = root.child("tags")
    found: list[tuple[str, str]] = []
    for item in node.items if node and node.is_list else ():
        tag = item.value
        if not isinstance(tag, str):
            continue
        space, _, rest = tag.partition(".")
        clause = references.spaces.get(space, {}).get(rest)
        if tag != tag.lower():
            complaints.add(item.line, f"tag {tag!r} must be lower case")
        elif clause is not None:
            found.append((space, clause))
        elif not tag.startswith(_FOREIGN_TAGS):
            complaints.add(item.line, f"tag {tag!r} names no clause of a catalogue and no high-risk case")
    return tuple(found)


def _build_rule(
    root: Node,
    name: str,
    uuid: str,
    category: Category | None,
    tags: tuple[tuple[str, str], ...],
    complaints: Complaints,
) -> Rule | None:
    valid_from = _moment(root, "valid_from", end=False)
    valid_to = _moment(root, "valid_to", end=True)
    if valid_from and valid_to and valid_to < valid_from:
        complaints.add(root.line, "valid_to lies before valid_from")
    level = root.child("level")
    if category is None or level is None or level.value not in list(Severity):
        return None
    due = root.child("due_days")
    positives = root.child("falsepositives")
    return Rule(
        id=uuid,
        name=name,
        zh=RuleText(_text(root, "title"), _text(root, "description"), _text(root, "remediation")),
        en=RuleText(_text(root, "title_en"), _text(root, "description_en"), _text(root, "remediation_en")),
        severity=Severity(str(level.value)),
        category=category,
        clauses=tuple(clause for space, clause in tags if space == "mlps"),
        high_risk=tuple(clause for space, clause in tags if space == "high-risk"),
        due_days=due.value if due and type(due.value) is int else None,
        false_positives=tuple(str(item.value) for item in positives.items) if positives else (),
        valid_from=valid_from,
        valid_to=valid_to,
        file=complaints.file,
        line=root.line,
        tags=tuple(f"{space}.{clause.lower()}" for space, clause in tags),
    )


def _text(root: Node, key: str) -> str:
    node = root.child(key)
    return " ".join(str(node.value).split()) if node else ""


def _moment(root: Node, key: str, *, end: bool) -> datetime | None:
    node = root.child(key)
    return _read_moment(node.value, end=end) if node else None


def _read_moment(value: object, *, end: bool) -> datetime | None:
    """Read a date or time; a bare date begins or ends that day in Asia/Shanghai."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=SHANGHAI)).astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, time.max if end else time.min, SHANGHAI).astimezone(UTC)
    return None


def _check_cases(node: Node | None, known: Mapping[str, Field], part: Part | None, complaints: Complaints) -> None:
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
        fields = _read_case(case, known, complaints)
        if part and fields is not None and part.holds(fields) is not wanted:
            complaints.add(case.line, f"cases.{key} {'does not fire' if wanted else 'fires'}")


def _read_case(node: Node, known: Mapping[str, Field], complaints: Complaints) -> dict[str, FieldValue] | None:
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
}
