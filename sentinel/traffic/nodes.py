"""The first bytes of a stream in, the kind of full node that speaks them out."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

BITCOIN_NETWORKS: dict[bytes, str] = {
    b"\xf9\xbe\xb4\xd9": "BTC",
    b"\x0b\x11\x09\x07": "BTC",
    b"\x1c\x16\x3f\x28": "BTC",
    b"\x0a\x03\xcf\x40": "BTC",
    b"\xfa\xbf\xb5\xda": "BTC",
    b"\xfb\xc0\xb6\xdb": "LTC",
    b"\xe3\xe1\xf3\xe8": "BCH",
    b"\xc0\xc0\xc0\xc0": "DOGE",
    b"\xbf\x0c\x6b\xbd": "DASH",
    b"\x24\xe9\x27\x64": "ZEC",
}
"""Network magic as it stands on the wire (BTC: main, test 3, test 4, signet, regtest).

Source: chainparams.cpp of each node.
"""

VERSION_COMMAND = b"version\0\0\0\0\0"
"""The first command of every peer; Source: developer.bitcoin.org, P2P network, message headers."""

LEVIN_SIGNATURE = b"\x01\x21\x01\x01\x01\x01\x01\x01"
"""0x0101010101012101, low byte first. Source: Monero contrib/epee/include/net/levin_base.h."""

_MONERO_MAIN = bytes.fromhex("1230f171610441611731008216a1a110")
_LEVIN_COMMANDS = frozenset({1001, 1002, 1003, 1004, 1005, 1006, 1007, *range(2001, 2011)})
_COMMAND = re.compile(rb"[a-z][a-z0-9]{1,11}\0*\Z")
_VERSION_BYTES = range(85, 2000)


@dataclass(frozen=True, slots=True)
class Node:
    """A full node's greeting.

    Attributes:
        family: `bitcoin` for it and its relatives, `levin` for Monero's.
        coin: empty when the network is not known.
        certainty: 1 for a known network.
        text: what was seen, for people.
    """

    family: str
    coin: str
    certainty: float
    text: str


def parse_node(head: bytes) -> Node | None:
    """Read a message header of a bitcoin-like or Monero node; None for everything else."""
    if head.startswith(LEVIN_SIGNATURE):
        return _levin(head)
    if len(head) < 20 or not _COMMAND.match(head[4:16]):
        return None
    coin = BITCOIN_NETWORKS.get(head[:4])
    command = head[4:16].rstrip(b"\0").decode("ascii")
    (size,) = struct.unpack_from("<I", head, 16)
    if coin is not None:
        return Node("bitcoin", coin, 1.0, f"magic {head[:4].hex()} command {command} length {size}")
    if head[4:16] == VERSION_COMMAND and size in _VERSION_BYTES and 60_000 <= _protocol_version(head) < 100_000_000:
        return Node("bitcoin", "", 0.9, f"unknown magic {head[:4].hex()} command version length {size}")
    return None


def _protocol_version(head: bytes) -> int:
    return int.from_bytes(head[24:28], "little")


def _levin(head: bytes) -> Node | None:
    """A Levin header: signature, size, wants-answer flag, command, return code, flags, protocol version 1."""
    if len(head) < 33:
        return None
    size, wants_answer, command, _, _, version = struct.unpack_from("<QBIiII", head, 8)
    if version != 1 or wants_answer > 1 or command not in _LEVIN_COMMANDS or size > 100_000_000:
        return None
    coin = "XMR" if _MONERO_MAIN in head else ""
    return Node("levin", coin, 1.0, f"levin signature 0101010101012101 command {command} length {size}")
