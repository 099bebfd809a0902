"""The life of an assignment: no sequence of acts leads to an illegal state, and replays give the same state."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.model.assignment import Act, Assignment, AssignmentEvent, AssignmentKind, AssignmentState
from sentinel.respond.assignment import allowed_acts, apply_event, find_next, issue, replay

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)
DRAFT = Assignment(7, "任务-2026-0007", AssignmentKind.FORM, "school", "示例市教育局", "示例学校", due=NOW + 5 * DAY)

LEGAL = {
    AssignmentState.ISSUED: {Act.RECEIVE, Act.ESCALATE, Act.WITHDRAW},
    AssignmentState.RECEIVED: {Act.REPLY, Act.ESCALATE, Act.WITHDRAW},
    AssignmentState.REPLIED: {Act.ACCEPT, Act.RETURN, Act.ESCALATE, Act.WITHDRAW},
    AssignmentState.RETURNED: {Act.REPLY, Act.ESCALATE, Act.WITHDRAW},
    AssignmentState.ACCEPTED: {Act.CLOSE, Act.ESCALATE, Act.WITHDRAW},
    AssignmentState.CLOSED: set(),
    AssignmentState.WITHDRAWN: set(),
}
"""Written a second time, from the order of the acts, to hold the machine against."""


def event(act: Act, at: datetime = NOW, words: str = "说明") -> AssignmentEvent:
    return AssignmentEvent(act, at, "tester", words, to="示例省教育厅" if act is Act.ESCALATE else "")


def after(*acts: Act) -> Assignment:
    return replay(DRAFT, [event(Act.ISSUE), *map(event, acts)])


@pytest.mark.parametrize("state", list(AssignmentState))
def test_acts_when_asked_for_a_state_are_exactly_the_legal_ones(state: AssignmentState) -> None:
    assert set(allowed_acts(state)) == LEGAL[state]
    for act in Act:
        known = replace(DRAFT, state=state)
        if act in LEGAL[state]:
            assert apply_event(known, event(act)).state is find_next(state, act)
        else:
            with pytest.raises(ValueError, match=f"is {state}: cannot {act} it"):
                apply_event(known, event(act))


def test_life_when_it_goes_the_usual_way_keeps_every_moment() -> None:
    times = [NOW + number * DAY for number in range(7)]
    acts = [Act.ISSUE, Act.RECEIVE, Act.REPLY, Act.RETURN, Act.REPLY, Act.ACCEPT, Act.CLOSE]
    done = replay(DRAFT, [event(act, at) for act, at in zip(acts, times, strict=True)])
    assert done.state is AssignmentState.CLOSED
    assert (done.issued_at, done.received_at, done.replied_at, done.reviewed_at, done.ended_at) == (
        times[0],
        times[1],
        times[4],
        times[5],
        times[6],
    )
    assert done.replies == 2


def test_escalation_when_it_happens_leaves_the_state_and_counts() -> None:
    once = apply_event(after(Act.RECEIVE), event(Act.ESCALATE))
    twice = apply_event(once, replace(event(Act.ESCALATE), to="示例省委网信办"))
    assert (twice.state, twice.escalations, twice.escalated_to) == (AssignmentState.RECEIVED, 2, "示例省委网信办")


def test_withdrawal_when_it_happens_ends_it() -> None:
    gone = after(Act.RECEIVE, Act.WITHDRAW)
    assert (gone.state, gone.ended_at) == (AssignmentState.WITHDRAWN, NOW)


@pytest.mark.parametrize("act", [Act.REPLY, Act.RETURN, Act.ESCALATE, Act.WITHDRAW])
def test_act_that_needs_words_when_it_has_none_is_refused(act: Act) -> None:
    known = after(Act.RECEIVE) if act is not Act.RETURN else after(Act.RECEIVE, Act.REPLY)
    with pytest.raises(ValueError, match="needs words"):
        apply_event(known, event(act, words="  "))


def test_escalation_when_it_names_nobody_or_another_act_names_somebody_is_refused() -> None:
    with pytest.raises(ValueError, match="to whom"):
        apply_event(after(), replace(event(Act.ESCALATE), to=""))
    with pytest.raises(ValueError, match="to whom"):
        apply_event(after(), replace(event(Act.RECEIVE), to="谁"))


def test_replay_when_it_does_not_begin_with_the_issuing_is_refused() -> None:
    with pytest.raises(ValueError, match="is its issuing"):
        replay(DRAFT, [event(Act.RECEIVE)])


@pytest.mark.parametrize("state", list(AssignmentState))
@pytest.mark.parametrize(("due", "late"), [(None, False), (NOW, False), (NOW - DAY, True)])
def test_assignment_is_overdue_only_while_its_assignee_owes_an_answer(
    state: AssignmentState, due: datetime | None, late: bool
) -> None:
    owes = state in {AssignmentState.ISSUED, AssignmentState.RECEIVED, AssignmentState.RETURNED}
    assert replace(DRAFT, state=state, due=due).is_overdue(NOW) == (late and owes)


ACTS = st.lists(
    st.tuples(st.sampled_from(list(Act)), st.sampled_from(["说明", "", " "]), st.integers(-5, 50)), max_size=30
)


@given(ACTS)
def test_any_sequence_of_acts_never_leads_to_an_illegal_state_and_replays_the_same(
    tried: list[tuple[Act, str, int]],
) -> None:
    first = event(Act.ISSUE)
    known = issue(DRAFT, first)
    happened = [first]
    for act, words, days in tried:
        one = event(act, NOW + days * DAY, words)
        before = known
        try:
            known = apply_event(known, one)
        except ValueError:
            assert act not in LEGAL[before.state] or not words.strip()
            continue
        assert act in LEGAL[before.state]
        happened.append(one)
        check(known, happened)
    assert replay(DRAFT, happened) == known
    assert replay(replace(known), happened) == known, "a draft with a past has none"


def check(known: Assignment, happened: list[AssignmentEvent]) -> None:
    acts = [one.act for one in happened]
    assert (known.received_at is None) == (Act.RECEIVE not in acts)
    assert known.replies == acts.count(Act.REPLY)
    assert known.escalations == acts.count(Act.ESCALATE)
    assert (known.ended_at is None) == (not known.state.is_over)
    if known.state is AssignmentState.CLOSED:
        assert acts.index(Act.RECEIVE) < acts.index(Act.REPLY) < acts.index(Act.ACCEPT) < acts.index(Act.CLOSE)
    if known.state is AssignmentState.REPLIED:
        assert [one for one in acts if one is not Act.ESCALATE][-1] is Act.REPLY
