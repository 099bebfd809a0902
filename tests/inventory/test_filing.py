from __future__ import annotations

import pytest

from sentinel.inventory.filing import filing_province, parse_app_filing, parse_filing, parse_icp, parse_police


@pytest.mark.parametrize(
    "text", ["41010012345-00001", "4101001234500001", "４１０１００１２３４５－００００１", " 41010012345 — 00001 "]
)
def test_filing_of_every_way_of_writing_is_one_form(text: str) -> None:
    assert parse_filing(text) == "41010012345-00001"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("4101001234-00001", "11 digits"),
        ("41010012345-0001", "11 digits"),
        ("已备案", "11 digits"),
        ("", "11 digits"),
        ("99010012345-00001", "no province"),
        ("00010012345-00001", "no province"),
    ],
)
def test_filing_of_another_shape_or_province_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_filing(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("豫ICP备12345678号-1", "豫ICP备12345678号-1"),
        ("豫icp备12345678", "豫ICP备12345678号"),
        ("京ICP证030173号", "京ICP证030173号"),
        ("吉ＩＣＰ备 05000001 号", "吉ICP备05000001号"),
    ],
)
def test_icp_number_is_read(text: str, told: str) -> None:
    assert parse_icp(text) == told


@pytest.mark.parametrize("text", ["京12345", "申ICP备12345678号", "豫ICP备123号", "ICP备12345678号"])
def test_icp_number_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no ICP number"):
        parse_icp(text)


def test_police_number_must_name_one_province() -> None:
    assert parse_police("豫公网安备 41010002000001号") == "豫公网安备41010002000001号"
    with pytest.raises(ValueError, match="different provinces"):
        parse_police("豫公网安备22010002000001号")
    with pytest.raises(ValueError, match="no police filing number"):
        parse_police("豫公网安备4101号")


def test_app_number_must_begin_with_a_province() -> None:
    assert parse_app_filing("教app备4100001") == "教APP备4100001号"
    for text in ("教APP备9900001号", "教APP备41号"):
        with pytest.raises(ValueError, match="education app"):
            parse_app_filing(text)


def test_province_of_a_filing_is_a_hint_only() -> None:
    assert filing_province("41010012345-00001") == "河南"
    assert filing_province("99") == ""
