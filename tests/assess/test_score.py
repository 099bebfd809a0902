"""Scores: additions, deductions, bounds for what is not known, red lines, and no score without coverage."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.assess.pack import check_pack
from sentinel.assess.score import choose_table, score_unit
from sentinel.assess.score_table import COUNTED, KINDS, check_tables, load_tables
from sentinel.errors import RuleError
from sentinel.model.score import ScoreTable

RULES = Path(__file__).parents[2] / "rules"
TABLES = {one.id: one for one in load_tables([RULES])}
SCHOOL = TABLES["school-2026"]
COVERED = {"addresses_planned": 254, "addresses_covered": 254}
CLEAN = COVERED | {
    "overdue_critical": 0, "overdue_high": 0, "overdue_medium": 0, "outside_overdue": 0, "outside_overdue_critical": 0,
    "mining_overdue": 0, "confirm_overdue": 0, "registered_seen": 40, "unregistered": 0, "reopened": 0,
}  # fmt: skip

TABLE = """\
id: demo
title: 示例表
title_en: demo
base: 100
min_coverage: 0.5
valid_from: 2026-01-01
items:
  - {id: late, title: 逾期, title_en: late, counter: overdue, points: -5, each: true, most: 20}
  - {id: known, title: 登, title_en: k, counter: registered_seen, of: [registered_seen, unregistered], points: 5, \
at_least: 0.9}
caps:
  - {id: mining, title: 挖矿, title_en: mining, counter: mining_overdue, over: 0, cap: 59}
