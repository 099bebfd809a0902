"""Sightings and a moment in; who may have held an address, where a card was, what a NAT did, each with how sure it is.

Nothing is chosen in silence: whatever the clocks' disagreement and the logs' gaps leave possible is a candidate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sentinel.model.publication import Publication
from sentinel.model.sighting import HoldingSource
from sentinel.model.trace import (
    Attached,
    AttachmentLink,
    Card,
    Certainty,
    Held,
    HoldingLink,
    LogSpan,
    Question,
    Told,
    Translated,
    TranslationLink,
)
from sentinel.model.unit import IPAddress, IPNetwork

TABLE_REACH = timedelta(hours=1)
"""A card seen at an address is taken to have held it for so long before and after, if nobody else was seen there."""

LEASE_REACH = timedelta(days=1)
SESSION_REACH = timedelta(hours=12)
LONGEST_REACH = timedelta(days=7)
"""How long a lease or session whose end nobody told is likely, and possible at all."""

ATTACHMENT_REACH = timedelta(days=1)
"""Cards seldom move: where one was seen within a day is possible."""

SESSION_LIKELY = timedelta(hours=1)
SESSION_POSSIBLE = timedelta(days=1)
"""The same for a NAT session whose end nobody told."""

_ORDER = tuple(HoldingSource)
_ZERO = timedelta()


def judge_holdings(held: Sequence[Held], at: datetime, tolerance: timedelta) -> tuple[HoldingLink, ...]:
    """Give the stretches of one address that may hold at a moment, the surest first."""
    links = [link for one in held if (link := _judge_holding(one, held, at, tolerance)) is not None]
    return tuple(
        sorted(
            links,
            key=lambda link: (link.certainty.rank, link.off_s, _ORDER.index(link.held.holder.source), link.held.since),
        )
    )


def _judge_holding(one: Held, all_held: Sequence[Held], at: datetime, tolerance: timedelta) -> HoldingLink | None:
    match one.told:
        case Told.HELD:
            return _judge_span(one, all_held, at, tolerance)
        case Told.SEEN:
            return _judge_seen(one, all_held, at, tolerance)
        case Told.BEGUN:
            return _judge_begun(one, all_held, at, tolerance)
        case Told.ENDED:
            return _judge_ended(one, all_held, at, tolerance)


def _judge_span(one: Held, all_held: Sequence[Held], at: datetime, tolerance: timedelta) -> HoldingLink | None:
    off = _off(one.since, one.until, at)
    if off > tolerance:
        return None
    displaced = _next_other(one, all_held, one.since, at) is not None
    certainty = Certainty.POSSIBLE if off or displaced else Certainty.CERTAIN
    return HoldingLink(one, one.until, certainty, _seconds(off))


def _judge_seen(one: Held, all_held: Sequence[Held], at: datetime, tolerance: timedelta) -> HoldingLink | None:
    off = _off(one.since, one.until, at)
    if off > max(tolerance, TABLE_REACH):
        return None
    near = min(abs(at - one.since), abs(at - one.until)) <= tolerance
    if off > tolerance and _is_between(one, all_held, at):
        return None
    certainty = Certainty.CERTAIN if near else Certainty.POSSIBLE if off else Certainty.LIKELY
    return HoldingLink(one, one.until, certainty, _seconds(off))


def _judge_begun(one: Held, all_held: Sequence[Held], at: datetime, tolerance: timedelta) -> HoldingLink | None:
    if at < one.since - tolerance:
        return None
    if at < one.since:
        return HoldingLink(one, None, Certainty.POSSIBLE, _seconds(one.since - at))
    stop = _own_stop(one, all_held)
    displaced = _next_other(one, all_held, one.until, None)
    end = min((moment for moment in (stop, displaced) if moment is not None), default=None)
    if end is not None:
        if at > end + tolerance:
            return None
        certainty = Certainty.POSSIBLE if at > end else Certainty.CERTAIN if end == stop else Certainty.LIKELY
        return HoldingLink(one, end, certainty, _seconds(max(_ZERO, at - end)))
    open_for = at - one.until
    reach = LEASE_REACH if one.holder.source is HoldingSource.DHCP else SESSION_REACH
    if open_for > LONGEST_REACH:
        return None
    return HoldingLink(one, None, Certainty.LIKELY if open_for <= reach else Certainty.POSSIBLE)


def _judge_ended(one: Held, all_held: Sequence[Held], at: datetime, tolerance: timedelta) -> HoldingLink | None:
    off = _off(one.since, one.until, at)
    if off <= tolerance:
        return HoldingLink(one, one.until, Certainty.LIKELY, _seconds(off))
    if at > one.until or off > SESSION_REACH or _is_between(one, all_held, at):
        return None
    return HoldingLink(one, one.until, Certainty.POSSIBLE)


def _is_same_holder(one: Held, other: Held) -> bool:
    """Tell whether two stretches speak of the same holder, as far as both tell."""
    mine, theirs = one.holder, other.holder
    if mine.mac and theirs.mac:
        return mine.mac == theirs.mac
    if mine.account is not None and theirs.account is not None:
        return mine.account == theirs.account
    return True


def _next_other(one: Held, all_held: Sequence[Held], after: datetime, until: datetime | None) -> datetime | None:
    """Give when somebody else first held the address after a moment, up to another."""
    begun = (
        other.since
        for other in all_held
        if other.told is not Told.ENDED and other.since > after and not _is_same_holder(one, other)
    )
    return min((moment for moment in begun if until is None or moment <= until), default=None)


def _is_between(one: Held, all_held: Sequence[Held], at: datetime) -> bool:
    """Tell whether somebody else held the address between a stretch and the moment."""
    low, high = (one.until, at) if at > one.until else (at, one.since)
    return any(
        not _is_same_holder(one, other) and other.since <= high and other.until >= low
        for other in all_held
        if other is not one
    )


def _own_stop(one: Held, all_held: Sequence[Held]) -> datetime | None:
    """Give the end the same holder's log told: an end by itself, or a whole session that holds this beginning."""
    stops = []
    for other in all_held:
        if other.holder.source is not one.holder.source or not _is_same_holder(one, other):
            continue
        if other.told is Told.ENDED and other.until >= one.until:
            stops.append(other.since if other.since >= one.until else other.until)
        elif other.told is Told.HELD and other.since <= one.until + timedelta(minutes=1) and other.until > one.until:
            stops.append(other.until)
    return min(stops, default=None)


