from __future__ import annotations

import struct

import pytest

from sentinel.model.flow import FlowClass
from sentinel.traffic.nodes import parse_node
from tests.traffic.build import MINER, SUBSCRIBE, connection, hunt_packets, only


def bitcoin(magic: str, command: bytes, payload: bytes = bytes(100)) -> bytes:
    return bytes.fromhex(magic) + command.ljust(12, b"\0") + struct.pack("<I", len(payload)) + bytes(4) + payload


VERSION = struct.pack("<I", 70_016) + bytes(98)


def levin(command: int, *, version: int = 1, answer: int = 1, payload: bytes = b"") -> bytes:
    head = bytes.fromhex("0121010101010101") + struct.pack("<QBIiII", len(payload), answer, command, 0, 1, version)
    return head + payload


@pytest.mark.parametrize(
    ("greeting", "family", "coin", "certainty"),
    [
        (bitcoin("f9beb4d9", b"version", VERSION), "bitcoin", "BTC", 1.0),
        (bitcoin("0b110907", b"version", VERSION), "bitcoin", "BTC", 1.0),
        (bitcoin("fbc0b6db", b"verack"), "bitcoin", "LTC", 1.0),
        (bitcoin("c0c0c0c0", b"inv"), "bitcoin", "DOGE", 1.0),
        (bitcoin("01020304", b"version", VERSION), "bitcoin", "", 0.9),
        (levin(1001), "levin", "", 1.0),
        (levin(1001, payload=bytes(9) + bytes.fromhex("1230f171610441611731008216a1a110")), "levin", "XMR", 1.0),
        (levin(2002, answer=0), "levin", "", 1.0),
    ],
)
def test_full_node_is_a_class_of_its_own(tmp_path, greeting, family, coin, certainty):
    for cut in (len(greeting), 1, 4, 7, 12):
        turns = [("c", greeting[:cut]), ("c", greeting[cut:])] if cut < len(greeting) else [("c", greeting)]
        found = only(hunt_packets(tmp_path, connection(turns, sport=8333)))
        assert (found.family, found.coin, found.certainty) == (family, coin, certainty)
        assert (found.flow_class, found.host, found.wallet) == (FlowClass.NODE, MINER, "")


@pytest.mark.parametrize(
    "greeting",
    [
        bitcoin("01020304", b"verack"),
        bitcoin("01020304", b"version", bytes(100)),
        bitcoin("01020304", b"version", VERSION[:20]),
        bitcoin("f9beb4d9", b"VERSION"),
        bitcoin("f9beb4d9", b"version")[:19],
        levin(1001, version=2),
        levin(999),
        levin(1001, answer=7),
        levin(1001)[:32],
        b"",
    ],
)
def test_parse_node_when_others_speak_gives_none(greeting):
    assert parse_node(greeting) is None


def test_flow_when_a_node_connection_also_mines_is_mining(tmp_path):
    turns = [("c", bitcoin("f9beb4d9", b"version", VERSION)), ("s", SUBSCRIBE)]
    assert only(hunt_packets(tmp_path, connection(turns))).flow_class is FlowClass.MINING
