"""The few values of BSON a command of MongoDB and its answer need; lists and documents come back as their lengths.

Source: BSON specification 1.1.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

Fields = dict[str, str | int | float | bool]

_FIXED = {0x06: 0, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16, 0x01: 8, 0x7F: 0, 0xFF: 0}
_TEXTS = {0x02, 0x0D, 0x0E}
_NESTED = {0x03, 0x04}
_BINARY = 0x05
_MAX_FIELDS = 10_000


def build_document(fields: Mapping[str, object]) -> bytes:
    """Write a document of texts, 32-bit numbers, flags and documents.

    Raises:
        TypeError: a value is of another kind.
    """
    body = b"".join(_element(name, value) for name, value in fields.items())
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def _element(name: str, value: object) -> bytes:
    key = name.encode() + b"\0"
    if isinstance(value, bool):
        return b"\x08" + key + bytes([value])
    if isinstance(value, int):
        return b"\x10" + key + struct.pack("<i", value)
    if isinstance(value, str):
        text = value.encode() + b"\0"
        return b"\x02" + key + struct.pack("<i", len(text)) + text
    if isinstance(value, Mapping):
        return b"\x03" + key + build_document(value)
    raise TypeError(f"{name}: {type(value).__name__} is not written")


def read_document(data: bytes) -> Fields:
    """Read the fields at the top of a document; of what is nested the number of its fields.

    Raises:
        ValueError: it is no document, or is cut off.
    """
    found: Fields = {}
    for kind, name, value in _elements(data):
        if kind in _TEXTS:
            found[name] = value[4:-1].decode("utf-8", "replace")[:300]
        elif kind in _NESTED:
            found[name] = len(_elements(value))
        elif kind == 0x01:
            found[name] = float(struct.unpack("<d", value)[0])
        elif kind == 0x08:
            found[name] = value != b"\0"
        elif kind in {0x10, 0x12}:
            found[name] = int.from_bytes(value, "little", signed=True)
    return found


def _elements(data: bytes) -> list[tuple[int, str, bytes]]:
    """Cut a document into kind, name and bytes of each field; nothing nested is opened."""
    if len(data) < 5 or not 5 <= (size := int.from_bytes(data[:4], "little", signed=True)) <= len(data):
        raise ValueError("no document")
    rows: list[tuple[int, str, bytes]] = []
    place, end = 4, size - 1
    while place < end:
        if len(rows) >= _MAX_FIELDS:
            raise ValueError("too many fields")
        stop = data.find(b"\0", place + 1, end)
        if stop < 0:
            raise ValueError("a name without an end")
        kind, name = data[place], data[place + 1 : stop].decode("utf-8", "replace")
        length = _length(kind, data, stop + 1, end)
        rows.append((kind, name, data[stop + 1 : stop + 1 + length]))
        place = stop + 1 + length
    return rows


def _length(kind: int, data: bytes, place: int, end: int) -> int:
    """Tell how many bytes a value takes."""
    if kind in _FIXED:
        length = _FIXED[kind]
    elif kind in _TEXTS or kind in _NESTED or kind == _BINARY:
        told = int.from_bytes(data[place : place + 4], "little", signed=True)
        length = told if kind in _NESTED else told + (5 if kind == _BINARY else 4)
        if told < (0 if kind == _BINARY else 1):
            raise ValueError("a negative length")
    else:
        raise ValueError(f"a value of kind {kind}")
    if place + length > end:
        raise ValueError("a value is cut off")
    return length
