from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from sentinel.assess.column import take_questions
from sentinel.assess.controls import judge_catalogue
from sentinel.assess.fields import FIELDS
from sentinel.assess.pack import check_pack, load_pack
from sentinel.assess.rulefile import CompiledRule
from sentinel.model.attestation import Answer, Attestation, AttestationFile, AttestationState
from sentinel.model.control import Check, Clause, ProofState, Verdict
from sentinel.model.rule import Category, Severity
from tests.rules.cases import case_fields

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "rules"
PACK = load_pack([FOLDER])
BY_NAME = {one.rule.name: one for one in PACK.compiled}
DUE_DAYS = {Severity.CRITICAL: 1, Severity.HIGH: 3, Severity.MEDIUM: 7, Severity.LOW: 15, Severity.INFORMATIONAL: None}
CATALOGUES = {catalogue.id: catalogue for catalogue in PACK.catalogues}
CLAUSES = {(one.tag, clause.id): clause for one in PACK.catalogues for clause in one.clauses}
MLPS = {name: clause for (tag, name), clause in CLAUSES.items() if tag == "mlps"}

NOW = datetime(2026, 11, 22, tzinfo=UTC)

each_rule = pytest.mark.parametrize("one", PACK.compiled, ids=[one.rule.name for one in PACK.compiled])
each_name = pytest.mark.parametrize("rule", PACK.rules, ids=[rule.name for rule in PACK.rules])


def source_of(one: CompiledRule) -> dict:
    return yaml.safe_load(Path(one.rule.file).read_text(encoding="utf-8"))


def test_pack_when_checked_then_it_has_no_mistake():
    assert check_pack([FOLDER]) == ()


@each_rule
def test_rule_when_its_own_cases_are_judged_then_one_fires_and_one_stays_quiet(one):
    cases = source_of(one)["cases"]
    assert one.part.holds(case_fields(one.rule.category, cases["fires"]))
    assert not one.part.holds(case_fields(one.rule.category, cases["quiet"]))


@each_name
def test_rule_when_shipped_then_its_words_are_complete_in_both_languages(rule):
    for text in (rule.zh, rule.en):
        assert text.title
        assert text.description
        assert text.remediation
    assert any("\u4e00" <= char <= "\u9fff" for char in rule.zh.title)
    assert rule.en.title.isascii()
    assert rule.en.remediation.isascii()


@each_name
def test_rule_when_shipped_then_its_deadline_is_the_default_of_its_level(rule):
    assert rule.due_days == DUE_DAYS[rule.severity]


@each_name
def test_rule_when_shipped_then_it_stands_where_its_name_says(rule):
    topic, _, rest = rule.name.partition(".")
    assert Path(rule.file).relative_to(FOLDER).as_posix() == f"{topic}/{rest}.yml"


ASKS_SERVICE = [
    one
    for one in PACK.compiled
    if any(
        asked.field == "service" and not asked.denied and all(leaf.op == "equals" for leaf in asked.leaves)
        for asked in take_questions(one.term)[0]
    )
]


@pytest.mark.parametrize("one", ASKS_SERVICE, ids=[one.rule.name for one in ASKS_SERVICE])
def test_rule_when_it_names_a_service_then_a_guess_from_the_port_does_not_fire_it(one):
    fields = case_fields(one.rule.category, source_of(one)["cases"]["fires"])
    assert not one.part.holds(fields | {"guessed": True})


def test_rules_when_compared_then_no_two_say_the_same():
    detections = Counter(
        repr((one.rule.category, sorted(source_of(one)["detection"].items(), key=str))) for one in PACK.compiled
    )
    assert [text for text, count in detections.items() if count > 1] == []
    for words in ("title", "title_en"):
        titles = Counter(source_of(one)[words] for one in PACK.compiled)
        assert [title for title, count in titles.items() if count > 1] == []


def test_rules_when_counted_then_the_packs_are_there():
    topics = Counter(rule.name.partition(".")[0] for rule in PACK.rules)
    assert topics["whitelist"] == 10
    assert topics["exposure"] >= 80
    assert topics["ssh"] == 10
    assert topics["mail"] == 6
    assert topics["certificate"] >= 10
    assert topics["mining"] >= 4
    assert topics["unit"] >= 2
    assert topics["tls"] >= 20
    others = {Category.WEB, Category.DNS, Category.LOG}
    assert {rule.category for rule in PACK.rules} >= set(Category) - others


