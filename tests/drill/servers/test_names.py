"""Name servers asked by a real client over real sockets, and with messages no client would write."""

import asyncio
import struct
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from typing import TypeVar

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.zone
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.drill.servers.datagram import DatagramDoor, reserve_datagram
from sentinel.drill.servers.door import Door, converse, reserve
from sentinel.drill.servers.names import NameServer, dns_over_tcp, dns_over_udp

ADDRESS = IPv4Address("127.79.2.2")
DOMAIN = "school1.example"
HOSTS: tuple[tuple[str, IPv4Address | IPv6Address], ...] = (
    ("ns1", IPv4Address("10.77.1.2")),
    ("www", IPv4Address("10.77.1.11")),
    ("www", IPv6Address("fd77:0:0:1::11")),
    ("mail", IPv4Address("10.77.1.13")),
)
CLOSED = NameServer("9.18.24", DOMAIN, HOSTS)
TRANSFER = NameServer("9.16.27", DOMAIN, HOSTS, transfer=True)
RESOLVER = NameServer("9.11.4", DOMAIN, HOSTS, recursion=True)
OVER_UDP, OVER_TCP = dns_over_udp(53, RESOLVER), dns_over_tcp(53, TRANSFER)
VERSION_QUERY = b"\0\x06\x01\0\0\x01\0\0\0\0\0\0\x07version\x04bind\0\0\x10\0\x03"
Heard = TypeVar("Heard")


def ask_server(server: NameServer, ask: Callable[[int], Heard]) -> Heard:
    """Run a blocking client in a thread beside the server's two ports of one number."""

    async def play() -> Heard:
        listener = reserve(ADDRESS, 0)
        port = listener.getsockname()[1]
        tcp = Door(listener, dns_over_tcp(53, server), None)
        udp = DatagramDoor(reserve_datagram(ADDRESS, port), dns_over_udp(53, server))
        await tcp.open()
        await udp.open()
        try:
            return await asyncio.wait_for(asyncio.to_thread(ask, port), 20)
        finally:
            await tcp.close()
            await udp.close()

    return asyncio.run(play())


@pytest.mark.parametrize("server", [CLOSED, TRANSFER, RESOLVER], ids=lambda server: server.version)
def test_server_when_asked_over_udp_and_tcp_then_it_knows_its_zone(server: NameServer) -> None:
    query = dns.message.make_query(f"www.{DOMAIN}", "AAAA")

    def ask(port: int) -> tuple[dns.message.Message, dns.message.Message]:
        return (
            dns.query.udp(query, str(ADDRESS), timeout=5, port=port),
            dns.query.tcp(query, str(ADDRESS), timeout=5, port=port),
        )

    for heard in ask_server(server, ask):
        assert heard.rcode() == dns.rcode.NOERROR
        assert heard.flags & dns.flags.AA
        assert bool(heard.flags & dns.flags.RA) is server.recursion
        assert [str(record) for rows in heard.answer for record in rows] == ["fd77:0:0:1::11"]


