from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from ipaddress import ip_network

import pytest

from sentinel.errors import UsageError
from sentinel.model.ports import PortSet
from sentinel.model.proposal import Decision, Proposal, Registered
from sentinel.model.unit import Unit, UnitLevel
from sentinel.model.whitelist import Direction, PeerKind, WhitelistAction, WhitelistEntry, WhitelistKind
from sentinel.model.whitelist_request import RequestKind, RequestState, RequestStep, WhitelistRequest
from sentinel.store.database import Database
from sentinel.store.scopes import read_whitelist, withdraw_whitelist_entry, write_whitelist_entry
from sentinel.store.units import write_unit
from sentinel.store.whitelist import (
    read_applying,
    read_draft,
    read_whitelist_history,
    write_decisions,
    write_draft,
)
from sentinel.store.whitelist_requests import find_request, read_events, read_requests, take_step, write_request
from tests.homes import NOW, SCHOOL

ENTRY = WhitelistEntry(
    0, "school", WhitelistKind.PORT, addresses=(ip_network("10.0.0.5/32"), ip_network("2001:db8::/64")), proto="tcp",
    ports=PortSet.of([(443, 443), (8000, 8010)]), service="https", reason="门户", approved_by="信息中心",
    document="1 号", valid_from=NOW, valid_to=NOW + timedelta(days=9), action=WhitelistAction.DENY,
    direction=Direction.OUT, peer=PeerKind.PREFIX, peers=(ip_network("203.0.113.0/24"),), below=True,
    origin="draft 1 line 2",
)  # fmt: skip
CITY = Unit("city", "示例市", UnitLevel.CITY)
SUB = Unit("sub", "示例小学", UnitLevel.SCHOOL, parent="city")
PROPOSAL = Proposal(
    WhitelistKind.PORT, addresses=ENTRY.addresses, proto="tcp", ports=ENTRY.ports, service="http", peer=PeerKind.CAMPUS,
    reason="门户", network="lan", department="宣传部", registered=Registered.PARTLY, hosts=2, whole=True, last_seen=NOW,
    risk="风险", advice=Decision.DENY, until=date(2027, 6, 30), members=("10.0.0.5:443/tcp http",),
)  # fmt: skip


def test_entry_when_written_then_every_field_is_read_back(database: Database) -> None:
    with database.transaction("tester", NOW) as transaction:
        stored = write_whitelist_entry(transaction, ENTRY)
    assert stored == replace(ENTRY, id=stored.id, created=NOW)
    assert read_whitelist(database, "school") == read_whitelist_history(database, SCHOOL) == (stored,)


def test_entry_when_withdrawn_then_only_its_history_tells_when_and_why(database: Database) -> None:
    with database.transaction("tester", NOW) as transaction:
        stored = write_whitelist_entry(transaction, ENTRY)
    later = NOW + timedelta(hours=1)
    with database.transaction("tester", later) as transaction:
        withdraw_whitelist_entry(transaction, stored.id, "系统下线")
    assert read_whitelist(database, "school") == read_applying(database, SCHOOL) == ()
    (gone,) = read_whitelist_history(database, SCHOOL)
    assert (gone.withdrawn, gone.withdrawn_why) == (later, "系统下线")
    assert gone.was_known(NOW)
    assert not gone.was_known(later)


def test_entries_of_units_above_when_they_hold_below_then_they_apply(database: Database) -> None:
    with database.transaction("tester", NOW, objects=True) as transaction:
        write_unit(transaction, CITY)
        unit = write_unit(transaction, SUB)
        kept = write_whitelist_entry(transaction, replace(ENTRY, unit="city"))
        write_whitelist_entry(transaction, replace(ENTRY, unit="city", below=False))
        own = write_whitelist_entry(transaction, replace(ENTRY, unit="sub", below=False))
        write_whitelist_entry(transaction, ENTRY)
    assert read_applying(database, unit) == (kept, own)
    assert [one.unit for one in read_applying(database, SCHOOL)] == ["school"]
    assert read_applying(database, Unit("nobody", "没有")) == ()


