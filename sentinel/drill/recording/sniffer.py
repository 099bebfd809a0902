"""The packets of the loopback interface in, a capture file out, while the event loop runs."""

from __future__ import annotations

import asyncio
import socket
from types import TracebackType

from sentinel.drill.recording.pcap import PcapWriter

_ETH_P_ALL = 3
_PACKET_OUTGOING = 4
_LARGEST_FRAME = 262_144
_RECEIVE_BUFFER = 8 * 1024 * 1024


class Sniffer:
    """Writes every packet of the loopback interface while the event loop runs."""

    def __init__(self, writer: PcapWriter) -> None:
        self._writer = writer
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self._socket.bind(("lo", 0))
        self._socket.setblocking(False)

    @property
    def packets(self) -> int:
        """Packets written."""
        return self._writer.packets

    def __enter__(self) -> Sniffer:
        asyncio.get_running_loop().add_reader(self._socket, self.read_waiting)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def read_waiting(self) -> None:
        """Write what has arrived; loopback shows each packet twice, of which the incoming one counts."""
        while True:
            try:
                frame, origin = self._socket.recvfrom(_LARGEST_FRAME)
            except BlockingIOError:
                return
            if origin[2] != _PACKET_OUTGOING:
                self._writer.write(frame)
