"""Practice ranges started by the real command line, on the machine or inside a namespace of the test."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.command import PROGRAM, Done, environment, examine
from tests.drill.living import wait_gone


class Range:
    """The commands of one folder.

    Attributes:
        folder: where the range's truth and socket lie.
        inside: words that put a command where the range is to be; empty: the machine itself.
        changes: of the environment; with some, the folder is not named to the commands.
    """

    def __init__(self, folder: Path, inside: Sequence[str] = (), changes: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.inside = tuple(inside)
        self.changes = changes

    def run(self, *words: str, expect: int = 0) -> Done:
        """Run `sentinel range …` to its end and check its exit status."""
        done = subprocess.run(self._command(words), capture_output=True, timeout=60, check=False, **self._where())
        read = examine(("range", *words), done.returncode, done.stdout, done.stderr)
        assert read.status == expect, (read.words, read.status, read.out[-2000:], read.err[-2000:])
        return read

    def row(self, *words: str) -> dict[str, Any]:
        """Run a command with `--json` and give its only row."""
        return self.run(*words, "--json").row

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command and let it run."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(self._command(words), **pipes, **self._where())

    def truth(self) -> Any:
        """Read the truth file."""
        return json.loads((self.folder / "truth.json").read_text("utf-8"))

    def ask(self, *pieces: bytes, pause_s: float = 0.0) -> bytes:
        """Say something to the keeper, piece by piece, and hear what it answers until it hangs up."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(10)
            connection.connect(str(self.folder / "control"))
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause_s)
            try:
                return b"".join(iter(lambda: connection.recv(65_536), b""))
            except ConnectionResetError:
                return b""

    def _command(self, words: Sequence[str]) -> list[str]:
        at = [] if self.changes or "--dir" in words else ["--dir", str(self.folder)]
        return [*self.inside, *PROGRAM, "range", words[0], *at, *words[1:]]

    def _where(self) -> dict[str, Any]:
        return {"stdin": subprocess.DEVNULL, "env": environment(self.changes)}


@contextmanager
def standing(folder: Path, inside: Sequence[str] = (), changes: Mapping[str, str] | None = None) -> Iterator[Range]:
    """Give the commands of a folder; a range that is still up at the end is ended."""
    found = Range(folder, inside, changes)
    try:
        yield found
    finally:
        if (told := found.row("status"))["up"]:
            os.kill(told["pid"], signal.SIGTERM)
            assert wait_gone(told["pid"], 5.0)


@contextmanager
def empty_network() -> Iterator[int]:
    """Hold a user and network namespace with nothing but its loopback, and give the process that stands in it."""
    words = ["unshare", "-rn", "sh", "-c", "ip link set lo up && echo up && exec sleep 300"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"up\n"
            yield holder.pid
        finally:
            holder.kill()


def into(holder: int) -> tuple[str, ...]:
    """Give the words that put a command into a holder's network."""
    return ("nsenter", "--user", "--preserve-credentials", "--net", "--target", str(holder))


def listening(holder: int) -> set[int]:
    """List the TCP ports open in a holder's network. Source: proc_pid_net(5)."""
    found = set()
    for name in ("tcp", "tcp6"):
        rows = Path(f"/proc/{holder}/net/{name}").read_text("ascii").splitlines()[1:]
        found |= {int(row.split()[1].rpartition(":")[2], 16) for row in rows if row.split()[3] == "0A"}
    return found


def children(pid: int) -> list[int]:
    """List the processes a process started."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
