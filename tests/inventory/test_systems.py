from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sentinel.inventory.systems import confirm_by, find_due, index_systems, join_lines, lines_of
from sentinel.model.system import InformationSystem, SystemFacts, SystemState, fold_system
from tests.inventory.test_reconcile import line

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def system(number: int = 1, name: str = "教务系统", **more: object) -> InformationSystem:
    facts = SystemFacts(name, department="教务处", business_level=3, service_level=2, filing="41010012345-00001")
    made = InformationSystem(number, "school", facts, confirmed_at=NOW - timedelta(days=200), state_at=NOW)
    return replace(made, **more)  # type: ignore[arg-type]  # fields by name


def test_name_of_a_system_is_the_same_however_it_is_typed() -> None:
    assert fold_system("教务 系统（ＶＰＮ）") == fold_system("教务系统(vpn)")


def test_lines_belong_to_the_system_they_name_and_to_its_further_names() -> None:
    one = system(names=("教务平台",))
    lines = [line(1, system="教务 系统"), line(2, system="教务平台"), line(3, system="别的"), line(4)]
    assert [each.id for each in lines_of(one, lines, [one])] == [1, 2]


def test_own_name_of_a_system_goes_before_a_joined_one() -> None:
    index = index_systems([system(1, names=("网站",)), system(2, "网站")])
    assert index[fold_system("网站")].id == 2


def test_retired_system_joined_to_one_that_runs_is_that_one() -> None:
    running, gone = system(1, names=("网站",)), system(2, "网站", state=SystemState.RETIRED)
    lines = [line(1, system="网站"), line(2, system="教务系统")]
    for known in ([running, gone], [gone, running]):
        assert [each.id for each in lines_of(running, lines, known)] == [1, 2]
        assert lines_of(gone, lines, known) == ()
    (first, _), owners = join_lines(lines, [running, gone])
    assert first.valid_to is None
    assert owners[1].id == 1
    assert index_systems([gone])[fold_system("网站")].id == 2


def test_line_is_filled_from_its_system_where_it_says_nothing() -> None:
    told = line(1, "10.0.0.5", system="教务系统", department="信息中心")
    blank = line(2, "10.0.0.6", system="教务系统")
    (first, second, third), owners = join_lines([told, blank, line(3, "10.0.0.7")], [system()])
    assert (first.department, first.mlps_level, first.filing) == ("信息中心", "三级", "41010012345-00001")
    assert second.department == "教务处"
    assert third == line(3, "10.0.0.7")
    assert {number: one.id for number, one in owners.items()} == {1: 1, 2: 1}


def test_line_that_names_its_system_otherwise_is_told_by_the_name_the_system_has_now() -> None:
    lines = [line(1, system="教务平台"), line(2, system="教务 系统"), line(3, system="别的")]
    joined, _ = join_lines(lines, [system(names=("教务平台",))])
    assert [one.system for one in joined] == ["教务系统", "教务系统", "别的"]
    (alone,), _ = join_lines(lines[:1], [system(1, names=("教务平台",)), system(2, "教务平台")])
    assert alone.system == "教务平台"


def test_line_of_a_retired_system_ends_when_it_was_retired_or_before() -> None:
    retired = system(state=SystemState.RETIRED)
    early = NOW - timedelta(days=9)
    lines = [line(1, system="教务系统"), line(2, system="教务系统", valid_to=early)]
    (first, second), _ = join_lines(lines, [retired])
    assert (first.valid_to, second.valid_to) == (NOW, early)
    assert join_lines(lines, [system()])[0][0].valid_to is None


def test_due_systems_come_earliest_first_and_retired_ones_not_at_all() -> None:
    late, soon = system(1), system(2, confirmed_at=NOW - timedelta(days=170))
    far, gone = system(3, confirmed_at=NOW), system(4, state=SystemState.RETIRED)
    found = find_due([far, soon, gone, late], 180, NOW + timedelta(days=30))
    assert [one.id for one, _ in found] == [1, 2]
    assert [moment for _, moment in found] == [NOW - timedelta(days=20), NOW + timedelta(days=10)]
    assert confirm_by(gone, 180) is None
    assert confirm_by(system(confirmed_at=None), 180) is None
