"""The process of a practice school: a plan in, listening sockets and words on its pipes out.

It reads `cue NAME` or `stop` from standard input, a line each, and answers every line with a JSON object on standard
output; the first object comes unasked when every port is open. The end of standard input ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import signal
import ssl
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from sentinel.drill.place.answering import AnsweringHosts
from sentinel.drill.place.ground import SCANNER, SCANNER6, Lot, served_port
from sentinel.drill.place.link import add_route, own_address
from sentinel.drill.place.listeners import foreign_listeners
from sentinel.drill.place.namespace import die_with_parent
from sentinel.drill.recording.live import keep_mining
from sentinel.drill.school.cues import Cue
from sentinel.drill.school.host import AnyService, Manner
from sentinel.drill.school.plan import BEFORE, Place, School, plan_school
from sentinel.drill.school.roles import POOL_PORT
from sentinel.drill.servers.certificate import Authority, CertificatePlan, Issued
from sentinel.drill.servers.conversation import Service
from sentinel.drill.servers.datagram import DatagramDoor, DatagramService, reserve_datagram
from sentinel.drill.servers.door import Door, reserve
from sentinel.drill.servers.pool import pool
from sentinel.errors import CollectError, SentinelError, UsageError

_COMMAND_BYTES = 200


class _Running:
    """The open doors of a school and the certificates behind them."""

    def __init__(self, school: School, now: datetime) -> None:
        self._school = school
        self._played: frozenset[Cue] = BEFORE
        self._doors: dict[Place, Door | DatagramDoor] = {}
        self._authority = Authority(school.domain, now)
        self._issued: dict[CertificatePlan, Issued] = {}
        self._mining: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Reserve every port any cue may need, then open those of the beginning.

        Raises:
            UsageError: a port or an address is taken.
            SentinelError: this is no namespace of one's own.
        """
        first = self._school.places()
        everything = {**self._school.places(frozenset(Cue)), **first}
        _take_addresses(self._school)
        for place, service in everything.items():
            self._doors[place] = self._door(place, service)
        for place in first:
            await self._open(place)
        await self._open_pool()

    async def play(self, cue: Cue) -> None:
        """Go over to what the cue makes of the school; a second time changes nothing."""
        before, after = self._school.places(self._played), self._school.places(self._played | {cue})
        for place in before.keys() - after.keys():
            await self._doors.pop(place).close()
        for place, service in after.items():
            if place not in before:
                if place not in self._doors:
                    self._doors[place] = self._door(place, service)
                self._exchange(place, service)
                await self._open(place)
            elif service is not before[place]:
                self._exchange(place, service)
        self._played |= {cue}

    async def close(self) -> None:
        """Close everything."""
        for task in self._mining:
            task.cancel()
        for door in self._doors.values():
            await door.close()

    def status(self) -> dict[str, Any]:
        """Tell the cues played, the authority and the certificates shown, as `[address, port, SHA-256]`."""
        return {
            "played": sorted(self._played),
            "authority": self._authority.certificate.public_bytes(Encoding.PEM).decode("ascii"),
            "certificates": [
                (str(address), port, self._issued[service.certificate].sha256)
                for (_, address, port), service in self._school.places(self._played).items()
                if service.certificate is not None
            ],
        }

    def _door(self, place: Place, service: AnyService) -> Door | DatagramDoor:
        _, address, port = place
        try:
            if isinstance(service, DatagramService):
                return DatagramDoor(reserve_datagram(address, port), service)
            return Door(reserve(address, port), service, self._tls(service))
        except OSError as error:
            raise _taken(address, port, error) from error

    def _exchange(self, place: Place, service: AnyService) -> None:
        door = self._doors[place]
        if isinstance(door, DatagramDoor) and isinstance(service, DatagramService):
            door.exchange(service)
        elif isinstance(door, Door) and isinstance(service, Service):
            door.exchange(service, self._tls(service))

    async def _open(self, place: Place) -> None:
        _, address, port = place
        try:
            await self._doors[place].open()
        except OSError as error:
            raise _taken(address, port, error) from error

    async def _open_pool(self) -> None:
        """Open the pool outside of the school, where another school has not done so, and let the miners mine."""
        lot, miners = self._school.lot, self._school.miners
        if lot.pool is None or not miners:
            return
        place: Place = ("tcp", lot.pool, served_port(POOL_PORT, lot.offset))
        try:
            self._doors[place] = self._door(place, pool(POOL_PORT))
            await self._open(place)
        except SentinelError:
            if not lot.has_own_network:
                raise  # in a namespace it is another school of ours that has it, here it may be anybody
        for miner in miners:
            task = asyncio.create_task(keep_mining(lot.pool, place[2], miner))
            self._mining.append(task)

    def _tls(self, service: Service) -> ssl.SSLContext | None:
        plan = service.certificate
        if plan is None:
            return None
        if plan not in self._issued:
            self._issued[plan] = self._authority.issue(plan)
        return self._issued[plan].context


