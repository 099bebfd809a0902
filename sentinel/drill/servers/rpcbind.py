"""The RPC port mapper of the practice school, over UDP and TCP: it lists itself and nothing else."""

from __future__ import annotations

import struct

from sentinel.drill.servers.conversation import Conversation, Seen, Service
from sentinel.drill.servers.datagram import DatagramService

_PROGRAM, _VERSION, _REAL_PORT = 100000, 2, 111
_CALL, _REPLY, _ACCEPTED, _DENIED = 0, 1, 0, 1
_RPC_VERSION = 2
_SUCCESS, _NO_PROGRAM, _NO_VERSION, _NO_PROCEDURE, _GARBAGE = range(5)
_NULL, _GET_PORT, _DUMP = 0, 3, 4
_TCP, _UDP = 6, 17
_LARGEST_AUTHENTICATION = 400
_LAST_FRAGMENT = 0x80000000
_CALLS_PER_SESSION = 100


def _words(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)


def _arguments(call: bytes) -> bytes:
    """Give what follows credential and verifier. Source: RFC 5531 section 8.2.

    Raises:
        struct.error: the call ends before.
    """
    at = 24
    for _ in range(2):
        _, size = struct.unpack_from(">II", call, at)
        if size > _LARGEST_AUTHENTICATION:
            raise struct.error("credential too long")
        at += 8 + size + -size % 4
    return call[at:]


def _result(procedure: int, arguments: bytes) -> bytes:
    """Carry a call out. Source: RFC 1833 section 3.

    Raises:
        struct.error: the arguments end too early.
    """
    if procedure == _GET_PORT:
        program, version, proto, _ = struct.unpack_from(">IIII", arguments)
        known = program == _PROGRAM and version == _VERSION and proto in (_TCP, _UDP)
        return _words(_SUCCESS, _REAL_PORT if known else 0)
    if procedure == _DUMP:
        rows = [_words(1, _PROGRAM, _VERSION, proto, _REAL_PORT) for proto in (_TCP, _UDP)]
        return _words(_SUCCESS) + b"".join(rows) + _words(0)
    return _words(_SUCCESS if procedure == _NULL else _NO_PROCEDURE)


def _reply(message: bytes) -> bytes:
    """Answer one call; empty for what is none. Source: RFC 5531 section 9."""
    try:
        number, kind, rpc_version, program, version, procedure = struct.unpack_from(">IIIIII", message)
    except struct.error:
        return b""
    if kind != _CALL:
        return b""
    if rpc_version != _RPC_VERSION:
        return _words(number, _REPLY, _DENIED, 0, _RPC_VERSION, _RPC_VERSION)
    head = _words(number, _REPLY, _ACCEPTED, 0, 0)
    if program != _PROGRAM:
        return head + _words(_NO_PROGRAM)
    if version != _VERSION:
        return head + _words(_NO_VERSION, _VERSION, _VERSION)
    try:
        return head + _result(procedure, _arguments(message))
    except struct.error:
        return head + _words(_GARBAGE)


# nmap takes the version from the list on port 111, and from asking for versions in turn elsewhere.
_SEEN = Seen("rpcbind", "", str(_VERSION))


def rpcbind_over_udp(port: int) -> DatagramService:
    """Build the UDP side of a port mapper."""

    def answer(request: bytes) -> tuple[bytes, ...]:
        reply = _reply(request)
        return (reply,) if reply else ()

    return DatagramService(port, answer, _SEEN, weaknesses=("exposure.rpcbind",))


def rpcbind_over_tcp(port: int) -> Service:
    """Build the TCP side of a port mapper. Source: RFC 5531 section 11, record marking."""

    async def talk(conversation: Conversation) -> None:
        for _ in range(_CALLS_PER_SESSION):
            (mark,) = struct.unpack(">I", await conversation.exactly(4))
            if not mark & _LAST_FRAGMENT:
                return
            reply = _reply(await conversation.exactly(mark & ~_LAST_FRAGMENT))
            if not reply:
                return
            conversation.say(_words(_LAST_FRAGMENT | len(reply)) + reply)

    return Service(port, talk, _SEEN, weaknesses=("exposure.rpcbind",))
