"""Rectification orders: numbered within the year, with their findings in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sentinel.model.order import RectificationOrder
from sentinel.store.database import Database
from sentinel.store.orders import find_order, read_orders, write_order
from tests.homes import NOW

ORDER = RectificationOrder(0, "", "school", "信息办", "教务处", NOW, NOW + timedelta(days=9), (7, 3, 5), "尽快")


def issue(database: Database, order: RectificationOrder = ORDER, at: datetime = NOW) -> RectificationOrder:
    with database.transaction("tester", at) as transaction:
        return write_order(transaction, order)


def test_orders_are_numbered_one_after_the_other_within_the_year_of_shanghai(database: Database) -> None:
    times = (NOW, NOW, datetime(2026, 12, 31, 17, tzinfo=UTC))
    assert [issue(database, at=at).number for at in times] == ["整改-2026-0001", "整改-2026-0002", "整改-2027-0001"]


def test_order_when_read_back_is_what_was_written_findings_in_their_order(database: Database) -> None:
    stored = issue(database)
    assert stored == replace(ORDER, id=1, number="整改-2026-0001")
    assert find_order(database, stored.number) == find_order(database, "1") == stored
    assert list(read_orders(database, "school")) == [stored]
    assert list(read_orders(database, "other")) == []


@pytest.mark.parametrize("reference", ["", "整改-2026-9999", "99", "1 OR 1=1", "9" * 400])
def test_order_when_there_is_none_is_none(database: Database, reference: str) -> None:
    issue(database)
    assert find_order(database, reference) is None


def test_order_when_written_stands_in_the_audit(database: Database) -> None:
    issue(database)
    row = database.one("SELECT action, object, after FROM audit ORDER BY id DESC LIMIT 1")
    assert row is not None
    assert row[:2] == ("order.issue", "order 整改-2026-0001")
    assert "教务处" in row[2]
