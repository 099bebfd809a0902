from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.inventory.unit_tree import UnitLine, build_paths, find_loops, guess_level, plan_units
from sentinel.model.unit import Unit, UnitLevel
from sentinel.model.unit_kind import UnitKind

CITY = Unit("city", "示例市教育局", UnitLevel.CITY, path="city")
SCHOOL = Unit("s", "示例小学", parent="city", path="city/s")


def faults(plan: object) -> list[tuple[int, str]]:
    return [(one.line, one.field) for one in plan.faults]  # type: ignore[attr-defined]  # a plan


def test_lines_in_any_order_make_a_tree_with_parents_first() -> None:
    lines = [
        UnitLine("s", "示例小学", parent="示例县教育局"),
        UnitLine("k", "示例县教育局", parent="city"),
        UnitLine("city", "示例市教育局"),
    ]
    plan = plan_units([], lines)
    assert [one.path for one in plan.added] == ["city", "city/k", "city/k/s"]
    assert [one.level for one in plan.added] == [UnitLevel.CITY, UnitLevel.COUNTY, UnitLevel.SCHOOL]
    assert (plan.faults, plan.changed, plan.same) == ((), (), 0)


def test_list_when_planned_again_on_its_result_changes_nothing() -> None:
    lines = [UnitLine("city", "示例市教育局"), UnitLine("s", "小学", parent="city", aliases=("旧",), region="410100")]
    made = plan_units([], lines).added
    again = plan_units(made, lines)
    assert (again.added, again.changed, again.paths, again.same) == ((), (), {}, 2)


def test_new_units_without_a_parent_stand_under_the_one_told_and_known_ones_stay() -> None:
    lines = [UnitLine("s", "示例小学"), UnitLine("n", "新校")]
    plan = plan_units([CITY, SCHOOL, Unit("o", "o", path="o")], lines, Unit("o", "o", path="o"))
    assert [one.path for one in plan.added] == ["o/n"]
    assert plan.changed == ()


def test_unit_that_moves_takes_those_below_with_it() -> None:
    other = Unit("other", "另一市教育局", UnitLevel.CITY, path="other")
    room = Unit("d", "信息处", UnitLevel.DEPARTMENT, parent="s", path="city/s/d")
    plan = plan_units([CITY, other, SCHOOL, room], [UnitLine("s", "示例小学", parent="other")])
    assert plan.paths == {"s": "other/s", "d": "other/s/d"}
    ((before, after),) = plan.changed
    assert (before, after.parent, after.path) == (SCHOOL, "other", "other/s")


def test_what_a_line_does_not_say_stays_and_aliases_are_only_added() -> None:
    known = replace(SCHOOL, region="410100", kind=UnitKind.PRIMARY, aliases=("旧名",))
    plan = plan_units([CITY, known], [UnitLine("s", "新名", aliases=("别名",))])
    ((_, after),) = plan.changed
    assert (after.region, after.kind, after.aliases, after.parent) == (
        "410100", UnitKind.PRIMARY, ("旧名", "别名"), "city",
    )  # fmt: skip


def test_line_without_a_code_is_found_by_its_name_or_takes_it_as_code() -> None:
    plan = plan_units([CITY, SCHOOL], [UnitLine("", "示例小学", region="410100"), UnitLine("", "新园", parent="city")])
    assert plan.codes == {0: "s", 1: "新园"}
    assert [one.code for one in plan.added] == ["新园"]


def test_lines_without_a_code_that_cannot_be_told_apart_are_named() -> None:
    lines = [UnitLine("", "中心小学"), UnitLine("", "中心小学"), UnitLine("", "同名")]
    plan = plan_units([Unit("1", "同名", path="1"), Unit("2", "同名", path="2")], lines)
    assert faults(plan) == [(0, "code"), (1, "code"), (2, "code")]


def test_code_that_stands_twice_is_named_unless_both_say_the_same() -> None:
    lines = [UnitLine("a", "甲"), UnitLine("a", "乙"), UnitLine("b", "丙"), UnitLine("b", "丙")]
    plan = plan_units([], lines)
    assert faults(plan) == [(1, "code")]
    assert [one.code for one in plan.added] == ["a", "b"]


def test_parent_that_is_not_there_or_not_told_apart_takes_only_its_line_and_those_below() -> None:
    lines = [
        UnitLine("a", "甲校", parent="没有的局"),
        UnitLine("b", "乙处", level=UnitLevel.DEPARTMENT, parent="a"),
        UnitLine("c", "丙校", parent="同名"),
        UnitLine("d", "丁校", parent="city"),
    ]
    known = [CITY, Unit("1", "同名", path="1"), Unit("2", "同名", path="2")]
    plan = plan_units(known, lines)
    assert faults(plan) == [(0, "parent"), (1, "parent"), (2, "parent")]
    assert [one.code for one in plan.added] == ["d"]
    assert "several units" in plan.faults[2].reason


