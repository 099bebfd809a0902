"""The lease file of ISC dhcpd; leases written by hand to dhcpd.leases(5) of ISC DHCP 4.4."""

from __future__ import annotations

from datetime import UTC, datetime
from time import process_time

import pytest

from sentinel.errors import ParseError
from sentinel.observe.dhcp_lease import read_duid
from sentinel.observe.lines import MAX_LINE
from tests.observe.written import hosts_of, losses_of, read, run_of

HEAD = (
    "# The format of this file is documented in the dhcpd.leases(5) manual page.\n"
    "# This lease file was written by isc-dhcp-4.4.3-P1\n\nauthoring-byte-order little-endian;\n\n"
)
START = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)


def lease(address: str = "192.0.2.50", state: str = "active", inside: str = "") -> str:
    return (
        f"lease {address} {{\n  starts 0 2026/11/22 00:30:00;\n  ends 0 2026/11/22 08:30:00;\n"
        f"  tstp 0 2026/11/22 08:30:00;\n  cltt 0 2026/11/22 00:30:00;\n  binding state {state};\n"
        "  next binding state free;\n  rewind binding state free;\n  hardware ethernet 00:00:5e:00:53:01;\n"
        f'  uid "\\001\\000\\000^\\000S\\001";\n  set vendor-class-identifier = "MSFT 5.0";\n{inside}'
        '  client-hostname "PC-01";\n}\n'
    )


def test_lease_when_active_is_a_host_with_its_card_and_its_name() -> None:
    observations = read(HEAD + lease())
    run = run_of(observations)
    assert (observations[0], run.tool, run.version, run.ports) == (run, "isc-dhcpd", "4.4.3-P1", ())
    (host,) = hosts_of(observations)
    assert (str(host.address), host.up, host.answered, host.complete) == ("192.0.2.50", True, True, False)
    assert (host.mac, host.names, host.time) == ("00:00:5e:00:53:01", ("pc-01",), START)
    assert host.endpoints == ()
    assert losses_of(observations) == []


@pytest.mark.parametrize("state", ["free", "expired", "released", "abandoned", "backup", "reset", "bootp"])
def test_lease_when_in_any_other_state_is_not_called_up(state: str) -> None:
    (host,) = hosts_of(read(lease(state=state)))
    assert (host.up, host.answered, host.reason) == (False, False, f"dhcp-{state}")


@pytest.mark.parametrize(("inside", "is_up"), [("", True), ("abandoned;", False)])
def test_lease_when_written_by_an_old_dhcpd_is_active_unless_abandoned(inside: str, is_up: bool) -> None:
    (host,) = hosts_of(read(f"lease 192.0.2.50 {{ starts 0 2026/11/22 00:30:00; {inside} }}\n"))
    assert (host.up, host.time, host.mac, host.names) == (is_up, START, "", ())


@pytest.mark.parametrize(
    ("words", "moment"),
    [
        ("starts epoch 1795307400; # Sun Nov 22 08:30:00 2026", START),
        ("starts never", None),
        ("starts 0 2026/13/22 00:30:00", None),
        ("starts 0 1970/01/01 00:00:00", None),
        ("starts 0 9999/01/01 00:00:00", None),
        ("starts", None),
        ("ends 0 2026/11/22 08:30:00", None),
    ],
)
def test_time_when_of_any_form_is_utc_or_nothing(words: str, moment: datetime | None) -> None:
    (host,) = hosts_of(read(f"lease 192.0.2.50 {{\n{words};\nbinding state active;\n}}\n"))
    assert host.time == moment


def test_leases_when_an_address_changes_hands_come_in_the_order_of_the_file() -> None:
    later = lease().replace("00:00:5e:00:53:01", "00:00:5e:00:53:02").replace("PC-01", "TEACHER")
    macs = [host.mac for host in hosts_of(read(lease() + later))]
    assert macs == ["00:00:5e:00:53:01", "00:00:5e:00:53:02"]


def test_lease_when_it_has_blocks_of_its_own_is_read_past_them() -> None:
    inside = '  on expiry or release {\n    set x = "}";\n    if exists y { binding state free; }\n  }\n'
    (host,) = hosts_of(read(lease(inside=inside)))
    assert (host.up, host.names) == (True, ("pc-01",))


def test_declarations_of_other_kinds_are_passed_over() -> None:
    text = 'failover peer "a" state {\n  my state normal at 0 2026/11/22 00:30:00;\n}\nhost x { dynamic; }\n'
    observations = read(text + lease() + "group { }\n}\n;\n")
    assert len(hosts_of(observations)) == 1
    assert losses_of(observations) == []


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ('"PC\\"1"', ('pc"1',)),
        ('"\\344\\270\\255"', ("中",)),
        ('"a\\\\b"', ("a\\b",)),
        ("plain", ("plain",)),
        ('""', ()),
        ('"192.0.2.9"', ()),
        ('"pc.school.example."', ("pc.school.example",)),
        ('"' + "x" * 5_000 + '"', ("x" * 253,)),
    ],
)
def test_name_when_escaped_or_odd_is_read_and_bounded(name: str, names: tuple[str, ...]) -> None:
    (host,) = hosts_of(read(f"lease 192.0.2.50 {{\nclient-hostname {name};\n}}\n"))
    assert host.names == names


