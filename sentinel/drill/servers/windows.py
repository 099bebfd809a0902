"""Windows services of the practice school: file sharing, RPC and SQL Server that greet and let nobody in."""

from __future__ import annotations

import os
import struct

from sentinel.drill.servers.conversation import Conversation, HangupError, Seen, Service

_PACKETS_PER_SESSION = 50

# Capabilities of the negotiate answer, by which nmap 7.93 tells the systems apart.
_SMB_SYSTEMS = {"Microsoft Windows XP": 0xE3FD, "Microsoft Windows 7 - 10": 0x1E3FC}
_SMB_HEADER = struct.Struct("<4sBIBHH8sHHHHH")
_SMB_NEGOTIATE, _ACCESS_DENIED = 0x72, 0xC0000022
_NO_DIALECT = 0xFFFF


def _smb_answer(request: tuple[int, ...], command: int, status: int, body: bytes) -> bytes:
    """Write an SMB 1 message inside a NetBIOS session message. Source: MS-CIFS 2.2.3.1."""
    tree, low_pid, user, multiplex = request
    head = _SMB_HEADER.pack(b"\xffSMB", command, status, 0x88, 0x4001, 0, bytes(8), 0, tree, low_pid, user, multiplex)
    return struct.pack(">I", len(head) + len(body)) + head + body


def _smb_negotiate(dialects: bytes, capabilities: int, group: str, host: str) -> bytes:
    """Choose NT LM 0.12, the one dialect this server speaks. Source: MS-CIFS 2.2.4.52.2."""
    names = [name.rstrip(b"\0") for name in dialects.split(b"\x02")[1:]]
    if b"NT LM 0.12" not in names:
        return struct.pack("<BHH", 1, _NO_DIALECT, 0)
    words = struct.pack("<HBHHIIII", names.index(b"NT LM 0.12"), 3, 10, 1, 4356, 65536, 0, capabilities)
    filetime = struct.pack("<QhB", 133_500_000_000_000_000, -480, 8)
    tail = os.urandom(8) + b"".join(name.encode("utf-16-le") + b"\0\0" for name in (group, host))
    return b"\x11" + words + filetime + struct.pack("<H", len(tail)) + tail


def smb(port: int, system: str, group: str, host: str) -> Service:
    """Build the file sharing port of a Windows that negotiates and refuses every session."""
    capabilities = _SMB_SYSTEMS[system]

    async def message(conversation: Conversation) -> tuple[int, bytes]:
        kind, high, low = struct.unpack(">BBH", await conversation.exactly(4))
        return kind, await conversation.exactly(high << 16 | low)

    async def talk(conversation: Conversation) -> None:
        for _ in range(_PACKETS_PER_SESSION):
            kind, body = await message(conversation)
            if kind == 0x81:  # NetBIOS session request, RFC 1002 section 4.3.2
                conversation.say(b"\x82\0\0\0")
                continue
            if kind or len(body) < _SMB_HEADER.size + 3:
                return
            magic, command, *_, tree, low_pid, user, multiplex = _SMB_HEADER.unpack_from(body)
            if magic != b"\xffSMB":
                return
            ids = (tree, low_pid, user, multiplex)
            if command == _SMB_NEGOTIATE:
                dialects = body[_SMB_HEADER.size + 3 :]
                conversation.say(_smb_answer(ids, command, 0, _smb_negotiate(dialects, capabilities, group, host)))
            else:
                conversation.say(_smb_answer(ids, command, _ACCESS_DENIED, bytes(3)))

    eol = ("exposure.eol-windows",) if system.endswith("XP") else ()
    seen = Seen("microsoft-ds", f"{system} microsoft-ds")
    return Service(port, talk, seen, weaknesses=("exposure.smb", *eol))


_RPC_HEADER = struct.Struct("<BBBB4sHHI")
_BIND_NAK = 13


def msrpc(port: int) -> Service:
    """Build the endpoint mapper of a Windows: it refuses every bind. Source: C706 section 12.6.4.5."""

    async def talk(conversation: Conversation) -> None:
        for _ in range(_PACKETS_PER_SESSION):
            head = await conversation.exactly(_RPC_HEADER.size)
            *_, order, size, _, call = _RPC_HEADER.unpack(head)
            if not order[0] & 0x10:  # the caller counts from the other end
                size, call = struct.unpack(">8xH2xI", head)
            nak = _RPC_HEADER.pack(5, 0, _BIND_NAK, 3, b"\x10\0\0\0", 24, 0, call)
            conversation.say(nak + struct.pack("<HBBB3x", 4, 1, 5, 0))
            if head[0] != 5:
                return
            await conversation.exactly(max(0, size - _RPC_HEADER.size))

    return Service(port, talk, Seen("msrpc", "Microsoft RPC"), weaknesses=("exposure.msrpc",))


_TDS_PRELOGIN, _TDS_LOGIN, _TDS_ANSWER = 0x12, 0x10, 0x04
# Source: MS-TDS 2.2.6.5; the offsets of version, encryption, instance, thread.
_TDS_OPTIONS = struct.pack(">BHHBHHBHHBHHB", 0, 21, 6, 1, 27, 1, 2, 28, 1, 3, 29, 0, 0xFF)
_NO_ENCRYPTION = 2
_LOGIN_FAILED = 18456


def _tds(body: bytes) -> bytes:
    return struct.pack(">BBHHBB", _TDS_ANSWER, 1, 8 + len(body), 0, 1, 0) + body


def _tds_refusal() -> bytes:
    """Write the tokens ERROR and DONE. Source: MS-TDS 2.2.7.9 and 2.2.7.5."""
    text = "Login failed.".encode("utf-16-le")
    error = struct.pack("<IBBH", _LOGIN_FAILED, 1, 14, len(text) // 2) + text + struct.pack("<BBI", 0, 0, 1)
    return b"\xaa" + struct.pack("<H", len(error)) + error + b"\xfd" + struct.pack("<HHQ", 2, 0, 0)


def mssql(port: int) -> Service:
    """Build a SQL Server 2012 without service pack that refuses every login."""
    version = struct.pack(">BBHH", 11, 0, 2100, 0)

    async def talk(conversation: Conversation) -> None:
        for _ in range(_PACKETS_PER_SESSION):
            kind, _, size = struct.unpack(">BBH4x", await conversation.exactly(8))
            if size < 8 or kind not in (_TDS_PRELOGIN, _TDS_LOGIN):
                raise HangupError("no login")
            await conversation.exactly(size - 8)
            if kind == _TDS_LOGIN:
                conversation.say(_tds(_tds_refusal()))
                return
            conversation.say(_tds(_TDS_OPTIONS + version + bytes([_NO_ENCRYPTION, 0])))

    seen = Seen("ms-sql-s", "Microsoft SQL Server 2012", "11.00.2100; RTM")
    return Service(port, talk, seen, weaknesses=("exposure.mssql",))
