"""Findings chosen in; orders issued, kept, printed again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from ipaddress import ip_network
from pathlib import Path

import docx
import pytest

from sentinel.errors import UsageError
from sentinel.model.finding import Finding, FindingState
from sentinel.model.order import RectificationOrder
from sentinel.model.register import Person, RegisterEntry
from sentinel.model.rule import Severity
from sentinel.report.order_paper import print_order
from sentinel.schedule.briefing import BRIEF_FILE, LEDGER_FILE, write_briefing
from sentinel.schedule.context import Context
from sentinel.schedule.facts import read_period, read_unit_facts
from sentinel.schedule.judging import judge_unit
from sentinel.schedule.orders import (
    MOST_FINDINGS,
    NO_OWNER,
    build_paper,
    choose_findings,
    file_name,
    ids_of,
    issue_order,
    read_order_findings,
)
from sentinel.store.findings import find_finding, read_findings, write_findings
from sentinel.store.orders import read_orders
from sentinel.store.register import write_register
from tests.homes import NOW, SCHOOL
from tests.schedule.nmapfile import NmapRun, give, host

HOSTS = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
NOBODY = Person()


def entry(row: int, address: str, department: str, person: Person = NOBODY) -> RegisterEntry:
    return RegisterEntry(
        0,
        SCHOOL.code,
        "台账.xlsx",
        "a" * 64,
        "",
        row,
        system=f"系统{row}",
        addresses=(ip_network(address),),
        department=department,
        person=person,
    )


@pytest.fixture
def seen(context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Context:
    """Three hosts with Telnet, two of them in the register, one of a register's hosts not there."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    give(context, NmapRun(tuple(host(number, p23="telnet", p80="nginx") for number in (1, 2, 3))))
    lines = [
        entry(3, HOSTS[0], "教务处", Person("张三", "0371-6000 0000")),
        entry(4, HOSTS[1], "图书馆"),
        entry(5, "10.0.0.9", "后勤处"),
    ]
    with context.database.transaction("tester", NOW) as transaction:
        write_register(transaction, lines, context.make_seal())
        transaction.audit("register.import", "unit school")
    judge_unit(context, SCHOOL)
    return context


def telnet(context: Context) -> list[Finding]:
    return [one for one in read_findings(context.database, [SCHOOL.code]) if "telnet" in one.key.rule]


def draft(findings: list[Finding], assignee: str = "教务处") -> RectificationOrder:
    return RectificationOrder(0, "", SCHOOL.code, "信息办", assignee, NOW, NOW + timedelta(days=9), ids_of(findings))


def test_facts_when_there_is_a_register_then_it_is_reconciled_and_findings_have_owners(seen: Context) -> None:
    facts = read_unit_facts(seen, SCHOOL, read_period(None, NOW))
    assert [line.standing.value for line in facts.standing.lines][:2] == ["seen", "seen"]
    assert [one.standing.value for one in facts.standing.hosts] == ["seen", "seen", "unregistered"]
    assert {facts.owners.get(one.id) for one in telnet(seen)} == {"教务处", "图书馆", None}
    assert "张三" not in repr(facts)


def test_choose_when_nothing_is_named_then_open_findings_come_by_department(seen: Context) -> None:
    chosen = {one.assignee: one.findings for one in choose_findings(seen, SCHOOL, (), severity=Severity.HIGH)}
    assert {"教务处", "图书馆", NO_OWNER} <= set(chosen)
    assert all(one.severity.rank <= Severity.HIGH.rank for found in chosen.values() for one in found)
    (only,) = choose_findings(seen, SCHOOL, (), severity=Severity.HIGH, owner="图书馆")
    assert only.findings == chosen["图书馆"]


@pytest.mark.parametrize("reference", ["隐患-2026-99999", "0", "", "9" * 400])
def test_choose_when_there_is_no_such_finding_then_it_is_refused(seen: Context, reference: str) -> None:
    with pytest.raises(UsageError, match="no such finding"):
        choose_findings(seen, SCHOOL, (reference,))


