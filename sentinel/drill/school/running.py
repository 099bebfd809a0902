"""Start, cue and stop a practice school: real protocol servers on loopback in a child process."""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from sentinel.drill.place.ground import Lot
from sentinel.drill.school.cues import ALL_CUES, Cue
from sentinel.drill.school.plan import (
    AFTER,
    BEFORE,
    DEFAULT_LOT,
    MAX_SIZE,
    PlannedChange,
    PlantedPort,
    School,
    plan_school,
)
from sentinel.errors import SentinelError, UsageError

_ANSWER_BYTES = 1024 * 1024
_STOP_S = 2.0


class RunningSchool:
    """A school that listens; a context manager that stops it.

    Attributes:
        plan: hosts and ports in every state.
        played: the cues that were played.
        pid: id of the process that serves it.
        start_s: seconds from the start until every port answered.
        certificates: SHA-256 of the certificate shown now, by (address, port).
        authority_pem: certificate of the school's own authority.
    """

    def __init__(self, plan: School, process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        self.plan = plan
        self.played = BEFORE
        self.start_s = 0.0
        self.certificates: Mapping[tuple[IPv4Address | IPv6Address, int], str] = {}
        self.authority_pem = ""
        self._process = process
        self._commands = cast("IO[bytes]", process.stdin)
        self._answers = cast("IO[bytes]", process.stdout)
        self._errors = errors
        self._heard = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Id of the process that serves it."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """It still serves."""
        return self._process.poll() is None

    def truth(self, played: Collection[Cue] | None = None) -> tuple[PlantedPort, ...]:
        """List every open port after the cues given, by default those that were played."""
        return self.plan.truth(self.played if played is None else played)

    def expected_changes(
        self, before: Collection[Cue] = BEFORE, after: Collection[Cue] = AFTER
    ) -> tuple[PlannedChange, ...]:
        """List what differs between two states, by default between none of the cues and all."""
        return self.plan.expected_changes(before, after)

    def cue(self, name: str, timeout_s: float = 10.0) -> None:
        """Play a cue, or all with `change`, and wait until it is done; again it changes nothing.

        Raises:
            UsageError: this school has no such cue.
            SentinelError: the school has ended or does not answer.
        """
        if name != ALL_CUES and name not in self.plan.steps:
            known = ", ".join([ALL_CUES, *self.plan.steps])
            raise UsageError(f"{name}: unknown cue of the practice school; there are {known}")
        for one in self.plan.steps if name == ALL_CUES else (name,):
            try:
                self._commands.write(f"cue {one}\n".encode())
                self._commands.flush()
            except (OSError, ValueError) as error:
                raise SentinelError("practice school: it has ended") from error
            self._take(self._answer(time.monotonic() + timeout_s))

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until every port answers.

        Raises:
            UsageError: a port is taken.
            SentinelError: it takes too long.
        """
        started = time.monotonic()
        self._take(self._answer(started + timeout_s))
        _connect_all(self.truth(), started + timeout_s)
        self.start_s = time.monotonic() - started

    def stop(self) -> None:
        """End the school; a second call does nothing."""
        if self._errors.closed:
            return
        for pipe in (self._commands, self._answers):
            try:
                pipe.close()
            except OSError:
                continue  # it died with words of ours unread
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def _take(self, status: dict[str, Any]) -> None:
        if "error" in status:
            kind = UsageError if status.get("status") == UsageError.status else SentinelError
            raise kind(str(status["error"]))
        self.played = frozenset(map(Cue, status["played"]))
        self.authority_pem = status["authority"]
        self.certificates = {(ip_address(address), port): digest for address, port, digest in status["certificates"]}

    def _answer(self, deadline: float) -> dict[str, Any]:
        """Read one JSON line of the child."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while b"\n" not in self._heard:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise SentinelError("practice school: it does not answer")
                data = os.read(self._answers.fileno(), 65536)
                if not data or len(self._heard) > _ANSWER_BYTES:
                    raise SentinelError(f"practice school: it ended: {self._last_error()}")
                self._heard += data
        line, _, self._heard = self._heard.partition(b"\n")
        status: dict[str, Any] = json.loads(line)
        return status

    def _last_error(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read(_ANSWER_BYTES).decode("utf-8", "replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "no reason given")


def start_school(lot: Lot = DEFAULT_LOT, seed: int = 1, size: int = MAX_SIZE, timeout_s: float = 60.0) -> RunningSchool:
    """Start a school and wait until every port answers.

    The school ends with the thread that called this (PR_SET_PDEATHSIG), also when its process is killed.

    Raises:
        UsageError: lot or size make no school, or an address and port are taken already.
        SentinelError: it did not start in time.
    """
    plan = plan_school(lot, seed, size)
    options = {"base": lot.base, "seed": seed, "size": size, "offset": lot.offset, "parent": os.getpid()}
    options |= {name: value for name, value in (("base6", lot.base6), ("pool", lot.pool)) if value is not None}
    words = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    words += ["--own-network"] if lot.has_own_network else []
    home = Path(__file__).resolve().parents[3]
    paths = os.pathsep.join(filter(None, (str(home), os.environ.get("PYTHONPATH", ""))))
    errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "sentinel.drill.school.process", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**os.environ, "PYTHONPATH": paths},
    )
    school = RunningSchool(plan, process, errors)
    try:
        school.wait_ready(timeout_s)
    except BaseException:
        school.stop()
        raise
    return school


def _connect_all(rows: Iterable[PlantedPort], deadline: float) -> None:
    for row in rows:
        if row.proto != "tcp":
            continue
        try:
            with socket.create_connection((str(row.address), row.port), max(0.1, deadline - time.monotonic())):
                pass
        except OSError as error:
            raise SentinelError(f"practice school: {row.address}:{row.port} does not answer") from error
