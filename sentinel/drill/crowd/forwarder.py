"""The process between scanner and school: frames in on one side, the same frames out on the other after a delay.

It stands in a namespace of its own, with one virtual cable to each side, and ends with its parent. Measured with
Python 3.11 on one of two shared cores: about 105,000 answered probes a second, that is 210,000 frames; what comes
faster is lost before the delay.
"""

from __future__ import annotations

import contextlib
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence

from sentinel.drill.crowd import wire
from sentinel.drill.crowd.commands import run_ip
from sentinel.drill.crowd.process import hear, say, start_alone
from sentinel.drill.crowd.rules import forwarder_links
from sentinel.errors import SentinelError

TO_SCANNER, TO_SCHOOL = "left", "right"
_ETH_P_ALL = 3
_SOL_PACKET, _PACKET_QDISC_BYPASS, _PACKET_IGNORE_OUTGOING = 263, 20, 23
_FRAME_BYTES = 2048  # an Ethernet frame at the usual MTU; offloads are off
_BUFFER_BYTES = 16 * 1024 * 1024
_FRAMES_AT_ONCE = 128
_MOST_WAITING = 500_000


def open_end(interface: str) -> socket.socket:
    """Open a raw socket that reads what comes in on an interface, and not what goes out.

    Raises:
        OSError: no right to, or no such interface.
    """
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    end.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    end.setsockopt(_SOL_PACKET, _PACKET_QDISC_BYPASS, 1)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        end.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
    end.bind((interface, _ETH_P_ALL))
    end.setblocking(False)
    return end


class Lane:
    """One direction: frames wait in the order they came, each until its own time."""

    def __init__(self, source: socket.socket, target: socket.socket, delay_s: float) -> None:
        self.source = source
        self._target = target
        self._delay_s = delay_s
        self._waiting: deque[tuple[float, bytes]] = deque()

    def take(self) -> None:
        """Read what has come, at most a batch; beyond half a million waiting frames they are lost."""
        due = time.monotonic() + self._delay_s
        with contextlib.suppress(BlockingIOError):
            for _ in range(_FRAMES_AT_ONCE):
                frame = self.source.recv(_FRAME_BYTES)
                if len(self._waiting) < _MOST_WAITING:
                    self._waiting.append((due, frame))

    def give(self) -> float | None:
        """Send what is due; seconds until the next frame is, or None when none waits."""
        now = time.monotonic()
        while self._waiting:
            due, frame = self._waiting[0]
            if due > now:
                return due - now
            self._waiting.popleft()
            with contextlib.suppress(OSError):  # a full queue or a missing far end loses frames, as cables do
                self._target.send(frame)
        return None


def forward(left: socket.socket, right: socket.socket, delay_s: float) -> None:
    """Carry frames both ways for ever, each `delay_s` late."""
    lanes = (Lane(left, right, delay_s), Lane(right, left, delay_s))
    sources = [lane.source for lane in lanes]
    while True:
        waits = [wait for lane in lanes if (wait := lane.give()) is not None]
        ready, _, _ = select.select(sources, (), (), min(waits, default=None))
        for lane in lanes:
            if lane.source in ready:
                lane.take()


def main(words: Sequence[str] | None = None) -> int:
    """Forward frames until the parent ends; 1 after telling why it could not start."""
    try:
        start_alone(words, "sentinel.drill.crowd.forwarder")
        order = hear()
        run_ip(forwarder_links(TO_SCANNER, order["scanner"]))
        say({"linked": True})
        hear()  # the school has plugged in its end
        run_ip((f"link set {TO_SCHOOL} up",))
        ends = []
        for name in (TO_SCANNER, TO_SCHOOL):
            wire.offloads_off(name)
            ends.append(open_end(name))
        say({"ready": True})
        forward(ends[0], ends[1], order["delay_s"])
    except SentinelError as error:
        say({"error": str(error)})
    except OSError as error:
        say({"error": f"practice crowd: no forwarder: {error}"})
    return 1


if __name__ == "__main__":
    sys.exit(main())
