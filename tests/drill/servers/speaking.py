"""Ways to speak to a server of the school: without a socket, or through a real port in a thread of its own."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

from sentinel.drill.servers.conversation import Service
from sentinel.drill.servers.door import Door, converse, reserve

ADDRESS = IPv4Address("127.79.1.1")


class Peer:
    """A scripted client: what it says, one piece a read, and what it heard."""

    def __init__(self, pieces: tuple[bytes, ...]) -> None:
        self._pieces = list(pieces)
        self.heard = b""

    async def read(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    async def write(self, words: bytes) -> None:
        self.heard += words


def speak(service: Service, *pieces: bytes) -> bytes:
    peer = Peer(pieces)
    asyncio.run(converse(service, peer))
    return peer.heard


def get(path: str, protocol: str = "HTTP/1.0", method: str = "GET") -> bytes:
    return f"{method} {path} {protocol}\r\nHost: www.school1.example\r\n\r\n".encode()


@contextmanager
def opened(service: Service, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve on a free port while the block lasts."""
    listener = reserve(ADDRESS, 0)
    ready, loop, done = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        door = Door(listener, service, tls)
        await door.open()
        ready.set()
        await done.wait()
        await door.close()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(5)
    try:
        yield listener.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(10)
