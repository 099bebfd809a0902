from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.model.register import Person
from sentinel.model.system import SystemFacts, SystemPersons, SystemState, SystemStep, next_state

D, S, A, B, R = SystemState


@pytest.mark.parametrize(
    ("before", "step", "after"),
    [
        (None, SystemStep.DECLARED, D),
        (D, SystemStep.SUBMITTED, S),
        (S, SystemStep.APPROVED, A),
        (S, SystemStep.RETURNED, B),
        (A, SystemStep.RETURNED, B),
        (B, SystemStep.SUBMITTED, S),
        (A, SystemStep.CHANGED, D),
        (S, SystemStep.CHANGED, D),
        (B, SystemStep.CHANGED, B),
        (A, SystemStep.CONFIRMED, A),
        (A, SystemStep.RETIRED, R),
        (R, SystemStep.DECLARED, D),
    ],
)
def test_step_that_is_open_leads_on(before: SystemState | None, step: SystemStep, after: SystemState) -> None:
    assert next_state(before, step) is after


@pytest.mark.parametrize(
    ("before", "step", "words"),
    [
        (D, SystemStep.APPROVED, "is draft: only what is submitted can be approved"),
        (A, SystemStep.SUBMITTED, "is approved: only what is draft or returned can be submitted"),
        (R, SystemStep.CONFIRMED, "is retired: only what is draft or submitted or approved or returned"),
        (D, SystemStep.DECLARED, "is draft: only what is retired can be declared"),
        (None, SystemStep.SUBMITTED, "is not declared"),
    ],
)
def test_step_that_is_not_open_says_from_where_it_is(before: SystemState | None, step: SystemStep, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        next_state(before, step)


@given(st.lists(st.sampled_from(SystemStep), max_size=12))
def test_any_steps_never_approve_what_was_not_submitted_last(steps: list[SystemStep]) -> None:
    state, taken = next_state(None, SystemStep.DECLARED), []
    for step in steps:
        try:
            state = next_state(state, step)
        except ValueError:
            continue
        taken.append(step)
        if step is SystemStep.APPROVED:
            telling = [one for one in taken[:-1] if one is not SystemStep.CONFIRMED]
            assert telling[-1] is SystemStep.SUBMITTED


def test_level_is_the_higher_of_the_two_and_the_told_one_only_without_them() -> None:
    assert SystemFacts("甲", business_level=2, service_level=3).level == 3
    assert SystemFacts("甲", service_level=1, told_level=3).level == 1
    assert SystemFacts("甲", told_level=3).level == 3
    assert SystemFacts("甲").level is None


def test_persons_are_masked_all_three() -> None:
    told = SystemPersons(Person("示例甲", "0371-60000001"), Person("示例乙", "", "yi@school.example"), Person("示例丙"))
    assert not told.is_nobody
    assert SystemPersons().is_nobody
    text = repr(told.masked)
    assert not any(word in text for word in ("示例", "60000001", "yi@"))
