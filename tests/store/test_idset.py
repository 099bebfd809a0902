from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sentinel.store.idset import IdSet, pack_ids, unpack_ids

ids = st.sets(st.one_of(st.integers(1, 300), st.integers(1, 100_000)), max_size=60)
stretches = st.lists(st.tuples(st.integers(1, 5_000), st.integers(0, 400)), max_size=6).map(
    lambda pairs: {one for low, more in pairs for one in range(low, low + more + 1)}
)


@given(st.one_of(ids, stretches))
def test_packed_ids_are_always_read_back(plain: set[int]) -> None:
    assert set(unpack_ids(pack_ids(sorted(plain)))) == plain
    assert pack_ids(IdSet(plain)) == pack_ids(sorted(plain))


@given(ids, ids)
def test_id_set_always_behaves_like_a_set(first: set[int], second: set[int]) -> None:
    made = IdSet(first)
    assert list(made) == sorted(first)
    assert all((one in made) == (one in first) for one in (*first, *second, 0, -1, 10**9))
    made.update(second)
    made.add(7)
    assert set(made) == first | second | {7}


@given(ids, ids)
def test_joining_gives_the_ids_that_were_new(first: set[int], second: set[int]) -> None:
    made = IdSet(first)
    assert set(made.join(IdSet(second))) == second - first
    assert set(made) == first | second
    assert not made.join(IdSet(second))


def test_id_set_holds_nothing_but_ids() -> None:
    assert "1" not in IdSet([1])
    assert None not in IdSet([1])


def test_no_ids_take_no_bytes() -> None:
    assert pack_ids([]) == b""
    assert list(unpack_ids(b"")) == []


def test_unchanged_week_of_many_intervals_takes_few_bytes() -> None:
    assert len(pack_ids(range(1, 200_001))) < 40
