"""Where the names lead that a third party hosts, and that nobody scans there without consent."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from sentinel.collect.gate import parse_target
from sentinel.model.hosting import Hosting
from sentinel.model.moment import to_microseconds
from sentinel.model.publication import Mapping, Publication
from sentinel.model.scope import RefusalReason
from sentinel.model.unit import Network, Unit, UnitLevel
from sentinel.schedule.context import Context
from sentinel.schedule.hosted import STILL, read_led
from sentinel.schedule.importing import take_file
from sentinel.schedule.publishing import declare_publication
from sentinel.schedule.scanning import plan_scan
from sentinel.store.endpoints import write_names
from sentinel.store.hostings import read_campus_hostings, write_hosting
from sentinel.store.units import read_networks, write_network, write_unit
from tests.homes import NOW, SCHOOL
from tests.schedule.test_scanning import PORTS, authorise

DAY = timedelta(days=1)


def see(context: Context, *rows: tuple[str, str, str, float], network: int | None = None) -> None:
    """Note (address, name, source, days ago)."""
    place = network or read_networks(context.database, SCHOOL.code)[0].id
    with context.database.transaction("tester", NOW) as transaction:
        write_names(
            transaction, [(place, to, name, how, to_microseconds(NOW - days * DAY)) for to, name, how, days in rows]
        )
        transaction.audit("test", "names")


def host(context: Context, *targets: str) -> None:
    with context.database.transaction("tester", NOW) as transaction:
        write_hosting(transaction, Hosting(0, SCHOOL.code, "某云", tuple(map(parse_target, targets))))


def led(context: Context) -> set[tuple[str, str]]:
    hostings = read_campus_hostings(context.database, SCHOOL.code)
    return {(name, str(to.network_address)) for name, to in read_led(context, SCHOOL, hostings)}


def test_scan_of_an_address_a_hosted_name_was_seen_at_is_refused(context: Context) -> None:
    authorise(context, "192.0.2.0/24")
    host(context, "*.cloud.example")
    see(context, ("192.0.2.9", "www.cloud.example", "dns", 1))
    planned = plan_scan(context, SCHOOL, ["192.0.2.9", "192.0.2.8"], PORTS)
    assert [(one.target, one.reason) for one in planned.refusals] == [("192.0.2.9", RefusalReason.NO_CONSENT)]
    assert [str(address) for permit, _ in planned.permits for address in permit.addresses()] == ["192.0.2.8"]


def test_addresses_come_from_answers_the_register_and_publications(context: Context, tmp_path: Path) -> None:
    host(context, "www.cloud.example", "192.0.2.1")
    see(
        context,
        ("192.0.2.9", "www.cloud.example", "scan", 1), ("192.0.2.10", "A.www.Cloud.example", "host", 1),
        ("192.0.2.11", "www.cloud.example", "certificate", 1), ("192.0.2.12", "cloud.example", "dns", 1),
        ("192.0.2.13", "www.cloud.example", "tls", 1),
    )  # fmt: skip
    sheet = tmp_path / "台账.csv"
    sheet.write_text("系统名称,域名,IP地址\n门户,www.cloud.example,192.0.2.20\n", encoding="utf-8")
    take_file(context, SCHOOL, sheet, "inside")
    mapping = Mapping(ip_address("192.0.2.30"), "tcp", 443, 443, ip_address("10.0.0.5"), name="www.cloud.example")
    declare_publication(context, SCHOOL, Publication(0, SCHOOL.code, mapping, "declared"))
    assert {to for _, to in led(context)} == {"192.0.2.9", "192.0.2.10", "192.0.2.13", "192.0.2.20", "192.0.2.30"}


@pytest.mark.parametrize(("source", "counts"), [("dns", True), ("tls", False), ("http", False)])
def test_what_a_client_said_proves_nothing_of_a_machine_in_a_network_of_ones_own(
    context: Context, source: str, counts: bool
) -> None:
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        lan = write_network(transaction, Network(0, SCHOOL.code, "lan", prefixes=(ip_network("192.0.2.0/24"),)))
    host(context, "www.cloud.example")
    see(context, ("192.0.2.9", "www.cloud.example", source, 1), network=lan.id)
    assert (("www.cloud.example", "192.0.2.9") in led(context)) is counts


def test_address_a_name_has_moved_away_from_is_hosted_no_more(context: Context) -> None:
    host(context, "www.cloud.example")
    days = STILL / DAY
    see(
        context,
        ("192.0.2.7", "www.cloud.example", "dns", days + 2), ("192.0.2.8", "www.cloud.example", "dns", days),
        ("192.0.2.9", "www.cloud.example", "dns", 1),
    )  # fmt: skip
    assert {to for _, to in led(context)} == {"192.0.2.8", "192.0.2.9"}


def test_what_a_department_saw_counts_for_its_school_and_nothing_without_a_hosted_name(context: Context) -> None:
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        write_unit(transaction, Unit("room", "信息处", UnitLevel.DEPARTMENT, parent=SCHOOL.code))
    place = read_networks(context.database, "room")[0].id
    see(context, ("192.0.2.9", "www.cloud.example", "dns", 1), network=place)
    host(context, "192.0.2.1")
    assert led(context) == set()
    host(context, "www.cloud.example")
    assert led(context) == {("www.cloud.example", "192.0.2.9")}
