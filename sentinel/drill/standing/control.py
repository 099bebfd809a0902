"""Requests of a person in; the range's keeper started, asked and ended out."""

from __future__ import annotations

import json
import os
import selectors
import socket
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from sentinel.drill.place.ground import Mode
from sentinel.drill.standing.folder import CONTROL, LOG, clean_folder, hold_folder, is_own, take_folder
from sentinel.errors import CollectError, SentinelError, StoreError, UsageError

START_S = 75.0
_ANSWER_S = 70.0
_END_S = 10.0
_ANSWER_BYTES = 65_536
_CREDENTIALS = struct.Struct("3i")
"""Process, user and group at the other end of a socket. Source: unix(7), SO_PEERCRED."""

_KINDS = {kind.status: kind for kind in (UsageError, StoreError, CollectError)}

Status = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Crowd:
    """A crowd that is wanted in place of a school.

    Attributes:
        base: its network.
        loss: share of the packets dropped each way, 0 to 1.
        delay_ms: how long each packet is held, each way.
    """

    base: IPv4Network
    loss: float = 0.0
    delay_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Native:
    """A host of real programs that is wanted beside a school.

    Attributes:
        unpacked: folder of unpacked packages, looked through before the machine itself; None: the machine alone.
    """

    unpacked: Path | None = None


def start_range(
    folder: Path, mode: Mode | None, seed: int, size: int, crowd: Crowd | None = None, native: Native | None = None
) -> Status:
    """Start a range that stays when this process ends, and give its status.

    Raises:
        UsageError: one is up already in this folder, or the folder is not the caller's own.
        SentinelError: it could not be started, and why.
    """
    folder = take_folder(folder)
    if (running := find_range(folder)) is not None:
        raise UsageError(f"a practice range is up already (process {running['pid']}); end it: sentinel range down")
    held = hold_folder(folder)
    try:
        return _start(folder, held, mode, seed, size, crowd, native)
    finally:
        os.close(held)


def _start(
    folder: Path, held: int, mode: Mode | None, seed: int, size: int, crowd: Crowd | None, native: Native | None
) -> Status:
    """Start the keeper, which holds the folder from then on."""
    words: dict[str, object] = {"folder": folder, "seed": seed, "size": size}
    words |= {"mode": mode.value} if mode else {}
    words |= {"crowd": crowd.base, "loss": crowd.loss, "delay-ms": crowd.delay_ms} if crowd else {}
    words |= {"native-from": native.unpacked.absolute()} if native and native.unpacked else {}
    home = Path(__file__).resolve().parents[3]
    paths = os.pathsep.join(filter(None, (str(home), os.environ.get("PYTHONPATH", ""))))
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "sentinel.drill.standing.keeper"),
                *(part for name, value in words.items() for part in (f"--{name}", str(value))),
                *(("--native",) if native else ()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            env={**os.environ, "PYTHONPATH": paths},
            start_new_session=True,
            pass_fds=(held,),
        )
    status = _first_words(process, folder)
    if "error" in status:
        process.kill()
        process.wait()
        clean_folder(folder)
        raise _KINDS.get(status.get("status", 0), SentinelError)(str(status["error"]))
    process.returncode = 0  # it lives on, and nobody waits for it
    return status


def find_range(folder: Path) -> Status | None:
    """Give the status of the range of a folder; None when none is up."""
    try:
        return _ask(folder, {"command": "status"})
    except OSError:
        return None


def play_cue(folder: Path, name: str) -> Status:
    """Let the range play a cue and give its status after it.

    Raises:
        UsageError: it has no such cue, or no range is up.
    """
    return _demand(folder, {"command": "cue", "name": name})


def end_range(folder: Path) -> Status:
    """End the range and wait until it has gone.

    Raises:
        UsageError: no range is up.
        SentinelError: it does not end.
    """
    status = _demand(folder, {"command": "down"})
    deadline = time.monotonic() + _END_S
    while (folder / CONTROL).exists():
        if time.monotonic() > deadline:
            raise SentinelError(f"the practice range does not end (process {status['pid']})")
        time.sleep(0.05)
    return status


def _demand(folder: Path, request: dict[str, str]) -> Status:
    try:
        answer = _ask(folder, request)
    except OSError as error:
        raise UsageError("no practice range is up; start one: sentinel range up") from error
    if "error" in answer:
        raise UsageError(str(answer["error"]))
    return answer


def _ask(folder: Path, request: dict[str, str]) -> Status:
    """Ask the keeper of a folder; one that is not the caller's own is nobody's.

    Raises:
        OSError: nobody is there, somebody else is, or the answer makes no sense.
    """
    folder = folder.absolute()
    if not is_own(folder):
        raise ConnectionRefusedError(f"{folder}: no folder of one's own")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_ANSWER_S)
        connection.connect(str(folder / CONTROL))
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        if _CREDENTIALS.unpack(credentials)[1] != os.geteuid():
            raise ConnectionRefusedError(f"{folder}: the range there is somebody else's")
        connection.sendall(json.dumps(request).encode() + b"\n")
        line = b""
        while not line.endswith(b"\n") and len(line) < _ANSWER_BYTES and (part := connection.recv(_ANSWER_BYTES)):
            line += part
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or not ("error" in answer or isinstance(answer.get("pid"), int)):
        raise ConnectionError("the practice range ended in mid-answer")
    return answer


def _first_words(process: subprocess.Popen[bytes], folder: Path) -> Status:
    """Read the keeper's one line; what it wrote to its log explains a line that never came."""
    output = process.stdout
    assert output is not None
    line, deadline = b"", time.monotonic() + START_S
    with output, selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return {"error": f"practice range: it did not start in {START_S:.0f} s"}
            if not (part := os.read(output.fileno(), _ANSWER_BYTES)):
                told = (folder / LOG).read_text("utf-8", "replace").strip().rpartition("\n")[2]
                return {"error": f"practice range: it ended: {told or 'no reason given'}"}
            line += part
    status: Status = json.loads(line)
    return status