def test_issue_when_done_then_findings_are_in_rectification_and_chosen_no_more(seen: Context) -> None:
    findings = telnet(seen)[:2]
    order = issue_order(seen, draft(findings), findings)
    assert order.number == "整改-2026-0001"
    assert list(read_orders(seen.database, SCHOOL.code)) == [order]
    now = read_order_findings(seen, order)
    assert [(one.id, one.state) for one in now] == [(one.id, FindingState.RECTIFYING) for one in findings]
    row = seen.database.one("SELECT before, after, reason FROM finding_event ORDER BY id DESC LIMIT 1")
    assert row == ("open", "in_rectification", "ordered by 整改-2026-0001")
    left = {one.id for choice in choose_findings(seen, SCHOOL, ()) for one in choice.findings}
    assert not left & set(order.findings)


def test_issue_when_one_finding_is_settled_then_nothing_is_stored(seen: Context) -> None:
    findings = telnet(seen)
    settled = replace(findings[1], state=FindingState.CLOSED)
    with seen.database.transaction("tester", NOW) as transaction:
        write_findings(transaction, [(settled, "open", "settled")])
        transaction.audit("test", "finding")
    with pytest.raises(ValueError, match="nothing to rectify"):
        issue_order(seen, draft(findings), [findings[0], settled])
    with pytest.raises(UsageError, match="became closed meanwhile; nothing was issued"):
        issue_order(seen, draft(findings), findings)
    assert list(read_orders(seen.database, SCHOOL.code)) == []
    assert find_finding(seen.database, findings[0].number).state is FindingState.OPEN  # type: ignore[union-attr]


@pytest.mark.parametrize("count", [0, MOST_FINDINGS + 1])
def test_issue_when_there_are_none_or_too_many_then_it_is_refused(seen: Context, count: int) -> None:
    with pytest.raises(UsageError):
        issue_order(seen, draft([]), telnet(seen)[:1] * count)


def test_paper_when_printed_then_it_has_the_rules_harm_and_the_registers_system(seen: Context) -> None:
    findings = telnet(seen)[:1]
    paper = build_paper(seen, SCHOOL, issue_order(seen, draft(findings), findings), findings)
    (item,) = paper.items
    assert item.harm
    assert item.remedy
    assert item.system in {"系统3", "系统4"}
    assert any(clause.startswith("GB/T 22239-2019 7.") for clause in item.clauses)
    told = docx.Document(BytesIO(print_order(paper)))
    assert any(paper.number in paragraph.text for paragraph in told.paragraphs)


def test_file_name_when_departments_are_hostile_or_alike_then_names_are_safe_and_differ() -> None:
    names: list[str] = []
    for words in ("../../etc", "教务处", "教务处", "", "/", "a" * 400):
        names.append(file_name("整改通知书", words, names))
    assert len(set(names)) == len(names)
    assert not any("/" in name or ".." in name or len(name.encode()) > 200 for name in names)


def test_briefing_when_written_then_orders_are_drafts_and_nothing_is_stored(seen: Context, tmp_path: Path) -> None:
    done = write_briefing(seen, SCHOOL, tmp_path / "out", issue=False, show_persons=False)
    assert [path.name for path in done.files[:2]] == [BRIEF_FILE, LEDGER_FILE]
    assert {path.name for path in done.files[2:]} >= {"整改通知书-草稿-教务处.docx", "整改通知书-草稿-图书馆.docx"}
    assert sorted(tmp_path.joinpath("out").iterdir()) == sorted(done.files)
    assert done.orders == ()
    assert list(read_orders(seen.database, SCHOOL.code)) == []


def test_briefing_when_issued_then_owners_get_orders_and_the_rest_stays_a_draft(seen: Context, tmp_path: Path) -> None:
    done = write_briefing(seen, SCHOOL, tmp_path / "out", issue=True, show_persons=False)
    assert len(done.orders) == len(list(read_orders(seen.database, SCHOOL.code))) == 2
    assert {path.name for path in done.files[2:]} == {
        "整改通知书-教务处.docx",
        "整改通知书-图书馆.docx",
        f"整改通知书-草稿-{NO_OWNER}.docx",
    }


def test_briefing_when_persons_are_shown_then_the_audit_says_so_without_naming_them(
    seen: Context, tmp_path: Path
) -> None:
    write_briefing(seen, SCHOOL, tmp_path / "out", issue=False, show_persons=True)
    row = seen.database.one("SELECT action, after FROM audit WHERE action='register.show'")
    assert row == ("register.show", '{"persons": 1}')
