"""Question files in; the questions a person answers for clauses out, with every mistake by line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sentinel.assess.clauses import read_text
from sentinel.assess.yamlnodes import Complaints, Node
from sentinel.model.control import Question

FOLDER = "questions"
ANSWERS = ("yes", "partly", "no", "na")
SCOPES = ("unit", "system")
MOST_DAYS = 1100
_KEYS = ("id", "zh", "en", "answers", "evidence", "valid_days", "scope")
_ID = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*\Z")


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """A question with the line it stands in."""

    question: Question
    line: int


def read_questions(root: Node, complaints: Complaints) -> tuple[QuestionLine, ...]:
    """Read one file: a mapping with `questions`."""
    rows = root.child("questions") if root.is_mapping else None
    if rows is None or not rows.is_list:
        complaints.add(root.line, "a question file is a mapping with a list `questions`")
        return ()
    for key, node in root.entries:
        if key not in {"questions", "note"}:
            complaints.add(node.line, f"unknown key {key!r}")
    return tuple(QuestionLine(_read(node, complaints), node.line) for node in rows.items)


def _read(node: Node, complaints: Complaints) -> Question:
    for key, child in node.entries:
        if key not in _KEYS:
            complaints.add(child.line, f"unknown key {key!r} of a question")
    name, zh, en, scope = (read_text(node, key, complaints) for key in ("id", "zh", "en", "scope"))
    if name and not _ID.match(name):
        complaints.add(node.line, f"id {name[:40]!r} of a question: write lower case words, e.g. room.fire")
    if scope and scope not in SCOPES:
        complaints.add(node.line, f"scope of {name} must be one of {', '.join(SCOPES)}")
    days, answers = node.child("valid_days"), node.child("answers")
    if days is None or type(days.value) is not int or not 0 < days.value <= MOST_DAYS:
        complaints.add((days or node).line, f"valid_days of {name} must be a whole number from 1 to {MOST_DAYS}")
    kinds = tuple(str(one.value) for one in answers.items) if answers else ANSWERS
    if not set(kinds) <= set(ANSWERS) or not {"yes", "no"} <= set(kinds) or len(set(kinds)) < len(kinds):
        complaints.add(node.line, f"answers of {name} must be yes and no, and may be partly and na besides")
    return Question(
        id=name,
        zh=zh,
        en=en,
        answers=kinds,
        evidence=read_text(node, "evidence", complaints, optional=True),
        valid_days=days.value if days and type(days.value) is int else 1,
        scope=scope,
    )