def judge_attachments(
    attached: Iterable[Attached], at: datetime, tolerance: timedelta, count: Callable[[Attached], int]
) -> tuple[AttachmentLink, ...]:
    """Give where a card may have been, the surest first, of equal ones the port with the fewest cards."""
    links = []
    for one in attached:
        off = _off(one.since, one.until, at)
        if off > max(tolerance, ATTACHMENT_REACH):
            continue
        near = min(abs(at - one.since), abs(at - one.until)) <= tolerance
        certainty = Certainty.CERTAIN if near else Certainty.LIKELY if off <= TABLE_REACH else Certainty.POSSIBLE
        links.append(AttachmentLink(one, certainty, _seconds(off), count(one)))
    return tuple(sorted(links, key=lambda link: (link.certainty.rank, link.cards, link.off_s, link.attached.device)))


def judge_translations(translated: Sequence[Translated], asked: Question) -> tuple[TranslationLink, ...]:
    """Give the translations that may have made the connection, the surest first."""
    tolerance = timedelta(seconds=asked.tolerance_s)
    fitting = [one for one in translated if _fits(one, asked)]
    links = [link for one in fitting if (link := _judge_translation(one, fitting, asked.at, tolerance)) is not None]
    if asked.peer is not None and any(link.translated.peer == asked.peer for link in links):
        links = [
            link if link.translated.peer == asked.peer else replace(link, certainty=Certainty.POSSIBLE)
            for link in links
        ]
    return tuple(
        sorted(
            links, key=lambda link: (link.certainty.rank, link.off_s, _width(link.translated), link.translated.since)
        )
    )


def _fits(one: Translated, asked: Question) -> bool:
    if asked.port is not None and not one.ports[0] <= asked.port <= one.ports[1]:
        return False
    if asked.proto and one.proto and one.proto != asked.proto:
        return False
    if asked.peer is not None and one.peer is not None and one.peer != asked.peer:
        return False
    return asked.peer_port is None or one.peer_port is None or one.peer_port == asked.peer_port


def _judge_translation(
    one: Translated, others: Sequence[Translated], at: datetime, tolerance: timedelta
) -> TranslationLink | None:
    if one.until is not None:
        off = _off(one.since, one.until, at)
        if off <= tolerance:
            return TranslationLink(one, Certainty.POSSIBLE if off else Certainty.CERTAIN, _seconds(off))
        if one.is_whole and off <= ATTACHMENT_REACH:
            return TranslationLink(one, Certainty.POSSIBLE, _seconds(off))
        return None
    if at < one.since:
        off = one.since - at
        return TranslationLink(one, Certainty.POSSIBLE, _seconds(off)) if off <= tolerance else None
    displaced = min(
        (other.since for other in others if other.inside != one.inside and _replaces(other, one)), default=None
    )
    if displaced is not None and at >= displaced:
        off = at - displaced
        return TranslationLink(one, Certainty.POSSIBLE, _seconds(off)) if off <= tolerance else None
    open_for = at - one.since
    if _width(one) > 1 or open_for <= SESSION_LIKELY:
        return TranslationLink(one, Certainty.LIKELY)
    return TranslationLink(one, Certainty.POSSIBLE) if open_for <= SESSION_POSSIBLE else None


