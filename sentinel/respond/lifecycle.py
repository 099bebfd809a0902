"""The life of a finding: opened, seen again, exempted, proven gone, come back (ground rules 7 to 9)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sentinel.model.finding import Finding, FindingKey, FindingSource, FindingState
from sentinel.model.rule import Category, Detection, FieldValue

REOPEN_WITHIN = timedelta(days=90)
"""A finding that comes back within this span keeps its first day. Source: ground rule 9 of the architecture."""

_MAX_DETAIL = 400


@dataclass(frozen=True, slots=True)
class Step:
    """A finding's next state, with the event that led there.

    Attributes:
        finding: as it is now.
        before: the state it had; empty for a new one.
        reason: why, for the event log; empty when nothing but its evidence moved.
    """

    finding: Finding
    before: str
    reason: str


def build_key(detection: Detection) -> FindingKey:
    """Give the key of the finding a detection belongs to."""
    subject = detection.subject
    return FindingKey(subject.unit, detection.rule.name, subject.network, subject.text)


def take_detection(known: Finding | None, detection: Detection, now: datetime) -> Step:
    """Open a finding, or carry a known one on.

    A known one keeps its number. Proven gone and back within 90 days it is reopened and keeps its first day, later it
    starts anew. An exemption holds until its end.
    """
    seen_at = min(detection.subject.seen_at or now, now)
    fresh = _build(detection, seen_at, now)
    if known is None:
        return Step(fresh, "", "first seen")
    carried = replace(
        fresh,
        id=known.id,
        number=known.number,
        state=known.state,
        first_seen=known.first_seen,
        last_seen=max(known.last_seen, seen_at),
        due=known.due,
        reopened=known.reopened,
        closed_at=known.closed_at,
        why=known.why,
        by=known.by,
        until=known.until,
    )
    if known.state in {FindingState.ACCEPTED, FindingState.FALSE_POSITIVE}:
        if known.until is not None and known.until < now:
            return Step(_reopen(carried, fresh, first_seen=known.first_seen), known.state, "exemption ended")
        return Step(carried, known.state, "")
    if known.state in {FindingState.VERIFIED, FindingState.CLOSED}:
        recent = known.closed_at is not None and seen_at - known.closed_at <= REOPEN_WITHIN
        first = known.first_seen if recent else seen_at
        return Step(_reopen(carried, fresh, first_seen=first), known.state, "came back")
    return Step(carried, known.state, "")


def take_report(known: Finding | None, reported: Finding, now: datetime) -> Step:
    """Open a finding somebody else reported, or carry a known one on, in whatever order the reports arrive.

    Its words are those of the report that saw it last. A report never closes what it does not mention, and one that is
    older than a closing does not reopen it; a newer one does.
    """
    if known is None:
        return Step(reported, "", "first reported")
    newer = (reported.last_seen, reported.evidence) >= (known.last_seen, known.evidence)
    words = reported if newer else known
    carried = replace(
        known,
        severity=words.severity,
        last_seen=max(known.last_seen, reported.last_seen),
        first_seen=min(known.first_seen, reported.first_seen),
        evidence=words.evidence,
        title_zh=words.title_zh,
        title_en=words.title_en,
        remediation_zh=words.remediation_zh,
        remediation_en=words.remediation_en,
        detail=words.detail,
        reference=words.reference,
    )
    if known.state in {FindingState.ACCEPTED, FindingState.FALSE_POSITIVE}:
        return end_exemption(carried, now) or Step(carried, known.state, "")
    if known.state in {FindingState.VERIFIED, FindingState.CLOSED}:
        if known.closed_at is None or reported.last_seen <= known.closed_at:
            return Step(carried, known.state, "")
        recent = reported.last_seen - known.closed_at <= REOPEN_WITHIN
        first = carried.first_seen if recent else reported.first_seen
        return Step(_reopen(carried, reported, first_seen=first), known.state, "reported again")
    return Step(carried, known.state, "")


def end_exemption(known: Finding, now: datetime) -> Step | None:
    """Open a finding again whose exemption is over; None while it is not."""
    if known.until is None or known.until >= now:
        return None
    return Step(_reopen(known, known, first_seen=known.first_seen), known.state, "exemption ended")


def prove_gone(known: Finding, now: datetime) -> Step:
    """Mark a live finding as re-tested and passed; what it was about is gone or no longer so."""
    return Step(replace(known, state=FindingState.VERIFIED, closed_at=now), known.state, "proven gone by a later look")


def exempt(known: Finding, state: FindingState, *, why: str, by: str, until: datetime) -> Step:
    """Mark a finding as accepted risk or false positive until a moment; it stays visible.

    Raises:
        ValueError: the state is no exemption, or the reason is empty.
    """
    if state not in {FindingState.ACCEPTED, FindingState.FALSE_POSITIVE}:
        raise ValueError(f"{state} is no exemption")
    if not why.strip():
        raise ValueError("an exemption needs a reason")
    return Step(replace(known, state=state, why=why.strip(), by=by, until=until), known.state, why.strip())


def order_rectification(known: Finding, number: str, due: datetime) -> Step:
    """Put a live finding in rectification by an order; one that waits for a re-test goes on waiting.

    The order's deadline counts only where the finding had none.

    Raises:
        ValueError: the finding asks nobody to do anything.
    """
    if not known.state.is_live:
        raise ValueError(f"{known.number} is {known.state}: there is nothing to rectify")
    state = FindingState.RECTIFYING if known.state is FindingState.OPEN else known.state
    return Step(replace(known, state=state, due=known.due or due), known.state, f"ordered by {number}")


def _reopen(carried: Finding, fresh: Finding, *, first_seen: datetime) -> Finding:
    return replace(
        carried,
        state=FindingState.OPEN,
        first_seen=first_seen,
        due=fresh.due,
        reopened=carried.reopened + 1,
        closed_at=None,
        why="",
        by="",
        until=None,
    )


def _build(detection: Detection, seen_at: datetime, now: datetime) -> Finding:
    """Build a fresh finding; its deadline counts from now, when it became known, not from when old evidence saw it."""
    rule = detection.rule
    return Finding(
        id=0,
        number="",
        key=build_key(detection),
        source=FindingSource.TRAFFIC if rule.category is Category.FLOW else FindingSource.OWN_SCAN,
        severity=rule.severity,
        state=FindingState.OPEN,
        first_seen=seen_at,
        last_seen=seen_at,
        due=now + timedelta(days=rule.due_days) if rule.due_days is not None else None,
        clauses=rule.clauses,
        evidence=detection.subject.evidence,
        title_zh=rule.zh.title,
        title_en=rule.en.title,
        remediation_zh=rule.zh.remediation,
        remediation_en=rule.en.remediation,
        detail=build_detail(detection.matched),
    )


def build_detail(matched: tuple[tuple[str, FieldValue], ...]) -> str:
    """Write the facts a rule fired on as `port=6379 product=Redis`, control characters removed, cut at 400."""
    pieces = []
    for name, value in matched:
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        clean = "".join(letter if letter.isprintable() else " " for letter in text)
        pieces.append(f"{name}={clean}")
    return " ".join(pieces)[:_MAX_DETAIL]
