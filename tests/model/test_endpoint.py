from __future__ import annotations

from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from sentinel.model.endpoint import AddressRanges, Coverage
from sentinel.model.ports import PortSet
from sentinel.model.unit import IPAddress

addresses = st.one_of(
    st.integers(0, 40).map(lambda one: ip_address((10 << 24) + one)),
    st.integers(0, 40).map(lambda one: ip_address((0x20010DB8 << 96) + one)),
    st.sampled_from([ip_address(text) for text in ("0.0.0.0", "255.255.255.255", "::", "ffff::ffff", "::10.0.0.1")]),
)
spans = st.lists(
    st.tuples(addresses, st.integers(0, 5)).map(lambda one: (one[0], clipped(one[0], one[1]))), max_size=10
)


def clipped(address: IPAddress, more: int) -> IPAddress:
    last = 2 ** (32 if address.version == 4 else 128) - 1
    return type(address)(min(int(address) + more, last))


def members(pairs: list[tuple[IPAddress, IPAddress]]) -> set[IPAddress]:
    return {type(low)(value) for low, high in pairs for value in range(int(low), int(high) + 1)}


@given(spans, st.lists(addresses, max_size=20))
def test_address_ranges_always_hold_exactly_their_members(
    pairs: list[tuple[IPAddress, IPAddress]], others: list[IPAddress]
) -> None:
    ranges, plain = AddressRanges(tuple(pairs)), members(pairs)
    assert len(ranges) == len(plain)
    for address in {*plain, *others}:
        assert (address in ranges) == (address in plain)


@given(spans)
def test_address_ranges_always_are_sorted_disjoint_and_merged_where_they_touch(
    pairs: list[tuple[IPAddress, IPAddress]],
) -> None:
    ranges = AddressRanges(tuple(pairs))
    assert list(ranges.ranges) == sorted(ranges.ranges)
    for one, two in zip(ranges.ranges, ranges.ranges[1:], strict=False):
        assert one[0] < two[0] or one[2] + 1 < two[1]
    again = AddressRanges(tuple(reversed(pairs)))
    assert again == ranges
    assert hash(again) == hash(ranges)


@given(spans, spans)
def test_address_ranges_of_two_sets_overlap_and_join_like_sets(
    one: list[tuple[IPAddress, IPAddress]], two: list[tuple[IPAddress, IPAddress]]
) -> None:
    a, b = AddressRanges(tuple(one)), AddressRanges(tuple(two))
    assert a.overlaps(b) == b.overlaps(a) == bool(members(one) & members(two))
    assert a | b == AddressRanges((*one, *two)) == b | a
    assert (a == b) == (members(one) == members(two))


def test_address_ranges_of_both_versions_never_merge_where_numbers_touch() -> None:
    ranges = AddressRanges(((ip_address("0.0.0.1"), ip_address("0.0.0.1")), (ip_address("::2"), ip_address("::2"))))
    assert ranges.ranges == ((4, 1, 1), (6, 2, 2))
    assert ip_address("::1") not in ranges
    assert ip_address("0.0.0.2") not in ranges


def test_address_ranges_when_compared_with_something_else_are_not_equal() -> None:
    assert AddressRanges() != ()


def test_address_ranges_when_both_have_many_pieces_are_compared_in_one_walk() -> None:
    even = AddressRanges(tuple((ip_address(value), ip_address(value)) for value in range(0, 60_000, 2)))
    odd = AddressRanges(tuple((ip_address(value), ip_address(value)) for value in range(1, 60_000, 2)))
    assert not even.overlaps(odd)  # 900 million pairs, were each compared with each


def test_coverage_holds_only_pairs_of_its_ports_and_addresses() -> None:
    inside, outside = ip_address("10.0.0.1"), ip_address("10.0.0.2")
    coverage = Coverage(
        (("tcp", PortSet.of([(22, 22), (80, 90)])), ("udp", PortSet.of([(53, 53)]))),
        AddressRanges(((inside, inside),)),
    )
    assert coverage.holds(inside, "tcp", 85)
    assert coverage.holds(inside, "udp", 53)
    assert not coverage.holds(inside, "tcp", 53)
    assert not coverage.holds(inside, "udp", 22)
    assert not coverage.holds(inside, "sctp", 22)
    assert not coverage.holds(outside, "tcp", 22)
    assert not Coverage().holds(inside, "tcp", 22)
