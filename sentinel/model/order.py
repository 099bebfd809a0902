"""A rectification order (整改通知书): which findings somebody is told to mend, until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RectificationOrder:
    """An order as issued.

    Attributes:
        id: row id; 0 before it is stored.
        number: number on the paper, e.g. `整改-2026-0007`; empty before it is stored.
        unit: code of the unit whose findings they are.
        issuer: who orders.
        assignee: who has to mend, e.g. a department.
        issued_at: when it was issued.
        due: until when the reply is due.
        findings: row ids of the findings, in the order of the paper.
        note: what else the issuer says.
    """

    id: int
    number: str
    unit: str
    issuer: str
    assignee: str
    issued_at: datetime
    due: datetime
    findings: tuple[int, ...]
    note: str = ""
