"""A unit's map and traffic judged: findings open, stay, go and come back as the evidence says."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from sentinel.config import Settings
from sentinel.errors import RuleError
from sentinel.model.evidence import RunKind
from sentinel.model.facts import Period
from sentinel.model.finding import Finding, FindingKey, FindingState
from sentinel.model.flow import FlowClass, FlowDetection
from sentinel.model.ports import PortSet
from sentinel.model.register import KeepOut
from sentinel.model.whitelist import WhitelistEntry, WhitelistKind
from sentinel.respond.lifecycle import exempt
from sentinel.schedule.context import Context
from sentinel.schedule.facts import read_unit_facts
from sentinel.schedule.intake import Origin, take_in
from sentinel.schedule.judging import FLOW_DAYS, Judgement, judge_unit, read_pack
from sentinel.store.declared import write_keep_out
from sentinel.store.findings import read_findings, write_findings
from sentinel.store.flows import write_capture
from sentinel.store.scopes import write_whitelist_entry
from tests.homes import NOW, SCHOOL, Clock, opened
from tests.schedule.nmapfile import NmapRun, at, give, host

UNLISTED = ("whitelist.unlisted-port", "10.0.0.1:80/tcp")
EIGHT_DAYS = timedelta(days=8)


@pytest.fixture
def clock(context: Context) -> Clock:
    """The clock of the context, to be set."""
    assert isinstance(context.clock, Clock)
    return context.clock


@pytest.fixture
def listed(context: Context) -> Context:
    """A home whose whitelist allows ssh on every host, so that any other port is a finding."""
    entry = WhitelistEntry(
        id=0, unit=SCHOOL.code, kind=WhitelistKind.PORT, proto="tcp", ports=PortSet.of_ports([22]), reason="x",
        addresses=(ip_network("10.0.0.0/24"),), approved_by="x",
    )  # fmt: skip
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        write_whitelist_entry(transaction, entry)
    return context


def findings(context: Context) -> dict[tuple[str, str], Finding]:
    return {(one.key.rule, one.key.subject): one for one in read_findings(context.database, [SCHOOL.code])}


def look(context: Context, day: float, **ports: str) -> Judgement:
    """Take one look at 10.0.0.1 in, and judge."""
    give(context, NmapRun((host(1, **ports),), finished=at(day)))
    return judge_unit(context, SCHOOL)


def silence(context: Context, day: float) -> Judgement:
    """Take a look in which 10.0.0.1 did not answer, and judge."""
    give(context, NmapRun(asked=("10.0.0.1",), finished=at(day)))
    return judge_unit(context, SCHOOL)


def test_finding_when_its_port_is_there_opens_and_stays_the_same(listed: Context) -> None:
    first = look(listed, 1, p80="nginx", p22="ssh")
    assert first.opened == first.live > 0
    second = look(listed, 2, p80="nginx", p22="ssh")
    assert (second.opened, second.reopened, second.gone, second.live) == (0, 0, 0, first.live)
    finding = findings(listed)[UNLISTED]
    assert (finding.state, finding.first_seen, finding.last_seen) == (FindingState.OPEN, at(1), at(2))
    assert second.pack_hash == read_pack(listed).hash


def test_finding_when_a_reset_proves_it_gone_is_verified_and_comes_back_as_itself(listed: Context) -> None:
    look(listed, 1, p80="nginx")
    number = findings(listed)[UNLISTED].number
    gone = look(listed, 2, p80="closed")
    assert gone.gone == 1
    assert findings(listed)[UNLISTED].state is FindingState.VERIFIED
    back = look(listed, 3, p80="nginx")
    assert (back.opened, back.reopened) == (0, 1)
    finding = findings(listed)[UNLISTED]
    assert (finding.state, finding.number, finding.first_seen, finding.reopened) == (
        FindingState.OPEN, number, at(1), 1,
    )  # fmt: skip


def test_finding_when_its_host_falls_silent_is_not_called_fixed(listed: Context) -> None:
    look(listed, 1, p80="nginx")
    for day in (2, 3, 4, 5):
        assert silence(listed, day).gone == 0
    assert findings(listed)[UNLISTED].state is FindingState.OPEN
    look(listed, 6, p80="closed", p22="ssh")
    assert findings(listed)[UNLISTED].state is FindingState.VERIFIED


def test_finding_when_one_look_misses_the_port_stays_and_when_two_do_is_gone(listed: Context) -> None:
    look(listed, 1, p80="nginx", p22="ssh")
    assert look(listed, 2, p80="filtered", p22="ssh").gone == 0
    assert look(listed, 3, p80="filtered", p22="ssh").gone == 1


def exempted(context: Context, key: tuple[str, str], days: float) -> Finding:
    """Accept a finding's risk for some days from now."""
    step = exempt(findings(context)[key], FindingState.ACCEPTED, why="x", by="y", until=NOW + timedelta(days=days))
    with context.database.transaction("tester", NOW) as transaction:
        (stored,) = write_findings(transaction, [(step.finding, step.before, step.reason)])
        transaction.audit("finding.mark", "x")
    return stored


