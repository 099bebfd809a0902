"""Rows of the map in, a file of them out: JSON, CSV or XLSX with the same columns, row by row in bounded memory."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path
from typing import Final, TextIO

from sentinel.model.endpoint import MapRow
from sentinel.model.moment import SHANGHAI, iso_utc
from sentinel.report.clean import clean
from sentinel.report.uses import USE_WORDS, Use, use_of
from sentinel.report.words import term
from sentinel.report.workbook import MAX_TEXT, Column, Sheet, Value, write_workbook

TITLE: Final = "网络空间资产地图"
SHEET_ROWS: Final = 1_000_000
"""A sheet of XLSX takes 1,048,576 rows; what is more goes on a further one."""

_BETWEEN: Final = " "
"""Between several names or codes of a cell in CSV and XLSX."""

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_BOM: Final = "\ufeff"


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the export.

    Attributes:
        key: its name in JSON, that of `map --json` where it has one.
        head: its name in CSV and XLSX.
        width: in characters, for XLSX.
        read: gives the value: a text, a number, a time, a truth, a word of a closed set, or several texts.
    """

    key: str
    head: str
    width: float
    read: Callable[[MapRow], object]


FIELDS: Final[tuple[Field, ...]] = (
    Field("address", "IP地址", 20, lambda row: str(row.endpoint.key.address)),
    Field("port", "端口", 8, lambda row: row.endpoint.key.port),
    Field("proto", "传输层", 8, lambda row: row.endpoint.key.proto),
    Field("unit", "单位代码", 14, lambda row: row.unit),
    Field("network", "网络", 16, lambda row: row.network),
    Field("zone", "网络区域", 11, lambda row: row.zone),
    Field("vantage", "探测位置", 10, lambda row: row.endpoint.key.vantage),
    Field("names", "名称", 28, lambda row: row.names),
    Field("use", "用途", 10, lambda row: use_of(row.endpoint)),
    Field("service", "服务", 16, lambda row: row.endpoint.fingerprint.service),
    Field("guessed", "仅按端口推测", 12, lambda row: row.endpoint.fingerprint.guessed),
    Field("tunnel", "加密", 8, lambda row: row.endpoint.fingerprint.tunnel),
    Field("product", "产品", 20, lambda row: row.endpoint.fingerprint.product),
    Field("version", "版本", 12, lambda row: row.endpoint.fingerprint.version),
    Field("title", "标题", 28, lambda row: row.endpoint.title),
    Field("cpes", "CPE", 28, lambda row: row.endpoint.cpes),
    Field("certificate_subject", "证书主体", 24, lambda row: _certificate(row, "subject")),
    Field("certificate_issuer", "证书签发者", 24, lambda row: _certificate(row, "issuer")),
    Field("certificate_not_after", "证书到期", 17, lambda row: _certificate(row, "not_after")),
    Field("certificate", "证书 SHA-256", 68, lambda row: row.endpoint.fingerprint.certificate),
    Field("in_scope", "在申报范围内", 12, lambda row: row.endpoint.in_scope),
    Field("valid_from", "此状态起于", 17, lambda row: row.endpoint.valid_from),
    Field("last_confirmed", "最近确认", 17, lambda row: row.endpoint.last_confirmed),
    Field("evidence", "证据 SHA-256", 68, lambda row: row.endpoint.evidence),
)
"""The columns, in this order in every format; none of them tells of a person."""


@dataclass(frozen=True, slots=True)
class Export:
    """What a file says of itself, where its format has room for it.

    Attributes:
        owner: name of the unit, or of what is above those exported.
        at: the moment asked for; None: now.
        now: when the file is made.
    """

    owner: str
    at: datetime | None
    now: datetime


FORMATS: Final = (".json", ".csv", ".xlsx")
"""What the name of a file may end in."""


