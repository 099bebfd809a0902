"""The RPC port mapper, called with messages written by hand to RFC 5531 and RFC 1833."""

import asyncio
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.drill.servers.conversation import REQUEST_BYTES
from sentinel.drill.servers.datagram import answers_to
from sentinel.drill.servers.door import converse
from sentinel.drill.servers.rpcbind import rpcbind_over_tcp, rpcbind_over_udp

UDP, TCP = rpcbind_over_udp(111), rpcbind_over_tcp(111)
MAPPER, NFS = 100000, 100003


def words(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)


def call(procedure: int, *arguments: int, program: int = MAPPER, version: int = 2, rpc: int = 2) -> bytes:
    return words(7, 0, rpc, program, version, procedure, 0, 0, 0, 0, *arguments)


def answered(*results: int) -> bytes:
    return words(7, 1, 0, 0, 0, *results)


ENTRIES = (1, MAPPER, 2, 6, 111, 1, MAPPER, 2, 17, 111, 0)


@pytest.mark.parametrize(
    ("message", "reply"),
    [
        pytest.param(call(0), answered(0), id="null"),
        pytest.param(call(4), answered(0, *ENTRIES), id="list"),
        pytest.param(call(3, MAPPER, 2, 17, 0), answered(0, 111), id="own-port"),
        pytest.param(call(3, NFS, 3, 6, 0), answered(0, 0), id="port-of-what-is-not-there"),
        pytest.param(call(3, MAPPER), answered(4), id="arguments-cut"),
        pytest.param(call(1, 1, 2, 3, 4), answered(3), id="set"),
        pytest.param(call(0, version=104316), answered(2, 2, 2), id="another-version"),
        pytest.param(call(0, program=NFS), answered(1), id="another-program"),
        pytest.param(call(0, rpc=3), words(7, 1, 1, 0, 2, 2), id="another-rpc"),
        pytest.param(
            words(7, 0, 2, MAPPER, 2, 0, 1, 5) + b"abcde\0\0\0" + words(0, 0), answered(0), id="with-a-credential"
        ),
        pytest.param(words(7, 0, 2, MAPPER, 2, 0, 1, 401), answered(4), id="credential-too-long"),
        pytest.param(words(7, 0, 2, MAPPER, 2, 0), answered(4), id="no-credential"),
        pytest.param(answered(0), b"", id="a-reply"),
        pytest.param(call(0)[:23], b"", id="cut-short"),
        pytest.param(b"", b"", id="nothing"),
    ],
)
def test_mapper_when_called_then_it_replies_the_same_over_udp_and_tcp(message: bytes, reply: bytes) -> None:
    assert b"".join(UDP.answer(message)) == reply
    framed = words(0x80000000 | len(reply)) + reply if reply else b""
    assert spoken(words(0x80000000 | len(message)) + message) == framed


class Peer:
    """A scripted client: what it says, one piece a read, and what it heard."""

    def __init__(self, pieces: tuple[bytes, ...]) -> None:
        self._pieces = list(pieces)
        self.heard = b""

    async def read(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    async def write(self, data: bytes) -> None:
        self.heard += data


def spoken(*pieces: bytes) -> bytes:
    peer = Peer(pieces)
    asyncio.run(converse(TCP, peer))
    return peer.heard


@pytest.mark.parametrize("mark", [40, 0x80000000 | (REQUEST_BYTES + 1)], ids=["more-fragments", "too-long"])
def test_tcp_when_the_record_is_in_parts_or_too_long_then_it_hangs_up(mark: int) -> None:
    assert spoken(words(mark) + call(4), call(4)) == b""


def test_tcp_when_many_calls_come_then_each_is_answered_up_to_a_limit() -> None:
    framed = words(0x80000000 | 40) + call(0)

    assert spoken(framed * 300).count(words(0x80000000 | 24)) == 100


def test_list_when_asked_for_over_udp_then_it_is_within_three_times_the_request() -> None:
    assert len(answers_to(UDP, call(4))) == 1


def test_truth_when_it_is_open_then_a_rule_must_find_it() -> None:
    assert UDP.weaknesses == TCP.weaknesses == ("exposure.rpcbind",)


@settings(max_examples=200, deadline=None)
@given(
    message=st.sampled_from((call(0), call(3, MAPPER, 2, 17, 0), call(4))),
    changes=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=6),
    kept=st.integers(0, 80),
    tail=st.binary(max_size=40),
)
def test_mapper_when_a_call_is_changed_anyhow_then_the_reply_stays_small(
    message: bytes, changes: list[tuple[int, int]], kept: int, tail: bytes
) -> None:
    changed = bytearray(message)
    for place, byte in changes:
        changed[place % len(changed)] = byte
    mutant = bytes(changed[:kept]) + tail

    assert sum(map(len, UDP.answer(mutant))) <= 100
