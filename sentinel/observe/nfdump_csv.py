"""What `nfdump -o csv` prints in; servers that answered in an established TCP conversation out.

A flow record is one direction. A server is told by two records of opposite directions, or by one that holds both: each
side sent SYN and ACK (or, where the list has no flags, at least three packets), and it is the side that was asked,
which the first packet tells, else the smaller port. Nothing is complete: what did not speak was not looked at.
Source: nfdump 1.6 (`ts,te,td,sa,…`) and 1.7 (`firstSeen,duration,proto,srcAddr,…`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO

from sentinel.errors import ParseError
from sentinel.model.moment import SHANGHAI
from sentinel.model.observation import OPEN, EndpointObservation, HostObservation, Observation, RunEnd, RunObservation
from sentinel.observe.lines import BOM, Tally, read_lines
from sentinel.observe.log_time import make_reader
from sentinel.observe.nat_event import read_address
from sentinel.observe.text import parse_port

NAME = "nfdump-csv"
TOOL = "nfdump"

MAX_PAIRS = 65_536
"""Conversations whose other direction has not come yet."""

MAX_KNOWN = 262_144
"""Servers told already, which are not told again."""

ESTABLISHED_PACKETS = 3
"""Packets each side sends at least to set up, use and end a connection."""

_COLUMNS = {
    "ts": "since",
    "firstseen": "since",
    "te": "until",
    "lastseen": "until",
    "sa": "source",
    "srcaddr": "source",
    "da": "target",
    "dstaddr": "target",
    "sp": "source_port",
    "srcport": "source_port",
    "dp": "target_port",
    "dstport": "target_port",
    "pr": "proto",
    "proto": "proto",
    "flg": "flags",
    "flags": "flags",
    "ipkt": "packets",
    "packets": "packets",
    "opkt": "back",
    "outpackets": "back",
}
_NEEDED = frozenset({"since", "source", "target", "source_port", "target_port", "proto", "packets"})
_read_iso = make_reader("iso", SHANGHAI)


def sniff(head: bytes) -> bool:
    """Tell whether a file's first line is the head of nfdump's CSV."""
    return _read_head(head.removeprefix(BOM).split(b"\n", 1)[0]) is not None


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, each server once, what was lost, and the time of the newest flow; times are of Asia/Shanghai.

    Raises:
        ParseError: there is no head, or there are rows and none of them can be read.
    """
    yield RunObservation(TOOL)
    reader: _Reader | None = None
    tally, is_over = Tally(), False
    for number, line in read_lines(stream):
        if reader is None:
            places = _read_head(line or b"")
            if places is None:
                raise ParseError("no head of an nfdump list", f"line {number}")
            reader = _Reader(places)
            continue
        is_over = is_over or (line or b"").startswith(b"Summary")
        if is_over or (line is not None and not line.strip()):
            continue
        found = reader.read(line.decode("ascii", "replace").split(",")) if line is not None else None
        if found is None:
            tally.drop(f"line {number}", "no flow record")
            continue
        tally.good += 1
        yield from found
    if reader is None:
        raise ParseError("no head of an nfdump list")
    yield from tally.losses()
    yield RunEnd(reader.newest)


def _read_head(line: bytes) -> dict[str, int] | None:
    names = [name.strip().lower() for name in line.decode("ascii", "replace").strip().split(",")]
    places: dict[str, int] = {}
    for place, name in enumerate(names[:200]):
        if name in _COLUMNS:
            places.setdefault(_COLUMNS[name], place)
    return places if places.keys() >= _NEEDED else None


_Key = tuple[str, str, str, str]


@dataclass(slots=True)
class _Reader:
    places: dict[str, int]
    newest: datetime | None = None
    _pairs: OrderedDict[_Key, tuple[str, bool]] = field(default_factory=OrderedDict)
    _known: set[tuple[str, str]] = field(default_factory=set)

    def read(self, cells: list[str]) -> tuple[HostObservation, ...] | None:
        """Read a record; None for what is none."""
        if len(cells) <= max(self.places.values()):
            return None
        said = {name: cells[place].strip() for name, place in self.places.items()}
        since = _read_iso(said["since"])
        if since is None:
            return None
        last = _read_iso(said.get("until", "")) or since
        self.newest = last if self.newest is None or last > self.newest else self.newest
        if said["proto"].upper() not in {"TCP", "6"}:
            return ()
        ends = (said["source"], said["source_port"]), (said["target"], said["target_port"])
        if any(read_address(address) is None or parse_port(port) is None for address, port in ends):
            return None
        has_spoken = _is_established(said)
        if said.get("back", "0").strip("0"):
            both = has_spoken and ("flags" in said or _number(said["back"]) >= ESTABLISHED_PACKETS)
            return self._tell(*ends[1], last) if both else ()
        return self._join(ends, said["since"], has_spoken, last)

    def _join(
        self, ends: tuple[tuple[str, str], tuple[str, str]], since: str, has_spoken: bool, last: datetime
    ) -> tuple[HostObservation, ...]:
        source, target = ends
        other = self._pairs.pop((*target, *source), None)
        if other is None:
            self._pairs[*source, *target] = since, has_spoken
            if len(self._pairs) > MAX_PAIRS:
                self._pairs.popitem(last=False)
            return ()
        if not (has_spoken and other[1]):
            return ()
        if other[0] == since:  # both began in the same millisecond
            server = target if int(target[1]) < int(source[1]) else source
        else:
            server = source if other[0] < since else target
        return self._tell(*server, last)

    def _tell(self, address: str, port: str, time: datetime) -> tuple[HostObservation, ...]:
        if (address, port) in self._known:
            return ()
        if len(self._known) < MAX_KNOWN:
            self._known.add((address, port))
        host, number = read_address(address), parse_port(port)
        if host is None or number is None:
            return ()
        endpoint = EndpointObservation("tcp", number, OPEN, "flow")
        return (HostObservation(host, up=True, answered=True, time=time.astimezone(UTC), endpoints=(endpoint,)),)


def _is_established(said: dict[str, str]) -> bool:
    flags = said.get("flags")
    if flags is not None and any(sign.isalpha() for sign in flags):
        return "S" in flags and "A" in flags
    return _number(said["packets"]) >= ESTABLISHED_PACKETS


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
