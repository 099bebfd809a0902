"""What must stay out (涉密 and the like): a unit in, its addresses out; foreign bytes that hold some are refused.

What is refused is counted and never told: a list of such addresses is itself something to keep.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import BinaryIO

from sentinel.collect.ranges import Range, intersect, merge, range_of, range_of_address
from sentinel.errors import ParseError
from sentinel.model.observation import HostObservation, NameObservation, Observation
from sentinel.model.plain import plain_address, plain_prefix, read_plain_prefix
from sentinel.model.probe import ProbeObservation
from sentinel.model.register import KeepOut
from sentinel.model.sighting import HoldingObservation, TranslationObservation
from sentinel.model.unit import IPAddress, IPNetwork, Unit
from sentinel.observe.lines import UTF16
from sentinel.observe.table import fold_width
from sentinel.schedule.context import Context
from sentinel.store.database import Database
from sentinel.store.declared import read_campus_keep_outs

_CHUNK = 1 << 20
_OVERLAP = 64
"""Bytes read twice, so that no address is cut in two; the longest text of one has 45."""

_FREE = 1 << 16
"""Addresses remembered not to stay out while a file is read."""

_IPV4 = re.compile(rb"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\d|\.\d)")
_IPV6 = re.compile(
    rb"(?<![0-9A-Fa-f:.])[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]{1,37}(?:\d{1,3}(?:\.\d{1,3}){3})?(?![0-9A-Fa-f:])"
)

_MAPPED = re.compile(rb"[0:]:ffff:[0-9a-f]{1,4}:[0-9a-f]", re.IGNORECASE)
"""An IPv4 address inside an IPv6 one whose numbers are hexadecimal; with points it is read as the IPv4 one."""


@dataclass(frozen=True, slots=True)
class KeptOut:
    """The addresses that stay out of a unit, ready to be asked many times."""

    ranges: tuple[Range, ...]

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def meets(self, asked: IPNetwork | IPAddress) -> bool:
        """Tell whether an address, or any part of a prefix, stays out."""
        return self.count([asked]) > 0

    def hides(self, prefix: IPNetwork) -> bool:
        """Tell whether the whole of a prefix stays out."""
        return self.count([prefix]) == prefix.num_addresses

    def count(self, asked: Iterable[IPNetwork | IPAddress]) -> int:
        """Count the different addresses among these that stay out."""
        spans = (
            range_of_address(plain_address(one))
            if isinstance(one, IPv4Address | IPv6Address)
            else range_of(plain_prefix(one))
            for one in asked
        )
        return self.count_ranges(spans)

    def count_ranges(self, spans: Iterable[Range]) -> int:
        """Count the different addresses in spans that stay out."""
        return sum(high - low + 1 for _, low, high in intersect(spans, self.ranges)) if self.ranges else 0

    def find_in(self, stream: BinaryIO) -> tuple[Range, ...]:
        """Give the addresses written anywhere in a text that stay out, whatever its format."""
        found: set[Range] = set()
        versions = {version for version, _, _ in self.ranges}
        for address in _iterate_addresses(stream, versions) if self.ranges else ():
            span = range_of_address(address)
            if span not in found and intersect([span], self.ranges):
                found.add(span)
        return merge(found)

    def writes(self, text: str) -> bool:
        """Tell whether one of them is written anywhere in a text."""
        return bool(self.ranges) and bool(self.find_in(BytesIO(fold_width(text).encode("utf-8", "replace"))))

    def find_told(self, one: Observation) -> IPAddress | None:
        """Give an address an observation is about that stays out, however its text was written."""
        return next((address for address in _addresses_of(one) if self.meets(address)), None)

    def watch(self, read: Iterable[Observation], seen: set[IPAddress]) -> Iterator[Observation]:
        """Pass observations on, and put the addresses among them that stay out to `seen`."""
        free: set[IPAddress] = set()  # a log names few addresses many times
        for one in read:
            for address in _addresses_of(one) if self.ranges else ():
                if address in free:
                    continue
                if self.meets(address):
                    seen.add(address)
                elif len(free) < _FREE:
                    free.add(address)
            yield one


def _addresses_of(one: Observation) -> tuple[IPAddress, ...]:
    if isinstance(one, HostObservation | HoldingObservation):
        return (one.address,)
    if isinstance(one, TranslationObservation):
        return (one.inside, one.outside) if one.peer is None else (one.inside, one.outside, one.peer)
    if isinstance(one, NameObservation | ProbeObservation) and one.address is not None:
        return (one.address,)
    return ()


def read_kept_out(database: Database, unit: Unit) -> tuple[IPNetwork, ...]:
    """Give all that must stay out when a unit is looked at: its own, and that of its campus."""
    return tuple(prefix for one in read_campus_keep_outs(database, unit.code) for prefix in one.prefixes)


def load_kept_out(context: Context, unit: Unit) -> KeptOut:
    """Give the same, ready to be asked."""
    return build_kept_out(read_kept_out(context.database, unit))


def build_kept_out(prefixes: Iterable[IPNetwork]) -> KeptOut:
    """Make prefixes ready to be asked."""
    return KeptOut(merge(range_of(plain_prefix(prefix)) for prefix in prefixes))


def refuse_kept_out(context: Context, unit: Unit, asked: Iterable[IPNetwork | IPAddress | str], where: str) -> None:
    """Refuse what somebody wants stored when an address or prefix of it stays out.

    Raises:
        ParseError: some do; the one line names `where` and how many, never which.
    """
    kept = load_kept_out(context, unit)
    refuse_count(kept.count(read_plain_prefix(one) if isinstance(one, str) else one for one in asked), where)


def refuse_count(count: int, where: str) -> None:
    """Refuse when there is anything to refuse.

    Raises:
        ParseError: the count is not zero.
    """
    if count:
        what = "1 address that is" if count == 1 else f"{count} addresses that are"
        raise ParseError(f"holds {what} declared to stay out: nothing of it was stored", where)


def count_keep_out(one: KeepOut) -> int:
    """Count the addresses of one declaration."""
    return sum(high - low + 1 for _, low, high in merge(range_of(prefix) for prefix in one.prefixes))


def _iterate_addresses(stream: BinaryIO, versions: set[int]) -> Iterator[IPAddress]:
    """Give the addresses written in a text; those at the seam of two chunks are read with the second."""
    tail = b""
    chunks = _iterate_chunks(stream)
    chunk = next(chunks, b"")
    while chunk:
        following = next(chunks, b"")
        text = tail + chunk
        first, last = (1 if tail else 0), (len(text) - 1 if following else len(text))
        if 4 in versions:
            yield from _read_all(_IPV4, IPv4Address, text, first, last)
        if 6 in versions or _MAPPED.search(text):
            yield from _read_all(_IPV6, IPv6Address, text, first, last)
        tail, chunk = text[-_OVERLAP:], following


def _iterate_chunks(stream: BinaryIO) -> Iterator[bytes]:
    """Give a text in pieces of which none but the last is empty; one in UTF-16 (what Windows writes) as ASCII."""
    chunk = stream.read(_CHUNK)
    encoding = UTF16.get(chunk[:2])
    decoder = getincrementaldecoder(encoding)("replace") if encoding else None
    while chunk:
        yield decoder.decode(chunk).encode("ascii", "replace") if decoder else chunk
        chunk = stream.read(_CHUNK)


def _read_all(
    pattern: re.Pattern[bytes], kind: type[IPv4Address] | type[IPv6Address], text: bytes, first: int, last: int
) -> Iterator[IPAddress]:
    found = pattern.finditer(text)
    for word in {match[0] for match in found if match.start() >= first and match.end() <= last}:
        try:
            yield plain_address(kind(word.decode()))
        except AddressValueError:
            continue
