"""A practice school from its caller's side: start, cue, stop, and what goes wrong."""

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from sentinel.drill.place.listeners import foreign_listeners
from sentinel.drill.school.cues import ALL_CUES, Cue
from sentinel.drill.school.plan import AFTER, BEFORE, MAX_SIZE
from sentinel.drill.school.running import RunningSchool, start_school
from sentinel.errors import SentinelError, UsageError
from tests.drill.living import is_alive, wait_gone
from tests.drill.school.lots import own_lot

ROOT = Path(__file__).resolve().parents[3]


def knock(school: RunningSchool) -> None:
    """Connect to the first port that is open."""
    row = school.truth()[0]
    socket.create_connection((str(row.address), row.port), 2).close()


def test_start_when_the_full_school_starts_then_it_is_quick_and_small() -> None:
    with start_school(own_lot(2)) as running:
        status = Path(f"/proc/{running.pid}/status").read_text("utf-8")
        peak_kib = int(status.partition("VmHWM:")[2].split()[0])

    assert running.start_s < 30
    assert peak_kib < 80 * 1024


def test_start_when_a_school_is_already_there_then_one_line_names_the_port(school: RunningSchool) -> None:
    with pytest.raises(UsageError, match=r"^practice school: 127\.[\d.]+:\d+ already in use; .+\?$") as caught:
        start_school(own_lot(1), seed=2, size=5)

    assert "\n" not in str(caught.value)
    knock(school)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("/bin/false", r"^practice school: it ended: no reason given$"),
        ("/bin/sh", r"^practice school: it ended: .*sh: .*[Ii]llegal option.*$"),
    ],
)
def test_start_when_the_process_cannot_start_then_its_last_words_are_told(
    program: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program)

    with pytest.raises(SentinelError, match=message):
        start_school(own_lot(3), size=3)


def test_start_when_there_is_no_time_then_it_says_so_and_leaves_nothing() -> None:
    with pytest.raises(SentinelError, match=r"^practice school: it does not answer$"):
        start_school(own_lot(3), size=3, timeout_s=0.0)

    with start_school(own_lot(3), size=3) as running:
        knock(running)


def test_start_when_three_schools_run_at_once_then_each_answers_with_its_own_name() -> None:
    wishes = ((8, 1, MAX_SIZE), (9, 2, 5), (10, 3, 3))
    with ExitStack() as stack:
        schools = [
            stack.enter_context(start_school(own_lot(number), seed=seed, size=size)) for number, seed, size in wishes
        ]
        pages = []
        for running in schools:
            with socket.create_connection((str(running.plan.before[0].address), 10080), 2) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                pages.append(b"".join(iter(lambda: client.recv(4096), b"")).decode())

    assert [running.plan.name in page for running, page in zip(schools, pages, strict=True)] == [True] * 3
    assert len({running.plan.name for running in schools}) == 3


def test_start_when_the_first_has_stopped_then_the_same_school_starts_again() -> None:
    truths = []
    for _ in range(2):
        with start_school(own_lot(3), size=3) as running:
            knock(running)
            truths.append(running.truth())

    assert truths[0] == truths[1]


