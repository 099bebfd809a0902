"""What parsers of published mappings share: results, names of ports, addresses and ranges written in many ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, ip_address

from sentinel.model.plain import read_plain_address
from sentinel.model.publication import Mapping
from sentinel.model.unit import IPAddress

MOST_EXPANDED = 256
"""Mappings one rule over a range of addresses may stand for."""

_PORTS = {
    "any": 0,
    "ftp-data": 20,
    "ftp": 21,
    "ssh": 22,
    "telnet": 23,
    "smtp": 25,
    "tacacs": 49,
    "domain": 53,
    "dns": 53,
    "tftp": 69,
    "www": 80,
    "http": 80,
    "pop2": 109,
    "pop3": 110,
    "ntp": 123,
    "imap": 143,
    "snmp": 161,
    "https": 443,
    "syslog": 514,
    "lpd": 515,
    "rtsp": 554,
    "sqlserver": 1433,
    "mssql": 1433,
    "oracle": 1521,
    "mysql": 3306,
    "rdp": 3389,
}
"""Names firewalls write in place of numbers."""

UNEVEN = "as many ports inside as outside are wanted: 8080-8090 and 80-90"
"""Ranges on both sides lead one to one."""

PROTOCOLS = {"tcp": "tcp", "udp": "udp", "6": "tcp", "17": "udp", "ip": "", "any": "", "": "", "0": ""}


@dataclass(frozen=True, slots=True)
class Unread:
    """A rule that was not read.

    Attributes:
        line: line of the file, from 1.
        reason: why not and what to do, lower case; nothing of the line is repeated.
        where: cell of a sheet, e.g. `Sheet1!B3 公网地址`; empty for a line of a file.
    """

    line: int
    reason: str
    where: str = ""


Found = Iterator[Mapping | Unread]


def read_port(text: str) -> int:
    """Read a port by number or name; 0 stands for all.

    Raises:
        ValueError: it is none.
    """
    if text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= 65_535:
        return int(text)
    if text.lower() in _PORTS:
        return _PORTS[text.lower()]
    raise ValueError("no port")


def read_ports(text: str) -> tuple[int, int]:
    """Read `80`, `8080-8090` or `8080:8090` as first and last port.

    Raises:
        ValueError: it is none of these.
    """
    low, _, high = text.replace(":", "-").partition("-")
    first = read_port(low)
    return first, read_port(high) if high else first


def read_proto(text: str) -> str:
    """Read a protocol by name or number; empty: any.

    Raises:
        ValueError: it has no ports.
    """
    if text.lower() not in PROTOCOLS:
        raise ValueError("a protocol without ports is not published")
    return PROTOCOLS[text.lower()]


def is_address(text: str) -> bool:
    """Tell whether a text is an address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def spread(one: Mapping, count: int) -> Iterator[Mapping]:
    """Give a mapping for each of so many addresses from its own upwards, on both sides.

    Raises:
        ValueError: there are too many, or no address follows.
    """
    if count > MOST_EXPANDED:
        raise ValueError(f"a range of more than {MOST_EXPANDED} addresses: enter it in parts")
    for step in range(count):
        outside = shift(one.outside, step) if one.outside is not None else None
        yield replace(one, outside=outside, inside=shift(one.inside, step))


def shift(address: IPAddress, step: int) -> IPAddress:
    """Give the address so many further on.

    Raises:
        ValueError: there is none.
    """
    return address + step


def count_range(low: str, high: str) -> int:
    """Count the addresses from one to another; without the second there is one.

    Raises:
        ValueError: they are no range.
    """
    first, last = read_plain_address(low), read_plain_address(high or low)
    if first.version != last.version or int(last) < int(first):
        raise ValueError("no range of addresses")
    return int(last) - int(first) + 1


def count_mask(mask: str) -> int:
    """Count the addresses of an IPv4 mask, `255.255.255.0`.

    Raises:
        ValueError: it is none.
    """
    bits = int(IPv4Address(mask)) ^ 0xFFFFFFFF
    if bits & (bits + 1):
        raise ValueError("no mask")
    return bits + 1


def numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Give lines with their numbers, from 1, without blanks around them; blank ones are left out."""
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text:
            yield number, text
