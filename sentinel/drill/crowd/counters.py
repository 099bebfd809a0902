"""The servers of a crowd: backends in, one listening socket for each out, with room for thousands of connections."""

from __future__ import annotations

import asyncio
import resource
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping
from datetime import datetime
from ipaddress import IPv4Address

from sentinel.drill.crowd.population import DOMAIN, backends
from sentinel.drill.servers.certificate import Authority
from sentinel.drill.servers.conversation import SESSION_S, Service
from sentinel.drill.servers.door import PlainStream, TlsStream, converse, reserve

_BACKLOG = 4096
_SPARE_FILES = 100
_MOST_CONNECTIONS = 8000


class Counters:
    """All backends of a crowd.

    A door of the practice school serves one port of one host and closes at 20 connections; here hundreds of ports share
    one socket, so the limit is one for all: what the limit of open files leaves.
    """

    def __init__(self, address: IPv4Address, now: datetime) -> None:
        self._address = address
        self._authority = Authority(DOMAIN, now)
        self._servers: list[asyncio.Server] = []
        self._talks = 0
        self._most_talks = _MOST_CONNECTIONS

    async def open(self, places: Mapping[str, int]) -> None:
        """Listen for every backend on its port.

        Raises:
            OSError: a port cannot be had.
        """
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if hard != resource.RLIM_INFINITY:
            self._most_talks = min(_MOST_CONNECTIONS, hard - len(places) - _SPARE_FILES)
        for key, port in places.items():
            await self._open(backends()[key], port)

    async def _open(self, service: Service, port: int) -> None:
        plan = service.certificate
        tls = self._authority.issue(plan).context if plan else None

        async def meet(reader: StreamReader, writer: StreamWriter) -> None:
            if self._talks >= self._most_talks:
                writer.transport.abort()
                return
            self._talks += 1
            try:
                await _serve(service, tls, reader, writer)
            finally:
                self._talks -= 1

        self._servers.append(await asyncio.start_server(meet, sock=reserve(self._address, port), backlog=_BACKLOG))


async def _serve(service: Service, tls: ssl.SSLContext | None, reader: StreamReader, writer: StreamWriter) -> None:
    stream = PlainStream(reader, writer)
    try:
        async with asyncio.timeout(SESSION_S):
            await converse(service, TlsStream(stream, tls, service.plain_answer) if tls is not None else stream)
    except (OSError, TimeoutError):
        writer.transport.abort()  # the peer's affair: it left or stalled
    finally:
        writer.close()
