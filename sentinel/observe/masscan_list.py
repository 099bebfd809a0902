"""masscan's list format in, a run, one host observation per row and the run's end out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from sentinel.model.observation import HostObservation, Observation, RunEnd, RunObservation
from sentinel.observe.lines import BOM, Tally, read_lines
from sentinel.observe.masscan_row import TOOL, build_row
from sentinel.observe.text import parse_time

NAME = "masscan-list"

_HEAD = re.compile(
    rb"(?:^|\n)(?:#masscan\s|(?:open|closed|banner) (?:tcp|udp|sctp|icmp|arp) \d{1,5} [0-9a-fA-F.:]+ \d+)"
)
_END = "# end"


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes look like masscan's list."""
    return bool(_HEAD.search(head.removeprefix(BOM).replace(b"\r\n", b"\n")[:4096] + b"\n"))


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, its rows, what was lost, and the run's end.

    Rows are `open tcp 80 192.0.2.1 1646787050` or `banner tcp 80 192.0.2.1 1646787050 http …`. The list tells no end
    time; the time of the last row is the nearest known moment.

    Raises:
        ParseError: there are rows, and none of them can be read.
    """
    tally = Tally()
    last: datetime | None = None
    is_finished = False
    yield_run = True
    for number, line in read_lines(stream):
        text = line.decode("utf-8", "replace").strip() if line is not None else None
        if text is not None and (not text or text.startswith("#")):
            is_finished = is_finished or text == _END
            continue
        host = _read_row(text) if text is not None else None
        if host is None:
            tally.drop(f"line {number}", "no row of masscan's" if text is not None else "the line is too long")
            continue
        if yield_run:
            yield RunObservation(TOOL)
            yield_run = False
        tally.good += 1
        last = max(last, host.time) if last and host.time else last or host.time
        yield host
    losses = tally.losses()
    if yield_run:
        yield RunObservation(TOOL)
    yield from losses
    if is_finished:
        yield RunEnd(last)


def _read_row(text: str) -> HostObservation | None:
    words = text.split(None, 6)
    if len(words) < 5 or (words[0] == "banner") != (len(words) > 5):
        return None
    state, proto, port, address, seconds = words[:5]
    return build_row(
        address,
        parse_time(seconds),
        proto,
        port,
        "open" if state == "banner" else state,
        banner_name=words[5] if len(words) > 5 else "",
        banner=words[6] if len(words) > 6 else "",
    )
