"""Lines of NAT logs of Chinese makers in; what they say of a session out.

How sure each form is:

- Huawei USG (`SECLOG`), H3C SecPath (`Protocol(1001)=…`), Hillstone (`snat to`), Sangfor (`日志类型:NAT日志`): verified
  against public lines of real devices, and Huawei's and H3C's log references.
- H3C Comware 5 (`USERLOG/…/NAT`): from the published example of the configuration guide.
- CGN (`NAT444:SessionbasedA […]`): the session form from Huawei's published example, that of port blocks from memory.
- Topsec (`id=tos`): the frame is verified, the names of the translated fields are from memory; public lines hold none.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sentinel.model.sighting import TranslationObservation
from sentinel.observe.log_time import make_reader
from sentinel.observe.nat_event import ALL_PORTS, Phase, Preset, Reading, build_event, read_address, translate
from sentinel.observe.syslog import HeadReader
from sentinel.observe.text import parse_port

_read_epoch = make_reader("epoch")
_read_packed = make_reader("%m%d%Y%H%M%S", UTC)  # Comware writes UTC there, whatever zone its head is in
_read_slashed = make_reader("%Y/%m/%d %H:%M:%S")
_read_iso = make_reader("iso")

_HUAWEI = re.compile(r"SECLOG/\d/SESSION_(BUILT|TEARDOWN)\w*(?:\(\w+\))?(?:\[\d+\])?:\s?IPVer=")
_HUAWEI_ROW = re.compile(
    r"Protocol=(\w*), ?SourceIP=([^,]*), ?DestinationIP=([^,]*), ?SourcePort=(\d*), ?DestinationPort=(\d*)"
    r"(?:, ?SourceNatIP=([^,]*), ?SourceNatPort=(\d*))?(?:, ?DestinationNatIP=([^,]*), ?DestinationNatPort=(\d*))?"
    r", ?BeginTime=(\d+)(?:, ?EndTime=(\d+))?"
)


def _read_huawei(line: str, heads: HeadReader) -> Reading | None:
    found = _HUAWEI.match(line, line.find("SECLOG/"))
    if found is None:
        return None
    row = _HUAWEI_ROW.search(line, found.end())
    if row is None:
        return False
    proto, source, target = row[1], (row[2], row[4]), (row[3], row[5])
    new_source, new_target = (row[6] or "", row[7] or ""), (row[8] or "", row[9] or "")
    since, until = _read_epoch(row[10]), _read_epoch(row[11] or "")
    one = translate(proto, source, new_source, target, new_target, since, until, heads.read(line).host)
    phase = Phase.BEGIN if found[1] == "BUILT" else Phase.END
    return build_event(phase, ("huawei", proto, source, target), one)


_COMWARE_WORD = re.compile(
    r"(?:^|;)\s*(Protocol|SrcIPAddr|SrcPort|NatSrcIPAddr|NatSrcPort|DstIPAddr|DstPort|NatDstIPAddr|NatDstPort"
    r"|BeginTime_e|EndTime_e|BeginTime|EndTime|Event)\(\d+\)=([^;]*)",
    re.IGNORECASE,
)


def _read_comware(line: str, heads: HeadReader) -> Reading | None:
    text = line[line.find("Protocol(1001)=") :]
    said = {name.lower(): value for name, value in _COMWARE_WORD.findall(text)}
    if "natsrcipaddr" not in said and "natdstipaddr" not in said:
        return None
    source, target = _side(said, "src"), _side(said, "dst")
    proto, event = said.get("protocol", ""), said.get("event", "").lower()
    head = heads.read(line)
    since = _read_packed(said.get("begintime_e", "")) or _read_epoch(said.get("begintime", ""))
    until = _read_packed(said.get("endtime_e", "")) or _read_epoch(said.get("endtime", ""))
    is_begin = "created" in event or event.startswith("(8)")
    if since is None and is_begin:
        since = head.time
    one = translate(proto, source, _side(said, "natsrc"), target, _side(said, "natdst"), since, until, head.host)
    return build_event(Phase.BEGIN if is_begin else Phase.END, ("comware", proto, source, target), one)


def _side(said: dict[str, str], what: str) -> tuple[str, str]:
    return said.get(f"{what}ipaddr", ""), said.get(f"{what}port", "")


_USERLOG = re.compile(
    r"USERLOG/\d/NAT:\s*(\w+);\s*([\d.]+):(\d+)-+>([\d.]+):(\d+);\s*([\d.]+):(\d+);\s*\[([^\]-]{1,40})-(\d{4}/[^\]]{1,40})\];"
    r"\s*Operator (\d+)"
)


def _read_userlog(line: str, heads: HeadReader) -> Reading | None:
    found = _USERLOG.search(line)
    if found is None:
        return None
    proto, inside, new, peer = found[1], (found[2], found[3]), (found[4], found[5]), (found[6], found[7])
    since, until = _read_slashed(found[8]), _read_slashed(found[9])
    one = translate(proto, inside, new, peer, ("", ""), since, until, heads.read(line).host)
    return build_event(Phase.BEGIN if found[10] == "8" else Phase.END, ("userlog", proto, inside, peer), one)


_CGN = re.compile(
    r"NAT\w{0,20}\s{0,9}[:-]\s{0,9}(?:-\s{0,9})?(Session|User)based([AW])"
    r"\s*\[(\S+) (\S+) (\S+) (\S+) (?:- )?(\d+) (\d+)(?: (\S+))?\]",
    re.IGNORECASE,
)
_CGN_TIME = re.compile(r"(?:<\d+>)?\s*1 (\d{4}) ([A-Z][a-z]{2})[a-z]* +(\d{1,2}) (\d\d:\d\d:\d\d) (\S+)")
_read_words = make_reader("%Y %b %d %H:%M:%S")


def _read_cgn(line: str, heads: HeadReader) -> Reading | None:
    found = _CGN.search(line)
    if found is None:
        return None
    own = _CGN_TIME.match(line)
    head = heads.read(line)
    time = _read_words(f"{own[1]} {own[2]} {own[3]} {own[4]}") if own else head.time
    device = own[5] if own else head.host
    is_user = found[1].lower() == "user"
    inside, outside = read_address(found[4]), read_address(found[6])
    first, last = parse_port(found[7]), parse_port(found[8])
    if inside is None or outside is None or first is None or last is None:
        return False
    phase = Phase.BEGIN if found[2].upper() == "A" else Phase.END
    since, until = (time, None) if phase is Phase.BEGIN else (None, time)
    if is_user:
        block = (first, last) if first <= last else ALL_PORTS
        one = TranslationObservation("", inside, outside, block, since=since, until=until, device=device)
        return phase, ("cgn", inside, outside, block), one
    return build_event(
        phase,
        ("cgn", found[3], inside, first, outside, last),
        translate(found[3], (found[4], found[7]), (found[6], found[8]), ("", ""), ("", ""), since, until, device),
    )


_HILLSTONE = re.compile(
    r"([0-9A-Fa-f.:]{1,45}):(\d{1,5})->([0-9A-Fa-f.:]{1,45}):(\d{1,5})\(([\w-]+)\), "
    r"(snat|dnat) to ([0-9A-Fa-f.]+|\[[0-9A-Fa-f:.]+\])"
    r"(?::(\d+))?"
)


def _read_hillstone(line: str, heads: HeadReader) -> Reading | None:
    found = _HILLSTONE.search(line)
    if found is None:
        return None
    head = heads.read(line)
    new, none = (found[7].strip("[]"), found[8] or ""), ("", "")
    source, target = (found[1], found[2]), (found[3], found[4])
    pair = (new, none) if found[6] == "snat" else (none, new)
    one = translate(found[5], source, pair[0], target, pair[1], head.time, None, _serial(line, head.host))
    return build_event(Phase.WHOLE, None, one)


_SERIAL = re.compile(r"(\d{10,20})\(\w+\) ")


def _serial(line: str, host: str) -> str:
    """Give the device: Hillstone's own head names it by its serial number."""
    found = _SERIAL.search(line, 0, 200)
    return found[1] if found else host


