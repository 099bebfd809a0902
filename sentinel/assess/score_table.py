"""Score tables as files in; the tables, or every mistake of all of them, out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path

from sentinel.assess.catalogues import read_limited
from sentinel.assess.yamlnodes import Complaints, Node, read_yaml
from sentinel.errors import Mistake, RuleError
from sentinel.model.score import Measure, ScoreCap, ScoreItem, ScoreTable
from sentinel.model.snapshot import COUNTERS
from sentinel.model.unit_kind import UnitKind

SCORE = "score"
"""The folder of a pack where score tables stand; no detection rule is read from it."""

_TABLE_KEYS = ("id", "title", "title_en", "base", "min_coverage", "valid_from", "items")
_TABLE_MORE = ("kinds", "caps", "note")
_ITEM_KEYS = ("id", "title", "title_en", "counter", "points")
_ITEM_MORE = ("of", "each", "most", "at_least", "at_most", "note")
_CAP_KEYS = ("id", "title", "title_en", "counter", "over", "cap")
_CAP_MORE = ("of", "note")
KINDS = frozenset(kind.value for kind in UnitKind if kind)
COUNTED = frozenset(name for name in COUNTERS if not name.startswith("score"))
"""What a score may look at; a score is not made of scores."""

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
_MAX_ITEMS = 200


def load_tables(folders: Sequence[Path]) -> tuple[ScoreTable, ...]:
    """Load `score/*.yml` of the folders; of two with one id the later folder's counts.

    Raises:
        RuleError: files have mistakes; it holds all of them.
    """
    tables, mistakes = _read(folders)
    if mistakes:
        raise RuleError(mistakes)
    return tables


def check_tables(folders: Sequence[Path]) -> tuple[Mistake, ...]:
    """Give every mistake of the score tables of folders."""
    return _read(folders)[1]


def _read(folders: Sequence[Path]) -> tuple[tuple[ScoreTable, ...], tuple[Mistake, ...]]:
    tables: dict[str, ScoreTable] = {}
    mistakes: list[Mistake] = []
    for path in (path for folder in folders for path in sorted((folder / SCORE).glob("*.yml"))):
        complaints = Complaints(str(path))
        data = read_limited(path, complaints)
        root = None if complaints.found else read_yaml(data, complaints)
        table = _read_table(root, sha256(data).hexdigest(), complaints) if root else None
        if table is not None:
            tables[table.id] = table
        mistakes += complaints.found
    return tuple(tables.values()), tuple(mistakes)


def _read_table(root: Node, digest: str, complaints: Complaints) -> ScoreTable | None:
    if not _check_keys(root, _TABLE_KEYS, _TABLE_MORE, "score table", complaints):
        return None
    names = root.child("kinds")
    for item in names.items if names else ():
        if item.value not in KINDS:
            complaints.add(item.line, f"unknown kind of unit {item.value!r}; known: {', '.join(sorted(KINDS))}")
    since = root.child("valid_from")
    if since is None or type(since.value) is not date:
        complaints.add((since or root).line, "valid_from must be a date (2026-01-01)")
    items = [_read_item(node, complaints) for node in _list(root, "items", complaints)]
    caps = [_read_cap(node, complaints) for node in _list(root, "caps", complaints)]
    _check_twice([one for key in ("items", "caps") if (node := root.child(key)) for one in node.items], complaints)
    table = ScoreTable(
        id=_id(root, complaints),
        title_zh=_text(root, "title", complaints),
        title_en=_text(root, "title_en", complaints),
        kinds=tuple(str(item.value) for item in names.items) if names else (),
        base=_number(root, "base", complaints, 0, 100),
        min_coverage=_number(root, "min_coverage", complaints, 0, 1),
        valid_from=since.value if since and type(since.value) is date else date.max,
        items=tuple(one for one in items if one is not None),
        caps=tuple(one for one in caps if one is not None),
        hash=digest,
    )
    return None if complaints.found else table


def _read_item(node: Node, complaints: Complaints) -> ScoreItem | None:
    if not _check_keys(node, _ITEM_KEYS, _ITEM_MORE, "item", complaints):
        return None
    each = node.child("each")
    if each is not None and not isinstance(each.value, bool):
        complaints.add(each.line, "each must be true or false")
    is_each = each is not None and each.value is True
    low, high = _bound(node, "at_least", complaints), _bound(node, "at_most", complaints)
    if is_each and (low is not None or high is not None):
        complaints.add(node.line, "points for each one take no at_least or at_most")
    if not is_each and low is None and high is None:
        complaints.add(node.line, "an item needs `each: true`, at_least or at_most")
    if is_each and node.child("most") is None:
        complaints.add(node.line, "points for each one need `most`, or one fault could take everything")
    points = _number(node, "points", complaints, -100, 100)
    most = _number(node, "most", complaints, 0, 100) if node.child("most") else abs(points)
    return ScoreItem(
        id=_id(node, complaints),
        title_zh=_text(node, "title", complaints),
        title_en=_text(node, "title_en", complaints),
        measure=_measure(node, complaints),
        points=points,
        each=is_each,
        most=most,
        at_least=low,
        at_most=high,
        note=_text(node, "note", complaints) if node.child("note") else "",
    )


def _read_cap(node: Node, complaints: Complaints) -> ScoreCap | None:
    if not _check_keys(node, _CAP_KEYS, _CAP_MORE, "cap", complaints):
        return None
    return ScoreCap(
        id=_id(node, complaints),
        title_zh=_text(node, "title", complaints),
        title_en=_text(node, "title_en", complaints),
        measure=_measure(node, complaints),
        over=_number(node, "over", complaints, 0, 1e9),
        cap=_number(node, "cap", complaints, 0, 100),
    )


def _check_keys(node: Node, needed: Sequence[str], more: Sequence[str], what: str, complaints: Complaints) -> bool:
    before = len(complaints.found)
    if not node.is_mapping:
        complaints.add(node.line, f"a {what} is a mapping")
        return False
    for key, child in node.entries:
        if key not in needed and key not in more:
            complaints.add(child.line, f"unknown key {key!r} of a {what}")
    for key in needed:
        if node.child(key) is None:
            complaints.add(node.line, f"a {what} needs {key!r}")
    return len(complaints.found) == before


def _check_twice(nodes: Sequence[Node], complaints: Complaints) -> None:
    seen: set[object] = set()
    for node in nodes:
        name = node.child("id")
        if name is not None and str(name.value) in seen:
            complaints.add(name.line, f"id {name.value!r} occurs twice")
        seen.add(str(name.value) if name else None)


def _list(root: Node, key: str, complaints: Complaints) -> tuple[Node, ...]:
    node = root.child(key)
    if node is None:
        return ()
    if not node.is_list or len(node.entries) > _MAX_ITEMS:
        complaints.add(node.line, f"{key} must be a list of at most {_MAX_ITEMS}")
        return ()
    return node.items


def _measure(node: Node, complaints: Complaints) -> Measure:
    counter, of = node.child("counter"), node.child("of")
    names = [counter] if counter else []
    names += of.items if of else ()
    for one in names:
        if one.value not in COUNTED:
            complaints.add(one.line, f"unknown counter {one.value!r}; known: {', '.join(sorted(COUNTED))}")
    return Measure(str(counter.value) if counter else "", tuple(str(one.value) for one in of.items) if of else ())


def _id(node: Node, complaints: Complaints) -> str:
    text = _text(node, "id", complaints)
    if text and not _ID.match(text):
        complaints.add(node.line, f"id {text[:40]!r} is not made of a-z, 0-9 and -")
    return text


def _text(node: Node, key: str, complaints: Complaints) -> str:
    child = node.child(key)
    if child is None or not isinstance(child.value, str) or not child.value.strip():
        complaints.add((child or node).line, f"{key} must be text")
        return ""
    return " ".join(child.value.split())


def _bound(node: Node, key: str, complaints: Complaints) -> float | None:
    return _number(node, key, complaints, 0, 1e9) if node.child(key) else None


def _number(node: Node, key: str, complaints: Complaints, low: float, high: float) -> float:
    child = node.child(key)
    value = child.value if child else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        complaints.add((child or node).line, f"{key} must be a number from {low:g} to {high:g}")
        return low
    return float(value)
