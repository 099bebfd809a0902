"""TCP segments of one direction in, bounded runs of in-order bytes out.

The first bytes are kept while they look like something the signatures can read. Later only windows that begin like a
message are kept, a bounded number of them, so that a session captured from its middle is seen and a download costs
nothing.
"""

from __future__ import annotations

from enum import IntEnum

from sentinel.traffic.nodes import BITCOIN_NETWORKS, LEVIN_SIGNATURE, VERSION_COMMAND

HEAD_BYTES = 16_384
LATE_BYTES = 4_096
LATE_WINDOWS = 12
_PENDING_SEGMENTS = 24
_PENDING_BYTES = 32_768
_SEQUENCE = 0xFFFFFFFF
_HALF = 0x80000000

STARTS: tuple[bytes, ...] = (
    b"{",
    b"[",
    b"GET ",
    b"POST ",
    b"HTTP/1.",
    b"CONNECT ",
    b"HEAD ",
    b"PUT ",
    b"PATCH ",
    b"OPTIONS ",
    b"DELETE ",
    b"PROXY TCP",
    b"\x16\x03",
    b"\x81",
    b"\x82",
    b"\xc1",
    LEVIN_SIGNATURE,
    *BITCOIN_NETWORKS,
)
"""How everything begins that is read further: JSON, HTTP, TLS, WebSocket frames, full nodes."""

_FIRST_BYTES = frozenset(start[0] for start in STARTS)
_ENOUGH = 16


def is_promising(head: bytes) -> bool:
    """Tell whether a stream that begins so can be something to read; up to four bytes get the benefit of the doubt."""
    first = head[0]
    if first in _FIRST_BYTES:
        for start in STARTS:
            if first == start[0] and (head.startswith(start) or start.startswith(head)):
                return True
    return VERSION_COMMAND.startswith(head[4:_ENOUGH])


class Mode(IntEnum):
    """What a direction does with the next bytes."""

    FRESH = 0
    KEEP = 1
    WATCH = 2
    DONE = 3


