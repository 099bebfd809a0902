"""A finding somebody tells of, by hand or by a notice from outside, in; the finding stored or carried on out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from pathlib import Path

from sentinel.errors import UsageError
from sentinel.model.finding import Disclosure, Finding, FindingKey, FindingSource, FindingState, SubjectKind
from sentinel.model.notice import Notice
from sentinel.model.register import Person
from sentinel.model.rule import Severity
from sentinel.model.unit import Unit, choose_network
from sentinel.respond.lifecycle import take_notice
from sentinel.respond.subject import ToldSubject, build_check, read_subject
from sentinel.schedule.admission import admit
from sentinel.schedule.attachment import Attachment, keep_attachments, read_attachments
from sentinel.schedule.context import Context
from sentinel.schedule.keep_out import load_kept_out, refuse_count
from sentinel.schedule.persons import hide_persons
from sentinel.store.closings import write_finding_evidence, write_finding_person
from sentinel.store.database import Transaction
from sentinel.store.findings import read_by_subjects, write_findings
from sentinel.store.notices import find_notice, link_finding, write_notice
from sentinel.store.units import find_unit, read_networks

OUTSIDE = frozenset({FindingSource.NOTICE, FindingSource.UPPER_SCAN})
"""Sources whose findings are closed in the end by who told of them."""

NOBODY = Person()

TOLD = "told."
"""Begins the rule name of a finding a person entered; then comes what was found, so that telling again meets it."""

_LONGEST = {"title": 200, "detail": 400, "remedy": 1000, "reference": 200, "responsible": 100, "issuer": 100}


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told of a finding.

    Attributes:
        subject: URL, domain, address, address and port, system or unit, as written.
        title: what is wrong.
        severity: how bad.
        kind: what the subject is; None: whichever it looks like.
        check: short name of the weakness, e.g. a CVE number; empty: made from the title.
        source: how it came to be known; None: by a notice when one is named, else by hand.
        notice: number of the notice that tells of it.
        issuer: who issued the notice, or has to close the finding in the end.
        reference: what the other side calls it.
        occurred: when it happened.
        discovered: when they found it; None: now.
        reported: when it was reported upward.
        due: until when it must be mended; None: the notice's deadline, if it has one.
        responsible: unit or department that answers for it.
        person: who answers for it; sealed.
        disclosure: who may read it.
        remedy: what to do.
        detail: the facts.
        file: what shows it.
        exercise: id of the drill; empty for a real one.
    """

    subject: str
    title: str
    severity: Severity
    kind: SubjectKind | None = None
    check: str = ""
    source: FindingSource | None = None
    notice: str = ""
    issuer: str = ""
    reference: str = ""
    occurred: datetime | None = None
    discovered: datetime | None = None
    reported: datetime | None = None
    due: datetime | None = None
    responsible: str = ""
    person: Person = NOBODY
    disclosure: Disclosure = Disclosure.INTERNAL
    remedy: str = ""
    detail: str = ""
    file: Path | None = None
    exercise: str = ""


def add_finding(context: Context, unit: Unit, told: Telling) -> tuple[Finding, str]:
    """Store a finding somebody tells of, linked to its notice; gives it with the state it had before, empty when new.

    A notice not known yet is entered with it, when its issuer is named. Numbers of persons in the words are masked.

    Raises:
        UsageError: the subject cannot be read, or it is told from outside and nobody is named to close it.
        ParseError: its address must stay out, or the file cannot be read.
    """
    told = _clean(told)
    now = context.clock()
    subject = _read_subject(context, unit, told)
    notice = find_notice(context.database, unit.code, told.notice, told.issuer) if told.notice else None
    if told.notice and notice is None and not told.issuer:
        raise UsageError(f"notice {told.notice} is not known: name who issued it with --issuer, or `notice add` it")
    if notice is not None and notice.exercise != told.exercise:
        raise UsageError(f"notice {notice.number} and the finding are not of the same drill; check --exercise")
    files = read_attachments(context, unit, [told.file] if told.file else [])
    _build(context, unit, told, subject, notice, files, now)  # refuse what can be refused before a key is made
    seal = None if told.person.is_nobody else context.make_seal()
    with context.database.transaction(context.actor, now) as transaction:
        keep_attachments(context, transaction, files)
        if told.notice and notice is None:
            notice = find_notice(context.database, unit.code, told.notice, told.issuer)  # somebody may have been faster
        if told.notice and notice is None:
            drafted = Notice(0, unit.code, told.notice, told.issuer, told.title, received_at=now, due=told.due)
            notice = write_notice(transaction, replace(drafted, exercise=told.exercise, disclosure=told.disclosure))
        admit(context, unit, [subject.address] if subject.address is not None else [], "subject")
        finding = _build(context, unit, told, subject, notice, files, now)
        known = read_by_subjects(context.database, unit.code, [(finding.key.network, finding.key.subject)])
        step = take_notice(known.get(finding.key), finding, now)
        (stored,) = write_findings(transaction, [(step.finding, step.before, step.reason)])
        if notice is not None:
            link_finding(transaction, notice, stored)
        for file in files:
            write_finding_evidence(transaction, stored.id, file.sha256)
        if seal is not None:
            write_finding_person(transaction, stored, told.person, seal)
        _audit(transaction, stored, notice, step.before)
    return stored, step.before


