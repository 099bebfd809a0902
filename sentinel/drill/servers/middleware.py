"""Middleware of the practice school: ZooKeeper, AJP, rsync, LDAP, Oracle and SOCKS, all empty and closed inside."""

from __future__ import annotations

import os
import struct

from sentinel.drill.servers.conversation import Conversation, HangupError, Seen, Service

_PACKETS_PER_SESSION = 100


def zookeeper(port: int, version: str) -> Service:
    """Build a ZooKeeper that answers its four-letter words to everybody and keeps no session."""
    about = f"Zookeeper version: {version}-practice, built on 06/29/2018 04:39 GMT\n"
    state = (
        "Latency min/avg/max: 0/0/0\nReceived: 1\nSent: 0\nConnections: 1\nZxid: 0x0\nMode: standalone\nNode count: 4\n"
    )
    answers = {
        b"stat": f"{about}Clients:\n\n{state}".encode(),
        b"srvr": f"{about}{state}".encode(),
        b"ruok": b"imok",
        b"mntr": f"zk_version\t{version}\nzk_znode_count\t4\n".encode(),
    }

    async def talk(conversation: Conversation) -> None:
        conversation.say(answers.get(await conversation.exactly(4), b""))

    seen = Seen("zookeeper", "Zookeeper", f"{version}-practice")
    rules = ("exposure.zookeeper",)
    return Service(port, talk, seen, elsewhere=Seen(), weaknesses=rules, weaknesses_elsewhere=())


_AJP_FORWARD, _AJP_PING = 2, 10
_AJP_REFUSAL = b"\x04\x01\x93\0\x09Forbidden\0\0\0"


def _ajp_message(body: bytes) -> bytes:
    return b"AB" + struct.pack(">H", len(body)) + body


def ajp(port: int) -> Service:
    """Build the AJP connector of a Tomcat that forbids every page. Source: Apache Tomcat, AJP/1.3 protocol."""

    async def talk(conversation: Conversation) -> None:
        for _ in range(_PACKETS_PER_SESSION):
            magic, size = struct.unpack(">HH", await conversation.exactly(4))
            if magic != 0x1234 or not size:
                return
            kind = (await conversation.exactly(size))[0]
            if kind == _AJP_PING:
                conversation.say(_ajp_message(b"\x09"))
            elif kind == _AJP_FORWARD:
                conversation.say(_ajp_message(_AJP_REFUSAL) + _ajp_message(b"\x05\x01"))
            else:
                return

    seen, rules = Seen("ajp13", "Apache Jserv"), ("exposure.ajp",)
    return Service(port, talk, seen, elsewhere=Seen(), weaknesses=rules, weaknesses_elsewhere=())


def rsync(port: int) -> Service:
    """Build an rsync daemon that lists its modules to everybody and opens none. Source: rsync's csprotocol.txt."""

    async def talk(conversation: Conversation) -> None:
        conversation.say(b"@RSYNCD: 31.0\n")
        if not (await conversation.line()).startswith(b"@RSYNCD: "):
            conversation.say(b"@ERROR: protocol startup error\n")
            return
        module = (await conversation.line()).strip()
        if module in (b"", b"#list"):
            conversation.say("backup         \t示例备份\n".encode() + b"@RSYNCD: EXIT\n")
        elif module == b"backup":
            conversation.say(b"@RSYNCD: AUTHREQD " + os.urandom(12).hex().encode() + b"\n")
            await conversation.line()
            conversation.say(b"@ERROR: auth failed on module backup\n")
        else:
            conversation.say(b"@ERROR: Unknown module\n")

    return Service(port, talk, Seen("rsync"), weaknesses=("exposure.rsync",), flaws=("rsync.module-list",))


_LDAP_BIND, _LDAP_UNBIND, _LDAP_SEARCH = 0x60, 0x42, 0x63
_LDAP_SUCCESS, _LDAP_DENIED, _LDAP_WRONG_PASSWORD = 0, 50, 49
_SEQUENCE, _SET, _TEXT = 0x30, 0x31, 0x04
_ROOT, _NAMELESS = b"\x04\0", b"\x04\0\x80\0"
# First byte of a length: the length itself, or 0x80 and the number of bytes that tell it.
_LENGTHS = (*range(0x80), 0x81, 0x82, 0x84)


