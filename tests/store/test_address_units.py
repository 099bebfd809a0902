"""Which units know an address, on each kind of database; and that nothing large is read through for it."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from sentinel.model.unit import Network, Unit, Zone
from sentinel.store.address_units import build_statements, find_units_of
from sentinel.store.database import Database
from sentinel.store.units import write_network, write_unit
from tests.homes import NOW, SCHOOL


@pytest.mark.parametrize(
    ("declared", "asked", "knows"),
    [
        ("10.0.0.0/8", "10.200.3.4", True),
        ("10.1.0.0/16", "10.1.255.255", True),
        ("10.1.0.0/16", "10.11.0.1", False),
        ("10.1.2.3/32", "10.1.2.3", True),
        ("10.1.2.3/32", "10.1.2.30", False),
        ("10.1.2.0/25", "10.1.2.128", False),
        ("fd00:1::/32", "fd00:1:ffff::9", True),
        ("fd00:1::/64", "fd00:1:0:1::9", False),
        ("203.0.113.0/28", "203.0.113.15", True),
    ],
)
def test_units_that_declared_an_address_are_found_by_any_prefix_around_it(
    database: Database, declared: str, asked: str, knows: bool
) -> None:
    with database.transaction("tester", NOW, objects=True) as transaction:
        write_unit(transaction, Unit("other", "示例二中", path="other"))
        write_network(
            transaction, Network(0, "other", "lan", Zone.OFFICE, (ip_network("172.16.0.0/24"), ip_network(declared)))
        )
    assert find_units_of(database, ip_address(asked), NOW, 5) == (("other",) if knows else ())


def test_answer_is_no_longer_than_asked_for_and_sorted(database: Database) -> None:
    with database.transaction("tester", NOW, objects=True) as transaction:
        for code in ("b", "a", "c"):
            write_unit(transaction, Unit(code, code, path=code))
            write_network(transaction, Network(0, code, "lan", Zone.OFFICE, (ip_network("10.0.0.0/24"),)))
        write_network(transaction, Network(0, SCHOOL.code, "lan", Zone.OFFICE, (ip_network("10.0.0.0/24"),)))
    assert find_units_of(database, ip_address("10.0.0.1"), NOW, 2) == ("a", "b")
    assert find_units_of(database, ip_address("10.0.0.1"), NOW, 9) == ("a", "b", "c", "school")


def test_plan_reads_hosts_leases_and_sessions_by_their_indexes_only(file_database: Database) -> None:
    read: dict[str, list[str]] = {}
    for statement, values in build_statements(ip_address("10.0.0.1")):
        for *_, step in file_database.query(f"EXPLAIN QUERY PLAN {statement} LIMIT ?", (*values, 5)):
            word, _, rest = str(step).partition(" ")
            if word in {"SCAN", "SEARCH"}:
                read.setdefault(word, []).append(rest)
    scanned = {step.split()[0] for step in read["SCAN"]}
    assert scanned <= {"n", "network", "exit", "publication"}, "what is declared is small: some rows a unit"
    searched = " ".join(read["SEARCH"])
    assert "(space=? AND outside=?)" in searched
    assert searched.count("(network=? AND address=?)") == 2