def _audit(transaction: Transaction, stored: Finding, notice: Notice | None, before: str) -> None:
    after = {
        "source": stored.source.value,
        "severity": stored.severity.value,
        "state": stored.state.value,
        "notice": notice.number if notice else "",
        "issuer": stored.issuer,
    }
    transaction.audit(
        "finding.add", f"finding {stored.number}", before={"state": before} if before else None, after=after
    )


def _clean(told: Telling) -> Telling:
    words = {name: hide_persons(" ".join(getattr(told, name).split())) for name in _LONGEST}
    for name, most in _LONGEST.items():
        if len(words[name]) > most or not words[name].isprintable():
            raise UsageError(f"{name}: at most {most} printable characters")
    if not words["title"]:
        raise UsageError("--title: what is wrong? a few words are needed")
    return replace(
        told,
        subject=hide_persons(told.subject),
        notice=told.notice.strip(),
        title=words["title"],
        detail=words["detail"],
        remedy=words["remedy"],
        reference=words["reference"],
        responsible=words["responsible"],
        issuer=words["issuer"],
    )


def _read_subject(context: Context, unit: Unit, told: Telling) -> ToldSubject:
    try:
        subject = read_subject(told.subject, told.kind)
    except ValueError as error:
        raise UsageError(f"subject: {error}") from error
    if subject.kind is SubjectKind.UNIT:
        named = find_unit(context.database, subject.text)
        if named is None:
            raise UsageError(f"subject: no such unit: {subject.text!r}; `sentinel unit list` shows them")
        subject = replace(subject, text=named.code)
    admit(context, unit, [subject.address] if subject.address is not None else [], "subject")
    kept_out = load_kept_out(context, unit)
    words = " ".join((told.subject, told.title, told.detail, told.remedy, told.reference))
    refuse_count(kept_out.count_ranges(kept_out.find_in(BytesIO(words.encode("utf-8", "replace")))), "finding")
    return subject


def _rule(told: Telling) -> str:
    """Name what was found; what is told in a drill never meets what is real."""
    drill = f"@{told.exercise}" if told.exercise else ""
    return f"{TOLD}{build_check(told.check or told.title)}{drill}"


def _build(
    context: Context,
    unit: Unit,
    told: Telling,
    subject: ToldSubject,
    notice: Notice | None,
    files: tuple[Attachment, ...],
    now: datetime,
) -> Finding:
    source = told.source or (FindingSource.NOTICE if told.notice else FindingSource.HAND)
    issuer = notice.issuer if notice else told.issuer
    if source in OUTSIDE and not issuer:
        raise UsageError("--issuer: who told of it, and has to close it in the end (销号)?")
    network = 0
    if subject.has_network and subject.address is not None:
        network = choose_network(read_networks(context.database, unit.code), subject.address)[0].id
    seen = min(told.discovered or now, now)
    due = told.due or (notice.due if notice else None)
    number = notice.number if notice else told.notice
    return Finding(
        id=0,
        number="",
        key=FindingKey(unit.code, _rule(told), network, subject.text),
        source=source,
        severity=told.severity,
        state=FindingState.OPEN,
        first_seen=seen,
        last_seen=seen,
        due=due,
        evidence=files[0].sha256 if files else "",
        title_zh=told.title,
        title_en=told.title,
        remediation_zh=told.remedy,
        remediation_en=told.remedy,
        detail=told.detail,
        reference=told.reference or number,
        kind=subject.kind,
        occurred=told.occurred,
        discovered=seen,
        learned=now,
        reported=told.reported,
        due_why="" if due is None else f"notice {number}" if number else "hand",
        responsible=told.responsible,
        disclosure=told.disclosure,
        issuer=issuer if source in OUTSIDE or told.notice else "",
        exercise=told.exercise,
    )
