from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address

import pytest

from sentinel.errors import ParseError
from sentinel.model.observation import FILTERED, OPEN
from sentinel.model.ports import PortSet
from tests.observe.written import (
    START,
    ends_of,
    host,
    hosts_of,
    losses_of,
    nmap,
    nmap_host,
    port,
    read,
    run_of,
)

STARTED = datetime.fromtimestamp(START, UTC)


def test_run_when_read_tells_tool_version_arguments_start_and_ports() -> None:
    run = read(nmap(host("192.0.2.1")))[0]
    assert run == run_of([run])
    assert (run.tool, run.version, run.arguments, run.started) == ("nmap", "7.93", "nmap -oX - 192.0.2.0/29", STARTED)
    assert run.ports == (("tcp", PortSet.of_ports([22, 80, 443])),)


def test_run_when_it_has_several_scaninfos_merges_them_by_protocol() -> None:
    scaninfo = (
        '<scaninfo type="udp" protocol="udp" services="53"/><scaninfo type="syn" protocol="tcp" services="1-3"/>'
        '<scaninfo type="syn" protocol="tcp" services="4,9"/><scaninfo type="ipproto" protocol="ip" services="1,6"/>'
    )
    assert run_of(read(nmap(scaninfo=scaninfo))).ports == (
        ("tcp", PortSet(((1, 4), (9, 9)))),
        ("udp", PortSet(((53, 53),))),
    )


@pytest.mark.parametrize("services", ["", "http", "1-99999", "5-1"])
def test_run_when_its_port_list_cannot_be_read_claims_no_port(services: str) -> None:
    run = run_of(read(nmap(scaninfo=f'<scaninfo type="syn" protocol="tcp" services="{services}"/>')))
    assert run.ports == (("tcp", PortSet()),)


def test_host_when_it_has_everything_keeps_everything() -> None:
    inside = (
        '<address addr="44:19:B6:00:00:0A" addrtype="mac" vendor="Hikvision"/>'
        '<hostnames><hostname name="WWW.School.example." type="PTR"/><hostname name="www.school.example" type="user"/>'
        '<hostname name="mail.school.example" type="PTR"/></hostnames><ports>'
        + port(22, service='name="ssh" product="OpenSSH" version="9.2p1" extrainfo="protocol 2.0" method="probed"')
        + '</ports><os><osmatch name="Linux 4" accuracy="90"/><osmatch name="Linux 5" accuracy="98"/>'
        '<osmatch name="Linux 6" accuracy="98"/></os>'
    )
    found = nmap_host(inside, times=f'starttime="{START}" endtime="{START + 5}"')
    assert found.address == IPv4Address("192.0.2.1")
    assert (found.up, found.answered, found.complete, found.layer2) == (True, True, True, False)
    assert found.time == datetime.fromtimestamp(START + 5, UTC)
    assert found.names == ("www.school.example", "mail.school.example")
    assert (found.mac, found.vendor, found.os) == ("44:19:b6:00:00:0a", "Hikvision", "Linux 5")
    (endpoint,) = found.endpoints
    assert (endpoint.proto, endpoint.port, endpoint.state, endpoint.reason) == ("tcp", 22, OPEN, "syn-ack")
    assert (endpoint.service, endpoint.product, endpoint.version) == ("ssh", "OpenSSH", "9.2p1")
    assert (endpoint.extra, endpoint.guessed) == ("protocol 2.0", False)


def test_service_when_it_has_several_cpes_keeps_all_of_them() -> None:
    service = (
        '<service name="http" tunnel="ssl" method="probed"><cpe>cpe:/a:nginx:nginx</cpe>'
        "<cpe>cpe:/o:linux:linux_kernel</cpe></service>"
    )
    (endpoint,) = nmap_host(f"<ports>{port(443, inside=service)}</ports>").endpoints
    assert endpoint.cpes == ("cpe:/a:nginx:nginx", "cpe:/o:linux:linux_kernel")
    assert (endpoint.service, endpoint.tunnel) == ("http", "ssl")


def test_service_when_it_only_follows_from_the_port_is_guessed() -> None:
    text = port(80, service='name="http" method="table"')
    (endpoint,) = nmap_host(f"<ports>{text}</ports>").endpoints
    assert endpoint.guessed


