"""Any file a school has lying about in; what it was taken for, and what became of it, out.

The order of files does not matter: evidence takes its place in time, a register says nothing of the map, and findings
of reports are joined by what they say and when.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from sentinel.errors import ParseError
from sentinel.model.evidence import Evidence, RunKind
from sentinel.model.observation import Loss
from sentinel.model.reported import ReportedFlaw
from sentinel.model.unit import Unit
from sentinel.observe import Parser, choose_parser, mapped_log, nessus_xml, netbox, nuclei_json, openvas_xml
from sentinel.observe.mapping import LogMapping
from sentinel.observe.table import Sheet, read_table
from sentinel.observe.unpack import unpack
from sentinel.schedule.admission import admit, admit_sheets
from sentinel.schedule.columns import Field, Head
from sentinel.schedule.context import Context, readable_name
from sentinel.schedule.flaw_sheet import LIMITS, FlawReader
from sentinel.schedule.intake import Intake, Origin, take_in
from sentinel.schedule.keep_out import load_kept_out, refuse_count
from sentinel.schedule.mappings import (
    ColumnReading,
    Said,
    demand_titles,
    find_heads,
    keep_said,
    load_corrections,
    show_columns,
)
from sentinel.schedule.persons import hide_sheet_names, names_persons
from sentinel.schedule.register_import import RegisterImport, SheetFile, read_sheet_bytes, take_register
from sentinel.schedule.register_row import CellError
from sentinel.schedule.third_party import FlawTally, Report, addresses_of, take_flaws
from sentinel.schedule.vocabularies import PERSONAL, REGISTER, REPORT
from sentinel.store.evidence import read_evidence, write_evidence

_HEAD = 1 << 16
_ZIP = b"PK\x03\x04"
_SHEETS = (_ZIP, b"\xd0\xcf\x11\xe0", b"\xff\xfe", b"\xfe\xff")
"""How workbooks, old ones among them, and texts in UTF-16 begin: what is wrong with them as sheets is worth telling."""

_WRITTEN_IN = ("worksheets/", "sharedStrings", "omments")
"""Parts of a workbook in which people's words stand. Source: ECMA-376 part 1, 12.3."""

REGISTER_SHEET, FLAW_SHEET = "register", "flaw-list"
SHEET_TOOL = "list"
"""What stands for the tool in the rule names of flaws from sheets, which rarely say who made them."""

_NEITHER = (
    "as a sheet it is neither a register (资产台账: 系统名称, IP地址, 域名) nor a list of flaws "
    "(漏洞清单: 漏洞名称, 风险等级, IP地址); say which with --as, and name its columns with --map 列名=字段"
)


@dataclass(slots=True)
class FlawSheet:
    """What became of a list of flaws.

    Attributes:
        columns: how each column was read.
        refused: cells for which a row was not taken.
        done: rows the list itself calls mended.
        rows: rows with a flaw in them.
        sha256: sum of the file.
        kept: it was kept as evidence; one that names persons is not.
    """

    columns: tuple[ColumnReading, ...] = ()
    refused: list[CellError] = field(default_factory=list)
    done: int = 0
    rows: int = 0
    sha256: str = ""
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """What a file was taken for, and what became of it.

    Attributes:
        format: `register`, `flaw-list`, or the format's name, e.g. `nmap-xml`.
        intake: the run it made, if any.
        register: lines it brought, if it is a register.
        sheet: how a list of flaws was read.
        flaws: what became of flaws it reports, if it reports any.
        passed_over: rows of a NetBox export that declare no system: prefixes, and what is not in use.
    """

    format: str
    intake: Intake | None = None
    register: RegisterImport | None = None
    sheet: FlawSheet | None = None
    flaws: FlawTally | None = None
    passed_over: int = 0


