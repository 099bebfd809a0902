"""Packets in, a capture file out (pcap, microseconds, low byte first)."""

from __future__ import annotations

import struct
import time
from typing import BinaryIO

ETHERNET, RAW_IP = 1, 101
_SNAP_LENGTH = 262_144


class PcapWriter:
    """Writes packets as they come, each with the present time."""

    def __init__(self, stream: BinaryIO, link: int) -> None:
        self._stream = stream
        self.packets = 0
        stream.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, _SNAP_LENGTH, link))

    def write(self, packet: bytes) -> None:
        """Append one packet."""
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        self._stream.write(struct.pack("<IIII", seconds, nanoseconds // 1000, len(packet), len(packet)) + packet)
        self.packets += 1
