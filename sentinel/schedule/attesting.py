"""Questions of a unit's objects in; answers given, reviewed and listed out, each step kept for good."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sentinel.assess.attesting import weigh_answer
from sentinel.errors import UsageError
from sentinel.inventory.grading import UNIT, list_objects
from sentinel.model.attestation import Answer, Attestation, AttestationFile, AttestationState
from sentinel.model.control import Catalogue, GradingObject, Question, Verdict
from sentinel.model.moment import local_date
from sentinel.model.system import fold_system
from sentinel.model.unit import Unit
from sentinel.schedule.attachment import Attachment, keep_attachments, read_attachments
from sentinel.schedule.context import Context
from sentinel.schedule.judging import read_pack
from sentinel.schedule.persons import hide_persons
from sentinel.schedule.verdicts import plan_judging
from sentinel.store.attestations import find_attestation, read_attestations, write_answer, write_review
from sentinel.store.database import Transaction
from sentinel.store.systems import read_systems

LONGEST_WORDS = 1000
LONGEST_POST = 60
OLDEST_DAYS = 365
"""An answer may be dated back at most so far."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question put to an object, and how its answer stands.

    Attributes:
        thing: the object.
        question: the question.
        clauses: clauses it answers, as `catalogue clause`.
        told: the newest answer; None: nobody answered.
        counts: the answer settles its clauses now.
        why: what the answer is worth, in Chinese.
    """

    thing: GradingObject
    question: Question
    clauses: tuple[str, ...]
    told: Attestation | None
    counts: bool
    why: str


@dataclass(frozen=True, slots=True)
class AnswerDraft:
    """What somebody answers.

    Attributes:
        question: id of the question.
        answer: the answer.
        words: what is said with it.
        by: department or post that answers.
        until: how long it holds; None: as long as the question allows.
        at: when it was answered; None: now.
        files: papers.
    """

    question: str
    answer: Answer
    words: str
    by: str
    until: datetime | None = None
    at: datetime | None = None
    files: tuple[Path, ...] = ()


def list_things(context: Context, unit: Unit, *, cii: bool = False) -> tuple[GradingObject, ...]:
    """Give the objects of a unit, the unit as one object last; critical infrastructure only when asked for."""
    systems = list_objects(unit.code, read_systems(context.database, unit.code))
    return (*(one for one in systems if cii or not one.cii), GradingObject(unit.code))


def choose_thing(context: Context, unit: Unit, name: str) -> GradingObject:
    """Give a grading object by its system's name; the unit for an empty one.

    Raises:
        UsageError: no system of that name is a grading object.
    """
    things = list_things(context, unit, cii=True)
    if not name.strip():
        return things[-1]
    found = next((one for one in things if one.system and fold_system(one.system) == fold_system(name)), None)
    if found is None:
        raise UsageError(
            f"no grading object {name[:40]!r}: `sentinel register systems` shows the systems; one needs a level"
        )
    return found


def list_asked(context: Context, unit: Unit, things: Sequence[GradingObject]) -> tuple[Asked, ...]:
    """Give what is asked of objects, each in the order of the catalogues that judge it.

    A system is asked what is its own to answer, and what it answered apart from its unit; the unit is asked everything.
    """
    catalogues = sorted(read_pack(context).catalogues, key=lambda one: one.level == 0)
    told = {(one.system, one.question): one for one in read_attestations(context.database, unit.code)}
    now = context.clock()
    rows = []
    for thing in things:
        for question, clauses in _questions_of(context, unit, catalogues, thing):
            answer = told.get((thing.id, question.id))
            if thing.id == UNIT or question.scope == "system" or answer is not None:
                worth = weigh_answer(question.id, question, answer, now)
                counts = worth.verdict is not Verdict.UNKNOWN
                rows.append(Asked(thing, question, clauses, answer, counts, worth.zh))
    return tuple(rows)


def _questions_of(
    context: Context, unit: Unit, catalogues: Sequence[Catalogue], thing: GradingObject
) -> list[tuple[Question, tuple[str, ...]]]:
    objects = list_things(context, unit, cii=True)
    named: defaultdict[str, list[str]] = defaultdict(list)
    asked: dict[str, Question] = {}
    for catalogue, judged in plan_judging(catalogues, catalogues, objects, named=False):
        if judged.id != thing.id:
            continue
        asked |= {one.id: one for one in catalogue.questions}
        for clause in catalogue.clauses:
            level = thing.level or catalogue.assumed_level or catalogue.level
            if clause.attested_by and clause.min_level <= level:
                named[clause.attested_by].append(f"{catalogue.id} {clause.id}")
    return [(asked[name], tuple(clauses)) for name, clauses in named.items() if name in asked]


def find_question(context: Context, name: str) -> Question:
    """Give a question of the rule pack.

    Raises:
        UsageError: there is no such question.
    """
    for catalogue in read_pack(context).catalogues:
        for question in catalogue.questions:
            if question.id == name:
                return question
    raise UsageError(f"no such question: {name[:40]!r}; `sentinel attest list` shows them")


def answer_question(context: Context, unit: Unit, thing: GradingObject, draft: AnswerDraft) -> Attestation:
    """Keep an answer with its papers; it counts once somebody else accepted it.

    Raises:
        UsageError: the question does not take the answer, a reason or a department is missing, or a time is wrong.
        ParseError: a paper cannot be read, or tells an address that must stay out.
    """
    question = find_question(context, draft.question)
    try:
        told = build_answer(unit, thing, question, draft, context.clock())
    except ValueError as error:
        raise UsageError(f"{question.id}: {error}") from error
    files = read_attachments(context, unit, draft.files)
    with context.database.transaction(context.actor, context.clock()) as transaction:
        return keep_answer(context, transaction, thing, told, files)


def build_answer(
    unit: Unit, thing: GradingObject, question: Question, draft: AnswerDraft, now: datetime
) -> Attestation:
    """Make an answer of what somebody says, without its papers.

    Raises:
        ValueError: the question does not take the answer, a reason or a department is missing, or a time is wrong.
    """
    if draft.answer.value not in question.answers:
        raise ValueError(f"takes one of these answers: {', '.join(question.answers)}")
    words, by = _clean(draft.words, LONGEST_WORDS), _clean(draft.by, LONGEST_POST)
    if draft.answer is Answer.NA and not words:
        raise ValueError("say why it does not apply")
    if not by:
        raise ValueError("say which department or post answers")
    at = draft.at or now
    if at > now or now - at > timedelta(days=OLDEST_DAYS):
        raise ValueError(f"the answer is dated in the future or more than {OLDEST_DAYS} days back")
    longest = at + timedelta(days=question.valid_days)
    until = draft.until or longest
    if until <= now:
        raise ValueError("the answer has run out already")
    if until > longest + timedelta(days=1):
        raise ValueError(f"an answer to it holds at most {question.valid_days} days, to {local_date(longest)}")
    return Attestation(0, unit.code, thing.id, question.id, draft.answer, words, by, "", at, min(until, longest))


def keep_answer(
    context: Context, transaction: Transaction, thing: GradingObject, told: Attestation, files: Sequence[Attachment]
) -> Attestation:
    """Write an answer and its papers in a transaction, with its audit row."""
    keep_attachments(context, transaction, files)
    papers = tuple({one.sha256: AttestationFile(one.sha256, one.name) for one in files}.values())
    stored = write_answer(transaction, replace(told, files=papers))
    after = {
        "unit": told.unit,
        "system": thing.id,
        "question": told.question,
        "answer": told.answer,
        "until": told.valid_until,
        "papers": [one.sha256 for one in papers],
    }
    transaction.audit("attest.answer", f"attestation {stored.id}", after=after)
    return stored


@dataclass(frozen=True, slots=True)
class ReviewDraft:
    """What a reviewer says: accepted or not, which department or post, words, and that it is the same person."""

    accept: bool
    by: str
    words: str = ""
    same_person: bool = False


def review_answer(context: Context, unit: Unit, number: int, draft: ReviewDraft) -> Attestation:
    """Accept or return the newest answer to a question.

    Raises:
        UsageError: there is no such answer, a newer one took its place, it was reviewed before, a return says nothing,
            or the reviewer is who answered and does not say so.
    """
    told = find_attestation(context.database, unit.code, number)
    if told is None:
        raise UsageError(f"no such answer: {number}; `sentinel attest list` shows their numbers")
    newest = {(one.system, one.question): one.id for one in read_attestations(context.database, unit.code)}
    if newest[told.system, told.question] != told.id:
        raise UsageError(f"answer {number} was replaced by {newest[told.system, told.question]}; review that one")
    if told.state is not AttestationState.PENDING:
        raise UsageError(f"answer {number} is {told.state.value} already; answer anew to have it reviewed again")
    by, words = _clean_option(draft.by, LONGEST_POST, "--by"), _clean_option(draft.words, LONGEST_WORDS, "--text")
    if not by:
        raise UsageError("--by: say which department or post reviews")
    if not draft.accept and not words:
        raise UsageError("--text: say why it is returned")
    is_same = told.actor == context.actor or told.by == by
    if is_same and not draft.same_person:
        raise UsageError(
            f"answer {number} was given by the same account or post; let another review it, or, where one person does "
            "everything, say --same-person (it is recorded)"
        )
    state = AttestationState.ACCEPTED if draft.accept else AttestationState.RETURNED
    now = context.clock()
    reviewed = replace(
        told,
        state=state,
        reviewer=context.actor,
        reviewer_by=by,
        reviewed_at=now,
        review_words=words,
        same_person=is_same,
    )
    with context.database.transaction(context.actor, now) as transaction:
        write_review(transaction, told, reviewed)
        after = {"state": state, "question": told.question, "system": told.system, "same_person": is_same}
        transaction.audit("attest.review", f"attestation {told.id}", after=after)
    return reviewed


def _clean(text: str, most: int) -> str:
    clean = hide_persons(" ".join(text.split()))
    if len(clean) > most or not clean.isprintable():
        raise ValueError(f"at most {most} printable characters")
    return clean


def _clean_option(text: str, most: int, option: str) -> str:
    try:
        return _clean(text, most)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error
