"""A Nessus report (`.nessus`, version 2) in; its hosts with their open ports, or the flaws it reports, out.

Source: Tenable, "Nessus File (.nessus) Format", revised 2023-05-24, and public reports of Nessus 8 and 10: elements
Report, ReportHost, HostProperties/tag, ReportItem with the attributes port, svc_name, protocol, severity, pluginID,
pluginName, and its children solution, cve, risk_factor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO
from xml.etree.ElementTree import Element  # elements come from XmlElements, which refuses entities

from sentinel.errors import ParseError
from sentinel.model.observation import OPEN, EndpointObservation, HostObservation, Loss, Observation, RunObservation
from sentinel.model.reported import ReportedFlaw
from sentinel.model.rule import Severity
from sentinel.model.unit import IPAddress
from sentinel.observe.text import (
    clean_name,
    cut_text,
    is_host,
    parse_address,
    parse_c_time,
    parse_port,
    parse_time,
    read_mac,
)
from sentinel.observe.xml_elements import XmlElements
from sentinel.observe.xml_stream import NOTHING_WHOLE, decode_head

NAME = "nessus-xml"
TOOL = "nessus"

MAX_SOLUTION = 1_000
_ROOT = "NessusClientData_v2"
_HOSTS = frozenset({("Report", "ReportHost")})
_SEVERITIES = dict(enumerate(reversed(Severity)))
"""0 none, 1 low, 2 medium, 3 high, 4 critical. Source: the format's guide, ReportItem."""

_FACTORS = {"none": 0, "low": 1, "medium": 2, "high": 3, "critical": 4}
_PROTOCOLS = frozenset({"tcp", "udp"})
_UNTOLD = frozenset({"", "general", "unknown"})
_CVE = re.compile(r"CVE-\d{4}-\d{4,7}")


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes look like a Nessus report."""
    return f"<{_ROOT}" in decode_head(head)


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, each host with the TCP and UDP ports the report has an item about, and what was lost.

    The report tells no port set, so nothing follows from a port that is not in it. Its service names mostly follow
    from port numbers, so they count as guesses. Hosts it names without an address are left out.

    Raises:
        ParseError: nothing whole could be read.
    """
    yield RunObservation(TOOL)
    for one in _hosts(stream):
        if isinstance(one, Loss):
            yield one
            continue
        tags, address = _tags(one), _address(one)
        if address is not None:
            yield _build_host(one, tags, address)


def read_flaws(stream: BinaryIO) -> Iterator[ReportedFlaw | Loss]:
    """Yield what the report says is wrong, informational items among it, host by host.

    Raises:
        ParseError: nothing whole could be read.
    """
    for one in _hosts(stream):
        if isinstance(one, Loss):
            yield one
            continue
        address, time = _address(one), _time(_tags(one))
        name = "" if address else clean_name(one.get("name", ""))
        if address is None and not name:
            yield Loss("a host without a name")
            continue
        for item in one.iterfind("ReportItem"):
            yield _build_flaw(item, address, name, time)


def _hosts(stream: BinaryIO) -> Iterator[Element | Loss]:
    document = XmlElements(stream, frozenset({_ROOT}), _HOSTS)
    count = 0
    for element in document.elements():
        count += 1
        yield element
    if document.fault:
        if not count:
            raise ParseError(f"{document.fault}, {NOTHING_WHOLE}", f"byte {document.fault_byte}")
        yield Loss(f"the report ends early: {document.fault}", f"byte {document.fault_byte}")


def _tags(host: Element) -> dict[str, str]:
    return {tag.get("name", ""): (tag.text or "").strip() for tag in host.iterfind("HostProperties/tag")}


def _address(host: Element) -> IPAddress | None:
    texts = (_tags(host).get("host-ip", ""), host.get("name", ""))
    found = next((address for text in texts if (address := parse_address(text.strip())) is not None), None)
    return found if found is not None and is_host(found) else None


def _time(tags: dict[str, str]) -> datetime | None:
    """Give the end of the host's scan; the text form has no zone and is taken for Asia/Shanghai."""
    return parse_time(tags.get("HOST_END_TIMESTAMP")) or parse_c_time(tags.get("HOST_END", ""))


def _build_host(host: Element, tags: dict[str, str], address: IPAddress) -> HostObservation:
    ports: dict[tuple[str, int], EndpointObservation] = {}
    for item in host.iterfind("ReportItem"):
        proto, port = item.get("protocol", ""), parse_port(item.get("port", ""))
        if proto in _PROTOCOLS and port and ((proto, port) not in ports or not ports[proto, port].service):
            service = item.get("svc_name", "").rstrip("?").lower()
            ports[proto, port] = EndpointObservation(
                proto, port, OPEN, "report", "" if service in _UNTOLD else cut_text(service), guessed=True
            )
    names = [clean_name(tags.get(tag, "")) for tag in ("host-fqdn", "host-rdns")]
    cards = tags.get("mac-address", "").split()
    return HostObservation(
        address=address,
        up=True,
        answered=bool(ports),
        time=_time(tags),
        endpoints=tuple(ports[place] for place in sorted(ports)),
        names=tuple(dict.fromkeys(name for name in names if name and parse_address(name) is None)),
        mac=read_mac(cards[0]) if len(cards) == 1 else "",
        os=cut_text(tags.get("operating-system", "").partition("\n")[0]),
        reason="report",
    )


def _build_flaw(item: Element, address: IPAddress | None, name: str, time: datetime | None) -> ReportedFlaw:
    port = parse_port(item.get("port", "")) or 0
    proto = item.get("protocol", "")
    told = item.get("severity", "")
    level = int(told) if told.isascii() and told.isdigit() else _FACTORS.get(_text(item, "risk_factor").lower(), 0)
    service = item.get("svc_name", "").rstrip("?")
    return ReportedFlaw(
        check=cut_text(item.get("pluginID", ""), 40),
        title=cut_text(item.get("pluginName", "") or _text(item, "plugin_name")),
        severity=_SEVERITIES.get(level, Severity.INFORMATIONAL),
        address=address,
        name=name,
        proto=proto if port and proto in _PROTOCOLS else "",
        port=port if proto in _PROTOCOLS else 0,
        service="" if service in _UNTOLD else cut_text(service, 40),
        references=tuple(dict.fromkeys(cve for one in item.iterfind("cve") for cve in _CVE.findall(one.text or ""))),
        solution="" if (text := _text(item, "solution")).lower() == "n/a" else cut_text(text, MAX_SOLUTION),
        time=time,
    )


def _text(element: Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()
