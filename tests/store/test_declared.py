from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from sentinel.errors import StoreError, UsageError
from sentinel.model.register import Exit, KeepOut, Person, RegisterEntry
from sentinel.model.unit import Unit, UnitLevel
from sentinel.store import declared
from sentinel.store.audit import read_audit
from sentinel.store.home import Home
from sentinel.store.register import read_register, reseal_register, write_register
from sentinel.store.seal import Seal
from sentinel.store.units import change_unit, write_unit
from tests.homes import NOW, SCHOOL, opened

SEAL = Seal(bytes(32))
PERSON = Person("张三", "13800001234", "zs@school.example")


def test_contact_when_replaced_or_ended_is_forgotten_and_never_in_the_audit(home: Home) -> None:
    with opened(home.path, server=home.server) as context:
        database = context.database
        for person in (PERSON, Person("李四")):
            with database.transaction("tester", NOW) as transaction:
                stored = declared.write_contact(transaction, "school", "security", person, SEAL)
            assert declared.read_contacts(database, "school", SEAL) == (stored,)
            assert declared.read_contacts(database, "school") == (replace(stored, person=None),)
        assert list(database.query("SELECT length(sealed) FROM contact WHERE ended_us IS NOT NULL")) == [(0,)]
        with database.transaction("tester", NOW) as transaction:
            declared.verify_contact(transaction, stored)
            declared.end_contact(transaction, stored)
        assert declared.read_contacts(database, "school", SEAL) == ()
        told = "".join(f"{row}" for row in read_audit(database.connection, 99))
        assert "contact.end" in told
        assert not any(word in told for word in ("张三", "李四", "138"))


def test_exits_and_answers_when_written_again_take_the_place_of_the_earlier(home: Home) -> None:
    with opened(home.path, server=home.server) as context:
        for last in (1, 2):
            with context.database.transaction("tester", NOW) as transaction:
                stored = declared.write_exit(transaction, Exit(0, "school", "电信", (ip_network(f"203.0.113.{last}"),)))
                declared.write_answer(transaction, "school", "classified", f"{last}")
        assert declared.read_exits(context.database, "school") == (stored,)
        assert declared.read_answers(context.database, "school") == {"classified": "2"}
        with context.database.transaction("tester", NOW) as transaction:
            declared.withdraw_exit(transaction, stored)
        assert declared.read_exits(context.database, "school") == ()


def test_keep_out_when_audited_is_counted_and_not_named(home: Home) -> None:
    with opened(home.path, server=home.server) as context:
        with context.database.transaction("tester", NOW) as transaction:
            wanted = KeepOut(0, "school", (ip_network("10.9.0.0/24"),), "按规定")
            stored = declared.write_keep_out(transaction, wanted)
        assert declared.read_keep_outs(context.database, "school") == (stored,)
        assert "10.9" not in "".join(f"{row}" for row in read_audit(context.database.connection, 99))
        with (
            pytest.raises(UsageError, match="no keep-out 1 in force"),
            context.database.transaction("tester", NOW) as transaction,
        ):
            declared.withdraw_keep_out(transaction, "other", stored.id, "x")
        assert len(declared.read_keep_outs(context.database, "school")) == 1


def test_code_when_changed_opens_what_was_sealed_for_the_old_one(home: Home) -> None:
    entry = RegisterEntry(0, "school", "a.xlsx", "ab" * 32, "Sheet1", 2, system="教务", person=PERSON)
    with opened(home.path, server=home.server) as context:
        database = context.database
        with database.transaction("tester", NOW) as transaction:
            declared.write_contact(transaction, "school", "security", PERSON, SEAL)
            write_register(transaction, [entry], SEAL)
        with database.transaction("tester", NOW) as transaction:
            change_unit(transaction, SCHOOL, replace(SCHOOL, code="4101000001"))
            declared.reseal_contacts(transaction, "school", "4101000001", SEAL)
            reseal_register(transaction, "school", "4101000001", SEAL)
        (contact,) = declared.read_contacts(database, "4101000001", SEAL)
        (line,) = read_register(database, "4101000001", SEAL)
        assert contact.person == line.person == PERSON
        assert read_register(database, "school", SEAL) == ()


def test_code_when_changed_without_the_key_that_opens_a_person_changes_nothing(home: Home) -> None:
    with opened(home.path, server=home.server) as context:
        database = context.database
        with database.transaction("tester", NOW) as transaction:
            declared.write_contact(transaction, "school", "security", PERSON, SEAL)
        for seal in (None, Seal(bytes(31) + b"x")):
            with (
                pytest.raises(StoreError, match="contact key"),
                database.transaction("tester", NOW) as transaction,
            ):
                change_unit(transaction, SCHOOL, replace(SCHOOL, code="4101000001"))
                declared.reseal_contacts(transaction, "school", "4101000001", seal)
        (contact,) = declared.read_contacts(database, "school", SEAL)
        assert contact.person == PERSON


def test_contacts_of_many_units_replace_only_those_that_differ(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
        database = context.database
        with database.transaction("tester", NOW, objects=True) as transaction:
            for code in ("a", "b"):
                write_unit(transaction, Unit(code, code))
        persons = {"a": PERSON, "b": Person("李四")}
        counts = []
        for told in (persons, persons, persons | {"b": Person("王五")}):
            with database.transaction("tester", NOW) as transaction:
                counts.append(declared.write_contacts(transaction, "security", told, SEAL))
                transaction.audit("test", "contacts")
        assert counts == [2, 0, 1]
        (second,) = declared.read_contacts(database, "b", SEAL)
        assert second.person == Person("王五")
        assert [one.person for one in declared.read_contacts(database, "b")] == [None]
        assert list(database.query("SELECT length(sealed) FROM contact WHERE ended_us IS NOT NULL")) == [(0,)]
        with pytest.raises(ValueError, match="without the contact key"), database.transaction("t", NOW) as transaction:
            declared.write_contacts(transaction, "duty", persons, None)


def test_contacts_nobody_verified_for_long_are_listed_the_longest_first_and_below_one_unit(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
        database = context.database
        with database.transaction("tester", NOW, objects=True) as transaction:
            upper = write_unit(transaction, Unit("a", "a", UnitLevel.CITY))
            write_unit(transaction, Unit("a1", "a1", parent="a"))
            write_unit(transaction, Unit("a0", "a0", UnitLevel.CITY))
        for days, unit in ((30, "school"), (20, "a1"), (10, "a0"), (0, "a")):
            with database.transaction("tester", NOW - timedelta(days=days)) as transaction:
                declared.write_contact(transaction, unit, "security", PERSON, SEAL)
        before = NOW - timedelta(days=5)
        assert [one.unit for one in declared.read_stale_contacts(database, before)] == ["school", "a1", "a0"]
        (below,) = declared.read_stale_contacts(database, before, upper, SEAL)
        assert (below.unit, below.person) == ("a1", PERSON)
        with database.transaction("tester", NOW) as transaction:
            declared.verify_contact(transaction, below)
        assert declared.read_stale_contacts(database, before, upper) == ()
