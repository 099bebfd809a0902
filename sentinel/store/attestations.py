"""Attestations: answers and reviews in, only ever added; what stands now, and all that was ever said, out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from sentinel.model.attestation import Answer, Attestation, AttestationFile, AttestationState
from sentinel.model.moment import from_microseconds, to_microseconds
from sentinel.store.database import Database, Row, Transaction

ANSWER, ACCEPT, RETURN = "answer", "accept", "return"
_STATES = {ACCEPT: AttestationState.ACCEPTED, RETURN: AttestationState.RETURNED}
_EVENTS = (
    "SELECT e.id, e.act, e.at_us, e.actor, e.by, e.words, e.answer, e.until_us, e.reviews, e.same_person, "
    "a.unit, a.system, a.question FROM attestation_event e JOIN attestation a ON a.id=e.attestation WHERE a.unit=? "
)


def write_answer(transaction: Transaction, told: Attestation) -> Attestation:
    """Add an answer with its papers, which are kept already. The caller writes the audit row."""
    transaction.execute(
        "INSERT INTO attestation (unit, system, question) VALUES (?,?,?) "
        "ON CONFLICT (unit, system, question) DO NOTHING",
        (told.unit, told.system, told.question),
    )
    (subject,) = transaction.execute(
        "SELECT id FROM attestation WHERE unit=? AND system=? AND question=?", (told.unit, told.system, told.question)
    ).fetchone()
    (number,) = transaction.execute(
        "INSERT INTO attestation_event (attestation, act, at_us, actor, by, words, answer, until_us, same_person) "
        "VALUES (?,?,?,?,?,?,?,?,?) RETURNING id",
        (
            subject,
            ANSWER,
            to_microseconds(told.at),
            transaction.actor,
            told.by,
            told.words,
            told.answer.value,
            to_microseconds(told.valid_until),
            False,
        ),
    ).fetchone()
    for one in dict.fromkeys(told.files):
        transaction.execute(
            "INSERT INTO attestation_file (event, sha256, name) VALUES (?,?,?) ON CONFLICT (event, sha256) DO NOTHING",
            (number, one.sha256, one.name),
        )
    return replace(told, id=number, actor=transaction.actor)


def write_review(transaction: Transaction, told: Attestation, reviewed: Attestation) -> None:
    """Add the review an answer got, as `reviewed` tells it. The caller writes the audit row."""
    act = next(act for act, state in _STATES.items() if state is reviewed.state)
    (subject,) = transaction.execute("SELECT attestation FROM attestation_event WHERE id=?", (told.id,)).fetchone()
    transaction.execute(
        "INSERT INTO attestation_event (attestation, act, at_us, actor, by, words, answer, reviews, same_person) "
        "VALUES (?,?,?,?,?,?,?,?,?)",
        (
            subject,
            act,
            to_microseconds(transaction.now),
            transaction.actor,
            reviewed.reviewer_by,
            reviewed.review_words,
            "",
            told.id,
            reviewed.same_person,
        ),
    )


def read_attestations(database: Database, unit: str) -> tuple[Attestation, ...]:
    """Give the newest answer to each question of each object of a unit, by object and question."""
    newest: dict[tuple[int, str], Attestation] = {}
    for one in read_history(database, unit):
        newest[one.system, one.question] = one
    return tuple(newest[key] for key in sorted(newest))


def read_history(database: Database, unit: str) -> tuple[Attestation, ...]:
    """Give every answer ever given for a unit, oldest first, each with its last review."""
    answers: dict[int, Attestation] = {}
    files = _read_files(database, unit)
    for row in database.query(_EVENTS + "ORDER BY e.id", (unit,)):
        if row[1] == ANSWER:
            answers[row[0]] = _answer(row, files[row[0]])
        elif row[8] in answers:
            answers[row[8]] = _reviewed(answers[row[8]], row)
    return tuple(answers.values())


def find_attestation(database: Database, unit: str, number: int) -> Attestation | None:
    """Give an answer of a unit by its row id; None when there is none."""
    return next((one for one in read_history(database, unit) if one.id == number), None)


def _read_files(database: Database, unit: str) -> defaultdict[int, list[AttestationFile]]:
    rows = database.query(
        "SELECT f.event, f.sha256, f.name, (v.sha256 IS NOT NULL AND v.pruned_us IS NULL) FROM attestation_file f "
        "JOIN attestation_event e ON e.id=f.event JOIN attestation a ON a.id=e.attestation "
        "LEFT JOIN evidence v ON v.sha256=f.sha256 WHERE a.unit=? ORDER BY f.event, f.name, f.sha256",
        (unit,),
    )
    found: defaultdict[int, list[AttestationFile]] = defaultdict(list)
    for event, sha256, name, kept in rows:
        found[event].append(AttestationFile(sha256, name, bool(kept)))
    return found


def _answer(row: Row, files: Iterable[AttestationFile]) -> Attestation:
    number, _, at, actor, by, words, answer, until, _, _, unit, system, question = row
    return Attestation(
        id=number,
        unit=unit,
        system=system,
        question=question,
        answer=Answer(answer),
        words=words,
        by=by,
        actor=actor,
        at=from_microseconds(at),
        valid_until=from_microseconds(until),
        files=tuple(files),
    )


def _reviewed(told: Attestation, row: Row) -> Attestation:
    _, act, at, actor, by, words, *_ = row
    return replace(
        told,
        state=_STATES[act],
        reviewer=actor,
        reviewer_by=by,
        reviewed_at=from_microseconds(at),
        review_words=words,
        same_person=bool(row[9]),
    )
