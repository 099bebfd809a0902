"""sentinel's own record of closer looks, as JSON lines, in; the run, what each look found, and what was lost out.

The first line is `{"sentinel": "probes", "version": 1, "tool": …, "started": …}`; each further one is a look; the last
one is `{"finished": …, "sent": …}` and is missing where the run was cut short.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import BinaryIO

from sentinel.errors import ParseError
from sentinel.model.observation import Loss, Observation, RunEnd, RunObservation
from sentinel.model.probe import ProbeKind, ProbeObservation, clean_values
from sentinel.observe.lines import Tally, read_lines
from sentinel.observe.text import clean_name, cut_text, parse_address, parse_utc, plain_text

NAME = "sentinel-probes"
VERSION = 1

_HEAD = b'{"sentinel": "probes"'
_PROTOS = frozenset({"tcp", "udp", ""})
_MAX_LINE = 256 * 1024


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes are those of a record of closer looks."""
    return head.startswith(_HEAD)


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, each look, what was lost, and the end where the run came to one.

    Raises:
        ParseError: the first line cannot be read, or none of the looks can.
    """
    tally, end, begun = Tally(), None, False
    for number, line in read_lines(stream):
        row = _read(line)
        if not begun:
            yield _run(row)
            begun = True
            continue
        if row is not None and "finished" in row:
            end = RunEnd(_time(row.get("finished")), probes=_count(row.get("sent")))
            continue
        try:
            if row is None:
                raise ValueError("no JSON object")
            found = _look(row)
        except (TypeError, ValueError) as error:
            tally.drop(f"line {number}", str(error))
        else:
            tally.good += 1
            yield found
    if not begun:
        raise ParseError("an empty record of closer looks")
    yield from tally.losses()
    if end is not None:
        yield end
    else:
        yield Loss("the record ends before the run did")


def write_head(tool: str, started: datetime) -> bytes:
    """Give the first line of a record."""
    return _line({"sentinel": "probes", "version": VERSION, "tool": tool, "started": started.isoformat()})


def write_look(one: ProbeObservation) -> bytes:
    """Give the line of a look."""
    row = {
        "kind": one.kind.value,
        "address": str(one.address) if one.address else None,
        "proto": one.proto,
        "port": one.port,
        "name": one.name,
        "time": one.time.isoformat(),
        "answered": one.answered,
        "reason": one.reason,
        "values": dict(one.values),
    }
    return _line(row)


def write_end(finished: datetime, sent: int) -> bytes:
    """Give the last line of a record."""
    return _line({"finished": finished.isoformat(), "sent": sent})


def _line(row: Mapping[str, object]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _read(line: bytes | None) -> dict[str, object] | None:
    if line is None or len(line) > _MAX_LINE:
        return None
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _run(row: dict[str, object] | None) -> RunObservation:
    if row is None or row.get("sentinel") != "probes":
        raise ParseError("the first line is no head of a record of closer looks")
    if row.get("version") != VERSION:
        raise ParseError(f"a record of version {cut_text(str(row.get('version')), 20)}; this sentinel reads {VERSION}")
    tool, _, version = plain_text(row.get("tool")).partition(" ")
    return RunObservation(tool=cut_text(tool, 60), version=cut_text(version, 60), started=_time(row.get("started")))


def _look(row: dict[str, object]) -> ProbeObservation:
    text = plain_text(row.get("address"))
    address = parse_address(text) if text else None
    if text and address is None:
        raise ValueError("its address cannot be read")
    proto, port, time = row.get("proto"), row.get("port"), _time(row.get("time"))
    if proto not in _PROTOS or type(port) is not int or not 0 <= port <= 65_535:
        raise ValueError("its port cannot be read")
    if time is None:
        raise ValueError("its time is not told or impossible")
    name, values = clean_name(plain_text(row.get("name"))), row.get("values")
    if address is None and not name:
        raise ValueError("it is about neither an address nor a name")
    if not isinstance(values, dict):
        raise TypeError("its values are missing")
    return ProbeObservation(
        kind=ProbeKind(plain_text(row.get("kind"))),
        address=address,
        proto=str(proto),
        port=port,
        name=name,
        time=time,
        answered=row.get("answered") is True,
        reason=cut_text(plain_text(row.get("reason")), 200),
        values=clean_values({str(key)[:60]: _plain(value) for key, value in values.items()}),
    )


def _plain(value: object) -> object:
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, list):
        return [plain_text(one) if isinstance(one, str) else one for one in value]
    return value


def _time(value: object) -> datetime | None:
    return parse_utc(value) if isinstance(value, str) else None


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None
