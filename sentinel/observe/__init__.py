"""Foreign bytes in, observations out: one module per format, and the table of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO

from sentinel.errors import ParseError
from sentinel.model.observation import Loss, Observation, RunEnd
from sentinel.observe import (
    arp_table,
    comware_leases,
    dhcp_leases,
    dnsmasq_leases,
    kea_leases,
    mac_table,
    mapped_log,
    masscan_json,
    masscan_list,
    masscan_xml,
    nat_log,
    nessus_xml,
    nfdump_csv,
    nmap_xml,
    nuclei_json,
    openvas_xml,
    probe_log,
    radius_detail,
    suricata_eve,
    windows_leases,
    zeek,
)
from sentinel.observe.unpack import open_unpacked, unpack_head

SIGHTINGS_ONLY = frozenset({mac_table.NAME, mapped_log.NAME, nat_log.NAME, radius_detail.NAME})
"""Formats that say nothing of the map, only who held what; the names accounts of persons are in are among them."""

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
        parse_dated: the same for formats whose times may lack a year: that nearest before the moment of arrival.
    """

    name: str
    sniff: Callable[[bytes], bool]
    parse: Callable[[BinaryIO], Iterator[Observation]]
    parse_dated: Callable[[BinaryIO, datetime], Iterator[Observation]] | None = None

    def read(self, stream: BinaryIO, arrived: datetime) -> Iterator[Observation]:
        """Yield what `parse` does, of packed bytes too; what is cut off tells so and of no address that it was silent.

        Raises:
            ParseError: nothing whole could be read, or the bytes are packed and damaged, or become too many.
        """
        opened = open_unpacked(stream)
        found = self.parse_dated(opened.stream, arrived) if self.parse_dated else self.parse(opened.stream)
        end: RunEnd | None = None
        for one in found:
            if isinstance(one, RunEnd):
                end = one
            else:
                yield one
        if opened.fault:
            yield Loss(opened.fault)
        if end is not None:
            yield replace(end, silent=()) if opened.fault else end


PARSERS = (
    Parser(probe_log.NAME, probe_log.sniff, probe_log.parse),
    Parser(masscan_xml.NAME, masscan_xml.sniff, masscan_xml.parse),
    Parser(nmap_xml.NAME, nmap_xml.sniff, nmap_xml.parse),
    Parser(nessus_xml.NAME, nessus_xml.sniff, nessus_xml.parse),
    Parser(openvas_xml.NAME, openvas_xml.sniff, openvas_xml.parse),
    Parser(masscan_list.NAME, masscan_list.sniff, masscan_list.parse),
    Parser(suricata_eve.NAME, suricata_eve.sniff, suricata_eve.parse),
    Parser(nuclei_json.NAME, nuclei_json.sniff, nuclei_json.parse),
    Parser(zeek.NAME, zeek.sniff, zeek.parse),
    Parser(masscan_json.NAME, masscan_json.sniff, masscan_json.parse),
    Parser(kea_leases.NAME, kea_leases.sniff, kea_leases.parse),
    Parser(dhcp_leases.NAME, dhcp_leases.sniff, dhcp_leases.parse),
    Parser(dnsmasq_leases.NAME, dnsmasq_leases.sniff, dnsmasq_leases.parse),
    Parser(windows_leases.NAME, windows_leases.sniff, windows_leases.parse),
    Parser(comware_leases.NAME, comware_leases.sniff, comware_leases.parse),
    Parser(radius_detail.NAME, radius_detail.sniff, radius_detail.parse),
    Parser(mac_table.NAME, mac_table.sniff, mac_table.parse),
    Parser(arp_table.NAME, arp_table.sniff, arp_table.parse),
    Parser(nfdump_csv.NAME, nfdump_csv.sniff, nfdump_csv.parse),
    Parser(nat_log.NAME, nat_log.sniff, nat_log.parse, nat_log.parse_dated),
)
"""In the order they are asked; the first that knows the head reads the file."""


def choose_parser(head: bytes, name: str) -> Parser:
    """Pick the parser for a file by its first bytes (at most `HEAD` of them matter).

    Raises:
        ParseError: no parser knows the format; `name` says which file.
    """
    unpacked = unpack_head(head, HEAD)
    for parser in PARSERS:
        if parser.sniff(unpacked[:HEAD]):
            return parser
    known = ", ".join(sorted(parser.name for parser in PARSERS))
    what = "empty file" if not head.strip() else "not a format sentinel reads"
    raise ParseError(f"{what} (it reads {known})", name)
