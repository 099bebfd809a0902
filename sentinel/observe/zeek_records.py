"""Zeek logs in; every row with all of its fields out, for rules about logs.

Fields have the types of the log's header, or those of JSON. What cannot be read is passed over: the import told it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from sentinel.model.rule import FieldValue, Scalar
from sentinel.observe.lines import read_lines
from sentinel.observe.text import cut_text, decode_escapes, parse_address, plain_text
from sentinel.observe.zeek_log import guess_log
from sentinel.observe.zeek_row import read_moment

MAX_FIELDS = 200
_NUMBERS = frozenset({"count", "int", "port"})
_FRACTIONS = frozenset({"double", "interval"})
_ADDRESSES = frozenset({"id.orig_h", "id.resp_h"})
_MAX_TEXT = 2000

ALIASES: Mapping[str, Mapping[str, str]] = {
    "dns": {"qtype_name": "record_type", "answers": "answer"},
    "http": {
        "uri": "c-uri",
        "user_agent": "c-useragent",
        "host": "cs-host",
        "method": "cs-method",
        "status_code": "sc-status",
    },
}
"""Names the Sigma taxonomy has for fields of Zeek's, by log."""


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One row of a log.

    Attributes:
        path: kind of log as Zeek names it, e.g. `http`.
        time: when; None where it cannot be read.
        fields: all fields that are set.
    """

    path: str
    time: datetime | None
    fields: Mapping[str, FieldValue]


def read_records(stream: BinaryIO) -> Iterator[LogRecord]:
    """Yield the rows of a Zeek log, tab-separated or JSON."""
    header = _Header()
    for _, line in read_lines(stream):
        if line is None or not line.strip():
            continue
        if line[:1] == b"#":
            header.take(line.decode("latin-1"))
            continue
        found = _read_object(line) if line.lstrip()[:1] == b"{" else header.read(line.decode("latin-1"))
        if found is not None:
            yield found


class _Header:
    def __init__(self) -> None:
        self._separator, self._sets, self._empty, self._unset, self._path = "\t", ",", "(empty)", "-", ""
        self._names: tuple[str, ...] = ()
        self._types: tuple[str, ...] = ()

    def take(self, line: str) -> None:
        if line.startswith("#separator "):
            self._separator = decode_escapes(line.partition(" ")[2].strip()) or "\t"
            return
        key, *values = line[1:].split(self._separator)
        value = values[0] if values else ""
        match key:
            case "set_separator":
                self._sets = decode_escapes(value) or ","
            case "empty_field":
                self._empty = value
            case "unset_field":
                self._unset = value
            case "path":
                self._path = value
            case "fields":
                self._names, self._types = tuple(values[:MAX_FIELDS]), ()
            case "types":
                self._types = tuple(values[:MAX_FIELDS])

    def read(self, line: str) -> LogRecord | None:
        cells = line.split(self._separator)
        if not self._names or len(cells) < len(self._names):
            return None
        fields: dict[str, FieldValue] = {}
        for place, name in enumerate(self._names):
            cell = cells[place]
            if cell in {self._unset, self._empty}:
                continue
            kind = self._types[place] if place < len(self._types) else ""
            if kind.startswith(("set[", "vector[")):
                inner = kind.partition("[")[2].rstrip("]")
                fields[name] = tuple(_typed(one, inner) for one in cell.split(self._sets)[:MAX_FIELDS])
            else:
                fields[name] = _typed(cell, kind or ("addr" if name in _ADDRESSES else ""))
        log = None if self._path else guess_log(self._names)
        return _build(self._path or (log.path if log else ""), fields)


def _typed(cell: str, kind: str) -> Scalar:
    try:
        if kind in _NUMBERS:
            return int(cell)
        if kind in _FRACTIONS:
            return float(cell)
    except ValueError:
        return cut_text(cell, _MAX_TEXT)
    if kind == "bool":
        return cell == "T"
    if kind == "addr":
        return parse_address(cell) or cut_text(cell, _MAX_TEXT)
    return cut_text(decode_escapes(cell), _MAX_TEXT)


def _read_object(line: bytes) -> LogRecord | None:
    try:
        row = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict):
        return None
    fields: dict[str, FieldValue] = {}
    for name, value in list(row.items())[:MAX_FIELDS]:
        if isinstance(value, list):
            fields[name] = tuple(_plain(name, one) for one in value[:MAX_FIELDS])
        elif not isinstance(value, dict) and value is not None:
            fields[name] = _plain(name, value)
    log = guess_log(tuple(row))
    return _build(plain_text(row.get("_path")) or (log.path if log else ""), fields)


def _plain(name: str, value: object) -> Scalar:
    if isinstance(value, bool | int | float):
        return value
    text = plain_text(value)
    return (parse_address(text) if name in _ADDRESSES else None) or cut_text(text, _MAX_TEXT)


def _build(path: str, fields: dict[str, FieldValue]) -> LogRecord | None:
    if not path:
        return None
    for name, alias in ALIASES.get(path, {}).items():
        if name in fields:
            fields.setdefault(alias, fields[name])
    fields["log_source"] = (f"zeek.{path}", "dns") if path == "dns" else (f"zeek.{path}",)
    return LogRecord(path, read_moment({"ts": [str(fields.get("ts", ""))]}), fields)