def test_finding_when_exempted_is_carried_unchanged_until_the_exemption_ends(listed: Context, clock: Clock) -> None:
    look(listed, 1, p80="nginx")
    exempted(listed, UNLISTED, days=7)
    judge_unit(listed, SCHOOL)
    assert findings(listed)[UNLISTED].state is FindingState.ACCEPTED
    clock.now = NOW + EIGHT_DAYS
    assert judge_unit(listed, SCHOOL).reopened == 1
    finding = findings(listed)[UNLISTED]
    assert (finding.state, finding.first_seen, finding.why) == (FindingState.OPEN, at(1), "")


def test_finding_when_gone_during_its_exemption_is_verified_only_after_it(listed: Context, clock: Clock) -> None:
    look(listed, 1, p80="nginx")
    exempted(listed, UNLISTED, days=7)
    assert look(listed, 2, p80="closed").gone == 0
    assert findings(listed)[UNLISTED].state is FindingState.ACCEPTED
    clock.now = NOW + EIGHT_DAYS
    assert judge_unit(listed, SCHOOL).gone == 1
    assert findings(listed)[UNLISTED].state is FindingState.VERIFIED


def test_finding_when_two_vantages_see_the_port_stays_until_both_see_it_closed(listed: Context) -> None:
    for vantage in ("inside", "outside"):
        give(listed, NmapRun((host(1, p80="nginx"),), finished=at(1), mark=vantage), vantage=vantage)
    judge_unit(listed, SCHOOL)
    give(listed, NmapRun((host(1, p80="closed"),), finished=at(2), mark="in"), vantage="inside")
    judge_unit(listed, SCHOOL)
    assert findings(listed)[UNLISTED].state is FindingState.OPEN
    give(listed, NmapRun((host(1, p80="closed"),), finished=at(2), mark="out"), vantage="outside")
    judge_unit(listed, SCHOOL)
    assert findings(listed)[UNLISTED].state is FindingState.VERIFIED


def capture(context: Context) -> None:
    """Note a capture that showed one miner."""
    flow = FlowDetection(
        "a.pcap", "10.0.0.9", 40000, "203.0.113.9", 3333, "stratum", FlowClass.MINING, 1.0, "XMR", NOW, NOW, 9, 900
    )
    with context.database.transaction("tester", NOW) as transaction:
        write_capture(transaction, SCHOOL.code, "ab" * 32, "a.pcap", [flow])
        transaction.audit("traffic.analyze", "a.pcap")


def test_mining_when_found_is_never_proven_gone_by_silence(context: Context, clock: Clock) -> None:
    capture(context)
    judge_unit(context, SCHOOL)
    mined = [one for one in findings(context).values() if one.key.rule.startswith("mining.")]
    assert [(one.state, one.source.value, one.evidence) for one in mined] == [(FindingState.OPEN, "traffic", "ab" * 32)]
    clock.now = NOW + timedelta(days=FLOW_DAYS + 1)
    judge_unit(context, SCHOOL)
    (still,) = [one for one in findings(context).values() if one.key.rule.startswith("mining.")]
    assert still.state is FindingState.OPEN


