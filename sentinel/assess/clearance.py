"""A go-live or port-opening request, looks, the map and findings in; whether it can be approved, and why not, out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sentinel.assess.entries import Look, holds_ports
from sentinel.model.endpoint import AddressRanges, MapRow
from sentinel.model.finding import Finding
from sentinel.model.ports import PortSet
from sentinel.model.rule import Severity
from sentinel.model.unit import IPAddress, IPNetwork
from sentinel.model.whitelist import Direction, PeerKind, WhitelistEntry, WhitelistKind
from sentinel.model.whitelist_request import RequestCheck, WhitelistRequest

MOST_TOLD = 50
"""Ports and findings that are told one by one."""

Span = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """A finding with what it is about.

    Attributes:
        finding: the finding.
        address: address of its subject; None where it has none.
        name: its subject in lower case, for names.
    """

    finding: Finding
    address: IPAddress | None
    name: str = ""


def build_check(
    request: WhitelistRequest,
    looks: Sequence[Look],
    rows: Iterable[MapRow],
    places: Iterable[Place],
    entries: Iterable[WhitelistEntry],
    unjudged: int,
) -> RequestCheck:
    """Tell what is known of what a request asks for; `looks` are those since it was made, oldest first."""
    wanted = [_span(prefix) for prefix in request.addresses]
    near = [look for look in looks if look.coverage.ports and _meet(look.coverage.addresses.ranges, wanted)]
    total = _count(wanted)
    newest = near[-1] if near else None
    seen: list[str] = []
    beyond: list[str] = []
    for row in rows:
        key = row.endpoint.key
        if _holds(request.addresses, key.address):
            asked = any(proto == key.proto and key.port in ports for proto, ports in request.ports)
            (seen if asked else beyond).append(_row_text(row))
    blocking = [one.finding for one in places if _is_blocking(request, one)]
    return RequestCheck(
        addresses=total,
        unseen=total - _count(_looked_at(request, near, wanted)),
        run_at=newest.at if newest else None,
        evidence=newest.evidence if newest else "",
        seen=tuple(sorted(set(seen))[:MOST_TOLD]),
        beyond=tuple(sorted(set(beyond))[:MOST_TOLD]),
        blocking=tuple((one.number, one.title_zh) for one in blocking[:MOST_TOLD]),
        forbidden=tuple(one.id for one in entries if _forbids(one, request)),
        unjudged=unjudged,
    )


def _looked_at(request: WhitelistRequest, looks: Sequence[Look], wanted: list[Span]) -> list[Span]:
    """Give the spans of which looks asked every port of the request; where it names none, any port."""
    covered = wanted
    for proto, ports in request.ports or (("", PortSet()),):
        of_proto = AddressRanges.union(
            look.coverage.addresses
            for look in looks
            if not proto or holds_ports(dict(look.coverage.ports).get(proto, PortSet()), ports)
        )
        covered = _meet(of_proto.ranges, covered)
    return covered


def _meet(spans: Iterable[Span], limits: Sequence[Span]) -> list[Span]:
    return [
        (version, max(low, first), min(high, last))
        for version, low, high in spans
        for kind, first, last in limits
        if version == kind and low <= last and first <= high
    ]


def _count(spans: Iterable[Span]) -> int:
    """Count the addresses in spans that may overlap."""
    total, end = 0, (0, -1)
    for version, low, high in sorted(spans):
        start = low if end[0] != version else max(low, end[1] + 1)
        if high >= start:
            total += high - start + 1
            end = (version, high)
    return total


def _span(prefix: IPNetwork) -> Span:
    low, high = int(prefix.network_address), int(prefix.broadcast_address)
    if prefix.version == 4 and prefix.prefixlen < 31:
        low, high = low + 1, high - 1  # the network's own address and the broadcast address are no host's
    return prefix.version, low, high


def _holds(prefixes: Iterable[IPNetwork], address: IPAddress) -> bool:
    return any(address.version == prefix.version and address in prefix for prefix in prefixes)


def _row_text(row: MapRow) -> str:
    key, seen = row.endpoint.key, row.endpoint.fingerprint
    host = f"[{key.address}]" if key.address.version == 6 else str(key.address)
    return f"{host}:{key.port}/{key.proto} {seen.service}".rstrip()


def _is_blocking(request: WhitelistRequest, place: Place) -> bool:
    if not place.finding.state.is_live or place.finding.severity.rank > Severity.HIGH.rank:
        return False
    if place.address is not None:
        return _holds(request.addresses, place.address)
    return bool(place.name) and any(fnmatchcase(place.name, name) for name in request.domains)


def _forbids(entry: WhitelistEntry, request: WhitelistRequest) -> bool:
    """Tell whether an entry forbids some of what a request asks for, so that a permission would not help."""
    if not entry.is_deny or entry.direction is not Direction.IN:
        return False
    if entry.kind is WhitelistKind.DOMAIN:
        denied = entry.domain.lower()
        return any(fnmatchcase(name, denied) or fnmatchcase(denied, name) for name in request.domains)
    if not _meet(map(_span_of_all, entry.addresses), [_span_of_all(one) for one in request.addresses]):
        return False
    if PeerKind.ANY not in (entry.peer, request.peer) and entry.peer is not request.peer:
        return False
    if entry.kind is WhitelistKind.HOST:
        return True
    return any(proto == entry.proto and _share(ports, entry.ports) for proto, ports in request.ports)


def _span_of_all(prefix: IPNetwork) -> Span:
    return prefix.version, int(prefix.network_address), int(prefix.broadcast_address)


def _share(one: PortSet, other: PortSet) -> bool:
    return any(low <= last and first <= high for low, high in one.ranges for first, last in other.ranges)
