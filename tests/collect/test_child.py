from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sentinel.collect import child
from sentinel.collect.child import TIME_UP, Ending, bare_environment, run_child
from sentinel.errors import CollectError
from tests.collect.wire import ROOT


def run(script: str, *, timeout_s: float = 20.0, max_bytes: int = 1 << 20) -> tuple[Ending, bytes]:
    output = bytearray()
    ending = run_child(
        ["sh", "-c", script], take=output.extend, cwd=Path("/"), timeout_s=timeout_s, max_bytes=max_bytes
    )
    return ending, bytes(output)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + 30
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_running(pid)


def test_run_child_when_it_ends_then_output_status_and_last_lines() -> None:
    ending, output = run("echo out; for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; echo '\033[1m' >&2; exit 3")
    assert output == b"out\n"
    assert ending == Ending(3, ("line 4", "line 5", "line 6", "line 7", "\ufffd[1m"))


def test_run_child_when_much_is_written_then_nothing_is_lost() -> None:
    ending, output = run("head -c 700000 /dev/zero; head -c 700000 /dev/zero >&2")
    assert (ending.status, len(output)) == (0, 700000)


def test_run_child_when_killed_then_status_is_minus_the_signal() -> None:
    ending, output = run("echo begun; kill -9 $$")
    assert (ending.status, ending.stopped, output) == (-9, "", b"begun\n")


def test_run_child_when_time_is_up_then_terminated_and_output_kept() -> None:
    ending, output = run("echo begun; sleep 30", timeout_s=0.3)
    assert (ending.status, ending.stopped, output) == (-signal.SIGTERM, TIME_UP, b"begun\n")


def test_run_child_when_it_ignores_sigterm_then_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_GRACE_S", 0.3)
    started = time.monotonic()
    ending, _ = run("trap '' TERM; while :; do sleep 0.2; done", timeout_s=0.2)
    assert (ending.status, ending.stopped) == (-signal.SIGKILL, TIME_UP)
    assert time.monotonic() - started < 30


def test_run_child_when_it_writes_too_much_then_stopped() -> None:
    ending, output = run("cat /dev/zero", max_bytes=100000)
    assert ending.stopped == "more than 100000 bytes of output"
    assert 100000 < len(output) < 1 << 20


def test_run_child_when_a_grandchild_leaves_with_the_pipes_then_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_GRACE_S", 0.3)
    kept = tmp_path / "pid"
    try:
        ending, _ = run(f"setsid sh -c 'echo $$ > {kept}; trap \"\" TERM; exec sleep 30' & wait", timeout_s=0.5)
    finally:
        os.kill(int(kept.read_text(encoding="ascii")), signal.SIGKILL)
    assert ending.stopped == TIME_UP


def test_run_child_when_take_fails_then_the_child_is_ended() -> None:
    pids: list[int] = []

    def fail(chunk: bytes) -> None:
        pids.append(int(chunk))
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        run_child(["sh", "-c", "echo $$; sleep 30"], take=fail, cwd=Path("/"), timeout_s=20, max_bytes=1000)
    assert not is_running(pids[0])


def test_run_child_when_interrupted_then_the_child_is_ended() -> None:
    pids: list[int] = []

    def interrupt(chunk: bytes) -> None:
        pids.append(int(chunk))
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_child(["sh", "-c", "echo $$; sleep 30"], take=interrupt, cwd=Path("/"), timeout_s=20, max_bytes=1000)
    assert not is_running(pids[0])


def test_run_child_when_the_child_will_not_end_then_an_exception_kills_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_GRACE_S", 0.2)
    pids: list[int] = []

    def fail(chunk: bytes) -> None:
        pids.append(int(chunk))
        raise OSError(28, "No space left on device")

    script = "trap '' TERM; echo $$; while :; do sleep 0.1; done"
    with pytest.raises(OSError, match="No space"):
        run_child(["sh", "-c", script], take=fail, cwd=Path("/"), timeout_s=20, max_bytes=1000)
    assert not is_running(pids[0])


def test_run_child_when_sentinel_is_killed_then_the_child_dies_too() -> None:
    script = (
        "from pathlib import Path\n"
        "from sentinel.collect.child import run_child\n"
        "run_child(['sh', '-c', 'echo $$; exec sleep 30'], take=lambda c: print(int(c), flush=True),"
        " cwd=Path('/'), timeout_s=30, max_bytes=1000)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.kill()
    assert wait_until_gone(pid)


@pytest.mark.parametrize("command", [["/nonexistent/nmap"], ["/etc/passwd"], ["true", "x" * 200000], ["true", "a\0b"]])
def test_run_child_when_it_cannot_start_then_collect_error(command: list[str]) -> None:
    with pytest.raises(CollectError, match=f"cannot start {command[0]}"):
        run_child(command, take=lambda _: None, cwd=Path("/"), timeout_s=1, max_bytes=1)


def test_bare_environment_when_settings_of_the_tool_are_set_then_they_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NMAPDIR", "/tmp")
    assert set(bare_environment()) == {"PATH", "LC_ALL", "HOME"}
    ending, output = run("env")
    assert ending.status == 0
    assert b"NMAPDIR" not in output


@pytest.mark.filterwarnings("error")
def test_run_child_when_interrupted_while_it_starts_then_the_child_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = tmp_path / "pid"

    monkeypatch.setattr(child, "_die_with_parent", lambda parent: os.kill(parent, signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        run(f"echo $$ > {told}; exec sleep 60")
    gc.collect()
    assert not told.exists() or not is_running(int(told.read_text("ascii")))


def test_run_child_when_it_cannot_start_then_an_interrupt_is_heard_again() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(CollectError):
        run_child(["/no/such/tool"], take=lambda _: None, cwd=Path("/"), timeout_s=1, max_bytes=1)
    assert signal.getsignal(signal.SIGINT) == before
