from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_address

import pytest

from sentinel.model.endpoint import Coverage, Endpoint, EndpointKey, EndpointState, Fingerprint, Host, Run
from sentinel.model.observation import Certificate
from sentinel.model.unit import Network, Zone
from sentinel.store import endpoints as store
from sentinel.store import runs
from sentinel.store.database import Database
from sentinel.store.idset import IdSet
from tests.homes import NOW

LAN = Network(1, "school", "default", Zone.UNKNOWN)
CERTIFICATE = Certificate(
    "a" * 64, "www.school.example", "CA", ("www.school.example", "10.0.0.1"), NOW, NOW, "rsa", 2048, "sha256", False
)
FULL = Endpoint(
    EndpointKey(1, "inside", ip_address("10.0.0.1"), "tcp", 443),
    EndpointState.OPEN,
    Fingerprint("http", True, "nginx", "1.22.1", "ssl", "a" * 64),
    NOW,
    extra="Ubuntu",
    cpes=("cpe:/a:nginx:nginx:1.22.1", "cpe:/o:linux:linux_kernel"),
    title="首页",
    certificate=CERTIFICATE,
    in_scope=False,
    id=1,
    opened_by=3,
    misses=1,
)
HOUR = timedelta(hours=1)


def endpoint(number: int, address: str = "10.0.0.1", port: int = 80, **words: object) -> Endpoint:
    made = Endpoint(
        EndpointKey(1, "inside", ip_address(address), "tcp", port),
        EndpointState.OPEN,
        Fingerprint("http"),
        NOW,
        id=number,
    )
    return replace(made, **words)  # type: ignore[arg-type]  # fields by name


def write(database: Database, *made: Endpoint) -> None:
    with database.transaction("tester", NOW) as transaction:
        store.write_opened(transaction, made)
        transaction.audit("run.import", "run 1")


def end(database: Database, at: datetime, *ids: int, why: str = "reset") -> None:
    note_run(database, at, closed=ids)
    with database.transaction("tester", NOW) as transaction:
        store.write_closed(transaction, at, 9, [(one, why) for one in ids])
        transaction.audit("run.import", "run 9")


def note_run(database: Database, at: datetime, opened: Iterable[int] = (), closed: Iterable[int] = ()) -> None:
    made = Run(0, "school", "import", str((at, closed)), "a", "f", "t", "inside", "o", at, "stated", 0, 0, 0, 0)
    with database.transaction("tester", NOW) as transaction:
        number = runs.write_run(transaction, runs.NewRun(made, at), Coverage())
        changes = runs.RunChanges(opened=IdSet(opened), closed=IdSet(closed))
        runs.finish_run(transaction, number, events=1, held=False, changes=changes)
        transaction.audit("run.import", f"run {number}")


def current(database: Database, addresses: Iterable[str] | None = None) -> list[Endpoint]:
    return list(store.read_current(database, [1], "inside", None if addresses is None else list(addresses)))


def test_interval_is_read_back_as_it_was_written(database: Database) -> None:
    write(database, FULL)
    assert current(database) == [FULL]


def test_interval_with_a_sum_but_no_certificate_keeps_the_sum(database: Database) -> None:
    bare = endpoint(1, fingerprint=Fingerprint(certificate="b" * 64))
    write(database, bare)
    assert current(database) == [bare]


def test_certificate_of_unknown_fields_keeps_them_unknown(database: Database) -> None:
    short = Certificate("sha1:bb", "a")
    shown = endpoint(1, fingerprint=Fingerprint(certificate="sha1:bb"), certificate=short)
    write(database, shown)
    assert current(database) == [shown]


def test_certificate_without_a_sum_is_not_kept(database: Database) -> None:
    write(database, endpoint(1, certificate=Certificate("", "a")))
    assert current(database)[0].certificate is None


def test_better_knowledge_replaces_all_but_the_interval(database: Database) -> None:
    write(database, endpoint(1))
    better = replace(FULL, key=endpoint(1).key, opened_by=0, misses=0, in_scope=True)
    with database.transaction("tester", NOW) as transaction:
        store.write_amended(transaction, [better])
        transaction.audit("run.import", "run 2")
    assert current(database) == [better]


def test_current_intervals_are_those_without_an_end(database: Database) -> None:
    write(database, endpoint(1), endpoint(2, port=81), endpoint(3, "10.0.0.2"))
    write(database, endpoint(4, key=EndpointKey(1, "outside", ip_address("10.0.0.1"), "tcp", 80)))
    end(database, NOW + HOUR, 2)
    assert [one.id for one in current(database)] == [1, 3]
    assert [one.id for one in current(database, ["10.0.0.2", "10.9.9.9"])] == [3]
    assert current(database, []) == []


def test_current_intervals_of_many_addresses_are_all_found(database: Database) -> None:
    addresses = [str(ip_address("10.0.0.0") + number) for number in range(900)]
    write(database, *(endpoint(number, address) for number, address in enumerate(addresses, 1)))
    assert len(current(database, addresses)) == 900


