"""The lease file of dnsmasq in; the run, one host observation per lease, and what was lost out.

dnsmasq rewrites the file with every change and leaves out what has ended, so every lease in it was in force when it
was written. It tells when leases end, not when they began: the file is older than the first end in it.
Source: dnsmasq 2.90, `lease_update_file` in src/lease.c, and its author's words on the dnsmasq-discuss list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from sentinel.model.observation import HostObservation, Observation, RunEnd, RunObservation
from sentinel.observe.dhcp_lease import ACTIVE, build_holding, build_lease, read_duid
from sentinel.observe.lines import BOM, Tally, read_lines
from sentinel.observe.text import parse_time, read_mac

NAME = "dnsmasq-leases"
TOOL = "dnsmasq"

_LEASE4 = re.compile(
    rb"(\d{1,19}) (?:([0-9a-fA-F]{1,2})-)?([0-9a-fA-F]{2}(?::[0-9a-fA-F]{2})*) ([0-9.]{7,15}) (\S+) (\S+)"
)
_LEASE6 = re.compile(rb"(\d{1,19}) T?\d+ (?=[0-9a-fA-F]*:)([0-9a-fA-F:]++) (\S+) (\S+)")
_DUID = re.compile(rb"duid [0-9a-fA-F:]+")
_ETHERNET = {None, b"1", b"01"}


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes look like dnsmasq's leases."""
    line = head.removeprefix(BOM).lstrip().split(b"\n", 1)[0].strip()
    return any(pattern.fullmatch(line) for pattern in (_LEASE4, _LEASE6, _DUID))


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, each lease in the order of the file, what was lost, and the moment before which it was written.

    Raises:
        ParseError: there are rows, and none of them can be read.
    """
    yield RunObservation(TOOL)
    tally = Tally()
    ends: list[datetime] = []
    for number, line in read_lines(stream):
        if line is not None and (not line.strip() or _DUID.fullmatch(line.strip())):
            continue
        read = _read_row(line.strip()) if line is not None else None
        if read is None:
            tally.drop(f"line {number}", "no lease of dnsmasq's")
            continue
        tally.good += 1
        host, end, client = read
        if end is not None:
            ends = [min([end, *ends])]
        yield host
        if holding := build_holding(host, end, client):
            yield holding
    yield from tally.losses()
    yield RunEnd(before=ends[0] if ends else None)


def _read_row(line: bytes) -> tuple[HostObservation, datetime | None, str] | None:
    if four := _LEASE4.fullmatch(line):
        mac = read_mac(four[3].decode()) if four[2] in _ETHERNET else ""
        seconds, address, name, client = four[1], four[4], four[5], four[6]
    elif six := _LEASE6.fullmatch(line):
        seconds, address, name, client = six[1], six[2], six[3], six[4]
        mac = _read_duid(six[4])
    else:
        return None
    text = "" if name == b"*" else name.decode("utf-8", "replace")
    host = build_lease(address.decode(), ACTIVE, None, mac, text)
    if host is None:
        return None
    return host, parse_time(seconds.decode()), client.decode("ascii", "replace")  # 0, without end, is too early


def _read_duid(text: bytes) -> str:
    try:
        return read_duid(bytes.fromhex(text.decode().replace(":", "")))
    except ValueError:
        return ""