def _take_addresses(school: School) -> None:
    """Give this namespace the school's addresses; what nobody owns of its networks is silent.

    Raises:
        SentinelError: this is no namespace of one's own.
    """
    lot = school.lot
    if not lot.has_own_network:
        return
    try:
        for played in (BEFORE, frozenset(Cue)):
            for host in school.hosts(played):
                if host.manner is Manner.SERVES:
                    for address in host.addresses:
                        own_address(address, SCANNER if address.version == 4 else SCANNER6)
        if lot.pool is not None:
            own_address(lot.pool)
        for prefix in (lot.base, lot.base6):
            if prefix is not None:
                add_route(prefix)
    except CollectError as error:
        raise SentinelError(f"practice school: {error}; it needs a network namespace of its own") from error


def _taken(address: IPv4Address | IPv6Address, port: int, error: OSError) -> UsageError:
    shown = f"[{address}]" if address.version == 6 else str(address)
    if error.errno == errno.EADDRINUSE and ("tcp", port) in foreign_listeners():
        why = "is taken by a program of this machine that listens on every address; stop it or use another port offset"
        return UsageError(f"practice school: {shown}:{port} {why}")
    reasons = {
        errno.EADDRINUSE: "already in use; is another practice school or demo running?",
        errno.EACCES: "needs a privilege; use a port offset of 10000",
        errno.EADDRNOTAVAIL: "not an address of this machine; is the loopback interface up?",
    }
    return UsageError(f"practice school: {shown}:{port} {reasons.get(error.errno or 0, error.strerror)}")


def _say(words: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


async def _commands() -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=_COMMAND_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def _line(commands: asyncio.StreamReader) -> str:
    """Read a command; a line longer than any command is dropped and reads as one nobody knows."""
    try:
        return (await commands.readline()).decode("ascii", "replace").strip()
    except ValueError:
        return "a line too long"


async def _serve(school: School) -> None:
    running = _Running(school, datetime.now(UTC))
    await running.open()
    with AnsweringHosts(school.answering):
        _say(running.status())
        commands = await _commands()
        while (line := await _line(commands)) != "stop":
            if commands.at_eof() and not line:
                break
            word, _, name = line.partition(" ")
            if word == "cue" and name in school.steps:
                await running.play(Cue(name))
                _say(running.status())
            else:
                _say({"error": f"practice school: no such cue here: {name}"})
    await running.close()


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sentinel.drill.school.process")
    parser.add_argument("--base", type=IPv4Network, required=True)
    parser.add_argument("--base6", type=IPv6Network)
    parser.add_argument("--pool", type=IPv4Address)
    parser.add_argument("--own-network", action="store_true")
    for name in ("seed", "size", "offset", "parent"):
        parser.add_argument(f"--{name}", type=int, required=True)
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Serve a school until standard input ends; 0, or 1 after telling why it could not start."""
    given = _arguments(words)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; the end of the pipe follows
    try:
        die_with_parent(given.parent)
        lot = Lot(given.base, given.base6, given.offset, given.own_network, given.pool)
        asyncio.run(_serve(plan_school(lot, given.seed, given.size)))
    except SentinelError as error:
        _say({"error": str(error), "status": error.status})
        return 1
    except BrokenPipeError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
