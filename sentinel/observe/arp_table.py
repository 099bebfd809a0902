"""A list of neighbours (ARP or IPv6) as a host or switch prints it in, the run and one host observation per card out.
A learned entry is also a sighting: the card held the address at that moment.

Read are: `arp -a`, `arp -an`, `arp -n` of Linux, BSD and macOS; `arp -a` of Windows, English or Chinese; `ip neigh`;
`/proc/net/arp`; `show ip arp`, `show arp`, `show ipv6 neighbors` of Cisco IOS; `display arp`, `display ipv6 neighbors`
of Huawei VRP and H3C Comware. Source: the outputs of switches in ntc-templates and in public notes, proc(5).

An entry that was learned says that the host was there shortly before the list was printed, no more: no port, and
nothing of hosts that are not in it. An entry somebody configured says nothing of the kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO

from sentinel.model.moment import EARLIEST, SHANGHAI
from sentinel.model.observation import HostObservation, Observation, RunEnd, RunObservation
from sentinel.model.sighting import HoldingObservation, HoldingSource
from sentinel.observe.lines import Tally, decode_start, read_text_lines, strip_terminal
from sentinel.observe.text import LATEST, clean_name, is_host, parse_address, read_mac

NAME = "arp-table"

_LEARNED, _CONFIGURED = "arp-entry", "arp-static"
_CARD = re.compile(r"[0-9a-f]{1,4}(?:[:.-][0-9a-f]{1,4}){2,19}|[0-9a-f]{12}|[(<]?incomplete[)>]?|incmp|-+")
"""A card's address, that of something longer (InfiniBand), or what stands where there is none."""

_UNIX = re.compile(r"(\S+) \(([0-9A-Fa-f.:]+(?:%\S+)?)\) at (\S+)(.*)")
_NEIGH = re.compile(
    r"([0-9A-Fa-f.:]+) dev \S+(?: lladdr (\S+))?(?: (?:router|proxy|extern_learn|used \S+|ref \d+|probes \d+))*"
    r" (REACHABLE|STALE|DELAY|PROBE|PERMANENT|NOARP|FAILED|INCOMPLETE|NONE)\b.*"
)
_PROC = re.compile(r"(\d+\.\d+\.\d+\.\d+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+(\S+)\s+\S+\s+\S+")
_TABLE = re.compile(r"(\S+)\s+(?:\(incomplete\)|ether\s+(\S+)\s+([CMP]+)\s).*")
_CISCO = re.compile(r"Internet\s+(\d+\.\d+\.\d+\.\d+)\s+(\d+|-)\s+(\S+)\s+\S+.*")
_CISCO6 = re.compile(r"(?=[0-9A-Fa-f]*:)([0-9A-Fa-f:]{2,}+)\s+(?:\d+|-)\s+(\S+)\s+([A-Z]+)\s+\S+.*")
_ROW = re.compile(r"([0-9A-Fa-f.]*[.:][0-9A-Fa-f.:]+)\s+(\S+)(?:\s+(.*))?")
_BLOCK = re.compile(r"IPv6 Address\s*:\s*(\S+)")
_BLOCK_CARD = re.compile(r"Link-layer\s*:\s*(\S+)\s+State\s*:\s*(\S+)")
_CLOCK = re.compile(r"#?\s*(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)\s*(Z|[+-]\d\d:\d\d)?")
_STARTS_LIKE_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}\s")

_HEADS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("windows", re.compile(r"(?:Internet Address|Internet 地址|網際網路網址)\s+\S")),
    ("proc", re.compile(r"IP address\s+HW type\s+Flags\s+HW address")),
    ("table", re.compile(r"Address\s+HWtype\s+HWaddress\s+Flags Mask\s+Iface")),
    ("cisco", re.compile(r"Protocol\s+Address\s+Age \(min\)\s+Hardware Addr")),
    ("cisco6", re.compile(r"IPv6 Address\s+Age Link-layer Addr State")),
    ("huawei", re.compile(r"IP ADDRESS\s+MAC ADDRESS\s+(?:EXPIRE|EXP)\s*\(M\)")),
    ("comware", re.compile(r"IP address\s+MAC address\s+(?:VLAN|VID|VSI)", re.IGNORECASE)),
    ("comware6", re.compile(r"IPv6 address\s+Link[ -]layer\s", re.IGNORECASE)),
)
"""The head of a list tells whose it is; what has no head is told by its rows."""

_BARE = ((_UNIX, "unix"), (_NEIGH, "neigh"), (_BLOCK, "block"))


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes look like a list of neighbours."""
    text = strip_terminal(decode_start(head[:4096]))
    return any(head.search(text) for _, head in _HEADS) or any(
        pattern.fullmatch(line.strip()) for line in text.splitlines() for pattern, _ in _BARE
    )


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, one host per entry with a card's address in the order of the file, and what was lost.

    Passed over are entries without a card, broadcast and multicast, and link-local addresses, which mean nothing
    outside their link; a row is lost when it begins with an address and
    cannot be read. A time that stands on a line of its own before the list (`display clock`, `date -Iseconds`) is the
    time of the run; without a zone it is Asia/Shanghai.

    Raises:
        ParseError: there are rows, and none of them can be read.
    """
    reader = _Reader()
    yield RunObservation("arp")
    for number, line in read_text_lines(stream):
        if line is None:
            reader.tally.drop(f"line {number}", "the line is too long")
            continue
        host = reader.read(number, strip_terminal(line).strip())
        if host is not None:
            yield host
            if host.mac and host.layer2:
                source = HoldingSource.ARP if host.address.version == 4 else HoldingSource.NEIGHBOUR
                yield HoldingObservation(
                    host.address, source, host.mac, reader.printed, reader.printed, "".join(host.names[:1])
                )
    yield from reader.tally.losses()
    if reader.printed is not None:
        yield RunEnd(reader.printed)


