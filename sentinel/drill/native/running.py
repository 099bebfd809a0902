"""Planned services and an address in; real programs that answer there, and the truth about them, out."""

from __future__ import annotations

import json
import os
import re
import selectors
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from ipaddress import IPv4Address
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from sentinel.drill.native.child import Child, end_child, start_module
from sentinel.drill.native.plan import DEFAULT_HOST, LeftOut, NativeService
from sentinel.drill.native.program import Kind, Program
from sentinel.drill.school.plan import PlantedPort
from sentinel.errors import SentinelError

START_S = 45.0
_STOP_S = 8.0
_ANSWER_BYTES = 65_536
# Settings files of five programs name it, each with quoting rules of its own.
_PLAIN_PATH = re.compile(r"[\w./+-]+")


class RunningNative:
    """Real programs that listen; a context manager that ends them.

    Attributes:
        address: the one address they listen on.
        services: the ports that are served.
        left_out: the programs that could not be started, and why.
        pid: id of the process that keeps them.
        folder: where they write; it goes with them.
    """

    def __init__(
        self,
        services: Sequence[NativeService],
        address: IPv4Address,
        port_of: Callable[[int], int],
        host: str,
        process: Child,
        errors: IO[bytes],
    ) -> None:
        self.services = tuple(services)
        self.address = address
        self.left_out: tuple[LeftOut, ...] = ()
        self.folder: Path | None = None
        self._port_of = port_of
        self._host = host
        self._process = process
        self._errors = errors

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Id of the process that keeps them."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """All of them still serve: when one ends, the others are ended too."""
        return self._process.poll() is None

    @property
    def programs(self) -> tuple[Program, ...]:
        """The programs that serve, each once."""
        return tuple(dict.fromkeys(service.program for service in self.services))

    def truth(self) -> tuple[PlantedPort, ...]:
        """List every open port, in the form of the school's truth."""
        return tuple(
            _planted(service, self.address, self._port_of(service.port), self._host) for service in self.services
        )

    def begin(self, order: Mapping[str, Any], timeout_s: float) -> None:
        """Give the order and wait until everything answers or is left out.

        Raises:
            SentinelError: it takes too long, or no program may be started at all.
        """
        commands = cast("IO[bytes]", self._process.stdin)
        try:
            commands.write(json.dumps(order).encode() + b"\n")
            commands.flush()
        except OSError as error:
            raise SentinelError(f"real services: {self._last_error()}") from error
        told = json.loads(self._answer(time.monotonic() + timeout_s))
        self.folder = Path(told["folder"])
        self.left_out = tuple((name, reason) for name, reason in told["left_out"])
        refused = {name for name, _ in self.left_out}
        self.services = tuple(one for one in self.services if one.program.kind.value not in refused)

    def stop(self) -> None:
        """End them and remove their folder; a second call does nothing."""
        if self._errors.closed:
            return
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                cast("IO[bytes]", pipe).close()
            except OSError:
                continue  # it died with words of ours unread
        end_child(self._process, 0, _STOP_S)  # the end of its input is its signal
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)  # had it to be killed
        self._errors.close()

    def _answer(self, deadline: float) -> bytes:
        """Read the one line it says."""
        answers = cast("IO[bytes]", self._process.stdout)
        heard = b""
        with selectors.DefaultSelector() as selector:
            selector.register(answers, selectors.EVENT_READ)
            while not heard.endswith(b"\n"):
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise SentinelError("real services: they do not start in time")
                data = os.read(answers.fileno(), _ANSWER_BYTES)
                if not data or len(heard) > _ANSWER_BYTES:
                    raise SentinelError(f"real services: {self._last_error()}")
                heard += data
        return heard

    def _last_error(self) -> str:
        self._errors.seek(0)
        return self._errors.read(_ANSWER_BYTES).decode("utf-8", "replace").strip().rpartition("\n")[2] or "they ended"


def start_native(
    services: Sequence[NativeService],
    address: IPv4Address,
    port_of: Callable[[int], int],
    folder: Path | None = None,
    *,
    host: str = DEFAULT_HOST,
    own_network: bool = False,
    timeout_s: float = START_S,
) -> RunningNative:
    """Start the programs of all services at one address and wait until they answer.

    `port_of` gives the port as served from the true one. What they write lies in a new folder made in `folder`, or in
    the machine's temporary folder. Without `own_network` ports under 1024 need a privilege; with it this process must
    be in a network namespace of its own, in which everybody is then allowed to use them. Programs that cannot be
    started are left out with the reason. The rest ends, and the folder goes, with this process, also when it is killed.

    Raises:
        SentinelError: nothing could be started at all.
    """
    home = (folder or Path(tempfile.gettempdir())).resolve()
    if _PLAIN_PATH.fullmatch(str(home)) is None:
        raise SentinelError(f"{home}: a folder for real services has a plain name, without blanks or quotes")
    order = {
        "address": str(address),
        "folder": str(home),
        "host": host,
        "own_network": own_network,
        "programs": _order_words(services, port_of),
    }
    errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
    running = RunningNative(
        services, address, port_of, host, start_module("sentinel.drill.native.process", errors), errors
    )
    with ExitStack() as undo:
        undo.callback(running.stop)
        running.begin(order, timeout_s)
        undo.pop_all()
    return running


def _order_words(services: Sequence[NativeService], port_of: Callable[[int], int]) -> list[dict[str, Any]]:
    ports: dict[Kind, list[tuple[int, int]]] = {}
    for service in services:
        ports.setdefault(service.program.kind, []).append((service.port, port_of(service.port)))
    programs = dict.fromkeys(service.program for service in services)
    return [
        {
            "kind": program.kind.value,
            "path": str(program.path),
            "version": program.version,
            "tree": str(program.tree or ""),
            "beside": str(program.beside or ""),
            "ports": ports[program.kind],
        }
        for program in programs
    ]


def _planted(service: NativeService, address: IPv4Address, port: int, host: str) -> PlantedPort:
    at_home = port == service.port
    seen = service.seen if at_home or service.elsewhere is None else service.elsewhere
    rules = service.weaknesses if at_home or service.weaknesses_elsewhere is None else service.weaknesses_elsewhere
    return PlantedPort(
        address=address,
        port=port,
        proto=service.proto,
        service=seen.service,
        product=seen.product,
        version=seen.version,
        full=seen if seen.service else service.seen,
        tunnel="ssl" if service.certificate else "",
        certificate=service.certificate,
        weaknesses=rules,
        unseen=tuple(rule for rule in service.weaknesses if rule not in rules),
        flaws=(),
        host=host,
    )
