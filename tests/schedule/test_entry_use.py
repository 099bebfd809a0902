from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_network

from sentinel.model.finding import FindingState
from sentinel.model.ports import PortSet
from sentinel.model.unit import Unit, UnitLevel
from sentinel.model.whitelist import PeerKind, WhitelistAction, WhitelistEntry, WhitelistKind
from sentinel.schedule.context import Context
from sentinel.schedule.entry_use import read_due
from sentinel.schedule.judging import judge_unit
from sentinel.store.findings import read_findings
from sentinel.store.scopes import withdraw_whitelist_entry, write_whitelist_entry
from sentinel.store.units import write_unit
from tests.homes import NOW, SCHOOL, Clock
from tests.schedule.nmapfile import NmapRun, at, give, host

LONG_AGO = at(0)


def listed(context: Context, port: int = 80, when: datetime = LONG_AGO, unit: str = SCHOOL.code, **more: object) -> int:
    """Enter a permission, or what `more` makes of it, on day 0."""
    words: dict[str, object] = {"proto": "tcp", "ports": PortSet.of_ports([port]), "valid_from": at(0)} | more
    kind = WhitelistKind.PORT
    prefixes = words.pop("addresses", (ip_network("10.0.0.1/32"),))
    entry = WhitelistEntry(0, unit, kind, addresses=prefixes, **words)  # type: ignore[arg-type]  # fields by name
    with context.database.transaction("tester", when) as transaction:
        return write_whitelist_entry(transaction, entry).id


def look(context: Context, day: float, vantage: str = "inside", **ports: str) -> set[tuple[str, str]]:
    """Look at 10.0.0.1, judge, and give the live findings of whitelist rules."""
    give(context, NmapRun((host(1, **ports),), finished=at(day), mark=f"{vantage}{day}"), vantage=vantage)
    judge_unit(context, SCHOOL)
    return live(context)


def live(context: Context) -> set[tuple[str, str]]:
    found = read_findings(context.database, [SCHOOL.code])
    return {
        (one.key.rule.removeprefix("whitelist."), one.key.subject)
        for one in found
        if one.state.is_live and one.key.rule.startswith("whitelist.")
    }


def test_permission_when_scans_see_nothing_for_a_quarter_then_it_is_stale_until_it_is_used(context: Context) -> None:
    number = listed(context)
    listed(context, 22)
    assert look(context, 1, p22="ssh") == set()
    assert look(context, 89, p22="ssh") == set()
    assert look(context, 92, p22="ssh") == {("stale-entry", f"10.0.0.1 80/tcp #{number}")}
    assert look(context, 93, p22="ssh", p80="nginx") == set()
    (finding,) = [
        one for one in read_findings(context.database, [SCHOOL.code]) if one.key.rule == "whitelist.stale-entry"
    ]
    assert finding.state is FindingState.VERIFIED


def test_permission_when_nobody_looked_at_it_then_it_is_never_stale(context: Context) -> None:
    listed(context, 9999)
    listed(context, 22)
    assert look(context, 1, p22="ssh") == look(context, 95, p22="ssh") == set()


def test_permission_when_withdrawn_then_its_finding_is_gone(context: Context) -> None:
    number = listed(context)
    listed(context, 22)
    look(context, 1, p22="ssh")
    look(context, 92, p22="ssh")
    with context.database.transaction("tester", NOW) as transaction:
        withdraw_whitelist_entry(transaction, number, "取消")
    judge_unit(context, SCHOOL)
    assert live(context) == set()


def test_permission_when_expired_and_still_used_then_it_is_told_until_renewed(context: Context) -> None:
    number = listed(context, valid_to=NOW - timedelta(days=1))
    listed(context, 22)
    text = f"10.0.0.1 80/tcp #{number}"
    assert look(context, 99, p80="nginx", p22="ssh") == {("unlisted-port", "10.0.0.1:80/tcp"), ("expired-entry", text)}
    listed(context, when=NOW, valid_from=NOW)
    judge_unit(context, SCHOOL)
    assert live(context) == set()


