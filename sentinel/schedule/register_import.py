"""A unit's own register as a sheet in; its lines, how its columns were read, and what could not be read, out.

The file is read, summed and forgotten: it names persons, so it is no evidence. What a newer version of a file no longer
says is withdrawn only when that is safe (see `_choose_gone`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from sentinel.errors import ParseError, UsageError
from sentinel.model.register import RegisterEntry
from sentinel.model.system import fold_system
from sentinel.model.unit import Unit
from sentinel.observe.table import MAX_FILE, MAX_ROWS, Limits, Sheet, read_table
from sentinel.schedule.admission import admit, admit_sheets
from sentinel.schedule.columns import Head
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
from sentinel.schedule.persons import hide_persons, hide_sheet_names
from sentinel.schedule.register_row import CellError
from sentinel.schedule.register_sheets import Found, SheetsRead, choose_sheets, read_sheets, refuse_classified
from sentinel.schedule.system_row import SystemDraft
from sentinel.schedule.system_store import SystemsStored, store_systems, to_day
from sentinel.schedule.vocabularies import REGISTER
from sentinel.store.register import read_register, withdraw_register, write_register
from sentinel.store.systems import read_systems

LIMITS = Limits(unmerge=True)

SAME_FILE, REPLACED, NEWER, MENDED, NAMESAKE, HAS_REFUSED = (
    "same", "replaced", "newer", "mended", "namesake", "refused",
)  # fmt: skip
"""Why lines were withdrawn (the first four), or were not although the file has a name that is known."""


@dataclass(slots=True)
class RegisterImport:
    """What became of a sheet.

    Attributes:
        file: its name.
        columns: how each column was read.
        lines: lines read, before anything is stored.
        added: lines that were not known, with their ids; without in a dry run.
        known: lines that are in force already, or stand in the file twice.
        withdrawn: lines of an earlier version that were ended.
        kept: lines of an earlier version that are not in this one and stay in force all the same.
        why: why they were withdrawn or kept.
        refused: cells that could not be read, for which their rows were not taken.
        passed_over: cells that could not be read; their rows were taken without them.
        rows: rows with a line in them, taken or refused.
        unfilled: hosts of a ledger sentinel wrote that nobody has filled in, which registers nothing.
        corrections: heads for which what was said of columns is kept from now on.
        systems: information systems declared, in the order of the sheets.
        stored: what became of them; None in a dry run.
        is_template: it is our own template.
        found: the sheets that were read, with their heads; never told, for they are as people wrote them.
    """

    file: str
    columns: tuple[ColumnReading, ...] = ()
    lines: tuple[RegisterEntry, ...] = ()
    added: tuple[RegisterEntry, ...] = ()
    known: int = 0
    withdrawn: tuple[RegisterEntry, ...] = ()
    kept: int = 0
    why: str = ""
    refused: list[CellError] = field(default_factory=list)
    passed_over: list[CellError] = field(default_factory=list)
    rows: int = 0
    unfilled: int = 0
    corrections: int = 0
    systems: tuple[SystemDraft, ...] = ()
    stored: SystemsStored | None = None
    is_template: bool = False
    found: Found = field(default=(), repr=False)


def import_register(
    context: Context,
    unit: Unit,
    path: Path,
    now: datetime,
    *,
    said: Said | None = None,
    replaces: str = "",
    dry_run: bool = False,
    strict: bool = False,
) -> RegisterImport:
    """Add what a sheet lists to the unit's register, and the systems it declares.

    Of our own template, and of any sheet when `strict`, a row with a bad cell stays out whole.

    Raises:
        ParseError: it is no table, no column says the place or the name of anything, or an address must stay out.
        UsageError: no line in force comes from the file it is said to replace.
    """
    name = readable_name(path)
    data = read_sheet_bytes(path, name, MAX_FILE)
    sheets = hide_sheet_names(read_table(BytesIO(data), name, LIMITS))
    sheet_file = SheetFile(name, sha256(data).hexdigest(), sheets)
    replaced = hide_persons(replaces)
    return take_register(
        context, unit, sheet_file, now, said=said or {}, replaces=replaced, dry_run=dry_run, strict=strict
    )


@dataclass(frozen=True, slots=True)
class SheetFile:
    """A file that is a table: its name, its sum and its sheets."""

    name: str
    sha256: str
    sheets: tuple[Sheet, ...]


def read_sheet_bytes(path: Path, name: str, limit: int) -> bytes:
    """Read a file whole, or one byte more than the limit.

    Raises:
        ParseError: it cannot be read.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ParseError("cannot be read: not a regular file", name)
    try:
        with path.open("rb") as stream:
            return stream.read(limit + 1)
    except OSError as error:
        raise ParseError(f"cannot be read: {error.strerror or error}", name) from error


def take_register(
    context: Context,
    unit: Unit,
    file: SheetFile,
    now: datetime,
    *,
    said: Said,
    replaces: str = "",
    dry_run: bool = False,
    strict: bool = False,
) -> RegisterImport:
    """Do the same with the sheets of a file that was read. Raises: as `import_register`."""
    if sum(len(sheet.rows) for sheet in file.sheets) > MAX_ROWS:
        raise ParseError(f"more than {MAX_ROWS} rows, which no register has", file.name)
    found = choose_sheets(find_register(context, unit, file.sheets, said, file.name))
    refuse_classified(found, file.name)
    read = read_sheets(
        found,
        unit.code,
        file.name,
        file.sha256,
        strict=strict,
        today=to_day(now),
        known=(name for one in read_systems(context.database, unit.code) for name in one.all_names),
    )
    done = RegisterImport(file.name, show_columns(found), tuple(read.lines), found=found)
    done.refused, done.passed_over, done.rows, done.unfilled = read.refused, read.passed_over, read.rows, read.unfilled
    done.systems, done.is_template = tuple(read.drafts), read.is_template
    admit_sheets(context, unit, file.sheets, file.name)
    admit(context, unit, (prefix for line in done.lines for prefix in line.addresses), file.name)
    if not dry_run:
        _store(context, unit, done, read, file.sha256, replaces, now, said)
    return done


