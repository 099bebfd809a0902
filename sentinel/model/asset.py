"""Assets: things that keep their number when their address changes, and what they are known again by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sentinel.model.unit import IPAddress


class MarkKind(StrEnum):
    """What a host is known again by."""

    SSH_HOST_KEY = "ssh_host_key"
    TLS_CERT = "tls_cert"
    SNMP_ENGINE = "snmp_engine"
    SERIAL = "serial"
    DHCP_CLIENT_ID = "dhcp_client_id"
    MAC = "mac"
    FQDN = "fqdn"
    OS = "os"
    PORTS = "ports"
    FAVICON = "favicon"
    IP = "ip"


class Weight(StrEnum):
    """What a mark proves by itself: strong is the thing, medium says so with another one, weak goes along."""

    STRONG = "strong"
    MEDIUM = "medium"
    WEAK = "weak"


@dataclass(frozen=True, slots=True, order=True)
class MarkName:
    """What a mark says, apart from where and when.

    Attributes:
        kind: what kind of mark.
        value: its value, e.g. `aa:bb:cc:dd:ee:ff`, `ed25519 SHA256:…`.
    """

    kind: MarkKind
    value: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of time in which something marked the host at an address.

    Attributes:
        network: row id of the network.
        address: the address.
        name: what was seen.
        source: `scan`, or the kind of log that told it.
        since: first moment.
        until: last moment.
    """

    network: int
    address: IPAddress
    name: MarkName
    source: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Identifier:
    """A stretch of time in which a mark belonged to an asset; fields as in `Mark`, and what it proves."""

    network: int
    address: IPAddress
    name: MarkName
    source: str
    weight: Weight
    valid_from: datetime
    valid_to: datetime


class AssetState(StrEnum):
    """Present; missing since another thing took its address; merged into another; no longer borne out by evidence."""

    PRESENT = "present"
    MISSING = "missing"
    MERGED = "merged"
    DISSOLVED = "dissolved"


class EventKind(StrEnum):
    """What happens to an asset."""

    APPEARED = "appeared"
    MOVED = "moved"
    ADDED = "address_added"
    CARD_CHANGED = "card_changed"
    ADDRESS_REUSED = "address_reused"
    RETURNED = "returned"
    MERGED = "merged"
    SPLIT = "split"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class AssetEvent:
    """Something that happened to an asset.

    Attributes:
        kind: what.
        at: when.
        detail: from what to what, e.g. `10.0.0.5 -> 10.0.0.9`.
        actor: who decided it; empty for what the evidence tells.
    """

    kind: EventKind
    at: datetime
    detail: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Anchor:
    """What an asset is known again by when assets are made anew.

    Attributes:
        network: row id of its network.
        name: the mark; an address (`ip`) where there is nothing better.
        since: since when it has it.
    """

    network: int
    name: MarkName
    since: datetime


@dataclass(frozen=True, slots=True)
class DerivedAsset:
    """An asset as the evidence makes it, before it has a number.

    Attributes:
        places: the networks and addresses it has now, the last seen first.
        state: present or missing.
        identifiers: all it was ever known by.
        events: what happened to it, the oldest first.
        first_seen: first sign of it.
        last_seen: last sign of it.
        anchor: what it will be known again by.
    """

    places: tuple[tuple[int, IPAddress], ...]
    state: AssetState
    identifiers: tuple[Identifier, ...]
    events: tuple[AssetEvent, ...]
    first_seen: datetime
    last_seen: datetime
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset with its number.

    Attributes:
        id: its number.
        unit: code of the unit.
        network: row id of its network.
        address: the address it was last seen at.
        state: see `AssetState`.
        merged_into: number of the asset it is part of now.
        anchor: what it is known again by.
        first_seen: first sign of it.
        last_seen: last sign of it.
    """

    id: int
    unit: str
    network: int
    address: IPAddress
    state: AssetState
    merged_into: int | None
    anchor: Anchor
    first_seen: datetime
    last_seen: datetime


class DecisionKind(StrEnum):
    """Two marks are one thing; a mark is a thing apart."""

    MERGE = "merge"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided; it holds however often assets are made anew, until it is undone.

    Attributes:
        kind: merge or split.
        one: network and mark.
        other: for a merge, the network and mark that is the same thing.
        id: row id; 0 before it is stored.
        reason: why.
        actor: who.
        at: when.
        undone: when it was taken back.
    """

    kind: DecisionKind
    one: tuple[int, MarkName]
    other: tuple[int, MarkName] | None = None
    id: int = 0
    reason: str = ""
    actor: str = ""
    at: datetime | None = None
    undone: datetime | None = None


class ProposalState(StrEnum):
    """Nobody decided yet; accepted; rejected; the evidence no longer asks for it."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    MOOT = "moot"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A decision the evidence asks a person for.

    Attributes:
        decision: what would be decided.
        why: `shared_mark`: two assets show the same; `two_cards`: one asset shows two cards at once;
            `other_network`: a mark of one network shows in another.
        detail: the marks and addresses behind it.
        first: since when.
        id: row id; 0 before it is stored.
        state: what became of it.
        decided_by: who decided.
    """

    decision: Decision
    why: str
    detail: str
    first: datetime
    id: int = 0
    state: ProposalState = ProposalState.OPEN
    decided_by: str = ""

    @property
    def key(self) -> str:
        """The same for the same question."""
        other = self.decision.other
        sides = sorted(f"{network} {name}" for network, name in filter(None, (self.decision.one, other)))
        return f"{self.decision.kind} {' | '.join(sides)}"
