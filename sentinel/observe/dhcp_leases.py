"""The lease file of ISC dhcpd, for IPv4 or IPv6, in; the run, a host and a holding per lease, and what was lost out.

The file is a journal: each change of a lease is written again at its end, so the last one of an address counts.
Source: dhcpd.leases(5), ISC DHCP 4.4.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from sentinel.model.moment import EARLIEST
from sentinel.model.observation import Observation, RunObservation
from sentinel.observe.dhcp_lease import ACTIVE, build_holding, build_lease, read_duid
from sentinel.observe.lines import BOM, Tally, read_lines
from sentinel.observe.text import LATEST, decode_bytes, parse_time

NAME = "dhcpd-leases"
TOOL = "isc-dhcpd"

MAX_WORDS = 64
"""Words kept of one statement, the last ones; the longest that matters has five."""

MAX_WORD = 2_000
"""Bytes kept of one word; a DUID of 128 bytes takes 514 where each is escaped."""

MAX_DEPTH = 16
"""Blocks inside each other; dhcpd writes at most three."""

_INFINITE = 0xFFFFFFFF

_HEAD = re.compile(
    rb'(?:^|\n)[ \t]*(?:lease[ \t]+[0-9.]+[ \t]*\{|ia-(?:na|ta)[ \t]+"|# The format of this file is documented in the '
    rb"dhcpd\.leases|server-duid[ \t]|authoring-byte-order[ \t])"
)
_WORD = re.compile(rb'#[^\n]*|"(?:\\.|[^"\\])*"?|[{};]|[^\s{};"#]+')
_VERSION = re.compile(rb"written by isc-dhcp-(\S{1,40})")
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_LEASES = frozenset({b"lease", b"iaaddr"})
_CLIENTS = frozenset({b"ia-na", b"ia-ta"})
_OUTER = frozenset({b"lease", b"ia-pd", *_CLIENTS})


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes look like dhcpd's leases."""
    return bool(_HEAD.search(head.removeprefix(BOM).replace(b"\r\n", b"\n")))


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, each lease as often as it is written, in the order of the file, and what was lost.

    A lease is lost when its address cannot be read or the file ends inside it. The time is the lease's start; for
    IPv6, whose leases have none, the client's last transaction.

    Raises:
        ParseError: there are leases, and none of them can be read.
    """
    reader = _Reader()
    is_first = True
    for number, line in read_lines(stream):
        found = reader.read(number, line)
        if found and is_first:
            yield RunObservation(TOOL, reader.version)
            is_first = False
        yield from found
    reader.end()
    losses = reader.tally.losses()
    if is_first:
        yield RunObservation(TOOL, reader.version)
    yield from losses


@dataclass(slots=True)
class _Block:
    """A block that is open: its first words, where it began, and what its statements said."""

    kind: bytes
    name: bytes
    line: int
    said: dict[bytes, list[bytes]] = field(default_factory=dict)


@dataclass(slots=True)
class _Reader:
    """Reads statements and blocks from words, whatever lines they stand on."""

    tally: Tally = field(default_factory=Tally)
    version: str = ""
    _words: deque[bytes] = field(default_factory=lambda: deque(maxlen=MAX_WORDS))
    _blocks: list[_Block] = field(default_factory=list)
    _too_deep: int = 0

    def read(self, number: int, line: bytes | None) -> list[Observation]:
        """Read one line into the leases that end on it."""
        found: list[Observation] = []
        if line is None:
            self.tally.drop(f"line {number}", "the line is too long")
            return found
        for word in _WORD.findall(line):
            if word == b"{":
                self._open(number)
            elif word == b"}":
                found += self._close()
            elif word == b";":
                self._say()
            elif word.startswith(b"#"):
                self._note(word)
            else:
                self._words.append(word[:MAX_WORD])
        return found

    def end(self) -> None:
        """Count the leases that are still open at the end of the file."""
        for block in self._blocks:
            if block.kind in _LEASES:
                self.tally.drop(f"line {block.line}", "the file ends inside a lease")

    def _note(self, comment: bytes) -> None:
        if not self.version and (told := _VERSION.search(comment)):
            self.version = told[1].decode("ascii", "replace")

    def _open(self, number: int) -> None:
        *_, kind, name = (b"", b"", *self._words)  # words before these two were left by a statement that was cut off
        self._words.clear()
        if name in _LEASES:  # without an address
            kind, name = name, b""
        if kind in _OUTER:
            self.end()  # dhcpd writes none of these inside another: what is open was cut off
            self._blocks.clear()
            self._too_deep = 0
        if len(self._blocks) == MAX_DEPTH:
            self._too_deep += 1
            return
        self._blocks.append(_Block(kind, name, number))

    def _close(self) -> list[Observation]:
        self._words.clear()
        if self._too_deep:
            self._too_deep -= 1
            return []
        if not self._blocks:
            return []
        block = self._blocks.pop()
        if block.kind not in _LEASES:
            return []
        found = _build(block, self._blocks[-1] if self._blocks else None)
        if not found:
            self.tally.drop(f"line {block.line}", "an address cannot be read")
            return []
        self.tally.good += 1
        return found

    def _say(self) -> None:
        words = list(self._words)
        self._words.clear()
        if words and self._blocks and not self._too_deep and words[0] in _WANTED:
            self._blocks[-1].said[words[0]] = words[1:]


_WANTED = frozenset(
    {b"binding", b"starts", b"ends", b"max-life", b"cltt", b"hardware", b"uid", b"client-hostname", b"abandoned"}
)


def _build(lease: _Block, outer: _Block | None) -> list[Observation]:
    """Build a lease and who held it, or nothing where the address cannot be read.

    That of an IPv6 address stands in a block that tells the client and the time.
    """
    said = lease.said
    mac = said.get(b"hardware", [])
    hardware = mac[1].decode("ascii", "replace") if len(mac) > 1 and mac[0] == b"ethernet" else ""
    start = _read_time(said.get(b"starts") or said.get(b"cltt") or [])
    client = _unquote((said.get(b"uid") or [b""])[0])
    if outer is not None and outer.kind in _CLIENTS:
        start = start or _read_time(outer.said.get(b"cltt", []))
        client = _unquote(outer.name)[4:]  # the identity association's own number comes first
        hardware = read_duid(client)
    name = said.get(b"client-hostname", [b""])
    text = decode_bytes(_unquote(name[0])) if name else ""
    host = build_lease(lease.name.decode("ascii", "replace"), _read_state(said), start, hardware, text)
    if host is None:
        return []
    holding = build_holding(host, _read_end(said, start), client.hex())
    return [host] if holding is None else [host, holding]


def _read_end(said: dict[bytes, list[bytes]], start: datetime | None) -> datetime | None:
    """Give the end of a lease: as told, or for IPv6 its longest life after the client was last heard."""
    if b"ends" in said:
        return _read_time(said[b"ends"])
    life = (said.get(b"max-life") or [b""])[0]
    if start is None or not life.isdigit() or len(life) > 10 or int(life) >= _INFINITE:
        return None
    return start + timedelta(seconds=int(life))


def _read_state(said: dict[bytes, list[bytes]]) -> str:
    """Give the state of the binding; leases of dhcpd 2, which tell none, are active unless abandoned."""
    binding = said.get(b"binding", [])
    if len(binding) > 1:
        return binding[1].decode("ascii", "replace")
    return "abandoned" if b"abandoned" in said else ACTIVE


def _read_time(words: list[bytes]) -> datetime | None:
    """Read `2 2026/11/24 08:30:00` (the day of the week comes first; UTC), or `epoch 1790000000`; None for others."""
    texts = [word.decode("ascii", "replace") for word in words]
    if len(texts) == 2 and texts[0] == "epoch":
        return parse_time(texts[1])
    if len(texts) != 3:
        return None
    try:
        moment = datetime.strptime(f"{texts[1]} {texts[2]}", "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment if EARLIEST <= moment < LATEST else None


def _unquote(word: bytes) -> bytes:
    r"""Give the bytes of `"a\001b"`; a word without quotes stands for itself."""
    if len(word) < 2 or not word.startswith(b'"'):
        return word
    return _ESCAPE.sub(lambda found: _byte(found[1]), word[1:-1])


def _byte(escape: bytes) -> bytes:
    try:
        return bytes([int(escape, 8) & 0xFF])
    except ValueError:  # it stands for itself, be it an 8
        return escape
