"""What is about a PostgreSQL server alone: logins, locks, its schema, and what it says when something is wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from sentinel.errors import StoreError
from sentinel.model.place import ServerPlace
from sentinel.store import postgres, schema, tables
from sentinel.store.audit import find_broken_link, read_audit
from sentinel.store.database import Database
from sentinel.store.home import create_home, open_home
from sentinel.store.postgres_errors import explain_error
from sentinel.store.postgres_schema import drop_tables, make_alchemy, read_revision
from sentinel.store.schema import HEAD
from sentinel.store.units import read_units
from tests.homes import NOW, SCHOOL
from tests.postgres import server


@pytest.fixture
def place() -> Iterator[ServerPlace]:
    """A database whose schema holds a home of one unit."""
    with server().database() as made:
        yield made


@pytest.fixture
def empty() -> Iterator[ServerPlace]:
    """A database with nothing in it."""
    with server().database(empty=True) as made:
        yield made


def names(place: ServerPlace, kind: str = "tables") -> set[str]:
    with postgres.connected(place) as raw:
        rows = raw.execute(
            f"SELECT {kind[:-1]}name::text FROM pg_{kind} WHERE schemaname=%s", (place.schema,)
        ).fetchall()
    return {name for (name,) in rows}


def say(place: ServerPlace, *statements: str) -> None:
    with postgres.connected(place) as raw:
        for statement in statements:
            raw.execute(statement)


def test_tables_always_equal_what_the_migrations_make(place: ServerPlace) -> None:
    assert tables.AuditRow.metadata is SQLModel.metadata
    with postgres.connected(place) as raw, make_alchemy(raw).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_migrations_when_taken_back_leave_no_table_and_no_function(place: ServerPlace) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    with postgres.connected(place) as raw, make_alchemy(raw).connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        left = raw.execute("SELECT proname::text FROM pg_proc WHERE pronamespace='sentinel'::regnamespace").fetchall()
    assert names(place) == {"alembic_version"}
    assert {name for (name,) in left} == {"address_key", "host_of"}
    with closing(Database(place)) as database:
        assert read_units(database) == ()


@pytest.mark.parametrize("table", ["audit", "finding_event"])
def test_append_only_tables_cannot_be_emptied_at_once_either(place: ServerPlace, table: str) -> None:
    with closing(Database(place)) as database, pytest.raises(StoreError, match=f"{table} is append-only"):
        database.one(f"TRUNCATE {table}")


def test_audit_of_a_transaction_that_was_taken_back_leaves_no_gap(place: ServerPlace) -> None:
    with closing(Database(place)) as database:
        for _ in range(3):
            with pytest.raises(ZeroDivisionError), database.transaction("tester", NOW) as transaction:
                transaction.audit("note", "lost")
                raise ZeroDivisionError
        with database.transaction("tester", NOW) as transaction:
            transaction.audit("note", "kept")
        assert find_broken_link(database.connection) is None
        assert [one.subject for one in read_audit(database.connection, 1)] == ["kept"]


def test_writers_at_once_wait_for_each_other_and_the_chain_stays_whole(place: ServerPlace) -> None:
    def write(number: int) -> None:
        with closing(Database(place)) as database:
            for turn in range(20):
                with database.transaction("tester", NOW) as transaction:
                    (before,) = transaction.execute("SELECT count(*) FROM plan").fetchone()
                    transaction.execute(
                        "INSERT INTO plan (unit, at, days, enabled, ports, created_us, last_result) "
                        "VALUES (?,'02:30','daily',TRUE,'',?,'')",
                        (f"{number}-{turn}", before),
                    )
                    transaction.audit("plan.set", f"{number}-{turn}")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    with closing(Database(place)) as database:
        seen = [row[0] for row in database.query("SELECT created_us FROM plan ORDER BY created_us")]
        assert seen == list(range(80)), "each saw all that were before it"
        assert find_broken_link(database.connection) is None


def test_transaction_in_which_a_statement_failed_is_never_taken_for_stored(place: ServerPlace) -> None:
    with closing(Database(place)) as database:
        with (
            pytest.raises(StoreError, match="nothing of it was stored"),
            database.transaction("tester", NOW) as transaction,
        ):
            transaction.audit("note", "lost")
            with pytest.raises(StoreError, match="does not exist"):
                transaction.execute("SELECT * FROM absent")
        assert [one.subject for one in read_audit(database.connection, 1)] != ["lost"]
        with database.transaction("tester", NOW) as transaction:
            transaction.audit("note", "the connection is of use again")


def test_held_moment_stays_while_others_write_and_writes_nothing(place: ServerPlace) -> None:
    with closing(Database(place, read_only=True)) as reading, closing(Database(place)) as writing:
        reading.hold_moment()
        before = reading.one("SELECT max(id) FROM audit")
        with writing.transaction("tester", NOW) as transaction:
            transaction.audit("note", "later")
        assert reading.one("SELECT max(id) FROM audit") == before
        with pytest.raises(StoreError, match="opened for reading"):
            reading.one("CREATE TEMPORARY TABLE mine (a int)")


def test_question_that_takes_too_long_is_ended_in_one_line(place: ServerPlace) -> None:
    with closing(Database(place, read_only=True)) as reading:
        reading.hold_moment(0.2)
        with pytest.raises(StoreError, match="took too long"):
            reading.one("SELECT pg_sleep(20)")
        with pytest.raises(StoreError, match="took too long"):
            reading.one("SELECT 1")


def test_schema_of_a_newer_sentinel_is_refused_and_left(place: ServerPlace) -> None:
    say(place, "UPDATE alembic_version SET version_num='9999'")
    with pytest.raises(StoreError, match="written by a newer sentinel") as caught:
        Database(place)
    assert "\n" not in str(caught.value)
    with postgres.connected(place) as raw:
        assert read_revision(raw, place) == "9999"


def test_schema_with_tables_of_others_is_refused_and_left(empty: ServerPlace) -> None:
    say(empty, "CREATE SCHEMA sentinel", "CREATE TABLE sentinel.theirs (a int)")
    with pytest.raises(StoreError, match="not sentinel's"):
        Database(empty)
    assert names(empty) == {"theirs"}


def test_two_homes_in_two_schemas_of_one_database_do_not_meet(place: ServerPlace) -> None:
    other = replace(place, schema="other")
    with closing(Database(other)) as database, closing(Database(place)) as first:
        assert read_units(database) == ()
        assert [one.code for one in read_units(first)] == [SCHOOL.code]
        with first.transaction("tester", NOW), database.transaction("tester", NOW):
            pass  # nor do their writers wait for each other


def test_schema_when_opened_for_the_first_time_by_two_at_once_is_made_once(empty: ServerPlace) -> None:
    made: list[str | None] = []

    def open_it() -> None:
        with closing(Database(empty)) as database:
            row = database.one("SELECT version_num FROM alembic_version")
            made.append(row[0] if row else None)

    threads = [threading.Thread(target=open_it) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert made == [HEAD] * 3


def older(place: ServerPlace) -> None:
    """Take the schema back to 0001, whose audit says nothing of it."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    with postgres.connected(place) as raw, make_alchemy(raw).connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")


