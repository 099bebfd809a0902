from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.inventory.joining import GAP_US, LATEST_US, Busy, Stretch, join, read_stretch
from sentinel.model.moment import to_microseconds
from sentinel.model.sighting import HoldingObservation, HoldingSource
from sentinel.model.trace import LogKind, Told
from tests.inventory.made import ADDRESS, DAY_0, day

HOUR = 3_600_000_000
STRETCHES = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 8)).map(lambda pair: Stretch(pair[0], sum(pair))), max_size=12
)


def holding(**words: object) -> HoldingObservation:
    return HoldingObservation(ADDRESS, HoldingSource.DHCP, **words)  # type: ignore[arg-type]  # fields by name


def slow_join(stretches: list[Stretch], gap: int) -> set[tuple[int, int]]:
    """Join whichever two are near until none are."""
    left = [(one.since, one.until) for one in stretches]
    while True:
        near = next(
            (
                (one, other)
                for place, one in enumerate(left)
                for other in left[place + 1 :]
                if one[0] <= other[1] + gap and other[0] <= one[1] + gap
            ),
            None,
        )
        if near is None:
            return set(left)
        left.remove(near[0])
        left.remove(near[1])
        left.append((min(near[0][0], near[1][0]), max(near[0][1], near[1][1])))


@given(STRETCHES, st.integers(0, 5))
def test_stretches_when_joined_are_those_of_the_slow_model(stretches: list[Stretch], gap: int) -> None:
    assert {(one.since, one.until) for one in join(stretches, gap)} == slow_join(stretches, gap)


@given(STRETCHES, STRETCHES, st.integers(0, 5))
def test_stretches_when_they_come_in_two_parts_join_as_if_together(
    first: list[Stretch], second: list[Stretch], gap: int
) -> None:
    in_parts = join([*join(first, gap), *second], gap)
    assert in_parts == join([*first, *second], gap)
    assert join([*in_parts, *first], gap) == in_parts  # the same again changes nothing


@given(STRETCHES, st.integers(0, 5))
def test_stretches_when_joined_lie_apart_in_the_order_of_time(stretches: list[Stretch], gap: int) -> None:
    assert all(later.since > earlier.until + gap for earlier, later in pairwise(join(stretches, gap)))


def test_moments_when_minutes_apart_are_one_stretch_and_when_hours_apart_are_two() -> None:
    gap = GAP_US[Told.SEEN]
    assert join([Stretch(0, 0), Stretch(HOUR // 12, HOUR // 12)], gap) == [Stretch(0, HOUR // 12)]
    assert len(join([Stretch(0, 0), Stretch(2 * HOUR, 2 * HOUR)], gap)) == 2


def test_joined_stretch_when_its_end_is_told_names_the_run_that_told_it() -> None:
    assert join([Stretch(0, 5, 1), Stretch(3, 9, 2)], 0) == [Stretch(0, 9, 2)]


@pytest.mark.parametrize(
    ("seen", "told", "hours"),
    [
        (holding(since=day(0), until=day(0) + timedelta(hours=8)), Told.HELD, (0, 8)),
        (holding(since=day(0), until=day(0)), Told.SEEN, (0, 0)),
        (holding(since=day(0)), Told.BEGUN, (0, 0)),
        (holding(until=day(0)), Told.ENDED, (0, 0)),
        (holding(), Told.SEEN, (24, 24)),
        (holding(since=day(0), until=day(0) - timedelta(hours=1)), Told.SEEN, (0, 0)),
    ],
    ids=["span", "moment", "beginning", "end", "no time: when the table was made", "end before beginning"],
)
def test_holding_when_read_is_told_as_its_times_say(
    seen: HoldingObservation, told: Told, hours: tuple[int, int]
) -> None:
    start = to_microseconds(DAY_0)
    assert read_stretch(seen, day(1), day(2)) == (told, start + hours[0] * HOUR, start + hours[1] * HOUR)


def test_holding_when_it_lies_in_the_future_is_not_read() -> None:
    assert read_stretch(holding(since=day(9)), day(1), day(2)) is None


def test_lease_when_only_its_end_is_told_was_held_when_its_table_was_made() -> None:
    assert read_stretch(holding(until=day(9)), day(1), day(1)) == (
        Told.HELD, to_microseconds(day(1)), to_microseconds(day(9)),
    )  # fmt: skip
    ended = to_microseconds(day(0))
    assert read_stretch(holding(until=day(0)), day(1), day(1)) == (Told.ENDED, ended, ended)


def test_lease_when_it_is_for_ever_ends_where_it_can_be_shown() -> None:
    told = read_stretch(holding(since=day(0), until=day(0).replace(year=9999)), day(1), day(2))
    assert told == (Told.HELD, to_microseconds(day(0)), LATEST_US)


def test_log_when_it_has_a_hole_of_hours_speaks_of_two_stretches() -> None:
    busy = Busy()
    for minute in (0, 30, 70, 300, 310, 305):
        busy.add(minute * HOUR // 60)
    spans = [(one.since * 60 // HOUR, one.until * 60 // HOUR, one.run) for one in busy.stretches(LogKind.NAT, 7)]
    assert spans == [(0, 70, 7), (300, 310, 7)]
    assert len(busy.stretches(LogKind.DHCP, 7)) == 1  # nobody asks for a lease at night


def test_address_when_it_is_of_version_six_is_read_alike() -> None:
    seen = HoldingObservation(ip_address("2001:db8::1"), HoldingSource.NEIGHBOUR, since=day(0), until=day(0))
    assert read_stretch(seen, day(1), day(2)) == (Told.SEEN, to_microseconds(day(0)), to_microseconds(day(0)))
