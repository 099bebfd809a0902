"""Algorithms and shapes of addresses in, the coin out, where it can be told."""

from __future__ import annotations

import re

_BASE58 = "[1-9A-HJ-NP-Za-km-z]"

ADDRESS_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("XMR", re.compile(rf"\b[48]{_BASE58}{{94}}(?:{_BASE58}{{11}})?\b")),
    ("KAS", re.compile(r"\bkaspa:[02-9ac-hj-np-z]{61,63}\b")),
    ("BCH", re.compile(r"\bbitcoincash:[02-9ac-hj-np-z]{42}\b")),
    ("BTC", re.compile(r"\bbc1[02-9ac-hj-np-z]{38,71}\b")),
    ("LTC", re.compile(r"\bltc1[02-9ac-hj-np-z]{38,71}\b")),
    ("ETH", re.compile(r"\b0x[0-9a-fA-F]{40}\b")),
    ("ZEC", re.compile(rf"\bt[13]{_BASE58}{{33}}\b")),
    ("RVN", re.compile(rf"\bR{_BASE58}{{33}}\b")),
    ("DOGE", re.compile(rf"\bD{_BASE58}{{33}}\b")),
    ("LTC", re.compile(rf"\b[LM]{_BASE58}{{33}}\b")),
    ("BTC", re.compile(rf"\b[13]{_BASE58}{{25,34}}\b")),
)
"""Coin and the shape of its addresses, the more special one first. Shapes only: no checksum is computed."""

_ALGORITHMS: tuple[tuple[str, str], ...] = (
    ("rx/0", "XMR"),
    ("randomx", "XMR"),
    ("cn/r", "XMR"),
    ("rx/wow", "WOW"),
    ("cn/gpu", "RYO"),
    ("kawpow", "RVN"),
    ("etchash", "ETC"),
    ("ethash", "ETH"),
    ("kheavyhash", "KAS"),
    ("autolykos2", "ERG"),
    ("ghostrider", "RTM"),
    ("verushash", "VRSC"),
    ("equihash", "ZEC"),
)
"""Algorithm names of XMRig and others, exact, with the coin that is mined with each nearly always."""


def coin_of_algorithm(name: str) -> str:
    """Give the coin an algorithm stands for; empty when it is unknown or serves many coins."""
    return dict(_ALGORITHMS).get(name.lower(), "")


def coin_of_address(text: str) -> str:
    """Give the coin whose addresses look like one in `text`; empty for none."""
    for coin, shape in ADDRESS_SHAPES:
        if shape.search(text):
            return coin
    return ""
