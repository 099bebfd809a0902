"""A name and a type of record in, what the resolver or a name server says out; nothing is read as missing by mistake.

The resolver is the system's or a configured one and no scanned target; name servers are asked through the dialer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver

from sentinel.collect.dialer import Dialer, NoAnswerError
from sentinel.model.scope import Level
from sentinel.model.unit import IPAddress

_LIFETIME_S = 5.0
_MAX_SILENCES = 3
"""So many questions in a row without any answer, and the resolver is not asked again."""

_MAX_RECORDS = 1024
_FOREIGN = "www.example.com."
"""A name no school owns, and one that is there for examples. Source: RFC 2606 section 3."""


@dataclass(frozen=True, slots=True)
class Records:
    """What is known about the records of one type at a name.

    Attributes:
        is_known: the resolver answered; False: nothing follows from there being none.
        exists: the name exists.
        values: the records as text, sorted, for servers turn them round; at most 1024.
        name: the name they stand at, after aliases, lower case without the last dot.
    """

    is_known: bool
    exists: bool = False
    values: tuple[str, ...] = ()
    name: str = ""


class Names:
    """Asks one resolver.

    Attributes:
        unknown: questions it gave no answer to.
    """

    def __init__(self, server: str = "", port: int = 53) -> None:
        self._server = server
        self._port = port
        self._resolver: dns.asyncresolver.Resolver | None = None
        self._silences = 0
        self.unknown = 0

    async def find(self, name: str, kind: str) -> Records:
        """Ask for the records of a type at a name.

        Raises:
            NoAnswerError: there is no resolver, or it has been silent for long.
        """
        if self._silences >= _MAX_SILENCES:
            raise NoAnswerError("the resolver does not answer")
        try:
            answer = await self._ready().resolve(f"{name}.", kind, raise_on_no_answer=False, search=False)
        except dns.exception.Timeout:
            self._silences += 1
            self.unknown += 1
            return Records(False)
        except dns.resolver.NXDOMAIN as error:
            self._silences = 0
            return Records(True, name=_last_name(error, name))
        except (dns.exception.DNSException, OSError, ValueError):
            self.unknown += 1
            return Records(False)
        self._silences = 0
        values = tuple(sorted(_text(record) for record in answer.rrset)) if answer.rrset else ()
        return Records(True, exists=True, values=values[:_MAX_RECORDS], name=_plain(answer.canonical_name))

    def _ready(self) -> dns.asyncresolver.Resolver:
        if self._resolver is None:
            try:
                self._resolver = dns.asyncresolver.Resolver(configure=not self._server)
            except dns.exception.DNSException as error:
                raise NoAnswerError("the system has no resolver; name one with the setting resolver") from error
            if self._server:
                self._resolver.nameservers = [self._server]
                self._resolver.port = self._port
            self._resolver.lifetime = _LIFETIME_S
        return self._resolver


async def gives_zone(dialer: Dialer, address: IPAddress, domain: str, port: int = 53) -> bool:
    """Tell whether a name server hands a whole zone to anybody; its first records are read and nothing of them kept.

    Raises:
        NoAnswerError: it does not answer, or with no message.
    """
    query = dns.message.make_query(f"{domain}.", "AXFR")
    wire, count = query.to_wire(), 0
    async with dialer.open(address, port, Level.CHECK) as line:
        line.end_in(_LIFETIME_S)
        await line.send(struct.pack(">H", len(wire)) + wire)
        while count < 2:  # one record alone is the SOA, which tells nothing; some servers send one in each message
            (size,) = struct.unpack(">H", await line.read_exactly(2))
            answer = _read(await line.read_exactly(size))
            if answer.id != query.id or answer.rcode() != dns.rcode.NOERROR or not answer.answer:
                return False
            first = answer.answer[0]
            if not count and (first.rdtype != dns.rdatatype.SOA or _plain(first.name) != domain):
                return False
            count += sum(len(one) for one in answer.answer)
    return True


async def resolves_for_us(dialer: Dialer, address: IPAddress, port: int = 53) -> bool:
    """Tell whether a name server finds out about names of others.

    Raises:
        NoAnswerError: it does not answer, or with no message.
    """
    query = dns.message.make_query(_FOREIGN, "A")
    answer = _read(await dialer.ask(address, port, query.to_wire(), Level.CHECK))
    return (
        answer.id == query.id
        and answer.rcode() == dns.rcode.NOERROR
        and bool(answer.flags & dns.flags.RA)
        and any(_plain(one.name) == _plain(dns.name.from_text(_FOREIGN)) for one in answer.answer)
    )


def _read(data: bytes) -> dns.message.Message:
    try:
        return dns.message.from_wire(data, ignore_trailing=True, continue_on_error=False)
    except (dns.exception.DNSException, ValueError, IndexError) as error:
        raise NoAnswerError("its answer is no message") from error


def _text(record: object) -> str:
    """Write a record as one line; the strings of a TXT record are one text (RFC 7208 section 3.3)."""
    strings: Iterable[bytes] | None = getattr(record, "strings", None)
    if strings is not None:
        return b"".join(strings).decode("utf-8", "replace")
    return str(record)


def _plain(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _last_name(error: dns.resolver.NXDOMAIN, name: str) -> str:
    """Give the name that does not exist: the end of the aliases, where there are some."""
    try:
        return _plain(error.canonical_name)
    except (TypeError, dns.exception.DNSException):
        return name
