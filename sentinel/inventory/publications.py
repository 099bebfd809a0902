"""Publications and the two views of a unit in; what leads where, and what may lead where for a reason, out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sentinel.model.endpoint import MapRow
from sentinel.model.publication import Mapping, Publication, PublicationState, Via
from sentinel.model.unit import OUTSIDE, IPAddress

MOST_SHARED = 2
"""Inside addresses that may share a certificate or a title before it tells nothing: a wildcard or default one does."""

SHORTEST_TITLE = 4
_COMMON_TITLES = frozenset(
    (
        "index of /",
        "welcome to nginx!",
        "test page for the nginx http server on",
        "apache http server test page",
        "apache2 ubuntu default page: it works",
        "apache2 debian default page: it works",
        "iis windows server",
        "iis windows",
        "it works!",
        "403 forbidden",
        "404 not found",
        "400 bad request",
        "400 the plain http request was sent to https port",
        "401 unauthorized",
        "302 found",
        "301 moved permanently",
        "500 internal server error",
        "502 bad gateway",
        "503 service unavailable",
        "error",
        "login",
        "document",
        "home",
        "首页",
        "用户登录",
        "系统登录",
        "登录页面",
        "请登录",
        "后台登录",
        "管理后台",
    )
)
"""Titles of pages many machines show out of the box."""


@dataclass(frozen=True, slots=True)
class Way:
    """One end of a publication as seen from the other.

    Attributes:
        address: address at the other end; None: only a name is known.
        proto: protocol.
        port: port at the other end.
        name: name it is asked by, or empty.
        via: what stands between.
        publication: row id of the publication.
    """

    address: IPAddress | None
    proto: str
    port: int
    name: str
    via: Via
    publication: int

    @property
    def text(self) -> str:
        """Write it as people read it: `10.0.0.5:8080/tcp`, `[2001:db8::1]:443/tcp`."""
        where = self.name if self.address is None else str(self.address)
        return f"[{where}]:{self.port}/{self.proto}" if ":" in where else f"{where}:{self.port}/{self.proto}"


class Published:
    """The publications of a unit that hold at a moment, ready to be asked for many endpoints."""

    def __init__(self, publications: Iterable[Publication], at: datetime) -> None:
        self._outside: defaultdict[IPAddress, list[Publication]] = defaultdict(list)
        self._named: defaultdict[str, list[Publication]] = defaultdict(list)
        self._inside: defaultdict[IPAddress, list[Publication]] = defaultdict(list)
        for one in publications:
            if not one.holds(at):
                continue
            self._inside[one.mapping.inside].append(one)
            if one.mapping.outside is None:
                self._named[one.mapping.name.lower()].append(one)
            else:
                self._outside[one.mapping.outside].append(one)

    def __bool__(self) -> bool:
        return bool(self._inside)

    def inside_of(self, address: IPAddress, proto: str, port: int, names: Sequence[str] = ()) -> tuple[Way, ...]:
        """Give the inside ends of a public endpoint; those known by name alone where a name of it is known."""
        found = [*self._outside[address]] if address in self._outside else []
        for name in names:
            found += self._named.get(name.lower(), ())
        ways = []
        for one in found:
            inside = one.mapping.inside_of(proto, port)
            if inside is not None:
                ways.append(Way(one.mapping.inside, proto, inside, one.mapping.name, one.mapping.via, one.id))
        return tuple(dict.fromkeys(ways))

    def outside_of(self, address: IPAddress, proto: str, port: int) -> tuple[Way, ...]:
        """Give the public ends that lead to an inside endpoint."""
        ways = []
        for one in self._inside.get(address, ()):
            outside = one.mapping.outside_of(proto, port)
            if outside is not None:
                ways.append(Way(one.mapping.outside, proto, outside, one.mapping.name, one.mapping.via, one.id))
        return tuple(dict.fromkeys(ways))

    def ways_of(self, row: MapRow) -> tuple[Way, ...]:
        """Give the other ends of a row of the map, whichever side it was seen from."""
        key = row.endpoint.key
        inside = self.inside_of(key.address, key.proto, key.port, row.names if key.vantage == OUTSIDE else ())
        return inside or self.outside_of(key.address, key.proto, key.port)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mapping that may be there.

    Attributes:
        mapping: what may lead where.
        source: `certificate` or `title`.
        reason: the proof: the sum of the certificate, or the title.
    """

    mapping: Mapping
    source: str
    reason: str