def test_many_endpoints_when_judged_in_chunks_open_one_finding_each(listed: Context) -> None:
    rows = tuple(host(number, p80="nginx", p443="nginx") for number in range(1, 251))
    give(listed, NmapRun(rows, finished=at(1)))
    first = judge_unit(listed, SCHOOL)
    unlisted = [key for key in findings(listed) if key[0] == UNLISTED[0]]
    assert len(unlisted) == 500
    assert len({one.number for one in findings(listed).values()}) == first.opened == len(findings(listed))
    assert judge_unit(listed, SCHOOL).opened == 0


EVERYWHERE = {f"p{port}": "wrapped" for port in range(1000, 1040)}
ANSWERING = ("exposure.answers-everything", "10.0.0.1")


def of_host(context: Context) -> set[tuple[str, str]]:
    """Give the live findings that speak of the host."""
    return {key for key, one in findings(context).items() if one.state.is_live and key[1].startswith("10.0.0.1")}


def test_host_when_it_answers_everywhere_is_one_finding_and_what_spoke_there_another(listed: Context) -> None:
    look(listed, 0, p80="nginx", **EVERYWHERE)
    assert of_host(listed) == {ANSWERING, UNLISTED}


def test_host_when_one_port_short_of_answering_everywhere_is_judged_port_by_port(listed: Context) -> None:
    ports = dict(list(EVERYWHERE.items())[:39])
    look(listed, 0, **ports)
    assert ANSWERING not in findings(listed)
    assert len(of_host(listed)) == 39


def test_host_when_it_begins_to_answer_everywhere_then_nothing_behind_it_is_called_fixed(listed: Context) -> None:
    look(listed, 0, p1000="open", p1001="open")
    before = of_host(listed)
    assert len(before) == 2
    look(listed, 1, **EVERYWHERE)
    assert of_host(listed) == before | {ANSWERING}


def test_host_when_it_stops_answering_everywhere_then_the_finding_is_gone(listed: Context) -> None:
    look(listed, 0, **EVERYWHERE)
    look(listed, 1, p80="nginx", **dict.fromkeys(EVERYWHERE, "closed"))
    assert findings(listed)[ANSWERING].state is FindingState.VERIFIED
    assert findings(listed)[UNLISTED].state.is_live


def test_judging_when_a_rule_is_broken_changes_nothing(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "broken.yml").write_text("title: [\n")
    with opened(tmp_path / "home") as context:
        give(context, NmapRun((host(1, p80="nginx"),), finished=at(1)))
        broken = Context(context.home, context.database, Settings(rules=(str(own),)), "tester", Clock())
        with pytest.raises(RuleError, match=r"broken\.yml:"):
            judge_unit(broken, SCHOOL)
        assert findings(context) == {}
        assert judge_unit(context, SCHOOL).opened > 0


def test_finding_when_its_rule_was_removed_stays_as_it_was(listed: Context) -> None:
    look(listed, 1, p80="nginx")
    finding = findings(listed)[UNLISTED]
    lost = FindingKey(SCHOOL.code, "own.rule-of-last-year", finding.key.network, "10.0.0.1:80/tcp")
    with listed.database.transaction("tester", NOW) as transaction:
        copy = Finding(0, "", lost, finding.source, finding.severity, FindingState.OPEN, at(1), at(1))
        write_findings(transaction, [(copy, "", "first seen")])
        transaction.audit("unit.check", "x")
    look(listed, 2, p80="closed")
    assert findings(listed)["own.rule-of-last-year", "10.0.0.1:80/tcp"].state is FindingState.OPEN


def covered_block(day: float, *, real: bool = True) -> NmapRun:
    """A box answers port 23 on all of 10.0.0.0/24; one real host behind it speaks SSH and telnet, or nothing."""
    rows = [host(number, p23="wrapped") for number in range(256)]
    if real:
        rows[7] = host(7, p22="ssh", p23="telnet")
    return NmapRun(tuple(rows), ports="22,23", finished=at(day))


def test_block_when_a_box_answers_for_all_of_it_is_one_finding_and_its_real_host_another(listed: Context) -> None:
    give(listed, covered_block(0))
    judge_unit(listed, SCHOOL)
    found = {subject for rule, subject in findings(listed) if rule.startswith("exposure.")}
    assert found == {"10.0.0.0", "10.0.0.7:23/tcp"}
    assert ("exposure.answers-everything", "10.0.0.0") in findings(listed)


