from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sentinel.model.flow import FlowClass, FlowDetection
from sentinel.store.database import Database
from sentinel.store.flows import (
    count_captures,
    is_capture_known,
    read_flows,
    read_newest_capture,
    read_oldest_flow,
    remove_flows,
    write_capture,
)
from tests.homes import NOW
from tests.store.test_findings import finding, store

HOUR = timedelta(hours=1)
FLOW = FlowDetection(
    "a.pcap", "10.0.0.5", 50123, "192.0.2.9", 3333, "stratum", FlowClass.MINING, 1.0, "XMR", NOW, NOW, 9, 900, "login",
    "pool.example", "xmrig/6.21", "43AR…9kQd",
)  # fmt: skip
NAME = FlowDetection("a.pcap", "10.0.0.4", None, "10.0.0.1", None, "dns", FlowClass.NAME, 0.5, name="pool.example")


def write(database: Database, evidence: str, *flows: FlowDetection, at: datetime = NOW, unit: str = "school") -> None:
    with database.transaction("tester", at) as transaction:
        write_capture(transaction, unit, evidence, "a.pcap", flows, "cut off")
        transaction.audit("traffic.analyze", "capture a.pcap")


def test_flows_are_read_back_by_host_and_time(database: Database) -> None:
    later = replace(FLOW, first_seen=NOW + HOUR)
    write(database, "a", later, FLOW, NAME)
    assert read_flows(database, "school") == (("a", NAME), ("a", FLOW), ("a", later))
    assert read_flows(database, "other") == ()


def test_capture_analysed_again_replaces_its_flows(database: Database) -> None:
    write(database, "a", FLOW, NAME)
    write(database, "b", FLOW)
    write(database, "a", NAME, unit="other")
    write(database, "a", replace(FLOW, coin="BTC"))
    assert [(evidence, flow.coin) for evidence, flow in read_flows(database, "school")] == [("b", "XMR"), ("a", "BTC")]
    assert len(read_flows(database, "other")) == 1
    assert database.one("SELECT count(*), sum(flows) FROM capture WHERE unit='school'") == (2, 2)


def test_capture_that_showed_nothing_is_known_all_the_same(database: Database) -> None:
    assert not is_capture_known(database, "school", "a")
    write(database, "a")
    assert is_capture_known(database, "school", "a")
    assert not is_capture_known(database, "other", "a")


def test_flows_and_captures_of_a_span_are_those_analysed_in_it(database: Database) -> None:
    assert read_newest_capture(database, "school") is None
    write(database, "a", FLOW)
    write(database, "b", NAME, at=NOW + HOUR)
    assert read_newest_capture(database, "school") == NOW + HOUR
    assert [evidence for evidence, _ in read_flows(database, "school", NOW + HOUR)] == ["b"]
    assert [evidence for evidence, _ in read_flows(database, "school", until=NOW)] == ["a"]
    assert read_flows(database, "school", NOW + 2 * HOUR, NOW + 3 * HOUR) == ()
    assert count_captures(database, "school", NOW, NOW + HOUR) == 2
    assert count_captures(database, "school", NOW + timedelta(microseconds=1), NOW + HOUR) == 1
    assert count_captures(database, "other", NOW, NOW + HOUR) == 0


def test_flows_that_prove_nothing_are_removed_when_old_and_no_others(database: Database) -> None:
    old = NOW - 400 * 24 * HOUR
    stale = replace(NAME, last_seen=old)
    write(database, "a", replace(FLOW, last_seen=old), stale, NAME, replace(NAME, last_seen=NOW))
    write(database, "b", stale)
    store(database, finding(evidence="b"))
    assert read_oldest_flow(database) == old
    with database.transaction("tester", NOW) as transaction:
        assert remove_flows(transaction, NOW - 24 * HOUR) == 1
        transaction.audit("data.purge", "1")
    left = {(evidence, flow.flow_class, flow.last_seen) for evidence, flow in read_flows(database, "school")}
    assert left == {
        ("a", FlowClass.MINING, old),
        ("a", FlowClass.NAME, None),
        ("a", FlowClass.NAME, NOW),
        ("b", FlowClass.NAME, old),
    }
    assert read_oldest_flow(database) == NOW
