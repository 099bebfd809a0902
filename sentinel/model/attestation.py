"""Attestations (举证): what a person answered to a question, with papers, and who reviewed it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Answer(StrEnum):
    """What was answered: yes, in part, no, or that the question does not apply."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    NA = "na"


class AttestationState(StrEnum):
    """Where an answer stands; only an accepted one counts."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class AttestationFile:
    """A paper that came with an answer.

    Attributes:
        sha256: sum of its bytes.
        name: as it was called.
        kept: its bytes are still in the evidence store.
    """

    sha256: str
    name: str
    kept: bool = True


@dataclass(frozen=True, slots=True)
class Attestation:
    """One answer to one question for one object, and what became of it.

    Attributes:
        id: row id of the answer; 0 before it is stored.
        unit: code of the unit.
        system: row id of the information system; 0: the unit.
        question: id of the question.
        answer: what was answered.
        words: what was said with it; the reason, where it does not apply.
        by: department or post that answers (答复部门或岗位).
        actor: who entered it.
        at: when it was answered.
        valid_until: last moment it holds.
        files: its papers.
        state: pending until somebody reviews it.
        reviewer: who reviewed it.
        reviewer_by: department or post that reviewed it.
        reviewed_at: when.
        review_words: what the reviewer said.
        same_person: the reviewer is who answered, and said so.
    """

    id: int
    unit: str
    system: int
    question: str
    answer: Answer
    words: str
    by: str
    actor: str
    at: datetime
    valid_until: datetime
    files: tuple[AttestationFile, ...] = ()
    state: AttestationState = AttestationState.PENDING
    reviewer: str = ""
    reviewer_by: str = ""
    reviewed_at: datetime | None = None
    review_words: str = ""
    same_person: bool = False

    @property
    def papers(self) -> tuple[str, ...]:
        """Sums of the papers that are still kept."""
        return tuple(one.sha256 for one in self.files if one.kept)
