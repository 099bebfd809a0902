"""`score` by the real command line: shown line by line, frozen with its period, ranked only where that is wanted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import UNIT, Sentinel
from tests.cli.written import host, nmap, service


@pytest.fixture
def looked_at(sentinel: Sentinel, tmp_path: Path) -> Sentinel:
    """A home whose only network was looked at as a whole."""
    sentinel.run("unit", "network", "lan", "192.0.2.0/30")
    file = tmp_path / "a.xml"
    file.write_text(nmap(*(host(f"192.0.2.{last}", service(23, "telnet")) for last in (1, 2)), target="192.0.2.0/30"))
    sentinel.run("import", file)
    return sentinel


def test_score_when_nothing_is_known_is_no_score(sentinel: Sentinel) -> None:
    row = sentinel.rows("score", "show")[0]
    assert row["unrated"]
    assert (row["table"], row["period"], row["frozen"]) == ("school-2026", None, None)
    assert row["low"] < row["high"]
    assert "未评价" in sentinel.run("score", "show").out


def test_score_when_shown_tells_each_line_with_its_value(looked_at: Sentinel) -> None:
    row = looked_at.rows("score", "show")[0]
    lines = {one["id"]: one for one in row["items"]}
    assert lines["overdue-high"]["value"] == 0
    assert lines["registered"]["value"] is None
    assert row["table_hash"]
    text = looked_at.run("score", "show").out
    for words in ("逾期未整改的高危隐患", "未核查", "未冻结", "不是等级测评结论"):
        assert words in text


def test_tables_when_listed_tell_points_and_red_lines(sentinel: Sentinel) -> None:
    tables = {row["id"]: row for row in sentinel.rows("score", "table")}
    assert set(tables) == {"school-2026", "university-2026"}
    assert tables["university-2026"]["kinds"] == ["university"]
    text = sentinel.run("score", "table").out
    for words in ("每个 -10，至多 30", "红线：存在逾期未处置的挖矿行为", "最高 59", "其余各类单位"):
        assert words in text


def test_score_when_frozen_stays_and_a_changed_table_is_told(looked_at: Sentinel, tmp_path: Path) -> None:
    looked_at.run("snapshot", "freeze")
    period = looked_at.rows("snapshot", "list")[0]["period"]
    row = looked_at.rows("score", "show", "--period", period)[0]
    assert (row["period"], row["version"]) == (period, 1)
    assert row["pack"]
    own = tmp_path / "own" / "score"
    own.mkdir(parents=True)
    shipped = Path(__file__).parents[2] / "rules" / "score" / "school.yml"
    (own / "school.yml").write_text(shipped.read_text("utf-8").replace("base: 90", "base: 50"), "utf-8")
    looked_at.run("setting", "set", "rules", str(own.parent))
    again = looked_at.rows("score", "show", "--period", period)[0]
    assert again["table_hash"] != row["table_hash"]
    assert again["frozen"] == row["frozen"]
    if row["frozen"] is not None:
        assert "评分表此后改过" in looked_at.run("score", "show", "--period", period).out


def test_ranking_when_not_switched_on_is_refused(looked_at: Sentinel) -> None:
    assert "ranking is off" in looked_at.run("score", "rank", expect=2).complaint
    looked_at.run("setting", "set", "ranking", "true")
    assert "nothing is frozen" in looked_at.run("score", "rank", expect=2).complaint
    looked_at.run("snapshot", "freeze")
    rows = looked_at.rows("score", "rank")
    assert [row["unit"] for row in rows] == [UNIT]
    assert "不列名次" in looked_at.run("score", "rank").out


def test_score_of_a_period_or_unit_that_is_none_is_an_error(sentinel: Sentinel) -> None:
    assert "nothing is frozen" in sentinel.run("score", "show", "--period", "2020-01", expect=2).complaint
    sentinel.run("score", "show", "--of", "4100000000", expect=2)
