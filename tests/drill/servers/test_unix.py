"""Old Unix services of the practice school, spoken to byte by byte as the protocols say."""

import struct
import time

import pytest

from sentinel.drill.servers import unix
from tests.drill.servers.speaking import speak

X11 = unix.x11(6000)
NFS = unix.nfs(2049)


def call(program: int, version: int, procedure: int, kind: int = 0) -> bytes:
    """Write a remote procedure call without credentials. Source: RFC 5531 section 9."""
    body = struct.pack(">10I", 99, kind, 2, program, version, procedure, 0, 0, 0, 0)
    return struct.pack(">I", 0x80000000 | len(body)) + body


def test_daytime_when_called_then_it_tells_the_time_and_hangs_up() -> None:
    heard = speak(unix.daytime(13))
    told = time.mktime(time.strptime(heard.decode().strip(), "%a %b %d %H:%M:%S %Y"))

    assert heard.endswith(b"\r\n")
    assert abs(told - time.time()) < 5


@pytest.mark.parametrize(
    ("asked", "answer"),
    [(b"\r\n", b"Login     Name       Tty "), (b"somebody\r\n", b"finger: somebody: no such user.\r\n")],
)
def test_finger_when_asked_then_it_tells_who_is_there(asked: bytes, answer: bytes) -> None:
    assert speak(unix.finger(79), asked).startswith(answer)


def test_finger_when_a_name_is_long_and_foreign_then_the_answer_is_short_and_plain() -> None:
    heard = speak(unix.finger(79), b"\xff" * 5000 + b"\r\n")

    assert heard == b"finger: " + b"?" * 40 + b": no such user.\r\n"


def test_rexec_when_called_then_it_turns_the_caller_away() -> None:
    assert speak(unix.rexec(512)) == b"\x01Where are you?\n"


@pytest.mark.parametrize(("order", "form"), [(b"l", "<"), (b"B", ">")])
def test_x11_when_a_client_comes_without_a_key_then_it_is_let_in_in_its_own_byte_order(order: bytes, form: str) -> None:
    heard = speak(X11, order + b"\0" + struct.pack(f"{form}HHHH", 11, 0, 18, 16) + bytes(2), bytes(20 + 16))
    outcome, major, length = struct.unpack_from(f"{form}BxH2xH", heard)
    (vendor_bytes,) = struct.unpack_from(f"{form}H", heard, 24)

    assert (outcome, major, len(heard)) == (1, 11, 8 + 4 * length)
    assert heard[40 : 40 + vendor_bytes] == b"The X.Org Foundation"


def test_x11_when_it_hears_something_else_then_it_says_nothing() -> None:
    assert speak(X11, b"GET / HTTP/1.0\r\n\r\n") == b""


@pytest.mark.parametrize(
    ("asked", "outcome"),
    [
        (call(100003, 3, 0), (0,)),
        (call(100003, 3, 1), (3,)),
        (call(100003, 104316, 0), (2, 3, 3)),
        (call(100005, 3, 0), (1,)),
    ],
)
def test_nfs_when_called_then_only_the_empty_call_succeeds(asked: bytes, outcome: tuple[int, ...]) -> None:
    body = struct.pack(f">{5 + len(outcome)}I", 99, 1, 0, 0, 0, *outcome)

    assert speak(NFS, asked) == struct.pack(">I", 0x80000000 | len(body)) + body


@pytest.mark.parametrize(
    "words", [call(100003, 3, 0, kind=1), b"\x80\0\0\x08" + bytes(8), b"\0\0\0\x28" + bytes(40), b"\xff\xff\xff\xff"]
)
def test_nfs_when_it_hears_no_call_then_it_says_nothing(words: bytes) -> None:
    assert speak(NFS, words) == b""
