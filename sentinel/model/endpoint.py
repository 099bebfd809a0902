"""The map: endpoints as dated intervals, hosts, coverage, and changes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sentinel.model.observation import Certificate
from sentinel.model.ports import PortSet
from sentinel.model.unit import IPAddress, Zone

MANY_PORTS = 40


class EndpointKey(NamedTuple):
    """What makes an endpoint one and the same over time.

    Attributes:
        network: row id of the network; 10.0.0.0/8 repeats in every school.
        vantage: from where it was seen (探测位置), e.g. `inside`.
        address: the address.
        proto: `tcp` or `udp`.
        port: the port.
    """

    network: int
    vantage: str
    address: IPAddress
    proto: str
    port: int


class EndpointState(StrEnum):
    """The state of an interval. Unknown: its host no longer answers, so nothing can be said."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What an endpoint is; a change of it is a change of the map.

    Attributes:
        service: protocol name; empty when not known.
        guessed: the name only follows from the port number.
        product: product name.
        version: product version.
        tunnel: `ssl` inside TLS.
        certificate: SHA-256 of the certificate shown, or empty.
    """

    service: str = ""
    guessed: bool = False
    product: str = ""
    version: str = ""
    tunnel: str = ""
    certificate: str = ""

    @property
    def is_identified(self) -> bool:
        """A detector heard the service speak, as against a guess, nothing, or a connection closed at once."""
        return self.service not in {"", "tcpwrapped"} and not self.guessed


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One interval of one endpoint's history.

    Attributes:
        key: network, vantage, address, protocol, port.
        state: open, closed or unknown in this interval.
        fingerprint: what it is.
        valid_from: first moment of the interval.
        valid_to: first moment after it; None while it lasts.
        last_confirmed: last time a run saw it so, at or before the moment asked for.
        extra: further words of the detector.
        cpes: CPE names.
        title: title of the page at `/`.
        certificate: what TLS showed.
        evidence: SHA-256 of the run that last confirmed it.
        in_scope: a declared network of the unit holds the address.
        id: row id; 0 before it is stored.
        opened_by: row id of the run that opened the interval.
        misses: finished scans in a row that covered it and did not see it.
    """

    key: EndpointKey
    state: EndpointState
    fingerprint: Fingerprint
    valid_from: datetime
    valid_to: datetime | None = None
    last_confirmed: datetime | None = None
    extra: str = ""
    cpes: tuple[str, ...] = ()
    title: str = ""
    certificate: Certificate | None = None
    evidence: str = ""
    in_scope: bool = True
    id: int = 0
    opened_by: int = 0
    misses: int = 0


@dataclass(frozen=True, slots=True)
class MapRow:
    """An open endpoint as listings and reports show it: the endpoint with what surrounds it.

    Attributes:
        unit: code of the unit.
        network: name of the network.
        zone: what the network serves.
        endpoint: the interval.
        names: names known for the address, sorted.
    """

    unit: str
    network: str
    zone: Zone
    endpoint: Endpoint
    names: tuple[str, ...] = ()


def answers_everything(rows: Sequence[MapRow]) -> bool:
    """Tell whether the open endpoints of one address are those of a box that answers on whatever port it is asked.

    So it is with at least 40 open TCP ports of which no more than a tenth say what they are. Firewalls, load balancers
    and decoys do that: what answers there is no service, and nothing may be concluded from the port numbers.
    """
    open_tcp = [row.endpoint.fingerprint for row in rows if row.endpoint.key.proto == "tcp"]
    known = sum(1 for mark in open_tcp if mark.is_identified)
    return len(open_tcp) >= MANY_PORTS and known * 10 <= len(open_tcp)


@dataclass(frozen=True, slots=True)
class Host:
    """An address with what is known of it.

    Attributes:
        network: name of the network.
        zone: what the network serves.
        address: the address.
        names: names known for it, sorted.
        mac: network card, or empty.
        vendor: its maker.
        os: best guess of the operating system.
        first_seen: first run that saw it.
        last_seen: last run that saw it answer.
        in_scope: a declared network holds it.
    """

    network: str
    zone: Zone
    address: IPAddress
    names: tuple[str, ...] = ()
    mac: str = ""
    vendor: str = ""
    os: str = ""
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    in_scope: bool = True


