from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from sentinel.errors import ParseError, UsageError
from sentinel.model.finding import SubjectKind
from sentinel.model.ports import PortSet
from sentinel.model.rule import Severity
from sentinel.model.whitelist import PeerKind, WhitelistAction, WhitelistEntry, WhitelistKind
from sentinel.model.whitelist_request import RequestKind, RequestState, RequestStep, WhitelistRequest
from sentinel.schedule.context import Context
from sentinel.schedule.declaring import add_keep_out
from sentinel.schedule.drafting import draft_whitelist
from sentinel.schedule.judging import judge_unit
from sentinel.schedule.request_papers import save_request
from sentinel.schedule.requests import (
    Approval,
    approve_request,
    check_request,
    choose_request,
    end_request,
    make_request,
    read_check,
    read_request_entries,
)
from sentinel.schedule.telling import Telling, add_finding
from sentinel.store.findings import read_findings, read_live
from sentinel.store.scopes import read_whitelist, write_whitelist_entry
from sentinel.store.whitelist import read_draft
from sentinel.store.whitelist_requests import read_events
from tests.homes import NOW, SCHOOL, Clock
from tests.schedule.nmapfile import NmapRun, give, host

WANTED = WhitelistRequest(
    0, "", SCHOOL.code, RequestKind.GO_LIVE, RequestState.SUBMITTED, "教务处", "选课系统", "期末选课", NOW,
    NOW + timedelta(days=90), NOW, (ip_network("10.0.0.1/32"),), ("xk.school.example",),
    (("tcp", PortSet.of_ports([80])),), "http", PeerKind.CAMPUS,
)  # fmt: skip
APPROVAL = Approval("网信办", "1 号")


@pytest.fixture
def clock(context: Context) -> Clock:
    assert isinstance(context.clock, Clock)
    return context.clock


@pytest.fixture
def request_made(context: Context, clock: Clock) -> WhitelistRequest:
    """A request made an hour ago."""
    clock.now = NOW - timedelta(hours=1)
    made = make_request(context, SCHOOL, replace(WANTED, valid_from=clock.now))
    clock.now = NOW
    return made


def scan(context: Context, minutes: float = 1, **ports: str) -> None:
    """Look at the address some minutes after the request, and judge."""
    finished = NOW - timedelta(hours=1) + timedelta(minutes=minutes)
    give(context, NmapRun((host(1, **ports),), finished=finished, ports="22,23,80,443", mark=str(minutes)))
    judge_unit(context, SCHOOL)


def test_request_when_no_scan_looked_since_then_it_cannot_be_approved(
    context: Context, request_made: WhitelistRequest
) -> None:
    scan(context, -1, p80="nginx")
    check = check_request(context, SCHOOL, request_made)
    assert (check.obstacles, check.seen, check.run_at) == (("unseen",), ("10.0.0.1:80/tcp http",), None)
    with pytest.raises(UsageError, match=r"申请-2026-0001 cannot be approved: no finished scan since"):
        approve_request(context, SCHOOL, request_made, APPROVAL)
    assert read_whitelist(context.database, SCHOOL.code) == ()


def test_request_when_a_scan_since_is_clean_then_approval_makes_linked_entries(
    context: Context, request_made: WhitelistRequest
) -> None:
    scan(context, p80="nginx")
    assert check_request(context, SCHOOL, request_made).obstacles == ()
    port, domain = approve_request(context, SCHOOL, request_made, APPROVAL)
    assert (
        (port, domain) == read_request_entries(context, request_made) == read_whitelist(context.database, SCHOOL.code)
    )
    assert (port.kind, str(port.ports), port.service, port.peer) == (WhitelistKind.PORT, "80", "http", PeerKind.CAMPUS)
    assert (port.valid_from, port.valid_to) == (NOW, request_made.valid_to)
    assert (port.reason, port.approved_by, port.document) == ("选课系统：期末选课（教务处）", "网信办", "1 号")
    assert domain.domain == "xk.school.example"
    assert choose_request(context, SCHOOL, request_made.number).state is RequestState.APPROVED
    submitted, checked, approved = read_events(context.database, request_made.id)
    assert (submitted.step, checked.step, approved.step) == (RequestStep.SUBMIT, RequestStep.CHECK, RequestStep.APPROVE)
    assert dict(approved.detail)["approved_by"] == "网信办"
    assert dict(checked.detail)["evidence"]


