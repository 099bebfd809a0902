"""The `correlation` of a rule file in, a correlation rule out, with every mistake by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sentinel.assess.compile import Predicate
from sentinel.assess.correlation import OPERATORS, Correlation, Correlator
from sentinel.assess.fields import FIELDS
from sentinel.assess.rulecases import read_case
from sentinel.assess.yamlnodes import Complaints, Node
from sentinel.model.moment import EARLIEST
from sentinel.model.rule import Category, Detection, Rule, Subject

TYPES = ("event_count", "value_count")
_KEYS = frozenset({"type", "rules", "group-by", "timespan", "condition", "generate"})
_MAX_GROUPS = 5
_HOST_FIELDS = frozenset({"address", "host"})


@dataclass(frozen=True, slots=True)
class CorrelationFile:
    """What the file of a correlation rule said, before the rules it names are known.

    Attributes:
        rule: the rule, its category still that of a unit.
        node: its `correlation`.
        cases: its `cases`; None where there are none.
        complaints: where its mistakes go.
    """

    rule: Rule
    node: Node
    cases: Node | None
    complaints: Complaints


@dataclass(frozen=True, slots=True)
class Counted:
    """A rule that may be counted.

    Attributes:
        rule: the rule.
        holds: its predicate.
    """

    rule: Rule
    holds: Predicate


def read_correlation(file: CorrelationFile, known: Mapping[str, Counted]) -> Correlation | None:
    """Read and check a correlation; `known` are the other rules by name and by id. None when it has mistakes."""
    complaints, node = file.complaints, file.node
    before = len(complaints.found)
    for key, child in node.entries:
        if key not in _KEYS:
            complaints.add(child.line, f"unknown key {key!r} of a correlation")
    kind = node.child("type")
    if kind is None or kind.value not in TYPES:
        complaints.add((kind or node).line, f"type of a correlation must be one of {', '.join(TYPES)}")
    counted = _read_rules(node, known, complaints)
    category = counted[0].rule.category if counted else Category.UNIT
    groups = _read_groups(node, category, complaints)
    op, limit, name = _read_condition(node, category, kind is not None and kind.value == "value_count", complaints)
    timespan = _read_timespan(node, category, op, complaints)
    generate = node.child("generate")
    if generate is not None and not isinstance(generate.value, bool):
        complaints.add(generate.line, "generate must be true or false")
    if len(complaints.found) > before or not _is_read_by_sigma(file, complaints):
        return None
    about_host = bool(groups) and set(groups) <= _HOST_FIELDS
    rule = replace(
        file.rule,
        category=Category.HOST if about_host else Category.UNIT,
        correlates=tuple(one.rule.name for one in counted),
    )
    found = Correlation(rule, groups, name, op, limit, timespan, generate is not None and generate.value is True)
    _check_cases(file, found, counted, category)
    return found if len(complaints.found) == before else None


def _read_rules(node: Node, known: Mapping[str, Counted], complaints: Complaints) -> list[Counted]:
    names = node.child("rules")
    found: list[Counted] = []
    if names is None or not names.items or not all(isinstance(item.value, str) for item in names.items):
        complaints.add((names or node).line, "rules of a correlation must be the names of other rules")
        return found
    for item in names.items:
        one = known.get(str(item.value))
        if one is None:
            complaints.add(item.line, f"correlation names unknown rule {str(item.value)!r}")
        elif found and one.rule.category is not found[0].rule.category:
            words = f"{one.rule.category} and {found[0].rule.category}"
            complaints.add(item.line, f"rules of one correlation must look at the same category, not {words}")
        else:
            found.append(one)
    return found


def _read_groups(node: Node, category: Category, complaints: Complaints) -> tuple[str, ...]:
    groups = node.child("group-by")
    if groups is None:
        return ()
    names = [item.value for item in groups.items]
    if not names or len(names) > _MAX_GROUPS:
        complaints.add(groups.line, f"group-by takes 1 to {_MAX_GROUPS} fields")
    for item in groups.items:
        if item.value not in FIELDS[category]:
            complaints.add(item.line, f"group-by names unknown field {item.value!r} of {category}")
    return tuple(map(str, names))


def _read_condition(
    node: Node, category: Category, counts_values: bool, complaints: Complaints
) -> tuple[str, int, str]:
    condition = node.child("condition")
    if condition is None or not condition.is_mapping:
        complaints.add((condition or node).line, "condition of a correlation must be a mapping, e.g. {gte: 3}")
        return "", 0, ""
    ops = [(key, child) for key, child in condition.entries if key != "field"]
    if len(ops) != 1 or ops[0][0] not in OPERATORS:
        complaints.add(condition.line, f"condition takes exactly one of {', '.join(OPERATORS)}")
        return "", 0, ""
    op, limit = ops[0]
    if type(limit.value) is not int or limit.value < 0:
        complaints.add(limit.line, "a count is a whole number from 0")
    name = condition.child("field")
    if counts_values and (name is None or name.value not in FIELDS[category]):
        complaints.add((name or condition).line, f"value_count needs `field`, a field of {category}")
    if not counts_values and name is not None:
        complaints.add(name.line, "event_count counts no field")
    count = limit.value if type(limit.value) is int else 0
    return op, count, str(name.value) if counts_values and name else ""


def _read_timespan(node: Node, category: Category, op: str, complaints: Complaints) -> int:
    from sigma.correlations import SigmaCorrelationTimespan
    from sigma.exceptions import SigmaError

    span = node.child("timespan")
    if not category.is_event:
        if span is not None:
            complaints.add(span.line, f"{category} is a state: it is counted as it is now; leave timespan out")
        return 0
    if op not in {"gt", "gte"}:
        complaints.add(node.line, "over events a count can only be compared by gt or gte")
    if span is None:
        complaints.add(node.line, f"{category} is an event: a timespan such as 1h is missing")
        return 0
    try:
        return int(SigmaCorrelationTimespan(str(span.value)).seconds)
    except SigmaError as error:
        complaints.add(span.line, str(error))
    return 0


def _is_read_by_sigma(file: CorrelationFile, complaints: Complaints) -> bool:
    """Let pySigma read it too, so that a file that passes here passes elsewhere; states get the span it demands."""
    from sigma.correlations import SigmaCorrelationRule
    from sigma.exceptions import SigmaError

    body = file.node.value if isinstance(file.node.value, dict) else {}
    plain = {"title": file.rule.zh.title, "correlation": {"timespan": "1d", **body}}
    try:
        read = SigmaCorrelationRule.from_dict(plain, collect_errors=True)
    except SigmaError as error:
        complaints.add(file.node.line, f"pySigma: {error}")
        return False
    for mistake in read.errors:
        complaints.add(file.node.line, f"pySigma: {mistake}")
    return not read.errors


def _check_cases(file: CorrelationFile, found: Correlation, counted: Sequence[Counted], category: Category) -> None:
    complaints = file.complaints
    if file.cases is None or not file.cases.is_mapping:
        return  # that they are missing is told with the other keys
    for key, wanted in (("fires", True), ("quiet", False)):
        case = file.cases.child(key)
        if case is None or not case.is_list:
            complaints.add((case or file.cases).line, f"cases.{key} of a correlation must be a list of mappings")
            continue
        rows = [read_case(item, FIELDS[category], complaints) for item in case.items]
        subjects = [
            Subject(category, "unit", 1, f"case {number}", fields, seen_at=EARLIEST)
            for number, fields in enumerate(rows)
            if fields is not None
        ]
        correlator = Correlator([found], EARLIEST)
        hits = [Detection(one.rule, subject) for subject in subjects for one in counted if one.holds(subject.fields)]
        list(correlator.take(hits))
        if any(correlator.finish("unit")) is not wanted:
            complaints.add(case.line, f"cases.{key} {'does not fire' if wanted else 'fires'}")
