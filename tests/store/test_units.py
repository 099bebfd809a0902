from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest

from sentinel.errors import UsageError
from sentinel.model.plan import Plan
from sentinel.model.ports import PortSet
from sentinel.model.scope import Authorisation, Level, Target
from sentinel.model.unit import DEFAULT_NETWORK, Network, Unit, UnitLevel, Zone
from sentinel.model.whitelist import WhitelistEntry, WhitelistKind
from sentinel.store.database import Database
from sentinel.store.scopes import (
    read_authorisations,
    read_whitelist,
    withdraw_authorisation,
    withdraw_whitelist_entry,
    write_authorisation,
    write_whitelist_entry,
)
from sentinel.store.units import (
    find_unit,
    read_networks,
    read_plans,
    read_units,
    write_network,
    write_plan,
    write_plan_result,
    write_unit,
)
from tests.homes import NOW, SCHOOL

LATER = NOW + timedelta(hours=1)


def add(database: Database, *units: Unit) -> list[Unit]:
    with database.transaction("tester", NOW, objects=True) as transaction:
        return [write_unit(transaction, unit) for unit in units]


def declare(database: Database, *networks: Network) -> list[Network]:
    with database.transaction("tester", NOW, objects=True) as transaction:
        return [write_network(transaction, network) for network in networks]


def test_unit_gets_its_path_and_a_default_network(database: Database) -> None:
    city, county = add(
        database,
        Unit("city", "示例市", UnitLevel.CITY, region="5101"),
        Unit("county", "示例区", UnitLevel.COUNTY, parent="city"),
    )
    assert (city.path, county.path) == ("city", "city/county")
    assert find_unit(database, "county") == county
    assert find_unit(database, "示例市") == city
    (network,) = read_networks(database, "county")
    assert (network.name, network.prefixes, network.scannable) == (DEFAULT_NETWORK, (), True)


def test_units_below_one_are_its_subtree_and_no_namesake(database: Database) -> None:
    units = add(
        database,
        Unit("a", "a", UnitLevel.CITY),
        Unit("a-b", "no child", UnitLevel.CITY),
        Unit("a0", "no child", UnitLevel.CITY),
        Unit("x", "x", parent="a"),
        Unit("校", "y", parent="x"),
    )
    below = read_units(database, units[0])
    assert [one.code for one in below] == ["a", "x", "校"]
    assert [one.code for one in read_units(database)] == ["a", "a-b", "x", "校", "a0", "school"]


def test_unit_with_a_name_of_two_is_found_by_code_only(database: Database) -> None:
    add(database, Unit("one", "同名"), Unit("two", "同名"))
    assert find_unit(database, "同名") is None
    assert find_unit(database, "absent") is None


@pytest.mark.parametrize("code", ["", "a/b", "x" * 101, "line\nbreak", "\x1b[31m"])
def test_unit_with_an_unusable_code_is_refused(database: Database, code: str) -> None:
    with pytest.raises(UsageError, match="a unit code is"):
        add(database, Unit(code, "name"))


def test_unit_that_is_there_or_has_no_parent_is_refused(database: Database) -> None:
    with pytest.raises(UsageError, match="already"):
        add(database, SCHOOL)
    with pytest.raises(UsageError, match="no such unit: 'absent'"):
        add(database, Unit("b", "b", parent="absent"))
    assert len(read_units(database)) == 1


def test_network_is_added_and_then_changed_under_its_id(database: Database) -> None:
    lan = Network(0, "school", "lan", Zone.OFFICE, (ip_network("10.0.0.0/24"), ip_network("2001:db8::/64")))
    (added,) = declare(database, lan)
    assert read_networks(database, "school")[1:] == (added,)
    assert added == replace(lan, id=added.id)
    (changed,) = declare(database, replace(lan, zone=Zone.DORMITORY, scannable=False, prefixes=()))
    assert changed.id == added.id
    assert read_networks(database, "school")[1:] == (changed,)


