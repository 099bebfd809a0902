from __future__ import annotations

import time

import pytest

from sentinel.assess.regex import MAX_PATTERN, compile_regex, escape


def test_compile_regex_when_the_pattern_would_explode_elsewhere_then_it_stays_linear():
    search = compile_regex(r"^(a+)+$")
    start = time.process_time()
    assert search("a" * 50_000 + "b") is False
    assert time.process_time() - start < 1


@pytest.mark.parametrize("pattern", [r"(?=a)", r"(a)\1", "(", "a" * (MAX_PATTERN + 1), "((a{1000}){1000})"])
def test_compile_regex_when_re2_refuses_then_it_raises_value_error(pattern):
    with pytest.raises(ValueError, match=r"\w"):
        compile_regex(pattern)


@pytest.mark.parametrize("text", ["a.b*c", "登录(1)", "[x]^$", ""])
def test_escape_when_quoted_then_it_matches_itself_only(text):
    assert compile_regex(rf"\A{escape(text)}\z")(text)
    assert not compile_regex(rf"\A{escape(text)}\z")(text + "x")
