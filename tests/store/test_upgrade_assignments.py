"""A home with orders and findings of before: each order becomes an assignment, each finding says what it is about."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sentinel.model.assignment import Act, AssignmentItem, AssignmentKind, AssignmentState
from sentinel.model.finding import SubjectKind
from sentinel.store.assignments import find_assignment, read_assignment_events
from sentinel.store.database import Database
from sentinel.store.findings import read_findings
from sentinel.store.orders import find_order
from tests.store.test_upgrade import thaw

SUBJECTS = {
    "10.0.0.5:443/tcp": (1, SubjectKind.ENDPOINT),
    "[2001:db8::5]:53/udp": (1, SubjectKind.ENDPOINT),
    "10.0.0.5": (1, SubjectKind.HOST),
    "2001:db8::5": (1, SubjectKind.HOST),
    "10.0.0.5 stratum": (1, SubjectKind.HOST),
    "www.school.example": (0, SubjectKind.DOMAIN),
    "mail.school.example": (1, SubjectKind.DOMAIN),
    "u": (0, SubjectKind.UNIT),
}


def test_orders_and_findings_when_upgraded_are_assignments_and_subjects_of_a_kind(tmp_path: Path) -> None:
    home = thaw(tmp_path / "home", "0002")
    with closing(sqlite3.connect(home.database)) as connection, connection:
        for number, (subject, (network, _)) in enumerate(SUBJECTS.items(), start=100):
            connection.execute(
                "INSERT INTO finding (id, number, unit, rule, network, subject, source, severity, state, "
                "first_seen_us, last_seen_us, due_us, clauses, evidence, title_zh, title_en, remediation_zh, "
                "remediation_en, detail, reopened, why, by) "
                "VALUES (?,?,'u','r',?,?,'own_scan','high','open',5,9,?,'[]','','','','','','',0,'','')",
                (number, f"隐患-2026-{number:05d}", network, subject, 9 if number == 100 else None),
            )
        connection.execute(
            "INSERT INTO finding_event (finding, at_us, actor, before, after, reason) "
            "VALUES (100, 7, 'a', '', 'open', 'x')"
        )
        connection.execute(
            "INSERT INTO rectification_order (id, number, unit, issuer, assignee, issued_us, due_us, note) "
            "VALUES (3, '整改-2026-0001', 'u', '信息办', '教务处', 11, 22, '尽快')"
        )
        rows = [(3, 101, 2), (3, 100, 1)]
        connection.executemany('INSERT INTO order_item ("order", finding, position) VALUES (?,?,?)', rows)
    database = Database(home.database)
    with closing(database.connection):
        found = {one.key.subject: one for one in read_findings(database, ["u"])}
        assert {subject: one.kind for subject, one in found.items()} == {
            subject: kind for subject, (_, kind) in SUBJECTS.items()
        }
        first = found["10.0.0.5:443/tcp"]
        assert (first.discovered, first.due_why, first.issuer, first.exercise) == (first.first_seen, "rule r", "", "")
        assert first.learned is not None
        assert (first.learned - first.first_seen).microseconds == 2
        other = found["10.0.0.5"]
        assert (other.learned, other.due_why) == (other.first_seen, "")
        order, one = find_order(database, "整改-2026-0001"), find_assignment(database, "整改-2026-0001")
        assert order is not None
        assert one is not None
        assert (one.kind, one.state) == (AssignmentKind.RECTIFICATION, AssignmentState.ISSUED)
        assert (one.issuer, one.assignee, one.due, one.issued_at) == ("信息办", "教务处", order.due, order.issued_at)
        assert one.items == (AssignmentItem("finding", "100"), AssignmentItem("finding", "101"))
        assert [event.act for event in read_assignment_events(database, one.id)] == [Act.ISSUE]
