"""What one row of each Zeek log shows; rows written by hand to Zeek's documentation of their fields."""

from __future__ import annotations

import pytest

from sentinel.errors import ParseError
from sentinel.model.observation import CLOSED, OPEN, Certificate, HostObservation, Observation
from sentinel.observe.zeek_log import LOGS, common_name, guess_log
from tests.observe.shown import names_of, ports_of
from tests.observe.written import CONN_FIELDS, CONN_TYPES, conn, conn_log, hosts_of, losses_of, read, zeek


def proven(observations: list[Observation]) -> list[HostObservation]:
    """The hosts a log proves to be there; the originator of a connection nobody accepted is not among them."""
    return [one for one in hosts_of(observations) if one.up or one.endpoints]


FINGERPRINT = "5d" * 32


@pytest.mark.parametrize("state", ["SF", "S1", "S2", "S3", "RSTO", "RSTR"])
def test_conn_when_accepted_is_an_open_port(state: str) -> None:
    assert ports_of(read(conn_log(conn(conn_state=state)))) == [("192.0.2.1", "tcp", 22, OPEN, "ssh", "")]


@pytest.mark.parametrize("state", ["S0", "RSTOS0", "RSTRH", "SH", "SHR", "OTH", "-"])
def test_conn_when_not_accepted_shows_nothing_and_loses_nothing(state: str) -> None:
    observations = read(conn_log(conn(conn_state=state)))
    assert proven(observations) == losses_of(observations) == []


def test_conn_when_rejected_is_a_closed_port() -> None:
    assert ports_of(read(conn_log(conn(conn_state="REJ", service="-")))) == [("192.0.2.1", "tcp", 22, CLOSED, "", "")]


@pytest.mark.parametrize(
    ("service", "packets", "size", "is_open"),
    [
        ("dns", "1", "60", True),
        ("dns", "-", "60", True),
        ("dns", "0", "0", False),
        ("dns", "-", "-", False),
        ("-", "1", "60", False),
    ],
)
def test_conn_when_udp_is_open_if_it_answered_in_a_known_protocol(
    service: str, packets: str, size: str, is_open: bool
) -> None:
    row = conn(proto="udp", id__resp_p="53", service=service, resp_pkts=packets, resp_bytes=size)
    assert bool(ports_of(read(conn_log(row)))) is is_open


@pytest.mark.parametrize("proto", ["icmp", "unknown_transport"])
def test_conn_when_of_another_protocol_shows_no_port(proto: str) -> None:
    assert proven(read(conn_log(conn(proto=proto)))) == []


@pytest.mark.parametrize("address", ["0.0.0.0", "255.255.255.255", "224.0.0.251", "ff02::fb", "::"])
def test_conn_when_to_no_single_machine_is_no_host(address: str) -> None:
    observations = read(conn_log(conn(id__resp_h=address)))
    assert proven(observations) == losses_of(observations) == []


@pytest.mark.parametrize(("local", "count"), [("T", 1), ("-", 1), ("F", 0)])
def test_conn_when_the_responder_is_not_local_is_left_out(local: str, count: int) -> None:
    assert len(proven(read(conn_log(conn(local_resp=local))))) == count


@pytest.mark.parametrize(
    ("services", "service", "tunnel", "extra"),
    [
        ("ssl", "", "ssl", ""),
        ("ssl,http", "http", "ssl", ""),
        ("http,ssl", "http", "ssl", ""),
        ("gssapi,smb,krb", "gssapi", "", "smb; krb"),
        ("-ssl,SSH", "ssh", "", ""),
        ("-", "", "", ""),
    ],
)
def test_service_when_several_were_seen_is_the_first_and_tls_a_tunnel(
    services: str, service: str, tunnel: str, extra: str
) -> None:
    (host,) = hosts_of(read(conn_log(conn(service=services))))
    (port,) = host.endpoints
    assert (port.service, port.tunnel, port.extra) == (service, tunnel, extra)


