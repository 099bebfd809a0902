"""What is done to an assignment in; it, and the findings a rectification is about, moved on together out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sentinel.errors import UsageError
from sentinel.model.assignment import (
    Act,
    Assignment,
    AssignmentEvent,
    AssignmentFile,
    AssignmentKind,
    AssignmentState,
)
from sentinel.model.finding import Finding
from sentinel.model.unit import Unit
from sentinel.respond.assignment import apply_event
from sentinel.respond.lifecycle import Step, drop_order, reject_fix, report_fixed
from sentinel.schedule.attachment import keep_attachments, read_attachments
from sentinel.schedule.context import Context
from sentinel.schedule.persons import hide_persons
from sentinel.store.assignments import (
    find_assignment,
    read_assignments,
    reread_assignment,
    write_assignment,
    write_step,
)
from sentinel.store.database import Transaction
from sentinel.store.findings import find_finding, write_findings
from sentinel.store.units import find_unit

LONGEST_REFERENCE = 40
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Doing:
    """What somebody does to an assignment.

    Attributes:
        act: what.
        words: what is said with it.
        to: whom an escalation goes to.
        files: what comes with it.
        fixed: with a reply: everything a rectification is about is mended and waits for its re-test.
    """

    act: Act
    words: str = ""
    to: str = ""
    files: tuple[Path, ...] = ()
    fixed: bool = False


def issue_assignment(context: Context, unit: Unit, draft: Assignment) -> Assignment:
    """Issue an assignment of a kind that has no command of its own.

    Raises:
        UsageError: it is a rectification, its words are too long, or its deadline has passed.
    """
    if draft.kind is AssignmentKind.RECTIFICATION:
        raise UsageError("--kind: rectifications are issued with `sentinel order issue`")
    now = context.clock()
    if draft.due is not None and draft.due <= now:
        raise UsageError("--due: lies in the past")
    issuer, assignee, title = (_clean(one, 200, "text") for one in (draft.issuer, draft.assignee, draft.title))
    if not (issuer and assignee and title):
        raise UsageError("--issuer, --to, --title: a few words are needed")
    with context.database.transaction(context.actor, now) as transaction:
        stored = write_assignment(
            transaction, replace(draft, unit=unit.code, issuer=issuer, assignee=assignee, title=title)
        )
        after = {"kind": stored.kind, "assignee": stored.assignee}
        transaction.audit("assignment.issue", f"assignment {stored.number}", after=after)
    return stored


def require_assignment(context: Context, reference: str) -> Assignment:
    """Give an assignment by its number or row id.

    Raises:
        UsageError: there is no such assignment.
    """
    found = find_assignment(context.database, reference) if len(reference) <= LONGEST_REFERENCE else None
    if found is None:
        raise UsageError(f"no such assignment: {reference[:40]!r}; `sentinel assignment list` shows them")
    return found


def do_assignment(context: Context, known: Assignment, doing: Doing) -> Assignment:
    """Do something to an assignment; a reply to one nobody confirmed the receipt of confirms it too.

    Raises:
        UsageError: it cannot be done now, says nothing where words are needed, or a rectification would be closed
            while findings of it are live.
        ParseError: a file cannot be read.
    """
    unit = find_unit(context.database, known.unit)
    if unit is None:
        raise UsageError(f"{known.number}: its unit {known.unit!r} is not here")
    if doing.fixed and known.kind is not AssignmentKind.RECTIFICATION:
        raise UsageError(f"{known.number} is no rectification: nothing in it can be fixed")
    words, to = _clean(doing.words, _LONGEST, "text"), _clean(doing.to, 100, "--to")
    files = read_attachments(context, unit, doing.files)
    with context.database.transaction(context.actor, context.clock()) as transaction:
        known = reread_assignment(transaction, known)
        keep_attachments(context, transaction, files)
        if doing.act is Act.REPLY and known.state is AssignmentState.ISSUED:
            known = _step(transaction, known, _event(transaction, known, Act.RECEIVE))
        kept = tuple(AssignmentFile(one.sha256, one.name) for one in files)
        event = replace(_event(transaction, known, doing.act), reason=words, to=to, files=kept)
        moved = _step(transaction, known, event)
        _move_findings(transaction, moved, doing)
    return moved


def read_items(context: Context, one: Assignment) -> tuple[Finding, ...]:
    """Give the findings an assignment is about as they stand now, in its order."""
    found = (find_finding(context.database, item.reference) for item in one.items if item.kind == "finding")
    return tuple(finding for finding in found if finding is not None)


def _event(transaction: Transaction, known: Assignment, act: Act) -> AssignmentEvent:
    return AssignmentEvent(act, transaction.now, transaction.actor, exercise=known.exercise)


def _step(transaction: Transaction, known: Assignment, event: AssignmentEvent) -> Assignment:
    try:
        moved = apply_event(known, event)
    except ValueError as error:
        raise UsageError(str(error)) from error
    write_step(transaction, moved, event)
    return moved


def _move_findings(transaction: Transaction, moved: Assignment, doing: Doing) -> None:
    if moved.kind is not AssignmentKind.RECTIFICATION:
        return
    found = [find_finding(transaction.database, one.reference) for one in moved.items if one.kind == "finding"]
    findings = [one for one in found if one is not None]
    if doing.act is Act.CLOSE and (live := [one for one in findings if one.state.is_live]):
        raise UsageError(f"{moved.number}: {len(live)} findings of it are live; re-test them first ({live[0].number})")
    steps = list(_find_steps(transaction, moved, doing, findings))
    write_findings(transaction, [(step.finding, step.before, step.reason) for step in steps])


def _find_steps(
    transaction: Transaction, moved: Assignment, doing: Doing, findings: Sequence[Finding]
) -> Iterator[Step]:
    move: Callable[[Finding, str], Step | None] | None = None
    if doing.act is Act.REPLY and doing.fixed:
        findings = [one for one in findings if one.state.is_live]
        move = report_fixed
    elif doing.act is Act.RETURN:
        move = reject_fix
    elif doing.act is Act.WITHDRAW:
        ordered = _ordered_elsewhere(transaction, moved)
        findings = [one for one in findings if one.id not in ordered]
        move = drop_order
    for finding in findings if move else ():
        step = move(finding, f"{doing.act} of {moved.number}") if move else None
        if step is not None:
            yield step


def _ordered_elsewhere(transaction: Transaction, moved: Assignment) -> frozenset[int]:
    others = read_assignments(transaction.database, [moved.unit], AssignmentKind.RECTIFICATION)
    return frozenset(
        int(item.reference)
        for one in others
        if one.id != moved.id and not one.state.is_over
        for item in one.items
        if item.kind == "finding"
    )


def _clean(text: str, most: int, name: str) -> str:
    clean = hide_persons(" ".join(text.split()))
    if len(clean) > most or not clean.isprintable():
        raise UsageError(f"{name}: at most {most} printable characters")
    return clean
