"""The two closings, the persons who answer for findings, and what was handed in."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.model.finding import Closing, ClosingKind, Finding, FindingState
from sentinel.model.register import Person
from sentinel.store.closings import (
    forget_finding_persons,
    has_unopened_finding,
    read_closings,
    read_finding_evidence,
    read_finding_person,
    read_newest_look,
    read_oldest_person,
    write_closing,
    write_finding_evidence,
    write_finding_person,
)
from sentinel.store.database import Database
from sentinel.store.restore import sealed_rows
from sentinel.store.seal import Seal, make_seal
from tests.homes import NOW
from tests.store.test_findings import finding, store

PERSON = Person("张三", "13800001234", "")
RETEST = Closing(ClosingKind.RETEST, False, NOW, "信息中心", "e" * 64, "复测单 1", "还在", "tester")
ISSUED = Closing(ClosingKind.ISSUER, True, NOW, "示例市教育局", actor="tester", exercise="演练一")


@pytest.fixture
def seal(tmp_path: Path) -> Seal:
    return make_seal(tmp_path / "key" / "contact.key")


def name_person(database: Database, one: Finding, person: Person, seal: Seal | None) -> None:
    with database.transaction("tester", NOW) as transaction:
        write_finding_person(transaction, one, person, seal)
        transaction.audit("finding.add", f"finding {one.number}")


def test_closings_are_read_back_in_their_order_failed_ones_too(database: Database) -> None:
    one, other = store(database, finding("a"), finding("b"))
    with database.transaction("tester", NOW) as transaction:
        write_closing(transaction, one.id, RETEST)
        write_closing(transaction, one.id, ISSUED)
        transaction.audit("finding.close", f"finding {one.number}")
    assert read_closings(database, one.id) == (RETEST, ISSUED)
    assert read_closings(database, other.id) == ()


def test_person_of_a_finding_is_sealed_and_opens_with_the_key_alone(database: Database, seal: Seal) -> None:
    one, other = store(database, finding("a"), finding("b"))
    name_person(database, one, PERSON, seal)
    assert read_finding_person(database, one, seal) == PERSON
    assert read_finding_person(database, one) is None
    assert read_finding_person(database, one, Seal(b"x" * 32)) is None
    assert read_finding_person(database, other) == Person()
    written = [row for table in database.engine.tables_with("id") for row in database.query(f'SELECT * FROM "{table}"')]
    assert written
    assert "张三" not in repr(written)
    assert not any("张三".encode() in cell for row in written for cell in row if isinstance(cell, bytes))
    assert has_unopened_finding(database, None)
    assert not has_unopened_finding(database, seal)
    assert sealed_rows(database) == 1


def test_person_when_there_is_no_seal_is_not_stored(database: Database) -> None:
    (one,) = store(database, finding())
    with pytest.raises(ValueError, match="contact key"):
        name_person(database, one, PERSON, None)
    assert not has_unopened_finding(database, None)


def test_person_stays_when_the_finding_moves_on(database: Database, seal: Seal) -> None:
    (one,) = store(database, finding())
    name_person(database, one, PERSON, seal)
    store(database, one, reason="again")
    assert read_finding_person(database, one, seal) == PERSON


def test_persons_of_closed_findings_are_forgotten_on_time_and_no_others(database: Database, seal: Seal) -> None:
    old = NOW - timedelta(days=400)
    kinds = {
        "gone": finding("gone", state=FindingState.VERIFIED, closed_at=old),
        "recent": finding("recent", state=FindingState.CLOSED, closed_at=NOW),
        "waiting": finding("waiting", state=FindingState.AWAITING, closed_at=old),
        "live": finding("live"),
    }
    stored = dict(zip(kinds, store(database, *kinds.values()), strict=True))
    for one in stored.values():
        name_person(database, one, PERSON, seal)
    assert read_oldest_person(database) == old
    with database.transaction("tester", NOW) as transaction:
        assert forget_finding_persons(transaction, NOW - timedelta(days=365)) == 1
        transaction.audit("data.purge", "1")
    left = {name for name, one in stored.items() if read_finding_person(database, one, seal) == PERSON}
    assert left == {"recent", "waiting", "live"}


def test_files_handed_in_are_kept_once_and_in_order(database: Database) -> None:
    (one,) = store(database, finding())
    for number, sha in enumerate(("b" * 64, "a" * 64, "b" * 64)):
        with database.transaction("tester", NOW + timedelta(hours=number)) as transaction:
            write_finding_evidence(transaction, one.id, sha)
            transaction.audit("finding.add", "x")
    assert read_finding_evidence(database, one.id) == ("b" * 64, "a" * 64)


def test_newest_look_when_nothing_was_scanned_is_none(database: Database) -> None:
    assert read_newest_look(database, "school") == ""
