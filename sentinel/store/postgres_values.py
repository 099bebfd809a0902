"""Values as SQLite gives and takes them: whole numbers of any size, texts that may hold what PostgreSQL refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg
from psycopg.adapt import Loader
from psycopg.types.string import StrDumperUnknown

NUL = "\x00"
STAND_IN = "\ufffd"
"""Stands where a text had a NUL, which PostgreSQL keeps in no text, or half a surrogate pair, which is no text."""


class _CleanText(StrDumperUnknown):
    """Writes texts; everything scanned is hostile, and no banner may break an import."""

    def dump(self, obj: str) -> bytes:
        """Give the bytes of a text."""
        try:
            raw = obj.encode()
        except UnicodeEncodeError:
            raw = obj.encode("utf-8", "replace")
        return raw.replace(b"\x00", STAND_IN.encode()) if b"\x00" in raw else raw


class _Number(Loader):
    """Reads numeric, which a sum of bigint is, as a whole number where it is one."""

    def load(self, data: bytes | bytearray | memoryview) -> int | float:
        """Give a plain number."""
        number = Decimal(bytes(data).decode())
        return int(number) if number == number.to_integral_value() else float(number)


def add_adapters(connection: psycopg.Connection[Any]) -> None:
    """Give a connection these ways with values."""
    connection.adapters.register_dumper(str, _CleanText)
    connection.adapters.register_loader("numeric", _Number)
