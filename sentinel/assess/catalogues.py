"""Control catalogue files in, catalogues out, with every mistake by file and line."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from sentinel.assess.yamlnodes import MAX_BYTES, Complaints, Node, read_yaml
from sentinel.errors import Mistake, RuleError
from sentinel.model.control import Catalogue, Check, Clause, Proof

PROOF_KINDS = ("port-scan", "service-scan", "whitelist", "register", "traffic", "certificates")
_CLAUSE_TEXTS = ("id", "title", "title_en", "check")
_CLAUSE_OPTIONAL = ("refuted_by", "partial_by", "proof", "attested_by", "weight", "note", "verified", "number")
_CATALOGUE_KEYS = ("id", "title", "title_en", "source", "level")


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
        cases: its high-risk cases.
        rule_names: (rule name, line) of every rule a clause names.
    """

    catalogues: tuple[Catalogue, ...] = ()
    cases: tuple[HighRiskCase, ...] = ()
    rule_names: tuple[tuple[str, int], ...] = ()


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


def read_limited(path: Path, complaints: Complaints) -> bytes:
    """Read at most one byte more than a rule file may have."""
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        complaints.add(0, f"cannot be read: {error.strerror or error}")
        return b""


def read_controls(root: Node, complaints: Complaints) -> ControlFile:
    """Read one file: a mapping with `catalogues` and `domains`, or with `high_risk`."""
    if not root.is_mapping:
        complaints.add(root.line, "a control file is a mapping")
        return ControlFile()
    for key, node in root.entries:
        if key not in {"catalogues", "domains", "high_risk", "source", "note"}:
            complaints.add(node.line, f"unknown key {key!r}")
    cases = root.child("high_risk")
    heads = root.child("catalogues")
    if cases is None and heads is None:
        complaints.add(root.line, "needs `catalogues` with `domains`, or `high_risk`")
    rows = _read_clauses(root, complaints) if heads else []
    names = {row.id for row in rows}
    if len(names) < len(rows):
        _complain_twice(rows, complaints)
    return ControlFile(
        catalogues=tuple(_read_head(head, rows, complaints) for head in heads.items) if heads else (),
        cases=tuple(_read_cases(cases, complaints)) if cases else (),
        rule_names=tuple(name for row in rows for name in row.rule_names),
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """A clause before it is numbered for one catalogue."""

    id: str
    line: int
    numbers: dict[str, str]
    clause: Clause
    rule_names: tuple[tuple[str, int], ...]


def _complain_twice(rows: list[_Row], complaints: Complaints) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        if row.id in seen:
            complaints.add(row.line, f"clause {row.id!r} occurs twice; first in line {seen[row.id]}")
        seen.setdefault(row.id, row.line)


def _read_head(node: Node, rows: list[_Row], complaints: Complaints) -> Catalogue:
    for key, child in node.entries:
        if key not in _CATALOGUE_KEYS:
            complaints.add(child.line, f"unknown key {key!r} of a catalogue")
    name, title, title_en, source = (_text(node, key, complaints) for key in _CATALOGUE_KEYS[:4])
    level = node.child("level")
    if level is None or type(level.value) is not int:
        complaints.add(node.line, "level of a catalogue must be a whole number; 0 where the standard has none")
    number = level.value if level and type(level.value) is int else 0
    mine = (_numbered(row, row.numbers[name]) for row in rows if name in row.numbers)
    return Catalogue(name, title, title_en, source, number, tuple(mine))


def _numbered(row: _Row, number: str) -> Clause:
    return replace(row.clause, number=number)


def _read_clauses(root: Node, complaints: Complaints) -> list[_Row]:
    heads = root.child("catalogues")
    ids = [head.child("id") for head in heads.items] if heads else []
    known = {str(node.value) for node in ids if node}
    rows = []
    for domain, domain_title in _groups(root, "domains", complaints):
        for control, control_title in _groups(domain, "controls", complaints):
            clauses = control.child("clauses")
            if clauses is None or not clauses.is_list:
                complaints.add(control.line, "a control needs a list of clauses")
                continue
            rows += [_read_clause(node, (domain_title, control_title), known, complaints) for node in clauses.items]
    return rows


def _groups(parent: Node, key: str, complaints: Complaints) -> list[tuple[Node, str]]:
    node = parent.child(key)
    if node is None or not node.is_list:
        complaints.add(parent.line, f"needs a list {key!r}")
        return []
    return [(item, _text(item, "title", complaints)) for item in node.items]


def _read_clause(node: Node, where: tuple[str, str], known: Collection[str], complaints: Complaints) -> _Row:
    for key, child in node.entries:
        if key not in _CLAUSE_TEXTS and key not in _CLAUSE_OPTIONAL:
            complaints.add(child.line, f"unknown key {key!r} of a clause")
    name, title, title_en, check = (_text(node, key, complaints) for key in _CLAUSE_TEXTS)
    if check and check not in list(Check):
        complaints.add(node.line, f"clause {name}: check {check!r} is none of {', '.join(Check)}")
    refuted, partial = (_names(node, key, complaints) for key in ("refuted_by", "partial_by"))
    verified = node.child("verified")
    if verified and not isinstance(verified.value, bool):
        complaints.add(verified.line, "verified must be true or false")
    clause = Clause(
        id=name,
        number="",
        domain=where[0],
        control=where[1],
        title_zh=title,
        title_en=title_en,
        check=Check(check) if check in list(Check) else Check.MANUAL,
        refuted_by=tuple(rule for rule, _ in refuted),
        partial_by=tuple(rule for rule, _ in partial),
        proof=_read_proof(node.child("proof"), complaints),
        attested_by=_text(node, "attested_by", complaints, optional=True),
        weight=_read_weight(node.child("weight"), complaints),
        note=_text(node, "note", complaints, optional=True),
        verified=bool(verified and verified.value is True),
    )
    return _Row(name, node.line, _read_numbers(node, known, complaints), clause, (*refuted, *partial))


def _read_numbers(node: Node, known: Collection[str], complaints: Complaints) -> dict[str, str]:
    numbers = node.child("number")
    if numbers is None or not numbers.is_mapping or not numbers.entries:
        complaints.add(node.line, "number of a clause must be a mapping: catalogue id to the standard's number")
        return {}
    for key, child in numbers.entries:
        if key not in known:
            complaints.add(child.line, f"number names unknown catalogue {key!r}")
        if not isinstance(child.value, str):
            complaints.add(child.line, "the standard's number must be text; put it in quotes")
    return {key: str(child.value) for key, child in numbers.entries}


def _read_proof(node: Node | None, complaints: Complaints) -> tuple[Proof, ...]:
    proofs = []
    for item in node.items if node else ():
        for key, child in item.entries:
            if key not in {"kind", "max_age_days", "coverage"}:
                complaints.add(child.line, f"unknown key {key!r} of a proof")
        kind, age, share = (item.child(key) for key in ("kind", "max_age_days", "coverage"))
        coverage = share.value if share else 1.0
        if kind is None or kind.value not in PROOF_KINDS:
            complaints.add(item.line, f"kind of a proof must be one of {', '.join(PROOF_KINDS)}")
        elif age is None or type(age.value) is not int or age.value < 1:
            complaints.add(item.line, "max_age_days of a proof must be a whole number from 1")
        elif not isinstance(coverage, int | float) or not 0 < coverage <= 1:
            complaints.add(item.line, "coverage of a proof must lie over 0 and at most at 1")
        else:
            proofs.append(Proof(str(kind.value), age.value, float(coverage)))
    return tuple(proofs)


def _read_weight(node: Node | None, complaints: Complaints) -> int:
    if node is None:
        return 1
    if type(node.value) is not int or node.value not in {1, 2, 3}:
        complaints.add(node.line, "weight must be 1, 2 or 3")
        return 1
    return node.value


def _names(node: Node, key: str, complaints: Complaints) -> tuple[tuple[str, int], ...]:
    child = node.child(key)
    if child is None:
        return ()
    if not child.is_list or not all(isinstance(item.value, str) for item in child.items):
        complaints.add(child.line, f"{key} must be a list of rule names")
        return ()
    return tuple((str(item.value), item.line) for item in child.items)


def _read_cases(node: Node, complaints: Complaints) -> list[HighRiskCase]:
    cases = []
    for item in node.items:
        name, title, check = (_text(item, key, complaints) for key in ("id", "name", "check"))
        level = item.child("min_level")
        if level is None or type(level.value) is not int or check not in list(Check):
            complaints.add(
                item.line, "a high-risk case needs min_level, a whole number, and check: auto, semi or manual"
            )
            continue
        cases.append(HighRiskCase(name, title, level.value, Check(check)))
    return cases


def _text(node: Node, key: str, complaints: Complaints, *, optional: bool = False) -> str:
    child = node.child(key)
    if child is None and optional:
        return ""
    if child is None or not isinstance(child.value, str) or not child.value.strip():
        complaints.add((child or node).line, f"{key} must be text")
        return ""
    return child.value
