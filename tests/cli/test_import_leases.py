"""DHCP leases through `import`: whose card has an address and what it is called; ports stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from sentinel.drill.papers.leases import Lease, dhcp_leases
from sentinel.model.endpoint import Host
from sentinel.schedule.context import read_clock
from sentinel.schedule.reading import read_unit_hosts
from sentinel.store.units import read_networks, read_units
from tests.cli.command import Sentinel
from tests.cli.written import START, host, nmap, service
from tests.homes import Clock, opened

SCANNED = datetime.fromtimestamp(START + 60, UTC)
FIRST, SECOND = "00:00:5e:00:53:01", "00:00:5e:00:53:02"


def isc(mac: str, name: str, start: datetime, state: str = "active") -> bytes:
    return dhcp_leases((Lease(IPv4Address("192.0.2.1"), mac, name, start, start + timedelta(hours=8), state),))


def kea(mac: str, name: str, start: datetime) -> bytes:
    head = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n"
    return f"{head}192.0.2.1,{mac},,3600,{int(start.timestamp()) + 3600},1,0,0,{name},0,\n".encode()


def zeek(mac: str, name: str, start: datetime) -> bytes:
    row = f'{{"ts":{start.timestamp()},"uids":["C1"],"mac":"{mac}","host_name":"{name}","assigned_addr":"192.0.2.1"}}\n'
    return row.encode()


Maker = Callable[[str, str, datetime], bytes]


def give(sentinel: Sentinel, folder: Path, name: str, data: bytes) -> dict[str, object]:
    path = folder / name
    path.write_bytes(data)
    (row,) = sentinel.rows("import", path)
    return row


def the_host(sentinel: Sentinel) -> Host:
    with opened(sentinel.home, Clock(read_clock())) as context:
        (unit,) = read_units(context.database)
        (only,) = read_unit_hosts(context, read_networks(context.database, unit.code))
        return only


@pytest.fixture
def scanned(sentinel: Sentinel, tmp_path: Path) -> Sentinel:
    (tmp_path / "scan.xml").write_text(nmap(host("192.0.2.1", service(22, "ssh"), service(80, "http"))))
    sentinel.run("import", tmp_path / "scan.xml")
    return sentinel


@pytest.mark.parametrize("make", [isc, kea, zeek])
def test_lease_when_imported_tells_card_and_name_and_leaves_the_ports(
    scanned: Sentinel, tmp_path: Path, make: Maker
) -> None:
    before, found = scanned.places(), set(scanned.findings())
    row = give(scanned, tmp_path, "leases", make(FIRST, "PC-01", SCANNED + timedelta(hours=1)))
    assert (row["hosts_up"], row["endpoints_open"], row["events"], row["error"], row["lost"]) == (1, 0, 0, None, None)
    assert scanned.places() == before == {("192.0.2.1", 22), ("192.0.2.1", 80)}
    assert set(scanned.findings()) == found
    only = the_host(scanned)
    assert (only.mac, only.names, only.last_seen) == (FIRST, ("pc-01",), SCANNED + timedelta(hours=1))
    assert {tuple(one["names"]) for one in scanned.rows("map")} == {("pc-01",)}


@pytest.mark.parametrize("make", [isc, kea, zeek])
def test_address_when_it_changes_hands_has_the_later_card(scanned: Sentinel, tmp_path: Path, make: Maker) -> None:
    give(scanned, tmp_path, "a", make(FIRST, "PC-01", SCANNED + timedelta(hours=1)))
    give(scanned, tmp_path, "b", make(SECOND, "PC-02", SCANNED + timedelta(hours=2)))
    assert the_host(scanned).mac == SECOND


def test_address_when_it_changes_hands_inside_one_file_has_the_later_card(scanned: Sentinel, tmp_path: Path) -> None:
    both = isc(FIRST, "PC-01", SCANNED) + isc(SECOND, "PC-02", SCANNED + timedelta(hours=1))
    give(scanned, tmp_path, "a", both)
    assert the_host(scanned).mac == SECOND


def test_lease_when_it_arrives_late_does_not_displace_a_newer_one(scanned: Sentinel, tmp_path: Path) -> None:
    give(scanned, tmp_path, "b", isc(SECOND, "PC-02", SCANNED + timedelta(hours=2)))
    give(scanned, tmp_path, "a", isc(FIRST, "PC-01", SCANNED + timedelta(hours=1)))
    assert the_host(scanned).mac == SECOND
    assert scanned.places() == {("192.0.2.1", 22), ("192.0.2.1", 80)}


def test_lease_when_it_is_over_does_not_displace_the_one_that_runs(scanned: Sentinel, tmp_path: Path) -> None:
    give(scanned, tmp_path, "b", isc(SECOND, "PC-02", SCANNED + timedelta(hours=1)))
    row = give(scanned, tmp_path, "a", isc(FIRST, "PC-01", SCANNED + timedelta(hours=2), "free"))
    assert row["hosts_up"] == 0
    assert the_host(scanned).mac == SECOND


def test_lease_when_nothing_was_scanned_makes_a_host_without_ports(sentinel: Sentinel, tmp_path: Path) -> None:
    give(sentinel, tmp_path, "a", isc(FIRST, "PC-01", SCANNED))
    only = the_host(sentinel)
    assert (str(only.address), only.mac, only.names) == ("192.0.2.1", FIRST, ("pc-01",))
    assert sentinel.rows("map") == []
