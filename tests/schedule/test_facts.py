"""A unit or a centre and a period in; the facts of its reports out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from sentinel.errors import UsageError
from sentinel.model.control import Verdict
from sentinel.model.endpoint import ChangeKind
from sentinel.model.facts import Period, UnitSummary
from sentinel.model.finding import FindingState
from sentinel.model.flow import FlowClass, FlowDetection
from sentinel.model.ports import PortSet
from sentinel.model.unit import Network, Unit, UnitLevel, Zone
from sentinel.model.whitelist import WhitelistEntry, WhitelistKind
from sentinel.schedule.context import Context
from sentinel.schedule.facts import read_centre_facts, read_period, read_unit_facts, read_verdicts
from sentinel.schedule.intake import replace_networks
from sentinel.schedule.judging import judge_unit
from sentinel.store.flows import write_capture
from sentinel.store.scopes import write_whitelist_entry
from sentinel.store.unit_tree import rename_unit
from sentinel.store.units import read_units, write_network, write_unit
from tests.homes import NOW, SCHOOL
from tests.schedule.nmapfile import NmapRun, at, give, host

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]  # year, month, day, hour


@pytest.mark.parametrize(
    ("text", "start", "end", "label"),
    [
        ("2026-10", utc(2026, 9, 30, 16), utc(2026, 10, 31, 16) - TICK, "2026-10"),
        ("2025-12", utc(2025, 11, 30, 16), utc(2025, 12, 31, 16) - TICK, "2025-12"),
        (
            "2026-09-26/2026-10-25",
            utc(2026, 9, 25, 16),
            utc(2026, 10, 25, 16) - TICK,
            "2026-09-26/2026-10-25",
        ),
        ("2026-10-01", utc(2026, 9, 30, 16), utc(2026, 10, 1, 16) - TICK, "2026-10-01"),
        ("2026-11", utc(2026, 10, 31, 16), utc(2026, 11, 30, 16) - TICK, "2026-11"),
        (None, NOW - 30 * DAY, NOW, "2026-10-23/2026-11-22"),
    ],
)
def test_period_when_it_can_be_read_holds_whole_days_of_shanghai(
    text: str | None, start: datetime, end: datetime, label: str
) -> None:
    assert read_period(text, NOW) == Period(start, end, label)


@pytest.mark.parametrize(
    "text",
    ["2026-13", "junk", "2026-02-30", "2026-10-25/2026-09-26", "0001-01", "9999-12", "9999-12-31", "2027-01", "/", " "],
)
def test_period_when_it_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--period: "):
        read_period(text, NOW)


@pytest.fixture
def campus(context: Context) -> Context:
    """A school with a network and two looks at it: then 22 and 80, later 22 and 443."""
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        network = Network(0, SCHOOL.code, "campus", Zone.SERVER, (ip_network("10.0.0.0/29"),))
        write_network(transaction, network)
        replace_networks(context, transaction, SCHOOL)
    give(context, NmapRun((host(1, p22="ssh", p80="nginx"),), finished=at(60)))
    give(context, NmapRun((host(1, p22="ssh", p80="closed", p443="nginx"),), finished=at(90)))
    judge_unit(context, SCHOOL)
    return context


def ports(facts_rows: tuple[object, ...]) -> list[int]:
    return [row.endpoint.key.port for row in facts_rows]  # type: ignore[attr-defined]  # map rows


def test_facts_when_the_period_is_now_show_the_present_and_its_changes(campus: Context) -> None:
    facts = read_unit_facts(campus, SCHOOL, Period(at(70), NOW, "x"))
    assert ports(facts.rows) == [22, 443]
    assert [(change.kind, change.row.endpoint.key.port) for change in facts.changes] == [
        (ChangeKind.GONE, 80),
        (ChangeKind.NEW, 443),
    ]
    assert [str(one.address) for one in facts.hosts] == ["10.0.0.1"]
    assert [run.time for run in facts.runs] == [at(90)]
    assert [(one.network, one.planned, one.covered) for one in facts.coverage] == [("default", 0, 0), ("campus", 6, 1)]
    assert facts.generated_at == NOW
    assert (facts.whitelist_entries, facts.captures_analysed, facts.silent_hosts) == (0, 0, 0)
    assert {verdict.catalogue for verdict in facts.verdicts} == {one.id for one in facts.catalogues}
    assert {"mlps-l2", "mlps-l3", "high-risk"} < {one.id for one in facts.catalogues}


def test_facts_when_the_period_lies_in_the_past_show_the_map_of_its_end(campus: Context) -> None:
    facts = read_unit_facts(campus, SCHOOL, Period(at(50), at(70), "x"))
    assert ports(facts.rows) == [22, 80]
    assert [run.time for run in facts.runs] == [at(60)]
    assert facts.findings == () or all(one.first_seen <= at(70) for one in facts.findings)


def test_facts_when_a_finding_was_closed_before_the_period_leave_it_out(campus: Context) -> None:
    def closed(period: Period) -> int:
        found = read_unit_facts(campus, SCHOOL, period).findings
        return sum(1 for one in found if one.state is FindingState.VERIFIED)

    give(campus, NmapRun((host(1, p23="ssh", p22="ssh"),), finished=at(95), ports="22-23,80,443"))
    entry = WhitelistEntry(
        id=0, unit=SCHOOL.code, kind=WhitelistKind.PORT, proto="tcp", ports=PortSet.of_ports([22]),
        addresses=(ip_network("10.0.0.0/24"),), reason="x", approved_by="x",
    )  # fmt: skip
    with campus.database.transaction("tester", NOW, objects=True) as transaction:
        write_whitelist_entry(transaction, entry)
    judge_unit(campus, SCHOOL)
    give(campus, NmapRun((host(1, p23="closed", p22="ssh"),), finished=at(96), ports="22-23,80,443"))
    judge_unit(campus, SCHOOL)
    assert closed(Period(at(90), NOW, "x")) >= 1
    assert closed(Period(NOW + DAY, NOW + 2 * DAY, "x")) == 0


def test_verdicts_when_one_catalogue_is_named_are_its_own(campus: Context) -> None:
    found = read_verdicts(campus, SCHOOL, NOW, "mlps-l3")
    assert {verdict.catalogue for verdict in found} == {"mlps-l3"}
    assert all(verdict.verdict is not Verdict.CONFORM for verdict in found), "a look at three ports proves nothing"
    with pytest.raises(UsageError, match=r"no such catalogue: 'x' \(mlps-l2, mlps-l3, duty, "):
        read_verdicts(campus, SCHOOL, NOW, "x")


@pytest.fixture
def county(campus: Context) -> Unit:
    """A county over a second school, beside the first school, which lies outside it."""
    with campus.database.transaction("tester", NOW, objects=True) as transaction:
        write_unit(transaction, Unit("county", "示例县教育局", UnitLevel.COUNTY))
        write_unit(transaction, Unit("second", "第二所", parent="county"))
        write_unit(transaction, Unit("office", "信息科", UnitLevel.DEPARTMENT, parent="second"))
    return next(one for one in read_units(campus.database) if one.code == "county")


def summaries(context: Context, centre: Unit) -> dict[str, UnitSummary]:
    facts = read_centre_facts(context, centre, Period(at(50), NOW, "x"))
    return {one.unit.code: one for one in facts.summaries}


def test_centre_when_it_reads_counts_only_what_lies_below_it(campus: Context, county: Unit) -> None:
    second = next(one for one in read_units(campus.database) if one.code == "second")
    give(campus, NmapRun((host(3, p22="ssh"), host(4, p80="nginx")), finished=at(91)), unit=second)
    judge_unit(campus, second)
    found = summaries(campus, county)
    assert list(found) == ["second", "office"]
    one = found["second"]
    assert (one.hosts, one.endpoints, one.last_run) == (2, 2, at(91))
    assert sum(one.live.values()) > 0
    assert (one.mining_hosts, one.unlisted, one.planned) == (None, None, 0)
    assert one.clauses == 135
    assert 0 <= one.nonconform <= one.answered <= one.clauses
    assert (found["office"].hosts, found["office"].last_run) == (0, None)


def test_centre_when_captures_were_searched_counts_hosts_and_not_flows(campus: Context, county: Unit) -> None:
    def flow(host_: str, kind: FlowClass, port: int) -> FlowDetection:
        return FlowDetection("a.pcap", host_, port, "203.0.113.9", 3333, "stratum", kind, 1.0, "", NOW, NOW, 9, 900)

    flows = [
        flow("10.0.0.9", FlowClass.MINING, 1),
        flow("10.0.0.9", FlowClass.MINING, 2),
        flow("10.0.0.9", FlowClass.SUSPECT, 3),
        flow("10.0.0.8", FlowClass.SUSPECT, 4),
    ]
    with campus.database.transaction("tester", NOW) as transaction:
        write_capture(transaction, "second", "ab" * 32, "a.pcap", flows)
        transaction.audit("traffic.analyze", "a.pcap")
    one = summaries(campus, county)["second"]
    assert (one.mining_hosts, one.suspect_hosts) == (1, 1)


def test_facts_when_a_host_answers_everywhere_then_its_ports_are_told_once_and_counted_nowhere(
    context: Context,
) -> None:
    give(context, NmapRun((host(1, p22="ssh", p80="closed"), host(2, p22="ssh")), finished=NOW - 2 * DAY))
    ports = {f"p{port}": "wrapped" for port in range(1000, 1050)}
    now = (host(1, p22="ssh", p80="nginx"), host(2, p22="ssh", **ports))
    give(context, NmapRun(now, ports="22,80,1000-1049", finished=NOW - DAY))
    period = Period(NOW - timedelta(days=1.5), NOW, "x")
    facts = read_unit_facts(context, SCHOOL, period)
    shown = [(str(one.endpoint.key.address), one.endpoint.key.port) for one in facts.rows]
    assert shown == [("10.0.0.1", 22), ("10.0.0.1", 80), ("10.0.0.2", 22)]
    assert [(str(address), count) for _, address, count in facts.answering] == [("10.0.0.2", 50)]
    assert {str(one.row.endpoint.key.address) for one in facts.changes} == {"10.0.0.1"}
    (summary,) = read_centre_facts(context, SCHOOL, period).summaries
    assert (summary.hosts, summary.endpoints) == (2, 3)


def test_facts_of_a_past_period_call_the_unit_by_the_name_of_that_day(context: Context) -> None:
    with context.database.transaction("tester", NOW) as transaction:
        renamed = rename_unit(transaction, SCHOOL, "新校名", NOW - timedelta(days=10), "文号")
    past = read_unit_facts(context, renamed, Period(NOW - timedelta(days=40), NOW - timedelta(days=20), "上月"))
    present = read_unit_facts(context, renamed, Period(NOW - timedelta(days=5), NOW, "本月"))
    assert (past.unit.name, present.unit.name) == (SCHOOL.name, "新校名")
