from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

from sentinel.model.flow import FlowClass, FlowDetection
from sentinel.model.unit import Network, Zone
from sentinel.report.view_mining import build_mining
from sentinel.report.view_school import mining_counts
from tests.report.facts_factory import CODE, NOW, make_empty_facts, make_facts


def flow(host: str, flow_class: FlowClass, **changes: object) -> FlowDetection:
    base = FlowDetection("a.pcap", host, 50000, "203.0.113.7", 3333, "stratum", flow_class, 1.0, "XMR", NOW, NOW)
    return replace(base, **changes)  # type: ignore[arg-type]


def view(*flows: FlowDetection, **changes: object):
    return build_mining(make_empty_facts(flows=flows, captures_analysed=1, **changes))


def test_build_mining_when_no_capture_was_analysed_then_nothing_is_zero() -> None:
    found = build_mining(make_empty_facts())
    assert not found.looked
    assert [figure.value for figure in found.figures] == [None, None, None, 0]
    assert all(bar.unknown for bar in found.chart.bars)
    assert found.steps[0].tone == "unknown"


def test_build_mining_when_captures_are_clean_then_zero_is_a_fact() -> None:
    found = view()
    assert [figure.value for figure in found.figures] == [0, 0, 0, 1]
    assert found.steps == ()


def test_build_mining_when_a_host_has_two_classes_then_the_worse_one_counts() -> None:
    found = view(flow("10.0.0.1", FlowClass.NAME, peer_port=None), flow("10.0.0.1", FlowClass.MINING))
    assert [bar.total for bar in found.chart.bars] == [1, 0, 0, 0]
    (case,) = found.cases
    assert [line.flow_class for line in case.flows] == [FlowClass.MINING, FlowClass.NAME]
    assert found.others == ()


def test_build_mining_when_only_names_hit_then_there_is_no_case() -> None:
    found = view(flow("10.0.0.1", FlowClass.NAME), flow("10.0.0.2", FlowClass.NODE))
    assert found.cases == ()
    assert [line.host for line in found.others] == ["10.0.0.2", "10.0.0.1"]
    assert [step.tone for step in found.steps] == ["low"]


def test_build_mining_when_times_are_unusable_then_the_case_says_so() -> None:
    found = view(flow("10.0.0.1", FlowClass.MINING, first_seen=None, last_seen=None))
    assert (found.cases[0].first_seen, found.spans, found.timeless) == (None, (), 1)


def test_build_mining_when_flows_of_a_host_differ_then_the_span_covers_all() -> None:
    later = flow("10.0.0.1", FlowClass.SUSPECT, last_seen=NOW + timedelta(seconds=61), packets=2, payload_bytes=9)
    (span,) = view(flow("10.0.0.1", FlowClass.MINING), later).spans
    assert (span.start, span.end, span.note.zh) == (NOW, NOW + timedelta(seconds=61), "2 分钟")


def test_build_mining_when_the_host_is_not_on_the_map_then_its_network_is_looked_up() -> None:
    lan = Network(2, CODE, "lab", Zone.SERVER, (ip_network("10.0.0.0/24"),))
    found = view(
        flow("10.0.0.1", FlowClass.MINING),
        flow("192.0.2.9", FlowClass.MINING),
        flow("no address", FlowClass.MINING),
        networks=(lan,),
    )
    assert {case.host: case.network for case in found.cases} == {"10.0.0.1": "lab", "192.0.2.9": "", "no address": ""}


def test_build_mining_when_the_host_is_known_then_the_case_carries_what_is_known() -> None:
    facts = make_facts(200)
    found = build_mining(facts)
    hosts = {str(host.address): host for host in facts.hosts}
    assert all(case.network == hosts[case.host].network for case in found.cases)
    assert any(case.findings for case in found.cases)
    assert any(case.ports for case in found.cases)


def test_build_mining_when_peers_are_folded_then_proven_ones_come_first() -> None:
    found = view(
        flow("10.0.0.1", FlowClass.SUSPECT, peer="198.51.100.1"),
        flow("10.0.0.2", FlowClass.MINING),
        flow("10.0.0.3", FlowClass.MINING, name="pool.example"),
    )
    assert [(peer.peer, peer.hosts, peer.names) for peer in found.peers] == [
        ("203.0.113.7", 2, ("pool.example",)),
        ("198.51.100.1", 1, ()),
    ]
    assert found.steps[2].examples == ("203.0.113.7:3333",)


def test_mining_counts_when_suspects_are_also_proven_then_they_count_once() -> None:
    facts = make_empty_facts(flows=(flow("a", FlowClass.MINING), flow("a", FlowClass.SUSPECT)), captures_analysed=1)
    assert mining_counts(facts) == (1, 0)
