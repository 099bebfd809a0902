"""The ways of writing rows, on both kinds of database, and how a statement is written for each."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentinel.errors import StoreError
from sentinel.store.database import Database
from sentinel.store.engine import Upsert, translate
from sentinel.store.keys import address_key
from tests.homes import NOW

COLUMNS = ("network", "address", "mac", "vendor", "os", "in_scope", "first_seen_us", "last_seen_us", "place")
KEY = ("network", "address")
LATER = {
    "mac": "CASE WHEN excluded.mac!='' THEN excluded.mac ELSE host.mac END",
    "last_seen_us": "CASE WHEN excluded.last_seen_us>host.last_seen_us THEN excluded.last_seen_us "
    "ELSE host.last_seen_us END",
}
Host = tuple[int, str, str, str, str, bool, int, int, bytes]


def host(number: int, mac: str = "", at: int = 5) -> Host:
    address = f"10.0.{number // 256}.{number % 256}"
    return (1, address, mac, "示例", "", True, at, at, address_key(address))


def hosts(database: Database) -> dict[str, tuple[object, ...]]:
    rows = database.query("SELECT address, mac, vendor, in_scope, first_seen_us, last_seen_us FROM host")
    return {row[0]: (row[1], row[2], bool(row[3]), *row[4:]) for row in rows}


def upsert(database: Database, rows: Iterator[Host] | list[Host], change: dict[str, str] | None = None) -> None:
    with database.transaction("tester", NOW) as transaction:
        transaction.upsert("host", COLUMNS, KEY, rows, change)
        transaction.audit("test", "hosts")


@pytest.mark.parametrize("count", [1, 63, 64, 3_000])
def test_upsert_when_rows_are_new_adds_and_when_they_are_there_changes_them(database: Database, count: int) -> None:
    upsert(database, [host(number, "aa") for number in range(count)])
    upsert(database, iter([host(number, at=9) for number in range(count)]), LATER)
    assert hosts(database) == {host(number)[1]: ("aa", "示例", True, 5, 9) for number in range(count)}


def test_upsert_without_a_change_takes_every_new_value_and_with_none_keeps_the_old(database: Database) -> None:
    upsert(database, [host(1, "aa", 5)])
    upsert(database, [host(1, "bb", 9)])
    assert hosts(database)["10.0.0.1"] == ("bb", "示例", True, 9, 9)
    upsert(database, [host(1, "cc", 11)], {})
    assert hosts(database)["10.0.0.1"] == ("bb", "示例", True, 9, 9)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 90), st.sampled_from(["", "aa", "bb"]), st.integers(0, 50)), min_size=1, max_size=250
    )
)
def test_upsert_of_any_rows_always_gives_what_one_after_another_gives(
    database: Database, said: list[tuple[int, str, int]]
) -> None:
    with database.transaction("tester", NOW) as transaction:
        transaction.execute("DELETE FROM host")
        transaction.audit("test", "empty")
    upsert(database, [host(*one) for one in said], LATER)
    wanted: dict[str, tuple[str, int, int]] = {}
    for number, mac, at in said:
        address = host(number)[1]
        before = wanted.get(address)
        wanted[address] = (mac or before[0], before[1], max(before[2], at)) if before else (mac, at, at)
    assert {key: (row[0], row[3], row[4]) for key, row in hosts(database).items()} == wanted


def test_upsert_into_two_tables_of_one_transaction_keeps_them_apart(database: Database) -> None:
    with database.transaction("tester", NOW) as transaction:
        for first in (0, 100):
            transaction.upsert("host", COLUMNS, KEY, [host(first + number) for number in range(100)])
            transaction.upsert(
                "name",
                ("network", "address", "name", "source", "first_seen_us", "last_seen_us"),
                ("network", "address", "name"),
                [(1, "10.0.0.1", f"n{first + number}", "dns", 1, 1) for number in range(100)],
            )
        transaction.audit("test", "both")
    assert database.one("SELECT (SELECT count(*) FROM host), (SELECT count(*) FROM name)") == (200, 200)


@pytest.mark.parametrize("count", [2, 500])
def test_insert_many_adds_rows_and_refuses_one_that_is_there(database: Database, count: int) -> None:
    rows = [host(number) for number in range(count)]
    with database.transaction("tester", NOW) as transaction:
        transaction.insert_many("host", COLUMNS, rows)
        transaction.audit("test", "hosts")
    assert len(hosts(database)) == count
    with (
        pytest.raises(StoreError, match=r"(?i)unique constraint") as caught,
        database.transaction("tester", NOW) as transaction,
    ):
        transaction.audit("test", "hosts")
        transaction.insert_many("host", COLUMNS, [host(count), *rows])
    assert "\n" not in str(caught.value)
    assert len(hosts(database)) == count


def test_bulk_rows_without_an_audit_row_are_refused(database: Database) -> None:
    with pytest.raises(StoreError, match="without an audit row"), database.transaction("tester", NOW) as transaction:
        transaction.insert_many("host", COLUMNS, [host(number) for number in range(100)])
    assert hosts(database) == {}


def test_rows_that_come_from_a_question_to_the_same_connection_arrive(database: Database) -> None:
    upsert(database, [host(number) for number in range(300)])
    with database.transaction("tester", NOW) as transaction:
        named = ((1, address, "n", "dns", 1, 1) for (address,) in transaction.execute("SELECT address FROM host"))
        columns = ("network", "address", "name", "source", "first_seen_us", "last_seen_us")
        transaction.upsert("name", columns, columns[:3], named)
        transaction.execute_many(
            "UPDATE host SET os=? WHERE address=?",
            (("Linux", address) for (address,) in transaction.execute("SELECT address FROM host")),
        )
        transaction.audit("test", "names")
    row = database.one("SELECT (SELECT count(*) FROM name), (SELECT count(*) FROM host WHERE os='Linux')")
    assert row == (300, 300)


@pytest.mark.parametrize("count", [1, 200])
def test_hostile_text_never_breaks_a_write(database: Database, count: int) -> None:
    banner = "\x00SSH\x00 %s %% ? \\. \\N \t\n\r ';DROP TABLE host;-- {0} \ud7ff\U0001f4a9 \u202e"
    rows = [(*host(number)[:3], banner, banner, *host(number)[5:]) for number in range(count)]
    upsert(database, rows)
    with database.transaction("tester", NOW) as transaction:
        transaction.execute("UPDATE host SET os=? WHERE os=?", (banner, banner))
        transaction.audit("test", banner)
    kept = {(row[0], row[1]) for row in database.query("SELECT vendor, os FROM host")}
    ((vendor, system),) = kept
    assert vendor == system
    assert vendor.replace("\ufffd", "\x00") == banner


@pytest.mark.parametrize(
    ("statement", "values", "row"),
    [
        ("SELECT ?", (2**40,), (2**40,)),
        ("SELECT sum(size_bytes) FROM evidence", (), (None,)),
        ("SELECT 'a?b%c' || CAST(? AS TEXT)", ("?",), ("a?b%c?",)),
        ("SELECT 1 WHERE 'x%y' LIKE 'x\\%y' ESCAPE '\\' AND ?='?'", ("?",), (1,)),
        ("SELECT count(*) FROM host WHERE network=?", (2**62,), (0,)),
    ],
)
def test_values_come_and_go_alike(
    database: Database, statement: str, values: tuple[object, ...], row: tuple[object, ...]
) -> None:
    assert database.one(statement, values) == row


def test_sum_of_large_numbers_is_a_whole_number(database: Database) -> None:
    upsert(database, [host(1, at=2**61), host(2, at=3)])
    row = database.one("SELECT sum(last_seen_us), avg(last_seen_us*0+1.5) FROM host")
    assert row == (2**61 + 3, 1.5)
    assert (type(row[0]), type(row[1])) == (int, float)


def test_text_sorts_by_its_bytes_on_both(database: Database) -> None:
    names = ["b", "a", "B", "A", "_", "10", "9", "校", "é", "z z", "zz"]
    upsert(database, [(1, name, "", "", "", True, 1, 1, name.encode()) for name in names])
    found = [row[0] for row in database.query("SELECT address FROM host ORDER BY address")]
    assert found == sorted(names, key=str.encode)


@pytest.mark.parametrize(
    ("statement", "written"),
    [
        ("SELECT ?", "SELECT %s"),
        ("SELECT '?', \"?\", ?", "SELECT '?', \"?\", %s"),
        ("SELECT 'it''s ?' || ?", "SELECT 'it''s ?' || %s"),
        ("SELECT a % 2, '50%'", "SELECT a %% 2, '50%%'"),
    ],
)
def test_marks_outside_of_texts_are_written_for_the_driver(statement: str, written: str) -> None:
    assert translate(statement) == written


def test_upsert_is_one_statement_with_its_names_in_quotes() -> None:
    change = Upsert("order_item", ("order", "finding", "position"), ("order", "finding"))
    assert change.statement == (
        'INSERT INTO "order_item" ("order", "finding", "position") VALUES (?,?,?) '
        'ON CONFLICT ("order", "finding") DO UPDATE SET "position"=excluded."position"'
    )


def test_home_in_a_file_loads_neither_the_driver_nor_the_object_mapper() -> None:
    program = (
        "import sys; import sentinel.schedule.context, sentinel.store.backup, sentinel.store.restore; "
        "print([one for one in ('psycopg', 'sqlalchemy') if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
