"""Parsers fed with chance: nothing but ParseError may come out of them, and they end."""

from __future__ import annotations

import io
import random
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.errors import ParseError
from sentinel.model.observation import HostObservation, Loss, NameObservation, Observation, RunEnd, RunObservation
from sentinel.model.sighting import AttachmentObservation, HoldingObservation, TranslationObservation
from sentinel.observe import PARSERS, Parser, choose_parser, mapped_log
from sentinel.observe.mapping import parse_mapping
from tests.observe import logs
from tests.observe.written import START, conn, conn_log, extraports, host, nmap, port

CERTIFICATE = (
    '<script id="ssl-cert" output="Subject: commonName=a&#xa;Not valid before: 2020-01-01T00:00:00">'
    '<table key="subject"><elem key="commonName">a</elem></table><elem key="pem">x</elem></script>'
    '<script id="http-title" output="Hello"><elem key="title">Hello</elem></script>'
)
REASONS = '<extrareasons reason="reset" count="3" proto="tcp" ports="1-9"/>'
SMALL = {
    "nmap-xml": nmap(
        host(
            "192.0.2.1",
            '<hostnames><hostname name="a.example"/></hostnames><ports>'
            + extraports("closed", REASONS)
            + extraports("filtered")
            + port(443, service='name="http" tunnel="ssl"', inside=CERTIFICATE)
            + '</ports><os><osmatch name="Linux" accuracy="9"/></os>',
        )
    ),
    "masscan-xml": (
        f'<nmaprun scanner="masscan" start="{START}"><host endtime="{START}"><address addr="192.0.2.1"/><ports>'
        '<port protocol="tcp" portid="80"><state state="open"/><service name="title" banner="\\xe4"/></port></ports>'
        f'</host><runstats><finished time="{START}"/></runstats></nmaprun>'
    ),
    "masscan-json": (
        f'[\n{{ "ip": "192.0.2.1", "timestamp": "{START}", "ports": '
        '[ {"port": 80, "proto": "tcp", "status": "open"} ] }'
        f'\n,\n{{"ip":"192.0.2.1","timestamp":"{START}","ports":[{{"port":80,"proto":"tcp","service":'
        '{"name":"title","banner":"\\u00e4"}}]}\n,\n{finished: 1}\n]\n'
    ),
    "masscan-list": f"#masscan\nopen tcp 80 192.0.2.1 {START}\nbanner tcp 80 192.0.2.1 {START} http x\n# end\n",
    "zeek": conn_log(conn(service="ssl,http"), conn(conn_state="REJ")),
    "dhcpd-leases": (
        "# This lease file was written by isc-dhcp-4.4.3\nlease 192.0.2.1 {\n  starts 0 2026/11/22 00:30:00;\n"
        '  binding state active;\n  hardware ethernet 00:00:5e:00:53:01;\n  client-hostname "a\\344";\n}\n'
        'ia-na "\\001\\000\\000\\000\\000\\003" {\n  iaaddr 2001:db8::1 {\n    binding state free;\n  }\n}\n'
    ),
    "kea-leases": (
        "address,hwaddr,client_id,valid_lifetime,expire,hostname,state\n"
        f"192.0.2.1,00:00:5e:00:53:01,,3600,{START},a&#x2cb,0\n192.0.2.2,,,0,{START},,2\n"
    ),
}
JSON_LINES = '{"ts":1790000000.5,"uid":"C","id.resp_h":"192.0.2.1","id.resp_p":22,"proto":"tcp","conn_state":"SF"}\n'
MAPPED = mapped_log.make_parse(parse_mapping(logs.REGEX_MAPPING.encode(), "mapping.toml"))
MAPPED_CSV = mapped_log.make_parse(parse_mapping(logs.ACCOUNTING_MAPPING.encode(), "mapping.toml"))
EVERY = {
    **{one.name: one for one in PARSERS},
    "mapped-regex": Parser("mapped-regex", lambda _: True, lambda stream: MAPPED(stream, logs.ARRIVED)),
    "mapped-csv": Parser("mapped-csv", lambda _: True, lambda stream: MAPPED_CSV(stream, logs.ARRIVED)),
}
FILES = [
    *SMALL.items(),
    ("zeek", JSON_LINES),
    ("zeek", logs.RADIUS_LOG),
    ("suricata-eve", logs.EVE),
    ("nfdump-csv", logs.NFDUMP_16),
    ("nfdump-csv", logs.NFDUMP_17),
    ("radius-detail", logs.DETAIL),
    ("mac-table", logs.MAC_HUAWEI),
    ("mac-table", logs.MAC_CISCO),
    ("nuclei-json", logs.NUCLEI),
    *(("nat-log", text) for text in logs.NAT.values()),
    ("mapped-regex", logs.REGEX_LOG),
    ("mapped-csv", logs.ACCOUNTING_LOG),
]
SIGHTINGS = (HoldingObservation, AttachmentObservation, TranslationObservation)
KINDS = (RunObservation, HostObservation, NameObservation, RunEnd, Loss, *SIGHTINGS)


def facts_of(observations: list[Observation]) -> list[Observation]:
    return [one for one in observations if isinstance(one, (HostObservation, *SIGHTINGS))]


