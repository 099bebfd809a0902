from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sentinel.model.standing import Reason
from sentinel.model.system import SystemState
from sentinel.model.upkeep import Mark, PlaceKind, PlaceReason, PlaceState
from sentinel.report.place_words import place_kind, place_reason, place_state, system_state

SINCE = datetime(2026, 11, 2, 20, 0, tzinfo=UTC)


@pytest.mark.parametrize("reason", [*Reason, *PlaceReason])
def test_every_reason_has_words_in_both_languages_with_and_without_a_day(reason: Reason | PlaceReason) -> None:
    plain = place_reason(Mark(PlaceState.SEEN, reason))
    dated = place_reason(Mark(PlaceState.SEEN, reason, SINCE))
    assert plain.zh
    assert plain.en
    assert not plain.zh.endswith(("自", "至"))
    assert "2026-11-03" in dated.zh
    assert "2026-11-03" in dated.en


def test_every_state_and_kind_has_its_own_words() -> None:
    assert len({place_state(one).zh for one in PlaceState}) == len(PlaceState)
    assert len({place_kind(one).zh for one in PlaceKind}) == len(PlaceKind)
    assert len({system_state(one).zh for one in SystemState}) == len(SystemState)
