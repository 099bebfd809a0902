"""The process that keeps a range up: a mode and a seed in; a school or a crowd, and answers on a socket, out.

It tells its status, or why it could not start, in one JSON line on standard output, and leaves the terminal to itself.
A request is a JSON line `{"command": "status" | "cue" | "down", "name": CUE}`; so is the answer. What it started dies
with it.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from sentinel.drill.crowd.plan import plan_crowd
from sentinel.drill.crowd.running import start_crowd
from sentinel.drill.native.host import find_native_host
from sentinel.drill.place.ground import OUTSIDE, SCANNER, Ground, Mode, take_ground
from sentinel.drill.place.namespace import NamespaceRefusedError
from sentinel.drill.school.plan import plan_school
from sentinel.drill.school.running import start_school
from sentinel.drill.standing.folder import CONTROL, TRUTH, UNFINISHED_TRUTH, clean_folder
from sentinel.drill.standing.stands import CrowdStand, SchoolStand, Stand
from sentinel.errors import SentinelError, UsageError

_REQUEST_BYTES = 1000
_PATIENCE_S = 2.0
_LOOK_S = 1.0


class Keeper:
    """A stand, where it stands, and the folder where its truth and its socket lie."""

    def __init__(self, ground: Ground, stand: Stand, folder: Path) -> None:
        self._ground = ground
        self._stand = stand
        self._truth_path = folder / TRUTH
        self.is_over = False

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what a request asks for; mistakes become an `error`."""
        command, name = request.get("command"), str(request.get("name", ""))
        try:
            if command == "cue":
                self._stand.play(name)
                self.write_truth()
            elif command == "down":
                self.is_over = True
            elif command != "status":
                return {"error": "unknown request"}
        except SentinelError as error:
            return {"error": str(error)}
        return self.status()

    def status(self) -> dict[str, Any]:
        """Tell where the range stands and what it holds now."""
        return {
            "pid": os.getpid(),
            "mode": self._ground.mode.value,
            "refused": self._ground.refused,
            "foreign": [list(one) for one in self._ground.foreign],
            **self._stand.status(),
            "truth": str(self._truth_path),
        }

    def write_truth(self) -> None:
        """Write the truth file as it is now."""
        text = json.dumps(self._stand.truth(), ensure_ascii=False, indent=1)
        fresh = self._truth_path.with_name(UNFINISHED_TRUTH)
        fresh.write_text(f"{text}\n", encoding="utf-8")
        fresh.replace(self._truth_path)

    def serve(self, listener: socket.socket) -> None:
        """Answer requests one after another until one ends the range, its school has died, or its folder is gone."""
        with selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            while not self.is_over and self._stand.is_running and self._truth_path.exists():
                if selector.select(_LOOK_S):
                    connection, _ = listener.accept()
                    with connection, suppress(OSError):  # the other side's affair
                        self._meet(connection)

    def _meet(self, connection: socket.socket) -> None:
        connection.settimeout(_PATIENCE_S)
        line = b""
        while not line.endswith(b"\n") and len(line) < _REQUEST_BYTES and (part := connection.recv(_REQUEST_BYTES)):
            line += part
        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            request = None
        answer = self.answer(request) if isinstance(request, dict) else {"error": "unreadable request"}
        connection.sendall(json.dumps(answer).encode() + b"\n")


def _listen(folder: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(folder / CONTROL))
    listener.listen(8)
    return listener


def _say(words: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@contextmanager
def _stand(given: argparse.Namespace) -> Iterator[tuple[Ground, Stand]]:
    """Take the ground and start what was asked for on it.

    Raises:
        SentinelError: it cannot be had here.
    """
    ground = take_ground(Mode(given.mode) if given.mode else None)
    if given.crowd is not None:
        if not ground.has_own_network:
            raise NamespaceRefusedError(f"a crowd needs a network namespace; {ground.refused or 'not on loopback'}")
        if given.crowd.overlaps(OUTSIDE) or SCANNER in given.crowd:
            raise UsageError(f"{given.crowd}: the range itself needs {OUTSIDE} and {SCANNER}; take another network")
        with start_crowd(
            plan_crowd(given.crowd, given.size, given.seed), loss=given.loss, delay_ms=given.delay_ms
        ) as crowd:
            yield ground, CrowdStand(crowd, given.loss, given.delay_ms)
        return
    plan = plan_school(ground.lot(1), given.seed, given.size)
    guest = find_native_host(given.native_from) if given.native else None
    ground = ground.make_room(plan.true_ports | (guest.true_ports if guest else frozenset()))
    with ExitStack() as stack:
        school = stack.enter_context(start_school(ground.lot(1), given.seed, given.size))
        native = stack.enter_context(guest.start(ground.lot(1), plan.domain)) if guest else None
        yield ground, SchoolStand(ground, school, native)


def _keep(given: argparse.Namespace) -> None:
    try:
        with _stand(given) as (ground, stand), _listen(given.folder) as listener:
            keeper = Keeper(ground, stand, given.folder)
            keeper.write_truth()
            _say(keeper.status())
            keeper.serve(listener)
    finally:
        clean_folder(given.folder)


def main(words: Sequence[str] | None = None) -> int:
    """Keep a range up until it is told to end; 0, or 1 after telling why it could not start."""
    parser = argparse.ArgumentParser(prog="python -m sentinel.drill.standing.keeper")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--mode", choices=[mode.value for mode in Mode])
    parser.add_argument("--crowd", type=IPv4Network)
    parser.add_argument("--native", action="store_true")
    parser.add_argument("--native-from", type=Path)
    for name in ("seed", "size"):
        parser.add_argument(f"--{name}", type=int, required=True)
    for name in ("loss", "delay-ms"):
        parser.add_argument(f"--{name}", type=float, default=0.0)
    given = parser.parse_args(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        _keep(given)
    except SentinelError as error:
        _say({"error": str(error), "status": error.status})
        return 1
    except OSError as error:
        _say({"error": f"practice range: {error}"})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
