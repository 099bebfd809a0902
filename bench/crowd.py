"""Measure the crowd itself: seconds to start, memory, and packets per second it answers; medians of three crowds each.

Run `.venv/bin/python bench/crowd.py`; it enters a user and network namespace of its own. A blaster writes SYN frames to
the wire for a second as fast as one Python process can, and the interface counts what comes back; the blaster and the
kernel that answers share a core, so the figures are what the range stands at least. masscan 1.3.2 is no measure here:
its receiver hangs on a virtual cable that has gone quiet.
"""

from __future__ import annotations

import socket
import statistics
import struct
import time
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from sentinel.drill.crowd.plan import Crowd, plan_crowd
from sentinel.drill.crowd.population import Closed
from sentinel.drill.crowd.rules import SCANNER_MAC
from sentinel.drill.crowd.running import RunningCrowd, start_crowd
from sentinel.drill.place.namespace import leave_network

ROUNDS = 3
BLAST_S = 1.0
SIZES = ((IPv4Network("10.32.0.0/24"), 143), (IPv4Network("10.32.0.0/20"), 1415))
DELAY_MS = 5.0
CLOSED_PORT = 7

Target = tuple[IPv4Address, int]


def checksum(data: bytes) -> int:
    """Add up 16-bit words in one's complement. Source: RFC 1071."""
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def syn(running: RunningCrowd, target: Target, source_port: int) -> bytes:
    """Write a whole Ethernet frame with a SYN."""
    address, port = target
    own = running.crowd.scanner
    ends = own.packed + address.packed
    segment = struct.pack(">HHIIBBHHH", source_port, port, source_port, 0, 0x50, 2, 1024, 0, 0)
    total = checksum(ends + struct.pack(">HH", 6, len(segment)) + segment)
    segment = segment[:16] + struct.pack(">H", total) + segment[18:]
    head = struct.pack(">BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0) + ends
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    macs = bytes.fromhex((running.router_mac + SCANNER_MAC).replace(":", ""))
    return macs + b"\x08\x00" + head + segment


def received() -> int:
    """Count the packets that came in on the crowd's wire."""
    rows = Path("/proc/self/net/dev").read_text(encoding="ascii").split("\n")
    row = next(row for row in rows if row.strip().startswith("crowd0:"))
    return int(row.partition(":")[2].split()[1])


def blast(running: RunningCrowd, targets: list[Target]) -> tuple[float, float]:
    """Send SYNs for a second; packets per second that went out, and share that was answered."""
    frames = [syn(running, targets[number % len(targets)], 40_000 + number % 20_000) for number in range(20_000)]
    before, sent = received(), 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((running.interface, 0))
        begun = time.perf_counter()
        while time.perf_counter() - begun < BLAST_S:
            for frame in frames[sent % 20_000 : sent % 20_000 + 500]:
                wire.send(frame)
            sent += 500
        seconds = time.perf_counter() - begun
    time.sleep(0.3)
    return sent / seconds, (received() - before) / sent


def groups(crowd: Crowd) -> dict[str, list[Target]]:
    """Name three groups of targets: empty addresses, closed ports that reset, open ports."""
    used = {host.address for host in crowd.hosts} | {crowd.scanner, crowd.router}
    return {
        "silence": [(address, CLOSED_PORT) for address in crowd.base.hosts() if address not in used],
        "reset": [
            (host.address, CLOSED_PORT) for host in crowd.hosts if host.closed is Closed.RST and not host.is_tarpit
        ],
        "open": [(row.address, row.port) for row in crowd.truth()],
    }


def measure(crowd: Crowd, results: dict[str, list[float]]) -> None:
    """Start one crowd and gather its figures."""
    with start_crowd(crowd) as running:
        results.setdefault("start s", []).append(running.start_s)
        results.setdefault("memory MB", []).append(running.memory_bytes / 1e6)
        for name, targets in groups(crowd).items():
            rate, answered = blast(running, targets)
            results.setdefault(f"{name} packets/s", []).append(rate)
            results.setdefault(f"{name} answered share", []).append(answered)
        begun = time.perf_counter()
    results.setdefault("stop s", []).append(time.perf_counter() - begun)
    with start_crowd(crowd, delay_ms=DELAY_MS) as running:
        rate, answered = blast(running, groups(crowd)["reset"])
        results.setdefault("delayed resets/s", []).append(rate * answered)


def main() -> None:
    """Measure both sizes and print medians."""
    leave_network(as_user=True)
    for base, hosts in SIZES:
        crowd = plan_crowd(base, hosts, seed=1)
        results: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            measure(crowd, results)
        print(f"{base}: {len(crowd.hosts):,} hosts, {len(crowd.truth()):,} open ports, {ROUNDS} rounds")
        for name, values in results.items():
            spread = f"(min {min(values):,.3f}, max {max(values):,.3f})"
            print(f"  {name:24} median {statistics.median(values):12,.3f}  {spread}")


if __name__ == "__main__":
    main()
