"""nmap XML (4.5 to 7.9x) in, a run, its hosts and its end out, one host at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element  # elements come from XmlDocument, which refuses entities

from sentinel.errors import ParseError
from sentinel.model.observation import Loss, Observation, RunEnd, RunObservation
from sentinel.model.ports import PROTOCOLS, PortSet
from sentinel.observe.nmap_host import HostReader, read_ranges
from sentinel.observe.nmap_targets import SilentAddresses
from sentinel.observe.text import cut_lines, cut_text, parse_time
from sentinel.observe.xml_stream import NOTHING_WHOLE, XmlDocument, decode_head

NAME = "nmap-xml"

MAX_SCANINFOS = 64
"""`<scaninfo>` elements of a run; nmap writes one per kind of scan."""

_HEAD = re.compile(r"<(?:nmaprun\b(?![^>]*\bscanner\s*=\s*[\"']masscan)|!DOCTYPE\s+nmaprun|!--\s*Nmap\s)")


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes look like nmap's XML."""
    return bool(_HEAD.search(decode_head(head)))


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, its hosts, what was lost, and the run's end.

    A file that breaks after a whole host gives what was whole and one `Loss` that names the byte. Hosts without a
    readable address, and ports without protocol, number or state, are counted in that `Loss`. The end is missing when
    the file ends too early or nmap says it stopped with an error.

    Raises:
        ParseError: nothing whole could be read, or the document declares entities or outer documents.
    """
    document = XmlDocument(stream)
    run = _Run()
    for child in document.children():
        if not run.is_begun:
            run.begin(document.root_attributes())
        if child.tag == "host":
            yield from run.read_host(child)
        else:
            run.read(child)
    yield from run.finish(document)


class _Run:
    """What is known of the run while its hosts go by."""

    __slots__ = (
        "_attributes",
        "_failure",
        "_finished",
        "_hosts",
        "_ports",
        "_reader",
        "_scaninfos",
        "_silent",
        "_total",
        "is_begun",
    )

    def __init__(self) -> None:
        self.is_begun = False
        self._attributes: dict[str, str] = {}
        self._ports: dict[str, PortSet] = {}
        self._finished: dict[str, str] | None = None
        self._total = self._failure = ""
        self._hosts = self._scaninfos = 0
        self._reader = HostReader("")
        self._silent = SilentAddresses("")

    def begin(self, attributes: dict[str, str]) -> None:
        """Take the attributes of the root element."""
        self.is_begun = True
        self._attributes = attributes
        self._reader = HostReader(attributes.get("start", ""))
        self._silent = SilentAddresses(attributes.get("args", ""))

    def read_host(self, element: Element) -> tuple[Observation, ...]:
        """Read a host; the first one comes with the run before it."""
        host, addresses = self._reader.read(element)
        if host is None:
            return ()
        self._silent.add(addresses)
        self._hosts += 1
        return (host,) if self._hosts > 1 else (self._observe_run(), host)

    def read(self, child: Element) -> None:
        """Read another child of the root element."""
        if child.tag == "scaninfo":
            self._add_ports(child.attrib)
        elif child.tag == "runstats":
            self._read_end(child)

    def finish(self, document: XmlDocument) -> Iterator[Observation]:
        """Give the run when no host came, what was lost, and the end when the source tells one.

        Raises:
            ParseError: the document broke before anything whole was read.
        """
        where = f"byte {document.fault_byte}"
        if document.fault and not self._hosts and self._finished is None:
            raise ParseError(f"{document.fault}, {NOTHING_WHOLE}", where)
        if not self._hosts:
            yield self._observe_run()
        lost = self._reader.lost
        if document.fault:
            yield Loss(f"{document.fault} after {self._hosts} whole hosts; what follows is lost", where, lost)
        elif self._failure:
            yield Loss(f"nmap stopped with an error: {self._failure}; what it had not scanned is missing", "", lost)
        elif lost:
            yield Loss("hosts without a readable address, or ports without protocol, number or state", "", lost)
        if document.is_closed and self._finished is not None and not self._failure:
            yield RunEnd(parse_time(self._finished.get("time")), self._silent.ranges(self._total))

    def _add_ports(self, attributes: dict[str, str]) -> None:
        proto = attributes.get("protocol", "")
        self._scaninfos += 1
        if proto in PROTOCOLS and self._scaninfos <= MAX_SCANINFOS:
            self._ports[proto] = self._ports.get(proto, PortSet()) | read_ranges(attributes.get("services", ""))
            self._reader.protocols = tuple(self._ports)

    def _read_end(self, element: Element) -> None:
        for part in element:
            if part.tag == "finished":
                self._finished = part.attrib
                if part.get("exit", "success") != "success":
                    self._failure = cut_text(part.get("errormsg", "")) or "no reason given"
            elif part.tag == "hosts":
                self._total = part.get("total", "")

    def _observe_run(self) -> RunObservation:
        run = self._attributes
        return RunObservation(
            tool="nmap",
            version=cut_text(run.get("version", "")),
            arguments=cut_lines(run.get("args", "")),
            started=parse_time(run.get("start")),
            ports=tuple((proto, self._ports[proto]) for proto in PROTOCOLS if proto in self._ports),
        )
