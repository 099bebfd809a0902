from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address

import pytest

from sentinel.errors import StoreError
from sentinel.model.endpoint import EndpointState
from sentinel.model.rule import Severity
from sentinel.model.unit import Network
from sentinel.store import assets
from sentinel.store.assets import AssetQuestion, AssetRow
from sentinel.store.database import Database
from sentinel.store.finding_pages import FindingQuestion, count_findings, count_on_host, read_finding_page, read_on_host
from sentinel.store.home import Home
from sentinel.store.keys import address_key, host_of
from sentinel.store.units import read_networks
from tests.console.large import make_large_home
from tests.homes import NOW, SCHOOL
from tests.store.conftest import BACKENDS, made_home


@pytest.fixture(scope="module", params=BACKENDS)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with made_home(tmp_path_factory.mktemp("assets") / "home", request.param) as home:
        make_large_home(home.path, 1500, server=home.server)
        yield from read(home)


def read(home: Home) -> Iterator[Database]:
    with closing(Database(home.place, read_only=True)) as reading:
        known = {"10.20.0.5": "教务系统 教务处"}
        assets.use_register(reading, known.get, lambda host: "教务处" if host in known else "")
        yield reading


@pytest.fixture(scope="module")
def networks(database: Database) -> tuple[Network, ...]:
    return read_networks(database, SCHOOL.code)


@pytest.fixture(scope="module")
def everything(networks: tuple[Network, ...]) -> AssetQuestion:
    return AssetQuestion(tuple(network.id for network in networks))


def ask(database: Database, networks: tuple[Network, ...], asked: AssetQuestion) -> list[AssetRow]:
    rows, total = assets.read_asset_page(database, SCHOOL.code, networks, asked, None, 10_000)
    assert assets.count_assets(database, SCHOOL.code, asked) == total == len(rows)
    return list(rows)


def search(words: str) -> tuple[assets.Term, ...]:
    return tuple(map(assets.read_term, words.split()))


def test_reading_connection_when_written_to_refuses(database: Database) -> None:
    with pytest.raises(StoreError), database.transaction("tester", NOW) as transaction:
        transaction.execute("DELETE FROM host")


def test_reading_connection_when_the_schema_is_another_says_so(home: Home) -> None:
    with closing(Database(home.place)) as writing:
        writing.connection.execute("UPDATE alembic_version SET version_num='0001'")
    with pytest.raises(StoreError, match="start it again"):
        Database(home.place, read_only=True)


@pytest.mark.parametrize("order", assets.ORDERS)
def test_pages_when_read_one_after_another_are_the_whole_list_in_order(
    database: Database, networks: tuple[Network, ...], everything: AssetQuestion, order: str
) -> None:
    asked = replace(everything, order=order)
    whole = ask(database, networks, asked)
    pages: list[AssetRow] = []
    cursor: assets.Cursor | None = None
    while page := assets.read_asset_page(database, SCHOOL.code, networks, asked, cursor, 37)[0]:
        pages += page
        cursor = (page[-1].key, page[-1].network, str(page[-1].host.address))
    assert pages == whole
    earlier: list[AssetRow] = []
    cursor = (whole[-1].key, whole[-1].network, str(whole[-1].host.address))
    while page := assets.read_asset_page(database, SCHOOL.code, networks, asked, cursor, 37, back=True)[0]:
        earlier += page
        cursor = (page[-1].key, page[-1].network, str(page[-1].host.address))
    assert earlier == whole[-2::-1]
    assert [row.key for row in whole] == sorted(row.key for row in whole)


def test_order_when_by_address_is_by_number(
    database: Database, networks: tuple[Network, ...], everything: AssetQuestion
) -> None:
    found = [row.host.address for row in ask(database, networks, everything)]
    assert found == sorted(found, key=lambda one: (one.version, int(one)))
    assert ip_address("10.20.0.9") < ip_address("10.20.0.10")
    assert address_key("10.20.0.9") < address_key("10.20.0.10") < address_key("::1")


@pytest.mark.parametrize(
    ("words", "right"),
    [
        ("10.20.1.0/24", lambda row: str(row.host.address).startswith("10.20.1.")),
        ("02:00:00:00:00:05", lambda row: row.host.mac == "02:00:00:00:00:05"),
        ("02-00-00-00-00-05", lambda row: row.host.mac == "02:00:00:00:00:05"),
        ("LINUX", lambda row: "Linux" in row.host.os),
        ("教务处", lambda row: str(row.host.address) == "10.20.0.5"),
        ("10.20.0.5", lambda row: str(row.host.address) == "10.20.0.5"),
        ("%", lambda row: False),
        ("linux 教务处", lambda row: str(row.host.address) == "10.20.0.5" and "Linux" in row.host.os),
    ],
)
def test_search_when_given_a_word_finds_exactly_the_hosts_that_have_it(
    database: Database,
    networks: tuple[Network, ...],
    everything: AssetQuestion,
    words: str,
    right: object,
) -> None:
    assert callable(right)
    wanted = [row for row in ask(database, networks, everything) if right(row)]
    found = ask(database, networks, replace(everything, terms=search(words)))
    assert [(row.network, row.host.address) for row in found] == [(row.network, row.host.address) for row in wanted]