def propose(rows: Iterable[MapRow], known: Iterable[Publication]) -> tuple[Proposal, ...]:
    """Propose publications from what both views show of the same thing and hardly anything else shows.

    A certificate counts before a title. What is known, in whatever state, is not proposed again; an outside endpoint
    whose way is known is passed over.
    """
    rows = tuple(rows)
    outside = [row for row in rows if row.endpoint.key.vantage == OUTSIDE]
    inside = [row for row in rows if row.endpoint.key.vantage != OUTSIDE]
    public = {row.endpoint.key.address for row in outside}
    inside = [row for row in inside if row.endpoint.key.address not in public]
    known = tuple(known)
    told = {one.mapping.key for one in known}
    settled = [one for one in known if one.state is PublicationState.IN_FORCE]
    found: dict[tuple[object, ...], Proposal] = {}
    for source, mark_of in (("certificate", _certificate), ("title", _title)):
        for mark, row, other in _pairs(outside, inside, mark_of):
            mapping = _map(row, other)
            if mapping.key not in told and not _is_settled(settled, row):
                found.setdefault(mapping.key, Proposal(mapping, source, mark))
    return tuple(found.values())


def _pairs(
    outside: Iterable[MapRow], inside: Iterable[MapRow], mark_of: Callable[[MapRow], str]
) -> Iterator[tuple[str, MapRow, MapRow]]:
    """Give what both sides show with one who shows it outside and one inside, where few do."""
    seen: tuple[defaultdict[str, list[MapRow]], defaultdict[str, list[MapRow]]] = (defaultdict(list), defaultdict(list))
    for side, rows in zip(seen, (outside, inside), strict=True):
        for row in rows:
            if mark := mark_of(row):
                side[mark].append(row)
    for mark, public_rows in seen[0].items():
        hosts: defaultdict[IPAddress, list[MapRow]] = defaultdict(list)
        for row in seen[1].get(mark, ()):
            hosts[row.endpoint.key.address].append(row)
        if len(hosts) > MOST_SHARED or len({row.endpoint.key.address for row in public_rows}) > MOST_SHARED:
            continue
        for row in public_rows:
            for of_host in hosts.values():
                alike = [one for one in of_host if one.endpoint.key.proto == row.endpoint.key.proto]
                if alike:
                    yield mark, row, min(alike, key=lambda one: _distance(row, one))


def _distance(row: MapRow, other: MapRow) -> tuple[bool, bool, int]:
    """Order the endpoints of one host by how like a public one they are: its port, its TLS, the lowest port."""
    key, mark = other.endpoint.key, other.endpoint.fingerprint
    return key.port != row.endpoint.key.port, mark.tunnel != row.endpoint.fingerprint.tunnel, key.port


def _certificate(row: MapRow) -> str:
    return row.endpoint.fingerprint.certificate


def _title(row: MapRow) -> str:
    title = " ".join(row.endpoint.title.split())
    return title if len(title) >= SHORTEST_TITLE and title.lower() not in _COMMON_TITLES else ""


def _map(row: MapRow, other: MapRow) -> Mapping:
    key, inner = row.endpoint.key, other.endpoint.key
    return Mapping(key.address, key.proto, key.port, key.port, inner.address, inner.port)


def _is_settled(settled: Iterable[Publication], row: MapRow) -> bool:
    key = row.endpoint.key
    return any(
        one.mapping.outside == key.address and one.mapping.inside_of(key.proto, key.port) is not None for one in settled
    )