@pytest.mark.parametrize("time", ["XXXXXXXXXX.XXXXXX", "-", "0.000000", "9999999999999.0", "-5", "nan", "x"])
def test_time_when_masked_or_impossible_is_none_and_the_row_kept(time: str) -> None:
    assert [one.time for one in hosts_of(read(conn_log(conn(ts=time))))] == [None]


DNS_FIELDS, DNS_TYPES = (
    ("ts", "uid", "query", "rcode", "AA", "RD", "answers"),
    ("time", "string", "string", "count", "bool", "bool", "vector[string]"),
)


@pytest.mark.parametrize(
    ("query", "answers", "expected"),
    [
        ("WWW.School.example", "192.0.2.1", [("www.school.example", "192.0.2.1", "dns")]),
        (
            "a.example",
            "b.example,192.0.2.1,2001:db8::1,TXT 5 hello",
            [("a.example", "192.0.2.1", "dns"), ("a.example", "2001:db8::1", "dns")],
        ),
        ("a.example", "b.example", [("a.example", "", "dns")]),
        ("a.example", "-", [("a.example", "", "dns")]),
        ("a.example", "(empty)", [("a.example", "", "dns")]),
        ("a\\x2cb.example", "-", [("a,b.example", "", "dns")]),
        ("\\xe4\\xb8\\xad.example", "-", [("中.example", "", "dns")]),
        ("中.example", "-", [("中.example", "", "dns")]),
        ("1.2.0.192.in-addr.arpa", "www.school.example", []),
        ("-", "-", []),
        ("", "-", []),
    ],
)
def test_dns_when_read_is_a_name_for_each_address(
    query: str, answers: str, expected: list[tuple[str, str, str]]
) -> None:
    row = f"1790000000.5\tC1\t{query}\t0\tF\tT\t{answers}"
    assert names_of(read(zeek("dns", DNS_FIELDS, DNS_TYPES, row))) == expected


def test_dns_when_the_header_tells_no_types_still_splits_the_answers() -> None:
    text = zeek("dns", DNS_FIELDS, DNS_TYPES, "1\tC1\ta.example\t0\tF\tT\t192.0.2.1,192.0.2.2").replace(
        "#types", "#other"
    )
    assert len(names_of(read(text))) == 2


SSL_FIELDS = (
    "ts", "id.resp_h", "id.resp_p", "server_name", "established", "next_protocol", "cert_chain_fps", "subject",
    "issuer", "validation_status",
)  # fmt: skip
SSL_TYPES = ("time", "addr", "port", "string", "bool", "string", "vector[string]", "string", "string", "string")


def ssl_row(
    name="www.school.example", established="T", protocol="-", chain="-", subject="-", issuer="-", status="-"
) -> str:
    cells = ("1790000000.5", "192.0.2.1", "443", name, established, protocol, chain, subject, issuer, status)
    return "\t".join(cells)


def test_ssl_when_established_is_a_name_and_a_port_in_tls() -> None:
    observations = read(zeek("ssl", SSL_FIELDS, SSL_TYPES, ssl_row()))
    assert names_of(observations) == [("www.school.example", "192.0.2.1", "tls")]
    assert ports_of(observations) == [("192.0.2.1", "tcp", 443, OPEN, "", "ssl")]


@pytest.mark.parametrize(
    ("row", "names", "ports"),
    [
        (ssl_row(established="F"), 1, 0),
        (ssl_row(name="-"), 0, 1),
        (ssl_row(name="192.0.2.1"), 0, 1),
        (ssl_row().replace("192.0.2.1\t", "224.0.0.1\t"), 0, 0),
    ],
)
def test_ssl_when_something_is_missing_shows_the_rest(row: str, names: int, ports: int) -> None:
    observations = read(zeek("ssl", SSL_FIELDS, SSL_TYPES, row))
    assert (len(names_of(observations)), len(ports_of(observations))) == (names, ports)


