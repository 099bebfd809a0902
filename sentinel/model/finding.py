"""Findings: what is wrong, where, since when, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sentinel.model.rule import Severity


class FindingState(StrEnum):
    """Where a finding stands; the words on pages are in the glossary of `report/words.py`."""

    OPEN = "open"
    RECTIFYING = "in_rectification"
    FIXED = "fixed_unverified"
    VERIFIED = "verified"
    AWAITING = "awaiting_issuer"
    CLOSED = "closed"
    ACCEPTED = "accepted"
    FALSE_POSITIVE = "false_positive"

    @property
    def is_live(self) -> bool:
        """Still asks somebody to do something."""
        return self in {FindingState.OPEN, FindingState.RECTIFYING, FindingState.FIXED}

    @property
    def is_gone(self) -> bool:
        """What it was about was proven gone, or its issuer closed it."""
        return self in {FindingState.VERIFIED, FindingState.AWAITING, FindingState.CLOSED}

    @property
    def is_final(self) -> bool:
        """Nobody has to do anything any more: re-tested and nobody else's to close, or closed by its issuer."""
        return self in {FindingState.VERIFIED, FindingState.CLOSED}


class FindingSource(StrEnum):
    """How the finding came to be known."""

    OWN_SCAN = "own_scan"
    TRAFFIC = "traffic"
    UPPER_SCAN = "upper_scan"
    NOTICE = "outside_notice"
    REPORT = "third_party_report"
    HAND = "by_hand"


class SubjectKind(StrEnum):
    """What a finding is about; only endpoints and hosts lie in a network."""

    ENDPOINT = "endpoint"
    HOST = "host"
    DOMAIN = "domain"
    URL = "url"
    SYSTEM = "system"
    UNIT = "unit"
    ENTRY = "entry"


class Disclosure(StrEnum):
    """Who may read it (公开, 内部, 限定)."""

    PUBLIC = "public"
    INTERNAL = "internal"
    RESTRICTED = "restricted"


class ClosingKind(StrEnum):
    """Which of the two closings: the unit's re-test (复测), or the issuer's (销号)."""

    RETEST = "retest"
    ISSUER = "issuer"


@dataclass(frozen=True, slots=True)
class FindingKey:
    """What makes a finding one and the same: rule, network, subject (and unit, for subjects without network)."""

    unit: str
    rule: str
    network: int
    subject: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding (安全隐患).

    Attributes:
        id: row id; 0 before it is stored.
        number: short number for people, e.g. `隐患-2026-00123`; empty before it is stored.
        key: unit, rule, network, subject.
        source: how it came to be known.
        severity: how bad, as the rule said last.
        state: where it stands.
        first_seen: first time, kept when it comes back within 90 days.
        last_seen: last time the rule fired on confirmed facts.
        due: when it must be fixed; None: no deadline.
        clauses: control clauses it speaks to.
        evidence: SHA-256 of the newest evidence.
        title_zh: the rule's title.
        title_en: the rule's title.
        remediation_zh: what to do.
        remediation_en: what to do.
        detail: the facts it fired on, e.g. `port=6379 product=Redis version=7.0.15`.
        reopened: how often it came back.
        closed_at: when it was proven gone, if it was.
        why: reason of an exemption.
        by: who decided the exemption.
        until: end of an exemption.
        reference: what another's report or notice calls it, e.g. a plugin's number and CVE numbers; empty for our own.
        kind: what the subject is.
        occurred: when it happened, where somebody told.
        discovered: when whoever found it first saw it.
        learned: when the unit came to know of it.
        reported: when it was reported upward.
        due_why: which policy set the deadline: `rule NAME DAYSd`, `notice NUMBER`, `order NUMBER` or `hand`.
        responsible: unit or department that answers for it; empty: as the register tells.
        disclosure: who may read it.
        issuer: who has to close it in the end (销号); empty: a passed re-test closes it.
        exercise: id of the drill it belongs to; empty for a real one. It never enters counters.
    """

    id: int
    number: str
    key: FindingKey
    source: FindingSource
    severity: Severity
    state: FindingState
    first_seen: datetime
    last_seen: datetime
    due: datetime | None = None
    clauses: tuple[str, ...] = ()
    evidence: str = ""
    title_zh: str = ""
    title_en: str = ""
    remediation_zh: str = ""
    remediation_en: str = ""
    detail: str = ""
    reopened: int = 0
    closed_at: datetime | None = None
    why: str = ""
    by: str = ""
    until: datetime | None = None
    reference: str = ""
    kind: SubjectKind = SubjectKind.ENDPOINT
    occurred: datetime | None = None
    discovered: datetime | None = None
    learned: datetime | None = None
    reported: datetime | None = None
    due_why: str = ""
    responsible: str = ""
    disclosure: Disclosure = Disclosure.INTERNAL
    issuer: str = ""
    exercise: str = ""

    def is_overdue(self, now: datetime) -> bool:
        """Tell whether it is live and its due time has passed."""
        return self.state.is_live and self.due is not None and self.due < now


@dataclass(frozen=True, slots=True)
class Closing:
    """One attempt at one of the two closings of a finding; kept for good, failed ones too.

    Attributes:
        kind: re-test or issuer.
        passed: false: re-tested and still there.
        at: when.
        by: who did it, e.g. `信息中心`, `示例市教育局`, or the account that ran the scan.
        evidence: SHA-256 of what shows it; empty where there is only a word.
        document: number of the paper that says so, e.g. `销号〔2026〕3号`.
        note: what else was said.
        actor: who entered it.
        exercise: id of the drill; empty for a real one.
    """

    kind: ClosingKind
    passed: bool
    at: datetime
    by: str
    evidence: str = ""
    document: str = ""
    note: str = ""
    actor: str = ""
    exercise: str = ""
