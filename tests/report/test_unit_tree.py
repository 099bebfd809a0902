from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from sentinel.model.facts import CentreFacts, UnitSummary
from sentinel.model.unit import Unit, UnitLevel
from sentinel.report.svg import text_width
from sentinel.report.svg_shapes import WIDE
from sentinel.report.svg_tree import SLICE_ROWS, draw_tree_head, draw_tree_rows, tree_slices
from sentinel.report.unit_tree import ROWS_DRAWN, Counts, TreeRow, UnitTree, build_tree, count_of
from sentinel.report.values import Share
from tests.report.facts_factory import NOW, make_centre

ROOT = Unit("41", "示例省教育厅", UnitLevel.PROVINCE, "", "41")


def school(code: str, parent: str = "41", level: UnitLevel = UnitLevel.SCHOOL) -> Unit:
    return Unit(code, f"单位{code}", level, parent, f"41/{code}")


def summary(unit: Unit, **changes: object) -> UnitSummary:
    base = UnitSummary(unit, 5, 9, {"high": 1}, 0, 0, 0, 0, 100, 100, NOW, 1, 20, 135, 0)
    return replace(base, **changes)  # type: ignore[arg-type]


def tree_of(*units: Unit, summaries: tuple[UnitSummary, ...] | None = None) -> UnitTree:
    found = summaries if summaries is not None else tuple(summary(u) for u in units if u.level is UnitLevel.SCHOOL)
    return build_tree(CentreFacts(ROOT, (ROOT, *units), found, "", make_centre(3).period, NOW, ""))


def test_count_of_when_a_unit_reported_then_its_numbers_are_taken_and_else_none_of_them() -> None:
    one = summary(school("1"), live={"critical": 1, "medium": 2, "informational": 9}, mining_hosts=None, unjudged=3)
    assert count_of(one) == Counts(Share(1, 1), 5, 9, 1, 0, 2, 0, 0, 0, Share(100, 100), 3)
    silent = count_of(replace(one, last_run=None, hosts=7))
    assert silent == Counts(reported=Share(0, 1), coverage=Share(100, 100))
    assert not silent.is_known


def test_build_tree_when_units_are_few_then_every_one_has_a_row_and_the_sums_are_right() -> None:
    facts = make_centre(24)
    tree = build_tree(facts)
    assert len(tree.rows) == tree.units == len(facts.units)
    assert tree.folded == 0
    reported = [one for one in facts.summaries if one.last_run]
    top = tree.rows[0].counts
    assert top == tree.total
    assert (top.hosts, top.ports) == (sum(one.hosts for one in reported), sum(one.endpoints for one in reported))
    assert top.findings == sum(sum(one.live.values()) for one in reported)
    assert top.reported == Share(len(reported), 24)
    assert top.mining == sum(one.mining_hosts or 0 for one in reported)
    assert [row.depth for row in tree.rows[:3]] == [0, 1, 2]


def test_build_tree_when_a_school_never_reported_then_it_is_in_the_whole_and_in_no_sum() -> None:
    tree = tree_of(school("1"), school("2"), summaries=(summary(school("1")),))
    assert tree.total.reported == Share(1, 2)
    assert tree.total.hosts == 5
    assert [row.counts.is_known for row in tree.rows] == [True, True, False]


def test_build_tree_when_siblings_differ_then_the_most_urgent_comes_first() -> None:
    units = [school(str(number)) for number in range(1, 6)]
    changes: list[dict[str, object]] = [
        {},
        {"live": {"critical": 1}},
        {"mining_hosts": 1},
        {"last_run": None},
        {"live": {"high": 9}},
    ]
    tree = tree_of(*units, summaries=tuple(summary(u, **c) for u, c in zip(units, changes, strict=True)))
    assert [row.code for row in tree.rows[1:]] == ["3", "2", "5", "1", "4"]


@pytest.mark.parametrize("schools", [300, 4000])
def test_build_tree_when_schools_are_thousands_then_rows_stay_few_and_nothing_is_lost(schools: int) -> None:
    facts = make_centre(schools)
    tree = build_tree(facts)
    assert len(tree.rows) <= ROWS_DRAWN
    assert tree.units == len(facts.units)
    assert tree.folded == sum(row.units for row in tree.rows if row.folded) + _under_closed(tree)
    assert sum(not row.folded for row in tree.rows) + tree.folded == tree.units
    assert {row.depth for row in tree.rows} == {0, 1, 2, 3}
    for place, row in enumerate(tree.rows):
        below = _children(tree.rows, place)
        if below and row.depth < 3:
            assert sum(one.counts.hosts for one in below) == row.counts.hosts
            assert sum(one.counts.reported.whole for one in below) == row.counts.reported.whole