@pytest.mark.parametrize(
    ("words", "ports"), [("redis", {6379}), (":6379", {6379}), ("443/tcp", {443}), ("mysql", {3306})]
)
def test_search_when_given_a_service_or_port_finds_the_hosts_with_it_open(
    database: Database, networks: tuple[Network, ...], everything: AssetQuestion, words: str, ports: set[int]
) -> None:
    found = {
        (row.network, row.host.address) for row in ask(database, networks, replace(everything, terms=search(words)))
    }
    rows = database.query(
        "SELECT DISTINCT network, address FROM endpoint WHERE valid_to_us IS NULL AND port IN (?)", tuple(ports)
    )
    assert found == {(row[0], ip_address(row[1])) for row in rows}
    assert found


def test_states_when_asked_part_the_hosts(
    database: Database, networks: tuple[Network, ...], everything: AssetQuestion
) -> None:
    parts = [len(ask(database, networks, replace(everything, state=state))) for state in assets.STATES]
    assert sum(parts) == len(ask(database, networks, everything))
    assert parts[0] > 0
    assert parts[2] > 0


def test_register_and_time_when_asked_leave_out_the_others(
    database: Database, networks: tuple[Network, ...], everything: AssetQuestion
) -> None:
    whole = ask(database, networks, everything)
    assert len(ask(database, networks, replace(everything, registered=True))) == 1
    assert len(ask(database, networks, replace(everything, registered=False))) == len(whole) - 1
    since = NOW - timedelta(days=1)
    recent = [row for row in whole if row.host.last_seen and row.host.last_seen >= since]
    assert len(ask(database, networks, replace(everything, since=since))) == len(recent) < len(whole)


def test_severity_when_asked_agrees_with_the_findings_of_each_host(
    database: Database, networks: tuple[Network, ...], everything: AssetQuestion
) -> None:
    by_host = {
        (row.network, str(row.host.address)): count_on_host(database, SCHOOL.code, row.network, str(row.host.address))
        for row in ask(database, networks, everything)
    }
    for severity in (Severity.CRITICAL, Severity.LOW):
        found = ask(database, networks, replace(everything, severity=severity))
        assert {(row.network, str(row.host.address)) for row in found} == {
            place for place, (worst, _) in by_host.items() if worst is severity
        }
    for (network, address), (_, live) in list(by_host.items())[:50]:
        about = list(read_on_host(database, SCHOOL.code, network, address, 100))
        assert sum(one.state.is_live for one in about) == live
        assert all(host_of(one.key.subject) == address for one in about)


@pytest.mark.parametrize(
    ("subject", "host"),
    [
        ("10.0.0.5:443/tcp", "10.0.0.5"),
        ("10.0.0.5", "10.0.0.5"),
        ("10.0.0.5 stratum", "10.0.0.5"),
        ("[2001:db8::5]:443/tcp", "2001:db8::5"),
        ("2001:db8::5", "2001:db8::5"),
        ("www.school.example", "www.school.example"),
        ("", ""),
    ],
)
def test_host_of_a_subject_is_what_stands_before_its_place(database: Database, subject: str, host: str) -> None:
    assert host_of(subject) == host
    assert database.one("SELECT host_of(?)", (subject,)) == (host,)


@pytest.mark.parametrize("address", ["0.0.0.0", "10.20.0.9", "255.255.255.255", "::", "2001:db8::5", "::ffff:1.2.3.4"])
def test_address_key_is_the_same_bytes_in_sql(database: Database, address: str) -> None:
    assert database.one("SELECT address_key(?)", (address,)) == (assets.address_key(address),)


@pytest.mark.parametrize("order", ["severity", "newest", "due"])
def test_finding_pages_when_read_one_after_another_are_the_whole_list(database: Database, order: str) -> None:
    asked = FindingQuestion(SCHOOL.code, order=order)
    whole = read_finding_page(database, asked, None, 10_000)
    pages = []
    cursor = None
    while page := read_finding_page(database, asked, cursor, 41):
        pages += page
        cursor = page[-1][1]
    assert tuple(pages) == whole
    assert read_finding_page(database, asked, whole[80][1], 30, back=True) == whole[79:49:-1]
    assert len(whole) == count_findings(database, asked) > 100


def test_findings_when_asked_are_those_that_meet_every_condition(database: Database) -> None:
    whole = [one for one, _ in read_finding_page(database, FindingQuestion(SCHOOL.code), None, 10_000)]
    asked = FindingQuestion(SCHOOL.code, severity=Severity.HIGH, overdue_at=NOW)
    found = [one for one, _ in read_finding_page(database, asked, None, 10_000)]
    wanted = [one for one in whole if one.severity is Severity.HIGH and one.is_overdue(NOW)]
    assert found == wanted != []
    owned = [one for one, _ in read_finding_page(database, FindingQuestion(SCHOOL.code, owner="教务处"), None, 100)]
    assert all(host_of(one.key.subject) == "10.20.0.5" for one in owned)


def test_intervals_when_read_are_those_of_one_address(database: Database, networks: tuple[Network, ...]) -> None:
    (network, address) = next(
        (row[0], row[1])
        for row in database.query("SELECT network, address FROM endpoint WHERE valid_to_us IS NOT NULL")
    )
    whole = assets.read_intervals(database, network, address, ("inside",), lasting=False, limit=100)
    lasting = assets.read_intervals(database, network, address, ("inside",), lasting=True, limit=100)
    assert {one.id for one in lasting} == {one.id for one in whole if one.valid_to is None} < {one.id for one in whole}
    assert {one.state for one in whole} == {EndpointState.OPEN}
