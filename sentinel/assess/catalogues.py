"""Control catalogue files in, catalogues out, with every mistake by file and line."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from sentinel.assess.clauses import Row, read_clauses, read_text
from sentinel.assess.yamlnodes import MAX_BYTES, Complaints, Node, read_yaml
from sentinel.errors import Mistake, RuleError
from sentinel.model.control import Catalogue, Check, Clause, Scoring

HIGH_RISK = "high-risk"
"""What tags of high-risk cases begin with."""

_TEXTS = ("id", "title", "title_en", "source")
_KEYS = (*_TEXTS, "level", "tag", "inherits", "assumed_level", "objects", "tagged", "scoring")
_SCORING_KEYS = ("technical", "balance", "factors", "partial", "verified")


@dataclass(frozen=True, slots=True)
class HighRiskCase:
    """One case of the guideline on high-risk judgement.

    Attributes:
        id: e.g. `6.4.3.1`.
        name: short name in Chinese.
        min_level: lowest protection level it applies to.
        check: `auto`, `semi` or `manual`.
    """

    id: str
    name: str
    min_level: int
    check: Check


@dataclass(frozen=True, slots=True)
class ControlFile:
    """What one file under `controls/` gave.

    Attributes:
        catalogues: its catalogues.
        rule_names: (rule name, line) of every rule a clause names.
        lines: line of each clause, by its id.
    """

    catalogues: tuple[Catalogue, ...] = ()
    rule_names: tuple[tuple[str, int], ...] = ()
    lines: dict[str, int] = field(default_factory=dict)


def load_catalogues(folder: Path) -> tuple[Catalogue, ...]:
    """Load every catalogue of a folder, in the order of file names; rule names are not looked up here.

    Raises:
        RuleError: the folder cannot be read, or files have mistakes; it holds all of them.
    """
    found: list[Mistake] = []
    catalogues: list[Catalogue] = []
    paths = sorted(folder.glob("*.yml"))
    if not paths:
        found.append(Mistake(str(folder), 0, "no control catalogue here"))
    for path in paths:
        complaints = Complaints(str(path))
        root = read_yaml(read_limited(path, complaints), complaints)
        catalogues += read_controls(root, complaints).catalogues if root else ()
        found += complaints.found
    if found:
        raise RuleError(tuple(found))
    return tuple(catalogues)


def find_cases(catalogues: tuple[Catalogue, ...]) -> tuple[HighRiskCase, ...]:
    """Give the high-risk cases among the clauses of catalogues."""
    clauses = (clause for one in catalogues if one.tag == HIGH_RISK for clause in one.clauses)
    return tuple(HighRiskCase(one.id, one.title_zh, one.min_level, one.check) for one in clauses)


def read_limited(path: Path, complaints: Complaints) -> bytes:
    """Read at most one byte more than a rule file may have."""
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        complaints.add(0, f"cannot be read: {error.strerror or error}")
        return b""


def read_controls(root: Node, complaints: Complaints) -> ControlFile:
    """Read one file: a mapping with `catalogues` and `domains`."""
    if not root.is_mapping:
        complaints.add(root.line, "a control file is a mapping")
        return ControlFile()
    for key, node in root.entries:
        if key not in {"catalogues", "domains", "source", "note"}:
            complaints.add(node.line, f"unknown key {key!r}")
    heads = root.child("catalogues")
    if heads is None:
        complaints.add(root.line, "needs `catalogues` with `domains`")
        return ControlFile()
    rows = read_clauses(root, complaints)
    lines = {row.id: row.line for row in rows}
    if len(lines) < len(rows):
        _complain_twice(rows, complaints)
    return ControlFile(
        catalogues=tuple(_read_head(head, rows, complaints) for head in heads.items),
        rule_names=tuple(name for row in rows for name in row.rule_names),
        lines=lines,
    )


def _complain_twice(rows: list[Row], complaints: Complaints) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        if row.id in seen:
            complaints.add(row.line, f"clause {row.id!r} occurs twice; first in line {seen[row.id]}")
        seen.setdefault(row.id, row.line)


def _read_head(node: Node, rows: list[Row], complaints: Complaints) -> Catalogue:
    for key, child in node.entries:
        if key not in _KEYS:
            complaints.add(child.line, f"unknown key {key!r} of a catalogue")
    name, title, title_en, source = (read_text(node, key, complaints) for key in _TEXTS)
    level = node.child("level")
    if level is None or type(level.value) is not int:
        complaints.add(node.line, "level of a catalogue must be a whole number; 0 where the standard has none")
    inherits = read_text(node, "inherits", complaints, optional=True)
    objects = read_text(node, "objects", complaints, optional=True) or "system"
    if objects not in {"system", "unit"}:
        complaints.add(node.line, "objects of a catalogue must be system or unit")
    tagged, assumed = node.child("tagged"), node.child("assumed_level")
    if tagged and not isinstance(tagged.value, bool):
        complaints.add(tagged.line, "tagged must be true or false")
    if assumed and type(assumed.value) is not int:
        complaints.add(assumed.line, "assumed_level must be a whole number")
    return Catalogue(
        id=name,
        title_zh=title,
        title_en=title_en,
        source=source,
        level=level.value if level and type(level.value) is int else 0,
        clauses=tuple(_numbered(row, name, inherits) for row in rows if name in row.numbers),
        tag=read_text(node, "tag", complaints, optional=True) or name,
        inherits=inherits,
        assumed_level=assumed.value if assumed and type(assumed.value) is int else 0,
        objects=objects,
        tagged=bool(tagged and tagged.value is True),
        scoring=_read_scoring(node.child("scoring"), complaints),
    )


def _numbered(row: Row, name: str, inherits: str) -> Clause:
    return replace(row.clause, number=row.numbers[name], inherits=row.numbers.get(inherits, ""))


def _read_scoring(node: Node | None, complaints: Complaints) -> Scoring | None:
    if node is None:
        return None
    for key, child in node.entries:
        if key not in _SCORING_KEYS:
            complaints.add(child.line, f"unknown key {key!r} of a scoring")
    told = node.value if isinstance(node.value, dict) else {}
    technical, factors = told.get("technical"), told.get("factors")
    shares = [told.get("balance"), told.get("partial")]
    if not isinstance(technical, list) or not all(isinstance(one, str) for one in technical):
        complaints.add(node.line, "technical of a scoring must be a list of domains")
    elif not isinstance(factors, list) or len(factors) != 3 or not all(_is_number(one) for one in factors):
        complaints.add(node.line, "factors of a scoring must be three numbers")
    elif not all(_is_number(one) and 0 <= float(str(one)) <= 1 for one in shares):
        complaints.add(node.line, "balance and partial of a scoring must lie between 0 and 1")
    else:
        first, second, third = (float(str(one)) for one in factors)
        balance, partial = (float(str(one)) for one in shares)
        names = tuple(str(one) for one in technical)
        return Scoring(names, balance, (first, second, third), partial, told.get("verified") is True)
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
