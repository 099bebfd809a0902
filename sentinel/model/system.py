"""Information systems and grading objects (定级对象): what a unit declares of them, and their way to approval."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from sentinel.model.register import Person
from sentinel.model.unit import IPNetwork


class SystemState(StrEnum):
    """Where a system stands on its way through the register."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    RETURNED = "returned"
    RETIRED = "retired"


class SystemStep(StrEnum):
    """What happened to a system; every step is kept with its day, who took it and why."""

    DECLARED = "declared"
    CHANGED = "changed"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    RETURNED = "returned"
    RETIRED = "retired"
    CONFIRMED = "confirmed"


_D, _S, _A, _B, _R = SystemState
_WAYS: Mapping[SystemStep, Mapping[SystemState | None, SystemState]] = {
    SystemStep.DECLARED: {None: _D, _R: _D},
    SystemStep.CHANGED: {_D: _D, _S: _D, _A: _D, _B: _B},
    SystemStep.SUBMITTED: {_D: _S, _B: _S},
    SystemStep.APPROVED: {_S: _A},
    SystemStep.RETURNED: {_S: _B, _A: _B},
    SystemStep.RETIRED: {_D: _R, _S: _R, _A: _R, _B: _R},
    SystemStep.CONFIRMED: {_D: _D, _S: _S, _A: _A, _B: _B},
}

CONFIRMING = frozenset({SystemStep.DECLARED, SystemStep.CHANGED, SystemStep.APPROVED, SystemStep.CONFIRMED})
"""Steps at which somebody looked at what is declared: they count as a confirmation (动态更新)."""


def next_state(state: SystemState | None, step: SystemStep) -> SystemState:
    """Give the state after a step; None before the first.

    Raises:
        ValueError: the step is not open from there.
    """
    after = _WAYS[step].get(state)
    if after is None:
        open_from = " or ".join(one.value for one in _WAYS[step] if one)
        raise ValueError(f"is {state.value if state else 'not declared'}: only what is {open_from} can be {step.value}")
    return after


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """What a unit declares of a system; None and empty text: not declared.

    Attributes:
        name: as the unit calls it.
        code: number the unit gave it (系统编号).
        parent: name of the system it is a part of (上级系统).
        department: unit or department that owns it (责任部门).
        operator: unit that runs it (运维单位).
        business: what it does (业务类型).
        scope: whom it serves (服务范围).
        business_level: level of the business information, 1 to 5 (业务信息安全等级).
        service_level: level of the service (系统服务安全等级).
        told_level: level as a sheet tells it where it does not tell the two.
        graded_on: day of the grading.
        authority_approved: the authority in charge approved the grading.
        expert_review: experts reviewed the grading.
        filing: number of the filing, e.g. `41010012345-00001`.
        filing_issued: day of the certificate.
        filing_expires: last day of the certificate.
        assessor: body that assessed it (测评机构).
        assessed_on: day of the assessment.
        assessment_result: as the report says, e.g. `基本符合`.
        assessment_rate: conformity rate, 0 to 100.
        major_risks: major hidden risks before they were fixed.
        major_fixed: how many of them were fixed.
        cii: critical information infrastructure (关基); never in listings.
        data_grade: grade of its data: 一般, 重要 or 核心.
        personal_count: persons whose data it holds.
        app_filing: number of the education app filing.
        icp: number of the ICP filing.
        police_filing: number of the filing with the police (公安联网备案).
        ipv6: whether it is reached by IPv6.
        crypto: state of the evaluation of its cryptography (商用密码应用安全性评估).
        crypto_on: day of that evaluation.
        interactive: parts in which visitors write (互动栏目).
        hosting: where its servers stand.
        live_on: day it went live.
        valid_until: last day it is meant to run.
        note: what else is said.
    """

    name: str
    code: str = ""
    parent: str = ""
    department: str = ""
    operator: str = ""
    business: str = ""
    scope: str = ""
    business_level: int | None = None
    service_level: int | None = None
    told_level: int | None = None
    graded_on: date | None = None
    authority_approved: bool | None = None
    expert_review: bool | None = None
    filing: str = ""
    filing_issued: date | None = None
    filing_expires: date | None = None
    assessor: str = ""
    assessed_on: date | None = None
    assessment_result: str = ""
    assessment_rate: float | None = None
    major_risks: int | None = None
    major_fixed: int | None = None
    cii: bool | None = None
    data_grade: str = ""
    personal_count: int | None = None
    app_filing: str = ""
    icp: str = ""
    police_filing: str = ""
    ipv6: str = ""
    crypto: str = ""
    crypto_on: date | None = None
    interactive: str = ""
    hosting: str = ""
    live_on: date | None = None
    valid_until: date | None = None
    note: str = ""

    @property
    def level(self) -> int | None:
        """The level: the higher of the two, else the one told. Source: GB/T 22240-2020, 6.1."""
        told = [one for one in (self.business_level, self.service_level) if one is not None]
        return max(told) if told else self.told_level


