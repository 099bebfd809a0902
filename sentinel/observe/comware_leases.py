"""`display dhcp server ip-in-use` of an H3C (or early Huawei) switch in; the run and a host observation per lease out.

Huawei VRP 5 and later print their leases with `display ip pool … used`, which is not read. Source: outputs of Comware 7
in public lab notes, and the H3C command reference (DHCP commands).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from sentinel.model.observation import Observation, RunEnd, RunObservation
from sentinel.observe.dhcp_lease import ACTIVE, build_holding, build_lease
from sentinel.observe.lines import Tally, decode_start, read_text_lines, strip_terminal
from sentinel.observe.text import parse_c_time, read_mac

NAME = "comware-leases"
TOOL = "comware-dhcp"

_HEAD = re.compile(r"IP address\s+Client[ -]identifier/?\s+Lease expiration\s+Type", re.IGNORECASE)
_LEASE = re.compile(
    r"(\d+\.\d+\.\d+\.\d+)\s+([0-9a-fA-F]{2,4}(?:-[0-9a-fA-F]{1,4})*)(-?)\s+"
    r"([A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d \d{4}|Unlimited|NOT Used|Expired|\S+ ?\S*)\s+(Auto\S*|Manual\S*|Static\S*)"
)
_MORE = re.compile(r"([0-9a-fA-F]{2,4}(?:-[0-9a-fA-F]{1,4})*)(-?)")
_STARTS_LIKE_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}\s")
_ASCII_CARD = re.compile(r"((?:[0-9a-f]{4}[.-]){2}[0-9a-f]{4})-")


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes look like the leases of a Comware switch."""
    return bool(_HEAD.search(strip_terminal(decode_start(head[:16384]))))


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, each lease in the order of the file, what was lost, and the moment before which it was printed.

    A reserved address nobody uses changes nothing on the map.

    Raises:
        ParseError: there are rows, and none of them can be read.
    """
    yield RunObservation(TOOL)
    tally = Tally()
    pending: tuple[re.Match[str], str] | None = None
    first_end: datetime | None = None
    for number, raw in read_text_lines(stream):
        line = strip_terminal(raw).strip() if raw is not None else ""
        if pending is not None:
            more = _MORE.fullmatch(line)
            if more and pending[0][3]:
                pending = (pending[0], pending[1] + more[1])
                continue
            yield from _build(*pending)
            pending = None
        found = _LEASE.match(line)
        if found:
            tally.good += 1
            pending = (found, found[2])
            end = parse_c_time(found[4])
            first_end = min(end, first_end or end) if end else first_end
        elif raw is None or _STARTS_LIKE_ADDRESS.match(line):
            tally.drop(f"line {number}", "no lease of a Comware switch")
    if pending is not None:
        yield from _build(*pending)
    yield from tally.losses()
    yield RunEnd(before=first_end)


def _build(row: re.Match[str], client: str) -> Iterator[Observation]:
    in_use = row[4] not in {"NOT Used", "Expired"}
    host = build_lease(row[1], ACTIVE if in_use else row[4].lower(), None, _read_card(client), "")
    if host is not None:
        yield host
        if holding := build_holding(host, parse_c_time(row[4])):
            yield holding


def _read_card(client: str) -> str:
    """Read the client: a bare hardware address, `01` before one, or `00` before text that begins with one."""
    digits = client.replace("-", "").lower()
    if len(digits) == 12:
        return read_mac(digits)
    if len(digits) == 14 and digits.startswith("01"):
        return read_mac(digits[2:])
    if digits.startswith("00") and len(digits) % 2 == 0:
        text = bytes.fromhex(digits[2:]).decode("ascii", "replace").lower()
        found = _ASCII_CARD.match(text)
        return read_mac(found[1]) if found else ""
    return ""
