"""The sheets of a register in; lines, systems, and every cell that could not be read, out.

Two rules. In a sheet of our own template (and wherever `strict` is asked for) a row with a bad cell stays out whole and
goes back to who wrote it. In a foreign sheet a row whose place can be read is a line without the bad cell: leaving a
host out for a wrong port would report it as unregistered, which it is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from sentinel.errors import ParseError
from sentinel.model.register import RegisterEntry
from sentinel.model.system import fold_system
from sentinel.observe.table import Sheet, TableRow, column_letter, fold_width
from sentinel.report.sheet_forms import ROW_BEFORE
from sentinel.schedule.columns import Field, Head
from sentinel.schedule.register_line import LineReader
from sentinel.schedule.register_row import CellError
from sentinel.schedule.system_cell import FAULT
from sentinel.schedule.system_fields import OWN_FIELDS
from sentinel.schedule.system_row import SystemDraft, is_classified, merge_draft, read_system

SYSTEM_SHEET, PLACE_SHEET = "信息系统", "主机与域名"
"""The two sheets of the template; other sheets of it explain and are not read."""

Found = Sequence[tuple[Sheet, Head]]


@dataclass(frozen=True, slots=True)
class _Taken:
    """A line with the row it comes from."""

    line: RegisterEntry
    row: TableRow
    head: Head


@dataclass(slots=True)
class SheetsRead:
    """What sheets say.

    Attributes:
        lines: lines of the register.
        drafts: systems, each once.
        refused: cells for which their rows stay out.
        passed_over: cells left out of rows that were taken.
        rows: rows with something in them, taken or not.
        unfilled: hosts of a ledger sentinel wrote that nobody has filled in.
        is_template: it is our own template.
        before: of lines that come back in a marked copy, the row of the first sheet they stood in, by place in `lines`.
    """

    lines: list[RegisterEntry] = field(default_factory=list)
    drafts: list[SystemDraft] = field(default_factory=list)
    refused: list[CellError] = field(default_factory=list)
    passed_over: list[CellError] = field(default_factory=list)
    rows: int = 0
    unfilled: int = 0
    is_template: bool = False
    before: dict[int, int] = field(default_factory=dict)


def is_template(found: Found) -> bool:
    """Tell whether these are sheets of our own template, filled in."""
    heads = {sheet.name: set(head.columns) for sheet, head in found}
    systems, places = heads.get(SYSTEM_SHEET, set()), heads.get(PLACE_SHEET, set())
    return Field.SYSTEM in systems and not systems & {Field.ADDRESS, Field.DOMAIN} and Field.ADDRESS in places


def choose_sheets(found: Found) -> Found:
    """Leave out the sheets of our own template that only explain."""
    return [one for one in found if one[0].name in {SYSTEM_SHEET, PLACE_SHEET}] if is_template(found) else found


def refuse_classified(found: Found, name: str) -> None:
    """Refuse a file in which something is said to be classified (涉密).

    Raises:
        ParseError: a row says so; it is counted and never told.
    """
    count = sum(is_classified(row, head) for sheet, head in found for row in sheet.rows if row.number > head.row)
    if count:
        what = "1 row that says it is" if count == 1 else f"{count} rows that say they are"
        raise ParseError(f"holds {what} classified (涉密): take it out; nothing of the file was stored", name)


def read_sheets(
    found: Found, unit: str, file: str, sha256: str, *, strict: bool, today: date, known: Iterable[str]
) -> SheetsRead:
    """Read sheets; `known` are the names of systems declared before."""
    reader = _Reader(unit, file, sha256, strict=strict or is_template(found), today=today)
    reader.read.is_template = is_template(found)
    for sheet, head in found:
        for row in sheet.rows:
            if row.number > head.row:
                reader.take(row, head)
    reader.finish({fold_system(name) for name in known})
    return reader.read


class _Reader:
    """Reads rows one after the other."""

    def __init__(self, unit: str, file: str, sha256: str, *, strict: bool, today: date) -> None:
        self._unit, self._file, self._sha256 = unit, file, sha256
        self._strict, self._today = strict, today
        self._taken: list[_Taken] = []
        self._drafts: dict[str, SystemDraft] = {}
        self._named: set[str] = set()
        self.read = SheetsRead()

    def take(self, row: TableRow, head: Head) -> None:
        """Take what a row says."""
        lines = LineReader(row, head)
        if lines.says_nothing:
            return
        declares = Field.SYSTEM in head.columns and bool(OWN_FIELDS & head.columns.keys())
        is_system = self.read.is_template and row.sheet == SYSTEM_SHEET
        line = None if is_system else lines.read(self._unit, self._file, self._sha256)
        self.read.unfilled += lines.unfilled
        draft = read_system(row, head, self._today, strict=self._strict) if declares and not lines.unfilled else None
        if draft is not None and not draft.facts.name and not is_system:
            draft = None
        self._name(draft, line)
        if self._strict:
            errors = [*lines.refused, *lines.passed_over, *(draft.errors if draft else ())]
            errors = errors or _find_odd(row, head, line)
            self.read.refused += dict.fromkeys(errors)
            line, draft = (None, None) if errors else (line, draft)
            self.read.rows += bool(line or draft or errors)
        else:
            self.read.refused += lines.refused
            told = [*(lines.passed_over if line else ()), *(draft.errors if draft else ())]
            self.read.passed_over += dict.fromkeys(told)
            self.read.rows += bool(line or draft or lines.refused)
        if line is not None:
            self._taken.append(_Taken(line, row, head))
        if draft is not None:
            self._add(draft)

    def finish(self, known: set[str]) -> None:
        """Hold systems and lines against each other, once all were read."""
        there = known | self._named
        for draft in list(self._drafts.values()):
            if draft.facts.parent and fold_system(draft.facts.parent) not in there:
                error = _error(draft.row, draft.head, Field.PARENT, "no system of this name is declared")
                draft.without("parent")
                (self.read.refused if self._strict else self.read.passed_over).append(error)
                if self._strict:
                    del self._drafts[fold_system(draft.facts.name)]
        for one in self._taken:
            system = one.line.system
            if self.read.is_template and system and fold_system(system) not in there:
                error = _error(one.row, one.head, Field.SYSTEM, f"no system of this name in the sheet {SYSTEM_SHEET}")
                self.read.refused.append(error)
            else:
                if row := _row_before(one):
                    self.read.before[len(self.read.lines)] = row
                self.read.lines.append(one.line)
        self.read.drafts = list(self._drafts.values())
        sheets = list(dict.fromkeys(error.sheet for error in self.read.refused))
        self.read.refused.sort(key=lambda error: (sheets.index(error.sheet), error.row))

    def _add(self, draft: SystemDraft) -> None:
        folded = fold_system(draft.facts.name)
        first = self._drafts.get(folded)
        if first is None:
            self._drafts[folded] = draft
        elif self.read.is_template:
            reason = f"the same system as row {first.row.number}"
            self.read.refused.append(_error(draft.row, draft.head, Field.SYSTEM, reason))
        else:
            before = len(draft.errors)
            merge_draft(first, draft)
            self.read.passed_over += draft.errors[before:]

    def _name(self, draft: SystemDraft | None, line: RegisterEntry | None) -> None:
        """Remember which systems were named, of rows that stay out too: their hosts are not at fault."""
        name = draft.facts.name if draft else line.system if line and not self.read.is_template else ""
        if name:
            self._named.add(fold_system(name))


def _find_odd(row: TableRow, head: Head, line: RegisterEntry | None) -> list[CellError]:
    """Name what a strict reader does not let pass although each cell can be read."""
    errors = [
        CellError(row.sheet, row.number, column_letter(column), title, "a formula that failed: write the value itself")
        for column, title in head.titles.items()
        if FAULT.fullmatch(fold_width(row.at(column).text).strip())
    ]
    if not errors and line is not None and line.ports and not line.addresses and not line.domains:
        errors.append(_error(row, head, Field.PORTS, "ports without an address"))
    return errors


def _row_before(one: _Taken) -> int:
    """Give the row of the first sheet a line of a marked copy stood in; 0 where the sheet is none."""
    column = next((column for column, title in one.head.unknown.items() if title == ROW_BEFORE), 0)
    text = one.row.at(column).text.strip() if column else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 7 else 0


def _error(row: TableRow, head: Head, what: Field, reason: str) -> CellError:
    column = head.first(what)
    return CellError(row.sheet, row.number, column_letter(column), head.titles.get(column, ""), reason)