def find_register(
    context: Context, unit: Unit, sheets: Sequence[Sheet], said: Said, name: str
) -> list[tuple[Sheet, Head]]:
    """Give the sheets that have the head of a register.

    Raises:
        ParseError: there is none.
    """
    found = find_heads(sheets, REGISTER, load_corrections(context, unit, REGISTER, said))
    if not found:
        raise ParseError(
            "no head row with a column IP地址, 域名 or 系统名称 was found; name it with --map 列名=IP地址", name
        )
    demand_titles(said, (head for _, head in found), name)
    return found


def _store(
    context: Context,
    unit: Unit,
    done: RegisterImport,
    read: SheetsRead,
    sum_: str,
    replaces: str,
    now: datetime,
    said: Said,
) -> None:
    names_somebody = any(line.person and not line.person.is_nobody for line in done.lines) or any(
        not one.persons.is_nobody for one in read.drafts
    )
    seal = context.make_seal() if names_somebody else context.load_seal()
    with context.database.transaction(context.actor, now) as transaction:
        admit_sheets(context, unit, (sheet for sheet, _ in done.found), done.file)
        admit(context, unit, (prefix for line in done.lines for prefix in line.addresses), done.file)
        in_force = read_register(context.database, unit.code, seal)
        if replaces and not any(line.source == replaces for line in in_force):
            raise UsageError(f"--replace: no line of the register comes from {replaces!r}; `sentinel register list`")
        earlier = [line for line in in_force if line.source in {done.file, replaces} or line.source_sha256 == sum_]
        new, gone = _compare(done, earlier)
        done.why, going = _choose_gone(done, earlier, gone, sum_, replaces)
        done.kept = len(gone) - len(going)
        mended = [line for line in _find_mended(read, new, in_force) if line not in going]
        done.why, going = done.why or (MENDED if mended else ""), [*going, *mended]
        done.added = write_register(transaction, new, seal)
        done.withdrawn = tuple(going)
        withdraw_register(transaction, (line.id for line in going))
        done.stored = store_systems(transaction, unit, read, done.file, sum_, seal)
        done.corrections = keep_said(transaction, unit, REGISTER, said, [head for _, head in done.found])
        if done.added or going or done.corrections or done.stored.added or done.stored.changed:
            transaction.audit(
                "register.import",
                f"unit {unit.code}",
                after={
                    "file": done.file,
                    "sha256": sum_,
                    "added": len(done.added),
                    "withdrawn": [line.id for line in going],
                    "replaces": replaces,
                    "systems": {"added": len(done.stored.added), "changed": len(done.stored.changed)},
                    "mapping": {title: what.value if what else "" for title, what in said.items()},
                },
            )


def _compare(done: RegisterImport, earlier: Iterable[RegisterEntry]) -> tuple[list[RegisterEntry], list[RegisterEntry]]:
    """Give the lines that are new and the earlier ones that are not there any more, both in their order."""
    left: dict[RegisterEntry, list[RegisterEntry]] = {}
    for line in earlier:
        left.setdefault(_content(line), []).append(line)
    seen: set[RegisterEntry] = set()
    new: list[RegisterEntry] = []
    for line in done.lines:
        content = _content(line)
        if content in seen or content in left:
            done.known += 1
        else:
            new.append(line)
        seen.add(content)
    return new, [line for content, lines in left.items() if content not in seen for line in lines]


def _find_mended(
    read: SheetsRead, new: Iterable[RegisterEntry], in_force: Iterable[RegisterEntry]
) -> Iterator[RegisterEntry]:
    """Give the lines that were taken without a bad cell and come back mended: the same row, system and places."""
    fresh = set(map(id, new))
    wanted = {(row, *_place(read.lines[at])) for at, row in read.before.items() if id(read.lines[at]) in fresh}
    return (line for line in in_force if (line.row, *_place(line)) in wanted)


def _place(line: RegisterEntry) -> tuple[object, ...]:
    return fold_system(line.system), frozenset(line.addresses), frozenset(line.domains)


def _choose_gone(
    done: RegisterImport, earlier: Sequence[RegisterEntry], gone: list[RegisterEntry], sum_: str, replaces: str
) -> tuple[str, list[RegisterEntry]]:
    """Choose which lines an import ends.

    The same file read anew (after a correction of its columns) and a file said to replace another end what is no longer
    said. So does a file of the same name, when every row of it could be read and at least half of the earlier systems
    and addresses are still in it: departments send different sheets under one name.
    """
    if not gone:
        return "", []
    if replaces:
        return REPLACED, gone
    if all(line.source_sha256 == sum_ for line in gone):
        return SAME_FILE, gone
    if done.refused:
        return HAS_REFUSED, []
    now = {mark for line in done.lines for mark in _marks(line)}
    still = sum(1 for line in earlier if now & _marks(line))
    return (NEWER, gone) if still * 2 >= len(earlier) else (NAMESAKE, [])


def _content(line: RegisterEntry) -> RegisterEntry:
    """Give what a line says, without where it says it."""
    return replace(line, id=0, source="", source_sha256="", sheet="", row=0, imported_at=None)


def _marks(line: RegisterEntry) -> set[object]:
    return {*line.addresses, *line.domains} or {line.system}
