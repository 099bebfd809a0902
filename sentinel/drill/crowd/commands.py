"""The programs a crowd needs: iproute2 and nftables fed whole files, and the two processes of sentinel's own."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, cast

from sentinel.errors import CollectError

PACKAGES = {"ip": "iproute2", "nft": "nftables"}
_SYSTEM_PATHS = ("/usr/sbin", "/sbin")
_COMMAND_S = 30.0
_ANSWER_BYTES = 64 * 1024


def _found(program: str) -> str | None:
    """Find a program; an ordinary user's PATH often lacks the folders of the system's."""
    return shutil.which(program, path=os.pathsep.join((os.environ.get("PATH", ""), *_SYSTEM_PATHS)))


def need_programs() -> None:
    """Make sure of what is needed.

    Raises:
        CollectError: a program is missing; every one is named with its package.
    """
    missing = [program for program in PACKAGES if _found(program) is None]
    if missing:
        packages = " ".join(PACKAGES[program] for program in missing)
        names = " and ".join(f"`{program}`" for program in missing)
        raise CollectError(f"practice crowd: {names} not found; install with `apt install {packages}`")


def run_ip(lines: Iterable[str]) -> None:
    """Give iproute2 a batch of commands, e.g. `link set lo up`; it stops at the first that fails.

    Raises:
        CollectError: it is missing, or a command failed.
    """
    _feed("ip", ("-batch", "-"), "\n".join(lines) + "\n")


def load_rules(text: str) -> None:
    """Load an nftables file, all or nothing.

    Raises:
        CollectError: it is missing, or refuses the file.
    """
    _feed("nft", ("-f", "-"), text)


def _feed(program: str, options: tuple[str, ...], text: str) -> None:
    need_programs()
    try:
        done = subprocess.run(
            [cast("str", _found(program)), *options],
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_COMMAND_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CollectError(f"practice crowd: `{program}` did not end within {_COMMAND_S:.0f} s") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().split("\n")
        raise CollectError(f"practice crowd: `{program}` failed: {'; '.join(said[:2])}")


class Child:
    """A process of sentinel's own that is told and answers JSON lines, and dies with the thread that started it."""

    def __init__(self, module: str) -> None:
        """Start `python -m module --parent PID`."""
        home = Path(__file__).resolve().parents[3]
        paths = os.pathsep.join(filter(None, (str(home), os.environ.get("PYTHONPATH", ""))))
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, "--parent", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": paths},
        )
        self._heard = b""

    @property
    def pid(self) -> int:
        """Id of the process."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """It has not ended."""
        return self._process.poll() is None

    def tell(self, words: dict[str, Any]) -> None:
        """Send one line.

        Raises:
            CollectError: it has ended.
        """
        pipe = cast("IO[bytes]", self._process.stdin)
        try:
            pipe.write(json.dumps(words).encode() + b"\n")
            pipe.flush()
        except OSError as error:
            raise CollectError(f"practice crowd: it ended: {self._last_error()}") from error

    def hear(self, deadline: float) -> dict[str, Any]:
        """Wait for one line until the monotonic time `deadline`.

        Raises:
            CollectError: it ended, was too slow, or tells of a failure.
        """
        pipe = cast("IO[bytes]", self._process.stdout)
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while b"\n" not in self._heard:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise CollectError("practice crowd: it does not answer")
                data = os.read(pipe.fileno(), _ANSWER_BYTES)
                if not data or len(self._heard) > _ANSWER_BYTES:
                    raise CollectError(f"practice crowd: it ended: {self._last_error()}")
                self._heard += data
        line, _, self._heard = self._heard.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise CollectError(str(answer["error"]))
        return answer

    def end(self) -> None:
        """Kill it and wait; a second call does nothing. There is nothing it would have to save."""
        if self._errors.closed:
            return
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # it died with words of ours unread
                cast("IO[bytes]", pipe).close()
        self._process.wait()
        self._errors.close()

    def _last_error(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read(_ANSWER_BYTES).decode("utf-8", "replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "no reason given")
