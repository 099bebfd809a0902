"""The Windows services of the practice school, spoken to byte by byte as their specifications say."""

import struct

import pytest

from sentinel.drill.servers import windows
from tests.drill.servers.speaking import speak

XP = windows.smb(445, "Microsoft Windows XP", "SCHOOL", "OLD-PC")
MODERN = windows.smb(445, "Microsoft Windows 7 - 10", "SCHOOL", "PC-07")


def smb(command: int, body: bytes, magic: bytes = b"\xffSMB") -> bytes:
    """Write an SMB 1 message of process 1000, multiplex id 7. Source: MS-CIFS 2.2.3.1."""
    head = magic + bytes([command]) + bytes(4) + b"\x18\x01\x28" + bytes(14) + struct.pack("<HHH", 1000, 0, 7)
    return struct.pack(">I", len(head) + len(body)) + head + body


def negotiate(*dialects: bytes) -> bytes:
    names = b"".join(b"\x02" + name + b"\0" for name in dialects)
    return smb(0x72, b"\0" + struct.pack("<H", len(names)) + names)


@pytest.mark.parametrize(("service", "capabilities"), [(XP, 0xE3FD), (MODERN, 0x1E3FC)])
def test_smb_when_a_client_negotiates_then_the_last_common_dialect_is_chosen(
    service: windows.Service, capabilities: int
) -> None:
    heard = speak(service, negotiate(b"LANMAN1.0", b"LM1.2X002", b"NT LM 0.12"))
    (size,) = struct.unpack(">I", heard[:4])
    words = struct.unpack_from("<BHBHHIIII", heard, 36)

    assert (len(heard), heard[4:9]) == (4 + size, b"\xffSMBr")
    assert struct.unpack_from("<HHH", heard, 30) == (1000, 0, 7)
    assert (words[0], words[1], words[8]) == (17, 2, capabilities)
    assert "SCHOOL\0".encode("utf-16-le") in heard


def test_smb_when_no_dialect_is_common_then_it_says_so() -> None:
    assert speak(XP, negotiate(b"PC NETWORK PROGRAM 1.0"))[36:] == b"\x01\xff\xff\0\0"


def test_smb_when_a_session_is_asked_for_then_it_is_denied() -> None:
    heard = speak(MODERN, negotiate(b"NT LM 0.12"), smb(0x73, bytes(30)))

    denied = heard[-35:]
    assert (denied[:5], struct.unpack_from("<I", denied, 5)) == (b"\xffSMB\x73", (0xC0000022,))


def test_smb_when_a_netbios_session_is_asked_for_then_it_is_granted() -> None:
    assert speak(XP, b"\x81\0\0\x44" + bytes(68)) == b"\x82\0\0\0"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(smb(0x72, b"\0\x02\0\0\0", magic=b"\xfeSMB"), id="smb-2"),
        pytest.param(b"\0\0\0\x05hello", id="too-short"),
        pytest.param(b"\x42\0\0\x28" + bytes(40), id="no-session-message"),
        pytest.param(b"\0\xff\xff\xff" + bytes(99), id="too-long"),
    ],
)
def test_smb_when_it_hears_something_else_then_it_says_nothing(words: bytes) -> None:
    assert speak(XP, words) == b""


@pytest.mark.parametrize(("order", "form"), [(0x10, "<"), (0x00, ">")])
def test_msrpc_when_a_client_binds_then_it_is_refused_in_its_own_call(order: int, form: str) -> None:
    body = bytes(56)
    bind = struct.pack(f"{form}BBBB4sHHI", 5, 0, 11, 3, bytes([order, 0, 0, 0]), 16 + len(body), 0, 77) + body

    heard = speak(windows.msrpc(135), bind, bind)

    assert len(heard) == 48
    kind, size, call, reason = struct.unpack_from("<2xB5xH2xIH", heard)
    assert (kind, size, call, reason) == (13, 24, 77, 4)


def test_msrpc_when_it_hears_something_else_then_it_refuses_once() -> None:
    assert len(speak(windows.msrpc(135), b"GET / HTTP/1.0\r\n\r\n" * 3)) == 24


def test_mssql_when_a_client_says_hello_and_logs_in_then_version_and_refusal_come() -> None:
    options = struct.pack(">BHHBHHB", 0, 11, 6, 1, 17, 1, 0xFF) + struct.pack(">BBHHB", 9, 0, 0, 0, 0)
    hello = struct.pack(">BBHHBB", 0x12, 1, 8 + len(options), 0, 0, 0) + options
    login = struct.pack(">BBHHBB", 0x10, 1, 8 + 94, 0, 1, 0) + bytes(94)

    heard = speak(windows.mssql(1433), hello, login)

    offset, size = struct.unpack_from(">HH", heard, 9)
    assert struct.unpack_from(">BBHH", heard, 8 + offset) == (11, 0, 2100, 0)
    assert size == 6
    refusal = heard[struct.unpack_from(">H", heard, 2)[0] :]
    assert refusal[8] == 0xAA
    assert struct.unpack_from("<I", refusal, 11) == (18456,)
    assert "Login failed.".encode("utf-16-le") in refusal
    assert struct.unpack_from(">H", refusal, 2) == (len(refusal),)


def test_mssql_when_it_hears_something_else_then_it_says_nothing() -> None:
    assert speak(windows.mssql(1433), b"GET / HTTP/1.0\r\n\r\n") == b""
