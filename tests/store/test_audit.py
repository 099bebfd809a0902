from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from sentinel.errors import StoreError
from sentinel.model.plan import Plan
from sentinel.model.ports import PortSet
from sentinel.model.scope import Authorisation, Level, Target
from sentinel.model.unit import Network, Unit, Zone
from sentinel.model.whitelist import WhitelistEntry, WhitelistKind
from sentinel.store.audit import AuditEntry, find_broken_link, read_audit
from sentinel.store.database import Database, Transaction
from sentinel.store.scopes import (
    withdraw_authorisation,
    withdraw_whitelist_entry,
    write_authorisation,
    write_whitelist_entry,
)
from sentinel.store.units import write_network, write_plan, write_plan_result, write_unit
from tests.homes import NOW

AUTHORISATION = Authorisation(
    0, "school", (Target("10.0.0.0/8", ip_network("10.0.0.0/8")),), "校长办公室", "1 号", NOW, NOW, Level.SERVICE
)
ENTRY = WhitelistEntry(
    0, "school", WhitelistKind.PORT, addresses=(ip_network("10.0.0.1/32"),), proto="tcp", ports=PortSet.of_ports([80])
)

WRITES: list[tuple[str, Callable[[Transaction], object]]] = [
    ("unit.add", lambda transaction: write_unit(transaction, Unit("b", "另一所"))),
    ("network.add", lambda transaction: write_network(transaction, Network(0, "school", "lan", Zone.OFFICE))),
    ("scope.authorise", lambda transaction: write_authorisation(transaction, AUTHORISATION)),
    ("whitelist.add", lambda transaction: write_whitelist_entry(transaction, ENTRY)),
    ("plan.set", lambda transaction: write_plan(transaction, Plan("school", "02:30"))),
    ("cycle.run", lambda transaction: write_plan_result(transaction, "school", NOW, "ok")),
]


def entries(database: Database) -> list[AuditEntry]:
    return list(read_audit(database.connection, 100))


def note(database: Database, *subjects: str) -> None:
    for subject in subjects:
        with database.transaction("tester", NOW) as transaction:
            transaction.audit("note", subject, before={"a": 1}, after=["乙"])


def drop_trigger(database: Database, name: str) -> None:
    on_table = "" if isinstance(database.path, Path) else " ON audit"
    database.connection.execute(f"DROP TRIGGER {name}{on_table}")


@pytest.mark.parametrize(("action", "write"), WRITES, ids=[action for action, _ in WRITES])
def test_write_always_leaves_a_row_that_says_who_did_what_when(
    database: Database, action: str, write: Callable[[Transaction], object]
) -> None:
    before = len(entries(database))
    with database.transaction("tester", NOW, objects=True) as transaction:
        write(transaction)
    newest, *older = entries(database)
    assert len(older) == before
    assert (newest.action, newest.actor, newest.at) == (action, "tester", NOW)
    assert newest.after
    assert find_broken_link(database.connection) is None


def test_withdrawing_leaves_a_row_with_the_reason(database: Database) -> None:
    with database.transaction("tester", NOW, objects=True) as transaction:
        paper = write_authorisation(transaction, AUTHORISATION)
        entry = write_whitelist_entry(transaction, ENTRY)
    with database.transaction("tester", NOW) as transaction:
        withdraw_authorisation(transaction, paper.id, "考试周")
        withdraw_whitelist_entry(transaction, entry.id, "已停用")
    second, first, *_ = entries(database)
    assert (first.action, first.subject) == ("scope.withdraw", f"authorisation {paper.id}")
    assert "考试周" in first.after
    assert (second.action, second.subject) == ("whitelist.withdraw", f"whitelist {entry.id}")


def test_changing_a_network_tells_what_it_was(database: Database) -> None:
    lan = Network(0, "school", "lan", Zone.OFFICE, (ip_network("10.0.0.0/24"),))
    with database.transaction("tester", NOW, objects=True) as transaction:
        write_network(transaction, lan)
        write_network(transaction, replace(lan, zone=Zone.EXAM))
    newest = entries(database)[0]
    assert newest.action == "network.change"
    assert '"office"' in newest.before
    assert '"exam"' in newest.after


def test_audit_is_read_newest_first(database: Database) -> None:
    note(database, "one", "two", "three")
    newest = list(read_audit(database.connection, 2))
    assert [one.subject for one in newest] == ["three", "two"]
    assert (newest[0].before, newest[0].after) == ('{"a": 1}', '["乙"]')
    assert newest[0].id == newest[1].id + 1


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor='nobody'", "DELETE FROM audit WHERE id=1"])
def test_audit_can_neither_be_changed_nor_deleted(database: Database, statement: str) -> None:
    with pytest.raises(StoreError, match="append-only"):
        database.one(statement)
    with pytest.raises(StoreError, match="append-only"), database.transaction("tester", NOW) as transaction:
        transaction.audit("note", "a cover")
        transaction.execute(statement)
    assert find_broken_link(database.connection) is None


@pytest.mark.parametrize("statement", ["UPDATE finding_event SET reason=''", "DELETE FROM finding_event"])
def test_events_of_findings_can_neither_be_changed_nor_deleted(database: Database, statement: str) -> None:
    database.connection.execute(
        "INSERT INTO finding_event (finding, at_us, actor, before, after, reason) VALUES (1,0,'a','','open','new')"
    )
    with pytest.raises(StoreError, match="append-only"):
        database.one(statement)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at_us", 5),
        ("actor", "nobody"),
        ("action", "x"),
        ("object", "x"),
        ("before", "x"),
        ("after", "x"),
        ("hash", "x"),
    ],
)
def test_row_changed_behind_the_triggers_is_found(database: Database, column: str, value: object) -> None:
    note(database, "one", "two", "three")
    newest = entries(database)[1].id
    drop_trigger(database, "audit_no_update")
    database.connection.execute(f"UPDATE audit SET {column}=? WHERE id=?", (value, newest))
    assert find_broken_link(database.connection) == newest


def test_row_removed_behind_the_triggers_is_found_at_the_next(database: Database) -> None:
    note(database, "one", "two", "three")
    middle = entries(database)[1].id
    drop_trigger(database, "audit_no_delete")
    database.connection.execute("DELETE FROM audit WHERE id=?", (middle,))
    assert find_broken_link(database.connection) == middle + 1


def test_row_put_in_with_a_foreign_hash_is_found(database: Database) -> None:
    note(database, "one")
    database.connection.execute(
        "INSERT INTO audit (id, at_us, actor, action, object, before, after, previous, hash) "
        "SELECT max(id)+1, 0,'','','','','','','' FROM audit"
    )
    assert find_broken_link(database.connection) == entries(database)[0].id


def test_chain_of_an_empty_audit_is_whole(database: Database) -> None:
    drop_trigger(database, "audit_no_delete")
    database.connection.execute("DELETE FROM audit")
    assert find_broken_link(database.connection) is None
