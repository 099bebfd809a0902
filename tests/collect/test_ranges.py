from __future__ import annotations

from ipaddress import ip_network

from hypothesis import given
from hypothesis import strategies as st

from sentinel.collect.ranges import Range, holds, intersect, merge, range_of, subtract, to_networks

_RANGE = st.tuples(st.sampled_from([4, 6]), st.integers(0, 60), st.integers(0, 20)).map(
    lambda row: (row[0], row[1], row[1] + row[2])
)
_RANGES = st.lists(_RANGE, max_size=8)


def _points(ranges: list[Range] | tuple[Range, ...]) -> set[tuple[int, int]]:
    return {(version, value) for version, low, high in ranges for value in range(low, high + 1)}


@given(_RANGES, _RANGES)
def test_ranges_when_combined_then_equal_sets_of_addresses(left: list[Range], right: list[Range]) -> None:
    assert _points(merge(left)) == _points(left)
    assert _points(subtract(left, right)) == _points(left) - _points(right)
    assert _points(intersect(left, right)) == _points(left) & _points(right)
    assert merge(subtract(left, right)) == subtract(left, right)


@given(_RANGES, _RANGE)
def test_holds_when_merged_then_tells_whether_all_is_inside(ranges: list[Range], asked: Range) -> None:
    assert holds(merge(ranges), asked) == (_points([asked]) <= _points(ranges))


def test_to_networks_when_a_hole_is_cut_then_fewest_prefixes() -> None:
    whole, hole = ip_network("192.0.2.0/29"), ip_network("192.0.2.4/32")
    left = to_networks(subtract([range_of(whole), range_of(ip_network("::1/128"))], [range_of(hole)]))
    assert [str(network) for network in left] == ["192.0.2.0/30", "192.0.2.5/32", "192.0.2.6/31", "::1/128"]