@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
def test_ssl_when_the_next_protocol_is_the_web_tells_the_service(protocol: str) -> None:
    assert ports_of(read(zeek("ssl", SSL_FIELDS, SSL_TYPES, ssl_row(protocol=protocol))))[0][4] == "http"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (ssl_row(chain=f"{FINGERPRINT},{'6e' * 32}"), Certificate(sha256=FINGERPRINT)),
        (ssl_row(chain="6E" * 20), Certificate(sha256="sha1:" + "6e" * 20)),
        (
            ssl_row(subject="CN=a.example,O=School\\x2c B", issuer="CN=Root"),
            Certificate(subject="a.example", issuer="Root", self_signed=False),
        ),
        (
            ssl_row(subject="O=School", issuer="O=School"),
            Certificate(subject="O=School", issuer="O=School", self_signed=True),
        ),
        (
            ssl_row(chain=FINGERPRINT, status="self signed certificate"),
            Certificate(sha256=FINGERPRINT, self_signed=True),
        ),
        (
            ssl_row(chain=FINGERPRINT, status="self signed certificate in certificate chain"),
            Certificate(sha256=FINGERPRINT),
        ),
        (ssl_row(), None),
    ],
)
def test_ssl_when_it_tells_of_the_certificate_keeps_that(row: str, expected: Certificate | None) -> None:
    (host,) = hosts_of(read(zeek("ssl", SSL_FIELDS, SSL_TYPES, row)))
    assert host.endpoints[0].certificate == expected


def test_x509_when_read_is_the_names_it_covers() -> None:
    fields = ("ts", "fingerprint", "certificate.version", "certificate.subject", "san.dns")
    types = ("time", "string", "count", "string", "vector[string]")
    rows = (
        f"1790000000.5\t{FINGERPRINT}\t3\tCN=www.school.example,O=School\tWWW.school.example,*.school.example,192.0.2.1",
        f"1790000000.5\t{FINGERPRINT}\t3\tCN=Some Root\t-",
    )
    assert names_of(read(zeek("x509", fields, types, *rows))) == [
        ("www.school.example", "", "certificate"),
        ("*.school.example", "", "certificate"),
    ]


HTTP_FIELDS = ("ts", "id.resp_h", "id.resp_p", "trans_depth", "method", "host", "uri")
HTTP_TYPES = ("time", "addr", "port", "count", "string", "string", "string")


@pytest.mark.parametrize(
    ("method", "host", "uri", "names"),
    [
        ("GET", "www.school.example", "/", [("www.school.example", "192.0.2.1", "http")]),
        ("GET", "www.school.example:8080", "/", [("www.school.example", "192.0.2.1", "http")]),
        ("GET", "192.0.2.1", "/", []),
        ("GET", "[2001:db8::1]:80", "/", []),
        ("GET", "-", "/", []),
        ("CONNECT", "pool.example:443", "pool.example:443", [("pool.example", "", "http")]),
        ("GET", "pool.example", "http://pool.example/", [("pool.example", "", "http")]),
    ],
)
def test_http_when_read_is_a_web_port_and_the_name_asked_for(
    method: str, host: str, uri: str, names: list[tuple[str, str, str]]
) -> None:
    observations = read(
        zeek("http", HTTP_FIELDS, HTTP_TYPES, f"1790000000.5\t192.0.2.1\t80\t1\t{method}\t{host}\t{uri}")
    )
    assert ports_of(observations) == [("192.0.2.1", "tcp", 80, OPEN, "http", "")]
    assert names_of(observations) == names


def test_known_hosts_when_read_is_a_host_that_is_up() -> None:
    observations = read(
        zeek("known_hosts", ("ts", "host"), ("time", "addr"), "1790000000.5\t2001:db8::1", "1\t224.0.0.1")
    )
    assert [(str(one.address), one.up, one.answered) for one in hosts_of(observations)] == [("2001:db8::1", True, True)]