def _children(rows: tuple[TreeRow, ...], place: int) -> list[TreeRow]:
    found = []
    for row in rows[place + 1 :]:
        if row.depth <= rows[place].depth:
            break
        if row.depth == rows[place].depth + 1:
            found.append(row)
    return found


def _under_closed(tree: UnitTree) -> int:
    """Count units below rows that are drawn without what is below them."""
    return sum(row.units for place, row in enumerate(tree.rows) if not row.folded and not _children(tree.rows, place))


def test_build_tree_when_one_child_would_be_folded_then_it_is_drawn_instead() -> None:
    cities = [school(f"c{number}", level=UnitLevel.CITY) for number in range(20)]
    schools = [school(f"{city.code}s{number}", city.code) for city in cities for number in range(7)]
    tree = tree_of(*cities, *schools)
    assert not any(row.folded and row.units == 1 for row in tree.rows)


def test_build_tree_when_a_parent_is_missing_or_comes_later_then_the_unit_is_a_root() -> None:
    lost, loop = school("1", "nowhere"), school("2", "2")
    tree = tree_of(lost, loop)
    assert [row.depth for row in tree.rows] == [0, 0, 0]
    assert tree.total.hosts == 10


def test_build_tree_when_a_bureau_has_evidence_of_its_own_then_it_counts_too() -> None:
    bureau = school("b", level=UnitLevel.COUNTY)
    tree = tree_of(bureau, school("1", "b"), summaries=(summary(bureau), summary(school("1", "b"))))
    assert tree.rows[1].counts.hosts == 10
    assert tree.rows[1].counts.reported == Share(2, 2)


def draw(tree: UnitTree, lang: str = "zh") -> list[str]:
    return [str(draw_tree_head(tree, lang)), *(str(draw_tree_rows(tree, lang, n)) for n in range(tree_slices(tree)))]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("hostile", [False, True])
@pytest.mark.parametrize("schools", [3, 300, 4000])
def test_draw_tree_when_drawn_then_words_fit_without_overlap(schools: int, hostile: bool, lang: str) -> None:
    tree = build_tree(make_centre(schools, hostile=hostile))
    assert tree_slices(tree) == -(-len(tree.rows) // SLICE_ROWS)
    for svg in draw(tree, lang):
        words = []
        for element in ET.fromstring(svg).iter("text"):
            if element.get("class") in {"light", "dark"}:
                continue
            width = text_width(element.text or "", float(element.get("font-size", 12)))
            x, y = float(element.get("x", 0)), float(element.get("y", 0))
            left = x - width if element.get("text-anchor") == "end" else x
            assert left >= -1
            assert left + width <= WIDE + 1
            words.append((left, left + width, y, element.text))
        for index, (left, right, y, one) in enumerate(words):
            for start, end, height, other in words[:index]:
                assert abs(y - height) > 8 or right <= start + 1 or end <= left + 1, (one, other)


def test_draw_tree_when_a_unit_never_reported_then_its_line_is_hatched_and_says_so() -> None:
    rows = "".join(draw(tree_of(school("1"), school("2"), summaries=(summary(school("1")),)))[1:])
    assert rows.count("从未上报，未核查") == 1
    assert "url(#hatch)" in rows


def test_draw_tree_when_no_rule_was_applied_then_findings_are_not_a_zero() -> None:
    unit = school("1")
    judged = "".join(draw(tree_of(unit, summaries=(summary(unit, live={}),)))[1:])
    unjudged = "".join(draw(tree_of(unit, summaries=(summary(unit, live={}, unjudged=2),)))[1:])
    assert "未核查" not in judged
    assert unjudged.count("未核查") == 2


def test_draw_tree_when_no_addresses_are_declared_then_coverage_is_a_dash() -> None:
    unit = school("1")
    assert ">—<" in "".join(draw(tree_of(unit, summaries=(summary(unit, planned=0, covered=0),)))[1:])


def test_draw_tree_when_a_unit_has_no_school_then_nothing_is_reported_and_nothing_breaks() -> None:
    tree = tree_of(school("c", level=UnitLevel.CITY))
    assert tree.total.reported == Share(0, 0)
    assert len(draw(tree)) == 2
