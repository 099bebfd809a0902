"""A questionnaire out to be filled in by hand; answers, and every cell that was not taken, back in."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import TypeVar

from sentinel.errors import ParseError, UsageError
from sentinel.model.attestation import Answer, Attestation
from sentinel.model.control import GradingObject, Question
from sentinel.model.moment import SHANGHAI
from sentinel.model.system import fold_system
from sentinel.model.unit import Unit
from sentinel.observe.table import Sheet, TableRow, column_letter, read_table
from sentinel.report.attest_sheet import (
    ANSWER,
    ANSWERS,
    BY,
    DAY,
    FILES,
    FIXED,
    HEADS,
    OBJECT,
    QUESTION,
    UNIT,
    UNTIL,
    WHY,
    SheetLine,
    build_marked,
    build_sheets,
)
from sentinel.report.workbook import write_workbook
from sentinel.schedule.admission import admit_sheets
from sentinel.schedule.attachment import Attachment, read_attachments
from sentinel.schedule.attesting import AnswerDraft, build_answer, keep_answer, list_asked, list_things
from sentinel.schedule.columns import HEAD_ROWS
from sentinel.schedule.context import Context, readable_name
from sentinel.schedule.judging import read_pack
from sentinel.schedule.persons import hide_sheet_names
from sentinel.schedule.register_reasons import reason_in_chinese
from sentinel.schedule.register_row import CellError, read_days
from sentinel.schedule.reporting import save_file

_WORDS = {word: answer for answer, word in ANSWERS.items()} | {one.value: one for one in Answer}
Value = TypeVar("Value")
MOST_BYTES = 256 << 20
"""Bytes of all papers of one sheet: they are held until the whole sheet is read."""

_BETWEEN = re.compile(r"[、,，;；\n]+")


@dataclass(frozen=True, slots=True)
class SheetImport:
    """What became of a questionnaire.

    Attributes:
        answers: what was taken, each with the object it speaks of.
        blank: rows without an answer.
        known: rows that say what stands already.
        refused: cells that could not be read; of their rows nothing was taken.
        rows: rows in the sheet.
    """

    answers: tuple[tuple[GradingObject, Attestation], ...] = ()
    blank: int = 0
    known: int = 0
    refused: tuple[CellError, ...] = ()
    rows: int = 0


def write_sheet(context: Context, unit: Unit, things: Sequence[GradingObject], path: Path) -> int:
    """Write a questionnaire of objects; gives how many questions it asks.

    Raises:
        RenderError: it cannot be written.
    """
    lines = [SheetLine(one.thing.system, one.question, one.told) for one in list_asked(context, unit, things)]
    now = context.clock()
    sheets = build_sheets(unit.name, lines, now)
    save_file(path, lambda draft: write_workbook(sheets, draft, title="自查问卷", author="sentinel", now=now))
    return len(lines)


def import_sheet(context: Context, unit: Unit, path: Path, folder: Path, marked: Path | None = None) -> SheetImport:
    """Take the answers of a questionnaire, with papers out of a folder; a row with a bad cell is left out.

    Raises:
        ParseError: it is no questionnaire, or holds what must stay out.
        RenderError: the marked copy cannot be written; nothing was taken then.
    """
    name = readable_name(path)
    try:
        with path.open("rb") as stream:
            sheets = hide_sheet_names(read_table(stream, name))
    except OSError as error:
        raise ParseError(f"cannot be read: {error.strerror or error}", name) from error
    sheet, head = _find_sheet(sheets, name)
    admit_sheets(context, unit, (sheet,), name)
    reader = _Reader(context, unit, head, folder, context.clock())
    for row in sheet.rows:
        if row.number > head.row:
            reader.take(row)
    if marked is not None and reader.left:
        form, now = build_marked(reader.left), context.clock()
        save_file(marked, lambda draft: write_workbook(form, draft, title="自查问卷退回", author="sentinel", now=now))
    with context.database.transaction(context.actor, context.clock()) as transaction:
        stored = tuple(
            (thing, keep_answer(context, transaction, thing, told, files)) for thing, told, files in reader.taken
        )
        after = {"file": name, "rows": reader.rows, "taken": len(stored), "refused": len(reader.refused)}
        transaction.audit("attest.import", f"unit {unit.code}", after=after)
    return SheetImport(stored, reader.blank, reader.known, tuple(reader.refused), reader.rows)


@dataclass(frozen=True, slots=True)
class _Head:
    """Where the head stands, and the columns, from 1, by title."""

    row: int
    columns: dict[str, int]


def _find_sheet(sheets: Sequence[Sheet], name: str) -> tuple[Sheet, _Head]:
    for sheet in sheets:
        for row in sheet.rows[:HEAD_ROWS]:
            titles = {cell.text: place for place, cell in reversed(list(enumerate(row.cells, start=1)))}
            if QUESTION in titles and ANSWER in titles:
                missing = [title for title in (*FIXED, WHY, FILES, BY, DAY, UNTIL) if title not in titles]
                if missing:
                    raise ParseError(f"columns are missing: {', '.join(missing)}; do not delete or rename any", name)
                return sheet, _Head(row.number, titles)
    raise ParseError(f"no head row with {QUESTION} and {ANSWER}: this is no sheet `attest sheet` wrote", name)


class _CellFaultError(Exception):
    """A cell that does not fit: the title of its column, and why."""

    def __init__(self, title: str, reason: str) -> None:
        super().__init__(reason)
        self.title = title


def _collect(bad: list[_CellFaultError], read: Callable[[], Value]) -> Value | None:
    try:
        return read()
    except _CellFaultError as one:
        bad.append(one)
        return None


@dataclass(slots=True)
class _Reader:
    """Reads the rows of a questionnaire one by one."""

    context: Context
    unit: Unit
    head: _Head
    folder: Path
    now: datetime
    taken: list[tuple[GradingObject, Attestation, tuple[Attachment, ...]]] = field(default_factory=list)
    refused: list[CellError] = field(default_factory=list)
    left: list[tuple[list[str], dict[int, str]]] = field(default_factory=list)
    blank: int = 0
    known: int = 0
    rows: int = 0
    _things: dict[str, GradingObject] = field(default_factory=dict)
    _questions: dict[str, Question] = field(default_factory=dict)
    _told: dict[tuple[int, str], Attestation] = field(default_factory=dict)
    _seen: set[tuple[int, str]] = field(default_factory=set)
    _bytes: int = 0

    def __post_init__(self) -> None:
        things = list_things(self.context, self.unit, cii=True)
        self._things = {fold_system(one.system or UNIT): one for one in things}
        catalogues = read_pack(self.context).catalogues
        self._questions = {one.id: one for catalogue in catalogues for one in catalogue.questions}
        asked = list_asked(self.context, self.unit, things)
        self._told = {(one.thing.id, one.question.id): one.told for one in asked if one.told is not None}

    def take(self, row: TableRow) -> None:
        """Read a row; of one with a bad cell nothing is taken, and the cell is named."""
        if not any(self._text(row, title) for title in (QUESTION, ANSWER)):
            return
        self.rows += 1
        if not self._text(row, ANSWER):
            self.blank += 1
            return
        bad: list[_CellFaultError] = []
        self._read(row, bad)
        if bad:
            cells = [row.at(self.head.columns[head]).text if head in self.head.columns else "" for head in HEADS]
            self.left.append((cells, {HEADS.index(one.title): reason_in_chinese(str(one)) for one in bad}))
        for one in bad:
            column = column_letter(self.head.columns[one.title])
            self.refused.append(CellError(row.sheet, row.number, column, one.title, str(one)))

    def _read(self, row: TableRow, bad: list[_CellFaultError]) -> None:
        for title in (ANSWER, WHY, FILES, BY, DAY, UNTIL):
            cell = row.at(self.head.columns[title])
            if cell.is_formula or cell.fault:
                bad.append(_CellFaultError(title, "a formula; write its value" if cell.is_formula else cell.fault))
        thing = _collect(bad, lambda: self._find_thing(row))
        question = _collect(bad, lambda: self._find_question(row, thing))
        answer = _collect(bad, lambda: self._find_answer(row))
        at = _collect(bad, lambda: self._day(row, DAY, time(12)))
        until = _collect(bad, lambda: self._day(row, UNTIL, time.max))
        files = _collect(bad, lambda: self._files(row))
        if not self._text(row, BY) and not any(one.title == BY for one in bad):
            bad.append(_CellFaultError(BY, "say which department or post answers"))
        if bad or thing is None or question is None or answer is None or files is None:
            return
        draft = AnswerDraft(question.id, answer, self._text(row, WHY), self._text(row, BY), until, at)
        told = _collect(bad, lambda: self._build(thing, question, draft))
        if told is None:
            return
        self._seen.add((thing.id, question.id))
        if self._is_known(told, files):
            self.known += 1
        else:
            self.taken.append((thing, told, files))

    def _find_thing(self, row: TableRow) -> GradingObject:
        thing = self._things.get(fold_system(self._text(row, OBJECT)))
        if thing is None:
            raise _CellFaultError(OBJECT, "no such grading object in the register")
        return thing

    def _find_question(self, row: TableRow, thing: GradingObject | None) -> Question:
        question = self._questions.get(self._text(row, QUESTION))
        if question is None:
            raise _CellFaultError(QUESTION, "no such question in the rule pack")
        if thing is not None and (thing.id, question.id) in self._seen:
            raise _CellFaultError(QUESTION, "this question stands twice for the same object")
        return question

    def _find_answer(self, row: TableRow) -> Answer:
        answer = _WORDS.get(self._text(row, ANSWER).lower())
        if answer is None:
            raise _CellFaultError(ANSWER, f"no answer (choose {'、'.join(ANSWERS.values())})")
        return answer

    def _build(self, thing: GradingObject, question: Question, draft: AnswerDraft) -> Attestation:
        try:
            return build_answer(self.unit, thing, question, draft, self.now)
        except ValueError as error:
            reason = str(error)
            titles = {"say why": WHY, "say which": BY, "the answer is dated": DAY, "the answer has": UNTIL}
            title = next((title for start, title in titles.items() if reason.startswith(start)), "")
            raise _CellFaultError(title or (UNTIL if "holds at most" in reason else ANSWER), reason) from error

    def _is_known(self, told: Attestation, files: Sequence[Attachment]) -> bool:
        """Tell whether the newest answer says the same: a sheet read in twice adds nothing."""
        before = self._told.get((told.system, told.question))
        if before is None or {one.sha256 for one in files} != {one.sha256 for one in before.files}:
            return False
        return (before.answer, before.words, before.by) == (told.answer, told.words, told.by)

    def _files(self, row: TableRow) -> tuple[Attachment, ...]:
        names = [name.strip() for name in _BETWEEN.split(self._text(row, FILES)) if name.strip()]
        found = []
        for name in names:
            path = self.folder / name
            if Path(name).name != name or name in {".", ".."} or path.is_symlink() or not path.is_file():
                raise _CellFaultError(FILES, "no such file in the folder of papers (--files)")
            found.append(path)
        if self._bytes + sum(path.stat().st_size for path in found) > MOST_BYTES:
            raise _CellFaultError(FILES, "the papers of this sheet are too large together; hand in the rest apart")
        try:
            files = read_attachments(self.context, self.unit, found)
        except (ParseError, UsageError) as error:
            raise _CellFaultError(FILES, "a paper is empty, too large, or tells what must stay out") from error
        self._bytes += sum(len(one.data) for one in files)
        return files

    def _day(self, row: TableRow, title: str, clock: time) -> datetime | None:
        text = self._text(row, title)
        if not text:
            return None
        try:
            days = read_days(text)
        except ValueError as error:
            raise _CellFaultError(title, str(error)) from error
        if not days:
            return None
        moment = datetime.combine(days[0][1], clock, SHANGHAI)
        is_today = days[0][1] == self.now.astimezone(SHANGHAI).date()
        return min(moment, self.now) if title == DAY and is_today else moment

    def _text(self, row: TableRow, title: str) -> str:
        return row.at(self.head.columns[title]).text.strip() if title in self.head.columns else ""
