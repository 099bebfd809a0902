"""A command in, its output in chunks and its ending out; the child never outlives sentinel."""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from sentinel.collect.target import printable
from sentinel.errors import CollectError

CHUNK_BYTES = 65536
_STDERR_BYTES = 8192
_STDERR_LINES = 5
_GRACE_S = 3.0
_PR_SET_PDEATHSIG = 1
TIME_UP = "its time was used up"
_PRCTL = ctypes.CDLL(None).prctl


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended.

    Attributes:
        status: exit status; minus the signal number when a signal ended it.
        stderr: its last lines on standard error, printable.
        stopped: why sentinel stopped it; empty when it ended by itself.
    """

    status: int
    stderr: tuple[str, ...]
    stopped: str = ""


def run_child(
    command: Sequence[str],
    *,
    take: Callable[[bytes], None],
    cwd: Path,
    timeout_s: float,
    max_bytes: int,
) -> Ending:
    """Run a command without a shell and hand its output to `take` as it comes.

    The child is a session of its own (a key pressed in the terminal reaches sentinel alone), gets a bare environment,
    dies with the thread that started it, and is ended when its time or `max_bytes` of output are used up, or when an
    exception, also of `take`, leaves this function.

    Raises:
        CollectError: the command cannot be started.
    """
    process = None
    try:
        with _interrupts_held():
            process = _start(command, cwd)
        return _watch(process, take, time.monotonic() + timeout_s, max_bytes)
    finally:
        if process is not None:
            _end(process)


def bare_environment() -> dict[str, str]:
    """Give what a tool needs from the environment and nothing that changes what it does."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "HOME": "/nonexistent"}


def _start(command: Sequence[str], cwd: Path) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=bare_environment(),
            start_new_session=True,
            # One prctl call through a function bound at import: no lock, no import between fork and exec.
            preexec_fn=partial(_die_with_parent, os.getpid()),
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise CollectError(f"cannot start {command[0]}: {error}") from error


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let an interrupt wait until the block ends; a child that starts in it would have nobody to end it."""
    if threading.current_thread() is not threading.main_thread():
        yield  # interrupts are heard by the main thread alone
        return
    held: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if held:
        signal.raise_signal(signal.SIGINT)


def _die_with_parent(parent: int) -> None:
    _PRCTL(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # the parent died before the call above
        os._exit(127)


def _watch(process: subprocess.Popen[bytes], take: Callable[[bytes], None], deadline: float, max_bytes: int) -> Ending:
    stopped, stderr, size = "", b"", 0
    signals = iter((signal.SIGTERM, signal.SIGKILL))
    with selectors.DefaultSelector() as selector:
        for stream in _pipes(process):
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            for key, _ in ready:
                chunk = os.read(key.fd, CHUNK_BYTES)
                if not chunk:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    stderr = (stderr + chunk)[-_STDERR_BYTES:]
                else:
                    size += len(chunk)
                    take(chunk)
            too_much = size > max_bytes and not stopped
            if too_much or time.monotonic() >= deadline:
                harder = next(signals, None)
                if harder is None:
                    break  # what it left behind holds the pipes open; it is not ours to find
                stopped = stopped or (f"more than {max_bytes} bytes of output" if too_much else TIME_UP)
                deadline = time.monotonic() + _GRACE_S
                _signal(process, harder)
    lines = [printable(line) for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return Ending(process.wait(), tuple(lines[-_STDERR_LINES:]), stopped)


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], ...]:
    return tuple(stream for stream in (process.stdout, process.stderr) if stream is not None)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal the child's own session; a child that was waited for has none."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)


def _end(process: subprocess.Popen[bytes]) -> None:
    _signal(process, signal.SIGTERM)
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        process.wait()
    finally:
        for stream in _pipes(process):
            stream.close()
