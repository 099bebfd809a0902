from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from sentinel.errors import ParseError, StoreError
from sentinel.model.endpoint import ChangeKind, EndpointState, MapRow
from sentinel.model.evidence import RunKind
from sentinel.model.unit import Network, Unit, Zone
from sentinel.schedule import intake as intake_module
from sentinel.schedule.context import Context
from sentinel.schedule.intake import Origin, replace_networks, take_in
from sentinel.schedule.reading import read_diff, read_map, read_unit_hosts
from sentinel.store.audit import find_broken_link, read_audit
from sentinel.store.runs import find_run, read_coverage, read_runs
from sentinel.store.units import read_networks, write_network, write_unit
from tests.homes import NOW, SCHOOL, Clock, opened
from tests.schedule.nmapfile import HostRow, NmapRun, at, give, host

WEB = host(1, p22="filtered", p80="nginx", p443="filtered")
NOTHING = host(1, p22="filtered", p80="filtered", p443="filtered")
CLOSED = host(1, rest="closed", p22="closed", p80="closed", p443="closed")
SILENT = NmapRun((), ("10.0.0.1",))


def on(day: float, *hosts: HostRow, **words: object) -> NmapRun:
    return NmapRun(hosts, finished=at(day), **words)  # type: ignore[arg-type]  # fields by name


def shown(context: Context, moment: datetime | None = None, *states: EndpointState) -> list[tuple[str, int]]:
    """The open endpoints (or those in other states) as (last part of the address, port)."""
    rows = read_map(context, SCHOOL, moment, states or (EndpointState.OPEN,))
    return [(str(row.endpoint.key.address).rpartition(".")[2], row.endpoint.key.port) for row in rows]


def unknown(context: Context) -> list[tuple[str, int]]:
    return shown(context, None, EndpointState.UNKNOWN)


def the_row(context: Context, moment: datetime | None = None) -> MapRow:
    (row,) = read_map(context, SCHOOL, moment)
    return row


def changes(context: Context, start: datetime, end: datetime) -> list[tuple[ChangeKind, int]]:
    return [(one.kind, one.row.endpoint.key.port) for one in read_diff(context, SCHOOL, start, end)]


def held(context: Context) -> list[int]:
    return [bool(one) for (one,) in context.database.query("SELECT held FROM run ORDER BY time_us, id")]


# What a run amounts to.


def test_first_import_counts_and_every_new_endpoint_is_an_event(context: Context) -> None:
    run = on(0, WEB, host(2, p22="ssh", p80="closed", p443="open"), HostRow("10.0.0.3", up=False))
    made = give(context, run, name="first.xml")
    assert (made.run.hosts_up, made.run.endpoints_open, made.run.events, made.run.observations) == (2, 3, 3, 3)
    assert (made.run.time, made.run.time_quality) == (at(0), "stated")
    assert (made.run.format, made.run.tool, made.run.source) == ("nmap-xml", "nmap 7.93", "first.xml")
    assert (made.known, made.lost, made.coverage_pairs) == (False, "", 9)
    assert made.run.coverage_text == "3 × tcp 3"
    assert shown(context) == [("1", 80), ("2", 22), ("2", 443)]


def test_same_file_twice_gives_zero_events_and_the_same_run(context: Context) -> None:
    first = give(context, on(0, WEB))
    before = list(context.database.query("SELECT * FROM endpoint"))
    audits = len(list(read_audit(context.database.connection, 100)))
    again = give(context, on(0, WEB), name="another-name.xml")
    assert again.known
    assert again.run == first.run
    assert list(context.database.query("SELECT * FROM endpoint")) == before
    assert len(list(read_audit(context.database.connection, 100))) == audits


def test_other_file_that_says_the_same_causes_no_event(context: Context) -> None:
    give(context, on(0, WEB))
    later = give(context, on(1, WEB))
    assert (later.known, later.run.events) == (False, 0)
    assert the_row(context).endpoint.last_confirmed == at(1)
    assert the_row(context).endpoint.evidence == later.run.evidence
    assert the_row(context).endpoint.valid_from == at(0)


