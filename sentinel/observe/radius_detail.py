"""Accounting records of FreeRADIUS (`detail` files) in; who held which address on which port, and what was lost, out.

Source: FreeRADIUS 3, rlm_detail; RFC 2866 (attributes), RFC 2869 (Interim, Event-Timestamp), RFC 3580 (802.1X).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import BinaryIO

from sentinel.model.observation import Observation, RunEnd, RunObservation
from sentinel.model.sighting import HoldingSource
from sentinel.observe.accounting import Logins, Phase, Record, Told, read_seconds
from sentinel.observe.lines import Tally, decode_start, read_text_lines
from sentinel.observe.text import cut_text, is_host, parse_address, parse_c_time, parse_time, read_mac

NAME = "radius-detail"
TOOL = "freeradius"

MAX_ATTRIBUTES = 200
"""Attributes kept of one record; FreeRADIUS writes some 40."""

MAX_VALUE = 300

_HEAD = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}")
_ATTRIBUTE = re.compile(r"\s+([A-Za-z][\w.-]{1,60})(?::\d+)? (?:=|:=|\+=) (.*)")
_PHASES = {
    "start": Phase.BEGIN,
    "interim-update": Phase.UPDATE,
    "alive": Phase.UPDATE,
    "stop": Phase.END,
}
_NOT_SESSIONS = frozenset({"accounting-on", "accounting-off", "failed"})
_ADDRESSES = ("Framed-IP-Address", "Framed-IPv6-Address")


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes look like a detail file."""
    lines = decode_start(head[:8192]).splitlines()
    return any(
        _HEAD.fullmatch(line.rstrip()) and _ATTRIBUTE.fullmatch(after.rstrip()) for line, after in pairwise(lines)
    )


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, each session when it has ended or the file has, what was lost, and the run's end.

    A record of authentication, which tells no status, is passed over. A user name that is the card's own address
    (MAC authentication) is no account.

    Raises:
        ParseError: there are records, and none of them can be read.
    """
    reader = _Reader()
    yield RunObservation(TOOL)
    for number, line in read_text_lines(stream):
        if line is None:
            reader.tally.drop(f"line {number}", "the line is too long")
            continue
        yield from reader.read(number, line)
    reader.leave_cut()
    yield from reader.logins.rest()
    yield from reader.tally.losses()
    passed = (("other records", reader.other),) if reader.other else ()
    yield RunEnd(accounts=reader.accounts, passed_over=passed)


@dataclass(slots=True)
class _Reader:
    tally: Tally = field(default_factory=Tally)
    logins: Logins = field(default_factory=Logins)
    accounts: bool = False
    other: int = 0
    _head: str = ""
    _line: int = 0
    _said: dict[str, str] = field(default_factory=dict)

    def read(self, number: int, line: str) -> Iterator[Told]:
        """Read a line; a record ends where the next begins or a line is empty."""
        if attribute := _ATTRIBUTE.fullmatch(line.rstrip()):
            if len(self._said) < MAX_ATTRIBUTES:
                self._said.setdefault(attribute[1], attribute[2][:MAX_VALUE].strip('"'))
            return
        if line[:1].isspace() and not _HEAD.fullmatch(line.strip()):  # a line of the record, though no attribute
            if line.strip():
                self.tally.drop(f"line {number}", "neither the head of a record nor an attribute")
            return
        yield from self.close()
        if _HEAD.fullmatch(line.strip()):
            self._head, self._line = line.strip(), number
        elif line.strip():
            self.tally.drop(f"line {number}", "neither the head of a record nor an attribute")

    def leave_cut(self) -> None:
        """Drop a record that no empty line ended: the file was cut off in it, so its last value may be half of one."""
        if self._said:
            self.accounts = self.accounts or _names_account(self._said)
            self.tally.drop(f"line {self._line}", "the file ends inside a record")
            self._said = {}

    def close(self) -> Iterator[Told]:
        """Read the record that is open."""
        head, said = self._head, self._said
        self._head, self._said = "", {}
        if not said:
            return
        self.accounts = self.accounts or _names_account(said)
        status = said.get("Acct-Status-Type", "").lower()
        if not status or status in _NOT_SESSIONS:
            self.other += 1
            return
        phase = _PHASES.get(status)
        record = _build(phase, head, said) if phase else None
        if record is None:
            self.tally.drop(f"line {self._line}", "a record without a card, an account or an address")
            return
        self.tally.good += 1
        session = said.get("Acct-Unique-Session-Id") or said.get("Acct-Session-Id", "")
        yield from self.logins.take((record.device, session) if session else "", record)


def _build(phase: Phase, head: str, said: dict[str, str]) -> Record | None:
    mac = read_mac(said.get("Calling-Station-Id", ""))
    user = cut_text(said.get("User-Name", ""))
    found = (parse_address(said.get(name, "").partition("/")[0]) for name in _ADDRESSES)
    address = next((one for one in found if one is not None and is_host(one)), None)
    if not (mac or user or address):
        return None
    ssid = said.get("Called-Station-Id", "")
    ssid = ssid.rpartition(":")[2] if read_mac(ssid.rpartition(":")[0]) else ""
    return Record(
        phase,
        _time(head, said),
        HoldingSource.RADIUS,
        read_seconds(said.get("Acct-Session-Time", "")),
        address,
        mac=mac,
        user="" if mac and read_mac(user) == mac else user,
        device=cut_text(said.get("NAS-Identifier") or said.get("NAS-IP-Address") or said.get("NAS-IPv6-Address", "")),
        port=cut_text(ssid or said.get("NAS-Port-Id") or said.get("NAS-Port", "")),
        vlan=cut_text(said.get("Tunnel-Private-Group-Id", ""), 40),
    )


def _names_account(said: dict[str, str]) -> bool:
    """Tell whether a record names an account, also one of a login that was only asked for; the card itself is none."""
    user, mac = cut_text(said.get("User-Name", "")), read_mac(said.get("Calling-Station-Id", ""))
    return bool(user) and not (mac and read_mac(user) == mac)


def _time(head: str, said: dict[str, str]) -> datetime | None:
    """Give when it happened: when the server wrote it, less what the switch held it back."""
    moment = parse_time(said.get("Timestamp")) or parse_c_time(head)
    delay = read_seconds(said.get("Acct-Delay-Time", "")) or 0
    return moment - timedelta(seconds=min(delay, 86_400)) if moment else None
