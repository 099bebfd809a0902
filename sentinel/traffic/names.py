"""DNS messages and TLS greetings in, the names they ask for out."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_MOST_RECORDS = 64
_MOST_POINTERS = 32
_ADDRESS, _ALIAS, _ADDRESS_V6 = 1, 5, 28
_TYPES = {1: "A", 2: "NS", 5: "CNAME", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 64: "SVCB", 65: "HTTPS"}


@dataclass(frozen=True, slots=True)
class DnsMessage:
    """A DNS query or answer.

    Attributes:
        is_answer: it answers.
        names: asked names, then the names the answer leads to, in order, without repeats.
        kind: type asked for, e.g. `AAAA`.
        addresses: packed addresses of the answer.
    """

    is_answer: bool
    names: tuple[str, ...]
    kind: str
    addresses: tuple[bytes, ...] = ()


def parse_dns(data: bytes) -> DnsMessage | None:
    """Read a DNS message; None for what is none; an answer that is cut keeps what was whole. Source: RFC 1035."""
    if len(data) < 17:
        return None
    _, flags, questions, answers, _, _ = struct.unpack_from("!6H", data)
    if flags >> 11 & 15 or flags & 0x40 or questions != 1 or answers > 4096:
        return None
    try:
        name, at = _read_name(data, 12)
        (kind,) = struct.unpack_from("!H", data, at)
    except (IndexError, struct.error, ValueError):
        return None
    names = [name]
    addresses: list[bytes] = []
    try:
        for record, value in _read_answers(data, at + 4, min(answers, _MOST_RECORDS)):
            if record == _ALIAS:
                names.append(_read_name(data, value.start)[0])
            elif (record, len(value)) in ((_ADDRESS, 4), (_ADDRESS_V6, 16)):
                addresses.append(data[value.start : value.stop])
    except (IndexError, struct.error, ValueError):
        pass  # what was whole counts
    return DnsMessage(flags >> 15 == 1, tuple(dict.fromkeys(names)), _TYPES.get(kind, str(kind)), tuple(addresses))


def split_dns_stream(data: bytes) -> Iterator[DnsMessage]:
    """Yield the messages of DNS over TCP, each behind its length."""
    at = 0
    for _ in range(_MOST_RECORDS):
        if at + 2 > len(data):
            return
        length = int.from_bytes(data[at : at + 2], "big")
        message = parse_dns(data[at + 2 : at + 2 + length])
        if message is None:
            return
        yield message
        at += 2 + length


def _read_answers(data: bytes, at: int, count: int) -> Iterator[tuple[int, range]]:
    for _ in range(count):
        at = _skip_name(data, at)
        record, _, _, length = struct.unpack_from("!HHIH", data, at)
        at += 10
        if at + length > len(data):
            return
        yield record, range(at, at + length)
        at += length


def _skip_name(data: bytes, at: int) -> int:
    while (size := data[at]) and size < 0xC0:
        at += 1 + size
    return at + (2 if size else 1)


def _read_name(data: bytes, at: int) -> tuple[str, int]:
    """Read a name that may use pointers; gives it in lower case and where it ends.

    Raises:
        ValueError: too long, a loop of pointers, or letters no host name has.
    """
    labels: list[str] = []
    end = 0
    total = pointers = 0
    while size := data[at]:
        if size >= 0xC0:
            end = end or at + 2
            at = (size & 0x3F) << 8 | data[at + 1]
            pointers += 1
            if pointers > _MOST_POINTERS:
                raise ValueError("a loop of pointers")
            continue
        label = data[at + 1 : at + 1 + size]
        total += size + 1
        if size > 63 or total > 254 or len(label) < size:
            raise ValueError("no DNS name")
        labels.append(label.decode("ascii"))
        at += 1 + size
    name = ".".join(labels).lower()
    if not name.isprintable():
        raise ValueError("no DNS name")
    return name, end or at + 1


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a TLS stream begins with.

    Attributes:
        complete: nothing more needs to be read.
        name: server name asked for; empty without one.
    """

    complete: bool
    name: str = ""


def parse_greeting(data: bytes) -> Greeting:
    """Read the server name of a ClientHello, also one split over records.

    Source: RFC 8446 sections 4.1.2 and 5.1, RFC 6066 section 3.
    """
    hello = bytearray()
    at = 0
    while at + 5 <= len(data):
        if data[at] != 22 or data[at + 1] != 3:
            return Greeting(True)
        length = int.from_bytes(data[at + 3 : at + 5], "big")
        hello += data[at + 5 : at + 5 + length]
        at += 5 + length
        if hello and hello[0] != 1:
            return Greeting(True)
        if len(hello) >= 4 and len(hello) >= 4 + int.from_bytes(hello[1:4], "big"):
            return Greeting(True, _server_name(bytes(hello)))
    return Greeting(False, _server_name(bytes(hello)) if hello[:1] == b"\x01" else "")


def _server_name(hello: bytes) -> str:
    try:
        at = 38
        at += 1 + hello[at]
        at += 2 + int.from_bytes(hello[at : at + 2], "big")
        at += 1 + hello[at]
        end = at + 2 + int.from_bytes(hello[at : at + 2], "big")
        at += 2
        while at + 4 <= min(end, len(hello)):
            kind, size = struct.unpack_from("!HH", hello, at)
            if kind == 0:
                length = int.from_bytes(hello[at + 7 : at + 9], "big")
                name = hello[at + 9 : at + 9 + length]
                return name.decode("ascii").lower() if len(name) == length and length < 256 else ""
            at += 4 + size
    except (IndexError, struct.error, UnicodeDecodeError):
        pass  # cut, or no ClientHello
    return ""


def address_text(packed: bytes) -> str:
    """Write a packed address (4 or 16 bytes); one that IPv6 maps from IPv4 as IPv4."""
    address = ipaddress.ip_address(packed)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
