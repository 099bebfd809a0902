"""A reviewed draft in; approved entries, and every cell and line that was not taken, out.

What becomes an entry is the line as it was given out, never what stands in the sheet now: of the sheet only the columns
of the reviewer are read, and a line that speaks of something else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from pathlib import Path

from sentinel.errors import ParseError, UsageError
from sentinel.model.moment import SHANGHAI
from sentinel.model.proposal import Decision, DraftLine
from sentinel.model.unit import Unit
from sentinel.model.whitelist import PeerKind, WhitelistAction, WhitelistEntry
from sentinel.observe.table import Sheet, TableRow, column_letter, fold_width, read_table
from sentinel.report.whitelist_sheet import (
    APPROVER,
    CODE,
    DECISION,
    DECISIONS,
    DOCUMENT,
    FIXED,
    HEADS,
    UNTIL,
    WHY,
    build_marked,
    fixed_cells,
    purpose,
)
from sentinel.report.workbook import write_workbook
from sentinel.schedule.admission import admit, admit_sheets
from sentinel.schedule.columns import HEAD_ROWS
from sentinel.schedule.context import Context, readable_name
from sentinel.schedule.drafting import read_proposals
from sentinel.schedule.persons import hide_persons, hide_sheet_names
from sentinel.schedule.register_reasons import reason_in_chinese
from sentinel.schedule.register_row import CellError, read_days
from sentinel.schedule.reporting import save_file
from sentinel.store.scopes import write_whitelist_entry
from sentinel.store.whitelist import read_draft, write_decisions

MOST_WORDS = 200
"""Characters of what a reviewer writes."""

_CODE = re.compile(r"D([1-9]\d{0,8})-([1-9]\d{0,8})-([0-9a-f]{8})")
_WORDS = {word: decision for decision, word in DECISIONS.items()} | {one.value: one for one in Decision}


@dataclass(frozen=True, slots=True)
class Review:
    """What became of a reviewed draft.

    Attributes:
        entries: what was approved, with the entries' ids.
        skipped: lines to be left as they are.
        known: lines decided the same before.
        undecided: lines without a decision.
        changed: lines whose map is not what it was when they were given out; they were not taken.
        refused: cells that could not be read or do not fit; of their lines nothing was taken.
        rows: lines in the sheet.
    """

    entries: tuple[WhitelistEntry, ...] = ()
    skipped: int = 0
    known: int = 0
    undecided: int = 0
    changed: tuple[CellError, ...] = ()
    refused: tuple[CellError, ...] = ()
    rows: int = 0


@dataclass(frozen=True, slots=True)
class ReviewOptions:
    """How a reviewed draft is taken.

    Attributes:
        approved_by: who approved, where the sheet does not say.
        document: number of the paper, where the sheet does not say.
        valid_from: from when on; None: from now.
        take_changed: lines whose map changed are taken all the same.
        marked: where the lines that were not taken are written.
    """

    approved_by: str = ""
    document: str = ""
    valid_from: datetime | None = None
    take_changed: bool = False
    marked: Path | None = None


def apply_review(context: Context, unit: Unit, path: Path, options: ReviewOptions) -> Review:
    """Make entries of the lines that were decided on; a line with a bad cell is left out, the others are taken.

    Raises:
        ParseError: it is no reviewed draft of this unit, or holds what must stay out.
        RenderError: the marked copy cannot be written; nothing was changed then.
    """
    name = readable_name(path)
    try:
        with path.open("rb") as stream:
            sheets = hide_sheet_names(read_table(stream, name))
    except OSError as error:
        raise ParseError(f"cannot be read: {error.strerror or error}", name) from error
    sheet, head = _find_sheet(sheets, name)
    admit_sheets(context, unit, (sheet,), name)
    reader = _Reader(context, unit, head, options, context.clock())
    for row in sheet.rows:
        if row.number > head.row:
            reader.take(row)
    if not reader.rows:
        raise ParseError(f"no line below the head has a {CODE}", name)
    if not reader.drafts_found:
        raise ParseError(f"none of its lines is of a draft of {unit.name}; make one with `whitelist draft`", name)
    admit(context, unit, (prefix for made in reader.made for prefix in made.entry.addresses), name)
    if options.marked is not None and reader.left:
        _write_marked(context, unit, options.marked, reader.left)
    entries = _store(context, reader, name)
    return Review(
        entries,
        len(reader.skipped),
        reader.known,
        reader.undecided,
        tuple(reader.changed),
        tuple(reader.refused),
        reader.rows,
    )


@dataclass(frozen=True, slots=True)
class _Head:
    """Where the head stands, and the columns, from 1, by title."""

    row: int
    columns: dict[str, int]


def _find_sheet(sheets: Sequence[Sheet], name: str) -> tuple[Sheet, _Head]:
    best: tuple[Sheet, _Head] | None = None
    for sheet in sheets:
        for row in sheet.rows[:HEAD_ROWS]:
            titles = {cell.text: place for place, cell in reversed(list(enumerate(row.cells, start=1)))}
            if CODE in titles and DECISION in titles:
                best = best or (sheet, _Head(row.number, titles))
    if best is None:
        raise ParseError(f"no head row with {CODE} and {DECISION}: this is no sheet `whitelist draft` wrote", name)
    missing = [title for title in (*FIXED, APPROVER, DOCUMENT, UNTIL, WHY) if title not in best[1].columns]
    if missing:
        raise ParseError(f"columns are missing: {', '.join(missing)}; do not delete or rename any", name)
    return best


@dataclass(frozen=True, slots=True)
class _Made:
    """An entry to be, and the line it comes of."""

    line: DraftLine
    entry: WhitelistEntry


@dataclass(slots=True)
class _Reader:
    """Reads the lines of a reviewed draft one by one."""

    context: Context
    unit: Unit
    head: _Head
    options: ReviewOptions
    now: datetime
    made: list[_Made] = field(default_factory=list)
    skipped: list[DraftLine] = field(default_factory=list)
    changed: list[CellError] = field(default_factory=list)
    refused: list[CellError] = field(default_factory=list)
    left: list[tuple[list[str], dict[int, str]]] = field(default_factory=list)
    known: int = 0
    undecided: int = 0
    rows: int = 0
    _drafts: dict[int, dict[int, DraftLine]] = field(default_factory=dict)
    _taken: dict[tuple[int, int], Decision] = field(default_factory=dict)
    _marks: frozenset[str] | None = None

    @property
    def drafts_found(self) -> bool:
        """A line of the sheet is of a draft of this unit."""
        return any(self._drafts.values())

    def take(self, row: TableRow) -> None:
        """Read a line; what is wrong with it is gathered, and then nothing of it is taken."""
        if not self._text(row, CODE) and not self._text(row, DECISION):
            return
        self.rows += 1
        errors: list[CellError] = []
        line = self._find_line(row, errors)
        decision = self._read_decision(row, errors)
        if line is not None and not errors:
            if decision is None:
                self.undecided += 1
                return
            self._decide(row, line, decision, errors)
        if errors:
            self.refused += errors
            self._leave(row, errors)

    def _decide(self, row: TableRow, line: DraftLine, decision: Decision, errors: list[CellError]) -> None:
        twice = self._taken.get((line.draft, line.line))
        if twice not in (None, decision):
            errors.append(self._error(row, DECISION, "this line stands twice in the sheet with different decisions"))
            return
        before = line.decision or twice
        if before is not None and before is not Decision.SKIP:
            if before is decision:
                self.known += 1
            else:
                told = f"decided before: {DECISIONS[before]}" + (f", entry {line.entry}" if line.entry else "")
                errors.append(self._error(row, DECISION, f"{told}; withdraw that first, then make a new draft"))
            return
        if decision is Decision.SKIP:
            self.known += before is Decision.SKIP
            if before is None:
                self.skipped.append(line)
                self._taken[line.draft, line.line] = decision
            return
        entry = self._build(row, line, decision, errors)
        if errors:
            return
        if not self.options.take_changed and line.mark not in self._current_marks():
            error = self._error(row, CODE, "the map or the register is not what it was in the draft; make a new draft")
            self.changed.append(error)
            self._leave(row, [error])
            return
        self._taken[line.draft, line.line] = decision
        self.made.append(_Made(line, entry))

    def _find_line(self, row: TableRow, errors: list[CellError]) -> DraftLine | None:
        found = _CODE.fullmatch(fold_width(self._text(row, CODE)).strip())
        if found is None:
            errors.append(self._error(row, CODE, "no code of a line (D3-17-0a1b2c3d); copy it from the draft"))
            return None
        number = int(found[1])
        if number not in self._drafts:
            self._drafts[number] = read_draft(self.context.database, self.unit.code, number)
        line = self._drafts[number].get(int(found[2]))
        if line is None or line.mark[:8] != found[3]:
            errors.append(self._error(row, CODE, f"no such line in the drafts of {self.unit.code}"))
            return None
        for title, wanted in zip(FIXED, fixed_cells(line.proposal), strict=True):
            if _plain(self._text(row, title)) != _plain(wanted):
                errors.append(self._error(row, title, "not what the draft says; decide on the line as it was drafted"))
        return line

    def _read_decision(self, row: TableRow, errors: list[CellError]) -> Decision | None:
        text = _plain(self._words(row, DECISION, errors))
        if text and text not in _WORDS:
            errors.append(self._error(row, DECISION, f"no decision (choose {', '.join(DECISIONS.values())})"))
        return _WORDS.get(text)

    def _build(self, row: TableRow, line: DraftLine, decision: Decision, errors: list[CellError]) -> WhitelistEntry:
        one = line.proposal
        wrong = len(errors)
        approver = self._words(row, APPROVER, errors) or hide_persons(self.options.approved_by)
        if not approver and len(errors) == wrong:
            errors.append(self._error(row, APPROVER, "nobody approved this line (or name who did with --approved-by)"))
        is_deny = decision is Decision.DENY
        begin = self.options.valid_from or self.now
        end = self._read_end(row, line, begin, errors, suggested=not is_deny)
        return WhitelistEntry(
            id=0,
            unit=self.unit.code,
            kind=one.kind,
            domain=one.domain,
            addresses=one.addresses,
            proto=one.proto,
            ports=one.ports,
            service="" if is_deny else one.service,
            reason=self._words(row, WHY, errors) or purpose(one),
            approved_by=approver,
            document=self._words(row, DOCUMENT, errors) or hide_persons(self.options.document),
            valid_from=begin,
            valid_to=end,
            action=WhitelistAction.DENY if is_deny else WhitelistAction.ALLOW,
            peer=PeerKind.ANY if is_deny else one.peer,
            origin=f"draft {line.draft} line {line.line}",
        )

    def _read_end(
        self, row: TableRow, line: DraftLine, begin: datetime, errors: list[CellError], *, suggested: bool
    ) -> datetime | None:
        text = self._words(row, UNTIL, errors)
        if not text:
            day = line.proposal.until if suggested else None
        else:
            try:
                days = read_days(text)
            except ValueError as error:
                errors.append(self._error(row, UNTIL, str(error)))
                return None
            day = days[-1][1] if days else None
        if day is None:
            return None
        end = datetime.combine(day, time.max, SHANGHAI).astimezone(UTC)
        if end <= max(begin, self.now):
            errors.append(self._error(row, UNTIL, "lies in the past, or before the permission begins"))
        return end

    def _current_marks(self) -> frozenset[str]:
        if self._marks is None:
            self._marks = frozenset(one.mark for one in read_proposals(self.context, self.unit))
        return self._marks

    def _words(self, row: TableRow, title: str, errors: list[CellError]) -> str:
        cell = row.at(self.head.columns[title])
        if cell.fault or len(cell.text) > MOST_WORDS:
            errors.append(self._error(row, title, cell.fault or f"longer than {MOST_WORDS} characters"))
            return ""
        return hide_persons(cell.text)

    def _text(self, row: TableRow, title: str) -> str:
        return row.at(self.head.columns[title]).text

    def _error(self, row: TableRow, title: str, reason: str) -> CellError:
        return CellError(row.sheet, row.number, column_letter(self.head.columns[title]), title, reason)

    def _leave(self, row: TableRow, errors: Sequence[CellError]) -> None:
        """Keep a line for the marked copy."""
        cells = [row.at(self.head.columns.get(title, 0)).text for title in HEADS]
        reasons: dict[int, str] = {}
        for one in errors:
            reasons.setdefault(HEADS.index(one.title), reason_in_chinese(one.reason))
        self.left.append((cells, reasons))


def _plain(text: str) -> str:
    return "".join(fold_width(text).lower().split())


def _store(context: Context, reader: _Reader, name: str) -> tuple[WhitelistEntry, ...]:
    """Write entries and decisions together; nothing where nothing was decided."""
    if not reader.made and not reader.skipped:
        return ()
    with context.database.transaction(context.actor, reader.now) as transaction:
        admit(context, reader.unit, (prefix for made in reader.made for prefix in made.entry.addresses), name)
        _check_undecided(context, reader)
        stored = [(one.line, write_whitelist_entry(transaction, one.entry)) for one in reader.made]
        write_decisions(transaction, _decided(stored, reader.skipped))
        after = {"entries": len(stored), "skipped": len(reader.skipped)}
        transaction.audit("whitelist.apply", f"unit {reader.unit.code}", after=after)
    return tuple(entry for _, entry in stored)


def _check_undecided(context: Context, reader: _Reader) -> None:
    """Refuse lines somebody else decided, or took away, since they were read.

    Raises:
        UsageError: there is one; nothing was changed.
    """
    now: dict[int, dict[int, DraftLine]] = {}
    for line in (*(one.line for one in reader.made), *reader.skipped):
        if line.draft not in now:
            now[line.draft] = read_draft(context.database, reader.unit.code, line.draft)
        if now[line.draft].get(line.line) != line:
            raise UsageError(
                f"line {line.line} of draft {line.draft} was decided by somebody else meanwhile; nothing was taken, "
                "read the sheet in again"
            )


def _decided(stored: Sequence[tuple[DraftLine, WhitelistEntry]], skipped: Sequence[DraftLine]) -> Iterator[DraftLine]:
    for line, entry in stored:
        yield replace(line, decision=Decision.DENY if entry.is_deny else Decision.ALLOW, entry=entry.id)
    for line in skipped:
        yield replace(line, decision=Decision.SKIP)


def _write_marked(context: Context, unit: Unit, path: Path, left: list[tuple[list[str], dict[int, str]]]) -> None:
    """Write the lines that were not taken where they can be mended and read in again."""
    if path.is_dir():
        raise UsageError(f"--marked: {path} is a folder; name a file")
    title = f"{unit.name}白名单草案（待改）"
    now = context.clock()
    sheets = build_marked(left)
    save_file(path, lambda draft: write_workbook(sheets, draft, title=title, author=unit.name, now=now))
