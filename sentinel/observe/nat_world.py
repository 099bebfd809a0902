"""Lines of NAT logs of Linux, Fortinet, Palo Alto and Cisco in; what they say of a session out.

How sure each form is:

- Linux `conntrack -E -o timestamp`: the line is verified against public output, the time before it from memory.
- netfilter through ulogd (`ORIG: SRC=… , REPLY: SRC=…`): from the published example of ulogd 2.
- Fortinet traffic logs (`trandisp=`): from the published log reference of FortiOS 6 and 7.
- Palo Alto traffic logs (CSV): from the published field list of PAN-OS 10 and 11.
- Cisco ASA 302013 to 302016, 305011, 305012, 305014, 305015: from the published list of messages.
"""

from __future__ import annotations

import csv
import re
from datetime import datetime, timedelta

from sentinel.model.sighting import TranslationObservation
from sentinel.observe.log_time import make_reader
from sentinel.observe.nat_event import (
    Ended,
    Phase,
    Preset,
    Reading,
    build_event,
    read_address,
    translate,
)
from sentinel.observe.syslog import HeadReader
from sentinel.observe.text import cut_text, parse_port

_NONE = ("", "")
_read_epoch = make_reader("epoch")
_read_nano = make_reader("epoch_ns")
_read_iso = make_reader("iso")
_read_slashed = make_reader("%Y/%m/%d %H:%M:%S")
MAX_SECONDS = 366 * 86_400

_CONNTRACK = re.compile(
    r"(?:\[(\d{9,10}\.\d{1,9})\s{0,9}\]\s{0,9})?\[(NEW|UPDATE|DESTROY)\]\s{1,20}(?:ipv[46]\s{1,20}\d{1,3}\s{1,20})?"
    r"(\w{1,20})\s{1,20}\d{1,10} .{0,60}?"
    r"\bsrc=(\S{1,45}+) dst=(\S{1,45}+) (?:sport=(\d+) dport=(\d+) |type=\d+ code=\d+ id=(\d+) )?.{0,120}?"
    r"\bsrc=(\S{1,45}+) dst=(\S{1,45}+)(?: sport=(\d+) dport=(\d+)| type=\d+ code=\d+ id=(\d+))?"
)
_ULOGD = re.compile(
    r"\[(NEW|UPDATE|DESTROY)\] ORIG: SRC=(\S+) DST=(\S+) PROTO=(\w+)(?: SPT=(\d+) DPT=(\d+))?.{0,200}?"
    r"REPLY: SRC=(\S+) DST=(\S+) PROTO=\w+(?: SPT=(\d+) DPT=(\d+))?"
)


def _read_conntrack(line: str, heads: HeadReader) -> Reading | None:
    found = _CONNTRACK.search(line)
    if found is None:
        return None
    head = heads.read(line)
    time = _read_epoch(found[1]) if found[1] else head.time
    source, target = (found[4], found[6] or found[8] or ""), (found[5], found[7] or "")
    back, reply = (found[9], found[11] or ""), (found[10], found[12] or found[13] or "")
    return _build_netfilter(found[2], found[3], source, target, back, reply, time, head.host)


def _read_ulogd(line: str, heads: HeadReader) -> Reading | None:
    found = _ULOGD.search(line)
    if found is None:
        return None
    head = heads.read(line)
    source, target = (found[2], found[5] or ""), (found[3], found[6] or "")
    back, reply = (found[7], found[9] or ""), (found[8], found[10] or "")
    return _build_netfilter(found[1], found[4], source, target, back, reply, head.time, head.host)


def _build_netfilter(
    kind: str,
    proto: str,
    source: tuple[str, str],
    target: tuple[str, str],
    back: tuple[str, str],
    reply: tuple[str, str],
    time: datetime | None,
    device: str,
) -> Reading:
    """Build the event of a connection: what its answers come from and go to is what it was translated to."""
    if kind == "UPDATE":
        return True
    since, until = (time, None) if kind == "NEW" else (None, time)
    one = translate(proto, source, reply, target, back, since, until, device)
    return build_event(Phase.BEGIN if kind == "NEW" else Phase.END, ("conntrack", proto, source, target), one)


