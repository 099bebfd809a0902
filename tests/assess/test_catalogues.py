from __future__ import annotations

import pytest

from sentinel.assess.catalogues import load_catalogues
from sentinel.assess.pack import check_pack, load_pack
from sentinel.errors import RuleError
from sentinel.model.control import Check, Clause, Proof, Reported, Scoring
from sentinel.model.rule import Severity
from tests.assess.texts import CONTROLS, HIGH_RISK, QUESTIONS


def test_load_catalogues_when_clauses_are_numbered_for_two_levels_then_each_has_its_own(make_pack):
    second, third, _ = load_catalogues(make_pack() / "controls")
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
    ("level: 2,", "level: two,", 2, "level of a catalogue must be a whole number"),
    ("level: 2,", "level: 2, colour: red,", 2, "unknown key 'colour' of a catalogue"),
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
        ("note: x\n", 1, "needs `catalogues` with `domains`"),
        (HIGH_RISK.replace("min_level: 2", "min_level: two"), 13, "min_level must be a whole number from 1 to 5"),
        (HIGH_RISK.replace("min_level: 2", "min_level: 7"), 13, "min_level must be a whole number from 1 to 5"),
        (HIGH_RISK.replace("min_level: 2", "strength: {l9: may}"), 13, "strength must map l1 to l5"),
        (HIGH_RISK.replace("min_level: 2", "strength: {l2: perhaps}"), 13, "strength must map l1 to l5"),
        (HIGH_RISK.replace("min_level: 2", "suspects: 5"), 13, "suspects must be true or false"),
        (HIGH_RISK.replace("min_level: 2", "reported: {words: [], severity: high}"), 13, "reported needs words"),
        (HIGH_RISK.replace("min_level: 2", "reported: {words: [弱口令], severity: bad}"), 13, "reported needs words"),
        (
            HIGH_RISK.replace("min_level: 2", "reported: {words: [a], severity: low, x: 1}"),
            13,
            "unknown key 'x' of reported",
        ),
        (HIGH_RISK.replace("min_level: 2", "rules_of: [ipv6.nowhere]"), 8, "rules_of names unknown clause"),
        (HIGH_RISK.replace("min_level: 2", "rules_of: ipv6.x"), 13, "rules_of must be a list of clauses"),
        (HIGH_RISK.replace("min_level: 2", "attested_by: no.question"), 8, "unknown question 'no.question'"),
        (HIGH_RISK.replace("tagged: true", "tagged: 1"), 2, "tagged must be true or false"),
        (HIGH_RISK.replace("assumed_level: 3", "assumed_level: x"), 2, "assumed_level must be a whole number"),
        (HIGH_RISK.replace("assumed_level: 3", "objects: host"), 2, "objects of a catalogue must be system or unit"),
        (HIGH_RISK.replace("assumed_level: 3", "inherits: x"), 1, "inherits unknown catalogue 'x'"),
        (HIGH_RISK.replace("assumed_level: 3", "scoring: {technical: x}"), 2, "technical of a scoring"),
        (HIGH_RISK.replace("assumed_level: 3", "scoring: {technical: [x], factors: [1]}"), 2, "factors of a scoring"),
        (
            HIGH_RISK.replace("assumed_level: 3", "scoring: {technical: [x], factors: [1, 2, 3], balance: 2, y: 1}"),
            2,
            "balance and partial of a scoring",
        ),
    ],
)
def test_check_pack_when_a_case_list_is_wrong_then_its_line_is_named(make_pack, text, line, message):
    mistakes = [one for one in check_pack([make_pack(high_risk=text)]) if one.file.endswith("high-risk.yml")]
    assert [mistake.line for mistake in mistakes if message in mistake.message] == [line], mistakes


def test_load_pack_when_catalogues_are_there_then_they_are_part_of_it(make_pack):
    catalogues = load_pack([make_pack()]).catalogues
    assert [catalogue.id for catalogue in catalogues] == ["demo-l2", "demo-l3", "high-risk"]
    second, third, _ = catalogues
    assert (third.inherits, [clause.inherits for clause in third.clauses]) == ("demo-l2", ["7.1.4.4 b)", ""])
    assert (second.clauses[0].inherits, second.questions) == ("", ())
    (question,) = third.questions
    assert (question.id, question.scope, question.valid_days) == ("backup.local", "system", 365)
    assert (question.answers, question.evidence) == (("yes", "partly", "no", "na"), "备份记录")


