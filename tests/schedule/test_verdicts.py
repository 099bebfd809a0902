"""Verdicts for each grading object of a unit."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, replace
from datetime import timedelta
from ipaddress import ip_network

import pytest

from sentinel.model.attestation import Answer, Attestation, AttestationState
from sentinel.model.control import Basis, Catalogue, ClauseVerdict, GradingObject, Verdict
from sentinel.model.ports import PortSet
from sentinel.model.unit import Network, Zone
from sentinel.model.whitelist import WhitelistEntry, WhitelistKind
from sentinel.schedule.context import Context
from sentinel.schedule.facts import read_centre_facts, read_period
from sentinel.schedule.intake import replace_networks
from sentinel.schedule.judging import judge_unit
from sentinel.schedule.verdicts import choose_catalogue, plan_judging, read_verdicts
from sentinel.store.attestations import write_answer, write_review
from sentinel.store.scopes import write_whitelist_entry
from sentinel.store.units import write_network
from tests.homes import NOW, SCHOOL
from tests.schedule.nmapfile import NmapRun, at, give, host
from tests.schedule.systems import put_system
from tests.schedule.test_proofs import full_scan

COUNTS = {
    "mlps-l2": 135,
    "mlps-l3": 211,
    "high-risk": 42,
    "gbt-39786": 13,
    "duty": 38,
    "two-highs-one-weak": 3,
    "ipv6": 4,
}


@pytest.fixture
def campus(context: Context) -> Context:
    """A network of sixteen addresses, fifteen of which can be asked, and a whitelist that lets ssh be."""
    entry = WhitelistEntry(
        id=0, unit=SCHOOL.code, kind=WhitelistKind.PORT, proto="tcp", ports=PortSet.of_ports([22]),
        addresses=(ip_network("10.0.0.0/24"),), reason="x", approved_by="x",
    )  # fmt: skip
    everywhere = replace(entry, kind=WhitelistKind.HOST, proto="", ports=PortSet())
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        write_network(transaction, Network(0, SCHOOL.code, "campus", Zone.SERVER, (ip_network("10.0.0.0/28"),)))
        replace_networks(context, transaction, SCHOOL)
        write_whitelist_entry(transaction, entry)
        write_whitelist_entry(transaction, everywhere)
    return context


def of(verdicts: tuple[ClauseVerdict, ...], clause: str) -> dict[str, Verdict]:
    return {one.system: one.verdict for one in verdicts if one.clause.id == clause}


@pytest.mark.parametrize("catalogue", COUNTS)
def test_verdicts_when_no_system_is_registered_then_the_unit_is_judged_as_one_object(
    campus: Context, catalogue: str
) -> None:
    found = read_verdicts(campus, SCHOOL, NOW, catalogue)
    assert (len(found), {one.system for one in found}) == (COUNTS[catalogue], {""})


def test_verdicts_when_systems_have_levels_then_the_level_decides_the_catalogue(campus: Context) -> None:
    put_system(campus, "门户网站", 2, "10.0.0.1/32")
    put_system(campus, "教务系统", 3, "10.0.0.2/32")
    put_system(campus, "学籍系统", 3, "10.0.0.3/32")
    put_system(campus, "社团网页", 1, "10.0.0.4/32")
    put_system(campus, "未定级", None, "10.0.0.5/32")
    found = Counter((one.catalogue, one.system) for one in read_verdicts(campus, SCHOOL, NOW))
    graded = ("门户网站", "教务系统", "学籍系统", "社团网页", "")
    assert found == (
        {("mlps-l2", name): 135 for name in ("门户网站", "")}
        | {("mlps-l3", name): 211 for name in ("教务系统", "学籍系统", "")}
        | {
            (one, name): COUNTS[one]
            for one in ("high-risk", "gbt-39786", "two-highs-one-weak", "ipv6")
            for name in graded
        }
        | {("duty", ""): 38}
    )


def test_verdicts_when_no_object_has_the_level_then_its_catalogue_is_judged_only_when_named(campus: Context) -> None:
    put_system(campus, "门户网站", 2, "10.0.0.1/32")
    assert "mlps-l3" not in {one.catalogue for one in read_verdicts(campus, SCHOOL, NOW)}
    named = read_verdicts(campus, SCHOOL, NOW, "mlps-l3")
    assert (len(named), {one.system for one in named}) == (211, {""})


def test_verdicts_when_the_level_is_low_then_high_risk_cases_above_it_do_not_apply(campus: Context) -> None:
    put_system(campus, "社团网页", 1)
    put_system(campus, "门户网站", 2)
    found = read_verdicts(campus, SCHOOL, NOW, "high-risk")
    counts = Counter((one.system, one.verdict) for one in found)
    assert counts["社团网页", Verdict.NOT_APPLICABLE] == 42
    assert counts["门户网站", Verdict.NOT_APPLICABLE] == sum(one.clause.min_level > 2 for one in found) // 3 > 0
    assert counts["", Verdict.NOT_APPLICABLE] == 2, "a unit without a level is looked at as one of level 3"


def test_verdicts_when_a_finding_is_at_a_system_then_only_that_system_has_the_problem(campus: Context) -> None:
    put_system(campus, "门户网站", 2, "10.0.0.1/32")
    put_system(campus, "一卡通", 2, "10.0.0.2/32")
    give(
        campus, NmapRun((host(1, p23="telnet"), host(2, p22="ssh"), host(3, p22="ssh")), ports="22-23", finished=at(99))
    )
    judge_unit(campus, SCHOOL)
    found = read_verdicts(campus, SCHOOL, NOW, "mlps-l2")
    assert of(found, "CE-01c") == {"门户网站": Verdict.NONCONFORM, "一卡通": Verdict.UNKNOWN, "": Verdict.UNKNOWN}
    number = next(one for one in found if one.clause.id == "CE-01c").evidence[0]
    assert number.startswith("隐患-")


def test_verdicts_when_no_system_owns_the_address_then_the_unit_has_the_problem(campus: Context) -> None:
    put_system(campus, "门户网站", 2, "10.0.0.1/32")
    give(campus, NmapRun((host(3, p23="telnet"),), ports="22-23", finished=at(99)))
    judge_unit(campus, SCHOOL)
    assert of(read_verdicts(campus, SCHOOL, NOW, "mlps-l2"), "CE-01c") == {
        "门户网站": Verdict.UNKNOWN,
        "": Verdict.NONCONFORM,
    }


def test_verdicts_when_all_addresses_of_a_system_were_looked_at_then_it_is_conform_and_the_unit_is_not(
    campus: Context,
) -> None:
    put_system(campus, "门户网站", 2, "10.0.0.1/32", "10.0.0.2/32")
    put_system(campus, "一卡通", 2, "10.0.0.2/32", "10.0.0.3/32", "10.0.0.4/32", "10.0.0.5/32", "10.0.0.6/32")
    give(campus, full_scan((1, 2, 3, 4), day=99, arguments="nmap -sV -oX -"))
    judge_unit(campus, SCHOOL)
    found = read_verdicts(campus, SCHOOL, NOW, "mlps-l2")
    wanted = {"门户网站": Verdict.CONFORM, "一卡通": Verdict.UNKNOWN, "": Verdict.UNKNOWN}
    assert of(found, "AB-02a") == wanted
    assert of(found, "CE-04b") == wanted
    reasons = {one.system: one.reason_zh for one in found if one.clause.id == "AB-02a"}
    assert reasons["一卡通"] == "端口扫描只覆盖 60%，需 100%"
    assert reasons["门户网站"].startswith("在探测范围内证据齐全")


def test_verdicts_when_a_system_has_only_a_name_nobody_knows_then_nothing_covers_it(campus: Context) -> None:
    put_system(campus, "门户网站", 2)
    give(campus, full_scan(range(15), day=99, arguments="nmap -sV -oX -"))
    judge_unit(campus, SCHOOL)
    found = of(read_verdicts(campus, SCHOOL, NOW, "mlps-l2"), "AB-02a")
    assert found == {"门户网站": Verdict.UNKNOWN, "": Verdict.CONFORM}


def test_verdicts_when_a_system_is_critical_infrastructure_then_it_is_named_only_when_asked_for(
    campus: Context,
) -> None:
    put_system(campus, "门户网站", 2, "10.0.0.1/32")
    put_system(campus, "关键系统", 3, "10.0.0.2/32", cii=True)
    give(campus, NmapRun((host(2, p23="telnet"),), ports="22-23", finished=at(99)))
    judge_unit(campus, SCHOOL)
    assert "关键系统" not in {one.system for one in read_verdicts(campus, SCHOOL, NOW)}
    hidden = read_verdicts(campus, SCHOOL, NOW, "mlps-l3")
    assert of(hidden, "CE-01c") == {"": Verdict.UNKNOWN}, "its findings count for it alone"
    assert of(read_verdicts(campus, SCHOOL, NOW, "mlps-l3", cii=True), "CE-01c")["关键系统"] is Verdict.NONCONFORM


def test_verdicts_when_read_twice_then_not_a_byte_differs(campus: Context) -> None:
    put_system(campus, "门户网站", 2, "10.0.0.1/32")
    give(campus, NmapRun((host(1, p23="telnet"), host(3, p23="telnet")), ports="22-23", finished=at(99)))
    judge_unit(campus, SCHOOL)
    once, again = (
        json.dumps([asdict(one) for one in read_verdicts(campus, SCHOOL, NOW)], ensure_ascii=False) for _ in range(2)
    )
    assert once == again


def attest(context: Context, system: int, question: str, answer: Answer, **more: object) -> None:
    told = Attestation(0, SCHOOL.code, system, question, answer, "", "示例处", "", NOW, NOW + timedelta(days=99))
    with context.database.transaction("tester", NOW) as transaction:
        stored = write_answer(transaction, replace(told, **more))  # type: ignore[arg-type]
        write_review(transaction, stored, replace(stored, state=AttestationState.ACCEPTED))
        transaction.audit("test.attest", question)


def test_verdicts_when_the_unit_answers_a_question_of_its_own_then_it_holds_for_its_systems(campus: Context) -> None:
    system = put_system(campus, "门户网站", 2, "10.0.0.1/32")
    attest(campus, 0, "doc.author", Answer.PARTLY)
    attest(campus, 0, "login.lockout", Answer.PARTLY)
    found = read_verdicts(campus, SCHOOL, NOW, "mlps-l2")
    assert of(found, "MS-03a") == {"门户网站": Verdict.PARTIAL, "": Verdict.PARTIAL}
    assert of(found, "CE-01b") == {"门户网站": Verdict.UNKNOWN, "": Verdict.PARTIAL}
    attest(campus, system.id, "login.lockout", Answer.NO)
    again = read_verdicts(campus, SCHOOL, NOW, "mlps-l2")
    assert of(again, "CE-01b") == {"门户网站": Verdict.NONCONFORM, "": Verdict.PARTIAL}
    assert {one.basis for one in again if one.clause.id == "CE-01b"} == {(Basis.ATTESTED,)}


def test_centre_when_a_unit_has_several_objects_then_each_clause_counts_once(campus: Context) -> None:
    put_system(campus, "门户网站", 2, "10.0.0.1/32")
    put_system(campus, "一卡通", 2, "10.0.0.2/32")
    give(campus, NmapRun((host(1, p23="telnet"),), ports="22-23", finished=at(99)))
    judge_unit(campus, SCHOOL)
    (summary,) = read_centre_facts(campus, SCHOOL, read_period(None, NOW)).summaries
    assert summary.clauses == 135
    assert summary.nonconform >= 1


LEVELS = [
    Catalogue("two", "", "", "", 2, ()),
    Catalogue("three", "", "", "", 3, ()),
    Catalogue("all", "", "", "", 0, ()),
]


@pytest.mark.parametrize(
    ("level", "wanted"), [(None, ""), (1, ""), (2, "two"), (3, "three"), (4, "three"), (5, "three")]
)
def test_choose_catalogue_when_a_level_is_given_then_the_highest_not_above_it_judges(
    level: int | None, wanted: str
) -> None:
    assert choose_catalogue(LEVELS, GradingObject("u", "x", 1, level)) == wanted


def test_plan_when_every_system_has_level_one_then_the_unit_is_judged_by_all_levels() -> None:
    objects = (GradingObject("u", "x", 1, 1), GradingObject("u"))
    plan = [(one.id, thing.system) for one, thing in plan_judging(LEVELS, LEVELS, objects, named=False)]
    assert plan == [("two", ""), ("three", ""), ("all", "x"), ("all", "")]
