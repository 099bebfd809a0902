"""Sightings in a run's summary: counted by kind, their times taken, accounts told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from sentinel.inventory.summary import SightingCounts, summarise
from sentinel.model.observation import RunEnd, RunObservation
from sentinel.model.sighting import AttachmentObservation, HoldingObservation, HoldingSource, TranslationObservation

NOW = datetime(2026, 11, 28, 4, 0, tzinfo=UTC)
BEGIN, END = NOW - timedelta(hours=5), NOW - timedelta(hours=1)
ADDRESS = ip_address("192.0.2.1")


def test_summary_when_there_are_sightings_counts_them_and_takes_their_newest_time() -> None:
    summary = summarise(
        [
            RunObservation("nat-log"),
            TranslationObservation("tcp", ADDRESS, ip_address("203.0.113.5"), since=BEGIN, until=END),
            HoldingObservation(ADDRESS, HoldingSource.RADIUS, since=BEGIN),
            HoldingObservation(ADDRESS, HoldingSource.ARP),
            AttachmentObservation("00:00:5e:00:53:01", time=BEGIN),
        ],
        NOW,
    )
    assert summary.sightings == SightingCounts(2, 1, 1)
    assert (summary.observations, summary.hosts_stated_up) == (4, 0)
    assert (summary.time, summary.time_is_stated, summary.accounts) == (END, True, False)


def test_summary_when_a_lease_lasts_takes_its_beginning() -> None:
    lease = HoldingObservation(ADDRESS, HoldingSource.DHCP, since=BEGIN, until=NOW + timedelta(hours=3))
    assert summarise([lease], NOW).time == BEGIN


def test_summary_when_an_account_is_named_or_the_source_says_so_tells_it() -> None:
    assert summarise([HoldingObservation(ADDRESS, HoldingSource.RADIUS, user="s2026001")], NOW).accounts
    end = RunEnd(accounts=True, passed_over=(("alert", 3),))
    summary = summarise([end], NOW)
    assert (summary.accounts, summary.passed_over) == (True, (("alert", 3),))
