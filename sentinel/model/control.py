"""Control catalogues: every clause of a standard, and the verdicts on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A standard at one level.

    Attributes:
        id: e.g. `mlps-l3`.
        title_zh: name of the standard and level.
        title_en: the same in English.
        source: the standard's number and date.
        level: 2 or 3; 0 where the standard has none.
        clauses: in the standard's order.
    """

    id: str
    title_zh: str
    title_en: str
    source: str
    level: int
    clauses: tuple[Clause, ...]


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
        system: id of the grading object; empty: the unit judged as one object.
        catalogue: catalogue id.
        clause: the clause.
        verdict: the answer.
        basis: what it rests on.
        evidence: SHA-256 sums and finding numbers it rests on.
        reason_zh: one sentence for people.
        reason_en: one sentence for people.
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