_FORTINET = re.compile(
    r"\b(date|time|tz|eventtime|devname|srcip|srcport|dstip|dstport|proto|trandisp|transip|transport|tranip|tranport|"
    r'duration|sessionid|action)=("[^"]*"|\S*)'
)


def _read_fortinet(line: str, heads: HeadReader) -> Reading | None:
    said = {name: text.strip('"') for name, text in _FORTINET.findall(line)}
    if not (said.get("srcip") and said.get("dstip")):
        return None
    source, target = (said["srcip"], said.get("srcport", "")), (said["dstip"], said.get("dstport", ""))
    way = said.get("trandisp", "")
    new_source = (said.get("transip", ""), said.get("transport", "")) if "snat" in way else _NONE
    new_target = (said.get("tranip", ""), said.get("tranport", "")) if "dnat" in way else _NONE
    until = _fortinet_time(said) or heads.read(line).time
    is_start = said.get("action") == "start"
    since = until if is_start else _before(until, said.get("duration", ""))
    one = translate(
        said.get("proto", ""), source, new_source, target, new_target, since, None if is_start else until,
        cut_text(said.get("devname", ""), 60),
    )  # fmt: skip
    key = ("fortinet", said.get("devname", ""), said.get("sessionid", ""))
    return build_event(Phase.BEGIN if is_start else Phase.WHOLE, key, one)


def _fortinet_time(said: dict[str, str]) -> datetime | None:
    stamp = said.get("eventtime", "")
    if len(stamp) == 19:
        return _read_nano(stamp)
    if len(stamp) == 10:
        return _read_epoch(stamp)
    return _read_iso(f"{said.get('date', '')}T{said.get('time', '')}{said.get('tz', '')}")


_PALO = re.compile(r",TRAFFIC,(start|end|drop|deny),")


def _read_palo_alto(line: str, heads: HeadReader) -> Reading | None:
    found = _PALO.search(line)
    if found is None:
        return None
    try:
        cells = next(csv.reader([line]), []) if '"' in line else line.split(",")
        at = cells.index("TRAFFIC") - 3
    except (csv.Error, ValueError):
        return False
    if at < 0 or len(cells) < at + 37:
        return False
    if found[1] in {"drop", "deny"}:
        return True
    cell = cells[at:]
    head = heads.read(line)
    since = _read_slashed(cell[35]) or _read_slashed(cell[6])
    until = _after(since, cell[36]) if found[1] == "end" else None
    new_source, new_target = _palo_side(cell[9], cell[26]), _palo_side(cell[10], cell[27])
    one = translate(
        cell[29], (cell[7], cell[24]), new_source, (cell[8], cell[25]), new_target, since, until,
        head.host or cut_text(cell[2], 60),
    )  # fmt: skip
    return build_event(Phase.BEGIN if found[1] == "start" else Phase.WHOLE, ("palo", cell[2], cell[22]), one)


def _palo_side(address: str, port: str) -> tuple[str, str]:
    return _NONE if address in {"", "0.0.0.0", "::"} else (address, port)  # noqa: S104  how it writes none


_ASA = re.compile(r"%(?:ASA|FTD|PIX)-(?:\w+-)?\d-(30\d{4}): (.*)")
_ASA_SLOT = re.compile(
    r"(?:Built|Teardown) (?:dynamic|static) (\w+) translation from [^\s:]+:([0-9A-Fa-f.:]++)/(\d++)(?:\([^)]*\))?"
    r" to [^\s:]+:([0-9A-Fa-f.:]++)/(\d++)(?: duration (\d+):(\d\d):(\d\d))?"
)
_ASA_BUILT = re.compile(
    r"Built (?:inbound|outbound) (\w+) connection (\d+) for [^\s:]+:([0-9A-Fa-f.:]++)/(\d++)(?:\([^)]*\))? "
    r"\(([0-9A-Fa-f.:]++)/(\d++)\)(?:\([^)]*\))? to [^\s:]+:([0-9A-Fa-f.:]++)/(\d++)(?:\([^)]*\))? "
    r"\(([0-9A-Fa-f.:]++)/(\d++)\)"
)
_ASA_ACCOUNT = re.compile(r"/\d+\((?:[^)\\/]*\\)?([^)/]+)\)")
_ASA_DOWN = re.compile(r"Teardown (\w+) connection (\d+) for ")
_ASA_BLOCK = re.compile(
    r"(Allocated|Released) (\w+) block of ports for translation from [^\s:]+:([0-9A-Fa-f.:]++) to "
    r"[^\s:]+:([0-9A-Fa-f.:]++)/(\d++)-(\d++)"
)