class AddressRanges:
    """A set of addresses of both versions as sorted, disjoint, inclusive ranges."""

    __slots__ = ("_ranges", "_starts")

    def __init__(self, ranges: tuple[tuple[IPAddress, IPAddress], ...] = ()) -> None:
        self._join(tuple((low.version, int(low), int(high)) for low, high in ranges))

    def _join(self, ranges: tuple[tuple[int, int, int], ...]) -> None:
        merged: list[tuple[int, int, int]] = []
        for version, low, high in sorted(ranges):
            if merged and merged[-1][0] == version and low <= merged[-1][2] + 1:
                merged[-1] = (version, merged[-1][1], max(high, merged[-1][2]))
            else:
                merged.append((version, low, high))
        self._ranges = tuple(merged)
        self._starts: list[tuple[int, int]] = [(version, low) for version, low, _ in merged]

    @classmethod
    def union(cls, sets: Iterable[AddressRanges]) -> AddressRanges:
        """Join many sets at once."""
        joined = cls()
        joined._join(tuple(one for each in sets for one in each._ranges))
        return joined

    @property
    def ranges(self) -> tuple[tuple[int, int, int], ...]:
        """Sorted (version, first, last) with addresses as integers."""
        return self._ranges

    def __contains__(self, address: IPAddress) -> bool:
        value = int(address)
        place = bisect_right(self._starts, (address.version, value)) - 1
        return place >= 0 and self._ranges[place][0] == address.version and value <= self._ranges[place][2]

    def __or__(self, other: AddressRanges) -> AddressRanges:
        joined = AddressRanges()
        joined._join((*self._ranges, *other._ranges))
        return joined

    def overlaps(self, other: AddressRanges) -> bool:
        """Tell whether an address is in both sets."""
        mine, theirs = iter(self._ranges), iter(other._ranges)
        one, two = next(mine, None), next(theirs, None)
        while one and two:
            if one[0] == two[0] and one[1] <= two[2] and two[1] <= one[2]:
                return True
            if (one[0], one[2]) < (two[0], two[2]):
                one = next(mine, None)
            else:
                two = next(theirs, None)
        return False

    def __len__(self) -> int:
        return sum(high - low + 1 for _, low, high in self._ranges)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AddressRanges) and self._ranges == other._ranges

    def __hash__(self) -> int:
        return hash(self._ranges)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one run looked at and finished; absence is a fact only inside it.

    Attributes:
        ports: port set asked, by protocol.
        addresses: addresses finished.
    """

    ports: tuple[tuple[str, PortSet], ...] = ()
    addresses: AddressRanges = field(default_factory=AddressRanges)

    def holds(self, address: IPAddress, proto: str, port: int) -> bool:
        """Tell whether the run finished this pair."""
        return any(name == proto and port in ports for name, ports in self.ports) and address in self.addresses


class ChangeKind(StrEnum):
    """How an endpoint differs between two moments."""

    NEW = "new"
    GONE = "gone"
    CHANGED = "changed"
    NEWLY_COVERED = "newly_covered"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference of the map.

    Attributes:
        kind: new, gone, changed, newly_covered (open, and nobody had looked before), unknown.
        row: the endpoint now; for `gone` and `unknown` as it last was.
        before: the fingerprint it had, for `changed`.
        at: when it happened.
    """

    kind: ChangeKind
    row: MapRow
    before: Fingerprint | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One piece of evidence and what it did to the map.

    Attributes:
        id: row id, also the order of arrival.
        unit: code of the unit.
        kind: `import` or `scan`.
        evidence: SHA-256; the run's identity.
        source: file or job name.
        format: parser that read it.
        tool: tool and version, e.g. `nmap 7.93`.
        vantage: from where it looked.
        operator: who ran it.
        time: when the looking ended, or arrived where the source does not tell.
        time_quality: `stated` or `unknown`.
        hosts_up: hosts up, as the definitions say for its kind.
        endpoints_open: ports in state open.
        observations: rows read.
        events: changes of the map it caused.
        coverage_text: e.g. `256 addresses × tcp 1000`, for people.
    """

    id: int
    unit: str
    kind: str
    evidence: str
    source: str
    format: str
    tool: str
    vantage: str
    operator: str
    time: datetime
    time_quality: str
    hosts_up: int
    endpoints_open: int
    observations: int
    events: int
    coverage_text: str = ""
