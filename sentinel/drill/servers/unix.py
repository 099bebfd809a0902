"""Old Unix services of the practice school: daytime, finger, rexec, X11 and NFS."""

from __future__ import annotations

import struct
import time

from sentinel.drill.servers.conversation import Conversation, HangupError, Seen, Service

_CALLS_PER_SESSION = 1000


def daytime(port: int) -> Service:
    """Build a server that tells the time and hangs up. Source: RFC 867."""

    async def talk(conversation: Conversation) -> None:
        conversation.say(time.asctime().encode("ascii") + b"\r\n")

    return Service(port, talk, Seen("daytime"), weaknesses=("exposure.small-services",))


def finger(port: int) -> Service:
    """Build a server that tells who is logged in. Source: RFC 1288."""
    head = b"Login     Name       Tty      Idle  Login Time   Office     Office Phone\r\n"

    async def talk(conversation: Conversation) -> None:
        asked = (await conversation.line())[:40].decode("latin-1").encode("ascii", "replace").strip()
        if asked:
            conversation.say(b"finger: " + asked + b": no such user.\r\n")
        else:
            conversation.say(head + b"root      root       tty1       3d  Nov 16 08:00\r\n")

    return Service(port, talk, Seen("finger", "Debian fingerd"), weaknesses=("exposure.small-services",))


def rexec(port: int) -> Service:
    """Build a remote execution server that turns away whom it cannot name, which is everybody."""

    async def talk(conversation: Conversation) -> None:
        conversation.say(b"\x01Where are you?\n")

    return Service(port, talk, Seen("exec", "netkit-rsh rexecd"), weaknesses=("exposure.rlogin",))


_X11_ORDERS = {b"l": "<", b"B": ">"}
_X11_VENDOR = b"The X.Org Foundation"


def _x11_welcome(order: str) -> bytes:
    """Write the answer of a display with no screen. Source: X Window System Protocol, section 8."""
    keys = struct.pack("8B4x", 0, 0, 0, 0, 32, 32, 8, 255)
    facts = struct.pack(f"{order}IIIIHH", 11906000, 0x400000, 0x1FFFFF, 256, len(_X11_VENDOR), 65535) + keys
    return struct.pack(f"{order}BBHHH", 1, 0, 11, 0, (len(facts) + len(_X11_VENDOR)) // 4) + facts + _X11_VENDOR


def x11(port: int) -> Service:
    """Build a display open to everybody, with no screen to look at."""

    async def talk(conversation: Conversation) -> None:
        head = await conversation.exactly(12)
        order = _X11_ORDERS.get(head[:1])
        if order is None:
            return
        secrets = struct.unpack(f"{order}6xHHxx", head)
        await conversation.exactly(sum(size + -size % 4 for size in secrets))
        conversation.say(_x11_welcome(order))
        await conversation.chunk()

    return Service(port, talk, Seen("X11", "X.Org"), weaknesses=("exposure.x11-open",))


_ACCEPTED, _NO_PROGRAM, _WRONG_VERSION, _NO_PROCEDURE = 0, 1, 2, 3
_NFS, _NFS_VERSION = 100003, 3
_LAST_FRAGMENT = 0x80000000
_CALL_BYTES = range(24, 2048)


def _nfs_answer(call: bytes) -> bytes:
    """Answer the empty call, and refuse every other. Source: RFC 5531 section 9; RFC 1813 section 3.3.0."""
    number, kind, rpc, program, version, procedure = struct.unpack_from(">6I", call)
    if kind or rpc != 2:
        raise HangupError("no call")
    if program != _NFS:
        outcome = struct.pack(">I", _NO_PROGRAM)
    elif version != _NFS_VERSION:
        outcome = struct.pack(">III", _WRONG_VERSION, _NFS_VERSION, _NFS_VERSION)
    else:
        outcome = struct.pack(">I", _NO_PROCEDURE if procedure else _ACCEPTED)
    answer = struct.pack(">5I", number, 1, 0, 0, 0) + outcome
    return struct.pack(">I", _LAST_FRAGMENT | len(answer)) + answer


def nfs(port: int) -> Service:
    """Build an NFS server that says it is there and serves nothing."""

    async def talk(conversation: Conversation) -> None:
        for _ in range(_CALLS_PER_SESSION):
            (mark,) = struct.unpack(">I", await conversation.exactly(4))
            size = mark & ~_LAST_FRAGMENT
            if mark == size or size not in _CALL_BYTES:
                return
            conversation.say(_nfs_answer(await conversation.exactly(size)))

    return Service(port, talk, Seen("nfs", "", "3"), weaknesses=("exposure.nfs",))
