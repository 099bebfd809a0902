"""The one assignment object: who has to do what until when, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AssignmentKind(StrEnum):
    """What is asked for."""

    NOTICE = "notice"
    HUNT = "hunt"
    FORM = "form"
    SELF_CHECK = "self_check"
    ZERO_REPORT = "zero_report"
    DRILL_ACTION = "drill_action"
    ATTESTATION = "attestation"
    RECTIFICATION = "rectification"


class AssignmentState(StrEnum):
    """Where an assignment stands."""

    ISSUED = "issued"
    RECEIVED = "received"
    REPLIED = "replied"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"

    @property
    def is_over(self) -> bool:
        """Nothing can happen to it any more."""
        return self in {AssignmentState.CLOSED, AssignmentState.WITHDRAWN}

    @property
    def is_with_assignee(self) -> bool:
        """The next step is the assignee's."""
        return self in {AssignmentState.ISSUED, AssignmentState.RECEIVED, AssignmentState.RETURNED}


class Act(StrEnum):
    """What somebody does to an assignment."""

    ISSUE = "issue"
    RECEIVE = "receive"
    REPLY = "reply"
    ACCEPT = "accept"
    RETURN = "return"
    CLOSE = "close"
    ESCALATE = "escalate"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class AssignmentItem:
    """One thing an assignment is about.

    Attributes:
        kind: what it refers to, e.g. `finding`, `notice`, `form`.
        reference: row id or number of it.
    """

    kind: str
    reference: str


@dataclass(frozen=True, slots=True)
class AssignmentFile:
    """A file that came with an event; its bytes are evidence."""

    sha256: str
    name: str


@dataclass(frozen=True, slots=True)
class AssignmentEvent:
    """One step in the life of an assignment; only ever added.

    Attributes:
        act: what was done.
        at: when.
        actor: who.
        reason: what was said: the reply, why it was returned, to whom and why it was escalated.
        files: what came with it.
        to: whom an escalation goes to; empty for all others.
        exercise: id of the drill; empty for a real one.
    """

    act: Act
    at: datetime
    actor: str
    reason: str = ""
    files: tuple[AssignmentFile, ...] = ()
    to: str = ""
    exercise: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One assignment as it stands after all its events.

    Attributes:
        id: row id; 0 before it is stored.
        number: number for people, e.g. `任务-2026-0001`; that of the order for a rectification.
        kind: what is asked for.
        unit: code of the unit whose matter it is.
        issuer: who asks.
        assignee: unit or department that has to do it; it need not have sentinel.
        title: what, in one line.
        due: until when the reply is due; None: no deadline.
        items: what it is about, in the order of the paper.
        state: where it stands.
        issued_at: when it was issued.
        received_at: when the assignee confirmed the receipt.
        replied_at: when the newest reply came.
        reviewed_at: when the newest reply was accepted or returned.
        ended_at: when it was closed or withdrawn.
        replies: how many replies came.
        escalations: how often it was escalated.
        escalated_to: whom the newest escalation went to.
        exercise: id of the drill; empty for a real one.
    """

    id: int
    number: str
    kind: AssignmentKind
    unit: str
    issuer: str
    assignee: str
    title: str = ""
    due: datetime | None = None
    items: tuple[AssignmentItem, ...] = ()
    state: AssignmentState = AssignmentState.ISSUED
    issued_at: datetime | None = None
    received_at: datetime | None = None
    replied_at: datetime | None = None
    reviewed_at: datetime | None = None
    ended_at: datetime | None = None
    replies: int = 0
    escalations: int = 0
    escalated_to: str = ""
    exercise: str = ""

    def is_overdue(self, now: datetime) -> bool:
        """Tell whether the assignee still owes an answer and its time has passed."""
        return self.state.is_with_assignee and self.due is not None and self.due < now