def test_block_when_a_box_begins_to_answer_for_it_then_nothing_behind_it_is_called_fixed(listed: Context) -> None:
    give(listed, NmapRun((host(7, p22="ssh", p23="telnet"), host(9, p23="telnet")), ports="22,23", finished=at(0)))
    judge_unit(listed, SCHOOL)
    give(listed, covered_block(1, real=False))
    judge_unit(listed, SCHOOL)
    found = findings(listed)
    assert found["exposure.telnet", "10.0.0.7:23/tcp"].state.is_live
    assert found["exposure.telnet", "10.0.0.9:23/tcp"].state.is_live


def test_facts_of_a_block_a_box_answers_for_hold_the_box_and_the_real_host(listed: Context) -> None:
    give(listed, covered_block(0))
    facts = read_unit_facts(listed, SCHOOL, Period(at(-1), at(9), "some days"))
    assert {str(one.address) for one in facts.hosts} == {"10.0.0.0", "10.0.0.7"}
    assert {str(row.endpoint.key.address) for row in facts.rows} == {"10.0.0.7"}
    assert [(str(address), count) for _, address, count in facts.answering] == [("10.0.0.0", 1)]
    assert {str(one.row.endpoint.key.address) for one in facts.changes} == {"10.0.0.7"}


LOG_RULE = """\
title: Names Under A Strange Domain
id: 7d1f0b5e-7c3a-4d2e-9a8b-0c1d2e3f4a5c
logsource: {category: dns}
detection:
  selection: {query|endswith: .strange.example}
  condition: selection
level: high
"""


def dns_log(day: float, *rows: tuple[str, str]) -> bytes:
    begin = int(at(day).timestamp())
    lines = [
        f'{{"_path":"dns","ts":{begin + number},"uid":"C{number}","id.orig_h":"{host}","id.orig_p":5353,'
        f'"id.resp_h":"10.0.0.2","id.resp_p":53,"proto":"udp","query":"{query}","qtype_name":"A","answers":["192.0.2.1"]}}'
        for number, (host, query) in enumerate(rows)
    ]
    return "\n".join(lines).encode() + b"\n"


def test_logs_when_a_rule_about_them_is_there_are_judged_once_and_again_when_rules_change(tmp_path: Path) -> None:
    rules = tmp_path / "own"
    rules.mkdir()
    with opened(tmp_path / "home") as made:
        log = dns_log(
            90, ("10.0.0.7", "a.strange.example"), ("10.0.0.8", "www.example"), ("10.0.0.9", "b.strange.example")
        )
        take_in(made, SCHOOL, io.BytesIO(log), Origin("dns.log", RunKind.IMPORT, "inside"))
        judge_unit(made, SCHOOL)
        assert not any(rule.startswith("sigma.") for rule, _ in findings(made))
        (rules / "strange.yml").write_text(LOG_RULE, "utf-8")
        context = replace(made, settings=Settings(rules=(str(rules),)))
        judge_unit(context, SCHOOL)
        found = {key for key in findings(context) if key[0] == "sigma.strange"}
        assert found == {("sigma.strange", "10.0.0.7"), ("sigma.strange", "10.0.0.9")}
        again = judge_unit(context, SCHOOL)
        assert (again.opened, again.gone) == (0, 0)  # silence of a log proves nothing
        assert {key for key in findings(context) if key[0] == "sigma.strange"} == found


def test_logs_when_an_address_stays_out_then_its_rows_are_not_judged(tmp_path: Path) -> None:
    rules = tmp_path / "own"
    rules.mkdir()
    (rules / "strange.yml").write_text(LOG_RULE, "utf-8")
    with opened(tmp_path / "home") as made:
        context = replace(made, settings=Settings(rules=(str(rules),)))
        log = dns_log(90, ("10.0.0.7", "a.strange.example"), ("10.0.0.9", "b.strange.example"))
        take_in(context, SCHOOL, io.BytesIO(log), Origin("dns.log", RunKind.IMPORT, "inside"))
        with context.database.transaction("tester", NOW, objects=True) as transaction:
            write_keep_out(transaction, KeepOut(0, SCHOOL.code, (ip_network("10.0.0.9/32"),), "x"))
        judge_unit(context, SCHOOL)
        assert {subject for rule, subject in findings(context) if rule == "sigma.strange"} == {"10.0.0.7"}
