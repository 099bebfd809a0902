from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

import sentinel
from sentinel.drill.recording.mining import MINING, POOL_WITH_LOOKUP, POOL_WITHOUT_LOOKUP
from sentinel.drill.recording.pcap import RAW_IP, PcapWriter
from sentinel.drill.recording.programs import EDITOR, ELECTRUM, IRC, MAIL, MESSENGER, MQTT
from sentinel.drill.recording.relay import RelayVenue
from sentinel.drill.recording.script import Planned, Script
from sentinel.drill.recording.venue import hold_session
from sentinel.drill.recording.web import (
    chat,
    download,
    ethereum_wallet,
    mining_page,
    office_login,
    page,
    secure_page,
    transmission,
)
from sentinel.traffic import load_pools

SITES = (chat, download, ethereum_wallet, mining_page, office_login, page, secure_page, transmission)
ORDINARY = (EDITOR, ELECTRUM, IRC, MAIL, MESSENGER, MQTT, *(make("www.example") for make in SITES))
CLIENT, SERVER = IPv4Address("10.77.1.1"), IPv4Address("10.77.2.1")
FEED = Path(sentinel.__file__).parents[1] / "rules" / "feeds" / "pools.csv"


def hold(script: Script) -> int:
    """Hold one conversation through a relay; gives the packets it made."""
    writer = PcapWriter(io.BytesIO(), RAW_IP)
    asyncio.run(hold_session(RelayVenue(writer), [Planned(script, CLIENT, 40_000, SERVER)]))
    return writer.packets


@pytest.mark.parametrize("script", [*MINING, *ORDINARY], ids=lambda script: script.name)
def test_script_when_held_ends_on_both_sides(script):
    assert hold(script) >= 3 + 2 * 2 + 4  # opened, a request, an answer, closed


@pytest.mark.parametrize("script", [*MINING, *ORDINARY], ids=lambda script: script.name)
def test_client_when_the_server_hangs_up_raises(script):
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if script is not MAIL:  # there the server speaks first
            await reader.read(1)

    with pytest.raises(OSError):
        hold(replace(script, serve=hang_up))


def test_mining_has_every_family_and_both_ways_to_hide():
    families = {"stratum", "ethproxy", "cryptonote", "getwork", "getblocktemplate", "websocket"}
    assert {script.family for script in MINING} == families
    assert {script.expected for script in MINING if not script.is_encrypted} == {"mining"}
    assert {script.expected for script in MINING if script.is_encrypted} == {"name"}
    assert len({script.name for script in (*MINING, *ORDINARY)}) == len(MINING) + len(ORDINARY)


@pytest.mark.parametrize("name", [POOL_WITH_LOOKUP, POOL_WITHOUT_LOOKUP])
def test_name_of_a_pool_stands_in_the_feed(name):
    assert load_pools(FEED).match(name).domain == name
