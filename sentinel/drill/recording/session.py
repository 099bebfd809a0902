"""A session of made conversations in, its packets as a capture file and the truth about them out.

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
from pathlib import Path

from sentinel.drill.place.namespace import NamespaceRefusedError, Sniffer, die_with_parent, enter_namespace
from sentinel.drill.recording.mining import Conversation, LoopbackVenue, hold_session
from sentinel.drill.recording.pcap import ETHERNET, RAW_IP, PcapWriter
from sentinel.drill.recording.relay import RelayVenue
from sentinel.errors import CollectError

NAMESPACE, RELAY = "namespace", "relay"
TIMEOUT_S = 20.0
_REFUSED_STATUS = 75
_PREFIX = "10.77"


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded session.

    Attributes:
        path: the capture file.
        mode: `namespace` (real packets) or `relay` (made-up headers around real bytes).
        packets: packets in the file.
        conversations: what was held: the truth to compare findings with.
    """

    path: Path
    mode: str
    packets: int
    conversations: tuple[Conversation, ...]


def record_session(out: Path, mode: str | None = None) -> Recording:
    """Hold all conversations of the exercise and record them into `out` (pcap); takes a few seconds.

    Without `mode` a namespace is tried first, then the relay.

    Raises:
        CollectError: no way worked, or it took longer than TIMEOUT_S.
    """
    if mode is not None:
        return _record(out, mode)
    try:
        return _record(out, NAMESPACE)
    except NamespaceRefusedError:
        return _record(out, RELAY)


def _record(out: Path, mode: str) -> Recording:
    """Record in a process of its own, which dies with this one.

    Raises:
        NamespaceRefusedError: this machine gives no namespaces to its users.
        CollectError: anything else failed.
    """
    package_root = str(Path(__file__).resolve().parents[3])
    try:
        done = subprocess.run(
            [sys.executable, "-m", "sentinel.drill.recording.session", mode, str(out), str(os.getpid())],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([package_root, *filter(None, sys.path)])},
            stdin=subprocess.DEVNULL,
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
    return Recording(out, mode, told["packets"], conversations)


async def _hold_sniffed(out: Path) -> tuple[int, tuple[Conversation, ...]]:
    with out.open("wb") as stream, Sniffer(PcapWriter(stream, ETHERNET)) as sniffer:
        conversations = await hold_session(LoopbackVenue(_PREFIX, fixed_ports=True))
        await asyncio.sleep(0.1)  # the last segments of closing connections
        sniffer.read_waiting()
        return sniffer.packets, conversations


async def _hold_relayed(out: Path) -> tuple[int, tuple[Conversation, ...]]:
    with out.open("wb") as stream:
        venue = RelayVenue(PcapWriter(stream, RAW_IP), _PREFIX)
        conversations = await hold_session(venue)
        await venue.close()
        return venue.packets, conversations


def main(arguments: list[str]) -> int:
    """Record in this process: mode, file and parent's process id; tells packets and conversations as JSON."""
    mode, out, parent = arguments
    die_with_parent(int(parent))
    try:
        if mode == NAMESPACE:
            enter_namespace(f"{_PREFIX}.0.1", "255.255.0.0")
            packets, conversations = asyncio.run(_hold_sniffed(Path(out)))
        else:
            packets, conversations = asyncio.run(_hold_relayed(Path(out)))
    except NamespaceRefusedError as error:
        sys.stderr.write(f"{error}\n")
        return _REFUSED_STATUS
    except (OSError, TimeoutError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    sys.stdout.write(json.dumps({"packets": packets, "conversations": [asdict(held) for held in conversations]}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
