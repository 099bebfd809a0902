from __future__ import annotations

import json

import pytest

from sentinel.traffic.messages import MOST_OBJECTS, close_cut_json, read_messages


def values(data: bytes) -> list[object]:
    return [message.value for message in read_messages(data)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"   \r\n", []),
        (b'{"a":1}\n{"b":2}\n', [{"a": 1}, {"b": 2}]),
        (b'{"a":1}{"b":2}', [{"a": 1}, {"b": 2}]),
        (b'\0{"a":1},\r\n\r\n{"b":2};', [{"a": 1}, {"b": 2}]),
        (b'[{"a":1},5,{"b":2}]', [{"a": 1}, {"b": 2}]),
        (b'tail","x"]}\n{"b":2}\n', [{"b": 2}]),
        (b'{"a":\n{"b":2}\n', [{"b": 2}]),
        (b'{"a" 1}\n{"b":2}\nrest', [{"b": 2}]),
        (b"no json at all", []),
        (b'{"a":1}\nplain text\n{"b":2}', [{"a": 1}, {"b": 2}]),
        (b'{"a":1,"b":["x","cut', [{"a": 1, "b": ["x"]}]),
        (b'{"a":1,"cut', [{"a": 1}]),
        (b"{", []),
        (b'{"a":"\xff\xfe"}', [{"a": "\ufffd\ufffd"}]),
        (b'{"a":1}\n[[[[1', [{"a": 1}]),
    ],
)
def test_read_messages_when_lines_are_whole_or_cut_gives_the_objects(data, expected):
    assert values(data) == expected


def test_read_messages_when_nested_too_deep_goes_on_with_the_next_line():
    assert values(b'{"a":' + b"[" * 8000 + b'\n{"b":2}') == [{"b": 2}]
    assert values(b'{"a":' + b"[" * 8000) == []
    assert values(b'{"a":' + b"[" * 300 + b"]" * 300 + b'}\n{"b":2}') == [{"b": 2}]


def test_read_messages_when_there_are_very_many_stops():
    assert len(values(b'{"a":1}\n' * 1000)) == MOST_OBJECTS
    assert len(values(json.dumps([{"a": 1}] * 100).encode())) == 32


WHOLE = '{"id": 1, "method": "mining.submit", "params": ["w", -1.5e3, true, null, {"k": [], "\\"q": "\\\\"}]}'


def test_close_cut_json_when_cut_anywhere_gives_json_of_whole_parts_only():
    whole = json.loads(WHOLE)
    for cut in range(len(WHOLE)):
        closed = close_cut_json(WHOLE[:cut])
        if not closed:
            continue
        value = json.loads(closed)
        assert value.get("method", "mining.submit") == "mining.submit"
        for got, expected in zip(value.get("params", []), whole["params"], strict=False):
            assert got == expected or isinstance(got, dict)
    assert json.loads(close_cut_json(WHOLE)) == whole


@pytest.mark.parametrize("text", ["", "]", "{]", "x", '"a"'])
def test_close_cut_json_when_there_is_no_json_gives_nothing_parsable_as_object(text):
    assert close_cut_json(text) in ("", "{}", '"a"')