@pytest.mark.parametrize(
    ("server", "name", "kind", "alone", "code", "records"),
    [
        (CLOSED, "version.bind", "TXT", False, dns.rcode.NOERROR, ['"9.18.24"']),
        (CLOSED, "VERSION.BIND", "TXT", False, dns.rcode.NOERROR, ['"9.18.24"']),
        (CLOSED, "authors.bind", "TXT", False, dns.rcode.REFUSED, []),
        (CLOSED, DOMAIN, "NS", False, dns.rcode.NOERROR, [f"ns1.{DOMAIN}."]),
        (CLOSED, DOMAIN, "MX", False, dns.rcode.NOERROR, [f"10 mail.{DOMAIN}."]),
        (CLOSED, f"none.{DOMAIN}", "A", False, dns.rcode.NXDOMAIN, []),
        (CLOSED, f"mail.{DOMAIN}", "AAAA", False, dns.rcode.NOERROR, []),
        (CLOSED, DOMAIN, "ANY", False, dns.rcode.REFUSED, []),
        (CLOSED, "www.other.invalid", "A", False, dns.rcode.REFUSED, []),
        (TRANSFER, "www.other.invalid", "A", False, dns.rcode.REFUSED, []),
        (RESOLVER, "www.other.invalid", "A", False, dns.rcode.NOERROR, ["192.0.2.80"]),
        (RESOLVER, "www.other.invalid", "AAAA", False, dns.rcode.NOERROR, ["2001:db8::80"]),
        (RESOLVER, "www.other.invalid", "MX", False, dns.rcode.NOERROR, []),
        (RESOLVER, "www.other.invalid", "A", True, dns.rcode.REFUSED, []),
    ],
)
def test_server_when_asked_for_a_record_then_it_gives_what_it_may(
    server: NameServer, name: str, kind: str, alone: bool, code: dns.rcode.Rcode, records: list[str]
) -> None:
    if name.lower().endswith(".bind"):
        query = dns.message.make_query(name, kind, rdclass="CH")
    else:
        query = dns.message.make_query(name, kind, flags=0 if alone else dns.flags.RD)

    heard = ask_server(server, lambda port: dns.query.udp(query, str(ADDRESS), timeout=5, port=port))

    assert heard.rcode() == code
    assert [str(record) for rows in heard.answer for record in rows] == records


def test_resolver_when_the_name_is_its_own_then_it_answers_from_its_zone() -> None:
    query = dns.message.make_query(f"www.{DOMAIN}", "A")

    heard = ask_server(RESOLVER, lambda port: dns.query.udp(query, str(ADDRESS), timeout=5, port=port))

    assert [str(record) for rows in heard.answer for record in rows] == ["10.77.1.11"]


def transferred(server: NameServer, kind: dns.rdatatype.RdataType = dns.rdatatype.AXFR) -> dns.zone.Zone:
    def ask(port: int) -> dns.zone.Zone:
        zone = dns.zone.Zone(f"{DOMAIN}.")
        query = dns.message.make_query(DOMAIN, kind)
        dns.query.inbound_xfr(str(ADDRESS), zone, query, port=port, timeout=5, lifetime=10)
        return zone

    return ask_server(server, ask)


def test_transfer_when_it_is_open_then_the_whole_zone_comes() -> None:
    zone = transferred(TRANSFER)

    addresses = {
        (str(name), str(record))
        for name, _, record in zone.iterate_rdatas()
        if record.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA)
    }
    assert addresses == {(label, str(address)) for label, address in HOSTS}


def test_transfer_when_the_zone_is_large_then_it_comes_in_several_messages() -> None:
    many = tuple((f"pc{number}", IPv4Address("10.77.2.0") + number) for number in range(1, 251))

    zone = transferred(NameServer("9.16.27", DOMAIN, many, transfer=True))

    assert sum(1 for _ in zone.iterate_rdatas()) == 2 + len(many)


@pytest.mark.parametrize("server", [CLOSED, RESOLVER], ids=lambda server: server.version)
def test_transfer_when_it_is_not_open_then_it_is_refused(server: NameServer) -> None:
    with pytest.raises(dns.exception.DNSException, match="REFUSED"):
        transferred(server)


@pytest.mark.parametrize("name", [f"www.{DOMAIN}", "other.example"])
def test_transfer_when_it_is_for_another_name_then_it_is_refused(name: str) -> None:
    query = dns.message.make_query(name, "AXFR")

    heard = ask_server(TRANSFER, lambda port: dns.query.tcp(query, str(ADDRESS), timeout=5, port=port))

    assert heard.rcode() == dns.rcode.REFUSED


def test_transfer_when_asked_over_udp_then_it_is_refused() -> None:
    (answer,) = dns_over_udp(53, TRANSFER).answer(dns.message.make_query(DOMAIN, "AXFR").to_wire())

    assert dns.message.from_wire(answer).rcode() == dns.rcode.REFUSED


def test_udp_when_the_answer_would_be_too_long_then_it_is_cut_and_tcp_has_all_of_it() -> None:
    crowd = NameServer("9.16.27", DOMAIN, tuple(("www", IPv4Address("10.77.2.1") + place) for place in range(40)))
    query = dns.message.make_query(f"www.{DOMAIN}", "A")

    heard, cut = ask_server(crowd, lambda port: dns.query.udp_with_fallback(query, str(ADDRESS), timeout=5, port=port))

    assert cut
    assert len(heard.answer[0]) == 40


