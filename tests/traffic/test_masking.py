from __future__ import annotations

import pytest

from sentinel.traffic.coins import coin_of_address, coin_of_algorithm
from sentinel.traffic.masking import mask_login, mask_text, printable

XMR = "8" + "B" * 94


@pytest.mark.parametrize(
    ("login", "masked"),
    [
        (XMR, "8BBB…BBBB"),
        (XMR + ".rig+5000", "8BBB…BBBB"),
        ("BTC:bc1q" + "x" * 38 + ".w#promo", "bc1q…xxxx"),
        ("0x" + "ab" * 20 + "/name@example.org", "0xab…abab"),
        ("student01", "st…"),
        ("ab", "…"),
        ("", "…"),
    ],
)
def test_mask_login_keeps_little_enough(login, masked):
    assert mask_login(login) == masked


def test_mask_text_when_strings_are_no_json_leaves_them():
    assert mask_text('"bad \\q escape" "secret"', [], ["secret"]) == '"bad \\q escape" "***"'


def test_mask_text_when_an_address_stands_anywhere_masks_it():
    assert mask_text(f"GET /{XMR}/stats and 0x{'cd' * 20}", [], []) == "GET /8BBB…BBBB/stats and 0xcd…cdcd"


def test_printable_when_text_holds_controls_shows_points():
    assert printable("a\r\nb\x00\x1b[1mc\u202e") == "a  b..[1mc."


@pytest.mark.parametrize(
    ("text", "coin"),
    [
        (XMR, "XMR"),
        ("4" + "B" * 105, "XMR"),
        ("4" + "B" * 96, ""),
        ("bitcoincash:q" + "x" * 41, "BCH"),
        ("R" + "x" * 33, "RVN"),
        ("D" + "x" * 33, "DOGE"),
        ("L" + "x" * 33, "LTC"),
        ("3" + "x" * 33, "BTC"),
        ("worker", ""),
    ],
)
def test_coin_of_address_goes_by_its_shape(text, coin):
    assert coin_of_address(text) == coin


@pytest.mark.parametrize(("name", "coin"), [("RX/0", "XMR"), ("etchash", "ETC"), ("sha256d", ""), ("", "")])
def test_coin_of_algorithm_is_exact(name, coin):
    assert coin_of_algorithm(name) == coin
