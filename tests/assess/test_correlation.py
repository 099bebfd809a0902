"""Rules that count what other rules found, over states and over events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.assess.correlation import OPERATORS, Correlation, Correlator
from sentinel.assess.judge import judge
from sentinel.assess.pack import check_pack, load_pack
from sentinel.errors import RuleError
from sentinel.model.rule import Category, Detection, Rule, RuleText, Severity, Subject
from tests.assess.texts import RULE

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)

COUNTING = """\
title: 多处
title_en: many
id: 7d1f0b5e-7c3a-4d2e-9a8b-0c1d2e3f4a5b
name: demo.many
level: high
correlation:
  type: event_count
  rules: [demo.redis]
  group-by: [zone]
  condition: {gte: 2}
remediation: 处置。
remediation_en: act
cases:
  fires:
    - {service: redis, guessed: false, zone: office}
    - {service: redis, guessed: false, zone: office}
  quiet:
    - {service: redis, guessed: false, zone: office}
    - {service: redis, guessed: false, zone: server}
"""


def base(name: str, category: Category = Category.SERVICE) -> Rule:
    return Rule("", name, RuleText("x"), RuleText("x"), Severity.LOW, category)


def counting(**changes: object) -> Correlation:
    rule = Rule(
        "", "count", RuleText("x"), RuleText("x"), Severity.HIGH, Category.UNIT, correlates=("one", "other")
    )  # fmt: skip
    fields: dict[str, object] = {
        "rule": rule, "group_by": (), "counted": "", "op": "gte", "limit": 2, "timespan_s": 0, "generate": True,
    }  # fmt: skip
    return Correlation(**(fields | changes))  # type: ignore[arg-type]  # the changes are fields by name


def hit(name: str, text: str = "x", hours: float = 0, **fields: object) -> Detection:
    subject = Subject(Category.SERVICE, "u", 1, text, fields, f"evidence {hours}", NOW + hours * HOUR)  # type: ignore[arg-type]
    return Detection(base(name), subject)


def fired(one: Correlation, *hits: Detection) -> list[tuple[str, int]]:
    correlator = Correlator([one], NOW)
    list(correlator.take(hits))
    return [(found.subject.text, dict(found.matched)["count"]) for found in correlator.finish("u")]


def test_states_when_counted_then_each_subject_once(make_pack) -> None:
    assert fired(counting(), hit("one", "a"), hit("other", "a")) == []
    assert fired(counting(), hit("one", "a"), hit("other", "b"), hit("third", "c")) == [("u", 2)]


def test_states_when_grouped_then_groups_stand_apart_and_what_lacks_the_field_is_not_counted() -> None:
    one = counting(group_by=("zone", "port"))
    hits = [hit("one", text, zone=zone, port=port) for text, zone, port in
            [("a", "office", 1), ("b", "office", 1), ("c", "office", 2), ("d", None, 1), ("e", None, 1)]]  # fmt: skip
    assert fired(one, *hits) == [("office 1", 2)]


def test_values_when_counted_then_different_ones_and_all_of_a_list() -> None:
    one = counting(counted="names", limit=3)
    assert fired(one, hit("one", "a", names=("x", "y")), hit("one", "b", names=("y",)), hit("one", "c")) == []
    assert fired(one, hit("one", "a", names=("x", "y")), hit("one", "b", names="z")) == [("u", 3)]


@pytest.mark.parametrize(
    ("op", "fires"), [("lt", False), ("lte", True), ("gt", False), ("gte", True), ("eq", True), ("neq", False)]
)
def test_condition_when_the_count_is_the_limit(op: str, fires: bool) -> None:
    assert bool(fired(counting(op=op), hit("one", "a"), hit("one", "b"))) is fires


def test_states_when_there_is_none_then_a_rule_about_few_fires() -> None:
    assert fired(counting(op="lt", limit=1)) == [("u", 0)]
    assert fired(counting(op="lt", limit=1, group_by=("zone",))) == []


def test_events_when_they_fall_into_the_span_then_they_are_counted_together() -> None:
    one = counting(limit=3, timespan_s=3600)
    assert fired(one, hit("one", hours=0), hit("one", hours=0.9), hit("one", hours=2)) == []
    assert fired(one, hit("one", hours=2), hit("one", hours=1.5), hit("one", hours=1)) == [("u", 3)]


def test_values_of_events_when_one_leaves_the_span_then_it_counts_no_more() -> None:
    one = counting(limit=2, timespan_s=3600, counted="peer")
    assert fired(one, hit("one", hours=0, peer="a"), hit("one", hours=0.5, peer="a"), hit("one", hours=1.2, peer="b"))
    assert not fired(one, hit("one", hours=0, peer="a"), hit("one", hours=1.2, peer="b"))


@given(
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from("ab")), max_size=12),
    st.integers(1, 6), st.integers(1, 4), st.booleans(),
)  # fmt: skip
def test_events_in_any_order_are_counted_as_every_window_would_be(events, span, limit, values) -> None:
    one = counting(limit=limit, timespan_s=span * 3600, counted="peer" if values else "")
    most = max(
        (
            len(set(inside)) if values else len(inside)
            for end, _ in events
            for inside in [[peer for at, peer in events if end - span <= at <= end]]
        ),
        default=0,
    )
    hits = [hit("one", str(number), hours=at, peer=peer) for number, (at, peer) in enumerate(events)]
    assert fired(one, *hits) == ([("u", most)] if most >= limit else [])


@pytest.mark.parametrize(("generate", "kept"), [(True, ["one", "third"]), (False, ["third"])])
def test_rules_that_are_counted_make_findings_of_their_own_only_when_wanted(generate: bool, kept: list[str]) -> None:
    correlator = Correlator([counting(generate=generate)], NOW)
    assert [one.rule.name for one in correlator.take([hit("one"), hit("third")])] == kept


def test_detection_of_a_count_carries_the_newest_evidence() -> None:
    correlator = Correlator([counting()], NOW)
    list(correlator.take([hit("one", "a", 3), hit("one", "b", 1)]))
    (found,) = correlator.finish("u")
    assert (found.subject.evidence, found.subject.seen_at) == ("evidence 3", NOW + 3 * HOUR)


def test_file_when_valid_then_it_is_a_rule_of_the_pack(make_pack) -> None:
    pack = load_pack([make_pack({"a.yml": RULE, "b.yml": COUNTING})])
    assert [rule.name for rule in pack.rules] == ["demo.many", "demo.redis"]
    (one,) = pack.correlations
    assert (one.rule.correlates, one.rule.category, one.op, one.limit) == (("demo.redis",), Category.UNIT, "gte", 2)
    subjects = [
        Subject(Category.SERVICE, "u", 1, text, {"service": "redis", "guessed": False, "zone": "office"})
        for text in "ab"
    ]
    correlator = Correlator(pack.correlations, NOW)
    assert list(correlator.take(judge(pack, subjects, NOW))) == []  # only counted
    assert [found.subject.text for found in correlator.finish("u")] == ["office"]


def test_file_when_it_names_a_rule_by_id_and_groups_by_address_then_it_is_about_a_host(make_pack) -> None:
    text = COUNTING.replace("[demo.redis]", "[6d1f0b5e-7c3a-4d2e-9a8b-0c1d2e3f4a5b]").replace("zone", "address")
    text = text.replace("office", "10.0.0.1").replace("server", "10.0.0.2")
    (one,) = load_pack([make_pack({"a.yml": RULE, "b.yml": text})]).correlations
    assert (one.rule.correlates, one.rule.category) == (("demo.redis",), Category.HOST)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("event_count", "temporal", 7, "type of a correlation"),
        ("[demo.redis]", "[demo.none]", 8, "unknown rule 'demo.none'"),
        ("[demo.redis]", "[]", 8, "must be the names"),
        ("[zone]", "[nonsense]", 9, "unknown field 'nonsense'"),
        ("[zone]", "[zone, port, proto, service, product, version]", 9, "1 to 5 fields"),
        ("{gte: 2}", "{gte: 2, lt: 5}", 10, "exactly one of"),
        ("{gte: 2}", "{gte: -1}", 10, "whole number"),
        ("{gte: 2}", "{gte: 2, field: port}", 10, "counts no field"),
        ("{gte: 2}", "many", 10, "must be a mapping"),
        ("event_count", "value_count", 10, "needs `field`"),
        ("  condition:", "  timespan: 1d\n  condition:", 10, "is a state"),
        ("  condition:", "  generate: often\n  condition:", 10, "true or false"),
        ("  condition:", "  aliases: {}\n  condition:", 10, "unknown key 'aliases'"),
        ("{gte: 2}", "{gte: 3}", 15, "cases.fires does not fire"),
        ("zone: server", "zone: office", 18, "cases.quiet fires"),
        ("  quiet:\n", "  quiet: {}\n  loud:\n", 17, "must be a list"),
        ("zone: server", "nonsense: x", 19, "unknown field 'nonsense' in a case"),
    ],
)
def test_file_when_one_thing_is_wrong_then_its_line_is_named(make_pack, vary, old, new, line, words) -> None:
    mistakes = check_pack([make_pack({"a.yml": RULE, "b.yml": vary(old, new, COUNTING)})])
    hits = [one for one in mistakes if words in one.message]
    assert [(one.file.rsplit("/", 1)[1], one.line) for one in hits] == [("b.yml", line)], list(map(str, mistakes))


FLOWS = RULE.replace("category: service", "category: flow").replace(
    "    service: redis\n    guessed: false\n", "    class: mining\n"
).replace("fires: {service: redis, guessed: false}", "fires: {class: mining}").replace(
    "quiet: {service: redis, guessed: true}", "quiet: {class: name}"
)  # fmt: skip
OVER_FLOWS = COUNTING.replace("{service: redis, guessed: false,", "{class: mining,")


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("  condition:", "a timespan such as 1h is missing"),
        ("  timespan: soon\n  condition:", "soon"),
        ("  timespan: 0d\n  condition:", "0d"),
        ("  timespan: 1h\n  condition:", ""),
    ],
)
def test_file_when_over_events_then_it_needs_a_timespan(make_pack, new: str, words: str) -> None:
    folder = make_pack({"a.yml": FLOWS, "b.yml": OVER_FLOWS.replace("  condition:", new)})
    if not words:
        assert load_pack([folder]).correlations[0].timespan_s == 3600
        return
    with pytest.raises(RuleError, match=words):
        load_pack([folder])


def test_file_when_over_events_then_only_much_can_be_asked(make_pack) -> None:
    text = OVER_FLOWS.replace("  condition: {gte: 2}", "  timespan: 1h\n  condition: {lt: 2}")
    with pytest.raises(RuleError, match="gt or gte"):
        load_pack([make_pack({"a.yml": FLOWS, "b.yml": text})])


def test_file_when_its_rules_look_at_different_things_then_it_is_refused(make_pack) -> None:
    flows = FLOWS.replace("demo.redis", "demo.flow").replace("6d1f0b5e", "8d1f0b5e")
    text = COUNTING.replace("[demo.redis]", "[demo.redis, demo.flow]")
    with pytest.raises(RuleError, match="same category"):
        load_pack([make_pack({"a.yml": RULE, "b.yml": text, "c.yml": flows})])


def test_operators_are_those_of_sigma() -> None:
    from sigma.correlations import SigmaCorrelationConditionOperator

    assert set(OPERATORS) == set(SigmaCorrelationConditionOperator.operators())