def test_loops_are_named_and_the_known_tree_stays() -> None:
    known = [CITY, Unit("k", "县", UnitLevel.COUNTY, parent="city", path="city/k"), replace(SCHOOL, path="city/s")]
    lines = [
        UnitLine("x", "甲", parent="y"),
        UnitLine("y", "乙", parent="x"),
        UnitLine("s", "示例小学", parent="s"),
        UnitLine("z", "丙", parent="x"),
    ]
    plan = plan_units(known, lines)
    assert faults(plan) == [(0, "parent"), (1, "parent"), (2, "parent"), (3, "parent")]
    assert (plan.added, plan.changed, plan.paths) == ((), (), {})


def test_level_that_does_not_fit_is_named() -> None:
    lines = [UnitLine("x", "示例市教育局", parent="s", level=UnitLevel.CITY)]
    plan = plan_units([CITY, SCHOOL], lines)
    assert faults(plan) == [(0, "level")]


def test_level_below_that_of_a_known_unit_under_it_is_named_and_loses_no_other_line() -> None:
    lines = [UnitLine("city", "示例市教育局", level=UnitLevel.DEPARTMENT), UnitLine("t", "示例二小", parent="city")]
    plan = plan_units([CITY, SCHOOL], lines)
    assert faults(plan) == [(0, "level")]
    assert "s of level school stands under it" in plan.faults[0].reason
    assert ([one.code for one in plan.added], plan.changed) == (["t"], ())
    both = [lines[0], UnitLine("s", SCHOOL.name, level=UnitLevel.DEPARTMENT)]
    assert plan_units([CITY, SCHOOL], both).faults == ()


def test_line_of_a_unit_that_changed_after_the_day_of_the_list_is_named() -> None:
    known = replace(SCHOOL, since=datetime(2026, 9, 1, tzinfo=UTC))
    before = datetime(2026, 8, 1, tzinfo=UTC)
    plan = plan_units([CITY, known], [UnitLine("s", "旧名")], at=before)
    assert faults(plan) == [(0, "code")]
    assert plan_units([CITY, known], [UnitLine("s", "示例小学")], at=before).same == 1
    assert len(plan_units([CITY, known], [UnitLine("s", "旧名")], at=datetime(2026, 10, 1, tzinfo=UTC)).changed) == 1


@pytest.mark.parametrize(
    ("name", "kind", "level"),
    [
        ("示例省教育厅", UnitKind.UNKNOWN, UnitLevel.PROVINCE),
        ("示例市教育局", UnitKind.BUREAU, UnitLevel.CITY),
        ("示例市示例区教育体育局", UnitKind.UNKNOWN, UnitLevel.COUNTY),
        ("示例自治州教育局", UnitKind.UNKNOWN, UnitLevel.CITY),
        ("示例县教育局实验小学", UnitKind.UNKNOWN, UnitLevel.SCHOOL),
        ("示例市教育局", UnitKind.PRIMARY, UnitLevel.SCHOOL),
        ("示例大学", UnitKind.UNIVERSITY, UnitLevel.SCHOOL),
        ("教育局", UnitKind.BUREAU, UnitLevel.SCHOOL),
    ],
)
def test_level_nobody_told_follows_from_the_name(name: str, kind: UnitKind, level: UnitLevel) -> None:
    assert guess_level(name, kind) is level


codes = st.sampled_from("abcdefgh")


@given(st.dictionaries(codes, st.one_of(st.just(""), codes)))
def test_loops_are_those_who_meet_themselves_on_the_way_up(parents: dict[str, str]) -> None:
    def meets_itself(code: str) -> bool:
        at = parents[code]
        for _ in parents:
            if at == code:
                return True
            if at not in parents:
                return False
            at = parents[at]
        return False

    loops = {code for code in parents if meets_itself(code)}
    assert find_loops(parents) == loops
    if loops:
        with pytest.raises(ValueError, match="below itself"):
            build_paths(parents)


@given(st.lists(st.lists(st.tuples(codes, st.one_of(st.just(""), codes)), max_size=6), max_size=6))
def test_any_sequence_of_lists_keeps_a_tree_whose_paths_are_those_of_the_parents(
    lists: list[list[tuple[str, str]]],
) -> None:
    known: dict[str, Unit] = {}
    for told in lists:
        plan = plan_units(known.values(), [UnitLine(code, f"名{code}", parent) for code, parent in told])
        known |= {one.code: one for one in plan.added}
        known |= {after.code: after for _, after in plan.changed}
        known = {code: replace(one, path=plan.paths.get(code, one.path)) for code, one in known.items()}
        assert not find_loops({code: one.parent for code, one in known.items()})
        for one in known.values():
            assert one.path == (f"{known[one.parent].path}/{one.code}" if one.parent else one.code)