def read_or_refuse(parser: Parser, data: bytes) -> list[Observation]:
    """Read all, or nothing where the parser says it cannot; check what holds for every answer."""
    try:
        observations = list(parser.parse(io.BytesIO(data)))
    except ParseError:
        return []
    assert isinstance(observations[0], RunObservation)
    assert all(isinstance(one, KINDS) for one in observations)
    assert sum(isinstance(one, Loss) for one in observations) <= 1
    assert all(not isinstance(one, RunEnd) for one in observations[:-1])
    return observations


@pytest.mark.parametrize("parser", EVERY.values(), ids=lambda one: one.name)
@settings(max_examples=150, deadline=None, database=None)
@given(data=st.binary(max_size=400))
def test_parser_when_fed_random_bytes_reads_or_refuses(parser: Parser, data: bytes) -> None:
    read_or_refuse(parser, data)


@settings(max_examples=150, deadline=None, database=None)
@given(data=st.binary(max_size=400))
def test_choice_when_the_head_is_random_is_a_parser_or_an_error(data: bytes) -> None:
    try:
        parser = choose_parser(data, "file")
    except ParseError:
        return
    read_or_refuse(parser, data)


@pytest.mark.parametrize(("name", "text"), FILES)
def test_parser_when_the_file_is_cut_at_any_byte_reads_no_more_than_the_whole(name: str, text: str) -> None:
    parser = EVERY[name]
    data = text.encode()
    whole = facts_of(read_or_refuse(parser, data))
    assert whole
    open_sessions = (
        1 if name == "radius-detail" else 0
    )  # a session without its end is a sure stretch and one that lasts
    for size in range(len(data)):
        assert len(facts_of(read_or_refuse(parser, data[:size]))) <= len(whole) + open_sessions


STRIKING = [b"<", b">", b'"', b"{", b"}", b"\t", b"\n", b"&#x0;", b"\xff", b"[", b"\\x"]
Mutation = tuple[float, int, bytes]
MUTATION = st.tuples(
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 30),
    st.one_of(
        st.binary(max_size=8),
        st.sampled_from([b"<", b">", b'"', b"{", b"}", b"\t", b"\n", b"&#x0;", b"\xff", b"[", b"\\x"]),
    ),
)


@pytest.mark.parametrize(("name", "text"), FILES)
@settings(max_examples=120, deadline=None, database=None)
@given(mutations=st.lists(MUTATION, min_size=1, max_size=4))
def test_parser_when_the_file_is_damaged_reads_or_refuses(
    name: str, text: str, mutations: list[tuple[float, int, bytes]]
) -> None:
    data = text.encode()
    for place, removed, added in mutations:
        at = int(place * len(data))
        data = data[:at] + added + data[at + removed :]
    read_or_refuse(EVERY[name], data)


@pytest.mark.parametrize(("name", "text"), FILES)
def test_parser_when_the_file_is_read_twice_gives_the_same(name: str, text: str) -> None:
    parser = EVERY[name]
    assert read_or_refuse(parser, text.encode()) == read_or_refuse(parser, text.encode())


@pytest.mark.parametrize(("name", "text"), FILES)
@pytest.mark.parametrize("filler", [b"9", b"a", b"(", b'"', b"\\", b" ", b"\0", "甲".encode()])
def test_parser_when_a_field_is_huge_reads_or_refuses_in_time(name: str, text: str, filler: bytes) -> None:
    data, half = text.encode(), len(text.encode()) // 2
    read_or_refuse(EVERY[name], data[:half] + filler * 200_000 + data[half:])
    read_or_refuse(EVERY[name], data.replace(b"192.0.2.1", filler * 50_000, 1))


@pytest.mark.parametrize(("name", "text"), FILES)
@settings(max_examples=60, deadline=None, database=None)
@given(flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), min_size=1, max_size=12))
def test_parser_when_bits_are_flipped_reads_or_refuses(name: str, text: str, flips: list[tuple[float, int]]) -> None:
    data = bytearray(text.encode())
    for place, bit in flips:
        data[int(place * len(data))] ^= 1 << bit
    read_or_refuse(EVERY[name], bytes(data))


@pytest.mark.parametrize(("name", "text"), FILES)
@settings(max_examples=60, deadline=None, database=None)
@given(rows=st.lists(st.text(max_size=60), max_size=12), seed=st.randoms(use_true_random=False))
def test_parser_when_lines_of_chance_stand_between_reads_or_refuses(
    name: str, text: str, rows: list[str], seed: random.Random
) -> None:
    lines = text.splitlines()
    for row in rows:
        lines.insert(seed.randrange(len(lines) + 1), row)
    read_or_refuse(EVERY[name], "\n".join(lines).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "arp-table",
            "IPv6 Address                              Age Link-layer Addr State Interface\n" + ":" * 300_000,
        ),
        ("dnsmasq-leases", "1790000000 00:00:5e:00:53:01 192.0.2.1 a *\n1790000000 1 " + ":" * 300_000),
    ],
)
def test_parser_when_a_line_is_all_colons_reads_or_refuses_in_linear_time(name: str, text: str) -> None:
    started = process_time()
    read_or_refuse(EVERY[name], text.encode())
    assert process_time() - started < 2
