"""Findings by severity, state, rule and owner, and one finding with its events and evidence."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from sentinel.console.page import Page
from sentinel.console.query import cut_page, read_finding_question
from sentinel.console.reading import Reading
from sentinel.errors import UsageError
from sentinel.model.finding import Finding, FindingState
from sentinel.model.rule import Severity
from sentinel.report.event_words import event_reason
from sentinel.report.values import Text
from sentinel.report.words import term
from sentinel.store import finding_pages as store
from sentinel.store.assets import host_of
from sentinel.store.closings import read_closings
from sentinel.store.evidence import read_evidence
from sentinel.store.notices import read_notices_of
from sentinel.store.orders import read_orders_of
from sentinel.store.runs import find_run

ROWS: Final = 50
_LAST_ROW: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding of a listing; `address` is empty when its subject is no host."""

    finding: Finding
    title: Text
    address: str
    owner: str
    overdue: bool


def build_findings(reading: Reading) -> Page:
    """Build the listing."""
    database, query = reading.database, reading.query
    asked = read_finding_question(query, reading.unit.code, reading.now)
    after, before = query.numbers("after", 3), query.numbers("before", 3)
    back = after is None and before is not None
    cursor: store.Cursor | None = after or before  # type: ignore[assignment]  # three, as asked
    found = store.read_finding_page(database, asked, cursor, ROWS + 1, back=back)
    rows, preceding, following = cut_page(found, ROWS, _cursor, started=after is not None, back=back)
    counts = store.count_by_severity(database, reading.unit.code)
    return Page(
        "findings",
        "findings",
        {
            "lines": tuple(_row(reading, finding) for finding, _ in rows),
            "total": store.count_findings(database, asked),
            "preceding": preceding,
            "following": following,
            "severities": tuple(Severity),
            "counts": counts,
            "states": tuple(FindingState),
            "rules": tuple(
                (rule, Text(zh or en or rule, en or zh or rule), count)
                for rule, zh, en, count in store.count_by_rule(database, reading.unit.code)
            ),
            "owners": reading.register.owners,
            "has_register": reading.register.size > 0,
            "looked": bool(reading.vantages) or bool(counts),
            "unjudged": reading.unjudged,
        },
    )


def _cursor(row: tuple[Finding, store.Cursor]) -> str:
    return ".".join(map(str, row[1]))


def build_finding(reading: Reading, number: int) -> Page:
    """Build the page of one finding.

    Raises:
        UsageError: the unit has no such finding.
    """
    database = reading.database
    finding = store.read_finding(database, reading.unit.code, number) if number < _LAST_ROW else None
    if finding is None:
        raise UsageError(f"no such finding: {number}")
    evidence = read_evidence(database, finding.evidence) if finding.evidence else None
    return Page(
        "finding",
        "findings",
        {
            "row": _row(reading, finding),
            "finding": finding,
            "network": reading.network(finding.key.network),
            "events": tuple(
                (at, actor, _state(before), _state(after), event_reason(reason))
                for at, actor, before, after, reason in store.read_events(database, number)
            ),
            "evidence": evidence,
            "run": find_run(database, reading.unit.code, finding.evidence) if finding.evidence else None,
            "remedy": Text(
                finding.remediation_zh or finding.remediation_en, finding.remediation_en or finding.remediation_zh
            ),
            "notices": read_notices_of(database, number),
            "orders": read_orders_of(database, number),
            "closings": read_closings(database, number),
            "entries": reading.register.find(host_of(finding.key.subject)),
            "has_register": reading.register.size > 0,
        },
    )


def _state(value: str) -> Text:
    return term(FindingState(value)) if value in set(FindingState) else Text(value, value)


def _row(reading: Reading, finding: Finding) -> FindingRow:
    host = host_of(finding.key.subject)
    title = finding.title_zh or finding.title_en or finding.key.rule
    try:
        address = str(ip_address(host)) if reading.network(finding.key.network) else ""
    except ValueError:
        address = ""
    return FindingRow(
        finding,
        Text(title, finding.title_en or title),
        address,
        finding.responsible or reading.register.owner(host),
        finding.is_overdue(reading.now),
    )
