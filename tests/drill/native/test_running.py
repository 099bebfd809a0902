"""Real programs started, ended, killed and refused, on loopback beside whatever else runs there."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from sentinel.drill.native import process
from sentinel.drill.native.plan import plan_native
from sentinel.drill.native.program import Kind, Program
from sentinel.drill.native.running import RunningNative, start_native
from sentinel.drill.place.ground import served_port
from sentinel.errors import SentinelError
from tests.drill.living import is_alive, wait_gone, wait_until
from tests.drill.native.looking import children
from tests.drill.school.lots import own_lot

ROOT = Path(__file__).resolve().parents[3]
ADDRESS = own_lot(60).base[60]
OFFSET = 20_000
shift = partial(served_port, offset=OFFSET)


def start(
    programs: Iterable[Program], folder: Path, kinds: Iterable[Kind] = Kind, address: IPv4Address = ADDRESS
) -> RunningNative:
    return start_native(plan_native([one for one in programs if one.kind in kinds]), address, shift, folder)


def answers(port: int, address: IPv4Address = ADDRESS) -> bool:
    with suppress(OSError), socket.create_connection((str(address), port), 1):
        return True
    return False


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which the programs' own is made; it must be empty afterwards."""
    return tmp_path


def test_start_when_it_answers_then_its_files_are_private_and_stop_removes_everything(
    programs: tuple[Program, ...], folder: Path
) -> None:
    running = start(programs, folder)
    own = running.folder
    pids = [running.pid, *children(running.pid).values()]

    assert own is not None
    assert (own.parent, own.stat().st_mode & 0o777) == (folder, 0o700)
    assert running.alive
    assert len(pids) == 6
    assert all(answers(row.port) for row in running.truth())
    running.stop()
    running.stop()
    assert not running.alive
    assert not any(is_alive(pid) for pid in pids)
    assert not any(answers(row.port) for row in running.truth())
    assert list(folder.iterdir()) == []


def test_stop_when_a_visitor_is_still_connected_then_nothing_waits_for_him(
    programs: tuple[Program, ...], folder: Path
) -> None:
    running = start(programs, folder)
    visitors = [socket.create_connection((str(ADDRESS), row.port), 2) for row in running.truth()]
    visitors[3].recv(100)  # the greeting of a process of its own
    started = time.monotonic()
    running.stop()

    assert time.monotonic() - started < 30
    assert list(folder.iterdir()) == []
    for visitor in visitors:
        visitor.close()


