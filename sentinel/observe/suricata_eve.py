"""Suricata's EVE log (JSON lines) in; servers, names, certificates and leases, and what was lost, out.

Alerts and files are no facts of a host: they are passed over and counted. Source: Suricata 6 to 8, EVE JSON format.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import BinaryIO

from sentinel.model.moment import EARLIEST
from sentinel.model.observation import (
    CLOSED,
    OPEN,
    Certificate,
    EndpointObservation,
    HostObservation,
    NameObservation,
    Observation,
    RunEnd,
    RunObservation,
)
from sentinel.model.sighting import HoldingObservation, HoldingSource
from sentinel.model.unit import IPAddress
from sentinel.observe.lines import BOM, Tally, read_lines
from sentinel.observe.text import (
    LATEST,
    clean_name,
    cut_text,
    is_host,
    parse_address,
    parse_utc,
    plain_text,
    read_mac,
)
from sentinel.observe.zeek_holding import end_of_lease
from sentinel.observe.zeek_log import common_name

NAME = "suricata-eve"
TOOL = "suricata"

MAX_NAMES = 500
"""Answers and names looked at in one event."""

MAX_KINDS = 100
"""Kinds of events counted one by one."""

_HEAD = re.compile(rb'\s*\{[^\n]*"event_type"\s*:')
_SYN_ACK, _RST = 0x12, 0x04
_FAILED = frozenset({"", "failed", "unknown"})
_REVERSE = (".in-addr.arpa", ".ip6.arpa")

Event = dict[str, object]
Found = tuple[Observation, ...] | None


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes look like an EVE log."""
    return bool(_HEAD.match(head.removeprefix(BOM))) and b'"timestamp"' in head


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, what its events show, what was lost, and the run's end with what was passed over.

    A server is one that answered: its SYN and ACK were seen, or the protocol on the connection was recognised. A row
    is lost when it is no JSON object or an address in it cannot be read.

    Raises:
        ParseError: there are rows, and none of them can be read.
    """
    yield RunObservation(TOOL)
    tally, passed = Tally(), Counter[str]()
    for number, line in read_lines(stream):
        if line is not None and not line.strip():
            continue
        event = _load(line) if line is not None else None
        if event is None:
            tally.drop(f"line {number}", "no JSON object")
            continue
        kind = cut_text(plain_text(event.get("event_type")), 40)
        read = _EVENTS.get(kind)
        if read is None:
            passed[kind if kind in passed or len(passed) < MAX_KINDS else "other"] += 1
            tally.good += 1
            continue
        found = read(event)
        if found is None:
            tally.drop(f"line {number}", "an address or a port cannot be read")
            continue
        tally.good += 1
        yield from found
    yield from tally.losses()
    yield RunEnd(passed_over=tuple(sorted(passed.items())))


def _load(line: bytes) -> Event | None:
    try:
        value = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _part(event: Event, name: str) -> Event:
    value = event.get(name)
    return value if isinstance(value, dict) else {}


def _text(event: Event, name: str) -> str:
    return plain_text(event.get(name))


def _texts(value: object) -> list[str]:
    return [plain_text(one) for one in value[:MAX_NAMES]] if isinstance(value, list) else []


def _time(event: Event) -> datetime | None:
    moment = parse_utc(_text(event, "timestamp")[:40])
    return moment if moment is not None and EARLIEST <= moment < LATEST else None


def _server(event: Event) -> tuple[IPAddress, int, str] | None:
    """Give the side that was connected to."""
    address, port = parse_address(_text(event, "dest_ip")), event.get("dest_port")
    is_port = isinstance(port, int) and not isinstance(port, bool) and 0 <= port <= 65_535
    return (address, int(str(port)), _text(event, "proto").lower()) if address is not None and is_port else None


def _open(event: Event, endpoint: EndpointObservation, address: IPAddress) -> HostObservation:
    return HostObservation(address, up=True, answered=True, time=_time(event), endpoints=(endpoint,))


def _count(part: Event, name: str) -> int:
    value = part.get(name)
    return value if isinstance(value, int) else 0


def _flow(event: Event) -> Found:
    proto = _text(event, "proto").lower()
    if proto not in {"tcp", "udp"}:
        return ()
    server = _server(event)
    if server is None:
        return None
    address, port, _ = server
    flow, tcp = _part(event, "flow"), _part(event, "tcp")
    if not is_host(address) or not _count(flow, "pkts_toclient"):
        return ()
    service = _text(event, "app_proto").lower()
    known = "" if service in _FAILED else cut_text(service)
    if proto == "udp":
        return (_open(event, EndpointObservation(proto, port, OPEN, "flow", known), address),) if known else ()
    flags = _flags(_text(tcp, "tcp_flags_tc"))
    if flags is None or flags & _SYN_ACK == _SYN_ACK:
        if flags is None and not known:
            return ()
        tunnel, plain = ("ssl", "") if known in {"tls", "ssl"} else ("", known)
        return (_open(event, EndpointObservation(proto, port, OPEN, "flow", plain, tunnel=tunnel), address),)
    if flags & _RST and _count(flow, "pkts_toclient") == 1:
        return (_open(event, EndpointObservation(proto, port, CLOSED, "reset"), address),)
    return ()


def _flags(text: str) -> int | None:
    try:
        return int(text, 16) if len(text) <= 4 else None
    except ValueError:
        return None


def _dns(event: Event) -> Found:
    dns, time = _part(event, "dns"), _time(event)
    queries = dns.get("queries") if isinstance(dns.get("queries"), list) else dns.get("query")
    first = next((one for one in queries if isinstance(one, dict)), {}) if isinstance(queries, list) else {}
    name = clean_name(_text(dns, "rrname") or _text(first, "rrname"))
    if not name or name.endswith(_REVERSE):
        return ()
    grouped = _part(dns, "grouped")
    texts = [*_texts(grouped.get("A")), *_texts(grouped.get("AAAA"))]
    answers = dns.get("answers")
    rows = answers[:MAX_NAMES] if isinstance(answers, list) else []
    texts += [_text(row, "rdata") for row in rows if isinstance(row, dict)] or [_text(dns, "rdata")]
    addresses = dict.fromkeys(address for text in texts if (address := parse_address(text)) is not None)
    if not addresses:
        return (NameObservation(name, None, time, "dns"),)
    return tuple(NameObservation(name, address, time, "dns") for address in addresses)


def _tls(event: Event) -> Found:
    server = _server(event)
    if server is None:
        return None
    address, port, _ = server
    if not is_host(address):
        return ()
    tls = _part(event, "tls")
    subject, issuer = _text(tls, "subject"), _text(tls, "issuerdn")
    digest = _text(tls, "fingerprint").replace(":", "").lower()
    names = tuple(dict.fromkeys(clean_name(one) for one in _texts(tls.get("subjectaltname"))))
    certificate = None
    if subject or digest:
        certificate = Certificate(
            f"sha1:{digest}" if re.fullmatch("[0-9a-f]{40}", digest) else "",
            common_name(subject),
            common_name(issuer),
            names,
            parse_utc(_text(tls, "notbefore")[:40]),
            parse_utc(_text(tls, "notafter")[:40]),
            self_signed=subject == issuer if subject and issuer else None,
        )
    found: list[Observation] = []
    name = clean_name(_text(tls, "sni"))
    if name and parse_address(name) is None:
        found.append(NameObservation(name, address, _time(event), "tls"))
    if certificate is not None or _text(tls, "version") not in {"", "UNDETERMINED"}:
        endpoint = EndpointObservation("tcp", port, OPEN, "established", tunnel="ssl", certificate=certificate)
        found.append(_open(event, endpoint, address))
    return tuple(found)


def _http(event: Event) -> Found:
    server = _server(event)
    if server is None:
        return None
    address, port, _ = server
    if not is_host(address):
        return ()
    http = _part(event, "http")
    found: list[Observation] = []
    if http.get("status") is not None:
        found.append(_open(event, EndpointObservation("tcp", port, OPEN, "request", "http"), address))
    name = clean_name(_text(http, "hostname").partition(":")[0])
    if name and parse_address(name) is None:
        is_proxy = _text(http, "http_method").upper() == "CONNECT" or _text(http, "url").startswith("http://")
        found.append(NameObservation(name, None if is_proxy else address, _time(event), "http"))
    return tuple(found)


def _ssh(event: Event) -> Found:
    server = _server(event)
    if server is None:
        return None
    address, port, _ = server
    software = cut_text(_text(_part(_part(event, "ssh"), "server"), "software_version"))
    if not is_host(address) or not software:
        return ()
    product, _, version = software.partition("_")
    return (_open(event, EndpointObservation("tcp", port, OPEN, "", "ssh", product=product, version=version), address),)


def _dhcp(event: Event) -> Found:
    dhcp = _part(event, "dhcp")
    if _text(dhcp, "dhcp_type").lower() != "ack" or _text(dhcp, "type").lower() not in {"reply", ""}:
        return ()
    text = _text(dhcp, "assigned_ip")
    address = parse_address(text)
    if address is None:
        return None if text else ()
    if not is_host(address):
        return ()
    mac, name, since = read_mac(_text(dhcp, "client_mac")), clean_name(_text(dhcp, "hostname")), _time(event)
    names = (name,) if name and parse_address(name) is None else ()
    host = HostObservation(address, up=True, answered=True, time=since, names=names, mac=mac, reason="dhcp-active")
    if not mac and not names:
        return (host,)
    server = parse_address(_text(event, "src_ip"))
    until = end_of_lease(since, _text(dhcp, "lease_time"))
    device = str(server) if server is not None and is_host(server) else ""
    return host, HoldingObservation(address, HoldingSource.DHCP, mac, since, until, name="".join(names), device=device)


_EVENTS: dict[str, Callable[[Event], Found]] = {
    "flow": _flow,
    "dns": _dns,
    "tls": _tls,
    "http": _http,
    "ssh": _ssh,
    "dhcp": _dhcp,
}
"""What is read of an event, by its kind."""
