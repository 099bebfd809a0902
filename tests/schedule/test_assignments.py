"""Assignments and the findings they are about, moved on together or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.errors import UsageError
from sentinel.model.assignment import Act, Assignment, AssignmentKind, AssignmentState
from sentinel.model.finding import Finding, FindingState
from sentinel.model.order import RectificationOrder
from sentinel.model.rule import Severity
from sentinel.schedule.assignments import Doing, do_assignment, issue_assignment, read_items, require_assignment
from sentinel.schedule.closing import Proof, require_finding, retest_finding
from sentinel.schedule.context import Context
from sentinel.schedule.orders import issue_order
from sentinel.schedule.telling import Telling, add_finding
from sentinel.store.assignments import read_assignment_events
from sentinel.store.evidence_budget import HeldBy, read_holdings
from tests.homes import NOW, SCHOOL

DAY = timedelta(days=1)
FORM = Assignment(0, "", AssignmentKind.FORM, SCHOOL.code, "信息办", "图书馆", "填报资产", NOW + 9 * DAY)


def ordered(context: Context, *subjects: str) -> tuple[Assignment, list[Finding]]:
    found = [add_finding(context, SCHOOL, Telling(one, "弱口令", Severity.HIGH))[0] for one in subjects]
    ids = tuple(one.id for one in found)
    draft = RectificationOrder(0, "", SCHOOL.code, "信息办", "教务处", NOW, NOW + 9 * DAY, ids)
    return require_assignment(context, issue_order(context, draft, found).number), found


def do(context: Context, one: Assignment, act: Act, words: str = "说明", **more: object) -> Assignment:
    return do_assignment(context, require_assignment(context, one.number), Doing(act, words, **more))  # type: ignore[arg-type]


def states(context: Context, found: list[Finding]) -> list[str]:
    return [require_finding(context, one.number).state.value for one in found]


def test_rectification_when_answered_has_its_findings_wait_and_when_returned_mended_again(context: Context) -> None:
    one, found = ordered(context, "10.0.0.1", "10.0.0.2")
    assert states(context, found) == ["in_rectification"] * 2
    replied = do(context, one, Act.REPLY, "已改", fixed=True)
    assert (replied.state, replied.received_at) == (AssignmentState.REPLIED, NOW), "a reply is a receipt too"
    assert states(context, found) == ["fixed_unverified"] * 2
    do(context, one, Act.RETURN, "第二项未改")
    assert states(context, found) == ["in_rectification"] * 2
    assert [event.act for event in read_assignment_events(context.database, one.id)] == [
        Act.ISSUE,
        Act.RECEIVE,
        Act.REPLY,
        Act.RETURN,
    ]


def test_reply_without_saying_so_mends_nothing(context: Context) -> None:
    one, found = ordered(context, "10.0.0.1")
    do(context, one, Act.REPLY, "正在处理")
    assert states(context, found) == ["in_rectification"]


def test_rectification_when_findings_are_live_cannot_be_closed(context: Context) -> None:
    one, found = ordered(context, "10.0.0.1")
    do(context, one, Act.REPLY, fixed=True)
    do(context, one, Act.ACCEPT)
    with pytest.raises(UsageError, match="1 findings of it are live"):
        do(context, one, Act.CLOSE)
    assert require_assignment(context, one.number).state is AssignmentState.ACCEPTED
    retest_finding(context, require_finding(context, found[0].number), Proof(), passed=True)
    assert do(context, one, Act.CLOSE).state is AssignmentState.CLOSED


def test_rectification_when_withdrawn_opens_what_no_other_order_holds(context: Context) -> None:
    first, found = ordered(context, "10.0.0.1", "10.0.0.2")
    draft = RectificationOrder(0, "", SCHOOL.code, "信息办", "教务处", NOW, NOW + 9 * DAY, (found[1].id,))
    issue_order(context, draft, [require_finding(context, found[1].number)])
    do(context, first, Act.WITHDRAW)
    assert states(context, found) == ["open", "in_rectification"]
    with pytest.raises(UsageError, match="is withdrawn"):
        do(context, first, Act.RECEIVE)


def test_what_is_refused_leaves_nothing(context: Context) -> None:
    one, found = ordered(context, "10.0.0.1")
    for act, words, told in ((Act.ACCEPT, "x", "cannot accept"), (Act.REPLY, " ", "needs words")):
        with pytest.raises(UsageError, match=told):
            do(context, one, act, words)
    assert require_assignment(context, one.number) == one
    assert len(read_assignment_events(context.database, one.id)) == 1
    assert states(context, found) == ["in_rectification"]


def test_form_is_issued_answered_with_files_and_escalated(context: Context, tmp_path: Path) -> None:
    (tmp_path / "表.xlsx").write_bytes(b"PK")
    one = issue_assignment(context, SCHOOL, FORM)
    do(context, one, Act.ESCALATE, "逾期", to="示例市教育局")
    done = do(context, one, Act.REPLY, "电话 13900005678", files=(tmp_path / "表.xlsx",))
    assert (done.escalations, done.escalated_to, read_items(context, done)) == (1, "示例市教育局", ())
    *_, event = read_assignment_events(context.database, one.id)
    assert [file.name for file in event.files] == ["表.xlsx"]
    assert "13900005678" not in event.reason
    assert {held.held_by for held in read_holdings(context.database, context.evidence)} == {HeldBy.PROOF}


@pytest.mark.parametrize(
    ("draft", "told"),
    [
        (replace(FORM, kind=AssignmentKind.RECTIFICATION), "order issue"),
        (replace(FORM, due=NOW), "in the past"),
        (replace(FORM, assignee=" "), "are needed"),
        (replace(FORM, title="x" * 201), "at most 200"),
    ],
)
def test_assignment_that_cannot_be_is_not_issued(context: Context, draft: Assignment, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        issue_assignment(context, SCHOOL, draft)


def test_form_cannot_be_fixed(context: Context) -> None:
    one = issue_assignment(context, SCHOOL, FORM)
    with pytest.raises(UsageError, match="is no rectification"):
        do(context, one, Act.REPLY, fixed=True)
    with pytest.raises(UsageError, match="no such assignment"):
        require_assignment(context, "任务-2026-9999")
    assert FindingState.FIXED.is_live
