"""Findings and the events of their lives."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sentinel.errors import UsageError
from sentinel.model.finding import Disclosure, Finding, FindingKey, FindingSource, FindingState, SubjectKind
from sentinel.model.moment import SHANGHAI, from_microseconds, from_optional, to_microseconds, to_optional
from sentinel.model.rule import Severity
from sentinel.store.database import Database, Row, Transaction
from sentinel.store.keys import read_row_id

_FIELDS = (
    "number, unit, rule, network, subject, source, severity, state, first_seen_us, last_seen_us, due_us, clauses, "
    "evidence, title_zh, title_en, remediation_zh, remediation_en, detail, reopened, closed_us, why, by, until_us, "
    "reference, subject_kind, occurred_us, discovered_us, learned_us, reported_us, due_why, responsible, disclosure, "
    "issuer, exercise"
)
FINDING_SELECT = f"SELECT id, {_FIELDS} FROM finding"  # noqa: S608  constant columns
_LIVE = ", ".join(f"'{state.value}'" for state in FindingState if state.is_live)
SEVERITY_RANK = (
    "CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END"
)


def read_findings(
    database: Database, units: Sequence[str], states: Iterable[FindingState] | None = None
) -> Iterator[Finding]:
    """Give the findings of units, worst and oldest first, in the given states (None: all)."""
    wanted = None if states is None else [state.value for state in states]
    if wanted == []:
        return
    for unit in units:
        statement = f"{FINDING_SELECT} WHERE unit=?"
        values: list[object] = [unit]
        if wanted is not None:
            statement += f" AND state IN ({','.join('?' * len(wanted))})"
            values.extend(wanted)
        yield from map(
            build_finding, database.query(f"{statement} ORDER BY {SEVERITY_RANK}, first_seen_us, id", values)
        )


def read_live(database: Database, unit: str) -> Iterator[Finding]:
    """Give the findings of a unit that ask somebody to do something, in no order."""
    yield from map(build_finding, database.query(f"{FINDING_SELECT} WHERE unit=? AND state IN ({_LIVE})", (unit,)))


def count_live(database: Database, unit: str) -> int:
    """Count the findings of a unit that ask somebody to do something, those of drills left out."""
    row = database.one(
        f"SELECT count(*) FROM finding WHERE unit=? AND exercise IS NULL AND state IN ({_LIVE})",  # noqa: S608
        (unit,),
    )
    return int(row[0]) if row else 0


def find_finding(database: Database, reference: str) -> Finding | None:
    """Give a finding by its number (隐患-2026-00123) or its row id."""
    number = read_row_id(reference)
    column, value = ("number", reference) if number is None else ("id", number)
    row = database.one(f"{FINDING_SELECT} WHERE {column}=?", (value,))
    return build_finding(row) if row else None


def reread_finding(transaction: Transaction, known: Finding) -> Finding:
    """Give a finding that was read before as it stands now that nobody else can change it.

    Raises:
        UsageError: it was removed meanwhile.
    """
    found = find_finding(transaction.database, str(known.id))
    if found is None:
        raise UsageError(f"{known.number} was removed meanwhile; `sentinel finding list` shows what is there")
    return found


def read_by_subjects(database: Database, unit: str, subjects: Iterable[tuple[int, str]]) -> dict[FindingKey, Finding]:
    """Give the findings about some subjects, (network, text), of a unit."""
    found: dict[FindingKey, Finding] = {}
    for network, subject in dict.fromkeys(subjects):
        for row in database.query(
            f"{FINDING_SELECT} WHERE unit=? AND network=? AND subject=?", (unit, network, subject)
        ):
            finding = build_finding(row)
            found[finding.key] = finding
    return found


def write_findings(transaction: Transaction, steps: Iterable[tuple[Finding, str, str]]) -> tuple[Finding, ...]:
    """Write findings with the events that moved them: (finding, state before, reason); new ones get their number.

    An empty reason writes no event. Gives the findings as stored, in the same order.
    """
    written = []
    next_number = _next_number(transaction)
    for finding, before, reason in steps:
        stored = finding
        if not finding.id:
            stored = replace(finding, number=f"隐患-{transaction.now.astimezone(SHANGHAI).year}-{next_number:05d}")
            next_number += 1
            cursor = transaction.execute(
                f"INSERT INTO finding ({_FIELDS}) VALUES ({','.join('?' * 34)}) RETURNING id",  # noqa: S608
                _values(stored),
            )
            stored = replace(stored, id=int(cursor.fetchone()[0]))
        else:
            names = ", ".join(f"{name.strip()}=?" for name in _FIELDS.split(","))
            transaction.execute(f"UPDATE finding SET {names} WHERE id=?", (*_values(stored), stored.id))  # noqa: S608
        if reason:
            transaction.execute(
                "INSERT INTO finding_event (finding, at_us, actor, before, after, reason, exercise) "
                "VALUES (?,?,?,?,?,?,?)",
                (
                    stored.id,
                    to_microseconds(transaction.now),
                    transaction.actor,
                    before,
                    stored.state.value,
                    reason,
                    stored.exercise or None,
                ),
            )
        written.append(stored)
    return tuple(written)


def _next_number(transaction: Transaction) -> int:
    year = transaction.now.astimezone(SHANGHAI).year
    prefix = f"隐患-{year}-"
    row = transaction.execute(
        "SELECT max(CAST(substr(number, ?) AS BIGINT)) FROM finding WHERE number LIKE ?",
        (len(prefix) + 1, f"{prefix}%"),
    ).fetchone()
    return int(row[0] or 0) + 1


def _values(one: Finding) -> tuple[object, ...]:
    key = one.key
    return (
        one.number,
        key.unit,
        key.rule,
        key.network,
        key.subject,
        one.source.value,
        one.severity.value,
        one.state.value,
        to_microseconds(one.first_seen),
        to_microseconds(one.last_seen),
        to_optional(one.due),
        json.dumps(one.clauses),
        one.evidence,
        one.title_zh,
        one.title_en,
        one.remediation_zh,
        one.remediation_en,
        one.detail,
        one.reopened,
        to_optional(one.closed_at),
        one.why,
        one.by,
        to_optional(one.until),
        one.reference,
        one.kind.value,
        to_optional(one.occurred),
        to_optional(one.discovered),
        to_optional(one.learned),
        to_optional(one.reported),
        one.due_why,
        one.responsible,
        one.disclosure.value,
        one.issuer,
        one.exercise or None,
    )


def build_finding(row: Row) -> Finding:
    """Build a finding of a row of `FINDING_SELECT`."""
    return Finding(
        id=row[0],
        number=row[1],
        key=FindingKey(row[2], row[3], row[4], row[5]),
        source=FindingSource(row[6]),
        severity=Severity(row[7]),
        state=FindingState(row[8]),
        first_seen=from_microseconds(row[9]),
        last_seen=from_microseconds(row[10]),
        due=from_optional(row[11]),
        clauses=tuple(json.loads(row[12])),
        evidence=row[13],
        title_zh=row[14],
        title_en=row[15],
        remediation_zh=row[16],
        remediation_en=row[17],
        detail=row[18],
        reopened=row[19],
        closed_at=from_optional(row[20]),
        why=row[21],
        by=row[22],
        until=from_optional(row[23]),
        reference=row[24],
        kind=SubjectKind(row[25]),
        occurred=from_optional(row[26]),
        discovered=from_optional(row[27]),
        learned=from_optional(row[28]),
        reported=from_optional(row[29]),
        due_why=row[30],
        responsible=row[31],
        disclosure=Disclosure(row[32]),
        issuer=row[33],
        exercise=row[34] or "",
    )
