"""Assignments: issued with a number, moved on by events that stay, read back as replaying the events gives them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sentinel.model.assignment import (
    Act,
    Assignment,
    AssignmentEvent,
    AssignmentFile,
    AssignmentItem,
    AssignmentKind,
    AssignmentState,
)
from sentinel.respond.assignment import apply_event, replay
from sentinel.store.assignments import (
    find_assignment,
    read_assignment_events,
    read_assignments,
    write_assignment,
    write_step,
)
from sentinel.store.database import Database
from tests.homes import NOW
from tests.store.test_orders import issue as issue_order

DRAFT = Assignment(
    0,
    "",
    AssignmentKind.FORM,
    "school",
    "示例市教育局",
    "示例学校",
    "填报资产",
    NOW + timedelta(days=5),
    (AssignmentItem("form", "7"), AssignmentItem("finding", "3")),
    exercise="演练一",
)


def issue(database: Database, draft: Assignment = DRAFT, at: datetime = NOW) -> Assignment:
    with database.transaction("tester", at) as transaction:
        stored = write_assignment(transaction, draft)
        transaction.audit("assignment.issue", stored.number)
    return stored


def step(database: Database, known: Assignment, act: Act, at: datetime, **words: object) -> Assignment:
    event = AssignmentEvent(act, at, "tester", **({"reason": "说明"} | words))  # type: ignore[arg-type]
    moved = apply_event(known, event)
    with database.transaction("tester", at) as transaction:
        write_step(transaction, moved, event)
    return moved


def test_assignments_are_numbered_within_the_year_of_shanghai(database: Database) -> None:
    times = (NOW, NOW, datetime(2026, 12, 31, 17, tzinfo=UTC))
    assert [issue(database, at=at).number for at in times] == ["任务-2026-0001", "任务-2026-0002", "任务-2027-0001"]


def test_assignment_when_read_back_is_what_replaying_its_events_gives(database: Database) -> None:
    known = stored = issue(database)
    files = (AssignmentFile("a" * 64, "回执.pdf"), AssignmentFile("b" * 64, "表.xlsx"), AssignmentFile("a" * 64, "又"))
    acts: list[tuple[Act, dict[str, object]]] = [
        (Act.RECEIVE, {}),
        (Act.ESCALATE, {"to": "示例省教育厅"}),
        (Act.REPLY, {"files": files}),
        (Act.RETURN, {}),
        (Act.REPLY, {}),
        (Act.ACCEPT, {"reason": ""}),
        (Act.CLOSE, {}),
    ]
    for number, (act, words) in enumerate(acts, start=1):
        known = step(database, known, act, NOW + timedelta(hours=number), **words)
        assert find_assignment(database, known.number) == known
    events = read_assignment_events(database, known.id)
    assert replay(stored, events) == known == find_assignment(database, str(known.id))
    assert known.state is AssignmentState.CLOSED
    assert {one.sha256 for one in events[3].files} == {"a" * 64, "b" * 64}
    assert events[2].to == "示例省教育厅"
    assert [one.exercise for one in events][:1] == ["演练一"]


def test_assignments_are_read_newest_first_by_unit_and_kind(database: Database) -> None:
    one, two = issue(database), issue(database, replace(DRAFT, kind=AssignmentKind.HUNT, unit="other"))
    three = issue(database, replace(DRAFT, kind=AssignmentKind.HUNT))
    assert list(read_assignments(database, ["school"])) == [three, one]
    assert list(read_assignments(database, ["school", "other"])) == [three, one, two]
    assert list(read_assignments(database, ["school"], AssignmentKind.HUNT)) == [three]


def test_order_when_issued_is_carried_by_an_assignment_of_its_number(database: Database) -> None:
    order = issue_order(database)
    (found,) = read_assignments(database, ["school"])
    assert (found.number, found.kind, found.assignee, found.due) == (
        order.number,
        AssignmentKind.RECTIFICATION,
        order.assignee,
        order.due,
    )
    assert found.items == tuple(AssignmentItem("finding", str(one)) for one in order.findings)
    assert [one.act for one in read_assignment_events(database, found.id)] == [Act.ISSUE]
    assert database.one("SELECT rectification FROM assignment") == (order.id,)
    assert issue(database).number == "任务-2026-0001", "orders count for themselves"


@pytest.mark.parametrize("reference", ["", "任务-2026-9999", "99", "9" * 30, "1 OR 1=1"])
def test_assignment_when_there_is_none_is_none(database: Database, reference: str) -> None:
    issue(database)
    assert find_assignment(database, reference) is None
