"""The retention policy: read, refused with every mistake, never below what a law demands."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from sentinel.assess.pack import check_pack, load_pack
from sentinel.assess.retention import load_retention
from sentinel.errors import RuleError
from sentinel.model.retention import Retention

RULES = Path(__file__).parents[2] / "rules"
TODAY = date(2026, 11, 22)
ROW = "  - {kind: nat, title: 会话, days: 200, least: 184, person: true, valid_from: 2026-01-01, source: 法}\n"


def write(folder: Path, text: str) -> Path:
    (folder / "policy").mkdir(parents=True, exist_ok=True)
    (folder / "policy" / "retention.yml").write_text(text, encoding="utf-8")
    return folder


def mistakes(*folders: Path) -> list[str]:
    with pytest.raises(RuleError) as caught:
        load_retention(folders, TODAY)
    return [one.message for one in caught.value.mistakes]


def test_shipped_policy_when_read_keeps_logs_six_months_and_proof_for_good() -> None:
    found = {one.kind: one for one in load_retention([RULES], TODAY)}
    for kind in ("person_holding", "neighbour_holding", "switch_port", "nat"):
        assert found[kind].person
        assert found[kind].days is not None
        assert found[kind].days >= found[kind].least_days >= 184, "six months may have 184 days"
    for kind in ("evidence_proof", "audit", "findings", "snapshots"):
        assert found[kind].days is None
    assert all(one.source and one.title for one in found.values())


def test_policy_when_it_stands_in_a_pack_is_no_rule() -> None:
    assert not [rule for rule in load_pack([RULES]).rules if rule.name.startswith("policy")]


def test_policy_when_written_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path, f"retention:\n{ROW}")
    assert load_retention([folder], TODAY) == (Retention("nat", 200, 184, "会话", "法", date(2026, 1, 1), person=True),)


def test_policy_of_a_home_takes_the_place_of_the_shipped_one_from_its_day_on(tmp_path: Path) -> None:
    shipped = write(tmp_path / "a", f"retention:\n{ROW}")
    later = write(tmp_path / "b", f"retention:\n{ROW.replace('200', '365').replace('2026-01-01', '2026-11-22')}")
    assert load_retention([shipped, later], TODAY)[0].days == 365
    assert load_retention([shipped, later], date(2026, 11, 21))[0].days == 200


def test_policy_of_a_home_when_below_what_a_law_demands_is_refused(tmp_path: Path) -> None:
    shipped = write(tmp_path / "a", f"retention:\n{ROW}")
    less = write(tmp_path / "b", f"retention:\n{ROW.replace('200', '30').replace('184', '0')}")
    assert mistakes(shipped, less) == ["nat: 30 days are fewer than the 184 a law demands"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("other: 1\n", "needs a list"),
        ("retention: 5\n", "needs a list"),
        (f"retention:\n{ROW.replace('200', '30')}", "fewer than the 184"),
        (f"retention:\n{ROW.replace('200', '0')}", "whole number from 1"),
        (f"retention:\n{ROW.replace('200', 'always')}", "whole number from 1"),
        (f"retention:\n{ROW.replace('184', 'true')}", "least of nat"),
        (f"retention:\n{ROW.replace('nat', 'NAT')}", "not made of a-z"),
        (f"retention:\n{ROW.replace('2026-01-01', 'soon')}", "must be a date"),
        (f"retention:\n{ROW.replace('person: true', 'person: 1')}", "person true or false"),
        (f"retention:\n{ROW.replace('source: 法', 'source: 5')}", "title and source must be text"),
        (f"retention:\n{ROW.replace('source: 法', 'law: 法')}", "unknown key 'law'"),
        ("retention:\n  - nat\n", "needs 'kind'"),
        ("retention: [\n", "broken YAML"),
    ],
)
def test_policy_with_a_mistake_is_refused_and_says_which(tmp_path: Path, text: str, told: str) -> None:
    assert any(told in one for one in mistakes(write(tmp_path, text)))


def test_policy_with_two_mistakes_tells_both(tmp_path: Path) -> None:
    rows = ROW.replace("200", "30") + ROW.replace("nat", "Flows")
    assert len(mistakes(write(tmp_path, f"retention:\n{rows}"))) == 2


def test_policy_with_a_mistake_is_told_when_a_pack_is_checked(tmp_path: Path) -> None:
    good = RULES / "unit" / "no-network.yml"
    (tmp_path / "a.yml").write_text(good.read_text(encoding="utf-8"), encoding="utf-8")
    write(tmp_path, f"retention:\n{ROW.replace('200', '30')}")
    told = [one for one in check_pack([tmp_path]) if one.file.endswith("retention.yml")]
    assert [(one.line, one.message) for one in told] == [(2, "nat: 30 days are fewer than the 184 a law demands")]
    assert not [one for one in check_pack([RULES]) if "retention" in one.file]


def test_policy_when_there_is_none_is_refused(tmp_path: Path) -> None:
    assert mistakes(tmp_path) == ["there is no retention policy; nothing can be purged without one"]
    assert mistakes() == ["there is no retention policy; nothing can be purged without one"]