class Stream:
    """One direction of a TCP connection."""

    __slots__ = (
        "_free",
        "_next",
        "_pending",
        "_start",
        "_synced",
        "_torn",
        "always",
        "held",
        "mode",
        "runs",
        "windows",
    )

    def __init__(self) -> None:
        self.mode = Mode.FRESH
        self.runs: list[bytearray] = []
        self.held = 0
        self.windows = LATE_WINDOWS
        self.always = False
        self._free = HEAD_BYTES
        self._next = 0
        self._start = 0
        self._synced = False
        self._torn = False
        self._pending: dict[int, tuple[bytes, int]] = {}

    def sync(self, sequence: int) -> None:
        """Take the sequence number of a SYN: the first byte has the next one."""
        if self.mode is Mode.FRESH and not self._pending:
            self._next = self._start = (sequence + 1) & _SEQUENCE
            self._synced = True

    def begins_at(self, sequence: int) -> bool:
        """Tell whether the first kept byte has this sequence number."""
        return self._start == sequence

    def is_full(self) -> bool:
        """Tell whether the window holds what it may; then it should be read and released."""
        return self._free <= 0

    def add(self, sequence: int, payload: bytes, length: int) -> None:
        """Take the payload of a segment, `length` bytes long on the wire (more than captured when it was cut)."""
        if self.mode is Mode.DONE:
            return
        if self.mode is Mode.WATCH:
            if not self.windows or payload[0] not in _FIRST_BYTES or not is_promising(payload[:_ENOUGH]):
                return
            self._open(sequence)
        elif self.mode is Mode.FRESH:
            self._begin(sequence, payload)
        ahead = (sequence - self._next) & _SEQUENCE
        if ahead == 0:
            self._append(payload, length)
        elif ahead < _HALF:
            self._hold(sequence, payload, length)
        else:
            self._late(sequence, payload, length, _SEQUENCE + 1 - ahead)
        if self._pending:
            self._drain()

    def take(self) -> list[bytes]:
        """Give the runs kept so far, those behind a gap included, and watch for a late window from now on."""
        while self._pending:
            self._skip_gap()
            self._drain()
        runs = [bytes(run) for run in self.runs if run]
        self._release(Mode.WATCH)
        return runs

    def finish(self) -> None:
        """Keep nothing more of this direction."""
        self._release(Mode.DONE)

    def _begin(self, sequence: int, payload: bytes) -> None:
        self.mode = Mode.KEEP
        if not self._synced:
            # A capture that starts mid-flow: the rest of a message may stand before the first whole one.
            cut = -1 if is_promising(payload[:_ENOUGH]) else payload.find(b"\n{")
            self._start = self._next = (sequence + cut + 1) & _SEQUENCE if cut >= 0 else sequence

    def _open(self, sequence: int) -> None:
        self.windows -= 1
        self.mode = Mode.KEEP
        self._free = LATE_BYTES
        self._next = self._start = sequence
        self._synced = True

    def _append(self, payload: bytes, length: int) -> None:
        if self._torn or not self.runs:
            self.runs.append(bytearray())
            self._torn = False
        run = self.runs[-1]
        kept = payload[: max(self._free, 0)]
        short = len(run) < _ENOUGH
        run += kept
        self._free -= len(kept)
        self.held += len(kept)
        self._next = (self._next + length) & _SEQUENCE
        self._torn = len(payload) < length
        if short and run and len(self.runs) == 1 and not self.always and not is_promising(bytes(run[:_ENOUGH])):
            self._discard()

    def _discard(self) -> None:
        """Let go of what nothing can be read from, and look at the waiting segments as late windows."""
        pending = self._pending
        self._pending = {}
        self._release(Mode.WATCH)
        for sequence in sorted(pending, key=self._distance):
            self.add(sequence, *pending[sequence])

    def _hold(self, sequence: int, payload: bytes, length: int) -> None:
        if self._free <= 0:
            return
        known = self._pending.get(sequence)
        if known is None or len(known[0]) < len(payload):
            self.held += len(payload) - (len(known[0]) if known else 0)
            self._pending[sequence] = payload, length
        if len(self._pending) > _PENDING_SEGMENTS or sum(len(p) for p, _ in self._pending.values()) > _PENDING_BYTES:
            self._skip_gap()

    def _late(self, sequence: int, payload: bytes, length: int, behind: int) -> None:
        """Take what is new of a segment that begins before the expected byte."""
        if length > behind:
            self._append(payload[behind:], length - behind)
            return
        lead = (self._start - sequence) & _SEQUENCE
        if not self._synced and len(self.runs) == 1 and 0 < lead <= len(payload) and self._free >= lead:
            self.runs[0][:0] = payload[:lead]  # the capture began with two segments in the wrong order
            self._start = sequence
            self._free -= lead
            self.held += lead

    def _drain(self) -> None:
        while self._pending:
            sequence = min(self._pending, key=self._distance)
            behind = (self._next - sequence) & _SEQUENCE
            if behind >= _HALF:
                return
            payload, length = self._pending.pop(sequence)
            self.held -= len(payload)
            if behind < length:
                self._append(payload[behind:], length - behind)

    def _skip_gap(self) -> None:
        """Give up the missing bytes: go on behind them with a new run."""
        self._next = min(self._pending, key=self._distance)
        self._torn = True

    def _distance(self, sequence: int) -> int:
        """Bytes from the expected one on, negative for one that is passed."""
        ahead = (sequence - self._next) & _SEQUENCE
        return ahead - _SEQUENCE - 1 if ahead >= _HALF else ahead

    def _release(self, mode: Mode) -> None:
        self.runs = []
        self.held = 0
        self._pending = {}
        self._torn = False
        self.mode = mode
