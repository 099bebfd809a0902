"""The small UDP servers, asked over a socket and with messages written by hand."""

import asyncio
import socket
import struct
from ipaddress import IPv4Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.drill.servers.datagram import DatagramDoor, DatagramService, answers_to, reserve_datagram
from sentinel.drill.servers.datagrams import ipmi, memcached_over_udp, netbios, ntp, tftp

ADDRESS = IPv4Address("127.79.2.4")
# 2026-11-22 12:00:00.5 UTC
NOW_S = 1795348800.5
CLOCK = ntp(123, now_s=lambda: NOW_S)
TALKATIVE = ntp(123, monlist=True)
BOOT = tftp(69)
WINDOWS = netbios(137, "teacher-01", "school")
MANAGEMENT = ipmi(623)
CACHE = memcached_over_udp(11211, "1.5.22")
TIME_REQUEST = b"\xe3\0\x04\xfa" + bytes(36) + b"\xc5\x4f\x23\x4b\x71\xb1\x52\xf3"
MONLIST_REQUEST = b"\x17\0\x03\x2a" + bytes(4)
NODE_STATUS = b"\x80\xf0\0\x10\0\x01" + bytes(6) + b"\x20CK" + b"A" * 30 + b"\0\0\x21\0\x01"
PING = b"\x06\0\xff\x06\0\0\x11\xbe\x80\x07\0\0"
CAPABILITIES = b"\x06\0\xff\x07" + bytes(9) + b"\x09\x20\x18\xc8\x81\x05\x38\x8e\x04\xb0"
FRAME = b"\x12\x34\0\0\0\x01\0\0"


def test_server_when_a_socket_asks_then_the_answer_comes_back() -> None:
    def ask(port: int) -> bytes:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            client.sendto(TIME_REQUEST, (str(ADDRESS), port))
            return client.recv(1500)

    async def play() -> bytes:
        reserved = reserve_datagram(ADDRESS, 0)
        port = reserved.getsockname()[1]
        door = DatagramDoor(reserved, CLOCK)
        await door.open()
        try:
            return await asyncio.to_thread(ask, port)
        finally:
            await door.close()

    assert asyncio.run(play()) == CLOCK.answer(TIME_REQUEST)[0]


def test_clock_when_asked_for_the_time_then_it_tells_it_and_returns_the_client_own() -> None:
    (answer,) = CLOCK.answer(TIME_REQUEST)
    now = struct.pack(">II", int(NOW_S) + 2_208_988_800, 0x80000000)

    assert len(answer) == 48
    assert answer[:2] == b"\x24\x02"
    assert answer[24:32] == TIME_REQUEST[40:48]
    assert answer[16:24] == answer[32:40] == answer[40:48] == now


def test_clock_when_the_era_ends_then_the_seconds_start_again() -> None:
    (answer,) = ntp(123, now_s=lambda: 2**32 - 2_208_988_800 + 1.0).answer(TIME_REQUEST)

    assert answer[32:40] == struct.pack(">II", 1, 0)


def test_clock_when_it_lists_its_clients_then_the_list_is_many_times_the_request() -> None:
    (answer,) = TALKATIVE.answer(MONLIST_REQUEST)

    assert answer[:4] == b"\x97\0\x03\x2a"
    count, size = struct.unpack(">HH", answer[4:8])
    assert len(answer) == 8 + count * size > 40 * len(MONLIST_REQUEST)
    assert answer[8 + 16 : 8 + 20] == IPv4Address("192.0.2.10").packed
    assert answers_to(TALKATIVE, MONLIST_REQUEST) == (answer,)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (b"\0\1startup.cfg\0octet\0", b"\0\5\0\1File not found.\0"),
        (b"\0\2startup.cfg\0octet\0", b"\0\5\0\2Access violation.\0"),
        (b"\0\3\0\1data of somebody", b"\0\5\0\5Unknown transfer ID.\0"),
        (b"\0\0\x10\0" + bytes(8), b"\0\5\0\4Illegal operation error.\0"),
    ],
)
def test_boot_server_when_asked_for_anything_then_it_refuses_in_words(request_: bytes, words: bytes) -> None:
    assert BOOT.answer(request_) == (words,)


def test_windows_when_asked_for_its_names_then_it_tells_name_group_and_mac() -> None:
    (answer,) = WINDOWS.answer(NODE_STATUS)

    assert answer[:12] == b"\x80\xf0\x84\0\0\0\0\x01\0\0\0\0"
    size, count = struct.unpack(">HB", answer[54:57])
    assert size == len(answer) - 56
    assert count == 2
    assert answer[57:75] == b"TEACHER-01     \0\x04\0"
    assert answer[75:93] == b"SCHOOL         \0\x84\0"
    assert answer[93:99] == bytes.fromhex("00005e005302")
    assert answers_to(WINDOWS, NODE_STATUS) == (answer,)


def test_management_when_pinged_then_it_is_present_and_speaks_ipmi() -> None:
    assert MANAGEMENT.answer(PING) == (
        b"\x06\0\xff\x06\0\0\x11\xbe\x40\x07\0\x10" + b"\0\0\x11\xbe\0\0\0\0\x81\0" + bytes(6),
    )


