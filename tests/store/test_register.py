from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from sentinel.model.ports import parse_ranges
from sentinel.model.register import Person, RegisterEntry
from sentinel.store.home import Home
from sentinel.store.register import read_register, withdraw_register, write_register
from sentinel.store.seal import make_seal
from tests.homes import NOW, opened

ENTRY = RegisterEntry(
    id=0,
    unit="school",
    source="台账.xlsx",
    source_sha256="ab" * 32,
    sheet="服务器",
    row=4,
    system="教务系统",
    addresses=(ip_network("10.1.0.7"), ip_network("2001:db8::/64")),
    domains=("jw.school.example",),
    ports=(("tcp", parse_ranges("80,443")), ("udp", parse_ranges("53"))),
    department="教务处",
    person=Person("某人", "13800000000", "a@school.example"),
    mlps_level="二级",
    valid_to=NOW + timedelta(days=1),
)


def test_register_line_when_written_is_read_the_same_with_the_seal(home: Home, tmp_path: Path) -> None:
    seal = make_seal(tmp_path / "key")
    with opened(home.path, server=home.server) as context:
        with context.database.transaction("tester", NOW) as transaction:
            (written,) = write_register(transaction, [ENTRY], seal)
            transaction.audit("register.add", "test")
        assert read_register(context.database, "school", seal) == (written,)
        assert written == replace(ENTRY, id=written.id, imported_at=NOW)
        assert read_register(context.database, "school") == (replace(written, person=None),)
    for file in home.var.rglob("*"):
        if file.is_file():
            assert b"13800000000" not in file.read_bytes()


def test_register_line_with_a_person_without_a_seal_is_refused(home: Home) -> None:
    with (
        opened(home.path, server=home.server) as context,
        pytest.raises(ValueError, match="without the contact key"),
        context.database.transaction("tester", NOW) as transaction,
    ):
        write_register(transaction, [ENTRY], None)


def test_register_line_when_withdrawn_is_no_longer_read_and_stays(home: Home) -> None:
    with opened(home.path, server=home.server) as context:
        with context.database.transaction("tester", NOW) as transaction:
            one, two = write_register(
                transaction, [replace(ENTRY, person=Person()), replace(ENTRY, person=Person(), row=5)], None
            )
            withdraw_register(transaction, [one.id])
            transaction.audit("register.withdraw", "test")
        assert read_register(context.database, "school") == (two,)
        assert context.database.one("SELECT count(*) FROM register") == (2,)
