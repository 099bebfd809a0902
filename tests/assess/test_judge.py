from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.assess.compile import Part
from sentinel.assess.judge import Dispatch, judge
from sentinel.assess.pack import load_pack
from sentinel.assess.rulefile import CompiledRule
from sentinel.model.rule import Category, Rule, RuleText, Severity, Subject
from tests.assess.texts import RULE

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def subject(text: str, category: Category = Category.SERVICE, **fields) -> Subject:
    return Subject(category, "u", 1, text, fields)


def second(name: str, extra: str = "") -> str:
    text = RULE.replace("demo.redis", name).replace("6d1f0b5e", f"{len(name):08x}")
    return text.replace("due_days: 1\n", f"due_days: 1\n{extra}")


def test_judge_when_rules_fire_then_order_is_subjects_then_rule_names(make_pack):
    pack = load_pack([make_pack({"z.yml": second("demo.alpha-rule"), "a.yml": RULE})])
    found = judge(
        pack, [subject("b", service="redis", guessed=False), subject("a", service="Redis", guessed=False)], NOW
    )
    assert [(one.subject.text, one.rule.name) for one in found] == [
        ("b", "demo.alpha-rule"),
        ("b", "demo.redis"),
        ("a", "demo.alpha-rule"),
        ("a", "demo.redis"),
    ]


def test_judge_when_a_rule_fires_then_the_fields_it_looked_at_are_told(make_pack):
    pack = load_pack([make_pack()])
    (found,) = judge(pack, [subject("x", service="redis", guessed=False, port=6379)], NOW)
    assert found.matched == (("service", "redis"), ("guessed", False))


def test_judge_when_the_category_differs_then_nothing_fires(make_pack):
    pack = load_pack([make_pack()])
    assert list(judge(pack, [subject("x", Category.HOST, service="redis", guessed=False)], NOW)) == []


@pytest.mark.parametrize(
    ("extra", "fires"),
    [
        ("valid_from: 2026-11-22\n", True),
        ("valid_from: 2026-11-23\n", False),
        ("valid_to: 2026-11-22\n", True),
        ("valid_to: 2026-11-21\n", False),
        ("valid_from: 2026-01-01\nvalid_to: 2027-01-01\n", True),
    ],
)
def test_judge_when_a_rule_is_dated_then_it_fires_only_in_its_time(make_pack, extra, fires):
    pack = load_pack([make_pack({"demo/redis.yml": second("demo.redis", extra)})])
    assert bool(list(judge(pack, [subject("x", service="redis", guessed=False)], NOW))) is fires


def test_judge_when_run_twice_then_it_gives_the_same(make_pack):
    pack = load_pack([make_pack()])
    subjects = [subject(str(n), service="redis", guessed=bool(n % 2)) for n in range(50)]
    assert list(judge(pack, subjects, NOW)) == list(judge(pack, subjects, NOW + timedelta(days=1)))


def demanding(number: int, demands: dict) -> CompiledRule:
    rule = Rule("", f"r{number}", RuleText(""), RuleText(""), Severity.LOW, Category.SERVICE)

    def holds(fields) -> bool:
        return all(fields.get(name) in values for name, values in demands.items())

    return CompiledRule(rule, Part(holds, demands={name: frozenset(values) for name, values in demands.items()}))


PORTS = st.lists(st.integers(1, 4), min_size=1, max_size=3)
SERVICES = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=2)
DEMANDS = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"port": PORTS}),
    st.fixed_dictionaries({"service": SERVICES}),
    st.fixed_dictionaries({"port": PORTS, "service": SERVICES}),
)


@given(st.lists(DEMANDS, max_size=8), st.integers(0, 5), st.sampled_from(["a", "b", "x", None]))
def test_dispatch_when_indexed_then_it_fires_as_asking_every_rule_would(demands, port, service):
    rules = [demanding(number, demand) for number, demand in enumerate(demands)]
    fields = {"port": port, "service": service}
    table = Dispatch(enumerate(rules))
    for _ in range(2):
        fired = [one.rule.name for one in table.candidates(subject("x", **fields)) if one.part.holds(fields)]
        assert fired == [one.rule.name for one in rules if one.part.holds(fields)]
