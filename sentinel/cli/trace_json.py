"""A trace as plain values for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.model.trace import Told

if TYPE_CHECKING:
    from sentinel.model.trace import Break, Card, Held, Place, Trace, TranslationLink


def build_trace_words(answer: Trace) -> dict[str, object]:
    """Write a trace as plain values, for JSON; account names are as masked as the trace holds them."""
    asked = answer.question
    return {
        "unit": answer.unit,
        "address": asked.address,
        "port": asked.port,
        "proto": asked.proto or None,
        "peer": asked.peer,
        "peer_port": asked.peer_port,
        "at": asked.at,
        "tolerance_s": asked.tolerance_s,
        "exit": answer.exit or None,
        "breaks": [_break_words(one) for one in answer.breaks],
        "places": [_place_words(answer, one) for one in answer.places],
    }


def _break_words(one: Break) -> dict[str, object]:
    before, after = one.nearest
    return {
        "gap": one.gap,
        "subject": one.subject or None,
        "logs": list(one.kinds),
        "nearest_before": before,
        "nearest_after": after,
    }


def _place_words(answer: Trace, place: Place) -> dict[str, object]:
    line = place.line
    return {
        "address": place.address,
        "network": place.network,
        "zone": place.zone,
        "in_scope": place.in_scope,
        "certainty": place.certainty,
        "translations": [_translation_words(one) for one in place.translations],
        "cards": [_card_words(answer, one) for one in place.cards],
        "names": list(place.names),
        "os": place.os or None,
        "department": place.department or None,
        "system": line.system if line else None,
        "person": line.person.name if line and line.person else None,
        "asset": place.asset,
        "endpoints": [
            {
                "port": one.key.port,
                "proto": one.key.proto,
                "vantage": one.key.vantage,
                "service": one.fingerprint.service,
                "product": one.fingerprint.product,
            }
            for one in place.endpoints
        ],
        "findings": [
            {"number": one.number, "rule": one.key.rule, "subject": one.key.subject, "severity": one.severity}
            for one in place.findings
        ],
        "flows": [
            {
                "family": one.family,
                "peer": one.peer,
                "peer_port": one.peer_port,
                "first_seen": one.first_seen,
                "last_seen": one.last_seen,
                "evidence": evidence,
            }
            for evidence, one in place.flows
        ],
        "breaks": [_break_words(one) for one in place.breaks],
    }


def _translation_words(link: TranslationLink) -> dict[str, object]:
    one = link.translated
    return {
        "proto": one.proto or None,
        "outside": one.outside,
        "ports": list(one.ports),
        "inside": one.inside,
        "inside_port": one.inside_port,
        "peer": one.peer,
        "peer_port": one.peer_port,
        "device": one.device or None,
        "since": one.since,
        "until": one.until,
        "evidence": one.evidence or None,
        "declared": one.declared,
        "certainty": link.certainty,
        "off_s": link.off_s,
    }


def _card_words(answer: Trace, card: Card) -> dict[str, object]:
    return {
        "mac": card.mac or None,
        "vendor": card.vendor or None,
        "random": card.is_random,
        "names": list(card.names),
        "accounts": [answer.accounts.get(one) for one in card.accounts],
        "certainty": card.certainty,
        "holdings": [
            {**_held_words(one.held), "ended": one.until, "certainty": one.certainty, "off_s": one.off_s}
            for one in card.holdings
        ],
        "attachments": [
            {
                "device": one.attached.device or None,
                "port": one.attached.port or None,
                "vlan": one.attached.vlan or None,
                "cards": one.cards,
                "since": one.attached.since,
                "until": one.attached.until,
                "evidence": one.attached.evidence or None,
                "certainty": one.certainty,
                "off_s": one.off_s,
            }
            for one in card.attachments
        ],
        "others": [{"address": one.address, **_held_words(one)} for one in card.others],
        "breaks": [_break_words(one) for one in card.breaks],
    }


def _held_words(held: Held) -> dict[str, object]:
    return {
        "source": held.holder.source,
        "told": held.told,
        "since": held.since,
        "until": None if held.told is Told.BEGUN else held.until,
        "device": held.holder.device or None,
        "port": held.holder.port or None,
        "vlan": held.holder.vlan or None,
        "evidence": held.evidence or None,
    }