def _replaces(other: Translated, one: Translated) -> bool:
    meets = other.ports[0] <= one.ports[1] and one.ports[0] <= other.ports[1]
    same_peer = one.peer is None or other.peer is None or (one.peer, one.peer_port) == (other.peer, other.peer_port)
    same_proto = not one.proto or not other.proto or one.proto == other.proto
    return other.since > one.since and meets and same_peer and same_proto and _width(other) <= _width(one)


def _width(one: Translated) -> int:
    return one.ports[1] - one.ports[0] + 1


def judge_publications(
    publications: Iterable[Publication], asked: Question, network_of: Callable[[IPAddress], int]
) -> tuple[TranslationLink, ...]:
    """Give the publications in force that lead from the public address inside: likely by their port, else possible."""
    protos = (asked.proto,) if asked.proto else ("tcp", "udp")
    links = []
    for one in publications:
        mapping = one.mapping
        if mapping.outside != asked.address or not one.holds(asked.at):
            continue
        ports = (mapping.first_port, mapping.last_port or 65_535)
        named = asked.port is not None or mapping.first_port == 0
        inside = [mapping.inside_of(proto, asked.port) for proto in protos] if asked.port is not None else []
        if asked.port is not None and all(port is None for port in inside):
            continue
        told = Translated(
            network=network_of(mapping.inside),
            proto=mapping.proto,
            outside=mapping.outside,
            ports=ports,
            since=one.valid_from or one.created or asked.at,
            until=one.valid_to,
            inside=mapping.inside,
            inside_port=next((port for port in inside if port is not None), None),
            declared=True,
        )
        links.append(TranslationLink(told, Certainty.LIKELY if named else Certainty.POSSIBLE))
    return tuple(links)


def group_places(links: Iterable[TranslationLink]) -> dict[tuple[int, IPAddress], tuple[TranslationLink, ...]]:
    """Give the translations by (network, inside address), the surest address first."""
    grouped: defaultdict[tuple[int, IPAddress], list[TranslationLink]] = defaultdict(list)
    for link in links:
        grouped[link.translated.network, link.translated.inside].append(link)
    return {place: tuple(found) for place, found in grouped.items()}


@dataclass(slots=True)
class _Draft:
    mac: str
    links: list[HoldingLink]


def group_cards(links: Sequence[HoldingLink]) -> tuple[Card, ...]:
    """Give the candidates, one for each card; a log that names no card goes with the one card there is."""
    drafts: dict[str, _Draft] = {}
    loose: list[HoldingLink] = []
    for link in links:
        mac = link.held.holder.mac
        if mac:
            drafts.setdefault(mac, _Draft(mac, [])).links.append(link)
        else:
            loose.append(link)
    sure = [one for one in drafts.values() if one.links[0].certainty is not Certainty.POSSIBLE] or list(drafts.values())
    for link in loose:
        if len(sure) == 1:
            sure[0].links.append(link)
        else:
            holder = link.held.holder
            key = (
                f"account {holder.account}" if holder.account is not None else f"name {holder.name} {holder.client_id}"
            )
            drafts.setdefault(key, _Draft("", [])).links.append(link)
    return tuple(sorted(map(_card, drafts.values()), key=lambda card: (card.certainty.rank, card.holdings[0].off_s)))


def _card(draft: _Draft) -> Card:
    links = sorted(draft.links, key=lambda link: (link.certainty.rank, link.off_s))
    holders = [link.held.holder for link in links]
    return Card(
        mac=draft.mac,
        vendor="",
        is_random=len(draft.mac) == 17 and bool(int(draft.mac[:2], 16) & 2),
        names=tuple(dict.fromkeys(one.name for one in holders if one.name)),
        accounts=tuple(dict.fromkeys(one.account for one in holders if one.account is not None)),
        holdings=tuple(links),
        attachments=(),
        others=(),
        certainty=links[0].certainty,
    )


def is_logged(spans: Iterable[LogSpan], at: datetime, tolerance: timedelta) -> bool:
    """Tell whether one of the logs speaks of a moment."""
    return any(_off(one.since, one.until, at) <= tolerance for one in spans)


def choose_nat_spans(
    spans: Iterable[LogSpan], outside: IPAddress, prefixes: Sequence[IPNetwork], devices: Sequence[str]
) -> tuple[LogSpan, ...]:
    """Give the NAT logs that would tell of a public address: those that name it or its exit, or of its exit's devices.

    A device without a name tells of nothing but the addresses it names.
    """
    return tuple(
        one
        for one in spans
        if one.subject is not None
        and (
            one.subject == outside
            or any(one.subject.version == prefix.version and one.subject in prefix for prefix in prefixes)
            or (one.device and one.device in devices)
        )
    )


def _off(since: datetime, until: datetime, at: datetime) -> timedelta:
    return max(_ZERO, since - at, at - until)


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