PARENT = """
import sys, time
from ipaddress import ip_address
from pathlib import Path
from sentinel.drill.native.plan import plan_native
from sentinel.drill.native.program import find_programs
from sentinel.drill.native.running import start_native
services = plan_native(find_programs(Path(sys.argv[1])))
running = start_native(services, ip_address(sys.argv[2]), lambda port: port + int(sys.argv[3]), Path(sys.argv[4]))
print(running.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM])
def test_programs_when_their_caller_is_killed_then_they_and_their_files_are_gone(
    blow: signal.Signals, unpacked: Path, folder: Path
) -> None:
    words = [sys.executable, "-c", PARENT, str(unpacked), str(ADDRESS), str(OFFSET), str(folder)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT, text=True) as parent:
        keeper = int(parent.stdout.readline())
        kept = children(keeper)
        with socket.create_connection((str(ADDRESS), 22 + OFFSET), 2) as visitor:
            visitor.recv(100)
            parent.send_signal(blow)
            assert wait_gone(keeper, 5.0)

    assert len(kept) == 5
    assert all(wait_gone(pid, 0.5) for pid in kept.values())
    assert list(folder.iterdir()) == []


def left_of(mark: str, folder: Path) -> list[str]:
    """List what still runs in a folder or carries a mark in its environment, and the files there."""
    found = [str(path) for path in folder.iterdir()]
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark.encode() in (path / "environ").read_bytes() or (path / "cwd").readlink().is_relative_to(folder):
                found.append((path / "cmdline").read_bytes().decode("utf-8", "replace"))
    return found


@pytest.mark.parametrize("moment_s", [0.1, 0.25, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0])
def test_programs_when_their_caller_is_killed_while_they_start_then_nothing_is_left(
    moment_s: float, unpacked: Path, folder: Path
) -> None:
    mark = f"MARK={folder}"
    words = [sys.executable, "-c", PARENT, str(unpacked), str(ADDRESS), str(OFFSET), str(folder)]
    environment = {**os.environ, "MARK": str(folder)}
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, cwd=ROOT, env=environment) as parent:
        time.sleep(moment_s)
        assert left_of(mark, folder) != []
        parent.kill()

    assert wait_until(lambda: left_of(mark, folder) == [], 10.0), left_of(mark, folder)


def test_programs_when_their_keeper_is_killed_then_they_are_gone_and_stop_removes_the_files(
    programs: tuple[Program, ...], folder: Path
) -> None:
    running = start(programs, folder)
    kept = children(running.pid)
    os.kill(running.pid, signal.SIGKILL)

    assert all(wait_gone(pid) for pid in kept.values())
    assert not running.alive
    running.stop()
    assert list(folder.iterdir()) == []


def test_keeper_when_it_hangs_then_stop_ends_it_all_the_same(
    programs: tuple[Program, ...], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sentinel.drill.native.running._STOP_S", 0.5)
    running = start(programs, folder, [Kind.REDIS])
    (redis,) = children(running.pid).values()
    os.kill(running.pid, signal.SIGSTOP)
    running.stop()

    assert wait_gone(redis)
    assert list(folder.iterdir()) == []


def test_programs_when_one_of_them_dies_then_the_others_end_and_it_is_known(
    programs: tuple[Program, ...], folder: Path
) -> None:
    with start(programs, folder, [Kind.REDIS, Kind.SSHD]) as running:
        kept = children(running.pid)
        os.kill(kept["redis-server"], signal.SIGKILL)

        assert all(wait_gone(pid) for pid in (*kept.values(), running.pid))
        assert not running.alive
        assert list(folder.iterdir()) == []


def test_start_when_a_port_is_taken_then_its_program_is_left_out_and_the_others_serve(
    programs: tuple[Program, ...], folder: Path
) -> None:
    with (
        socket.create_server((str(ADDRESS), 443 + OFFSET)),
        start(programs, folder, [Kind.NGINX, Kind.REDIS]) as running,
    ):
        assert running.left_out == (("nginx", "port 20443 is taken by another program"),)
        assert [row.port for row in running.truth()] == [26379]
        assert [one.kind for one in running.programs] == [Kind.REDIS]


def test_start_when_a_port_cannot_be_bound_then_the_programs_own_reason_is_told(
    programs: tuple[Program, ...], folder: Path
) -> None:
    elsewhere = own_lot(61).base[60]  # where no connection of another test lingers
    with socket.socket() as silent:
        silent.bind((str(elsewhere), 6379 + OFFSET))
        with start(programs, folder, [Kind.REDIS, Kind.SSHD], elsewhere) as running:
            ((name, reason),) = running.left_out

            assert name == "redis-server"
            assert "Failed listening on port 26379" in reason
            assert [row.port for row in running.truth()] == [20022]


FAKES = {
    "exit 3": "exit status 3",
    "echo first; echo cannot go on >&2; exit 1": "cannot go on",
    "exec sleep 60": "port 26379 does not answer",
}


@pytest.mark.parametrize("script", FAKES)
def test_start_when_a_program_does_not_serve_then_it_is_left_out_with_its_last_words(
    script: str, programs: tuple[Program, ...], folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    fake = tmp_path_factory.mktemp("fake") / "redis-server"
    fake.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    fake.chmod(0o755)
    (redis,) = (one for one in programs if one.kind is Kind.REDIS)
    with start([replace(redis, path=fake)], folder) as running:
        assert running.left_out == (("redis-server", FAKES[script]),)
        assert running.truth() == ()
        assert running.alive
    assert list(folder.iterdir()) == []


def test_start_when_a_program_has_vanished_then_it_is_left_out(programs: tuple[Program, ...], folder: Path) -> None:
    (sshd,) = (one for one in programs if one.kind is Kind.SSHD)
    with start([replace(sshd, path=folder / "sshd")], folder) as running:
        assert running.left_out == (("sshd", "No such file or directory"),)


def test_start_when_the_folder_has_no_plain_name_then_it_is_refused(
    programs: tuple[Program, ...], folder: Path
) -> None:
    odd = folder / 'a "folder"'
    odd.mkdir()

    with pytest.raises(SentinelError, match=r"has a plain name, without blanks or quotes$"):
        start(programs, odd)


def test_start_when_the_folder_does_not_exist_then_one_line_says_so(
    programs: tuple[Program, ...], folder: Path
) -> None:
    with pytest.raises(SentinelError, match=r"^real services: .*No such file or directory: .*gone") as caught:
        start(programs, folder / "gone")

    assert "\n" not in str(caught.value)


def test_start_when_it_takes_too_long_then_it_says_so_and_leaves_nothing(
    programs: tuple[Program, ...], folder: Path
) -> None:
    with pytest.raises(SentinelError, match="they do not start in time"):
        start_native(plan_native(programs), ADDRESS, shift, folder, timeout_s=0.01)

    assert list(folder.iterdir()) == []


def test_process_when_its_input_ends_before_any_order_then_it_ends_in_peace() -> None:
    words = [sys.executable, "-m", "sentinel.drill.native.process"]
    done = subprocess.run(words, input="", capture_output=True, cwd=ROOT, text=True, timeout=20, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_orphans_when_a_program_leaves_children_then_they_are_found_and_killed() -> None:
    left = subprocess.Popen(["/usr/bin/sleep", "60"])
    try:
        assert left.pid in process._children(os.getpid())
        assert left.pid not in process._children(1 << 30)
    finally:
        left.kill()
        left.wait()


def test_programs_when_the_tree_is_all_there_is_then_it_is_enough(
    programs: tuple[Program, ...], folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy = tmp_path_factory.mktemp("tree")
    (nginx,) = (one for one in programs if one.kind is Kind.NGINX)
    assert nginx.tree is not None
    path = copy / nginx.path.relative_to(nginx.tree)
    path.parent.mkdir(parents=True)
    shutil.copy(nginx.path, path)
    with start([replace(nginx, path=path, tree=copy)], folder) as running:
        assert running.left_out == ()
        assert answers(20443)
