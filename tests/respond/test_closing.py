"""The two closings: re-test by the unit, closing by the issuer; and findings somebody tells of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sentinel.model.finding import Finding, FindingKey, FindingSource, FindingState, SubjectKind
from sentinel.model.rule import Severity
from sentinel.respond.lifecycle import (
    REOPEN_WITHIN,
    drop_order,
    fail_retest,
    pass_retest,
    prove_gone,
    reject_fix,
    report_fixed,
    set_issuer,
    settle,
    take_notice,
)

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LIVE = [one for one in FindingState if one.is_live]
GONE = [one for one in FindingState if one.is_gone]
EXEMPT = [FindingState.ACCEPTED, FindingState.FALSE_POSITIVE]


def told(**words: object) -> Finding:
    made = Finding(
        0,
        "",
        FindingKey("school", "told.sql注入", 0, "https://a.example/"),
        FindingSource.NOTICE,
        Severity.HIGH,
        FindingState.OPEN,
        NOW,
        NOW,
        title_zh="SQL 注入",
        kind=SubjectKind.URL,
        discovered=NOW,
        learned=NOW,
        issuer="示例市教育局",
    )
    return replace(made, **words)  # type: ignore[arg-type]  # fields by name


def known(state: FindingState = FindingState.OPEN, **words: object) -> Finding:
    return told(id=9, number="隐患-2026-00009", state=state, **words)


def test_states_are_live_gone_or_exempted_and_only_gone_ones_are_final() -> None:
    assert {*LIVE, *GONE, *EXEMPT} == set(FindingState)
    assert not set(LIVE) & set(GONE)
    assert {one for one in FindingState if one.is_final} == {FindingState.VERIFIED, FindingState.CLOSED}


@pytest.mark.parametrize("state", LIVE)
@pytest.mark.parametrize(("issuer", "after"), [("", FindingState.VERIFIED), ("示例市教育局", FindingState.AWAITING)])
def test_retest_when_passed_closes_an_own_finding_and_leaves_one_from_outside_to_its_issuer(
    state: FindingState, issuer: str, after: FindingState
) -> None:
    step = pass_retest(known(state, issuer=issuer), NOW)
    assert (step.finding.state, step.finding.closed_at, step.before, step.reason) == (
        after,
        NOW,
        state,
        "re-test passed",
    )
    assert prove_gone(known(state, issuer=issuer), NOW).finding == step.finding


@pytest.mark.parametrize("state", [*GONE, *EXEMPT])
def test_retest_when_there_is_nothing_to_test_is_refused(state: FindingState) -> None:
    for act in (lambda one: pass_retest(one, NOW), fail_retest, lambda one: report_fixed(one, "x")):
        with pytest.raises(ValueError, match="there is nothing to"):
            act(known(state))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (FindingState.OPEN, FindingState.OPEN),
        (FindingState.RECTIFYING, FindingState.RECTIFYING),
        (FindingState.FIXED, FindingState.RECTIFYING),
    ],
)
def test_retest_when_failed_has_it_mended_again(before: FindingState, after: FindingState) -> None:
    step = fail_retest(known(before))
    assert (step.finding.state, step.finding.closed_at, step.reason) == (after, None, "re-test failed")


def test_issuer_when_it_closes_a_tested_finding_keeps_the_day_of_the_test() -> None:
    for state in (FindingState.AWAITING, FindingState.VERIFIED):
        step = settle(known(state, closed_at=NOW - DAY), NOW)
        assert (step.finding.state, step.finding.closed_at) == (FindingState.CLOSED, NOW - DAY)
        assert (step.before, step.reason) == (state, "closed by its issuer")


@pytest.mark.parametrize("state", LIVE)
def test_issuer_when_nothing_was_tested_must_say_why(state: FindingState) -> None:
    with pytest.raises(ValueError, match="has not passed a re-test"):
        settle(known(state), NOW, "  ")
    step = settle(known(state), NOW, "上级已复测")
    assert (step.finding.state, step.finding.closed_at) == (FindingState.CLOSED, NOW)
    assert step.reason == "closed by its issuer: 上级已复测"


@pytest.mark.parametrize(("state", "words"), [(FindingState.CLOSED, "already"), *((one, "exempted") for one in EXEMPT)])
def test_issuer_when_there_is_nothing_to_close_is_refused(state: FindingState, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        settle(known(state), NOW, "why")


def test_issuer_when_named_later_has_a_tested_finding_wait_and_when_taken_off_no_longer() -> None:
    assert set_issuer(known(), "示例市教育局", "x") is None
    named = set_issuer(known(FindingState.VERIFIED, issuer="", closed_at=NOW), "示例市教育局", "notice 7")
    assert named is not None
    assert (named.finding.state, named.reason) == (FindingState.AWAITING, "notice 7")
    freed = set_issuer(named.finding, "", "notice 7")
    assert freed is not None
    assert (freed.finding.state, freed.finding.issuer) == (FindingState.VERIFIED, "")
    live = set_issuer(known(issuer=""), "示例市教育局", "x")
    assert live is not None
    assert live.finding.state is FindingState.OPEN


def test_reply_when_it_says_mended_waits_for_the_test_and_when_returned_is_mended_again() -> None:
    fixed = report_fixed(known(FindingState.RECTIFYING), "reply of 整改-2026-0001")
    assert (fixed.finding.state, fixed.reason) == (FindingState.FIXED, "reply of 整改-2026-0001")
    back = reject_fix(fixed.finding, "returned")
    assert back is not None
    assert back.finding.state is FindingState.RECTIFYING
    assert reject_fix(back.finding, "returned") is None
    opened = drop_order(back.finding, "withdrawn")
    assert opened is not None
    assert opened.finding.state is FindingState.OPEN
    assert drop_order(opened.finding, "withdrawn") is None


def test_telling_when_it_is_the_first_opens_the_finding_as_told() -> None:
    step = take_notice(None, told(), NOW)
    assert (step.finding, step.before, step.reason) == (told(), "", "told")


def test_telling_again_when_live_fills_in_what_was_missing_and_takes_the_nearer_deadline() -> None:
    before = known(due=NOW + 9 * DAY, due_why="hand", issuer="", reference="A-1", evidence="e" * 64, detail="旧")
    again = told(
        due=NOW + DAY,
        due_why="notice 7",
        responsible="教务处",
        occurred=NOW - DAY,
        reported=NOW,
        evidence="",
        last_seen=NOW + DAY,
    )
    found = take_notice(before, again, NOW).finding
    assert (found.due, found.due_why, found.issuer) == (NOW + DAY, "notice 7", "示例市教育局")
    assert (found.responsible, found.occurred, found.reported) == ("教务处", NOW - DAY, NOW)
    assert (found.reference, found.evidence, found.detail) == ("A-1", "e" * 64, "旧")
    later = take_notice(found, told(due=NOW + 20 * DAY, due_why="hand"), NOW).finding
    assert (later.due, later.due_why) == (NOW + DAY, "notice 7")


@pytest.mark.parametrize("state", GONE)
def test_telling_again_within_90_days_reopens_and_keeps_the_first_day(state: FindingState) -> None:
    before = known(state, closed_at=NOW - REOPEN_WITHIN, first_seen=NOW - 200 * DAY, discovered=NOW - 200 * DAY)
    step = take_notice(before, told(), NOW)
    assert (step.finding.state, step.reason) == (FindingState.OPEN, "reported again")
    assert (step.finding.first_seen, step.finding.discovered) == (NOW - 200 * DAY, NOW - 200 * DAY)
    assert step.finding.reopened == 1


@pytest.mark.parametrize("state", GONE)
def test_telling_again_after_90_days_starts_anew_with_its_times(state: FindingState) -> None:
    before = known(state, closed_at=NOW - 91 * DAY, first_seen=NOW - 200 * DAY, learned=NOW - 199 * DAY)
    found = take_notice(before, told(), NOW).finding
    assert (found.state, found.first_seen, found.learned) == (FindingState.OPEN, NOW, NOW)
    assert found.number == before.number


def test_telling_that_is_older_than_the_test_leaves_it_closed_and_to_its_issuer() -> None:
    before = known(FindingState.VERIFIED, closed_at=NOW + DAY, issuer="", last_seen=NOW - DAY)
    step = take_notice(before, told(), NOW)
    assert (step.finding.state, step.finding.issuer) == (FindingState.AWAITING, "示例市教育局")