@pytest.mark.parametrize(
    ("server", "over_tcp", "over_udp"),
    [
        (CLOSED, (), ()),
        (TRANSFER, ("dns.zone-transfer",), ()),
        (RESOLVER, ("dns.open-resolver",), ("dns.open-resolver",)),
    ],
)
def test_truth_when_the_server_gives_something_away_then_the_ports_that_do_say_so(
    server: NameServer, over_tcp: tuple[str, ...], over_udp: tuple[str, ...]
) -> None:
    assert dns_over_tcp(53, server).flaws == over_tcp
    assert dns_over_udp(53, server).flaws == over_udp


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        pytest.param(b"\0\0\x10\0" + bytes(8), b"\0\0\x90\x84" + bytes(8), id="status"),
        pytest.param(b"\0\1\1\0" + bytes(8), b"\0\1\x81\x81" + bytes(8), id="no-question"),
        pytest.param(b"\0\1\1\0\0\1" + bytes(6) + b"\xc0\x0c", b"\0\1\x81\1" + bytes(8), id="name-in-a-loop"),
        pytest.param(b"\0\1\x81\0\0\1" + bytes(6) + b"\0\0\1\0\1", b"", id="an-answer"),
        pytest.param(b"\0\1\1\0\0\1", b"", id="half-a-header"),
        pytest.param(b"", b"", id="nothing"),
    ],
)
def test_udp_when_the_message_is_no_proper_query_then_it_answers_with_an_error_or_not_at_all(
    message: bytes, answer: bytes
) -> None:
    assert b"".join(OVER_UDP.answer(message)) == answer


class Peer:
    """A scripted TCP client: what it says, one piece a read, and what it heard."""

    def __init__(self, pieces: tuple[bytes, ...]) -> None:
        self._pieces = list(pieces)
        self.heard = b""

    async def read(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    async def write(self, words: bytes) -> None:
        self.heard += words


def framed(message: bytes) -> bytes:
    return struct.pack(">H", len(message)) + message


@pytest.mark.parametrize(
    ("said", "count"),
    [(framed(VERSION_QUERY), 1), (framed(VERSION_QUERY) * 300, 200), (framed(b"short") + framed(VERSION_QUERY), 0)],
)
def test_tcp_when_several_queries_come_then_each_is_answered_up_to_a_limit_and_a_stump_ends_it(
    said: bytes, count: int
) -> None:
    peer = Peer((said,))
    asyncio.run(converse(OVER_TCP, peer))

    assert peer.heard.count(b"\x079.16.27") == count


QUERIES = (
    VERSION_QUERY,
    bytes(2) + b"\x10" + bytes(9),
    dns.message.make_query(f"www.{DOMAIN}", "A", use_edns=0).to_wire(),
    dns.message.make_query(DOMAIN, "IXFR").to_wire(),
    dns.message.make_query("www.other.invalid", "AAAA").to_wire(),
)


@settings(max_examples=300, deadline=None)
@given(
    query=st.sampled_from(QUERIES),
    changes=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=8),
    tail=st.binary(max_size=40),
    kept=st.integers(0, 80),
)
def test_udp_when_a_query_is_changed_anyhow_then_the_answer_stays_small(
    query: bytes, changes: list[tuple[int, int]], tail: bytes, kept: int
) -> None:
    message = bytearray(query)
    for place, byte in changes:
        message[place % len(message)] = byte
    request = bytes(message[:kept] + tail)

    for answer in OVER_UDP.answer(request):
        assert len(answer) <= 3 * len(request)
        with suppress(dns.exception.DNSException):
            assert dns.message.from_wire(answer, question_only=True).flags & dns.flags.QR


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=100), max_size=4))
def test_tcp_when_anything_is_said_then_it_ends_without_a_fault(pieces: list[bytes]) -> None:
    peer = Peer(tuple(framed(piece) for piece in pieces))

    asyncio.run(converse(OVER_TCP, peer))

    assert len(peer.heard) <= 16 * 1024
