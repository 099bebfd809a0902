"""One connection: uvicorn's, with an end to waiting for a request that does not come whole."""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S: Final = 10.0
_EACH: Final = 48
"""Connections one address may hold; a browser holds six to one server."""


class PatientProtocol(H11Protocol):
    """Closes a connection whose request is not whole after ten seconds; uvicorn 0.54 waits for ever."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take a connection, unless its address holds too many."""
        super().connection_made(transport)
        own = _address(self)
        if sum(_address(one) == own for one in self.connections) > _EACH:
            transport.abort()
            return
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read on; the clock stops when the request is whole."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Start the clock for the next request."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the clock."""
        self._stop()
        super().connection_lost(exc)

    def _watch(self) -> None:
        waiting = self.cycle is None or self.cycle.response_complete
        if not waiting:
            self._stop()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_S, self._close)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.abort()


def _address(connection: object) -> str:
    client = getattr(connection, "client", None)
    return str(client[0]) if client else ""
