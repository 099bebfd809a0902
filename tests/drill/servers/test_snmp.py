"""SNMP agents asked with messages written by hand, to RFC 1157, RFC 3416 and RFC 3414."""

import asyncio
import socket
from ipaddress import IPv4Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.drill.servers.datagram import DatagramDoor, DatagramService, answers_to, reserve_datagram
from sentinel.drill.servers.snmp import (
    Agent,
    encode,
    encode_integer,
    encode_oid,
    printer_agent,
    snmp,
    snmp_v3,
    switch_agent,
)

ADDRESS = IPv4Address("127.79.2.3")
PRINTER = snmp(161, printer_agent("print-01"))
SWITCH = snmp(161, switch_agent("sw-core"))
LOCKED = snmp_v3(161)
# get-request for sysDescr.0, version 1, community public, request 1
GET_DESCRIPTION = bytes.fromhex(
    "3026020100 04067075626c6963 a019 020101 020100 020100 300e300c06082b060102010101000500"
)
# the discovery of an SNMPv3 engine: message 0x1234, reportable, no authentication; request 0x77
DISCOVERY = bytes.fromhex(
    "303a 020103 300f 02021234 020300ffe3 040104 020103"
    "0410 300e 0400 020100 020100 0400 0400 0400 3012 0400 0400 a00c 02020077 020100 020100 3000"
)
GET, GET_NEXT, SET, BULK = 0xA0, 0xA1, 0xA3, 0xA5
SYSTEM = (1, 3, 6, 1, 2, 1, 1)
DESCRIPTION, OBJECT, UPTIME, NAME = ((*SYSTEM, number, 0) for number in (1, 2, 3, 5))
PHYSICAL = (1, 3, 6, 1, 2, 1, 47, 1)


def request(
    *names: tuple[int, ...],
    kind: int = GET,
    version: int = 1,
    community: bytes = b"public",
    first: int = 0,
    second: int = 0,
) -> bytes:
    pairs = encode(0x30, *(encode(0x30, encode_oid(name), b"\5\0") for name in names))
    body = encode(kind, encode_integer(77), encode_integer(first), encode_integer(second), pairs)
    return encode(0x30, encode_integer(version), encode(4, community), body)


def elements(data: bytes) -> list[tuple[int, bytes]]:
    """Read the BER elements of a value; lengths up to 255 bytes are enough here, or two bytes of length."""
    found, at = [], 0
    while at < len(data):
        tag, size = data[at], data[at + 1]
        at += 2
        if size >= 0x80:
            long_form = size & 0x7F
            size = int.from_bytes(data[at : at + long_form], "big")
            at += long_form
        assert at + size <= len(data)
        found.append((tag, data[at : at + size]))
        at += size
    return found


def heard(answer: bytes) -> tuple[int, int, list[tuple[bytes, int, bytes]]]:
    """Take a response apart: error, index, and name, tag and value of each row."""
    ((_, whole),) = elements(answer)
    (_, _), (_, community), (kind, body) = elements(whole)
    assert (community, kind) == (b"public", 0xA2)
    (_, number), (_, error), (_, index), (_, rows) = elements(body)
    assert number == b"\x4d"
    pairs = [elements(row) for _, row in elements(rows)]
    return error[0], index[0], [(name, tag, value) for (_, name), (tag, value) in pairs]


def test_agent_when_a_socket_asks_for_its_description_then_it_tells_it() -> None:
    def ask(port: int) -> bytes:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            client.sendto(GET_DESCRIPTION, (str(ADDRESS), port))
            return client.recv(1500)

    async def play() -> bytes:
        reserved = reserve_datagram(ADDRESS, 0)
        port = reserved.getsockname()[1]
        door = DatagramDoor(reserved, PRINTER)
        await door.open()
        try:
            return await asyncio.to_thread(ask, port)
        finally:
            await door.close()

    text = b"HP ETHERNET MULTI-ENVIRONMENT,PID:HP LaserJet P2055dn"
    row = bytes.fromhex("06082b06010201010100 04") + bytes([len(text)]) + text
    pairs = b"\x30" + bytes([len(row) + 2]) + b"\x30" + bytes([len(row)]) + row
    body = bytes.fromhex("020101 020100 020100") + pairs
    rest = bytes.fromhex("020100 04067075626c6963 a2") + bytes([len(body)]) + body
    assert asyncio.run(play()) == b"\x30" + bytes([len(rest)]) + rest


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize(
    ("service", "name", "tag", "value"),
    [
        (SWITCH, DESCRIPTION, 4, b"H3C Comware Software, Version 5.20\r\nH3C S5120-28P-LI"),
        (SWITCH, OBJECT, 6, bytes.fromhex("2b06010401 81c722 0b011c")),
        (PRINTER, OBJECT, 6, bytes.fromhex("2b06010401 0b 02030901")),
        (SWITCH, UPTIME, 0x43, (20 * 8_640_000).to_bytes(4, "big")),
        (SWITCH, NAME, 4, b"sw-core"),
        (SWITCH, (*SYSTEM, 6, 0), 4, "示例机房".encode()),
        (SWITCH, (*SYSTEM, 7, 0), 2, b"\x02"),
        (SWITCH, (1, 3, 6, 1, 2, 1, 2, 1, 0), 2, b"\x1c"),
        (SWITCH, (1, 3, 6, 1, 2, 1, 2, 2, 1, 2, 28), 4, b"GigabitEthernet1/0/28"),
    ],
)
def test_agent_when_asked_for_a_name_it_has_then_it_tells_the_value(
    service: DatagramService, name: tuple[int, ...], tag: int, value: bytes, version: int
) -> None:
    (answer,) = service.answer(request(name, version=version))

    error, _, ((told, kind, data),) = heard(answer)
    assert (error, told, kind, data) == (0, encode_oid(name)[2:], tag, value)