def test_last_confirmed_at_a_moment_is_that_of_the_runs_up_to_then(context: Context) -> None:
    for day in (0, 2, 4):
        give(context, on(day, WEB))
    assert the_row(context, at(3)).endpoint.last_confirmed == at(2)
    assert the_row(context, at(0)).endpoint.last_confirmed == at(0)


def test_evidence_seen_by_another_process_in_the_meantime_is_known(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    raced = intake_module._summarise

    def race(*words: object) -> object:
        monkeypatch.setattr(intake_module, "_summarise", raced)
        with opened(context.home.path) as other:
            give(other, on(0, WEB))
        return raced(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(intake_module, "_summarise", race)
    assert give(context, on(0, WEB)).known
    assert len(read_runs(context.database, SCHOOL.code)) == 1


def test_same_evidence_of_two_units_is_one_blob_and_two_runs(context: Context) -> None:
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        other = write_unit(transaction, Unit("other", "另一所"))
    one, two = give(context, on(0, WEB)), give(context, on(0, WEB), unit=other)
    assert (one.run.evidence, two.known) == (two.run.evidence, False)
    assert len(list(context.home.evidence.rglob("*.zst"))) == 1
    assert len(read_map(context, other)) == len(read_map(context, SCHOOL)) == 1


def test_scan_counts_hosts_that_gave_a_sign_and_import_what_the_file_says(context: Context) -> None:
    run = on(0, HostRow("10.0.0.1", ((22, "filtered"),), reason="user-set"), host(2, reason="user-set", p22="closed"))
    assert give(context, run).run.hosts_up == 2
    assert give(context, replace(run, mark="scan"), kind=RunKind.SCAN).run.hosts_up == 1


def test_masked_time_keeps_the_rows_at_the_time_of_arrival(context: Context) -> None:
    made = give(context, NmapRun((WEB,), finished=None))
    assert (made.run.time, made.run.time_quality) == (NOW, "unknown")
    assert the_row(context).endpoint.valid_from == NOW


def test_impossible_time_keeps_the_rows_at_the_time_of_arrival(context: Context) -> None:
    made = give(context, NmapRun((WEB,), finished=NOW + timedelta(days=400)))
    assert (made.run.time, made.run.time_quality) == (NOW, "unknown")
    made = give(context, NmapRun((WEB,), finished=datetime(1980, 1, 1, tzinfo=UTC)))
    assert (made.run.time, made.run.time_quality) == (NOW, "unknown")


def test_cut_off_file_keeps_what_was_whole_and_says_what_was_lost(context: Context) -> None:
    made = give(context, on(0, WEB, asked=("10.0.0.1", "10.0.0.2"), whole=False))
    assert shown(context) == [("1", 80)]
    assert "lost" in made.lost
    assert made.coverage_pairs == 3
    assert give(context, on(0, WEB, asked=("10.0.0.1", "10.0.0.2"), whole=False)).lost == made.lost


@pytest.mark.parametrize("data", [b"", b"   ", b"no scan at all", b"<?xml version='1.0'?><nmaprun scanner='nmap'><ho"])
def test_file_that_cannot_be_read_keeps_nothing_and_names_the_file(context: Context, data: bytes) -> None:
    with pytest.raises(ParseError, match=r"bad\.xml") as caught:
        give(context, data, name="bad.xml")
    assert "\n" not in str(caught.value)
    assert str(caught.value).count("bad.xml") == 1
    assert read_runs(context.database, SCHOOL.code) == ()
    assert not [path for path in context.home.evidence.rglob("*") if path.is_file()]


def test_run_leaves_an_audit_row_with_its_counts(context: Context) -> None:
    made = give(context, on(0, WEB), name="first.xml")
    newest = next(read_audit(context.database.connection, 1))
    assert (newest.action, newest.subject, newest.actor) == (
        "run.import",
        f"run {made.run.id} of unit school",
        "tester",
    )
    assert '"events": 1' in newest.after
    assert made.run.evidence in newest.after
    assert find_broken_link(context.database.connection) is None


def test_evidence_is_kept_before_the_map_speaks_of_it(context: Context) -> None:
    made = give(context, on(0, WEB))
    with context.evidence.open(made.run.evidence) as stream:
        assert stream.read() == on(0, WEB).write()


def test_run_of_more_hosts_than_a_batch_is_whole(context: Context) -> None:
    hosts = [HostRow(f"10.0.{number >> 8}.{number & 255}", ((22, "ssh"),)) for number in range(600)]
    again = [HostRow(f"10.0.{number >> 8}.{number & 255}", ((80, "nginx"),)) for number in range(600)]
    made = give(context, on(0, *hosts, *again))
    assert (made.run.events, made.run.endpoints_open, made.run.hosts_up) == (1200, 1200, 600)
    assert len(read_map(context, SCHOOL)) == 1200


# Addresses and networks.


def declare(context: Context, name: str, *prefixes: str) -> None:
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        write_network(
            transaction, Network(0, SCHOOL.code, name, Zone.SERVER, tuple(ip_network(one) for one in prefixes))
        )
        replace_networks(context, transaction, SCHOOL)


def test_address_no_network_contains_goes_to_the_default_and_is_out_of_scope(context: Context) -> None:
    declare(context, "servers", "10.0.0.0/31")
    give(context, on(0, WEB, host(2, p80="nginx")))
    inside, outside = read_map(context, SCHOOL)[::-1]
    assert (inside.network, inside.zone, inside.endpoint.in_scope) == ("servers", Zone.SERVER, True)
    assert (outside.network, outside.endpoint.in_scope) == ("default", False)


def test_network_declared_later_takes_what_was_seen_before_with_its_history(context: Context) -> None:
    give(context, on(0, replace(WEB, name="www.school.example", mac="00:00:5E:00:53:01")))
    give(context, on(1, WEB, host(2, p22="ssh")), vantage="outside")
    give(context, on(2, CLOSED))
    declare(context, "servers", "10.0.0.0/24")
    rows = read_map(context, SCHOOL, at(1))
    assert {(row.network, row.endpoint.key.vantage, row.endpoint.in_scope) for row in rows} == {
        ("servers", "inside", True),
        ("servers", "outside", True),
    }
    hosts = read_unit_hosts(context, read_networks(context.database, SCHOOL.code))
    assert [(one.network, str(one.address)) for one in hosts] == [("servers", "10.0.0.1"), ("servers", "10.0.0.2")]
    assert (hosts[0].names, hosts[0].mac) == (("www.school.example",), "00:00:5e:00:53:01")
    assert shown(context) == [("1", 80), ("2", 22)]


def test_same_address_in_two_vantages_is_two_endpoints(context: Context) -> None:
    give(context, on(0, WEB))
    give(context, on(1, CLOSED), vantage="outside")
    assert the_row(context).endpoint.key.vantage == "inside"


# Scope is data (ground rule 2).


def test_nothing_closes_outside_the_ports_asked(context: Context) -> None:
    give(context, on(0, WEB))
    for day in (1, 2, 3):
        give(context, on(day, host(1, p22="closed"), ports="22"))
    assert shown(context) == [("1", 80)]


def test_nothing_closes_outside_the_addresses_asked(context: Context) -> None:
    give(context, on(0, WEB, host(2, p22="ssh")))
    for day in (1, 2, 3):
        give(context, on(day, host(2, p22="ssh")))
    assert shown(context) == [("1", 80), ("2", 22)]


def test_nothing_closes_by_absence_on_a_host_the_scan_gave_up(context: Context) -> None:
    give(context, on(0, WEB))
    for day in (1, 2, 3):
        give(context, on(day, replace(NOTHING, timed_out=True), host(2, p22="ssh")))
    assert ("1", 80) in shown(context)


def test_nothing_closes_by_what_a_cut_off_file_does_not_list(context: Context) -> None:
    give(context, on(0, WEB, host(2, p22="ssh")))
    for mark in "abc":
        give(context, NmapRun((host(2, p22="ssh"),), ("10.0.0.1", "10.0.0.2"), whole=False, mark=mark))
    assert shown(context) == [("1", 80), ("2", 22)]


def test_coverage_of_a_run_is_kept(context: Context) -> None:
    made = give(context, on(0, WEB, asked=("10.0.0.1", "10.0.0.2"), ports="22,80"))
    coverage = read_coverage(context.database, made.run.id)
    assert [(proto, str(ports)) for proto, ports in coverage.ports] == [("tcp", "22,80")]
    assert len(coverage.addresses) == 2


def test_widened_scan_finds_newly_covered_not_newly_opened_ports(context: Context) -> None:
    give(context, on(0, host(1, p22="ssh"), ports="22"))
    give(context, on(1, host(1, p22="ssh", p80="nginx"), ports="22,80"))
    assert changes(context, at(0), at(1)) == [(ChangeKind.NEWLY_COVERED, 80)]


def test_port_that_opens_where_one_had_looked_is_new(context: Context) -> None:
    give(context, on(0, host(1, p22="ssh", p80="closed"), ports="22,80"))
    give(context, on(1, host(1, p22="ssh", p80="nginx"), ports="22,80"))
    assert changes(context, at(0), at(1)) == [(ChangeKind.NEW, 80)]


def test_port_that_opens_after_the_widened_scan_had_looked_is_new(context: Context) -> None:
    give(context, on(0, host(1, p22="ssh"), ports="22"))
    give(context, on(1, host(1, p22="ssh", p80="closed"), ports="22,80"))
    give(context, on(2, host(1, p22="ssh", p80="nginx"), ports="22,80"))
    assert changes(context, at(0), at(2)) == [(ChangeKind.NEW, 80)]


def test_newly_covered_port_that_changes_in_the_same_span_stays_newly_covered(context: Context) -> None:
    give(context, on(0, host(1, p22="ssh"), ports="22"))
    give(context, on(1, host(1, p22="ssh", p80="nginx"), ports="22,80"))
    give(context, on(2, host(1, p22="ssh", p80="apache"), ports="22,80"))
    assert changes(context, at(0), at(2)) == [(ChangeKind.NEWLY_COVERED, 80)]
    assert changes(context, at(1), at(2)) == [(ChangeKind.CHANGED, 80)]


def test_look_from_another_vantage_covers_nothing_here(context: Context) -> None:
    give(context, on(0, host(1, p22="ssh", p80="closed")), vantage="outside")
    give(context, on(1, host(1, p22="ssh")))
    assert (ChangeKind.NEWLY_COVERED, 22) in changes(context, at(0), at(1))


def test_first_scan_ever_covers_everything_newly(context: Context) -> None:
    give(context, on(1, WEB))
    assert changes(context, at(0), at(1)) == [(ChangeKind.NEWLY_COVERED, 80)]


# Closing needs evidence (ground rule 3).


def test_reset_closes_at_once(context: Context) -> None:
    give(context, on(0, WEB))
    made = give(context, on(1, CLOSED))
    assert made.run.events == 1
    assert shown(context) == []
    assert shown(context, at(0.5)) == [("1", 80)]
    assert changes(context, at(0), at(1)) == [(ChangeKind.GONE, 80)]
    (change,) = read_diff(context, SCHOOL, at(0), at(1))
    assert change.at == at(1)


def test_one_miss_keeps_and_two_close(context: Context) -> None:
    give(context, on(0, WEB))
    assert give(context, on(1, NOTHING)).run.events == 0
    assert shown(context) == [("1", 80)]
    assert give(context, on(2, NOTHING)).run.events == 1
    assert shown(context) == []
    assert shown(context, at(1.5)) == [("1", 80)], "it closed when it was proven, not before"


def test_miss_a_sight_and_a_miss_keep(context: Context) -> None:
    for day, seen in enumerate((WEB, NOTHING, WEB, NOTHING)):
        give(context, on(day, seen))
    assert shown(context) == [("1", 80)]


def test_port_that_flaps_behind_a_filter_stays_one_interval(context: Context) -> None:
    for day in range(12):
        give(context, on(day, WEB if day % 2 == 0 else NOTHING))
    assert shown(context) == [("1", 80)]
    assert context.database.one("SELECT count(*) FROM endpoint") == (1,)


def test_port_that_flaps_by_resets_is_open_just_while_it_was_seen_open(context: Context) -> None:
    for day in range(6):
        give(context, on(day, WEB if day % 2 == 0 else CLOSED))
    assert [shown(context, at(day + 0.5)) for day in range(6)] == [[("1", 80)], []] * 3
    assert changes(context, at(0), at(4)) == [], "open at both ends"


def test_narrowed_scans_say_nothing_of_what_they_no_longer_ask(context: Context) -> None:
    give(context, on(0, WEB, host(2, p22="ssh", p80="nginx")))
    for day in (1, 2, 3):
        give(context, on(day, host(2, p22="ssh"), ports="22"))
    assert shown(context) == [("1", 80), ("2", 22), ("2", 80)]
    assert changes(context, at(0), at(3)) == []


def test_host_that_answers_on_everything_for_a_day_leaves_no_port_behind(context: Context) -> None:
    many = {f"p{port}": "open" for port in range(1000, 1100)}
    give(context, on(0, host(1, p22="ssh"), ports="22,1000-1099"))
    give(context, on(1, host(1, p22="ssh", **many), ports="22,1000-1099"))
    assert len(shown(context)) == 101
    none = dict.fromkeys(many, "closed")
    give(context, on(2, host(1, rest="closed", p22="ssh", **none), ports="22,1000-1099"))
    assert shown(context) == [("1", 22)]


def test_host_that_no_longer_answers_turns_unknown_not_closed(context: Context) -> None:
    other = host(2, p22="ssh")
    give(context, on(0, WEB, other))
    give(context, on(1, other, asked=("10.0.0.1",)))
    assert (shown(context), unknown(context)) == ([("1", 80), ("2", 22)], [])
    made = give(context, on(2, other, asked=("10.0.0.1",)))
    assert made.run.events == 1
    assert (shown(context), unknown(context)) == ([("2", 22)], [("1", 80)])
    assert changes(context, at(0), at(2)) == [(ChangeKind.UNKNOWN, 80)]
    give(context, on(3, other, asked=("10.0.0.1",)))
    assert unknown(context) == [("1", 80)]


def test_host_listed_as_down_twice_turns_unknown(context: Context) -> None:
    give(context, on(0, WEB, host(2, p22="ssh")))
    for day in (1, 2):
        give(context, on(day, HostRow("10.0.0.1", up=False), host(2, p22="ssh")))
    assert unknown(context) == [("1", 80)]


def test_unknown_host_that_answers_again_is_changed(context: Context) -> None:
    other = host(2, p22="ssh")
    for day, seen in enumerate(((WEB, other), (other,), (other,), (WEB, other))):
        give(context, on(day, *seen, asked=("10.0.0.1",)))
    assert shown(context) == [("1", 80), ("2", 22)]
    assert changes(context, at(2), at(3)) == [(ChangeKind.CHANGED, 80)]
    assert changes(context, at(0), at(3)) == []


def test_run_with_no_result_closes_nothing_until_a_second_agrees(context: Context) -> None:
    give(context, on(0, WEB))
    give(context, replace(SILENT, finished=at(1)))
    assert (shown(context), held(context)) == ([("1", 80)], [False, True])
    give(context, replace(SILENT, finished=at(2)))
    assert (shown(context), unknown(context)) == ([], [("1", 80)])
    assert held(context) == [False, True, False]


def test_run_with_under_half_of_the_usual_hosts_holds_back_even_resets(context: Context) -> None:
    usual = [host(number, p22="ssh") for number in range(1, 6)]
    asked = tuple(f"10.0.0.{number}" for number in range(1, 6))
    few = [host(1, p22="closed"), host(2, p22="ssh")]
    give(context, on(0, *usual, ports="22"))
    give(context, on(1, *few, asked=asked, ports="22"))
    assert len(shown(context)) == 5
    give(context, on(2, *few, asked=asked, ports="22"))
    assert shown(context) == [("2", 22)]
    assert unknown(context) == [("3", 22), ("4", 22), ("5", 22)]


def test_run_after_a_held_one_that_finds_all_again_forgives(context: Context) -> None:
    give(context, on(0, WEB))
    give(context, replace(SILENT, finished=at(1)))
    give(context, on(2, WEB))
    give(context, replace(SILENT, finished=at(3)))
    assert (shown(context), held(context)) == ([("1", 80)], [False, True, False, True])


def test_run_that_asks_for_ports_few_hosts_have_is_not_held_for_it(context: Context) -> None:
    hosts = [host(number, reason="user-set", p22="ssh") for number in range(1, 6)]
    give(context, on(0, *hosts, host(6, p80="nginx")))
    asked = tuple(f"10.0.0.{number}" for number in range(1, 6))
    give(context, on(1, host(6, p80="closed"), asked=asked, ports="80"))
    assert held(context) == [False, False]
    assert ("6", 80) not in shown(context)


def test_held_run_over_other_addresses_is_no_second_opinion(context: Context) -> None:
    hosts = [host(number, p22="ssh") for number in range(1, 6)]
    asked = tuple(row.address for row in hosts)
    give(context, on(0, *hosts, ports="22"))
    give(context, NmapRun((), asked[:1], "22", at(1)))
    give(context, NmapRun((), asked, "22", at(2)))
    assert held(context) == [False, True, True]
    assert len(shown(context)) == 5
    give(context, NmapRun((), asked, "22", at(3)))
    assert len(unknown(context)) == 5


def test_held_run_over_other_ports_is_no_second_opinion(context: Context) -> None:
    give(context, on(0, host(1, p22="ssh", p80="nginx")))
    give(context, NmapRun((), ("10.0.0.1",), "22", at(1)))
    give(context, NmapRun((), ("10.0.0.1",), "80", at(2)))
    assert held(context) == [False, True, True]


def test_jobs_of_one_scan_are_no_second_opinion_of_each_other(context: Context) -> None:
    give(context, on(0, WEB))
    give(context, replace(SILENT, finished=at(1)), kind=RunKind.SCAN, scan="one")
    give(context, replace(SILENT, finished=at(2)), kind=RunKind.SCAN, scan="one")
    assert (shown(context), held(context)) == ([("1", 80)], [False, True, True])
    give(context, replace(SILENT, finished=at(3)), kind=RunKind.SCAN, scan="two")
    assert held(context)[-1] is False


def test_run_without_coverage_is_never_held(context: Context) -> None:
    give(context, on(0, WEB))
    give(context, on(1, ports=""))
    assert held(context) == [False, False]


def test_older_result_that_arrives_late_changes_history_not_the_present(context: Context) -> None:
    give(context, on(0, WEB))
    give(context, on(4, WEB))
    late = give(context, on(2, CLOSED))
    assert (late.run.events, late.known) == (1, False)
    assert shown(context) == [("1", 80)]
    assert shown(context, at(3)) == []
    assert shown(context, at(1)) == [("1", 80)]
    assert the_row(context).endpoint.last_confirmed == at(4)


def test_late_result_counts_its_misses_where_they_belong(context: Context) -> None:
    give(context, on(0, WEB))
    give(context, on(2, NOTHING))
    give(context, on(1, NOTHING))
    assert shown(context) == []
    assert shown(context, at(1.5)) == [("1", 80)]


def test_runs_with_equal_times_are_ordered_by_arrival(context: Context) -> None:
    give(context, on(0, WEB))
    give(context, on(0, CLOSED))
    assert shown(context) == []
    give(context, on(0, WEB, mark="again"))
    assert shown(context) == [("1", 80)]


def test_late_result_when_old_evidence_is_damaged_changes_nothing(context: Context) -> None:
    first = give(context, on(1, WEB))
    path = context.evidence.path_of(first.run.evidence)
    path.write_bytes(path.read_bytes()[:-20])
    before = list(context.database.query("SELECT * FROM endpoint"))
    with pytest.raises(StoreError, match="is damaged; restore the home"):
        give(context, on(0, WEB))
    assert list(context.database.query("SELECT * FROM endpoint")) == before
    assert len(read_runs(context.database, SCHOOL.code)) == 1


# Intervals, not snapshots (ground rule 4).


def test_unchanged_weeks_add_no_row(context: Context) -> None:
    for day in range(0, 70, 7):
        give(context, on(day, WEB))
    assert context.database.one("SELECT count(*) FROM endpoint") == (1,)


def test_partial_information_never_flips_a_fingerprint(context: Context) -> None:
    full, bare = host(1, p80="nginx"), host(1, p80="open")
    for day, seen in enumerate((bare, full, bare, full, bare)):
        made = give(context, on(day, seen))
        assert made.run.events == (1 if day == 0 else 0)
    assert the_row(context).endpoint.fingerprint.product == "nginx"
    assert changes(context, at(0), at(4)) == []


def test_changed_product_is_a_change_and_history_keeps_the_old_one(context: Context) -> None:
    give(context, on(0, host(1, p80="nginx")))
    assert give(context, on(1, host(1, p80="apache"))).run.events == 1
    assert the_row(context).endpoint.fingerprint.product == "Apache httpd"
    assert the_row(context, at(0.5)).endpoint.fingerprint.product == "nginx"
    assert changes(context, at(0), at(1)) == [(ChangeKind.CHANGED, 80)]


def test_address_that_comes_twice_in_a_run_is_one_host_whose_first_word_stands(context: Context) -> None:
    give(context, on(0, WEB))
    made = give(context, on(1, WEB, CLOSED, host(1, p22="ssh"), NOTHING))
    assert shown(context) == [("1", 22), ("1", 80)]
    assert (made.run.events, made.run.hosts_up, made.run.endpoints_open, made.run.observations) == (1, 1, 2, 4)
    assert context.database.one("SELECT max(misses) FROM endpoint") == (0,)


def test_address_that_comes_twice_misses_once(context: Context) -> None:
    give(context, on(0, WEB, host(2, p22="ssh")))
    give(context, on(1, NOTHING, NOTHING, NOTHING, host(2, p22="ssh")))
    assert ("1", 80) in shown(context)


# Hosts and names.


DNS_FIELDS = "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\tqtype_name\trcode_name\tanswers"


def dns_log(day: float, name: str, address: str) -> bytes:
    moment = at(day).timestamp()
    head = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n"
    types = "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tstring\tstring\tvector[string]\n"
    row = f"{moment}\tC1\t10.0.0.9\t5353\t10.0.0.8\t53\tudp\t{name}\tA\tNOERROR\t{address}\n"
    return f"{head}#fields\t{DNS_FIELDS}\n{types}{row}".encode()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_name_of_an_address_outside_every_network_waits_for_its_host_in_any_order(
    context: Context, order: tuple[int, int]
) -> None:
    files = (dns_log(0, "early.example", "10.0.0.1"), on(1, WEB).write())
    for one in order:
        give(context, files[one], name="file")
    give(context, dns_log(2, "www.school.example", "10.0.0.1"), name="dns.log")
    give(context, dns_log(2, "elsewhere.example", "203.0.113.9"), name="dns.log")
    assert the_row(context).names == ("www.school.example",)
    assert context.database.one("SELECT count(*) FROM name") == (1,)


def test_name_of_an_address_in_a_network_needs_no_host(context: Context) -> None:
    declare(context, "servers", "10.0.0.0/24")
    give(context, dns_log(0, "www.school.example", "10.0.0.1"), name="dns.log")
    give(context, on(1, WEB))
    assert the_row(context).names == ("www.school.example",)


def test_host_that_gave_no_sign_is_no_host(context: Context) -> None:
    give(context, on(0, HostRow("10.0.0.1", ((22, "filtered"),), reason="user-set"), HostRow("10.0.0.2", up=False)))
    assert read_unit_hosts(context, read_networks(context.database, SCHOOL.code)) == ()


def test_host_knows_its_first_and_last_day_card_and_names(context: Context) -> None:
    give(context, on(3, replace(WEB, name="b.example", mac="00:00:5E:00:53:02")))
    give(context, on(1, replace(WEB, name="a.example", mac="00:00:5E:00:53:01")))
    (found,) = read_unit_hosts(context, read_networks(context.database, SCHOOL.code))
    assert (found.first_seen, found.last_seen) == (at(1), at(3))
    assert (found.names, found.mac, found.vendor) == (("a.example", "b.example"), "00:00:5e:00:53:02", "Maker")


def test_clock_of_the_context_is_the_time_of_arrival(context: Context) -> None:
    clock = Clock(NOW + timedelta(days=5))
    made = take_in(
        replace(context, clock=clock), SCHOOL, io.BytesIO(SILENT.write()), Origin("a", RunKind.IMPORT, "inside")
    )
    assert context.database.one("SELECT arrived_us / 1000000 FROM run") == (int(clock.now.timestamp()),)
    assert find_run(context.database, SCHOOL.code, made.run.evidence) == made.run
