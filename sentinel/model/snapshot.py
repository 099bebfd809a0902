"""Counters frozen for a period, as reports read them ever after."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sentinel.model.finding import FindingSource, FindingState
from sentinel.model.rule import Severity

UNITS = "units"
"""How many units a subtree has, those nobody looked at too."""

COUNTERS = (
    UNITS,
    "hosts",
    "endpoints_open",
    *(f"live_{severity.value}" for severity in Severity),
    "live",
    "overdue",
    *(f"overdue_{word}" for word in ("critical", "high", "medium", "low")),
    "outside_overdue",
    "outside_overdue_critical",
    "mining_overdue",
    "opened",
    "reopened",
    "retested",
    "awaiting_issuer",
    "settled",
    "closed",
    "mining_hosts",
    "suspect_hosts",
    "registered_seen",
    "registered_unseen",
    "unregistered",
    "confirm_overdue",
    "clauses",
    "clauses_conform",
    "clauses_nonconform",
    "clauses_unknown",
    "prefixes_planned",
    "addresses_planned",
    "addresses_covered",
    "score_low",
    "score_high",
)
"""Every counter, in the order of a page. Clauses are those of one catalogue; scores are in tenths of a point."""


@dataclass(frozen=True, slots=True)
class Count:
    """One counter of one unit.

    Attributes:
        own: of the unit alone; None: unknown, nobody looked.
        total: sum over the unit and everything below it that is known.
        known: how many units that sum is made of; it stands beside the sum.
    """

    own: int | None
    total: int
    known: int


@dataclass(frozen=True, slots=True)
class FindingAt:
    """A finding as it stood at a moment.

    Attributes:
        severity: how bad.
        state: its state then.
        due: its deadline; None: it has none.
        source: how it came to be known.
        rule: name of the rule.
    """

    severity: Severity
    state: FindingState
    due: datetime | None = None
    source: FindingSource = FindingSource.OWN_SCAN
    rule: str = ""

    def is_overdue(self, at: datetime) -> bool:
        """Tell whether it asks for something and its deadline has passed."""
        return self.state.is_live and self.due is not None and self.due < at


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One freezing of the counters of a unit and of everything below it.

    Attributes:
        id: row id; 0 before it is stored.
        unit: code of the unit at the top.
        label: the period for people, e.g. `2026-11`.
        start: first moment of the period.
        end: last moment of the period.
        version: 1, and one more for each correction.
        pack_hash: SHA-256 over the rule pack that judged.
        frozen_at: when.
        actor: who.
        reason: why a correction was needed; empty for the first.
    """

    id: int
    unit: str
    label: str
    start: datetime
    end: datetime
    version: int
    pack_hash: str
    frozen_at: datetime
    actor: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class UnitCounts:
    """The counters of one unit in a snapshot, by name.

    Attributes:
        unit: code of the unit.
        counts: counters by name; one that nobody in the subtree knew is absent.
    """

    unit: str
    counts: dict[str, Count] = field(default_factory=dict)
