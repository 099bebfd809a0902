"""A go-live or port-opening request (上线申请、端口开放申请): who wants what opened, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sentinel.model.ports import PortSet
from sentinel.model.unit import IPNetwork
from sentinel.model.whitelist import PeerKind


class RequestKind(StrEnum):
    """What is asked for."""

    GO_LIVE = "go-live"
    PORT = "port"


class RequestState(StrEnum):
    """Where a request stands. Only a submitted one can be approved or returned."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


class RequestStep(StrEnum):
    """What was done with a request."""

    SUBMIT = "submit"
    CHECK = "check"
    APPROVE = "approve"
    RETURN = "return"
    WITHDRAW = "withdraw"


STEPS: dict[RequestStep, tuple[frozenset[RequestState], RequestState | None]] = {
    RequestStep.CHECK: (frozenset({RequestState.SUBMITTED}), None),
    RequestStep.APPROVE: (frozenset({RequestState.SUBMITTED}), RequestState.APPROVED),
    RequestStep.RETURN: (frozenset({RequestState.SUBMITTED}), RequestState.RETURNED),
    RequestStep.WITHDRAW: (
        frozenset({RequestState.SUBMITTED, RequestState.RETURNED, RequestState.APPROVED}),
        RequestState.WITHDRAWN,
    ),
}
"""From which states each step may be taken, and the state it leads to; None: it stays."""


@dataclass(frozen=True, slots=True)
class WhitelistRequest:
    """One request as it was made; it is never changed, a returned one is replaced by another.

    Attributes:
        id: row id; 0 before it is stored.
        number: number for people, e.g. `申请-2026-0001`.
        unit: code of the unit.
        kind: go-live or port.
        state: where it stands.
        department: who asks (申请部门).
        system: name of the system.
        addresses: addresses and prefixes of it.
        domains: names of it.
        ports: ports by protocol.
        service: protocol that will be spoken there; empty: any.
        peer: from where it is to be reached.
        peers: prefixes of that; for kind prefix.
        purpose: what for.
        valid_from: from when on.
        valid_to: until when.
        replaces: number of the returned request it replaces, or empty.
        made_at: when it was submitted.
    """

    id: int
    number: str
    unit: str
    kind: RequestKind
    state: RequestState
    department: str
    system: str
    purpose: str
    valid_from: datetime
    valid_to: datetime
    made_at: datetime
    addresses: tuple[IPNetwork, ...] = ()
    domains: tuple[str, ...] = ()
    ports: tuple[tuple[str, PortSet], ...] = ()
    service: str = ""
    peer: PeerKind = PeerKind.ANY
    peers: tuple[IPNetwork, ...] = ()
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class RequestEvent:
    """One dated step of a request.

    Attributes:
        at: when.
        actor: who.
        step: what was done.
        before: state before; empty at the start.
        after: state after.
        reason: why, as written.
        detail: what else is known of it: approver and document, or what the check saw.
    """

    at: datetime
    actor: str
    step: RequestStep
    before: str
    after: str
    reason: str = ""
    detail: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class RequestCheck:
    """What scans since the request tell of what it asks for.

    Attributes:
        addresses: addresses it names.
        unseen: of them, those no finished scan since the request asked for all of its ports.
        run_at: when the newest scan since ended that looked at any of them; None: none did.
        evidence: SHA-256 of it.
        seen: what is open now of what it asks for, as `10.0.0.5:443/tcp http`.
        beyond: what is open on its addresses and not asked for.
        blocking: numbers of live findings of at least high severity on its addresses and names, with their titles.
        forbidden: row ids of entries in force that forbid some of it.
        unjudged: runs no rule was applied to yet.
    """

    addresses: int
    unseen: int
    run_at: datetime | None = None
    evidence: str = ""
    seen: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()
    blocking: tuple[tuple[str, str], ...] = ()
    forbidden: tuple[int, ...] = ()
    unjudged: int = 0

    @property
    def obstacles(self) -> tuple[str, ...]:
        """Give why it cannot be approved, as `unseen` or `blocking`; nothing when it can."""
        found = (
            ("unseen", self.unseen),
            ("unjudged", self.unjudged),
            ("blocking", len(self.blocking)),
            ("forbidden", len(self.forbidden)),
        )
        return tuple(word for word, count in found if count)
