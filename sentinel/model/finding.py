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
    CLOSED = "closed"
    ACCEPTED = "accepted"
    FALSE_POSITIVE = "false_positive"

    @property
    def is_live(self) -> bool:
        """Still asks somebody to do something."""
        return self in {FindingState.OPEN, FindingState.RECTIFYING, FindingState.FIXED}


class FindingSource(StrEnum):
    """How the finding came to be known."""

    OWN_SCAN = "own_scan"
    TRAFFIC = "traffic"
    UPPER_SCAN = "upper_scan"
    NOTICE = "outside_notice"
    REPORT = "third_party_report"
    HAND = "by_hand"


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

    def is_overdue(self, now: datetime) -> bool:
        """Tell whether it is live and its due time has passed."""
        return self.state.is_live and self.due is not None and self.due < now
