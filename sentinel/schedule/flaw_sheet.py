"""A list of flaws as scanners and testers hand it over (XLSX, CSV) in; its flaws, and what could not be read, out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from hashlib import sha256

from sentinel.model.moment import SHANGHAI
from sentinel.model.reported import ReportedFlaw, rate_score
from sentinel.model.rule import Severity
from sentinel.model.unit import IPAddress
from sentinel.observe.table import Limits, TableRow, column_letter, fold_width
from sentinel.schedule.address_cell import NOTHING, Places, read_places
from sentinel.schedule.columns import Field, Head
from sentinel.schedule.persons import hide_persons
from sentinel.schedule.register_row import CellError, RowReader, read_days

LIMITS = Limits(file=64 * 1024 * 1024, rows=200_000, unmerge=True)
"""A list of 50,000 flaws with what to do about each has about 20 MB as CSV."""

MAX_PLACES = 4_096
"""Addresses of one row; a list by flaw names all hosts that have it in one cell."""

MAX_TITLE, MAX_SOLUTION = 200, 1_000

SEVERITIES = {
    **dict.fromkeys(
        ["严重", "紧急", "超危", "特急", "危急", "致命", "极高", "超高危", "critical", "urgent"], Severity.CRITICAL
    ),
    **dict.fromkeys(["高危", "高", "高风险", "高级", "high", "serious"], Severity.HIGH),
    **dict.fromkeys(["中危", "中", "中风险", "中级", "medium", "moderate", "warning"], Severity.MEDIUM),
    **dict.fromkeys(["低危", "低", "低风险", "低级", "low", "minor"], Severity.LOW),
    **dict.fromkeys(
        ["信息", "提示", "信息类", "安全", "无", "无风险", "可忽略", "info", "informational", "none", "log"],
        Severity.INFORMATIONAL,
    ),
}
"""The words of Chinese and English scanners. `紧急` is NSFOCUS's and `超危` CNNVD's word for the worst."""

_LEVEL_WORDS = re.compile(r"(?:风险|漏洞|危险|级别|等级|威胁)+\Z|[\[\]【】()（）\s]|^\d+[-.、:]")
_SCORE = re.compile(r"(\d{1,2}(?:\.\d{1,2})?)(?:\s*\(.*\)|\s*/\s*10)?")
_REFERENCE = re.compile(r"(?:CVE-\d{4}-\d{4,7}|CNN?VD-(?:C-)?\d{4,6}-\d{3,8})")
_DONE = re.compile(
    r"已修复|已整改|已修补|已关闭|已完成|误报|已忽略|fixed|closed|resolved|false ?positive", re.IGNORECASE
)
_NOT_SLUG = re.compile(r"[^\w]+")
_PROTOCOL = re.compile(r"\b(tcp|udp)\b", re.IGNORECASE)
_PORT = re.compile(r"(?<!\d)(\d{1,5})(?!\d)")


@dataclass(slots=True)
class FlawReader:
    """Reads rows one by one.

    Attributes:
        head: what the columns of the sheet say.
        refused: cells for which a row was not taken.
        done: rows the list itself calls mended or mistaken; nothing is made of them.
    """

    head: Head
    refused: list[CellError] = field(default_factory=list)
    done: int = 0

    def read(self, row: TableRow) -> Iterator[ReportedFlaw]:
        """Yield a flaw for each place the row names; nothing for a row without a title."""
        reader = RowReader(row, self.head)
        title = hide_persons(" ".join(" ".join(reader.texts(Field.FLAW)[:1]).split()))[:MAX_TITLE]
        if not title:
            self.refused += reader.refused  # a formula nobody computed, for one
            return
        if any(_DONE.search(text) for text in reader.texts(Field.STATUS)):
            self.done += 1
            return
        before = len(self.refused)
        severity = self._severity(row, reader)
        places = self._places(row)
        if len(self.refused) > before or severity is None:
            return
        proto, ports = self._ports(reader, places)
        check = hide_persons(next(iter(reader.texts(Field.CHECK)), ""))
        told = " ".join(reader.texts(Field.REFERENCE)).upper()
        advice = (row.at(column).text for column in self.head.columns.get(Field.SOLUTION, ()))  # long ones are cut
        solution = next((text for text in advice if text.lower() not in NOTHING), "")
        for address, name in _hosts(places):
            for port in ports or (0,):
                yield ReportedFlaw(
                    check=slug(check or title),
                    title=title,
                    severity=severity,
                    address=address,
                    name=name,
                    proto=proto if port and address else "",
                    port=port if address else 0,
                    service=hide_persons(next(iter(reader.texts(Field.SERVICE)), ""))[:40],
                    references=tuple(dict.fromkeys(_REFERENCE.findall(told))),
                    solution=hide_persons(solution)[:MAX_SOLUTION],
                    time=self._time(reader),
                )

    def _severity(self, row: TableRow, reader: RowReader) -> Severity | None:
        words = [row.at(column).text for column in self.head.columns.get(Field.SEVERITY, ())]  # 无 is a word here
        found = next((one for text in words if (one := read_severity(text)) is not None), None)
        scores = (read_score(text) for text in reader.texts(Field.SCORE))
        found = found if found is not None else next((one for one in scores if one is not None), None)
        if found is None:
            column = self.head.first(Field.SEVERITY, Field.SCORE)
            self._refuse(row, column, "no severity (write 严重, 高危, 中危, 低危, 信息, or a score such as 7.5)")
        return found

    def _places(self, row: TableRow) -> Places:
        places = Places()
        for what in (Field.ADDRESS, Field.DOMAIN):
            for column in self.head.columns.get(what, ()):
                try:
                    read_places(row.at(column).text, places)
                except ValueError as error:
                    self._refuse(row, column, str(error))
        count = sum(prefix.num_addresses for prefix in places.addresses)
        column = self.head.first(Field.ADDRESS, Field.DOMAIN)
        if count > MAX_PLACES:
            self._refuse(row, column, f"more than {MAX_PLACES} addresses")
        elif not count and not places.domains:
            self._refuse(row, column, "neither an address nor a domain")
        return places

    def _ports(self, reader: RowReader, places: Places) -> tuple[str, tuple[int, ...]]:
        """Give the protocol and the ports; what cannot be read as one says that the flaw is the host's."""
        text = fold_width(" ".join((*reader.texts(Field.PORTS), *reader.texts(Field.PROTOCOL))))
        told = _PROTOCOL.search(text)
        numbers = (int(one) for piece in reader.texts(Field.PORTS) for one in _PORT.findall(fold_width(piece)))
        ports = dict.fromkeys(number for number in numbers if 0 < number <= 65535)
        return told[1].lower() if told else "tcp", tuple(ports) or tuple(places.ports)

    def _time(self, reader: RowReader) -> datetime | None:
        for text in reader.texts(Field.FOUND):
            try:
                days = read_days(text)
            except ValueError:
                continue
            if days:
                return datetime.combine(days[0][0], time(), SHANGHAI).astimezone(UTC)
        return None

    def _refuse(self, row: TableRow, column: int, reason: str) -> None:
        title = self.head.titles.get(column, "")
        self.refused.append(CellError(row.sheet, row.number, column_letter(column), title, reason))


def read_severity(text: str) -> Severity | None:
    """Read a level in words, or a score with a point in it; None for anything else, a bare `3` among it."""
    plain = fold_width(text).strip().lower()
    word = _LEVEL_WORDS.sub("", plain)
    found = SEVERITIES.get(plain) or SEVERITIES.get(word)
    return found if found is not None else read_score(plain) if "." in plain else None


def read_score(text: str) -> Severity | None:
    """Read a CVSS score as a level; None for anything else."""
    found = _SCORE.fullmatch(fold_width(text).strip())
    if found is None or not 0 <= float(found[1]) <= 10:
        return None
    return rate_score(float(found[1]))


def slug(text: str) -> str:
    """Give a short stable form of a title or an id: letters and digits in lower case, joined by dashes."""
    plain = _NOT_SLUG.sub("-", fold_width(text).lower()).strip("-")
    return plain if 0 < len(plain) <= 60 else f"{plain[:50]}-{sha256(text.encode()).hexdigest()[:8]}".strip("-")


def _hosts(places: Places) -> Iterator[tuple[IPAddress | None, str]]:
    for prefix in places.addresses:
        for address in prefix:
            yield address, ""
    if not places.addresses:
        for name in places.domains:
            yield None, name