def test_request_when_a_grave_finding_is_open_then_it_blocks_until_it_is_mended(
    context: Context, request_made: WhitelistRequest
) -> None:
    scan(context, p80="nginx", p23="telnet")
    check = read_check(context, SCHOOL, request_made)
    assert check.obstacles == ("blocking",)
    assert [title for _, title in check.blocking]
    assert check.beyond == ("10.0.0.1:23/tcp telnet",)
    scan(context, 2, p80="nginx", p23="closed")
    assert read_check(context, SCHOOL, request_made).obstacles == ()


def test_request_when_approved_despite_something_then_the_reason_is_kept(
    context: Context, request_made: WhitelistRequest
) -> None:
    approve_request(context, SCHOOL, request_made, replace(APPROVAL, despite="应急"))
    event = read_events(context.database, request_made.id)[-1]
    assert (event.reason, dict(event.detail)["despite"]) == ("应急", ["unseen"])


def test_request_when_an_entry_forbids_it_then_it_is_told(context: Context, request_made: WhitelistRequest) -> None:
    scan(context, p80="nginx")
    deny = WhitelistEntry(
        0, SCHOOL.code, WhitelistKind.PORT, addresses=(ip_network("0.0.0.0/0"),), proto="tcp",
        ports=PortSet.of_ports([80]), action=WhitelistAction.DENY,
    )  # fmt: skip
    with context.database.transaction("tester", NOW) as transaction:
        stored = write_whitelist_entry(transaction, deny)
    check = read_check(context, SCHOOL, request_made)
    assert check.forbidden == (stored.id,)
    assert "forbidden" in check.obstacles


def test_approval_when_shorter_then_the_entries_end_earlier_and_never_later_than_asked(
    context: Context, request_made: WhitelistRequest
) -> None:
    scan(context, p80="nginx")
    for days, told in ((91, "later than 申请-2026-0001 asks for"), (-1, "lies in the past")):
        with pytest.raises(UsageError, match=told):
            approve_request(context, SCHOOL, request_made, replace(APPROVAL, valid_to=NOW + timedelta(days=days)))
    end = NOW + timedelta(days=30)
    entries = approve_request(context, SCHOOL, request_made, replace(APPROVAL, valid_to=end))
    assert {one.valid_to for one in entries} == {end}


def test_request_when_withdrawn_after_approval_then_its_entries_end_with_it(
    context: Context, request_made: WhitelistRequest
) -> None:
    entries = approve_request(context, SCHOOL, request_made, replace(APPROVAL, despite="应急"))
    assert end_request(context, request_made, RequestStep.WITHDRAW, "不用了") == entries
    assert read_whitelist(context.database, SCHOOL.code) == ()
    with pytest.raises(UsageError, match="is withdrawn"):
        end_request(context, request_made, RequestStep.WITHDRAW, "不用了")


def test_request_when_returned_then_another_may_replace_it(context: Context, request_made: WhitelistRequest) -> None:
    with pytest.raises(UsageError, match="--replaces: 申请-2026-0001 is submitted, not returned"):
        make_request(context, SCHOOL, replace(WANTED, replaces=request_made.number))
    assert end_request(context, request_made, RequestStep.RETURN, "缺测试报告") == ()
    assert make_request(context, SCHOOL, replace(WANTED, replaces=request_made.number)).number == "申请-2026-0002"
    with pytest.raises(UsageError, match="is returned"):
        approve_request(context, SCHOOL, request_made, replace(APPROVAL, despite="应急"))


