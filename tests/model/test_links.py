"""What stands in a web address for one visitor is left out, and that it stood there is told."""

from __future__ import annotations

import pytest

from sentinel.model.links import cut_links, cut_request


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://a.example/x?token=abc&user=zhang", "http://a.example/x?…"),
        ("HTTPS://a.example/x#/me/zhang", "HTTPS://a.example/x?…"),
        (
            "见 https://u:p@a.example:8443/x?y=1，再看 http://b.example/z。",
            "见 https://a.example:8443/x?…，再看 http://b.example/z。",
        ),
        ("转到（http://a.example/?ticket=ST-1）后", "转到（http://a.example/?…）后"),
        ("redis://:secret@10.0.0.5:6379/0", "redis://10.0.0.5:6379/0"),
        ("http://a.example/x?", "http://a.example/x?"),
        ("http://a.example/x?…", "http://a.example/x?…"),
        ("为什么? 因为 #1", "为什么? 因为 #1"),
        ("a@b.example 见 //c?d", "a@b.example 见 //c?d"),
        ("", ""),
    ],
)
def test_query_fragment_and_account_of_a_web_address_are_left_out(text: str, expected: str) -> None:
    assert cut_links(text) == expected
    assert cut_links(expected) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("POST /work?user=zhang HTTP/1.1", "POST /work?… HTTP/1.1"),
        ("POST / HTTP/1.1", "POST / HTTP/1.1"),
        ("HTTP/1.1 200 OK", "HTTP/1.1 200 OK"),
    ],
)
def test_query_of_a_request_is_left_out(line: str, expected: str) -> None:
    assert cut_request(line) == expected
