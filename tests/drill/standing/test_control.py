"""The control socket of a range, spoken to by somebody who knows its words, and by somebody who does not."""

import json
import random
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from sentinel.drill.standing.control import find_range, play_cue
from sentinel.errors import UsageError
from tests.drill.living import is_alive
from tests.drill.standing.ranges import Range, children, standing

pytestmark = pytest.mark.namespace

STATUS = b'{"command": "status"}\n'


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Range]:
    """A small range that every test leaves as it was."""
    with standing(tmp_path_factory.mktemp("r") / "range") as found:
        found.run("up", "--mode", "user-namespace", "--size", "3")
        yield found


@pytest.mark.parametrize(
    "garbage",
    [
        b"\n",
        b"\x00\xff\xfe\n",
        b"nonsense\n",
        b"[]\n",
        b"null\n",
        b'"status"\n',
        b"[" * 999 + b"\n",
        b'{"a":' * 199 + b"\n",
        b"x" * 1000,
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b'{"command": "status"\n',
    ],
)
def test_keeper_when_told_garbage_then_it_says_so_and_lives(up: Range, garbage: bytes) -> None:
    assert json.loads(up.ask(garbage)) == {"error": "unreadable request"}
    assert json.loads(up.ask(STATUS))["played"] == []


@pytest.mark.parametrize(
    "request_",
    [{}, {"command": None}, {"command": ["down"]}, {"command": "DOWN"}, {"command": {"command": "down"}}],
)
def test_keeper_when_the_command_is_none_of_its_own_then_it_says_so(up: Range, request_: object) -> None:
    assert json.loads(up.ask(json.dumps(request_).encode() + b"\n")) == {"error": "unknown request"}


@pytest.mark.parametrize("name", [None, 5, ["change"], {"cue": "change"}, "", "x" * 900])
def test_keeper_when_the_cue_is_no_name_then_it_is_unknown(up: Range, name: object) -> None:
    asked = json.dumps({"command": "cue", "name": name}).encode() + b"\n"

    assert "unknown cue of the practice school" in json.loads(up.ask(asked))["error"]


def test_keeper_when_bytes_are_thrown_at_it_then_it_lives(up: Range) -> None:
    dice = random.Random(20261122)
    for _ in range(100):
        up.ask(dice.randbytes(dice.choice((1, 50, 999, 1500))) + b"\n")

    assert json.loads(up.ask(STATUS))["played"] == []
    assert (up.folder / "keeper.log").read_bytes() == b""


def test_keeper_when_a_request_comes_in_pieces_then_it_is_read_whole(up: Range) -> None:
    assert json.loads(up.ask(STATUS[:5], STATUS[5:12], STATUS[12:], pause_s=0.1))["played"] == []


def test_keeper_when_a_request_stays_half_then_the_next_one_waits_two_seconds_at_most(up: Range) -> None:
    begun = time.monotonic()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as half:
        half.connect(str(up.folder / "control"))
        half.sendall(b'{"command": "do')
        assert json.loads(up.ask(STATUS))["played"] == []

    assert time.monotonic() - begun < 30


def test_keeper_when_callers_leave_without_a_word_or_an_ear_then_it_lives(up: Range) -> None:
    for words in (b"", b"{", STATUS, STATUS * 20):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
            caller.connect(str(up.folder / "control"))
            caller.sendall(words)

    assert json.loads(up.ask(STATUS))["played"] == []


def test_keeper_when_many_ask_at_once_then_each_is_answered(up: Range) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = [json.loads(text) for text in pool.map(lambda _: up.ask(STATUS), range(40))]

    assert {answer["pid"] for answer in answers} == {up.row("status")["pid"]}


def test_keeper_when_asked_from_python_then_it_tells_what_the_command_line_does(up: Range) -> None:
    told = up.row("status")

    assert find_range(up.folder) == {name: value for name, value in told.items() if name != "up"}
    with pytest.raises(UsageError, match="explode: unknown cue"):
        play_cue(up.folder, "explode")
    assert [is_alive(pid) for pid in (told["pid"], *children(told["pid"]))] == [True, True]


@pytest.mark.parametrize("answer", [b"", b"garbage\n", b'{"pid"', b"\xff\n", b"[]\n", b"[" * 70_000])
def test_status_when_what_answers_is_no_keeper_then_no_range_is_up(
    tmp_path_factory: pytest.TempPathFactory, answer: bytes
) -> None:
    folder = tmp_path_factory.mktemp("r")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stranger, ThreadPoolExecutor(1) as pool:
        stranger.bind(str(folder / "control"))
        stranger.listen()
        found = pool.submit(find_range, folder)
        connection, _ = stranger.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(answer)
        assert found.result(10) is None


def test_status_when_the_folder_is_not_there_then_no_range_is_up(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("r")

    assert find_range(folder / "none") is None
    assert find_range(folder / ("x" * 200)) is None
    assert list(folder.iterdir()) == []
