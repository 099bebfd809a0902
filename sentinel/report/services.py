"""Open endpoints in, what speaks on them out: services with honest names, and certificates with their faults."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sentinel.model.endpoint import MapRow
from sentinel.model.observation import Certificate
from sentinel.model.rule import Severity
from sentinel.report.clean import clean
from sentinel.report.hosts import Panel, service_name
from sentinel.report.values import Bar, Chart, Segment, Text
from sentinel.report.words import service_text, text

_DRAWN: Final = 12
_SOON: Final = timedelta(days=30)
_LATER: Final = timedelta(days=90)
_WEAK_BITS: Final = {"rsa": 2048, "dsa": 2048, "ec": 224}
"""Shortest key still accepted. Source: NIST SP 800-131A Rev. 2, digital signatures."""
_EXAMPLES: Final = 4


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """A service of the map.

    Attributes:
        name: its words.
        endpoints: open endpoints.
        hosts: hosts they are on.
        identified: endpoints whose greeting named it; the rest is guessed from the port number.
        products: the most frequent products.
        worst: worst live finding on one of them.
    """

    name: Text
    endpoints: int
    hosts: int
    identified: int
    products: tuple[str, ...]
    worst: Severity | None


@dataclass(frozen=True, slots=True)
class CertificateLine:
    """A certificate with where it was shown and what is wrong with it.

    Attributes:
        subject: name in it.
        issuer: who signed it.
        not_after: end of validity.
        days_left: whole days until then, negative when past; None where the source did not tell.
        faults: what is wrong, empty when nothing was seen.
        places: the first endpoints that show it.
        count: endpoints that show it.
        tone: worst fault as a tone.
    """

    subject: str
    issuer: str
    not_after: datetime | None
    days_left: int | None
    faults: tuple[Text, ...]
    places: tuple[str, ...]
    count: int
    tone: str


def build_services(rows: Iterable[MapRow], panels: Iterable[Panel]) -> tuple[ServiceLine, ...]:
    """Count endpoints by protocol name, the most frequent first."""
    worst: dict[tuple[str, str, int], Severity] = {}
    for panel in panels:
        for host in panel.hosts:
            for mark in host.ports:
                if mark.severity:
                    worst[str(host.address), mark.proto, mark.port] = mark.severity
    members: defaultdict[str, list[MapRow]] = defaultdict(list)
    for row in rows:
        members[service_name(row.endpoint)].append(row)
    lines = [_service(name, found, worst) for name, found in members.items()]
    return tuple(sorted(lines, key=lambda line: (-line.endpoints, line.name.zh)))


def service_chart(lines: Sequence[ServiceLine]) -> Chart:
    """Draw the most frequent services; endpoints named by their port number alone are hatched."""
    rest = lines[_DRAWN:]
    bars = [_service_bar(line.name, line.identified, line.endpoints) for line in lines[:_DRAWN]]
    if rest:
        identified, endpoints = sum(line.identified for line in rest), sum(line.endpoints for line in rest)
        bars.append(_service_bar(text("services_rest", n=len(rest)), identified, endpoints))
    legend = (("accent", text("identified")), ("unknown", text("guessed")))
    total = sum(line.endpoints for line in lines)
    first = lines[0].name if lines else text("none")
    return Chart(tuple(bars), text("axis_endpoints"), text("alt_services", n=total, first=first), legend)


def build_certificates(rows: Iterable[MapRow], now: datetime) -> tuple[CertificateLine, ...]:
    """Build one row per certificate: faulty ones first, then by end of validity."""
    members: defaultdict[tuple[str, str, str], list[MapRow]] = defaultdict(list)
    for row in rows:
        shown = row.endpoint.certificate
        if shown:
            members[shown.sha256, shown.subject, str(shown.not_after)].append(row)
    lines = [_certificate(found, now) for found in members.values()]
    order = {"critical": 0, "high": 1, "medium": 2, "low": 3, "": 4}
    far = 10**6
    return tuple(
        sorted(lines, key=lambda c: (order[c.tone], far if c.days_left is None else c.days_left, c.subject, c.places))
    )


def certificate_chart(lines: Sequence[CertificateLine], untold: int) -> Chart:
    """Draw certificates by what is left of their validity; endpoints inside TLS that showed none are hatched."""
    names = ("certificate_expired", "certificate_soon", "certificate_later", "certificate_fine", "certificate_unknown")
    counts = dict.fromkeys(names, 0)
    for line in lines:
        counts[_validity(line.days_left)] += 1
    counts["certificate_unknown"] += untold
    tones = ("critical", "medium", "low", "accent", "unknown")
    bars = tuple(
        Bar(text(name), (Segment(tone, counts[name]),), text("count", n=counts[name]))
        for name, tone in zip(names, tones, strict=True)
    )
    return Chart(bars, text("axis_certificates"), text("alt_certificates", n=len(lines), **counts))


def _service(name: str, rows: Sequence[MapRow], worst: dict[tuple[str, str, int], Severity]) -> ServiceLine:
    products: defaultdict[str, int] = defaultdict(int)
    found: list[Severity] = []
    for row in rows:
        key, print_ = row.endpoint.key, row.endpoint.fingerprint
        if print_.product:
            products[clean(f"{print_.product} {print_.version}", 40)] += 1
        severity = worst.get((str(key.address), key.proto, key.port))
        if severity:
            found.append(severity)
    return ServiceLine(
        name=service_text(clean(name, 30)),
        endpoints=len(rows),
        hosts=len({(row.network, row.endpoint.key.address) for row in rows}),
        identified=sum(bool(row.endpoint.fingerprint.service) and not row.endpoint.fingerprint.guessed for row in rows),
        products=tuple(sorted(products, key=lambda product: (-products[product], product))[:3]),
        worst=min(found, key=lambda severity: severity.rank, default=None),
    )


def _service_bar(name: Text, identified: int, endpoints: int) -> Bar:
    pieces = (Segment("accent", identified), Segment("unknown", endpoints - identified))
    return Bar(name, pieces, text("count", n=endpoints))


def _certificate(rows: Sequence[MapRow], now: datetime) -> CertificateLine:
    shown = rows[0].endpoint.certificate or Certificate()
    faults = _faults(shown, now)
    ranks = ("critical", "high", "medium", "low")
    places = [_place(row) for row in rows]
    return CertificateLine(
        subject=clean(shown.subject, 60),
        issuer=clean(shown.issuer, 60),
        not_after=shown.not_after,
        days_left=(shown.not_after - now).days if shown.not_after else None,
        faults=tuple(text(key) for key, _ in faults),
        places=tuple(places[:_EXAMPLES]),
        count=len(places),
        tone=min((tone for _, tone in faults), key=ranks.index, default=""),
    )


def _place(row: MapRow) -> str:
    key = row.endpoint.key
    return f"[{key.address}]:{key.port}" if key.address.version == 6 else f"{key.address}:{key.port}"


def _faults(shown: Certificate, now: datetime) -> list[tuple[str, str]]:
    faults = []
    if shown.not_after and shown.not_after < now:
        faults.append(("fault_expired", "high"))
    elif shown.not_after and shown.not_after < now + _SOON:
        faults.append(("fault_soon", "medium"))
    if shown.not_before and shown.not_before > now:
        faults.append(("fault_early", "medium"))
    if shown.self_signed:
        faults.append(("fault_self_signed", "low"))
    if shown.key_bits and shown.key_bits < _WEAK_BITS.get(shown.key_type, 0):
        faults.append(("fault_weak_key", "medium"))
    if any(weak in shown.signature.lower() for weak in ("sha1", "md5", "md2")):
        faults.append(("fault_weak_signature", "medium"))
    return faults


def _validity(days_left: int | None) -> str:
    if days_left is None:
        return "certificate_unknown"
    if days_left < 0:
        return "certificate_expired"
    if days_left < _SOON.days:
        return "certificate_soon"
    return "certificate_later" if days_left < _LATER.days else "certificate_fine"
