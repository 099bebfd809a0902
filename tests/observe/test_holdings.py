"""Who held an address from when to when, as leases and lists of neighbours tell it beside the host they show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest

from sentinel.model.sighting import HoldingObservation, HoldingSource
from tests.observe import logs
from tests.observe.written import START, ends_of, hosts_of, read

MAC = "00:00:5e:00:53:01"
BEGIN = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)
END = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
STARTED = datetime.fromtimestamp(START, UTC)


def holdings(text: str | bytes) -> list[HoldingObservation]:
    return [one for one in read(text) if isinstance(one, HoldingObservation)]


def isc(state: str, more: str = "", end: str = "0 2026/11/22 12:30:00") -> str:
    return (
        f"lease 192.0.2.1 {{\n  starts 0 2026/11/22 00:30:00;\n  ends {end};\n  binding state {state};\n"
        f'  hardware ethernet {MAC};\n  uid "\\001\\000\\000^\\000S\\001";\n{more}}}\n'
    )


def test_dhcpd_lease_when_active_or_over_has_its_span() -> None:
    expected = HoldingObservation(
        ip_address("192.0.2.1"), HoldingSource.DHCP, MAC, BEGIN, END, name="pc-1", client_id="0100005e005301"
    )
    name = '  client-hostname "PC-1";\n'
    assert holdings(isc("active", name)) == [expected]
    assert holdings(isc("free", name)) == [expected]


@pytest.mark.parametrize("state", ["abandoned", "backup", "reset"])
def test_dhcpd_lease_when_it_was_nobodys_tells_no_holder(state: str) -> None:
    assert holdings(isc(state)) == []
    assert len(hosts_of(read(isc(state)))) == 1


def test_dhcpd_lease_when_without_end_lasts() -> None:
    assert [one.until for one in holdings(isc("active", end="never"))] == [None]


def test_dhcpd_lease_when_it_ended_before_it_began_was_a_moment() -> None:
    (one,) = holdings(isc("free", end="6 2026/11/21 00:00:00"))
    assert (one.since, one.until) == (BEGIN, BEGIN)


@pytest.mark.parametrize(("life", "length"), [("3600", timedelta(hours=1)), ("4294967295", None), ("x", None)])
def test_dhcpd_lease_when_of_version_6_ends_after_its_longest_life(life: str, length: timedelta | None) -> None:
    duid = r"\001\000\000\000\000\001\000\001+\300\000\000\000\000^\000S\001"
    text = (
        f'ia-na "{duid}" {{\n  cltt 0 2026/11/22 00:30:00;\n  iaaddr 2001:db8::1 {{\n    binding state active;\n'
        f"    max-life {life};\n  }}\n}}\n"
    )
    (one,) = holdings(text)
    assert (one.mac, one.since, one.until) == (MAC, BEGIN, BEGIN + length if length else None)
    assert one.client_id.startswith("00010001")


KEA = "address,hwaddr,client_id,valid_lifetime,expire,hostname,state\n"


@pytest.mark.parametrize(
    ("row", "span"),
    [
        (f"192.0.2.1,{MAC},01:00:00:5e:00:53:01,3600,{START + 3600},,0", (STARTED, STARTED + timedelta(hours=1))),
        (f"192.0.2.1,{MAC},,3600,{START + 3600},,2", (STARTED, STARTED + timedelta(hours=1))),
        (f"192.0.2.1,{MAC},,4294967295,{START},,0", (None, None)),
        (f"192.0.2.1,{MAC},,3600,{START},,1", None),
        (f"192.0.2.1,{MAC},,0,{START},,0", None),
        (f"192.0.2.1,,,3600,{START},,0", None),
    ],
)
def test_kea_lease_when_held_has_its_span(row: str, span: tuple[datetime | None, datetime | None] | None) -> None:
    assert [(one.since, one.until) for one in holdings(KEA + row + "\n")] == ([span] if span else [])


def test_kea_lease_when_it_tells_the_client_keeps_it() -> None:
    (one,) = holdings(KEA + f"192.0.2.1,{MAC},01:00:00:5E:00:53:01,3600,{START},a,0\n")
    assert (one.client_id, one.name) == ("0100005e005301", "a")
    assert holdings(KEA + f"192.0.2.1,{MAC},zz,3600,{START},a,0\n")[0].client_id == ""


def test_dnsmasq_lease_when_in_force_tells_its_end() -> None:
    (one,) = holdings(f"{START} {MAC} 192.0.2.1 pc-1 01:{MAC}\n")
    assert (one.since, one.until, one.name, one.client_id) == (None, STARTED, "pc-1", "0100005e005301")


def test_windows_lease_when_active_tells_its_end() -> None:
    text = (
        "IPAddress,ScopeId,ClientId,HostName,AddressState,LeaseExpiryTime\n"
        "192.0.2.1,192.0.2.0,00-00-5e-00-53-01,PC-1,Active,2026/11/22 20:30:00\n"
        "192.0.2.2,192.0.2.0,00-00-5e-00-53-02,PC-2,InactiveReservation,\n"
    )
    assert [(one.mac, one.until, one.name) for one in holdings(text)] == [(MAC, END, "pc-1")]


def test_comware_lease_when_in_use_tells_its_end() -> None:
    text = (
        "IP address       Client identifier/    Lease expiration      Type\n"
        "192.0.2.1        0000-5e00-5301        Nov 22 20:30:00 2026  Auto(C)\n"
    )
    assert [(one.mac, one.until) for one in holdings(text)] == [(MAC, END)]


@pytest.mark.parametrize(
    ("row", "source"),
    [
        (f"192.0.2.1 dev eth0 lladdr {MAC} REACHABLE", HoldingSource.ARP),
        (f"2001:db8::1 dev eth0 lladdr {MAC} STALE", HoldingSource.NEIGHBOUR),
        (f"192.0.2.1 dev eth0 lladdr {MAC} PERMANENT", None),
    ],
)
def test_neighbour_when_learned_held_its_address_at_that_moment(row: str, source: HoldingSource | None) -> None:
    found = holdings(f"2026-11-22 08:30:00\n{row}\n")
    assert [(one.source, one.mac, one.since, one.until) for one in found] == (
        [(source, MAC, BEGIN, BEGIN)] if source else []
    )
    assert [one.since for one in holdings(row + "\n")] == ([None] if source else [])


LEASE = (
    '{"ts":%s,"uids":["C1"],"client_addr":"192.0.2.1","server_addr":"192.0.2.254","mac":"00:00:5e:00:53:01",'
    '"host_name":"PC-1","assigned_addr":"192.0.2.1","lease_time":%s,"msg_types":["REQUEST","ACK"]}\n'
)


@pytest.mark.parametrize(("seconds", "length"), [("3600.0", 3600), ("0", None), ("1e99", None), ('"x"', None)])
def test_zeek_lease_when_given_has_its_span(seconds: str, length: int | None) -> None:
    (one,) = holdings(LEASE % (START, seconds))
    assert one == HoldingObservation(
        ip_address("192.0.2.1"),
        HoldingSource.DHCP,
        MAC,
        STARTED,
        STARTED + timedelta(seconds=length) if length else None,
        name="pc-1",
        device="192.0.2.254",
    )


def test_zeek_login_when_accepted_tells_who_was_given_the_address() -> None:
    (one,) = holdings(logs.RADIUS_LOG)
    assert one == HoldingObservation(
        ip_address("192.0.2.1"),
        HoldingSource.RADIUS,
        MAC,
        STARTED + timedelta(seconds=0.5),
        user="s2026001",
        device="192.0.2.250",
    )
    assert [end.accounts for end in ends_of(read(logs.RADIUS_LOG))] == [True]


@pytest.mark.parametrize(
    ("old", "new", "lost"), [("192.0.2.1\t-\t-", "nowhere\t-\t-", 1), ("192.0.2.1\t-\t-", "-\t-\t-", 0)]
)
def test_zeek_login_when_it_gave_no_address_shows_nothing(old: str, new: str, lost: int) -> None:
    text = logs.RADIUS_LOG.replace(old, new)
    assert holdings(text) == []
    assert sum(getattr(one, "rows", 0) for one in read(text)) == lost
    assert [end.accounts for end in ends_of(read(text))] == [True]


def test_zeek_login_when_the_account_is_the_card_names_none() -> None:
    assert [one.user for one in holdings(logs.RADIUS_LOG.replace("s2026001", "00-00-5E-00-53-01"))] == [""]
