"""The leases of a Windows DHCP server as CSV in; the run, one host observation per lease, and what was lost out.

Read are `Get-DhcpServerv4Lease | Export-Csv` (with or without its `#TYPE` line, in UTF-8, UTF-16 or the system's code
page) and the list the DHCP console exports, English or Chinese. Source: the class DhcpServerv4Lease and its states on
learn.microsoft.com.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from sentinel.errors import ParseError
from sentinel.model.moment import EARLIEST, SHANGHAI
from sentinel.model.observation import HostObservation, Observation, RunEnd, RunObservation
from sentinel.observe.dhcp_lease import ACTIVE, build_holding, build_lease
from sentinel.observe.lines import Tally, decode_start, read_text_lines
from sentinel.observe.text import LATEST, read_mac

NAME = "windows-leases"
TOOL = "windows-dhcp"

_TYPE = "#TYPE "
_ADDRESS, _NAME, _END, _CARD, _STATE = "address", "name", "end", "card", "state"
_HEADS = {
    "ipaddress": _ADDRESS,
    "clientipaddress": _ADDRESS,
    "客户端ip地址": _ADDRESS,
    "ip地址": _ADDRESS,
    "hostname": _NAME,
    "name": _NAME,
    "名称": _NAME,
    "主机名": _NAME,
    "leaseexpirytime": _END,
    "leaseexpiration": _END,
    "租约截止日期": _END,
    "租用截止日期": _END,
    "租约过期": _END,
    "clientid": _CARD,
    "uniqueid": _CARD,
    "唯一id": _CARD,
    "客户端id": _CARD,
    "addressstate": _STATE,
    "地址状态": _STATE,
}
_SIGNS = re.compile(r"[\s_]+")
_WANTED = {_ADDRESS, _CARD}
_MARKS = {_END, _STATE}
_ACTIVE_STATES = {"", "active", "activereservation", "活动", "活动保留"}
_TIMES = ("%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%Y/%m/%d %H:%M")


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes look like leases of a Windows server."""
    lines = [line for line in decode_start(head[:8192]).splitlines()[:3] if not line.startswith(_TYPE)]
    return bool(lines) and _read_head(lines[0]) is not None


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, each lease in the order of the file, what was lost, and the moment before which it was written.

    Reservations nobody uses, and leases that were offered, declined or have ended, change nothing on the map.

    Raises:
        ParseError: there are rows, and none of them can be read.
    """
    yield RunObservation(TOOL)
    tally = Tally()
    head: tuple[dict[str, int], str] | None = None
    first_end: datetime | None = None
    for number, line in read_text_lines(stream):
        if line is not None and (not line.strip() or line.startswith(_TYPE)):
            continue
        if head is None and line is not None:
            head = _read_head(line)
            continue
        read = _read_row(line, *head) if line is not None and head is not None else None
        if read is None:
            tally.drop(f"line {number}", "an address cannot be read")
            continue
        tally.good += 1
        host, end = read
        if end is not None and host.up:
            first_end = min(end, first_end or end)
        yield host
        if holding := build_holding(host, end):
            yield holding
    if head is None:
        raise ParseError("no row of heads")
    yield from tally.losses()
    yield RunEnd(before=first_end)


def _read_head(line: str) -> tuple[dict[str, int], str] | None:
    for delimiter in ("\t", ",", ";"):
        cells = _split(line, delimiter)
        found: dict[str, int] = {}
        for place, cell in enumerate(cells):
            what = _HEADS.get(_SIGNS.sub("", cell).lower())
            if what:
                found.setdefault(what, place)
        if set(found) >= _WANTED and _MARKS & set(found):
            return found, delimiter
    return None


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _read_row(line: str, places: dict[str, int], delimiter: str) -> tuple[HostObservation, datetime | None] | None:
    cells = _split(line, delimiter)

    def at(what: str) -> str:
        place = places.get(what, len(cells))
        return cells[place].strip() if place < len(cells) else ""

    state = at(_STATE).lower()
    host = build_lease(at(_ADDRESS), ACTIVE if state in _ACTIVE_STATES else state, None, read_mac(at(_CARD)), at(_NAME))
    return (host, _read_end(at(_END))) if host is not None else None


def _read_end(text: str) -> datetime | None:
    """Read a moment in the server's own time, which here is Asia/Shanghai; None where day and month may be swapped."""
    for form in _TIMES:
        try:
            moment = datetime.strptime(text, form).replace(tzinfo=SHANGHAI).astimezone(UTC)
        except ValueError:
            continue
        return moment if EARLIEST <= moment < LATEST else None
    return None
