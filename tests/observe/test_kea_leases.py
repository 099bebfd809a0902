"""The lease files of Kea's memfile back end; rows written by hand to the columns of Kea 2.6."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sentinel.errors import ParseError
from sentinel.observe.lines import MAX_LINE
from tests.observe.written import hosts_of, losses_of, read, run_of

HEAD4 = (
    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n"
)
HEAD6 = (
    "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,"
    "hwaddr,state,user_context,hwtype,hwaddr_source,pool_id\n"
)
START = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)
EXPIRE = int(START.timestamp()) + 3600


def row4(address: str = "192.0.2.50", **cells: str | int) -> str:
    row = {
        "hwaddr": "00:00:5e:00:53:01", "client_id": "01:00:00:5e:00:53:01", "valid_lifetime": 3600, "expire": EXPIRE,
        "subnet_id": 1, "fqdn_fwd": 0, "fqdn_rev": 0, "hostname": "pc-01.", "state": 0, "user_context": "",
        "pool_id": 0, **cells,
    }  # fmt: skip
    return ",".join([address, *map(str, row.values())]) + "\n"


def row6(address: str, kind: int = 0, hwaddr: str = "", duid: str = "00:03:00:01:00:00:5e:00:53:01") -> str:
    return f"{address},{duid},3600,{EXPIRE},1,1800,{kind},7,128,0,0,printer,{hwaddr},0,,,,0\n"


def test_lease_when_active_is_a_host_with_its_card_and_its_name() -> None:
    observations = read(HEAD4 + row4())
    assert observations[0] == run_of(observations)
    assert run_of(observations).tool == "kea"
    (host,) = hosts_of(observations)
    assert (str(host.address), host.up, host.answered, host.complete) == ("192.0.2.50", True, True, False)
    assert (host.mac, host.names, host.time) == ("00:00:5e:00:53:01", ("pc-01",), START)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"state": 1}, "dhcp-declined"),
        ({"state": 2}, "dhcp-expired-reclaimed"),
        ({"state": 3}, "dhcp-released"),
        ({"state": 4}, "dhcp-registered"),
        ({"state": 99}, "dhcp-unknown"),
        ({"valid_lifetime": 0}, "dhcp-deleted"),
    ],
)
def test_lease_when_in_any_other_state_is_not_called_up(cells: dict[str, int], reason: str) -> None:
    (host,) = hosts_of(read(HEAD4 + row4(**cells)))
    assert (host.up, host.answered, host.reason) == (False, False, reason)


@pytest.mark.parametrize(
    "cells", [{"valid_lifetime": 0xFFFFFFFF}, {"expire": "x"}, {"expire": ""}, {"expire": "9" * 19}, {"expire": "²"}]
)
def test_time_when_it_cannot_be_told_is_nothing(cells: dict[str, str | int]) -> None:
    (host,) = hosts_of(read(HEAD4 + row4(**cells)))
    assert (host.time, host.up) == (None, True)


def test_name_when_a_comma_is_escaped_is_whole() -> None:
    (host,) = hosts_of(read(HEAD4 + row4(hostname="a&#x2cb")))
    assert host.names == ("a,b",)


def test_leases_when_of_ipv6_take_the_card_from_either_column_and_leave_prefixes() -> None:
    rows = row6("2001:db8::50", hwaddr="00:00:5e:00:53:02") + row6("2001:db8::51") + row6("2001:db8:1::", kind=2)
    rows += row6("2001:db8::52", duid="zz")
    observations = read(HEAD6 + rows)
    told = [(str(one.address), one.mac, one.names) for one in hosts_of(observations)]
    assert told == [
        ("2001:db8::50", "00:00:5e:00:53:02", ("printer",)),
        ("2001:db8::51", "00:00:5e:00:53:01", ("printer",)),
        ("2001:db8::52", "", ("printer",)),
    ]
    assert losses_of(observations) == []


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (row4("192.0.2.500"), "an address cannot be read"),
        ("192.0.2.51,00:00\n", "2 columns where the head has 12"),
        ("x" * (MAX_LINE + 1) + "\n", "the line is too long"),
    ],
)
def test_row_when_it_cannot_be_read_is_lost_and_the_rest_read(bad: str, told: str) -> None:
    observations = read(HEAD4 + row4() + bad + "\n" + row4())
    assert len(hosts_of(observations)) == 2
    (loss,) = losses_of(observations)
    assert (loss.rows, loss.where) == (1, "line 3")
    assert told in loss.what


def test_file_when_no_row_of_it_can_be_read_is_refused() -> None:
    with pytest.raises(ParseError, match="line 2: 1 columns"):
        read(HEAD4 + "x\n")


def test_file_when_it_is_written_anew_has_its_head_again() -> None:
    assert len(hosts_of(read(HEAD4 + row4() + HEAD4 + row4()))) == 2
