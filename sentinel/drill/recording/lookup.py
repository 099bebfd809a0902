"""Ordinary questions over UDP: names and addresses in, DNS lookups and a look at the clock out."""

from __future__ import annotations

import struct
import time
from collections.abc import Mapping
from functools import partial
from ipaddress import IPv4Address

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from sentinel.drill.recording.script import Answer, Ask, Datagrams

_TTL_S = 300
_NTP_EPOCH_S = 2_208_988_800
_NTP_CLIENT, _NTP_SERVER = 0x23, 0x24
_NTP_BYTES = 48


def resolver(zone: Mapping[str, IPv4Address]) -> Answer:
    """Build a resolver that knows these names and no others; what is no question it leaves unanswered."""
    return partial(_resolve, zone=zone)


def _resolve(data: bytes, zone: Mapping[str, IPv4Address]) -> bytes:
    try:
        question = dns.message.from_wire(data)
        answer = dns.message.make_response(question, recursion_available=True)
        name = question.question[0].name
    except (dns.exception.DNSException, IndexError):
        return b""
    address = zone.get(name.to_text(omit_final_dot=True).lower())
    if address is None:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    else:
        answer.answer.append(dns.rrset.from_text(name, _TTL_S, "IN", "A", str(address)))
    return answer.to_wire()


async def _look_up(ask: Ask, name: str) -> None:
    question = dns.message.make_query(name, "A")
    answer = dns.message.from_wire(await ask(question.to_wire()))
    if not answer.answer:
        raise ConnectionAbortedError(f"the resolver does not know {name}")


def lookup(name: str, answer: Answer, expected: str = "") -> Datagrams:
    """Ask a resolver for the address of a name."""
    return Datagrams("lookup", 53, answer, partial(_look_up, name=name), name, expected)


def _tell_time(data: bytes) -> bytes:
    if len(data) < _NTP_BYTES or data[0] & 7 != 3:
        return b""
    now = _ntp_time()
    return struct.pack("!BBbbII4s", _NTP_SERVER, 2, 6, -20, 0, 0, b"EXER") + now + data[40:48] + now + now


def _ntp_time() -> bytes:
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return struct.pack("!II", seconds + _NTP_EPOCH_S & 0xFFFFFFFF, (nanoseconds << 32) // 1_000_000_000)


async def _ask_time(ask: Ask) -> None:
    for _ in range(2):
        await ask(bytes([_NTP_CLIENT]) + bytes(39) + _ntp_time())


CLOCK = Datagrams("clock", 123, _tell_time, _ask_time)
"""Ask for the time, twice. Source: RFC 5905 section 7.3."""
