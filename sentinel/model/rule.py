"""Detection rules and what they look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address


class Severity(StrEnum):
    """Sigma's levels, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFORMATIONAL = "informational"

    @property
    def rank(self) -> int:
        """0 for critical, 4 for informational."""
        return list(Severity).index(self)


class Category(StrEnum):
    """What a rule looks at (Sigma `logsource.category`)."""

    SERVICE = "service"
    HOST = "host"
    DOMAIN = "domain"
    CERTIFICATE = "certificate"
    FLOW = "flow"
    TLS = "tls"
    WEB = "web"
    DNS = "dns"
    LOG = "log"
    UNIT = "unit"
    SYSTEM = "system"
    ENTRY = "entry"

    @property
    def is_event(self) -> bool:
        """True for what happens and is over; a state lasts until something proves that it ended."""
        return self in {Category.FLOW, Category.LOG}


@dataclass(frozen=True, slots=True)
class RuleText:
    """The words of a rule in one language.

    Attributes:
        title: what is wrong, short.
        description: why it matters.
        remediation: what to do.
    """

    title: str
    description: str = ""
    remediation: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One detection rule, as its Sigma file says (the compiled predicate lives in assess).

    Attributes:
        id: UUID, as Sigma wants.
        name: stable readable id that everything prints, e.g. `exposure.redis-no-auth`.
        zh: words in Chinese.
        en: words in English.
        severity: how bad.
        category: what it looks at.
        clauses: ids of control clauses, upper-case domain as in the catalogue, e.g. `CE-04b`.
        high_risk: high-risk cases, e.g. `6.4.3.1`.
        due_days: days to fix, counted from first seen; None: no deadline.
        false_positives: when it fires wrongly.
        valid_from: first moment it may fire; None: always.
        valid_to: last moment it may fire; None: for ever.
        file: where it stands.
        line: first line there.
        correlates: names of the rules whose detections it counts; empty for a rule about single subjects.
        tags: all clauses of all catalogues it speaks to, as tags, e.g. `mlps.ce-04b`, `ipv6.address`.
    """

    id: str
    name: str
    zh: RuleText
    en: RuleText
    severity: Severity
    category: Category
    clauses: tuple[str, ...] = ()
    high_risk: tuple[str, ...] = ()
    due_days: int | None = None
    false_positives: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    file: str = ""
    line: int = 0
    correlates: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


Scalar = str | int | float | bool | IPv4Address | IPv6Address | None
FieldValue = Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing rules look at, flattened to named fields.

    Attributes:
        category: which rules apply.
        unit: code of the unit.
        network: row id of the network; 0 when there is none.
        text: what a finding is about, stable over time, e.g. `10.0.0.5:6379/tcp`, `10.0.0.5`, `www.school.example`.
        fields: values by field name; a tuple matches when one of its values does; None and absent are the same.
        evidence: SHA-256 of the evidence the fields come from.
        seen_at: when it was last confirmed.
        told: since when a field has its value, for those the calendar tells and no look does: a finding of them begins
            no earlier than the last of them.
    """

    category: Category
    unit: str
    network: int
    text: str
    fields: Mapping[str, FieldValue]
    evidence: str = ""
    seen_at: datetime | None = None
    told: tuple[tuple[str, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Detection:
    """A rule fired on a subject.

    Attributes:
        rule: the rule.
        subject: what it fired on.
        asked: names of the fields the rule looked at.
    """

    rule: Rule
    subject: Subject
    asked: tuple[str, ...] = ()

    @property
    def matched(self) -> tuple[tuple[str, FieldValue], ...]:
        """The fields the rule looked at that are there, with their values, for the evidence line."""
        fields = self.subject.fields
        return tuple((name, fields[name]) for name in self.asked if fields.get(name) not in (None, ()))