def test_draft_when_kept_then_its_lines_are_read_back_without_their_members(database: Database) -> None:
    name = Proposal(WhitelistKind.DOMAIN, domain="www.school.example")
    with database.transaction("tester", NOW) as transaction:
        first, second = write_draft(transaction, "school", [PROPOSAL, name])
    lines = read_draft(database, "school", first.draft)
    assert list(lines) == [1, 2]
    assert lines[1].proposal == replace(PROPOSAL, members=())
    assert (lines[1].mark, lines[1].code) == (PROPOSAL.mark, f"D{first.draft}-1-{PROPOSAL.mark[:8]}")
    assert lines[2] == second
    assert read_draft(database, "other", first.draft) == read_draft(database, "school", 99) == {}


def test_decisions_when_written_then_they_stand_at_their_lines(database: Database) -> None:
    with database.transaction("tester", NOW) as transaction:
        first, _ = write_draft(transaction, "school", [PROPOSAL, PROPOSAL])
        write_decisions(transaction, [replace(first, decision=Decision.DENY, entry=7)])
    lines = read_draft(database, "school", first.draft)
    assert (lines[1].decision, lines[1].entry) == (Decision.DENY, 7)
    assert (lines[2].decision, lines[2].entry) == (None, None)


REQUEST = WhitelistRequest(
    0, "", "school", RequestKind.GO_LIVE, RequestState.SUBMITTED, "教务处", "选课", "期末选课", NOW,
    NOW + timedelta(days=90), NOW, ENTRY.addresses, ("xk.school.example",),
    (("tcp", ENTRY.ports), ("udp", PortSet.of_ports([53]))), "https", PeerKind.PREFIX, ENTRY.peers, "申请-2026-0000",
)  # fmt: skip


def test_request_when_written_then_it_has_a_number_of_the_year_and_every_field(database: Database) -> None:
    with database.transaction("tester", NOW) as transaction:
        first, second = write_request(transaction, REQUEST), write_request(transaction, REQUEST)
    assert (first.number, second.number) == ("申请-2026-0001", "申请-2026-0002")
    assert find_request(database, "school", first.number) == find_request(database, "school", str(first.id)) == first
    assert first == replace(REQUEST, id=first.id, number=first.number)
    assert read_requests(database, "school") == (second, first)
    assert read_requests(database, "school", RequestState.APPROVED) == ()
    assert find_request(database, "other", first.number) is None
    assert find_request(database, "school", "9" * 30) is None


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ((), RequestState.SUBMITTED),
        ((RequestStep.CHECK,), RequestState.SUBMITTED),
        ((RequestStep.CHECK, RequestStep.APPROVE), RequestState.APPROVED),
        ((RequestStep.RETURN,), RequestState.RETURNED),
        ((RequestStep.RETURN, RequestStep.WITHDRAW), RequestState.WITHDRAWN),
        ((RequestStep.APPROVE, RequestStep.WITHDRAW), RequestState.WITHDRAWN),
    ],
)
def test_request_when_steps_are_taken_then_each_is_an_event_with_states(database: Database, steps, state) -> None:
    with database.transaction("tester", NOW) as transaction:
        request = write_request(transaction, REQUEST)
        for step in steps:
            request = take_step(transaction, request, step, "理由", {"run": 1})
    assert request.state is state
    (found,) = read_requests(database, "school", state)
    events = read_events(database, found.id)
    assert [one.step for one in events] == [RequestStep.SUBMIT, *steps]
    assert [one.before for one in events[1:]] == [one.after for one in events[:-1]]
    assert events[-1].after == state
    assert dict(events[-1].detail) == ({"run": 1} if steps else {})


@pytest.mark.parametrize(
    ("before", "step"),
    [
        (RequestStep.APPROVE, RequestStep.APPROVE),
        (RequestStep.APPROVE, RequestStep.RETURN),
        (RequestStep.APPROVE, RequestStep.CHECK),
        (RequestStep.RETURN, RequestStep.APPROVE),
        (RequestStep.WITHDRAW, RequestStep.WITHDRAW),
        (RequestStep.WITHDRAW, RequestStep.APPROVE),
    ],
)
def test_request_when_it_does_not_stand_there_then_the_step_is_refused_and_nothing_kept(
    database: Database, before: RequestStep, step: RequestStep
) -> None:
    with database.transaction("tester", NOW) as transaction:
        request = write_request(transaction, REQUEST)
        take_step(transaction, request, before, "理由")
    with (
        pytest.raises(UsageError, match=r"申请-2026-0001 is \w+: \w+ needs one that is"),
        database.transaction("tester", NOW) as transaction,
    ):
        take_step(transaction, request, step, "理由")
    assert len(read_events(database, request.id)) == 2
