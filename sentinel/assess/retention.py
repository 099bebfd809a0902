"""A retention policy file in; how long each kind of data is kept out, or every mistake of it at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from sentinel.assess.catalogues import read_limited
from sentinel.assess.yamlnodes import Complaints, Node, read_yaml
from sentinel.errors import Mistake, RuleError
from sentinel.model.retention import Retention

POLICY = "policy"
"""The folder of a pack where policy stands; no detection rule is read from it."""

FILE = "retention.yml"
_KEYS = ("kind", "title", "days", "least", "person", "valid_from", "source")
_KIND = re.compile(r"[a-z][a-z_]{0,39}\Z")
_MOST_DAYS = 36_500


def load_retention(folders: Sequence[Path], today: date) -> tuple[Retention, ...]:
    """Load `policy/retention.yml` of the folders; gives one policy for each kind, sorted as in the first file.

    Of several for a kind the one counts that came in force last, and of equal ones that of the later folder. One of a
    later folder never goes below the days an earlier one says a law demands.

    Raises:
        RuleError: a file has mistakes, or none of the folders has one.
    """
    complaints: list[Complaints] = []
    chosen: dict[str, Retention] = {}
    for folder in folders:
        path = folder / POLICY / FILE
        if not path.is_file():
            continue
        found = Complaints(str(path))
        complaints.append(found)
        for line, one in _read_file(path, found):
            least = chosen[one.kind].least_days if one.kind in chosen else 0
            if one.days is not None and one.days < least:
                found.add(line, f"{one.kind}: {one.days} days are fewer than the {least} a law demands")
            elif one.valid_from <= today and (one.kind not in chosen or one.valid_from >= chosen[one.kind].valid_from):
                chosen[one.kind] = one
    if not complaints:
        missing = Complaints(str(folders[0] / POLICY / FILE) if folders else FILE)
        missing.add(0, "there is no retention policy; nothing can be purged without one")
        complaints.append(missing)
    mistakes = tuple(one for found in complaints for one in found.found)
    if mistakes:
        raise RuleError(mistakes)
    return tuple(chosen.values())


def check_retention(folders: Sequence[Path]) -> tuple[Mistake, ...]:
    """Give every mistake of the retention policies of folders; a folder need not have one."""
    found = []
    for path in (folder / POLICY / FILE for folder in folders):
        if path.is_file():
            complaints = Complaints(str(path))
            _read_file(path, complaints)
            found += complaints.found
    return tuple(found)


def _read_file(path: Path, complaints: Complaints) -> list[tuple[int, Retention]]:
    data = read_limited(path, complaints)
    root = None if complaints.found else read_yaml(data, complaints)
    rows = root.child("retention") if root else None
    if root and (rows is None or not rows.is_list):
        complaints.add(root.line, "needs a list `retention`")
    read = [(node.line, _read(node, complaints)) for node in rows.items] if rows and rows.is_list else []
    return [(line, one) for line, one in read if one is not None]


def _read(node: Node, complaints: Complaints) -> Retention | None:
    values = node.value if isinstance(node.value, dict) else {}
    before = len(complaints.found)
    for key, child in node.entries:
        if key not in _KEYS:
            complaints.add(child.line, f"unknown key {key!r} of a retention policy")
    for key in (one for one in _KEYS if one not in values):
        complaints.add(node.line, f"a retention policy needs {key!r}")
    kind, days, least = str(values.get("kind", "")), values.get("days"), values.get("least")
    if not _KIND.match(kind):
        complaints.add(node.line, f"kind {kind[:40]!r} is not made of a-z and _")
    if days != "never" and not _is_days(days, 1):
        complaints.add(node.line, f"days of {kind} must be a whole number from 1 to {_MOST_DAYS}, or never")
    if not _is_days(least, 0):
        complaints.add(node.line, f"least of {kind} must be a whole number from 0 to {_MOST_DAYS}")
    elif isinstance(days, int) and isinstance(least, int) and days < least:
        complaints.add(node.line, f"{kind}: {days} days are fewer than the {least} a law demands")
    since, person = values.get("valid_from"), values.get("person")
    if type(since) is not date or not isinstance(person, bool):
        complaints.add(node.line, f"{kind}: valid_from must be a date (2026-01-01), person true or false")
    if not all(isinstance(values.get(key), str) and str(values[key]).strip() for key in ("title", "source")):
        complaints.add(node.line, f"{kind}: title and source must be text")
    if len(complaints.found) > before or not isinstance(since, date) or not isinstance(least, int):
        return None
    kept = days if isinstance(days, int) else None
    return Retention(kind, kept, least, str(values["title"]), str(values["source"]), since, person is True)


def _is_days(value: object, least: int) -> bool:
    return type(value) is int and least <= value <= _MOST_DAYS