_SANGFOR = re.compile(
    r"NAT类型[:：](\w+), ?源IP[:：]([^,]+), ?源端口[:：](\d*), ?目的IP[:：]([^,]+), ?目的端口[:：](\d*), ?"
    r"协议[:：](\w+), ?转换后的IP[:：]([^,\s]+), ?转换后的端口[:：](\d*)"
)


def _read_sangfor(line: str, heads: HeadReader) -> Reading | None:
    found = _SANGFOR.search(line)
    if found is None:
        return None
    head = heads.read(line)
    new, none = (found[7], found[8]), ("", "")
    source, target = (found[2], found[3]), (found[4], found[5])
    pair = (none, new) if found[1].lower() == "dnat" else (new, none)
    one = translate(found[6], source, pair[0], target, pair[1], head.time, None, head.host)
    return build_event(Phase.WHOLE, None, one)


_TOPSEC = re.compile(r'\b(\w{1,40}+)=("[^"]*"|\S*)')
_TOPSEC_NEW_SOURCE = (("snat_ip", "snat_port"), ("nat_src", "nat_sport"), ("trans_src", "trans_sport"))
_TOPSEC_NEW_TARGET = (("dnat_ip", "dnat_port"), ("nat_dst", "nat_dport"), ("trans_dst", "trans_dport"))


def _read_topsec(line: str, heads: HeadReader) -> Reading | None:
    start = line.find("id=tos ")
    said = {name: text.strip('"') for name, text in _TOPSEC.findall(line, start)}
    if not (said.get("src") and said.get("dst")):
        return None
    time: datetime | None = _read_iso(said.get("time", "")) or heads.read(line).time

    def side(names: tuple[tuple[str, str], ...]) -> tuple[str, str]:
        return next(((said[one], said.get(two, "")) for one, two in names if said.get(one)), ("", ""))

    source, target = (said["src"], said.get("sport", "")), (said["dst"], said.get("dport", ""))
    one = translate(
        said.get("proto", ""), source, side(_TOPSEC_NEW_SOURCE), target, side(_TOPSEC_NEW_TARGET), time, None,
        said.get("fw", "")[:60],
    )  # fmt: skip
    return build_event(Phase.WHOLE, None, one)


CHINA = (
    Preset("huawei-usg", "SECLOG/", _read_huawei, "UserName=", re.compile(r"\bUserName=([^,]*)")),
    Preset("h3c-secpath", "Protocol(1001)=", _read_comware, "UserName(", re.compile(r"\bUserName\(\d+\)=([^;]*)")),
    Preset("sangfor", "NAT类型", _read_sangfor),
    Preset("hillstone", "nat to ", _read_hillstone, ", user ", re.compile(r", user ([^,]*)")),
    Preset("topsec", "id=tos ", _read_topsec, "user=", re.compile(r"\buser=(\S*)")),
    Preset("cgn", "based", _read_cgn),
    Preset("h3c-comware5", "USERLOG/", _read_userlog),
)
"""In the order they are asked."""
