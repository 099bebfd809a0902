"""One row of a register or whitelist sheet in; what its cells say, and those that could not be read, out."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from sentinel.model.moment import SHANGHAI
from sentinel.model.plain import read_plain_prefix
from sentinel.model.ports import PortSet
from sentinel.model.unit import IPNetwork
from sentinel.observe.table import Cell, TableRow, column_letter, fold_width
from sentinel.schedule.columns import Field, Head
from sentinel.schedule.entries import parse_addresses, parse_domain, parse_port_list

MAX_SYSTEM = 80
"""Characters of a system's name in the reason of an entry."""

_NOTHING = frozenset({"", "-", "--", "—", "——", "/", "\\", "无", "暂无", "没有", "n/a", "na", "none", "null"})
_ALWAYS = frozenset({"长期", "长期有效", "永久", "永久有效", "无期限", "不限", "permanent"})
_BETWEEN = re.compile(r"[\s,;、]+")
_TYPED = str.maketrans("。—–", ".--")
"""What a Chinese keyboard gives for a point and a dash."""

_URL = re.compile(r"https?://([^/?#@]*)(?:[/?#].*)?", re.DOTALL)
_PORT_AT_END = re.compile(r":\d{1,5}\Z")
_PORTS = re.compile(r"(?:(tcp|udp)[:/]?)?(\d[\d/]*(?:[-~]\d+)?)(?:/?(tcp|udp))?(?:\([^()]*\))?")
_SERVICES = re.compile(
    "https?|www|ssh|telnet|t?ftp|ftps|rsync|smtps?|pop3s?|imaps?|dns|domain|dhcp|snmp|ntp|ldaps?|rdp|vnc|smb|samba|nfs|"
    "mysql|postgresql|mssql|oracle|mongodb|redis|memcached|elasticsearch|mqtt|rtsp|sip|ipp"
)
"""Protocols a sheet may demand; any other word (`Web`, `教务服务`) names a purpose and demands nothing."""

_DAY = re.compile(
    r"(\d{4})(?:[-/.年](\d{1,2})(?:[-/.月](?:(\d{1,2})日?)?)?|(\d\d)(\d\d))(?:[ t]\d\d:\d\d(?::\d\d)?)?(?!\d)"
)
_SPAN_WORDS = re.compile(r"[\s~—–-]|[至到起止从自前]|有效|to|from|until")
_SERIAL = re.compile(r"[34567]\d{4}(?:\.\d+)?")
_SERIAL_START = date(1899, 12, 30)
"""Day 0 of a spreadsheet's dates; a cell that lost its format shows days since then. Source: ECMA-376, 18.17.4.1."""

_YEARS = range(1990, 2200)
_NO_DAY = "no date (write 2026-12-31, 2026-01-01 至 2026-12-31, or 长期)"


@dataclass(frozen=True, slots=True)
class CellError:
    """A cell that could not be read; what stands in it is not told, for it may be a person's name.

    Attributes:
        sheet: name of the sheet; empty for CSV.
        row: as the spreadsheet shows it.
        column: its letter.
        title: what stands over the column.
        reason: what is wrong and what to write, lower case.
    """

    sheet: str
    row: int
    column: str
    title: str
    reason: str

    def __str__(self) -> str:
        return f"{self.sheet}{'!' if self.sheet else ''}{self.column}{self.row}: {self.reason}"