@pytest.mark.parametrize("days", range(-5, 40))
def test_certificate_rules_when_days_pass_then_at_most_one_expiry_rule_fires(days):
    fields = {"days_left": days, "expired": days < 0}
    names = ["certificate.expired", "certificate.expires-7", "certificate.expires-14", "certificate.expires-30"]
    fired = [name for name in names if BY_NAME[name].part.holds(fields)]
    expected = names[0] if days < 0 else names[1] if days <= 7 else names[2] if days <= 14 else names[3]
    assert fired == ([expected] if days <= 30 else [])


@pytest.mark.parametrize("kind", ["mining", "suspect", "name", "node"])
@pytest.mark.parametrize("zone", ["server", "dmz", "office", "unknown"])
def test_mining_rules_when_a_flow_is_found_then_exactly_one_fires(kind, zone):
    rules = [one for one in PACK.compiled if one.rule.category is Category.FLOW]
    assert len([one for one in rules if one.part.holds({"class": kind, "zone": zone})]) == 1


OTHER_REDIS = [
    ({"version": "7.0.15"}, {"exposure.redis-no-auth"}),
    ({}, {"exposure.redis"}),
    ({"whitelist": "listed"}, set()),
    ({"version": "7.0.15", "whitelist": "listed"}, {"exposure.redis-no-auth"}),
    ({"internet": True}, {"exposure.database-internet"}),
    ({"guessed": True}, {"exposure.high-risk-port"}),
    ({"no_login": True, "login_product": "redis"}, {"exposure.redis-no-auth"}),
    ({"no_login": True, "login_product": "redis", "whitelist": "listed"}, {"exposure.redis-no-auth"}),
    ({"no_login": True, "login_product": "redis", "guessed": True}, {"exposure.redis-no-auth"}),
    ({"version": "7.0.15", "no_login": False, "login_product": "redis"}, set()),
    ({"no_login": False, "login_product": "redis"}, {"exposure.redis"}),
    ({"no_login": False, "login_product": "redis", "guessed": True}, {"exposure.high-risk-port"}),
]


@pytest.mark.parametrize(("facts", "wanted"), OTHER_REDIS)
def test_exposure_rules_when_redis_is_seen_then_only_what_is_known_is_claimed(facts, wanted):
    base = {"port": 6379, "proto": "tcp", "service": "redis", "guessed": False, "internet": False, "whitelist": "none"}
    fired = {
        one.rule.name for one in PACK.compiled if one.rule.category is Category.SERVICE and one.part.holds(base | facts)
    }
    assert fired == wanted


def fired_by(fields: dict) -> set[str]:
    base = {"proto": "tcp", "guessed": False, "internet": False, "whitelist": "none"}
    services = [one for one in PACK.compiled if one.rule.category is Category.SERVICE]
    return {one.rule.name for one in services if one.part.holds(base | fields)}


PROVEN = {
    "redis": (6379, "redis", "exposure.redis-no-auth"),
    "mongodb": (27017, "mongodb", "exposure.mongodb-no-auth"),
    "memcached": (11211, "memcached", "exposure.memcached-no-auth"),
    "zookeeper": (2181, "zookeeper", "exposure.zookeeper"),
    "x11": (6000, "X11", "exposure.x11-open"),
    "docker": (2376, "docker", "exposure.docker-api"),
    "elasticsearch": (9200, "http", "exposure.elasticsearch-no-auth"),
    "jupyter": (8888, "http", "exposure.jupyter-no-auth"),
    **{
        product: (port, service, f"exposure.{product}-no-login")
        for product, port, service in (
            ("vnc", 5900, "vnc"),
            ("rsync", 873, "rsync"),
            ("nfs", 2049, "nfs"),
            ("kafka", 9092, "kafka"),
            ("couchdb", 5984, "http"),
            ("clickhouse", 8123, "http"),
            ("influxdb", 8086, "http"),
            ("kubernetes", 10250, "http"),
            ("etcd", 2379, "http"),
            ("nacos", 8848, "http"),
            ("jenkins", 8080, "http"),
            ("kibana", 5601, "http"),
            ("consul", 8500, "http"),
            ("prometheus", 9090, "http"),
        )
    },
}


@pytest.mark.parametrize("product", PROVEN)
def test_exposure_rules_when_no_login_is_proven_then_one_rule_says_so(product):
    port, service, rule = PROVEN[product]
    fields = {"port": port, "service": service, "tunnel": "ssl", "login_product": product, "no_login": True}
    assert fired_by(fields) == {rule}


