"""The only way a closer look reaches a network: a permit in, connections paced, counted and bounded out."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from sentinel.collect.permit import Permit, require_permit
from sentinel.errors import ScopeError
from sentinel.model.scope import Level
from sentinel.model.unit import IPAddress

CONNECT_S = 6.0
ANSWER_S = 8.0
MAX_ANSWER = 512 * 1024
"""Bytes read from one connection; what says more is cut off there."""

AT_ONCE = 16
"""Connections open at the same time, to all hosts together; to one host it is one after the other."""

NO_LONGER = "it may no longer be looked at"
"""Why nothing came of a look at what was withdrawn, excluded or declared to stay out while looks were made."""

_limit: ContextVar[asyncio.Timeout | None] = ContextVar("limit", default=None)


@asynccontextmanager
async def limit_look(seconds: float) -> AsyncIterator[None]:
    """End what is done here after so many seconds of its own: waiting for the pace and for other looks is not counted.

    Raises:
        TimeoutError: they are over.
    """
    async with asyncio.timeout(seconds) as limit:
        token = _limit.set(limit)
        try:
            yield
        finally:
            _limit.reset(token)


@contextmanager
def _uncounted() -> Iterator[None]:
    """Stop the clock of the look meanwhile."""
    limit, clock = _limit.get(), asyncio.get_running_loop().time
    if limit is None or limit.expired() or (end := limit.when()) is None:
        yield
        return
    left = end - clock()
    limit.reschedule(None)
    try:
        yield
    finally:
        limit.reschedule(clock() + left)


class NoAnswerError(Exception):
    """A look that came to nothing; its text is one lower-case line, and it proves nothing about the host."""


@dataclass(slots=True)
class Line:
    """An open TCP connection with limits.

    Attributes:
        reader: what comes in.
        writer: what goes out.
        left: bytes that may still be read.
        ends: moment of the loop's clock after which nothing more is read; None: only single reads are bounded.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    left: int = MAX_ANSWER
    ends: float | None = None

    def end_in(self, seconds: float) -> None:
        """Read nothing more after so many seconds, however slowly the other end keeps talking."""
        self.ends = asyncio.get_running_loop().time() + seconds

    async def secure(self, name: str) -> None:
        """Speak TLS from here on, with whatever the other end can and whoever it says it is.

        Raises:
            NoAnswerError: there is no handshake.
        """
        try:
            async with asyncio.timeout(ANSWER_S):
                await self.writer.start_tls(_lenient_tls(), server_hostname=name or None)
        except (OSError, TimeoutError, ValueError) as error:
            raise NoAnswerError(f"no tls handshake: {_words(error)}") from error

    async def send(self, data: bytes) -> None:
        """Write bytes.

        Raises:
            NoAnswerError: the other end does not take them.
        """
        try:
            self.writer.write(data)
            async with asyncio.timeout(ANSWER_S):
                await self.writer.drain()
        except (OSError, TimeoutError) as error:
            raise NoAnswerError(f"the connection broke: {_words(error)}") from error

    async def read(self, size: int = 65_536, timeout_s: float = ANSWER_S) -> bytes:
        """Read what comes next, at most `size` bytes; empty at the end.

        Raises:
            NoAnswerError: nothing came in time, or the connection broke.
        """
        if self.ends is not None:
            timeout_s = min(timeout_s, self.ends - asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(timeout_s):
                data = await self.reader.read(min(size, self.left)) if self.left else b""
        except (OSError, TimeoutError) as error:
            raise NoAnswerError(f"no answer: {_words(error)}") from error
        self.left -= len(data)
        return data

    async def read_exactly(self, size: int, timeout_s: float = ANSWER_S) -> bytes:
        """Read so many bytes.

        Raises:
            NoAnswerError: the connection ended before, or nothing came in time.
        """
        data = b""
        while len(data) < size:
            more = await self.read(size - len(data), timeout_s)
            if not more:
                raise NoAnswerError("the connection ended in the middle of an answer")
            data += more
        return data

    async def read_until(self, end: bytes, most: int = 65_536, timeout_s: float = ANSWER_S) -> bytes:
        """Read to a mark, to the end of the connection or to `most` bytes, whatever comes first.

        Raises:
            NoAnswerError: nothing came in time, or the connection broke.
        """
        data = b""
        while end not in data and len(data) < most:
            more = await self.read(most - len(data), timeout_s)
            if not more:
                break
            data += more
        return data


class Dialer:
    """Opens connections inside one permit: each address is checked, each attempt paced and counted.

    Attributes:
        sent: connection attempts and datagrams sent.
    """

    def __init__(
        self, permit: Permit, now: Callable[[], datetime], still: Callable[[IPAddress], bool] | None = None
    ) -> None:
        """Take a permit; `still` tells of an address whether it may be touched after all that was declared since."""
        self._permit = require_permit(permit)
        self._now = now
        self._still = still
        self._gap_s = 1 / permit.rate_pps
        self._next = 0.0
        self._all = asyncio.Semaphore(AT_ONCE)
        self._hosts: defaultdict[IPAddress, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.sent = 0

    def allows(self, address: IPAddress, level: Level) -> bool:
        """Tell whether a look may go as far as a level at an address."""
        try:
            self._permit.check([address], level, self._now())
        except ScopeError:
            return False
        return True

    @asynccontextmanager
    async def open(self, address: IPAddress, port: int, level: Level) -> AsyncIterator[Line]:
        """Open a TCP connection; it is closed at the end, whatever happened.

        Raises:
            ScopeError: the permit does not hold the address, the level or the moment.
            NoAnswerError: it cannot be opened.
        """
        async with self._turn(address, level):
            try:
                async with asyncio.timeout(CONNECT_S):
                    reader, writer = await asyncio.open_connection(str(address), port, limit=MAX_ANSWER)
            except (OSError, TimeoutError) as error:
                raise NoAnswerError(f"no connection: {_words(error)}") from error
            try:
                yield Line(reader, writer)
            finally:
                writer.close()
                with suppress(OSError, TimeoutError):
                    async with asyncio.timeout(1):
                        await writer.wait_closed()

    async def ask(self, address: IPAddress, port: int, payload: bytes, level: Level) -> bytes:
        """Send one datagram and give the first answer of the same place.

        Raises:
            ScopeError: the permit does not hold the address, the level or the moment.
            NoAnswerError: no answer came.
        """
        async with self._turn(address, level):
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[bytes] = loop.create_future()
            try:
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Datagram(answer, payload), remote_addr=(str(address), port)
                )
            except OSError as error:
                raise NoAnswerError(f"no way there: {_words(error)}") from error
            try:
                async with asyncio.timeout(ANSWER_S):
                    return await answer
            except (OSError, TimeoutError) as error:
                raise NoAnswerError(f"no answer: {_words(error)}") from error
            finally:
                transport.close()

    @asynccontextmanager
    async def _turn(self, address: IPAddress, level: Level) -> AsyncIterator[None]:
        """Wait until a host, a place among all connections and the pace are free, and keep the first two meanwhile."""
        async with AsyncExitStack() as held:
            with _uncounted():
                await held.enter_async_context(self._hosts[address])
                await held.enter_async_context(self._all)
                await self._wait(address, level)
            yield

    async def _wait(self, address: IPAddress, level: Level) -> None:
        """Wait for the turn of the next attempt, then ask the permit again: time may have run out meanwhile."""
        clock = asyncio.get_running_loop().time
        turn = max(self._next, clock())
        self._next = turn + self._gap_s
        if turn > clock():
            await asyncio.sleep(turn - clock())
        self._permit.check([address], level, self._now())
        if self._still is not None and not self._still(address):
            raise NoAnswerError(NO_LONGER)
        self.sent += 1


class _Datagram(asyncio.DatagramProtocol):
    def __init__(self, answer: asyncio.Future[bytes], payload: bytes) -> None:
        self._answer = answer
        self._payload = payload

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.sendto(self._payload)  # type: ignore[attr-defined]  # asyncio gives a datagram transport here

    def datagram_received(self, data: bytes, _addr: object) -> None:
        if not self._answer.done():
            self._answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self._answer.done():
            self._answer.set_exception(exc)


def _lenient_tls() -> ssl.SSLContext:
    """Build a client that takes old protocols and ciphers and any certificate: what is weak is judged, not refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.options |= 0x4  # OP_LEGACY_SERVER_CONNECT, which ssl names from Python 3.12 on
    return context


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    return str(getattr(error, "strerror", None) or error).lower()
