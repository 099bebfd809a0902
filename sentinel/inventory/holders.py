"""The lines of a register in; which of them hold an address, most closely first, and which department answers out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from ipaddress import ip_address

from sentinel.model.register import RegisterEntry
from sentinel.model.system import fold_system
from sentinel.model.unit import IPAddress, IPNetwork

_SUBJECT = re.compile(r"\[?([0-9A-Fa-f.:]+?)\]?(?::(\d{1,5})/(\w+)| .*)?\Z")


class Place:
    """Lines that name the same address, prefix or name, in the order of the register."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        self.lines: list[int] = []


class RegisterIndex:
    """Finds the lines that hold an address in as many steps as there are different prefix lengths."""

    def __init__(self, entries: Sequence[RegisterEntry]) -> None:
        self.entries = entries
        self.by_name: defaultdict[str, Place] = defaultdict(Place)
        self.by_prefix: defaultdict[tuple[int, int, int], Place] = defaultdict(Place)
        for number, entry in enumerate(entries):
            for place in self.places_of_line(entry):
                place.lines.append(number)
        lengths = sorted({(version, length) for version, length, _ in self.by_prefix}, reverse=True)
        self._lengths = {version: [one for kind, one in lengths if kind == version] for version in (4, 6)}

    def places_of_line(self, entry: RegisterEntry) -> Iterator[Place]:
        """Give each place a line names once."""
        for prefix in dict.fromkeys(entry.addresses):
            yield self.by_prefix[_key(prefix)]
        for name in dict.fromkeys(map(fold_name, entry.domains)):
            yield self.by_name[name]

    def places_of(self, address: IPAddress, names: Iterable[str] = ()) -> Iterator[Place]:
        """Give the places that hold an address, most closely first: the address, its names, the longest prefix."""
        value, bits = int(address), address.max_prefixlen
        lengths = self._lengths[address.version]
        exact = bool(lengths) and lengths[0] == bits
        if exact:
            yield from self._at(address.version, bits, value)
        for name in names:
            place = self.by_name.get(fold_name(name))
            if place:
                yield place
        for length in lengths[exact:]:
            yield from self._at(address.version, length, value >> (bits - length))

    def _at(self, version: int, length: int, high: int) -> Iterator[Place]:
        place = self.by_prefix.get((version, length, high))
        if place:
            yield place


class Owners:
    """Tells which department answers for what a finding is about (责任部门)."""

    def __init__(
        self,
        index: RegisterIndex,
        names: Mapping[IPAddress, Iterable[str]],
        now: datetime,
        systems: Mapping[str, str] | None = None,
    ) -> None:
        self._index = index
        self._systems = systems or {}
        self._names = names
        self._now = now
        self._known: dict[tuple[Place, str, int], str] = {}

    def department(self, subject: str) -> str:
        """Give the department of the line that holds a subject most closely, or of the system it names; else empty.

        Lines in force come before expired ones, and lines that hold the port before those that hold the host only.
        """
        address, proto, port = read_subject(subject)
        if address is None:
            place = self._index.by_name.get(fold_name(subject))
            return self._of_place(place, "", 0) if place else self._systems.get(fold_system(subject), "")
        places = self._index.places_of(address, self._names.get(address, ()))
        return next(filter(None, (self._of_place(place, proto, port) for place in places)), "")

    def line(self, subject: str) -> RegisterEntry | None:
        """Give the line that holds a subject most closely, in force before expired; None when no line does."""
        address, proto, port = read_subject(subject)
        names = self._names.get(address, ()) if address is not None else ()
        named = self._index.by_name.get(fold_name(subject))
        places = self._index.places_of(address, names) if address is not None else iter([named] if named else [])
        place = next(places, None)
        lines = [self._index.entries[number] for number in place.lines] if place else []
        return min(lines, key=lambda one: (is_expired(one, self._now), not _holds(one, proto, port)), default=None)

    def _of_place(self, place: Place, proto: str, port: int) -> str:
        key = (place, proto, port)
        if key not in self._known:
            told = [one for one in (self._index.entries[number] for number in place.lines) if one.department]
            best = min(told, key=lambda one: (is_expired(one, self._now), not _holds(one, proto, port)), default=None)
            self._known[key] = best.department if best else ""
        return self._known[key]


def read_subject(subject: str) -> tuple[IPAddress | None, str, int]:
    """Read `10.0.0.5:6379/tcp`, `[2001:db8::1]:22/tcp`, `10.0.0.5 stratum` or an address; None for other subjects."""
    match = _SUBJECT.match(subject)
    if match is None:
        return None, "", 0
    try:
        return ip_address(match[1]), match[3] or "", int(match[2] or 0)
    except ValueError:
        return None, "", 0


def fold_name(name: str) -> str:
    """Write a domain name as it is compared: lower case, without the final dot."""
    return name.strip().rstrip(".").lower()


def is_expired(entry: RegisterEntry, now: datetime) -> bool:
    """Tell whether the register says that a line has ended; one that is still to begin has not."""
    return entry.valid_to is not None and entry.valid_to < now


def _holds(entry: RegisterEntry, proto: str, port: int) -> bool:
    return not entry.ports or any(kind == proto and port in ports for kind, ports in entry.ports)


def _key(prefix: IPNetwork) -> tuple[int, int, int]:
    bits = prefix.max_prefixlen - prefix.prefixlen
    return prefix.version, prefix.prefixlen, int(prefix.network_address) >> bits
