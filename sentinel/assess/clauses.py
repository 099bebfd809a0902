"""The nodes of a control catalogue file in; its clauses, before a catalogue numbers them, out."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from sentinel.assess.yamlnodes import Complaints, Node
from sentinel.model.control import Check, Clause, Proof, Reported
from sentinel.model.rule import Severity

PROOF_KINDS = ("port-scan", "service-scan", "whitelist", "register", "traffic", "certificates")
STRENGTHS = ("may", "should", "shall")
_TEXTS = ("id", "title", "title_en", "check")
_MORE_TEXTS = ("attested_by", "note", "mitigable", "who", "evidence", "reference")
_OPTIONAL = (
    *("refuted_by", "partial_by", "rules_of", "suspects", "reported", "proof", "weight", "verified", "number"),
    *("min_level", "strength"),
    *_MORE_TEXTS,
)
_LEVEL_KEY = re.compile(r"l[1-5]\Z")


@dataclass(frozen=True, slots=True)
class Row:
    """A clause before it is numbered for one catalogue.

    Attributes:
        id: id of the clause.
        line: where it stands.
        numbers: the standard's number by catalogue id.
        clause: the clause without its number.
        rule_names: (rule name, line) of every rule it names.
    """

    id: str
    line: int
    numbers: dict[str, str]
    clause: Clause
    rule_names: tuple[tuple[str, int], ...]


def read_clauses(root: Node, complaints: Complaints) -> list[Row]:
    """Read `domains` of a file: domains of controls of clauses."""
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
    return [(item, read_text(item, "title", complaints)) for item in node.items]


def _read_clause(node: Node, where: tuple[str, str], known: Collection[str], complaints: Complaints) -> Row:
    for key, child in node.entries:
        if key not in _TEXTS and key not in _OPTIONAL:
            complaints.add(child.line, f"unknown key {key!r} of a clause")
    name, title, title_en, check = (read_text(node, key, complaints) for key in _TEXTS)
    if check and check not in list(Check):
        complaints.add(node.line, f"clause {name}: check {check!r} is none of {', '.join(Check)}")
    refuted, partial, rules_of = (_names(node, key, complaints) for key in ("refuted_by", "partial_by", "rules_of"))
    more = {key: read_text(node, key, complaints, optional=True) for key in _MORE_TEXTS}
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
        rules_of=tuple(tag for tag, _ in rules_of),
        proof=_read_proof(node.child("proof"), complaints),
        weight=_read_weight(node.child("weight"), complaints),
        min_level=_read_level(node.child("min_level"), complaints),
        strength=_read_strength(node.child("strength"), complaints),
        suspects=_read_flag(node, "suspects", complaints),
        reported=_read_reported(node.child("reported"), complaints),
        verified=_read_flag(node, "verified", complaints),
        **more,
    )
    return Row(name, node.line, _read_numbers(node, known, complaints), clause, (*refuted, *partial))


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


def _read_flag(node: Node, key: str, complaints: Complaints) -> bool:
    child = node.child(key)
    if child is not None and not isinstance(child.value, bool):
        complaints.add(child.line, f"{key} must be true or false")
    return child is not None and child.value is True


def _read_reported(node: Node | None, complaints: Complaints) -> Reported | None:
    if node is None:
        return None
    for key, child in node.entries:
        if key not in {"words", "severity", "refutes"}:
            complaints.add(child.line, f"unknown key {key!r} of reported")
    words, severity = _names(node, "words", complaints), read_text(node, "severity", complaints)
    if not words or severity not in list(Severity):
        complaints.add(node.line, f"reported needs words, and a severity out of {', '.join(Severity)}")
        return None
    told = tuple(word.casefold() for word, _ in words)
    return Reported(told, Severity(severity), _read_flag(node, "refutes", complaints))


def _read_level(node: Node | None, complaints: Complaints) -> int:
    if node is None:
        return 0
    if type(node.value) is not int or not 1 <= node.value <= 5:
        complaints.add(node.line, "min_level must be a whole number from 1 to 5")
        return 0
    return node.value


def _read_strength(node: Node | None, complaints: Complaints) -> tuple[tuple[int, str], ...]:
    if node is None:
        return ()
    if not node.is_mapping or not all(_LEVEL_KEY.match(key) and one.value in STRENGTHS for key, one in node.entries):
        complaints.add(node.line, f"strength must map l1 to l5 to one of {', '.join(STRENGTHS)}")
        return ()
    return tuple(sorted((int(key[1]), str(one.value)) for key, one in node.entries))


def _names(node: Node, key: str, complaints: Complaints) -> tuple[tuple[str, int], ...]:
    child = node.child(key)
    if child is None:
        return ()
    if not child.is_list or not all(isinstance(item.value, str) for item in child.items):
        what = {"rules_of": "clauses by their tags", "words": "words"}.get(key, "rule names")
        complaints.add(child.line, f"{key} must be a list of {what}")
        return ()
    return tuple((str(item.value), item.line) for item in child.items)


def read_text(node: Node, key: str, complaints: Complaints, *, optional: bool = False) -> str:
    """Read a text under a key; notes a mistake where it is none, or missing and not optional."""
    child = node.child(key)
    if child is None and optional:
        return ""
    if child is None or not isinstance(child.value, str) or not child.value.strip():
        complaints.add((child or node).line, f"{key} must be text")
        return ""
    return child.value
