"""A switch's table of MAC addresses as it prints it in; on which port each card was learned out.

Read are `show mac address-table` of Cisco and Ruijie, `display mac-address` of Huawei VRP and H3C Comware (and what
those makers printed in older versions). Source: public outputs of Huawei, H3C, Cisco IOS and NX-OS switches; that of
Ruijie is from memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from sentinel.model.observation import Observation, RunEnd, RunObservation
from sentinel.model.sighting import AttachmentObservation
from sentinel.observe.lines import Tally, decode_start, read_text_lines, strip_terminal
from sentinel.observe.log_time import make_reader
from sentinel.observe.text import cut_text, read_mac

NAME = "mac-table"
TOOL = "mac-table"

_CARD = r"([0-9A-Fa-f]{4}[.-][0-9A-Fa-f]{4}[.-][0-9A-Fa-f]{4}|[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5})"
_HEAD = re.compile(
    r"(?:vlan(?: id)?\s+mac address\s+type|mac addr(?:ess)?\s+vlan(?:/\S*| id)?\s.*(?:port|learned-from|type|state))",
    re.IGNORECASE,
)
_VLAN_FIRST = re.compile(
    rf"[*+ ]*(\d{{1,4}}|All|N/A)\s+{_CARD}\s+([A-Za-z]\w*)\s+(?:(?:Yes|No|\d+|-|~~~|F)\s+)*"
    r"(\S+(?: \d+(?:/\d+)*(?:\.\d+)?)?)(?:\s+\S.*)?"
)
_CARD_FIRST = re.compile(rf"{_CARD}\s+(\S+)\s+(.*)")
_PROMPT = re.compile(
    r"(?:<([\w.-]{1,60})>\s*dis\S*\s+mac|\[([\w.-]{1,60})\]\s*dis\S*\s+mac|([\w.-]{1,60})[#>]\s*sh\S*\s+mac)"
)
_CLOCK = re.compile(r"#?\s*(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)\s*(Z|[+-]\d\d:\d\d)?")
_LEARNED = frozenset(
    {
        "dynamic",
        "learned",
        "learn",
        "sticky",
        "security",
        "secdynamic",
        "secsticky",
        "authen",
        "auth",
        "mac-auth",
        "dot1x",
    }
)
_KINDS = _LEARNED | {"static", "config", "configured", "system", "self", "cpu", "blackhole", "mux", "snooping", "guest"}
_NO_PORT = frozenset({"cpu", "router", "drop", "switch", "-", "sup-eth1(r)", "vlan", "igmp", "aggregate"})
_read_iso = make_reader("iso")


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes look like a table of MAC addresses."""
    lines = [line.strip() for line in strip_terminal(decode_start(head[:16384])).splitlines()]
    return any(_HEAD.match(line) for line in lines) and any(_read_row(line) for line in lines)


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, each learned card in the order of the file, and what was lost.

    Passed over is what somebody configured and what belongs to the switch itself. The device is named by the prompt
    before the command, the time by a line of its own before the table, as in a list of neighbours.

    Raises:
        ParseError: there are rows, and none of them can be read.
    """
    yield RunObservation(TOOL)
    tally, device = Tally(), ""
    printed: datetime | None = None
    for number, raw in read_text_lines(stream):
        if raw is None:
            tally.drop(f"line {number}", "the line is too long")
            continue
        line = strip_terminal(raw).strip()
        if prompt := _PROMPT.search(line[:200]):
            device = cut_text(prompt[1] or prompt[2] or prompt[3])
        elif clock := _CLOCK.fullmatch(line):
            printed = _read_iso(f"{clock[1]}{clock[2] or ''}")
        elif row := _read_row(line):
            tally.good += 1
            mac, vlan, kind, port = row
            if mac and kind in _LEARNED and port.lower() not in _NO_PORT:
                yield AttachmentObservation(mac, device, cut_text(port, 60), cut_text(vlan, 40), printed)
        elif re.match(_CARD, line):
            tally.drop(f"line {number}", "no row of a table of MAC addresses")
    yield from tally.losses()
    if printed is not None:
        yield RunEnd(printed)


def _read_row(line: str) -> tuple[str, str, str, str] | None:
    """Give card, VLAN, kind and port of a row of any maker."""
    if len(line) > 400:
        return None
    if found := _VLAN_FIRST.fullmatch(line):
        return read_mac(found[2]), found[1], found[3].lower(), found[4]
    if found := _CARD_FIRST.fullmatch(line):
        words = found[3].split()
        kind = next((word.lower() for word in words if word.lower() in _KINDS), "")
        port = next((word for word in words if re.match(r"[A-Za-z]+[-A-Za-z]*\d", word) and word.lower() != kind), "")
        if kind and (port or kind not in _LEARNED):
            return read_mac(found[1]), found[2].partition("/")[0], kind, port
    return None
