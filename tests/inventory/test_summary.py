from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest

from sentinel.inventory.summary import Summary, has_answered, summarise
from sentinel.model.endpoint import AddressRanges
from sentinel.model.observation import (
    HostObservation,
    Loss,
    NameObservation,
    Observation,
    RunEnd,
    RunObservation,
)
from sentinel.model.ports import PortSet, parse_ports
from sentinel.model.sighting import (
    AttachmentObservation,
    HoldingObservation,
    HoldingSource,
    TranslationObservation,
)
from tests.inventory.made import host, port

ARRIVED = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
BEGUN, SEEN, ENDED = (ARRIVED - timedelta(hours=hours) for hours in (3, 2, 1))
PORTS = tuple(parse_ports("T:22,80,U:53").items())


def summary(*observations: Observation) -> Summary:
    return summarise(observations, ARRIVED)


def test_summary_counts_distinct_addresses_and_places_however_often_they_come() -> None:
    first = host(port(22), port(80), port(443, "closed"), port(53, "open|filtered", "udp"))
    again = host(port(80), port(8080), complete=False)
    other = host(port(80), address="10.0.0.2")
    for rows in ([first, again, other], [again, other, first], [first, first, again, again, other]):
        made = summary(*rows)
        assert (made.hosts_stated_up, made.hosts_answered, made.endpoints_open) == (2, 2, 4)
        assert made.observations == len(rows)


def test_summary_tells_stated_up_and_answered_apart() -> None:
    silent = host(up=True, answered=False)
    pinged = host(address="10.0.0.2", up=True, answered=True)
    down = host(address="10.0.0.3", up=False, answered=False)
    near = host(address="10.0.0.4", up=True, answered=True, layer2=True)
    made = summary(silent, pinged, down, near)
    assert (made.hosts_stated_up, made.hosts_answered) == (3, 1)
    assert len(made.answered) == 2


@pytest.mark.parametrize(
    ("seen", "sign"),
    [
        (host(), False),
        (host(port(22, "filtered"), port(53, "open|filtered", "udp")), False),
        (host(port(22)), True),
        (host(port(22, "closed")), True),
        (host(layer2=True), True),
        (host(rest=(("tcp", "closed"),)), True),
        (host(rest=(("tcp", "filtered"),)), False),
        (host(rest_closed=(("tcp", PortSet.of_ports([22])),)), True),
        (host(rest_closed=(("tcp", PortSet()),)), False),
    ],
)
def test_host_gave_a_sign_by_an_open_or_closed_port_or_on_layer_2(seen: HostObservation, sign: bool) -> None:
    assert has_answered(seen) is sign


@pytest.mark.parametrize(
    ("begun", "seen", "ended", "expected"),
    [
        (BEGUN, SEEN, ENDED, ENDED),
        (BEGUN, SEEN, None, SEEN),
        (BEGUN, None, None, BEGUN),
        (BEGUN, SEEN, ARRIVED + timedelta(days=2), SEEN),
        (BEGUN, datetime(1990, 1, 1, tzinfo=UTC), None, BEGUN),
    ],
)
def test_summary_takes_the_time_of_the_end_else_of_the_newest_row_else_of_the_start(
    begun: datetime, seen: datetime | None, ended: datetime | None, expected: datetime
) -> None:
    made = summary(RunObservation("nmap", started=begun), host(time=seen), host(), RunEnd(ended))
    assert (made.time, made.time_is_stated) == (expected, True)


@pytest.mark.parametrize("bad", [None, datetime(1980, 1, 1, tzinfo=UTC), ARRIVED + timedelta(days=1, seconds=1)])
def test_summary_when_no_time_is_possible_takes_the_arrival_and_says_so(bad: datetime | None) -> None:
    made = summary(
        RunObservation("nmap", started=bad), host(time=bad), NameObservation("a.example", time=bad), RunEnd(bad)
    )
    assert (made.time, made.time_is_stated) == (ARRIVED, False)
    assert made.observations == 2


def test_summary_of_names_takes_the_newest_of_their_times() -> None:
    made = summary(NameObservation("a.example", time=SEEN), NameObservation("b.example", time=BEGUN))
    assert (made.time, made.observations, made.hosts_stated_up) == (SEEN, 2, 0)


def test_coverage_is_finished_and_silent_addresses_with_the_ports_asked() -> None:
    silent = ((ip_address("10.0.0.8"), ip_address("10.0.0.9")),)
    made = summary(
        RunObservation("nmap", ports=PORTS), host(), host(address="10.0.0.2", complete=False), RunEnd(ENDED, silent, 9)
    )
    assert made.coverage.ports == PORTS
    assert made.coverage.addresses == AddressRanges((*silent, (ip_address("10.0.0.1"), ip_address("10.0.0.1"))))
    assert (made.silent, made.probes) == (AddressRanges(silent), 9)


def test_coverage_when_no_address_was_finished_asks_nothing() -> None:
    made = summary(RunObservation("nmap", ports=PORTS), host(complete=False))
    assert made.coverage.ports == ()
    assert len(made.coverage.addresses) == 0


def test_coverage_leaves_out_a_protocol_without_ports() -> None:
    made = summary(RunObservation("nmap", ports=(("tcp", PortSet()), *PORTS[1:])), host())
    assert made.coverage.ports == PORTS[1:]


def test_summary_tells_the_tool_and_all_that_was_lost() -> None:
    made = summary(
        RunObservation("nmap", "7.93", "nmap -sV"), Loss("cut off", "byte 9"), Loss("a row without address"), RunEnd()
    )
    assert (made.tool, made.arguments) == ("nmap 7.93", "nmap -sV")
    assert made.lost == "byte 9: cut off; a row without address"
    assert summary(RunObservation("masscan")).tool == "masscan"
    assert summary().tool == ""


ADDRESS = ip_address("10.0.0.1")
SESSION = TranslationObservation("tcp", ADDRESS, ip_address("198.51.100.7"), (40001, 40001), since=BEGUN, until=SEEN)


@pytest.mark.parametrize(
    ("one", "time"),
    [
        (HoldingObservation(ADDRESS, HoldingSource.RADIUS, since=BEGUN, until=SEEN), SEEN),
        (HoldingObservation(ADDRESS, HoldingSource.DHCP, since=BEGUN, until=ARRIVED + timedelta(hours=8)), BEGUN),
        (AttachmentObservation("00:00:5e:00:53:01", time=SEEN), SEEN),
        (SESSION, SEEN),
        (AttachmentObservation("00:00:5e:00:53:01"), ARRIVED),
    ],
    ids=["session", "lease that ends in the future", "card on a port", "translation", "no time"],
)
def test_sighting_when_summarised_is_a_row_that_tells_when(one: Observation, time: datetime) -> None:
    made = summary(one)
    counts = made.sightings
    told = counts.holdings + counts.attachments + counts.translations
    assert (made.time, made.observations, told, made.is_log) == (time, 1, 1, True)


def test_log_when_it_also_shows_hosts_is_no_mere_log() -> None:
    assert not summary(SESSION, host(port(22))).is_log
    assert not summary(host(port(22))).is_log
    assert not summary().is_log


def test_translations_when_they_tell_no_time_are_lost_unless_they_hold_for_the_whole_address() -> None:
    undated = replace(SESSION, since=None, until=None)
    made = summary(undated, undated, replace(undated, ports=(0, 65_535)), Loss("cut off", "line 9"))
    assert made.lost == "line 9: cut off; 2 NAT rows without a time were not kept"
