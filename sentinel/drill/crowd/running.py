"""Start and stop a crowd: a plan, loss and delay in, a network of practice hosts beside the caller's namespace out."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from sentinel.drill.crowd import wire
from sentinel.drill.crowd.commands import Child, need_programs, run_ip
from sentinel.drill.crowd.forwarder import TO_SCHOOL
from sentinel.drill.crowd.plan import Crowd, CrowdTruth, used_backends
from sentinel.drill.crowd.rules import ROUTER_MAC, SCANNER_SIDE, filter_rules, scanner_links, school_links
from sentinel.drill.place.namespace import NamespaceRefusedError
from sentinel.errors import CollectError, UsageError

_FIRST_PLACE = 20_001
_NEEDED_RIGHTS = {12: "CAP_NET_ADMIN", 13: "CAP_NET_RAW", 21: "CAP_SYS_ADMIN"}
_START_S = 30.0
_VANISH_S = 2.0
_LONGEST_DELAY_MS = 10_000


class RunningCrowd:
    """A crowd that answers; a context manager that ends it.

    Attributes:
        crowd: the plan.
        interface: the caller's end of the wire.
        router_mac: where a scanner that writes its own frames sends them, whatever the address.
        start_s: seconds from the call until everything answered.
    """

    interface = SCANNER_SIDE
    router_mac = ROUTER_MAC

    def __init__(self, crowd: Crowd, loss: float, delay_ms: float) -> None:
        self.crowd = crowd
        self.start_s = 0.0
        self._loss = loss
        self._delay_s = delay_ms / 1000
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pids(self) -> tuple[int, ...]:
        """Ids of its processes."""
        return tuple(child.pid for child in self._children)

    @property
    def is_running(self) -> bool:
        """All its processes live."""
        return bool(self._children) and all(child.is_running for child in self._children)

    @property
    def memory_bytes(self) -> int:
        """Resident memory of its processes.

        Raises:
            CollectError: it has ended.
        """
        return sum(_resident_bytes(pid) for pid in self.pids)

    def truth(self) -> tuple[CrowdTruth, ...]:
        """List every open TCP port; see `Crowd.truth`."""
        return self.crowd.truth()

    def stop(self) -> None:
        """End it; a second call does nothing."""
        if self._children and SCANNER_SIDE in _interfaces():
            # At once, both ends; without this the kernel clears them a little after the processes, as after a crash.
            with contextlib.suppress(CollectError):
                run_ip((f"link delete {SCANNER_SIDE}",))
        for child in self._children:
            child.end()
        self._children.clear()

    def start(self) -> None:
        """Make namespaces, cables, rules and servers, and wait for them.

        Raises:
            CollectError: the kernel or a program refuses, or it takes too long.
        """
        begun = time.monotonic()
        deadline = begun + _START_S
        school = self._child("sentinel.drill.crowd.process")
        forwarder = self._child("sentinel.drill.crowd.forwarder") if self._delay_s else None
        if forwarder:
            forwarder.tell({"scanner": os.getpid(), "delay_s": self._delay_s})
            forwarder.hear(deadline)
        places = {key: _FIRST_PLACE + number for number, key in enumerate(used_backends(self.crowd))}
        peer, neighbour = (TO_SCHOOL, forwarder.pid) if forwarder else (SCANNER_SIDE, os.getpid())
        school.tell(
            {
                "links": school_links(self.crowd, peer, neighbour),
                "rules": filter_rules(self.crowd, places, self._loss),
                "address": str(self.crowd.router),
                "places": places,
            }
        )
        school.hear(deadline)
        if forwarder:
            forwarder.tell({"go": True})
            forwarder.hear(deadline)
        wire.no_ipv6(SCANNER_SIDE)
        wire.offloads_off(SCANNER_SIDE)
        run_ip(scanner_links(self.crowd))
        self.start_s = time.monotonic() - begun

    def _child(self, module: str) -> Child:
        child = Child(module)
        self._children.append(child)
        return child


def start_crowd(crowd: Crowd, *, loss: float = 0.0, delay_ms: float = 0.0) -> RunningCrowd:
    """Start a crowd beside this process, which must be root of a fresh network namespace, e.g. under `unshare -rn`.

    `loss` is the share of IP packets dropped, 0 to 1 (0.01 is 1 %), and `delay_ms` the milliseconds a frame is held,
    both for each way. IPv4, TCP and ICMP echo only: UDP and IPv6 get no answer. The crowd ends with the thread that
    called this (PR_SET_PDEATHSIG), also when its process is killed.

    Raises:
        UsageError: loss or delay are out of range.
        NamespaceRefusedError: this process lacks rights, or its namespace has a network already.
        CollectError: `ip` or `nft` is missing, or refuses.
    """
    if not 0.0 <= loss < 1.0:
        raise UsageError(f"{loss}: the loss is a share of the packets, from 0 up to 1")
    if not 0.0 <= delay_ms <= _LONGEST_DELAY_MS:
        raise UsageError(f"{delay_ms}: the delay lies between 0 and {_LONGEST_DELAY_MS} ms")
    need_programs()
    _need_rights()
    _need_fresh_network()
    running = RunningCrowd(crowd, loss, delay_ms)
    with contextlib.ExitStack() as undo:
        undo.callback(running.stop)
        running.start()
        undo.pop_all()
    return running


def _need_rights() -> None:
    line = next(line for line in _status("self").split("\n") if line.startswith("CapEff:"))
    rights = int(line.split()[1], 16)
    lacking = [name for bit, name in _NEEDED_RIGHTS.items() if not rights >> bit & 1]
    if lacking:
        raise NamespaceRefusedError(f"practice crowd: lacks {', '.join(lacking)}; start it under `unshare -rn`")


def _need_fresh_network() -> None:
    """Refuse a namespace with a network; the wire of a crowd that was killed here is given time to vanish."""
    deadline = time.monotonic() + _VANISH_S
    while SCANNER_SIDE in _interfaces() and time.monotonic() < deadline:
        time.sleep(0.02)
    others = [name for name in _interfaces() if name != "lo" and (name == SCANNER_SIDE or wire.is_up(name))]
    if others:
        raise NamespaceRefusedError(
            f"practice crowd: this network namespace has {', '.join(others)} already; start it under `unshare -rn`"
        )


def _interfaces() -> tuple[str, ...]:
    return tuple(name for _, name in socket.if_nameindex())


def _status(pid: int | str) -> str:
    return Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")


def _resident_bytes(pid: int) -> int:
    try:
        rows = [line for line in _status(pid).split("\n") if line.startswith("VmRSS:")]
    except FileNotFoundError:
        rows = []
    if not rows:  # gone, or dead and not yet waited for
        raise CollectError("practice crowd: it has ended")
    return int(rows[0].split()[1]) * 1024
