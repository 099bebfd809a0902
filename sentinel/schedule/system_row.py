"""One row of a sheet in; what it declares of a system, and the cells that could not be read, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any

from sentinel.model.system import SystemFacts, SystemPersons, fold_system
from sentinel.observe.table import Cell, TableRow, column_letter, fold_width
from sentinel.schedule.address_cell import NOTHING
from sentinel.schedule.columns import Field, Head
from sentinel.schedule.persons import hide_persons
from sentinel.schedule.register_line import build_person
from sentinel.schedule.register_row import CellError
from sentinel.schedule.system_cell import Value, parse_cell
from sentinel.schedule.system_fields import BY_FIELD, Kind, SystemField

_OPEN = frozenset({"否", "非密", "非涉密", "不涉密", "不涉及", "公开", "内部", "no", "n", "0", "false"})
_NONE = frozenset({"无", "没有", "暂无"})
"""Words that tell of a yes or no, and of parts for visitors, that there is none; elsewhere they tell nothing."""

_PERSON_PARTS = {Kind.PERSON: "name", Kind.PHONE: "phone", Kind.MAIL: "mail"}
_NOT_AHEAD = (Field.GRADED_ON, Field.FILING_ISSUED, Field.ASSESSED_ON, Field.CRYPTO_ON)


@dataclass(slots=True)
class SystemDraft:
    """What a row declares of a system.

    Attributes:
        facts: what is declared; the name may be empty where its cell could not be read.
        persons: who answers for it.
        row: the row.
        head: the head of its sheet.
        told: attributes of the facts a column of the sheet speaks of.
        roles: roles a column of the sheet speaks of.
        errors: cells that could not be read, or that do not fit each other.
    """

    facts: SystemFacts
    persons: SystemPersons
    row: TableRow
    head: Head
    told: frozenset[str]
    roles: frozenset[str]
    errors: list[CellError] = field(default_factory=list)

    def refuse(self, what: Field, reason: str) -> None:
        """Note that a cell of this row cannot stand as it is."""
        column = self.head.first(what)
        error = CellError(
            self.row.sheet, self.row.number, column_letter(column), self.head.titles.get(column, ""), reason
        )
        if not any(one.column == error.column for one in self.errors):
            self.errors.append(error)

    def without(self, attribute: str) -> None:
        """Leave out what could not stand."""
        empty = SystemFacts("")
        self.facts = replace(self.facts, **{attribute: getattr(empty, attribute)})


def read_system(row: TableRow, head: Head, today: date, *, strict: bool) -> SystemDraft:
    """Read a row; cells that could not be read are gathered, and their fields left empty.

    Phone numbers and mail addresses are checked only where `strict`: foreign sheets have both in one cell.
    """
    values: dict[str, Value] = {}
    persons: dict[str, dict[str, str]] = {}
    draft = SystemDraft(
        SystemFacts(""), SystemPersons(), row, head, _told(head, persons=False), _told(head, persons=True)
    )
    for told, column, cell in _cells(row, head):
        try:
            value = _read(told, cell, strict=strict)
        except ValueError as error:
            draft.errors.append(
                CellError(row.sheet, row.number, column_letter(column), head.titles.get(column, ""), str(error))
            )
            continue
        if value is None or value == "":
            continue
        if told.kind in _PERSON_PARTS:
            persons.setdefault(told.name, {}).setdefault(_PERSON_PARTS[told.kind], str(value))
        elif told.what is not Field.CLASSIFIED:
            values.setdefault(told.name, value)
    facts: dict[str, Any] = dict(values)
    draft.facts = SystemFacts(**{"name": "", **facts})
    draft.persons = SystemPersons(**{role: build_person(**{"name": "", **parts}) for role, parts in persons.items()})
    _check(draft, today)
    return draft


def is_classified(row: TableRow, head: Head) -> bool:
    """Tell whether a row says of itself that it is classified (涉密): such a thing is not to be entered at all."""
    texts = (row.at(column).text for column in head.columns.get(Field.CLASSIFIED, ()))
    return any(fold_width(text).strip().lower() not in NOTHING | _OPEN for text in texts)


def merge_draft(into: SystemDraft, more: SystemDraft) -> None:
    """Take over what a second row of the same system says; where they differ, the first stays and a cell is named."""
    first, second = into.facts, more.facts
    for one in fields(first):
        before, after = getattr(first, one.name), getattr(second, one.name)
        if one.name == "name" or after in (None, ""):
            continue
        if before in (None, ""):
            into.facts = replace(into.facts, **{one.name: after})
        elif before != after and one.name not in {"note", "live_on", "valid_until"}:
            what = next((known.what for known in BY_FIELD.values() if known.name == one.name), Field.SYSTEM)
            more.refuse(what, f"says otherwise than row {into.row.number}, which counts")
    for role in fields(into.persons):
        if getattr(into.persons, role.name).is_nobody:
            into.persons = replace(into.persons, **{role.name: getattr(more.persons, role.name)})


def _told(head: Head, *, persons: bool) -> frozenset[str]:
    return frozenset(
        one.name for what in head.columns if (one := BY_FIELD.get(what)) and (one.kind in _PERSON_PARTS) is persons
    )


def _cells(row: TableRow, head: Head) -> Iterator[tuple[SystemField, int, Cell]]:
    for what, columns in head.columns.items():
        if what in BY_FIELD:
            for column in columns:
                yield BY_FIELD[what], column, row.at(column)


def _read(told: SystemField, cell: Cell, *, strict: bool) -> Value:
    if cell.fault:
        raise ValueError(cell.fault)
    word = fold_width(cell.text).strip().lower()
    is_told = word in _NONE and (told.kind is Kind.YES_NO or told.what is Field.INTERACTIVE)
    if told.what is Field.CLASSIFIED or (word in NOTHING and not is_told):
        return None
    if not strict and told.kind in {Kind.PHONE, Kind.MAIL}:
        return cell.text.strip()
    value = parse_cell(told, cell.text)
    return hide_persons(value) if told.kind is Kind.TEXT and isinstance(value, str) else value


def _check(draft: SystemDraft, today: date) -> None:
    """Hold the fields against each other and against today."""
    facts = draft.facts
    if not facts.name:
        draft.refuse(Field.SYSTEM, "no name of a system")
    elif facts.parent and fold_system(facts.parent) == fold_system(facts.name):
        draft.refuse(Field.PARENT, "the system itself: leave it blank, or name the one it is a part of")
    parts = [one for one in (facts.business_level, facts.service_level) if one is not None]
    if facts.told_level and parts and facts.told_level != max(parts):
        draft.refuse(Field.LEVEL, "not the higher of the two levels beside it")
    for what in _NOT_AHEAD:
        day = getattr(facts, BY_FIELD[what].name)
        if day is not None and day > today:
            draft.refuse(what, "a day that is still to come")
    if facts.filing_issued and facts.filing_expires and facts.filing_expires < facts.filing_issued:
        draft.refuse(Field.FILING_EXPIRES, "it ends before it was issued")
    if facts.live_on and facts.valid_until and facts.valid_until < facts.live_on:
        draft.refuse(Field.VALID_TO, "it ends before it begins")
    if facts.major_fixed is not None and facts.major_risks is not None and facts.major_fixed > facts.major_risks:
        draft.refuse(Field.MAJOR_FIXED, "more fixed than there were")
    by_letter = {column_letter(column): what for what, columns in draft.head.columns.items() for column in columns}
    for error in draft.errors:
        told = BY_FIELD.get(by_letter.get(error.column, Field.SYSTEM))
        if told is not None and told.name != "name" and told.kind not in _PERSON_PARTS:
            draft.without(told.name)