@pytest.mark.parametrize("product", PROVEN)
def test_exposure_rules_when_a_login_is_proven_then_none_claims_there_is_none(product):
    port, service, rule = PROVEN[product]
    seen = {"port": port, "service": service, "version": "4.2.1", "banner": "open", "login_product": product}
    assert rule not in fired_by(seen | {"no_login": False})


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({"product": "SNMPv1 server", "banner": "public"}, {"exposure.snmp-public"}),
        ({"product": "SNMPv1 server", "banner": "public", "snmp_public": True}, {"exposure.snmp-public"}),
        ({"product": "SNMPv1 server", "banner": "public", "snmp_public": False}, set()),
        ({"product": "net-snmp", "snmp_public": True}, {"exposure.snmp-public"}),
        ({"product": "net-snmp"}, set()),
        ({"guessed": True}, {"exposure.high-risk-port"}),
        ({"guessed": True, "snmp_public": True}, {"exposure.snmp-public"}),
    ],
)
def test_exposure_rules_when_snmp_is_read_then_the_default_is_proven_or_refuted(facts, wanted):
    assert fired_by({"port": 161, "proto": "udp", "service": "snmp"} | facts) == wanted


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({}, {"exposure.mail-plain"}),
        ({"mail_plain_login": False, "mail_starttls": True}, set()),
        ({"mail_plain_login": True, "mail_starttls": True}, {"mail.plain-login"}),
        ({"mail_plain_login": True, "mail_starttls": False}, {"mail.plain-login", "mail.no-starttls"}),
    ],
)
def test_mail_rules_when_a_mailbox_is_looked_at_then_the_guess_gives_way(facts, wanted):
    assert fired_by({"port": 143, "service": "imap"} | facts) == wanted


@pytest.mark.parametrize(("internet", "rule"), [(True, "mail.open-relay"), (False, "mail.relay-inside")])
def test_mail_rules_when_a_relay_is_seen_then_it_counts_from_where(internet, rule):
    assert fired_by({"port": 25, "service": "smtp", "internet": internet, "mail_open_relay": True}) == {rule}


def test_exposure_rules_when_a_plain_site_is_seen_then_nothing_fires():
    fields = {"port": 443, "proto": "tcp", "service": "http", "tunnel": "ssl", "guessed": False, "title": "学校主页"}
    fields |= {
        "product": "nginx",
        "version": "1.24.0",
        "internet": True,
        "whitelist": "listed",
        "names": ("www.a.example",),
    }
    fired = [one.rule.name for one in PACK.compiled if one.rule.category is Category.SERVICE and one.part.holds(fields)]
    assert fired == []


@pytest.mark.parametrize(("catalogue", "count"), [("mlps-l2", 135), ("mlps-l3", 211)])
def test_catalogue_when_counted_then_every_clause_of_the_level_is_there(catalogue, count):
    clauses = CATALOGUES[catalogue].clauses
    assert len(clauses) == count
    assert len({clause.id for clause in clauses}) == len({clause.number for clause in clauses}) == count
    prefix = {"mlps-l2": "7.1.", "mlps-l3": "8.1."}[catalogue]
    assert all(clause.number.startswith(prefix) for clause in clauses)


DOMAINS = {
    "安全物理环境": (15, 22),
    "安全通信网络": (4, 8),
    "安全区域边界": (11, 20),
    "安全计算环境": (23, 34),
    "安全管理中心": (4, 12),
    "安全管理制度": (6, 7),
    "安全管理机构": (9, 14),
    "安全管理人员": (7, 12),
    "安全建设管理": (25, 34),
    "安全运维管理": (31, 48),
}


def test_catalogue_when_inherited_then_level_three_holds_level_two_but_for_two_clauses():
    second, third = (CATALOGUES[name] for name in ("mlps-l2", "mlps-l3"))
    numbers = {clause.id: clause.number for clause in second.clauses}
    assert third.inherits == second.id
    assert {clause.id: clause.inherits for clause in third.clauses if clause.inherits} == {
        name: number for name, number in numbers.items() if name not in {"OM-07xb", "OM-07xc"}
    }


