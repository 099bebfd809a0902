"""Control catalogues: every clause of a standard, and the verdicts on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sentinel.model.rule import Severity


class Check(StrEnum):
    """Who can answer a clause: a machine, a machine and a person, or a person."""

    AUTO = "auto"
    SEMI = "semi"
    MANUAL = "manual"


class Verdict(StrEnum):
    """An honest answer; without fresh proof it is unknown, never conform."""

    CONFORM = "conform"
    PARTIAL = "partial"
    NONCONFORM = "nonconform"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"


class Basis(StrEnum):
    """What a verdict rests on."""

    AUTO = "auto"
    ATTESTED = "attested"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Proof:
    """Evidence a clause needs before it may be called conform.

    Attributes:
        kind: evidence kind, e.g. `port-scan`, `service-scan`, `register`, `whitelist`, `traffic`.
        max_age_days: older evidence proves nothing.
        coverage: share of the object's addresses it must cover, 0 to 1.
    """

    kind: str
    max_age_days: int
    coverage: float = 1.0


@dataclass(frozen=True, slots=True)
class Reported:
    """Findings of others (reports, notices) that speak to a clause, told by their words.

    Attributes:
        words: one of them stands in the title or reference, whatever its case.
        severity: at least so bad.
        refutes: they refute the clause; else they show that it is met in part.
    """

    words: tuple[str, ...]
    severity: Severity
    refutes: bool


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of a catalogue.

    Attributes:
        id: stable id of the fact table, e.g. `CE-04b`.
        number: the standard's number at this level, e.g. `8.1.4.4 b)`.
        domain: e.g. `安全计算环境`.
        control: control point, e.g. `入侵防范`.
        title_zh: own words.
        title_en: own words.
        check: who can answer it.
        refuted_by: rule names; one live finding of them makes it nonconform.
        partial_by: rule names; one live finding of them makes it partial.
        proof: all must be present and fresh for conform.
        attested_by: question id a person answers.
        weight: 1 general, 2 important, 3 key; the project's own choice.
        note: for people.
        verified: the source was seen.
        inherits: number of the same clause in the catalogue this one inherits; empty: it is new at this level.
        rules_of: clauses by their tags, e.g. `high-risk.6.4.3.1`, whose rules speak to this one too.
        suspects: rules tagged with it make it partial, not nonconform.
        reported: findings of others that speak to it; None: none do.
        min_level: lowest protection level it applies to; 0: all.
        mitigable: whether other measures may make up for it, in words; empty: not said.
        strength: (level, `may`, `should` or `shall`) where the standard tells them apart.
        who: who has to see to it.
        evidence: what shows it, for people.
        reference: law or document it comes from.
    """

    id: str
    number: str
    domain: str
    control: str
    title_zh: str
    title_en: str
    check: Check
    refuted_by: tuple[str, ...] = ()
    partial_by: tuple[str, ...] = ()
    proof: tuple[Proof, ...] = ()
    attested_by: str = ""
    weight: int = 1
    note: str = ""
    verified: bool = False
    inherits: str = ""
    rules_of: tuple[str, ...] = ()
    suspects: bool = False
    reported: Reported | None = None
    min_level: int = 0
    mitigable: str = ""
    strength: tuple[tuple[int, str], ...] = ()
    who: str = ""
    evidence: str = ""
    reference: str = ""

    def strength_at(self, level: int | None) -> str:
        """Give `may`, `should` or `shall` at a level: that of the nearest level at or below it; empty: not said."""
        told = [word for at, word in self.strength if level is None or at <= level]
        return told[-1] if told else ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question a person answers for a clause no machine can settle.

    Attributes:
        id: e.g. `room.fire`.
        zh: the question.
        en: the question.
        answers: kinds of answers it takes, out of `yes`, `partly`, `no`, `na`.
        evidence: papers wanted with a yes, in words; empty: none.
        valid_days: how long an answer holds.
        scope: `unit`: one answer holds for all systems of a unit; `system`: each system has its own.
    """

    id: str
    zh: str
    en: str
    answers: tuple[str, ...]
    evidence: str
    valid_days: int
    scope: str


@dataclass(frozen=True, slots=True)
class Scoring:
    """How the score of the 2021 template is counted; from memory where `verified` is false.

    Attributes:
        technical: domains that count as technical; the others are management.
        balance: share of the technical part in 100.
        factors: what a missed clause of weight 1, 2 and 3 costs, in shares of one clause.
        partial: what a clause met in part counts, 0 to 1.
        verified: the source was seen.
    """

    technical: tuple[str, ...]
    balance: float
    factors: tuple[float, float, float]
    partial: float
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A standard at one level.

    Attributes:
        id: e.g. `mlps-l3`.
        title_zh: name of the standard and level.
        title_en: the same in English.
        source: the standard's number and date.
        level: 2 or 3: it judges objects of that level; 0: objects of any level.
        clauses: in the standard's order.
        tag: what tags of rules begin with, e.g. `mlps` in `mlps.ce-04b`.
        inherits: id of the catalogue it adds to.
        assumed_level: level at which an object without one is judged; 0: `level`.
        objects: `system`: every grading object is judged; `unit`: only the unit as a whole.
        tagged: rules refute the clauses they are tagged with, unless `partial_by` names them.
        scoring: how the score of the 2021 template is counted; None: there is none.
        questions: those its clauses name.
    """

    id: str
    title_zh: str
    title_en: str
    source: str
    level: int
    clauses: tuple[Clause, ...]
    tag: str = ""
    inherits: str = ""
    assumed_level: int = 0
    objects: str = "system"
    tagged: bool = False
    scoring: Scoring | None = None
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class GradingObject:
    """What is judged: a grading object (定级对象), or a unit as one object for what belongs to none.

    Attributes:
        unit: code of the unit.
        system: name of the information system; empty: the unit as one object.
        id: row id of the system; 0 for the unit.
        level: its level; None: not graded.
        cii: critical information infrastructure (关基); left out of what is shown by default.
    """

    unit: str
    system: str = ""
    id: int = 0
    level: int | None = None
    cii: bool = False


@dataclass(frozen=True, slots=True)
class ProofState:
    """What is known of one kind of evidence for one object.

    Attributes:
        kind: as in `Proof.kind`.
        newest: time of the newest complete evidence; None: there is none.
        coverage: share of the object it covers, 0 to 1.
        evidence: SHA-256 sums.
    """

    kind: str
    newest: datetime | None
    coverage: float
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClauseVerdict:
    """The verdict on one clause for one object.

    Attributes:
        unit: code of the unit.
        system: name of the grading object; empty: the unit as one object (未登记定级对象).
        catalogue: catalogue id.
        clause: the clause.
        verdict: the answer.
        basis: what it rests on.
        evidence: SHA-256 sums and finding numbers it rests on.
        reason_zh: one sentence for people.
        reason_en: one sentence for people.
        level: level at which the object was judged; 0: none matters.
    """

    unit: str
    system: str
    catalogue: str
    clause: Clause
    verdict: Verdict
    basis: tuple[Basis, ...]
    evidence: tuple[str, ...] = ()
    reason_zh: str = ""
    reason_en: str = ""
    level: int = 0
