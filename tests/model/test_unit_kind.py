from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.model.unit_kind import (
    UnitKind,
    check_credit_code,
    check_region,
    is_region_code,
    is_unit_code,
    parse_kind,
)

LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
"""As the table of GB 32100-2015 prints them."""


def with_check(body: str) -> str:
    rest = sum(LETTERS.index(letter) * weight for letter, weight in zip(body, WEIGHTS, strict=True)) % 31
    return body + LETTERS[(31 - rest) % 31]


@given(st.text(LETTERS, min_size=17, max_size=17))
def test_credit_code_when_made_by_the_standard_s_table_is_taken(body: str) -> None:
    code = with_check(body)
    assert check_credit_code(f" {code.lower()} ") == code


@given(st.text(LETTERS, min_size=17, max_size=17), st.integers(0, 17), st.sampled_from(LETTERS))
def test_credit_code_when_one_character_is_mistyped_is_refused(body: str, place: int, letter: str) -> None:
    code = with_check(body)
    wrong = code[:place] + letter + code[place + 1 :]
    if wrong != code:
        with pytest.raises(ValueError, match="check character"):
            check_credit_code(wrong)


@pytest.mark.parametrize("code", ["", "1239", "I" * 18, "１" * 18, with_check("1" * 17) + "1"])
def test_credit_code_of_another_form_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="credit code has"):
        check_credit_code(code)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("幼儿园", UnitKind.KINDERGARTEN), ("小学", UnitKind.PRIMARY), ("中等职业学校", UnitKind.VOCATIONAL),
     ("普通高等学校", UnitKind.UNIVERSITY), ("教 育 局", UnitKind.BUREAU), ("AFFILIATED", UnitKind.AFFILIATED)],
)  # fmt: skip
def test_kind_is_read_by_its_words(text: str, kind: UnitKind) -> None:
    assert parse_kind(text) is kind
    assert parse_kind(kind.zh) is kind


def test_kind_nobody_knows_is_refused_and_unknown_has_no_word() -> None:
    with pytest.raises(ValueError, match="no such kind"):
        parse_kind("某种")
    assert UnitKind.UNKNOWN.zh == ""


def test_codes_are_told_by_their_form() -> None:
    assert is_unit_code("4101000001")
    assert not any(map(is_unit_code, ("", "410100001", "41010000011", "４１０１０００００１", "41010000a1")))
    assert is_region_code("410100")
    assert not any(map(is_region_code, ("990000", "4101", "４１０１００", "")))


@pytest.mark.parametrize(("text", "region"), [("410100", "410100"), (" 示例 区 ", "示例 区"), ("", "")])
def test_region_is_a_code_or_a_name(text: str, region: str) -> None:
    assert check_region(text) == region


@pytest.mark.parametrize("text", ["4101", "999999", "x" * 61, "a\x00b"])
def test_region_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="region"):
        check_region(text)