@pytest.mark.parametrize(
    "hardware", ["token-ring 00:00:5e:00:53:01", "ethernet", "ethernet 0:0:5e:0:53:1", "", "ethernet zz"]
)
def test_card_when_it_is_no_ethernet_address_is_empty(hardware: str) -> None:
    (host,) = hosts_of(read(f"lease 192.0.2.50 {{ hardware {hardware}; }}\n"))
    assert host.mac == ""


@pytest.mark.parametrize("address", ["192.0.2.500", "0.0.0.0", "224.0.0.1", ""])
def test_lease_when_its_address_cannot_be_read_is_lost_and_the_rest_read(address: str) -> None:
    observations = read(HEAD + lease() + lease(address))
    assert len(hosts_of(observations)) == 1
    (loss,) = losses_of(observations)
    assert (loss.rows, loss.where) == (1, "line 19")
    assert "an address cannot be read" in loss.what


def test_file_when_cut_inside_a_lease_loses_that_one() -> None:
    observations = read(lease() + lease("192.0.2.51")[:-20])
    assert [str(host.address) for host in hosts_of(observations)] == ["192.0.2.50"]
    (loss,) = losses_of(observations)
    assert (loss.rows, loss.where) == (1, "line 14")
    assert "ends inside a lease" in loss.what


def test_lease_when_cut_off_by_the_next_one_does_not_spoil_that() -> None:
    observations = read(lease("192.0.2.51")[:-20] + "\n" + lease())
    (host,) = hosts_of(observations)
    assert (str(host.address), host.names) == ("192.0.2.50", ("pc-01",))
    assert [loss.rows for loss in losses_of(observations)] == [1]


def test_file_when_no_lease_of_it_can_be_read_is_refused() -> None:
    with pytest.raises(ParseError, match="an address cannot be read"):
        read(lease("300.1.2.3"))


def test_file_when_it_holds_no_lease_is_a_run_without_hosts() -> None:
    observations = read(HEAD)
    assert (run_of(observations).tool, len(observations)) == ("isc-dhcpd", 1)


def test_line_when_too_long_is_lost() -> None:
    observations = read(lease() + "#" + "x" * MAX_LINE + "\n" + lease())
    assert len(hosts_of(observations)) == 2
    assert [(loss.rows, loss.where) for loss in losses_of(observations)] == [(1, "line 14")]


@pytest.mark.parametrize("text", ['\\"' * 500_000, "{" * 1_000_000, "x " * 500_000, '"' * 1_000_000, "};" * 500_000])
def test_line_when_made_to_be_slow_is_read_soon(text: str) -> None:
    begun = process_time()
    observations = read(f"{lease()}{text}\n{lease()}")
    assert process_time() - begun < 5
    assert len(hosts_of(observations)) == 2


def test_lease_when_of_ipv6_takes_time_and_card_from_its_client() -> None:
    duid = "\\000\\003\\000\\001\\000\\000^\\000S\\001"
    text = (
        f'server-duid "\\000";\nia-na "\\001\\000\\000\\000{duid}" {{\n  cltt 0 2026/11/22 00:30:00;\n'
        "  iaaddr 2001:db8::50 {\n    binding state active;\n    preferred-life 375;\n    max-life 600;\n"
        "    ends 0 2026/11/22 08:30:00;\n  }\n  iaaddr 2001:db8::51 {\n    binding state expired;\n  }\n}\n"
        'ia-pd "\\001" {\n  iaprefix 2001:db8:1::/48 {\n    binding state active;\n  }\n}\n'
    )
    observations = read(text)
    told = [(str(one.address), one.up, one.mac, one.time) for one in hosts_of(observations)]
    assert told == [
        ("2001:db8::50", True, "00:00:5e:00:53:01", START),
        ("2001:db8::51", False, "00:00:5e:00:53:01", START),
    ]
    assert losses_of(observations) == []


@pytest.mark.parametrize(
    ("duid", "mac"),
    [
        ("000300010000 5e005301", "00:00:5e:00:53:01"),
        ("00010001 2a000000 00005e005301", "00:00:5e:00:53:01"),
        ("0002 00000009 0cc084d303000912", ""),
        ("0004 00112233445566778899aabbccddeeff", ""),
        ("0003 0020 00005e005301", ""),
        ("0003 0001 00005e0053", ""),
        ("", ""),
    ],
)
def test_duid_when_made_from_a_card_gives_its_address(duid: str, mac: str) -> None:
    assert read_duid(bytes.fromhex(duid)) == mac


def test_name_when_its_escape_is_no_byte_then_it_stands_for_itself() -> None:
    (host,) = hosts_of(read('lease 192.0.2.50 {\nclient-hostname "pc\\8\\x1";\n}\n'))
    assert host.names == ("pc8x1",)
