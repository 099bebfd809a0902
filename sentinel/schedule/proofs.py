"""What is known of each kind of evidence for a unit or a part of it: how new, and how much of it that covers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_network

from sentinel.assess.listing import Listed, Listing
from sentinel.config import DEFAULT_PORTS
from sentinel.model.control import ProofState
from sentinel.model.endpoint import Coverage, MapRow, Run
from sentinel.model.ports import parse_ports
from sentinel.model.unit import IPAddress, IPNetwork, Unit
from sentinel.schedule.context import Context
from sentinel.schedule.reading import (
    LARGEST_COUNTED,
    Span,
    clip_spans,
    count_addresses,
    iterate_map,
    planned_spans,
    span_of,
)
from sentinel.store.flows import read_newest_capture
from sentinel.store.judged import read_unjudged
from sentinel.store.runs import read_arguments, read_coverage, read_newest_scan, read_runs
from sentinel.store.units import read_networks
from sentinel.store.whitelist import read_applying

_LOOK_BACK = timedelta(days=90)
_PROFILE = parse_ports(DEFAULT_PORTS)["tcp"]
_UDP_PROFILE = parse_ports("U:69,111,137-138,161")["udp"]
"""The UDP ports on the high-risk list. Source: rules/exposure/high-risk-port.yml."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The part of a unit that is judged.

    Attributes:
        spans: addresses of the object, as ranges.
        unknown: how many of its names no address is known for; nobody can have looked at those.
    """

    spans: tuple[Span, ...]
    unknown: int = 0

    def holds(self, address: IPAddress) -> bool:
        """Tell whether an address belongs to it."""
        value = int(address)
        return any(version == address.version and low <= value <= high for version, low, high in self.spans)


def build_limits(places: Iterable[IPNetwork | IPAddress], unknown: int) -> Limits:
    """Give the limits of an object by its prefixes and addresses; whole IPv6 networks are never swept and left out."""
    networks = [ip_network(one) if isinstance(one, IPv4Address | IPv6Address) else one for one in places]
    wide = sum(one.num_addresses > LARGEST_COUNTED for one in networks)
    narrow = [one for one in networks if one.num_addresses <= LARGEST_COUNTED]
    return Limits(tuple(map(span_of, narrow)), unknown + (wide if not narrow else 0))


class Proofs:
    """What is known of each kind of evidence of a unit, asked for the whole of it or for a part.

    `port-scan` counts only runs that asked every TCP port of the shipped list and every UDP port on the high-risk
    list, `service-scan` those of them that also asked what speaks there; each is as old as the oldest run its coverage
    rests on. `whitelist` covers the share of open endpoints it allows, `certificates` the share of TLS endpoints whose
    certificate was read. A capture cannot tell how much of a network it saw, so `traffic` never covers anything by
    itself. What no rule was applied to yet proves nothing: that no finding refutes a clause would be no wonder.
    """

    def __init__(self, context: Context, unit: Unit, now: datetime) -> None:
        runs = read_runs(context.database, unit.code, after=now - _LOOK_BACK, until=now)
        unjudged = read_unjudged(context.database, unit.code)
        looked = [(run, read_coverage(context.database, run.id)) for run in reversed(runs) if run.id not in unjudged]
        self._deep = [(run, coverage) for run, coverage in looked if _asks_profile(coverage)]
        self._with_service = [one for one in self._deep if _detects_services(context, one[0])]
        self._networks = read_networks(context.database, unit.code)
        self._capture = read_newest_capture(context.database, unit.code)
        self._newest = read_newest_scan(context.database, unit.code)
        self._unjudged = bool(unjudged)
        listing = Listing(read_applying(context.database, unit), now, unit.code)
        self._has_whitelist = bool(listing.entries)
        self._ends = [] if unjudged else [_End.of(row, listing) for row in iterate_map(context, unit)]

    def read(self, limits: Limits | None = None) -> dict[str, ProofState]:
        """Give the state of each kind of proof that control catalogues may ask for."""
        whole = Limits(tuple(planned_spans(self._networks)))
        part = limits or whole
        ends = self._ends if limits is None else [one for one in self._ends if limits.holds(one.address)]
        states = [
            _scan_proof("port-scan", self._deep, part),
            _scan_proof("service-scan", self._with_service, part),
            self._whitelist(ends),
            _certificate_proof(ends, unjudged=self._unjudged),
            ProofState("traffic", self._capture, 0.0),
        ]
        return {state.kind: state for state in states}

    def _whitelist(self, ends: Sequence[_End]) -> ProofState:
        if self._unjudged or not self._has_whitelist:
            return ProofState("whitelist", None, 0.0)
        allowed = sum(one.is_listed for one in ends)
        return ProofState("whitelist", self._newest, allowed / len(ends) if ends else 0.0)


@dataclass(frozen=True, slots=True)
class _End:
    """What proofs need of an open endpoint."""

    address: IPAddress
    is_listed: bool
    is_tls: bool
    has_certificate: bool
    evidence: str
    confirmed: datetime | None

    @classmethod
    def of(cls, row: MapRow, listing: Listing) -> _End:
        key, mark = row.endpoint.key, row.endpoint.fingerprint
        verdict = listing.endpoint(
            key.address,
            key.proto,
            key.port,
            mark.service,
            mark.tunnel,
            guessed=mark.guessed,
            vantage=key.vantage,
        )
        return cls(
            key.address,
            verdict is Listed.LISTED,
            bool(mark.tunnel),
            row.endpoint.certificate is not None,
            row.endpoint.evidence,
            row.endpoint.last_confirmed,
        )


def read_proofs(context: Context, unit: Unit, now: datetime) -> dict[str, ProofState]:
    """Give the state of each kind of proof for a unit as a whole."""
    return Proofs(context, unit, now).read()


def _asks_profile(coverage: Coverage) -> bool:
    asked = dict(coverage.ports)
    wanted = (("tcp", _PROFILE), ("udp", _UDP_PROFILE))
    return all(proto in asked and all(port in asked[proto] for port in ports) for proto, ports in wanted)


def _detects_services(context: Context, run: Run) -> bool:
    words = read_arguments(context.database, run.id).split()
    return "-sV" in words or "-A" in words


def _scan_proof(kind: str, looked: list[tuple[Run, Coverage]], part: Limits) -> ProofState:
    addresses = count_addresses(part.spans) + part.unknown
    spans: list[Span] = []
    covered = 0
    oldest: Run | None = None
    evidence = []
    for run, coverage in looked:
        spans += clip_spans(coverage.addresses.ranges, part.spans)
        now_covered = count_addresses(spans)
        if now_covered > covered:
            covered, oldest = now_covered, run
            evidence.append(run.evidence)
    return ProofState(kind, oldest.time if oldest else None, covered / addresses if addresses else 0.0, tuple(evidence))


def _certificate_proof(ends: Sequence[_End], *, unjudged: bool) -> ProofState:
    tls = [one for one in ends if one.is_tls]
    known = [one for one in tls if one.has_certificate]
    if unjudged or not known:
        return ProofState("certificates", None, 0.0)
    newest = min((one.confirmed for one in known if one.confirmed is not None), default=None)
    evidence = tuple(sorted({one.evidence for one in known}))
    return ProofState("certificates", newest, len(known) / len(tls), evidence)
