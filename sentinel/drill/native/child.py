"""Words of a command in; a program started, confined and tied to the life of its parent, out.

The only module of this room that starts programs.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO

from sentinel.drill.native.confinement import confine
from sentinel.drill.place.namespace import die_with_parent

ASK_S = 5.0
PREPARE_S = 30.0
_TOLD_BYTES = 16_384
_LARGEST_FILE_BYTES = 64 * 1024 * 1024
_SEARCHED = "/usr/sbin:/usr/bin:/sbin:/bin"

Child = subprocess.Popen[bytes]


def ask_program(words: Sequence[str], libraries: str = "", writable: Path | None = None) -> str:
    """Run a program to its end and give the last of what it said on both outputs, whatever its exit status.

    Raises:
        OSError: it cannot be started, or not without the rights of root, or does not end.
    """
    with tempfile.TemporaryFile() as said:
        child = start_program(words, libraries, writable, said)
        try:
            child.wait(ASK_S if writable is None else PREPARE_S)
        except subprocess.TimeoutExpired as error:
            child.kill()
            child.wait()
            raise OSError(f"{words[0]} does not end") from error
        return _last_bytes(said)


def start_program(words: Sequence[str], libraries: str, writable: Path | None, log: IO[bytes]) -> Child:
    """Start a program that writes into one folder at most and dies with this process.

    Raises:
        OSError: it cannot be started, or not without the rights of root.
    """
    try:
        return subprocess.Popen(
            list(words),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=writable or "/",
            env=_environment(libraries, writable),
            start_new_session=True,
            preexec_fn=partial(_settle, os.getpid(), writable),  # its callers have one thread
        )
    except subprocess.SubprocessError as error:
        raise PermissionError("the kernel gives no user namespace, and it is not to run as root") from error


def start_module(module: str, errors: IO[bytes]) -> Child:
    """Start a module of this package as a process of its own session, with pipes for its input and output."""
    home = Path(__file__).resolve().parents[3]
    paths = os.pathsep.join(filter(None, (str(home), os.environ.get("PYTHONPATH", ""))))
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**os.environ, "PYTHONPATH": paths},
        start_new_session=True,
    )


def end_child(child: Child, signal_number: int, patience_s: float) -> None:
    """Ask a child to end, and end it."""
    child.send_signal(signal_number)
    try:
        child.wait(patience_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def last_words(log: Path) -> str:
    """Give the last line a program wrote to its log."""
    with log.open("rb") as stream:
        return _last_bytes(stream).strip().rpartition("\n")[2]


def _settle(parent: int, writable: Path | None) -> None:
    """Give up what the program shall not have. The tie to the parent comes last: a change of rights would undo it."""
    confine(writable)
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE_BYTES, _LARGEST_FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    die_with_parent(parent)


def _environment(libraries: str, writable: Path | None) -> Mapping[str, str]:
    home = str(writable or "/")
    given = {"PATH": _SEARCHED, "LC_ALL": "C", "HOME": home, "TMPDIR": home}
    return given | ({"LD_LIBRARY_PATH": libraries} if libraries else {})


def _last_bytes(stream: IO[bytes]) -> str:
    stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TOLD_BYTES))
    return stream.read(_TOLD_BYTES).decode("utf-8", "replace")
