"""Ways a server of the practice school behaves beside its protocol: late, or cutting every caller off."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

from sentinel.drill.servers.conversation import Conversation, HangupError, Seen, Service

# A reset that comes with the acceptance would make the port look closed to some callers.
_MOMENT_S = 0.2


class _LateStream:
    """A conversation seen as a stream whose every write waits."""

    __slots__ = ("_conversation", "_delay_s")

    def __init__(self, conversation: Conversation, delay_s: float) -> None:
        self._conversation = conversation
        self._delay_s = delay_s

    async def read(self) -> bytes:
        """Return what has come, at most a chunk.

        Raises:
            HangupError: nothing came in time.
        """
        return await self._conversation.chunk()

    async def write(self, data: bytes) -> None:
        """Wait, then send everything."""
        await asyncio.sleep(self._delay_s)
        self._conversation.say(data)
        await self._conversation.flush()


def slow(service: Service, delay_s: float) -> Service:
    """Let every answer of a server, the greeting too, come so many seconds later; its truth stays the same.

    nmap 7.93 waits 6 s for a greeting and 5 s for each answer; longer delays leave the server unnamed.
    """

    async def talk(conversation: Conversation) -> None:
        late = Conversation(_LateStream(conversation, delay_s))
        with contextlib.suppress(HangupError):
            await service.talk(late)
        await late.flush()

    return replace(service, talk=talk)


def resetting(port: int) -> Service:
    """Build a port that accepts, and cuts the connection with a reset before a word is said."""

    async def talk(_conversation: Conversation) -> None:
        await asyncio.sleep(_MOMENT_S)
        raise ConnectionAbortedError("reset on purpose")

    return Service(port, talk, Seen("tcpwrapped"))
