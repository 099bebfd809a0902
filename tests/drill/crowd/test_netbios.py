"""The NetBIOS session port, spoken to without sockets."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.drill.crowd.netbios import netbios_session
from sentinel.drill.servers.door import converse


class Peer:
    """A scripted client."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)
        self.heard = b""

    async def read(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    async def write(self, words: bytes) -> None:
        self.heard += words


def speak(*pieces: bytes) -> bytes:
    peer = Peer(*pieces)
    asyncio.run(converse(netbios_session(139), peer))
    return peer.heard


@pytest.mark.parametrize(
    ("request_", "reason"), [(b"\x81\0\0\x44" + bytes(68), 0x82), (b"\0\0\0\x04\xffSMB", 0x8F), (b"\x85\0\0\0", 0x8F)]
)
def test_session_when_asked_for_then_is_refused_with_its_reason(request_: bytes, reason: int) -> None:
    assert speak(request_) == bytes([0x83, 0, 0, 1, reason])


@given(st.lists(st.binary(max_size=100), max_size=4))
def test_session_when_spoken_nonsense_to_then_ends_with_a_refusal_or_nothing(pieces: list[bytes]) -> None:
    heard = speak(*(piece for piece in pieces if piece))
    assert heard == b"" or (len(heard) == 5 and heard[0] == 0x83)
