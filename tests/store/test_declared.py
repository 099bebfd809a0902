from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from sentinel.errors import StoreError, UsageError
from sentinel.model.register import Exit, KeepOut, Person, RegisterEntry
from sentinel.store import declared
from sentinel.store.audit import read_audit
from sentinel.store.register import read_register, reseal_register, write_register
from sentinel.store.seal import Seal
from sentinel.store.units import change_unit
from tests.homes import NOW, SCHOOL, opened

SEAL = Seal(bytes(32))
PERSON = Person("张三", "13800001234", "zs@school.example")


def test_contact_when_replaced_or_ended_is_forgotten_and_never_in_the_audit(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
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


def test_exits_and_answers_when_written_again_take_the_place_of_the_earlier(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
        for last in (1, 2):
            with context.database.transaction("tester", NOW) as transaction:
                stored = declared.write_exit(transaction, Exit(0, "school", "电信", (ip_network(f"203.0.113.{last}"),)))
                declared.write_answer(transaction, "school", "classified", f"{last}")
        assert declared.read_exits(context.database, "school") == (stored,)
        assert declared.read_answers(context.database, "school") == {"classified": "2"}
        with context.database.transaction("tester", NOW) as transaction:
            declared.withdraw_exit(transaction, stored)
        assert declared.read_exits(context.database, "school") == ()


def test_keep_out_when_audited_is_counted_and_not_named(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
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


def test_code_when_changed_opens_what_was_sealed_for_the_old_one(tmp_path: Path) -> None:
    entry = RegisterEntry(0, "school", "a.xlsx", "ab" * 32, "Sheet1", 2, system="教务", person=PERSON)
    with opened(tmp_path / "home") as context:
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


def test_code_when_changed_without_the_key_that_opens_a_person_changes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
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
