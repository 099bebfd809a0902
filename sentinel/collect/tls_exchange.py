"""One offer to a TLS server and its answer, over one connection inside the permit; how it ended is told, not raised."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic

from sentinel.collect.dialer import ANSWER_S, Dialer, Line, NoAnswerError
from sentinel.collect.look import ProbeTarget
from sentinel.collect.tls_answer import NO_PROTOCOL, Answer, AnswerReader, read_ssl2_answer
from sentinel.collect.tls_offer import SSL_2, Offer, write_offer
from sentinel.model.scope import Level

EXCHANGE_S = 15.0
"""The longest one answer may take to come in whole."""

PAUSE_S = ANSWER_S
"""The longest pause in an answer."""

_MAX_SSL_2 = 64 * 1024


class End(StrEnum):
    """How an exchange ended: told all, hung up on, fell silent, or no connection came about."""

    TOLD = "told"
    HUNG_UP = "hung up"
    SILENT = "silent"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Exchange:
    """An answer and how it ended.

    Attributes:
        answer: what was read.
        end: how it ended.
        reason: the words for it where nothing was told.
    """

    answer: Answer
    end: End
    reason: str = ""

    @property
    def is_refusal(self) -> bool:
        """Whether the server said, or showed by hanging up, that it does not agree to what was offered."""
        return self.answer.version is None and self.end in {End.TOLD, End.HUNG_UP}


Begin = Callable[[Line], Awaitable[None]]
"""What is said on a connection before TLS begins (STARTTLS); nothing where it begins at once."""


@dataclass(slots=True)
class Asker:
    """Makes offers to one service.

    Attributes:
        target: whom.
        dialer: the way there.
        begin: what comes before TLS.
    """

    target: ProbeTarget
    dialer: Dialer
    begin: Begin | None = None

    async def ask(self, offer: Offer, *, only_hello: bool = False) -> Exchange:
        """Make an offer on a connection of its own.

        A server that knows none of the browser's protocols is asked again without them.

        Raises:
            ScopeError: the permit does not hold the address, the level or the moment.
        """
        found = await self._ask_once(offer, only_hello=only_hello)
        if found.answer.alert == NO_PROTOCOL and offer.has_protocols:
            plain = Offer(offer.version, offer.suites, offer.name, is_plain=offer.is_plain)
            found = await self._ask_once(plain, only_hello=only_hello)
        return found

    async def _ask_once(self, offer: Offer, *, only_hello: bool) -> Exchange:
        try:
            async with self.dialer.open(self.target.address, self.target.port, Level.SERVICE) as line:
                try:
                    if self.begin is not None:
                        await self.begin(line)
                except NoAnswerError as error:
                    return Exchange(Answer(), End.CLOSED, str(error))
                return await _talk(line, offer, only_hello=only_hello)
        except NoAnswerError as error:
            return Exchange(Answer(), End.CLOSED, str(error))


async def _talk(line: Line, offer: Offer, *, only_hello: bool) -> Exchange:
    """Send an offer and read until enough is known, the line ends, or it takes too long."""
    reader = AnswerReader(only_hello=only_hello)
    until = monotonic() + EXCHANGE_S
    heard, has_spoken = b"", False
    try:
        await line.send(write_offer(offer))
        while not reader.is_done:
            wait = min(PAUSE_S, until - monotonic())
            if wait <= 0:
                return _exchange(reader.answer, End.SILENT, "it answers too slowly")
            data = await line.read(timeout_s=wait)
            has_spoken = True
            if not data:
                return _exchange(reader.answer, End.HUNG_UP, "it hangs up on the offer")
            if offer.version != SSL_2:
                reader.feed(data)
                continue
            heard += data
            found = read_ssl2_answer(heard)
            if found is not None or len(heard) > _MAX_SSL_2:
                return Exchange(found or Answer(), End.TOLD)
    except NoAnswerError as error:
        if isinstance(error.__cause__, TimeoutError):
            words = "it answers too slowly" if has_spoken else "it does not answer the offer"
            return _exchange(reader.answer, End.SILENT, words)
        return _exchange(reader.answer, End.HUNG_UP, "it hangs up on the offer")
    return Exchange(reader.answer, End.TOLD, reader.answer.fault)


def _exchange(answer: Answer, end: End, reason: str) -> Exchange:
    """Give an exchange that broke off; one in which the server agreed before has told what matters."""
    return Exchange(answer, End.TOLD if answer.version is not None else end, reason)
