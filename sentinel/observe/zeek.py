"""Zeek logs, as tab-separated text or JSON lines, in; the run, observations, and what was lost out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from sentinel.errors import ParseError
from sentinel.model.moment import parse_moment
from sentinel.model.observation import Observation, RunEnd, RunObservation
from sentinel.observe.lines import BOM, Tally, read_lines
from sentinel.observe.text import cut_text, decode_escapes, parse_time, plain_text
from sentinel.observe.zeek_holding import names_account
from sentinel.observe.zeek_log import LOGS, Log, guess_log
from sentinel.observe.zeek_row import Row

NAME = "zeek"

_HEADER = re.compile(rb"^#(?:separator |fields[^A-Za-z0-9_]|path[^A-Za-z0-9_])", re.MULTILINE)
_OBJECT = re.compile(rb'\s*\{[^\n]*"(?:ts|_path)"\s*:')
_DAY_AND_TIME = re.compile(r"(\d{4}-\d\d-\d\d)-(\d\d)-(\d\d)-(\d\d)")


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes look like a Zeek log of either kind."""
    text = head.removeprefix(BOM)
    if text.lstrip()[:1] == b"{":
        return bool(_OBJECT.match(text)) and (b'"uid"' in text or b'"_path"' in text or _guesses(text))
    return bool(_HEADER.search(text)) and text.lstrip()[:1] == b"#"


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, what its rows show, what was lost, and the run's end where the log was closed.

    A row is lost when its number of columns is not the header's, or when an address or port in it cannot be read.

    Raises:
        ParseError: the log is of a kind sentinel does not read, has no header, or none of its rows can be read.
    """
    reader = _Reader()
    has_run = False
    for number, line in read_lines(stream):
        found = reader.read(number, line)
        if found and not has_run:
            yield reader.observe_run()
            has_run = True
        yield from found
    losses = reader.tally.losses()
    if reader.log is None:
        raise ParseError("a zeek log without a #fields line")
    if not has_run:
        yield reader.observe_run()
    yield from losses
    if reader.is_closed or reader.accounts:
        yield RunEnd(reader.closed, accounts=reader.accounts)


@dataclass(slots=True)
class _Reader:
    """What the header lines said, and how many rows could be read."""

    tally: Tally = field(default_factory=Tally)
    log: Log | None = None
    opened: datetime | None = None
    closed: datetime | None = None
    is_closed: bool = False
    accounts: bool = False
    separator: str = "\t"
    set_separator: str = ","
    empty: str = "(empty)"
    unset: str = "-"
    path: str = ""
    fields: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    wanted: tuple[tuple[int, str, bool], ...] = ()
    is_json: bool | None = None

    def read(self, number: int, line: bytes | None) -> tuple[Observation, ...]:
        """Read one line into what it shows; header lines and lost rows show nothing.

        Raises:
            ParseError: the log is of a kind sentinel does not read, or lacks a field it needs.
        """
        where = f"line {number}"
        if line is None:
            self.tally.drop(where, "the line is too long")
            return ()
        if not line.strip():
            return ()
        if self.is_json is None and line[:1] != b"#":
            self.is_json = line.lstrip()[:1] == b"{"
        if line[:1] == b"#" and not self.is_json:
            self._read_header(line.decode("latin-1"), where)
            return ()
        row = self._object_row(line, where) if self.is_json else self._text_row(line.decode("latin-1"), where)
        if row is None or self.log is None:
            return ()
        self.accounts = self.accounts or names_account(row)
        found = self.log.observe(row)
        if found is None:
            self.tally.drop(where, "an address or a port cannot be read")
            return ()
        self.tally.good += 1
        return found

    def observe_run(self) -> RunObservation:
        """Give the run; Zeek's logs name neither version nor command line."""
        return RunObservation("zeek", started=self.opened)

    def _read_header(self, line: str, where: str) -> None:
        if line.startswith("#separator "):
            self.separator = decode_escapes(line.partition(" ")[2].strip()) or "\t"
            self.log, self.path, self.types, self.fields = None, "", (), ()
            return
        key, *values = line[1:].split(self.separator)
        if key.startswith(("open ", "close ")):  # logs that went through other hands have a space there
            key, _, rest = key.partition(" ")
            values = [rest]
        value = values[0] if values else ""
        if key == "set_separator":
            self.set_separator = decode_escapes(value) or ","
        elif key == "empty_field":
            self.empty = value
        elif key == "unset_field":
            self.unset = value
        elif key == "path":
            self.path = value
        elif key == "open":
            self.opened = _read_day_and_time(value)
        elif key == "close":
            self.is_closed, self.closed = True, _read_day_and_time(value)
        elif key == "fields":
            self.fields = tuple(values)
            self.types = ()
            self._choose(self.path, self.fields, where)
        elif key == "types":
            self.types = tuple(values)
        self._want()

    def _choose(self, path: str, names: tuple[str, ...], where: str) -> None:
        """Pick the log by its path, or by its fields where it has none.

        Raises:
            ParseError: it is not one sentinel reads, or a field is missing.
        """
        log = LOGS.get(path) if path else guess_log(names)
        if log is None:
            what = f"zeek log {cut_text(path, 60)!r}" if path else f"zeek log of {cut_text(', '.join(names), 120)!r}"
            raise ParseError(f"{what} is not one sentinel reads (it reads {', '.join(sorted(LOGS))})", where)
        missing = [] if self.is_json else [name for name in log.required if name not in names]
        if missing:
            raise ParseError(f"zeek log {log.path!r} lacks the field {missing[0]!r}", where)
        self.log = log

    def _want(self) -> None:
        """Note where the fields stand that the log's reader looks at, and which of them hold several values."""
        if self.log is None:
            return
        wanted = []
        for place, name in enumerate(self.fields):
            if name in self.log.fields:
                kind = self.types[place] if place < len(self.types) else ""
                wanted.append((place, name, kind.startswith(("set[", "vector[")) or name in self.log.lists))
        self.wanted = tuple(wanted)

    def _text_row(self, line: str, where: str) -> Row | None:
        cells = line.split(self.separator)
        if self.log is None or len(cells) != len(self.fields):
            self.tally.drop(where, f"{len(cells)} columns where the header has {len(self.fields)}")
            return None
        row: Row = {}
        for place, name, is_list in self.wanted:
            cell = cells[place]
            if cell == self.unset or cell == self.empty:
                continue
            pieces = cell.split(self.set_separator) if is_list else [cell]
            row[name] = [decode_escapes(piece) for piece in pieces]
        return row

    def _object_row(self, line: bytes, where: str) -> Row | None:
        try:
            value = json.loads(line.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            self.tally.drop(where, "no JSON object")
            return None
        path = plain_text(value.get("_path"))
        if self.log is None or (path and path != self.log.path):
            if self.log is not None and path not in LOGS:
                self.tally.drop(where, f"a row of the log {cut_text(path, 60)!r}, which sentinel does not read")
                return None
            self._choose(path, tuple(value), where)
        wanted = self.log.fields if self.log is not None else frozenset()
        return {name: _texts(value[name]) for name in wanted if value.get(name) is not None}


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [plain_text(one) for one in value]
    if isinstance(value, bool):
        return ["T" if value else "F"]
    return [plain_text(value)]


def _guesses(head: bytes) -> bool:
    """Tell whether the first JSON line has the fields of a log sentinel reads."""
    try:
        value = json.loads(head.lstrip().partition(b"\n")[0].decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and guess_log(tuple(value)) is not None


def _read_day_and_time(text: str) -> datetime | None:
    """Read `2026-11-22-08-30-00`, the sensor's local time, as Asia/Shanghai; None where it is masked."""
    found = _DAY_AND_TIME.fullmatch(text.strip())
    if found is None:
        return None
    try:
        return parse_time(parse_moment(f"{found[1]}T{found[2]}:{found[3]}:{found[4]}").timestamp())
    except ValueError:
        return None
