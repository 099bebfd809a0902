"""Leases of dnsmasq, of Windows servers and of H3C switches.

Written to the words of dnsmasq's author on its list, to the class DhcpServerv4Lease on learn.microsoft.com, to a posted
list of the Windows DHCP console, and to posted outputs of Comware 7.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sentinel.errors import ParseError
from sentinel.inventory.summary import summarise
from tests.observe.written import START, ends_of, hosts_of, losses_of, read

CARD = "00:00:5e:00:53:01"

WINDOWS = (
    "#TYPE Microsoft.Management.Infrastructure.CimInstance#root/Microsoft/Windows/DHCP/DhcpServerv4Lease\r\n"
    '"IPAddress","ScopeId","AddressState","ClientId","ClientType","Description","HostName","LeaseExpiryTime"\r\n'
    '"192.0.2.1","192.0.2.0","Active","00-00-5e-00-53-01","Dhcp","","教务-01.school.example","2026/9/28 10:00:00"\r\n'
)
CONSOLE = (
    "客户端 IP 地址\t名称\t租约截止日期\t类型\t唯一 ID\t描述\r\n"
    "192.0.2.1\tpc\t2026/9/28 10:00:00\tDHCP\t00005e005301\t\r\n"
)
COMWARE = (
    "<SW1>display dhcp server ip-in-use\n"
    "IP address       Client identifier/    Lease expiration      Type\n"
    "                 Hardware address\n"
    "192.0.2.1        0100-005e-0053-01     Nov  9 01:31:58 2026  Auto(C)\n"
)


@pytest.mark.parametrize(
    "data",
    [
        f"{START} {CARD} 192.0.2.1 pc 01:{CARD}\n".encode(),
        f"{START} 01-{CARD} 192.0.2.1 * *\n".encode(),
        WINDOWS.encode(),
        WINDOWS.encode("utf-16"),
        WINDOWS.encode("gb18030"),
        b"\xef\xbb\xbf" + WINDOWS.partition("\r\n")[2].encode(),
        CONSOLE.encode("gb18030"),
        CONSOLE.encode("utf-16"),
        (
            b"Client IP Address,Name,Lease Expiration,Type,Unique ID\n"
            b"192.0.2.1,pc,2/26/2026 10:24:48 AM,DHCP,00005e005301\n"
        ),
        COMWARE.encode(),
        COMWARE.replace("0100-005e-0053-01", "0000-5e00-5301   ").encode(),
        COMWARE.replace(
            "0100-005e-0053-01     Nov  9 01:31:58 2026  Auto(C)",
            "0030-3030-302e-3565-  Nov  9 01:31:58 2026  Auto(C)\n                 3030-2e35-3330-312d-\n"
            "                 4745-302f-302f-31",
        ).encode(),
    ],
    ids=[
        "dnsmasq",
        "dnsmasq-typed",
        "windows",
        "utf16",
        "gbk",
        "no-type",
        "console-gbk",
        "console-utf16",
        "english",
        "h3c",
        "h3c-card",
        "h3c-ascii",
    ],
)
def test_lease_in_force_is_a_host_with_its_card(data: bytes) -> None:
    observations = read(data)
    (host,) = hosts_of(observations)
    assert (str(host.address), host.mac, host.up, host.answered) == ("192.0.2.1", CARD, True, True)
    assert host.time is None
    assert not losses_of(observations)


def test_names_are_kept_in_lower_case() -> None:
    assert [host.names for host in hosts_of(read(WINDOWS.encode("gb18030")))] == [("教务-01.school.example",)]
    assert [host.names for host in hosts_of(read(f"{START} {CARD} 192.0.2.1 PC-1 *\n"))] == [("pc-1",)]


@pytest.mark.parametrize("state", ["Expired", "Declined", "Offered", "InactiveReservation"])
def test_lease_of_windows_in_any_other_state_changes_nothing(state: str) -> None:
    (host,) = hosts_of(read(WINDOWS.replace('"Active"', f'"{state}"')))
    assert (host.up, host.answered) == (False, False)


def test_reserved_address_of_a_switch_that_nobody_uses_changes_nothing() -> None:
    (host,) = hosts_of(read(COMWARE.replace("Nov  9 01:31:58 2026  Auto(C)", "NOT Used              Manual")))
    assert not host.up


def test_ipv6_lease_of_dnsmasq_tells_the_card_of_its_duid() -> None:
    text = f"duid 00:01:00:01\n{START} 12345 2001:db8::5 pc 00:03:00:01:00:00:5e:00:53:01\n"
    (host,) = hosts_of(read(text))
    assert (str(host.address), host.mac, host.names) == ("2001:db8::5", CARD, ("pc",))


def test_list_that_tells_ends_only_is_older_than_the_first_of_them() -> None:
    first = datetime.fromtimestamp(START, UTC)
    observations = read(f"{START + 3600} {CARD} 192.0.2.1 a *\n{START} {CARD} 192.0.2.2 b *\n0 {CARD} 192.0.2.3 c *\n")
    assert [end.before for end in ends_of(observations)] == [first]
    assert [end.before for end in ends_of(read(COMWARE))] == [datetime(2026, 11, 8, 17, 31, 58, tzinfo=UTC)]
    old, fresh = (summarise(observations, first + timedelta(days=days)) for days in (300, -0.1))
    assert (old.time, old.time_is_stated) == (first, False)
    assert fresh.time == first - timedelta(days=0.1)


@pytest.mark.parametrize(
    "data",
    [
        f"{START} {CARD} 192.0.2.1 pc *\nnonsense\n",
        f'{WINDOWS}"999.0.0.1","","Active","","","","",""\r\n',
        f"{COMWARE}192.0.2.7 what is this\n",
    ],
)
def test_row_that_cannot_be_read_is_counted_and_the_others_stand(data: str) -> None:
    observations = read(data)
    assert len(hosts_of(observations)) == 1
    assert [loss.rows for loss in losses_of(observations)] == [1]


def test_file_of_which_no_row_can_be_read_is_refused() -> None:
    with pytest.raises(ParseError, match="address cannot be read"):
        read(WINDOWS.replace("192.0.2.1", "nowhere"))
