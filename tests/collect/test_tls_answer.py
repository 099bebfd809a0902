"""What servers answer, read piece by piece: whole answers, and whatever else comes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.collect.tls_answer import MAX_CERTIFICATES, Answer, AnswerReader, read_ssl2_answer
from sentinel.collect.tls_offer import SSL_2, SSL_3, TLCP, TLS_1_0, TLS_1_2, TLS_1_3, Offer, sent_name, write_offer
from sentinel.collect.tls_search import ALL_SUITES, agreed_version, version_offer
from sentinel.collect.tls_suites import NAMES, WEAK, families_of, has_forward_secrecy, suite_name, without
from tests.collect.test_probe_tls import alert, certificates, hello_body, message, record, server_hello

DH_PRIME = (1 << 767) | 1
EXCHANGE = struct.pack(">H", 96) + DH_PRIME.to_bytes(96, "big") + b"\0\1\2"
FLIGHT = record(
    22,
    hello_body(TLS_1_2, 0x0033, b"\0\5\0\0" + b"\0\x10\0\5\0\3\2h2")
    + certificates(b"first", b"second")
    + message(22, b"\1\0\0\3abc")
    + message(12, EXCHANGE)
    + message(14, b""),
)


def read(data: bytes, step: int = 0, **more) -> Answer:
    reader = AnswerReader(**more)
    for start in range(0, len(data), step or max(len(data), 1)):
        reader.feed(data[start : start + (step or len(data))])
    return reader.answer


@pytest.mark.parametrize("step", [0, 1, 7, 100])
def test_answer_when_it_is_whole_then_all_of_it_is_read_however_it_is_cut(step: int) -> None:
    answer = read(FLIGHT, step)
    assert (answer.version, answer.suite, answer.chain) == (TLS_1_2, 0x0033, (b"first", b"second"))
    assert (answer.protocol, answer.is_stapled, answer.dh_bits) == ("h2", True, 768)
    assert (answer.is_tls, answer.is_foreign, answer.alert, answer.fault) == (True, False, None, "")


def test_answer_when_a_message_spans_records_then_it_is_put_together() -> None:
    body = FLIGHT[5:]
    pieces = b"".join(record(22, body[start : start + 10]) for start in range(0, len(body), 10))
    assert read(pieces) == read(FLIGHT)


def test_answer_when_only_the_greeting_is_wanted_then_the_rest_is_not_read() -> None:
    reader = AnswerReader(only_hello=True)
    reader.feed(FLIGHT)
    reader.feed(b"more")
    assert (reader.is_done, reader.answer.chain) == (True, ())


@pytest.mark.parametrize(
    ("messages", "stapled"),
    [
        ((message(12, b"\3\0\x17"), message(14, b"")), False),
        ((message(14, b""),), False),
        ((message(22, b"\1"),), False),
        ((), None),
    ],
)
def test_answer_when_no_response_is_stapled_after_all_then_it_is_told(messages, stapled) -> None:
    start = hello_body(TLS_1_2, 0xC02F, b"\0\5\0\0") + certificates(b"one")
    assert read(record(22, start + b"".join(messages))).is_stapled is stapled


def test_answer_when_the_list_of_certificates_is_long_then_it_is_cut() -> None:
    body = hello_body(TLS_1_2, 0xC02F) + certificates(*[b"x"] * 100)
    assert len(read(record(22, body)).chain) == MAX_CERTIFICATES


@pytest.mark.parametrize("body", [b"", b"\0\0\5abc", b"\0\0\4\0\0\5ab", b"\0\0\3\0\0\0"])
def test_answer_when_certificates_are_cut_off_then_the_version_is_known_all_the_same(body: bytes) -> None:
    answer = read(record(22, hello_body(TLS_1_2, 0xC02F) + message(11, body)))
    assert (answer.version, answer.chain, answer.fault) == (TLS_1_2, (), "its certificates are cut off")


def test_answer_when_it_greets_twice_or_warns_then_only_the_first_counts() -> None:
    assert read(record(22, hello_body(TLS_1_2, 1) + hello_body(TLS_1_0, 2))).fault == "it greets twice"
    assert read(alert(112, level=1) + server_hello(TLS_1_2, 1)).version == TLS_1_2
    assert read(alert(0, level=1)).alert == 0
    assert read(server_hello(TLS_1_2, 1) + record(20, b"\1")).fault == ""
    assert read(server_hello(SSL_2, 1)).version is None


def test_answer_when_tls_1_3_then_the_version_stands_in_an_extension() -> None:
    assert read(server_hello(TLS_1_2, 0x1301, struct.pack(">HHH", 43, 2, TLS_1_3))).version == TLS_1_3


def test_answer_when_its_extensions_are_cut_off_then_the_rest_counts() -> None:
    assert read(server_hello(TLS_1_2, 1, b"\0\x10\0\xff\0")).protocol == ""
    assert read(server_hello(TLS_1_2, 1, b"\0")).version == TLS_1_2


SSL_2_HELLO = struct.pack(">BBBHHHH", 4, 0, 1, SSL_2, 3, 3, 16) + b"der" + b"\1\0\x80" + bytes(16)


@pytest.mark.parametrize(
    ("data", "version", "is_foreign"),
    [
        (struct.pack(">H", 0x8000 | len(SSL_2_HELLO)) + SSL_2_HELLO, SSL_2, False),
        (struct.pack(">H", 0x8000 | 11) + struct.pack(">BBBHHHH", 4, 0, 1, SSL_2, 0, 0, 0), None, False),
        (struct.pack(">H", 0x8000 | 11) + struct.pack(">BBBHHHH", 0, 0, 1, SSL_2, 0, 0, 0), None, True),
        (b"HTTP/1.1 400", None, True),
        (alert(70), None, False),
        (b"\x80\3abc", None, True),
    ],
)
def test_ssl2_answer_when_read_then_only_a_suite_makes_it_one(data, version, is_foreign) -> None:
    answer = read_ssl2_answer(data)
    assert answer is not None
    assert (answer.version, answer.is_foreign) == (version, is_foreign)


def test_ssl2_answer_when_it_is_not_whole_then_more_is_awaited() -> None:
    whole = struct.pack(">H", 0x8000 | len(SSL_2_HELLO)) + SSL_2_HELLO
    assert [read_ssl2_answer(whole[:size]) is None for size in (0, 1, 2, len(whole) - 1, len(whole))] == [True] * 4 + [
        False
    ]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=600), st.integers(1, 50))
def test_answer_when_it_is_anything_then_reading_ends_and_cuts_change_nothing(data: bytes, step: int) -> None:
    assert read(data, step) == read(data)
    read_ssl2_answer(data)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(FLIGHT) - 1), st.binary(min_size=1, max_size=4), st.integers(1, 90))
def test_answer_when_bytes_of_a_whole_one_change_then_reading_ends_and_cuts_change_nothing(place, change, step) -> None:
    data = FLIGHT[:place] + change + FLIGHT[place + len(change) :]
    answer = read(data, step)
    assert answer == read(data)
    assert len(answer.chain) <= MAX_CERTIFICATES


def split_offer(data: bytes) -> tuple[int, int, bytes, dict[int, bytes]]:
    """Give record version, version, suites and extensions of an offer, all lengths held against each other."""
    assert data[0] == 22
    assert int.from_bytes(data[3:5], "big") == len(data) - 5
    assert int.from_bytes(data[6:9], "big") == len(data) - 9
    place = 43 + 1 + data[43]
    size = int.from_bytes(data[place : place + 2], "big")
    suites = data[place + 2 : place + 2 + size]
    place += 2 + size
    place += 1 + data[place]
    extensions: dict[int, bytes] = {}
    if place < len(data):
        assert int.from_bytes(data[place : place + 2], "big") == len(data) - place - 2
        place += 2
        while place < len(data):
            number, size = struct.unpack_from(">HH", data, place)
            extensions[number] = data[place + 4 : place + 4 + size]
            assert len(extensions[number]) == size
            place += 4 + size
    return int.from_bytes(data[1:3], "big"), int.from_bytes(data[9:11], "big"), suites, extensions


@pytest.mark.parametrize(
    ("version", "outer", "inner"),
    [
        (TLS_1_3, TLS_1_0, TLS_1_2),
        (TLS_1_2, TLS_1_0, TLS_1_2),
        (TLS_1_0, TLS_1_0, TLS_1_0),
        (SSL_3, SSL_3, SSL_3),
        (TLCP, TLCP, TLCP),
    ],
)
def test_offer_when_written_then_its_lengths_fit_and_it_holds_one_version(version, outer, inner) -> None:
    offer = version_offer(version, "www.school.example")
    found = split_offer(write_offer(offer))
    assert found[:2] == (outer, inner)
    assert found[2] == struct.pack(f">{len(offer.suites) + 1}H", *offer.suites, 0x00FF)
    assert (0 in found[3]) is (version != SSL_3)
    assert (43 in found[3]) is (version == TLS_1_3)


def test_offer_when_it_would_have_a_length_old_boxes_hang_on_then_it_is_filled_up() -> None:
    for count in range(1, len(ALL_SUITES), 7):
        size = len(write_offer(Offer(TLS_1_2, ALL_SUITES[:count])))
        assert size >= 512
    plain = write_offer(Offer(TLS_1_2, ALL_SUITES[:20], is_plain=True))
    assert len(plain) < 256


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("www.School.example.", "www.school.example"),
        ("10.0.0.1", ""),
        ("2001:db8::1", ""),
        ("学校.example", "xn--48s290a.example"),
        ("a b", ""),
        ("", ""),
        ("x" * 300, ""),
        ("a..b", ""),
    ],
)
def test_name_when_it_is_none_then_it_is_not_sent(name: str, sent: str) -> None:
    assert sent_name(name) == sent


@pytest.mark.parametrize(
    ("offered", "answer", "agreed"),
    [
        (TLS_1_2, Answer(version=TLS_1_2, suite=0xC02F), TLS_1_2),
        (TLS_1_2, Answer(version=SSL_3, suite=0x002F), SSL_3),
        (TLS_1_0, Answer(version=TLS_1_2, suite=0x002F), None),
        (TLS_1_2, Answer(version=TLS_1_2, suite=0x1301), None),
        (TLS_1_3, Answer(version=TLS_1_2, suite=0xC02F), None),
        (TLCP, Answer(version=TLCP, suite=0xE013), TLCP),
        (TLS_1_2, Answer(version=TLCP, suite=0xC02F), None),
        (SSL_2, Answer(version=SSL_2), SSL_2),
        (TLS_1_2, Answer(alert=40), None),
    ],
)
def test_agreement_when_it_is_to_what_was_not_offered_then_it_is_none(offered, answer, agreed) -> None:
    assert agreed_version(version_offer(offered, ""), answer) == agreed


def test_suites_when_named_then_their_families_and_secrecy_follow() -> None:
    by_name = {name: number for number, name in NAMES.items()}
    assert families_of(by_name["DH_anon_EXPORT_WITH_RC4_40_MD5"]) == ("anon", "export", "rc4", "md5")
    assert families_of(by_name["RSA_EXPORT_WITH_DES40_CBC_SHA"]) == ("export", "des")
    assert families_of(by_name["RSA_WITH_3DES_EDE_CBC_SHA"]) == ("3des",)
    assert families_of(by_name["ECDHE_RSA_WITH_AES_128_GCM_SHA256"]) == ()
    assert [
        has_forward_secrecy(by_name[name]) for name in ("DHE_RSA_WITH_AES_128_CBC_SHA", "DH_anon_WITH_AES_128_CBC_SHA")
    ] == [True, False]
    assert (suite_name(0xFEED), families_of(0xFEED)) == ("0xFEED", ())
    assert all(families_of(number) for number in WEAK)
    assert without(WEAK, ["null", "anon", "export", "rc4", "des", "3des", "md5"]) == ()
    assert len(set(ALL_SUITES)) == len(ALL_SUITES)