def test_agent_when_several_names_are_asked_then_they_come_in_that_order() -> None:
    _, _, rows = heard(SWITCH.answer(request(NAME, UPTIME))[0])

    assert [name for name, _, _ in rows] == [encode_oid(NAME)[2:], encode_oid(UPTIME)[2:]]


@pytest.mark.parametrize(
    ("message", "error", "index", "tag"),
    [
        pytest.param(request(PHYSICAL, version=0), 2, 1, 5, id="v1-no-such-name"),
        pytest.param(request(PHYSICAL, version=1), 0, 0, 0x80, id="v2c-no-such-object"),
        pytest.param(request(PHYSICAL, version=0, kind=GET_NEXT), 2, 1, 5, id="v1-end"),
        pytest.param(request(PHYSICAL, version=1, kind=GET_NEXT), 0, 0, 0x82, id="v2c-end-of-view"),
        pytest.param(request(NAME, version=0, kind=SET), 2, 1, 5, id="v1-set"),
        pytest.param(request(NAME, version=1, kind=SET), 6, 1, 5, id="v2c-set"),
    ],
)
def test_agent_when_it_has_no_such_name_or_is_to_be_set_then_it_says_so_as_its_version_does(
    message: bytes, error: int, index: int, tag: int
) -> None:
    told, place, ((_, kind, value),) = heard(SWITCH.answer(message)[0])

    assert (told, place, kind, value) == (error, index, tag, b"")


def test_walk_when_it_goes_on_from_name_to_name_then_it_sees_everything_once() -> None:
    seen, name = [], (1, 0)
    while True:
        _, _, ((told, tag, _),) = heard(SWITCH.answer(request(name, kind=GET_NEXT))[0])
        if tag == 0x82:
            break
        seen.append(told)
        name = (1, 3, *told[1:])  # no arc of this view needs two bytes

    assert len(seen) == len(set(seen)) == 7 + 1 + 2 * 28
    assert seen == sorted(seen)


def test_bulk_when_asked_for_many_then_as_many_come_as_fit_three_times_the_request() -> None:
    message = request(NAME, (*SYSTEM, 4), SYSTEM, kind=BULK, first=1, second=50)
    (answer,) = SWITCH.answer(message)

    _, _, rows = heard(answer)
    assert 3 < len(rows) < 50
    assert rows[0][0] == encode_oid((*SYSTEM, 6, 0))[2:]
    assert rows[1][0] == encode_oid((*SYSTEM, 4, 0))[2:]
    assert rows[2][0] == encode_oid(DESCRIPTION)[2:]
    assert rows[3][0] == encode_oid(NAME)[2:]
    assert len(answer) <= 3 * len(message)


def test_bulk_when_the_end_is_reached_then_it_says_so() -> None:
    _, _, rows = heard(SWITCH.answer(request(PHYSICAL, kind=BULK, second=1))[0])

    assert [tag for _, tag, _ in rows] == [0x82]


