from __future__ import annotations

from dataclasses import replace

from sentinel.model.control import Basis, Check, ClauseVerdict, Scoring, Verdict
from sentinel.model.result import Method
from sentinel.report.view_compliance import STATES, build_compliance
from tests.report.facts_factory import CATALOGUE, CODE, make_empty_facts, make_facts


def verdicts(*found: Verdict, catalogue: str = CATALOGUE.id, check: Check = Check.AUTO, system: str = ""):
    clause = replace(CATALOGUE.clauses[0], check=check)
    return tuple(
        ClauseVerdict(CODE, system, catalogue, replace(clause, id=f"X-{n}"), verdict, (Basis.AUTO,), (), "因", "why")
        for n, verdict in enumerate(found)
    )


def view(*found: Verdict, **more: object):
    return build_compliance(make_empty_facts(verdicts=verdicts(*found, **more), catalogues=(CATALOGUE,)))  # type: ignore[arg-type]


def test_build_compliance_when_no_verdict_exists_then_everything_is_unknown() -> None:
    found = build_compliance(make_empty_facts())
    assert found.sections == ()
    assert [figure.value for figure in found.figures] == [None] * 4
    assert found.steps[0].cause.zh == "没有任何条款判定"


def test_build_compliance_when_verdicts_differ_then_counts_and_range_follow() -> None:
    found = view(
        Verdict.CONFORM, Verdict.CONFORM, Verdict.NONCONFORM, Verdict.PARTIAL, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE
    )
    tally = found.all
    assert (tally.problem, tally.partial, tally.proven, tally.unknown, tally.excluded) == (1, 1, 2, 1, 1)
    assert (tally.total, tally.applicable) == (6, 5)
    (section,) = found.sections
    assert (section.range.zh, section.range.en) == ("40.0% 至 60.0%", "40.0% to 60.0%")


def test_build_compliance_when_nothing_applies_then_there_is_no_range() -> None:
    assert view(Verdict.NOT_APPLICABLE).sections[0].range.zh == "—"


def test_build_compliance_when_a_score_is_asked_for_then_no_rate_stands_beside_it() -> None:
    scored = replace(CATALOGUE, scoring=Scoring(("安全计算环境",), 0.5, (1.0, 2.0, 3.0), 0.5))
    told = (*verdicts(Verdict.CONFORM, Verdict.UNKNOWN), *verdicts(Verdict.UNKNOWN, catalogue="other"))
    facts = make_empty_facts(verdicts=told, catalogues=(scored,), method=Method.SCORE_2021)
    found = build_compliance(facts)
    assert found.method is Method.SCORE_2021
    assert "2021 版口径" in found.method_text.zh
    assert "%" not in found.sections[0].range.zh
    assert found.sections[0].range.zh.endswith("100.0")
    assert found.sections[1].range.zh == "—", "the catalogue has no way of scoring"


def test_build_compliance_when_objects_differ_then_each_is_called_by_its_name() -> None:
    told = (*verdicts(Verdict.UNKNOWN), *verdicts(Verdict.UNKNOWN, system="门户网站"))
    found = build_compliance(make_empty_facts(verdicts=told, catalogues=(CATALOGUE,)))
    assert [section.object.zh for section in found.sections] == ["未登记定级对象", "门户网站"]
    duty = replace(CATALOGUE, objects="unit")
    (section,) = build_compliance(make_empty_facts(verdicts=verdicts(Verdict.UNKNOWN), catalogues=(duty,))).sections
    assert section.object.zh == "单位整体"


def test_build_compliance_when_words_are_chosen_then_no_assessor_word_is_among_them() -> None:
    words = {line.state_text.zh for line in view(*Verdict).sections[0].clauses}
    assert words == {"已证实问题", "部分存在问题", "已举证", "未核查", "不适用"}
    assert set(STATES) == set(Verdict)


def test_build_compliance_when_there_are_two_catalogues_then_each_is_a_section() -> None:
    facts = make_empty_facts(
        verdicts=(*verdicts(Verdict.UNKNOWN), *verdicts(Verdict.CONFORM, catalogue="other", system="portal")),
        catalogues=(CATALOGUE,),
    )
    found = build_compliance(facts)
    assert [(section.title.zh, section.system) for section in found.sections] == [
        (CATALOGUE.title_zh, ""),
        ("other", "portal"),
    ]
    assert "2 个合计" in found.figures[0].note.zh


def test_build_compliance_when_proof_comes_from_people_then_it_is_counted_apart() -> None:
    facts = make_facts(200)
    (section,) = build_compliance(facts).sections
    assert section.by_tool + section.attested == section.all.proven
    assert section.attested > 0


def test_build_compliance_when_problems_are_sorted_then_whole_and_heavy_ones_come_first() -> None:
    (section,) = build_compliance(make_facts(200)).sections
    order = [(line.state != "problem", -line.weight) for line in section.problems]
    assert order == sorted(order)


def test_build_compliance_when_clauses_are_unknown_then_steps_ask_tools_and_people() -> None:
    auto = view(Verdict.UNKNOWN)
    people = view(Verdict.UNKNOWN, check=Check.MANUAL)
    assert [step.cause.zh for step in auto.steps] == ["1 条可自动核查的条款缺少新鲜证据"]
    assert [step.cause.zh for step in people.steps] == ["1 条需要人工举证"]


def test_build_compliance_when_reason_is_missing_then_the_clause_stands_in() -> None:
    bare = tuple(replace(verdict, reason_zh="", reason_en="") for verdict in verdicts(Verdict.NONCONFORM))
    found = build_compliance(make_empty_facts(verdicts=bare))
    assert found.steps[0].cause.zh == CATALOGUE.clauses[0].title_zh


def test_build_compliance_when_the_object_is_above_the_catalogue_then_it_says_so() -> None:
    told = tuple(replace(one, level=level) for one, level in zip(verdicts(Verdict.UNKNOWN), (4,), strict=True))
    (section,) = build_compliance(make_empty_facts(verdicts=told, catalogues=(replace(CATALOGUE, level=3),))).sections
    assert (section.level, section.is_beyond) == (4, True)
    assert not view(Verdict.UNKNOWN).sections[0].is_beyond
