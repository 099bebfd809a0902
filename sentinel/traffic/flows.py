"""TCP segments in, one verdict per connection out, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sentinel.model.flow import FlowDetection
from sentinel.traffic.dialogue import NameSeen, read_run
from sentinel.traffic.judge import Parties, judge_flow
from sentinel.traffic.moments import Span
from sentinel.traffic.names import parse_dns, parse_greeting, split_dns_stream
from sentinel.traffic.nodes import Node
from sentinel.traffic.packet import UDP, Segment
from sentinel.traffic.pools import PoolFeed
from sentinel.traffic.sightings import Sighting, Sightings
from sentinel.traffic.signatures import PROOF, Sign
from sentinel.traffic.stream import Mode, Stream

MOST_FLOWS = 100_000
"""Connections kept at a time (about 1 KB each); the longest idle are judged and let go first."""

MOST_HELD_BYTES = 48 * 1024 * 1024
"""Stream bytes kept at a time; the longest idle are read and let go first."""

_MOST_SIGNS = 64
_DNS_PORT = 53
_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16


@dataclass(slots=True, eq=False)
class Half:
    """One direction of a flow.

    Attributes:
        flow: the flow.
        side: 0 for the direction seen first, 1 for the other.
        stream: its bytes; None until the first payload.
        start: sequence number of its SYN, None when not captured.
        has_payload: payload was seen.
    """

    flow: Flow
    side: int
    stream: Stream | None = None
    start: int | None = None
    has_payload: bool = False


@dataclass(slots=True, eq=False)
class Flow:
    """One TCP connection.

    Attributes:
        key: addresses and ports in the direction seen first.
        span: counts of both directions.
        order: number of the last packet, for telling who is idle longest.
        opener: side that sent the SYN, -1 when not captured.
        closed: a FIN or RST was seen.
        signs: side and sign, in the order read.
        node: side and greeting of a full node.
        names: rows of listed names this flow asked for.
    """

    key: bytes
    span: Span = field(default_factory=Span)
    order: int = 0
    opener: int = -1
    closed: bool = False
    halves: tuple[Half, ...] = ()
    signs: list[tuple[int, Sign]] | None = None
    node: tuple[int, Node] | None = None
    names: list[Sighting] | None = None


class FlowTable:
    """All connections of one capture; `finished` fills with the detections of those that ended."""

    __slots__ = ("_by_key", "_file", "_held", "_order", "_sightings", "finished")

    def __init__(self, file: str, feed: PoolFeed) -> None:
        self._file = file
        self._sightings = Sightings(feed)
        self._by_key: dict[bytes, Half] = {}
        self._held = 0
        self._order = 0
        self.finished: list[FlowDetection] = []

    def add(self, segment: Segment, when: int) -> None:
        """Take one segment seen at `when` (microseconds since 1970)."""
        protocol, key, data, start, stop, length = segment
        if protocol == UDP:
            self._add_datagram(key, data[start + 8 : stop], length - 8, when)
            return
        flags = data[start + 13]
        header = (data[start + 12] >> 4) * 4
        if header < 20 or header > length:
            return
        sequence = int.from_bytes(data[start + 4 : start + 8], "big")
        half = self._by_key.get(key)
        if half is None or (flags & _SYN and _is_reused(half, sequence)):
            half = self._open(key, half)
        flow = half.flow
        self._order += 1
        flow.order = self._order
        size = length - header
        flow.span.add(when, size)
        if flags & (_SYN | _FIN | _RST):
            _note_flags(half, flags, sequence)
            sequence += 1 if flags & _SYN else 0
        if size:
            half.has_payload = True
            payload = data[start + header : stop]
            if payload:
                self._add_payload(half, sequence & 0xFFFFFFFF, payload, size)

    def end(self) -> Iterator[FlowDetection]:
        """Judge what is left and yield every detection not yet taken, names last."""
        for half in list(self._by_key.values()):
            if half.side == 0:
                self._finish(half.flow)
                yield from self.take()
        self._by_key.clear()
        yield from self._sightings.detections(self._file)

    def take(self) -> list[FlowDetection]:
        """Give the detections of flows that ended since the last call."""
        taken, self.finished = self.finished, []
        return taken

    def _open(self, key: bytes, old: Half | None) -> Half:
        if old is not None:
            self._remove(old.flow)
        elif len(self._by_key) >= 2 * MOST_FLOWS:
            self._evict()
        flow = Flow(key)
        flow.halves = (Half(flow, 0), Half(flow, 1))
        self._by_key[_reverse(key)] = flow.halves[1]
        self._by_key[key] = flow.halves[0]
        return flow.halves[0]

    def _add_payload(self, half: Half, sequence: int, payload: bytes, length: int) -> None:
        stream = half.stream
        if stream is None:
            stream = half.stream = Stream()
            stream.always = _is_dns(half.flow.key)
            if half.start is not None:
                stream.sync(half.start)
        elif stream.mode is Mode.DONE:
            return
        before = stream.held
        stream.add(sequence, payload, length)
        self._held += stream.held - before
        if stream.mode is Mode.KEEP:
            if stream.runs and stream.runs[0][:1] == b"\x16" and not stream.always:
                self._greet(half, stream)
            elif stream.is_full():
                self._read(half)
            if self._held > MOST_HELD_BYTES:
                self._relieve()

    def _greet(self, half: Half, stream: Stream) -> None:
        greeting = parse_greeting(bytes(stream.runs[0]))
        if greeting.name and (greeting.complete or stream.is_full()):
            self._note_name(half, NameSeen("tls", greeting.name, f"TLS SNI {greeting.name}"))
        if greeting.complete or stream.is_full():
            self._held -= stream.held
            stream.finish()

    def _read(self, half: Half) -> None:
        stream = half.stream
        if stream is None or not (stream.runs or stream.held):
            return
        self._held -= stream.held
        for run in stream.take():
            if stream.always:
                self._read_dns(half, run)
            elif run[:1] == b"\x16":
                if name := parse_greeting(run).name:
                    self._note_name(half, NameSeen("tls", name, f"TLS SNI {name}"))
            else:
                self._read_run(half, run)
        if half.flow.signs and any(sign.certainty >= PROOF and side == half.side for side, sign in half.flow.signs):
            stream.finish()

    def _read_run(self, half: Half, run: bytes) -> None:
        flow = half.flow
        for seen in read_run(run):
            if isinstance(seen, NameSeen):
                self._note_name(half, seen)
            elif isinstance(seen, Node):
                flow.node = flow.node or (half.side, seen)
            else:
                flow.signs = flow.signs or []
                if len(flow.signs) < _MOST_SIGNS:
                    flow.signs.append((half.side, seen))

    def _read_dns(self, half: Half, run: bytes) -> None:
        source, target, source_port, target_port = _parties(half)
        if target_port != _DNS_PORT:
            source, target, target_port = target, source, source_port
        for message in split_dns_stream(run):
            for row in self._sightings.add_dns(message, source, target, target_port):
                _remember(half.flow, row)

    def _note_name(self, half: Half, seen: NameSeen) -> None:
        client, server, _, server_port = _parties(half)
        row = self._sightings.add(client, server, server_port, seen)
        if row is not None:
            _remember(half.flow, row)

    def _add_datagram(self, key: bytes, payload: bytes, length: int, when: int) -> None:
        if not _is_dns(key):
            return
        message = parse_dns(payload)
        if message is None:
            return
        source, target, source_port, target_port = split_key(key)
        if message.is_answer:
            source, target, target_port = target, source, source_port
        for row in self._sightings.add_dns(message, source, target, target_port):
            row.span.add(when, length)

    def _finish(self, flow: Flow) -> None:
        for half in flow.halves:
            self._read(half)
        for row in flow.names or ():
            row.span.merge(flow.span)
        detection = self._judge(flow)
        if detection is not None:
            self.finished.append(detection)

    def _judge(self, flow: Flow) -> FlowDetection | None:
        parties = Parties(*split_key(flow.key), flow.opener)
        return judge_flow(self._file, parties, flow.span, flow.signs or [], flow.node, self._sightings.coin_of)

    def _remove(self, flow: Flow) -> None:
        self._finish(flow)
        self._by_key.pop(flow.key, None)
        self._by_key.pop(_reverse(flow.key), None)

    def _evict(self) -> None:
        """Judge and let go the tenth of the flows that is idle longest; those with a sign stay as long as they can."""
        flows = self._oldest()
        wanted = max(1, MOST_FLOWS // 10)
        for flow in flows:
            if not wanted:
                return
            for half in flow.halves:
                self._read(half)
            if not flow.signs:
                self._remove(flow)
                wanted -= 1
        for flow in [flow for flow in flows if flow.signs][:wanted]:
            self._remove(flow)

    def _relieve(self) -> None:
        """Read and let go the kept bytes of the flows that are idle longest, until half of the limit is free."""
        for flow in self._oldest():
            if self._held <= MOST_HELD_BYTES // 2:
                break
            for half in flow.halves:
                self._read(half)

    def _oldest(self) -> list[Flow]:
        return sorted((half.flow for half in self._by_key.values() if half.side == 0), key=lambda flow: flow.order)


def split_key(key: bytes) -> tuple[bytes, bytes, int, int]:
    """Give packed source, packed destination, source port and destination port of a key."""
    size = (len(key) - 4) // 2
    ports = key[2 * size :]
    return key[:size], key[size : 2 * size], int.from_bytes(ports[:2], "big"), int.from_bytes(ports[2:], "big")


def _reverse(key: bytes) -> bytes:
    size = (len(key) - 4) // 2
    return key[size : 2 * size] + key[:size] + key[-2:] + key[-4:-2]


def _is_dns(key: bytes) -> bool:
    return key[-2:] == b"\0\x35" or key[-4:-2] == b"\0\x35"


def _parties(half: Half) -> tuple[bytes, bytes, int, int]:
    """Give sender, receiver and their ports, as this direction has them."""
    return split_key(half.flow.key if half.side == 0 else _reverse(half.flow.key))


def _remember(flow: Flow, row: Sighting) -> None:
    """Let the row of a listed name count this flow when it ends."""
    flow.names = flow.names or []
    if row not in flow.names:
        flow.names.append(row)


def _is_reused(half: Half, sequence: int) -> bool:
    """Tell whether a SYN begins another connection on the same addresses and ports."""
    if half.start == sequence:
        return False
    if half.start is None and half.stream is not None and half.stream.begins_at((sequence + 1) & 0xFFFFFFFF):
        return False  # the SYN only came late
    return half.flow.closed or half.has_payload


def _note_flags(half: Half, flags: int, sequence: int) -> None:
    flow = half.flow
    if flags & _SYN:
        half.start = sequence
        flow.opener = (1 - half.side) if flags & _ACK else half.side
        if half.stream is not None:
            half.stream.sync(sequence)
    if flags & (_FIN | _RST):
        flow.closed = True
