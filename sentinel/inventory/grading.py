"""Systems, register lines and hosts in; the grading objects, and which of them owns an address or a finding, out.

A grading object (定级对象) is a registered information system with a level. What belongs to none of them is judged as
the unit, as one object.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from sentinel.inventory.holders import Place, RegisterIndex, fold_name, is_expired, read_subject
from sentinel.inventory.systems import index_systems, is_retired
from sentinel.model.control import GradingObject
from sentinel.model.endpoint import Host
from sentinel.model.finding import Finding, SubjectKind
from sentinel.model.register import RegisterEntry
from sentinel.model.system import InformationSystem, fold_system
from sentinel.model.unit import IPAddress, IPNetwork

UNIT = 0
"""Number of the unit as one object."""


def list_objects(unit: str, systems: Iterable[InformationSystem]) -> tuple[GradingObject, ...]:
    """Give the grading objects of a unit in the order of its register; what has no level is none yet."""
    return tuple(
        GradingObject(unit, one.facts.name, one.id, one.facts.level, cii=one.facts.cii is True)
        for one in systems
        if one.facts.level is not None and not is_retired(one)
    )


class Ownership:
    """Tells which grading objects own an address, a name or a finding; number 0 is the unit as one object.

    The line that names a thing most closely decides; where several lines name it alike, each of their systems owns it.
    Expired lines own nothing.
    """

    def __init__(
        self,
        entries: Iterable[RegisterEntry],
        owners: Mapping[int, InformationSystem],
        systems: Sequence[InformationSystem],
        hosts: Iterable[Host],
        at: datetime,
    ) -> None:
        lines = [one for one in entries if not is_expired(one, at)]
        self._index = RegisterIndex(lines)
        self._graded = {one.id for one in list_objects("", systems)}
        self._owners = {key: one.id for key, one in owners.items() if one.id in self._graded}
        self._systems = index_systems(systems)
        self._names: defaultdict[IPAddress, set[str]] = defaultdict(set)
        self._addresses: defaultdict[str, set[IPAddress]] = defaultdict(set)
        for host in hosts:
            self._names[host.address].update(host.names)
            for name in host.names:
                self._addresses[fold_name(name)].add(host.address)
        self._lines = lines

    def objects_of_address(self, address: IPAddress, proto: str = "", port: int = 0) -> frozenset[int]:
        """Give the objects that own an address, or a port of it."""
        place = next(self._index.places_of(address, sorted(self._names.get(address, ()))), None)
        return self._of_place(place, proto, port)

    def objects_of_name(self, name: str) -> frozenset[int]:
        """Give the objects that own a domain name: by a line that names it, else by its addresses."""
        place = self._index.by_name.get(fold_name(name))
        if place is not None and place.lines:
            return self._of_place(place, "", 0)
        found = [self.objects_of_address(one) for one in self._addresses.get(fold_name(name), ())]
        return frozenset().union(*found) if found else frozenset({UNIT})

    def objects_of(self, finding: Finding) -> frozenset[int] | None:
        """Give the objects a finding counts for; None: for all, as it speaks of the unit as a whole."""
        text, kind = finding.key.subject, finding.kind
        if kind is SubjectKind.UNIT:
            return None
        if kind is SubjectKind.SYSTEM:
            system = self._systems.get(fold_system(text))
            return frozenset({system.id if system is not None and system.id in self._graded else UNIT})
        if kind is SubjectKind.URL:
            text = urlsplit(text).hostname or text
        elif kind is SubjectKind.ENTRY:
            text = text.rpartition(" #")[0] or text
        address, proto, port = read_subject(text)
        return self.objects_of_address(address, proto, port) if address is not None else self.objects_of_name(text)

    def prefixes_of(self, system: int) -> tuple[tuple[IPNetwork | IPAddress, ...], int]:
        """Give the prefixes and addresses of an object, and how many of its names no address is known for."""
        found: dict[IPNetwork | IPAddress, None] = {}
        unknown: set[str] = set()
        for line in self._lines:
            if self._owners.get(line.id) != system:
                continue
            found |= dict.fromkeys(line.addresses)
            for name in map(fold_name, line.domains):
                known = self._addresses.get(name, set())
                found |= dict.fromkeys(sorted(known, key=str))
                if not known and not line.addresses:
                    unknown.add(name)
        return tuple(found), len(unknown)

    def _of_place(self, place: Place | None, proto: str, port: int) -> frozenset[int]:
        lines = [self._index.entries[number] for number in place.lines] if place else []
        if port:
            exact = [one for one in lines if any(kind == proto and port in ports for kind, ports in one.ports)]
            lines = exact or [one for one in lines if not one.ports] or lines
        return frozenset(self._owners.get(one.id, UNIT) for one in lines) or frozenset({UNIT})
