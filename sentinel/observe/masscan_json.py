"""masscan's JSON (also the old kind that is no valid JSON) and its JSON lines in, a run, rows and the run's end out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from sentinel.model.observation import HostObservation, Observation, RunEnd, RunObservation
from sentinel.observe.lines import BOM, MAX_LINE, Tally
from sentinel.observe.masscan_row import TOOL, build_row
from sentinel.observe.text import parse_time, plain_text

NAME = "masscan-json"

CHUNK = 64 * 1024

MAX_DEPTH = 16
"""Objects inside each other; masscan writes three."""

_RECORD = re.compile(rb'\{\s*"ip"\s*:')
"""The start of a row, and of nothing else: quotation marks inside a string are escaped."""

_FINISHED = re.compile(rb'\{\s*"?finished"?\s*:')
_HEAD = re.compile(
    rb'[\s\[,]*(?:\{[^{}]{0,200}?"ip"\s*:.{0,400}?"ports?"\s*:|\{\s*"?finished"?\s*:|\]\s*\Z)', re.DOTALL
)
_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*"|[{}"]')
_GAP = b" \t\r\n,[]"


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes look like masscan's JSON; an empty list is what it writes for no result."""
    return bool(_HEAD.match(head.removeprefix(BOM)))


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, its rows, what was lost, and the run's end.

    Read as a sequence of objects, whatever stands between them, so that a missing bracket, a trailing comma or
    `{finished: 1}` cost nothing and a broken row costs itself. The format tells no end time; the time of the last row
    is the nearest known moment.

    Raises:
        ParseError: there are rows, and none of them can be read.
    """
    tally = Tally()
    scanner = ObjectScanner(stream)
    last: datetime | None = None
    has_run = False
    for offset, text in scanner.objects():
        if text is not None and _FINISHED.match(text):
            scanner.is_finished = True
            continue
        hosts = _read_record(text) if text is not None else [None]
        for host in hosts or [None]:
            if host is None:
                tally.drop(f"byte {offset}", "no row of masscan's")
                continue
            if not has_run:
                yield RunObservation(TOOL)
                has_run = True
            tally.good += 1
            last = max(last, host.time) if last and host.time else last or host.time
            yield host
    losses = tally.losses()
    if not has_run:
        yield RunObservation(TOOL)
    yield from losses
    if scanner.is_finished:
        yield RunEnd(last)


class ObjectScanner:
    """Cut a stream into its outermost `{…}` objects without reading it whole.

    Attributes:
        is_finished: a closing bracket was seen outside of all objects.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._data = b""
        self._base = 0
        self._place = 0
        self._is_over = False
        self.is_finished = False

    def objects(self) -> Iterator[tuple[int, bytes | None]]:
        """Yield the byte offset and the text of each object; None for a stretch that is no object."""
        while True:
            start = self._data.find(b"{", self._place)
            gap = self._data[self._place : start if start >= 0 else len(self._data)]
            if self._base + self._place == 0:
                gap = gap.removeprefix(BOM)
            self.is_finished = self.is_finished or b"]" in gap
            if rest := gap.lstrip(_GAP):
                yield self._base + self._place + len(gap) - len(rest), None
            self._place = start if start >= 0 else len(self._data)
            if start < 0:
                if not self._more():
                    return
                continue
            yield from self._object()

    def _object(self) -> Iterator[tuple[int, bytes | None]]:
        """Yield the object that starts at the current place, reading on as needed."""
        while True:
            end, is_whole = _find_end(self._data, self._place)
            if end < 0 and len(self._data) - self._place > MAX_LINE:
                end = _find_next(self._data, self._place)
            if end >= 0:
                yield self._base + self._place, self._data[self._place : end] if is_whole else None
                self._place = end
                return
            if not self._more():
                yield self._base + self._place, None
                self._place = len(self._data)
                return

    def _more(self) -> bool:
        """Read the next chunk behind what is not yet used; tell whether there was any."""
        self._data = self._data[self._place :]
        # An unfinished object is searched anew with every chunk, so chunks grow with it.
        chunk = b"" if self._is_over else self._stream.read(max(CHUNK, len(self._data)))
        self._is_over = not chunk
        self._data += chunk
        self._base += self._place
        self._place = 0
        return bool(chunk)


def _find_end(data: bytes, start: int) -> tuple[int, bool]:
    """Find where the object at `start` ends, and whether it is whole; -1 when more bytes are needed to tell.

    One is broken when a string of it runs past the line, the next row begins before it ends, or it is too deep.
    """
    depth = 0
    for token in _TOKEN.finditer(data, start):
        kind = token[0]
        if kind == b"{":
            if depth and _RECORD.match(data, token.start()):
                return token.start(), False
            depth += 1
            if depth > MAX_DEPTH:
                return _find_next(data, start), False
        elif kind == b"}":
            depth -= 1
            if not depth:
                return token.end(), True
        elif kind == b'"':
            return data.find(b"\n", token.start()), False
    return -1, False


def _find_next(data: bytes, start: int) -> int:
    """Find the next row after the one at `start`, or the end of what was read."""
    following = _RECORD.search(data, start + 1)
    return following.start() if following else len(data)


def _read_record(text: bytes) -> list[HostObservation | None]:
    """Read one object into its rows, one per port; a None for each that cannot be read."""
    try:
        record = json.loads(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return []
    if not isinstance(record, dict):
        return []
    if "rec_type" in record or "ports" not in record:
        data = record.get("data")
        detail = data if isinstance(data, dict) else {}
        service = {"name": detail.get("service_name"), "banner": detail.get("banner")}
        return [_read_port(record, {**detail, **record, "service": service if detail.get("service_name") else None})]
    ports = record["ports"]
    return [_read_port(record, port) for port in ports] if isinstance(ports, list) else []


def _read_port(record: dict[str, object], port: object) -> HostObservation | None:
    if not isinstance(port, dict):
        return None
    service = port.get("service")
    words = service if isinstance(service, dict) else {}
    return build_row(
        plain_text(record.get("ip")),
        parse_time(plain_text(record.get("timestamp"))),
        plain_text(port.get("proto")),
        plain_text(port.get("port")),
        plain_text(port.get("status", "open" if words else "")),
        reason=plain_text(port.get("reason")),
        banner_name=plain_text(words.get("name")),
        banner=plain_text(words.get("banner")),
    )
