from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.model.moment import (
    EARLIEST,
    from_epoch,
    from_microseconds,
    from_optional,
    is_possible,
    iso_utc,
    local_date,
    local_text,
    parse_moment,
    to_microseconds,
    to_optional,
)

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T08:30:00+08:00", "2026-11-22T00:30:00Z"),
        ("2026-11-22T08:30", "2026-11-22T00:30:00Z"),
        ("2026-11-22 08:30:15", "2026-11-22T00:30:15Z"),
        ("2026-11-22T08:30:00Z", "2026-11-22T08:30:00Z"),
        ("2026-11-22T08:30:00-05:00", "2026-11-22T13:30:00Z"),
        ("20261122T0830", "2026-11-22T00:30:00Z"),
        ("2026-11-22T00", "2026-11-21T16:00:00Z"),
        ("  2026-11-22T08:30  ", "2026-11-22T00:30:00Z"),
        ("2026-11-22T08:30:00.25", "2026-11-22T00:30:00.250000Z"),
    ],
)
def test_parse_moment_when_a_zone_is_missing_takes_shanghai(text: str, expected: str) -> None:
    assert iso_utc(parse_moment(text)) == expected


@pytest.mark.parametrize("text", ["2026-11-22", "20261122", "2026-W47-7", " 2026-11-22 "])
def test_parse_moment_when_only_a_day_is_told_gives_its_last_moment_in_shanghai(text: str) -> None:
    assert parse_moment(text) == datetime(2026, 11, 22, 15, 59, 59, 999999, UTC)


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "yesterday", "2026", "2026-11", "22.11.2026", "2026-13-01", "2026-02-30", "2026-1122", "1790000000",
        "2026-11-22T25:00", "2026-11-22T08:30+99:00", "9999-12-31T20:00-05:00", "9999-12-31T23:59-08:00",
        "0001-01-01T00:00", "２０２６-11-22", "-2026-11-22", "2026-11-22;rm",
    ],
)  # fmt: skip
def test_parse_moment_when_it_is_no_time_raises_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="no ISO 8601 time") as caught:
        parse_moment(text)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=30))
def test_parse_moment_when_given_anything_gives_utc_or_raises_value_error(text: str) -> None:
    try:
        moment = parse_moment(text)
    except ValueError:
        return
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [None, "", "-", "XXXXXXXXXX", "masked", "nan", "inf", "-inf", 0, "0", -1, 1e30, "1e300", 788918399, [], "9e15"],
)
def test_from_epoch_when_masked_or_impossible_gives_none(value: object) -> None:
    assert from_epoch(value) is None  # type: ignore[arg-type]  # what tools print


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1790000000, datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)),
        ("1790000000", datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)),
        ("1790000000.5", datetime(2026, 9, 21, 14, 13, 20, 500000, tzinfo=UTC)),
        (788918400, EARLIEST),
    ],
)
def test_from_epoch_when_told_gives_utc(value: float | str, expected: datetime) -> None:
    assert from_epoch(value) == expected


def test_is_possible_when_before_1995_or_over_a_day_ahead_is_false() -> None:
    assert is_possible(NOW, NOW)
    assert is_possible(EARLIEST, NOW)
    assert is_possible(NOW + timedelta(days=1), NOW)
    assert not is_possible(NOW + timedelta(days=1, microseconds=1), NOW)
    assert not is_possible(EARLIEST - timedelta(microseconds=1), NOW)
    assert not is_possible(None, NOW)


@given(
    st.integers(to_microseconds(EARLIEST), to_microseconds(datetime(9999, 12, 30, tzinfo=UTC))).map(from_microseconds)
)
def test_microseconds_always_lead_back_to_the_same_moment(moment: datetime) -> None:
    assert from_microseconds(to_microseconds(moment)) == moment
    assert from_optional(to_optional(moment)) == moment
    assert parse_moment(iso_utc(moment)) == moment
    other = moment.astimezone(timezone(timedelta(hours=-7)))
    assert to_microseconds(other) == to_microseconds(moment)


def test_optional_microseconds_when_there_is_none_give_none() -> None:
    assert to_optional(None) is None
    assert from_optional(None) is None


def test_local_text_always_shows_shanghai_and_a_dash_for_none() -> None:
    moment = datetime(2026, 11, 21, 16, 30, 7, tzinfo=UTC)
    assert local_text(moment) == "2026-11-22 00:30"
    assert local_text(moment, seconds=True) == "2026-11-22 00:30:07"
    assert local_date(moment) == "2026-11-22"
    assert local_text(None) == local_date(None) == "—"
