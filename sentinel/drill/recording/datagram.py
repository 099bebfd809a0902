"""The two ends of a conversation over UDP: an answering socket, and one that asks and waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from sentinel.drill.recording.script import Answer

ANSWER_S = 3.0
_MOST_WAITING = 16

Place = tuple[str, int]
Note = Callable[[int, bytes], None]
"""Told of each datagram that passes: 0 for the client's, 1 for the server's."""


class _Answering(asyncio.DatagramProtocol):
    _transport: asyncio.DatagramTransport

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # Python 3.11 does not make it one by name

    def datagram_received(self, data: bytes, addr: Place) -> None:
        if answer := self._answer(data):
            self._transport.sendto(answer, addr)


class Asking(asyncio.DatagramProtocol):
    """One client; asks one thing at a time."""

    _transport: asyncio.DatagramTransport

    def __init__(self, note: Note) -> None:
        self._note = note
        self._answers: asyncio.Queue[bytes | OSError] = asyncio.Queue(_MOST_WAITING)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        self._transport = cast(asyncio.DatagramTransport, transport)  # Python 3.11 does not make it one by name

    def datagram_received(self, data: bytes, addr: Place) -> None:  # noqa: ARG002  # connected: only one can answer
        """Keep an answer; what nobody can still wait for is dropped."""
        self._note(1, data)
        self._keep(data)

    def error_received(self, exc: Exception) -> None:
        """Keep the kernel's word that nobody listens there."""
        self._keep(exc if isinstance(exc, OSError) else OSError(str(exc)))

    async def ask(self, data: bytes) -> bytes:
        """Send a datagram and give its answer.

        Raises:
            OSError: nobody answers within ANSWER_S, or nobody listens.
        """
        self._note(0, data)
        self._transport.sendto(data)
        async with asyncio.timeout(ANSWER_S):
            answer = await self._answers.get()
        if isinstance(answer, OSError):
            raise answer
        return answer

    def _keep(self, answer: bytes | OSError) -> None:
        if not self._answers.full():
            self._answers.put_nowait(answer)


async def open_answering(answer: Answer, place: Place) -> asyncio.DatagramTransport:
    """Answer datagrams at a place; port 0 for any.

    Raises:
        OSError: the address or port cannot be used.
    """
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Answering(answer), local_addr=place)
    return transport


async def open_asking(place: Place, own: Place, note: Note) -> tuple[asyncio.DatagramTransport, Asking]:
    """Open a client that asks the server at `place` from the address `own`; port 0 for any.

    Raises:
        OSError: the address or port cannot be used.
    """
    loop = asyncio.get_running_loop()
    return await loop.create_datagram_endpoint(lambda: Asking(note), local_addr=own, remote_addr=place)
