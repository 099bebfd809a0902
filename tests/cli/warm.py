"""A process that has loaded sentinel once and forks for each call: real processes without a second of loading each.

What a call does after it has started is the same; that it starts from cold is held by tests that start it so.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LEFT_OUT = ("sentinel.__main__", "sentinel.store.migrations", "sentinel.drill", "sentinel.console")


class Warm:
    """The loaded process, seen from the tests."""

    def __init__(self, env: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.warm", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=dict(env),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        atexit.register(self.close)

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._process.wait(timeout=30)

    def run(self, words: list[str], env: Mapping[str, str], timeout_s: float, typed: bytes) -> tuple[int, bytes, bytes]:
        """Run the command line in a child; gives exit status (negative: by a signal), output and error output."""
        with tempfile.TemporaryFile() as into, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            into.write(typed)
            into.seek(0)
            head = json.dumps({"words": words, "env": dict(env), "folder": os.getcwd()}).encode()  # noqa: PTH109
            message = len(head).to_bytes(4, "big") + head
            fds = [into.fileno(), out.fileno(), err.fileno()]
            sent = socket.send_fds(self._socket, [message], fds)
            self._socket.sendall(message[sent:])
            child = int(read_line(self._socket))
            self._socket.settimeout(timeout_s)
            try:
                status = int(read_line(self._socket))
            except TimeoutError:
                os.kill(child, signal.SIGKILL)
                self._socket.settimeout(None)
                read_line(self._socket)
                raise subprocess.TimeoutExpired(words, timeout_s) from None
            self._socket.settimeout(None)
            out.seek(0)
            err.seek(0)
            return status, out.read(), err.read()


_STARTED: list[Warm] = []


def warm(env: Mapping[str, str]) -> Warm:
    """Give the loaded process of this test process; `env` is for its first call, when it starts."""
    if not _STARTED:
        _STARTED.append(Warm(env))
    return _STARTED[0]


def read_line(stream: socket.socket) -> bytes:
    """Read to the end of a line."""
    line = b""
    while not line.endswith(b"\n"):
        piece = stream.recv(1)
        if not piece:
            raise EOFError("the loaded process is gone")
        line += piece
    return line


def load() -> None:
    """Load all of sentinel that commands use."""
    import sentinel

    for module in pkgutil.walk_packages(sentinel.__path__, "sentinel.", onerror=lambda _: None):
        if not module.name.startswith(LEFT_OUT):
            importlib.import_module(module.name)
    for name in ("sqlmodel", "alembic.command", "openpyxl", "docx", "rich.console", "rich.table", "typer"):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def serve(stream: socket.socket) -> None:
    """Fork for each message, tell the child's number, and how it ended; returns in the child, with its call set up."""
    while True:
        head, fds, _, _ = socket.recv_fds(stream, 4, 3)
        if not head:
            os._exit(0)
        call = json.loads(stream.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL))
        child = os.fork()
        if child == 0:
            stream.close()
            become(call, fds)
            return
        for fd in fds:
            os.close(fd)
        stream.sendall(b"%d\n" % child)
        _, how = os.waitpid(child, 0)
        stream.sendall(b"%d\n" % os.waitstatus_to_exitcode(how))


def become(call: dict[str, Any], fds: list[int]) -> None:
    """Take the place of a process that was started with these words."""
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        getattr(sys, name).detach()
        mode = "r" if number == 0 else "w"
        fresh = open(number, mode, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
        setattr(sys, name, fresh)
    os.environ.clear()
    os.environ.update(call["env"])
    os.chdir(call["folder"])
    random.seed()
    sys.argv = [str(ROOT / "sentinel" / "__main__.py"), *call["words"]]


def end() -> None:
    """Run the command line and end as the interpreter would, but for freeing what was loaded, which takes a second."""
    from sentinel.cli import main

    status = 0
    try:
        main()
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as the end of a process does
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


if __name__ == "__main__":
    load()
    serve(socket.socket(fileno=int(sys.argv[1])))
    end()
