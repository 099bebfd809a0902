"""Foreign bytes in, observations out: one module per format, and the table of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sentinel.errors import ParseError
from sentinel.model.observation import Observation
from sentinel.observe import (
    arp_table,
    comware_leases,
    dhcp_leases,
    dnsmasq_leases,
    kea_leases,
    masscan_json,
    masscan_list,
    masscan_xml,
    nessus_xml,
    nmap_xml,
    openvas_xml,
    windows_leases,
    zeek,
)

HEAD = 64 * 1024
"""Bytes of a file's head that `choose_parser` wants to see."""


@dataclass(frozen=True, slots=True)
class Parser:
    """A format sentinel reads.

    Attributes:
        name: as listings and evidence name it, e.g. `nmap-xml`.
        sniff: tells from a file's first bytes whether it may be this format.
        parse: yields observations from the whole stream, in bounded memory; raises ParseError where nothing whole
            could be read.
    """

    name: str
    sniff: Callable[[bytes], bool]
    parse: Callable[[BinaryIO], Iterator[Observation]]


PARSERS = (
    Parser(masscan_xml.NAME, masscan_xml.sniff, masscan_xml.parse),
    Parser(nmap_xml.NAME, nmap_xml.sniff, nmap_xml.parse),
    Parser(nessus_xml.NAME, nessus_xml.sniff, nessus_xml.parse),
    Parser(openvas_xml.NAME, openvas_xml.sniff, openvas_xml.parse),
    Parser(masscan_list.NAME, masscan_list.sniff, masscan_list.parse),
    Parser(zeek.NAME, zeek.sniff, zeek.parse),
    Parser(masscan_json.NAME, masscan_json.sniff, masscan_json.parse),
    Parser(kea_leases.NAME, kea_leases.sniff, kea_leases.parse),
    Parser(dhcp_leases.NAME, dhcp_leases.sniff, dhcp_leases.parse),
    Parser(dnsmasq_leases.NAME, dnsmasq_leases.sniff, dnsmasq_leases.parse),
    Parser(windows_leases.NAME, windows_leases.sniff, windows_leases.parse),
    Parser(comware_leases.NAME, comware_leases.sniff, comware_leases.parse),
    Parser(arp_table.NAME, arp_table.sniff, arp_table.parse),
)
"""In the order they are asked; the first that knows the head reads the file."""


def choose_parser(head: bytes, name: str) -> Parser:
    """Pick the parser for a file by its first bytes (at most `HEAD` of them matter).

    Raises:
        ParseError: no parser knows the format; `name` says which file.
    """
    for parser in PARSERS:
        if parser.sniff(head[:HEAD]):
            return parser
    known = ", ".join(sorted(parser.name for parser in PARSERS))
    what = "empty file" if not head.strip() else "not a format sentinel reads"
    raise ParseError(f"{what} (it reads {known})", name)
