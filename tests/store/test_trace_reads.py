from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest

from sentinel.model.finding import Finding, FindingKey, FindingSource, FindingState
from sentinel.model.flow import FlowClass, FlowDetection
from sentinel.model.moment import to_microseconds
from sentinel.model.rule import Severity
from sentinel.model.unit import Network, choose_network
from sentinel.store.database import Database
from sentinel.store.endpoints import write_hosts, write_names
from sentinel.store.findings import write_findings
from sentinel.store.flows import write_capture
from sentinel.store.identity import count_cards
from sentinel.store.marks import read_marks
from sentinel.store.sightings import leave_network, pack_address, rehome_sightings
from sentinel.store.trace_reads import find_vendor, read_findings_at, read_flows_at, read_names_at, read_open_at
from tests.homes import NOW, SCHOOL

ADDRESS = ip_address("10.0.0.1")
HOUR = timedelta(hours=1)
FINDING = Finding(
    id=0,
    number="",
    key=FindingKey(SCHOOL.code, "exposure.redis", 1, "10.0.0.1:6379/tcp"),
    source=FindingSource.OWN_SCAN,
    severity=Severity.HIGH,
    state=FindingState.OPEN,
    first_seen=NOW,
    last_seen=NOW,
)


def test_maker_when_asked_for_is_that_of_the_card_else_of_one_that_begins_alike(database: Database) -> None:
    rows = [
        (1, "10.0.0.1", "3c:22:fb:00:53:01", "Maker", "", True, 5),
        (1, "10.0.0.2", "3c:22:fb:00:53:02", "", "", True, 9),
        (1, "10.0.0.3", "3c:22:fb:00:53:03", "Newer", "", True, 7),
    ]
    with database.transaction("tester", NOW) as transaction:
        write_hosts(transaction, rows)
        transaction.audit("test", "test")
    asked = ["3c:22:fb:00:53:01", "3c:22:fb:00:53:02", "00:11:22:00:53:02"]
    assert [find_vendor(database, [1], mac) for mac in asked] == ["Maker", "Newer", ""]
    assert find_vendor(database, [2], asked[0]) == ""


def test_names_when_asked_for_at_a_moment_are_those_known_by_then(database: Database) -> None:
    start = to_microseconds(NOW)
    with database.transaction("tester", NOW) as transaction:
        write_names(
            transaction,
            [(1, "10.0.0.1", "old.example", "dns", start), (1, "10.0.0.1", "new.example", "dns", start + 9)],
        )
        transaction.audit("test", "test")
    assert read_names_at(database, 1, ADDRESS, NOW) == ("old.example",)
    assert read_names_at(database, 1, ADDRESS, NOW + HOUR) == ("new.example", "old.example")


@pytest.mark.parametrize(
    ("hours", "state", "lived"),
    [
        (-1, None, False),
        (1, None, True),
        (3, FindingState.CLOSED, False),
        (1, FindingState.CLOSED, True),
        (3, FindingState.OPEN, True),
    ],
    ids=["before it was seen", "live", "after it was closed", "before it was closed", "still live"],
)
def test_finding_when_asked_for_at_a_moment_lived_as_its_events_say(
    database: Database, hours: int, state: FindingState | None, lived: bool
) -> None:
    with database.transaction("tester", NOW) as transaction:
        (stored,) = write_findings(transaction, [(FINDING, "", "found")])
        transaction.audit("test", "test")
    if state is not None:
        with database.transaction("tester", NOW + 2 * HOUR) as transaction:
            write_findings(transaction, [(replace(stored, state=state, closed_at=NOW + 2 * HOUR), "open", "gone")])
            transaction.audit("test", "test")
    found = read_findings_at(database, SCHOOL.code, 1, ADDRESS, NOW + hours * HOUR)
    assert (len(found) == 1) is lived
    assert read_findings_at(database, SCHOOL.code, 1, ip_address("10.0.0.11"), NOW + hours * HOUR) == ()


def test_flow_when_its_packets_meet_the_span_is_given(database: Database) -> None:
    flow = FlowDetection(
        file="a.pcap",
        host="10.0.0.1",
        host_port=50_000,
        peer="203.0.113.9",
        peer_port=3333,
        family="stratum",
        flow_class=FlowClass.MINING,
        certainty=1.0,
        first_seen=NOW,
        last_seen=NOW + HOUR,
    )
    with database.transaction("tester", NOW) as transaction:
        write_capture(
            transaction, SCHOOL.code, "a" * 64, "a.pcap", [flow, replace(flow, first_seen=None, last_seen=None)]
        )
        transaction.audit("test", "test")
    assert len(read_flows_at(database, SCHOOL.code, ADDRESS, NOW - HOUR, NOW)) == 1
    assert read_flows_at(database, SCHOOL.code, ADDRESS, NOW + 2 * HOUR, NOW + 3 * HOUR) == ()
    assert read_open_at(database, SCHOOL.code, 1, ADDRESS, NOW) == ()


def test_sightings_when_networks_change_go_where_their_addresses_belong(database: Database) -> None:
    row = (1, pack_address(ADDRESS), "mac", "3c:22:fb:00:53:01", "scan", 1, 2, 0)
    with database.transaction("tester", NOW) as transaction:
        transaction.execute(
            "INSERT INTO mark (network, address, kind, value, source, since_us, until_us, run) "
            "VALUES (?,?,?,?,?,?,?,?)",
            row,
        )
        networks = (
            Network(1, SCHOOL.code, "default"),
            Network(7, SCHOOL.code, "lan", prefixes=(ip_network("10.0.0.0/8"),)),
        )
        rehome_sightings(transaction, networks, lambda address: choose_network(networks, address)[0])
        transaction.audit("test", "test")
    assert [one.network for one in read_marks(database, [1, 7])] == [7]
    with database.transaction("tester", NOW) as transaction:
        leave_network(transaction, 7, 1)
        transaction.audit("test", "test")
    assert [one.network for one in read_marks(database, [1, 7])] == [1]
    assert count_cards(database, 1, NOW) == 0
