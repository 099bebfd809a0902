from __future__ import annotations

from dataclasses import replace

from sentinel.config import data_folder
from sentinel.model.standing import Reason
from sentinel.model.upkeep import Mark, PlaceKind, PlaceReason, PlaceStanding, PlaceState
from sentinel.report.register_block import build_register_block, count_places
from sentinel.report.render import render_html
from sentinel.report.view_school import build_school
from tests.report.facts_factory import make_empty_facts, make_facts


def place(kind: PlaceKind, state: PlaceState, *also: PlaceState) -> PlaceStanding:
    marks = tuple(Mark(one, PlaceReason.NOBODY_ANSWERS) for one in also)
    return PlaceStanding(kind, f"{kind} {state}", Mark(state, Reason.HOST_SEEN), marks)


PLACES = (
    place(PlaceKind.SYSTEM, PlaceState.SEEN),
    place(PlaceKind.SYSTEM, PlaceState.UNSEEN),
    place(PlaceKind.HOST, PlaceState.UNREGISTERED, PlaceState.ZOMBIE),
    place(PlaceKind.HOST, PlaceState.ZOMBIE),
    place(PlaceKind.LINE, PlaceState.OFFLINE),
    place(PlaceKind.LINE, PlaceState.UNSEEN),
    place(PlaceKind.DOMAIN, PlaceState.OFF_CAMPUS),
)


def test_count_places_when_one_stands_in_several_states_then_it_counts_in_the_first() -> None:
    counts = count_places(PLACES)
    assert set(counts) == set(PlaceKind)
    assert counts[PlaceKind.HOST] == {PlaceState.UNREGISTERED: 1, PlaceState.ZOMBIE: 1}


def test_build_register_block_when_built_then_each_state_has_its_line_and_the_sums_are_right() -> None:
    block = build_register_block(replace(make_facts(12), places=PLACES))
    states = {line.state.zh: (line.counts, line.total) for line in block.states}
    assert [kind.zh for kind in block.kinds] == ["信息系统", "主机", "登记", "域名"]
    assert states == {
        "双非网站": ((0, 0, 0, 1), 1),
        "发现未登记": ((0, 1, 0, 0), 1),
        "僵尸资产": ((0, 1, 0, 0), 1),
        "登记未发现": ((1, 0, 1, 0), 2),
        "计划停用": ((0, 0, 1, 0), 1),
        "登记且发现": ((1, 0, 0, 0), 1),
    }
    assert sum(bar.total for bar in block.chart.bars) == len(PLACES)
    assert [line.state.zh for line in block.places] == [
        "双非网站",
        "僵尸资产",
        "登记未发现",
        "登记未发现",
        "发现未登记",
    ]
    assert [(word.zh, count) for word, count in block.steps] == [("草稿", 1), ("已审核", 2)]
    assert (block.systems, block.overdue, len(block.due)) == (3, 1, 2)
    assert [line.overdue for line in block.due] == [True, False]


def school(**changes: object) -> str:
    return render_html("school", build_school(make_empty_facts(**changes)), "zh", data_folder("reports"))


def test_school_report_when_there_is_no_register_then_the_chapter_says_not_checked() -> None:
    text = school()
    assert not build_school(make_empty_facts()).register.registered
    assert "没有登记信息系统，也没有导入资产台账" in text
    assert "登记核对（项）" not in text


def test_school_report_when_systems_are_declared_and_nothing_was_seen_then_it_says_so() -> None:
    facts = make_facts(12)
    text = school(systems=facts.systems, confirm_due=facts.confirm_due, places=PLACES[:2])
    assert "登记的各项在不在不知道" in text
    assert "双非未核查" in text
    assert "双非未核查" not in school(systems=facts.systems, places=PLACES, knows_domains=True)
    assert "逾期 1 个</span>，30 天内到期 1 个" in text
