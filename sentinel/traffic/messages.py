"""Bytes of a stream in, the JSON objects on it out, each with the text it was read from.

Objects may follow each other with or without line ends. A first line that is cut is skipped; of a last one that is cut,
what was whole is kept: a name or a value that breaks off never counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
JsonObject = dict[str, JsonValue]

MOST_OBJECTS = 256
MOST_NESTED = 100
"""Levels of a JSON value; a block template has about six."""
_MOST_OF_A_BATCH = 32
_decode = json.JSONDecoder().raw_decode
_BETWEEN = re.compile(r"[\s,\0;]*")
_TOKEN = re.compile(
    r'\s*(?:([\[{])|([\]}])|(,)|(:)|("(?:[^"\\]|\\.)*")|(-?[0-9][0-9.eE+-]*|true|false|null)(?=[\s,\]}]))'
)


@dataclass(frozen=True, slots=True)
class Message:
    """One JSON object.

    Attributes:
        value: the object.
        text: what it was read from; for an object that is cut, only its whole part.
    """

    value: JsonObject
    text: str


def read_messages(data: bytes) -> Iterator[Message]:
    """Yield the JSON objects of `data`, at most 256; a batch (list of objects) is taken apart."""
    text = data.decode("utf-8", "replace")
    at = _skip(text, 0)
    for _ in range(MOST_OBJECTS):
        if at < 0 or at >= len(text):
            return
        if text[at] not in "{[":
            at = _next_line(text, at)
            continue
        try:
            value, end = _decode(text, at)
        except (ValueError, RecursionError):
            end = _next_line(text, at)
            if end < 0:
                yield from _read_cut(text[at:])
        else:
            yield from _objects(value, text[at:end])
            end = _skip(text, end)
        at = end


def _skip(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at)
    return match.end() if match else at


def _next_line(text: str, at: int) -> int:
    found = text.find("\n{", at)
    return found + 1 if found >= 0 else -1


def _objects(value: JsonValue, text: str) -> Iterator[Message]:
    if _is_deep(value):
        return
    if isinstance(value, dict):
        yield Message(value, text)
    elif isinstance(value, list):
        for item in value[:_MOST_OF_A_BATCH]:
            if isinstance(item, dict):
                yield Message(item, json.dumps(item, ensure_ascii=False))


def _is_deep(value: JsonValue) -> bool:
    """Tell whether a value is nested deeper than any miner nests; newer Pythons read what older ones refuse."""
    level: list[JsonValue] = [value]
    for _ in range(MOST_NESTED):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True


def _read_cut(text: str) -> Iterator[Message]:
    whole = close_cut_json(text)
    if len(whole) <= 2:
        return
    try:
        value = json.loads(whole)
    except (ValueError, RecursionError):
        return
    yield from _objects(value, whole)


def close_cut_json(text: str) -> str:
    """Give the longest whole part of a JSON text that breaks off, with its brackets closed; empty for none."""
    closers: list[str] = []
    safe, safe_closers = 0, ""
    expects_key = False
    at = 0
    while match := _TOKEN.match(text, at):
        opening, closing, comma, _, string, scalar = match.groups()
        at = match.end()
        if opening:
            if len(closers) == MOST_NESTED:
                return ""
            closers.append("}" if opening == "{" else "]")
            expects_key = opening == "{"
        elif closing:
            if not closers or closers.pop() != closing:
                break
            expects_key = False
        elif comma:
            expects_key = bool(closers) and closers[-1] == "}"
            continue
        elif (string and expects_key) or not (string or scalar):
            expects_key = False
            continue
        safe, safe_closers = at, "".join(reversed(closers))
        if not closers:
            break
    return text[:safe] + safe_closers
