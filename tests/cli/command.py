"""The real command line as its own process, with what must hold of every call checked on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.warm import warm

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "sentinel")
UNIT = "示例中学"
WIDTH = 100
TRIAL = "试运行，什么也没有改变；正式执行：去掉 --dry-run。"
"""What every dry run ends with."""


@dataclass(frozen=True)
class Done:
    """A command that has ended.

    Attributes:
        words: its arguments.
        status: exit status.
        out: standard output.
        err: standard error.
    """

    words: tuple[str, ...]
    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Standard output read as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def row(self) -> dict[str, Any]:
        """The only JSON line."""
        (only,) = self.rows
        return only

    @property
    def complaint(self) -> str:
        """The only line on standard error."""
        (only,) = self.err.splitlines()
        return only


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a command: nothing of the developer's own settings or session; every warning is an error."""
    own = ("SENTINEL_", "PYTHON", "XDG_", "DBUS_")
    base = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return base | {"LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "PYTHONWARNINGS": "error"} | dict(changes or {})


def run(*words: str | Path, env: Mapping[str, str] | None = None, timeout_s: float = 90, typed: bytes = b"") -> Done:
    """Run the command line to its end; `typed` is what comes in, nothing by default."""
    told = tuple(map(str, words))
    if env is None or not any(name.startswith(("PYTHON", "LC_", "LANG")) for name in env):
        return examine(told, *warm(environment()).run(list(told), environment(env), timeout_s, typed))
    return run_cold(*words, env=env, timeout_s=timeout_s, typed=typed)


def run_cold(
    *words: str | Path, env: Mapping[str, str] | None = None, timeout_s: float = 90, typed: bytes = b""
) -> Done:
    """Run the command line as a shell starts it, from nothing loaded."""
    done = subprocess.run(
        [*PROGRAM, *map(str, words)],
        env=environment(env),
        input=typed,
        capture_output=True,
        timeout=timeout_s,
        check=False,
    )
    return examine(tuple(map(str, words)), done.returncode, done.stdout, done.stderr)


def start(*words: str | Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start the command line in a process group of its own, to be interrupted."""
    return subprocess.Popen(
        [*PROGRAM, *map(str, words)],
        env=environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def kill(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGKILL) -> tuple[bytes, bytes]:
    """Signal the sentinel process alone, wait for its end, and give what it had printed."""
    process.send_signal(number)
    return process.communicate(timeout=30)


def examine(words: tuple[str, ...], status: int, out: bytes, err: bytes) -> Done:
    """Check what holds of every call, and give it as text."""
    done = Done(words, status, out.decode(), err.decode())
    told = (words, status, done.out[-2000:], done.err[-2000:])
    assert "Traceback" not in done.out + done.err, told
    assert "fault of sentinel" not in done.err, told
    assert status in {0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130}, told
    for text in (done.out, done.err):
        bad = {letter for letter in text if not letter.isprintable()} - {"\n"}
        assert not bad, (bad, told)
    if "--json" in words:
        assert all(isinstance(row, dict) for row in done.rows), told
    elif not {"rules", "check"} <= set(words):  # a mistake stays on its line, as compilers do
        paths = [word for word in words if word.startswith("/")]
        lines = [line for line in done.out.splitlines() if not any(path in line for path in paths)]
        wide = [line for line in lines if columns(line) > WIDTH]
        assert not wide, (wide, told)
    if status not in {0, 3, 4}:
        assert done.err.strip(), told
    return done


def columns(text: str) -> int:
    """How many columns of a terminal a line takes: CJK letters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


class Sentinel:
    """The command line on one home."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(
        self, *words: str | Path, env: Mapping[str, str] | None = None, expect: int | None = 0, timeout_s: float = 90
    ) -> Done:
        """Run a command on the home and check its exit status (None: any)."""
        done = run("--home", self.home, *words, env=env, timeout_s=timeout_s)
        if expect is not None:
            assert done.status == expect, (done.words, done.status, done.out[-2000:], done.err[-2000:])
        return done

    def rows(self, *words: str | Path, env: Mapping[str, str] | None = None, expect: int = 0) -> list[dict[str, Any]]:
        """Run a command with `--json` and give its rows."""
        return self.run(*words, "--json", env=env, expect=expect).rows

    def start(self, *words: str | Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a command on the home."""
        return start("--home", self.home, *words, env=env)

    def authorise(self, *targets: str, level: str = "service", options: Sequence[str] = ()) -> dict[str, Any]:
        """Authorise loopback targets for years, fast."""
        paper = ("--by", "信息中心", "--document", "演练授权", "--from", "2020-01-01", "--until", "2099-12-31")
        rate = () if "--rate" in options else ("--rate", "5000")
        loopback = ("--level", level, "--allow-loopback")
        (row,) = self.rows("scope", "authorise", *targets, *paper, *loopback, *rate, *options)
        return row

    def scan(self, *words: str, expect: int = 0, env: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Scan and give the summary, which is the last line."""
        rows = self.rows("scan", *words, expect=expect, env=env)
        assert all("summary" not in row for row in rows[:-1])
        summary: dict[str, Any] = rows[-1]["summary"]
        return summary

    def places(self, *words: str) -> set[tuple[str, int]]:
        """(address, port) of every open endpoint of the map."""
        return {(row["address"], row["port"]) for row in self.rows("map", *words)}

    def findings(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Findings by rule and subject."""
        return {(row["rule"], row["subject"]): row for row in self.rows("finding", "list")}
