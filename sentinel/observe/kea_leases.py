"""The lease file of Kea's memfile back end, for IPv4 or IPv6, in; the run, its leases, and what was lost out.

The file is a journal: each change of a lease is a further row, so the last one of an address counts. Values hold no
quotes; a comma in one is written `&#x2c`. Source: Kea 2.6, `CSVLeaseFile4`, `CSVLeaseFile6` and `CSVRow::escape`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from sentinel.model.observation import HostObservation, Observation, RunObservation
from sentinel.observe.dhcp_lease import ACTIVE, build_holding, build_lease, read_duid
from sentinel.observe.lines import BOM, Tally, read_lines
from sentinel.observe.text import parse_time

NAME = "kea-leases"
TOOL = "kea"

# Source: Kea 2.6, src/lib/dhcpsrv/lease.h.
_STATES = {"": ACTIVE, "0": ACTIVE, "1": "declined", "2": "expired-reclaimed", "3": "released", "4": "registered"}
_PREFIX = "2"
"""The type of a lease that is a whole prefix given to a router."""

_INFINITE = 0xFFFFFFFF
_HEAD = re.compile(rb"address,(?:hwaddr,client_id|duid),valid_lifetime,expire,")
_NUMBER = re.compile(r"[0-9]{1,19}")
_ESCAPE = re.compile(r"&#x([0-9a-fA-F]{2})")


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes look like Kea's leases."""
    return bool(_HEAD.match(head.removeprefix(BOM)))


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, each lease as often as it is written, in the order of the file, and what was lost.

    The time is when the client was last heard: the end of the lease less its length. Prefixes given to routers are
    passed over. A row is lost when it has not the columns of the head or its address cannot be read.

    Raises:
        ParseError: there are rows, and none of them can be read.
    """
    yield RunObservation(TOOL)
    tally = Tally()
    names: list[str] = []
    for number, line in read_lines(stream):
        if line is None:
            tally.drop(f"line {number}", "the line is too long")
            continue
        if not line.strip():
            continue
        cells = line.decode("utf-8", "replace").split(",")
        if _HEAD.match(line):
            names = cells
            continue
        if len(cells) != len(names):
            tally.drop(f"line {number}", f"{len(cells)} columns where the head has {len(names)}")
            continue
        row = dict(zip(names, cells, strict=True))
        if row.get("lease_type") == _PREFIX:
            tally.good += 1
            continue
        host = _read_row(row)
        if host is None:
            tally.drop(f"line {number}", "an address cannot be read")
            continue
        tally.good += 1
        yield host
        client = row.get("client_id", "") or row.get("duid", "")
        if holding := build_holding(host, _read_end(row), client):
            yield holding
    yield from tally.losses()


def _read_row(row: dict[str, str]) -> HostObservation | None:
    length = row.get("valid_lifetime", "")
    state = _STATES.get(row.get("state", ""), "unknown")
    mac = row.get("hwaddr", "") or _read_mac(row.get("duid", ""))
    name = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), row.get("hostname", ""))
    # A length of nothing is how Kea writes that a lease was deleted.
    return build_lease(row.get("address", ""), "deleted" if length == "0" else state, _read_start(row), mac, name)


def _read_start(row: dict[str, str]) -> datetime | None:
    """Give when the client was last heard; None where it cannot be told, as for a lease without an end."""
    expire, length = row.get("expire", ""), row.get("valid_lifetime", "")
    if not _NUMBER.fullmatch(expire) or not _NUMBER.fullmatch(length) or int(length) == _INFINITE:
        return None
    return parse_time(int(expire) - int(length))


def _read_end(row: dict[str, str]) -> datetime | None:
    is_endless = row.get("valid_lifetime", "") == str(_INFINITE)
    return None if is_endless or not _NUMBER.fullmatch(row.get("expire", "")) else parse_time(row["expire"])


def _read_mac(duid: str) -> str:
    try:
        return read_duid(bytes.fromhex(duid.replace(":", "")))
    except ValueError:
        return ""
