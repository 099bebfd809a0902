"""Closer looks at one endpoint in; the subjects they make out, each fact once however many looks saw it.

A server is asked without a name and by each it is known by: what several looks found alike stands in the first alone,
and a certificate is judged by the rules for certificates, once for the endpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from sentinel.assess.fields_tls import AGREEMENT_FIELDS, SHOWN_FIELDS
from sentinel.assess.subjects import build_certificate_subject, build_probe_subject, endpoint_text
from sentinel.model.endpoint import MapRow
from sentinel.model.observation import Certificate
from sentinel.model.probe import MAX_ITEMS, Probe, ProbeKind, ProbeValue
from sentinel.model.rule import FieldValue, Subject

_Facts = dict[str, ProbeValue]


def build_look_subjects(looks: Iterable[Probe], row: MapRow | None, unit: str, now: datetime) -> Iterator[Subject]:
    """Yield a subject for each look that is one of its own; `row` is the endpoint's, None for domains."""
    meant = list(looks)
    for look in meant:
        if look.kind is not ProbeKind.TLS and (subject := build_probe_subject(look, row, unit, now)) is not None:
            yield subject
    yield from _tls_subjects([look for look in meant if look.kind is ProbeKind.TLS], row, unit, now)


def build_certificate_subjects(row: MapRow, looks: Iterable[Probe], now: datetime) -> Iterator[Subject]:
    """Yield the certificates of an endpoint: the newest one it shows without a name, and others it shows by name.

    Where it was asked by name, whether names are covered is what these looks found.
    """
    meant = _sorted_tls(looks)
    if not meant:
        if (own := build_certificate_subject(row, now)) is not None:
            yield own
        return
    seen: set[str] = set()
    bare = next((look for look in meant if not look.name and _certificate(look) is not None), None)
    is_newer = bare is not None and (
        row.endpoint.last_confirmed is None or bare.last_seen >= row.endpoint.last_confirmed
    )
    first = _show(row, bare) if bare is not None and (is_newer or row.endpoint.certificate is None) else row
    subject = build_certificate_subject(first, now)
    if subject is not None and first.endpoint.certificate is not None:
        seen.add(first.endpoint.certificate.sha256)
        yield replace(subject, fields=_with_mismatch(subject, first.endpoint.certificate, meant))
    for look in meant:
        certificate = _certificate(look)
        if look.name and certificate is not None and certificate.sha256 not in seen:
            seen.add(certificate.sha256)
            subject = build_certificate_subject(_show(row, look), now)
            if subject is not None:
                fields = {name: value for name, value in subject.fields.items() if name != "name_mismatch"}
                yield replace(subject, text=f"{endpoint_text(row.endpoint.key)} {look.name}", fields=fields)


def _sorted_tls(looks: Iterable[Probe]) -> list[Probe]:
    return sorted((look for look in looks if look.kind is ProbeKind.TLS), key=lambda look: look.name)


def _tls_subjects(looks: Sequence[Probe], row: MapRow | None, unit: str, now: datetime) -> Iterator[Subject]:
    met: dict[int, list[dict[str, FieldValue]]] = {0: [], 1: []}
    is_one_covered = any(dict(look.values).get("name_mismatch") is False for look in looks)
    for look in sorted(looks, key=lambda one: one.name):
        subject = build_probe_subject(look, row, unit, now)
        if subject is None:
            continue
        fields = dict(subject.fields) | _dates(dict(look.values), now)
        for number, group in enumerate((AGREEMENT_FIELDS, SHOWN_FIELDS)):
            found = {name: fields[name] for name in group if fields.get(name) is not None}
            if found in met[number]:
                fields = {name: value for name, value in fields.items() if name not in group}
            elif found:
                met[number].append(found)
        if not is_one_covered:
            fields.pop("name_mismatch", None)
        yield replace(subject, fields={name: value for name, value in fields.items() if value is not None})


def _dates(facts: _Facts, now: datetime) -> dict[str, FieldValue]:
    """Give what follows from the dates of a certificate; None where it tells none, whatever a record says."""
    start, end = _moment(facts.get("not_before")), _moment(facts.get("not_after"))
    return {
        "days_left": (end - now).days if end else None,
        "expired": end < now if end else None,
        "not_yet_valid": start > now if start else None,
    }


def _moment(value: ProbeValue | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _certificate(look: Probe) -> Certificate | None:
    """Give the certificate a look was shown; None where it was shown none that could be read."""
    facts = dict(look.values)
    sha256 = _text(facts.get("certificate_sha256"))
    if not sha256:
        return None
    bits, names, own = facts.get("key_bits"), facts.get("names"), facts.get("self_signed")
    return Certificate(
        sha256=sha256,
        subject=_text(facts.get("subject")),
        issuer=_text(facts.get("issuer")),
        names=tuple(one for one in names if isinstance(one, str)) if isinstance(names, tuple) else (),
        not_before=_moment(facts.get("not_before")),
        not_after=_moment(facts.get("not_after")),
        key_type=_text(facts.get("key_type")),
        key_bits=bits if isinstance(bits, int) and not isinstance(bits, bool) else None,
        signature=_text(facts.get("signature")),
        self_signed=own if isinstance(own, bool) else None,
    )


def _text(value: ProbeValue | None) -> str:
    return value if isinstance(value, str) else ""


def _show(row: MapRow, look: Probe) -> MapRow:
    """Give the row with the certificate, the moment and the evidence of a look."""
    endpoint = replace(
        row.endpoint, certificate=_certificate(look), last_confirmed=look.last_seen, evidence=look.evidence
    )
    return replace(row, endpoint=endpoint)


def _with_mismatch(subject: Subject, certificate: Certificate, looks: Sequence[Probe]) -> dict[str, FieldValue]:
    """Give the fields with what looks by name found about names; a list of names that was cut short proves nothing."""
    fields = dict(subject.fields)
    told = [facts["name_mismatch"] for look in looks if look.name and "name_mismatch" in (facts := dict(look.values))]
    if told:
        fields["name_mismatch"] = all(one is True for one in told)
    elif len(certificate.names) >= MAX_ITEMS:
        fields.pop("name_mismatch", None)
    return fields