def test_permission_when_it_ends_soon_then_it_is_told_by_steps_and_listed_as_due(context: Context) -> None:
    soon = listed(context, valid_to=NOW + timedelta(days=9))
    later = listed(context, 22, valid_to=NOW + timedelta(days=40))
    assert look(context, 99, p80="nginx", p22="ssh") == {("expiring-entry", f"10.0.0.1 80/tcp #{soon}")}
    assert [use.entry.id for use in read_due(context, SCHOOL, 30, NOW)] == [soon]
    assert [use.entry.id for use in read_due(context, SCHOOL, 60, NOW)] == [soon, later]
    assert read_due(context, SCHOOL, 0, NOW) == ()
    listed(context, valid_to=NOW + timedelta(days=400))
    judge_unit(context, SCHOOL)
    assert live(context) == set()
    assert read_due(context, SCHOOL, 30, NOW) == ()


def test_due_when_expired_then_only_what_is_still_open_is_listed(context: Context) -> None:
    used = listed(context, valid_to=NOW - timedelta(days=1))
    listed(context, 443, valid_to=NOW - timedelta(days=1))
    look(context, 99, p80="nginx")
    assert [(use.entry.id, use.open_now) for use in read_due(context, SCHOOL, 30, NOW)] == [(used, 1)]


def test_unit_when_it_has_no_whitelist_then_nothing_is_a_violation_and_prohibitions_alone_change_that_little(
    context: Context,
) -> None:
    assert look(context, 98, p80="nginx", p22="ssh") == set()
    listed(context, 22, action=WhitelistAction.DENY)
    assert look(context, 99, p80="nginx", p22="ssh") == {("denied-port", "10.0.0.1:22/tcp")}


def test_province_when_it_forbids_a_port_from_the_internet_then_schools_break_it_by_what_is_seen_outside(
    context: Context,
) -> None:
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        write_unit(transaction, Unit("p", "示例省", UnitLevel.PROVINCE))
        transaction.execute("UPDATE unit SET parent='p', path='p/school' WHERE code='school'")
    everywhere = (ip_network("0.0.0.0/0"), ip_network("::/0"))
    words = {"action": WhitelistAction.DENY, "peer": PeerKind.INTERNET, "addresses": everywhere, "below": True}
    listed(context, 22, unit="p", **words)
    assert look(context, 98, p22="ssh") == set()
    assert look(context, 99, "outside", p22="ssh") == {("denied-port", "10.0.0.1:22/tcp")}


def test_forbidden_port_when_closed_then_its_finding_is_verified(
    context: Context,
) -> None:
    listed(context, 22, action=WhitelistAction.DENY)
    look(context, 98, p22="ssh")
    assert look(context, 99, p22="closed") == set()


def test_clock_of_these_tests_always_stands_still(context: Context) -> None:
    assert isinstance(context.clock, Clock)
    assert context.clock() == NOW


def test_expiring_entry_when_found_then_its_times_are_when_it_became_due_and_when_it_was_judged(
    context: Context,
) -> None:
    """Not those of the last scan, which told nothing of it."""
    assert isinstance(context.clock, Clock)
    ends = NOW + timedelta(days=10)
    listed(context, valid_to=ends)
    give(context, NmapRun((host(1, p80="nginx"),), finished=NOW - timedelta(days=40)))
    for later in (timedelta(), timedelta(days=2)):
        context.clock.now = NOW + later
        judge_unit(context, SCHOOL)
        (found,) = [
            one for one in read_findings(context.database, [SCHOOL.code]) if one.key.rule == "whitelist.expiring-entry"
        ]
        assert (found.discovered, found.first_seen) == (ends - timedelta(days=31),) * 2
        assert (found.learned, found.last_seen) == (NOW, NOW + later)


def test_expired_entry_when_last_seen_open_before_its_end_then_the_violation_begins_with_the_end(
    context: Context,
) -> None:
    ended = NOW - timedelta(days=3)
    listed(context, valid_to=ended)
    give(context, NmapRun((host(1, p80="nginx"),), finished=NOW - timedelta(days=8)))
    judge_unit(context, SCHOOL)
    (found,) = [
        one for one in read_findings(context.database, [SCHOOL.code]) if one.key.rule == "whitelist.expired-entry"
    ]
    assert found.discovered == ended
