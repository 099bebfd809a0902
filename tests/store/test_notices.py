"""Notices and their links to findings, many to many."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sentinel.errors import UsageError
from sentinel.model.finding import Disclosure
from sentinel.model.notice import Direction, Notice, NoticeKind
from sentinel.model.rule import Severity
from sentinel.store.database import Database
from sentinel.store.notices import (
    count_notice_findings,
    find_notice,
    link_finding,
    read_notice_findings,
    read_notices,
    read_notices_of,
    unlink_finding,
    write_notice,
)
from tests.homes import NOW
from tests.store.test_findings import finding, store

NOTICE = Notice(
    0,
    "school",
    "示教信函〔2026〕7号",
    "示例市教育局",
    "关于漏洞的通报",
    NoticeKind.HUNT,
    Direction.IN,
    NOW,
    NOW + timedelta(hours=1),
    NOW + timedelta(days=9),
    "e" * 64,
    Disclosure.RESTRICTED,
    "演练一",
)


def add(database: Database, notice: Notice = NOTICE) -> Notice:
    with database.transaction("tester", NOW) as transaction:
        return write_notice(transaction, notice)


def test_notice_when_read_back_is_what_was_written(database: Database) -> None:
    stored = add(database)
    bare = add(database, Notice(0, "school", "8号", "示例省教育厅", "通报", direction=Direction.OUT))
    assert stored == replace(NOTICE, id=1)
    assert list(read_notices(database, "school")) == [bare, stored]
    assert list(read_notices(database, "other")) == []


@pytest.mark.parametrize(
    ("reference", "found"), [("示教信函〔2026〕7号", True), ("1", True), ("2", False), ("9" * 40, False)]
)
def test_notice_is_found_by_number_or_row_in_its_unit_only(database: Database, reference: str, found: bool) -> None:
    add(database)
    assert (find_notice(database, "school", reference) is not None) == found
    assert find_notice(database, "other", reference) is None


def test_notice_of_the_same_issuer_and_number_is_refused_and_of_another_is_not(database: Database) -> None:
    add(database)
    with pytest.raises(UsageError, match="is here already"):
        add(database)
    add(database, replace(NOTICE, direction=Direction.OUT))
    add(database, replace(NOTICE, issuer="示例省教育厅"))
    with pytest.raises(UsageError, match="came from 3 issuers"):
        find_notice(database, "school", NOTICE.number)
    found = find_notice(database, "school", NOTICE.number, "示例省教育厅")
    assert found is not None
    assert found.issuer == "示例省教育厅"


def test_links_are_many_to_many_and_come_off_again(database: Database) -> None:
    one, two = add(database), add(database, replace(NOTICE, number="8号"))
    low, high = store(database, finding("a", severity=Severity.LOW), finding("b"))
    with database.transaction("tester", NOW) as transaction:
        pairs = [(one, low), (one, high), (two, high), (one, low)]
        assert [link_finding(transaction, *pair) for pair in pairs] == [True, True, True, False]
        transaction.audit("notice.link", "x")
    assert read_notice_findings(database, one.id) == (high, low)
    assert read_notices_of(database, high.id) == (one, two)
    assert count_notice_findings(database, "school") == {one.id: 2, two.id: 1}
    assert count_notice_findings(database, "other") == {}
    with database.transaction("tester", NOW) as transaction:
        assert [unlink_finding(transaction, one, high), unlink_finding(transaction, one, high)] == [True, False]
        transaction.audit("notice.unlink", "x")
    assert read_notices_of(database, high.id) == (two,)
