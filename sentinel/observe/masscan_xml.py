"""masscan's XML in, a run, one host observation per row and the run's end out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element  # elements come from XmlDocument, which refuses entities

from sentinel.errors import ParseError
from sentinel.model.observation import HostObservation, Loss, Observation, RunEnd, RunObservation
from sentinel.observe.masscan_row import TOOL, build_row
from sentinel.observe.text import cut_text, parse_time
from sentinel.observe.xml_stream import NOTHING_WHOLE, XmlDocument, decode_head

NAME = "masscan-xml"

_HEAD = re.compile(r"<nmaprun\b[^>]*\bscanner\s*=\s*[\"']masscan")


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes look like masscan's XML."""
    return bool(_HEAD.search(decode_head(head)))


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, its rows, what was lost, and the run's end.

    Raises:
        ParseError: nothing whole could be read, or the document declares entities or outer documents.
    """
    document = XmlDocument(stream)
    rows = lost = 0
    end: RunEnd | None = None
    for child in document.children():
        if child.tag == "host":
            for host in _read_host(child):
                if host is None:
                    lost += 1
                    continue
                if not rows:
                    yield _observe_run(document.root_attributes())
                rows += 1
                yield host
        elif child.tag == "runstats" and (finished := child.find("finished")) is not None:
            end = RunEnd(parse_time(finished.get("time")))
    where = f"byte {document.fault_byte}"
    if document.fault and not rows and end is None:
        raise ParseError(f"{document.fault}, {NOTHING_WHOLE}", where)
    if not rows:
        yield _observe_run(document.root_attributes())
    if document.fault:
        yield Loss(f"{document.fault} after {rows} whole rows; what follows is lost", where, lost)
    elif lost:
        yield Loss("rows without a readable address, port or state", "", lost)
    if document.is_closed and end is not None:
        yield end


def _observe_run(attributes: dict[str, str]) -> RunObservation:
    return RunObservation(TOOL, cut_text(attributes.get("version", "")), started=parse_time(attributes.get("start")))


def _read_host(element: Element) -> Iterator[HostObservation | None]:
    """Yield one observation per port of a `<host>`, usually one; None for a port that cannot be read."""
    card = element.find("address")
    address = card.get("addr", "") if card is not None else ""
    time = parse_time(element.get("endtime"))
    ports = element.findall("ports/port")
    if not ports:
        yield None
    for port in ports:
        state, service = port.find("state"), port.find("service")
        yield build_row(
            address,
            time,
            port.get("protocol", ""),
            port.get("portid", ""),
            state.get("state", "") if state is not None else "",
            reason=state.get("reason", "") if state is not None else "",
            banner_name=service.get("name", "") if service is not None else "",
            banner=service.get("banner", "") if service is not None else "",
        )
