"""What really leaves: packets seen by a packet socket on the loopback of a network namespace."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

ROOT = Path(__file__).parents[2]
_ETH_P_ALL = 3
_OUTGOING = 4
_SO_RCVBUFFORCE = 33


@dataclass(frozen=True)
class Packet:
    """One packet as sent: `flags` are those of TCP, 0 for other protocols."""

    time: float
    destination: str
    proto: int
    port: int
    flags: int

    @property
    def is_syn(self) -> bool:
        return self.proto == socket.IPPROTO_TCP and self.flags & 0x12 == 0x02


def _read(data: bytes, moment: float) -> Packet:
    if data[0] >> 4 == 4:
        proto, destination, body = data[9], ip_address(data[16:20]), data[(data[0] & 15) * 4 :]
    else:
        proto, destination, body = data[6], ip_address(data[24:40]), data[40:]
    ported = proto in (socket.IPPROTO_TCP, socket.IPPROTO_UDP)
    port = struct.unpack("!H", body[2:4])[0] if ported else 0
    return Packet(moment, str(destination), proto, port, body[13] if proto == socket.IPPROTO_TCP else 0)


@contextmanager
def capture() -> Iterator[list[Packet]]:
    """Collect every IP packet that leaves through lo while the block runs."""
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
    tap.bind(("lo", _ETH_P_ALL))
    tap.settimeout(0.1)
    packets: list[Packet] = []
    over = threading.Event()

    def listen() -> None:
        while True:
            try:
                data, where = tap.recvfrom(2048)
            except TimeoutError:
                if over.is_set():
                    return
                continue
            if where[2] == _OUTGOING and len(data) >= 20:
                packets.append(_read(data, time.monotonic()))

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        yield packets
    finally:
        over.set()
        listener.join()
        tap.close()


def run_inside(scenario: str, *prefix: str) -> dict[str, object]:
    """Run a scenario of tests/collect/inside.py in a network namespace of its own and give what it prints."""
    command = ["unshare", "--map-root-user", "--net", *prefix, sys.executable, "-m", "tests.collect.inside", scenario]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def raise_loopback() -> None:
    """Switch lo on; a fresh namespace has nothing else."""
    assert [name for _, name in socket.if_nameindex()] == ["lo"], "not in a namespace of its own"
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
