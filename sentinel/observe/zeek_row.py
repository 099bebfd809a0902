"""The fields of one row of a Zeek log in; its texts, addresses and moments out."""

from __future__ import annotations

from datetime import datetime

from sentinel.model.moment import EARLIEST
from sentinel.model.observation import Observation
from sentinel.model.unit import IPAddress
from sentinel.observe.text import LATEST, parse_address, parse_time, parse_utc

Row = dict[str, list[str]]
"""The fields a log's reader looks at, without the unset ones; a single value is a list of one."""

Found = tuple[Observation, ...] | None
"""What a row shows; None when it cannot be read."""

MILLISECONDS = 1e11
"""Seconds since 1970 above this (year 5138) are milliseconds, which Zeek's JSON writer can be told to write."""


def row_text(row: Row, name: str) -> str:
    """Give the first value of a field; nothing where it is unset."""
    values = row.get(name)
    return values[0] if values else ""


def row_address(row: Row, name: str) -> IPAddress | None:
    """Give the address in a field; None for anything else."""
    return parse_address(row_text(row, name))


def read_moment(row: Row) -> datetime | None:
    """Read the timestamp in any of the forms Zeek writes: seconds, milliseconds, or ISO 8601 in UTC."""
    text = row_text(row, "ts")
    if "T" in text:
        moment = parse_utc(text)
        return moment if moment is not None and EARLIEST <= moment < LATEST else None
    moment = parse_time(text)
    if moment is None and text.replace(".", "", 1).isdigit() and text.isascii() and float(text[:40]) > MILLISECONDS:
        return parse_time(float(text[:40]) / 1000)
    return moment