def write_export(rows: Iterable[MapRow], path: Path, form: str, export: Export) -> int:
    """Write rows in one of the formats; gives how many there were.

    JSON is one array with an object a line and times in UTC. CSV is UTF-8 with the mark by which spreadsheets know it;
    there and in XLSX formulas are quoted and times are those of Asia/Shanghai.

    Raises:
        OSError: it cannot be written.
    """
    counter = _Counter(rows)
    if form == ".xlsx":
        _write_xlsx(counter, path, export)
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            (_write_csv if form == ".csv" else _write_json)(counter, file)
    return counter.count


def _write_json(rows: Iterable[MapRow], file: TextIO) -> None:
    comma = ""
    file.write("[")
    for row in rows:
        words = json.dumps({field.key: _plain(field, row) for field in FIELDS}, ensure_ascii=False)
        file.write(f"{comma}\n{_one_line(words)}")
        comma = ","
    file.write("\n]\n")


def _write_csv(rows: Iterable[MapRow], file: TextIO) -> None:
    file.write(_BOM)
    writer = csv.writer(file)
    writer.writerow([field.head for field in FIELDS])
    for row in rows:
        writer.writerow([_written(field, row) for field in FIELDS])


def _write_xlsx(rows: _Counter, path: Path, export: Export) -> None:
    author, moment = clean(export.owner, 60), export.at or export.now
    sheets = chain(_sheets(rows), [_about(export, rows)])
    write_workbook(sheets, path, title=f"{author} {TITLE} {_local(moment)}", author=author, now=export.now)


class _Counter:
    """Rows that are counted while they go by."""

    def __init__(self, rows: Iterable[MapRow]) -> None:
        self._rows = iter(rows)
        self.count = 0

    def __iter__(self) -> Iterator[MapRow]:
        for row in self._rows:
            self.count += 1
            yield row


def _sheets(counter: _Counter) -> Iterator[Sheet]:
    rows = iter(counter)
    columns = tuple(Column(field.head, field.width) for field in FIELDS)
    first = next(rows, None)
    number = 1
    while first is not None or number == 1:
        part = islice(chain([] if first is None else [first], rows), SHEET_ROWS)
        title = TITLE if number == 1 else f"{TITLE}{number}"
        yield Sheet(title, columns, ([_cell(field, row) for field in FIELDS] for row in part))
        first = next(rows, None)
        number += 1


def _about(export: Export, counter: _Counter) -> Sheet:
    def rows() -> Iterator[Sequence[Value]]:
        yield TITLE, clean(export.owner, 60)
        yield "时刻", f"{_local(export.at)} 的样子" if export.at else "现在"
        yield "生成时间", f"{_local(export.now)}（北京时间，表中时间均同）"
        yield "行数", f"{counter.count:,}：每个探测位置看到的每个开放端口一行"
        yield "没有的行", "没有查过的地址和端口不在表中，不能理解为没有资产。"
        yield "仅按端口推测", "服务名只由端口号得来，没有听到应答。"

    return Sheet("说明", (Column("", 16), Column("", 90)), rows())


def _certificate(row: MapRow, name: str) -> object:
    shown = row.endpoint.certificate
    return getattr(shown, name) if shown else None


def _plain(field: Field, row: MapRow) -> object:
    value = field.read(row)
    if isinstance(value, datetime):
        return iso_utc(value)
    return list(value) if isinstance(value, tuple) else value


def _written(field: Field, row: MapRow) -> str:
    value = _cell(field, row)
    if not isinstance(value, str):
        return "" if value is None else _local(value) if isinstance(value, datetime) else str(value)
    words = value if value.isascii() and value.isprintable() and len(value) <= MAX_TEXT else clean(value, MAX_TEXT)
    return f"'{words}" if words.startswith(_FORMULA_STARTS) else words


def _cell(field: Field, row: MapRow) -> Value:
    value = field.read(row)
    if isinstance(value, StrEnum):
        return USE_WORDS[value].zh if isinstance(value, Use) else term(value).zh
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, tuple):
        return _BETWEEN.join(value)
    return value if isinstance(value, (str, int, datetime)) else None


def _local(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def _one_line(words: str) -> str:
    """Escape what a terminal may act on and what other programs take for the end of a line."""
    return words if words.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in words)
