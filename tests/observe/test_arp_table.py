"""Lists of neighbours as hosts and switches print them.

The samples follow public outputs: ntc-templates (Huawei VRP `display arp all`, `display ipv6 neighbors`), posted ones
of H3C Comware 7, Windows 10 in Chinese, macOS and Linux; addresses and cards are of the documentation ranges.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sentinel.errors import ParseError
from sentinel.observe import arp_table, choose_parser
from tests.observe.written import ends_of, hosts_of, losses_of, read, run_of

CARD = "00:00:5e:00:53:01"

LINUX = "gw.school.example (192.0.2.1) at 00:00:5e:00:53:01 [ether] on eth0\n? (192.0.2.9) at <incomplete> on eth0\n"
MACOS = (
    "? (192.0.2.1) at 0:0:5e:0:53:1 on en0 ifscope [ethernet]\n"
    "? (192.0.2.9) at (incomplete) on en0 ifscope [ethernet]\n"
    "? (224.0.0.251) at 1:0:5e:0:0:fb on en0 ifscope permanent [ethernet]\n"
)
LINUX_TABLE = (
    "Address                  HWtype  HWaddress           Flags Mask            Iface\n"
    "192.0.2.9                        (incomplete)                              eth0\n"
    "192.0.2.1                ether   00:00:5e:00:53:01   C                     eth0\n"
)
NEIGH = (
    "192.0.2.9 dev eth0 FAILED\n192.0.2.1 dev eth0 lladdr 00:00:5e:00:53:01 REACHABLE\n192.0.2.8 dev eth0 INCOMPLETE\n"
)
PROC = (
    "IP address       HW type     Flags       HW address            Mask     Device\n"
    "192.0.2.1        0x1         0x2         00:00:5e:00:53:01     *        eth0\n"
    "192.0.2.9        0x1         0x0         00:00:00:00:00:00     *        eth0\n"
)
CISCO = (
    "switch#show ip arp\n"
    "Protocol  Address          Age (min)  Hardware Addr   Type   Interface\n"
    "Internet  192.0.2.1               12   0000.5e00.5301  ARPA   Vlan10\n"
    "Internet  192.0.2.9                0   Incomplete      ARPA\n"
)
HUAWEI = (
    "<core>display arp\n"
    "IP ADDRESS      MAC ADDRESS     EXPIRE(M) TYPE        INTERFACE   VPN-INSTANCE\n"
    "                                          VLAN/CEVLAN PVC\n"
    "------------------------------------------------------------------------------\n"
    "192.0.2.1       0000-5e00-5301  16        D-0         Eth-Trunk3\n"
    "                                          689/-\n"
    "192.0.2.9       Incomplete      1         D-0         Vlanif10\n"
    "Total:2         Dynamic:2       Static:0     Interface:0\n"
)
H3C = (
    "<access>display arp\n"
    "  Type: S-Static   D-Dynamic   O-Openflow   R-Rule   M-Multiport  I-Invalid\n"
    "IP address      MAC address    VLAN/VSI name Interface                Aging Type\n"
    "192.0.2.1       0000-5e00-5301 10            GE1/0/1                  1156  D\n"
)
WINDOWS = (
    "\r\n接口: 192.0.2.77 --- 0xb\r\n  Internet 地址         物理地址              类型\r\n"
    "  192.0.2.1             00-00-5e-00-53-01     动态        \r\n"
    "  192.0.2.255           ff-ff-ff-ff-ff-ff     静态        \r\n"
    "  224.0.0.22            01-00-5e-00-00-16     静态        \r\n"
)
WINDOWS_ENGLISH = (
    "\r\nInterface: 192.0.2.77 --- 0xb\r\n  Internet Address      Physical Address      Type\r\n"
    "  192.0.2.1             00-00-5e-00-53-01     dynamic   \r\n"
)


@pytest.mark.parametrize(
    "data",
    [
        LINUX.encode(),
        MACOS.encode(),
        LINUX_TABLE.encode(),
        NEIGH.encode(),
        PROC.encode(),
        CISCO.encode(),
        HUAWEI.encode(),
        H3C.encode(),
        WINDOWS.encode(),
        WINDOWS.encode("gb18030"),
        WINDOWS.encode("utf-16"),
        WINDOWS_ENGLISH.encode(),
        H3C.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + LINUX.encode(),
    ],
    ids=[
        *(
            [
                "linux",
                "macos",
                "linux-table",
                "ip-neigh",
                "proc",
                "cisco",
                "huawei",
                "h3c",
                "windows",
                "windows-gbk",
                "windows-utf16",
            ]
        ),
        *(["windows-english", "h3c-crlf", "bom"]),
    ],
)
def test_list_of_neighbours_gives_the_one_host_that_was_there(data: bytes) -> None:
    observations = read(data)
    assert run_of(observations).tool == "arp"
    (host,) = hosts_of(observations)
    assert (str(host.address), host.mac, host.up, host.answered, host.layer2) == ("192.0.2.1", CARD, True, True, True)
    assert not host.endpoints
    assert not host.complete
    assert host.time is None
    assert not losses_of(observations)


def test_name_beside_an_address_is_the_hosts() -> None:
    (host,) = hosts_of(read(LINUX))
    assert host.names == ("gw.school.example",)


IPV6 = (
    (
        "IPv6 Address : 2001:db8::1                                 \n"
        "Link-layer   : 0000-5e00-5301                     State : STALE   \n"
        "Interface    : GE0/0/0                            Age   : 00h05m12s \n"
    ),
    (
        "Type: S-Static    D-Dynamic    O-Openflow     R-Rule    I-Invalid\n"
        "IPv6 address              Link layer     VID  Interface/Link ID   State T  Age\n"
        "2001:DB8::1               0000-5e00-5301 10   FGE1/0/49           REACH D  1826\n"
        "FE80::200:5EFF:FE00:5301  0000-5e00-5301 10   FGE1/0/49           STALE D  1819\n"
    ),
    (
        "IPv6 Address                              Age Link-layer Addr State Interface\n"
        "2001:DB8::1                                 0 0000.5e00.5301  REACH Vl10\n"
        "2001:DB8::9                                 0 -               INCMP Vl10\n"
    ),
    "2001:db8::1 dev eth0 lladdr 00:00:5e:00:53:01 router STALE\nfe80::1 dev eth0 lladdr 00:00:5e:00:53:01 STALE\n",
)


@pytest.mark.parametrize("text", IPV6, ids=["huawei", "h3c", "cisco", "linux"])
def test_ipv6_neighbour_when_heard_is_a_host_and_link_local_is_none(text: str) -> None:
    (host,) = hosts_of(read(text))
    assert (str(host.address), host.mac, host.up) == ("2001:db8::1", CARD, True)


@pytest.mark.parametrize(
    "text",
    [
        "? (192.0.2.1) at 00:00:5e:00:53:01 [ether] PERM on eth0\n",
        "192.0.2.1 dev eth0 lladdr 00:00:5e:00:53:01 PERMANENT\n",
        H3C.replace("1156  D", "--    S"),
        HUAWEI.replace("16        D-0", "          S--"),
        WINDOWS.replace("动态", "静态"),
        PROC.replace("0x2 ", "0x6 "),
    ],
)
def test_entry_somebody_configured_is_no_proof_that_the_host_was_there(text: str) -> None:
    (host,) = hosts_of(read(text))
    assert (host.up, host.answered, host.reason) == (False, False, "arp-static")


def test_routers_own_address_is_a_host() -> None:
    assert [host.up for host in hosts_of(read(CISCO.replace("12   0000", " -   0000")))] == [True]
    assert [host.up for host in hosts_of(read(HUAWEI.replace("16        D-0", "          I -")))] == [True]


def test_page_breaks_of_a_terminal_are_passed_over() -> None:
    text = H3C.replace("192.0.2.1 ", "  ---- More ----\x1b[16D                \x1b[16D192.0.2.1 ")
    assert [str(host.address) for host in hosts_of(read(text))] == ["192.0.2.1"]


def test_clock_printed_before_the_list_is_its_time() -> None:
    (end,) = ends_of(read(f"<core>display clock\n2026-11-20 08:30:00\n{HUAWEI}"))
    assert end.finished == datetime(2026, 11, 20, 0, 30, tzinfo=UTC)
    assert not ends_of(read(HUAWEI))


def test_row_that_cannot_be_read_is_counted_and_the_others_stand() -> None:
    observations = read(f"{H3C}192.0.2.7       what is this\n")
    assert len(hosts_of(observations)) == 1
    assert [loss.rows for loss in losses_of(observations)] == [1]


def test_list_of_which_no_row_can_be_read_is_refused() -> None:
    with pytest.raises(ParseError, match="no entry"):
        read(H3C.replace("0000-5e00-5301 10            GE1/0/1                  1156  D", "nonsense"))


@pytest.mark.parametrize("line", ["x" * 2_000_000, "\x00" * 1_000, "(" * 5_000, "192.0.2.7 " * 100_000])
def test_hostile_line_costs_itself_only(line: str) -> None:
    assert len(hosts_of(read(f"{H3C}{line}\n"))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.1,教务系统\n",
        "open tcp 80 192.0.2.1 1646787050\n",
        "IP地址,端口\n10.0.0.1,80\n",
        "hello world\n",
        "1790000000 00:00:5e:00:53:01 192.0.2.1 pc *\n",
    ],
)
def test_other_texts_are_not_taken_for_a_list_of_neighbours(text: str) -> None:
    assert not arp_table.sniff(text.encode())


def test_parser_is_chosen_by_content() -> None:
    assert choose_parser(HUAWEI.encode(), "whatever.bin").name == "arp-table"