def _read_asa(line: str, heads: HeadReader) -> Reading | None:
    found = _ASA.search(line)
    if found is None:
        return None
    head = heads.read(line)
    read = _ASA_MESSAGES.get(found[1])
    return read(found[2], head.time, head.host) if read else None


def _read_slot(text: str, time: datetime | None, device: str) -> Reading:
    found = _ASA_SLOT.match(text)
    if found is None:
        return False
    is_begin = text.startswith("Built")
    length = f"{int(found[6]) * 3600 + int(found[7]) * 60 + int(found[8])}" if found[6] else ""
    since, until = (time, None) if is_begin else (_before(time, length), time)
    inside, outside = (found[2], found[3]), (found[4], found[5])
    one = translate(found[1], inside, outside, _NONE, _NONE, since, until, device)
    return build_event(Phase.BEGIN if is_begin else Phase.END, ("asa", device, found[1], inside, outside), one)


def _read_built(text: str, time: datetime | None, device: str) -> Reading:
    found = _ASA_BUILT.match(text)
    if found is None:
        return False
    far, far_new = (found[3], found[4]), (found[5], found[6])
    near, near_new = (found[7], found[8]), (found[9], found[10])
    one = translate(found[1], near, near_new, far, _NONE, time, None, device)
    if isinstance(one, bool):
        one = translate(found[1], far, far_new, near, _NONE, time, None, device)
    return build_event(Phase.BEGIN, ("asa", device, found[2]), one)


def _read_down(text: str, time: datetime | None, device: str) -> Reading:
    found = _ASA_DOWN.match(text)
    return Ended(("asa", device, found[2]), time) if found else False


def _read_block(text: str, time: datetime | None, device: str) -> Reading:
    found = _ASA_BLOCK.match(text)
    if found is None:
        return False
    inside, outside = read_address(found[3]), read_address(found[4])
    first, last = parse_port(found[5]), parse_port(found[6])
    if inside is None or outside is None or first is None or last is None or first > last:
        return False
    is_begin, proto = found[1] == "Allocated", found[2].lower()
    since, until = (time, None) if is_begin else (None, time)
    name = proto if proto in {"tcp", "udp", "icmp"} else ""
    one = TranslationObservation(name, inside, outside, (first, last), since=since, until=until, device=device)
    return Phase.BEGIN if is_begin else Phase.END, ("asa", device, name, inside, outside, first), one


_ASA_MESSAGES = {
    "302013": _read_built,
    "302014": _read_down,
    "302015": _read_built,
    "302016": _read_down,
    "305011": _read_slot,
    "305012": _read_slot,
    "305014": _read_block,
    "305015": _read_block,
}


def _before(moment: datetime | None, seconds: str) -> datetime | None:
    length = _seconds(seconds)
    return moment - timedelta(seconds=length) if moment is not None and length is not None else None


def _after(moment: datetime | None, seconds: str) -> datetime | None:
    length = _seconds(seconds)
    return moment + timedelta(seconds=length) if moment is not None and length is not None else None


def _seconds(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) <= 9
    return int(text) if is_number and int(text) <= MAX_SECONDS else None


WORLD = (
    Preset("fortinet", "trandisp=", _read_fortinet, 'user="', re.compile(r'\buser="([^"]*)"')),
    Preset("palo-alto", ",TRAFFIC,", _read_palo_alto, ",TRAFFIC,", re.compile(r",TRAFFIC,(?:[^,]*,){8}([^,]*),")),
    Preset("cisco-asa", "%ASA-", _read_asa, "(", _ASA_ACCOUNT),
    Preset("cisco-ftd", "%FTD-", _read_asa, "(", _ASA_ACCOUNT),
    Preset("conntrack", "] ", _read_conntrack),
    Preset("ulogd", "ORIG: SRC=", _read_ulogd),
)
"""In the order they are asked."""
