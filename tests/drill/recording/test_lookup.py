from __future__ import annotations

import asyncio
import struct
import time
from ipaddress import IPv4Address

import dns.message
import dns.rcode
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sentinel.drill.recording.lookup import CLOCK, lookup, resolver
from sentinel.drill.recording.script import Answer
from sentinel.traffic.names import parse_dns

ADDRESS = IPv4Address("198.51.100.7")
RESOLVER = resolver({"www.example": ADDRESS})


def call(script, answer: Answer) -> list[bytes]:
    """Play a client against an answer without sockets; gives what it asked."""
    asked = []

    async def ask(data: bytes) -> bytes:
        asked.append(data)
        return answer(data)

    asyncio.run(script.call(ask))
    return asked


def test_lookup_when_answered_is_a_message_of_dns():
    (asked,) = call(lookup("www.example", RESOLVER), RESOLVER)
    question, answer = parse_dns(asked), parse_dns(RESOLVER(asked))
    assert (question.is_answer, question.names, question.kind) == (False, ("www.example",), "A")
    assert (answer.is_answer, answer.names, answer.addresses) == (True, ("www.example",), (ADDRESS.packed,))


def test_lookup_when_the_name_is_unknown_raises():
    with pytest.raises(ConnectionAbortedError, match=r"nowhere\.example"):
        call(lookup("nowhere.example", RESOLVER), RESOLVER)
    answer = RESOLVER(dns.message.make_query("nowhere.example", "A").to_wire())
    assert dns.message.from_wire(answer).rcode() == dns.rcode.NXDOMAIN


@given(st.binary(max_size=600))
@example(b"")
@example(bytes(12))
@example(RESOLVER(dns.message.make_query("www.example", "A").to_wire()))
@example(dns.message.make_query("www.example", "A").to_wire()[:-1])
def test_resolver_when_asked_nonsense_answers_within_reason(data):
    assert len(RESOLVER(data)) < 1000


def test_clock_when_asked_tells_the_present_and_gives_back_the_stamp():
    asked = call(CLOCK, CLOCK.answer)
    assert len(asked) == 2
    answer = CLOCK.answer(asked[0])
    assert len(answer) == 48
    assert answer[0] & 7 == 4
    assert answer[24:32] == asked[0][40:48]
    (seconds,) = struct.unpack_from("!I", answer, 40)
    assert abs(seconds - 2_208_988_800 - time.time()) < 60


@pytest.mark.parametrize("data", [b"", bytes(48), b"\x23" + bytes(46), b"\x24" + bytes(47)])
def test_clock_when_asked_nonsense_stays_silent(data):
    assert CLOCK.answer(data) == b""