@pytest.mark.parametrize(
    ("base", "size", "offset", "message"),
    [
        ("10.0.0.0/24", 5, 10000, "127.0.0.0/8"),
        ("127.77.0.0/27", 5, 10000, "at least 64 addresses"),
        ("127.77.0.0/24", 2, 10000, f"3 to {MAX_SIZE} hosts"),
        ("127.77.0.0/24", 5, 60000, "offset"),
    ],
)
def test_start_when_the_wish_is_no_school_then_it_is_a_usage_error(
    base: str, size: int, offset: int, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        start_school(replace(own_lot(3), base=IPv4Network(base), offset=offset), size=size)


def test_stop_when_called_twice_then_nothing_is_left(school: RunningSchool) -> None:
    row = school.truth()[0]
    school.stop()
    school.stop()

    assert not is_alive(school.pid)
    assert not school.alive
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((str(row.address), row.port), 2)


def test_stop_when_the_process_hangs_then_it_is_killed(school: RunningSchool) -> None:
    os.kill(school.pid, signal.SIGSTOP)
    school.stop()

    assert not is_alive(school.pid)


def test_cue_when_one_is_played_then_only_its_part_of_the_school_changes(school: RunningSchool) -> None:
    (opens,) = school.expected_changes(BEFORE, {Cue.SERVICE_OPENS})
    (closes,) = school.expected_changes(BEFORE, {Cue.SERVICE_CLOSES})
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((str(opens.address), opens.port), 2)

    school.cue(Cue.SERVICE_OPENS)

    assert school.played == {Cue.SERVICE_OPENS}
    assert school.truth() == school.plan.truth({Cue.SERVICE_OPENS})
    for one in (opens, closes):
        socket.create_connection((str(one.address), one.port), 2).close()


def test_cue_when_every_one_is_played_in_turn_then_it_is_as_if_all_were_at_once(school: RunningSchool) -> None:
    for cue in reversed(Cue):
        school.cue(cue)
        for row in school.truth():
            socket.create_connection((str(row.address), row.port), 2).close()
    gone = {row.place for row in school.truth(BEFORE)} - {row.place for row in school.truth()}

    assert school.played == AFTER
    assert school.truth() == school.plan.truth(AFTER)
    assert len(gone) >= 2
    for _, address, port in gone:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((str(address), port), 2)


def test_cue_when_all_were_played_twice_then_the_second_time_changes_nothing(school: RunningSchool) -> None:
    before = dict(school.certificates)
    school.cue(ALL_CUES)
    once = dict(school.certificates)
    school.cue(ALL_CUES)

    assert school.played == AFTER
    assert once == school.certificates != before
    for row in school.truth():
        socket.create_connection((str(row.address), row.port), 2).close()


@pytest.mark.parametrize("name", ["explode", "", "service-opens\nstop", "SERVICE-OPENS"])
def test_cue_when_unknown_then_it_is_a_usage_error_and_the_school_goes_on(school: RunningSchool, name: str) -> None:
    with pytest.raises(UsageError, match=r"unknown cue of the practice school; there are change, service-opens, "):
        school.cue(name)

    school.cue(Cue.SERVICE_OPENS)
    assert school.alive


def test_cue_when_the_school_has_died_then_it_says_so(school: RunningSchool) -> None:
    os.kill(school.pid, signal.SIGKILL)
    wait_gone(school.pid)

    with pytest.raises(SentinelError, match="practice school: it "):
        school.cue(ALL_CUES)
    assert not school.alive


def test_cue_when_the_school_does_not_answer_then_it_says_so(school: RunningSchool) -> None:
    os.kill(school.pid, signal.SIGSTOP)

    with pytest.raises(SentinelError, match="practice school: it does not answer"):
        school.cue(ALL_CUES, timeout_s=0.2)


def test_school_when_it_runs_then_it_is_no_foreign_listener(school: RunningSchool) -> None:
    assert {("tcp", row.port) for row in school.truth()}.isdisjoint(foreign_listeners())


def in_namespace(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a network of its own, whose loopback is up."""
    inside = 'ip link set lo up && exec "$0" -c "$1"'
    words = ["unshare", "-rn", "sh", "-c", inside, sys.executable, program]
    return subprocess.run(words, capture_output=True, cwd=ROOT, text=True, timeout=30, check=False)


WILDCARD = """
import socket
from sentinel.drill.school.running import start_school
from sentinel.errors import SentinelError
with socket.create_server(("0.0.0.0", 10443)):
    try:
        start_school()
    except SentinelError as error:
        print(error)
"""


@pytest.mark.namespace
def test_start_when_a_program_listens_on_every_address_then_the_message_says_so() -> None:
    done = in_namespace(WILDCARD)

    assert done.returncode == 0, done.stderr
    assert re.fullmatch(
        r"practice school: 127\.[\d.]+:10443 is taken by a program of this machine that listens on .+\n", done.stdout
    )


TRUE_PORTS = """
import socket
from dataclasses import replace
from sentinel.drill.school.plan import DEFAULT_LOT
from sentinel.drill.school.running import start_school
with start_school(replace(DEFAULT_LOT, offset=0)) as school:
    for row in school.truth():
        socket.create_connection((str(row.address), row.port), 2).close()
    print(min(row.port for row in school.truth()))
"""


@pytest.mark.namespace
def test_start_when_it_may_bind_low_ports_then_an_offset_of_zero_gives_the_true_ones() -> None:
    done = in_namespace(TRUE_PORTS)

    assert (done.returncode, done.stdout) == (0, "13\n"), done.stderr


NO_IPV6 = """
import socket
from ipaddress import IPv4Network
from pathlib import Path
from sentinel.drill.place.ground import Lot, SCANNER
from sentinel.drill.place.link import add_address, has_ipv6
from sentinel.drill.school.running import start_school
Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")
add_address(SCANNER)
with start_school(Lot(IPv4Network("10.77.1.0/24"), None, 0, True)) as school:
    school.cue("change")
    rows = school.truth()
    print(has_ipv6(), {row.address.version for row in rows}, sorted({row.proto for row in rows}))
"""


@pytest.mark.namespace
def test_start_when_the_machine_has_no_ipv6_then_the_school_stands_without() -> None:
    done = in_namespace(NO_IPV6)

    assert (done.returncode, done.stdout) == (0, "False {4} ['tcp', 'udp']\n"), done.stderr
