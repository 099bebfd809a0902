"""The tree of units in the store: dated moves and renames, paths; any sequence of them held against a plain model."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentinel.errors import UsageError
from sentinel.model.unit import DEFAULT_NETWORK, Unit, UnitLevel
from sentinel.model.unit_kind import UnitKind
from sentinel.store.audit import read_audit
from sentinel.store.database import Database
from sentinel.store.unit_history import read_timeline
from sentinel.store.unit_tree import insert_units, move_unit, read_unit_at, rename_unit, update_units
from sentinel.store.units import change_unit, find_unit, find_unit_called, read_networks, read_units, write_unit
from tests.homes import NOW

DAY = timedelta(days=1)


@pytest.fixture
def tree(database: Database) -> Database:
    """Two cities, a county in the first, a school in it, a department in that."""
    with database.transaction("tester", NOW - 30 * DAY, objects=True) as transaction:
        for unit in (
            Unit("c1", "甲市教育局", UnitLevel.CITY),
            Unit("c2", "乙市教育局", UnitLevel.CITY),
            Unit("k", "丙县教育局", UnitLevel.COUNTY, parent="c1"),
            Unit("s", "丁小学", parent="k"),
            Unit("d", "信息处", UnitLevel.DEPARTMENT, parent="s"),
        ):
            write_unit(transaction, unit)
    return database


def get(database: Database, code: str) -> Unit:
    unit = find_unit(database, code)
    assert unit is not None
    return unit


def move(database: Database, code: str, parent: str, days_ago: float = 0) -> Unit:
    with database.transaction("tester", NOW) as transaction:
        above = get(database, parent) if parent else None
        return move_unit(transaction, get(database, code), above, NOW - days_ago * DAY, "文号")


def rename(database: Database, code: str, name: str, days_ago: float = 0) -> Unit:
    with database.transaction("tester", NOW) as transaction:
        return rename_unit(transaction, get(database, code), name, NOW - days_ago * DAY, "文号")


def paths(database: Database) -> dict[str, str]:
    return {one.code: one.path for one in read_units(database) if one.code != "school"}


def test_unit_that_moves_takes_all_below_it_and_the_day_is_kept(tree: Database) -> None:
    moved = move(tree, "k", "c2", days_ago=5)
    assert moved.path == "c2/k"
    assert paths(tree) == {"c1": "c1", "c2": "c2", "k": "c2/k", "s": "c2/k/s", "d": "c2/k/s/d"}
    assert read_unit_at(tree, get(tree, "s"), NOW - 6 * DAY).path == "c1/k/s"
    assert read_unit_at(tree, get(tree, "s"), NOW - 4 * DAY).path == "c2/k/s"
    assert read_unit_at(tree, get(tree, "s"), None) == get(tree, "s")
    entry = next(iter(read_audit(tree.connection, 1)))
    assert (entry.action, entry.subject) == ("unit.move", "unit k")


def test_unit_moved_to_the_root_has_its_own_path(tree: Database) -> None:
    assert move(tree, "k", "").path == "k"
    assert paths(tree)["d"] == "k/s/d"


def test_unit_renamed_is_called_by_the_name_of_the_day_and_keeps_the_old_one_as_alias(tree: Database) -> None:
    renamed = rename(tree, "s", "丁实验小学", days_ago=3)
    assert (renamed.name, renamed.aliases, renamed.since) == ("丁实验小学", ("丁小学",), NOW - 3 * DAY)
    assert get(tree, "s") == renamed
    assert read_unit_at(tree, renamed, NOW - 4 * DAY).name == "丁小学"
    late = rename(tree, "s", "丁中心小学", days_ago=9)
    assert late.name == "丁实验小学"
    assert late.aliases == ("丁小学", "丁中心小学")  # it was called so for six days
    names = [one.name for one in read_timeline(tree, late)]
    assert names == ["丁小学", "丁中心小学", "丁实验小学"]


@pytest.mark.parametrize(("code", "parent"), [("k", "s"), ("k", "d"), ("k", "k")])
def test_move_below_itself_or_a_lower_level_is_refused_and_changes_nothing(
    tree: Database, code: str, parent: str
) -> None:
    before = paths(tree)
    with pytest.raises(UsageError, match=r"below|cannot stand"):
        move(tree, code, parent)
    assert paths(tree) == before


def test_move_below_what_stood_below_it_then_is_refused(tree: Database) -> None:
    with tree.transaction("tester", NOW - 30 * DAY, objects=True) as transaction:
        write_unit(transaction, Unit("x", "x", UnitLevel.COUNTY, parent="k"))
    move(tree, "x", "c1", days_ago=5)
    with pytest.raises(UsageError, match="stood below k then"):
        move(tree, "k", "x", days_ago=10)
    assert move(tree, "k", "x", days_ago=2).path == "c1/x/k"


def test_change_that_is_still_to_come_is_refused(tree: Database) -> None:
    with pytest.raises(UsageError, match="lies in the future"):
        rename(tree, "s", "新", days_ago=-1)
    assert get(tree, "s").name == "丁小学"


def test_unit_set_keeps_what_was_and_a_correction_does_not(tree: Database) -> None:
    with tree.transaction("tester", NOW, objects=True) as transaction:
        change_unit(transaction, get(tree, "s"), replace(get(tree, "s"), name="新名", kind=UnitKind.PRIMARY))
    assert [one.name for one in read_timeline(tree, get(tree, "s"))] == ["丁小学", "新名"]
    with tree.transaction("tester", NOW, objects=True) as transaction:
        change_unit(transaction, get(tree, "s"), replace(get(tree, "s"), name="改字"), correct=True)
    assert [one.name for one in read_timeline(tree, get(tree, "s"))] == ["丁小学", "改字"]
    assert get(tree, "s").kind is UnitKind.PRIMARY


def test_code_that_changes_takes_the_history_with_it(tree: Database) -> None:
    move(tree, "k", "c2", days_ago=5)
    with tree.transaction("tester", NOW, objects=True) as transaction:
        change_unit(transaction, get(tree, "c1"), replace(get(tree, "c1"), code="3300000001"))
        change_unit(transaction, get(tree, "k"), replace(get(tree, "k"), code="3300000002"))
    assert [one.parent for one in read_timeline(tree, get(tree, "3300000002"))] == ["3300000001", "c2"]
    assert read_unit_at(tree, get(tree, "s"), NOW - 6 * DAY).path == "3300000001/3300000002/s"


def test_level_that_does_not_fit_above_or_below_is_refused(tree: Database) -> None:
    for level in (UnitLevel.PROVINCE, UnitLevel.DEPARTMENT):
        with (
            pytest.raises(UsageError, match=r"cannot stand|stands under"),
            tree.transaction("tester", NOW, objects=True) as transaction,
        ):
            change_unit(transaction, get(tree, "k"), replace(get(tree, "k"), level=level))
    with (
        pytest.raises(UsageError, match="cannot stand under s"),
        tree.transaction("tester", NOW, objects=True) as transaction,
    ):
        write_unit(transaction, Unit("y", "y", UnitLevel.CITY, parent="s"))


def test_many_units_are_added_with_their_networks_and_changed_from_a_day_on(tree: Database) -> None:
    added = [Unit(f"n{one}", f"新校{one}", parent="k", path=f"c1/k/n{one}", aliases=("别",)) for one in range(3)]
    with tree.transaction("tester", NOW) as transaction:
        insert_units(transaction, added)
        transaction.audit("test", "units")
    assert get(tree, "n1") == added[1]
    assert [one.name for one in read_networks(tree, "n1")] == [DEFAULT_NETWORK]
    after = replace(added[1], name="改名", parent="c2", path="c2/n1", region="410100")
    with tree.transaction("tester", NOW) as transaction:
        update_units(transaction, [(added[1], after)], {"n1": "c2/n1"}, NOW - DAY, "名单")
        transaction.audit("test", "units")
    assert get(tree, "n1") == replace(after, since=NOW - DAY, aliases=("别", "新校1"))
    assert read_unit_at(tree, get(tree, "n1"), NOW - 2 * DAY).path == "c1/k/n1"
    now = get(tree, "n1")
    with tree.transaction("tester", NOW) as transaction:
        update_units(transaction, [(now, replace(now, name="旧名单之名"))], {}, NOW - 5 * DAY, "较早的名单")
        transaction.audit("test", "units")
    assert (get(tree, "n1").name, get(tree, "n1").aliases) == ("改名", ("别", "新校1", "旧名单之名"))


CODES = ("c1", "c2", "k", "s", "d")
steps = st.lists(
    st.tuples(st.sampled_from(CODES), st.sampled_from(("", *CODES)), st.integers(0, 20)), min_size=1, max_size=8
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_any_sequence_of_moves_keeps_a_tree_whose_paths_are_those_of_the_parents(
    tree: Database, moves: list[tuple[str, str, int]]
) -> None:
    for code, parent, days in moves:
        try:
            move(tree, code, parent, days)
        except UsageError:
            continue
        units = {one.code: one for one in read_units(tree)}
        for one in units.values():
            above = units[one.parent] if one.parent else None
            assert one.path == (f"{above.path}/{one.code}" if above else one.code)
            assert one.path.split("/").count(one.code) == 1
            timeline = read_timeline(tree, one)
            assert timeline[-1].parent == one.parent
            assert all(two.since == three.until for three, two in pairwise(timeline))


def test_unit_when_renamed_is_found_by_its_old_name_unless_several_had_it(database: Database) -> None:
    units = [Unit("u1", "一小_%"), Unit("u2", '二"小'), Unit("u3", "三小")]
    with database.transaction("tester", NOW, objects=True) as transaction:
        made = [write_unit(transaction, one) for one in units]
    with database.transaction("tester", NOW) as transaction:
        for one in made:
            rename_unit(transaction, one, f"新{one.code}", NOW, "更名")
    assert [find_unit_called(database, one.name) for one in units] == [find_unit(database, one.code) for one in units]
    for name in ("一小", "一小__", "", "没有", "%"):
        assert find_unit_called(database, name) is None
    with database.transaction("tester", NOW) as transaction:
        again = rename_unit(transaction, made[0], "三小", NOW, "更名")
        rename_unit(transaction, again, "新一", NOW, "更名")
    assert find_unit_called(database, "三小") is None, "two units were called so"
