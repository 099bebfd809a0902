"""A sheet of publications in; what its rows publish and the rows that could not be read, with their cells, out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from typing import TypeVar

from sentinel.errors import ParseError
from sentinel.model.plain import read_plain_address
from sentinel.model.publication import Mapping, Via, parse_via
from sentinel.model.unit import IPAddress, Unit
from sentinel.observe.published import UNEVEN, Unread, read_port, read_ports, read_proto
from sentinel.observe.table import Limits, TableRow, column_letter, fold_width, read_table
from sentinel.schedule.address_cell import NOTHING
from sentinel.schedule.admission import admit_sheets
from sentinel.schedule.columns import Field, Head
from sentinel.schedule.context import Context
from sentinel.schedule.entries import parse_domain
from sentinel.schedule.mappings import Said, demand_titles, find_heads, keep_said, load_corrections
from sentinel.schedule.persons import hide_sheet_names
from sentinel.schedule.register_row import RowReader
from sentinel.schedule.unit_words import PUBLICATIONS

LIMITS = Limits(unmerge=True)
_Value = TypeVar("_Value")
_NOWHERE: tuple[IPAddress | None, int] = (None, 0)
_Dated = tuple[Mapping, tuple[datetime | None, datetime | None]]


class _CellFaultError(ValueError):
    """Carries the column out of what could not be read."""

    def __init__(self, column: int, reason: str) -> None:
        super().__init__(reason)
        self.column = column


def read_publication_sheet(
    context: Context,
    unit: Unit,
    stream: BytesIO,
    name: str,
    outside: IPAddress | None,
    said: Said,
    *,
    dry_run: bool = False,
) -> tuple[list[_Dated], list[Unread]]:
    """Read the rows; what a person said of columns is kept for the next sheet of these heads, unless it is a trial.

    Raises:
        ParseError: it is no table, has no columns of addresses outside and inside, or tells one that must stay out.
    """
    sheets = hide_sheet_names(read_table(stream, name, LIMITS))
    admit_sheets(context, unit, sheets, name)
    found = find_heads(sheets, PUBLICATIONS, load_corrections(context, unit, PUBLICATIONS, said))
    found = [(sheet, head) for sheet, head in found if Field.INSIDE in head.columns]
    if not found:
        raise ParseError("no head row with 公网地址 and 内网地址 was found; name them with --map 列名=公网地址", name)
    demand_titles(said, (head for _, head in found), name)
    read: list[_Dated] = []
    unread: list[Unread] = []
    for sheet, head in found:
        for row in sheet.rows:
            if row.number <= head.row or RowReader(row, head).is_blank:
                continue
            try:
                read.append(_read_row(row, head, outside))
            except _CellFaultError as error:
                title = head.titles.get(error.column, "")
                where = f"{column_letter(error.column)}{row.number}{f' {title}' if title else ''}"
                unread.append(Unread(row.number, str(error), f"{sheet.name}{'!' if sheet.name else ''}{where}"))
    if said and not dry_run:
        with context.database.transaction(context.actor, context.clock()) as transaction:
            if keep_said(transaction, unit, PUBLICATIONS, said, [head for _, head in found]):
                words = {title: what.value if what else "" for title, what in said.items()}
                transaction.audit("mapping.set", f"unit {unit.code}", after=words)
    return read, unread


class _RowReader:
    """Reads the cells of one row; the first that cannot be read ends it."""

    def __init__(self, row: TableRow, head: Head) -> None:
        self.row, self.head = row, head

    def text(self, what: Field) -> tuple[int, str]:
        """Give the first column of a field that says something, and what it says in half-width signs."""
        for column in self.head.columns.get(what, ()):
            one = self.row.at(column)
            text = fold_width(one.text).strip()
            if one.fault:
                raise _CellFaultError(column, one.fault)
            if text.lower() not in NOTHING:
                return column, text
        return self.head.first(what), ""

    def value(self, what: Field, parse: Callable[[str], _Value], nothing: _Value) -> _Value:
        """Give what a field says."""
        column, text = self.text(what)
        try:
            return parse(text) if text else nothing
        except ValueError as error:
            raise _CellFaultError(column, str(error) if str(error).islower() else "cannot be read") from error

    def validity(self) -> tuple[datetime | None, datetime | None]:
        """Give the first and the last moment."""
        dates = RowReader(self.row, self.head)
        span = dates.validity()
        if dates.refused:
            raise _CellFaultError(self.head.first(Field.VALID_FROM, Field.VALID_TO), dates.refused[0].reason)
        return span


def _read_row(row: TableRow, head: Head, outside: IPAddress | None) -> _Dated:
    reader = _RowReader(row, head)
    public, port = reader.value(Field.OUTSIDE, _read_end, _NOWHERE)
    inner, inner_port = reader.value(Field.INSIDE, _read_end, _NOWHERE)
    if inner is None:
        raise _CellFaultError(head.first(Field.INSIDE), "no inside address")
    first, last = reader.value(Field.OUTSIDE_PORT, read_ports, (port, port))
    own, end = reader.value(Field.INSIDE_PORT, read_ports, (inner_port, inner_port))
    if end > own and end - own != last - first:
        raise _CellFaultError(head.first(Field.INSIDE_PORT), UNEVEN)
    proto = reader.value(Field.PROTOCOL, read_proto, "") or ("tcp" if first else "")
    domain = reader.value(Field.DOMAIN, _read_domain, "")
    via = reader.value(Field.VIA, _read_via, Via.NAT)
    _, note = reader.text(Field.NOTE)
    span = reader.validity()
    try:
        mapping = Mapping(
            public or outside, proto, first, last, inner, own if first else 0, domain, via, note[:200], row.number
        )
    except ValueError as error:
        raise _CellFaultError(head.first(Field.OUTSIDE, Field.DOMAIN), str(error)) from error
    return mapping, span


def _read_domain(text: str) -> str:
    return parse_domain(text.lower().removeprefix("https://").removeprefix("http://").partition("/")[0])


def _read_via(text: str) -> Via:
    try:
        return parse_via(text)
    except ValueError as error:
        raise ValueError(f"no such way: {', '.join(Via)}") from error


def _read_end(text: str) -> tuple[IPAddress | None, int]:
    """Read `203.0.113.5`, or with its port `203.0.113.5:443` or `[2001:db8::1]:443`.

    Raises:
        ValueError: it is none of these.
    """
    host, colon, port = text.rpartition(":")
    if text.endswith("]") or not colon or (":" in host and not host.endswith("]")):
        host, port = text, ""
    try:
        return read_plain_address(host.strip("[]")), read_port(port) if port else 0
    except ValueError as error:
        raise ValueError("no address (write one address: 203.0.113.5)") from error