def take_file(
    context: Context,
    unit: Unit,
    path: Path,
    vantage: str,
    *,
    kind: str = "",
    said: Said | None = None,
    mapping: LogMapping | None = None,
) -> Taken:
    """Find out what a file is and take it in. `kind` tells of sheets what they are: `register` or `report`.

    A `mapping` tells how a log is read whose format no parser knows.

    Raises:
        ParseError: it is nothing that is read here, or nothing of it could be read; nothing was changed.
    """
    name = readable_name(path)
    try:
        parser = _mapped(mapping) if mapping else None
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
        unread = None if parser else _find_fault(head, name)
        if unread is None:
            with path.open("rb") as stream:
                intake = take_in(context, unit, stream, Origin(name, RunKind.IMPORT, vantage), parser)
            return Taken(intake.run.format, intake, flaws=_take_report(context, unit, intake, name, vantage))
    except OSError as error:
        raise ParseError(f"cannot be read: {error.strerror or error}", name) from error
    return _take_sheet(context, unit, path, name, vantage, unread, kind, said or {})


def _mapped(mapping: LogMapping) -> Parser:
    parse = mapped_log.make_parse(mapping)
    return Parser(mapped_log.NAME, lambda _: True, lambda stream: parse(stream, None), parse)


def _find_fault(head: bytes, name: str) -> ParseError | None:
    """Give why no parser reads a file; None when one does."""
    try:
        choose_parser(head, name)
    except ParseError as error:
        return error
    return None


def _take_report(context: Context, unit: Unit, intake: Intake, name: str, vantage: str) -> FlawTally | None:
    """Make findings of what a scanner's report says, also when it was imported before: a kill may have come between."""
    run = intake.run
    if run.format not in {nessus_xml.NAME, openvas_xml.NAME, nuclei_json.NAME}:
        return None
    tool, read = (nessus_xml.TOOL, nessus_xml.read_flaws)
    if run.format == nuclei_json.NAME:
        tool, read = (nuclei_json.TOOL, nuclei_json.read_flaws)
    time = None
    if run.format == openvas_xml.NAME:
        tool, read = (openvas_xml.TOOL, openvas_xml.read_flaws)
        with context.evidence.open(run.evidence) as stream:
            time = openvas_xml.read_time(unpack(stream))
    with context.evidence.open(run.evidence) as stream:
        return take_flaws(
            context, unit, Report(tool, name, run.evidence, vantage, time or run.time), read(unpack(stream))
        )


def _take_sheet(
    context: Context, unit: Unit, path: Path, name: str, vantage: str, unread: ParseError, kind: str, said: Said
) -> Taken:
    data = unpack(BytesIO(read_sheet_bytes(path, name, LIMITS.file))).read(LIMITS.file + 1)
    if not data.strip():
        raise unread
    if not kind and netbox.sniff(data[:_HEAD]):
        return _take_netbox(context, unit, name, data)
    try:
        sheets = hide_sheet_names(read_table(BytesIO(data), name, LIMITS))
        file = SheetFile(name, sha256(data).hexdigest(), sheets)
    except ParseError:
        if kind or data.startswith(_SHEETS) or path.suffix.lower() == ".csv":
            raise
        raise unread from None
    is_report = kind == REPORT.purpose or (not kind and _is_report(context, unit, file.sheets))
    if not is_report:
        if not kind and not _is_register(context, unit, file.sheets):
            raise ParseError(_NEITHER if data.startswith(_ZIP) else f"{_plain(unread)}; {_NEITHER}", name)
        done = take_register(context, unit, file, context.clock(), said=said)
        return Taken(REGISTER_SHEET, register=done)
    return _take_flaw_sheet(context, unit, file, data, vantage, said)


def _take_netbox(context: Context, unit: Unit, name: str, data: bytes) -> Taken:
    """Take what NetBox declares into the register: it says what ought to be there, not what was seen."""
    export = netbox.read_export(data, name)
    file = SheetFile(name, sha256(data).hexdigest(), (export.sheet,))
    done = take_register(context, unit, file, context.clock(), said={})
    return Taken(netbox.NAME, register=done, passed_over=export.passed_over)


def _plain(error: ParseError) -> str:
    return str(error).removeprefix(f"{error.where}: ")


def _is_report(context: Context, unit: Unit, sheets: Sequence[Sheet]) -> bool:
    """A sheet that names flaws, how bad they are and where is a list of flaws, whatever else it says."""
    found = find_heads(sheets, REPORT, load_corrections(context, unit, REPORT, {}))
    return any(_is_whole_report(head) for _, head in found)


