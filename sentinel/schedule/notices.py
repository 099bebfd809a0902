"""Notices entered, linked to findings and unlinked; who has to close a finding in the end follows from its notices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sentinel.errors import UsageError
from sentinel.model.finding import Finding
from sentinel.model.notice import Direction, Notice
from sentinel.model.unit import Unit
from sentinel.respond.lifecycle import set_issuer
from sentinel.schedule.attachment import keep_attachments, read_attachments
from sentinel.schedule.context import Context
from sentinel.schedule.persons import hide_persons
from sentinel.schedule.telling import OUTSIDE
from sentinel.store.database import Transaction
from sentinel.store.findings import find_finding, reread_finding, write_findings
from sentinel.store.notices import find_notice, link_finding, read_notices_of, unlink_finding, write_notice

LONGEST_REFERENCE = 100
_LONGEST = 200


def add_notice(context: Context, unit: Unit, draft: Notice, file: Path | None = None) -> Notice:
    """Enter a notice, with its file as evidence.

    Raises:
        UsageError: it is here already, or its words are too long.
        ParseError: the file cannot be read.
    """
    words = [hide_persons(" ".join(one.split())) for one in (draft.number, draft.issuer, draft.title)]
    if not all(words) or any(len(one) > _LONGEST or not one.isprintable() for one in words):
        raise UsageError(f"number, --issuer, --title: 1 to {_LONGEST} printable characters each")
    files = read_attachments(context, unit, [file] if file else [])
    number, issuer, title = words
    with context.database.transaction(context.actor, context.clock()) as transaction:
        keep_attachments(context, transaction, files)
        evidence = files[0].sha256 if files else ""
        return write_notice(transaction, replace(draft, number=number, issuer=issuer, title=title, evidence=evidence))


def require_notice(context: Context, unit: Unit, reference: str) -> Notice:
    """Give a notice of a unit by its number or row id.

    Raises:
        UsageError: there is none, or several have the number.
    """
    notice = find_notice(context.database, unit.code, reference) if len(reference) <= LONGEST_REFERENCE else None
    if notice is None:
        raise UsageError(f"no such notice of {unit.name}: {reference[:40]!r}; `sentinel notice list` shows them")
    return notice


def link_notice(context: Context, unit: Unit, notice: Notice, references: Sequence[str]) -> tuple[Finding, ...]:
    """Link findings to a notice; gives those that were not linked before.

    One that came in makes its issuer the one who closes them in the end, where nobody was yet.

    Raises:
        UsageError: a finding is not there, of another unit, or of another drill; then none is linked.
    """
    findings = [_named(context, unit, reference) for reference in references]
    for one in findings:
        if one.exercise != notice.exercise:
            raise UsageError(f"{one.number} and notice {notice.number} are not of the same drill")
    return _change(context, notice, findings, link=True)


def unlink_notice(context: Context, unit: Unit, notice: Notice, references: Sequence[str]) -> tuple[Finding, ...]:
    """Take findings off a notice; gives those that were linked.

    Raises:
        UsageError: a finding is not there, or of another unit; then none is taken off.
    """
    return _change(context, notice, [_named(context, unit, one) for one in references], link=False)


def _change(context: Context, notice: Notice, findings: Sequence[Finding], *, link: bool) -> tuple[Finding, ...]:
    changed: list[Finding] = []
    with context.database.transaction(context.actor, context.clock()) as transaction:
        write = link_finding if link else unlink_finding
        now = [reread_finding(transaction, one) for one in {one.id: one for one in findings}.values()]
        moved = [one for one in now if write(transaction, notice, one)]
        changed += [_follow_issuer(transaction, one, notice) for one in moved]
        if changed:
            action = "notice.link" if link else "notice.unlink"
            after = {"findings": [one.number for one in changed]}
            transaction.audit(action, f"notice {notice.number} of unit {notice.unit}", after=after)
    return tuple(changed)


def _follow_issuer(transaction: Transaction, finding: Finding, notice: Notice) -> Finding:
    """Let the first notice that came in say who closes a finding; one told from outside keeps whoever told of it."""
    if finding.source in OUTSIDE:
        return finding
    came_in = (one for one in read_notices_of(transaction.database, finding.id) if one.direction is Direction.IN)
    issuer = next((one.issuer for one in came_in), "")
    step = set_issuer(finding, issuer, f"notice {notice.number}")
    if step is None:
        return finding
    (stored,) = write_findings(transaction, [(step.finding, step.before, step.reason)])
    return stored


def _named(context: Context, unit: Unit, reference: str) -> Finding:
    finding = find_finding(context.database, reference) if len(reference) <= 18 else None
    if finding is None or finding.key.unit != unit.code:
        raise UsageError(f"no such finding of {unit.name}: {reference[:40]!r}; `sentinel finding list` shows them")
    return finding
