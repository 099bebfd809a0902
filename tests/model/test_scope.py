from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sentinel.model.scope import Authorisation, Level

START = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
PAPER = Authorisation(1, "u", (), "by", "document", START, START + timedelta(days=1), Level.DISCOVER)


@pytest.mark.parametrize("level", list(Level))
def test_level_as_word_is_read_back_as_the_same_level(level: Level) -> None:
    assert Level.named(level.word) is level
    assert Level.named(f"  {level.word.upper()} ") is level


@pytest.mark.parametrize("text", ["", "all", "3", "service,check"])
def test_level_named_when_it_is_none_raises(text: str) -> None:
    with pytest.raises(ValueError, match="no such level"):
        Level.named(text)


def test_levels_always_stand_in_the_order_of_their_reach() -> None:
    assert Level.PASSIVE < Level.DISCOVER < Level.SERVICE < Level.CHECK


@pytest.mark.parametrize(
    ("after", "valid"),
    [(-1, False), (0, True), (3600, True), (86400, True), (86401, False)],
)
def test_authorisation_is_valid_from_its_first_to_its_last_moment(after: int, valid: bool) -> None:
    assert PAPER.is_valid(START + timedelta(seconds=after)) is valid


def test_authorisation_when_withdrawn_is_never_valid() -> None:
    assert not replace(PAPER, withdrawn_at=START + timedelta(days=9)).is_valid(START)