"""


def write(folder: Path, text: str, name: str = "demo.yml") -> Path:
    (folder / "score").mkdir(exist_ok=True)
    (folder / "score" / name).write_text(text, encoding="utf-8")
    return folder


def demo(tmp_path: Path, old: str = "", new: str = "") -> ScoreTable:
    assert old in TABLE
    return load_tables([write(tmp_path, TABLE.replace(old, new, 1))])[0]


def test_score_when_everything_is_known_and_good_then_it_is_full_and_without_bounds() -> None:
    score = score_unit(SCHOOL, CLEAN)
    assert (score.low, score.high, score.unrated, score.caps) == (100, 100, "", ())


def test_score_when_problems_are_overdue_then_each_costs_up_to_its_most() -> None:
    assert score_unit(SCHOOL, CLEAN | {"overdue_high": 2}).low == 92
    assert score_unit(SCHOOL, CLEAN | {"overdue_high": 500}).low == 80
    assert score_unit(SCHOOL, CLEAN | {"registered_seen": 90, "unregistered": 10}).low == 95


def test_score_when_problems_were_found_and_are_not_overdue_then_they_cost_nothing() -> None:
    found = CLEAN | {"live": 40, "live_critical": 10, "opened": 40, "closed": 30}
    assert score_unit(SCHOOL, found).low == score_unit(SCHOOL, CLEAN).low


def test_score_when_something_is_not_known_then_it_has_bounds() -> None:
    score = score_unit(SCHOOL, {**CLEAN, "overdue_high": None})
    assert (score.low, score.high) == (80, 100)
    (line,) = [one for one in score.items if one.item.id == "overdue-high"]
    assert (line.value, line.low, line.high) == (None, -20, 0)
    unknown = score_unit(SCHOOL, {name: value for name, value in CLEAN.items() if name != "mining_overdue"})
    assert (unknown.low, unknown.high) == (59, 100)  # the red line may be crossed


def test_score_when_a_red_line_is_crossed_then_it_is_no_higher() -> None:
    score = score_unit(SCHOOL, CLEAN | {"mining_overdue": 1})
    assert (score.low, score.high, [cap.id for cap in score.caps]) == (59, 59, ["mining"])


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({}, "没有申报网段"),
        ({"addresses_planned": 0, "addresses_covered": 0}, "没有申报网段"),
        ({"addresses_planned": 100, "addresses_covered": None}, "没有申报网段"),
        ({"addresses_planned": 100, "addresses_covered": 79}, "79%"),
        ({"addresses_planned": 100, "addresses_covered": 80}, ""),
    ],
)
def test_score_when_too_little_was_looked_at_then_there_is_none(counts: dict[str, int | None], words: str) -> None:
    unrated = score_unit(SCHOOL, counts).unrated
    assert words in unrated
    assert bool(unrated) is bool(words)


@given(st.dictionaries(st.sampled_from(sorted(COUNTED)), st.one_of(st.none(), st.integers(0, 10_000)), max_size=20))
def test_score_when_anything_is_counted_then_bounds_hold_and_knowing_more_never_widens_them(counts) -> None:
    for table in TABLES.values():
        score = score_unit(table, counts)
        assert 0 <= score.low <= score.high <= 100
        for value in (0, 3, 10_000):
            known = {name: value if counts.get(name) is None else counts[name] for name in COUNTED}
            closer = score_unit(table, known)
            assert score.low <= closer.low <= closer.high <= score.high
            if 0 not in known.values():  # a share of nothing stays unknown
                assert closer.low == closer.high


def test_table_when_chosen_then_the_newest_for_the_kind_counts() -> None:
    day = date(2026, 11, 22)
    assert choose_table(TABLES.values(), "university", day) is TABLES["university-2026"]
    assert choose_table(TABLES.values(), "primary", day) is SCHOOL
    assert choose_table(TABLES.values(), "", day) is SCHOOL
    assert choose_table(TABLES.values(), "primary", date(2025, 12, 31)) is None
    newer = replace(SCHOOL, id="school-2027", valid_from=date(2026, 11, 1))
    assert choose_table([SCHOOL, newer], "primary", day) is newer


def test_table_when_a_later_folder_has_it_then_that_counts(tmp_path: Path) -> None:
    own = write(tmp_path, (RULES / "score" / "school.yml").read_text("utf-8").replace("base: 90", "base: 80"))
    tables = {one.id: one for one in load_tables([RULES, own])}
    assert (tables["school-2026"].base, len(tables)) == (80, 2)
    assert tables["school-2026"].hash != SCHOOL.hash


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("id: demo", "id: De mo", 1, "not made of"),
        ("title: 示例表\n", "", 1, "needs 'title'"),
        ("base: 100", "base: 101", 4, "from 0 to 100"),
        ("base: 100", "base: 100\nkinds: [palace]", 5, "unknown kind of unit 'palace'"),
        ("base: 100", "base: 100\ncolour: red", 5, "unknown key 'colour'"),
        ("min_coverage: 0.5", "min_coverage: true", 5, "from 0 to 1"),
        ("2026-01-01", "soon", 6, "must be a date"),
        ("counter: overdue", "counter: overdues", 8, "unknown counter 'overdues'"),
        ("counter: overdue", "counter: score_low", 8, "unknown counter 'score_low'"),
        (", most: 20", "", 8, "need `most`"),
        ("each: true, most: 20", "each: true, most: 20, at_least: 1", 8, "take no at_least"),
        ("each: true, most: 20", "each: perhaps, most: 20", 8, "true or false"),
        (", at_least: 0.9", "", 9, "needs `each: true`"),
        ("id: known", "id: late", 9, "occurs twice"),
        ("of: [registered_seen, unregistered]", "of: [nothing]", 9, "unknown counter 'nothing'"),
        ("over: 0, cap: 59", "over: -1, cap: 59", 11, "from 0 to"),
        ("over: 0, cap: 59", "over: 0", 11, "needs 'cap'"),
        (TABLE[TABLE.index("caps:") :], "caps: many\n", 10, "must be a list"),
    ],
)
def test_table_when_one_thing_is_wrong_then_its_line_is_named(tmp_path: Path, old, new, line, words) -> None:
    assert old in TABLE
    folder = write(tmp_path, TABLE.replace(old, new, 1))
    mistakes = check_tables([folder])
    assert [one.line for one in mistakes if words in one.message] == [line], list(map(str, mistakes))
    with pytest.raises(RuleError):
        load_tables([folder])


@pytest.mark.parametrize("text", ["", "- 1\n", "items: {\n", "a: &x 1\n", "items: [" + "{}, " * 300 + "]\n"])
def test_table_when_it_is_none_then_it_is_refused(tmp_path: Path, text: str) -> None:
    assert check_tables([write(tmp_path, text)])


def test_pack_when_checked_then_tables_are_too_and_are_no_rules(make_pack) -> None:
    folder = make_pack()
    write(folder, TABLE)
    assert check_pack([folder]) == ()
    write(folder, TABLE.replace("base: 100", "base: -1"))
    assert [one.line for one in check_pack([folder])] == [4]


def test_kinds_are_those_of_units() -> None:
    assert {"university", "bureau", "primary"} <= KINDS
    assert "" not in KINDS


def test_demo_table_when_scored_by_hand(tmp_path: Path) -> None:
    table = demo(tmp_path)
    counts = COVERED | {"overdue": 2, "registered_seen": 9, "unregistered": 1, "mining_overdue": 0}
    assert score_unit(table, counts).low == 95
    assert score_unit(table, counts | {"registered_seen": 0, "unregistered": 0}).high == 95
    assert score_unit(table, counts | {"overdue": 9, "registered_seen": 1}).low == 80
