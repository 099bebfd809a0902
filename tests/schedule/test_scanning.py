"""Targets through the gate, job by job: what is planned, what is stored, what is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest

from sentinel.collect.gate import parse_target
from sentinel.errors import CollectError, ScopeError
from sentinel.model.ports import parse_ports
from sentinel.model.scope import Authorisation, Level, Refusal, RefusalReason
from sentinel.schedule.context import Context, read_clock
from sentinel.schedule.reading import read_map
from sentinel.schedule.scanning import JobReport, ScanTotal, describe_stage, explain_refusals, plan_scan, run_scan
from sentinel.store.audit import read_audit
from sentinel.store.runs import read_runs
from sentinel.store.scopes import write_authorisation
from tests.cli.services import PLACE, answer_plain
from tests.collect.practice import serve
from tests.homes import SCHOOL

PORTS = parse_ports("9070")


@pytest.fixture
def live(context: Context) -> Context:
    """The context under the real clock, for scans that really happen."""
    return replace(context, clock=read_clock)


def authorise(context: Context, *targets: str, level: Level = Level.DISCOVER, rate_pps: int = 5000) -> Authorisation:
    now = context.clock()
    wanted = Authorisation(
        id=0,
        unit=SCHOOL.code,
        targets=tuple(parse_target(text) for text in targets),
        by="办公室",
        document="1号",
        valid_from=now - timedelta(days=1),
        valid_to=now + timedelta(days=1),
        level=level,
        allow_loopback=True,
        rate_pps=rate_pps,
    )
    with context.database.transaction("tester", now, objects=True) as transaction:
        return write_authorisation(transaction, wanted)


def scan(context: Context, *targets: str, total: ScanTotal | None = None) -> Iterator[JobReport]:
    planned = plan_scan(context, SCHOOL, targets, PORTS)
    return run_scan(context, SCHOOL, planned, PORTS, total or ScanTotal(), vantage="inside")


def test_plan_when_no_level_is_asked_goes_as_far_as_each_authorisation(context: Context) -> None:
    authorise(context, "10.0.1.0/24")
    authorise(context, "10.0.2.0/24", level=Level.SERVICE)
    authorise(context, "10.0.3.0/24", level=Level.CHECK)
    planned = plan_scan(context, SCHOOL, ["10.0.1.1", "10.0.2.1", "10.0.3.1"], PORTS)
    reached = {str(permit.networks[0]): permit.level for permit, _ in planned.permits}
    assert reached == {
        "10.0.1.1/32": Level.DISCOVER,
        "10.0.2.1/32": Level.SERVICE,
        "10.0.3.1/32": Level.SERVICE,
    }
    assert planned.refusals == ()
    assert planned.pairs == 3


def test_plan_when_a_level_is_asked_goes_no_lower(context: Context) -> None:
    authorise(context, "10.0.1.0/24")
    planned = plan_scan(context, SCHOOL, ["10.0.1.1"], PORTS, level=Level.SERVICE)
    assert [one.reason for one in planned.refusals] == [RefusalReason.LEVEL]
    assert planned.permits == ()


def test_plan_when_a_name_is_very_long_loses_no_target(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentinel.schedule.scanning.resolve_name", lambda _: (ip_address("10.0.1.7"),))
    name = f"{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 40}.example"
    authorise(context, name, "10.0.1.0/24")
    planned = plan_scan(context, SCHOOL, [name], PORTS)
    assert [str(network) for permit, _ in planned.permits for network in permit.networks] == ["10.0.1.7/32"]
    assert planned.refusals == ()


@pytest.mark.parametrize("rate", [None, 5000, 5001])
def test_plan_when_targets_are_of_every_kind_tells_the_fate_of_each(context: Context, rate: int | None) -> None:
    authorise(context, "10.0.1.0/24")
    authorise(context, "10.0.2.0/24", level=Level.PASSIVE)
    targets = ["10.0.1.1", "10.0.2.1", "10.0.9.1", "-oX", "224.0.0.1", "10.0.1.0/25"]
    planned = plan_scan(context, SCHOOL, targets, PORTS, rate_pps=rate)
    touched = {str(network) for permit, _ in planned.permits for network in permit.networks}
    refused = {one.target for one in planned.refusals}
    allowed = set() if rate == 5001 else {"10.0.1.1", "10.0.1.0/25"}
    assert refused == set(targets) - allowed
    assert touched == ({"10.0.1.0/25"} if allowed else set())


def test_scan_when_nothing_is_allowed_ends_before_a_tool_is_looked_for(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ScopeError, match=r"refused, nothing was sent: 10\.0\.1\.1: no authorisation"):
        list(scan(context, "10.0.1.1"))
    authorise(context, "10.0.1.0/24")
    with pytest.raises(CollectError, match="nmap is not installed"):
        list(scan(context, "10.0.1.1"))


@pytest.mark.nmap
def test_scan_when_it_runs_stores_each_job_with_its_authorisation(live: Context) -> None:
    address = f"{PLACE}.130"
    allowed = authorise(live, f"{PLACE}.130/31")
    total = ScanTotal()
    small = replace(live, settings=replace(live.settings, job_size=1))
    with serve(address, 9070, answer_plain):
        reports = list(scan(small, f"{PLACE}.130/31", total=total))
    assert [(one.job, one.jobs, one.result.ok) for one in reports] == [(0, 2, True), (1, 2, True)]
    assert [one.intake.run.endpoints_open for one in reports if one.intake] == [1, 0]
    assert (total.hosts_up, total.endpoints_open, total.planned, total.covered, total.coverage) == (2, 1, 2, 2, 1.0)
    assert (total.events, total.failed) == (1, [])
    assert total.probes >= 2
    runs = read_runs(live.database, SCHOOL.code)
    assert [(run.kind, run.vantage, run.hosts_up) for run in runs] == [("scan", "inside", 1), ("scan", "inside", 1)]
    stored = list(live.database.query("SELECT DISTINCT authorisation, scan FROM run"))
    assert [row[0] for row in stored] == [allowed.id]
    assert len({row[1] for row in stored}) == 1
    (row,) = read_map(live, SCHOOL)
    assert (str(row.endpoint.key.address), row.endpoint.key.port) == (address, 9070)


@pytest.mark.nmap
def test_scan_when_given_up_half_way_keeps_what_was_finished_and_says_so_in_the_audit(live: Context) -> None:
    authorise(live, f"{PLACE}.132/30")
    small = replace(live, settings=replace(live.settings, job_size=1))
    jobs = scan(small, f"{PLACE}.132/30")
    next(jobs)
    jobs.close()  # type: ignore[attr-defined]  # a generator, as its docstring says
    assert len(read_runs(live.database, SCHOOL.code)) == 1
    told = {entry.action: entry.after for entry in read_audit(live.database.connection, 9)}
    assert '"jobs": 1, "of": 4' in told["scan.end"]
    assert '"pairs": 4' in told["scan.start"]
    assert list(live.home.work.iterdir()) == []


@pytest.mark.nmap
def test_scan_when_the_authorisation_ends_meanwhile_starts_nothing_more(live: Context) -> None:
    authorise(live, f"{PLACE}.136/31")
    planned = plan_scan(live, SCHOOL, [f"{PLACE}.136/31"], PORTS)
    moments = iter([datetime.now(UTC)] * 3)
    late = replace(live, clock=lambda: next(moments, datetime.now(UTC) + timedelta(days=2)))
    total = ScanTotal()
    reports = list(run_scan(late, SCHOOL, planned, PORTS, total, vantage="inside"))
    assert [report.result.ok for report in reports] == [False]
    assert "ended" in total.failed[0]
    assert (total.probes, total.covered, read_map(live, SCHOOL)) == (0, 0, ())


def test_job_when_its_xml_is_no_xml_counts_as_failed(context: Context, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "nmap"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\ncase "$1" in --version) echo "Nmap version 7.93 (x)";; *) echo "oops";; esac\n')
    program.chmod(0o755)
    authorise(context, "10.0.1.0/24")
    total = ScanTotal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
        (report,) = scan(context, "10.0.1.1", total=total)
    assert report.intake is None
    assert len(total.failed) == 1
    assert (total.coverage, total.endpoints_open) == (0.0, 0)
    assert list(context.home.work.iterdir()) == []


def test_refusals_when_explained_name_the_first_three() -> None:
    refusals = [Refusal(f"10.0.0.{number}", RefusalReason.UNAUTHORISED, "no") for number in range(5)]
    told = explain_refusals(refusals)
    assert told == "refused, nothing was sent: 10.0.0.0: no; 10.0.0.1: no; 10.0.0.2: no; and 2 more"
    assert explain_refusals(refusals[:1]) == "refused, nothing was sent: 10.0.0.0: no"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("syn stealth scan 41 %", "探测 TCP 端口 41%"),
        ("service scan 0 %", "识别服务"),
        ("udp scan 100 %", "探测 UDP 端口 100%"),
        ("ack scan 3 %", "ack scan 3%"),
    ],
)
def test_stage_when_described_is_in_words_for_people(told: str, words: str) -> None:
    assert describe_stage(told) == words