def test_catalogues_when_listed_then_all_seven_are_there_with_their_counts():
    assert {name: len(one.clauses) for name, one in CATALOGUES.items()} == {
        "mlps-l2": 135, "mlps-l3": 211, "high-risk": 42, "gbt-39786": 13, "duty": 38, "two-highs-one-weak": 3,
        "ipv6": 4,
    }  # fmt: skip
    assert [name for name, one in CATALOGUES.items() if one.objects == "unit"] == ["duty"]


@pytest.mark.parametrize("clause", CLAUSES.values(), ids=lambda clause: clause.id)
def test_clause_when_a_person_attests_it_then_the_question_is_there(clause):
    asked = {question.id: question for catalogue in PACK.catalogues for question in catalogue.questions}
    if clause.attested_by:
        question = asked[clause.attested_by]
        assert question.evidence
        assert question.zh.endswith("？")
        assert question.en.isascii()
        assert question.en.endswith((".", "?"))
    else:
        assert clause.check is Check.AUTO, "whoever has to answer must be asked"


@pytest.mark.parametrize("clause", CATALOGUES["duty"].clauses, ids=lambda clause: clause.id)
def test_duty_when_listed_then_who_and_what_and_where_from_are_told(clause):
    assert clause.who
    assert clause.evidence
    assert clause.reference


@pytest.mark.parametrize("clause", CATALOGUES["high-risk"].clauses, ids=lambda clause: clause.id)
def test_high_risk_case_when_listed_then_level_and_mitigation_are_told(clause):
    assert clause.min_level in {2, 3, 4}
    assert clause.mitigable
    assert clause.evidence
    assert clause.number == clause.id


@pytest.mark.parametrize("domain", DOMAINS)
def test_catalogue_when_counted_by_domain_then_both_levels_are_complete(domain):
    counts = [sum(clause.domain == domain for clause in CATALOGUES[name].clauses) for name in ("mlps-l2", "mlps-l3")]
    assert tuple(counts) == DOMAINS[domain]


def test_catalogue_when_counted_by_control_point_then_the_known_totals_come_out():
    points = {name: {(clause.domain, clause.control) for clause in one.clauses} for name, one in CATALOGUES.items()}
    assert (len(points["mlps-l2"]), len(points["mlps-l3"])) == (68, 71)


def test_catalogue_when_the_standard_was_not_seen_then_it_says_so():
    assert not any(clause.verified for clause in CLAUSES.values())
    assert all("未与原文核对" in clause.note for clause in MLPS.values() if clause.domain == "安全管理中心")


@each_rule
def test_rule_when_tagged_with_clauses_then_exactly_those_clauses_name_it(one):
    named = {clause.id for clause in MLPS.values() if one.rule.name in (*clause.refuted_by, *clause.partial_by)}
    assert set(one.rule.clauses) == named


@each_rule
def test_rule_when_tagged_in_a_catalogue_that_goes_by_tags_then_its_clauses_name_it(one):
    tagged = {
        f"{catalogue.tag}.{clause.id.lower()}": (*clause.refuted_by, *clause.partial_by)
        for catalogue in PACK.catalogues
        if catalogue.tagged
        for clause in catalogue.clauses
    }
    assert all(one.rule.name in tagged[tag] for tag in one.rule.tags if not tag.startswith("mlps."))


@pytest.mark.parametrize("clause", CLAUSES.values(), ids=lambda clause: clause.id)
def test_clause_when_read_then_its_parts_fit_together(clause):
    assert not set(clause.refuted_by) & set(clause.partial_by)
    assert not clause.proof or (clause.check is Check.AUTO and clause.refuted_by + clause.partial_by)
    assert clause.check is not Check.AUTO or clause.refuted_by or clause.partial_by or clause.attested_by
    assert clause.check is not Check.MANUAL or (clause.attested_by and not clause.refuted_by)
    assert clause.title_en.isascii()


def proofs_for(clause: Clause) -> dict[str, ProofState]:
    return {proof.kind: ProofState(proof.kind, NOW, 1.0, (f"sum-{proof.kind}",)) for proof in clause.proof}


PROVABLE = [(name, clause) for name in CATALOGUES for clause in CATALOGUES[name].clauses if clause.proof]


@pytest.mark.parametrize(("name", "clause"), PROVABLE, ids=[f"{name}-{clause.id}" for name, clause in PROVABLE])
def test_clause_when_any_one_proof_is_taken_away_then_conform_turns_unknown(name, clause):
    def verdict(proofs: dict[str, ProofState]) -> Verdict:
        found = judge_catalogue(CATALOGUES[name], "u", "", (), proofs, NOW)
        return next(one.verdict for one in found if one.clause.id == clause.id)

    proofs = proofs_for(clause)
    assert verdict(proofs) is Verdict.CONFORM
    for kind in proofs:
        assert verdict({other: state for other, state in proofs.items() if other != kind}) is Verdict.UNKNOWN


