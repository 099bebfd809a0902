"""Findings of other people's reports: joined in any order, never closed by silence, never touched by judging."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest

from sentinel.model.finding import Finding, FindingSource, FindingState
from sentinel.model.observation import Loss
from sentinel.model.reported import ReportedFlaw
from sentinel.model.rule import Severity
from sentinel.model.unit import Network, Zone
from sentinel.respond.lifecycle import exempt
from sentinel.schedule.context import Context
from sentinel.schedule.intake import replace_networks
from sentinel.schedule.judging import judge_unit
from sentinel.schedule.third_party import FlawTally, Report, take_flaws
from sentinel.store.findings import read_findings, write_findings
from sentinel.store.units import read_networks, write_network
from tests.homes import NOW, SCHOOL, Clock

FLAW = ReportedFlaw(
    "42873",
    "SWEET32",
    Severity.HIGH,
    ip_address("10.1.0.5"),
    proto="tcp",
    port=443,
    references=("CVE-2016-2183",),
    solution="Reconfigure.",
)
DAY = timedelta(days=1)


def give(
    context: Context, *flaws: ReportedFlaw | Loss, evidence: str = "a" * 64, time: datetime | None = None
) -> FlawTally:
    return take_flaws(context, SCHOOL, Report("nessus", "scan.nessus", evidence, "inside", time or NOW - DAY), flaws)


def reported(context: Context) -> list[Finding]:
    return [one for one in read_findings(context.database, [SCHOOL.code]) if one.source is FindingSource.REPORT]


def set_state(context: Context, finding: Finding, state: FindingState, **more: object) -> None:
    with context.database.transaction("tester", NOW) as transaction:
        write_findings(transaction, [(replace(finding, state=state, **more), finding.state, "test")])  # type: ignore[arg-type]
        transaction.audit("finding.mark", "test")


def later(context: Context, days: float) -> Clock:
    assert isinstance(context.clock, Clock)
    context.clock.now = NOW + days * DAY
    return context.clock


def test_flaw_is_a_finding_with_its_source_its_rule_and_its_reference(context: Context) -> None:
    tally = give(context, FLAW)
    (finding,) = reported(context)
    assert (tally.opened, tally.reopened, tally.known) == (1, 0, 0)
    assert (finding.key.rule, finding.key.subject) == ("report.nessus.42873", "10.1.0.5:443/tcp")
    assert (finding.reference, finding.severity, finding.state) == ("42873 CVE-2016-2183", "high", "open")
    assert (finding.title_zh, finding.remediation_zh, finding.evidence) == ("SWEET32", "Reconfigure.", "a" * 64)
    assert finding.first_seen == finding.last_seen == NOW - DAY
    assert finding.number
    assert "vantage=inside" in finding.detail


def test_same_report_again_changes_nothing(context: Context) -> None:
    give(context, FLAW)
    before = reported(context)
    events = context.database.one("SELECT (SELECT count(*) FROM finding_event), (SELECT count(*) FROM audit)")
    assert give(context, FLAW).known == 1
    assert reported(context) == before
    assert events == context.database.one("SELECT (SELECT count(*) FROM finding_event), (SELECT count(*) FROM audit)")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_reports_in_any_order_give_one_finding_with_the_words_of_the_newer(
    context: Context, order: tuple[int, int]
) -> None:
    reports = [
        (FLAW, "a" * 64, NOW - 9 * DAY),
        (replace(FLAW, severity=Severity.MEDIUM, title="SWEET32 (new)"), "b" * 64, NOW - 2 * DAY),
    ]
    for place in order:
        flaw, evidence, time = reports[place]
        give(context, flaw, evidence=evidence, time=time)
    (finding,) = reported(context)
    assert (finding.first_seen, finding.last_seen) == (NOW - 9 * DAY, NOW - 2 * DAY)
    assert (finding.severity, finding.title_zh, finding.evidence) == ("medium", "SWEET32 (new)", "b" * 64)


def test_of_several_rows_about_one_flaw_the_worst_speaks(context: Context) -> None:
    give(context, replace(FLAW, severity=Severity.LOW, title="low"), FLAW, replace(FLAW, severity=Severity.MEDIUM))
    assert [(one.severity, one.title_zh) for one in reported(context)] == [("high", "SWEET32")]


def test_informational_items_are_counted_and_no_findings(context: Context) -> None:
    tally = give(context, replace(FLAW, severity=Severity.INFORMATIONAL), Loss("the report ends early", "byte 9"))
    assert (tally.informational, tally.opened, tally.lost) == (1, 0, ["byte 9: the report ends early"])
    assert reported(context) == []


def test_flaw_of_a_domain_and_of_a_whole_host_have_their_own_subjects(context: Context) -> None:
    give(context, replace(FLAW, address=None, name="www.school.example"), replace(FLAW, port=0, proto=""))
    assert sorted((one.key.network == 0, one.key.subject) for one in reported(context)) == [
        (False, "10.1.0.5"),
        (True, "www.school.example"),
    ]


def test_time_after_the_arrival_is_the_arrival(context: Context) -> None:
    give(context, replace(FLAW, time=NOW + 400 * DAY))
    assert [one.last_seen for one in reported(context)] == [NOW]


def test_newer_report_that_no_longer_has_it_closes_nothing(context: Context) -> None:
    give(context, FLAW)
    give(context, replace(FLAW, check="1"), evidence="b" * 64, time=NOW)
    assert [one.state for one in reported(context)] == ["open", "open"]


def test_judging_never_touches_what_others_found(context: Context) -> None:
    give(context, FLAW)
    before = reported(context)
    later(context, 5)
    assert judge_unit(context, SCHOOL).gone == 0
    assert reported(context) == before


def test_judging_opens_what_others_found_when_its_exemption_is_over(context: Context) -> None:
    give(context, FLAW)
    (finding,) = reported(context)
    step = exempt(finding, FindingState.ACCEPTED, why="略", by="某人", until=NOW + DAY)
    set_state(context, step.finding, FindingState.ACCEPTED)
    judge_unit(context, SCHOOL)
    assert [one.state for one in reported(context)] == ["accepted"]
    later(context, 2)
    assert judge_unit(context, SCHOOL).gone == 0
    assert [(one.state, one.why, one.first_seen) for one in reported(context)] == [("open", "", finding.first_seen)]


def test_exempted_flaw_reported_again_stays_exempted(context: Context) -> None:
    give(context, FLAW)
    (finding,) = reported(context)
    set_state(context, finding, FindingState.FALSE_POSITIVE, why="略", until=NOW + 9 * DAY)
    give(context, FLAW, evidence="b" * 64, time=NOW)
    assert [(one.state, one.last_seen) for one in reported(context)] == [("false_positive", NOW)]


@pytest.mark.parametrize(("seen", "state"), [(NOW - 3 * DAY, "closed"), (NOW - DAY, "open")])
def test_closed_flaw_comes_back_only_with_a_report_newer_than_the_closing(
    context: Context, seen: datetime, state: str
) -> None:
    give(context, FLAW, time=NOW - 5 * DAY)
    (finding,) = reported(context)
    set_state(context, finding, FindingState.CLOSED, closed_at=NOW - 2 * DAY)
    give(context, FLAW, evidence="b" * 64, time=seen)
    assert [one.state for one in reported(context)] == [state]


def test_findings_move_with_the_networks_declared_later(context: Context) -> None:
    give(context, FLAW, replace(FLAW, address=ip_address("2001:db8::5")))
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        write_network(transaction, Network(0, SCHOOL.code, "服务器区", Zone.SERVER, (ip_network("10.1.0.0/24"),)))
        replace_networks(context, transaction, SCHOOL)
    by_id = {network.id: network.name for network in read_networks(context.database, SCHOOL.code)}
    assert {one.key.subject: by_id[one.key.network] for one in reported(context)} == {
        "10.1.0.5:443/tcp": "服务器区",
        "[2001:db8::5]:443/tcp": "default",
    }
    assert give(context, FLAW).known == 1