def test_network_with_a_prefix_of_another_is_refused(database: Database) -> None:
    prefix = ip_network("10.0.0.0/24")
    declare(database, Network(0, "school", "lan", prefixes=(prefix,)))
    with pytest.raises(UsageError, match=r"10\.0\.0\.0/24 belongs to network 'lan'"):
        declare(database, Network(0, "school", "other", prefixes=(prefix,)))
    declare(database, Network(0, "school", "part", prefixes=(ip_network("10.0.0.0/25"),)))
    add(database, Unit("b", "b"))
    declare(database, Network(0, "b", "lan", prefixes=(prefix,)))


def test_plan_is_set_changed_and_told_how_it_went(database: Database) -> None:
    plan = Plan("school", "02:30", "mon,thu", True, "22")
    with database.transaction("tester", NOW, objects=True) as transaction:
        write_plan(transaction, plan)
    assert read_plans(database) == (replace(plan, created=NOW),)
    with database.transaction("tester", LATER) as transaction:
        write_plan_result(transaction, "school", NOW, "x" * 900)
    told = replace(plan, created=NOW, last_due=NOW, last_finished=LATER, last_result="x" * 500)
    assert read_plans(database) == (told,)
    with database.transaction("tester", LATER, objects=True) as transaction:
        write_plan(transaction, replace(plan, enabled=False))
    assert read_plans(database) == (replace(told, enabled=False, created=LATER),)


AUTHORISATION = Authorisation(
    0,
    "school",
    (Target("10.0.0.0/24", ip_network("10.0.0.0/24")), Target("www.school.example", name="www.school.example")),
    "校长办公室",
    "网信〔2026〕7号",
    NOW,
    LATER,
    Level.CHECK,
    allow_loopback=True,
    rate_pps=50,
    excluded=(Target("10.0.0.1/32", ip_network("10.0.0.1/32")),),
)


def test_authorisation_is_read_back_as_it_was_written(database: Database) -> None:
    with database.transaction("tester", NOW, objects=True) as transaction:
        stored = write_authorisation(transaction, AUTHORISATION)
        other = write_authorisation(transaction, replace(AUTHORISATION, unit="other"))
    assert stored == replace(AUTHORISATION, id=stored.id)
    assert read_authorisations(database, "school") == (stored,)
    assert read_authorisations(database) == (stored, other)


def test_authorisation_is_withdrawn_once_and_stays_readable(database: Database) -> None:
    with database.transaction("tester", NOW, objects=True) as transaction:
        stored = write_authorisation(transaction, AUTHORISATION)
    with database.transaction("tester", LATER) as transaction:
        withdraw_authorisation(transaction, stored.id, "why")
    assert read_authorisations(database, "school") == (replace(stored, withdrawn_at=LATER),)
    for number in (stored.id, 99, -1, 10**30):
        with (
            pytest.raises(UsageError, match=f"no authorisation entry {number} in force"),
            database.transaction("tester", LATER) as transaction,
        ):
            withdraw_authorisation(transaction, number, "again")


@pytest.mark.parametrize(
    "entry",
    [
        WhitelistEntry(0, "school", WhitelistKind.DOMAIN, domain="*.school.example", reason="站群"),
        WhitelistEntry(0, "school", WhitelistKind.HOST, addresses=(ip_network("10.0.0.0/24"), ip_network("::/0"))),
        WhitelistEntry(
            0, "school", WhitelistKind.PORT, "", (ip_network("10.0.0.1/32"),), "tcp", PortSet.of_ports([80, 443]),
            "http", "why", "who", "1 号", NOW, LATER,
        ),
    ],
    ids=["domain", "host", "port"],
)  # fmt: skip
def test_whitelist_entry_is_read_back_until_it_is_withdrawn(database: Database, entry: WhitelistEntry) -> None:
    with database.transaction("tester", NOW, objects=True) as transaction:
        stored = write_whitelist_entry(transaction, entry)
    assert read_whitelist(database, "school") == (replace(entry, id=stored.id, created=NOW),)
    assert read_whitelist(database, "other") == ()
    with database.transaction("tester", NOW) as transaction:
        withdraw_whitelist_entry(transaction, stored.id, "why")
    assert read_whitelist(database, "school") == ()
    with (
        pytest.raises(UsageError, match="no whitelist entry"),
        database.transaction("tester", NOW) as transaction,
    ):
        withdraw_whitelist_entry(transaction, stored.id, "why")
