"""Name servers of the practice school, over UDP and TCP: a zone and what the server gives away in, its ports out."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zone

from sentinel.drill.servers.conversation import Conversation, Seen, Service
from sentinel.drill.servers.datagram import AMPLIFICATION, DatagramService

_TTL_S = 3600
_HEADER_BYTES = 12
_MESSAGES_PER_SESSION = 200
_RECORDS_PER_MESSAGE = 100
_PLAIN_UDP_BYTES = 512
_VERSION = dns.name.from_text("version.bind.")
# What the open resolver makes of every name that is not its own. Source: RFC 5737 and RFC 3849, for documentation.
_OUTSIDE = {dns.rdatatype.A: "192.0.2.80", dns.rdatatype.AAAA: "2001:db8::80"}


@dataclass(frozen=True, slots=True)
class NameServer:
    """A BIND with one zone.

    Attributes:
        version: what `version.bind` tells, e.g. `9.16.27`.
        domain: its zone, e.g. `school1.example`; `ns1` under it is the server itself.
        hosts: first labels and addresses; `mail` becomes the mail exchanger.
        transfer: gives the whole zone to anybody who asks over TCP.
        recursion: resolves names of others for anybody; each gets the same address, nobody is asked.
    """

    version: str
    domain: str
    hosts: tuple[tuple[str, IPv4Address | IPv6Address], ...] = ()
    transfer: bool = False
    recursion: bool = False


def dns_over_tcp(port: int, server: NameServer) -> Service:
    """Build the TCP side of a name server, the only one that transfers zones."""
    names = _Names(server)

    async def talk(conversation: Conversation) -> None:
        for _ in range(_MESSAGES_PER_SESSION):
            (size,) = struct.unpack(">H", await conversation.exactly(2))
            if size < _HEADER_BYTES:
                return
            for answer in names.answers(await conversation.exactly(size)):
                conversation.say(struct.pack(">H", len(answer)) + answer)

    flaws = (("dns.zone-transfer",) if server.transfer else ()) + _flaws(server)
    return Service(port, talk, Seen("domain", "ISC BIND", server.version), flaws=flaws)


def dns_over_udp(port: int, server: NameServer) -> DatagramService:
    """Build the UDP side of a name server; what does not fit is cut, so that the client asks over TCP."""
    names = _Names(server)

    def answer(request: bytes) -> tuple[bytes, ...]:
        limit = min(_PLAIN_UDP_BYTES, AMPLIFICATION * len(request))
        return tuple(names.answers(request, limit))

    return DatagramService(port, answer, Seen("domain", "ISC BIND", server.version), flaws=_flaws(server))


def _flaws(server: NameServer) -> tuple[str, ...]:
    return ("dns.open-resolver",) if server.recursion else ()


def build_zone(server: NameServer) -> dns.zone.Zone:
    """Build the zone: SOA, NS, MX where there is a `mail`, and an address record for each host."""
    lines = [
        f"@ {_TTL_S} IN SOA ns1 hostmaster 2026110101 7200 900 1209600 300",
        f"@ {_TTL_S} IN NS ns1",
        *(f"@ {_TTL_S} IN MX 10 mail" for label, _ in server.hosts if label == "mail"),
        *(f"{label} {_TTL_S} IN {'A' if own.version == 4 else 'AAAA'} {own}" for label, own in server.hosts),
    ]
    return dns.zone.from_text("\n".join(lines), origin=f"{server.domain}.", relativize=False)


class _Names:
    """Answers of one server; every request gets its messages from here, whole."""

    __slots__ = ("_origin", "_server", "_zone")

    def __init__(self, server: NameServer) -> None:
        self._server = server
        self._zone = build_zone(server)
        self._origin = dns.name.from_text(f"{server.domain}.")

    def answers(self, wire: bytes, udp_bytes: int = 0) -> Iterator[bytes]:
        """Give the messages that answer one; `udp_bytes` 0: over TCP. Answers and stumps of headers get none.

        Source: RFC 1035 section 4.1, RFC 5936 section 2.2 for transfers.
        """
        if len(wire) < _HEADER_BYTES or wire[2] & 0x80:
            return
        try:
            query = dns.message.from_wire(wire, question_only=True)
        except dns.exception.DNSException:
            yield wire[:2] + bytes((0x80 | wire[2] & 0x79, dns.rcode.FORMERR)) + bytes(8)
            return
        if self._is_transfer(query) and not udp_bytes:
            yield from (message.to_wire() for message in self._transfer(query))
            return
        answer = self._answer(query)
        message = answer.to_wire()
        if udp_bytes and len(message) > udp_bytes:
            for section in (answer.answer, answer.authority, answer.additional):
                section.clear()
            answer.flags |= dns.flags.TC
            message = answer.to_wire()
        yield message

    def _is_transfer(self, query: dns.message.Message) -> bool:
        return (
            self._server.transfer
            and query.opcode() == dns.opcode.QUERY
            and len(query.question) == 1
            and query.question[0].rdtype in (dns.rdatatype.AXFR, dns.rdatatype.IXFR)
            and query.question[0].name == self._origin
        )

    def _transfer(self, query: dns.message.Message) -> Iterator[dns.message.Message]:
        start = self._zone.get_rrset(self._origin, dns.rdatatype.SOA)
        inner = [
            dns.rrset.from_rdata(name, ttl, record)
            for name, ttl, record in self._zone.iterate_rdatas()
            if record.rdtype != dns.rdatatype.SOA
        ]
        records = [start, *inner, start]
        for first in range(0, len(records), _RECORDS_PER_MESSAGE):
            message = dns.message.make_response(query)
            message.flags |= dns.flags.AA
            message.answer = records[first : first + _RECORDS_PER_MESSAGE]
            yield message

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query, recursion_available=self._server.recursion)
        if query.opcode() != dns.opcode.QUERY:
            answer.question = []
            answer.set_rcode(dns.rcode.NOTIMP)
        elif len(query.question) != 1:
            answer.question = []
            answer.set_rcode(dns.rcode.FORMERR)
        elif query.question[0].rdclass == dns.rdataclass.CHAOS:
            self._tell_version(answer)
        elif query.question[0].rdclass != dns.rdataclass.IN or dns.rdatatype.is_metatype(query.question[0].rdtype):
            answer.set_rcode(dns.rcode.REFUSED)
        elif query.question[0].name.is_subdomain(self._origin):
            self._tell_own(answer)
        else:
            self._tell_outside(answer)
        return answer

    def _tell_version(self, answer: dns.message.Message) -> None:
        (question,) = answer.question
        if question.name != _VERSION or question.rdtype != dns.rdatatype.TXT:
            answer.set_rcode(dns.rcode.REFUSED)
            return
        answer.flags |= dns.flags.AA
        answer.answer.append(dns.rrset.from_text(question.name, 0, "CH", "TXT", f'"{self._server.version}"'))

    def _tell_own(self, answer: dns.message.Message) -> None:
        (question,) = answer.question
        answer.flags |= dns.flags.AA
        found = self._zone.get_rrset(question.name, question.rdtype)
        if found is not None:
            answer.answer.append(found)
            return
        if self._zone.get_node(question.name) is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        answer.authority.append(self._zone.find_rrset(self._origin, dns.rdatatype.SOA))

    def _tell_outside(self, answer: dns.message.Message) -> None:
        (question,) = answer.question
        if not self._server.recursion or not answer.flags & dns.flags.RD:
            answer.set_rcode(dns.rcode.REFUSED)
        elif text := _OUTSIDE.get(question.rdtype):
            answer.answer.append(dns.rrset.from_text(question.name, _TTL_S, "IN", question.rdtype, text))
