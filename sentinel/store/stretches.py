"""Dated rows that join with what is stored: sightings by key in, as few rows as say the same out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from sentinel.store.database import Row, Transaction

Key = tuple[Any, ...]
Span = tuple[int, int, int]
"""First and last moment in microseconds, and the row id of the run that told it."""

Join = Callable[[Key, Sequence[Span]], Sequence[Span]]
"""Joins stretches of one key."""

_BATCH = 400


@dataclass(frozen=True, slots=True)
class StretchTable:
    """A table of stretches.

    Attributes:
        name: its name; it has the columns `since_us`, `until_us` and `run` besides its key.
        columns: the columns of its key.
    """

    name: str
    columns: tuple[str, ...]


def write_stretches(
    transaction: Transaction, table: StretchTable, told: Mapping[Key, Sequence[Span]], join: Join, reach_us: int
) -> int:
    """Join stretches by key with those stored, no more than `reach_us` away; gives how many rows changed."""
    gone: list[tuple[int]] = []
    made: list[tuple[Any, ...]] = []
    waiting = iter(told)
    while keys := list(islice(waiting, _BATCH)):
        stored = _read(transaction, table, keys, told, reach_us)
        for key in keys:
            old = stored.get(key, {})
            new = dict.fromkeys((one[0], one[1], one[2]) for one in join(key, [*old, *told[key]]))
            gone += [(number,) for span, number in old.items() if span not in new]
            made += [(*key, *span) for span in new if span not in old]
    transaction.execute_many(f"DELETE FROM {table.name} WHERE id=?", gone)  # noqa: S608  constant name
    columns = ", ".join((*table.columns, "since_us", "until_us", "run"))
    marks = ",".join("?" * (len(table.columns) + 3))
    transaction.execute_many(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", made)  # noqa: S608
    return len(gone) + len(made)


def _read(
    transaction: Transaction, table: StretchTable, keys: Sequence[Key], told: Mapping[Key, Sequence[Span]], reach: int
) -> dict[Key, dict[Span, int]]:
    low = min(one[0] for key in keys for one in told[key]) - reach
    high = max(one[1] for key in keys for one in told[key]) + reach
    columns = ", ".join(table.columns)
    marks = ",".join([f"({','.join('?' * len(table.columns))})"] * len(keys))
    rows: Iterator[Row] = transaction.database.query(
        f"SELECT {columns}, since_us, until_us, run, id FROM {table.name} WHERE ({columns}) IN (VALUES {marks}) "  # noqa: S608
        "AND since_us<=? AND until_us>=?",
        (*chain.from_iterable(keys), high, low),
    )
    found: dict[Key, dict[Span, int]] = {}
    for *key, since, until, run, number in rows:
        found.setdefault(tuple(key), {})[since, until, run] = number
    return found
