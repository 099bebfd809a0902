"""Suricata's EVE log: servers that answered, names, certificates, leases; alerts counted and passed over."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest

from sentinel.errors import ParseError
from sentinel.model.observation import NameObservation, Observation
from sentinel.model.sighting import HoldingObservation, HoldingSource
from tests.observe import logs
from tests.observe.shown import names_of, ports_of
from tests.observe.written import ends_of, hosts_of, losses_of, read, run_of


def event(kind: str, **changes: object) -> str:
    """Write an event; a dict among the changes is laid over the event's own part of that name."""
    row = json.loads(logs.EVE_ROWS[kind])
    for name, value in changes.items():
        row[name] = {**row[name], **value} if isinstance(value, dict) else value
    return json.dumps(row) + "\n"


def holdings_of(observations: list[Observation]) -> list[HoldingObservation]:
    return [one for one in observations if isinstance(one, HoldingObservation)]


def test_log_when_whole_shows_servers_names_and_leases() -> None:
    observations = read(logs.EVE)
    assert run_of(observations).tool == "suricata"
    assert ports_of(observations) == [
        ("192.0.2.1", "tcp", 443, "open", "", "ssl"),
        ("192.0.2.1", "tcp", 443, "open", "", "ssl"),
        ("192.0.2.2", "tcp", 8080, "open", "http", ""),
        ("192.0.2.3", "tcp", 22, "open", "ssh", ""),
    ]
    assert names_of(observations) == [
        ("www.school.example", "192.0.2.1", "dns"),
        ("www.school.example", "192.0.2.1", "tls"),
        ("oa.school.example", "192.0.2.2", "http"),
    ]
    (end,) = ends_of(observations)
    assert end.passed_over == (("alert", 1), ("fileinfo", 1))
    assert not any(one.complete for one in hosts_of(observations))


def test_lease_when_acknowledged_tells_who_holds_the_address() -> None:
    since = datetime(2026, 11, 24, 0, 30, 6, 123456, tzinfo=UTC)
    assert holdings_of(read(event("dhcp"))) == [
        HoldingObservation(
            ip_address("192.0.2.77"),
            HoldingSource.DHCP,
            "00:00:5e:00:53:09",
            since,
            since + timedelta(hours=1),
            name="lab-09",
            device="192.0.2.254",
        )
    ]


@pytest.mark.parametrize(
    "part", [{"dhcp_type": "discover"}, {"type": "request"}, {"assigned_ip": "0.0.0.0"}, {"assigned_ip": ""}]
)
def test_lease_when_not_given_shows_nothing(part: dict[str, str]) -> None:
    assert hosts_of(read(event("dhcp", dhcp=part))) == []


def test_lease_when_its_client_is_unknown_is_a_host_only() -> None:
    observations = read(event("dhcp", dhcp={"client_mac": "", "hostname": ""}))
    assert (len(hosts_of(observations)), holdings_of(observations)) == (1, [])


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"tcp": {"tcp_flags_tc": "14"}, "flow": {"pkts_toclient": 1}}, [("tcp", 443, "closed")]),
        ({"tcp": {"tcp_flags_tc": "14"}, "flow": {"pkts_toclient": 3}}, []),
        ({"tcp": {"tcp_flags_tc": "02"}}, []),
        ({"tcp": {"tcp_flags_tc": "zz"}}, [("tcp", 443, "open")]),
        ({"tcp": {"tcp_flags_tc": "zz"}, "app_proto": "failed"}, []),
        ({"flow": {"pkts_toclient": 0}}, []),
        ({"proto": "UDP", "app_proto": "dns", "dest_port": 53}, [("udp", 53, "open")]),
        ({"proto": "UDP", "app_proto": "failed"}, []),
        ({"proto": "ICMP", "dest_port": None}, []),
        ({"dest_ip": "224.0.0.1"}, []),
    ],
)
def test_flow_when_the_server_did_or_did_not_answer(
    changes: dict[str, object], shown: list[tuple[object, ...]]
) -> None:
    hosts = hosts_of(read(event("flow", **changes)))
    assert [(port.proto, port.port, port.state) for one in hosts for port in one.endpoints] == shown


@pytest.mark.parametrize(
    ("dns", "names"),
    [
        ({"grouped": {}, "answers": [{"rdata": "192.0.2.5"}]}, [("www.school.example", "192.0.2.5", "dns")]),
        ({"grouped": {}, "answers": None, "rdata": "192.0.2.6"}, [("www.school.example", "192.0.2.6", "dns")]),
        ({"grouped": {}, "answers": None}, [("www.school.example", "", "dns")]),
        (
            {"rrname": "", "queries": [{"rrname": "a.example"}], "grouped": {"AAAA": ["2001:db8::1"]}, "answers": None},
            [("a.example", "2001:db8::1", "dns")],
        ),
        ({"rrname": "1.2.0.192.in-addr.arpa"}, []),
    ],
)
def test_dns_when_of_any_version_gives_the_name(dns: dict[str, object], names: list[tuple[str, str, str]]) -> None:
    assert names_of(read(event("dns", dns=dns))) == names


def test_certificate_when_shown_is_kept_with_its_dates() -> None:
    (host,) = hosts_of(read(event("tls", tls={"subjectaltname": ["www.school.example", "OA.school.example"]})))
    certificate = host.endpoints[0].certificate
    assert certificate is not None
    assert certificate.sha256 == "sha1:aabbccddeeff00112233445566778899aabbccdd"
    assert (certificate.subject, certificate.issuer) == ("www.school.example", "Example R1")
    assert certificate.names == ("www.school.example", "oa.school.example")
    assert (certificate.not_before, certificate.self_signed) == (datetime(2026, 1, 1, tzinfo=UTC), False)


def test_request_when_to_a_proxy_names_no_address() -> None:
    (name,) = [
        one
        for one in read(event("http", http={"http_method": "CONNECT", "hostname": "x.example:443"}))
        if isinstance(one, NameObservation)
    ]
    assert (name.name, name.address) == ("x.example", None)


@pytest.mark.parametrize("kind", ["flow", "tls", "http", "ssh"])
def test_event_when_an_address_cannot_be_read_loses_only_that_row(kind: str) -> None:
    observations = read(event(kind, dest_ip="nowhere") + logs.EVE)
    assert [one.rows for one in losses_of(observations)] == [1]
    assert len(hosts_of(observations)) == 5


@pytest.mark.parametrize("kind", ["tls", "http", "ssh"])
def test_event_when_nobody_can_be_meant_shows_nothing(kind: str) -> None:
    assert hosts_of(read(event(kind, dest_ip="255.255.255.255"))) == []


@pytest.mark.parametrize(
    ("kind", "part"), [("ssh", {"server": {}}), ("tls", {"subject": "", "fingerprint": "", "version": ""})]
)
def test_event_when_the_server_did_not_speak_shows_no_port(kind: str, part: dict[str, object]) -> None:
    assert hosts_of(read(event(kind, **{kind: part}))) == []


def test_log_when_no_row_is_an_object_is_refused() -> None:
    with pytest.raises(ParseError, match="no JSON object"):
        read('{"timestamp":"x","event_type":\n')