def test_service_when_an_old_nmap_writes_ssl_before_it_tells_the_tunnel() -> None:
    text = port(443, service='name="ssl/http"')
    (endpoint,) = nmap_host(f"<ports>{text}</ports>").endpoints
    assert (endpoint.service, endpoint.tunnel) == ("http", "ssl")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('product="x"', 'version="x"'),
        ('extrainfo="x"', 'product="x"'),
        ('name="http" method="table"', 'name="http" method="probed"'),
    ],
)
def test_ports_when_alike_but_for_one_attribute_stay_apart(one: str, other: str) -> None:
    first = host("192.0.2.1", f"<ports>{port(80, service=one)}</ports>")
    second = host("192.0.2.2", f"<ports>{port(80, service=other)}</ports>")
    found = hosts_of(read(nmap(first, second)))
    assert found[0].endpoints != found[1].endpoints


def test_ports_when_equal_on_two_hosts_are_equal_values() -> None:
    inside = f"<ports>{port(80)}</ports>"
    found = hosts_of(read(nmap(host("192.0.2.1", inside), host("192.0.2.2", inside))))
    assert found[0].endpoints == found[1].endpoints


def test_os_when_an_old_nmap_gives_only_a_class_is_made_of_its_words() -> None:
    inside = '<os><osclass vendor="Linux" osfamily="Linux" osgen="2.6.X" accuracy="100"/></os>'
    assert nmap_host(inside).os == "Linux 2.6.X"


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (f'starttime="{START + 1}" endtime="{START + 2}"', START + 2),
        (f'starttime="{START + 1}"', START + 1),
        ("", START),
    ],
)
def test_time_when_the_host_tells_less_comes_from_the_next_best(times: str, expected: int) -> None:
    assert nmap_host(times=times).time == datetime.fromtimestamp(expected, UTC)


@pytest.mark.parametrize("seconds", ["0", "99999999999", "nan", "XXXXXXXXXX.XXXXXX"])
def test_time_when_impossible_is_none(seconds: str) -> None:
    assert nmap_host(times=f'endtime="{seconds}"').time is None


@pytest.mark.parametrize(
    ("status", "inside", "up"),
    [
        ('<status state="up" reason="user-set"/>', "", True),
        ('<status state="down" reason="no-response"/>', "", False),
        ('<status state="unknown" reason="user-set"/>', "", False),
        ("", f"<ports>{port(80)}</ports>", True),
        ("", "<ports></ports>", True),
        ("", "", False),
    ],
)
def test_up_when_the_element_says_so_or_has_ports(status: str, inside: str, up: bool) -> None:
    assert nmap_host(inside, status=status).up is up


@pytest.mark.parametrize(
    ("reason", "inside", "answered", "layer2"),
    [
        ("user-set", "", False, False),
        ("unknown", "", False, False),
        ("user-set", f"<ports>{port(80, FILTERED)}</ports>", False, False),
        ("user-set", f"<ports>{port(53, 'open|filtered', proto='udp')}</ports>", False, False),
        ("user-set", f"<ports>{port(80, 'closed')}</ports>", True, False),
        ("user-set", f"<ports>{port(80)}</ports>", True, False),
        ("user-set", '<ports><extraports state="closed" count="9"/></ports>', True, False),
        ("user-set", '<ports><extraports state="filtered" count="9"/></ports>', False, False),
        ("reset", "", True, False),
        ("localhost-response", "", True, False),
        ("arp-response", "", True, True),
        ("nd-response", "", True, True),
    ],
)
def test_answered_when_there_is_proof_of_life(reason: str, inside: str, answered: bool, layer2: bool) -> None:
    found = nmap_host(inside, status=f'<status state="up" reason="{reason}"/>')
    assert (found.answered, found.layer2, found.reason) == (answered, layer2, reason)


def test_answered_when_the_host_is_down_is_false_whatever_the_reason() -> None:
    assert not nmap_host(status='<status state="down" reason="host-unreach"/>').answered


@pytest.mark.parametrize(
    ("status", "times", "complete"),
    [
        ("up", "", True),
        ("down", "", True),
        ("up", 'timedout="true"', False),
        ("up", 'timedout="false"', True),
        ("skipped", "", False),
        ("unknown", "", False),
    ],
)
def test_complete_when_nmap_finished_with_the_host(status: str, times: str, complete: bool) -> None:
    assert nmap_host(status=f'<status state="{status}" reason="x"/>', times=times).complete is complete


