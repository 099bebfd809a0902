"""One row of a list of units in; its unit and contact, and the cells that could not be read, out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import TypeVar

from sentinel.inventory.unit_tree import UnitLine
from sentinel.model.moment import SHANGHAI
from sentinel.model.register import Person
from sentinel.model.unit_kind import UnitKind, check_credit_code, check_region, is_unit_code, parse_kind
from sentinel.observe.table import TableRow, column_letter, fold_width
from sentinel.schedule.address_cell import NOTHING
from sentinel.schedule.answers import read_mail, read_phone
from sentinel.schedule.columns import Field, Head, clean_title
from sentinel.schedule.persons import hide_persons
from sentinel.schedule.register_row import CellError
from sentinel.schedule.unit_words import parse_level

MAX_NAME, MAX_CODE, MAX_PERSON = 100, 100, 60
_BETWEEN = re.compile("[,;、，；\n]+")
_FOOTER = re.compile(r"(?:合\s*计|总\s*计|小\s*计|填表|制表|审核|说明|注|备注)\s*(?:人|单位|日期)?\s*(?:[:：\d]|\Z)")
_DAY = re.compile(r"(1[89]\d\d|20\d\d)(?:[-/.年](\d{1,2})(?:[-/.月](\d{1,2}))?)?[年月日]?(?:00:00(?::00)?)?")
"""A year, a month or a day; schools are older than what other sheets tell of."""

_Value = TypeVar("_Value")


@dataclass(slots=True)
class UnitLineReader:
    """Reads one row.

    Attributes:
        row: the row.
        head: what the columns of its sheet say.
        refused: cells for which the row is not taken: its name or its code.
        passed_over: cells that could not be read, or should be looked at, while the row was taken.
    """

    row: TableRow
    head: Head
    refused: list[CellError] = field(default_factory=list)
    passed_over: list[CellError] = field(default_factory=list)

    def read(self) -> tuple[UnitLine, Person] | None:
        """Give the unit and its contact; None for a row that says nothing, a footer, the head again, a refused row."""
        if self._is_blank() or self._is_head_again() or self._is_footer():
            return None
        name = self._text(Field.UNIT_NAME, MAX_NAME, self.refused)
        code = self._code()
        if not name and not self.refused:
            self._note(self.refused, self.head.first(Field.UNIT_NAME), "a unit needs its name")
        if self.refused:
            return None
        line = UnitLine(
            code,
            name,
            self._text(Field.UNIT_PARENT, MAX_NAME, self.passed_over),
            self._value(Field.UNIT_LEVEL, parse_level, None),
            self._value(Field.REGION, check_region, ""),
            self._value(Field.UNIT_KIND, parse_kind, UnitKind.UNKNOWN),
            self._value(Field.CREDIT, check_credit_code, ""),
            self._text(Field.AFFILIATION, MAX_PERSON, self.passed_over),
            self._aliases(name),
            *self._days(),
        )
        return line, self._person()

    def _is_blank(self) -> bool:
        return not any(
            text or fault
            for what in self.head.columns
            if what is not Field.NOTE
            for _, text, fault in self._cells(what)
        )

    def _is_head_again(self) -> bool:
        """The head is printed again on each page of some lists."""
        titles = self.head.titles | self.head.unknown
        filled = [(column, cell) for column, cell in enumerate(self.row.cells, 1) if not cell.is_blank]
        return all(clean_title(cell.text) == clean_title(titles.get(column, "")) for column, cell in filled)

    def _is_footer(self) -> bool:
        """Its first cell says so, and no other tells a code."""
        first = next((number for number, cell in enumerate(self.row.cells, 1) if not cell.is_blank), 0)
        codes = [column for column, _, _ in self._cells(Field.UNIT_CODE) if column != first]
        return not codes and bool(_FOOTER.match(self.row.at(first).text))

    def _cells(self, what: Field) -> Iterator[tuple[int, str, str]]:
        """Give the columns of a field that say something: number, text in half-width signs, fault."""
        for column in self.head.columns.get(what, ()):
            cell = self.row.at(column)
            text = "" if fold_width(cell.text).strip().lower() in NOTHING else cell.text.strip()
            if text or cell.fault:
                yield column, text, cell.fault

    def _text(self, what: Field, limit: int, kept: list[CellError]) -> str:
        for column, text, fault in self._cells(what):
            if fault or len(text) > limit or not text.isprintable():
                self._note(kept, column, fault or f"at most {limit} printable characters")
                continue
            return hide_persons(text)
        return ""

    def _code(self) -> str:
        for column, text, fault in self._cells(Field.UNIT_CODE):
            code = re.sub(r"[\s'’]", "", fold_width(text))
            if fault or "/" in code or len(code) > MAX_CODE or not code.isprintable() or hide_persons(code) != code:
                self._note(self.refused, column, fault or "no code: 10 digits, or printable characters without '/'")
            elif not is_unit_code(code):
                self._note(self.passed_over, column, "not the 10-digit code of a school: taken as written, look at it")
            return code
        return ""

    def _value(self, what: Field, parse: Callable[[str], _Value], nothing: _Value) -> _Value:
        for column, text, fault in self._cells(what):
            try:
                if not fault:
                    return parse(fold_width(text))
            except ValueError as error:
                fault = str(error)
            self._note(self.passed_over, column, fault)
        return nothing

    def _aliases(self, name: str) -> tuple[str, ...]:
        words: list[str] = []
        for column, text, fault in self._cells(Field.ALIASES):
            if fault:
                self._note(self.passed_over, column, fault)
            words += [hide_persons(word.strip())[:MAX_NAME] for word in _BETWEEN.split(text)]
        return tuple(dict.fromkeys(word for word in words if word and word != name))[:20]

    def _days(self) -> tuple[datetime | None, datetime | None]:
        begin, end = self._day(Field.VALID_FROM), self._day(Field.VALID_TO)
        if begin and end and end <= begin:
            self._note(self.passed_over, self.head.first(Field.VALID_TO), "it ends before it begins")
            end = None
        return begin, end

    def _day(self, what: Field) -> datetime | None:
        for column, text, fault in self._cells(what):
            found = _DAY.fullmatch("".join(fold_width(text).split()))
            try:
                if found and not fault:
                    day = date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
                    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)
            except ValueError:
                fault = ""
            self._note(self.passed_over, column, fault or "no date (write 1958, 1958-09 or 1958-09-01)")
        return None

    def _person(self) -> Person:
        name = next((text for _, text, fault in self._cells(Field.PERSON) if not fault), "")
        phone = self._value(Field.PHONE, read_phone, "")
        mail = self._value(Field.MAIL, read_mail, "")
        if len(name) > MAX_PERSON or not name.isprintable():
            self._note(self.passed_over, self.head.first(Field.PERSON), f"at most {MAX_PERSON} printable characters")
            name = ""
        return Person(name, phone, mail)

    def _note(self, kept: list[CellError], column: int, reason: str) -> None:
        title = self.head.titles.get(column, "")
        kept.append(CellError(self.row.sheet, self.row.number, column_letter(column), title, reason))
