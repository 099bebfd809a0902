"""A list of units as a sheet in; the tree brought to agree with it in one transaction, and what could not be read, out.

The file names persons, so it is summed and forgotten. Rows come in any order; a row that differs from what is known is
a change from a day on; units the list does not name stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from sentinel.errors import ParseError
from sentinel.inventory.unit_tree import LineFault, UnitLine, UnitPlan, plan_units
from sentinel.model.register import ContactRole, Person
from sentinel.model.unit import IPNetwork, Unit, UnitLevel
from sentinel.observe.table import Limits, TableRow, column_letter, read_table
from sentinel.schedule.campus import Kept, agree_with_campus, read_kept
from sentinel.schedule.columns import Field, Head
from sentinel.schedule.context import Context, readable_name
from sentinel.schedule.mappings import (
    ColumnReading,
    Said,
    demand_titles,
    find_heads,
    keep_said,
    load_corrections,
    show_columns,
)
from sentinel.schedule.persons import hide_sheet_names
from sentinel.schedule.register_import import read_sheet_bytes
from sentinel.schedule.register_row import CellError
from sentinel.schedule.unit_line import UnitLineReader
from sentinel.schedule.unit_words import UNITS
from sentinel.store.declared import write_contacts
from sentinel.store.unit_tree import insert_units, update_units
from sentinel.store.units import find_unit, read_units

LIMITS = Limits(file=32 * 1024 * 1024, rows=60_000)
"""A list of 30,000 units with 12 columns takes about 3 MB as XLSX and 5 MB as CSV."""

_COLUMNS = {
    "code": (Field.UNIT_CODE, Field.UNIT_NAME),
    "parent": (Field.UNIT_PARENT, Field.UNIT_NAME),
    "level": (Field.UNIT_LEVEL, Field.UNIT_KIND, Field.UNIT_PARENT, Field.UNIT_NAME),
}


@dataclass(slots=True)
class UnitImport:
    """What became of a list.

    Attributes:
        file: its name.
        columns: how each column was read.
        plan: what it changes.
        rows: rows with a unit in them, taken or refused.
        contacts: units whose contact is new or another.
        refused: cells for which their rows were not taken.
        passed_over: cells that could not be read, or should be looked at; their rows were taken.
        corrections: heads for which what was said of columns is kept.
    """

    file: str
    columns: tuple[ColumnReading, ...] = ()
    plan: UnitPlan = field(default_factory=UnitPlan)
    rows: int = 0
    contacts: int = 0
    refused: list[CellError] = field(default_factory=list)
    passed_over: list[CellError] = field(default_factory=list)
    corrections: int = 0


def import_units(
    context: Context,
    path: Path,
    now: datetime,
    *,
    under: Unit | None = None,
    at: datetime | None = None,
    said: Said | None = None,
    dry_run: bool = False,
) -> UnitImport:
    """Bring the tree to agree with a list; changes hold from `at` on, or from now.

    Raises:
        ParseError: it is no table, or no column says the name of a unit.
        UsageError: `at` lies in the future.
    """
    name = readable_name(path)
    data = read_sheet_bytes(path, name, LIMITS.file)
    sheets = hide_sheet_names(read_table(BytesIO(data), name, LIMITS))
    owner = under or Unit("", "")
    found = find_heads(sheets, UNITS, load_corrections(context, owner, UNITS, said or {}))
    if not found:
        raise ParseError("no head row with a column 单位名称 was found; name it with --map 列名=单位名称", name)
    demand_titles(said or {}, (head for _, head in found), name)
    done = UnitImport(name, show_columns(found))
    lines: list[UnitLine] = []
    persons: list[Person] = []
    places: list[tuple[TableRow, Head]] = []
    for sheet, head in found:
        for row in sheet.rows:
            if row.number > head.row:
                _take_row(done, row, head, lines, persons, places)
    if dry_run:
        done.plan = plan_units(read_units(context.database), lines, under, at)
    else:
        heads = [head for _, head in found]
        _store(context, owner, done, (lines, under, at), persons, sha256(data).hexdigest(), now, said or {}, heads)
    done.refused += (_tell(fault, *places[fault.line]) for fault in done.plan.faults)
    done.refused.sort(key=lambda one: (one.sheet, one.row))
    return done


def _take_row(
    done: UnitImport,
    row: TableRow,
    head: Head,
    lines: list[UnitLine],
    persons: list[Person],
    places: list[tuple[TableRow, Head]],
) -> None:
    reader = UnitLineReader(row, head)
    read = reader.read()
    done.refused += reader.refused
    done.rows += bool(read or reader.refused)
    if read:
        done.passed_over += reader.passed_over
        lines.append(read[0])
        persons.append(read[1])
        places.append((row, head))


def _tell(fault: LineFault, row: TableRow, head: Head) -> CellError:
    column = head.first(*_COLUMNS[fault.field])
    return CellError(row.sheet, row.number, column_letter(column), head.titles.get(column, ""), fault.reason)


def _store(
    context: Context,
    owner: Unit,
    done: UnitImport,
    wanted: tuple[list[UnitLine], Unit | None, datetime | None],
    persons: list[Person],
    sum_: str,
    now: datetime,
    said: Said,
    heads: Iterable[Head],
) -> None:
    at = wanted[2] or now
    with context.database.transaction(context.actor, now) as transaction:
        plan = done.plan = plan_units(read_units(context.database), *wanted)  # of units nobody else can change now
        named = {code: persons[line] for line, code in plan.codes.items() if not persons[line].is_nobody}
        seal = context.make_seal() if named else None
        before = _read_kept(context, plan)
        insert_units(transaction, plan.added)
        update_units(transaction, plan.changed, plan.paths, at, done.file)
        agree_with_campus(context, transaction, before)
        done.contacts = write_contacts(transaction, ContactRole.SECURITY.value, named, seal) if named else 0
        done.corrections = keep_said(transaction, owner, UNITS, said, heads)
        if plan.added or plan.changed or plan.paths or done.contacts or done.corrections:
            counts = {"added": len(plan.added), "changed": len(plan.changed), "contacts": done.contacts}
            more = {"file": done.file, "sha256": sum_, "at": at, "moved_paths": len(plan.paths)}
            mapping = {title: what.value if what else "" for title, what in said.items()}
            transaction.audit("unit.import", f"file {done.file}", after={**more, **counts, "mapping": mapping})


def _read_kept(context: Context, plan: UnitPlan) -> Kept:
    """Give what stays out of the units whose campus a list changes: departments under another school, or no longer."""
    found: dict[str, frozenset[IPNetwork]] = {}
    for old, new in plan.changed:
        is_department = UnitLevel.DEPARTMENT in {old.level, new.level}
        if is_department and (old.parent, old.level) != (new.parent, new.level):
            upper = find_unit(context.database, new.parent) if new.parent else None
            found |= read_kept(context, old, upper)
    return found
