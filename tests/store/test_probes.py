"""Closer looks as intervals, on both kinds of database."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address

from sentinel.model.endpoint import AddressRanges, Coverage, Run
from sentinel.model.probe import ProbeKind, ProbeObservation, clean_values
from sentinel.store.database import Database
from sentinel.store.probes import read_probes, remove_probes, write_probes
from sentinel.store.runs import NewRun, write_run
from tests.homes import NOW

HOUR = timedelta(hours=1)


def look(hours: int, values: dict[str, object], **changes: object) -> ProbeObservation:
    fields: dict[str, object] = {
        "kind": ProbeKind.TLS,
        "address": ip_address("10.0.0.5"),
        "proto": "tcp",
        "port": 443,
        "name": "",
        "time": NOW + hours * HOUR,
        "answered": True,
        "values": clean_values(values),
    }
    return ProbeObservation(**(fields | changes))  # type: ignore[arg-type]  # the changes are fields by name


def give(database: Database, number: int, *looks: ProbeObservation, network: int = 1, vantage: str = "inside") -> int:
    run = Run(
        0, "school", "scan", f"{number:064x}", "x", "sentinel-probes", "x", vantage, "tester", NOW, "stated", 0, 0, 0, 0
    )  # fmt: skip
    with database.transaction("tester", NOW) as transaction:
        row = write_run(transaction, NewRun(run, NOW), Coverage((), AddressRanges(())))
        changed = write_probes(transaction, row, vantage, [(network, one) for one in looks])
        transaction.audit("test", "looks")
    return changed


def current(database: Database, network: int = 1) -> list[tuple[object, ...]]:
    return [
        (
            one.vantage,
            one.kind.value,
            str(one.address or ""),
            one.port,
            one.name,
            dict(one.values),
            one.valid_from,
            one.last_seen,
        )
        for one in read_probes(database, [network])
    ]


def test_look_when_it_finds_the_same_then_its_interval_goes_on(database: Database) -> None:
    assert give(database, 1, look(0, {"versions": ["tls1.2"]})) == 1
    assert give(database, 2, look(5, {"versions": ["tls1.2"]})) == 0
    ((*_, values, since, last),) = current(database)
    assert (values, since, last) == ({"versions": ("tls1.2",)}, NOW, NOW + 5 * HOUR)
    assert next(read_probes(database, [1])).evidence == f"{2:064x}"


def test_look_when_it_finds_something_else_then_a_new_interval_begins(database: Database) -> None:
    give(database, 1, look(0, {"bits": 1024}))
    assert give(database, 2, look(5, {"bits": 2048})) == 1
    assert [row[5:] for row in current(database)] == [({"bits": 2048}, NOW + 5 * HOUR, NOW + 5 * HOUR)]
    rows = database.query("SELECT valid_to_us IS NULL FROM probe ORDER BY id")
    assert [bool(row[0]) for row in rows] == [False, True]


def test_look_when_it_was_not_answered_then_what_was_known_stays(database: Database) -> None:
    give(database, 1, look(0, {"bits": 1024}))
    assert give(database, 2, look(5, {}, answered=False, reason="no answer")) == 0
    assert [row[5:] for row in current(database)] == [({"bits": 1024}, NOW, NOW)]


def test_looks_of_one_run_are_taken_in_the_order_of_their_times(database: Database) -> None:
    assert give(database, 1, look(3, {"bits": 3}), look(1, {"bits": 1}), look(2, {"bits": 1})) == 2
    assert [row[5:] for row in current(database)] == [({"bits": 3}, NOW + 3 * HOUR, NOW + 3 * HOUR)]


def test_looks_at_other_places_names_kinds_and_from_elsewhere_stand_apart(database: Database) -> None:
    give(
        database,
        1,
        look(0, {"a": 1}),
        look(0, {"a": 2}, name="www.school.example"),
        look(0, {"a": 3}, kind=ProbeKind.WEB),
        look(0, {"a": 4}, address=ip_address("2001:db8::1")),
        look(0, {"a": 5}, address=None, proto="", port=0, kind=ProbeKind.DNS, name="school.example"),
    )
    give(database, 2, look(0, {"a": 6}), vantage="outside")
    give(database, 3, look(0, {"a": 7}), network=2)
    assert [row[5]["a"] for row in current(database)] == [5, 1, 6, 2, 3, 4]
    assert [row[5]["a"] for row in current(database, 2)] == [7]
    assert [one.kind for one in read_probes(database, [1], [ProbeKind.WEB])] == [ProbeKind.WEB]


def test_looks_when_forgotten_then_those_of_the_network_and_vantage_alone(database: Database) -> None:
    give(database, 1, look(0, {"a": 1}))
    give(database, 2, look(0, {"a": 6}), vantage="outside")
    give(database, 3, look(0, {"a": 7}), network=2)
    with database.transaction("tester", NOW) as transaction:
        remove_probes(transaction, [1], "outside")
        transaction.audit("test", "forget")
    assert [row[5]["a"] for row in (*current(database), *current(database, 2))] == [1, 7]
    with database.transaction("tester", NOW) as transaction:
        remove_probes(transaction, [1, 2], None)
        transaction.audit("test", "forget")
    assert current(database) == current(database, 2) == []
