"""Sightings and marks as they come in: joined, once each, whatever the order; checked against a slow second opinion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentinel.errors import ParseError, StoreError
from sentinel.model.moment import from_microseconds
from sentinel.model.register import KeepOut
from sentinel.model.sighting import HoldingObservation, HoldingSource, Sighting, TranslationObservation
from sentinel.model.unit import Network, Unit, Zone
from sentinel.schedule.context import Context
from sentinel.schedule.declaring import remove_network
from sentinel.schedule.intake import replace_networks
from sentinel.schedule.purging import purge
from sentinel.schedule.sightings import SightingTaker
from sentinel.store.declared import write_keep_out
from sentinel.store.sightings import remove_sightings, unpack_address
from sentinel.store.units import read_networks, write_network, write_unit
from tests.homes import NOW, SCHOOL, opened
from tests.schedule.nmapfile import NmapRun, at, give, host
from tests.schedule.seen import CARD, OTHER, OUTSIDE, give_log, held, minute, nat, plugged, reading_logs


@pytest.fixture(autouse=True)
def _logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with reading_logs():
        yield


Shown = list[tuple[object, ...]]


def holdings(context: Context, networks: tuple[int, ...] = ()) -> Shown:
    """(address, card, user known, how told, minutes from, to), sorted."""
    rows = context.database.query(
        "SELECT h.address, o.mac, o.account IS NOT NULL, h.told, h.since_us, h.until_us, h.network FROM holding h "
        "JOIN holder o ON o.id=h.holder"
    )
    return sorted(
        (str(unpack_address(address)), mac, bool(user), told, _minutes(since), _minutes(until))
        for address, mac, user, told, since, until, network in rows
        if not networks or network in networks
    )


def translations(context: Context) -> Shown:
    rows = context.database.query("SELECT inside, port_low, width, since_us, until_us FROM translation")
    return sorted(
        (str(unpack_address(inside)), low, width, _minutes(since), None if until is None else _minutes(until))
        for inside, low, width, since, until in rows
    )


def _minutes(moment_us: int) -> float:
    return (from_microseconds(moment_us) - minute(0)) / timedelta(minutes=1)


def test_arp_tables_when_minutes_apart_join_and_when_hours_apart_do_not(context: Context) -> None:
    arp = HoldingSource.ARP
    give_log(context, held(0, 0, source=arp), held(10, 10, source=arp), mark="1")
    give_log(context, held(5, 5, source=arp), held(200, 200, source=arp), mark="2")
    assert holdings(context) == [("10.0.0.1", CARD, False, "seen", 0, 10), ("10.0.0.1", CARD, False, "seen", 200, 200)]


def test_lease_when_renewed_is_extended(context: Context) -> None:
    give_log(context, held(0, 60), mark="1")
    give_log(context, held(30, 90), held(90.5, 120), mark="2")
    assert holdings(context) == [("10.0.0.1", CARD, False, "held", 0, 120)]


def test_session_when_start_interim_and_stop_are_told_keeps_its_span(context: Context) -> None:
    radius = HoldingSource.RADIUS
    give_log(context, held(0, source=radius), held(0, 20, source=radius), held(0, 45, source=radius))
    assert holdings(context) == [("10.0.0.1", CARD, False, "begun", 0, 0), ("10.0.0.1", CARD, False, "held", 0, 45)]


def test_holding_when_card_name_or_port_differ_is_another(context: Context) -> None:
    give_log(context, held(0, 60), held(0, 60, mac=OTHER), held(0, 60, name="pc-7"), held(0, 60, port="AP2"))
    assert len(holdings(context)) == 4


def test_log_when_imported_twice_changes_nothing(context: Context) -> None:
    log = held(0, 60), nat(0, 5), plugged(3)
    give_log(context, *log)
    before = holdings(context), translations(context)
    assert give_log(context, *log).known
    give_log(context, *log, mark="the same lines in another file")
    assert (holdings(context), translations(context)) == before
    assert context.database.one("SELECT count(*) FROM attachment") == (1,)


def test_session_when_its_end_comes_later_takes_it_over(context: Context) -> None:
    give_log(context, nat(0), mark="1")
    give_log(context, nat(0, 7), mark="2")
    give_log(context, nat(0, 5), mark="3")
    assert translations(context) == [("10.0.0.1", 40001, 1, 0, 7)]


def test_sessions_when_the_peer_differs_are_two(context: Context) -> None:
    give_log(context, nat(0, 5), nat(0, 5, peer="203.0.113.10"))
    assert len(translations(context)) == 2


def test_nat_row_when_it_tells_no_time_is_counted_and_not_kept(context: Context) -> None:
    intake = give_log(context, nat(None), nat(0, 5))
    assert translations(context) == [("10.0.0.1", 40001, 1, 0, 5)]
    assert intake.lost == "1 NAT rows without a time were not kept"


def test_whole_address_when_it_tells_no_time_is_true_when_the_table_was_made(context: Context) -> None:
    give_log(context, nat(None, ports=(0, 65_535)))
    assert translations(context) == [("10.0.0.1", 0, 65_536, 2880, None)]


def test_sighting_when_it_lies_in_the_future_or_names_no_port_is_not_kept(context: Context) -> None:
    give_log(context, held(90_000, 90_060), nat(90_000), nat(0, 5, ports=(70_000, 70_000)), plugged(90_000))
    assert holdings(context) == translations(context) == []


def test_log_when_read_tells_its_own_time_and_counts_its_rows(context: Context) -> None:
    run = give_log(context, held(0, 60), nat(30, 90)).run
    assert (run.time, run.time_quality, run.observations) == (minute(90), "stated", 2)


def test_log_when_it_comes_late_builds_no_map_anew(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    give(context, NmapRun((host(1, p22="ssh"),), finished=NOW))

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("the map was built anew")

    monkeypatch.setattr("sentinel.schedule.intake.rebuild_map", fail)
    give_log(context, held(0, 60))
    assert len(holdings(context)) == 1


def test_scan_when_it_comes_late_leaves_its_marks_once(context: Context) -> None:
    for day in (90, 80, 85):
        give(context, NmapRun((host(1, p22="ssh"),), finished=at(day)))
    rows = list(context.database.query("SELECT kind, count(*) FROM mark GROUP BY kind ORDER BY kind"))
    assert rows == [("ports", 1)]


# Account names.


def test_account_when_logged_lies_sealed_and_is_found_again(context: Context) -> None:
    portal = HoldingSource.PORTAL
    give_log(context, held(0, 60, source=portal, user="20261234"), mark="1")
    give_log(context, held(60, 90, source=portal, user="20261234"), mark="2")
    assert holdings(context) == [("10.0.0.1", CARD, True, "held", 0, 90)]
    assert context.database.one("SELECT count(*) FROM account") == (1,)
    context.database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"20261234" not in context.home.database.read_bytes()


def test_account_when_the_key_is_another_is_refused_and_nothing_is_kept(context: Context) -> None:
    give_log(context, held(0, 60, user="20261234"))
    context.key_file.unlink()
    with pytest.raises(StoreError, match="not the key"):
        give_log(context, held(0, 60, user="20265678"), mark="2")
    assert len(holdings(context)) == 1
    give_log(context, held(100, 160), mark="a log without names needs no key")
    assert len(holdings(context)) == 2


# Networks, what stays out, retention.


def declare(context: Context, name: str, prefix: str, zone: Zone = Zone.OFFICE) -> Network:
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        network = write_network(transaction, Network(0, SCHOOL.code, name, zone, (ip_network(prefix),)))
        replace_networks(context, transaction, SCHOOL)
    return network


def test_sightings_when_a_network_is_declared_later_are_put_into_it_and_back(context: Context) -> None:
    give_log(context, held(0, 60), held(0, 60, address="10.9.0.1"), nat(0, 5))
    lan = declare(context, "lan", "10.0.0.0/24")
    assert [row[0] for row in holdings(context, (lan.id,))] == ["10.0.0.1"]
    assert context.database.one("SELECT network FROM translation") == (lan.id,)
    remove_network(context, SCHOOL, "lan")
    assert holdings(context, (lan.id,)) == []
    assert len(holdings(context)) == 2


def test_same_address_when_of_two_units_is_two_holdings(context: Context) -> None:
    other = Unit("other", "示例二中", path="other")
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        write_unit(transaction, other)
    give_log(context, held(0, 60))
    give_log(context, held(0, 60), unit=other)
    assert len(holdings(context)) == 2


@pytest.mark.parametrize("one", [held(0, 60), nat(0, 5), nat(0, 5, inside="10.9.0.1", outside="10.0.0.1")])
def test_log_when_it_holds_an_address_that_stays_out_is_refused(context: Context, one: Sighting) -> None:
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        write_keep_out(transaction, KeepOut(0, SCHOOL.code, (ip_network("10.0.0.1/32"),), "示例"))
    with pytest.raises(ParseError, match="stay out"):
        give_log(context, one)
    assert holdings(context) == translations(context) == []


@pytest.mark.parametrize("kind", ["holding", "attachment", "translation"])
def test_sightings_when_deleted_on_time_do_not_come_back(context: Context, kind: str) -> None:
    log = held(0, 60, user="20261234"), held(500, 560), nat(0, 5), nat(500, 505), plugged(0), plugged(500)
    give_log(context, *log)
    with context.database.transaction("tester", NOW) as transaction:
        assert remove_sightings(transaction, minute(400), kind) == 1
        transaction.audit("test", "test")
    give_log(context, *log, mark="again")
    assert context.database.one(f"SELECT count(*) FROM {kind}") == (1,)
    assert context.database.one("SELECT count(*) FROM account") == (0 if kind == "holding" else 1,)


def test_sightings_when_of_an_unknown_kind_are_not_deleted(context: Context) -> None:
    with (
        pytest.raises(StoreError, match="no such kind"),
        context.database.transaction("tester", NOW) as transaction,
    ):
        remove_sightings(transaction, NOW, "audit")


# Which times the logs speak of.


def spans(context: Context) -> Shown:
    rows = context.database.query("SELECT kind, device, subject, since_us, until_us FROM log_span")
    return sorted(
        (kind, device, str(unpack_address(subject)) if subject else "", _minutes(since), _minutes(until))
        for kind, device, subject, since, until in rows
    )


def test_log_when_taken_in_notes_the_times_it_speaks_of(context: Context) -> None:
    give_log(context, nat(0, 5), nat(30), nat(200), held(0, 60, device="dhcp-1"), plugged(7))
    assert spans(context) == [
        ("dhcp", "dhcp-1", "", 0, 0),
        ("mac", "sw-3", "", 7, 7),
        ("nat", "fw-1", OUTSIDE, 0, 30),
        ("nat", "fw-1", OUTSIDE, 200, 200),
    ]


def test_lease_when_it_ended_before_the_file_came_is_no_line_of_its_end(context: Context) -> None:
    give_log(context, held(0, 480), held(10, 60, address="10.0.0.2", source=HoldingSource.RADIUS))
    assert spans(context) == [("dhcp", "", "", 0, 0), ("radius", "", "", 10, 60)]


def test_lease_when_it_ends_in_the_future_is_no_line_of_then(context: Context) -> None:
    give_log(context, held(2870, 9000))
    assert spans(context) == [("dhcp", "", "", 2870, 2870)]
    assert context.database.one("SELECT max(until_us) FROM mark") == (int(NOW.timestamp()) * 1_000_000,)


def test_logs_of_phones_when_taken_in_leave_no_marks(context: Context) -> None:
    declare(context, "phones", "10.0.0.0/24", Zone.WIRELESS)
    give_log(context, held(0, 60), held(0, 60, address="10.9.0.1", mac=OTHER))
    assert list(context.database.query("SELECT value FROM mark WHERE kind='mac'")) == [(OTHER,)]


# The order of arrival.


HELD = st.builds(
    held,
    st.integers(0, 300),
    st.none(),
    st.sampled_from(("10.0.0.1", "10.0.0.2")),
    st.sampled_from((CARD, OTHER)),
    st.sampled_from((HoldingSource.ARP, HoldingSource.DHCP)),
)
LASTING = st.builds(
    lambda start, length, address, mac: held(start, start + length, address, mac),
    st.integers(0, 300),
    st.integers(0, 90),
    st.sampled_from(("10.0.0.1", "10.0.0.2")),
    st.sampled_from((CARD, OTHER)),
)
SESSION = st.builds(
    lambda start, length, port, inside: nat(start, None if length is None else start + length, (port, port), inside),
    st.integers(0, 5),
    st.none() | st.integers(0, 9),
    st.sampled_from((40001, 40002)),
    st.sampled_from(("10.0.0.1", "10.0.0.2")),
)
LOGS = st.lists(st.lists(HELD | LASTING | SESSION, min_size=1, max_size=6), min_size=1, max_size=4)
GAPS = {"seen": 60, "held": 1, "begun": 720, "ended": 1}


def slow_holdings(seen: list[Sighting]) -> Shown:
    """Join, of each holding, whichever two stretches are near until none are."""
    by_key: defaultdict[tuple[str, ...], list[tuple[float, float]]] = defaultdict(list)
    for one in seen:
        if isinstance(one, HoldingObservation) and one.since is not None:
            told = "begun" if one.until is None else "held" if one.until > one.since else "seen"
            start, end = ((moment - minute(0)) / timedelta(minutes=1) for moment in (one.since, one.until or one.since))
            by_key[str(one.address), one.mac, one.source.value, told].append((start, end))
    found: Shown = []
    for (address, mac, _, told), stretches in by_key.items():
        left = list(stretches)
        while near := next(
            (
                (one, other)
                for place, one in enumerate(left)
                for other in left[place + 1 :]
                if one[0] <= other[1] + GAPS[told] and other[0] <= one[1] + GAPS[told]
            ),
            None,
        ):
            left = [one for one in left if one is not near[0] and one is not near[1]]
            left.append((min(near[0][0], near[1][0]), max(near[0][1], near[1][1])))
        found += [(address, mac, False, told, start, end) for start, end in left]
    return sorted(found)


def slow_translations(seen: list[Sighting]) -> Shown:
    ends: dict[tuple[str, int, int, float], float | None] = {}
    for one in seen:
        if isinstance(one, TranslationObservation) and one.since is not None:
            start = (one.since - minute(0)) / timedelta(minutes=1)
            end = None if one.until is None else (one.until - minute(0)) / timedelta(minutes=1)
            key = (str(one.inside), one.ports[0], 1, start)
            before = ends.get(key)
            ends[key] = end if before is None else max(before, before if end is None else end)
    return sorted((*key, end) for key, end in ends.items())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    with opened(tmp_path_factory.mktemp("world") / "home") as context, reading_logs():
        yield context


_NUMBERS = count()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logs=LOGS, random=st.randoms(use_true_random=False))
def test_sightings_when_logs_arrive_in_any_order_and_twice_are_those_of_the_slow_model(
    world: Context, logs: list[list[Sighting]], random: object
) -> None:
    for table in ("holding", "holder", "translation", "mark", "log_span", "run", "coverage"):
        world.database.connection.execute(f"DELETE FROM {table}")
    everything = [one for log in logs for one in log]
    arriving = [*logs, logs[0]]
    random.shuffle(arriving)  # type: ignore[attr-defined]  # random.Random
    for log in arriving:
        give_log(world, *log, mark=str(next(_NUMBERS)))
    assert holdings(world) == slow_holdings(everything)
    assert sorted(translations(world), key=str) == sorted(slow_translations(everything), key=str)


def test_log_when_longer_than_a_batch_joins_across_batches(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentinel.schedule.sightings.BATCH", 3)
    arp = HoldingSource.ARP
    networks = read_networks(context.database, SCHOOL.code)
    with context.database.transaction("tester", NOW) as transaction:
        taker = SightingTaker(context, transaction, networks, 1, NOW)
        for number in range(10):
            taker.take([held(number * 10, number * 10, source=arp), nat(number)])
        taker.finish()
        transaction.audit("test", "test")
    assert holdings(context) == [("10.0.0.1", CARD, False, "seen", 0, 90)]
    assert len(translations(context)) == 10


def test_purge_when_applied_deletes_logins_on_time_and_keeps_what_is_younger(context: Context) -> None:
    arp = HoldingSource.ARP
    give_log(context, held(0, 60, user="20261234"), held(0, 0, source=arp), nat(0, 5), plugged(0))
    with context.database.transaction("tester", NOW) as transaction:
        assert remove_sightings(transaction, minute(400), "person_holding") == 1
        assert remove_sightings(transaction, minute(400), "neighbour_holding") == 1
        transaction.audit("test", "test")
    give_log(context, held(0, 60, user="20261234"), held(0, 0, source=arp), mark="again")
    assert holdings(context) == []
    named = {"person_holding", "neighbour_holding", "switch_port", "nat"}
    found = {one.policy.kind: one for one in purge(context) if one.policy.kind in named}
    assert {one.count for one in found.values()} == {0}  # two days old
    assert found["nat"].oldest == minute(5)
