"""A register or whitelist sheet in; whitelist entries, and every cell that could not be read, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sentinel.errors import ParseError, UsageError
from sentinel.model.unit import Unit
from sentinel.model.whitelist import WhitelistEntry, WhitelistKind
from sentinel.observe.table import Sheet, TableRow, read_table
from sentinel.schedule.admission import admit, admit_sheets
from sentinel.schedule.columns import Field, Head, find_head
from sentinel.schedule.context import Context, readable_name
from sentinel.schedule.persons import hide_persons, hide_sheet_names
from sentinel.schedule.register_row import CellError, RowReader
from sentinel.schedule.removal import STAYS_OUT
from sentinel.store.scopes import write_whitelist_entry
from sentinel.store.whitelist import read_whitelist_history


@dataclass(frozen=True, slots=True)
class EntryImport:
    """What became of a sheet.

    Attributes:
        added: entries that were not known, with their ids.
        known: entries of the sheet that are in force already, or stand in it twice.
        refused: cells that could not be read; of their rows nothing was taken.
        withdrawn: entries of the sheet that somebody withdrew; they stay so.
        rows: rows below the heads in which a column that matters is filled.
    """

    added: tuple[WhitelistEntry, ...]
    known: int
    refused: tuple[CellError, ...]
    rows: int
    withdrawn: int = 0


def import_entries(
    context: Context,
    unit: Unit,
    path: Path,
    approved_by: str,
    now: datetime,
    *,
    reason: str = "",
    again: bool = False,
) -> EntryImport:
    """Add what a sheet lists to the unit's whitelist; nothing is added twice, and a row with a bad cell not at all.

    What somebody withdrew stays withdrawn, unless `again` is said; what was withdrawn because its address had to stay
    out comes back.

    `approved_by` may be empty for a sheet with a column of approvals: the entries then refer to it, without the name
    that stands there. Names of persons are neither stored nor told.

    Raises:
        ParseError: it is no table, no column of it names an address or a domain, or it holds what must stay out.
        UsageError: nobody approved: no name was given and the sheet has no such column.
    """
    name = readable_name(path)
    try:
        with path.open("rb") as stream:
            sheets = hide_sheet_names(read_table(stream, name))
    except OSError as error:
        raise ParseError(f"cannot be read: {error.strerror or error}", name) from error
    reader = _SheetReader(unit.code, name, hide_persons(approved_by.strip()), hide_persons(reason.strip()))
    for sheet, head in _choose_sheets(sheets, name):
        reader.read(sheet, head)
    admit_sheets(context, unit, sheets, name)
    added, known, withdrawn = _store(context, unit, reader, now, again=again) if reader.entries else ((), 0, 0)
    return EntryImport(added, known, tuple(reader.refused), reader.rows, withdrawn)


def _choose_sheets(sheets: tuple[Sheet, ...], name: str) -> list[tuple[Sheet, Head]]:
    found = [(sheet, head) for sheet in sheets if (head := find_head(sheet)) is not None]
    if not found:
        raise ParseError("no head row with a column IP地址, 域名, address or domain was found", name)
    return found


def _store(
    context: Context, unit: Unit, reader: _SheetReader, now: datetime, *, again: bool
) -> tuple[tuple[WhitelistEntry, ...], int, int]:
    """Write the entries that are new; gives them, how many are known, and how many stay withdrawn."""
    known, stay, added = 0, 0, []
    with context.database.transaction(context.actor, now) as transaction:
        admit(context, unit, (prefix for entry in reader.entries for prefix in entry.addresses), reader.file)
        history = [one for one in read_whitelist_history(context.database, unit) if one.unit == unit.code]
        ended = {one.identity for one in history if one.withdrawn and one.withdrawn_why != STAYS_OUT}
        seen = {one.identity for one in history if one.withdrawn is None}
        for entry in reader.entries:
            if entry.identity in seen:
                known += 1
                continue
            if entry.identity in ended and not again:
                stay += 1
                continue
            seen.add(entry.identity)
            added.append(write_whitelist_entry(transaction, entry))
    return tuple(added), known, stay


class _SheetReader:
    """Reads sheets into entries, row by row."""

    def __init__(self, unit: str, file: str, approved_by: str, reason: str) -> None:
        self._unit, self.file, self._approved_by, self._reason = unit, file, approved_by, reason
        self.entries: list[WhitelistEntry] = []
        self.refused: list[CellError] = []
        self.rows = 0

    def read(self, sheet: Sheet, head: Head) -> None:
        if not self._approved_by and Field.APPROVAL not in head.columns:
            raise UsageError(f"--approved-by: {self.file} has no column of approvals (审批人); name who approved")
        for row in sheet.rows:
            reader = RowReader(row, head)
            if row.number > head.row and not reader.is_blank:
                self.rows += 1
                self._take(reader, row)

    def _take(self, reader: RowReader, row: TableRow) -> None:
        made = list(self._build(reader, row))
        if reader.refused:
            self.refused += reader.refused
        else:
            self.entries += made

    def _build(self, reader: RowReader, row: TableRow) -> Iterator[WhitelistEntry]:
        addresses = reader.addresses()
        domains = reader.domains(addresses)
        ports, service = reader.ports()
        begin, end = reader.validity()
        approved_by = self._approved_by or reader.approval(self.file)
        reader.check(addresses, domains, ports)
        place = f"{self.file} {row.sheet} 第 {row.number} 行" if row.sheet else f"{self.file} 第 {row.number} 行"
        words = "：".join(one for one in (self._reason, hide_persons(reader.system_name())) if one)
        host = WhitelistEntry(
            id=0,
            unit=self._unit,
            kind=WhitelistKind.HOST,
            reason=f"{words}（{place}）" if words else place,
            approved_by=approved_by,
            valid_from=begin,
            valid_to=end,
        )
        for address in addresses:
            one = replace(host, addresses=(address,))
            for proto, wanted in ports.items():
                yield replace(one, kind=WhitelistKind.PORT, proto=proto, ports=wanted, service=service)
            if not ports:
                yield one
        for domain in domains:
            yield replace(host, kind=WhitelistKind.DOMAIN, domain=domain)
