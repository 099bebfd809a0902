"""What is known of each kind of evidence for one unit: how new, and how much of the unit it covers."""

from __future__ import annotations

from datetime import datetime, timedelta

from sentinel.assess.listing import Listed, Listing
from sentinel.config import DEFAULT_PORTS
from sentinel.model.control import ProofState
from sentinel.model.endpoint import Coverage, Run
from sentinel.model.ports import parse_ports
from sentinel.model.unit import Network, Unit
from sentinel.schedule.context import Context
from sentinel.schedule.reading import Span, clip_spans, count_addresses, iterate_map, planned_spans
from sentinel.store.flows import read_newest_capture
from sentinel.store.judged import read_unjudged
from sentinel.store.runs import read_arguments, read_coverage, read_newest_scan, read_runs
from sentinel.store.units import read_networks
from sentinel.store.whitelist import read_applying

_LOOK_BACK = timedelta(days=90)
_PROFILE = parse_ports(DEFAULT_PORTS)["tcp"]
_UDP_PROFILE = parse_ports("U:69,111,137-138,161")["udp"]
"""The UDP ports on the high-risk list. Source: rules/exposure/high-risk-port.yml."""


def read_proofs(context: Context, unit: Unit, now: datetime) -> dict[str, ProofState]:
    """Give the state of each kind of proof that control catalogues may ask for.

    `port-scan` counts only runs that asked every TCP port of the shipped list and every UDP port on the high-risk
    list, `service-scan` those of them that also asked what speaks there; each is as old as the oldest run its coverage
    rests on. `whitelist` covers the share of open endpoints it allows, `certificates` the share of TLS endpoints whose
    certificate was read. A capture cannot tell how much of a network it saw, so `traffic` never covers anything by
    itself. What no rule was applied to yet proves nothing: that no finding refutes a clause would be no wonder.
    """
    runs = read_runs(context.database, unit.code, after=now - _LOOK_BACK, until=now)
    unjudged = read_unjudged(context.database, unit.code)
    looked = [(run, read_coverage(context.database, run.id)) for run in reversed(runs) if run.id not in unjudged]
    deep = [(run, coverage) for run, coverage in looked if _asks_profile(coverage)]
    networks = read_networks(context.database, unit.code)
    with_service = [one for one in deep if _detects_services(context, one[0])]
    capture = read_newest_capture(context.database, unit.code)
    states = [
        _scan_proof("port-scan", deep, networks),
        _scan_proof("service-scan", with_service, networks),
        ProofState("whitelist", None, 0.0) if unjudged else _whitelist_proof(context, unit, now),
        ProofState("certificates", None, 0.0) if unjudged else _certificate_proof(context, unit),
        ProofState("traffic", capture, 0.0),
    ]
    return {state.kind: state for state in states}


def _asks_profile(coverage: Coverage) -> bool:
    asked = dict(coverage.ports)
    wanted = (("tcp", _PROFILE), ("udp", _UDP_PROFILE))
    return all(proto in asked and all(port in asked[proto] for port in ports) for proto, ports in wanted)


def _detects_services(context: Context, run: Run) -> bool:
    words = read_arguments(context.database, run.id).split()
    return "-sV" in words or "-A" in words


def _scan_proof(kind: str, looked: list[tuple[Run, Coverage]], networks: tuple[Network, ...]) -> ProofState:
    planned = planned_spans(networks)
    addresses = count_addresses(planned)
    spans: list[Span] = []
    covered = 0
    oldest: Run | None = None
    evidence = []
    for run, coverage in looked:
        spans += clip_spans(coverage.addresses.ranges, planned)
        now_covered = count_addresses(spans)
        if now_covered > covered:
            covered, oldest = now_covered, run
            evidence.append(run.evidence)
    return ProofState(kind, oldest.time if oldest else None, covered / addresses if addresses else 0.0, tuple(evidence))


def _whitelist_proof(context: Context, unit: Unit, now: datetime) -> ProofState:
    listing = Listing(read_applying(context.database, unit), now, unit.code)
    if not listing.entries:
        return ProofState("whitelist", None, 0.0)
    total = allowed = 0
    for row in iterate_map(context, unit):
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
        total += 1
        allowed += verdict is Listed.LISTED
    newest = read_newest_scan(context.database, unit.code)
    return ProofState("whitelist", newest, allowed / total if total else 0.0)


def _certificate_proof(context: Context, unit: Unit) -> ProofState:
    total = known = 0
    newest: datetime | None = None
    evidence: set[str] = set()
    for row in iterate_map(context, unit):
        if row.endpoint.fingerprint.tunnel:
            total += 1
            if row.endpoint.certificate is not None:
                known += 1
                evidence.add(row.endpoint.evidence)
                newest = _older(newest, row.endpoint.last_confirmed)
    return ProofState("certificates", newest, known / total if total else 0.0, tuple(sorted(evidence)))


def _older(one: datetime | None, other: datetime | None) -> datetime | None:
    times = [moment for moment in (one, other) if moment is not None]
    return min(times, default=None)