@dataclass(slots=True)
class _Reader:
    """Reads lines; which list a row belongs to is told by the last head above it."""

    tally: Tally = field(default_factory=Tally)
    printed: datetime | None = None
    _list: str = ""
    _pending: str = ""

    def read(self, number: int, line: str) -> HostObservation | None:
        """Read one line into a host; None for any other line, which is counted where it is a row that was lost."""
        found = next((name for name, head in _HEADS if head.search(line)), "")
        if found:
            self._list = found
            return None
        if self.printed is None and not self.tally.good and (clock := _CLOCK.fullmatch(line)):
            self.printed = _read_clock(clock)
            return None
        entry = self._entry(line)
        if entry is None or not _CARD.fullmatch(entry[1].lower()):
            if _STARTS_LIKE_ADDRESS.match(f"{line} ") and self._list:
                self.tally.drop(f"line {number}", "no entry of a list of neighbours")
            return None
        self.tally.good += 1
        return _build(*entry)

    def _entry(self, line: str) -> tuple[str, str, bool, str] | None:
        """Give address, card, whether it was learned, and name; an entry without a card has an empty one."""
        if block := _BLOCK.match(line):
            self._pending = block[1]
            return None
        if self._pending and (card := _BLOCK_CARD.match(line)):
            address, self._pending = self._pending, ""
            return address, card[1], _is_live(card[2]), ""
        if unix := _UNIX.fullmatch(line):
            return unix[2], unix[3], "perm" not in unix[4].lower(), "" if unix[1] == "?" else unix[1]
        if neigh := _NEIGH.fullmatch(line):
            return neigh[1], neigh[2] or "-", _is_live(neigh[3]), ""
        return _ROWS[self._list](line) if self._list in _ROWS else None


def _read_proc(line: str) -> tuple[str, str, bool, str] | None:
    row = _PROC.fullmatch(line)  # flags of the kernel: 0x2 complete, 0x4 permanent
    return (row[1], row[3] if int(row[2], 16) & 2 else "-", not int(row[2], 16) & 4, "") if row else None


def _read_table(line: str) -> tuple[str, str, bool, str] | None:
    row = _TABLE.fullmatch(line)
    return (row[1], row[2] or "-", "M" not in (row[3] or ""), "") if row else None


def _read_cisco(line: str) -> tuple[str, str, bool, str] | None:
    row = _CISCO.fullmatch(line)  # the age of the router's own addresses is a dash
    return (row[1], row[3], True, "") if row else None


def _read_cisco6(line: str) -> tuple[str, str, bool, str] | None:
    row = _CISCO6.fullmatch(line)
    return (row[1], row[2], _is_live(row[3]), "") if row else None


def _read_windows(line: str) -> tuple[str, str, bool, str] | None:
    row = _ROW.fullmatch(line)
    kind = (row[3] or "").strip().lower() if row else ""
    return (row[1], row[2], kind not in {"static", "静态", "靜態"}, "") if row and kind else None


def _read_huawei(line: str) -> tuple[str, str, bool, str] | None:
    row = _ROW.fullmatch(line)
    if row is None or (row[3] is None and not _CARD.fullmatch(row[2].lower())):
        return None
    kind = next((word for word in (row[3] or "").split() if not word.isdigit()), "D")
    return row[1], row[2], not kind.upper().startswith("S"), ""


def _read_comware(line: str) -> tuple[str, str, bool, str] | None:
    row = _ROW.fullmatch(line)
    words = (row[3] or "").split() if row else []
    return (row[1], row[2], words[-1].upper()[:1] not in {"S", "M", "I", "R"}, "") if row and words else None


def _read_comware6(line: str) -> tuple[str, str, bool, str] | None:
    row = _ROW.fullmatch(line)
    words = (row[3] or "").split() if row else []
    state = next((word for word in words if word.isupper() and len(word) > 3 and word.isalpha()), "")
    return (row[1], row[2], _is_live(state) and "S" not in words, "") if row and state else None


_ROWS: dict[str, Callable[[str], tuple[str, str, bool, str] | None]] = {
    "proc": _read_proc,
    "table": _read_table,
    "cisco": _read_cisco,
    "cisco6": _read_cisco6,
    "windows": _read_windows,
    "huawei": _read_huawei,
    "comware": _read_comware,
    "comware6": _read_comware6,
}


def _is_live(state: str) -> bool:
    """Tell whether a state of RFC 4861, as systems abbreviate it, is that of a neighbour that was heard."""
    return state.upper() in {"REACHABLE", "REACH", "STALE", "DELAY", "PROBE"}


def _build(address_text: str, card: str, learned: bool, name: str) -> HostObservation | None:
    address = parse_address(address_text)
    mac = read_mac(card)
    if address is None or not is_host(address) or address.is_loopback or address.is_link_local or not mac:
        return None
    clean = clean_name(name)
    return HostObservation(
        address=address,
        up=learned,
        answered=learned,
        layer2=learned,
        names=(clean,) if clean and parse_address(clean) is None else (),
        mac=mac,
        reason=_LEARNED if learned else _CONFIGURED,
    )


def _read_clock(found: re.Match[str]) -> datetime | None:
    try:
        moment = datetime.fromisoformat(f"{found[1]}{found[2] or ''}".replace("Z", "+00:00"))
    except ValueError:
        return None
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).astimezone(UTC)
    return moment if EARLIEST <= moment < LATEST else None
