"""Middleware of the practice school, spoken to byte by byte as the protocols say."""

import struct

import pytest

from sentinel.drill.servers import middleware
from sentinel.drill.servers.conversation import Service
from tests.drill.servers.speaking import speak

ZOOKEEPER = middleware.zookeeper(2181, "3.4.13")
AJP = middleware.ajp(8009)
RSYNC = middleware.rsync(873)
LDAP = middleware.ldap(389, "dc=school1,dc=example")
ORACLE = middleware.oracle(1521)
OPEN_SOCKS, LOCKED_SOCKS = middleware.socks(1080, login=False), middleware.socks(1080, login=True)
HELLO = b"@RSYNCD: 31.0\n"


def tns(data: bytes, kind: int = 1) -> bytes:
    """Write a TNS packet with its data at offset 58."""
    body = bytes(50) + data
    return struct.pack(">HHBBH", 8 + len(body), 0, kind, 0, 0) + body


@pytest.mark.parametrize(
    ("service", "request_", "answer"),
    [
        (ZOOKEEPER, b"ruok", b"imok"),
        (ZOOKEEPER, b"\0\0\0\x2c" + bytes(44), b""),
        (AJP, b"\x12\x34\0\x01\x0a", b"AB\0\x01\x09"),
        (AJP, b"\x12\x34\0\x04\x02\x02\0\0", b"AB\0\x11\x04\x01\x93\0\x09Forbidden\0\0\0AB\0\x02\x05\x01"),
        (AJP, b"\x12\x34\0\x01\x07", b""),
        (AJP, b"GET / HTTP/1.0\r\n\r\n", b""),
        (RSYNC, HELLO + b"#list\n", HELLO + "backup         \t示例备份\n@RSYNCD: EXIT\n".encode()),
        (RSYNC, HELLO + b"none\n", HELLO + b"@ERROR: Unknown module\n"),
        (RSYNC, b"GET / HTTP/1.0\r\n", HELLO + b"@ERROR: protocol startup error\n"),
        (LDAP, b"0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\0\x80\0", b"0\x0c\x02\x01\x01a\x07\n\x01\0\x04\0\x04\0"),
        (
            LDAP,
            b"0\x12\x02\x01\x02`\x0d\x02\x01\x03\x04\x04cn=a\x80\x02pw",
            b"0\x0c\x02\x01\x02a\x07\n\x01\x31\x04\0\x04\0",
        ),
        (LDAP, b"0\x0a\x02\x01\x03c\x05\x04\x01x\n\x01", b"0\x0c\x02\x01\x03e\x07\n\x01\x32\x04\0\x04\0"),
        (LDAP, b"0\x05\x02\x01\x04B\0", b""),
        (LDAP, b"0\x84\0\0\0\x05\x02\x01\x04B\0", b""),
        (LDAP, b"0\x80\x02\x01\x04B\0", b""),
        (ORACLE, b"GET / HTTP/1.0\r\n\r\n", b""),
        (ORACLE, tns(b"(CONNECT_DATA=(COMMAND=version))", kind=6), b""),
        (OPEN_SOCKS, b"\x05\x01\0\x05\x01\0\x01\x7f\0\0\x01\0\x50", b"\x05\0\x05\x02\0\x01" + bytes(6)),
        (OPEN_SOCKS, b"\x05\x01\x02", b"\x05\xff"),
        (OPEN_SOCKS, b"\x04\x01\0\x50", b""),
        (LOCKED_SOCKS, b"\x05\x01\0", b"\x05\xff"),
        (LOCKED_SOCKS, b"\x05\x02\0\x02\x01\x01a\x01", b"\x05\x02"),
        (LOCKED_SOCKS, b"\x05\x02\0\x02\x01\x01a\x02bc", b"\x05\x02\x01\x01"),
    ],
)
def test_service_when_asked_then_it_answers_as_its_protocol_says(
    service: Service, request_: bytes, answer: bytes
) -> None:
    assert speak(service, request_) == answer


@pytest.mark.parametrize("word", [b"stat", b"srvr"])
def test_zookeeper_when_asked_for_its_state_then_version_and_mode_come(word: bytes) -> None:
    heard = speak(ZOOKEEPER, word + b"s\r\n")

    assert heard.startswith(b"Zookeeper version: 3.4.13-practice, built on ")
    assert b"Mode: standalone\n" in heard


def test_rsync_when_its_module_is_opened_then_a_login_is_asked_and_refused() -> None:
    heard = speak(RSYNC, HELLO, b"backup\n", b"somebody 0123456789abcdef\n")

    assert b"@RSYNCD: AUTHREQD " in heard
    assert heard.endswith(b"@ERROR: auth failed on module backup\n")


@pytest.mark.parametrize("length", [b"\x23", b"\x81\x23", b"\x84\0\0\0\x23"])
def test_ldap_when_its_root_entry_is_sought_then_it_tells_what_it_holds(length: bytes) -> None:
    search = b"\x04\0\n\x01\0\n\x01\0\x02\x01\0\x02\x01\0\x01\x01\0\x87\x0bobjectClass0\0"
    operation = b"\x63" + length[:-1] + bytes([len(search)]) + search
    message = b"\x02\x01\x07" + operation

    heard = speak(LDAP, b"0" + bytes([len(message)]) + message)

    assert b"namingContexts1\x17\x04\x15dc=school1,dc=example" in heard
    assert heard.endswith(b"0\x0c\x02\x01\x07e\x07\n\x01\0\x04\0\x04\0")


@pytest.mark.parametrize(("asked", "code"), [(b"(CONNECT_DATA=(COMMAND=version))", 1189), (b"(SERVICE_NAME=x)", 12514)])
def test_oracle_when_asked_for_version_or_database_then_it_refuses_with_the_code(asked: bytes, code: int) -> None:
    heard = speak(ORACLE, tns(asked))
    size, kind = struct.unpack_from(">H2xB", heard)

    assert (size, kind) == (len(heard), 4)
    assert f"(VSNNUM=186647552)(ERR={code})".encode() in heard
