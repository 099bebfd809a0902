"""Large answers, some rows at a time: on a server the client never holds the whole, whatever is done meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sentinel.errors import StoreError
from sentinel.report.map_export import FORMATS
from sentinel.schedule.exporting import export_map
from sentinel.schedule.reading import iterate_map
from sentinel.store import postgres
from sentinel.store.database import Database
from sentinel.store.home import Home
from sentinel.store.postgres import PostgresConnection
from tests.homes import NOW, SCHOOL, opened
from tests.schedule.nmapfile import HostRow, NmapRun, give

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<?) SELECT i FROM n ORDER BY i"


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "STREAMED", 7)


def held(database: Database) -> int:
    """How many answers a server keeps for this connection."""
    if "PostgreSQL" not in database.engine.describe():
        return 0
    row = database.one("SELECT count(*) FROM pg_cursors")
    return int(row[0]) if row else 0


def note(database: Database, subject: str) -> None:
    with database.transaction("tester", NOW) as transaction:
        transaction.audit("test", subject)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 50])
def test_answer_when_streamed_is_that_of_a_query(database: Database, size: int) -> None:
    assert list(database.stream(NUMBERS, (size,))) == list(database.query(NUMBERS, (size,)))
    assert list(database.stream("SELECT 1")) == [(1,)]
    assert held(database) == 0


def test_answer_that_is_small_takes_one_statement(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[str] = []
    execute = PostgresConnection.execute

    def watched(self: PostgresConnection, statement: str, values: Sequence[Any] = (), /) -> Any:
        statements.append(statement)
        return execute(self, statement, values)

    monkeypatch.setattr(PostgresConnection, "execute", watched)
    monkeypatch.setattr("psycopg.ServerCursor.execute", None)
    assert list(database.stream(NUMBERS, (6,))) == [(number,) for number in range(1, 7)]
    assert len(statements) <= 1


def test_answers_when_read_side_by_side_with_changes_between_are_read_to_their_end(database: Database) -> None:
    for number in range(20):
        note(database, f"before {number}")
    statement = "SELECT object FROM audit WHERE action=? ORDER BY id"
    one, other = database.stream(statement, ("test",)), database.stream(statement, ("test",))
    assert [next(one), next(other), next(one)] == [("before 0",), ("before 0",), ("before 1",)]
    note(database, "meanwhile")
    assert [subject for (subject,) in one][:18] == [f"before {number}" for number in range(2, 20)]
    assert [subject for (subject,) in other][:19] == [f"before {number}" for number in range(1, 20)]
    assert held(database) == 0


def test_answer_when_left_unread_is_given_back(database: Database) -> None:
    rows = database.stream(NUMBERS, (50,))
    next(rows)
    rows.close()  # type: ignore[attr-defined]  # it is a generator
    assert held(database) == 0
    note(database, "afterwards")


def test_answer_in_a_transaction_sees_what_it_wrote_and_goes_with_it(database: Database) -> None:
    statement = "SELECT object FROM audit WHERE action='test' ORDER BY id"
    with database.transaction("tester", NOW) as transaction:
        for number in range(20):
            transaction.audit("test", f"inside {number}")
        rows = database.stream(statement)
        assert next(rows) == ("inside 0",)
        transaction.audit("test", "inside 20")
        rest = list(rows)
        assert len(rest) in {19, 20}, "a server's answer does not grow, SQLite's may"
    with pytest.raises(RuntimeError, match="lost"), database.transaction("tester", NOW):
        left = database.stream(NUMBERS, (50,))
        next(left)
        raise RuntimeError("lost")
    del left
    note(database, "afterwards")
    assert held(database) == 0


def test_answer_that_is_refused_is_one_line(database: Database) -> None:
    with pytest.raises(StoreError) as caught:
        list(database.stream("SELECT nothing FROM nowhere WHERE a=?", (1,)))
    assert "\n" not in str(caught.value)
    note(database, "afterwards")


def test_answer_when_the_time_for_questions_is_over_ends_between_two_handfuls(home: Home) -> None:
    database = Database(home.place, read_only=True)
    database.hold_moment(30)
    rows = database.stream(NUMBERS, (50,))
    next(rows)
    if isinstance(database.connection, PostgresConnection):
        database.connection.end = 0.0
        with pytest.raises(StoreError, match="the question took too long"):
            list(rows)
    else:
        assert len(list(rows)) == 49
    database.close()


def test_map_of_many_endpoints_when_read_and_exported_is_never_whole_in_the_client(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    execute = PostgresConnection.execute

    def watched(self: PostgresConnection, statement: str, values: Sequence[Any] = (), /) -> Any:
        cursor = execute(self, statement, values)
        if statement.lstrip().upper().startswith("SELECT"):
            sizes.append(cursor.rowcount)
        return cursor

    with opened(home.path, server=home.server) as context:
        hosts = tuple(
            HostRow(f"10.0.{number // 100}.{number % 100 + 1}", ((22, "ssh"),), name=f"h{number}.example")
            for number in range(150)
        )
        give(context, NmapRun(hosts, finished=NOW))
        monkeypatch.setattr(PostgresConnection, "execute", watched)
        rows: Iterator[object] = iterate_map(context, SCHOOL)
        assert sum(1 for _ in rows) == 150
        for ending in FORMATS:
            done = export_map(context, [SCHOOL], tmp_path / f"map{ending}")
            assert done.rows == 150
        assert max(sizes, default=0) <= 7
        assert held(context.database) == 0