@dataclass(slots=True)
class RowReader:
    """Reads the cells of one row; what is wrong with them is gathered."""

    row: TableRow
    head: Head
    refused: list[CellError] = field(default_factory=list)

    @property
    def is_blank(self) -> bool:
        """No column that matters is filled."""
        return all(not cell.fault and _is_nothing(cell.text) for what in Field for _, cell in self._cells(what))

    def addresses(self) -> tuple[IPNetwork, ...]:
        """Give the addresses and prefixes, each once; of a range the prefixes that make it up."""
        found: dict[IPNetwork, None] = {}
        for column, pieces in self._pieces(Field.ADDRESS):
            for piece in pieces:
                try:
                    found.update(dict.fromkeys(parse_addresses(piece)))
                except ValueError as error:
                    self._refuse(column, str(error))
        return tuple(found)

    def domains(self, addresses: tuple[IPNetwork, ...]) -> tuple[str, ...]:
        """Give the domains; an address among them is passed over where the row lists it as one."""
        found: dict[str, None] = {}
        for column, pieces in self._pieces(Field.DOMAIN):
            for piece in pieces:
                name = _read_host(piece)
                try:
                    if not _is_one_of(name, addresses):
                        found[parse_domain(name)] = None
                except ValueError as error:
                    self._refuse(column, str(error))
        return tuple(found)

    def ports(self) -> tuple[dict[str, PortSet], str]:
        """Give the ports by protocol, and the protocol that should be spoken there when one is named."""
        protocols, service = self._protocols()
        found: dict[str, PortSet] = {}
        for column, pieces in self._pieces(Field.PORTS):
            named = protocols
            for piece in pieces:
                if piece in {"tcp", "udp"}:
                    named = (piece,)
                    continue
                try:
                    told, ports = _read_ports(piece)
                except ValueError as error:
                    self._refuse(column, str(error))
                    continue
                for proto in (told,) if told else named:
                    found[proto] = found.get(proto, PortSet()) | ports
        return found, service

    def _protocols(self) -> tuple[tuple[str, ...], str]:
        words = [
            word for _, pieces in self._pieces(Field.PROTOCOL) for piece in pieces for word in re.split("[/+]", piece)
        ]
        protocols = tuple(dict.fromkeys(word for word in words if word in {"tcp", "udp"}))
        services = [piece for _, pieces in self._pieces(Field.SERVICE) for piece in pieces]
        services += [word for word in words if word not in {"tcp", "udp"}]
        is_one = len(set(services)) == 1 and _SERVICES.fullmatch(services[0])
        return protocols or ("tcp",), services[0] if is_one else ""

    def validity(self) -> tuple[datetime | None, datetime | None]:
        """Give the first and the last moment, in Asia/Shanghai the begin and the end of days; None where it is open."""
        begin = end = None
        for what in (Field.VALID_FROM, Field.VALID_TO):
            for column, text in self._texts(what):
                try:
                    days = read_days(text)
                except ValueError as error:
                    self._refuse(column, str(error))
                    continue
                if days and (what is Field.VALID_FROM or len(days) > 1):
                    begin = datetime.combine(days[0][0], time(), SHANGHAI).astimezone(UTC)
                if days and (what is Field.VALID_TO or len(days) > 1):
                    end = datetime.combine(days[-1][1], time.max, SHANGHAI).astimezone(UTC)
        if begin and end and end < begin:
            self._refuse(self.head.first(Field.VALID_TO, Field.VALID_FROM), "it ends before it begins")
        return begin, end

    def approval(self, file: str) -> str:
        """Refer to the cell of the approval without repeating whose name stands there."""
        column = next((column for column, _ in self._texts(Field.APPROVAL)), 0)
        if column:
            return f"见 {file} {self.head.titles[column]}栏"
        self._refuse(self.head.first(Field.APPROVAL), "nobody approved this row (or name who did with --approved-by)")
        return ""

    def texts(self, what: Field) -> tuple[str, ...]:
        """Give what stands in the columns of a field, each as one line; nothing for what says nothing."""
        return tuple(text for _, text in self._texts(what))

    def system_name(self) -> str:
        """Give the name of the system, or what it is for."""
        return next((text[:MAX_SYSTEM] for _, text in self._texts(Field.SYSTEM)), "")

    def check(self, addresses: tuple[IPNetwork, ...], domains: tuple[str, ...], ports: dict[str, PortSet]) -> None:
        """Refuse a row that names no place, or ports without an address."""
        if self.refused or addresses:
            return
        if ports:
            self._refuse(self.head.first(Field.ADDRESS, Field.PORTS), "ports without an address")
        elif not domains:
            self._refuse(self.head.first(Field.ADDRESS, Field.DOMAIN), "neither an address nor a domain")

    def _pieces(self, what: Field) -> Iterator[tuple[int, list[str]]]:
        for column, text in self._texts(what):
            plain = fold_width(text).lower().translate(_TYPED)
            yield column, [piece for piece in _BETWEEN.split(plain) if piece not in _NOTHING]

    def _texts(self, what: Field) -> Iterator[tuple[int, str]]:
        """Give the columns and texts of a field that say something; one that cannot be read whole is refused."""
        for column, cell in self._cells(what):
            if cell.fault:
                self._refuse(column, cell.fault)
            elif not _is_nothing(cell.text):
                yield column, cell.text

    def _cells(self, what: Field) -> Iterator[tuple[int, Cell]]:
        for column in self.head.columns.get(what, ()):
            yield column, self.row.at(column)

    def _refuse(self, column: int, reason: str) -> None:
        error = CellError(
            self.row.sheet, self.row.number, column_letter(column), self.head.titles.get(column, ""), reason
        )
        if error not in self.refused:
            self.refused.append(error)


def _is_nothing(text: str) -> bool:
    return fold_width(text).strip().lower() in _NOTHING


def _read_host(text: str) -> str:
    """Give the name in the address of a page, or the text itself."""
    found = _URL.fullmatch(text)
    host = found[1] if found else text.rstrip("/")
    return host if host.count(":") > 1 and not host.startswith("[") else _PORT_AT_END.sub("", host)


def _is_one_of(name: str, addresses: tuple[IPNetwork, ...]) -> bool:
    """Tell whether a name is one of the addresses.

    Raises:
        ValueError: it is another address.
    """
    try:
        address = read_plain_prefix(name.strip("[]"))
    except ValueError:
        return False
    if address not in addresses:
        raise ValueError("an address in a column of domains (write it in the column of addresses)")
    return True


def _read_ports(text: str) -> tuple[str, PortSet]:
    """Read `443`, `80/443`, `8080-8090`, `443/tcp`, `udp:53` or `443(https)`: the protocol, if told, and the ports.

    Raises:
        ValueError: it is none of these.
    """
    found = _PORTS.fullmatch(text)
    if found is None:
        return "", parse_port_list("")
    numbers = found[2].strip("/").replace("~", "-").replace("/", ",")
    return found[1] or found[3] or "", parse_port_list(numbers)


def read_days(text: str) -> list[tuple[date, date]]:
    """Read one day or a span as first and last day of each date; a month without a day is the whole month.

    Raises:
        ValueError: it is neither.
    """
    plain = fold_width(text).strip().lower()
    if plain in _ALWAYS:
        return []
    if _SERIAL.fullmatch(plain):
        day = _SERIAL_START + timedelta(days=int(plain[:5]))
        return [(day, day)]
    found = list(_DAY.finditer(plain))
    if _SPAN_WORDS.sub("", _DAY.sub("", plain)) or not 1 <= len(found) <= 2:
        raise ValueError(_NO_DAY)
    return [_build_days(one) for one in found]


def _build_days(found: re.Match[str]) -> tuple[date, date]:
    year, month, day = int(found[1]), int(found[2] or found[4]), found[3] or found[5]
    try:
        first = date(year, month, int(day or 1))
    except ValueError as error:
        raise ValueError(_NO_DAY) from error
    if year not in _YEARS:
        raise ValueError(_NO_DAY)
    return first, first if day else first.replace(day=monthrange(year, month)[1])
