"""Servers of the practice school on loopback addresses, in a thread of their own."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

from sentinel.drill.servers.conversation import Service
from sentinel.drill.servers.datagram import DatagramDoor, DatagramService, reserve_datagram
from sentinel.drill.servers.door import Door, reserve


@contextmanager
def standing(
    *services: Service | DatagramService, address: str, tls: ssl.SSLContext | None = None, port: int = 0
) -> Iterator[list[int]]:
    """Let services stand, one port each; a datagram service shares the port of the one before it."""
    host = ip_address(address)
    ready, over = threading.Event(), threading.Event()
    ports: list[int] = []

    async def stand() -> None:
        doors: list[Door | DatagramDoor] = []
        for one in services:
            if isinstance(one, DatagramService):
                doors.append(DatagramDoor(reserve_datagram(host, ports[-1]), one))
            else:
                listener = reserve(host, port)
                ports.append(listener.getsockname()[1])
                doors.append(Door(listener, one, tls))
            await doors[-1].open()
        ready.set()
        await asyncio.to_thread(over.wait)
        for door in doors:
            await door.close()

    thread = threading.Thread(target=lambda: asyncio.run(stand()), daemon=True)
    thread.start()
    try:
        assert ready.wait(30)
        yield ports
    finally:
        over.set()
        thread.join(30)
