from __future__ import annotations

import asyncio
import time

import pytest

from sentinel.drill.recording.mining import SCRIPTS, SESSION_TIMEOUT_S, LoopbackVenue, Script, hold_session


def test_session_when_held_on_loopback_has_every_conversation_in_time():
    began = time.monotonic()
    held = asyncio.run(hold_session(LoopbackVenue()))
    assert time.monotonic() - began < SESSION_TIMEOUT_S
    assert [(c.name, c.family) for c in held] == [(s.name, s.family) for s in SCRIPTS]
    assert {c.family for c in held} >= {"stratum", "ethproxy", "cryptonote", "getwork", ""}
    assert len({(c.client, c.client_port, c.server, c.server_port) for c in held}) == len(SCRIPTS)


def test_session_when_it_ended_leaves_nothing_listening():
    held = asyncio.run(hold_session(LoopbackVenue()))

    async def knock(server: str, port: int) -> None:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(server, port)

    for conversation in held:
        asyncio.run(knock(conversation.server, conversation.server_port))


@pytest.mark.parametrize("name", [script.name for script in SCRIPTS if script.name != "page"])
def test_client_when_the_server_hangs_up_raises(name):
    script = next(script for script in SCRIPTS if script.name == name)

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    broken = Script(name, script.family, script.port, hang_up, script.call)
    if name == "mail":
        broken = Script(name, script.family, script.port, lambda *_: asyncio.sleep(0), script.call)
    with pytest.raises(OSError):
        asyncio.run(hold_session(LoopbackVenue(), [broken]))


def test_session_when_a_server_never_answers_ends_by_its_timeout(monkeypatch):
    monkeypatch.setattr("sentinel.drill.recording.mining.SESSION_TIMEOUT_S", 0.3)

    async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    script = Script("silent", "", 1, stay_silent, SCRIPTS[0].call)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(hold_session(LoopbackVenue(), [script]))
    assert time.monotonic() - began < 3


def test_session_when_the_port_is_taken_raises():
    async def hold_twice() -> None:
        venue = LoopbackVenue("127.78", fixed_ports=True)
        script = Script("held", "", 47_001, SCRIPTS[0].serve, SCRIPTS[0].call)
        async with await venue.listen(1, script, script.serve):
            await hold_session(venue, [script])

    with pytest.raises(OSError):
        asyncio.run(hold_twice())
