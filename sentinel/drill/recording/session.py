"""A cast of hosts in; a capture file of what they say to each other, and the truth about it, out.

In a network namespace of its own (no root needed) the packets are real ones from the loopback interface. Where
namespaces are refused, a relay stands between the ends and writes what it passes on as packets with made-up headers.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from sentinel.drill.place.link import add_address
from sentinel.drill.place.namespace import NamespaceRefusedError, die_with_parent, leave_network
from sentinel.drill.recording.pcap import ETHERNET, RAW_IP, PcapWriter
from sentinel.drill.recording.plan import DEFAULT_CAST, Cast, plan_session
from sentinel.drill.recording.relay import RelayVenue
from sentinel.drill.recording.script import Conversation, Planned
from sentinel.drill.recording.sniffer import Sniffer
from sentinel.drill.recording.venue import DirectVenue, hold_session
from sentinel.errors import CollectError

__all__ = ["NAMESPACE", "RELAY", "TIMEOUT_S", "Cast", "Conversation", "Recording", "record_session"]

NAMESPACE, RELAY = "namespace", "relay"
TIMEOUT_S = 20.0
_REFUSED_STATUS = 75
_LAST_SEGMENTS_S = 0.1


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded session.

    Attributes:
        path: the capture file.
        mode: `namespace` (real packets) or `relay` (made-up headers around real bytes).
        packets: packets in the file.
        conversations: what was held, in the order it began: the truth to compare findings with.
        size_bytes: size of the file.
    """

    path: Path
    mode: str
    packets: int
    conversations: tuple[Conversation, ...]
    size_bytes: int = 0


def record_session(out: Path, *, cast: Cast | None = None, mode: str | None = None, seed: int = 1) -> Recording:
    """Hold all conversations of the exercise and record them into `out` (pcap); takes about six seconds.

    Without `mode` a namespace is tried first, then the relay. The same cast and seed give the same conversations,
    addresses and ports in both.

    Raises:
        CollectError: no way worked, or it took longer than TIMEOUT_S.
    """
    chosen = cast or DEFAULT_CAST
    if mode is not None:
        return _record(out, mode, chosen, seed)
    try:
        return _record(out, NAMESPACE, chosen, seed)
    except NamespaceRefusedError:
        return _record(out, RELAY, chosen, seed)


def _record(out: Path, mode: str, cast: Cast, seed: int) -> Recording:
    """Record in a process of its own, which dies with this one.

    Raises:
        NamespaceRefusedError: this machine gives no namespaces to its users.
        CollectError: anything else failed.
    """
    package_root = str(Path(__file__).resolve().parents[3])
    paths = os.pathsep.join(filter(None, (package_root, os.environ.get("PYTHONPATH", ""))))
    order = {"mode": mode, "out": str(out), "parent": os.getpid(), "seed": seed, "cast": asdict(cast)}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "sentinel.drill.recording.session"],
            env={**os.environ, "PYTHONPATH": paths},
            input=json.dumps(order, default=str).encode(),
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CollectError(f"recording the exercise failed: {error}") from error
    reason = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    if done.returncode == _REFUSED_STATUS:
        raise NamespaceRefusedError(reason)
    if done.returncode:
        raise CollectError(f"recording the exercise failed with status {done.returncode}: {reason}")
    told = json.loads(done.stdout)
    conversations = tuple(Conversation(**row) for row in told["conversations"])
    return Recording(out, mode, told["packets"], conversations, out.stat().st_size)


def _read_cast(row: dict[str, Any]) -> Cast:
    return Cast(
        miners=tuple(IPv4Address(one) for one in row["miners"]),
        others=tuple(IPv4Address(one) for one in row["others"]),
        public=IPv4Address(row["public"]) if row["public"] else None,
        pools=IPv4Network(row["pools"]),
        servers=IPv4Network(row["servers"]),
    )


def _enter_own_network(plan: tuple[Planned, ...]) -> None:
    """Move this process where all addresses of the plan are its own; root may need no user namespace, or get none.

    Raises:
        NamespaceRefusedError: the kernel or its policy refuses.
    """
    try:
        leave_network(as_user=True)
    except NamespaceRefusedError:
        if os.geteuid() != 0:
            raise
        leave_network(as_user=False)
    for address in {one.client for one in plan} | {one.server for one in plan}:
        add_address(address)


async def _hold_sniffed(stream: PcapWriter, plan: tuple[Planned, ...]) -> tuple[Conversation, ...]:
    with Sniffer(stream) as sniffer:
        conversations = await hold_session(DirectVenue(), plan)
        await asyncio.sleep(_LAST_SEGMENTS_S)  # of closing connections
        sniffer.read_waiting()
        return conversations


def _hold(mode: str, out: Path, plan: tuple[Planned, ...]) -> tuple[int, tuple[Conversation, ...]]:
    is_sniffed = mode == NAMESPACE
    if is_sniffed:
        _enter_own_network(plan)
    with out.open("wb") as stream:
        writer = PcapWriter(stream, ETHERNET if is_sniffed else RAW_IP)
        session = _hold_sniffed(writer, plan) if is_sniffed else hold_session(RelayVenue(writer), plan)
        conversations = asyncio.run(session)
        return writer.packets, conversations


def main() -> int:
    """Record in this process as standard input orders; tells packets and conversations as JSON."""
    order = json.load(sys.stdin)
    die_with_parent(order["parent"])
    plan = plan_session(_read_cast(order["cast"]), order["seed"])
    try:
        packets, conversations = _hold(order["mode"], Path(order["out"]), plan)
    except NamespaceRefusedError as error:
        sys.stderr.write(f"{error}\n")
        return _REFUSED_STATUS
    except (OSError, CollectError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    sys.stdout.write(json.dumps({"packets": packets, "conversations": [asdict(held) for held in conversations]}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
