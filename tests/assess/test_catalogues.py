from __future__ import annotations

import pytest

from sentinel.assess.catalogues import load_catalogues
from sentinel.assess.pack import check_pack, load_pack
from sentinel.errors import RuleError
from sentinel.model.control import Check, Proof
from tests.assess.texts import CONTROLS, HIGH_RISK


def test_load_catalogues_when_clauses_are_numbered_for_two_levels_then_each_has_its_own(make_pack):
    second, third = load_catalogues(make_pack() / "controls")
    assert (second.id, second.level, [clause.id for clause in second.clauses]) == ("demo-l2", 2, ["CE-04b"])
    assert (third.id, third.level, [clause.id for clause in third.clauses]) == ("demo-l3", 3, ["CE-04b", "CE-09x"])
    assert [second.clauses[0].number, third.clauses[0].number] == ["7.1.4.4 b)", "8.1.4.4 b)"]


def test_load_catalogues_when_a_clause_is_full_then_every_value_is_read(make_pack):
    clause = load_catalogues(make_pack() / "controls")[1].clauses[0]
    assert (clause.domain, clause.control, clause.title_zh) == ("安全计算环境", "入侵防范", "关闭高危端口")
    assert (clause.check, clause.weight, clause.verified) == (Check.AUTO, 3, False)
    assert clause.proof == (Proof("port-scan", 8, 0.9), Proof("whitelist", 365, 1.0))
    assert (clause.refuted_by, clause.partial_by, clause.attested_by) == (("demo.redis",), (), "")
    assert clause.note == "仅指探测范围"


def test_load_catalogues_when_there_is_no_file_then_it_is_refused(tmp_path):
    with pytest.raises(RuleError, match="no control catalogue"):
        load_catalogues(tmp_path)


def test_load_catalogues_when_a_file_is_broken_then_its_line_is_named(make_pack):
    with pytest.raises(RuleError, match="broken YAML") as caught:
        load_catalogues(make_pack(controls="catalogues: [\n") / "controls")
    assert caught.value.mistakes[0].file.endswith("demo.yml")


BAD = [
    ("level: 2}", "level: two}", 2, "level of a catalogue must be a whole number"),
    ("level: 2}", "level: 2, colour: red}", 2, "unknown key 'colour' of a catalogue"),
    ("title: 二级, ", "", 2, "title must be text"),
    ("domains:\n", "colour: red\ndomains:\n", 4, "unknown key 'colour'"),
    ("    controls:\n", "    kontrols:\n", 5, "needs a list 'controls'"),
    ("        clauses:\n", "        klauses:\n", 7, "needs a list of clauses"),
    ("            title: 关闭高危端口\n", "", 9, "title must be text"),
    ("check: auto", "check: robot", 9, "check 'robot' is none of"),
    ("check: auto", "check: auto\n            colour: red", 14, "unknown key 'colour' of a clause"),
    ("{demo-l2: 7.1.4.4 b), demo-l3: 8.1.4.4 b)}", "{demo-l4: x}", 10, "unknown catalogue 'demo-l4'"),
    ("{demo-l2: 7.1.4.4 b), demo-l3: 8.1.4.4 b)}", "{demo-l2: 7.1}", 10, "must be text"),
    ("{demo-l2: 7.1.4.4 b), demo-l3: 8.1.4.4 b)}", "7", 9, "number of a clause must be a mapping"),
    ("[demo.redis]", "demo.redis", 14, "refuted_by must be a list of rule names"),
    ("[demo.redis]", "[7]", 14, "refuted_by must be a list of rule names"),
    ("kind: port-scan", "kind: guess", 16, "kind of a proof must be one of"),
    ("max_age_days: 8", "max_age_days: week", 16, "max_age_days of a proof"),
    ("coverage: 0.9", "coverage: 90", 16, "coverage of a proof"),
    ("coverage: 0.9", "share: 0.9", 16, "unknown key 'share' of a proof"),
    ("weight: 3", "weight: 9", 18, "weight must be 1, 2 or 3"),
    ("verified: false", "verified: perhaps", 20, "verified must be true or false"),
    ("note: 仅指探测范围", "note: 5", 19, "note must be text"),
    ("id: CE-09x", "id: CE-04b", 21, "clause 'CE-04b' occurs twice; first in line 9"),
]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"), BAD, ids=[f"{i}-{row[3][:30]}" for i, row in enumerate(BAD)]
)
def test_check_pack_when_a_catalogue_is_wrong_then_its_line_is_named(make_pack, vary, old, new, line, message):
    mistakes = check_pack([make_pack(controls=vary(old, new, CONTROLS))])
    hits = [mistake for mistake in mistakes if message in mistake.message and mistake.file.endswith("demo.yml")]
    assert [mistake.line for mistake in hits] == [line], [str(mistake) for mistake in mistakes]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("- a\n", 1, "a control file is a mapping"),
        ("note: x\n", 1, "needs `catalogues` with `domains`, or `high_risk`"),
        (HIGH_RISK.replace("min_level: 2", "min_level: two"), 2, "needs min_level"),
        (HIGH_RISK.replace("check: auto", "check: robot"), 2, "needs min_level"),
        (HIGH_RISK.replace("name: 高危端口, ", ""), 2, "name must be text"),
    ],
)
def test_check_pack_when_a_case_list_is_wrong_then_its_line_is_named(make_pack, text, line, message):
    mistakes = [one for one in check_pack([make_pack(high_risk=text)]) if one.file.endswith("high-risk.yml")]
    assert [mistake.line for mistake in mistakes if message in mistake.message] == [line], mistakes


def test_load_pack_when_catalogues_are_there_then_they_are_part_of_it(make_pack):
    assert [catalogue.id for catalogue in load_pack([make_pack()]).catalogues] == ["demo-l2", "demo-l3"]
