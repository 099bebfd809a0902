"""The process that keeps real programs running: an order on standard input in, listening programs out.

It reads one JSON line, tells in one JSON line where their folder is and which it had to leave out, and ends them and
removes the folder when its input ends, on SIGTERM, or when one of them ends by itself. They die with it.
"""

from __future__ import annotations

import ctypes
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from sentinel.drill.native.child import Child, ask_program, end_child, last_words, start_program
from sentinel.drill.native.program import Kind, Program, library_path
from sentinel.drill.native.settings import CERTIFICATE, Order, Recipe, write_recipe
from sentinel.drill.servers.certificate import Authority, CertificateKind, CertificatePlan
from sentinel.errors import SentinelError

_ANSWER_S = 10.0
_LOOK_S = 0.5
_END_S = 2.0
_PR_SET_CHILD_SUBREAPER = 36
_LOW_PORTS = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
_LOG = "log"


class _ParentGoneError(SentinelError):
    """Raised when nobody wants the programs any more."""


@dataclass(frozen=True, slots=True)
class _Served:
    order: Order
    recipe: Recipe
    child: Child

    @property
    def last_words(self) -> str:
        return last_words(self.order.folder / _LOG) or f"exit status {self.child.returncode}"


class _Room:
    """The programs of one exercise, started one after another."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._served: list[_Served] = []

    def open(self, order: Order) -> str:
        """Start a program and wait until all its ports answer; why it could not be had, otherwise nothing.

        Raises:
            _ParentGoneError: standard input has ended meanwhile.
        """
        if taken := [port for port in order.ports.values() if _answers(order.address, port)]:
            return f"port {taken[0]} is taken by another program"
        recipe = write_recipe(order)
        self._write_files(order, recipe)
        try:
            served = _Served(order, recipe, _start(order, recipe))
        except OSError as error:
            return error.strerror or str(error)
        trouble = self._wait(served)
        if trouble:
            end_child(served.child, signal.SIGKILL, _END_S)
        else:
            self._served.append(served)
        return trouble

    def watch(self) -> None:
        """Wait until nobody wants the programs any more.

        Raises:
            SentinelError: one of them has ended by itself.
        """
        with suppress(_ParentGoneError):
            while True:
                _heed_parent(_LOOK_S)
                for served in self._served:
                    if served.child.poll() is not None:
                        raise SentinelError(f"{served.order.program.kind} has ended: {served.last_words}")

    def close(self) -> None:
        """End them all, and what they started themselves."""
        for served in self._served:
            end_child(served.child, served.recipe.stop, _END_S)
        _end_orphans()

    def _write_files(self, order: Order, recipe: Recipe) -> None:
        for name, text in recipe.files.items():
            path = order.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        if recipe.needs_certificate:
            plan = CertificatePlan(CertificateKind.SELF_SIGNED, self._host)
            issued = Authority(self._host, datetime.now(UTC)).issue(plan)
            (order.folder / CERTIFICATE).write_bytes(issued.pem)

    def _wait(self, served: _Served) -> str:
        deadline = time.monotonic() + _ANSWER_S
        waiting = list(served.order.ports.values())
        while waiting:
            _heed_parent(0.05)
            if served.child.poll() is not None:
                return served.last_words
            if time.monotonic() > deadline:
                return f"port {waiting[0]} does not answer"
            waiting = [port for port in waiting if not _answers(served.order.address, port)]
        return ""


def _start(order: Order, recipe: Recipe) -> Child:
    """Prepare and start a program; both write what they have to say into its log."""
    libraries = library_path(order.program.tree)
    log = order.folder / _LOG
    if recipe.prepare:
        log.write_text(ask_program(recipe.prepare, libraries, order.folder), encoding="utf-8")
    with log.open("ab") as stream:
        return start_program(recipe.command, libraries, order.folder, stream)


def _answers(address: IPv4Address, port: int) -> bool:
    try:
        with socket.create_connection((str(address), port), 1.0):
            return True
    except OSError:
        return False


def _heed_parent(seconds: float) -> None:
    """Wait so long, or until standard input ends.

    Raises:
        _ParentGoneError: it has ended.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        if selector.select(seconds) and not os.read(0, 1000):
            raise _ParentGoneError("the exercise is over")


def _end_orphans() -> None:
    """Kill what is left of the programs' own children, who became ours, e.g. connections of sshd."""
    deadline = time.monotonic() + _END_S
    while (left := _children(os.getpid())) and time.monotonic() < deadline:
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children(parent: int) -> list[int]:
    """List the processes whose parent this is. Source: proc(5), stat."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            if int(path.read_text("utf-8", "replace").rpartition(")")[2].split()[1]) == parent:
                found.append(int(path.parent.name))
    return found


@contextmanager
def _private_folder(parent: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="sentinel-native-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _read_order(words: Mapping[str, Any], address: IPv4Address, folder: Path) -> Order:
    tree, beside = words["tree"], words["beside"]
    program = Program(
        Kind(words["kind"]),
        Path(words["path"]),
        words["version"],
        Path(tree) if tree else None,
        Path(beside) if beside else None,
    )
    own = folder / program.kind.value
    own.mkdir(mode=0o700)
    return Order(program, address, dict(words["ports"]), own)


def _say(words: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def _serve(given: Mapping[str, Any]) -> None:
    if given["own_network"]:
        with suppress(OSError):  # then the programs say themselves what they may not
            _LOW_PORTS.write_text("0", encoding="ascii")
    address = IPv4Address(given["address"])
    room = _Room(given["host"])
    with _private_folder(Path(given["folder"])) as folder:
        try:
            orders = [_read_order(words, address, folder) for words in given["programs"]]
            refused = {order.program.kind.value: room.open(order) for order in orders}
            left_out = [[kind, reason] for kind, reason in refused.items() if reason]
            _say({"folder": str(folder), "left_out": left_out})
            room.watch()
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            room.close()


def main() -> int:
    """Keep programs running until standard input ends; 0, or 1 after telling what went wrong."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    os.umask(0o077)
    try:
        line = sys.stdin.readline()
        if line:
            _serve(json.loads(line))
    except _ParentGoneError:
        return 0
    except (SentinelError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
