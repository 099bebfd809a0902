"""One Sigma file to one compiled rule, with every mistake of the file by line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from uuid import UUID

from sentinel.assess.compile import Part, compile_term
from sentinel.assess.correlationfile import CorrelationFile
from sentinel.assess.detection import read_detection
from sentinel.assess.fields import FIELDS
from sentinel.assess.logsource import Source, read_source
from sentinel.assess.rulecases import check_cases
from sentinel.assess.term import Term
from sentinel.assess.yamlnodes import Complaints, Node
from sentinel.model.moment import SHANGHAI
from sentinel.model.rule import Category, Rule, RuleText, Severity

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
_MAPS = frozenset({"logsource", "detection", "cases", "correlation"})
_KNOWN = _TEXTS | _LISTS | _DATES | _MAPS | {"due_days", "related"}
_NAME = re.compile(r"[a-z0-9]+(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)+\Z")
_FOREIGN_TAGS = ("attack.", "cve.", "d3fend.", "tlp.", "detection.")
_OURS = {"title_en", "name", "level", "remediation", "remediation_en", "cases"}
_FOREIGN_ZH = "核实日志所示的行为和主机；确属异常的隔离、取证、处置。"
_FOREIGN_EN = "Find out what the log shows and which host did it; isolate and handle it when it is wrong."
_READ = _OURS | {"title", "id", "logsource", "detection", "falsepositives", "valid_from", "valid_to", "due_days"}
"""Keys of a foreign rule that are read; others are its author's business."""

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
        compiled: the rule; None when the file has mistakes, or it is a correlation.
        correlation: the correlation, to be read once all rules are known.
    """

    name: str
    name_line: int
    uuid: str
    uuid_line: int
    compiled: CompiledRule | None
    correlation: CorrelationFile | None = None


def read_rule(root: Node, references: References, complaints: Complaints) -> RuleFile:
    """Read the rule of one file; mistakes go to `complaints`."""
    name_node = root.child("name")
    name = name_node.value if name_node and isinstance(name_node.value, str) else ""
    complaints.rule = name
    correlation = root.child("correlation")
    source = Source(Category.UNIT) if correlation else read_source(root, complaints)
    foreign = source is not None and source.is_foreign
    if foreign and not name:
        name = complaints.rule = _foreign_name(complaints.file)
    _check_keys(root, complaints, foreign=foreign)
    uuid, uuid_line = _read_uuid(root, complaints)
    category = source.category if source else None
    tags = _read_tags(root, references, complaints, foreign=foreign)
    rule = _build_rule(root, name, uuid, category, tags, complaints)
    term = part = None
    name_line = name_node.line if name_node else root.line
    if correlation:
        whole = correlation.is_mapping and rule is not None and not complaints.found
        counting = CorrelationFile(rule, correlation, root.child("cases"), complaints) if whole and rule else None
        return RuleFile(name, name_line, uuid, uuid_line, None, counting)
    detection = root.child("detection")
    if source and detection and detection.is_mapping:
        known = FIELDS[source.category]
        read = read_detection(detection, _sigma_part(root), known, complaints)
        term = source.narrow(read) if read else None
        part = compile_term(term) if term else None
        check_cases(root.child("cases"), known, part, complaints)
    compiled = CompiledRule(rule, part, term) if term and part and rule and not complaints.found else None
    return RuleFile(name, name_line, uuid, uuid_line, compiled)


def _sigma_part(root: Node) -> dict[str, object]:
    """Give what pySigma reads: our own checks have read the rest, by line."""
    return {name: node.value for name, node in root.entries if name in {"title", "logsource", "detection"}}


def _foreign_name(file: str) -> str:
    """Name a rule that has no readable name of its own by its file."""
    words = re.sub(r"[^a-z0-9]+", "-", Path(file).stem.lower()).strip("-")
    return f"sigma.{words or 'rule'}"


def _check_keys(root: Node, complaints: Complaints, *, foreign: bool) -> None:
    if not root.is_mapping:
        complaints.add(root.line, "a rule file is a mapping with title, id, name, …")
        return
    left_out = {"logsource", "detection"} if root.child("correlation") else set()
    left_out |= _OURS if foreign else set()
    for key in REQUIRED:
        if key not in left_out and root.child(key) is None:
            complaints.add(root.line, f"key {key!r} is missing")
    for key, node in root.entries:
        problem = _key_problem(key, node) if key in _READ or not foreign else ""
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


def _read_tags(
    root: Node, references: References, complaints: Complaints, *, foreign: bool
) -> tuple[tuple[str, str], ...]:
    """Give the clauses a rule speaks to, as (what the tag begins with, id of the clause)."""
    node = root.child("tags")
    found: list[tuple[str, str]] = []
    for item in node.items if node and node.is_list else ():
        tag = item.value
        if not isinstance(tag, str):
            continue
        space, _, rest = tag.partition(".")
        clause = references.spaces.get(space, {}).get(rest)
        if tag != tag.lower() and not foreign:
            complaints.add(item.line, f"tag {tag!r} must be lower case")
        elif clause is not None:
            found.append((space, clause))
        elif not foreign and not tag.startswith(_FOREIGN_TAGS):
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
    severity = level.value if level else "medium" if category is Category.LOG else None
    if category is None or severity not in list(Severity):
        return None
    due = root.child("due_days")
    positives = root.child("falsepositives")
    return Rule(
        id=uuid,
        name=name,
        zh=_words(root, "", _FOREIGN_ZH),
        en=_words(root, "_en", _FOREIGN_EN),
        severity=Severity(str(severity)),
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


def _words(root: Node, suffix: str, remediation: str) -> RuleText:
    """Read the words in one language; a foreign rule has one alone and says nothing of what to do."""
    title = _text(root, f"title{suffix}") or _text(root, "title")
    description = _text(root, f"description{suffix}") or _text(root, "description")
    return RuleText(title, description, _text(root, f"remediation{suffix}") or remediation)


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