def test_management_when_asked_for_its_logins_then_both_checksums_are_right() -> None:
    (answer,) = MANAGEMENT.answer(CAPABILITIES)

    assert answer[:13] == CAPABILITIES[:4] + bytes(9)
    assert answer[13] == len(answer) - 14 == 16
    message = answer[14:]
    assert sum(message[:3]) % 256 == sum(message[3:]) % 256 == 0
    assert message[4:6] == b"\x05\x38"


def test_cache_when_asked_for_its_figures_then_they_come_at_length() -> None:
    (answer,) = answers_to(CACHE, FRAME + b"stats\r\n")

    assert answer.startswith(FRAME + b"STAT pid ")
    assert b"\r\nSTAT version 1.5.22\r\nSTAT curr_connections 0\r\n" in answer
    assert answer.endswith(b"\r\nEND\r\n")
    assert len(answer) > 10 * len(FRAME + b"stats\r\n")


@pytest.mark.parametrize(
    ("words", "answer"), [(b"version\r\n", b"VERSION 1.5.22\r\n"), (b"flush_all\r\n", b"ERROR\r\n")]
)
def test_cache_when_told_something_else_then_it_answers_or_knows_it_not(words: bytes, answer: bytes) -> None:
    assert CACHE.answer(FRAME + words) == (FRAME + answer,)


@pytest.mark.parametrize(
    ("service", "request_"),
    [
        pytest.param(CLOCK, b"\x24" + TIME_REQUEST[1:], id="ntp-an-answer"),
        pytest.param(CLOCK, TIME_REQUEST[:47], id="ntp-short"),
        pytest.param(CLOCK, MONLIST_REQUEST, id="ntp-no-list-without-the-flaw"),
        pytest.param(TALKATIVE, b"\x97" + MONLIST_REQUEST[1:], id="monlist-an-answer"),
        pytest.param(TALKATIVE, b"\x17\0\x03\x10" + bytes(4), id="monlist-another-code"),
        pytest.param(TALKATIVE, MONLIST_REQUEST[:7], id="monlist-short"),
        pytest.param(BOOT, b"\0\5\0\4Illegal operation error.\0", id="tftp-an-error"),
        pytest.param(BOOT, b"\0", id="tftp-short"),
        pytest.param(WINDOWS, NODE_STATUS.replace(b"\x80\xf0\0", b"\x80\xf0\x84"), id="netbios-an-answer"),
        pytest.param(WINDOWS, NODE_STATUS.replace(b"\x21", b"\x20"), id="netbios-another-question"),
        pytest.param(WINDOWS, NODE_STATUS[:49], id="netbios-short"),
        pytest.param(MANAGEMENT, PING[:11], id="rmcp-short"),
        pytest.param(MANAGEMENT, PING.replace(b"\x80", b"\x40"), id="rmcp-a-pong"),
        pytest.param(MANAGEMENT, b"\x07" + PING[1:], id="rmcp-another-version"),
        pytest.param(MANAGEMENT, CAPABILITIES[:22], id="ipmi-short"),
        pytest.param(MANAGEMENT, CAPABILITIES.replace(b"\x38", b"\x39"), id="ipmi-another-command"),
        pytest.param(CACHE, FRAME + b"ERROR\r\n", id="memcached-an-error"),
        pytest.param(CACHE, FRAME + b"stats", id="memcached-half-a-line"),
        pytest.param(CACHE, b"stats\r\n", id="memcached-without-a-frame"),
    ],
)
def test_server_when_it_is_no_request_then_it_is_silent(service: DatagramService, request_: bytes) -> None:
    assert service.answer(request_) == ()


@pytest.mark.parametrize(
    ("service", "weaknesses", "flaws"),
    [
        (CLOCK, (), ()),
        (TALKATIVE, (), ("ntp.monlist",)),
        (BOOT, ("exposure.tftp",), ()),
        (WINDOWS, (), ()),
        (MANAGEMENT, ("exposure.ipmi",), ()),
        (CACHE, ("exposure.memcached-no-auth",), ()),
    ],
)
def test_truth_when_a_server_is_weak_then_it_says_which_rule_finds_it(
    service: DatagramService, weaknesses: tuple[str, ...], flaws: tuple[str, ...]
) -> None:
    assert (service.weaknesses, service.flaws) == (weaknesses, flaws)


@pytest.mark.parametrize("service", [CLOCK, TALKATIVE, BOOT, WINDOWS, MANAGEMENT, CACHE])
@settings(max_examples=150, deadline=None)
@given(
    request_=st.sampled_from(
        (TIME_REQUEST, MONLIST_REQUEST, b"\0\1a\0octet\0", NODE_STATUS, PING, CAPABILITIES, FRAME + b"stats\r\n", b"")
    ),
    changes=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=4),
    kept=st.integers(0, 60),
    tail=st.binary(max_size=40),
)
def test_server_when_a_request_is_changed_anyhow_then_the_answer_stays_small(
    service: DatagramService, request_: bytes, changes: list[tuple[int, int]], kept: int, tail: bytes
) -> None:
    changed = bytearray(request_)
    for place, byte in changes:
        if changed:
            changed[place % len(changed)] = byte
    mutant = bytes(changed[:kept]) + tail

    answers = service.answer(mutant)

    assert sum(map(len, answers)) <= 1400
    assert all(len(answer) <= 3 * len(mutant) for answer in answers_to(service, mutant) if not service.amplifies)
