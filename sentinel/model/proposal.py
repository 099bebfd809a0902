"""A draft of a whitelist (白名单草案): the lines a reviewer is asked to decide on, and how."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256

from sentinel.model.ports import PortSet
from sentinel.model.unit import IPNetwork
from sentinel.model.whitelist import PeerKind, WhitelistKind

_NO_PORTS = PortSet()


class Decision(StrEnum):
    """What a reviewer makes of a line."""

    ALLOW = "allow"
    DENY = "deny"
    SKIP = "skip"


class Registered(StrEnum):
    """Whether the unit's register knows what a line speaks of."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One line of a draft.

    Attributes:
        kind: domain or port.
        domain: the name; for domains.
        addresses: prefixes; for ports.
        proto: `tcp` or `udp`; for ports.
        ports: for ports.
        service: protocol heard there; empty: none was, or several.
        peer: from where it was reached.
        reason: what it seems to be for.
        network: name of the network, or empty.
        department: who answers for it by the register.
        registered: what the register knows of it; unseen: it is registered and was not seen.
        hosts: addresses with it open.
        whole: the line speaks for a whole segment, more than what was seen.
        last_seen: when it was last confirmed.
        risk: why it should be closed; empty: no reason is known.
        advice: the decision proposed.
        until: suggested last day.
        members: what was seen, one word each, sorted, e.g. `10.0.0.5:443/tcp http`; what `mark` is the sum of.
    """

    kind: WhitelistKind
    domain: str = ""
    addresses: tuple[IPNetwork, ...] = ()
    proto: str = ""
    ports: PortSet = _NO_PORTS
    service: str = ""
    peer: PeerKind = PeerKind.ANY
    reason: str = ""
    network: str = ""
    department: str = ""
    registered: Registered = Registered.NO
    hosts: int = 0
    whole: bool = False
    last_seen: datetime | None = None
    risk: str = ""
    advice: Decision = Decision.ALLOW
    until: date | None = None
    members: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """Sum of what the line speaks of and what it rests on; times and advice are no part of it."""
        where = [self.kind.value, self.domain, *map(str, self.addresses), self.proto, str(self.ports), self.service]
        words = json.dumps([where, self.peer.value, self.risk, self.members], ensure_ascii=False)
        return sha256(words.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A line of a draft as it was given out, and what became of it.

    Attributes:
        draft: number of the draft.
        line: its place in it, from 1.
        mark: sum of what it rested on then.
        proposal: what it proposed; its members are not kept.
        decision: what was decided; None: nothing yet.
        entry: row id of the entry it became, if any.
    """

    draft: int
    line: int
    mark: str
    proposal: Proposal
    decision: Decision | None = None
    entry: int | None = None

    @property
    def code(self) -> str:
        """What stands in the sheet for it: `D3-17-0a1b2c3d`."""
        return f"D{self.draft}-{self.line}-{self.mark[:8]}"