def test_address_when_there_are_several_is_the_first_ip() -> None:
    text = host("2001:db8::1%eth0").replace("<address", '<address addr="00:00:5E:00:53:01" addrtype="mac"/><address', 1)
    (found,) = hosts_of(read(nmap(text)))
    assert (found.address, found.mac) == (IPv6Address("2001:db8::1"), "00:00:5e:00:53:01")


def test_hosthint_when_present_is_no_host() -> None:
    hint = '<hosthint><status state="up" reason="arp-response"/><address addr="192.0.2.7" addrtype="ipv4"/></hosthint>'
    assert hosts_of(read(nmap(hint))) == []


def test_host_when_its_address_cannot_be_read_is_counted_as_lost() -> None:
    observations = read(nmap(host("hidden"), host("192.0.2.2")))
    assert [str(one.address) for one in hosts_of(observations)] == ["192.0.2.2"]
    assert [one.rows for one in losses_of(observations)] == [1]
    assert len(ends_of(observations)) == 1


@pytest.mark.parametrize(
    "bad", [port(70000), port(80, proto="icmp"), '<port protocol="tcp" portid="80"/>', port(80, "")]
)
def test_port_when_it_cannot_be_read_is_counted_and_the_host_kept(bad: str) -> None:
    observations = read(nmap(host("192.0.2.1", f"<ports>{bad}{port(443)}</ports>")))
    assert [one.port for one in hosts_of(observations)[0].endpoints] == [443]
    assert [one.rows for one in losses_of(observations)] == [1]


def test_port_when_it_is_an_ip_protocol_is_neither_port_nor_loss() -> None:
    observations = read(nmap(host("192.0.2.1", f"<ports>{port(6, proto='ip')}</ports>")))
    assert hosts_of(observations)[0].endpoints == ()
    assert losses_of(observations) == []


def test_words_when_huge_or_with_control_characters_are_cut_and_cleaned() -> None:
    words = f'name="{"n" * 300}" product="a&#x9;b&#x85;c&#x202E;d" version="{"v" * 201}"'
    inside = f'<hostnames><hostname name="{"h" * 300}.example"/></hostnames><ports>{port(80, service=words)}</ports>'
    found = nmap_host(inside)
    (endpoint,) = found.endpoints
    assert (len(endpoint.service), len(endpoint.version), len(found.names[0])) == (200, 200, 253)
    assert endpoint.product == "a b c d"


def test_end_when_the_run_succeeded_tells_its_time_and_the_silent_addresses() -> None:
    observations = read(nmap(host("192.0.2.1"), host("192.0.2.4")))
    (end,) = ends_of(observations)
    assert observations[-1] is end
    assert end.finished == datetime.fromtimestamp(START + 60, UTC)
    assert [(str(low), str(high)) for low, high in end.silent] == [
        ("192.0.2.0", "192.0.2.0"),
        ("192.0.2.2", "192.0.2.3"),
        ("192.0.2.5", "192.0.2.7"),
    ]


def test_end_when_nmap_stopped_with_an_error_is_a_loss_that_says_why() -> None:
    observations = read(nmap(host("192.0.2.1"), finished='exit="error" errormsg="no route to host"'))
    assert ends_of(observations) == []
    assert "no route to host" in losses_of(observations)[0].what


def test_run_when_no_host_is_listed_is_still_told_with_its_end() -> None:
    observations = read(nmap(total=8))
    assert [type(one).__name__ for one in observations] == ["RunObservation", "RunEnd"]
    assert len(ends_of(observations)[0].silent) == 1


@pytest.mark.parametrize("text", ["<nmaprun><host/>", "<nmaprun>", "<nmaprun scanner='nmap'"])
def test_parse_when_nothing_whole_was_read_raises_with_the_byte(text: str) -> None:
    with pytest.raises(ParseError, match=rf"byte {len(text)}: .*before anything whole was read"):
        read(text)


def test_parse_when_cut_after_the_statistics_keeps_the_hosts_but_tells_no_end() -> None:
    text = nmap(host("192.0.2.1")).replace("</nmaprun>\n", "")
    observations = read(text)
    assert len(hosts_of(observations)) == 1
    assert ends_of(observations) == []
    assert losses_of(observations)[0].where == f"byte {len(text)}"


def test_parse_when_something_follows_the_document_keeps_the_end() -> None:
    observations = read(nmap(host("192.0.2.1")) + "<nmaprun/>")
    assert [type(one).__name__ for one in observations] == ["RunObservation", "HostObservation", "Loss", "RunEnd"]