def test_older_schema_is_upgraded_once_with_an_audit_row(place: ServerPlace) -> None:
    older(place)
    with closing(Database(place)) as database:
        assert database.upgraded is not None
        assert (database.upgraded.before, database.upgraded.copy) == ("0001", None)
        newest = next(iter(read_audit(database.connection, 1)))
        assert (newest.action, newest.before, newest.after) == ("home.upgrade", '"0001"', f'"{HEAD}"')
        assert [one.code for one in read_units(database)] == [SCHOOL.code]
    with closing(Database(place)) as database:
        assert database.upgraded is None


def test_upgrade_that_fails_half_way_leaves_the_old_schema(
    place: ServerPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older(place)
    before = names(place)
    source = Path(schema.__file__).parent / "migrations"
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_bytes((source / "env.py").read_bytes())
    first = source / "versions" / "0001_the_first_schema.py"
    (tmp_path / "versions" / first.name).write_bytes(first.read_bytes())
    (tmp_path / "versions" / f"{HEAD}_broken.py").write_text(
        f"from alembic import op\nimport sqlalchemy as sa\nrevision = '{HEAD}'\ndown_revision = '0001'\n"
        "def upgrade():\n    op.create_table('half', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "    op.execute('CREATE TABLE nonsense (')\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(schema, "_SCRIPTS", tmp_path)
    with pytest.raises(StoreError, match="upgrade failed, the home stays as it was") as caught:
        Database(place)
    assert "\n" not in str(caught.value)
    assert names(place) == before
    monkeypatch.undo()
    with closing(Database(place)) as database:
        assert database.upgraded is not None


def test_home_is_made_opened_and_never_made_twice(empty: ServerPlace, tmp_path: Path) -> None:
    made = create_home(tmp_path / "home", "unit = 'x'\n", empty)
    assert not made.database.exists()
    home, database = open_home(made.path, server=empty)
    database.close()
    assert (home.place, str(database.path)) == (empty, str(empty))
    with pytest.raises(StoreError, match="holds a home already"):
        create_home(tmp_path / "second", "unit = 'x'\n", empty)
    assert not (tmp_path / "second" / "sentinel.toml").exists()


def test_home_whose_schema_is_gone_never_gets_an_empty_one(place: ServerPlace, tmp_path: Path) -> None:
    create_home(tmp_path / "home", "", replace(place, schema="lost"))
    with postgres.connected(replace(place, schema="lost")) as raw:
        drop_tables(raw, replace(place, schema="lost"))
    with pytest.raises(StoreError, match="holds no home"):
        open_home(tmp_path / "home", server=replace(place, schema="lost"))
    assert names(replace(place, schema="lost")) == set()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"host": "/nonexistent"}, "no server answers there"),
        ({"host": "127.0.0.1", "port": 1}, "no server answers there"),
        ({"name": "absent"}, 'database "absent" does not exist'),
        ({"user": "nobody_here"}, 'role "nobody_here" does not exist'),
        ({"host": "no-such-host.invalid"}, "name is unknown"),
    ],
)
def test_server_that_cannot_be_used_is_told_in_one_line(
    place: ServerPlace, change: dict[str, object], words: str
) -> None:
    with pytest.raises(StoreError, match=words) as caught:
        Database(replace(place, **change))  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_user_who_may_not_make_a_schema_is_told_in_one_line(empty: ServerPlace) -> None:
    say(empty, "CREATE ROLE clerk LOGIN")
    try:
        with pytest.raises(StoreError, match="permission denied") as caught:
            Database(replace(empty, user="clerk"))
        assert "\n" not in str(caught.value)
        say(empty, "CREATE SCHEMA sentinel AUTHORIZATION clerk")
        with closing(Database(replace(empty, user="clerk"))) as database:
            assert read_units(database) == ()
    finally:
        say(empty, "DROP OWNED BY clerk", "DROP ROLE clerk")