@pytest.mark.parametrize(
    ("service", "proto", "expected"),
    [
        ("HTTP", "tcp", [("192.0.2.1", "tcp", 80, OPEN, "http", "")]),
        ("SSL,HTTP", "tcp", [("192.0.2.1", "tcp", 80, OPEN, "http", "ssl")]),
        ("(empty)", "tcp", [("192.0.2.1", "tcp", 80, OPEN, "", "")]),
        ("DNS", "udp", [("192.0.2.1", "udp", 80, OPEN, "dns", "")]),
        ("x", "icmp", []),
    ],
)
def test_known_services_when_read_is_an_open_port(service: str, proto: str, expected: list[tuple[str, ...]]) -> None:
    fields = ("ts", "host", "port_num", "port_proto", "service")
    text = zeek(
        "known_services",
        fields,
        ("time", "addr", "port", "enum", "set[string]"),
        f"1\t192.0.2.1\t80\t{proto}\t{service}",
    )
    assert ports_of(read(text)) == expected


def test_known_certs_when_read_is_a_port_in_tls_with_its_certificate() -> None:
    fields = ("ts", "host", "port_num", "subject", "serial", "issuer_subject")
    row = "1\t192.0.2.1\t443\tCN=www.school.example\t01\tCN=www.school.example"
    (host,) = hosts_of(read(zeek("known_certs", fields, ("time", "addr", "port", "string", "string", "string"), row)))
    (port,) = host.endpoints
    assert port.tunnel == "ssl"
    assert port.certificate == Certificate(subject="www.school.example", issuer="www.school.example", self_signed=True)


SOFTWARE_FIELDS = (
    "ts", "host", "host_p", "software_type", "name", "version.major", "version.minor", "version.minor2",
    "version.minor3", "version.addl", "unparsed_version",
)  # fmt: skip
SOFTWARE_TYPES = ("time", "addr", "port", "enum", "string", "count", "count", "count", "count", "string", "string")


@pytest.mark.parametrize(
    ("row", "endpoints", "system"),
    [
        ("22\tSSH::SERVER\tOpenSSH\t9\t2\t-\t-\tp1\tOpenSSH_9.2p1", [("tcp", 22, "ssh", "OpenSSH", "9.2-p1")], ""),
        ("80\tHTTP::APPSERVER\tPHP\t7\t4\t3\t1\t-\tPHP/7.4.3.1", [("tcp", 80, "http", "PHP", "7.4.3.1")], ""),
        ("67\tDHCP::SERVER\tx\t-\t-\t-\t-\tbeta\t-", [("udp", 67, "dhcp", "x", "beta")], ""),
        ("-\tSSH::SERVER\tOpenSSH\t9\t-\t-\t-\t-\t-", [], ""),
        ("51000\tHTTP::BROWSER\tFirefox\t99\t0\t-\t-\t-\t-", [], ""),
        ("-\tOS::WINDOWS\tWindows\t10\t0\t-\t-\t-\t-", [], "Windows 10.0"),
    ],
)
def test_software_when_a_server_is_an_open_port_else_only_a_host(
    row: str, endpoints: list[tuple[object, ...]], system: str
) -> None:
    (host,) = hosts_of(read(zeek("software", SOFTWARE_FIELDS, SOFTWARE_TYPES, f"1\t192.0.2.1\t{row}")))
    assert [(one.proto, one.port, one.service, one.product, one.version) for one in host.endpoints] == endpoints
    assert (host.up, host.os) == (True, system)


BAD_ROWS = [
    ("conn", CONN_FIELDS, CONN_TYPES, conn(id__resp_h="none")),
    ("conn", CONN_FIELDS, CONN_TYPES, conn(id__resp_p="99999")),
    ("ssl", SSL_FIELDS, SSL_TYPES, ssl_row().replace("443", "x")),
    ("http", HTTP_FIELDS, HTTP_TYPES, "1\t-\t80\t1\tGET\ta\t/"),
    ("known_hosts", ("ts", "host"), ("time", "addr"), "1\tnone"),
    ("known_services", ("host", "port_num", "port_proto"), ("addr", "port", "enum"), "192.0.2.1\t-\ttcp"),
    ("known_certs", ("host", "port_num"), ("addr", "port"), "192.0.2.1\t-"),
    ("software", ("host", "software_type"), ("addr", "enum"), "x\tSSH::SERVER"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "fields", "types", "row"), BAD_ROWS)