def test_request_when_only_a_host_is_asked_for_then_the_entry_is_of_the_host(context: Context) -> None:
    made = make_request(context, SCHOOL, replace(WANTED, ports=(), domains=()))
    (entry,) = approve_request(context, SCHOOL, made, replace(APPROVAL, despite="应急"))
    assert (entry.kind, entry.addresses) == (WhitelistKind.HOST, WANTED.addresses)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"addresses": (), "domains": ()}, "names an address or a domain"),
        ({"addresses": ()}, "--port: ports need an address"),
        ({"kind": RequestKind.PORT, "ports": ()}, "names them"),
        ({"valid_to": NOW - timedelta(1)}, "--until"),
        ({"replaces": "申请-2026-0009"}, "no such request"),
    ],
)
def test_request_when_it_makes_no_sense_then_it_is_refused(
    context: Context, changes: dict[str, object], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        make_request(context, SCHOOL, replace(WANTED, **changes))  # type: ignore[arg-type]  # fields by name


def test_request_when_somebody_is_named_by_number_then_nothing_of_it_tells_the_number(
    context: Context, request_made: WhitelistRequest
) -> None:
    told = "问 13812345678"
    words = {"department": told, "system": told, "purpose": told, "addresses": (), "ports": ()}
    second = make_request(context, SCHOOL, replace(WANTED, **words))  # type: ignore[arg-type]  # fields by name
    (entry,) = approve_request(context, SCHOOL, second, Approval(told, told, despite=told))
    end_request(context, second, RequestStep.WITHDRAW, told)
    end_request(context, request_made, RequestStep.RETURN, told)
    held = [second, entry, *read_events(context.database, second.id), *read_events(context.database, request_made.id)]
    stored = [
        list(context.database.query("SELECT object, before, after FROM audit")),
        list(context.database.query("SELECT * FROM whitelist")),
    ]
    assert "138****5678" in str(held)
    assert "138****5678" in str(stored)
    assert "13812345678" not in str(held) + str(stored)


def test_request_when_a_web_address_of_its_name_has_a_grave_finding_then_it_blocks(
    context: Context, request_made: WhitelistRequest
) -> None:
    add_finding(context, SCHOOL, Telling("https://XK.school.example/login", "SQL 注入", Severity.HIGH))
    assert "blocking" in read_check(context, SCHOOL, request_made).obstacles


def test_request_when_an_address_must_stay_out_then_it_is_refused(context: Context) -> None:
    add_keep_out(context, SCHOOL, WANTED.addresses, "x")
    with pytest.raises(ParseError, match="declared to stay out"):
        make_request(context, SCHOOL, WANTED)


def test_request_when_its_address_must_stay_out_later_then_it_is_withdrawn_and_names_it_no_more(
    context: Context, request_made: WhitelistRequest, tmp_path: Path
) -> None:
    scan(context, p80="nginx")
    check_request(context, SCHOOL, request_made)
    draft_whitelist(context, SCHOOL, tmp_path / "draft.xlsx")
    add_keep_out(context, SCHOOL, WANTED.addresses, "x")
    found = choose_request(context, SCHOOL, request_made.number)
    assert (found.addresses, found.state) == ((), RequestState.WITHDRAWN)
    assert not any("10.0.0.1" in str(one) for one in read_events(context.database, found.id))
    assert read_draft(context.database, SCHOOL.code, 1) == {}


def test_form_when_printed_then_it_is_a_file(context: Context, request_made: WhitelistRequest, tmp_path: Path) -> None:
    path = tmp_path / "审批表.docx"
    save_request(context, SCHOOL, request_made, read_events(context.database, request_made.id), path)
    assert path.read_bytes().startswith(b"PK")


def test_finding_of_an_entry_when_its_addresses_must_stay_out_then_it_names_them_no_more(context: Context) -> None:
    give(context, NmapRun((host(1, p80="nginx"),), finished=NOW - timedelta(hours=1), ports="22,23,80,443"))
    soon = NOW + timedelta(days=5)
    places = [("10.0.0.4/30",), ("10.0.0.1/32",), ("10.0.0.64/31", "10.0.0.66/32"), ("10.0.0.0/24",)]
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        for place in places:
            addresses = tuple(map(ip_network, place))
            entry = WhitelistEntry(0, SCHOOL.code, WhitelistKind.HOST, addresses=addresses, reason="x", valid_to=soon)
            write_whitelist_entry(transaction, replace(entry, approved_by="x"))
    judge_unit(context, SCHOOL)
    told = {one.key.subject for one in read_live(context.database, SCHOOL.code) if one.kind is SubjectKind.ENTRY}
    assert told == {"10.0.0.4/30 #1", "10.0.0.1 #2", "10.0.0.64-10.0.0.66 #3", "10.0.0.0/24 #4"}
    add_keep_out(context, SCHOOL, tuple(map(ip_network, ("10.0.0.0/29", "10.0.0.64/30"))), "x")
    found = [one.key.subject for one in read_findings(context.database, [SCHOOL.code])]
    assert not [text for text in found if text.startswith(("10.0.0.4", "10.0.0.1 ", "10.0.0.64"))]
    assert "10.0.0.0/24 #4" in found
