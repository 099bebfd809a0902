from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import sentinel
from sentinel.drill.servers.conversation import SESSION_BYTES
from sentinel.drill.servers.door import converse
from sentinel.drill.servers.pool import pool

ROOT = Path(sentinel.__file__).parents[1]
POOL = pool(3333)
SUBSCRIBE = b'{"id": 1, "method": "mining.subscribe", "params": ["x"]}\n'


class Peer:
    """A scripted client: what it says, one piece a read, and what it heard."""

    def __init__(self, pieces: tuple[bytes, ...]) -> None:
        self._pieces = list(pieces)
        self.heard = b""

    async def read(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    async def write(self, words: bytes) -> None:
        self.heard += words


def speak(*pieces: bytes) -> list[dict[str, object]]:
    """Talk to the pool; gives what it says after its greeting."""
    peer = Peer(pieces)
    asyncio.run(converse(POOL, peer))
    greeting, *rest = [json.loads(line) for line in peer.heard.splitlines()]
    assert greeting["method"] == "mining.notify"
    return rest


def test_pool_when_a_miner_subscribes_grants_and_gives_work():
    said = speak(
        SUBSCRIBE,
        b'{"id": 2, "method": "mining.authorize", "params": ["a", "b"]}\n',
        b'{"id": 3, "method": "mining.submit", "params": []}\n',
        b'{"id": 4, "method": "mining.extranonce.subscribe"}\n',
        b'{"id": 5, "method": "mining.configure"}\n',
    )
    assert [(one["id"], one.get("method")) for one in said] == [
        (1, None),
        (2, None),
        (None, "mining.set_difficulty"),
        (None, "mining.notify"),
        (3, None),
        (None, "mining.notify"),
        (4, None),
        (5, None),
    ]
    assert said[0]["result"][0][1] == ["mining.notify", "n1"]
    assert [one["result"] for one in said if one["id"] in (2, 3, 4)] == [True] * 3
    assert said[-1]["error"][0] == 20
    jobs = [one["params"][0] for one in said if one.get("method") == "mining.notify"]
    assert len(set(jobs)) == len(jobs) == 2


@pytest.mark.parametrize("cut", range(1, len(SUBSCRIBE)))
def test_pool_when_a_request_comes_in_parts_answers_once(cut):
    assert len(speak(SUBSCRIBE[:cut], SUBSCRIBE[cut:])) == 1


@pytest.mark.parametrize(
    "words",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"\r\n\r\n",
        b"[1]\n",
        b'"mining.subscribe"\n',
        b'{"id": 1}\n',
        b'{"id": 1, "method": 7}\n',
        b'{"id": [], "method": "mining.subscribe"}\n',
        b"[" * 16_000 + b"\n",
        b"\xff\xfe\n",
        b"x" * (SESSION_BYTES + 1),
        b'{"id": ' + b"9" * 5000 + b', "method": "mining.subscribe"}\n',
    ],
    ids=lambda words: repr(words[:24]),
)
def test_pool_when_told_what_no_miner_says_hangs_up(words):
    assert speak(words, SUBSCRIBE) == []


@given(st.lists(st.binary(max_size=200), max_size=6))
@example([SUBSCRIBE * 3000])
def test_pool_whatever_it_is_told_says_only_lines_of_json(pieces):
    assert all(isinstance(one, dict) for one in speak(*pieces))


def test_pool_when_asked_without_end_ends_the_session():
    assert len(speak(*[SUBSCRIBE * 50] * 30)) == 1000


SERVE = """
import asyncio, sys
from ipaddress import IPv4Address
from sentinel.drill.servers.door import Door, reserve
from sentinel.drill.servers.pool import pool

async def serve():
    for port in (3333, 13333):
        await Door(reserve(IPv4Address("127.0.0.1"), port), pool(3333), None).open()
    words = "nmap -Pn -n -sT -sV --version-intensity 7 --script ssl-cert,http-title -p 3333,13333 -oX - 127.0.0.1"
    nmap = await asyncio.create_subprocess_exec(*words.split(), stdin=asyncio.subprocess.DEVNULL)
    sys.exit(await nmap.wait())

asyncio.run(serve())
"""


@pytest.mark.nmap
@pytest.mark.namespace
def test_pool_when_scanned_is_what_it_says_on_every_port_and_soon():
    command = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable, "-c", SERVE]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=240, check=True)
    services = ElementTree.fromstring(done.stdout).findall(".//port/service")
    seen = [(one.get("name"), one.get("product"), one.get("version", "")) for one in services]
    assert seen == [(POOL.seen.service, POOL.seen.product, POOL.seen.version)] * 2
    assert POOL.elsewhere is None