def test_map_at_a_moment_holds_intervals_from_their_first_moment_to_before_their_end(database: Database) -> None:
    write(database, endpoint(1), endpoint(2, port=81, valid_from=NOW + HOUR))
    end(database, NOW + 2 * HOUR, 1)

    def at(moment: datetime | None) -> list[int]:
        return [one.id for one in store.read_as_of(database, [1], moment)]

    tick = timedelta(microseconds=1)
    assert at(NOW - tick) == []
    assert at(NOW) == at(NOW + HOUR - tick) == [1]
    assert at(NOW + HOUR) == at(NOW + 2 * HOUR - tick) == [1, 2]
    assert at(NOW + 2 * HOUR) == at(None) == [2]
    assert list(store.read_as_of(database, [2], None)) == []


def test_map_lists_all_rows_of_an_address_together(database: Database) -> None:
    write(database, endpoint(1, "10.0.0.9", 443), endpoint(2, "10.0.0.10"), endpoint(3, "10.0.0.9", 80))
    assert [one.id for one in store.read_as_of(database, [1], None)] == [2, 3, 1]


def test_closings_tell_when_an_endpoint_last_ended_in_a_span(database: Database) -> None:
    write(database, endpoint(1), endpoint(2, valid_from=NOW + HOUR))
    end(database, NOW + HOUR, 1)
    end(database, NOW + 3 * HOUR, 2)
    key = endpoint(1).key
    assert store.read_closings(database, [1], NOW, NOW + 9 * HOUR) == {key: NOW + 3 * HOUR}
    assert store.read_closings(database, [1], NOW, NOW + HOUR) == {key: NOW + HOUR}
    assert store.read_closings(database, [1], NOW + HOUR, NOW + 2 * HOUR) == {}


def test_touched_are_the_intervals_at_both_ends_of_a_span_of_what_changed_in_it(database: Database) -> None:
    write(
        database,
        endpoint(1),
        endpoint(2, port=81),
        endpoint(3, port=82),
        endpoint(4, port=81, valid_from=NOW + HOUR),
        endpoint(5, port=83, valid_from=NOW + 3 * HOUR),
    )
    note_run(database, NOW, opened=(1, 2, 3))
    end(database, NOW + HOUR, 2, why="changed")
    note_run(database, NOW + HOUR, opened=(4,))
    end(database, NOW + 2 * HOUR, 3)
    note_run(database, NOW + 3 * HOUR, opened=(5,))

    def ids(start: datetime, finish: datetime, network: int = 1) -> tuple[list[int], list[int]]:
        before, after = store.read_touched(database, [network], start, finish)
        return [one.id for one in before], [one.id for one in after]

    assert ids(NOW, NOW + 2 * HOUR) == ([2, 3], [4])
    assert ids(NOW - HOUR, NOW) == ([], [1, 2, 3])
    assert ids(NOW + 2 * HOUR, NOW + 9 * HOUR) == ([], [5])
    assert ids(NOW + 3 * HOUR, NOW + 9 * HOUR) == ([], [])
    assert ids(NOW, NOW + 2 * HOUR, network=2) == ([], [])


def test_opener_is_the_run_that_first_saw_it_open_after_a_moment(database: Database) -> None:
    write(
        database,
        endpoint(1, opened_by=1),
        endpoint(2, valid_from=NOW + HOUR, opened_by=2, state=EndpointState.UNKNOWN),
        endpoint(3, valid_from=NOW + 2 * HOUR, opened_by=3),
        endpoint(4, valid_from=NOW + 3 * HOUR, opened_by=4),
    )
    key = endpoint(1).key
    assert store.find_opener(database, key, NOW - HOUR) == 1
    assert store.find_opener(database, key, NOW) == 3
    assert store.find_opener(database, key, NOW + 3 * HOUR) is None


def test_ids_go_on_after_the_greatest(database: Database) -> None:
    with database.transaction("tester", NOW) as transaction:
        assert store.next_endpoint_id(transaction) == 1
    write(database, endpoint(41))
    with database.transaction("tester", NOW) as transaction:
        assert store.next_endpoint_id(transaction) == 42


HostRow = tuple[int, str, str, str, str, bool, int]


def note_hosts(database: Database, *rows: HostRow) -> None:
    with database.transaction("tester", NOW) as transaction:
        store.write_hosts(transaction, rows)
        transaction.audit("run.import", "run 1")


def note_names(database: Database, *rows: tuple[int, str, str, str, int]) -> None:
    with database.transaction("tester", NOW) as transaction:
        store.write_names(transaction, rows)
        transaction.audit("run.import", "run 1")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_host_seen_again_keeps_its_first_and_last_day_in_any_order(database: Database, order: tuple[int, ...]) -> None:
    rows = [(1, "10.0.0.1", "", "", "", True, day * 86_400_000_000) for day in (1, 2, 3)]
    for one in order:
        note_hosts(database, rows[one])
    (host,) = store.read_hosts(database, LAN)
    assert (host.first_seen.day, host.last_seen.day) == (2, 4)  # type: ignore[union-attr]  # it was seen


