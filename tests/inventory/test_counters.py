"""Counters of units: what nobody looked at is absent, and sums say how many units they are made of."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import count as count_from

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.inventory.counters import count_unit, sum_tree
from sentinel.model.control import Basis, Check, Clause, ClauseVerdict, Verdict
from sentinel.model.endpoint import Endpoint, EndpointKey, EndpointState, Fingerprint, MapRow, Run
from sentinel.model.evidence import RunKind
from sentinel.model.facts import NetworkCoverage, Period, UnitFacts
from sentinel.model.finding import FindingSource, FindingState
from sentinel.model.flow import FlowClass, FlowDetection
from sentinel.model.register import RegisterEntry
from sentinel.model.rule import Severity
from sentinel.model.snapshot import COUNTERS, UNITS, Count, FindingAt
from sentinel.model.standing import HostStanding, LineStanding, Reason, Reconciliation, Standing
from sentinel.model.system import InformationSystem, SystemFacts
from sentinel.model.unit import Unit, UnitLevel, Zone

NOW = datetime(2026, 11, 25, 16, 0, tzinfo=UTC)
PERIOD = Period(NOW - timedelta(days=30), NOW, "2026-11")
EMPTY = UnitFacts(Unit("school", "示例学校"), (), (), (), (), (), (), (), (), (), 0, PERIOD, NOW, "pack")
RUN = Run(1, "school", RunKind.SCAN, "", "e", "a.xml", "nmap-xml", "nmap", "", "inside", "", None, NOW, "stated", NOW)


def row(address: str, port: int) -> MapRow:
    key = EndpointKey(1, "inside", ip_address(address), "tcp", port)
    return MapRow("school", "lan", Zone.SERVER, Endpoint(key, EndpointState.OPEN, Fingerprint("http"), NOW))


_NUMBERS = count_from(1)


def verdict(catalogue: str, found: Verdict) -> ClauseVerdict:
    clause = Clause(f"CE-{next(_NUMBERS)}", "8.1", "域", "点", "题", "title", Check.AUTO)
    return ClauseVerdict("school", "", catalogue, clause, found, (Basis.AUTO,), (), "", "")


def count(facts: UnitFacts, *states: FindingAt, judged: bool = True) -> dict[str, int]:
    return count_unit(facts, states, {}, "mlps-l2", judged=judged)


def test_unit_when_nobody_looked_has_no_counter() -> None:
    assert count_unit(EMPTY, (), {}, "mlps-l2", judged=False) == {}


def test_unit_when_all_that_tells_of_it_came_after_the_period_has_no_zeros_in_it() -> None:
    line = LineStanding(RegisterEntry(1, "school", "r", "", "", 2), Standing.UNCHECKED, Reason.PORT_OPEN)
    facts = replace(EMPTY, standing=Reconciliation((line,), ()), verdicts=(verdict("mlps-l2", Verdict.NONCONFORM),))
    assert count(facts) == {}


def test_unit_when_it_was_looked_at_and_nothing_was_there_has_zeros() -> None:
    found = count(replace(EMPTY, sources=(RUN,)))
    assert (found["hosts"], found["endpoints_open"], found["live"], found["overdue"]) == (0, 0, 0, 0)
    assert not {"mining_hosts", "unregistered", "clauses", "addresses_planned"} & set(found)


def test_hosts_are_counted_once_and_those_that_answer_everywhere_too() -> None:
    rows = (row("10.0.0.1", 80), row("10.0.0.1", 443), row("10.0.0.2", 80))
    answering = (("lan", ip_address("10.0.0.2"), 900), ("lan", ip_address("10.0.0.9"), 1000))
    found = count(replace(EMPTY, sources=(RUN,), rows=rows, answering=answering))
    assert (found["hosts"], found["endpoints_open"]) == (3, 3)


def test_findings_are_counted_as_they_stood_at_the_end() -> None:
    day = timedelta(days=1)
    states = (
        FindingAt(Severity.CRITICAL, FindingState.OPEN, NOW - day, FindingSource.NOTICE),
        FindingAt(Severity.HIGH, FindingState.RECTIFYING, NOW + day),
        FindingAt(Severity.HIGH, FindingState.FIXED, None),
        FindingAt(Severity.MEDIUM, FindingState.OPEN, NOW - day, FindingSource.UPPER_SCAN),
        FindingAt(Severity.MEDIUM, FindingState.OPEN, NOW - day, FindingSource.TRAFFIC, "mining.payload-server"),
        FindingAt(Severity.LOW, FindingState.AWAITING, NOW - day),
        FindingAt(Severity.LOW, FindingState.ACCEPTED, NOW - day),
        FindingAt(Severity.LOW, FindingState.CLOSED, NOW - day, FindingSource.NOTICE),
    )
    found = count(EMPTY, *states, judged=False)
    assert {name: found[name] for name in found if name.startswith("live")} == {
        "live_critical": 1,
        "live_high": 2,
        "live_medium": 2,
        "live_low": 0,
        "live_informational": 0,
        "live": 5,
    }
    assert {name: found[name] for name in found if "overdue" in name} == {
        "overdue": 3,
        "overdue_critical": 1,
        "overdue_high": 0,
        "overdue_medium": 2,
        "overdue_low": 0,
        "outside_overdue": 2,
        "outside_overdue_critical": 1,
        "mining_overdue": 1,
    }
    assert found["awaiting_issuer"] == 1


def test_systems_to_be_confirmed_are_counted_when_there_are_any() -> None:
    system = InformationSystem(0, "school", SystemFacts("教务系统"))
    assert "confirm_overdue" not in count(EMPTY)
    due = ((system, NOW - timedelta(days=1)), (system, NOW + timedelta(days=1)))
    assert count(replace(EMPTY, systems=(system,), confirm_due=due))["confirm_overdue"] == 1


def test_turns_of_a_period_are_counted_honestly_a_test_that_waits_for_its_issuer_closes_nothing() -> None:
    turns = {
        ("", "open"): 5,
        ("verified", "open"): 1,
        ("accepted", "open"): 2,
        ("open", "verified"): 3,
        ("fixed_unverified", "awaiting_issuer"): 4,
        ("awaiting_issuer", "closed"): 2,
        ("verified", "closed"): 1,
        ("open", "in_rectification"): 9,
    }
    found = count_unit(EMPTY, (), turns, "mlps-l2", judged=True)
    names = ("opened", "reopened", "retested", "settled", "closed")
    assert [found[name] for name in names] == [5, 1, 7, 3, 5]


def test_mining_when_no_capture_was_analysed_is_unknown() -> None:
    flow = FlowDetection("a", "10.0.0.5", 1, "192.0.2.9", 3333, "stratum", FlowClass.MINING, 1.0)
    suspect = replace(flow, flow_class=FlowClass.SUSPECT)
    flows = (flow, replace(flow, peer_port=3334), suspect, replace(suspect, host="10.0.0.6"))
    assert "mining_hosts" not in count(replace(EMPTY, flows=flows))
    found = count(replace(EMPTY, flows=flows, captures_analysed=1))
    assert (found["mining_hosts"], found["suspect_hosts"]) == (1, 1)


def test_register_clauses_and_coverage_are_counted_where_there_are_some() -> None:
    line = LineStanding(RegisterEntry(1, "school", "r", "", "", 2), Standing.SEEN, Reason.PORT_OPEN)
    lines = (line, replace(line, standing=Standing.UNSEEN), replace(line, standing=Standing.EXPIRED))
    stranger = HostStanding("lan", ip_address("10.0.0.3"), Standing.UNREGISTERED, Reason.NOT_LISTED)
    verdicts = [verdict("mlps-l2", one) for one in (Verdict.CONFORM, Verdict.UNKNOWN, Verdict.UNKNOWN)]
    facts = replace(
        EMPTY,
        sources=(RUN,),
        standing=Reconciliation(lines, (stranger,)),
        verdicts=(*verdicts, verdict("mlps-l3", Verdict.NONCONFORM)),
        coverage=(NetworkCoverage("lan", 256, 200), NetworkCoverage("default", 0, 5)),
    )
    found = count(facts)
    assert (found["registered_seen"], found["registered_unseen"], found["unregistered"]) == (2, 1, 1)
    assert (found["clauses"], found["clauses_conform"], found["clauses_nonconform"]) == (3, 1, 0)
    assert (found["clauses_unknown"], found["addresses_planned"], found["addresses_covered"]) == (2, 256, 200)
    assert set(found) < set(COUNTERS)


TREE = (
    Unit("p", "省", UnitLevel.PROVINCE, "", "p"),
    Unit("c", "市", UnitLevel.CITY, "p", "p/c"),
    Unit("a", "甲校", UnitLevel.SCHOOL, "c", "p/c/a"),
    Unit("b", "乙校", UnitLevel.SCHOOL, "c", "p/c/b"),
    Unit("d", "直属", UnitLevel.SCHOOL, "p", "p/d"),
)


def test_sums_say_how_many_units_they_are_made_of_and_unknown_ones_add_nothing() -> None:
    found = {one.unit: one.counts for one in sum_tree(TREE, {"a": {"live": 3}, "d": {"live": 4}, "c": {}})}
    assert found["p"]["live"] == Count(None, 7, 2)
    assert found["c"]["live"] == Count(None, 3, 1)
    assert found["a"]["live"] == Count(3, 3, 1)
    assert "b" not in found, "nothing is known of it, and nothing is below it"
    assert found["p"][UNITS] == Count(1, 5, 5)
    assert found["c"][UNITS] == Count(1, 3, 3)


def test_sums_of_a_part_of_the_tree_leave_out_what_is_above() -> None:
    assert {one.unit for one in sum_tree(TREE[1:4], {"a": {"live": 3}})} == {"c", "a"}


@given(
    st.dictionaries(
        st.sampled_from([one.code for one in TREE]), st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9))
    )
)
def test_any_counters_sum_up_as_if_added_one_by_one(own: dict[str, dict[str, int]]) -> None:
    found = {one.unit: one.counts for one in sum_tree(TREE, own)}
    for unit in TREE:
        below = [one.code for one in TREE if one.path == unit.path or one.path.startswith(f"{unit.path}/")]
        expected: Counter[str] = Counter()
        for code in below:
            expected.update(own.get(code, {}))
        names = {name for code in below for name in own.get(code, {})}
        counts = found.get(unit.code, {})
        assert {name: counts[name].total for name in counts if name != UNITS} == {
            name: expected[name] for name in names
        }
        assert all(counts[name].known == sum(name in own.get(code, {}) for code in below) for name in names)
        assert all(counts[name].own == own.get(unit.code, {}).get(name) for name in names)


@pytest.mark.parametrize("name", COUNTERS)
def test_counter_has_one_name_only(name: str) -> None:
    assert COUNTERS.count(name) == 1
