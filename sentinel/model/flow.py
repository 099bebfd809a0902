"""What the search of traffic finds: mining flows, suspects, nodes and names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FlowClass(StrEnum):
    """What a flow is: mining proven by payload, suspect, a full node, or only a name."""

    MINING = "mining"
    SUSPECT = "suspect"
    NODE = "node"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class FlowDetection:
    """One flow found in a capture (for `name`: one host and name).

    Attributes:
        file: path as given.
        host: address of the miner's side, also when the start was not captured.
        host_port: its port; None for names.
        peer: address of the pool, node or resolver.
        peer_port: its port; None where there is none.
        family: `stratum`, `ethproxy`, `cryptonote`, `getwork`, `getblocktemplate`, `websocket`, `dns`, `tls` …
        flow_class: mining, suspect, node or name.
        certainty: 0 to 1; 1 only for payload that nothing else speaks.
        coin: e.g. `XMR`; empty when it cannot be told.
        first_seen: first packet; None when the capture's times are impossible.
        last_seen: last packet.
        packets: packets of the flow, both directions.
        payload_bytes: bytes on the wire, both directions.
        evidence: the proving bytes as printable text, at most 300 characters, wallets and passwords masked.
        name: domain name, for names and TLS; else empty.
        agent: miner software as it named itself.
        wallet: masked wallet or login, e.g. `43AR…9kQd`.
    """

    file: str
    host: str
    host_port: int | None
    peer: str
    peer_port: int | None
    family: str
    flow_class: FlowClass
    certainty: float
    coin: str = ""
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    packets: int = 0
    payload_bytes: int = 0
    evidence: str = ""
    name: str = ""
    agent: str = ""
    wallet: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A capture file, or a part of it, that could not be read.

    Attributes:
        file: path as given.
        reason: one line for people.
        fatal: nothing of the file was read.
    """

    file: str
    reason: str
    fatal: bool = True