def _ber(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    length = bytes([len(body)]) if len(body) < 128 else b"\x82" + struct.pack(">H", len(body))
    return bytes([tag]) + length + body


def _ldap_result(tag: int, code: int) -> bytes:
    return _ber(tag, bytes([0x0A, 1, code]), _ber(_TEXT), _ber(_TEXT))


def _root_entry(base: str) -> bytes:
    """Write the entry every server has: what it holds."""
    facts = {"objectClass": "top", "namingContexts": base, "supportedLDAPVersion": "3"}
    attributes = [
        _ber(_SEQUENCE, _ber(_TEXT, name.encode()), _ber(_SET, _ber(_TEXT, value.encode())))
        for name, value in facts.items()
    ]
    return _ber(0x64, _ber(_TEXT), _ber(_SEQUENCE, *attributes))


async def _ldap_message(conversation: Conversation) -> bytes:
    tag, first = await conversation.exactly(2)
    if tag != _SEQUENCE or first not in _LENGTHS:
        raise HangupError("no message")
    if first < 0x80:
        return await conversation.exactly(first)
    return await conversation.exactly(int.from_bytes(await conversation.exactly(first - 0x80), "big"))


def _contents(element: bytes) -> bytes:
    """Give what stands behind tag and length."""
    return element[2 + max(0, element[1] - 0x80) :]


def _ldap_answer(operation: bytes, base: str) -> tuple[bytes, ...]:
    if operation[0] == _LDAP_BIND:
        code = _LDAP_SUCCESS if operation.endswith(_NAMELESS) else _LDAP_WRONG_PASSWORD
        return (_ldap_result(0x61, code),)
    if operation[0] == _LDAP_SEARCH:
        if _contents(operation).startswith(_ROOT):
            return (_root_entry(base), _ldap_result(0x65, _LDAP_SUCCESS))
        return (_ldap_result(0x65, _LDAP_DENIED),)
    return ()


def ldap(port: int, base: str) -> Service:
    """Build a directory that lets the nameless in and tells them only what it holds. Source: RFC 4511."""

    async def talk(conversation: Conversation) -> None:
        for _ in range(_PACKETS_PER_SESSION):
            body = await _ldap_message(conversation)
            if len(body) < 4 or body[0] != 2 or body[1] not in range(1, 5) or len(body) < 4 + body[1]:
                return
            number, operation = body[: 2 + body[1]], body[2 + body[1] :]
            answers = _ldap_answer(operation, base)
            if not answers:
                return
            for answer in answers:
                conversation.say(_ber(_SEQUENCE, number, answer))

    return Service(port, talk, Seen("ldap"), flaws=("ldap.anonymous-bind",))


_TNS_CONNECT, _TNS_REFUSE = 1, 4
_ORACLE_11_2 = 0x0B200400


def _tns_refusal(text: str) -> bytes:
    body = b"\x22\0" + struct.pack(">H", len(text)) + text.encode()
    return struct.pack(">HHBBH", 8 + len(body), 0, _TNS_REFUSE, 0, 0) + body


def oracle(port: int) -> Service:
    """Build the listener of an Oracle 11.2 that tells nothing to others and knows no database."""
    stack = "(ERROR_STACK=(ERROR=(CODE={0})(EMFI=4)))"
    refusal = f"(DESCRIPTION=(TMP=)(VSNNUM={_ORACLE_11_2})(ERR={{0}}){stack})"

    async def talk(conversation: Conversation) -> None:
        size, _, kind = struct.unpack(">HHB3x", await conversation.exactly(8))
        if kind != _TNS_CONNECT or size not in range(34, 4096):
            return
        asked = await conversation.exactly(size - 8)
        code = 1189 if b"COMMAND=" in asked else 12514
        conversation.say(_tns_refusal(refusal.format(code)))

    return Service(port, talk, Seen("oracle-tns", "Oracle TNS listener", "11.2.0.4.0"), weaknesses=("exposure.oracle",))


_SOCKS_NO_LOGIN, _SOCKS_PASSWORD, _SOCKS_NONE = 0, 2, 0xFF
_SOCKS_NOT_ALLOWED = 2


def socks(port: int, login: bool) -> Service:
    """Build a SOCKS 5 proxy that connects nobody to anything, with or without a login. Source: RFC 1928, RFC 1929."""
    method = _SOCKS_PASSWORD if login else _SOCKS_NO_LOGIN

    async def talk(conversation: Conversation) -> None:
        version, count = await conversation.exactly(2)
        if version != 5:
            return
        offered = await conversation.exactly(count)
        chosen = method if method in offered else _SOCKS_NONE
        conversation.say(bytes([5, chosen]))
        if chosen == _SOCKS_NONE:
            return
        if login:
            _, size = await conversation.exactly(2)
            name = await conversation.exactly(size + 1)
            await conversation.exactly(name[-1])
            conversation.say(b"\x01\x01")
            return
        await conversation.exactly(4)
        conversation.say(bytes([5, _SOCKS_NOT_ALLOWED, 0, 1]) + bytes(6))

    rules = ("exposure.socks-proxy",) if login else ("exposure.socks-no-auth",)
    return Service(port, talk, Seen("socks5"), elsewhere=Seen(), weaknesses=rules, weaknesses_elsewhere=())
