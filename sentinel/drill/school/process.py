"""The process of a practice school: a plan in, listening sockets and words on its pipes out.

It reads `change` or `stop` from standard input, a line each, and answers every line with a JSON object on standard
output; the first object comes unasked when every port is open. The end of standard input ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import errno
import json
import os
import signal
import socket
import ssl
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from sentinel.drill.place.listeners import foreign_listeners
from sentinel.drill.school.plan import Phase, School, plan_school
from sentinel.drill.servers.certificate import Authority, CertificatePlan, Issued
from sentinel.drill.servers.conversation import Service
from sentinel.drill.servers.door import Door, reserve
from sentinel.errors import SentinelError

_PR_SET_PDEATHSIG = 1
_COMMAND_BYTES = 200


def _die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process with its parent, and end at once when it is gone already."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise SentinelError(f"practice school: prctl failed: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        raise SentinelError("practice school: its parent has gone")


class _Running:
    """The open doors of a school and the certificates behind them."""

    def __init__(self, school: School, now: datetime) -> None:
        self._school = school
        self._phase = Phase.BEFORE
        self._doors: dict[tuple[IPv4Address, int], Door] = {}
        self._authority = Authority(school.domain, now)
        self._issued: dict[CertificatePlan, Issued] = {}

    async def open(self) -> None:
        """Reserve the ports of both phases, then open those of the first.

        Raises:
            SentinelError: a port cannot be had.
        """
        first = self._school.services(Phase.BEFORE)
        for place, service in {**self._school.services(Phase.AFTER), **first}.items():
            self._doors[place] = Door(_reserved(*place), service, self._tls(service))
        for place in first:
            try:
                await self._doors[place].open()
            except OSError as error:
                raise _taken(*place, error) from error

    async def change(self) -> None:
        """Go over to the second phase; a second call changes nothing."""
        if self._phase is Phase.AFTER:
            return
        before, after = self._school.services(Phase.BEFORE), self._school.services(Phase.AFTER)
        for place in before.keys() - after.keys():
            await self._doors.pop(place).close()
        for place, service in after.items():
            if place not in before:
                await self._doors[place].open()
            elif service is not before[place]:
                self._doors[place].exchange(service, self._tls(service))
        self._phase = Phase.AFTER

    async def close(self) -> None:
        """Close everything."""
        for door in self._doors.values():
            await door.close()

    def status(self) -> dict[str, Any]:
        """Tell the phase, the authority and the certificates shown, by `address:port`."""
        return {
            "phase": self._phase,
            "authority": self._authority.certificate.public_bytes(Encoding.PEM).decode("ascii"),
            "certificates": {
                f"{address}:{port}": self._issued[service.certificate].sha256
                for (address, port), service in self._school.services(self._phase).items()
                if service.certificate is not None
            },
        }

    def _tls(self, service: Service) -> ssl.SSLContext | None:
        plan = service.certificate
        if plan is None:
            return None
        if plan not in self._issued:
            self._issued[plan] = self._authority.issue(plan)
        return self._issued[plan].context


def _reserved(address: IPv4Address, port: int) -> socket.socket:
    try:
        return reserve(address, port)
    except OSError as error:
        raise _taken(address, port, error) from error


def _taken(address: IPv4Address, port: int, error: OSError) -> SentinelError:
    if error.errno == errno.EADDRINUSE and ("tcp", port) in foreign_listeners():
        why = "is taken by a program of this machine that listens on every address; stop it or use another port offset"
        return SentinelError(f"practice school: {address}:{port} {why}")
    reasons = {
        errno.EADDRINUSE: "already in use; is another practice school or demo running?",
        errno.EACCES: "needs a privilege; use a port offset of 10000",
        errno.EADDRNOTAVAIL: "not an address of this machine; is the loopback interface up?",
    }
    return SentinelError(f"practice school: {address}:{port} {reasons.get(error.errno or 0, error.strerror)}")


def _say(words: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


async def _commands() -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=_COMMAND_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def _serve(school: School) -> None:
    running = _Running(school, datetime.now(UTC))
    await running.open()
    _say(running.status())
    commands = await _commands()
    while (command := (await commands.readline()).strip()) != b"stop" and not commands.at_eof():
        if command == b"change":
            await running.change()
            _say(running.status())
        else:
            _say({"error": "practice school: unknown command"})
    await running.close()


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sentinel.drill.school.process")
    parser.add_argument("--base", type=IPv4Network, required=True)
    for name in ("seed", "size", "offset", "parent"):
        parser.add_argument(f"--{name}", type=int, required=True)
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Serve a school until standard input ends; 0, or 1 after telling why it could not start."""
    given = _arguments(words)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; the end of the pipe follows
    try:
        _die_with_parent(given.parent)
        asyncio.run(_serve(plan_school(given.base, given.seed, given.size, given.offset)))
    except SentinelError as error:
        _say({"error": str(error)})
        return 1
    except BrokenPipeError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
