"""Public prefixes have one owner at a time; private ones repeat in every school and never meet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest

from sentinel.errors import UsageError
from sentinel.model.nat import NatPool
from sentinel.model.unit import Network, Unit, UnitLevel, Zone
from sentinel.store.audit import read_audit
from sentinel.store.database import Database
from sentinel.store.nat_pools import read_nat_pools, withdraw_nat_pool, write_nat_pool
from sentinel.store.ownership import correct_claims, find_declared, find_owners, read_owned
from sentinel.store.units import read_networks, remove_network, write_network, write_unit
from tests.homes import NOW

DAY = timedelta(days=1)


@pytest.fixture
def two(database: Database) -> Database:
    """A second school, and a department of the first."""
    with database.transaction("tester", NOW, objects=True) as transaction:
        write_unit(transaction, Unit("other", "另一学校"))
        write_unit(transaction, Unit("room", "信息处", UnitLevel.DEPARTMENT, parent="school"))
    return database


def declare(
    database: Database, unit: str, *prefixes: str, name: str = "n", days_ago: float | None = None, day: float = 0
) -> Network:
    network = Network(0, unit, name, Zone.DMZ, tuple(map(ip_network, prefixes)))
    since = None if days_ago is None else NOW - days_ago * DAY
    with database.transaction("tester", NOW + day * DAY, objects=True) as transaction:
        return write_network(transaction, network, since)


def owners(database: Database, address: str, days: float = 0) -> list[tuple[str, str]]:
    found = find_owners(database, ip_address(address), NOW + days * DAY)
    return [(one.unit, str(one.prefix)) for one in found]


@pytest.mark.parametrize(
    "prefix", ["10.0.0.0/8", "192.168.1.0/24", "100.64.0.0/10", "fd00::/48", "169.254.0.0/16", "fe80::/64"]
)
def test_private_ranges_of_different_schools_never_meet(two: Database, prefix: str) -> None:
    declare(two, "school", prefix)
    declare(two, "other", prefix)
    first = ip_network(prefix)[1]
    assert find_owners(two, first, NOW) == ()
    assert [(unit, network) for unit, _, network, _ in find_declared(two, first)] == [("other", "n"), ("school", "n")]
    ids = {one.id for unit in ("school", "other") for one in read_networks(two, unit) if one.name == "n"}
    assert len(ids) == 2


@pytest.mark.parametrize("second", ["203.0.113.0/24", "203.0.113.128/25", "203.0.112.0/23", "203.0.113.7/32"])
def test_public_range_of_another_unit_is_refused_naming_it(two: Database, second: str) -> None:
    declare(two, "school", "203.0.113.0/24")
    with pytest.raises(UsageError, match=r"203\.0\.113\.0/24 belongs to unit school \(network 'n'\)"):
        declare(two, "other", second)
    assert [one.name for one in read_networks(two, "other")] == ["default"]
    declare(two, "other", "203.0.114.0/24")


def test_range_that_is_partly_public_counts_as_public(two: Database) -> None:
    declare(two, "school", "172.32.0.0/16")
    with pytest.raises(UsageError, match="belongs to unit school"):
        declare(two, "other", "172.0.0.0/8")


def test_department_may_own_a_part_of_its_school_s_range_and_the_longest_prefix_comes_first(two: Database) -> None:
    declare(two, "school", "203.0.113.0/24")
    declare(two, "room", "203.0.113.16/28")
    assert owners(two, "203.0.113.17") == [("room", "203.0.113.16/28"), ("school", "203.0.113.0/24")]
    with pytest.raises(UsageError, match="belongs to unit"):
        declare(two, "room", "203.0.113.0/24", name="same")
    with pytest.raises(UsageError, match="belongs to unit"):
        declare(two, "other", "203.0.113.16/29")


def test_owner_is_told_by_date_when_a_range_changes_hands(two: Database) -> None:
    network = declare(two, "school", "203.0.113.0/24", days_ago=100)
    default = read_networks(two, "school")[0]
    with two.transaction("tester", NOW, objects=True) as transaction:
        remove_network(transaction, network, default)
    with pytest.raises(UsageError, match="until 2026-11-22"):
        declare(two, "other", "203.0.113.0/24", days_ago=5, day=1)
    declare(two, "other", "203.0.113.0/25", day=1)
    assert owners(two, "203.0.113.1", -101) == []
    assert owners(two, "203.0.113.1", -1) == [("school", "203.0.113.0/24")]
    assert owners(two, "203.0.113.1", 0.5) == []
    assert owners(two, "203.0.113.1", 2) == [("other", "203.0.113.0/25")]
    assert [one.valid_to for one in read_owned(two, "school")] == [NOW]


def test_network_declared_again_keeps_its_owner_s_dates_and_ends_what_it_leaves_out(two: Database) -> None:
    declare(two, "school", "203.0.113.0/25", "2001:db8::/48", days_ago=9)
    declare(two, "school", "203.0.113.0/25", days_ago=None, day=1)
    assert owners(two, "203.0.113.1", -8) == [("school", "203.0.113.0/25")]
    assert owners(two, "2001:db8::1", 0) == [("school", "2001:db8::/48")]
    assert owners(two, "2001:db8::1", 2) == []


def test_claim_that_begins_in_the_future_is_refused(two: Database) -> None:
    with pytest.raises(UsageError, match="lies in the future"):
        declare(two, "school", "203.0.113.0/24", days_ago=-1)


def correct(database: Database, unit: str, *prefixes: str, days_ago: float, name: str = "n") -> None:
    network = next(one for one in read_networks(database, unit) if one.name == name)
    with database.transaction("tester", NOW) as transaction:
        correct_claims(transaction, network, map(ip_network, prefixes), NOW - days_ago * DAY)


def test_wrong_first_day_of_a_range_is_corrected_to_an_earlier_and_a_later_one(two: Database) -> None:
    declare(two, "school", "203.0.113.0/25", "203.0.113.128/25", days_ago=9)
    correct(two, "school", "203.0.113.0/25", days_ago=20)
    assert owners(two, "203.0.113.1", -15) == [("school", "203.0.113.0/25")]
    assert owners(two, "203.0.113.129", -15) == []
    entry = next(iter(read_audit(two.connection, 1)))
    assert (entry.action, entry.subject) == ("network.correct", "network school/n")
    assert "2026-11-13" in str(entry.before)
    assert "2026-11-02" in str(entry.after)
    correct(two, "school", "203.0.113.0/25", "203.0.113.128/25", days_ago=3)
    assert owners(two, "203.0.113.1", -15) == owners(two, "203.0.113.129", -4) == []
    assert [one.valid_from for one in read_owned(two, "school")] == [NOW - 3 * DAY] * 2


def test_correction_that_takes_what_another_unit_owned_or_is_to_come_is_refused_and_changes_nothing(
    two: Database,
) -> None:
    network = declare(two, "other", "203.0.113.0/24", days_ago=30)
    with two.transaction("tester", NOW - 10 * DAY, objects=True) as transaction:
        remove_network(transaction, network, read_networks(two, "other")[0])
    declare(two, "school", "203.0.113.0/25", "10.0.0.0/8", days_ago=5)
    with pytest.raises(UsageError, match=r"belongs to unit other .* until 2026-11-12"):
        correct(two, "school", "203.0.113.0/25", days_ago=20)
    with pytest.raises(UsageError, match="lies in the future"):
        correct(two, "school", "203.0.113.0/25", days_ago=-1)
    with pytest.raises(UsageError, match="no dated owner"):
        correct(two, "school", "10.0.0.0/8", days_ago=7)
    with pytest.raises(UsageError, match="no prefix of network 'n'"):
        correct(two, "school", "203.0.113.0/26", days_ago=7)
    assert [one.valid_from for one in read_owned(two, "school")] == [NOW - 5 * DAY]
    correct(two, "school", "203.0.113.0/25", days_ago=10)
    assert owners(two, "203.0.113.1", -9) == [("school", "203.0.113.0/25")]


def test_correction_over_an_earlier_entry_of_the_same_unit_tells_one_owner(two: Database) -> None:
    network = declare(two, "school", "203.0.113.0/25", days_ago=9)
    with two.transaction("tester", NOW - 2 * DAY, objects=True) as transaction:
        remove_network(transaction, network, read_networks(two, "school")[0])
    declare(two, "school", "203.0.113.0/25")
    correct(two, "school", "203.0.113.0/25", days_ago=20)
    assert owners(two, "203.0.113.1", -5) == owners(two, "203.0.113.1", -15) == [("school", "203.0.113.0/25")]
    assert [one.valid_to for one in find_owners(two, ip_address("203.0.113.1"), NOW - 5 * DAY)] == [None]


def test_pool_is_written_read_changed_and_ended(two: Database) -> None:
    pool = NatPool(0, "school", "池", (ip_network("203.0.113.0/28"),), (ip_network("10.0.0.0/8"),), 512)
    with two.transaction("tester", NOW) as transaction:
        write_nat_pool(transaction, NatPool(0, "school", "池", pool.outside))
    with two.transaction("tester", NOW) as transaction:
        stored = write_nat_pool(transaction, pool)
    assert read_nat_pools(two, "school") == (stored,)
    assert (stored.block_ports, stored.inside) == (512, pool.inside)
    with (
        pytest.raises(UsageError, match="belongs to NAT pool '池' already"),
        two.transaction("tester", NOW) as transaction,
    ):
        write_nat_pool(transaction, NatPool(0, "school", "二", (ip_network("203.0.113.3/32"),)))
    with two.transaction("tester", NOW) as transaction:
        withdraw_nat_pool(transaction, "school", "池")
    assert read_nat_pools(two, "school") == ()
    with pytest.raises(UsageError, match="no NAT pool"), two.transaction("tester", NOW) as transaction:
        withdraw_nat_pool(transaction, "school", "池")


def test_networks_that_declared_an_address_when_asked_are_compared_in_the_database(
    two: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of tens of thousands of networks only those that match come here."""
    with two.transaction("tester", NOW, objects=True) as transaction:
        for number in range(30):
            write_network(
                transaction, Network(0, "school", f"n{number}", Zone.OFFICE, (ip_network(f"10.9.{number}.0/24"),))
            )
    rows: list[object] = []
    query = Database.query

    def counted(self: Database, statement: str, values: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
        for row in query(self, statement, values):
            rows.append(row)
            yield row

    monkeypatch.setattr(Database, "query", counted)
    assert [network for _, _, network, _ in find_declared(two, ip_address("10.9.7.1"))] == ["n7"]
    assert len(rows) == 1
