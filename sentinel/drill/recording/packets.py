"""What passes in one conversation in, the IPv4 packets it might have travelled in out."""

from __future__ import annotations

import struct

from sentinel.drill.recording.pcap import PcapWriter
from sentinel.drill.recording.script import Planned

_SEGMENT_BYTES = 1448
_TCP, _UDP = 6, 17
_FIN, _SYN, _PUSH, _ACK = 1, 2, 8, 16


class PacketMaker:
    """Makes the headers of one conversation, with checksums; side 0 is the client."""

    def __init__(self, writer: PcapWriter, planned: Planned) -> None:
        self._writer = writer
        self._addresses = planned.client.packed, planned.server.packed
        self._ports = planned.client_port, planned.script.port
        self._next = [1_000_000, 2_000_000]

    def open(self) -> None:
        """Write the three packets that open a connection."""
        self._write_segment(0, _SYN, b"")
        self._write_segment(1, _SYN | _ACK, b"")
        self._write_segment(0, _ACK, b"")

    def send(self, side: int, data: bytes) -> None:
        """Write data in segments, each with its acknowledgement."""
        for at in range(0, len(data), _SEGMENT_BYTES):
            self._write_segment(side, _PUSH | _ACK, data[at : at + _SEGMENT_BYTES])
            self._write_segment(1 - side, _ACK, b"")

    def close(self, side: int) -> None:
        """Write the end of one direction."""
        self._write_segment(side, _FIN | _ACK, b"")
        self._write_segment(1 - side, _ACK, b"")

    def tell(self, side: int, data: bytes) -> None:
        """Write a datagram."""
        head = struct.pack("!HHHH", self._ports[side], self._ports[1 - side], 8 + len(data), 0)
        checksum = _checksum(self._pseudo(side, _UDP, 8 + len(data)) + head + data) or 0xFFFF
        self._write(side, _UDP, head[:6] + struct.pack("!H", checksum) + data)

    def _write_segment(self, side: int, flags: int, data: bytes) -> None:
        acknowledged = self._next[1 - side] if flags & _ACK else 0
        ports = self._ports[side], self._ports[1 - side]
        head = struct.pack("!HHIIBBHHH", *ports, self._next[side], acknowledged, 0x50, flags, 64_240, 0, 0)
        checksum = _checksum(self._pseudo(side, _TCP, len(head) + len(data)) + head + data)
        self._write(side, _TCP, head[:16] + struct.pack("!H", checksum) + head[18:] + data)
        self._next[side] += len(data) + (1 if flags & (_SYN | _FIN) else 0)

    def _pseudo(self, side: int, protocol: int, size_bytes: int) -> bytes:
        return self._addresses[side] + self._addresses[1 - side] + struct.pack("!HH", protocol, size_bytes)

    def _write(self, side: int, protocol: int, content: bytes) -> None:
        number = self._writer.packets & 0xFFFF
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(content), number, 0x4000, 64, protocol, 0)
        ip += self._addresses[side] + self._addresses[1 - side]
        self._writer.write(ip[:10] + struct.pack("!H", _checksum(ip)) + ip[12:] + content)


def _checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
