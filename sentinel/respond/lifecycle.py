"""The life of a finding: opened, seen again, exempted, proven gone, come back (ground rules 7 to 9)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sentinel.model.finding import Finding, FindingKey, FindingSource, FindingState, SubjectKind
from sentinel.model.rule import Category, Detection, FieldValue

REOPEN_WITHIN = timedelta(days=90)
"""A finding that comes back within this span keeps its first day. Source: ground rule 9 of the architecture."""

_MAX_DETAIL = 400

_KINDS = {
    Category.SERVICE: SubjectKind.ENDPOINT,
    Category.CERTIFICATE: SubjectKind.ENDPOINT,
    Category.HOST: SubjectKind.HOST,
    Category.FLOW: SubjectKind.HOST,
    Category.LOG: SubjectKind.HOST,
    Category.TLS: SubjectKind.ENDPOINT,
    Category.WEB: SubjectKind.ENDPOINT,
    Category.DNS: SubjectKind.DOMAIN,
    Category.DOMAIN: SubjectKind.DOMAIN,
    Category.UNIT: SubjectKind.UNIT,
    Category.SYSTEM: SubjectKind.SYSTEM,
    Category.ENTRY: SubjectKind.ENTRY,
}


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
    seen_at, last_at = _times(detection, now)
    fresh = _build(detection, seen_at, last_at, now)
    if known is None:
        return Step(fresh, "", "first seen")
    carried = replace(
        known,
        source=fresh.source,
        severity=fresh.severity,
        last_seen=max(known.last_seen, last_at),
        clauses=fresh.clauses,
        evidence=fresh.evidence,
        title_zh=fresh.title_zh,
        title_en=fresh.title_en,
        remediation_zh=fresh.remediation_zh,
        remediation_en=fresh.remediation_en,
        detail=fresh.detail,
    )
    if known.state in {FindingState.ACCEPTED, FindingState.FALSE_POSITIVE}:
        if known.until is not None and known.until < now:
            return Step(_reopen(carried, fresh, first_seen=known.first_seen), known.state, "exemption ended")
        return Step(carried, known.state, "")
    if known.state.is_gone:
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
    if known.state.is_gone:
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
    """Mark a live finding as re-tested and passed; what it was about is gone or no longer so.

    Where somebody else issued it, it waits for them to close it.
    """
    return Step(replace(known, state=_gone_state(known), closed_at=now), known.state, "proven gone by a later look")


def take_notice(known: Finding | None, told: Finding, now: datetime) -> Step:
    """Open a finding a person entered, by hand or from a notice, or carry a known one on, as `take_report` does.

    The nearer deadline counts; an issuer, a responsible unit and the times that were not known are filled in, and what
    is not told now stays as it was told before.
    """
    step = take_report(known, told, now)
    if known is None:
        return replace(step, reason="told")
    found = step.finding
    nearer = told.due is not None and (found.due is None or told.due < found.due)
    joined = replace(
        found,
        reference=found.reference or known.reference,
        evidence=found.evidence or known.evidence,
        detail=found.detail or known.detail,
        remediation_zh=found.remediation_zh or known.remediation_zh,
        remediation_en=found.remediation_en or known.remediation_en,
        due=told.due if nearer else found.due,
        due_why=told.due_why if nearer else found.due_why,
        issuer=found.issuer or told.issuer,
        responsible=told.responsible or found.responsible,
        occurred=found.occurred or told.occurred,
        reported=found.reported or told.reported,
    )
    if joined.state is FindingState.VERIFIED:
        joined = replace(joined, state=_gone_state(joined))
    return Step(joined, step.before, step.reason or "told again")


def pass_retest(known: Finding, now: datetime) -> Step:
    """Mark a live finding as re-tested and passed by the unit (复测通过).

    Raises:
        ValueError: there is nothing to re-test.
    """
    _check_live(known, "re-test")
    return replace(prove_gone(known, now), reason="re-test passed")


def fail_retest(known: Finding) -> Step:
    """Note that a live finding was re-tested and is still there; what waited for the re-test is to be mended again.

    Raises:
        ValueError: there is nothing to re-test.
    """
    _check_live(known, "re-test")
    state = FindingState.RECTIFYING if known.state is FindingState.FIXED else known.state
    return Step(replace(known, state=state), known.state, "re-test failed")


def report_fixed(known: Finding, reason: str) -> Step:
    """Let a live finding wait for its re-test: who had to mend it says it is done (待复测).

    Raises:
        ValueError: there is nothing to mend.
    """
    _check_live(known, "mend")
    return Step(replace(known, state=FindingState.FIXED), known.state, reason)


def reject_fix(known: Finding, reason: str) -> Step | None:
    """Send a finding that waited for its re-test back to be mended; None where it did not wait."""
    if known.state is not FindingState.FIXED:
        return None
    return Step(replace(known, state=FindingState.RECTIFYING), known.state, reason)


def drop_order(known: Finding, reason: str) -> Step | None:
    """Open a finding again nobody is told to mend any more; None where it was not in rectification."""
    if known.state is not FindingState.RECTIFYING:
        return None
    return Step(replace(known, state=FindingState.OPEN), known.state, reason)


def settle(known: Finding, now: datetime, why: str = "") -> Step:
    """Close a finding as its issuer (销号).

    Raises:
        ValueError: it is closed, exempted, or was not re-tested and no reason is given for closing it all the same.
    """
    if known.state is FindingState.CLOSED:
        raise ValueError(f"{known.number} is closed by its issuer already")
    if not (known.state.is_gone or known.state.is_live):
        raise ValueError(f"{known.number} is {known.state}: an exempted finding has nothing to close")
    if known.state.is_live and not why.strip():
        raise ValueError(f"{known.number} has not passed a re-test; say why its issuer closes it all the same")
    closed_at = known.closed_at if known.state.is_gone else None
    found = replace(known, state=FindingState.CLOSED, closed_at=closed_at or now)
    return Step(found, known.state, f"closed by its issuer{f': {why.strip()}' if why.strip() else ''}")


def set_issuer(known: Finding, issuer: str, reason: str) -> Step | None:
    """Say who has to close a finding in the end, empty for nobody; None where it says so already.

    One that passed its re-test waits for the issuer, or no longer does.
    """
    if known.issuer == issuer:
        return None
    changed = replace(known, issuer=issuer)
    if known.state in {FindingState.VERIFIED, FindingState.AWAITING}:
        changed = replace(changed, state=_gone_state(changed))
    return Step(changed, known.state, reason)


def _check_live(known: Finding, what: str) -> None:
    if not known.state.is_live:
        raise ValueError(f"{known.number} is {known.state}: there is nothing to {what}")


def _gone_state(known: Finding) -> FindingState:
    return FindingState.AWAITING if known.issuer else FindingState.VERIFIED


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
    why = known.due_why if known.due else f"order {number}"
    return Step(replace(known, state=state, due=known.due or due, due_why=why), known.state, f"ordered by {number}")


def _reopen(carried: Finding, fresh: Finding, *, first_seen: datetime) -> Finding:
    anew = first_seen > carried.first_seen
    return replace(
        carried,
        state=FindingState.OPEN,
        first_seen=first_seen,
        occurred=fresh.occurred if anew else carried.occurred,
        discovered=fresh.discovered if anew else carried.discovered,
        learned=fresh.learned if anew else carried.learned,
        reported=fresh.reported if anew else carried.reported,
        due=fresh.due,
        due_why=fresh.due_why,
        reopened=carried.reopened + 1,
        closed_at=None,
        why="",
        by="",
        until=None,
    )


def _times(detection: Detection, now: datetime) -> tuple[datetime, datetime]:
    """Give since when what a rule fired on held, as far as is known, and when it was last known to.

    What is declared is so whenever it is judged; what a look showed was so when it looked.
    """
    looked = min(detection.subject.seen_at or now, now)
    told = dict(detection.subject.told)
    since = [told[name] for name, _ in detection.matched if name in told]
    if since and len(since) == len(detection.matched) and detection.rule.category is Category.ENTRY:
        return min(max(since), now), now
    first = min(max(looked, *since), now) if since else looked
    return first, first


def _build(detection: Detection, seen_at: datetime, last_at: datetime, now: datetime) -> Finding:
    """Build a fresh finding; its deadline counts from now, when it became known, not from when old evidence saw it."""
    rule = detection.rule
    return Finding(
        id=0,
        number="",
        key=build_key(detection),
        source=FindingSource.TRAFFIC if rule.category.is_event else FindingSource.OWN_SCAN,
        severity=rule.severity,
        state=FindingState.OPEN,
        first_seen=seen_at,
        last_seen=last_at,
        due=now + timedelta(days=rule.due_days) if rule.due_days is not None else None,
        clauses=rule.clauses,
        evidence=detection.subject.evidence,
        title_zh=rule.zh.title,
        title_en=rule.en.title,
        remediation_zh=rule.zh.remediation,
        remediation_en=rule.en.remediation,
        detail=build_detail(detection.matched),
        kind=_KINDS[rule.category],
        discovered=seen_at,
        learned=now,
        due_why=f"rule {rule.name} {rule.due_days}d" if rule.due_days is not None else "",
    )


def build_detail(matched: tuple[tuple[str, FieldValue], ...]) -> str:
    """Write the facts a rule fired on as `port=6379 product=Redis`, control characters removed, cut at 400."""
    pieces = []
    for name, value in matched:
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        clean = "".join(letter if letter.isprintable() else " " for letter in text)
        pieces.append(f"{name}={clean}")
    return " ".join(pieces)[:_MAX_DETAIL]
