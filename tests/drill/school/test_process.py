"""The process that serves a school, spoken to through its pipes and its ports."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sentinel.drill.school.running import RunningSchool
from tests.drill.living import is_alive, wait_gone
from tests.drill.school.lots import own_lot

ROOT = Path(__file__).resolve().parents[3]
INSIDE = 'ip link set lo up && exec "$@"'
BASE = str(own_lot(5).base)


def words(parent: int, *more: str, size: int = 3) -> list[str]:
    options = ["--base", BASE, "--seed", "1", "--size", str(size), "--offset", "10000", "--parent", str(parent), *more]
    return [sys.executable, "-m", "sentinel.drill.school.process", *options]


def serve(parent: int, told: bytes, *more: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(words(parent, *more), input=told, capture_output=True, cwd=ROOT, timeout=20, check=False)


def test_process_when_its_input_ends_then_it_ends_in_peace() -> None:
    done = serve(os.getpid(), b"")

    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("told", "failed"),
    [
        (b"nonsense\ncue change\ncue service-opens\nstop\n", [False, True, True, False]),
        (b"cue service-opens\ncue service-opens\nstop\nstop\n", [False, False, False]),
        (b"cue explode\n\n\xff\xfe\x00\nstop\n", [False, True, True, True]),
        (b"cue service-opens", [False, False]),
    ],
)
def test_process_when_told_sense_and_nonsense_then_it_answers_every_line_and_goes_on(
    told: bytes, failed: list[bool]
) -> None:
    done = serve(os.getpid(), told)

    assert (done.returncode, done.stderr) == (0, b"")
    assert ["error" in json.loads(line) for line in done.stdout.splitlines()] == failed


@pytest.mark.parametrize("end", [b"", b"\n", b"\ncue service-opens\nstop\n"])
def test_process_when_a_line_is_too_long_then_it_is_no_command_and_the_end_is_in_peace(end: bytes) -> None:
    done = serve(os.getpid(), b"cue " + b"x" * 100_000 + end)
    first, *others = map(json.loads, done.stdout.splitlines())

    assert (done.returncode, done.stderr) == (0, b"")
    assert "error" in others[0]
    assert first["played"] == []


def test_process_when_a_cue_was_played_then_its_status_tells_it() -> None:
    done = serve(os.getpid(), b"cue certificate-changes\ncue host-appears\nstop\n")
    first, *others = map(json.loads, done.stdout.splitlines())

    assert first["played"] == []
    assert [one["played"] for one in others] == [
        ["certificate-changes"],
        ["certificate-changes", "host-appears"],
    ]
    changed = [row for row in others[0]["certificates"] if row not in first["certificates"]]
    assert len(changed) == 1
    assert first["authority"].startswith("-----BEGIN CERTIFICATE-----")


def test_process_when_its_parent_has_gone_then_it_does_not_start() -> None:
    done = serve(1, b"")

    assert (done.returncode, done.stdout) == (1, b"")


@pytest.mark.parametrize("more", [["--base", "not-a-network"], ["--size", "many"], ["--pool", "::1"]])
def test_process_when_its_arguments_are_no_lot_then_it_refuses_them(more: list[str]) -> None:
    done = serve(os.getpid(), b"", *more)

    assert (done.returncode, done.stdout) == (2, b"")


def test_process_when_the_lot_makes_no_school_then_one_line_says_why() -> None:
    done = serve(os.getpid(), b"", "--size", "2")

    assert done.returncode == 1
    assert json.loads(done.stdout)["error"].startswith("2: a practice school has 3 to ")


@pytest.mark.namespace
def test_process_when_it_needs_a_network_it_has_not_then_one_line_says_so() -> None:
    limited = ["unshare", "-r", "setpriv", "--bounding-set=-net_admin", "--"]
    command = [*limited, *words(1, "--base", "10.77.1.0/24", "--own-network")]
    parent = f"import os, subprocess, sys; sys.argv[sys.argv.index('--parent') + 1] = str(os.getpid())\n{PARENT}"

    done = subprocess.run(
        [sys.executable, "-c", parent, *command], input=b"", capture_output=True, cwd=ROOT, timeout=20, check=False
    )

    error = json.loads(done.stdout)["error"]
    assert error.startswith("practice school: 10.77.1.11: Operation not permitted; it needs a network namespace")


PARENT = "sys.exit(subprocess.run(sys.argv[1:]).returncode)"


def test_process_when_interrupted_by_the_terminal_then_its_parent_decides(school: RunningSchool) -> None:
    os.kill(school.pid, signal.SIGINT)
    school.cue("change")

    assert is_alive(school.pid)


def test_process_when_strangers_throw_bytes_at_it_then_it_lives_and_answers(school: RunningSchool) -> None:
    dice = random.Random(20261122)
    places = [(str(row.address), row.port) for row in school.truth()]
    for turn in range(400):
        with socket.create_connection(places[turn % len(places)], 2) as stranger:
            stranger.sendall(dice.randbytes(dice.choice((1, 7, 60, 3000))))
    time.sleep(0.2)

    assert is_alive(school.pid)
    assert Path(f"/proc/{school.pid}/fd/2").read_bytes() == b""
    school.cue("change")
    for row in school.truth():
        socket.create_connection((str(row.address), row.port), 2).close()


DATAGRAMS = """
import os, random, socket, sys, time
from pathlib import Path
from sentinel.drill.place.ground import Mode, take_ground
from sentinel.drill.school.plan import AFTER
from sentinel.drill.school.running import start_school
dice = random.Random(20261122)
with start_school(take_ground(Mode.USER_NAMESPACE).lot(1)) as school:
    for row in school.truth():
        kind = socket.AF_INET if row.address.version == 4 else socket.AF_INET6
        if row.proto == "udp":
            with socket.socket(kind, socket.SOCK_DGRAM) as stranger:
                for size in (0, 1, 7, 60, 1400, 9000) * 5:
                    stranger.sendto(dice.randbytes(size), (str(row.address), row.port))
    time.sleep(0.2)
    errors = Path(f"/proc/{school.pid}/fd/2").read_bytes()
    school.cue("change")
    print(school.alive, errors, school.played == AFTER)
"""


@pytest.mark.namespace
def test_process_when_strangers_throw_datagrams_at_it_then_it_lives_and_answers() -> None:
    done = subprocess.run(
        [sys.executable, "-c", DATAGRAMS], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )

    assert (done.stdout, done.stderr) == ("True b'' True\n", "")


PARENT_OF_SCHOOL = """
import sys, time
from ipaddress import IPv4Network
from sentinel.drill.place.ground import Lot, Mode, take_ground
from sentinel.drill.school.running import start_school
lot = take_ground(Mode.USER_NAMESPACE).lot(1) if sys.argv[1] == "own" else Lot(IPv4Network(sys.argv[1]))
school = start_school(lot, size=12)
print(school.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.namespace
@pytest.mark.parametrize("where", ["own", str(own_lot(4).base)], ids=["namespace", "loopback"])
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM])
def test_school_when_its_parent_is_killed_then_it_is_gone_within_two_seconds(where: str, blow: signal.Signals) -> None:
    command = [sys.executable, "-c", PARENT_OF_SCHOOL, where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as parent:
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.send_signal(blow)

        assert wait_gone(child)
