"""What a reader asks of the findings: by severity, state, rule, owner and words, page by page, and their events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sentinel.model.finding import Finding, FindingState
from sentinel.model.moment import from_microseconds, to_microseconds
from sentinel.model.rule import Severity
from sentinel.store.assets import escape_like, like_clause
from sentinel.store.database import Database
from sentinel.store.findings import FINDING_SELECT, SEVERITY_RANK, build_finding

ORDERS = ("severity", "newest", "due")
_LIVE = ", ".join(f"'{state.value}'" for state in FindingState if state.is_live)
_FAR = 1 << 62
_KEYS = {
    "severity": (SEVERITY_RANK, "first_seen_us"),
    "newest": ("-first_seen_us", SEVERITY_RANK),
    "due": (f"coalesce(due_us, {_FAR})", SEVERITY_RANK),
}

Cursor = tuple[int, int, int]
"""The two order keys and the row id of the last row shown."""


@dataclass(frozen=True, slots=True)
class FindingQuestion:
    """Which findings are meant; an empty field asks nothing.

    Attributes:
        unit: code of the unit.
        text: a piece of the subject, number, title or facts, or of the register's words for the host.
        severity: of this severity.
        states: in one of these states.
        rule: of this rule.
        owner: the register names this department for the host.
        overdue_at: live and past their deadline then.
        order: one of `ORDERS`.
    """

    unit: str
    text: str = ""
    severity: Severity | None = None
    states: tuple[FindingState, ...] = ()
    rule: str = ""
    owner: str = ""
    overdue_at: datetime | None = None
    order: str = "severity"


def read_finding_page(
    database: Database, asked: FindingQuestion, cursor: Cursor | None, count: int, *, back: bool = False
) -> tuple[tuple[Finding, Cursor], ...]:
    """Give the findings a question means behind a cursor, each with its own; `assets.use_register` comes first.

    They stand in the question's order, or, going `back`, are those before the cursor, the nearest first.
    """
    first, second = _KEYS[asked.order]
    where, values = _build(database, asked)
    sign, way = ("<", " DESC") if back else (">", "")
    if cursor is not None:
        where += f" AND ({first}, {second}, id) {sign} (?, ?, ?)"
        values += cursor
    rows = database.query(
        f"{FINDING_SELECT.replace(' FROM', f', {first}, {second} FROM')} WHERE {where} "
        f"ORDER BY {first}{way}, {second}{way}, id{way} LIMIT ?",
        (*values, count),
    )
    return tuple((build_finding(row), (row[-2], row[-1], row[0])) for row in rows)


def count_findings(database: Database, asked: FindingQuestion) -> int:
    """Count the findings a question means."""
    where, values = _build(database, asked)
    row = database.one(f"SELECT count(*) FROM finding WHERE {where}", values)  # noqa: S608  constant words
    return int(row[0]) if row else 0


def _build(database: Database, asked: FindingQuestion) -> tuple[str, list[object]]:
    clauses: list[str] = ["unit=?"]
    values: list[object] = [asked.unit]
    if asked.severity is not None:
        clauses.append("severity=?")
        values.append(asked.severity.value)
    if asked.states:
        clauses.append(f"state IN ({','.join('?' * len(asked.states))})")
        values += [state.value for state in asked.states]
    if asked.rule:
        clauses.append("rule=?")
        values.append(asked.rule)
    if asked.owner:
        clause, given = _match_host(database, asked, lambda host: database.register.owner(host) == asked.owner)
        clauses.append(clause)
        values += given
    if asked.overdue_at is not None:
        clauses.append(f"state IN ({_LIVE}) AND due_us<?")
        values.append(to_microseconds(asked.overdue_at))
    if asked.text:
        names = ("subject", "number", "title_zh", "title_en", "rule", "detail")
        words = asked.text.casefold()
        clause, given = _match_host(database, asked, lambda host: words in (database.register.words(host) or ""))
        clauses.append(f"({' OR '.join([*(like_clause(database, name) for name in names), clause])})")
        values += [*[f"%{escape_like(asked.text)}%"] * len(names), *given]
    return " AND ".join(clauses), values


def _match_host(database: Database, asked: FindingQuestion, test: Callable[[str], bool]) -> tuple[str, list[object]]:
    return database.match("host_of(subject)", "FROM finding WHERE unit=?", (asked.unit,), test)


def read_events(database: Database, finding: int) -> tuple[tuple[datetime, str, str, str, str], ...]:
    """Give the steps of a finding's life as (when, who, state before, state after, reason), the newest first."""
    rows = database.query(
        "SELECT at_us, actor, before, after, reason FROM finding_event WHERE finding=? ORDER BY id DESC LIMIT 200",
        (finding,),
    )
    return tuple((from_microseconds(row[0]), row[1], row[2], row[3], row[4]) for row in rows)


def read_on_host(database: Database, unit: str, network: int, address: str, limit: int) -> Iterator[Finding]:
    """Give the findings about a host and its ports, worst first; live ones before the others."""
    about, values = _about_host(address)
    rows = database.query(
        f"{FINDING_SELECT} WHERE unit=? AND network=? AND ({about}) "
        f"ORDER BY state NOT IN ({_LIVE}), {SEVERITY_RANK}, first_seen_us, id LIMIT ?",
        (unit, network, *values, limit),
    )
    yield from map(build_finding, rows)


def count_on_host(database: Database, unit: str, network: int, address: str) -> tuple[Severity | None, int]:
    """Give the worst live finding about a host and its ports, and how many there are."""
    about, values = _about_host(address)
    row = database.one(
        f"SELECT min({SEVERITY_RANK}), count(*) FROM finding "  # noqa: S608  constant columns
        f"WHERE unit=? AND network=? AND ({about}) AND state IN ({_LIVE})",
        (unit, network, *values),
    )
    return (list(Severity)[row[0]], int(row[1])) if row and row[1] else (None, 0)


def _about_host(address: str) -> tuple[str, list[object]]:
    """Write as ranges of the index what `host_of` says of a subject."""
    starts = [f"[{address}]:" if ":" in address else f"{address}:", f"{address} "]
    values: list[object] = [address]
    for start in starts:
        values += [start, start[:-1] + chr(ord(start[-1]) + 1)]
    return " OR ".join(["subject=?", *["subject>=? AND subject<?"] * len(starts)]), values


def count_by_severity(database: Database, unit: str) -> dict[Severity, int]:
    """Count the live findings of a unit by severity, those of drills left out."""
    rows = database.query(
        "SELECT severity, count(*) FROM finding "  # noqa: S608  constant words
        f"WHERE unit=? AND exercise IS NULL AND state IN ({_LIVE}) GROUP BY severity",
        (unit,),
    )
    return {Severity(row[0]): int(row[1]) for row in rows}


def count_by_rule(database: Database, unit: str) -> tuple[tuple[str, str, str, int], ...]:
    """Give (rule, Chinese title, English title, findings) of the rules that ever fired, the commonest first."""
    rows = database.query(
        "SELECT rule, max(title_zh), max(title_en), count(*) FROM finding WHERE unit=? GROUP BY rule "
        "ORDER BY 4 DESC, 1 LIMIT 200",
        (unit,),
    )
    return tuple((row[0], row[1], row[2], int(row[3])) for row in rows)


def read_finding(database: Database, unit: str, number: int) -> Finding | None:
    """Give a finding of a unit by its row id."""
    row = database.one(f"{FINDING_SELECT} WHERE id=? AND unit=?", (number, unit))
    return build_finding(row) if row else None