@pytest.mark.parametrize("name", ["mlps-l2", "mlps-l3"])
def test_catalogue_when_nothing_is_known_then_every_clause_is_unknown_with_a_reason(name):
    verdicts = judge_catalogue(CATALOGUES[name], "u", "", (), {}, NOW)
    assert [one.clause.id for one in verdicts] == [clause.id for clause in CATALOGUES[name].clauses]
    assert {one.verdict for one in verdicts} == {Verdict.UNKNOWN}
    assert all(one.reason_zh and one.reason_en for one in verdicts)


def test_high_risk_cases_when_counted_then_all_forty_two_are_there():
    checks = Counter(case.check for case in PACK.high_risk)
    assert (len(PACK.high_risk), checks[Check.AUTO], checks[Check.SEMI], checks[Check.MANUAL]) == (42, 9, 20, 13)


@pytest.mark.parametrize("category", Category)
def test_documentation_when_read_then_it_lists_every_field(category):
    text = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    section = text.split(f"### {category.value}\n")[1].split("###")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{name}` | {field.kind} | {'是' if field.many else ''} | {field.zh} |"
        for name, field in FIELDS[category].items()
    ]


ANSWERED = {
    question.id: Attestation(
        1, "u", 1, question.id, Answer.YES, "", "示例处", "a", NOW, NOW + timedelta(days=30),
        (AttestationFile(f"paper-{question.id}", "材料.pdf"),), AttestationState.ACCEPTED,
    )
    for catalogue in PACK.catalogues
    for question in catalogue.questions
}  # fmt: skip
KINDS = ("port-scan", "service-scan", "whitelist", "register", "traffic", "certificates")
EVERY_PROOF = {kind: ProofState(kind, NOW, 1.0, (f"sum-{kind}",)) for kind in KINDS}


def judged(name: str, proofs: dict[str, ProofState], answers: dict[str, Attestation]) -> dict[str, Verdict]:
    found = judge_catalogue(CATALOGUES[name], "u", "系统", (), proofs, NOW, level=4, attestations=answers)
    return {one.clause.id: one.verdict for one in found}


@pytest.mark.parametrize("name", CATALOGUES)
def test_catalogue_when_all_evidence_is_there_then_only_what_machines_can_only_refute_stays_unknown(name):
    whole = judged(name, EVERY_PROOF, ANSWERED)
    refutable = {one.id for one in CATALOGUES[name].clauses if not one.proof and not one.attested_by}
    assert {clause for clause, verdict in whole.items() if verdict is Verdict.UNKNOWN} == refutable
    assert {verdict for clause, verdict in whole.items() if clause not in refutable} == {Verdict.CONFORM}


@pytest.mark.parametrize("name", CATALOGUES)
def test_clause_when_any_one_piece_of_evidence_is_taken_away_then_unknown_and_never_conform(name):
    """Take away each proof, narrow and age it, and each answer, its review, its papers and its validity, one by one."""
    clauses = {clause.id: clause for clause in CATALOGUES[name].clauses}
    for kind, state in EVERY_PROOF.items():
        need = {one.id for one in clauses.values() if any(proof.kind == kind for proof in one.proof)}
        for bad in (None, replace(state, coverage=0.6), replace(state, newest=NOW - timedelta(days=400))):
            left = {other: one for other, one in EVERY_PROOF.items() if other != kind} | ({kind: bad} if bad else {})
            found = judged(name, left, ANSWERED)
            assert all(found[clause] is Verdict.UNKNOWN for clause in need)
    for question, told in ANSWERED.items():
        asked = [one for one in clauses.values() if one.attested_by == question]
        need = {one.id for one in asked if not (one.proof and one.check is Check.AUTO)}
        if not need:
            continue
        for bad in (
            None,
            replace(told, files=()),
            replace(told, state=AttestationState.PENDING),
            replace(told, valid_until=NOW - timedelta(days=1)),
        ):
            answers = {other: one for other, one in ANSWERED.items() if other != question}
            found = judged(name, EVERY_PROOF, answers | ({question: bad} if bad else {}))
            assert all(found[clause] is Verdict.UNKNOWN for clause in need)
