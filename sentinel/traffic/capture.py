"""Bytes of a capture file in, packets out: pcap in both byte orders and time units, and pcapng."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from sentinel.errors import ParseError

Packet = tuple[int, int, bytes, int]
"""Link type, microseconds since 1970 (0 where the format keeps none), captured bytes, length on the wire."""

LONGEST_RECORD = 16 * 1024 * 1024
"""A longer record is taken for damage: captures are cut at 256 KiB by the tools that make them."""

_PCAP_KINDS: dict[bytes, tuple[str, int, int]] = {
    b"\xd4\xc3\xb2\xa1": ("<", 1, 0),
    b"\xa1\xb2\xc3\xd4": (">", 1, 0),
    b"\x4d\x3c\xb2\xa1": ("<", 1000, 0),
    b"\xa1\xb2\x3c\x4d": (">", 1000, 0),
    b"\x34\xcd\xb2\xa1": ("<", 1, 8),
    b"\xa1\xb2\xcd\x34": (">", 1, 8),
}
"""Magic -> byte order, fractions in a microsecond, extra bytes of a record header (a patched libpcap of 1999)."""

_SECTION = 0x0A0D0D0A
_INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _ENHANCED_PACKET = 1, 2, 3, 6
_TSRESOL, _TSOFFSET = 9, 14


def read_packets(stream: BinaryIO) -> Iterator[Packet]:
    """Yield the packets of a capture in file order.

    Raises:
        ParseError: it is no capture, or it breaks off or is damaged; every whole packet before was yielded.

    Source: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
    """
    magic = stream.read(4)
    if magic in _PCAP_KINDS:
        yield from _read_pcap(stream, *_PCAP_KINDS[magic])
    elif magic == b"\x0a\x0d\x0d\x0a":
        yield from _read_pcapng(stream)
    else:
        raise ParseError(_refusal(magic))


def _refusal(magic: bytes) -> str:
    if not magic:
        return "the file is empty"
    if magic[:2] == b"\x1f\x8b" or magic == b"\x28\xb5\x2f\xfd":
        return "compressed capture; unpack it first"
    return "not a capture file (neither pcap nor pcapng)"


def _read_pcap(stream: BinaryIO, order: str, fractions: int, extra: int) -> Iterator[Packet]:
    header = stream.read(20)
    if len(header) < 20:
        raise ParseError("cut off within the file header", "byte 4")
    major, minor, _, _, _, link = struct.unpack(order + "HHiIII", header)
    swapped = (major, minor) <= (2, 3)
    link &= 0x03FFFFFF
    unpack = struct.Struct(order + "IIII").unpack_from
    size = 16 + extra
    read = stream.read
    at = 24
    while head := read(size):
        if len(head) < size:
            raise ParseError("cut off within a packet", f"byte {at}")
        seconds, fraction, captured, wire = unpack(head)
        if swapped and captured > wire:  # files before version 2.4 kept the two lengths in the other order
            captured, wire = wire, captured
        if captured > LONGEST_RECORD:
            raise ParseError(f"impossible packet length {captured}", f"byte {at}")
        data = read(captured)
        if len(data) < captured:
            raise ParseError("cut off within a packet", f"byte {at}")
        at += size + captured
        yield link, seconds * 1_000_000 + fraction // fractions, data, wire


@dataclass(frozen=True, slots=True)
class _Interface:
    """One interface of a pcapng section.

    Attributes:
        link: link type.
        snap_length: longest captured packet, 0 for no limit.
        ticks: time units in a second.
        offset_s: seconds added to every time.
    """

    link: int
    snap_length: int
    ticks: int = 1_000_000
    offset_s: int = 0

    def microseconds(self, high: int, low: int) -> int:
        return ((high << 32) | low) * 1_000_000 // self.ticks + self.offset_s * 1_000_000


@dataclass(slots=True)
class _Section:
    """What a pcapng section has said so far."""

    order: str
    interfaces: list[_Interface] = field(default_factory=list)


def _read_pcapng(stream: BinaryIO) -> Iterator[Packet]:
    section = _Section("<")
    at = 0
    head = b"\x0a\x0d\x0d\x0a" + stream.read(4)
    while head:
        if len(head) < 8:
            raise ParseError("cut off within a block", f"byte {at}")
        start = b""
        if head[:4] == b"\x0a\x0d\x0d\x0a":
            start = stream.read(4)
            section = _Section(_section_order(start, at))
        kind, length = struct.unpack(section.order + "II", head)
        body = start + _read_body(stream, length, len(start), at)
        if kind == _INTERFACE:
            section.interfaces.append(_parse_interface(body, section.order, at))
        elif kind in _PACKET_BLOCKS:
            packet = _PACKET_BLOCKS[kind](body, section, at)
            if packet is not None:
                yield packet
        at += (length + 3) & ~3
        head = stream.read(8)


def _section_order(magic: bytes, at: int) -> str:
    if magic == b"\x4d\x3c\x2b\x1a":
        return "<"
    if magic == b"\x1a\x2b\x3c\x4d":
        return ">"
    raise ParseError("section header without its byte-order magic", f"byte {at}")


def _read_body(stream: BinaryIO, length: int, taken: int, at: int) -> bytes:
    """Read a block up to and with its closing length, and give what stands between the two lengths.

    Some writers leave the padding out of the length, so it is rounded up to the next multiple of four.
    """
    if not 12 + taken <= length <= LONGEST_RECORD:
        raise ParseError(f"impossible block length {length}", f"byte {at}")
    size = ((length + 3) & ~3) - 8 - taken
    body = stream.read(size)
    if len(body) < size:
        raise ParseError("cut off within a block", f"byte {at}")
    return body[:-4]


def _parse_interface(body: bytes, order: str, at: int) -> _Interface:
    if len(body) < 8:
        raise ParseError("interface block too short", f"byte {at}")
    link, _, snap_length = struct.unpack_from(order + "HHI", body)
    ticks, offset_s = 1_000_000, 0
    position = 8
    while position + 4 <= len(body):
        code, size = struct.unpack_from(order + "HH", body, position)
        value = body[position + 4 : position + 4 + size]
        if code == _TSRESOL and value:
            ticks = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        elif code == _TSOFFSET and len(value) == 8:
            (offset_s,) = struct.unpack(order + "q", value)
        elif code == 0:
            break
        position += 4 + ((size + 3) & ~3)
    return _Interface(link, snap_length, ticks, offset_s)


def _enhanced_packet(body: bytes, section: _Section, at: int) -> Packet | None:
    if len(body) < 20:
        raise ParseError("packet block too short", f"byte {at}")
    number, high, low, captured, wire = struct.unpack_from(section.order + "IIIII", body)
    return _timed_packet(section, number, (high, low), (captured, wire), body)


def _old_packet(body: bytes, section: _Section, at: int) -> Packet | None:
    if len(body) < 20:
        raise ParseError("packet block too short", f"byte {at}")
    number, _, high, low, captured, wire = struct.unpack_from(section.order + "HHIIII", body)
    return _timed_packet(section, number, (high, low), (captured, wire), body)


def _timed_packet(
    section: _Section, number: int, stamp: tuple[int, int], lengths: tuple[int, int], body: bytes
) -> Packet | None:
    """Build the packet; None when its interface was never described, so that its link type is unknown."""
    if number >= len(section.interfaces):
        return None
    interface = section.interfaces[number]
    captured, wire = lengths
    return interface.link, interface.microseconds(*stamp), body[20 : 20 + captured], wire


def _simple_packet(body: bytes, section: _Section, at: int) -> Packet | None:
    if len(body) < 4:
        raise ParseError("packet block too short", f"byte {at}")
    if not section.interfaces:
        return None
    (wire,) = struct.unpack_from(section.order + "I", body)
    interface = section.interfaces[0]
    captured = min(wire, interface.snap_length) if interface.snap_length else wire
    return interface.link, 0, body[4 : 4 + captured], wire


_PACKET_BLOCKS = {_ENHANCED_PACKET: _enhanced_packet, _OLD_PACKET: _old_packet, _SIMPLE_PACKET: _simple_packet}
