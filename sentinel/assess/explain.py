"""Entries and a question in; what the whitelist says, which entries decide it, and why each other one does not, out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sentinel.assess.listing import Decision, Listed, Listing, is_expected
from sentinel.model.unit import IPAddress
from sentinel.model.whitelist import Direction, Peer, PeerKind, WhitelistEntry, WhitelistKind

_CAMPUS = Peer()


class Part(StrEnum):
    """What an entry has to do with a question it speaks of."""

    DECIDES = "decides"
    OVERRULED = "overruled"
    OTHER_SERVICE = "other_service"
    OTHER_PEER = "other_peer"
    OTHER_DIRECTION = "other_direction"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    NOT_ENTERED = "not_entered"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a name, a host, or a port of a host.

    Attributes:
        name: the domain; empty when an address is asked for.
        address: the address; None when a name is asked for.
        port: the port; None when the host is asked for.
        proto: its protocol.
        service: what speaks there; empty when not known.
        peer: the other side.
        direction: who opens the connection.
    """

    name: str = ""
    address: IPAddress | None = None
    port: int | None = None
    proto: str = "tcp"
    service: str = ""
    peer: Peer = _CAMPUS
    direction: Direction = Direction.IN


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer with its reasons.

    Attributes:
        verdict: what the whitelist says.
        weighed: each entry that speaks of the place, with its part; those that decide first, then by id.
    """

    verdict: Listed
    weighed: tuple[tuple[WhitelistEntry, Part], ...]


def explain(history: Iterable[WhitelistEntry], question: Question, at: datetime, unit: str = "") -> Explanation:
    """Answer a question by the entries as they stood at a moment; `history` holds withdrawn ones too."""
    entries = tuple(history)
    listing = Listing((one for one in entries if one.was_known(at)), at, unit, question.direction)
    decision = _decide(listing, question)
    deciding = {entry.id for entry in decision.entries}
    speaking = [one for one in entries if _speaks_of(one, question)]
    weighed = [(one, Part.DECIDES if one.id in deciding else _part(one, question, at)) for one in speaking]
    return Explanation(
        decision.verdict, tuple(sorted(weighed, key=lambda pair: (pair[1] is not Part.DECIDES, pair[0].id)))
    )


def _decide(listing: Listing, question: Question) -> Decision:
    if question.address is None:
        return listing.decide_domain(question.name)
    if question.port is None:
        return listing.decide_host(question.address)
    return listing.decide_endpoint(question.address, question.proto, question.port, question.service, "", question.peer)


def _speaks_of(entry: WhitelistEntry, question: Question) -> bool:
    """Tell whether an entry speaks of the place, whatever its time, other side and service."""
    if question.address is None:
        return entry.allows_domain(question.name)
    if entry.kind is WhitelistKind.DOMAIN or not entry.allows_address(question.address):
        return False
    if question.port is None:
        return entry.kind is WhitelistKind.HOST or not entry.is_deny
    if entry.kind is WhitelistKind.HOST:
        return entry.is_deny
    return entry.proto.lower() == question.proto and question.port in entry.ports


def _part(entry: WhitelistEntry, question: Question, at: datetime) -> Part:
    if entry.created is not None and entry.created > at:
        return Part.NOT_ENTERED
    if not entry.was_known(at):
        return Part.WITHDRAWN
    if entry.valid_from is not None and entry.valid_from > at:
        return Part.NOT_YET
    if not entry.is_valid(at):
        return Part.EXPIRED
    if entry.direction is not question.direction:
        return Part.OTHER_DIRECTION
    to_all = entry.peer is PeerKind.ANY
    if not (to_all or entry.kind is WhitelistKind.DOMAIN) and (question.port is None or not entry.meets(question.peer)):
        return Part.OTHER_PEER
    if entry.service and (entry.is_deny or question.service) and not _speaks(entry, question):
        return Part.OTHER_SERVICE
    return Part.OVERRULED


def _speaks(entry: WhitelistEntry, question: Question) -> bool:
    return bool(question.service) and is_expected(entry.service, question.service, "")