def _is_whole_report(head: Head) -> bool:
    has = head.columns.keys()
    return bool(has & {Field.SEVERITY, Field.SCORE}) and bool(has & {Field.ADDRESS, Field.DOMAIN})


def _is_register(context: Context, unit: Unit, sheets: Sequence[Sheet]) -> bool:
    """A sheet of which two columns are those of a register is one; a single column may be anything."""
    found = find_heads(sheets, REGISTER, load_corrections(context, unit, REGISTER, {}))
    return any(len(head.columns) > 1 or head.corrected for _, head in found)


def _take_flaw_sheet(context: Context, unit: Unit, file: SheetFile, data: bytes, vantage: str, said: Said) -> Taken:
    found = find_heads(file.sheets, REPORT, load_corrections(context, unit, REPORT, said))
    demand_titles(said, (head for _, head in found), file.name)
    found = [(sheet, head) for sheet, head in found if _is_whole_report(head)]
    if not found:
        raise ParseError(
            "no head row with 漏洞名称, 风险等级 (or 评分) and IP地址 (or 域名) was found; name them with "
            "--map 列名=字段",
            file.name,
        )
    done = FlawSheet(show_columns(found), sha256=file.sha256)
    report = Report(SHEET_TOOL, file.name, file.sha256, vantage)
    reported = list(_read_flaws(done, found))
    admit_sheets(context, unit, file.sheets, file.name)
    unshown = _read_parts(data)  # a hidden sheet or a comment would be kept with the file, though nothing is read of it
    kept_out = load_kept_out(context, unit)
    refuse_count(kept_out.count_ranges(kept_out.find_in(BytesIO(unshown.encode()))), file.name)
    named = any(PERSONAL & head.columns.keys() or _has_personal_title(head) for _, head in found)
    shown = (cell.text for sheet in file.sheets for row in sheet.rows for cell in row.cells)
    done.kept = not (named or names_persons(shown) or names_persons([unshown]))
    admit(context, unit, addresses_of(reported), file.name)
    if done.kept:
        _keep(context, file, data)
    flaws = take_flaws(context, unit, report, reported)
    heads = [head for _, head in found]
    if said:
        with context.database.transaction(context.actor, context.clock()) as transaction:
            if keep_said(transaction, unit, REPORT, said, heads):
                words = {title: what.value if what else "" for title, what in said.items()}
                transaction.audit("mapping.set", f"unit {unit.code} report", after=words)
    return Taken(FLAW_SHEET, sheet=done, flaws=flaws)


def _read_parts(data: bytes) -> str:
    """Give the text of all sheets, strings and comments of a workbook that was read; nothing for a CSV file."""
    if not data.startswith(_ZIP):
        return ""
    with ZipFile(BytesIO(data)) as package:
        names = (one for one in package.namelist() if one.startswith("xl/") and one.endswith(".xml"))
        parts = [package.read(one) for one in names if any(word in one for word in _WRITTEN_IN)]
    return b"\n".join(parts).decode("utf-8", "replace")


def _has_personal_title(head: Head) -> bool:
    """Tell whether a column nobody asked for names persons, as registers call such columns."""
    return any(REGISTER.strong.get(title) in PERSONAL for title in head.heads)


def _keep(context: Context, file: SheetFile, data: bytes) -> None:
    now = context.clock()
    if read_evidence(context.database, file.sha256) is not None:
        return
    with (
        context.evidence.receive(BytesIO(data)) as received,
        context.database.transaction(context.actor, now) as transaction,
    ):
        received.keep()
        write_evidence(transaction, Evidence(file.sha256, len(data), file.name, FLAW_SHEET, now))
        transaction.audit("evidence.add", f"evidence {file.sha256}", after={"file": file.name, "format": FLAW_SHEET})


def _read_flaws(done: FlawSheet, found: Iterable[tuple[Sheet, Head]]) -> Iterator[ReportedFlaw | Loss]:
    for sheet, head in found:
        reader = FlawReader(head)
        for row in sheet.rows:
            if row.number > head.row:
                before = len(reader.refused), reader.done
                flaws = list(reader.read(row))
                done.rows += bool(flaws) or (len(reader.refused), reader.done) != before
                yield from flaws
        done.refused += reader.refused
        done.done += reader.done
