from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta, timezone
from ipaddress import IPv4Address

import pytest

from sentinel.drill.papers.leases import Lease, dhcp_leases
from sentinel.model.observation import HostObservation, Loss, Observation, RunObservation
from sentinel.observe import choose_parser

START = datetime(2026, 11, 22, 8, 30, tzinfo=timezone(timedelta(hours=8)))


def lease(last: int, mac: int, name: str = "PC", state: str = "active") -> Lease:
    end = START + timedelta(hours=8)
    return Lease(IPv4Address(f"10.77.2.{last}"), f"00:00:5e:00:53:{mac:02x}", name, START, end, state)


def read(data: bytes) -> list[Observation]:
    return list(choose_parser(data, "dhcpd.leases").parse(io.BytesIO(data)))


def test_leases_when_read_back_are_those_given_in_their_order() -> None:
    given = (lease(1, 1, "PC-01"), lease(2, 2, ""), lease(1, 3, 'TEACHER "A"\\B'), lease(3, 4, state="free"))
    run, *hosts = read(dhcp_leases(given))
    assert isinstance(run, RunObservation)
    assert (run.tool, run.version) == ("isc-dhcpd", "4.4.3-P1")
    assert not any(isinstance(one, Loss) for one in hosts)
    told = [(str(one.address), one.mac, one.names, one.up) for one in hosts if isinstance(one, HostObservation)]
    assert told == [
        ("10.77.2.1", "00:00:5e:00:53:01", ("pc-01",), True),
        ("10.77.2.2", "00:00:5e:00:53:02", (), True),
        ("10.77.2.1", "00:00:5e:00:53:03", ('teacher "a"\\b',), True),
        ("10.77.2.3", "00:00:5e:00:53:04", ("pc",), False),
    ]
    assert {one.time for one in hosts if isinstance(one, HostObservation)} == {START.astimezone(UTC)}


@pytest.mark.parametrize(("day", "number"), [(22, 0), (23, 1), (28, 6)])
def test_time_when_written_is_utc_with_the_day_of_the_week_from_sunday(day: int, number: int) -> None:
    moment = datetime(2026, 11, day, 4, 5, 6, tzinfo=UTC)
    text = dhcp_leases((Lease(IPv4Address("10.77.2.1"), "", "", moment, moment),)).decode()
    assert f"starts {number} 2026/11/{day} 04:05:06;" in text


def test_leases_when_there_are_none_are_still_a_lease_file() -> None:
    assert [type(one) for one in read(dhcp_leases(()))] == [RunObservation]
