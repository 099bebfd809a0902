from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_address

import pytest

from sentinel.errors import StoreError
from sentinel.model.endpoint import AddressRanges, Coverage, Run
from sentinel.model.ports import PortSet
from sentinel.store import runs as store
from sentinel.store.database import Database
from sentinel.store.idset import IdSet
from tests.homes import NOW

HOUR = timedelta(hours=1)
RUN = Run(
    0, "school", "import", "e" * 64, "scan.xml", "nmap-xml", "nmap 7.93", "inside", "tester", NOW, "stated", 3, 5, 7, 0
)
ADDRESSES = AddressRanges(
    (
        (ip_address("10.0.0.0"), ip_address("10.0.0.255")),
        (ip_address("10.0.9.9"), ip_address("10.0.9.9")),
        (ip_address("2001:db8::1"), ip_address("2001:db8::ff")),
    )
)
COVERAGE = Coverage((("tcp", PortSet.of([(22, 22), (80, 90)])), ("udp", PortSet.of([(53, 53)]))), ADDRESSES)


def write(
    database: Database,
    evidence: str,
    at: datetime = NOW,
    coverage: Coverage = COVERAGE,
    *,
    held: bool = False,
    confirmed: tuple[int, ...] = (),
    scan: str = "",
    vantage: str = "inside",
    unit: str = "school",
) -> int:
    run = replace(RUN, evidence=evidence, time=at, vantage=vantage, unit=unit)
    new = store.NewRun(run, NOW, scan, "nmap -sV", 4, "byte 9: cut off")
    with database.transaction("tester", NOW) as transaction:
        run_id = store.write_run(transaction, new, coverage)
        store.finish_run(transaction, run_id, events=6, held=held, changes=store.RunChanges(IdSet(confirmed)))
        transaction.audit("run.import", f"run {run_id}")
    return run_id


def test_run_is_read_back_with_its_coverage_in_words(database: Database) -> None:
    run_id = write(database, "a")
    stored = store.read_run(database, run_id)
    assert stored == replace(RUN, id=run_id, evidence="a", events=6, coverage_text="512 × tcp 12、udp 1")
    assert store.find_run(database, "school", "a") == stored
    assert store.find_run(database, "other", "a") is None
    assert store.find_run(database, "school", "b") is None


def test_run_beside_itself_tells_scan_losses_and_command_line(database: Database) -> None:
    run_id = write(database, "a", scan="s1")
    assert store.read_scan(database, run_id) == "s1"
    assert store.read_lost(database, run_id) == "byte 9: cut off"
    assert store.read_arguments(database, run_id) == "nmap -sV"
    assert store.read_scan(database, 99) == store.read_lost(database, 99) == store.read_arguments(database, 99) == ""


def test_run_that_is_not_there_says_so(database: Database) -> None:
    with pytest.raises(StoreError, match="there is no run 99"):
        store.read_run(database, 99)


@pytest.mark.parametrize(
    "coverage",
    [COVERAGE, Coverage((), ADDRESSES), Coverage(), Coverage((("tcp", PortSet.of([(0, 65535)])),), ADDRESSES)],
)
def test_coverage_is_read_back_as_it_was_written(database: Database, coverage: Coverage) -> None:
    assert store.read_coverage(database, write(database, "a", coverage=coverage)) == coverage


def test_coverage_of_no_run_is_empty(database: Database) -> None:
    assert store.read_coverage(database, 99) == Coverage()


def test_runs_come_in_the_order_of_time_and_equal_times_in_that_of_arrival(database: Database) -> None:
    late, first, second, early = (
        write(database, name, at) for name, at in (("a", NOW + HOUR), ("b", NOW), ("c", NOW), ("d", NOW - HOUR))
    )
    outside = write(database, "e", vantage="outside")
    write(database, "f", unit="other")

    def ids(**words: object) -> list[int]:
        return [one.id for one in store.read_runs(database, "school", **words)]  # type: ignore[arg-type]

    assert ids() == [early, first, second, outside, late]
    assert ids(vantage="inside") == [early, first, second, late]
    assert ids(after=NOW) == [first, second, outside, late]
    assert ids(until=NOW) == [early, first, second, outside]
    assert ids(after=NOW, until=NOW, vantage="outside") == [outside]
    assert store.read_newest_time(database, "school", "inside") == NOW + HOUR
    assert store.read_newest_time(database, "school", "nowhere") is None
    assert store.read_newest_run_time(database, "school") == NOW + HOUR
    assert store.read_newest_run_time(database, "nobody") is None


def test_newest_scan_is_the_newest_run_that_asked_for_ports(database: Database) -> None:
    assert store.read_newest_scan(database, "school") is None
    write(database, "a")
    write(database, "b", NOW + HOUR, Coverage())
    assert store.read_newest_scan(database, "school") == NOW


def test_confirmations_come_newest_first_up_to_a_moment(database: Database) -> None:
    first = write(database, "a", NOW, confirmed=(1, 2, 3))
    second = write(database, "b", NOW, confirmed=(3,))
    third = write(database, "c", NOW + HOUR, confirmed=())
    write(database, "d", NOW, vantage="outside", confirmed=(9,))

    def told(until: datetime | None, vantage: str | None = "inside") -> list[tuple[int, list[int]]]:
        return [(run.id, list(ids)) for run, ids in store.read_confirmed(database, "school", until, vantage)]

    assert told(None) == [(third, []), (second, [3]), (first, [1, 2, 3])]
    assert told(NOW) == [(second, [3]), (first, [1, 2, 3])]
    assert told(NOW - HOUR) == []
    assert len(told(None, None)) == 4


def test_earlier_coverage_leaves_out_later_runs_other_vantages_and_jobs_of_the_same_scan(database: Database) -> None:
    write(database, "a", NOW - HOUR, held=True)
    write(database, "b", NOW, scan="s0")
    write(database, "c", NOW, scan="s1", held=True)
    write(database, "d", NOW, Coverage(), held=True)
    write(database, "e", NOW, vantage="outside", held=True)
    me = write(database, "f", NOW, scan="s1")
    write(database, "g", NOW, held=True)
    write(database, "h", NOW + HOUR, held=True)
    earlier = list(store.read_earlier_coverage(database, store.read_run(database, me), "s1", me))
    assert earlier == [(False, COVERAGE), (True, COVERAGE)]


def test_same_evidence_of_one_unit_cannot_be_two_runs(database: Database) -> None:
    write(database, "a")
    write(database, "a", unit="other")
    with pytest.raises(StoreError, match=r"UNIQUE constraint|unique constraint"):
        write(database, "a")