def test_host_seen_again_keeps_what_is_not_told_anew(database: Database) -> None:
    note_hosts(database, (1, "10.0.0.1", "aa:bb:cc:00:00:01", "Maker", "Linux", False, 0))
    note_hosts(database, (1, "10.0.0.1", "", "", "", True, 1))
    note_hosts(database, (1, "10.0.0.1", "aa:bb:cc:00:00:02", "", "", True, 2))
    (host,) = store.read_hosts(database, LAN)
    assert (host.mac, host.vendor, host.os, host.in_scope) == ("aa:bb:cc:00:00:02", "Maker", "Linux", True)


def test_hosts_come_with_the_names_of_their_address(database: Database) -> None:
    for address in ("10.0.0.10", "10.0.0.9", "10.0.0.1", "2001:db8::1"):
        note_hosts(database, (1, address, "", "", "", True, 0))
    note_names(
        database,
        (1, "10.0.0.9", "b.example", "dns", 0),
        (1, "10.0.0.9", "a.example", "dns", 0),
        (1, "10.0.0.5", "nobody.example", "dns", 0),
        (2, "10.0.0.10", "elsewhere.example", "dns", 0),
    )
    hosts = {str(one.address): one.names for one in store.read_hosts(database, LAN)}
    assert hosts == {"10.0.0.1": (), "10.0.0.10": (), "10.0.0.9": ("a.example", "b.example"), "2001:db8::1": ()}
    (found,) = store.read_hosts_at(database, LAN, [ip_address("10.0.0.9"), ip_address("10.0.0.8")])
    assert (found.address, found.names) == (ip_address("10.0.0.9"), ())


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_name_seen_again_keeps_its_first_day_in_any_order(database: Database, order: tuple[int, ...]) -> None:
    times = (5, 9)
    for one in order:
        note_names(database, (1, "10.0.0.1", "www.example", "dns", times[one]))
    assert database.one("SELECT first_seen_us, last_seen_us FROM name") == (5, 9)


def test_names_at_a_moment_are_those_known_by_then(database: Database) -> None:
    later = NOW + HOUR
    note_names(database, (1, "10.0.0.1", "old.example", "dns", 0))
    note_names(database, (1, "10.0.0.1", "new.example", "dns", store.to_microseconds(later)))
    assert list(store.read_names(database, 1, NOW)) == [("10.0.0.1", ("old.example",))]
    assert list(store.read_names(database, 1)) == [("10.0.0.1", ("new.example", "old.example"))]
    assert list(store.read_names(database, 2)) == []


def test_host_is_one_from_its_first_day(database: Database) -> None:
    note_hosts(database, (1, "10.0.0.1", "", "", "", True, store.to_microseconds(NOW)))
    assert store.was_host(database, 1, "10.0.0.1", NOW)
    assert not store.was_host(database, 1, "10.0.0.1", NOW - HOUR)
    assert not store.was_host(database, 1, "10.0.0.2", NOW)
    assert not store.was_host(database, 2, "10.0.0.1", NOW)


@pytest.mark.parametrize(("vantage", "left"), [("inside", (1, 1, 1)), (None, (0, 0, 0))])
def test_forgetting_takes_one_vantage_or_everything(
    database: Database, vantage: str | None, left: tuple[int, int, int]
) -> None:
    write(database, endpoint(1), endpoint(2, key=EndpointKey(1, "outside", ip_address("10.0.0.1"), "tcp", 80)))
    write(database, endpoint(3, key=EndpointKey(2, "inside", ip_address("10.0.0.1"), "tcp", 80)))
    for network in (1, 2):
        note_hosts(database, (network, "10.0.0.1", "", "", "", True, 0))
        note_names(database, (network, "10.0.0.1", "a.example", "dns", 0))
    with database.transaction("tester", NOW) as transaction:
        store.remove_history(transaction, [1], vantage)
        transaction.audit("network.change", "network 1")

    def count(table: str, network: int) -> int:
        return sum(1 for _ in database.query(f"SELECT 1 FROM {table} WHERE network=?", (network,)))

    assert tuple(count(table, 1) for table in ("endpoint", "host", "name")) == left
    assert tuple(count(table, 2) for table in ("endpoint", "host", "name")) == (1, 1, 1)


def test_addresses_are_ordered_by_version_and_number() -> None:
    texts = ["2001:db8::10", "10.0.0.10", "2001:db8::9", "10.0.0.9", "9.255.255.255"]
    ordered = sorted(map(ip_address, texts), key=store.sort_key)
    assert [str(one) for one in ordered] == ["9.255.255.255", "10.0.0.9", "10.0.0.10", "2001:db8::9", "2001:db8::10"]


def test_host_value_tells_network_and_zone(database: Database) -> None:
    note_hosts(database, (1, "10.0.0.1", "", "", "", True, store.to_microseconds(NOW)))
    (host,) = store.read_hosts(database, replace(LAN, zone=Zone.SERVER))
    assert host == Host("default", Zone.SERVER, ip_address("10.0.0.1"), first_seen=NOW, last_seen=NOW)