@dataclass(frozen=True, slots=True)
class SystemPersons:
    """Who answers for a system; sealed at rest, masked unless asked for.

    Attributes:
        leader: the responsible leader (分管领导).
        administrator: who administers it (管理员).
        operator: whom to call at the unit that runs it.
    """

    leader: Person = field(default_factory=Person)
    administrator: Person = field(default_factory=Person)
    operator: Person = field(default_factory=Person)

    @property
    def is_nobody(self) -> bool:
        """Nobody is named."""
        return self.leader.is_nobody and self.administrator.is_nobody and self.operator.is_nobody

    @property
    def masked(self) -> SystemPersons:
        """The same with everybody masked."""
        return SystemPersons(self.leader.masked, self.administrator.masked, self.operator.masked)


@dataclass(frozen=True, slots=True)
class InformationSystem:
    """A system as it was declared at a moment.

    Attributes:
        id: row id; 0 before it is stored.
        unit: code of the unit.
        facts: what is declared.
        persons: who answers for it; None when they cannot be opened.
        has_persons: somebody is named, opened or not.
        state: where it stands.
        names: further names under which lines of the register belong to it.
        declared_at: when this version was declared.
        confirmed_at: when somebody last confirmed it.
        state_at: when it came to its state.
        source: file this version came from; empty when it was made from lines.
        sheet: sheet of the file.
        row: row of the sheet.
    """

    id: int
    unit: str
    facts: SystemFacts
    persons: SystemPersons | None = SystemPersons()
    has_persons: bool = False
    state: SystemState = SystemState.DRAFT
    names: tuple[str, ...] = ()
    declared_at: datetime | None = None
    confirmed_at: datetime | None = None
    state_at: datetime | None = None
    source: str = ""
    sheet: str = ""
    row: int = 0

    @property
    def all_names(self) -> tuple[str, ...]:
        """Its name and the further ones."""
        return (self.facts.name, *self.names)


@dataclass(frozen=True, slots=True)
class SystemEvent:
    """A step a system took.

    Attributes:
        system: row id of the system.
        at: when.
        step: what.
        actor: who.
        reason: why.
    """

    system: int
    at: datetime
    step: SystemStep
    actor: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PlannedOffline:
    """A time in which something registered is off by plan (计划停用), with its end.

    Attributes:
        id: row id; 0 before it is stored.
        unit: code of the unit.
        begin: first moment.
        end: last moment.
        reason: why.
        system: row id of the system; 0: the prefixes alone.
        prefixes: addresses it is said of; empty for a whole system.
    """

    id: int
    unit: str
    begin: datetime
    end: datetime
    reason: str
    system: int = 0
    prefixes: tuple[IPNetwork, ...] = field(default=())

    def is_on(self, at: datetime) -> bool:
        """Tell whether the time is now."""
        return self.begin <= at <= self.end


def fold_system(name: str) -> str:
    """Write the name of a system as names are compared: half width, lower case, no blanks, `（）` as `()`."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()
