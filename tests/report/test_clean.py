from __future__ import annotations

import pytest

from sentinel.report.clean import clean, clean_all


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("nginx 1.22", "nginx 1.22"),
        ("two\nlines\tone", "two lines one"),
        ("\u202egnp.exe", "‹202E›gnp.exe"),
        ("zero\u200bwidth", "zero‹200B›width"),
        ("\x1b[31mred", "‹001B›[31mred"),
        ("half \ud800 pair", "half ‹D800› pair"),
        ("a\u0301\u0301\u0301\u0301b", "a\u0301\u0301b"),
        ("  trimmed  ", "trimmed"),
        ("中文", "中文"),
    ],
)
def test_clean_when_text_is_foreign_then_nothing_invisible_is_left(raw: str, shown: str) -> None:
    assert clean(raw) == shown


def test_clean_when_text_is_long_then_it_ends_with_an_ellipsis() -> None:
    assert clean("x" * 10_000, 20) == "x" * 20 + "…"


def test_clean_when_text_is_only_combining_marks_then_work_is_bounded() -> None:
    assert len(clean("\u0301" * 1_000_000, 20)) == 2


def test_clean_all_when_there_are_many_then_the_first_are_kept() -> None:
    assert clean_all(("a", "b", "c"), count=2) == ("a", "b")
