from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.assess.compile import compile_term
from sentinel.assess.judge import Dispatch, judge
from sentinel.assess.pack import load_pack
from sentinel.assess.pack_cache import Kept, read_kept, write_kept
from sentinel.assess.rulefile import CompiledRule
from sentinel.assess.term import MANY, ONE, Term
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


def compiled(number: int, term: Term) -> CompiledRule:
    rule = Rule("", f"r{number}", RuleText(""), RuleText(""), Severity.LOW, Category.SERVICE)
    return CompiledRule(rule, compile_term(term), term)


LEAVES = st.one_of(
    st.builds(lambda port: Term("equals", "port", port), st.integers(1, 4)),
    st.builds(lambda name: Term("equals", "service", name, folded=True), st.sampled_from(["a", "b", "c"])),
    st.builds(lambda text: Term("like", "title", pieces=(MANY, text, MANY), folded=True), st.sampled_from(["a", "b"])),
    st.builds(lambda text: Term("regex", "banner", text), st.sampled_from(["a.", "^b"])),
    st.builds(lambda text: Term("regex", "names", text, flags="i"), st.sampled_from(["A", "^b|a$"])),
    st.builds(lambda text: Term("like", "title", pieces=(text, ONE)), st.sampled_from(["a", "B"])),
    st.builds(lambda op: Term("compare", "open_days", 2, flags=op), st.sampled_from(["lt", "ge"])),
    st.builds(lambda text: Term("cidr", "address", text), st.sampled_from(["10.0.0.0/30", "10.0.0.2/31", "::/127"])),
    st.builds(lambda text: Term("address", "address", text), st.sampled_from(["10.0.0.1", "::1"])),
    st.builds(lambda wanted: Term("exists", "names", wanted), st.booleans()),
    st.sampled_from([Term("absent", "product"), Term("absent", "names"), Term("same", "title", "banner")]),
)
TERMS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda args: Term("all", args=tuple(args)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda args: Term("any", args=tuple(args)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda arg: Term("not", args=(arg,)), inner),
    ),
    max_leaves=8,
)
TEXTS = st.one_of(st.none(), st.text("abA", max_size=3))
FIELDS = st.fixed_dictionaries(
    {
        "port": st.one_of(st.none(), st.integers(0, 5)),
        "service": st.one_of(st.none(), st.sampled_from(["a", "A", "b", "x"])),
        "product": TEXTS,
        "title": TEXTS,
        "banner": TEXTS,
        "open_days": st.one_of(st.none(), st.integers(0, 3)),
        "names": st.lists(TEXTS, max_size=3).map(tuple),
        "address": st.sampled_from([None, *map(ip_address, ("10.0.0.1", "10.0.0.3", "10.0.0.9", "::1", "::2"))]),
    }
)


@given(st.lists(TERMS, max_size=8), st.lists(FIELDS, max_size=6))
def test_dispatch_when_indexed_and_remembering_then_it_fires_as_asking_every_rule_would(terms, subjects):
    rules = [compiled(number, term) for number, term in enumerate(terms)]
    table = Dispatch(rules)
    for fields in subjects * 2:
        assert table.find(fields) == [one for one in rules if one.part.holds(fields)]


@given(st.lists(TERMS, max_size=4))
def test_pack_when_kept_and_read_again_then_its_conditions_are_the_same(tmp_path_factory, terms):
    folder = tmp_path_factory.mktemp("kept")
    kept = Kept(tuple((compiled(number, term).rule, term) for number, term in enumerate(terms)), (), (), ())
    write_kept(folder, "a" * 64, kept)
    assert read_kept(folder, "a" * 64) == kept
