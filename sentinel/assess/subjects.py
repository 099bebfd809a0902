"""Values of the map and of the traffic to the subjects rules look at, flattened to named fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from ipaddress import ip_address

from sentinel.assess.fields import FIELDS, is_of_kind
from sentinel.assess.listing import Listing
from sentinel.model.blanket import NO_BLANKETS, Blankets
from sentinel.model.endpoint import EndpointKey, Host, MapRow, answers_everything
from sentinel.model.flow import FlowDetection
from sentinel.model.hostname import covers
from sentinel.model.observation import Certificate, NameObservation
from sentinel.model.probe import Probe, ProbeKind
from sentinel.model.rule import Category, FieldValue, Scalar, Subject
from sentinel.model.system import InformationSystem
from sentinel.model.unit import IPAddress, Network, Zone

_LOOKED_AT = {ProbeKind.TLS: Category.TLS, ProbeKind.WEB: Category.WEB, ProbeKind.DNS: Category.DNS}

_REFUTING = frozenset({"no_login", "snmp_public", "mail_plain_login"})
"""Flags that end, when false, what a scan suggests."""

OUTSIDE = "outside"
"""The vantage of a look at the school from beyond its border."""


def build_service_subject(row: MapRow, listing: Listing, now: datetime, looks: Iterable[Probe] = ()) -> Subject:
    """Build the subject of an open endpoint; its text is `10.0.0.5:6379/tcp`, IPv6 in brackets.

    What closer looks at it found stands beside what the map says, under the names of the fields that are known. What
    one refuted before the service became what it is now is open again.
    """
    endpoint = row.endpoint
    key, seen = endpoint.key, endpoint.fingerprint
    listed = listing.endpoint(
        key.address, key.proto, key.port, seen.service, seen.tunnel, guessed=seen.guessed, vantage=key.vantage
    )
    fields: dict[str, FieldValue] = {
        "address": key.address,
        "port": key.port,
        "proto": key.proto,
        "service": seen.service or None,
        "guessed": seen.guessed if seen.service else None,
        "product": seen.product or None,
        "version": seen.version or None,
        "tunnel": seen.tunnel or None,
        "title": endpoint.title or None,
        "banner": endpoint.extra or None,
        "cpe": endpoint.cpes,
        "zone": row.zone.value,
        "vantage": key.vantage,
        "names": row.names,
        "in_scope": endpoint.in_scope,
        "internet": _is_exposed(key),
        "whitelist": listed.value,
        "open_days": _days(endpoint.valid_from, now),
    }
    for look in looks:
        is_old = look.last_seen < endpoint.valid_from
        fields |= {
            name: value
            for name, value in _found(Category.SERVICE, look).items()
            if name not in fields and not (is_old and value is False and name in _REFUTING)
        }
    return _subject(Category.SERVICE, row, endpoint_text(key), fields)


def build_certificate_subject(row: MapRow, now: datetime) -> Subject | None:
    """Build the subject of the certificate an endpoint shows; None when it shows none."""
    certificate = row.endpoint.certificate
    if certificate is None:
        return None
    key = row.endpoint.key
    start, end = certificate.not_before, certificate.not_after
    fields: dict[str, FieldValue] = {
        "address": key.address,
        "port": key.port,
        "proto": key.proto,
        "zone": row.zone.value,
        "vantage": key.vantage,
        "internet": _is_exposed(key),
        "days_left": _days(now, end) if end else None,
        "expired": end < now if end else None,
        "not_yet_valid": start > now if start else None,
        "days_valid": _days(start, end) if start and end else None,
        "key_type": certificate.key_type or None,
        "key_bits": certificate.key_bits,
        "signature": certificate.signature or None,
        "self_signed": certificate.self_signed,
        "subject": certificate.subject or None,
        "issuer": certificate.issuer or None,
        "names": certificate.names,
        "host_names": row.names,
        "name_mismatch": _is_mismatch(certificate, row),
    }
    told = (("days_left", now), ("expired", end)) if end and end < now else (("days_left", now),)
    return replace(_subject(Category.CERTIFICATE, row, endpoint_text(key), fields), told=told)


def build_host_subjects(
    rows: Iterable[MapRow], listing: Listing, hosts: Iterable[Host] = (), blankets: Blankets = NO_BLANKETS
) -> Iterator[Subject]:
    """Yield one subject for each address with open endpoints, sorted by network and address.

    `hosts` adds operating system and network card where they are known; of `blankets` the first address answers for
    everything.
    """
    known = {(host.network, host.address): host for host in hosts}
    groups: dict[tuple[int, int, int], list[MapRow]] = {}
    for row in rows:
        key = row.endpoint.key
        groups.setdefault((key.network, key.address.version, int(key.address)), []).append(row)
    for _, group in sorted(groups.items()):
        host = known.get((group[0].network, group[0].endpoint.key.address))
        answers_all = answers_everything(group) or any(blankets.is_first(row.endpoint.key) for row in group)
        yield _host_subject(group, listing, host, answers_all=answers_all)


def _host_subject(group: Sequence[MapRow], listing: Listing, host: Host | None, *, answers_all: bool) -> Subject:
    address = group[0].endpoint.key.address
    names = {name for row in group for name in row.names} | set(host.names if host else ())
    seen = [row.endpoint.fingerprint for row in group]
    fields: dict[str, FieldValue] = {
        "address": address,
        "open_count": len({(row.endpoint.key.proto, row.endpoint.key.port) for row in group}),
        "answers_all": answers_all,
        "ports": tuple(sorted({row.endpoint.key.port for row in group})),
        "services": tuple(sorted({look.service for look in seen if look.service and not look.guessed})),
        "names": tuple(sorted(names)),
        "os": (host.os or None) if host else None,
        "mac_known": bool(host and host.mac),
        "zone": group[0].zone.value,
        "vantage": tuple(sorted({row.endpoint.key.vantage for row in group})),
        "in_scope": any(row.endpoint.in_scope for row in group),
        "internet": any(_is_exposed(row.endpoint.key) for row in group),
        "whitelist": listing.host(address).value,
    }
    return _subject(Category.HOST, _newest(group), str(address), fields)


def build_domain_subjects(
    rows: Iterable[MapRow], listing: Listing, unit: str, seen: Iterable[NameObservation] = ()
) -> Iterator[Subject]:
    """Yield one subject for each domain name known for the map or given in `seen`, sorted by name.

    Names of one label and names under `.local` and `.arpa` are no domains and are left out.
    """
    by_name: dict[str, list[MapRow]] = {}
    observed: dict[str, list[NameObservation]] = {}
    for row in rows:
        for name in row.names:
            by_name.setdefault(name.lower().rstrip("."), []).append(row)
    for observation in seen:
        observed.setdefault(observation.name.lower().rstrip("."), []).append(observation)
    for name in sorted(by_name.keys() | observed.keys()):
        if "." in name and not name.endswith((".local", ".arpa")) and not _is_address(name):
            yield _domain_subject(name, by_name.get(name, []), observed.get(name, []), listing, unit)


def _domain_subject(name: str, rows: list[MapRow], seen: list[NameObservation], listing: Listing, unit: str) -> Subject:
    addresses = {row.endpoint.key.address for row in rows} | {one.address for one in seen if one.address}
    fields: dict[str, FieldValue] = {
        "name": name,
        "addresses": tuple(_sorted(addresses)),
        "ports": tuple(sorted({row.endpoint.key.port for row in rows})),
        "sources": tuple(sorted({one.source for one in seen} | ({"map"} if rows else set()))),
        "internet": any(address.is_global for address in addresses)
        or any(row.endpoint.key.vantage == OUTSIDE for row in rows),
        "whitelist": listing.domain(name).value,
    }
    newest = _newest(rows) if rows else None
    times = [one.time for one in seen if one.time] + [row.endpoint.last_confirmed for row in rows]
    return Subject(
        category=Category.DOMAIN,
        unit=unit,
        network=0,
        text=name,
        fields=_present(fields),
        evidence=newest.endpoint.evidence if newest else "",
        seen_at=max((time for time in times if time), default=None),
    )


def build_flow_subject(
    flow: FlowDetection, unit: str, network: int, zone: Zone = Zone.UNKNOWN, evidence: str = ""
) -> Subject:
    """Build the subject of a mining detection; its text is host and family, so that it stays the same day by day.

    `evidence` is the SHA-256 of the capture file.
    """
    fields: dict[str, FieldValue] = {
        "host": _address(flow.host),
        "host_port": flow.host_port,
        "peer": _address(flow.peer),
        "peer_port": flow.peer_port,
        "family": flow.family,
        "class": flow.flow_class.value,
        "certainty": flow.certainty,
        "coin": flow.coin or None,
        "name": flow.name or None,
        "agent": flow.agent or None,
        "zone": zone.value,
    }
    text = f"{flow.host} {flow.family}"
    return Subject(Category.FLOW, unit, network, text, _present(fields), evidence, flow.last_seen)


def build_probe_subject(look: Probe, row: MapRow | None, unit: str, now: datetime) -> Subject | None:
    """Build the subject of what a closer look found; None for looks that belong to the service.

    Its text is the endpoint and, where it was asked by one, the name, or the domain alone; `row` is the endpoint's.
    """
    category = _LOOKED_AT.get(look.kind)
    if category is None:
        return None
    fields = _found(category, look) | {
        "asked_name": look.name or None,
        "look_age_days": _days(look.last_seen, now),
        "vantage": look.vantage,
    }
    text = look.name
    if look.address is not None:
        key = EndpointKey(look.network, look.vantage, look.address, look.proto, look.port)
        fields |= {
            "address": look.address,
            "port": look.port,
            "proto": look.proto,
            "zone": row.zone.value if row else Zone.UNKNOWN.value,
            "internet": _is_exposed(key),
        }
        if category is Category.WEB:
            fields["map_title"] = row.endpoint.title or None if row else None
        text = f"{endpoint_text(key)} {look.name}".strip()
    return Subject(category, unit, look.network, text, _present(fields), look.evidence, look.last_seen)


def _found(category: Category, look: Probe) -> dict[str, FieldValue]:
    """Give the values of a look that are fields of the category and of their kind; a foreign record may hold others."""
    known = FIELDS[category]
    return {
        name: value if known[name].many or not isinstance(value, tuple) else value[0]
        for name, value in look.values
        if name in known and is_of_kind(value, known[name].kind)
    }


def build_unit_subject(
    unit: str,
    listing: Listing,
    now: datetime,
    *,
    networks: Sequence[Network] = (),
    newest_scan: datetime | None = None,
    endpoints: int = 0,
) -> Subject:
    """Build the subject of a unit as a whole; its text is the unit's code.

    `newest_scan` is the end of the newest run that looked at ports.
    """
    fields: dict[str, FieldValue] = {
        "has_whitelist": listing.entries > 0,
        "scanned": newest_scan is not None,
        "last_scan_days": _days(newest_scan, now) if newest_scan else None,
        "networks": sum(len(network.prefixes) for network in networks),
        "endpoints": endpoints,
    }
    return Subject(Category.UNIT, unit, 0, unit, _present(fields), seen_at=now)


def build_system_subject(
    system: InformationSystem, today: date, *, confirm_by: datetime | None, now: datetime
) -> Subject:
    """Build the subject of an information system; its text is the system's name.

    Whether it is critical infrastructure is not told: findings go into reports.
    """
    facts = system.facts
    fields: dict[str, FieldValue] = {
        "name": facts.name,
        "state": system.state.value,
        "level": facts.level,
        "confirm_overdue_days": _days(confirm_by, now) if confirm_by is not None and confirm_by < now else None,
        "filed": bool(facts.filing),
        "filing_days_left": (facts.filing_expires - today).days if facts.filing_expires else None,
        "assessed_days": (today - facts.assessed_on).days if facts.assessed_on else None,
        "days_left": (facts.valid_until - today).days if facts.valid_until else None,
        "has_department": bool(facts.department),
    }
    return Subject(Category.SYSTEM, system.unit, 0, facts.name, _present(fields), seen_at=now)


def endpoint_text(key: EndpointKey) -> str:
    """Write an endpoint as findings name it: `10.0.0.5:6379/tcp`, `[2001:db8::5]:443/tcp`."""
    host = f"[{key.address}]" if key.address.version == 6 else str(key.address)
    return f"{host}:{key.port}/{key.proto}"


def _subject(category: Category, row: MapRow, text: str, fields: dict[str, FieldValue]) -> Subject:
    endpoint = row.endpoint
    seen_at = endpoint.last_confirmed or endpoint.valid_from
    return Subject(category, row.unit, endpoint.key.network, text, _present(fields), endpoint.evidence, seen_at)


def _present(fields: dict[str, FieldValue]) -> dict[str, FieldValue]:
    return {name: value for name, value in fields.items() if value is not None and value != ()}


def _newest(rows: Sequence[MapRow]) -> MapRow:
    return max(rows, key=lambda row: row.endpoint.last_confirmed or row.endpoint.valid_from)


def _days(start: datetime, end: datetime) -> int:
    """Whole days from start to end, rounded down, negative when end lies before start."""
    return (end - start).days


def _sorted(addresses: Iterable[IPAddress]) -> list[IPAddress]:
    return sorted(addresses, key=lambda address: (address.version, int(address)))


def _is_exposed(key: EndpointKey) -> bool:
    return key.vantage == OUTSIDE or key.address.is_global


def _address(text: str) -> Scalar:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _is_address(text: str) -> bool:
    return _address(text) is not None


def _is_mismatch(certificate: Certificate, row: MapRow) -> bool | None:
    """Tell whether no known domain name is covered; None when none is known, or the source told no names."""
    known = [name.lower().rstrip(".") for name in row.names if "." in name.rstrip(".")]
    if not known:
        return None
    covered = {name.lower().rstrip(".") for name in certificate.names}
    if not covered:
        subject = certificate.subject.lower()
        return False if any(covers(subject, name) for name in known) else None
    if str(row.endpoint.key.address) in covered:
        return False
    return not any(covers(pattern, name) for pattern in covered for name in known)