def test_server_that_is_too_old_is_refused(place: ServerPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "OLDEST", 990_000)
    with pytest.raises(StoreError, match="sentinel needs 99 or newer"):
        Database(place)


def test_database_that_keeps_no_utf_8_is_refused(place: ServerPlace) -> None:
    server().run("CREATE DATABASE {} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0", "ascii_only")
    try:
        with pytest.raises(StoreError, match="keeps SQL_ASCII, not UTF-8"):
            Database(replace(place, name="ascii_only"))
    finally:
        server().run("DROP DATABASE {}", "ascii_only")


def test_password_comes_from_the_credential_and_never_into_a_message(
    place: ServerPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[object] = []

    def refuse(**words: object) -> None:
        given.append(words.get("password"))
        raise psycopg.OperationalError('connection failed: FATAL:  password authentication failed for user "u"')

    monkeypatch.setattr(psycopg, "connect", refuse)
    for credential in (None, "s3cret\n"):
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
        if credential:
            (tmp_path / postgres.PASSWORD).write_text(credential)
        with pytest.raises(StoreError, match="refused the login") as caught:
            Database(place)
        assert "s3cret" not in str(caught.value)
        assert str(place) in str(caught.value)
    assert given == [None, "s3cret"]


def test_refused_row_is_told_without_what_stands_in_it(place: ServerPlace) -> None:
    with closing(Database(place)) as database, pytest.raises(StoreError) as caught:
        database.one(
            "INSERT INTO unit (code, name, level, parent, path, region, created_us) VALUES (?, ?, '', '', '', '', 0)",
            (SCHOOL.code, "13800000000"),
        )
    assert "duplicate key" in str(caught.value)
    assert "13800000000" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_connection_that_was_cut_is_told_in_one_line_and_stores_nothing(place: ServerPlace) -> None:
    with closing(Database(place)) as database:
        row = database.one("SELECT pg_backend_pid()")
        assert row
        with pytest.raises(StoreError) as caught, database.transaction("tester", NOW) as transaction:
            transaction.audit("note", "lost")
            server().run(f"SELECT pg_terminate_backend({row[0]})")
            transaction.execute("SELECT 1")
        assert "\n" not in str(caught.value)
        with pytest.raises(StoreError, match="lost"):
            database.one("SELECT 1")
    with closing(Database(place)) as database:
        assert [one.subject for one in read_audit(database.connection, 1)] != ["lost"]


def test_several_addresses_of_a_host_that_all_fail_are_told_by_the_first() -> None:
    text = "Multiple connection attempts failed. All failures were:\n- host: 'a': Connection refused\n- host: 'b': x"
    assert explain_error(psycopg.OperationalError(text)) == (
        "no server answers there; check host and port, and that PostgreSQL runs (host: 'a': Connection refused)"
    )


def test_missing_driver_is_told_in_one_line(place: ServerPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sentinel.store.postgres", None)
    with pytest.raises(StoreError, match=r"pip install 'sentinel-campus\[centre\]'"):
        Database(place)
