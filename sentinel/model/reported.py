"""What somebody else's report says is wrong, before it becomes a finding."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sentinel.model.rule import Severity
from sentinel.model.unit import IPAddress

CVSS_BANDS = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.1, Severity.LOW))
"""Lowest score of each level. Source: CVSS 3.1, section 5."""


def rate_score(score: float) -> Severity:
    """Give the level of a CVSS score."""
    return next((severity for low, severity in CVSS_BANDS if score >= low), Severity.INFORMATIONAL)


@dataclass(frozen=True, slots=True)
class ReportedFlaw:
    """One line of a third-party report: one weakness at one place.

    Attributes:
        check: the tool's id of what it looked for (plugin, OID), or a stable short form of the title.
        title: the tool's name of it.
        severity: how bad, in our levels.
        address: where; None when the report names a domain only.
        name: domain, where there is no address.
        proto: `tcp` or `udp`; empty where the report tells no port.
        port: 0 where the report tells none.
        service: as the report calls it.
        references: CVE, CNVD and CNNVD numbers, upper case.
        solution: what the report advises, at most 1,000 characters.
        time: when it was seen; None where the report does not tell.
    """

    check: str
    title: str
    severity: Severity
    address: IPAddress | None = None
    name: str = ""
    proto: str = ""
    port: int = 0
    service: str = ""
    references: tuple[str, ...] = ()
    solution: str = ""
    time: datetime | None = None
