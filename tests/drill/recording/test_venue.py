from __future__ import annotations

import asyncio
import io
import os
import socket
import time
from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from sentinel.drill.recording import datagram, venue
from sentinel.drill.recording.datagram import open_answering, open_asking
from sentinel.drill.recording.lookup import CLOCK
from sentinel.drill.recording.mining import MINING
from sentinel.drill.recording.pcap import RAW_IP, PcapWriter
from sentinel.drill.recording.programs import MAIL
from sentinel.drill.recording.relay import RelayVenue
from sentinel.drill.recording.script import Planned, Script
from sentinel.drill.recording.venue import DirectVenue, Venue, hold_session
from sentinel.drill.recording.web import secure_page

SERVER = IPv4Address(f"127.79.{100 + os.getpid() % 100}.1")  # tests may run in several processes at once
CLIENT = SERVER + 1
PLAN = [
    Planned(replace(script, port=free), CLIENT + number, 0, SERVER)
    for number, (script, free) in enumerate([(MAIL, 47_001), (MAIL, 47_001), (CLOCK, 47_002), (CLOCK, 47_002)], 1)
]
SECURE = [
    Planned(replace(secure_page(name), port=port), CLIENT, 0, SERVER)
    for name, port in (("www.example", 47_003), ("news.example", 47_005), ("www.example", 47_006))
]
XMRIG = [replace(script, port=47_004) for script in MINING if script.name == "xmrig"]


def relay() -> RelayVenue:
    return RelayVenue(PcapWriter(io.BytesIO(), RAW_IP))


@pytest.mark.parametrize("make", [DirectVenue, relay])
def test_session_when_held_gives_its_conversations_and_leaves_nothing_listening(make):
    held = asyncio.run(hold_session(make(), [*PLAN, *SECURE]))
    assert held == tuple(one.conversation for one in (*PLAN, *SECURE))
    for one in held:
        kind = socket.SOCK_STREAM if one.proto == "tcp" else socket.SOCK_DGRAM
        with socket.socket(socket.AF_INET, kind) as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, one.proto == "tcp")
            again.bind((one.server, one.server_port))


def test_session_when_relayed_closes_its_relays():
    class Watched(RelayVenue):
        async def connect(self, planned, script):
            reader, writer = await super().connect(planned, script)
            ports.append(writer.get_extra_info("peername")[1])
            return reader, writer

    ports: list[int] = []
    asyncio.run(hold_session(Watched(PcapWriter(io.BytesIO(), RAW_IP)), PLAN[:2]))
    assert len(ports) == 2
    for port in ports:
        with socket.socket() as knocking, pytest.raises(ConnectionRefusedError):
            knocking.connect(("127.0.0.1", port))


@pytest.mark.parametrize("make", [DirectVenue, relay])
def test_session_when_a_server_never_answers_ends_by_its_timeout(make, monkeypatch):
    async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    monkeypatch.setattr(venue, "SESSION_TIMEOUT_S", 0.3)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(hold_session(make(), [Planned(replace(XMRIG[0], serve=stay_silent), CLIENT, 0, SERVER)]))
    assert time.monotonic() - began < 30


def test_session_when_a_port_is_taken_raises():
    with socket.create_server((str(SERVER), 47_001)), pytest.raises(OSError, match="47001"):
        asyncio.run(hold_session(DirectVenue(), PLAN))


@pytest.mark.parametrize("make", [DirectVenue, relay])
def test_session_when_nobody_answers_a_datagram_raises(make, monkeypatch):
    monkeypatch.setattr(datagram, "ANSWER_S", 0.2)
    silent = replace(PLAN[2], script=replace(CLOCK, port=47_002, answer=lambda _: b""))
    with pytest.raises(TimeoutError):
        asyncio.run(hold_session(make(), [silent]))


def test_asking_when_nobody_listens_says_so_before_its_time():
    async def ask() -> bytes:
        transport, asking = await open_asking((str(SERVER), 47_002), (str(CLIENT), 0), lambda *_: None)
        try:
            return await asking.ask(b"anybody?")
        finally:
            transport.close()

    began = time.monotonic()
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(ask())
    assert time.monotonic() - began < 1


def test_asking_when_answers_nobody_waits_for_come_in_drops_them():
    async def flood() -> int:
        server = await open_answering(lambda data: data, (str(SERVER), 47_002))
        heard: list[bytes] = []
        client, asking = await open_asking(
            (str(SERVER), 47_002), (str(CLIENT), 0), lambda side, data: heard.append(data) if side else None
        )
        for number in range(50):
            client.sendto(b"%d" % number)
        while len(heard) < 50:
            await asyncio.sleep(0.01)
        assert await asking.ask(b"last") == b"0"
        client.close()
        server.close()
        return len(heard)

    assert asyncio.run(asyncio.wait_for(flood(), 5)) >= 50


def test_tls_when_the_client_expects_another_name_is_refused():
    class Wrong(DirectVenue):
        async def connect(self, planned: Planned, script: Script):
            return await super().connect(planned, replace(script, domain="other.example"))

    wrong: Venue = Wrong()
    with pytest.raises(OSError, match=r"other\.example"):
        asyncio.run(hold_session(wrong, SECURE[:1]))
