"""Who is there and a seed in; who mines and what everybody else does at a school's border, planned, out."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import count

from sentinel.drill.recording.lookup import CLOCK, lookup, resolver
from sentinel.drill.recording.mining import MINING, POOL_WITH_LOOKUP
from sentinel.drill.recording.programs import EDITOR, ELECTRUM, IRC, MAIL, MESSENGER, MQTT
from sentinel.drill.recording.script import Datagrams, Planned, Script
from sentinel.drill.recording.web import (
    chat,
    download,
    ethereum_wallet,
    mining_page,
    office_login,
    page,
    secure_page,
    transmission,
)
from sentinel.errors import UsageError
from sentinel.model.flow import FlowClass

LAST_START_S = 4.0
_LOOKUP_LEAD_S = 0.3
_SMALLEST_PREFIX = 25
_FIRST_SERVER = 10
_CLIENT_PORTS = range(32_768, 61_000)
_RESOLVER = 1
_POOLS, _SERVERS = IPv4Network("198.51.100.0/24"), IPv4Network("203.0.113.0/24")
"""Networks for documentation (RFC 5737): no school has them."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who talks in a recording.

    Attributes:
        miners: inside hosts that mine; they take turns where there are more conversations than hosts.
        others: inside hosts with ordinary traffic.
        public: address at which a visitor from outside reaches the school's web site; None: nobody comes.
        pools: network of the pools.
        servers: network of all other servers outside, and of the visitor.
    """

    miners: tuple[IPv4Address, ...]
    others: tuple[IPv4Address, ...]
    public: IPv4Address | None = None
    pools: IPv4Network = _POOLS
    servers: IPv4Network = _SERVERS

    def __post_init__(self) -> None:
        if not self.miners or not self.others:
            raise UsageError("a cast needs at least one miner and one other host")
        if set(self.miners) & set(self.others):
            raise UsageError("a host of a cast either mines or does not")
        if max(self.pools.prefixlen, self.servers.prefixlen) > _SMALLEST_PREFIX or self.pools.overlaps(self.servers):
            raise UsageError("pools and servers of a cast need networks of their own, of 128 addresses at least")


def _hosts(first: str, number: int) -> tuple[IPv4Address, ...]:
    return tuple(IPv4Address(first) + step for step in range(number))


DEFAULT_CAST = Cast(
    _hosts("10.77.1.1", len(MINING)),
    _hosts("10.77.1.21", 20),
    IPv4Address("10.77.1.254"),
    IPv4Network("10.77.2.0/25"),
    IPv4Network("10.77.2.128/25"),
)
"""Clients in 10.77.1.0/24, servers in 10.77.2.0/24."""

_SITES = ("www.example", "news.example", "library.example", "video.example", "mooc.example", "cloud.example")
_Make = Callable[[str], Script]

_NAMED: tuple[tuple[_Make, tuple[str, ...], int, int], ...] = (
    (page, _SITES, 3, 6),
    (secure_page, _SITES, 4, 8),
    (mining_page, ("wiki.example",), 1, 1),
    (download, ("update.example",), 1, 1),
    (ethereum_wallet, ("node.example",), 1, 2),
    (transmission, ("box.example",), 1, 2),
    (office_login, ("office.example",), 1, 2),
    (chat, ("chat.example",), 1, 3),
)
"""How to make it, names to choose from, fewest and most conversations."""

_UNNAMED: tuple[tuple[Script | Datagrams, int, int], ...] = (
    (MAIL, 1, 3),
    (MQTT, 1, 3),
    (ELECTRUM, 1, 2),
    (EDITOR, 1, 2),
    (MESSENGER, 1, 2),
    (IRC, 1, 2),
    (CLOCK, 2, 4),
)


_VISIT = page("www.school.example", "visitor")


def plan_session(cast: Cast, seed: int) -> tuple[Planned, ...]:
    """Plan all conversations in the order of their beginning; the same cast and seed give the same plan."""
    return tuple(sorted(_Planner(cast, seed).plan(), key=lambda planned: planned.start_s))


class _Planner:
    def __init__(self, cast: Cast, seed: int) -> None:
        self._cast = cast
        self._draw = random.Random(f"recording {seed}")  # noqa: S311  # the same recording again is the point
        self._ports = iter(self._draw.sample(_CLIENT_PORTS, 1000))
        self._free = count(_FIRST_SERVER)
        self._zone: dict[str, IPv4Address] = {}
        self._resolver = resolver(self._zone)

    def plan(self) -> Iterator[Planned]:
        yield from self._mining()
        for make, names, fewest, most in _NAMED:
            for _ in range(self._draw.randint(fewest, most)):
                yield from self._visit(make, self._draw.choice(names))
        for script, fewest, most in _UNNAMED:
            server = self._server()
            for _ in range(self._draw.randint(fewest, most)):
                yield self._planned(script, self._draw.choice(self._cast.others), server, self._start())
        if self._cast.public is not None:
            yield self._planned(_VISIT, self._server(), self._cast.public, self._start())

    def _mining(self) -> Iterator[Planned]:
        miners = self._cast.miners
        for number, script in enumerate(MINING):
            client, server = miners[number % len(miners)], self._cast.pools[_FIRST_SERVER + number]
            start_s = _LOOKUP_LEAD_S + self._draw.uniform(0, 1.0)
            if script.domain == POOL_WITH_LOOKUP:
                yield self._lookup(script.domain, server, client, start_s, FlowClass.NAME)
            yield self._planned(script, client, server, start_s)

    def _visit(self, make: _Make, name: str) -> Iterator[Planned]:
        """Look up a name, then go there."""
        client = self._draw.choice(self._cast.others)
        server = self._zone[name] if name in self._zone else self._server()
        start_s = _LOOKUP_LEAD_S + self._start()
        yield self._lookup(name, server, client, start_s)
        yield self._planned(make(name), client, server, start_s)

    def _lookup(
        self, name: str, address: IPv4Address, client: IPv4Address, before_s: float, expected: str = ""
    ) -> Planned:
        self._zone[name] = address
        script = lookup(name, self._resolver, expected)
        return self._planned(script, client, self._cast.servers[_RESOLVER], before_s - _LOOKUP_LEAD_S)

    def _planned(self, script: Script | Datagrams, client: IPv4Address, server: IPv4Address, start_s: float) -> Planned:
        return Planned(script, client, next(self._ports), server, start_s)

    def _server(self) -> IPv4Address:
        return self._cast.servers[next(self._free)]

    def _start(self) -> float:
        return self._draw.uniform(0, LAST_START_S)
