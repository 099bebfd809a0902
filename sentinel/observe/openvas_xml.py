"""A report of OpenVAS (Greenbone, GVM) in XML in; its hosts with their open ports, or the flaws it reports, out.

Source: GMP's `get_reports` as public clients and reports show it: results/result with host, host/hostname, port,
threat, severity, nvt (oid, name, refs/ref, solution), and scan_end; wrapped in report, get_reports_response or
get_results_response.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO
from xml.etree.ElementTree import Element  # elements come from XmlElements, which refuses entities

from sentinel.errors import ParseError
from sentinel.model.observation import (
    OPEN,
    EndpointObservation,
    HostObservation,
    Loss,
    Observation,
    RunEnd,
    RunObservation,
)
from sentinel.model.reported import ReportedFlaw, rate_score
from sentinel.model.rule import Severity
from sentinel.model.unit import IPAddress
from sentinel.observe.text import clean_name, cut_text, is_host, parse_address, parse_port, parse_utc
from sentinel.observe.xml_elements import XmlElements
from sentinel.observe.xml_stream import NOTHING_WHOLE, decode_head

NAME = "openvas-xml"
TOOL = "openvas"

MAX_SOLUTION = 1_000
_ROOTS = frozenset({"report", "get_reports_response", "get_results_response"})
_WANTED = frozenset(
    {("results", "result"), ("get_results_response", "result"), ("report", "scan_end"), ("report", "scan_start")}
)
_HEAD = re.compile(
    r"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.{0,4000}?-->\s*)*<(?:get_re(?:ports|sults)_response[\s>]|report\s[^>]*\bid=)",
    re.DOTALL,
)
_PORT = re.compile(r"(\d{1,5})/(tcp|udp)")
_REFERENCE = re.compile(r"(?:CVE-\d{4}-\d{4,7}|CN(?:N)?VD-\d{4,6}-\d{3,8})")
_THREATS = {"critical": Severity.CRITICAL, "high": Severity.HIGH, "medium": Severity.MEDIUM, "low": Severity.LOW}
_DISMISSED = "false positive"


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes look like a report of OpenVAS."""
    return bool(_HEAD.match(decode_head(head[:16384]).removeprefix("\xef\xbb\xbf")))


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, a host for each result that names a port, what was lost, and when the scan ended.

    Raises:
        ParseError: nothing whole could be read.
    """
    yield RunObservation(TOOL)
    ended: datetime | None = None
    for one in _elements(stream):
        if isinstance(one, Loss):
            yield one
        elif one.tag == "scan_end":
            ended = parse_utc(one.text or "") or ended
        elif one.tag == "result" and (host := _build_host(one)) is not None:
            yield host
    yield RunEnd(ended)


def read_flaws(stream: BinaryIO) -> Iterator[ReportedFlaw | Loss]:
    """Yield what the report says is wrong; what somebody marked as false positive there is left out.

    A result without a time of its own has none: the end of the scan may stand behind all results.

    Raises:
        ParseError: nothing whole could be read.
    """
    for one in _elements(stream):
        if isinstance(one, Loss):
            yield one
        elif one.tag == "result" and _text(one, "threat").lower() != _DISMISSED:
            yield from _build_flaw(one)


def read_time(stream: BinaryIO) -> datetime | None:
    """Give when the scan of the report ended, else when it began."""
    start: datetime | None = None
    for one in _elements(stream):
        if isinstance(one, Element) and one.tag != "result":
            moment = parse_utc(one.text or "")
            if one.tag == "scan_end" and moment is not None:
                return moment
            start = moment or start
    return start


def _elements(stream: BinaryIO) -> Iterator[Element | Loss]:
    document = XmlElements(stream, _ROOTS, _WANTED)
    count = 0
    for element in document.elements():
        count += element.tag == "result"
        yield element
    if document.fault:
        if not count:
            raise ParseError(f"{document.fault}, {NOTHING_WHOLE}", f"byte {document.fault_byte}")
        yield Loss(f"the report ends early: {document.fault}", f"byte {document.fault_byte}")


def _address(result: Element) -> IPAddress | None:
    found = parse_address(_text(result, "host"))
    return found if found is not None and is_host(found) else None


def _build_host(result: Element) -> HostObservation | None:
    """Build what a result tells of the map: somebody there answered on its port."""
    address, port = _address(result), _PORT.match(_text(result, "port"))
    number = parse_port(port[1]) if port else None
    if address is None or port is None or not number:
        return None
    name = clean_name(_text(result, "host/hostname"))
    return HostObservation(
        address=address,
        up=True,
        answered=True,
        time=parse_utc(_text(result, "creation_time")),
        endpoints=(EndpointObservation(port[2], number, OPEN, "report", guessed=True),),
        names=(name,) if name and parse_address(name) is None else (),
        reason="report",
    )


def _build_flaw(result: Element) -> Iterator[ReportedFlaw | Loss]:
    address = _address(result)
    name = "" if address else clean_name(_text(result, "host"))
    nvt = result.find("nvt")
    if nvt is None or (address is None and not name):
        yield Loss("a result without its test or its host", rows=1)
        return
    port = _PORT.match(_text(result, "port"))
    number = (parse_port(port[1]) if port else None) or 0
    told = " ".join([*(ref.get("id", "") for ref in nvt.iterfind("refs/ref")), _text(nvt, "cve")])
    yield ReportedFlaw(
        check=cut_text(nvt.get("oid", ""), 60),
        title=cut_text(_text(result, "name") or _text(nvt, "name")),
        severity=_severity(result),
        address=address,
        name=name,
        proto=port[2] if port and number else "",
        port=number,
        references=tuple(dict.fromkeys(_REFERENCE.findall(told))),
        solution=cut_text(_text(nvt, "solution") or _text(result, "solution"), MAX_SOLUTION),
        time=parse_utc(_text(result, "creation_time")),
    )


def _severity(result: Element) -> Severity:
    """Take the score where there is one: GVM's `High` begins at 7.0, and it long knew no `Critical`."""
    try:
        return rate_score(float(_text(result, "severity")))
    except ValueError:
        return _THREATS.get(_text(result, "threat").lower(), Severity.INFORMATIONAL)


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()