def test_agent_when_the_answer_would_be_too_long_then_it_is_an_error() -> None:
    talkative = snmp(161, Agent("x" * 300, (9,), "long"))

    error, index, rows = heard(talkative.answer(request(DESCRIPTION))[0])

    assert (error, index, rows) == (1, 0, [])


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(request(NAME, community=b"private"), id="another-community"),
        pytest.param(request(NAME, version=3), id="version-3"),
        pytest.param(request(NAME, version=2), id="a-version-nobody-has"),
        pytest.param(request(NAME, version=0, kind=BULK), id="bulk-in-version-1"),
        pytest.param(request(NAME, kind=0xA2), id="an-answer"),
        pytest.param(request(NAME, kind=0xA7), id="a-trap"),
        pytest.param(request(*(NAME,) * 65), id="too-many-names"),
        pytest.param(GET_DESCRIPTION[:-3], id="cut-short"),
        pytest.param(b"\x30\x83\0\0\x26" + GET_DESCRIPTION[2:], id="length-of-another-form"),
        pytest.param(GET_DESCRIPTION.replace(b"\x06\x08\x2b", b"\x04\x08\x2b"), id="a-name-that-is-none"),
        pytest.param(GET_DESCRIPTION.replace(b"\x01\x01\x00\x05", b"\x01\x01\x80\x05"), id="half-a-name"),
        pytest.param(encode(0x30, encode(2, bytes(6)), encode(4, b"public"), encode(GET)), id="integer-too-long"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_agent_when_it_is_no_request_of_its_community_then_it_is_silent(message: bytes) -> None:
    assert SWITCH.answer(message) == ()


def test_version_3_when_its_engine_is_sought_then_it_reports_it() -> None:
    ((_, whole),) = elements(LOCKED.answer(DISCOVERY)[0])
    (_, version), (_, head), (_, security), (_, scoped) = elements(whole)
    ((_, parameters),) = elements(security)
    engine = elements(parameters)[0][1]
    (_, context), _, (kind, report) = elements(scoped)
    (_, number), _, _, (_, rows) = elements(report)
    ((_, row),) = elements(rows)

    assert version == b"\3"
    assert elements(head)[0] == (2, b"\x12\x34")
    assert elements(head)[2] == (4, b"\0")
    assert engine[:4] == bytes.fromhex("800007db")
    assert (context, kind, number) == (engine, 0xA8, b"\x77")
    assert elements(row) == [(6, bytes.fromhex("2b060106030f01010400")), (0x41, b"\1")]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(GET_DESCRIPTION, id="version-1"),
        pytest.param(DISCOVERY.replace(b"\x04\x01\x04", b"\x04\x01\x00"), id="not-reportable"),
        pytest.param(DISCOVERY[:-4], id="cut-short"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_version_3_when_nothing_is_to_be_reported_then_it_is_silent(message: bytes) -> None:
    assert LOCKED.answer(message) == ()


def test_version_3_when_the_request_is_encrypted_then_it_reports_without_reading_it() -> None:
    sealed = DISCOVERY[: DISCOVERY.index(b"\x30\x12\x04\0")]
    sealed = b"\x30" + bytes([len(sealed) - 2]) + sealed[2:].replace(b"\x04\x01\x04", b"\x04\x01\x07")

    assert len(LOCKED.answer(sealed)) == 1


def test_truth_when_everybody_may_read_then_a_rule_must_find_it_and_else_not() -> None:
    assert PRINTER.weaknesses == SWITCH.weaknesses == ("exposure.snmp-public",)
    assert LOCKED.weaknesses == ()


@pytest.mark.parametrize("service", [SWITCH, PRINTER, LOCKED], ids=["switch", "printer", "version-3"])
@settings(max_examples=200, deadline=None)
@given(
    message=st.sampled_from(
        (GET_DESCRIPTION, DISCOVERY, request(NAME, UPTIME), request(SYSTEM, kind=BULK, first=1, second=2**31 - 1))
    ),
    changes=st.lists(st.tuples(st.integers(0, 80), st.integers(0, 255)), max_size=6),
    kept=st.integers(0, 100),
    tail=st.binary(max_size=40),
)
def test_agent_when_a_request_is_changed_anyhow_then_the_answer_stays_small(
    service: DatagramService, message: bytes, changes: list[tuple[int, int]], kept: int, tail: bytes
) -> None:
    changed = bytearray(message)
    for place, byte in changes:
        changed[place % len(changed)] = byte
    mutant = bytes(changed[:kept]) + tail

    answers = service.answer(mutant)

    assert answers == answers_to(service, mutant)


@pytest.mark.parametrize(
    ("oid", "written"),
    [
        ((1, 3, 6, 1), "06032b0601"),
        ((2, 999, 3), "0603883703"),
        ((1, 3, 128), "06032b8100"),
        ((1, 3, 4294967295), "06062b8fffffff7f"),
    ],
)
def test_name_when_written_then_it_is_as_the_standard_says(oid: tuple[int, ...], written: str) -> None:
    assert encode_oid(oid) == bytes.fromhex(written)


@pytest.mark.parametrize(
    ("number", "written"), [(0, "020100"), (127, "02017f"), (128, "02020080"), (-1, "0201ff"), (65507, "020300ffe3")]
)
def test_integer_when_written_then_it_is_as_the_standard_says(number: int, written: str) -> None:
    assert encode_integer(number) == bytes.fromhex(written)
