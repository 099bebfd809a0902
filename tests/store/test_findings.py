from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sentinel.model.finding import Disclosure, Finding, FindingKey, FindingSource, FindingState, SubjectKind
from sentinel.model.rule import Severity
from sentinel.store.database import Database
from sentinel.store.findings import (
    count_live,
    find_finding,
    read_by_subjects,
    read_findings,
    read_live,
    write_findings,
)
from tests.homes import NOW


def finding(subject: str = "10.0.0.1:80/tcp", **words: object) -> Finding:
    made = Finding(
        0,
        "",
        FindingKey("school", "exposure.telnet", 1, subject),
        FindingSource.OWN_SCAN,
        Severity.HIGH,
        FindingState.OPEN,
        NOW,
        NOW,
    )
    return replace(made, **words)  # type: ignore[arg-type]  # fields by name


def store(database: Database, *findings: Finding, at: datetime = NOW, reason: str = "first seen") -> list[Finding]:
    with database.transaction("tester", at) as transaction:
        written = write_findings(transaction, [(one, "", reason) for one in findings])
        transaction.audit("unit.check", "unit school")
    return list(written)


def test_findings_are_numbered_one_after_the_other_within_the_year(database: Database) -> None:
    first = store(database, finding("a"), finding("b"))
    second = store(database, finding("c"))
    assert [one.number for one in (*first, *second)] == ["隐患-2026-00001", "隐患-2026-00002", "隐患-2026-00003"]


def test_numbers_start_anew_with_the_year_in_shanghai(database: Database) -> None:
    store(database, finding("a"), at=datetime(2026, 12, 31, 15, 59, tzinfo=UTC))
    (new,) = store(database, finding("b"), at=datetime(2026, 12, 31, 16, 0, tzinfo=UTC))
    (late,) = store(database, finding("c"), at=NOW)
    assert (new.number, late.number) == ("隐患-2027-00001", "隐患-2026-00002")


def test_numbers_go_on_past_five_digits(database: Database) -> None:
    store(database, finding("a"))
    database.connection.execute("UPDATE finding SET number='隐患-2026-99999'")
    numbers = [one.number for subject in "bcd" for one in store(database, finding(subject))]
    assert numbers == ["隐患-2026-100000", "隐患-2026-100001", "隐患-2026-100002"]


def test_finding_is_read_back_as_it_was_written(database: Database) -> None:
    full = finding(
        due=NOW + timedelta(days=7),
        clauses=("CE-04b", "CE-04c"),
        evidence="e" * 64,
        title_zh="弱点",
        title_en="weakness",
        remediation_zh="修复",
        remediation_en="fix",
        detail="port=80",
        reopened=2,
        closed_at=NOW,
        why="why",
        by="somebody",
        until=NOW + timedelta(days=1),
        state=FindingState.ACCEPTED,
        severity=Severity.LOW,
        source=FindingSource.TRAFFIC,
        reference="CVE-2026-1",
        kind=SubjectKind.HOST,
        occurred=NOW - timedelta(days=3),
        discovered=NOW - timedelta(days=2),
        learned=NOW - timedelta(days=1),
        reported=NOW,
        due_why="hand",
        responsible="教务处",
        disclosure=Disclosure.RESTRICTED,
        issuer="示例市教育局",
        exercise="演练一",
    )
    (stored,) = store(database, full)
    assert stored == replace(full, id=1, number="隐患-2026-00001")
    assert list(read_findings(database, ["school"])) == [stored]


def test_finding_written_again_keeps_row_and_number(database: Database) -> None:
    (stored,) = store(database, finding())
    moved = replace(stored, state=FindingState.VERIFIED, closed_at=NOW)
    assert store(database, moved, reason="gone") == [moved]
    assert list(read_findings(database, ["school"])) == [moved]


def test_event_is_written_for_each_reason_and_none_without(database: Database) -> None:
    (stored,) = store(database, finding())
    store(database, stored, reason="")
    with database.transaction("tester", NOW) as transaction:
        write_findings(transaction, [(replace(stored, state=FindingState.CLOSED), "open", "done")])
        transaction.audit("finding.mark", "finding 1")
    events = list(database.query("SELECT finding, actor, before, after, reason FROM finding_event ORDER BY id"))
    assert events == [(1, "tester", "", "open", "first seen"), (1, "tester", "open", "closed", "done")]


def test_findings_are_read_worst_then_oldest_first_in_the_states_asked(database: Database) -> None:
    low, old, new, accepted = store(
        database,
        finding("low", severity=Severity.LOW),
        finding("old", severity=Severity.CRITICAL, first_seen=NOW - timedelta(days=1)),
        finding("new", severity=Severity.CRITICAL),
        finding("accepted", severity=Severity.MEDIUM, state=FindingState.ACCEPTED),
    )
    store(database, replace(finding(), key=FindingKey("other", "r", 1, "s")))
    assert list(read_findings(database, ["school"])) == [old, new, accepted, low]
    assert list(read_findings(database, ["school"], [FindingState.ACCEPTED])) == [accepted]
    assert list(read_findings(database, ["school"], [])) == []
    assert len(list(read_findings(database, ["other", "school"]))) == 5
    assert {one.key.subject for one in read_live(database, "school")} == {"low", "old", "new"}
    assert (count_live(database, "school"), count_live(database, "nobody")) == (3, 0)


@pytest.mark.parametrize("reference", ["隐患-2026-00001", "1", "0001"])
def test_finding_is_found_by_number_or_row(database: Database, reference: str) -> None:
    (stored,) = store(database, finding())
    assert find_finding(database, reference) == stored


@pytest.mark.parametrize("reference", ["", "2", "-1", "隐患-2026-00002", "00001x", "1.5", "9" * 30, "１", "' OR 1=1"])
def test_finding_that_is_not_there_is_none(database: Database, reference: str) -> None:
    store(database, finding())
    assert find_finding(database, reference) is None


def test_findings_of_drills_are_marked_in_their_events_and_not_counted(database: Database) -> None:
    store(database, finding("a"), finding("b", exercise="演练一"))
    assert count_live(database, "school") == 1
    assert list(database.query("SELECT exercise FROM finding_event ORDER BY id")) == [(None,), ("演练一",)]


def test_findings_are_read_by_what_they_are_about(database: Database) -> None:
    one, two, _ = store(
        database,
        finding("a"),
        replace(finding(), key=FindingKey("school", "other.rule", 1, "a")),
        finding("b"),
    )
    found = read_by_subjects(database, "school", [(1, "a"), (1, "a"), (2, "b"), (1, "absent")])
    assert found == {one.key: one, two.key: two}