def test_row_when_an_address_or_port_cannot_be_read_is_lost(path: str, fields, types, row: str) -> None:
    with pytest.raises(ParseError, match="line 9: an address or a port cannot be read"):
        read(zeek(path, fields, types, row))


@pytest.mark.parametrize("path", ["ssl", "http", "known_services", "known_certs", "software"])
def test_row_when_of_a_group_address_is_no_host(path: str) -> None:
    known = {"ts": "1", "id.resp_h": "224.0.0.1", "id.resp_p": "80", "host": "224.0.0.1", "port_num": "80",
             "port_proto": "tcp", "software_type": "SSH::SERVER"}  # fmt: skip
    fields = [name for name in known if name in LOGS[path].required]
    observations = read(zeek(path, fields, ["string"] * len(fields), "\t".join(known[name] for name in fields)))
    assert [type(one).__name__ for one in observations] == ["RunObservation", "RunEnd"]


@pytest.mark.parametrize("path", sorted(LOGS))
def test_log_when_known_by_its_fields_alone_is_the_right_one(path: str) -> None:
    log = LOGS[path]
    for marks in log.marks:
        found = guess_log((*marks, *log.required))
        assert found is log


@pytest.mark.parametrize(
    ("text", "expected"),
    [("CN=a\\, b,O=c", "a, b"), ("O=c,CN=a", "a"), ("O=c, CN=a", "a"), ("O=c", "O=c"), ("", "")],
)
def test_common_name_when_escaped_is_plain(text: str, expected: str) -> None:
    assert common_name(text) == expected


DHCP_FIELDS = (
    "ts", "uids", "client_addr", "server_addr", "mac", "host_name", "client_fqdn", "domain", "requested_addr",
    "assigned_addr", "lease_time", "msg_types",
)  # fmt: skip


def dhcp(**cells: str) -> str:
    row = {
        "ts": "1790000000.5", "uids": "C1", "client_addr": "-", "server_addr": "192.0.2.254",
        "mac": "00:00:5e:00:53:01", "host_name": "PC-01", "client_fqdn": "pc-01.school.example.", "domain": "-",
        "requested_addr": "-", "assigned_addr": "192.0.2.50", "lease_time": "3600.0",
        "msg_types": "DISCOVER,OFFER,REQUEST,ACK", **cells,
    }  # fmt: skip
    types = ("time", "set[string]", *["string"] * 9, "vector[string]")
    return zeek("dhcp", DHCP_FIELDS, types, "\t".join(row[name] for name in DHCP_FIELDS))


def test_dhcp_when_an_address_was_given_is_a_host_with_its_card_and_its_names() -> None:
    (host,) = hosts_of(read(dhcp()))
    assert (str(host.address), host.up, host.answered, host.endpoints) == ("192.0.2.50", True, True, ())
    assert (host.mac, host.names) == ("00:00:5e:00:53:01", ("pc-01", "pc-01.school.example"))


@pytest.mark.parametrize(
    "cells",
    [
        {"msg_types": "DISCOVER,OFFER"},
        {"msg_types": "REQUEST,NAK"},
        {"assigned_addr": "-"},
        {"assigned_addr": "0.0.0.0"},
    ],
)
def test_dhcp_when_no_address_was_given_shows_nothing_and_loses_nothing(cells: dict[str, str]) -> None:
    observations = read(dhcp(**cells))
    assert hosts_of(observations) == losses_of(observations) == []


def test_dhcp_when_its_address_cannot_be_read_is_lost() -> None:
    with pytest.raises(ParseError, match="an address or a port cannot be read"):
        read(dhcp(assigned_addr="nowhere"))


@pytest.mark.parametrize("cells", [{"mac": "-", "host_name": "-", "client_fqdn": "-"}, {"msg_types": "-"}])
def test_dhcp_when_it_tells_less_still_shows_the_host(cells: dict[str, str]) -> None:
    assert [str(host.address) for host in hosts_of(read(dhcp(**cells)))] == ["192.0.2.50"]