def case(text: str, make_pack) -> Clause:
    (clause,) = next(one for one in load_pack([make_pack(high_risk=text)]).catalogues if one.tag == "high-risk").clauses
    return clause


def test_load_pack_when_a_rule_is_tagged_then_a_tagged_catalogue_takes_it_from_the_tag(make_pack):
    assert (case(HIGH_RISK, make_pack).refuted_by, case(HIGH_RISK, make_pack).partial_by) == (("demo.redis",), ())


@pytest.mark.parametrize("line", ["suspects: true", "partial_by: [demo.redis]"])
def test_load_pack_when_only_suspicions_speak_to_it_then_the_tagged_rule_makes_it_partial(make_pack, line):
    found = case(HIGH_RISK + f"            {line}\n", make_pack)
    assert (found.refuted_by, found.partial_by) == ((), ("demo.redis",))


def test_load_pack_when_the_catalogue_is_not_tagged_then_tags_change_nothing(make_pack):
    assert case(HIGH_RISK.replace("tagged: true", "tagged: false"), make_pack).refuted_by == ()


def test_load_pack_when_a_clause_points_at_another_then_it_takes_its_rules_and_what_others_report(make_pack):
    more = """\
          - id: ports
            number: {high-risk: "x"}
            title: 端口
            title_en: Ports
            check: semi
            rules_of: [high-risk.6.4.3.1]
"""
    told = HIGH_RISK + "            reported: {words: [CVE-], severity: high, refutes: true}\n" + more
    catalogue = load_pack([make_pack(high_risk=told)]).catalogues[-1]
    assert catalogue.clauses[1].refuted_by == ("demo.redis",)
    assert catalogue.clauses[1].reported == Reported(("cve-",), Severity.HIGH, True)


def test_load_pack_when_scoring_is_told_then_it_is_read(make_pack):
    told = "scoring: {technical: [域], balance: 0.5, factors: [1, 2, 3], partial: 0.5}"
    pack = load_pack([make_pack(high_risk=HIGH_RISK.replace("assumed_level: 3", told))])
    assert pack.catalogues[-1].scoring == Scoring(("域",), 0.5, (1.0, 2.0, 3.0), 0.5)


def test_strength_at_when_levels_differ_then_the_nearest_below_counts(make_pack):
    found = case(HIGH_RISK + "            strength: {l1: may, l3: should}\n", make_pack)
    assert [found.strength_at(level) for level in (1, 2, 3, 4, None)] == ["may", "may", "should", "should", "should"]
    assert case(HIGH_RISK, make_pack).strength_at(3) == ""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("questions:", "items:", "a question file is a mapping"),
        ("questions:", "colour: red\nquestions:", "unknown key 'colour'"),
        ("scope: system", "scope: county", "scope of backup.local must be one of"),
        ("scope: system", "scope: system, colour: red", "unknown key 'colour' of a question"),
        ("valid_days: 365", "valid_days: 0", "valid_days of backup.local must be a whole number"),
        ("valid_days: 365, ", "", "valid_days of backup.local must be a whole number"),
        ("zh: 有本地备份吗？, ", "", "zh must be text"),
        ("id: backup.local", "id: Backup Local", "id 'Backup Local' of a question"),
        ("scope: system", "scope: system, answers: [yes_, no]", "answers of backup.local must be yes and no"),
        ("scope: system", 'scope: system, answers: ["yes", "na"]', "answers of backup.local must be yes and no"),
    ],
)
def test_check_pack_when_a_question_is_wrong_then_it_is_named(make_pack, vary, old, new, message):
    mistakes = check_pack([make_pack(questions=vary(old, new, QUESTIONS))])
    assert [one.message for one in mistakes if one.file.endswith("questions/demo.yml") and message in one.message]


def test_check_pack_when_a_question_is_asked_twice_then_both_places_are_named(make_pack):
    twice = QUESTIONS + QUESTIONS.split("\n", 1)[1]
    (mistake,) = check_pack([make_pack(questions=twice)])
    assert mistake.line == 3
    assert "question 'backup.local' is already in" in mistake.message


def test_check_pack_when_there_are_no_questions_at_all_then_none_is_missed(make_pack):
    assert check_pack([make_pack(questions=None)]) == ()
