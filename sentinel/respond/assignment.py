"""An assignment and what is done to it in; the assignment as it stands then out, or a refusal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sentinel.model.assignment import Act, Assignment, AssignmentEvent, AssignmentState

State = AssignmentState

STEPS: dict[tuple[AssignmentState, Act], AssignmentState] = {
    (State.ISSUED, Act.RECEIVE): State.RECEIVED,
    (State.RECEIVED, Act.REPLY): State.REPLIED,
    (State.RETURNED, Act.REPLY): State.REPLIED,
    (State.REPLIED, Act.ACCEPT): State.ACCEPTED,
    (State.REPLIED, Act.RETURN): State.RETURNED,
    (State.ACCEPTED, Act.CLOSE): State.CLOSED,
}
"""Every step that leads on. Escalating and withdrawing are possible until an assignment is over; a reply needs a
receipt before it, and closing needs an accepted reply."""

_NEED_WORDS = frozenset({Act.REPLY, Act.RETURN, Act.ESCALATE, Act.WITHDRAW})


def find_next(state: AssignmentState, act: Act) -> AssignmentState | None:
    """Give the state an act leads to; None where it is not allowed."""
    if act in {Act.ESCALATE, Act.WITHDRAW} and not state.is_over:
        return State.WITHDRAWN if act is Act.WITHDRAW else state
    return STEPS.get((state, act))


def allowed_acts(state: AssignmentState) -> tuple[Act, ...]:
    """Give what can be done to an assignment now, in the order of `Act`."""
    return tuple(act for act in Act if find_next(state, act) is not None)


def apply_event(known: Assignment, event: AssignmentEvent) -> Assignment:
    """Let an event happen to an assignment.

    Raises:
        ValueError: it cannot happen in this state, or says nothing where words are needed.
    """
    state = find_next(known.state, event.act)
    if state is None:
        can = ", ".join(allowed_acts(known.state)) or "nothing"
        raise ValueError(f"{known.number} is {known.state}: cannot {event.act} it (possible: {can})")
    if event.act in _NEED_WORDS and not event.reason.strip():
        raise ValueError(f"{event.act} needs words")
    if (event.act is Act.ESCALATE) != bool(event.to):
        raise ValueError("an escalation, and nothing else, says to whom it goes")
    moved = replace(known, state=state)
    match event.act:
        case Act.RECEIVE:
            return replace(moved, received_at=event.at)
        case Act.REPLY:
            return replace(moved, replied_at=event.at, replies=known.replies + 1)
        case Act.ACCEPT | Act.RETURN:
            return replace(moved, reviewed_at=event.at)
        case Act.ESCALATE:
            return replace(moved, escalations=known.escalations + 1, escalated_to=event.to)
        case _:
            return replace(moved, ended_at=event.at)


def replay(issued: Assignment, events: Iterable[AssignmentEvent]) -> Assignment:
    """Let all events happen in their order, the issuing first; gives where the assignment stands then.

    Raises:
        ValueError: they are not a life an assignment can have.
    """
    first, *others = events
    if first.act is not Act.ISSUE:
        raise ValueError("the first event of an assignment is its issuing")
    known = issue(issued, first)
    for event in others:
        known = apply_event(known, event)
    return known


def issue(draft: Assignment, event: AssignmentEvent) -> Assignment:
    """Give a draft as it stands when it was just issued: nothing has happened to it."""
    return replace(
        draft,
        state=State.ISSUED,
        issued_at=event.at,
        received_at=None,
        replied_at=None,
        reviewed_at=None,
        ended_at=None,
        replies=0,
        escalations=0,
        escalated_to="",
    )
